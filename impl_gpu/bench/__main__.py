"""The command line of the bench; it measures nothing itself.

Exit status: 0 if every point was correct, 1 if some were refused, 2 if there is no device to run on.
"""

import argparse
import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import impl_gpu.settings
from impl_gpu.device import current_device

from .measure import Bench, report
from .points import SHAPES, SMALL
from .table import HOST_EXECUTED, show

OK, REFUSED, NO_DEVICE = 0, 1, 2


def rival_for(device: Any) -> Any:
    """The module ``rival``, or why nothing is measured beside impl_gpu."""
    if device.kind != "cuda":
        return "host-executed"
    try:
        from . import rival
    except ImportError as error:
        return str(error)
    return rival.available() or rival


def parser() -> argparse.ArgumentParser:
    """The options."""
    made = argparse.ArgumentParser(
        prog="python -m impl_gpu.bench", description="Time impl_gpu, beside PyTorch where it is installed."
    )
    made.add_argument("--shapes", default="ABCD", metavar="LETTERS", help="which of the four shapes (ABCD)")
    made.add_argument("--small", action="store_true", help="tiny shapes; implied where kernels are host-executed")
    made.add_argument("--seconds", type=float, default=420, help="the budget; repeats go first, then shapes (420)")
    made.add_argument("--repeats", type=int, default=15, help="the most repeats of a point (15)")
    made.add_argument("--parallel-iterations", type=int, default=32, metavar="N", help="as in dynamic_rnn (32)")
    made.add_argument("--out", type=Path, metavar="FILE", help="write all times as JSON")
    return made


def main(arguments: Sequence[str] | None = None) -> int:
    """Run it; the exit status."""
    options = parser().parse_args(arguments)
    try:
        device = current_device()
    except RuntimeError as error:
        print(error, file=sys.stderr)
        return NO_DEVICE
    small = options.small or device.kind != "cuda"
    if device.kind != "cuda":
        print(HOST_EXECUTED, file=sys.stderr)
    shapes = SMALL if small else tuple(shape for shape in SHAPES if shape.name in options.shapes)
    settings = {
        "small": small,
        "seconds": options.seconds,
        "repeats": 1 if device.kind != "cuda" else options.repeats,
        "parallel_iterations": 4 if small else options.parallel_iterations,
        "switches": impl_gpu.settings.current()._asdict(),
    }
    rival = rival_for(device)
    bench = Bench(device, shapes, settings["seconds"], settings["repeats"], settings["parallel_iterations"], rival)

    def save(result: dict[str, Any]) -> None:
        if options.out is not None:
            options.out.write_text(json.dumps(result, indent=1) + "\n", encoding="utf-8")

    def tell(line: str, so_far: dict[str, Any]) -> None:
        # An error of the device ends the process: what was measured until then is kept.
        print(line, file=sys.stderr, flush=True)
        save(so_far)

    result = report(bench, device, settings, rival, tell)
    save(result)
    print(show(result))
    return REFUSED if any("refused" in entry for entry in result["points"]) else OK


if __name__ == "__main__":
    sys.exit(main())
