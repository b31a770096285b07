"""Tests what a pull may rely on: the forward pass's values, whatever has happened since, on any stream, and again."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import impl_gpu
from dynamic_rnn_spec import VariableStore, use_store
from dynamic_rnn_spec.vocabulary.structure import flatten
from impl_gpu.device import use_device
from impl_gpu.device.seam import Device

T, B, D = 9, 13, 3
LENGTHS = [9, 0, 4, 1, 7, 7, 2, 9, 0, 3, 5, 8, 1]
WAYS = [(False, "auto"), (True, "move"), (True, "recompute")]


def stack(m: Any) -> Any:
    lstm = m.LSTMCell(4, use_peepholes=True, num_proj=3, proj_clip=0.4)
    return m.MultiRNNCell([m.DropoutWrapper(m.GRUCell(4), input_keep_prob=0.5), m.ResidualWrapper(m.GRUCell(4)), lstm])


def inputs(seed: int = 5) -> Any:
    return np.random.default_rng(seed).normal(size=(B, T, D))


@pytest.mark.parametrize(("swap_memory", "swap"), WAYS)
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_pulled_back_twice_gives_the_same_bits(trainer: Any, lengths: Any, swap_memory: bool, swap: str) -> None:
    """Other cotangents in between, the inputs' memory untouched, no gradient in the memory of another [GRAD-19]."""
    with use_store(VariableStore()), impl_gpu.options(swap=swap):
        cell = trainer.built(stack, D, "float64")
        cotangents = trainer.cotangents(cell, inputs())
        outputs, state, pulled = trainer.forward(
            cell, inputs(), lengths, parallel_iterations=2, swap_memory=swap_memory
        )
        held = [trainer.pull(pulled, *cotangents)]
        trainer.pull(pulled, None, [None] * len(flatten(state)))
        held.append(trainer.pull(pulled, *cotangents))
        first, second = (trainer.fetched(outputs, state, one) for one in held)
    assert first.same_bits(second)
    wanted = trainer.expected(stack, inputs(), cotangents, sequence_length=lengths)
    trainer.agree(first, wanted, "float64", (B, T))
    addresses = [array.data.ptr for d_x, _, variables in held for array in (d_x, *variables.values())]
    assert len(set(addresses)) == len(addresses)


def test_moving_changes_no_bit_and_recomputing_few(trainer: Any) -> None:
    answers = []
    for swap_memory, swap in WAYS:
        with impl_gpu.options(swap=swap):
            answer, log = trainer.answer(
                stack, inputs(), sequence_length=LENGTHS, parallel_iterations=2, swap_memory=swap_memory
            )
        # Five chunks; two products of a projected LSTM's gates, three of each GRU's.
        assert log.count("gemm", "recomputed gates") == (5 * (2 + 3 + 3) if swap == "recompute" else 0)
        answers.append(answer)
    assert answers[0].same_bits(answers[1])
    trainer.agree(answers[2], trainer.expected(stack, inputs(), sequence_length=LENGTHS), "float64", (B, T))


@pytest.mark.parametrize("d_outputs", [False, True])
@pytest.mark.parametrize("make", [stack, lambda m: m.ResidualWrapper(m.LSTMCell(D))])
def test_an_absent_cotangent_is_zeros(trainer: Any, make: Callable[[Any], Any], d_outputs: bool) -> None:
    """Also for one array of the state, and under a layer, which then gets no cotangent at all [GRAD-6]."""
    with use_store(VariableStore()):
        d_y, d_s = trainer.cotangents(make(impl_gpu), inputs())
    cotangents = (d_y if d_outputs else None, [None, *d_s[1:]])
    trainer.check(make, inputs(), cotangents, sequence_length=LENGTHS)


def test_the_pair_is_that_of_dynamic_rnn(trainer: Any) -> None:
    """Bit for bit, though nothing runs ahead and every layer writes elsewhere [GRAD-18]."""
    found, _ = trainer.answer(stack, inputs(), sequence_length=LENGTHS, parallel_iterations=4)
    with use_store(VariableStore()):
        cell = trainer.built(stack, D, "float64")
        with use_device(trainer.device):
            outputs, state = impl_gpu.dynamic_rnn(cell, inputs(), LENGTHS, dtype="float64", parallel_iterations=4)
            assert trainer.device.to_numpy(outputs).tobytes() == found.outputs.tobytes()
            for leaf, mine in zip(flatten(state), found.state, strict=True):
                assert trainer.device.to_numpy(leaf).tobytes() == mine.tobytes()


