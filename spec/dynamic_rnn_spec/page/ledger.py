"""Loads the page's ledger, which records each sentence by its place and hash and never by its words, and compares a
page with it.

A page file is cut into located sentences by these rules, and by nothing else:

* lines before the first code fence are the title, one entry a line; the fence that opens with a call is the signature:
  one entry for the whole of it, one for each parameter with its default; any other fence is one entry;
* `Example:`, `Args:`, `Returns:` and `Raises:` alone on a line are headings, an entry each, and open a section;
* in a section, `- name: text` in the first column opens an item, and everything up to the next item belongs to it,
  blank lines included (a copied page wraps with them); an indented bullet starts a sentence in the item it stands in;
* elsewhere a blank line ends a sentence; within a text one ends at `.`, `!` or `?` before a space and a capital or `(`;
* from the line `Stay Connected` on there is the site's own footer, one entry a line.

Normalised means: no `**`, every run of white space one space, case kept. What is hashed is that text in UTF-8.
"""

import argparse
import difflib
import functools
import hashlib
import importlib.resources
import re
import sys
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType

KINDS = ("normative", "informative")

_HEADING = re.compile(r"(Example|Args|Returns|Raises):\s*$")
_ITEM = re.compile(r"- (\w+):\s+(.*)$")
_BULLET = re.compile(r"\s*- (.*)$")
_SENTENCE_END = re.compile(r"(?<=[.!?])\s+(?=[A-Z(])")
_CALL = re.compile(r"\w+\((.*)\)$")
_FOOTER = "Stay Connected"
_SHA256 = re.compile(r"[0-9a-f]{64}$")
_ENTRY_KEYS = {"id", "locator", "sha256", "kind", "reason"}


class LedgerError(ValueError):
    """The ledger's file is malformed or contradictory."""


@dataclass(frozen=True)
class Sentence:
    """A sentence of a page, as place and hash."""

    id: str
    locator: str
    sha256: str

    @property
    def place(self) -> str:
        """The id without its ordinal, which stays the same when a neighbour comes or goes."""
        return self.id.rpartition(".")[0] if self.id.rpartition(".")[2].isdigit() else self.id


@dataclass(frozen=True)
class Entry(Sentence):
    """A recorded sentence and whether it is normative; `reason` says why an informative one binds nobody."""

    kind: str
    reason: str


def normalise(text: str) -> str:
    """The text that is hashed: bold marks gone, white space collapsed, case kept."""
    return " ".join(text.replace("**", "").split())


def sha256_of(text: str) -> str:
    """SHA-256 of the normalised text, in hexadecimal."""
    return hashlib.sha256(normalise(text).encode("utf-8")).hexdigest()


def sentences(page: str) -> tuple[Sentence, ...]:
    """Every sentence of the page's text, located and hashed, in the page's order."""
    counts: dict[str, int] = {}
    found = []
    for place, name, text in _pieces(page):
        if name:
            found.append(Sentence(f"{place}.{name}", _locator(place, name), sha256_of(text)))
            continue
        for part in _SENTENCE_END.split(normalise(text)):
            counts[place] = counts.get(place, 0) + 1
            ordinal = str(counts[place])
            found.append(Sentence(f"{place}.{ordinal}", _locator(place, ordinal), sha256_of(part)))
    return tuple(found)


def _pieces(page: str) -> Iterator[tuple[str, str, str]]:
    """(place, name, text) for each run of text; an empty name asks for the text to be cut into numbered sentences."""
    section, item = "title", ""
    gathered: list[str] = []
    fence: list[str] | None = None

    def flush() -> Iterator[tuple[str, str, str]]:
        if gathered:
            yield (f"{section}.{item}" if item else section), "", " ".join(gathered)
            gathered.clear()

    for line in page.splitlines():
        if line.strip().startswith("```"):
            yield from flush()
            if fence is not None:
                yield from _fence(section, " ".join(fence))
                section = "intro" if section == "title" else section
            fence = [] if fence is None else None
        elif fence is not None:
            fence.append(line.strip())
        elif line.strip() == _FOOTER or section == "footer":
            yield from flush()
            section, item = "footer", ""
            if line.strip():
                yield section, "", line
        elif heading := _HEADING.match(line):
            yield from flush()
            section, item = heading[1].lower(), ""
            yield section, "heading", line
        elif section in ("args", "returns", "raises") and (named := _ITEM.match(line)):
            yield from flush()
            item = named[1]
            gathered.append(named[2])
        elif bullet := _BULLET.match(line):
            yield from flush()
            gathered.append(bullet[1])
        elif line.strip():
            gathered.append(line)
            if section == "title":
                yield from flush()
        elif not item:
            yield from flush()
    yield from flush()
    if fence is not None:
        raise LedgerError("page: expected every code fence to be closed, got one that is open at the end")


def _fence(section: str, text: str) -> Iterator[tuple[str, str, str]]:
    """A code block's pieces: the signature's call and parameters, or one piece."""
    call = _CALL.match(text)
    if section != "title" or call is None:
        yield section, "code", text
        return
    yield "signature", "call", text
    for parameter in call[1].split(","):
        yield "signature", parameter.partition("=")[0].strip(), parameter


_SECTION_NAMES = {"title": "Title", "intro": "Introduction", "footer": "Footer"}


def _locator(place: str, name: str) -> str:
    """Where a reader finds it: `Args > dtype, sentence 2`."""
    section, _, item = place.partition(".")
    where = _SECTION_NAMES.get(section, section.capitalize()) + (f" > {item}" if item else "")
    if section == "signature":
        return f"{where}, the whole call" if name == "call" else f"{where} > {name}"
    if section in ("title", "footer"):
        return f"{where}, line {name}"
    return f"{where}, sentence {name}" if name.isdigit() else f"{where}, {name}"


