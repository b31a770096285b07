"""Loads the clause registry, which has every promise of a call as an immutable value, and checks it against the page's
ledger.

`load()` reads clauses.toml and refuses what would let a promise get lost: an id given twice or left out, a key, level,
section or observable that does not exist, a place on the page that the ledger does not have, a documented clause that
rests on no normative sentence, a normative sentence behind no clause, an untestable clause without a reason.
"""

import datetime
import functools
import hashlib
import importlib.resources
import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, fields
from types import MappingProxyType

from dynamic_rnn_spec.page import ledger

LEVELS = ("documented", "observed", "ours")

OBSERVABLES = ("value", "shape", "dtype", "structure", "error", "variables", "trace", "gradient", "memory")

SECTIONS: Mapping[str, str] = MappingProxyType(
    {
        "signature": "SIG",
        "cell": "CELL",
        "inputs": "IN",
        "sequence_length": "SEQ",
        "initial_state": "INIT",
        "dtype": "DTYPE",
        "parallel_iterations": "PAR",
        "swap_memory": "SWAP",
        "time_major": "TIME",
        "scope": "SCOPE",
        "outputs": "OUT",
        "state": "STATE",
        "examples": "EX",
        "equations": "EQ",
        "variables": "VAR",
        "errors": "ERR",
        "gradients": "GRAD",
    }
)
"""Section by section in the page's order, then what the page does not have: the letters that its ids begin with."""

DEFAULT_FLOOR = 5
_TITLE_LENGTH = 60
_RUN = re.compile(r"[A-Z]\d{2}[a-z]?\*?$")


class ClauseError(ValueError):
    """The registry's file is malformed or contradictory, or a clause was asked for that does not exist."""


@dataclass(frozen=True)
class Clause:
    """One promise; the fields are the keys of clauses.toml, explained at its head."""

    id: str
    section: str
    level: str
    title: str
    text: str
    page: tuple[str, ...] = ()
    observed: tuple[str, ...] = ()
    observable: tuple[str, ...] = ()
    testable: bool = True
    reason: str = ""
    reviewed: str = ""
    floor: int = DEFAULT_FLOOR

    def locators(self) -> tuple[str, ...]:
        """Where on the page it rests, for a reader: `Args > dtype, sentence 2`."""
        return tuple(ledger.load()[name].locator for name in self.page)


def parse(text: str, entries: Mapping[str, ledger.Entry]) -> Mapping[str, Clause]:
    """The registry in a TOML text, by id and in its order, checked against a ledger; ClauseError if it is refused."""
    document = tomllib.loads(text)
    if unknown := sorted(set(document) - {"clause"}):
        raise ClauseError(f"clauses: expected [[clause]] tables only, got {', '.join(unknown)}")
    clauses: dict[str, Clause] = {}
    for raw in document.get("clause", []):
        clause = _clause(raw)
        if clause.id in clauses:
            raise ClauseError(f"{clause.id}: expected each id once, got it twice")
        _check(clause, entries)
        clauses[clause.id] = clause
    _check_numbering(clauses)
    _check_coverage(clauses, entries)
    return MappingProxyType(clauses)


_KEYS: Mapping[str, object] = MappingProxyType({field.name: field.type for field in fields(Clause)})


def _clause(raw: Mapping[str, object]) -> Clause:
    """A clause of the right keys and types; `_check` looks at the values."""
    name = raw.get("id", "a clause without id")
    if unknown := sorted(set(raw) - set(_KEYS)):
        raise ClauseError(f"{name}: expected keys among {', '.join(_KEYS)}, got {', '.join(unknown)}")
    values: dict[str, object] = {}
    for key, value in raw.items():
        if _KEYS[key] == tuple[str, ...]:
            if not isinstance(value, list) or not all(isinstance(part, str) for part in value):
                raise ClauseError(f"{name}: expected a list of strings for {key}, got {value!r}")
            values[key] = tuple(value)
        elif type(value) is not _KEYS[key]:
            raise ClauseError(f"{name}: expected {getattr(_KEYS[key], '__name__', '')} for {key}, got {value!r}")
        else:
            values[key] = value
    if missing := [key for key in ("id", "section", "level", "title", "text") if not values.get(key)]:
        raise ClauseError(f"{name}: expected a value for {', '.join(missing)}, got none")
    return Clause(**values)  # type: ignore[arg-type]  # each value's type was compared with its field's above


