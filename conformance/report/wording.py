"""Chooses the word, mark and look of a verdict, by the clause's level and by whose implementation it is.

A third party is held to the page and to nothing more: on observed and own clauses it *matches* or *differs* and never
fails.
"""

from __future__ import annotations

from typing import NamedTuple

from conformance.report.model import Clause, Implementation, Verdict


class Word(NamedTuple):
    """How one verdict is shown: `text` in words, `mark` as one sign, `look` as the name of a style."""

    text: str
    mark: str
    look: str


PLAIN = {
    "pass": Word("pass", "✓", "pass"),
    "fail": Word("fail", "✗", "fail"),
    "unsupported": Word("unsupported", "⊘", "unsupported"),
    "vacuous": Word("vacuous", "○", "vacuous"),
    "not run": Word("not run", "–", "not-run"),
    "could not run": Word("could not run", "!", "could-not-run"),
    "known failure": Word("known failure", "✗", "known-failure"),
}
THIRD_PARTY = {
    "pass": Word("matches", "=", "matches"),
    "fail": Word("differs", "≠", "differs"),
    "known failure": Word("known difference", "≠", "differs"),
}
NOT_OBSERVABLE = Word("not observable", "·", "not-observable")
ORDER = (PLAIN["pass"], THIRD_PARTY["pass"], PLAIN["fail"], THIRD_PARTY["fail"], *list(PLAIN.values())[2:])
ORDER += (THIRD_PARTY["known failure"], NOT_OBSERVABLE)
"""All words, in the order in which tables and legends have them."""

MEANING = {
    "pass": "every example kept the clause, and enough of them reached what it is about",
    "fail": "an example breaks the clause; the smallest one found is shown",
    "matches": "does what TensorFlow 1.4.1 or our own implementations do, where the page is silent",
    "differs": "does something else where the page is silent; no promise of the page is broken",
    "known failure": "breaks the clause as announced, for the reason given; it does not count as kept",
    "known difference": "does something else where the page is silent, as announced, for the reason given",
    "unsupported": "the implementation says it does not do this; not counted as kept",
    "vacuous": "too few examples reached what the clause is about; not counted as kept",
    "not run": "nothing was tried",
    "could not run": "the suite itself stumbled; nothing is known",
    "not observable": "cannot be seen from outside; kept on a reviewed list and not counted",
}


def word(verdict: str, level: str, own: bool) -> Word:
    """The word for a verdict on a clause of `level`, on one of our own implementations or a third party's."""
    if not own and level != "documented" and verdict in THIRD_PARTY:
        return THIRD_PARTY[verdict]
    return PLAIN[verdict]


def word_for(clause: Clause, verdict: Verdict | None, implementation: Implementation) -> Word:
    """The word for a cell of the matrix; a testable clause without a verdict was not run."""
    if not clause["testable"]:
        return NOT_OBSERVABLE
    return word("not run" if verdict is None else verdict["verdict"], clause["level"], implementation["own"])


def ran_on(implementation: Implementation) -> str:
    """What a column was run on, to stand under its name: a device, or kernels that no device ran."""
    absent = implementation["note"] is not None and implementation["note"].startswith("not run")
    return "not run" if absent else implementation["device"]


def is_failure(clause: Clause, verdict: Verdict, implementation: Implementation) -> bool:
    """Whether this verdict is a broken promise: a fail, at a level to which the implementation is held."""
    return verdict["verdict"] == "fail" and (implementation["own"] or clause["level"] == "documented")
