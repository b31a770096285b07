"""Tests swap_memory in whole calls: the same gradients, in less device memory, and no more of it than is reported.

What is right comes from the call without swapping, bit for bit, and from impl_ref where gates are computed again.
"""

import itertools
from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import impl_gpu
from dynamic_rnn_spec import VariableStore, use_store
from impl_gpu import OutOfDeviceMemory
from impl_gpu.device import use_device
from impl_gpu.device.host import HostDevice
from impl_gpu.device.memory import Peak
from impl_gpu.device.seam import SeamError
from impl_gpu.training.swapped import Swapped

SCHEDULES = 20
T, B, D = 9, 9, 3
RAGGED: dict[str, Any] = {"sequence_length": [9, 0, 4, 9, 7, 9, 2, 9, 8], "parallel_iterations": 2}
DENSE: dict[str, Any] = {"parallel_iterations": 2, "time_major": True}
LENGTHS = {True: DENSE, False: RAGGED}


def inputs(time_major: bool = False) -> Any:
    x = np.random.default_rng(3).normal(size=(B, T, D)).astype("float32")
    return np.ascontiguousarray(x.swapaxes(0, 1)) if time_major else x


def stack(cells: Any) -> Any:
    projected = cells.LSTMCell(4, use_peepholes=True, num_proj=D, proj_clip=0.4)
    thinned = cells.DropoutWrapper(cells.GRUCell(4), input_keep_prob=0.75, output_keep_prob=0.5)
    return cells.MultiRNNCell([cells.ResidualWrapper(projected), thinned])


MAKES: dict[str, Callable[[Any], Any]] = {
    "a stack": stack,
    "lstm": lambda cells: cells.BasicLSTMCell(3),
    "gru": lambda cells: cells.GRUCell(3),
    "basic rnn": lambda cells: cells.BasicRNNCell(3),
}
WAYS: dict[str, dict[str, Any]] = {
    "move": {"swap": "move"},
    "recompute": {"swap": "recompute"},
    "budget": {"memory_budget": 12000},
}


def known(nbytes: int | None) -> int:
    """Bytes that a report of the fused path always has."""
    assert nbytes is not None
    return nbytes


def check_swapped(trainer: Any, make: Any, arguments: Any, way: str, wanted: Any, judge: Any) -> None:
    x = inputs(arguments.get("time_major", False))
    with impl_gpu.options(**WAYS[way]):
        found, log = trainer.answer(make, x, swap_memory=True, **arguments)
    assert log.count("get", "swap out") > 0
    if way == "recompute":
        trainer.agree(found, judge, "float32", x.shape)
    else:
        assert found.same_bits(wanted)


@pytest.mark.parametrize("way", WAYS)
def test_swapping_under_any_schedule(trainer: Any, way: str) -> None:
    wanted, judge = trainer.answer(stack, inputs(), **RAGGED)[0], trainer.expected(stack, inputs(), **RAGGED)
    for seed in range(SCHEDULES):
        trainer.restart(seed)
        check_swapped(trainer, stack, RAGGED, way, wanted, judge)


@pytest.mark.parametrize("time_major", [False, True])
@pytest.mark.parametrize("name", ["lstm", "gru", "basic rnn"])
def test_every_kind_of_layer_swaps(trainer: Any, name: str, time_major: bool) -> None:
    make, arguments, x = MAKES[name], LENGTHS[time_major], inputs(time_major)
    wanted, judge = trainer.answer(make, x, **arguments)[0], trainer.expected(make, x, **arguments)
    for way in ("move", "recompute"):
        check_swapped(trainer, make, arguments, way, wanted, judge)


@pytest.mark.parametrize("way", WAYS)
def test_pulls_on_other_streams_give_the_same_bits(trainer: Any, way: str) -> None:
    for seed in range(3):
        trainer.restart(seed)
        device, x = trainer.device, inputs()
        with use_store(VariableStore(seed=0)), impl_gpu.options(**WAYS[way]):
            cell = trainer.built(stack, D, x.dtype)
            cotangents = trainer.cotangents(cell, x)
            outputs, state, pulled = trainer.forward(cell, x, swap_memory=True, **RAGGED)
            streams = [device.current_stream(), device.new_stream(), device.new_stream()]
            gradients = []
            for stream in streams:
                with device.stream(stream):
                    gradients.append(trainer.pull(pulled, *cotangents))
            answers = []
            for stream, one in zip(streams, gradients, strict=True):
                device.synchronize(streams[0], "outputs")
                with device.stream(stream):
                    answers.append(trainer.fetched(outputs, state, one))
        assert answers[0].same_bits(answers[1])
        assert answers[0].same_bits(answers[2])
        del outputs, state, pulled, gradients, one
        trainer.clear()


