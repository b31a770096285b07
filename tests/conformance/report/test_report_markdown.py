"""Tests the Markdown: the table adds up, broken promises come with their replay line, and nothing in it turns into
markup."""

import re

import pytest

from conformance.report import Report
from conformance.report.markdown import code, escape, fenced, render


def table(text: str, name: str) -> dict[str, dict[str, str]]:
    """The table under an implementation's heading: section → word → count."""
    lines = [line for line in text.split(f"## `{name}`")[1].split("\n##")[0].splitlines() if line.startswith("|")]
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in lines]
    return {row[0]: dict(zip(rows[0][1:], row[1:], strict=True)) for row in rows[2:]}


def test_the_table_by_section(report: Report) -> None:
    rows = table(render(report), "tf-1.4.1")
    assert rows["inputs"] == {**dict.fromkeys(rows["inputs"], ""), "fail": "1", "differs": "1"}
    assert rows[r"sequence\_length"]["pass"] == "2"
    assert rows[r"sequence\_length"]["matches"] == "1"
    assert sum(int(count.strip("*")) for count in rows["**all**"].values()) == len(report["clauses"])


def test_a_third_party_has_no_pass_on_what_the_page_does_not_say(report: Report) -> None:
    for clause in report["clauses"]:
        clause["level"] = "observed"
    assert not {"pass", "fail"} & set(table(render(report), "tf-1.4.1")["**all**"])


def test_a_broken_promise_with_its_sentence_and_replay(report: Report) -> None:
    finding = render(report).split("### `SEQ-5` fail (documented)")[1].split("###")[0]
    assert "Past a row's end every output is zero." in finding
    assert "outputs[0, 2]: expected zero past the end of row 0 (length 2), got 3.25 [SEQ-5]" in finding
    assert "```sh\nconformance replay report/cases/impl_ref/SEQ-5.json impl_ref\n```" in finding


def test_the_headlines(report: Report) -> None:
    text = render(report)
    assert "- `impl_ref` (cpu): **5 of 8 documented clauses**; 3 of 4 observed clauses; 1 of 2 own clauses" in text
    assert "- `tf-1.4.1` (cpu): **5 of 8 documented clauses**; 2 of 4 observed clauses matched;" in text


def test_what_was_not_tested_is_told_with_its_reason(report: Report) -> None:
    text = render(report)
    assert "- `SEQ-11` vacuous (2 reached of 5): 2 examples reached it, 5 are asked for" in text
    assert "- `SWAP-2` unsupported (0 reached of 5): no device to swap with" in text


def test_what_was_left_out_is_listed_in_the_report(report: Report) -> None:
    report["implementations"][0]["verdicts"][0]["left_out"] = {"text: no such dtype": 12}
    clause = report["implementations"][0]["verdicts"][0]["clause"]
    assert f"### Left out as unsupported\n\n- `{clause}` 12 cases: text: no such dtype" in render(report)


def test_what_each_was_run_on_stands_in_its_heading(report: Report) -> None:
    report["implementations"][0]["device"] = "host-executed kernels, no GPU"
    report["implementations"][1]["note"] = "not run on this machine: no driver"
    text = render(report)
    assert "- `impl_ref` (host\\-executed kernels, no GPU): **5" in text
    assert "## `impl_ref`: host\\-executed kernels, no GPU\n" in text
    assert "## `tf-1.4.1`: not run\n" in text


def test_what_an_implementation_says_stays_text(hostile: Report) -> None:
    text = render(hostile)
    outside = re.sub(r"(?ms)^(`{3,})[^\n]*\n.*?^\1$", "", text)
    outside = re.sub(r"(?s)(?<![`\\])(`+)(?!`)(.+?)(?<!`)\1(?!`)", "", outside)
    assert "<img" not in outside
    assert not re.search(r"(?<!\\)\]\(", outside)
    assert "@all" not in outside
    assert not re.search("[\x00-\x08\x0b-\x1f\ud800\u202e\ufffe]", text)


@pytest.mark.parametrize(
    ("text", "shown"),
    [("a`b", "``a`b``"), ("`a`", "`` `a` ``"), ("", "` `"), ("a\nb", "`a b`"), ("``", "``` `` ```")],
)
def test_a_code_span_holds_any_backticks(text: str, shown: str) -> None:
    assert code(text) == shown


def test_a_fence_is_longer_than_what_it_holds() -> None:
    assert fenced("````\nx") == "`````text\n````\nx\n`````"


def test_escaping() -> None:
    assert escape("a_b <i> & *c*\n# d") == r"a\_b &lt;i&gt; &amp; \*c\* \# d"
    assert escape("http://x www.y @z: (w)") == "http&#58;//x www&#46;y &#64;z: (w)"
