"""Proves impl_gpu on the device at hand, or computes the results that are carried to it: the command line.

    python -m impl_gpu.prove --out docs/evidence/prove-NAME.json        # on a GPU
    IMPL_GPU_DEVICE=host python -m impl_gpu.prove --out rehearsal.json  # the same, host-executed
    IMPL_GPU_DEVICE=host python -m impl_gpu.prove --carry impl_gpu/prove/carried.npz

It exits with 0 where every stage has passed. A stage alone, with what it says on standard output: --stage NAME.
"""

import argparse
import sys
from collections.abc import Sequence
from pathlib import Path

from tancarflow_evidence.evidence import PASSED

from .carried import FILE
from .stages import FIRST, STAGES, carry, prove, run_stage


def main(arguments: Sequence[str] | None = None) -> int:
    """Do what is asked; the exit status."""
    parser = argparse.ArgumentParser("python -m impl_gpu.prove", description=__doc__.partition("\n")[0])
    asked = parser.add_mutually_exclusive_group(required=True)
    asked.add_argument("--out", type=Path, help="the evidence, JSON; written after each stage")
    asked.add_argument("--carry", type=Path, metavar="FILE", help="compute what is carried, on the host side")
    asked.add_argument("--stage", choices=(FIRST, *STAGES), help="run one stage in this process")
    parser.add_argument("--carried", type=Path, default=FILE, metavar="FILE", help="what a run is compared with")
    parser.add_argument("--seed", type=int, default=0, help="of what is drawn; the carried results have one too")
    given = parser.parse_args(arguments)
    if given.carry:
        carry(given.carry, given.seed)
        return 0
    if given.stage:
        run_stage(given.stage, given.carried, given.seed)
        return 0
    verdict, execution = prove(given.out, given.carried, given.seed, lambda line: print(line, flush=True))
    print(f"{verdict} ({execution}): {given.out}")
    return 0 if verdict == PASSED else 1


if __name__ == "__main__":
    sys.exit(main())