def parse(text: str) -> Mapping[str, Entry]:
    """The ledger in a TOML text, by id, in its order; LedgerError if it is malformed or contradictory."""
    document = tomllib.loads(text)
    if unknown := sorted(set(document) - {"sentence"}):
        raise LedgerError(f"ledger: expected [[sentence]] tables only, got {', '.join(unknown)}")
    entries: dict[str, Entry] = {}
    for raw in document.get("sentence", []):
        entry = _entry(raw)
        if entry.id in entries:
            raise LedgerError(f"{entry.id}: expected each id once, got it twice")
        entries[entry.id] = entry
    return MappingProxyType(entries)


def _entry(raw: Mapping[str, object]) -> Entry:
    name = raw.get("id", "a sentence without id")
    if unknown := sorted(set(raw) - _ENTRY_KEYS):
        raise LedgerError(f"{name}: expected keys among {', '.join(sorted(_ENTRY_KEYS))}, got {', '.join(unknown)}")
    fields = {key: raw.get(key, "") for key in _ENTRY_KEYS}
    if wrong := sorted(key for key, value in fields.items() if not isinstance(value, str)):
        raise LedgerError(f"{name}: expected strings, got another type for {', '.join(wrong)}")
    entry = Entry(**{key: str(value) for key, value in fields.items()})
    if missing := [key for key in ("id", "locator", "sha256", "kind") if not fields[key]]:
        raise LedgerError(f"{name}: expected a value for {', '.join(missing)}, got none")
    if entry.kind not in KINDS:
        raise LedgerError(f"{name}: expected kind {' or '.join(KINDS)}, got {entry.kind!r}")
    if not _SHA256.match(entry.sha256):
        raise LedgerError(f"{name}: expected sha256 as 64 hexadecimal digits, got {entry.sha256!r}")
    if (entry.kind == "informative") != bool(entry.reason):
        raise LedgerError(f"{name}: expected a reason for an informative sentence and only there, got {entry.reason!r}")
    return entry


def source() -> str:
    """The text of the ledger that ships with this package."""
    return (importlib.resources.files(__package__) / "ledger.toml").read_text(encoding="utf-8")


@functools.cache
def load() -> Mapping[str, Entry]:
    """The ledger that ships with this package, by id, in the page's order."""
    return parse(source())


def check(path: str | Path, entries: Mapping[str, Entry] | None = None) -> list[str]:
    """How the page at `path` differs from the ledger (by default the shipped one): what is new, changed or gone."""
    recorded: Sequence[Sentence] = list((load() if entries is None else entries).values())
    found = sentences(Path(path).read_text(encoding="utf-8"))
    matcher = difflib.SequenceMatcher(
        None, [(s.place, s.sha256) for s in recorded], [(s.place, s.sha256) for s in found], autojunk=False
    )
    problems: list[str] = []
    for tag, i, i_end, j, j_end in matcher.get_opcodes():
        if tag == "equal":
            continue
        problems += _differences(recorded[i:i_end], found[j:j_end])
    if not problems:
        pairs = zip(recorded, found, strict=True)
        problems = [f"misplaced: {r.id} at {r.locator}, found {f.id} at {f.locator}" for r, f in pairs if _moved(r, f)]
    return problems


def _differences(recorded: Sequence[Sentence], found: Sequence[Sentence]) -> Iterator[str]:
    """How a stretch of the page differs from its stretch of the ledger, by id, in the ledger's order first."""
    ids, found_ids = {sentence.id for sentence in recorded}, {sentence.id for sentence in found}
    for sentence in recorded:
        if sentence.id in found_ids:
            yield f"drifted: {sentence.locator} ({sentence.id}) reads otherwise than recorded"
        else:
            yield f"missing: {sentence.locator} ({sentence.id}) is recorded and not on the page"
    for sentence in found:
        if sentence.id not in ids:
            yield f"added: {sentence.locator} ({sentence.id}) is on the page and not recorded"


def _moved(recorded: Sentence, found: Sentence) -> bool:
    return (recorded.id, recorded.locator) != (found.id, found.locator)


def skeleton(page: str) -> str:
    """Entries for every sentence of the page's text, of a kind that `parse` refuses until a person decides it."""
    return "\n".join(
        f'[[sentence]]\nid = "{s.id}"\nlocator = "{s.locator}"\nsha256 = "{s.sha256}"\nkind = "undecided"\n'
        for s in sentences(page)
    )


def main(arguments: Sequence[str] | None = None) -> int:
    """`python -m dynamic_rnn_spec.ledger PAGE`: 0 if the page and the ledger agree, 1 with the differences if not."""
    parser = argparse.ArgumentParser(prog="python -m dynamic_rnn_spec.ledger", description=main.__doc__)
    parser.add_argument("page", type=Path, help="the page, as text")
    parser.add_argument("--record", action="store_true", help="print the entries of a new ledger, all undecided")
    options = parser.parse_args(arguments)
    if not options.page.is_file():
        parser.error(f"page: expected a file, got {options.page}")
    if options.record:
        sys.stdout.write(skeleton(options.page.read_text(encoding="utf-8")))
        return 0
    problems = check(options.page)
    lines = problems or [f"{len(load())} sentences agree"]
    sys.stdout.write("".join(f"{line}\n" for line in lines))
    return 1 if problems else 0

