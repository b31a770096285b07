"""Plants defects in fused training, one function each: the host side must show each of them within 20 schedules.

A defect shows as a wrong gradient or as an error of the seam. Each program is also run without its defect, so that
what is shown is the defect.
"""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import impl_gpu
from dynamic_rnn_spec import VariableStore, use_store
from impl_gpu import kernels
from impl_gpu.device.seam import SeamError, row_major
from impl_gpu.fused.entry import packed_weights
from impl_gpu.fused.inputs import Inputs
from impl_gpu.kernels import launch_column_sums
from impl_gpu.training import backward, pulled, saving, tape, values
from impl_gpu.training.carried import Carried
from impl_gpu.training.layers import gru, lstm, products
from impl_gpu.training.noise import NoiseAgain
from impl_gpu.training.outer import Cotangents, InputGradients
from impl_gpu.training.pulled import Pulled
from impl_gpu.training.saving import SavingLoop
from impl_gpu.training.sums import Sums
from impl_gpu.training.values import ValueGradients

SCHEDULES = 20
CLEAN_SCHEDULES = 5
T, B, D = 7, 13, 3
LENGTHS = [7, 0, 4, 1, 6, 6, 2, 7, 0, 3, 5, 7, 1]

Program = Callable[[Any], None]


def inputs() -> Any:
    """Normal numbers, NaN past the lengths."""
    x = np.random.default_rng(5).normal(size=(B, T, D))
    for row, length in enumerate(LENGTHS):
        x[row, length:] = np.nan
    return x


# --- programs: each checks its own results ---------------------------------------------------------------------------


def trained(trainer: Any, make: Callable[[Any], Any], **more: Any) -> None:
    cell = make(impl_gpu)
    sizes = [cell.state_size] if isinstance(cell.state_size, int) else list(cell.state_size)
    state = [np.random.default_rng(n).normal(size=(B, n)) for n in sizes]
    arguments = {"sequence_length": LENGTHS, "parallel_iterations": 2, **more}
    trainer.check(make, inputs(), initial_state=state[0] if len(state) == 1 else tuple(state), clear=False, **arguments)


def an_lstm(trainer: Any) -> None:
    trained(trainer, lambda m: m.LSTMCell(4, use_peepholes=True, num_proj=2, proj_clip=0.5))


def a_gru(trainer: Any) -> None:
    trained(trainer, lambda m: m.GRUCell(4))


def a_gru_with_recomputed_gates(trainer: Any) -> None:
    with impl_gpu.options(swap="recompute"):
        trained(trainer, lambda m: m.GRUCell(4), swap_memory=True)


def a_residual_stack_with_dropout(trainer: Any) -> None:
    """What goes in is read by a drop and a sum, both cells are one, and a value is kept for the upper."""

    def make(m: Any) -> Any:
        one = m.GRUCell(D)
        lower = m.ResidualWrapper(m.DropoutWrapper(one, input_keep_prob=0.5))
        return m.MultiRNNCell([lower, m.ResidualWrapper(one)])

    trained(trainer, make)


def an_lstm_of_short_rows(trainer: Any) -> None:
    trained(trainer, lambda m: m.LSTMCell(4), sequence_length=np.minimum(LENGTHS, 3))


def a_pull_on_another_stream(trainer: Any) -> None:
    """By a workspace and weights that an earlier pull has left."""

    def make(m: Any) -> Any:
        return m.GRUCell(4)

    with use_store(VariableStore(seed=0)):
        cell = trainer.built(make, D, "float64")
        cotangents = trainer.cotangents(cell, inputs())
        trainer.pull(trainer.forward(cell, np.ones((B, T, D)), LENGTHS)[2], *cotangents)
        outputs, state, kept = trainer.forward(cell, inputs(), LENGTHS)
        with trainer.device.stream(trainer.device.new_stream()):
            gradients = trainer.pull(kept, *cotangents)
            for value in (gradients[0], *gradients[2].values()):
                trainer.device.to_numpy(value)
        found = trainer.fetched(outputs, state, gradients)
    trainer.agree(found, trainer.expected(make, inputs(), cotangents, sequence_length=LENGTHS), "float64", (B, T))


def pulls_after_other_weights(trainer: Any) -> None:
    """The variables are assigned after the forward pass, which still runs; two pulls on a stream of their own."""

    def make(m: Any) -> Any:
        return m.BasicLSTMCell(4)

    cotangents = None
    with use_store(VariableStore(seed=0)):
        cell = trainer.built(make, D, "float64")
        cotangents = trainer.cotangents(cell, inputs())
        outputs, state, kept = trainer.forward(cell, inputs(), LENGTHS)
        trainer.reassign(cell, seed=1)
        with trainer.device.stream(trainer.device.new_stream()):
            trainer.pull(kept, *cotangents)
            gradients = trainer.pull(kept, *cotangents)
            del kept
            for value in (gradients[0], *gradients[2].values()):
                trainer.device.to_numpy(value)
        found = trainer.fetched(outputs, state, gradients)
    trainer.agree(found, trainer.expected(make, inputs(), cotangents, sequence_length=LENGTHS), "float64", (B, T))


# --- defects: what is put in the place of one function ---------------------------------------------------------------


def nothing(*arguments: Any, **named: Any) -> None:
    """A step that is left out."""


DEFECTS: dict[str, tuple[Program, Any, str, Any]] = {}


