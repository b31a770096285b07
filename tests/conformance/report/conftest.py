"""Makes a sample report as a run would leave it: one implementation of our own, a third party, and every verdict."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from conformance.report import Report
from conformance.report.check import case_file
from conformance.report.model import Clause, Counterexample, Implementation, Verdict, summarise
from dynamic_rnn_spec.case import Call, Case, CellRef, CellSpec, Wrong, encode

CLAUSES = [
    ("CELL-2", "cell", "documented", "TypeError for what is no cell", "A cell that is no RNNCell is a TypeError."),
    (
        "CELL-6",
        "cell",
        "observed",
        "exactly T cell calls, in time order",
        "The cell runs exactly T times, on the full batch.",
    ),
    (
        "IN-7",
        "inputs",
        "documented",
        "an empty list is a ValueError",
        "Inputs that are an empty list are a ValueError.",
    ),
    (
        "IN-10",
        "inputs",
        "ours",
        "first two dimensions agree",
        "Members whose first two dimensions differ are a ValueError.",
    ),
    (
        "SEQ-4",
        "sequence_length",
        "documented",
        "state copied through",
        "Past a row's end its state is the one of its last step.",
    ),
    ("SEQ-5", "sequence_length", "documented", "zero outputs past the end", "Past a row's end every output is zero."),
    (
        "SEQ-7",
        "sequence_length",
        "documented",
        "zeros in every leaf",
        "The zeros reach every output leaf, whatever its dtype.",
    ),
    (
        "SEQ-11",
        "sequence_length",
        "documented",
        "lengths beyond 2^31",
        "An int64 length beyond 2^31 counts as it is given.",
    ),
    ("SEQ-13", "sequence_length", "observed", "the zero is +0", "The zero past the end is +0 of the output's dtype."),
    ("SEQ-22", "sequence_length", "observed", "rows are independent", "A row's result depends on its own length only."),
    ("PAR-2", "parallel_iterations", "documented", "never changes a value", "No value depends on parallel_iterations."),
    (
        "PAR-5",
        "parallel_iterations",
        "documented",
        "trades time for space",
        "A larger value takes more memory and less time.",
    ),
    ("SWAP-2", "swap_memory", "documented", "never changes a value", "No value depends on swap_memory."),
    ("TIME-6", "time_major", "ours", "only a bool", "A time_major that is no bool is a TypeError."),
    ("SCOPE-3", "scope", "observed", "a string nests", "A string opens a scope within the scope around it."),
]


def clause(name: str, section: str, level: Any, title: str, text: str) -> Clause:
    seen = name != "PAR-5"
    return {
        "id": name,
        "section": section,
        "level": level,
        "title": title,
        "text": text,
        "page": [f"args.{section}.2"] if level == "documented" else [],
        "observable": ["value"] if seen else [],
        "testable": seen,
        "reason": None if seen else "values cannot show it; memory is measured elsewhere",
        "floor": 5,
    }


def verdict(
    name: str, said: Any, reason: str | None = None, example: Counterexample | None = None, **more: Any
) -> Verdict:
    reached = {"pass": 41, "fail": 7, "known failure": 7, "vacuous": 2}.get(said, 0)
    return {
        "clause": name,
        "verdict": said,
        "reason": reason,
        "examples": 60 if reached else 0,
        "reached": reached,
        "floor": 5,
        "coverage": {"ragged": 40, "zero length": 12} if reached else {},
        "seconds": 0.31,
        "tests": [f"properties/test_{name.split('-')[0].lower()}.py::test_{name.lower().replace('-', '_')}"],
        "counterexample": example,
        **more,  # type: ignore[typeddict-item]
    }


def example(
    implementation: str, name: str, case: Case, expected: Any, got: Any, message: str, where: str | None
) -> Counterexample:
    file = case_file(implementation, name)
    return {
        "file": file,
        "replay": f"conformance replay report/{file} {implementation}",
        "message": message,
        "violation": "assertion",
        "where": where,
        "case": case.to_json(),
        "expected": encode(expected),
        "got": encode(got),
    }


def ragged_case(time_major: bool = False) -> Case:
    inputs = np.arange(1, 13, dtype=np.float32).reshape(3, 4, 1)
    arguments = {
        "cell": CellRef("cell"),
        "inputs": np.swapaxes(inputs, 0, 1) if time_major else inputs,
        "sequence_length": np.array([2, 0, 4], dtype=np.int32),
        "dtype": "float32",
    }
    if time_major:
        arguments["time_major"] = True
    return Case({"cell": CellSpec("probe:Echo", {"size": 1})}, [Call(arguments)])


def ragged_outputs() -> tuple[np.ndarray[Any, Any], np.ndarray[Any, Any]]:
    """Expected and got, [3, 4, 1]: the row of length 2 goes on at step 2, the row of length 0 at step 3."""
    expected = np.arange(1, 13, dtype=np.float32).reshape(3, 4, 1)
    expected[0, 2:] = 0
    expected[1] = 0
    got = expected.copy()
    got[0, 2] = 3.25
    got[1, 3] = 8
    return expected, got


def nested_example(implementation: str) -> Counterexample:
    case = Case(
        {"cell": CellSpec("probe:Tally", {"state_size": 3, "output_size": [2, 3]})},
        [
            Call(
                {
                    "cell": CellRef("cell"),
                    "inputs": (np.ones((4, 3, 2), np.float32), np.full((4, 3), 7, np.int64)),
                    "sequence_length": np.array([3, -1, 9], dtype=np.int64),
                    "dtype": "float32",
                    "time_major": True,
                }
            )
        ]
        * 2,
    ).replace(weights={})
    expected = {
        "outputs": (np.ones((4, 3, 2), np.float32), np.full((4, 3), -0.0, np.float64)),
        "state": {"c": np.arange(6.0).reshape(3, 2)},
    }
    got = {
        "outputs": (np.ones((4, 3, 2), np.float32), np.zeros((4, 3), np.float64)),
        "state": {"c": np.arange(6.0).reshape(3, 2)},
    }
    return example(
        implementation, "SEQ-7", case, expected, got, "outputs[1]: the zero has another sign", "outputs[1][2, 1]"
    )


def own() -> Implementation:
    expected, got = ragged_outputs()
    broken = example(
        "impl_ref",
        "SEQ-5",
        ragged_case(),
        {"outputs": expected},
        {"outputs": got},
        "outputs[0, 2]: expected zero past the end of row 0 (length 2), got 3.25 [SEQ-5]",
        "outputs[0, 2]",
    )
    said = [
        verdict(name, "pass")
        for name, *_ in CLAUSES
        if name not in ("SEQ-5", "SEQ-11", "PAR-5", "TIME-6", "SWAP-2", "SEQ-22")
    ]
    said.append(verdict("SEQ-5", "fail", example=broken))
    said.append(verdict("SEQ-11", "vacuous", "2 examples reached it, 5 are asked for"))
    said.append(verdict("SEQ-22", "could not run", "the worker's pipe broke: BrokenPipeError"))
    said.append(verdict("SWAP-2", "unsupported", "no device to swap with"))
    return implementation("impl_ref", "NumPy reference", True, said)


def third_party() -> Implementation:
    empty = Case({"cell": CellSpec("BasicRNNCell", {"num_units": 2})}, [Call({"cell": CellRef("cell"), "inputs": []})])
    odd = Case({}, [Call({"cell": Wrong("look-alike"), "inputs": np.zeros((2, 0, 3), np.float16)})])
    said = [verdict(name, "pass") for name in ("SEQ-4", "SEQ-5", "PAR-2", "SCOPE-3", "SEQ-13", "CELL-2", "SWAP-2")]
    said += [
        verdict(
            "IN-7",
            "fail",
            example=example(
                "tf-1.4.1",
                "IN-7",
                empty,
                "ValueError",
                "raised TypeError: 'NoneType' object",
                "inputs=[] gave no ValueError",
                None,
            ),
        ),
        verdict(
            "IN-10",
            "fail",
            example=example(
                "tf-1.4.1", "IN-10", odd, "ValueError", "returned", "members of 2 and 3 rows were accepted", None
            ),
        ),
        verdict("SEQ-7", "known failure", "reported upstream, see docs", nested_example("tf-1.4.1")),
        verdict(
            "CELL-6",
            "known failure",
            "graph mode shows no calls",
            example("tf-1.4.1", "CELL-6", odd, 4, 1, "one call seen", None),
        ),
        verdict("SEQ-22", "not run", "left out by --clause"),
        verdict("TIME-6", "unsupported", "the worker cannot pass it"),
    ]
    return implementation("tf-1.4.1", "TensorFlow 1.4.1", False, said)


def implementation(name: str, title: str, is_own: bool, verdicts: list[Verdict]) -> Implementation:
    return {
        "name": name,
        "title": title,
        "own": is_own,
        "versions": {"python": "3.11.7", "numpy": "2.4.6"} if is_own else {"python": "3.6.15", "tensorflow": "1.4.1"},
        "device": "cpu",
        "note": None if is_own else "Runs in a Python 3.6 process of its own.",
        "summary": summarise(verdicts, [clause(*row) for row in CLAUSES]),
        "verdicts": verdicts,
    }


@pytest.fixture
def report() -> Report:
    """Two implementations, every verdict, counterexamples of several kinds."""
    levels = [level for _, _, level, *_ in CLAUSES]
    return {
        "format": "dynamic_rnn.report",
        "version": 1,
        "spec": {
            "page": "tf.nn.dynamic_rnn, TensorFlow r1.4",
            "clauses": len(CLAUSES),
            "documented": levels.count("documented"),
            "observed": levels.count("observed"),
            "ours": levels.count("ours"),
            "registry_sha256": "0123456789abcdef" * 4,
        },
        "run": {
            "started": "2025-01-02T03:04:05+00:00",
            "seconds": 41.25,
            "command": "conformance run impl_ref tf-1.4.1 --seed 0 --jobs 2",
            "profile": "default",
            "seed": 0,
            "jobs": 2,
            "versions": {"python": "3.11.7", "numpy": "2.4.6", "hypothesis": "6.170.15"},
        },
        "clauses": [clause(*row) for row in CLAUSES],
        "implementations": [own(), third_party()],
        "complete": True,
    }


HOSTILE = (
    "</script></style></title>]]>--><img src=x onerror=alert(1)> & \"' `code` |a| [x](http://evil) @all "
    "\x07\x1b[2J\ud800\u202e\ufffe{{7*7}}"
)
"""What an implementation may call itself: markup of every kind, signs illegal in XML, a lone surrogate, a reversal."""


@pytest.fixture
def hostile(report: Report) -> Report:
    """The sample with hostile text wherever an implementation has a say."""
    whole: Any = report
    for implementation in whole["implementations"]:
        implementation.update(title=HOSTILE, device=HOSTILE, note=HOSTILE, versions={HOSTILE: HOSTILE})
        implementation["name"] += HOSTILE
        for found in implementation["verdicts"]:
            found.update(tests=[HOSTILE], coverage={HOSTILE: 1} if found["coverage"] else {})
            if found["verdict"] != "pass":
                found["reason"] = HOSTILE
            if found["counterexample"] is not None:
                found["counterexample"].update(
                    message=HOSTILE, where=HOSTILE, replay=HOSTILE, expected=HOSTILE, got=HOSTILE
                )
                arguments = found["counterexample"]["case"]["calls"][0]["arguments"]
                arguments["scope"] = {"dict": [[HOSTILE, {"list": [HOSTILE]}]]}
                found["counterexample"]["case"]["cells"] = {
                    HOSTILE: {"kind": HOSTILE, "options": {HOSTILE: HOSTILE}, "children": []}
                }
    return report
