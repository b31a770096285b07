"""Runs one stage of the bench of training: one shape in one process, as ``bench/stage.py`` does."""

import time
from typing import Any

from impl_gpu.device import current_device
from tancarflow_evidence.evidence import NOT_RUN, write_progress, write_result

from ..points import SMALL, Shape
from ..stage import finished, rival_for, started
from .longest import Longest
from .measure import TrainingBench
from .points import LIMIT, SMALL_LIMIT


def run(shape: Shape, seconds: float, repeats: int, parallel_iterations: int) -> str:
    """Measure one shape; the verdict: "failed" where results were wrong, "not run" without a device."""
    try:
        device: Any = current_device()
    except RuntimeError as error:
        write_result(NOT_RUN, why=str(error), go_on=False)
        return NOT_RUN
    begun = time.monotonic()
    small = shape in SMALL
    limit = SMALL_LIMIT if small else LIMIT._replace(parallel_iterations=parallel_iterations)
    rival = rival_for(device)
    result = started(device, rival, limit.parallel_iterations)
    write_progress("the longest sequence", **result)
    result["longest"] = Longest(device, shape, limit).run()
    write_progress("the first point", **result)
    left = seconds - (time.monotonic() - begun)
    repeats = repeats if device.kind == "cuda" else 1
    bench = TrainingBench(device, (shape,), left, repeats, limit.parallel_iterations, rival)
    return finished(device, bench.run(), result)
