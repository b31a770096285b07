"""Tries by hand whether cited lines keep their clauses: changes the line under each, and runs that clause's laws.

    python -m tests.sample_citations --seed 0
    python -m tests.sample_citations --seed 0 --of impl_gpu --count 12

A random sample of clauses, one citation of each; the line is changed by the operators of ``line_edits.py``, in a copy
of the package, until a law of the clause fails by its own assertion. A change that only makes Python stumble (a
NameError, say) proves little: where no other is caught, it is counted apart. "Not caught" asks for a look: either the
id stands beside the wrong line, or no operator made a change that tells and one by hand does: those are in BY_HAND, and
counted apart too.

Only lines of Python are changed, so a clause that impl_gpu cites in its kernels alone is not sampled. Many laws run a
probe cell, which is never fused: a line of a fused path that none of them reaches is tried by a comparison with
impl_ref, and counted as caught by that alone. It takes minutes and is no part of the tests; from the root of the tree.
"""

import argparse
import ast
import contextlib
import os
import random
import re
import sys
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path

from conformance.law.engine import Settings
from conformance.mutants import DEFAULT_PACKAGE, Mutant, trial
from conformance.mutants.trial import Finding, Trial
from conformance.report.text import clip
from conformance.subject.worker_client import WorkerStartError

from .citations import Citation, of_package, promises, that_count
from .line_edits import Edit, edits

ROOT = Path(__file__).parents[1]
SPEC = ROOT / "spec" / "dynamic_rnn_spec"
VOCABULARY = "dynamic_rnn_spec/vocabulary/"
TRIES = 18
STUMBLED = re.compile(r"it raised (?!dynamic_rnn_spec\.errors)")
ZEROS = "_zero_outputs(given, [o.dtype for o in output])"
BY_HAND = {
    "SIG-1": [("initial_state: Any", "*, initial_state: Any")],
    "SIG-2": [("inputs: Any,", "inputs: Any, /,")],
    "SEQ-5": [("rows=counts", "rows=...")],
    "SEQ-7": [("rows=counts", "rows=...")],
    "SEQ-13": [(ZEROS, f"[-whole for whole in {ZEROS}]")],
    "SEQ-22": [("= new[counts]", "= new[counts][::-1]")],
    "DTYPE-2": [("o.dtype for o", "'int64' for o")],
    "DTYPE-6": [("return None", 'raise ArgumentValueError("dtype", "a dtype", "None", "DTYPE-3")')],
    "SWAP-1": [("False", "None")],
    "SCOPE-1": [("return DEFAULT_SCOPE", 'return "other"')],
    "SCOPE-14": [("tuple(cells)", 'tuple(__import__("copy").copy(cell) for cell in cells)')],
    "EQ-12": [("self._cell(inputs,", "self._cell(0 * inputs,")],
    "EQ-13": [("self._activation", "np.tanh")],
    "VAR-6": [("old, scope)", 'old, "own")'), ("state, scope)", 'state, "own")')],
    "VAR-9": [("n])", "n], initializer=Zeros())")],
    "VAR-10": [("n])", "n], initializer=Zeros())")],
    "VAR-11": [("self._initializer", "None")],
    "VAR-13": [("= self.dtype if dtype is None else dtype", '= np.float32 if name == "bias" else self.dtype')],
    "SCOPE-11": [
        (
            "self.built",
            "self.built and self._scope.name.startswith(get_variable_scope().name) or self._unbuild()",
        )
    ],
}
"""By clause, one-line changes that no operator makes: a text that stands once in the cited lines, and another."""


CELLS = "impl_gpu/cells/"
STRATA = {"impl_gpu/fused/": "differential::LSTMCell float32", "impl_gpu/training/": "gradients::LSTMCell float32"}
"""By folder: the comparison with impl_ref that reaches lines which the cells of many laws don't."""

CAUGHT, BY_HAND_ONLY, COMPARED = "caught", "caught by hand", "caught by comparison with impl_ref alone"
STUMBLES, NOT_CAUGHT = "only stumbles", "NOT CAUGHT"
RESULTS = (CAUGHT, BY_HAND_ONLY, COMPARED, STUMBLES, NOT_CAUGHT)