# --- defects -----------------------------------------------------------------------------------------------------


def nothing(*arguments: Any) -> None:
    """A step that is left out."""


_copy_in = Swapped._copy_in


def from_the_chunk_before(self: Any, number: int, slot: Any) -> None:
    _copy_in(self, number - 1 if self._moved[number - 1] == self._moved[number] else number, slot)


@pytest.mark.parametrize(
    ("function", "planted"),
    [
        ("_await_written", nothing),
        ("_await_left", nothing),
        ("_await_used", nothing),
        ("_await_arrived", nothing),
        ("_copy_in", from_the_chunk_before),
    ],
)
def test_a_defect_shows_in_a_whole_call(
    trainer: Any, monkeypatch: pytest.MonkeyPatch, function: str, planted: Any
) -> None:
    make, x = MAKES["lstm"], inputs(time_major=True)
    wanted = trainer.answer(make, x, **DENSE)[0]
    monkeypatch.setattr(Swapped, function, planted)
    for seed in range(SCHEDULES):
        trainer.restart(seed)
        try:
            with impl_gpu.options(swap="move"):
                assert trainer.answer(make, x, swap_memory=True, **DENSE)[0].same_bits(wanted)
        except (AssertionError, SeamError):
            trainer.device = HostDevice(0)
            return
    pytest.fail(f"not seen in {SCHEDULES} schedules")


# --- memory ----------------------------------------------------------------------------------------------------------


def trained(device: HostDevice, cell: Any, x: Any, **arguments: Any) -> Any:
    """The gradients of one call whose outputs are their own cotangents, on the host; and its report."""
    with use_device(device), impl_gpu.variable_scope("train", reuse=impl_gpu.AUTO_REUSE):
        (outputs, state), vjp = impl_gpu.dynamic_rnn_vjp(cell, x, dtype="float32", time_major=True, **arguments)
        gradients = vjp(outputs, state)
        arrays = [gradients.inputs, *gradients.variables.values()]
        return [device.to_numpy(array).tobytes() for array in arrays], vjp.memory


def entered(device: HostDevice, steps: int, rows: int = 4, depth: int = 2) -> Any:
    with use_device(device):
        return device.enter(np.random.default_rng(0).normal(size=(steps, rows, depth)).astype("float32"))


@pytest.mark.parametrize("name", ["lstm", "gru"])
def test_half_of_the_memory_is_enough_with_swapping_and_not_without(name: str) -> None:
    with use_store(VariableStore(seed=0)):
        device, cell = HostDevice(0), MAKES[name](impl_gpu)
        x = entered(device, 240)
        wanted, report = trained(device, cell, x, parallel_iterations=8)
        with use_device(device):
            impl_gpu.clear_caches()
        device.finish()
        device.memory_limit = report.peak_bytes // 2

        with pytest.raises(OutOfDeviceMemory, match=r"swap_memory=True moves .* to the host \[SWAP-4\]$"):
            trained(device, cell, x, parallel_iterations=8)
        device.finish()
        found, swapped = trained(device, cell, x, parallel_iterations=8, swap_memory=True)

        assert swapped.moved_bytes > 0, swapped
        assert swapped.peak_bytes <= device.memory_limit
        if swapped.recomputed_bytes == 0:
            assert found == wanted
        with impl_gpu.options(swap="move"):
            assert trained(device, cell, x, parallel_iterations=8, swap_memory=True)[0] == wanted


def test_a_call_that_found_too_little_memory_leaves_none_behind() -> None:
    with use_store(VariableStore(seed=0)):
        device, cell = HostDevice(0), impl_gpu.GRUCell(3)
        x = entered(device, 40)
        before = device.live_bytes()
        with device.watched(peak := Peak()):
            trained(device, cell, x, parallel_iterations=4)
        for limit in range(before + 1024, peak.nbytes, 4096):
            with use_device(device):
                impl_gpu.clear_caches()
            device.memory_limit = limit
            with pytest.raises(MemoryError, match=r"swap_memory=True"):
                trained(device, cell, x, parallel_iterations=4)
            device.memory_limit = None
            with use_device(device):
                impl_gpu.clear_caches()
            assert device.live_bytes() == before
        device.finish()
        with use_device(device):
            impl_gpu.clear_caches()
        assert [purpose for purpose, _ in device.live()] == ["upload"]


