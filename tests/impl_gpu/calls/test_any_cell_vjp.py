"""Tests gradients of cells that go step by step: a user's own, and built-in ones with functions of the user's."""

from typing import Any

import numpy as np
import pytest

import impl_gpu
import impl_ref
from dynamic_rnn_spec import RNNCell, VariableStore, array_module, use_store
from dynamic_rnn_spec.initializers import Constant
from dynamic_rnn_spec.vocabulary.structure import flatten
from impl_gpu.device.host import HostDevice

ULPS = 64 * np.finfo(np.float64).eps
LENGTHS = [4, 0, 2]


class Counting(RNNCell):
    """h' = tanh(x w + h), the output being 1.5 h'; beside h a count of whole numbers, which has no gradient."""

    state_size = (2, 1)
    output_size = 2

    def __init__(self, pull_of: Any = None) -> None:
        super().__init__()
        self._pull_of = pull_of

    def build(self, inputs_shape: Any) -> None:
        self._w = self.add_variable("w", [inputs_shape[1], 2], initializer=Constant(0.5))
        self._steps = self.add_variable("steps", [1], np.int32, Constant(3))

    def call(self, inputs: Any, state: Any) -> Any:
        return self.call_vjp(inputs, state)[0]

    def call_vjp(self, inputs: Any, state: Any) -> Any:
        xp = array_module(inputs)
        w, (h, count) = self._w.read(inputs), state
        new = xp.tanh(xp.dot(inputs, w) + h)

        def pull(d_output: Any, d_state: Any) -> Any:
            d_new = (1.5 * d_output + d_state[0]) * (1 - new * new)
            d_variables = {self._w: xp.dot(inputs.T, d_new), self._steps: None}
            gradients = (xp.dot(d_new, w.T), (d_new, None), d_variables)
            return gradients if self._pull_of is None else self._pull_of(gradients)

        return (1.5 * new, (new, count + 1)), pull


def state() -> Any:
    return np.full((3, 2), 0.25), np.array([[1], [2], [3]], np.int32)


def call(package: Any, cell: Any, **arguments: Any) -> Any:
    x = np.linspace(-1, 1, 3 * 4 * 2).reshape(3, 4, 2)
    with use_store(VariableStore(seed=1)):
        return package.dynamic_rnn_vjp(cell, x, dtype="float64", **{"sequence_length": LENGTHS, **arguments})


def pulled(package: Any, make: Any, **arguments: Any) -> list[Any]:
    """Outputs, states and gradients as NumPy, in one row."""
    (outputs, final), vjp = call(package, make(package), **arguments)
    d_outputs = np.linspace(-2, 1, int(np.prod(outputs.shape))).reshape(outputs.shape)
    gradients = vjp(d_outputs, None)
    parts = [outputs, *flatten(final), *flatten(gradients.inputs), *flatten(gradients.initial_state)]
    names = sorted(gradients.variables)
    return [*names, *(_numpy(part) for part in [*parts, *(gradients.variables[name] for name in names)])]


def _numpy(value: Any) -> Any:
    return value.get() if hasattr(value, "get") else value


def assert_alike(got: list[Any], wanted: list[Any]) -> None:
    assert len(got) == len(wanted)
    for one, other in zip(got, wanted, strict=True):
        if isinstance(other, np.ndarray):
            assert one.dtype == other.dtype
            np.testing.assert_allclose(one, other, rtol=ULPS, atol=ULPS)
        else:
            assert one == other


def test_a_users_cell_pulls_back_as_on_the_reference(device: HostDevice) -> None:
    ours = pulled(impl_gpu, lambda _: Counting(), initial_state=state())
    assert_alike(ours, pulled(impl_ref, lambda _: Counting(), initial_state=state()))
    device.finish()


class Scribbling(Counting):
    """Its pull writes into what it is given."""

    def call_vjp(self, inputs: Any, state: Any) -> Any:
        result, pull = super().call_vjp(inputs, state)

        def scribbling(d_output: Any, d_state: Any) -> Any:
            gradients = pull(d_output, d_state)
            d_output *= 3
            d_state[0][...] = 7
            return gradients

        return result, scribbling