def defect(program: Program, where: Any, name: str) -> Callable[[Any], Any]:
    """Register what stands in the place of ``where.name`` while the program runs."""

    def register(function: Any) -> Any:
        DEFECTS[function.__name__] = (program, where, name, function)
        return function

    return register


def left_out(title: str, program: Program, where: Any, name: str) -> None:
    DEFECTS[title] = (program, where, name, nothing)


left_out("no_wait_for_the_forward_pass", a_pull_on_another_stream, Pulled, "_await_forward")
left_out("inputs_given_back_while_a_pull_reads_them", pulls_after_other_weights, Pulled, "_join")
left_out("no_states_before_the_first_step", an_lstm, SavingLoop, "_save_states")
left_out("steps_past_the_end_as_they_were", an_lstm_of_short_rows, InputGradients, "zero_past_the_end")
left_out("no_recomputed_products", a_gru_with_recomputed_gates, gru, "recomputed_products")
left_out("no_sum_hands_its_gradient_on", a_residual_stack_with_dropout, ValueGradients, "hand_back")


@defect(an_lstm, saving, "_all_live_on")
def finished_rows_as_they_were(runs: Any, chunk: Any) -> bool:
    return True


@defect(a_gru, pulled, "Inputs")
def padding_in_the_weights(x: Any, time_major: bool, runs: Any, precision: Any, shielded: bool) -> Any:
    return Inputs(x, time_major, runs, precision, shielded=False)


@defect(pulls_after_other_weights, pulled, "packed_weights")
def the_weights_of_today(caches: Any, plan: Any, widths: Any, stream: Any, values: Any) -> Any:
    return packed_weights(caches, plan, widths, stream)


_run_chunk = backward.Backward._run_chunk


@defect(an_lstm, backward.Backward, "_run_chunk")
def chunks_from_the_first_on(self: Any, number: int, chunk: Any) -> None:
    last = len(self._pass.runs.chunks) - 1
    _run_chunk(self, last - number, self._pass.runs.chunks[last - number])


_sums = Sums.__init__


@defect(a_gru, Sums, "__init__")
def sums_that_begin_with_what_was_there(self: Any, device: Any, *what: Any) -> None:
    class Idle:
        def zero(self, *arguments: Any) -> None: ...

    _sums(self, Idle(), *what)  # type: ignore[arg-type]  # asked for zero alone
    self._device = device


@defect(a_residual_stack_with_dropout, ValueGradients, "into")
def the_last_reader_alone(self: Any, value: int) -> Any:
    return values.Into(self._ptrs[value], False)


@defect(a_residual_stack_with_dropout, values, "place_of_gradient")
def gradients_in_one_place(plan: Any, value: int) -> int:
    return value if value in (0, len(plan.stages)) else 1


@defect(a_residual_stack_with_dropout, NoiseAgain, "steps_from")
def noise_of_the_first_steps(self: Any, first: int, count: int) -> None:
    self._step = 0
    self.next_steps(count)


_load = Cotangents.load


@defect(a_gru, Cotangents, "load")
def cotangents_of_the_first_chunk(self: Any, dst: int, chunk: Any) -> None:
    _load(self, dst, chunk._replace(first=0))


_carry = Carried.load


@defect(an_lstm, Carried, "load")
def cotangents_of_the_state_forgotten(self: Any, d_state: Any) -> None:
    _carry(self, [None] * len(d_state))


_store = Carried.store


@defect(an_lstm, Carried, "store")
def rows_of_length_zero_without_their_cotangent(self: Any, d_state: Any, *what: Any) -> Any:
    return _store(self, [None] * len(d_state), *what)


@defect(an_lstm, tape.TapedCall, "saved_c")
def c_a_step_too_early(self: Any, layer: int, chunk: Any) -> Any:
    return self.tape[f"c {layer}"]


@defect(a_gru, products, "row_major")
def operands_the_wrong_way_round(*arguments: Any, **named: Any) -> Any:
    call = row_major(*arguments, **named)
    if not named["transpose_b"] or call.m != call.k:
        return call
    return call._replace(transpose_a=False)


@defect(a_gru, products, "row_major")
def only_the_last_chunk_counts(*arguments: Any, **named: Any) -> Any:
    return row_major(*arguments, **{**named, "accumulate": named["accumulate"] and not named["transpose_a"]})


@defect(an_lstm, lstm, "add_column_sums")
def peepholes_by_the_other_c(device: Any, stream: Any, s: Any, *, other: Any = None, **what: Any) -> None:
    if other is not None:
        other = other._replace(ptr=s.c if other.ptr != s.c else s.stored_at(s.c, 1, s.units))
    products.add_column_sums(device, stream, s, other=other, **what)


@defect(an_lstm, kernels, "launch_column_sums")
def sums_of_the_first_step(*arguments: Any, rows: int, **named: Any) -> None:
    launch_column_sums(*arguments, rows=rows // 2, **named)


PROGRAMS = dict.fromkeys(program for program, *_ in DEFECTS.values())


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_without_a_defect_is_right(trainer: Any, program: Program) -> None:
    for seed in range(CLEAN_SCHEDULES):
        trainer.restart(seed)
        program(trainer)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_shows(trainer: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    program, where, function, planted = DEFECTS[name]
    monkeypatch.setattr(where, function, planted)
    for seed in range(SCHEDULES):
        try:
            trainer.restart(seed)
            program(trainer)
            trainer.clear()
        except (AssertionError, SeamError):
            monkeypatch.undo()
            trainer.forget()
            return
    pytest.fail(f"{name}: not seen in {SCHEDULES} schedules")
