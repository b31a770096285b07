"""Tests probe cells: exact, row by row, sensitive to everything they are given, and strict about their options."""

from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import LSTMStateTuple, RNNCell, TensorShape, VariableStore, use_store
from dynamic_rnn_spec.case import PROBES
from dynamic_rnn_spec.wire.probes import FAULTS, NumPyOps, ProbeError, Recorder, make_probe


class Base(RNNCell):
    """What an implementation adds: a zero state."""

    state_size = 0
    output_size = 0

    def zero_state(self, batch_size: Any, dtype: Any) -> Any:
        return ("zeros", batch_size, np.dtype(dtype).name)


def probe(kind: str, recorder: Any = None, **options: Any) -> Any:
    return make_probe(kind, options, Base, NumPyOps(), recorder)


def test_tally_follows_its_definition() -> None:
    cell = probe("Tally", state_size=(1, TensorShape([2])), output_size=[1, TensorShape([])])
    inputs = (np.array([[1.0, 2.0]]), np.array([[3.0]]))
    state = (np.array([[4]], np.int32), np.array([[5.0, 6.0]], np.float32))
    outputs, new = cell(inputs, state)
    row = (1 * (1 + 2) + 2 * 3 + 3 * 1 * 4 + 3 * 2 * (5 + 6) + 1) % 97
    assert new[0].tolist() == [[row]]
    assert new[1].tolist() == [[(row + 11) % 97, (row + 11 + 7) % 97]]
    assert outputs[0].tolist() == [[(row + 1) % 97]]
    assert outputs[1].tolist() == [(row + 6) % 97]
    assert [leaf.dtype.name for leaf in (*new, *outputs)] == ["int32", "float32", "int32", "int32"]
    assert type(outputs) is list


@pytest.mark.parametrize("dtype", ["bool", "int8", "uint8", "float16", "complex64"])
def test_tally_holds_in_every_dtype(dtype: str) -> None:
    cell = probe("Tally", state_size=3, output_size=2, output_dtype="float16")
    outputs, new = cell(np.array([[90.0]]), np.ones((1, 3), dtype))
    assert new.dtype == np.dtype(dtype)
    assert outputs.dtype == np.float16
    row = (90 + 9 + 1) % 97
    expected = [(row + 7 * p) % 97 for p in range(3)]
    assert new.tolist() == [[value % 2 == 1 for value in expected] if dtype == "bool" else expected]


def test_tally_can_override_zero_state_and_records_that_it_was_asked() -> None:
    recorder = Recorder()
    row = (np.array([7], np.int16),)
    cell = probe("Tally", recorder, state_size=(1,), output_size=1, zero_state=row)
    assert cell.zero_state(2, np.float32)[0].tolist() == [[7], [7]]
    assert recorder.events == [{"event": "zero_state", "batch_size": 2, "dtype": "float32"}]
    assert probe("Tally", state_size=1, output_size=1).zero_state(2, "float64") == ("zeros", 2, "float64")


def test_echo_and_last_input_pass_bits_on() -> None:
    wild = np.array([[np.nan, -0.0]], np.float32)
    outputs, state = probe("Echo", sizes=TensorShape([2]))(wild, np.zeros((1, 1), np.int32))
    assert outputs.tobytes() == wild.tobytes()
    assert state.tolist() == [[1]]
    old = np.zeros((1, 2), np.float32)
    assert probe("LastInput", size=TensorShape([2]))(wild, old) == (old, wild)


def test_scalar_counter_has_a_leaf_without_batch() -> None:
    cell = probe("ScalarCounter")
    state = cell.zero_state(2, np.float32)
    assert state[0].shape == ()
    outputs, new = cell(np.zeros((2, 1)), state)
    assert new[0] == 1
    assert [leaf.tolist() for leaf in outputs] == [[[1], [1]], [[1], [1]]]


def test_affine_has_weights_by_name() -> None:
    with use_store(VariableStore({"my_cell/kernel": np.full((1, 1), 2, np.float32)})) as store:
        cell = probe("Affine", units=1, class_name="MyCell")
        store.load({"my_cell/recurrent": np.full((1, 1), 3, np.float32), "my_cell/bias": np.full(1, 90, np.float32)})
        outputs, _ = cell(np.full((1, 1), 4, np.float32), np.full((1, 1), 5, np.float32))
    assert outputs.tolist() == [[(8 + 15 + 90) % 97]]
    assert list(store.variables) == ["my_cell/kernel", "my_cell/recurrent", "my_cell/bias"]


@pytest.mark.parametrize("fault", FAULTS)
def test_each_fault_of_rogue_shows(fault: str) -> None:
    state = (np.zeros((1, 2), np.float32), np.zeros((1, 2), np.float32))
    if fault == "raises":
        with pytest.raises(ProbeError, match="on purpose"):
            probe("Rogue", fault=fault, units=2)(np.zeros((1, 1)), state)
        return
    answer = probe("Rogue", fault=fault, units=2)(np.zeros((1, 1)), state)
    broken = answer[0] if fault.startswith("output") else answer[1]
    sound = answer[1] if fault.startswith("output") else answer[0]
    described = [(type(part), [(leaf.shape, leaf.dtype.name) for leaf in part]) for part in (broken, sound, state)]
    assert described[1] == described[2]
    assert described[0] != described[2]


def test_the_recorder_keeps_copies_and_the_way_of_calling() -> None:
    recorder = Recorder()
    cell = probe("Echo", recorder, sizes=(TensorShape([1]),))
    x = np.zeros((1, 1))
    cell((x,), np.zeros((1, 1)))
    x[0, 0] = 9
    (event,) = recorder.events
    assert (event["event"], event["positional"], event["keywords"]) == ("call", 2, [])
    assert event["inputs"][0].tolist() == [[0]]
    recorder.start()
    assert (recorder.events, recorder.calls) == ([], 0)


def test_unknown_kinds_and_options_are_refused() -> None:
    with pytest.raises(ValueError, match="no probe of kind 'Loud'; there are " + ", ".join(PROBES)):
        probe("Loud")
    with pytest.raises(ValueError, match=r"Echo has no options \['size'\]"):
        probe("Echo", size=1)
    with pytest.raises(ValueError, match="Rogue has no fault 'none'"):
        probe("Rogue", fault="none", units=1)(np.zeros((1, 1)), (np.zeros((1, 1)), np.zeros((1, 1))))


def test_namedtuple_sizes_are_kept() -> None:
    cell = probe("Tally", state_size=LSTMStateTuple(1, 1), output_size=1)
    _, new = cell(np.zeros((1, 1)), LSTMStateTuple(np.zeros((1, 1)), np.zeros((1, 1))))
    assert type(new) is LSTMStateTuple
