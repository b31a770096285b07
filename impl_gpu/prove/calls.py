"""Compares whole calls with what the host side computed: eager, waiting after each device call, in graphs, at random.

A number may be off by ULPS units in the last place of the largest of 1 and itself; what pads a
finished row is zero bit for bit; a graph gives what its eager call gives, bit for bit.
"""

import importlib.util
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import impl_gpu

from ..device import use_device
from ..device.shadow_compare import UNITS, numbers
from . import networks
from .carried import Carried
from .desk import Desk, Numbers
from .findings import Findings
from .networks import Network

ULPS = {"float16": 16.0, "bfloat16": 16.0, "float32": 64.0, "float64": 64.0}
"""The steps add up what is off; a half is rounded in every step anyway."""
DRAWN = 144
REPLAYS = 4  # the second equal call captures, the later ones replay


def known(every: Iterator[Network]) -> Iterator[Network]:
    """The networks whose dtype NumPy has here: bfloat16 takes ml_dtypes."""
    there = importlib.util.find_spec("ml_dtypes") is not None
    return (network for network in every if there or network.dtype != "bfloat16")


def carry(desk: Desk, carried: Carried, seed: int) -> None:
    """Write down what the host side makes of every network."""
    for every in (networks.fixed(), networks.drawn(seed, DRAWN)):
        for network in every:
            for name, array in networks.run(network, desk.device).items():
                carried.put(f"network/{network.name}/{name}", array)


def check_waiting(desk: Desk, findings: Findings, seed: int, carried: Carried) -> None:
    """The host waits after each device call."""
    _check(desk, findings, carried, known(networks.fixed()), sync=True)


def check_eager(desk: Desk, findings: Findings, seed: int, carried: Carried) -> None:
    """Calls as a user makes them, and the same ones step by step, on the path of any cell."""
    _check(desk, findings, carried, known(networks.fixed()))
    _check(desk, findings, carried, known(networks.fixed()), path="cell")
    _measure(desk, findings)


def check_drawn(desk: Desk, findings: Findings, seed: int, carried: Carried) -> None:
    """Networks at random."""
    found = list(known(networks.drawn(seed, DRAWN)))
    _check(desk, findings, carried, iter(found))
    findings.figures["networks"] = len(found)
    findings.figures["left out, for there is no ml_dtypes"] = DRAWN - len(found)


def check_graph(desk: Desk, findings: Findings, seed: int, carried: Carried) -> None:
    """Graphs, and input products that do not run ahead, beside the eager call that the stage before has proven."""
    replays = 0
    for network in known(networks.fixed()):
        with findings.part(network.name):
            eager = networks.run(network, desk.device, REPLAYS)
            with impl_gpu.launch_log() as log:
                graph = networks.run(network, desk.device, REPLAYS, graph=True)
            replays += log.count("replay")
            for name, wanted in eager.items():
                findings.equal(f"{network.name}: {name}, in a graph", graph[name], wanted)
            for name, wanted in networks.run(network, desk.device, REPLAYS, overlap=False).items():
                findings.equal(f"{network.name}: {name}, without overlap", eager[name], wanted)
    findings.figures["replays"] = replays
    findings.that("graphs were replayed", replays > 100, f"{replays} times only")


def _check(desk: Desk, findings: Findings, carried: Carried, every: Iterator[Network], **options: Any) -> None:
    said = "".join(f", {name}={value}" for name, value in options.items())
    for network in every:
        with findings.part(network.name + said):
            for name, array in networks.run(network, desk.device, **options).items():
                _check_array(findings, carried, network, name, array, said)


def _check_array(findings: Findings, carried: Carried, network: Network, name: str, array: Numbers, said: str) -> None:
    what = f"{network.name}: {name}{said}"
    wanted = carried.get(f"network/{network.name}/{name}")
    if network.dtype not in UNITS:
        findings.equal(what, array, wanted)
        return
    with np.errstate(all="ignore"):
        sizes = np.fmax(1.0, np.abs(numbers(wanted, network.dtype).astype(np.float64)))
    bounds = ULPS[network.dtype] * UNITS[network.dtype] * sizes
    findings.near(what, network.dtype, array, wanted, bounds.reshape(wanted.shape), network.dtype)
    if name == "outputs" and network.lengths is not None:
        by_row = array.swapaxes(0, 1) if network.time_major else array
        finished = np.arange(network.T) >= np.asarray(network.lengths, np.int64)[:, None]
        padding = by_row[finished]
        findings.equal(f"{what}, past the end of a row", padding, np.zeros_like(padding))


def _measure(desk: Desk, findings: Findings) -> None:
    """How long a call takes: no proof, and no bench either, but a first idea."""
    B, T, n = (64, 256, 512) if desk.on_gpu else (2, 8, 8)
    x = desk.device.enter(np.random.RandomState(0).standard_normal((T, B, n)).astype(np.float32))
    for graph in (False, True):
        cell, times = impl_gpu.LSTMCell(n), []
        with use_device(desk.device), impl_gpu.use_store(impl_gpu.VariableStore()), impl_gpu.options(graph=graph):
            for _ in range(8):
                desk.device.synchronize(desk.stream, "prove")
                started = time.perf_counter()
                impl_gpu.dynamic_rnn(cell, x, dtype="float32", time_major=True)
                enqueued = time.perf_counter()
                desk.device.synchronize(desk.stream, "prove")
                times.append((time.perf_counter() - started, enqueued - started))
        whole, host = (float(np.median([one[index] for one in times[3:]])) for index in (0, 1))
        findings.figures[f"LSTM T={T} B={B} n={n} float32, {'graph' if graph else 'eager'}"] = {
            "milliseconds": round(1e3 * whole, 3),
            "microseconds_a_step": round(1e6 * whole / T, 2),
            "of_the_host_microseconds_a_step": round(1e6 * host / T, 2),
        }
