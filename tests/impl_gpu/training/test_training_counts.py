"""Counts in the launch log what a training call asks of the device, in its forward pass and in a pull."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import impl_gpu
from dynamic_rnn_spec import VariableStore, use_store
from impl_gpu.device.log import LaunchLog

B, D = 19, 3
WORK = ("zero", "put", "get", "copy", "gemm", "kernel")

STEPS: dict[str, tuple[Callable[[Any], Any], dict[str, int], dict[str, int]]] = {
    "basic rnn": (
        lambda m: m.BasicRNNCell(4),
        {"recurrent product": 1, "basic rnn step": 1},
        {"recurrent gradient": 1, "basic rnn step back": 1},
    ),
    "lstm": (
        lambda m: m.LSTMCell(4, use_peepholes=True, cell_clip=1),
        {"recurrent product": 1, "lstm step": 1},
        {"recurrent gradient": 1, "lstm step back": 1},
    ),
    "gru": (
        lambda m: m.GRUCell(4),
        {"recurrent product": 1, "candidate product": 1, "gru gates": 1, "gru candidate": 1},
        {"candidate gradient": 1, "recurrent gradient": 1, "gru candidate back": 1, "gru gates back": 1},
    ),
    "projected lstm": (
        lambda m: m.LSTMCell(4, num_proj=2, proj_clip=1),
        {"recurrent product": 1, "projection product": 1, "lstm step": 1, "lstm projection": 1},
        {"projection gradient": 1, "recurrent gradient": 1, "lstm projection back": 1, "lstm step back": 1},
    ),
    "two layers": (
        lambda m: m.MultiRNNCell([m.LSTMCell(4), m.ResidualWrapper(m.GRUCell(4))]),
        {"recurrent product": 2, "candidate product": 1, "lstm step": 1, "gru gates": 1, "gru candidate": 1},
        {
            "recurrent gradient": 2,
            "candidate gradient": 1,
            "lstm step back": 1,
            "gru candidate back": 1,
            "gru gates back": 1,
        },
    ),
}
"""Each cell, and what one step asks for in the forward pass and in the backward one."""

CHUNKS = {
    "basic rnn": {"input weight gradient": 1, "recurrent weight gradient": 1, "input gradient": 1},
    "lstm": {"input weight gradient": 1, "recurrent weight gradient": 1, "input gradient": 1},
    "gru": {
        "input weight gradient": 2,
        "recurrent weight gradient": 1,
        "candidate weight gradient": 1,
        "input gradient": 1,
    },
    "projected lstm": {
        "input weight gradient": 1,
        "recurrent weight gradient": 1,
        "projection weight gradient": 1,
        "input gradient": 1,
    },
    "two layers": {
        "input weight gradient": 3,
        "recurrent weight gradient": 2,
        "candidate weight gradient": 1,
        "input gradient": 2,
    },
}
"""The products that one chunk of the backward pass asks for, however long it is."""


def inputs(steps: int) -> Any:
    return np.random.default_rng(steps).normal(size=(B, steps, D)).astype("float32")


def logs(trainer: Any, make: Callable[[Any], Any], steps: int, lengths: Any = None) -> tuple[LaunchLog, LaunchLog]:
    """Those of the forward pass and of a pull, in chunks of four steps."""
    with use_store(VariableStore()):
        cell, x = trainer.built(make, D, "float32"), inputs(steps)
        with impl_gpu.launch_log() as forward:
            pulled = trainer.forward(cell, x, lengths, parallel_iterations=4)[2]
        cotangents = trainer.cotangents(cell, x)
        with impl_gpu.launch_log() as backward:
            trainer.pull(pulled, *cotangents)
    del pulled
    trainer.clear()
    return forward, backward


def count(log: LaunchLog, purpose: str) -> int:
    return log.count("gemm", purpose) + log.count("kernel", purpose)


@pytest.mark.parametrize("ragged", [False, True])
@pytest.mark.parametrize("name", STEPS)
def test_a_step_is_so_many_products_and_kernels_each_way(trainer: Any, name: str, ragged: bool) -> None:
    """And a chunk a number that does not depend on its steps; per step nothing else at all."""
    make, forward, backward = STEPS[name]
    chunk = CHUNKS[name]
    layers = 2 if name == "two layers" else 1
    others: dict[int, tuple[int, int]] = {}
    for steps in (4, 8, 9, 11, 12):
        lengths = [steps, *np.random.default_rng(steps).integers(0, steps, B - 1)] if ragged else None
        there, back = logs(trainer, make, steps, lengths)
        chunks = -(-steps // 4)
        for purpose, each in forward.items():
            assert count(there, purpose) == each * steps, purpose
        for purpose, each in backward.items():
            assert count(back, purpose) == each * steps, purpose
        for purpose, each in chunk.items():
            assert count(back, purpose) == each * chunks, purpose
        assert count(there, "input product") == layers * chunks
        expected = sum(each * steps for purpose, each in backward.items() if "gradient" in purpose)
        assert back.count("gemm") == expected + sum(chunk.values()) * chunks
        zeroed = there.count("zero", "finished rows")
        mine = sum(there.count(kind) for kind in WORK) - sum(forward.values()) * steps - zeroed
        others[steps] = (mine, sum(back.count(kind) for kind in WORK) - sum(backward.values()) * steps)
    for way in (0, 1):
        assert others[9][way] == others[11][way] == others[12][way]
        assert others[12][way] - others[8][way] == others[8][way] - others[4][way] > 0


def test_the_host_waits_for_nothing(trainer: Any) -> None:
    """Several calls and pulls that nobody has read back, with new lengths and weights in each."""
    make = STEPS["two layers"][0]
    with use_store(VariableStore()), impl_gpu.launch_log() as log:
        cell = trainer.built(make, D, "float32")
        kept = []
        for seed in range(5):
            trainer.reassign(cell, seed)
            lengths = np.random.default_rng(seed).integers(0, 8, B)
            _, _, pulled = trainer.forward(cell, inputs(7), lengths)
            kept.append(trainer.pull(pulled, *trainer.cotangents(cell, inputs(7))))
    assert log.count("synchronize") == 0


def test_time_major_inputs_of_whole_batches_are_read_where_they_lie(trainer: Any) -> None:
    x = np.random.default_rng(0).normal(size=(7, B, D)).astype("float32")
    log = trainer.check(STEPS["gru"][0], x, time_major=True)[1]
    assert log.count("kernel", "pack rows") == log.count("kernel", "transpose") == 0
    x[6, B - 1] = np.nan
    log = trainer.check(STEPS["gru"][0], x, time_major=True, sequence_length=[7] * (B - 1) + [6])[1]
    assert log.count("kernel", "pack rows") == 2  # what is past the lengths is replaced by zeros, in either pass


def test_zeros_are_written_only_where_rows_end_within_a_chunk(trainer: Any) -> None:
    zeroed = []
    for ending in ([], [4] * 11, [4] * 6, [3], [3, 7]):
        log = logs(trainer, STEPS["lstm"][0], 8, [*ending, *[8] * (B - len(ending))])[0]
        zeroed.append(log.count("zero", "finished rows"))
    assert zeroed == [0, 0, 1, 2, 2]  # two chunks; 8 rows are left of the second call, and 13, rounded up, of the third


def test_memory_is_told(trainer: Any) -> None:
    """What is held, and what both passes work in, as the log has it."""
    with use_store(VariableStore()), impl_gpu.launch_log() as log:
        cell = trainer.built(STEPS["lstm"][0], D, "float32")
        _, _, pulled = trainer.forward(cell, inputs(9), parallel_iterations=4)
        trainer.pull(pulled, *trainer.cotangents(cell, inputs(9)))
    allocated = {
        purpose: sum(e.nbytes for e in log.entries if e.kind == "allocate" and e.purpose == purpose)
        for purpose in ("kept for the backward pass", "workspace")
    }
    told = pulled.memory
    assert (told.path, told.chunks, told.parallel_iterations) == ("fused", 3, 4)
    assert told.saved_bytes == told.unswapped_bytes == allocated["kept for the backward pass"]
    assert told.workspace_bytes == allocated["workspace"]
    assert told.peak_bytes >= told.saved_bytes + told.workspace_bytes


def test_the_peak_of_a_call_is_its_own(trainer: Any) -> None:
    with use_store(VariableStore()):
        cell = trainer.built(STEPS["lstm"][0], D, "float32")
        pulled = trainer.forward(cell, inputs(9))[2]
        trainer.pull(pulled, *trainer.cotangents(cell, inputs(9)))
        before = pulled.memory.peak_bytes
        trainer.forward(cell, inputs(400))
        assert pulled.memory.peak_bytes == before
