"""Checks gradients of whole calls: fused beside step by step, and swapped beside kept.

The fused backward pass and the pulls of the cells themselves are written apart, so the two hold each other. A gradient
may be off by ULPS units in the last place of the largest number in its array; what was moved to the host and back
changes no bit, and the padding is zero bit for bit.
"""

from typing import Any

import numpy as np

from ..device.shadow_compare import UNITS, numbers
from . import networks
from .carried import Carried
from .desk import Desk, Numbers
from .findings import Findings
from .networks import Network

ULPS = 512.0
"""Sums over rows and steps of products that themselves carry the roundings of all steps behind them."""


def check(desk: Desk, findings: Findings, seed: int, carried: Carried) -> None:
    """Check every network that can be trained, in float32, and report what memory one of them takes."""
    for network in networks.fixed():
        if network.dtype not in UNITS or "user's" in network.name:
            continue
        with findings.part(network.name):
            fused, report = networks.train(network, desk.device)
            by_steps, _ = networks.train(network, desk.device, path="cell")
            for name, wanted in by_steps.items():
                _near(findings, f"{network.name}: {name}, fused", network, fused[name], wanted)
            _padding_is_zero(findings, network, fused["d_inputs"])
            if report.path != "fused":
                continue
            moved, _ = networks.train(network, desk.device, swap_memory=True, swap="move")
            again, _ = networks.train(network, desk.device, swap_memory=True, swap="recompute")
            for name, wanted in fused.items():
                findings.equal(f"{network.name}: {name}, moved to the host and back", moved[name], wanted)
                _near(findings, f"{network.name}: {name}, recomputed", network, again[name], wanted)
            findings.figures[network.name] = report._asdict()


def _near(findings: Findings, what: str, network: Network, got: Numbers, wanted: Numbers) -> None:
    known = np.abs(numbers(wanted, network.dtype).astype(np.float64))
    largest = float(known.max()) if known.size else 0.0
    allowed = ULPS * UNITS[network.dtype] * max(1.0, largest)
    findings.near(what, network.dtype, got, wanted, np.full(wanted.shape, allowed), network.dtype)


def _padding_is_zero(findings: Findings, network: Network, d_inputs: Any) -> None:
    if network.lengths is None:
        return
    by_row = d_inputs.swapaxes(0, 1) if network.time_major else d_inputs
    padding = by_row[np.arange(network.T) >= np.asarray(network.lengths, np.int64)[:, None]]
    findings.equal(f"{network.name}: d_inputs, past the end of a row", padding, np.zeros_like(padding))
