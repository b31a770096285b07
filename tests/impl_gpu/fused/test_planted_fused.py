"""Plants defects in the fused path, one function each: the host side must show every one of them within 20 schedules.

A defect shows as a wrong result or as an error of the seam. Each program is first run without its defect, under every
schedule, so that what is shown is the defect.
"""

from collections.abc import Callable
from dataclasses import replace
from typing import Any

import numpy as np
import pytest

import impl_gpu
from impl_gpu import GRUCell, LSTMCell, LSTMStateTuple, MultiRNNCell
from impl_gpu.device import use_device
from impl_gpu.device.seam import SeamError, row_major
from impl_gpu.fused import (
    entry,
    graphs,
    layout,
    products,
    ragged,
    recurrence,
    staging,
    state,
    weights,
    workspace,
)
from impl_gpu.fused.inputs import Inputs
from impl_gpu.fused.layers import gru, steps
from impl_gpu.fused.outputs import Outputs

SCHEDULES = 20
T, B, D = 9, 13, 3
LENGTHS = [9, 0, 4, 1, 7, 7, 2, 9, 0, 3, 5, 8, 1]

Program = Callable[[Any], None]


def inputs(seed: int = 5) -> Any:
    return np.random.default_rng(seed).normal(size=(B, T, D)).astype("float32")


# --- programs: each checks its own results ---------------------------------------------------------------------------


def one_call(bench: Any) -> None:
    """A ragged LSTM over five chunks."""
    cell = bench.built(LSTMCell(4), D)
    got = bench.call(cell, inputs(), sequence_length=LENGTHS, parallel_iterations=2)
    bench.check(got, bench.expected(cell, inputs(), sequence_length=LENGTHS), T)


def one_call_of_short_rows(bench: Any) -> None:
    cell, lengths = bench.built(LSTMCell(4), D), np.minimum(LENGTHS, 3)
    got = bench.call(cell, inputs(), sequence_length=lengths, parallel_iterations=2)
    bench.check(got, bench.expected(cell, inputs(), sequence_length=lengths), T)


def one_call_of_a_stack(bench: Any) -> None:
    cell = bench.built(MultiRNNCell([GRUCell(4), LSTMCell(4, num_proj=2)]), D)
    state = (inputs(1)[:, 0, [0, 1, 2, 0]], LSTMStateTuple(inputs(2)[:, 0, [0, 1, 2, 0]], inputs(3)[:, 0, :2]))
    arguments = {"sequence_length": LENGTHS, "initial_state": state}
    got = bench.call(cell, inputs(), parallel_iterations=2, **arguments)
    bench.check(got, bench.expected(cell, inputs(), **arguments), T)


def calls_with_new_weights(bench: Any, graph: bool = False) -> None:
    """Weights assigned three times, without a look at the results in between."""
    cell, x = bench.built(GRUCell(4), D), inputs()
    results, wanted = [], []
    with use_device(bench.device), impl_gpu.options(graph=graph):
        on_device = bench.device.enter(x)
        for version in range(3):
            bench.reassign(cell, version)
            results.append(impl_gpu.dynamic_rnn(cell, on_device, dtype="float32", parallel_iterations=2))
            wanted.append(bench.expected(cell, x))
        for result, right in zip(results, wanted, strict=True):
            bench.check(bench.result(*result), right, T)


def replayed_calls_with_new_weights(bench: Any) -> None:
    calls_with_new_weights(bench, graph=True)


def replayed_calls_with_new_lengths(bench: Any) -> None:
    cell = bench.built(LSTMCell(4), D)
    with impl_gpu.options(graph=True):
        for call in range(4):
            x, lengths = inputs(call), np.roll(LENGTHS, call)
            got = bench.call(cell, x, sequence_length=lengths, parallel_iterations=2, clear=False)
            bench.check(got, bench.expected(cell, x, sequence_length=lengths), T)


def calls_on_two_streams(bench: Any) -> None:
    """Four calls in turn on two streams, with one workspace between them."""
    cell, device = bench.built(GRUCell(4), D), bench.device
    streams = [device.new_stream(), device.new_stream()]
    results = []
    with use_device(device):
        for call in range(4):
            with device.stream(streams[call % 2]):
                x, lengths = inputs(call), np.roll(LENGTHS, call)
                result = impl_gpu.dynamic_rnn(cell, x, lengths, dtype="float32", parallel_iterations=2)
                results.append((result, bench.expected(cell, x, sequence_length=lengths)))
        for call, (result, right) in enumerate(results):
            with device.stream(streams[call % 2]):
                bench.check(bench.result(*result), right, T)


def calls_that_nobody_waits_for(bench: Any) -> None:
    """Many calls with other lengths in a row; then everything is given back while they run."""
    cell = bench.built(LSTMCell(4), D)
    results = []
    with use_device(bench.device):
        for call in range(6):
            x, lengths = inputs(call), np.roll(LENGTHS, call)
            result = impl_gpu.dynamic_rnn(cell, x, lengths, dtype="float32", parallel_iterations=2)
            results.append((result, bench.expected(cell, x, sequence_length=lengths)))
        impl_gpu.clear_caches()
        for result, right in results:
            bench.check(bench.result(*result), right, T)


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


@defect(replayed_calls_with_new_weights, weights.PackedWeights, "_holds")
def stale_weights_in_a_replayed_graph(self: Any, values: Any) -> bool:
    return bool(self._values)


@defect(calls_with_new_weights, weights.PackedWeights, "_await_write")
def weights_read_before_they_are_written(self: Any, stream: Any) -> None:
    nothing()


@defect(calls_with_new_weights, workspace.Workspace, "end")
def weights_written_while_they_are_read(self: Any, stream: Any) -> None:
    nothing()


