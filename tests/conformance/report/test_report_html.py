"""Tests the page: it is one file, readable without its script, true to the verdicts, and safe against what an
implementation says."""

import base64
import hashlib
import re
from html.parser import HTMLParser
from typing import Any

import pytest

from conformance.report import Report
from conformance.report.html import render


class Page(HTMLParser):
    """The tags of a page with their attributes, and the text that a reader sees, piece by piece."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.tags: list[tuple[str, dict[str, str]]] = []
        self.texts: list[str] = []
        self.inside: list[str] = []
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: Any) -> None:
        self.tags.append((tag, {name: value or "" for name, value in attrs}))
        if tag in ("script", "style", "title"):
            self.inside.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if self.inside and self.inside[-1] == tag:
            self.inside.pop()

    def handle_data(self, data: str) -> None:
        if not self.inside:
            self.texts.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.texts).split())


def cells(report: Report, clause: str) -> list[str]:
    """The words of a clause's cells in the matrix, one for each implementation."""
    row = render(report).split(f'id="{clause}" data-level')[1].split("</summary>")[0]
    return re.findall(r'<span class="word ([a-z-]+)">', row)


def test_nothing_is_fetched(report: Report) -> None:
    page = Page(render(report))
    fetching = {"src", "srcset", "poster", "data", "action", "background"}
    for tag, attributes in page.tags:
        assert tag not in ("link", "iframe", "object", "embed", "base", "img"), tag
        assert not fetching & set(attributes), (tag, attributes)
        assert not attributes.get("href", "").startswith(("http", "//", "javascript", "data"))
    styles = re.findall(r"url\(([^)]*)\)", render(report))
    assert set(styles) == {"#hatch"}


def test_the_only_script_is_the_one_that_the_page_allows(report: Report) -> None:
    text = render(report)
    scripts = re.findall(r"<script>(.*?)</script>", text, re.DOTALL)
    assert len(scripts) == 1
    digest = base64.b64encode(hashlib.sha256(scripts[0].encode()).digest()).decode()
    policy = next(a["content"] for _, a in Page(text).tags if a.get("http-equiv") == "Content-Security-Policy")
    assert policy.startswith("default-src 'none'; ")
    assert f"script-src 'sha256-{digest}';" in policy


def test_the_headline_and_the_run(report: Report) -> None:
    text = Page(render(report)).text
    assert "5 of 8 documented clauses" in text
    assert "2 of 4 observed clauses matched" in text
    assert "conformance run impl_ref tf-1.4.1 --seed 0 --jobs 2" in text


def test_what_each_was_run_on_heads_its_column_and_its_card(report: Report) -> None:
    report["implementations"][0]["device"] = "host-executed kernels, no GPU"
    text = render(report)
    assert '<p class="device">host-executed kernels, no GPU</p>' in text
    assert '<span class="who">impl_ref <span class="device">host-executed kernels, no GPU</span></span>' in text
    report["implementations"][0]["note"] = "not run on this machine: no driver"
    assert "host-executed" not in render(report)


def test_what_was_left_out_stands_with_its_count(report: Report) -> None:
    report["implementations"][0]["verdicts"][0]["left_out"] = {"text: no such dtype": 12}
    assert "left out, text: no such dtype 12" in Page(render(report)).text


def test_every_clause_can_be_opened_without_a_script(report: Report) -> None:
    page = Page(render(report))
    opened = [attributes["id"] for tag, attributes in page.tags if tag == "details" and "id" in attributes]
    assert opened == [clause["id"] for clause in report["clauses"]]
    for clause in report["clauses"]:
        assert clause["text"] in page.text
    assert [a for tag, a in page.tags if tag == "form"] == [{"class": "filters", "hidden": ""}]


