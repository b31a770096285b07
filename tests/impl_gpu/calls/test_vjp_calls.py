"""Tests dynamic_rnn_vjp as its caller sees it: what it refuses at no cost, what it takes and gives, on which stream."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

import impl_gpu
from dynamic_rnn_spec import LSTMStateTuple, RNNCell, VariableStore, use_store
from dynamic_rnn_spec.vocabulary.structure import flatten
from impl_gpu import GRUCell, LSTMCell, MultiRNNCell, ResidualWrapper, dynamic_rnn_vjp, launch_log, options
from impl_gpu.device import use_device
from impl_gpu.device.host import HostDevice
from impl_gpu.device.host_array_memory import view
from impl_gpu.device.log import LaunchLog

B, T, D, N = 3, 4, 2, 3
LENGTHS = [4, 0, 2]
PATHS = ["auto", "cell"]
NO_VJP = "a function with an attribute vjp, by which gradients are pulled back"


class Forward(RNNCell):
    """A user's cell that can't be trained; it is never to be called."""

    state_size = output_size = N

    def call(self, inputs: Any, state: Any) -> Any:
        raise AssertionError("a refused call has run the cell")


class Halved(LSTMCell):
    """A built-in cell whose step is another one."""

    def call(self, inputs: Any, state: Any) -> Any:
        raise AssertionError("a refused call has run the cell")


class Lent:
    """An array as another library lends it, by DLPack."""

    def __init__(self, array: Any) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self) -> Any:
        return view(self.array).__dlpack__()


def numbers(*shape: int, dtype: str = "float32") -> Any:
    return np.random.default_rng(sum(shape)).normal(size=shape).astype(dtype)


def call(cell: Any = None, path: str = "auto", **arguments: Any) -> Any:
    given = {"inputs": numbers(B, T, D), "dtype": "float32", **arguments}
    with options(path=path):
        return dynamic_rnn_vjp(LSTMCell(N) if cell is None else cell, given.pop("inputs"), **given)


def bits(gradients: Any) -> list[bytes]:
    named = [gradients.variables[name] for name in sorted(gradients.variables)]
    leaves = flatten((gradients.inputs, gradients.initial_state, named))
    return [leaf.get().tobytes() for leaf in leaves if leaf is not None]


def is_empty(log: LaunchLog) -> bool:
    return str(log) == "" and not log.notes


def test_names_and_signature_are_those_of_dynamic_rnn() -> None:
    names, others = (function.__code__.co_varnames[:9] for function in (impl_gpu.dynamic_rnn, dynamic_rnn_vjp))
    assert names == others
    assert impl_gpu.dynamic_rnn.__defaults__ == dynamic_rnn_vjp.__defaults__
    for text in ("GRAD-20", "GRAD-21", "swap_memory", "parallel_iterations", "vjp.memory"):
        assert text in str(dynamic_rnn_vjp.__doc__)


@pytest.mark.parametrize("wrap", [lambda cell: cell, lambda cell: MultiRNNCell([GRUCell(D), ResidualWrapper(cell)])])
@pytest.mark.parametrize("cell", [Forward, lambda: Halved(N)])
def test_a_cell_that_can_not_pull_back_is_refused_at_no_cost(
    cell: Callable[[], Any], wrap: Callable[[Any], Any], refused: Any, store: VariableStore
) -> None:
    one = cell()
    wanted = "a cell with a method call_vjp(inputs, state) written for its call"
    with launch_log() as log, refused(TypeError, "cell", wanted, f"{type(one).__name__} without one", "GRAD-20"):
        call(wrap(one))
    assert is_empty(log)
    assert not store.variables


@pytest.mark.parametrize(
    ("cell", "argument"),
    [
        (lambda f: LSTMCell(N, activation=f), "activation"),
        (lambda f: MultiRNNCell([GRUCell(N), GRUCell(N, activation=f)]), "activation"),
        (lambda f: ResidualWrapper(GRUCell(D), f), "residual_fn"),
    ],
)
def test_a_function_that_can_not_pull_back_is_refused_at_no_cost(cell: Any, argument: str, refused: Any) -> None:
    def function(*values: Any) -> Any:
        raise AssertionError("a refused call has run the function")

    got = "an object of type function, which has none"
    with launch_log() as log, refused(TypeError, argument, NO_VJP, got, "GRAD-20"):
        call(cell(function))
    assert is_empty(log)


@pytest.mark.parametrize(
    ("d_outputs", "d_state", "kind", "argument", "wanted", "got"),
    [
        (numbers(B, T, 1), None, ValueError, "d_outputs", "shape (3, 4, 3)", "(3, 4, 1)"),
        (numbers(B, T, N, dtype="float64"), None, TypeError, "d_outputs", "dtype float32", "float64"),
        (1.0, None, TypeError, "d_outputs", "an array of shape (3, 4, 3)", "1.0"),
        (None, [None, None], TypeError, "d_state", "a LSTMStateTuple", "a list"),
        (None, (None,), ValueError, "d_state", "the 2 parts .c, .h", "[0]"),
        (None, (None, numbers(B, 2)), ValueError, "d_state", "shape (3, 3) at .h", "(3, 2)"),
        (None, numbers(B, N), TypeError, "d_state", "a LSTMStateTuple", "an array of shape (3, 3)"),
    ],
)
@pytest.mark.parametrize("path", PATHS)
def test_cotangents_of_another_form_are_refused_at_no_cost(
    d_outputs: Any, d_state: Any, kind: Any, argument: str, wanted: str, got: str, path: str, refused: Any
) -> None:
    _, vjp = call(path=path)
    with launch_log() as log, refused(kind, argument, wanted, got, "GRAD-21"):
        vjp(d_outputs, d_state)
    assert is_empty(log)
    assert all(np.frombuffer(part, "f4").any() for part in bits(vjp(numbers(B, T, N), None))), "it can be pulled still"


@pytest.mark.parametrize("path", PATHS)
def test_cotangents_enter_from_anywhere(path: str, device: Any) -> None:
    d_y, d_c, d_h = numbers(B, T, N), numbers(B, N), numbers(N, B).T
    _, vjp = call(path=path, sequence_length=LENGTHS, initial_state=(numbers(B, N), numbers(B, N)))
    wanted = bits(vjp(d_y, LSTMStateTuple(d_c, d_h)))
    on_device = [device.enter(np.array(d)) for d in (d_y, d_c, d_h)]
    with launch_log() as log:
        gradients = vjp(on_device[0], tuple(on_device[1:]))
    assert log.count("put", "upload") == (path == "cell"), "the rows' lengths alone, where each pull has its own"
    assert bits(gradients) == wanted
    assert bits(vjp(Lent(on_device[0]), (Lent(on_device[1]), d_h))) == wanted
    wide = device.enter(np.repeat(d_y, 2, axis=2))[:, :, ::2]
    assert bits(vjp(wide, (d_c, d_h))) == wanted
    assert [d.get().tobytes() for d in on_device] == [np.ascontiguousarray(d).tobytes() for d in (d_y, d_c, d_h)]


@pytest.mark.parametrize("path", PATHS)
@pytest.mark.parametrize("steps", [T, 0])
def test_every_gradient_is_a_new_array_in_the_form_of_what_was_given(path: str, steps: int, device: Any) -> None:
    state, d_state = ([device.enter(numbers(B, N)) for _ in "ch"] for _ in "ab")
    x, d_y = device.enter(numbers(B, steps, D)), device.enter(numbers(B, steps, N))
    (outputs, final), vjp = call(path=path, inputs=x, initial_state=tuple(state), sequence_length=[min(steps, 2)] * B)
    pulls = [vjp(d_y, tuple(d_state)) for _ in range(2)]
    assert bits(pulls[0]) == bits(pulls[1])
    assert type(pulls[0].initial_state) is tuple
    assert (pulls[0].inputs.shape, pulls[0].inputs.dtype) == (x.shape, x.dtype)
    arrays = [*flatten((outputs, final)), x, d_y, *state, *d_state]
    for gradients in pulls:
        arrays += flatten((gradients.inputs, gradients.initial_state, list(gradients.variables.values())))
    addresses = [array.data.ptr for array in arrays if array.size]
    assert len(set(addresses)) == len(addresses)
    if steps == 0:
        assert bits(pulls[0])[1:3] == [d.get().tobytes() for d in d_state]  # GRAD-22


@pytest.mark.parametrize("path", PATHS)
def test_without_an_initial_state_it_has_no_gradient(path: str) -> None:
    _, vjp = call(path=path)
    gradients = vjp(None, None)
    assert gradients.initial_state is None
    assert sorted(gradients.variables) == ["rnn/lstm_cell/bias", "rnn/lstm_cell/kernel"]
    assert not any(np.frombuffer(part, "f4").any() for part in bits(gradients))


@pytest.mark.parametrize("path", PATHS)
def test_a_pull_on_another_stream_finds_what_the_call_has_made(path: str, device: Any) -> None:
    answers = set()
    for seed in range(8):
        device.restart(seed)
        with use_store(VariableStore(seed=3)):
            stream = device.new_stream()
            with device.stream(stream):
                _, vjp = call(path=path, sequence_length=LENGTHS, parallel_iterations=2)
            gradients = vjp(device.enter(numbers(B, T, N)), None)
            del vjp
            answers.add(tuple(bits(gradients)))
    assert len(answers) == 1


@pytest.mark.parametrize("path", PATHS)
def test_a_pull_runs_on_the_device_of_its_call(path: str, device: Any) -> None:
    _, vjp = call(path=path)
    d_y, other = numbers(B, T, N), HostDevice(0)
    with use_device(other):
        elsewhere = vjp(d_y, None)
    assert other.live() == []
    assert bits(elsewhere) == bits(vjp(d_y, None))


@pytest.mark.parametrize("path", PATHS)
def test_the_host_waits_for_nothing(path: str, device: Any) -> None:
    x, d_y = device.enter(numbers(B, T, D)), device.enter(numbers(B, T, N))
    with launch_log() as log:
        _, vjp = call(path=path, inputs=x, sequence_length=LENGTHS)
        vjp(d_y, None)
    assert log.count("synchronize") == 0
    assert log.count("get") == 0


def test_swapping_moves_nothing_of_a_cell_that_goes_step_by_step() -> None:
    _, vjp = call(path="cell", swap_memory=True)
    assert (vjp.memory.path, vjp.memory.host_bytes, vjp.memory.moved_bytes) == ("any-cell", 0, 0)