@dataclass(frozen=True)
class Row:
    """The result for one citation: the change that a law caught, or every change that was tried."""

    citation: Citation
    said: str
    """CAUGHT, by a law of the clause; BY_HAND_ONLY, so was a change of BY_HAND; COMPARED, by a stratum of STRATA and by
    no law of the clause; STUMBLES, only because Python stumbled over it; or NOT_CAUGHT."""
    caught: Edit | None
    law: str
    tried: list[tuple[Edit, str]]

    def __str__(self) -> str:
        place = f"{self.citation.clause:8} {self.citation.file}:{self.citation.line} ({self.citation.kind})"
        if self.caught is not None:
            number = 1 + [edit for edit, _ in self.tried].index(self.caught)
            return f"{place}\n    {_shown(self.caught)}\n    {self.said}: change {number}, {self.law}"
        tried = "".join(f"\n        {_shown(edit)}: {said}" for edit, said in self.tried)
        return f"{place}\n    {self.said}: {self.law}{tried}"


def sample(seed: int, count: int, package: str = DEFAULT_PACKAGE) -> list[Citation]:
    """One citation each of so many clauses, in lines of Python; with impl_ref the vocabulary's too, of the clauses that
    impl_ref itself does not cite."""
    by_clause: dict[str, list[Citation]] = {}
    promised = promises()
    for one in that_count(of_package(ROOT / package), promised):
        if one.file.endswith(".py"):
            by_clause.setdefault(one.clause, []).append(one)
    own = set(by_clause)
    for one in that_count(of_package(SPEC), promised) if package == DEFAULT_PACKAGE else ():
        if one.file.startswith(VOCABULARY) and one.clause not in own:
            by_clause.setdefault(one.clause, []).append(one)
    testable = [id for id, one in promised.items() if one.testable and id in by_clause]
    chance = random.Random(seed)
    chosen = chance.sample(testable, min(count, len(testable)))
    return [chance.choice(by_clause[id]) for id in sorted(chosen, key=testable.index)]


def lines_under(citation: Citation, source: str) -> tuple[int, int]:
    """The first and last line of the code that a citation stands beside.

    A comment's is its own line or, if that has no code, the next that has, and of a function all of its head; a
    summary's is the body of the function, which is short; a string's the statement that it is in.
    """
    tree = ast.parse(source)
    lines = source.splitlines()
    if citation.kind == "comment":
        line = citation.line
        while not lines[line - 1].partition("#")[0].strip():
            line += 1
        heads = [node for node in ast.walk(tree) if isinstance(node, ast.FunctionDef) and node.lineno == line]
        return line, heads[0].body[0].lineno - 1 if heads else line
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef if citation.kind == "summary" else ast.stmt)
        and node.lineno <= citation.line <= (node.end_lineno or 0)
    ]
    inner = max(around, key=lambda node: node.lineno)
    return inner.lineno, inner.end_lineno or inner.lineno


def changes(citation: Citation, source: str) -> Iterator[Edit]:
    """The change by hand where there is one, and what the operators make."""
    first, last = lines_under(citation, source)
    lines = source.splitlines(keepends=True)
    under = "".join(lines[first - 1 : last])
    for before, after in BY_HAND.get(citation.clause, []):
        if under.count(before) == 1:
            text = "".join([*lines[: first - 1], under.replace(before, after), *lines[last:]])
            yield Edit(before, after, text)
    yield from edits(source, first, last, citation.clause)[:TRIES]


def judged(citation: Citation, settings: Settings, package: str = DEFAULT_PACKAGE) -> Row:
    """What the laws of its clause say of the changes of one citation; where they catch none, a stratum, if one is meant
    for the file."""
    with _path(citation.file):
        clean = trial.run(Trial(citation.clause, None, settings, package=package))
        if clean.said != "holds":
            return Row(citation, NOT_CAUGHT, None, f"the laws don't hold on the code as it is: {clean.message}", [])
        row = _tried(citation, Trial(citation.clause, None, settings, package=package))
        if row.said in (STUMBLES, NOT_CAUGHT):
            for folder, stratum in STRATA.items():
                if citation.file.startswith(folder):
                    compared = _tried(
                        citation, Trial(citation.clause, None, settings, package=package, stratum=stratum)
                    )
                    row = replace(compared, said=COMPARED) if compared.said in (CAUGHT, BY_HAND_ONLY) else row
        return row