@pytest.mark.parametrize("package", [impl_ref, impl_gpu])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_a_pull_may_write_into_what_it_is_given(package: Any, lengths: Any, device: HostDevice) -> None:
    """The cotangents stay the caller's, and another pull gives the same [GRAD-19]."""
    entered = device.enter if package is impl_gpu else np.array
    d_outputs, d_h = entered(np.ones((3, 4, 2))), entered(np.ones((3, 2)))
    found = []
    for cell in (Counting(), Scribbling()):
        _, vjp = call(package, cell, sequence_length=lengths, initial_state=state())
        found += [_numpy(vjp(d_outputs, (d_h, None)).initial_state[0]) for _ in range(2)]
    assert all(one.tobytes() == found[0].tobytes() for one in found)
    assert (_numpy(d_outputs) == 1).all()
    assert (_numpy(d_h) == 1).all()


@pytest.mark.parametrize("package", [impl_ref, impl_gpu])
@pytest.mark.parametrize("path", ["auto", "cell"])
@pytest.mark.parametrize("lengths", [None, LENGTHS])
def test_the_initial_state_may_be_written_to_before_the_pull(
    package: Any, path: str, lengths: Any, device: HostDevice
) -> None:
    entered = device.enter if package is impl_gpu else np.array
    found = []
    for value in (0.25, 100.0):
        h = entered(np.full((3, 2), 0.25))
        with impl_gpu.options(path=path):
            cell = package.GRUCell(2) if path == "auto" else Counting()
            given = h if path == "auto" else (h, entered(state()[1]))
            (outputs, _), vjp = call(package, cell, sequence_length=lengths, initial_state=given)
        h[...] = value
        found.append(_numpy(vjp(outputs, None).inputs).tobytes())
    assert found[0] == found[1]


def test_whole_numbers_have_no_gradient(device: HostDevice) -> None:
    _, vjp = call(impl_gpu, Counting(), initial_state=state())
    gradients = vjp(None, None)
    assert gradients.initial_state[1] is None
    assert gradients.variables["rnn/counting/steps"] is None
    assert not gradients.variables["rnn/counting/w"].get().any()


def cubed(x: Any) -> Any:
    return x * x * x


setattr(cubed, "vjp", lambda x: (cubed(x), lambda d: 3 * d * x * x))  # noqa: B010  # a function has no such attribute


@pytest.mark.parametrize(
    "make",
    [
        lambda rnn: rnn.LSTMCell(3, activation=cubed, use_peepholes=True, cell_clip=0.3, num_proj=2, proj_clip=0.1),
        lambda rnn: rnn.BasicLSTMCell(2, activation=cubed, state_is_tuple=False),
        lambda rnn: rnn.ResidualWrapper(rnn.MultiRNNCell([rnn.GRUCell(2, cubed), rnn.BasicRNNCell(2, cubed)])),
        lambda rnn: rnn.MultiRNNCell([rnn.BasicLSTMCell(2, state_is_tuple=False, activation=cubed)] * 2, False),
    ],
)
def test_an_activation_with_a_vjp_pulls_back_as_on_the_reference(device: HostDevice, make: Any) -> None:
    assert_alike(pulled(impl_gpu, make), pulled(impl_ref, make))


def test_the_path_is_told(device: HostDevice) -> None:
    _, vjp = call(impl_gpu, Counting(), initial_state=state())
    assert (vjp.memory.path, vjp.memory.saved_bytes) == ("any-cell", None)
    assert vjp.memory.decision.endswith("can't be moved (a cell of type Counting)")
    drops = impl_gpu.DropoutWrapper(impl_gpu.GRUCell(2), state_keep_prob=0.5)
    _, vjp = call(impl_gpu, drops, swap_memory=True)
    assert vjp.memory.decision.endswith("can't be moved (gradients through dropout of states)")
    assert impl_gpu.training_bytes(drops, (3, 4, 2), "float64").decision == vjp.memory.decision
    _, vjp = call(impl_gpu, impl_gpu.LSTMCell(2))
    assert vjp.memory.path == "fused"