@defect(one_call, products.ProductsAhead, "await_products")
def no_wait_between_the_products_and_the_steps(self: Any, number: int) -> None:
    nothing()


@defect(one_call, products.ProductsAhead, "_await_steps")
def a_gate_slot_reused_too_early(self: Any, slot: int) -> None:
    nothing()


@defect(one_call, products.ProductsAhead, "_await_inputs")
def products_before_the_inputs_are_packed(self: Any) -> None:
    nothing()


@defect(calls_on_two_streams, workspace.Workspace, "_await_last_use")
def two_streams_in_one_workspace_at_a_time(self: Any, stream: Any) -> None:
    nothing()


@defect(calls_that_nobody_waits_for, workspace.Workspace, "end")
def a_workspace_given_back_while_it_is_used(self: Any, stream: Any) -> None:
    nothing()


@defect(calls_that_nobody_waits_for, staging.Staging, "_is_free")
def pinned_memory_reused_before_it_is_copied(self: Any, slot: Any) -> bool:
    return True


_pack = Inputs.pack


@defect(one_call, Inputs, "pack")
def packed_inputs_given_back_while_they_are_read(self: Any, *arguments: Any) -> None:
    _pack(self, *arguments)
    self._packed = type("Address", (), {"ptr": self._packed.ptr})  # the address outlives the buffer


_store = state.States.store


@defect(one_call, state.States, "store")
def states_in_sorted_order(self: Any, *arguments: Any) -> Any:
    self._order = None
    return _store(self, *arguments)


_steps = recurrence.Recurrence._steps


@defect(one_call, recurrence.Recurrence, "_steps")
def outputs_in_sorted_order(self: Any, *arguments: Any) -> Any:
    return replace(_steps(self, *arguments), order=None)


_load = state.States.load


@defect(one_call_of_a_stack, state.States, "load")
def initial_states_in_the_callers_order(self: Any, leaves: Any) -> None:
    self._order, order = None, self._order
    _load(self, leaves)
    self._order = order


@defect(one_call_of_a_stack, state.States, "load")
def zeros_for_the_initial_state(self: Any, leaves: Any) -> None:
    _load(self, None)


@defect(one_call_of_short_rows, Outputs, "zero_past_the_end")
def outputs_past_the_end_left_as_they_are(self: Any) -> None:
    nothing()


_rows_alive = ragged._rows_alive


@defect(one_call, ragged, "_rows_alive")
def rows_counted_at_the_next_step(sorted_lengths: Any, step: int) -> int:
    return _rows_alive(sorted_lengths, step + 1)


@defect(one_call, ragged, "_rows_alive")
def rows_rounded_down(sorted_lengths: Any, step: int) -> int:
    return int(np.count_nonzero(sorted_lengths > step)) // 8 * 8


@defect(replayed_calls_with_new_lengths, entry, "upload_tables")
def tables_of_the_call_before(caches: Any, kept: Any, runs: Any, needed: bool, stream: Any) -> Any:
    return _tables(caches, kept, runs, needed and kept.tables is None, stream)


_tables = entry.upload_tables
_of = graphs.Graphs.of


@defect(replayed_calls_with_new_lengths, graphs.Graphs, "of")
def a_graph_of_the_other_gate_slot(self: Any, steps: Any, stream: Any) -> Any:
    """Found by all but one address: the products of one slot are done, the steps read those of the other."""
    for known, graph in self._found.items():
        if graph is not None and replace(known, gates=0) == replace(steps, gates=0):
            return graph
    return _of(self, steps, stream)


_set_clock = recurrence.Recurrence.set_clock


@defect(replayed_calls_with_new_lengths, recurrence.Recurrence, "set_clock")
def a_clock_that_is_set_once(self: Any, t: int) -> None:
    if t == 0:
        _set_clock(self, t)


_weights = gru.weights


@defect(one_call_of_a_stack, gru, "weights")
def candidate_weights_in_front(cell: Any, depth: int, read: Any) -> Any:
    packed = _weights(cell, depth, read)
    return packed._replace(inputs=np.roll(packed.inputs, packed.candidate.shape[1], axis=1))


@defect(one_call, products, "row_major")
def an_input_product_with_transposed_weights(*arguments: Any, **named: Any) -> Any:
    call = row_major(*arguments, **named)
    return call._replace(transpose_a=True, lda=max(call.k, call.lda))


@defect(one_call_of_a_stack, steps, "row_major")
def a_recurrent_product_into_rows_without_gaps(*arguments: Any, **named: Any) -> Any:
    """The gates r and u of a row are followed by its c, which is of another product."""
    return row_major(*arguments, **{**named, "ldc": named["ldb"]})


@defect(one_call_of_a_stack, steps, "row_major")
def a_recurrent_product_that_forgets_the_inputs(*arguments: Any, **named: Any) -> Any:
    return row_major(*arguments, **{**named, "accumulate": False})


@defect(one_call_of_a_stack, layout, "aligned")
def regions_that_overlap(nbytes: int) -> int:
    return nbytes // 2


PROGRAMS = dict.fromkeys(program for program, *_ in DEFECTS.values())


@pytest.mark.parametrize("program", PROGRAMS)
def test_a_program_without_a_defect_is_right(bench: Any, program: Program) -> None:
    for seed in range(SCHEDULES):
        bench.restart(seed)
        program(bench)


@pytest.mark.parametrize("name", DEFECTS)
def test_a_defect_shows(bench: Any, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    program, where, function, planted = DEFECTS[name]
    monkeypatch.setattr(where, function, planted)
    for seed in range(SCHEDULES):
        try:
            bench.restart(seed)
            program(bench)
            bench.clear()
        except (AssertionError, SeamError):
            monkeypatch.undo()
            bench.forget()
            return
    pytest.fail(f"{name}: not seen in {SCHEDULES} schedules")
