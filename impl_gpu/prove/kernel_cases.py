"""Compares every case of every kernel, in each of its variants, with what the host side computed."""

from collections.abc import Iterator

import numpy as np

from .. import kernels
from ..device.shadow_compare import kernel_bounds, numbers
from ..kernels.registry import PIECE_SIZES
from . import case_back, case_gradients, case_others, case_steps
from .carried import Carried
from .case import DTYPES, NARROW, WIDE, Case, run
from .desk import Desk, Numbers
from .findings import Findings

CLOCK_OUTPUTS = slice(8, 16)  # the bytes of struct Clock that hold an address, another one on every machine


def cases(seed: int) -> Iterator[Case]:
    """Every case there is."""
    for dtype in DTYPES:
        for vector in (False, True):
            n = WIDE if vector else NARROW
            for maker in (
                case_steps.basic_rnn,
                case_steps.lstm,
                case_steps.lstm_projected,
                case_steps.projection,
                case_steps.gru_gates,
                case_steps.gru_candidate,
                case_back.basic_rnn,
                case_back.lstm,
                case_back.projection,
                case_back.gru_candidate,
                case_back.gru_gates,
                case_others.elementwise,
                case_gradients.gradients,
            ):
                yield from maker(dtype, n, vector, seed)
    for variant, itemsize in PIECE_SIZES.items():
        yield from case_others.rows(variant, itemsize, seed)
    yield case_others.clock(seed)


def results(desk: Desk, case: Case) -> dict[str, Numbers]:
    """The arrays that a case changes, as they are after it; addresses are taken out."""
    after = desk.after(case.arrays, lambda at: run(case, desk.device, desk.stream, at))
    if "clock" in after:
        after["clock"].view(np.uint8)[CLOCK_OUTPUTS] = 0
    return {name: array for name, array in after.items() if array.tobytes() != case.arrays[name].tobytes()}


def carry(desk: Desk, carried: Carried, seed: int) -> None:
    """Write down what the host side makes of every case."""
    for case in cases(seed):
        for name, array in results(desk, case).items():
            carried.put(f"kernel/{case.name}/{name}", array)


def check(desk: Desk, findings: Findings, seed: int, carried: Carried) -> None:
    """Computed numbers within what rounding explains, all else bit for bit, what is not written untouched."""
    for case in cases(seed):
        with findings.part(case.name):
            found = results(desk, case)
            for name, before in case.arrays.items():
                got = found.get(name, before)
                wanted = carried.get(f"kernel/{case.name}/{name}", before)
                _check_array(findings, case, name, before, got, wanted)
    findings.figures["kernels x variants"] = sum(len(kernels.entries(module)) for module, _ in kernels.modules())


def _check_array(findings: Findings, case: Case, name: str, before: Numbers, got: Numbers, wanted: Numbers) -> None:
    kind, what = case.kinds.get(name), f"{case.name}: {name}"
    if kind is None:
        findings.equal(what, got, wanted)
        return
    bounds = kernel_bounds(kind, numbers(wanted, kind), numbers(before, kind))
    findings.near(what, kind, got, wanted, bounds, f"{case.module} {kind}")
    untouched = wanted == before
    findings.equal(f"{what}, not written", got[untouched], before[untouched])