@pytest.mark.parametrize(
    ("spoilt", "kind", "said"),
    [
        (
            lambda g: g[:2],
            TypeError,
            r"\(d_inputs, d_state, d_variables\) from the pull of call_vjp.*, got a tuple of 2 ",
        ),
        (lambda g: (g[0], g[1], None), TypeError, "d_variables a dict, got a tuple of 3 whose last is None "),
        (lambda g: (g[0][:, :1], *g[1:]), ValueError, r"shape \(3, 2\) in d_inputs of its pull, got \(3, 1\)"),
        (lambda g: (g[0].astype("float32"), *g[1:]), TypeError, "dtype float64 in d_inputs of its pull, got float32"),
        (lambda g: (1.0, *g[1:]), TypeError, "an array in d_inputs of its pull"),
        (lambda g: (g[0], g[1][:1], g[2]), ValueError, "2 gradients in d_state of its pull, got 1"),
        (lambda g: (*g[:2], {name: d[:1] for name, d in g[2].items() if d is not None}), ValueError, "counting/w"),
    ],
)
def test_what_a_pull_gives_is_checked(device: HostDevice, spoilt: Any, kind: Any, said: str) -> None:
    _, vjp = call(impl_gpu, Counting(spoilt), initial_state=state())
    with pytest.raises(kind, match=said):
        vjp(None, None)


class Told(Counting):
    """Its call_vjp gives what it is told, from the pair and the pull that there were."""

    def __init__(self, give: Any) -> None:
        super().__init__()
        self._give = give

    def call_vjp(self, inputs: Any, state: Any) -> Any:
        return self._give(*super().call_vjp(inputs, state))


@pytest.mark.parametrize("package", [impl_ref, impl_gpu])
@pytest.mark.parametrize(
    ("give", "got"),
    [
        (lambda pair, pull: None, "None"),
        (lambda pair, pull: pair, "a tuple of 2 whose last is a tuple of 2"),
        (lambda pair, pull: (pair, None), "a tuple of 2 whose last is None"),
        (lambda pair, pull: (*pair, pull), "a tuple of 3"),
    ],
)
def test_a_call_vjp_without_a_pull_is_told_so(
    device: HostDevice, refused: Any, package: Any, give: Any, got: str
) -> None:
    wanted = "((output, new_state), pull) from call_vjp, pull a function"
    with refused(TypeError, "cell", wanted, got, "GRAD-5"):
        call(package, Told(give), initial_state=state())


@pytest.mark.parametrize("package", [impl_ref, impl_gpu])
@pytest.mark.parametrize("around", [lambda rnn, cell: cell, lambda rnn, cell: rnn.MultiRNNCell([rnn.GRUCell(2), cell])])
def test_a_variable_without_a_key_is_refused_and_none_is_zeros(
    device: HostDevice, refused: Any, package: Any, around: Any
) -> None:
    def pulled_with(d_variables: Any) -> Any:
        cell = around(package, Counting(lambda g: (*g[:2], d_variables(g[2]))))
        start = state() if isinstance(cell, Counting) else (np.zeros((3, 2)), state())
        return cell, call(package, cell, initial_state=start)[1]

    cell, vjp = pulled_with(lambda d: {})
    name = cell.variables[-2].name
    wanted = f"a gradient, or None, for {name} from the pull of call_vjp"
    with refused(ValueError, "cell", wanted, "no such key", "GRAD-3"):
        vjp(None, None)
    _, vjp = pulled_with(lambda d: dict.fromkeys(d))
    found = vjp(None, None).variables
    assert _numpy(found[name]).tolist() == [[0, 0], [0, 0]]
    assert found[cell.variables[-1].name] is None


@pytest.mark.parametrize("package", [impl_ref, impl_gpu])
@pytest.mark.parametrize("silent", [0, 1, 2])
def test_a_stack_sums_what_its_cells_say_and_none_adds_nothing(device: HostDevice, package: Any, silent: int) -> None:
    """Of cells that share a variable one may have no gradient for it at a step [GRAD-16]."""

    class Sharing(Counting):
        calls = 0

        def call_vjp(self, inputs: Any, state: Any) -> Any:
            index, self.calls = self.calls % 2, self.calls + 1
            result, pull = super().call_vjp(inputs, state)

            def sharing(d_output: Any, d_state: Any) -> Any:
                d_inputs, d_old, d_variables = pull(d_output, d_state)
                if silent in (index, 2):
                    d_variables = dict.fromkeys(d_variables)
                else:
                    d_variables[self._w] = array_module(inputs).ones_like(d_variables[self._w])
                return d_inputs, d_old, d_variables

            return result, sharing

    cell = Sharing()
    _, vjp = call(package, package.MultiRNNCell([cell, cell]), initial_state=(state(), state()), sequence_length=None)
    found = vjp(None, None).variables
    (name,) = [name for name in found if name.endswith("/w")]
    assert _numpy(found[name]).tolist() == [[0 if silent == 2 else 4] * 2] * 2