def _check(clause: Clause, entries: Mapping[str, ledger.Entry]) -> None:
    """ClauseError if a clause, taken alone, has a value that it may not have."""
    if clause.section not in SECTIONS:
        raise ClauseError(f"{clause.id}: expected a section among {', '.join(SECTIONS)}, got {clause.section!r}")
    if clause.level not in LEVELS:
        raise ClauseError(f"{clause.id}: expected a level among {', '.join(LEVELS)}, got {clause.level!r}")
    if len(clause.title) > _TITLE_LENGTH:
        raise ClauseError(f"{clause.id}: expected a title of at most {_TITLE_LENGTH} characters, got {clause.title!r}")
    if unknown := [name for name in clause.observable if name not in OBSERVABLES]:
        raise ClauseError(f"{clause.id}: expected observables among {', '.join(OBSERVABLES)}, got {', '.join(unknown)}")
    if clause.testable != bool(clause.observable):
        raise ClauseError(
            f"{clause.id}: expected observables exactly where testable is true, "
            f"got testable {clause.testable} with {', '.join(clause.observable) or 'none'}"
        )
    if clause.testable and (clause.reason or clause.reviewed):
        raise ClauseError(f"{clause.id}: expected reason and reviewed only where testable is false, got them elsewhere")
    if not clause.testable and not clause.reason:
        raise ClauseError(f"{clause.id}: expected a reason where testable is false, got none")
    if not clause.testable and not _is_day(clause.reviewed):
        raise ClauseError(f"{clause.id}: expected reviewed as YYYY-MM-DD, got {clause.reviewed!r}")
    if clause.floor < 1:
        raise ClauseError(f"{clause.id}: expected a floor of at least 1, got {clause.floor}")
    if dangling := [name for name in clause.page if name not in entries]:
        raise ClauseError(f"{clause.id}: expected ids of the ledger for page, got {', '.join(dangling)}")
    if wrong := [name for name in clause.observed if not _RUN.match(name)]:
        raise ClauseError(f"{clause.id}: expected names of runs such as D10g for observed, got {', '.join(wrong)}")
    if clause.level == "documented" and not any(entries[name].kind == "normative" for name in clause.page):
        raise ClauseError(
            f"{clause.id}: expected a documented clause to rest on a normative sentence, "
            f"got {', '.join(clause.page) or 'none'}"
        )


def _is_day(text: str) -> bool:
    if not re.fullmatch(r"\d{4}-\d{2}-\d{2}", text):
        return False
    try:
        datetime.date.fromisoformat(text)
    except ValueError:
        return False
    return True


def _check_numbering(clauses: Mapping[str, Clause]) -> None:
    """ClauseError unless sections come in order and each counts from 1 without a gap: no clause goes missing unseen."""
    seen = dict.fromkeys(clause.section for clause in clauses.values())
    expected = [
        f"{SECTIONS[section]}-{number}"
        for section in SECTIONS
        for number in range(1, 1 + sum(clause.section == section for clause in clauses.values()))
    ]
    for wanted, got in zip(expected, clauses, strict=True):
        if wanted != got:
            raise ClauseError(f"{got}: expected {wanted} in its place, for ids count up by section, got {got}")
    if absent := [section for section in SECTIONS if section not in seen]:
        raise ClauseError(f"clauses: expected a clause in every section, got none in {', '.join(absent)}")


def _check_coverage(clauses: Mapping[str, Clause], entries: Mapping[str, ledger.Entry]) -> None:
    """ClauseError where a normative sentence of the ledger is behind no clause."""
    used = {name for clause in clauses.values() for name in clause.page}
    if lost := [name for name, entry in entries.items() if entry.kind == "normative" and name not in used]:
        raise ClauseError(f"clauses: expected every normative sentence behind a clause, got none for {', '.join(lost)}")


def source() -> str:
    """The text of the registry that ships with this package."""
    return (importlib.resources.files(__package__) / "clauses.toml").read_text(encoding="utf-8")


@functools.cache
def load() -> Mapping[str, Clause]:
    """Every clause by id, in the page's order."""
    return parse(source(), ledger.load())


def clause(id: str) -> Clause:
    """The clause of this id; ClauseError if there is none."""
    if id not in load():
        raise ClauseError(f"clause: expected an id of the registry, got {id!r}")
    return load()[id]


def sections() -> Mapping[str, tuple[Clause, ...]]:
    """The clauses of each section, in the page's order."""
    return MappingProxyType({name: tuple(c for c in load().values() if c.section == name) for name in SECTIONS})


def registry_sha256() -> str:
    """The hash by which a report names the registry: SHA-256 of clauses.toml and ledger.toml, a NUL between them."""
    return hashlib.sha256("\0".join((source(), ledger.source())).encode("utf-8")).hexdigest()
