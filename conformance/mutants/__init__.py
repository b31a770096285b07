"""Reads the planted defects from the TOML files beside this one; each names the clause whose own assertion must catch
it.

    [[mutant]]
    id = "SEQ-5-keeps-outputs"
    clause = "SEQ-5"
    file = "impl_ref/sequence.py"              # a line of a copy of the package's code ...
    find = "outputs = zeros_where(past, new)"  # ... this text, which stands there exactly once ...
    replace = "outputs = new"                  # ... becomes this one
    note = "outputs past a row's end are not zeroed"

    [[mutant]]
    id = "SEQ-13-minus-zero"
    clause = "SEQ-13"
    spoil = "conformance.mutants.spoils:minus_zero"    # or: function(case, outcome) -> outcome spoils the answers
    note = "the zero past the end is -0.0"
"""

from __future__ import annotations

import importlib.util
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from dynamic_rnn_spec.page import clauses

SPEC_PACKAGE = "dynamic_rnn_spec"
DEFAULT_PACKAGE = "impl_ref"
MOST_SPOILT = 1 / 3
"""At most this part of all mutants may spoil answers; the others are defects of a line of code."""

_SOURCE = {"id", "clause", "file", "find", "replace", "note"}
_SPOILT = {"id", "clause", "spoil", "note"}
_OPTIONAL = {"stratum"}


class MutantError(ValueError):
    """A mutant's entry is malformed, or is stale: it no longer fits the code."""


@dataclass(frozen=True)
class Mutant:
    """One defect: a line of code with another text, or answers that are spoilt.

    If a ``stratum`` is named (see `conformance.differential.strata`), that stratum must catch the mutant, by a
    comparison with the second implementation; the clause then only says what is broken.
    """

    id: str
    clause: str
    note: str
    file: str = ""
    find: str = ""
    replace: str = ""
    spoil: str = ""
    stratum: str = ""

    @property
    def kind(self) -> str:
        """What is broken: "source" or "answers"."""
        return "answers" if self.spoil else "source"

    @property
    def package(self) -> str:
        """The implementation that has the defect."""
        first = self.file.partition("/")[0]
        return DEFAULT_PACKAGE if first in ("", SPEC_PACKAGE) else first

    def mutated(self) -> str:
        """The text of its file with the defect planted.

        Raises:
            MutantError: there is no such file, or ``find`` does not stand there exactly once.
        """
        path = place_of(self.file)
        if not path.is_file():
            raise MutantError(f"stale mutant {self.id}: there is no {self.file}")
        text = path.read_text(encoding="utf-8")
        if (count := text.count(self.find)) != 1:
            raise MutantError(f"stale mutant {self.id}: {self.find!r} stands {count} times in {self.file}, not once")
        return text.replace(self.find, self.replace)


def packages() -> list[str]:
    """The implementations that have mutants, the reference first."""
    return [DEFAULT_PACKAGE, *sorted({path.parent.name for path in Path(__file__).parent.glob("*/*.toml")})]


def folder_of(package: str) -> Path:
    """Where the mutants of an implementation lie.

    Raises:
        MutantError: there are none of it.
    """
    own = Path(__file__).parent
    folder = own if package == DEFAULT_PACKAGE else own / package
    if not any(folder.glob("*.toml")):
        raise MutantError(f"no mutants of {package!r}")
    return folder


def load(folder: Path | None = None) -> list[Mutant]:
    """The mutants of every ``*.toml`` in a folder (this package's own), in the order of the registry of clauses.

    Raises:
        MutantError: an entry with missing, unknown or contradictory keys, an id given twice, an untestable clause.
    """
    found: list[Mutant] = []
    for path in sorted((folder or Path(__file__).parent).glob("*.toml")):
        found += parse(path.read_text(encoding="utf-8"), path.name)
    if twice := [id for id, count in Counter(mutant.id for mutant in found).items() if count > 1]:
        raise MutantError(f"mutants: expected each id once, got more of {', '.join(sorted(twice))}")
    place = {id: position for position, id in enumerate(clauses.load())}
    return sorted(found, key=lambda mutant: (place[mutant.clause], mutant.id))


def parse(text: str, source: str) -> list[Mutant]:
    """The mutants of a TOML text; ``source`` names it in errors."""
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise MutantError(f"{source}: not TOML ({error})") from error
    if unknown := sorted(set(document) - {"mutant"}):
        raise MutantError(f"{source}: expected [[mutant]] tables only, got {', '.join(unknown)}")
    return [_mutant(entry, source) for entry in document.get("mutant", [])]


def place_of(file: str) -> Path:
    """Where a file such as ``impl_ref/dynamic_rnn.py`` lies, found without importing the package."""
    package, _, rest = file.partition("/")
    return package_folder(package) / rest


def package_folder(package: str) -> Path:
    """The folder of an installed package."""
    found = importlib.util.find_spec(package)
    if found is None or not found.submodule_search_locations:
        raise MutantError(f"no package {package!r} to plant a mutant in")
    return Path(found.submodule_search_locations[0])


def too_many_spoilt(mutants: Sequence[Mutant]) -> str | None:
    """A complaint if more than a third of the mutants spoil answers instead of code."""
    spoilt = sum(mutant.kind == "answers" for mutant in mutants)
    if spoilt > MOST_SPOILT * len(mutants):
        return f"{spoilt} of {len(mutants)} mutants spoil answers; at least two of three must be defects of the code"
    return None


def _mutant(entry: Mapping[str, Any], source: str) -> Mutant:
    name = entry.get("id", "an entry without id")
    required = set(entry) - _OPTIONAL
    if required not in (_SOURCE, _SPOILT) or not all(isinstance(value, str) for value in entry.values()):
        wanted = f"{', '.join(sorted(_SOURCE))}; or {', '.join(sorted(_SPOILT))}"
        raise MutantError(f"{source}: {name}: expected texts for {wanted}; got {', '.join(sorted(entry))}")
    mutant = Mutant(**entry)
    if mutant.clause not in clauses.load() or not clauses.clause(mutant.clause).testable:
        raise MutantError(f"{source}: {name}: expected a clause that can be tested, got {mutant.clause!r}")
    if mutant.file and (not mutant.find or "\n" in mutant.find + mutant.replace or mutant.find == mutant.replace):
        raise MutantError(f"{source}: {name}: expected one text within a line for find, and another for replace")
    if mutant.spoil and ":" not in mutant.spoil:
        raise MutantError(f"{source}: {name}: expected module:function for spoil, got {mutant.spoil!r}")
    return mutant