def _tried(citation: Citation, like: Trial) -> Row:
    source = (ROOT / ("spec" if citation.file.startswith(VOCABULARY) else "") / citation.file).read_text("utf-8")
    tried: list[tuple[Edit, str]] = []
    stumbled: Row | None = None
    for edit in changes(citation, source):
        mutant = Mutant("sampled", citation.clause, "a change of one line", citation.file, source, edit.text)
        found = _found(replace(like, mutant=mutant))
        tried.append((edit, found.said))
        if found.said == "caught":
            law = f"{(found.test or '').rpartition('.')[2]}: {clip(found.message, 140)}"
            if STUMBLED.search(found.message):
                stumbled = stumbled or Row(citation, STUMBLES, edit, law, list(tried))
                continue
            by_hand = (edit.before, edit.after) in BY_HAND.get(citation.clause, [])
            return Row(citation, BY_HAND_ONLY if by_hand else CAUGHT, edit, law, tried)
    return stumbled or Row(citation, NOT_CAUGHT, None, f"{len(tried)} changes", tried)


@contextlib.contextmanager
def _path(file: str) -> Iterator[None]:
    """The path of any cell, where a call would else be fused and not run the file's lines."""
    before = os.environ.get("IMPL_GPU_PATH")
    if file.startswith(CELLS):
        os.environ["IMPL_GPU_PATH"] = "cell"
    try:
        yield
    finally:
        os.environ.pop("IMPL_GPU_PATH", None)
        if before is not None:
            os.environ["IMPL_GPU_PATH"] = before


def counts(rows: list[Row]) -> str:
    """How many citations have each result."""
    found = Counter(row.said for row in rows)
    return f"of {len(rows)} citations " + ", ".join(f"{found[said]} {said}" for said in RESULTS)


def _found(one: Trial) -> Finding:
    try:
        return trial.run(one)
    except WorkerStartError as error:
        return Finding("could not run", None, str(error))


def _shown(edit: Edit) -> str:
    return " -> ".join(" ".join(text.split()) for text in (edit.before, edit.after))


def main() -> int:
    """Prints a row for each citation as it is done, then the counts; 1 if any was not caught or only stumbles."""
    options = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    options.add_argument("--of", default=DEFAULT_PACKAGE, help="impl_ref or impl_gpu (impl_ref)")
    options.add_argument("--seed", type=int, default=0, help="of the sample (0)")
    options.add_argument("--count", type=int, default=40, help="how many clauses (40)")
    options.add_argument("--clause", action="append", default=[], help="of the sample, only this; more than once")
    options.add_argument("--minutes", type=float, default=60.0, help="after which no further citation is begun (60)")
    options.add_argument("--profile", default="smoke", help="how many examples: smoke, default or thorough (smoke)")
    given = options.parse_args()
    settings = Settings(given.profile, 0, shrink=False)
    started, rows = time.monotonic(), list[Row]()
    chosen = sample(given.seed, given.count, given.of)
    for citation in [one for one in chosen if not given.clause or one.clause in given.clause]:
        if time.monotonic() - started > 60 * given.minutes:
            sys.stdout.write(f"not begun within {given.minutes:g} minutes: {citation.clause}\n")
            continue
        rows.append(judged(citation, settings, given.of))
        sys.stdout.write(f"{rows[-1]}\n")
        sys.stdout.flush()
    sys.stdout.write(f"{given.of}, seed {given.seed}, {time.monotonic() - started:.0f} s: {counts(rows)}\n")
    return 1 if any(row.said in (STUMBLES, NOT_CAUGHT) for row in rows) else 0


if __name__ == "__main__":
    sys.exit(main())
