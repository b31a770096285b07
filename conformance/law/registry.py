"""Finds the laws in the property modules and chooses among them by clause."""

from __future__ import annotations

import importlib
import pkgutil
import re
from collections.abc import Iterable, Sequence
from types import ModuleType

from conformance.law.laws import Law
from dynamic_rnn_spec.page import clauses

PROPERTIES = "conformance.properties"


def load(package: str = PROPERTIES) -> list[Law]:
    """Every law of every ``test_*`` module of a package, in the registry's order of clauses, then of their names."""
    found: list[Law] = []
    folder = importlib.import_module(package)
    for module in sorted(module.name for module in pkgutil.iter_modules(folder.__path__)):
        if module.startswith("test_"):
            found += laws_of(importlib.import_module(f"{package}.{module}"))
    place = {id: position for position, id in enumerate(clauses.load())}
    return sorted(found, key=lambda law: (place[law.clause], law.name))


def laws_of(module: ModuleType) -> list[Law]:
    """The laws that a module defines."""
    values = vars(module).values()
    laws = [value.law for value in values if isinstance(getattr(value, "law", None), Law)]
    return [law for law in laws if law.name.startswith(module.__name__ + "::")]


def select(wanted: Sequence[str], laws: Iterable[Law] | None = None) -> list[Law]:
    """The laws of these clauses (``SEQ-5``) and sections (``SEQ``); all of them for an empty choice."""
    chosen = set(clause_ids(wanted))
    return [law for law in (load() if laws is None else laws) if law.clause in chosen]


def clause_ids(wanted: Sequence[str]) -> list[str]:
    """The clauses that a choice of ids and sections stands for, in the registry's order; all for an empty choice.

    Raises:
        clauses.ClauseError: nothing of that name.
    """
    known = clauses.load()
    words = [word for text in wanted for word in re.split(r"[,\s]+", text) if word]
    chosen: set[str] = set()
    for word in words:
        of_word = {id for id, clause in known.items() if word in (id, clauses.SECTIONS[clause.section], clause.section)}
        if not of_word:
            raise clauses.ClauseError(f"clause: expected an id such as SEQ-5 or a section such as SEQ, got {word!r}")
        chosen |= of_word
    return [id for id in known if not words or id in chosen]