def test_what_is_held_grows_with_the_steps_without_swapping_and_not_with_it() -> None:
    """T = 64 ... 4096, as forecast; and as some calls of them report."""
    with use_store(VariableStore(seed=0)), impl_gpu.options(swap="move"):
        device, cell = HostDevice(0), impl_gpu.BasicLSTMCell(2)
        held: dict[bool, list[int]] = {False: [], True: []}
        for steps, swap_memory in itertools.product((64, 128, 256, 512, 1024, 2048, 4096), held):
            arguments = {"time_major": True, "swap_memory": swap_memory}
            with use_device(device), impl_gpu.variable_scope("train", reuse=impl_gpu.AUTO_REUSE):
                x = entered(device, steps, rows=1, depth=1)
                told = impl_gpu.training_bytes(cell, x.shape, "float32", **arguments)
                held[swap_memory].append(known(told.saved_bytes))
                if steps in (64, 512, 4096):
                    report = impl_gpu.dynamic_rnn_vjp(cell, x, dtype="float32", **arguments)[1].memory
                    assert report._replace(peak_bytes=0) == told._replace(peak_bytes=0)
                    assert known(report.peak_bytes) <= known(told.peak_bytes)
            device.finish()

        one = held[False][0] // 2  # a chunk of 32 steps
        assert held[False] == [one * chunks for chunks in (2, 4, 8, 16, 32, 64, 128)]
        assert held[True] == [one, *[3 * one] * 6]


@pytest.mark.parametrize("way", [None, *WAYS])
def test_the_peak_is_within_what_was_forecast(way: str | None) -> None:
    options = {} if way is None else WAYS[way]
    for make in MAKES.values():
        with use_store(VariableStore(seed=0)), impl_gpu.options(**options):
            device, cell = HostDevice(0), make(impl_gpu)
            x = entered(device, 50, rows=B, depth=D)
            arguments = {"parallel_iterations": 4, "swap_memory": way is not None}
            with use_device(device):
                told = impl_gpu.training_bytes(cell, x.shape, "float32", time_major=True, **arguments)
            assert not cell.variables
            report = trained(device, cell, x, **arguments)[1]
            assert report._replace(peak_bytes=0) == told._replace(peak_bytes=0)
            assert 0.7 * known(told.peak_bytes) < known(report.peak_bytes) <= known(told.peak_bytes)


def test_a_call_that_breaks_off_leaves_nothing(trainer: Any) -> None:
    """Noise that fails in the midst of the forward pass, under schedules in which much of it is still to run."""

    class Failing:
        def __init__(self) -> None:
            self.asked = 0

        def __call__(self, purpose: str, leaf: int, shape: Any, dtype: Any) -> Any:
            self.asked += 1
            if self.asked > 7:
                raise KeyError(purpose)
            return np.zeros(shape, dtype)

    for seed in range(SCHEDULES):
        trainer.restart(seed)
        with use_store(VariableStore(seed=0)), impl_gpu.options(swap="move"):
            cell = trainer.built(
                lambda cells: cells.DropoutWrapper(cells.LSTMCell(3), output_keep_prob=0.5), D, "float32"
            )
            cell.uniform = Failing()
            with pytest.raises(KeyError, match="output"):
                trainer.forward(cell, inputs(), swap_memory=True, **RAGGED)
        trainer.clear()


def test_the_pulls_of_a_users_cell_are_not_moved() -> None:
    class Mine(impl_gpu.GRUCell):
        pass

    device = HostDevice(0)
    with use_device(device), use_store(VariableStore(seed=0)):
        told = impl_gpu.training_bytes(Mine(3), (4, 5, 2), "float32", swap_memory=True)
        kept = "kept on the device: what the pull of a cell holds is its own, and can't be moved"
        assert told.decision == f"{kept} (a cell of type Mine)"
        assert (told.path, told.chunks, told.moved_bytes) == ("any-cell", 5, 0)
        x = entered(device, 5)
        with impl_gpu.options(path="cell"):
            vjp = impl_gpu.dynamic_rnn_vjp(impl_gpu.GRUCell(3), x, dtype="float32", time_major=True, swap_memory=True)[
                1
            ]
        assert vjp.memory.decision == f"{kept} (the switch path says so)"
        assert vjp.memory._replace(peak_bytes=None, decision="") == told._replace(decision="")
