"""Runs the bench from the command line: a stage for each shape, each in a process of its own, then the table.

``--training`` is another bench of the same form: a forward and a backward pass, with and without swapping.

Exit status: 0 if every result was correct, 1 if some were not or a stage failed, 2 if there is no device to run on.
"""

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path

from tancarflow_evidence.evidence import FAILED, NOT_RUN, PASSED, Evidence, Stage

from . import stage, table
from .points import SHAPES, SMALL, Shape
from .training import stage as training_stage
from .training import table as training_table

STATUS = {PASSED: 0, FAILED: 1, NOT_RUN: 2}
ROOT = Path(__file__).parents[2]
SOURCES = ("impl_gpu", "dynamic_rnn_spec")
PARTS = {"A": 0.25, "B": 0.2, "C": 0.25, "D": 0.3}
"""The share of the budget, by shape; a small shape has what it needs."""
TO_SPARE = 30.0  # seconds that a stage may go on after its part: to start, to warm up, to end the last point


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(
        prog="python -m impl_gpu.bench", description="Time impl_gpu, beside PyTorch where it is installed."
    )
    made.add_argument("--shapes", default="ABCD", metavar="LETTERS", help="which of the four shapes (ABCD)")
    made.add_argument("--training", action="store_true", help="forward and backward passes, and how long fits in 2 GiB")
    made.add_argument("--small", action="store_true", help="two tiny shapes; implied where kernels are host-executed")
    made.add_argument("--seconds", type=float, default=340, help="the budget; repeats go first, then points (340)")
    made.add_argument("--repeats", type=int, default=15, help="the most repeats of a point (15)")
    made.add_argument("--parallel-iterations", type=int, default=32, metavar="N", help="as in dynamic_rnn (32)")
    made.add_argument("--out", type=Path, metavar="FILE", help="where the JSON goes (in report/)")
    made.add_argument("--stage", help=argparse.SUPPRESS)
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit status."""
    options = parser().parse_args(arguments)
    small = options.small or os.environ.get("IMPL_GPU_DEVICE") == "host"
    shapes = SMALL if small else tuple(shape for shape in SHAPES if shape.name in options.shapes)
    if options.stage is not None:
        [shape] = (shape for shape in (*SHAPES, *SMALL) if shape.name == options.stage)
        run = training_stage.run if options.training else stage.run
        return STATUS[run(shape, options.seconds, options.repeats, options.parallel_iterations)]
    kind, show = ("training", training_table.show) if options.training else ("bench", table.show)
    out = options.out or Path(f"report/impl_gpu-{kind}.json")
    evidence = Evidence(out, f"impl_gpu {kind}", ROOT, sources=SOURCES)
    stages = [Stage(shape.name, _command(shape, options), _part(shape, options) + TO_SPARE) for shape in shapes]
    verdict = evidence.run(
        stages, options.seconds + TO_SPARE * len(stages), lambda text: print(text, file=sys.stderr, flush=True)
    )
    print(show(evidence.content))
    return STATUS[verdict]


def _part(shape: Shape, options: argparse.Namespace) -> float:
    return float(options.seconds * PARTS.get(shape.name, 0.5))


def _command(shape: Shape, options: argparse.Namespace) -> list[str]:
    given = {
        "stage": shape.name,
        "seconds": _part(shape, options),
        "repeats": options.repeats,
        "parallel-iterations": options.parallel_iterations,
    }
    options_of_stage = [f"--{name}={value}" for name, value in given.items()]
    return [sys.executable, "-m", "impl_gpu.bench", *options_of_stage, *(["--training"] if options.training else [])]


if __name__ == "__main__":
    sys.exit(main())