def test_ids_are_given_once(report: Report) -> None:
    ids = [attributes["id"] for _, attributes in Page(render(report)).tags if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_each_verdict_has_its_look(report: Report) -> None:
    assert cells(report, "SEQ-5") == ["fail", "pass"]
    assert cells(report, "IN-10") == ["pass", "differs"]
    assert cells(report, "SEQ-13") == ["pass", "matches"]
    assert cells(report, "SEQ-11") == ["vacuous", "not-run"]
    assert cells(report, "SEQ-22") == ["could-not-run", "not-run"]
    assert cells(report, "SWAP-2") == ["unsupported", "pass"]
    assert cells(report, "SEQ-7") == ["pass", "known-failure"]
    assert cells(report, "PAR-5") == ["not-observable", "not-observable"]


def test_a_third_party_neither_passes_nor_fails_where_the_page_is_silent(report: Report) -> None:
    silent = [clause["id"] for clause in report["clauses"] if clause["level"] != "documented"]
    for clause in silent:
        assert not {"pass", "fail", "known-failure"} & {cells(report, clause)[1]}


@pytest.mark.parametrize("verdict", ["unsupported", "vacuous", "not run", "could not run", "known failure"])
def test_nothing_untested_is_green(report: Report, verdict: str) -> None:
    for implementation in report["implementations"]:
        for found in implementation["verdicts"]:
            found["verdict"] = verdict  # type: ignore[typeddict-item]  # one of VERDICTS
        for counts in implementation["summary"].values():
            counts.update({"pass": 0, verdict: counts["counted"]})
    matrix = render(report).split('<div class="matrix">')[1]
    assert 'class="word pass"' not in matrix
    assert 'class="word matches"' not in matrix


def test_green_belongs_to_pass_alone(report: Report) -> None:
    style = re.search(r"<style>(.*?)</style>", render(report), re.DOTALL)
    assert style is not None
    green = [line.strip() for line in style[1].splitlines() if "var(--pass" in line]
    assert green
    for rule in green:
        for part in re.findall(r"([^{}]*)\{[^{}]*var\(--pass[^{}]*\}", rule):
            assert re.search(r"\.pass\s*$|\.lead em\s*$", part.strip()), part


def test_the_counterexample_is_drawn(report: Report) -> None:
    text = render(report)
    page = Page(text)
    assert "3 rows by 4 steps, lengths 2, 0, 4" in page.text
    assert "First difference: outputs[0, 2, 0]: expected 0, got 3.25" in page.text
    assert "conformance replay report/cases/impl_ref/SEQ-5.json impl_ref" in page.text
    drawn = text.split('id="SEQ-5-0"')[1].split("</section>")[0]
    inputs, expected, got = re.findall(r"<svg role=.*?</svg>", drawn, re.DOTALL)
    assert [svg.count('class="hatch"') for svg in (inputs, expected, got)] == [6, 6, 6]
    assert [svg.count('class="mark first"') for svg in (inputs, expected, got)] == [0, 1, 1]
    assert [svg.count('class="mark differs"') for svg in (inputs, expected, got)] == [0, 1, 1]
    assert re.findall(r">(length \d)<", got) == ["length 2", "length 0", "length 4"]


def test_pictures_have_names_and_scrolling_needs_no_mouse(report: Report) -> None:
    page = Page(render(report))
    for tag, attributes in page.tags:
        if attributes.get("class") == "scroll":
            assert attributes["tabindex"] == "0"
            assert attributes["aria-label"]
        if tag == "svg":
            assert attributes.get("aria-hidden") == "true" or attributes.get("role") == "img"


def test_what_an_implementation_says_stays_text(hostile: Report) -> None:
    text = render(hostile)
    tame = Page(text)
    assert "<img" not in text
    assert not {"img"} & {tag for tag, _ in tame.tags}
    assert len([tag for tag, _ in tame.tags if tag == "script"]) == 1
    assert not [name for _, attributes in tame.tags for name in attributes if name.startswith("on")]
    assert not re.search("[\x00-\x08\x0b-\x1f\ud800\u202e\ufffe]", text)
    assert "49" not in tame.text
    assert "<img src=x onerror=alert(1)>" in tame.text
    assert r"\x07\x1b[2J\ud800\u202e\ufffe" in tame.text
    text.encode()


def test_a_report_of_nobody_is_a_page_too(report: Report) -> None:
    report["implementations"] = []
    assert "Clause by clause" in Page(render(report)).text
