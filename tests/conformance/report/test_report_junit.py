"""Tests the JUnit XML: untested clauses are skipped, faults of the suite are errors, a third party's differences no
failures."""

import re
import xml.etree.ElementTree as ET

from conformance.report import Report
from conformance.report.junit import render


def kinds(report: Report) -> dict[tuple[int, str], list[str]]:
    """(implementation, clause) → the tags inside its case."""
    root = ET.fromstring(render(report))
    return {
        (place, case.attrib["name"].split()[0]): [child.tag for child in case]
        for place, suite in enumerate(root)
        for case in suite.findall("testcase")
    }


def test_a_suite_for_each_implementation_and_a_case_for_each_clause(report: Report) -> None:
    root = ET.fromstring(render(report))
    assert [(suite.attrib["name"], suite.attrib["tests"]) for suite in root] == [("impl_ref", "15"), ("tf-1.4.1", "15")]
    assert {key: root.attrib[key] for key in ("tests", "failures", "errors", "skipped")} == {
        "tests": "30",
        "failures": "2",
        "errors": "1",
        "skipped": "10",
    }
    for suite in root:
        assert int(suite.attrib["skipped"]) == len(suite.findall("testcase/skipped"))


def test_each_verdict_has_its_tag(report: Report) -> None:
    found = kinds(report)
    assert found[0, "SEQ-4"] == []
    assert found[0, "SEQ-5"] == ["failure"]
    assert found[0, "SEQ-11"] == ["skipped", "system-out"]
    assert found[0, "SWAP-2"] == ["skipped", "system-out"]
    assert found[0, "SEQ-22"] == ["error"]
    assert found[0, "PAR-5"] == ["skipped"]
    assert found[0, "TIME-6"] == ["skipped"]
    assert found[1, "SEQ-7"] == ["skipped", "system-out"]
    assert found[1, "IN-7"] == ["failure"]


def test_a_suite_says_what_it_was_run_on(report: Report) -> None:
    report["implementations"][0]["device"] = "host-executed kernels, no GPU"
    told = ET.fromstring(render(report))[0].find("properties/property[@name='ran on']")
    assert told is not None
    assert told.get("value") == "host-executed kernels, no GPU"


def test_a_third_partys_difference_is_a_note(report: Report) -> None:
    assert kinds(report)[1, "IN-10"] == ["system-out"]
    root = ET.fromstring(render(report))
    note = root[1].find("testcase[@name='IN-10 first two dimensions agree']/system-out")
    assert note is not None
    assert note.text is not None
    assert note.text.startswith("differs\nIN-10 (ours): ")
    assert "replay: conformance replay report/cases/tf-1.4.1/IN-10.json tf-1.4.1" in note.text


def test_the_failure_tells_clause_message_and_replay(report: Report) -> None:
    failure = ET.fromstring(render(report)).find("testsuite/testcase/failure")
    assert failure is not None
    assert failure.attrib["message"] == (
        "fail: outputs[0, 2]: expected zero past the end of row 0 (length 2), got 3.25 [SEQ-5]"
    )
    assert "replay: conformance replay report/cases/impl_ref/SEQ-5.json impl_ref" in str(failure.text)


def test_what_an_implementation_says_stays_text_and_legal(hostile: Report) -> None:
    text = render(hostile)
    root = ET.fromstring(text)
    assert {child.tag for child in root.iter()} <= {
        "testsuites", "testsuite", "properties", "property", "testcase", "failure", "error", "skipped", "system-out",
    }  # fmt: skip
    assert root[0].attrib["name"].startswith("impl_ref</script></style>")
    assert r"\x07\x1b[2J\ud800\u202e\ufffe" in root[0].attrib["name"]
    assert not re.search("[\x00-\x08\x0b-\x1f\ud800-\udfff\ufffe\uffff]", text)
    text.encode()