def test_variables_that_were_assigned_since_do_not_matter(trainer: Any) -> None:
    """Nor do the pulls matter to later calls, which find the new values."""

    def make(m: Any) -> Any:
        return m.MultiRNNCell([m.LSTMCell(4, use_peepholes=True, num_unit_shards=2), m.GRUCell(3)])

    old, _ = trainer.answer(make, inputs(), sequence_length=LENGTHS)
    new, _ = trainer.answer(make, inputs(), seed=1, sequence_length=LENGTHS)
    with use_store(VariableStore()):
        cell = trainer.built(make, D, "float64")
        cotangents = trainer.cotangents(cell, inputs())
        outputs, state, pulled = trainer.forward(cell, inputs(), LENGTHS)
        trainer.reassign(cell, seed=1)
        first = trainer.pull(pulled, *cotangents)
        later, _, _ = trainer.forward(cell, inputs(), LENGTHS)
        second = trainer.pull(pulled, *cotangents)
        for gradients in (first, second):
            assert trainer.fetched(outputs, state, gradients).same_bits(old)
        assert trainer.device.to_numpy(later).tobytes() == new.outputs.tobytes()


@pytest.mark.parametrize("time_major", [False, True])
def test_cotangents_may_lie_anyhow(trainer: Any, time_major: bool) -> None:
    """Transposed, every other one of a wider array, and one number for all."""
    with use_store(VariableStore()):
        cell = trainer.built(stack, D, "float64")
        x = inputs().swapaxes(0, 1) if time_major else inputs()
        d_y, d_s = trainer.cotangents(cell, x, time_major)
        outputs, state, pulled = trainer.forward(cell, x, LENGTHS, time_major=time_major)
        enter = trainer.device.enter
        plain = trainer.fetched(outputs, state, trainer.pull(pulled, d_y, d_s))
        moved = enter(np.ascontiguousarray(d_y.T)).T
        wide = [enter(np.repeat(d, 2, axis=1))[:, ::2] for d in d_s]
        assert trainer.fetched(outputs, state, trainer.pull(pulled, moved, wide)).same_bits(plain)
        ones = trainer.fetched(outputs, state, trainer.pull(pulled, np.ones_like(d_y), [None] * len(d_s)))
        spread = np.broadcast_to(np.ones(d_y.shape[2]), d_y.shape)
        assert trainer.fetched(outputs, state, trainer.pull(pulled, spread, [None] * len(d_s))).same_bits(ones)


def test_a_pull_on_another_stream(trainer: Any) -> None:
    """Of a call that may still run, and whose inputs and results may be let go while the pull runs."""
    wanted, _ = trainer.answer(stack, inputs(), sequence_length=LENGTHS)
    for seed in range(20):
        trainer.restart(seed)
        with use_store(VariableStore()):
            cell = trainer.built(stack, D, "float64")
            cotangents = trainer.cotangents(cell, inputs())
            outputs, state, pulled = trainer.forward(cell, inputs(), LENGTHS)
            with trainer.device.stream(trainer.device.new_stream()):
                d_x, _, d_variables = trainer.pull(pulled, *cotangents)
                del pulled, outputs, state
                found = {name: trainer.device.to_numpy(value) for name, value in {"x": d_x, **d_variables}.items()}
        assert found.pop("x").tobytes() == wanted.d_inputs.tobytes(), seed
        assert all(found[name].tobytes() == value.tobytes() for name, value in wanted.d_variables.items()), seed


class BrokenError(RuntimeError):
    """Raised on purpose."""


@pytest.mark.parametrize("way", WAYS)
@pytest.mark.parametrize("after", range(0, 200, 45))
def test_a_pass_that_is_broken_off_leaves_nothing(
    trainer: Any, way: tuple[bool, str], after: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An error of any launch of either pass breaks it off; the next call is as if there had been none."""
    launch, left = Device.launch, [after]

    def launch_some(self: Any, *arguments: Any, **named: Any) -> None:
        if left[0] == 0:
            raise BrokenError
        left[0] -= 1
        launch(self, *arguments, **named)

    arguments = {"sequence_length": LENGTHS, "parallel_iterations": 2, "swap_memory": way[0]}
    with impl_gpu.options(swap=way[1]):
        wanted, _ = trainer.answer(stack, inputs(), **arguments)
        monkeypatch.setattr(Device, "launch", launch_some)
        with pytest.raises(BrokenError):
            trainer.answer(stack, inputs(), clear=False, **arguments)
        monkeypatch.undo()
        found, _ = trainer.answer(stack, inputs(), clear=False, **arguments)
        assert found.same_bits(wanted)
        trainer.clear()
