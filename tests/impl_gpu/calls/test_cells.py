"""Tests the cells by themselves: options, scopes and one step, on NumPy arrays, on the device and on shapes only."""

from typing import Any

import ml_dtypes
import numpy as np
import pytest

from dynamic_rnn_spec import LSTMStateTuple, VariableStore, use_store, variable_scope
from dynamic_rnn_spec.initializers import Ones, RandomUniform
from dynamic_rnn_spec.vocabulary.structure import flatten, map_structure
from impl_gpu import (
    AUTO_REUSE,
    BasicLSTMCell,
    BasicRNNCell,
    DeviceWrapper,
    DropoutWrapper,
    GRUCell,
    LSTMCell,
    MultiRNNCell,
    ResidualWrapper,
    RNNCell,
    dynamic_rnn,
    new_sequence,
    options,
    zero_state,
)
from impl_gpu.abstract import Abstract, is_abstract
from impl_gpu.cells.noise import UniformNoise
from impl_gpu.cells.shapes import why_not_on_shapes

B, T, D, N = 3, 4, 5, 2


def sigmoid(z: Any) -> Any:
    return 1 / (1 + np.exp(-z))


def wide(cell: Any, name: str) -> Any:
    """A variable of the cell by the end of its name, in float64; parts joined."""
    parts = [np.float64(v.value) for v in cell.variables if f"{name}/part_" in v.name or v.name.endswith(name)]
    return np.concatenate(parts)


def lstm(cell: Any, x: Any, c: Any, m: Any, forget_bias: float, **more: Any) -> Any:
    """The LSTM of the page, gate by gate, in float64."""
    i, j, f, o = np.split(np.hstack([x, m]) @ wide(cell, "cell/kernel") + wide(cell, "bias"), 4, axis=1)
    if more.get("peepholes"):
        i, f = i + c * wide(cell, "w_i_diag"), f + c * wide(cell, "w_f_diag")
    c = sigmoid(f + forget_bias) * c + sigmoid(i) * np.tanh(j)
    c = np.clip(c, -more["clip"], more["clip"]) if "clip" in more else c
    o = o + c * wide(cell, "w_o_diag") if more.get("peepholes") else o
    m = sigmoid(o) * np.tanh(c)
    if "proj_clip" in more:
        m = np.clip(m @ wide(cell, "projection/kernel"), -more["proj_clip"], more["proj_clip"])
    return c, m


def basic_rnn(cell: Any, x: Any, h: Any) -> Any:
    return np.tanh(np.hstack([x, h]) @ wide(cell, "kernel") + wide(cell, "bias"))


def gru(cell: Any, x: Any, h: Any) -> Any:
    r, u = np.split(sigmoid(np.hstack([x, h]) @ wide(cell, "gates/kernel") + wide(cell, "gates/bias")), 2, axis=1)
    c = np.tanh(np.hstack([x, r * h]) @ wide(cell, "candidate/kernel") + wide(cell, "candidate/bias"))
    return u * h + (1 - u) * c


class Given:
    """The arrays of one step, in float64; ``draw`` gives more."""

    def __init__(self) -> None:
        self.rng = np.random.RandomState(0)
        self.x, self.c, self.h = self.draw(B, D), self.draw(B, N), self.draw(B, N)

    def draw(self, *shape: int) -> Any:
        return self.rng.uniform(-1, 1, shape)


@pytest.fixture
def given() -> Given:
    return Given()


@pytest.fixture(params=["numpy", "device"])
def place(request: Any, device: Any) -> Any:
    """A function that puts the arrays of a structure in float32 on NumPy or on the device."""
    put = {"numpy": np.float32, "device": lambda leaf: device.enter(np.float32(leaf))}[request.param]
    return lambda structure: map_structure(put, structure)


def got(structure: Any) -> Any:
    """The leaves of a structure as NumPy arrays of float32."""
    leaves = [leaf.get() if hasattr(leaf, "get") else leaf for leaf in flatten(structure)]
    assert {leaf.dtype for leaf in leaves} == {np.dtype("float32")}
    return leaves


def assert_close(structure: Any, *wanted: Any) -> None:
    for leaf, value in zip(got(structure), wanted, strict=True):
        assert leaf.shape == value.shape
        np.testing.assert_allclose(leaf, value, rtol=0, atol=1e-6)


def test_basic_rnn(given: Given, place: Any) -> None:
    cell = BasicRNNCell(N)
    result = cell(place(given.x), place(given.h))
    h = basic_rnn(cell, np.float32(given.x), np.float32(given.h))
    assert_close(result, h, h)
    assert [v.name for v in cell.variables] == ["basic_rnn_cell/kernel", "basic_rnn_cell/bias"]


def test_gru(given: Given, place: Any) -> None:
    cell = GRUCell(N, kernel_initializer=RandomUniform(-1, 1), bias_initializer=RandomUniform(-1, 1))
    result = cell(place(given.x), place(given.h))
    h = gru(cell, np.float32(given.x), np.float32(given.h))
    assert_close(result, h, h)
    names = [v.name.split("/", 1)[1] for v in cell.variables]
    assert names == ["gates/kernel", "gates/bias", "candidate/kernel", "candidate/bias"]


def test_the_gates_of_a_gru_start_open(given: Given) -> None:
    cell = GRUCell(N)
    cell(np.float32(given.x), np.float32(given.h))
    assert [v.value.tolist() for v in cell.variables[1::2]] == [[1] * 2 * N, [0] * N]


@pytest.mark.parametrize("as_tuple", [True, False])
def test_basic_lstm(as_tuple: bool, given: Given, place: Any) -> None:
    cell = BasicLSTMCell(N, forget_bias=0.25, state_is_tuple=as_tuple)
    state = (given.c, given.h) if as_tuple else np.hstack([given.c, given.h])
    output, new_state = cell(place(given.x), place(state))
    c, h = lstm(cell, np.float32(given.x), given.c, np.float32(given.h), 0.25)
    assert_close(output, h)
    assert_close(new_state, *((c, h) if as_tuple else (np.hstack([c, h]),)))
    assert isinstance(new_state, LSTMStateTuple) is as_tuple


@pytest.mark.parametrize("as_tuple", [True, False])
def test_lstm_with_all_options(as_tuple: bool, given: Given, place: Any) -> None:
    p = 3
    cell = LSTMCell(
        N,
        use_peepholes=True,
        cell_clip=0.4,
        initializer=RandomUniform(-1, 1),
        num_proj=p,
        proj_clip=0.1,
        num_unit_shards=3,
        num_proj_shards=2,
        state_is_tuple=as_tuple,
    )
    m = given.draw(B, p)
    output, new_state = cell(place(given.x), place((given.c, m) if as_tuple else np.hstack([given.c, m])))
    c, m = lstm(cell, np.float32(given.x), given.c, np.float32(m), 1, peepholes=True, clip=0.4, proj_clip=0.1)
    assert_close(output, m)
    assert_close(new_state, *((c, m) if as_tuple else (np.hstack([c, m]),)))
    names = [v.name.split("/", 1)[1] for v in cell.variables]
    parts = [f"kernel/part_{k}" for k in range(3)]
    assert names == [
        *parts, "bias", "w_f_diag", "w_i_diag", "w_o_diag", "projection/kernel/part_0", "projection/kernel/part_1"
    ]  # fmt: skip
    assert np.abs(c).max() == 0.4
    assert np.abs(m).max() == 0.1


def test_an_activation_is_the_user_s(given: Given, place: Any) -> None:
    cell = BasicRNNCell(N, activation=lambda z: z * 2)
    result = cell(place(given.x), place(given.h))
    h = 2 * np.arctanh(basic_rnn(cell, np.float32(given.x), np.float32(given.h)))
    assert_close(result, h, h)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float64"])
@pytest.mark.parametrize(
    "make",
    [
        BasicRNNCell,
        GRUCell,
        BasicLSTMCell,
        lambda n: LSTMCell(n, True, 0.5, num_proj=3, proj_clip=0.25),
        lambda n: DropoutWrapper(ResidualWrapper(LSTMCell(D)), 0.5, 0.5, 0.5, seed=1),
    ],
)
def test_a_step_stays_in_its_dtype(make: Any, dtype: str, device: Any) -> None:
    made = np.dtype(ml_dtypes.bfloat16) if dtype == "bfloat16" else np.dtype(dtype)
    cell = make(N)
    output, state = cell(device.enter(np.ones((B, D), made)), zero_state(cell, B, dtype))
    assert {leaf.dtype for leaf in [output, *flatten(state)]} == {made}
    assert {v.dtype for v in cell.variables} == {made}


# --- wrappers and stacks --------------------------------------------------------------------------------------------


ONES = np.ones((B, 2), "f4")


class Plus(RNNCell):
    """Adds one to its inputs, and two to its state, an LSTMStateTuple."""

    @property
    def state_size(self) -> Any:
        return LSTMStateTuple(N, N)

    output_size = N

    def call(self, inputs: Any, state: Any) -> Any:
        return inputs + 1, LSTMStateTuple(state.c + 2, state.h + 2)


def test_a_residual_adds_or_asks(place: Any) -> None:
    x, state = place(np.full((B, N), 3.0)), place(LSTMStateTuple(np.zeros((B, N)), np.zeros((B, N))))
    output, new_state = ResidualWrapper(Plus())(x, state)
    assert_close(output, np.full((B, N), 7.0))
    assert_close(new_state, *[np.full((B, N), 2.0)] * 2)
    output, _ = ResidualWrapper(Plus(), lambda i, o: o - i)(x, state)
    assert_close(output, np.ones((B, N)))


@pytest.mark.parametrize(
    ("inputs", "outputs", "kind", "got_words"),
    [
        (ONES, np.ones((B, 3), "f4"), ValueError, "shapes (3, 2) and (3, 3)"),
        (ONES, np.ones((B, 2), "f8"), TypeError, "dtypes float32 and float64"),
        ((ONES,), [ONES], TypeError, "at the top: tuple against list"),
        ((ONES,), ONES, ValueError, "at the top: tuple of 1 against a single ndarray"),
        (ONES, 3.0, TypeError, "3.0"),
    ],
)
def test_a_residual_adds_like_to_like_only(inputs: Any, outputs: Any, kind: Any, got_words: str, refused: Any) -> None:
    class Fixed(RNNCell):
        state_size = output_size = 2

        def call(self, inputs: Any, state: Any) -> Any:
            return outputs, state

    with refused(kind, "inputs", "inputs and outputs that add up leaf by leaf", got_words, "EQ-11"):
        ResidualWrapper(Fixed())(inputs, None)


def noise_of(values: dict[str, list[Any]], asked: list[Any]) -> Any:
    """A source of noise that gives these values, and notes what it was asked."""

    def uniform(purpose: str, leaf: int, shape: Any, dtype: Any) -> Any:
        asked.append((purpose, leaf, shape, np.dtype(dtype).name))
        return np.broadcast_to(np.asarray(values[purpose][leaf], dtype), shape)

    return uniform


def test_dropout_drops_inputs_h_and_output(place: Any) -> None:
    asked: list[Any] = []
    cell = DropoutWrapper(Plus(), input_keep_prob=0.5, output_keep_prob=0.25, state_keep_prob=0.75)
    cell.uniform = noise_of({"input": [[0.4, 0.5]], "state": [None, [0.2, 0.25]], "output": [[0.75, 0.7]]}, asked)
    x, state = place(np.full((B, N), 3.0)), place(LSTMStateTuple(np.zeros((B, N)), np.zeros((B, N))))
    output, new_state = cell(x, state)
    assert_close(output, np.broadcast_to([4.0, 0.0], (B, N)))
    assert_close(new_state, np.full((B, N), 2.0), np.broadcast_to([0.0, 2 / 0.75], (B, N)))
    assert asked == [(p, k, (B, N), "float32") for p, k in (("input", 0), ("state", 1), ("output", 0))]


def test_a_probability_of_1_draws_nothing() -> None:
    cell = DropoutWrapper(Plus())
    cell.uniform = noise_of({}, [])
    x = np.ones((B, N), "f4")
    assert cell(x, LSTMStateTuple(x, x))[0].tolist() == (x + 1).tolist()


@pytest.mark.parametrize(
    ("visitor", "dropped"),
    [
        (None, [False, True]),
        (lambda part: True, [True, True]),
        (lambda part: False, [False, False]),
        (lambda part: LSTMStateTuple(True, False) if isinstance(part, tuple) else True, [True, False]),
    ],
)
def test_a_visitor_says_which_states_are_dropped(visitor: Any, dropped: list[bool]) -> None:
    cell = DropoutWrapper(Plus(), state_keep_prob=0.5, dropout_state_filter_visitor=visitor)
    assert cell.chosen("state", LSTMStateTuple(0, 0)) == dropped
    assert cell.chosen("input", (0, 0)) == [False, False]


@pytest.mark.parametrize(
    ("answer", "wanted", "got_words"),
    [
        ("yes", "a bool, or a container of bools in the form of the part", "'yes'"),
        ((True,), "2 bools, one for each member of the part", "1"),
        ((True, 1), "a bool, or a container of bools in the form of the part", "1"),
    ],
)
def test_a_visitor_answers_with_bools(answer: Any, wanted: str, got_words: str, refused: Any) -> None:
    cell = DropoutWrapper(Plus(), state_keep_prob=0.5, dropout_state_filter_visitor=lambda part: answer)
    with refused(TypeError, "dropout_state_filter_visitor", wanted, got_words, "EQ-20"):
        cell.chosen("state", LSTMStateTuple(0, 0))


def test_variational_noise_is_drawn_once_for_a_sequence(place: Any) -> None:
    asked: list[Any] = []
    cell = DropoutWrapper(Plus(), 0.5, 0.5, variational_recurrent=True, input_size=N, dtype="float32")
    cell.uniform = noise_of({"input": [[0.1, 0.9]], "output": [[0.9, 0.9]]}, asked)
    x, state = place(np.ones((B, N))), place(LSTMStateTuple(np.zeros((B, N)), np.zeros((B, N))))
    for _ in range(2):
        with new_sequence():
            for _ in range(3):
                assert_close(cell(x, state)[0], np.broadcast_to([2.0, 6.0], (B, N)))
    assert asked == [("input", 0, (1, N), "float32"), ("output", 0, (1, N), "float32")] * 2


@pytest.mark.parametrize(
    ("x", "argument", "kind", "clause"),
    [
        (np.ones((B, N), "i4"), "input", TypeError, "EQ-9"),
        (np.ones((B, N), "f8"), "input", TypeError, "EQ-10"),
        (np.ones((B, N + 1), "f4"), "inputs", ValueError, "EQ-10"),
        ((np.ones((B, N), "f4"),) * 2, "inputs", ValueError, "EQ-10"),
    ],
)
def test_variational_noise_fits_what_it_was_made_for(x: Any, argument: str, kind: Any, clause: str) -> None:
    cell = DropoutWrapper(Plus(), 0.5, variational_recurrent=True, input_size=N, dtype="float32")
    with pytest.raises(kind) as caught:
        cell(x, None)
    assert (caught.value.argument, caught.value.clause) == (argument, clause)


@pytest.mark.parametrize("dtype", ["float16", "bfloat16", "float32", "float64"])
def test_noise_of_a_seed_is_the_same_and_below_1(dtype: str) -> None:
    made = np.dtype(ml_dtypes.bfloat16) if dtype == "bfloat16" else np.dtype(dtype)
    one, other = UniformNoise(3), UniformNoise(np.int64(3))
    draws = one("state", 1, (2000,), made)
    assert draws.dtype == made
    assert draws.tolist() == other("state", 1, (2000,), made).tolist()
    assert draws.tolist() != one("state", 1, (2000,), made).tolist()
    assert draws.tolist() != other("state", 0, (2000,), made).tolist()
    assert 0 <= draws.min() < 0.02
    assert 0.98 < draws.max() < 1


def test_a_stack_hands_outputs_upwards(given: Given, place: Any) -> None:
    cell = MultiRNNCell([BasicRNNCell(N), GRUCell(N)])
    x, first, second = np.float32(given.x), np.float32(given.h), np.float32(given.c)
    output, (h, g) = cell(place(given.x), (place(given.h), place(given.c)))
    wanted = basic_rnn(cell._cells[0], x, first)
    assert_close(h, wanted)
    assert_close([output, g], *[gru(cell._cells[1], wanted, second)] * 2)
    assert [v.name.split("/")[1] for v in cell.variables] == ["cell_0"] * 2 + ["cell_1"] * 4


def test_a_stack_keeps_its_states_in_one_array(given: Given, place: Any) -> None:
    cell = MultiRNNCell([BasicRNNCell(N), BasicLSTMCell(N, state_is_tuple=False)], state_is_tuple=False)
    assert cell.state_size == 3 * N
    state = place(np.hstack([given.h, given.c, given.h]))
    output, new_state = cell(place(given.x), state)
    first, second = cell._cells
    h = basic_rnn(first, np.float32(given.x), np.float32(given.h))
    c, m = lstm(second, h, given.c, np.float32(given.h), 1)
    assert_close([output, new_state], m, np.hstack([h, c, m]))


def test_an_instance_that_stands_twice_shares_its_variables(given: Given) -> None:
    cell = BasicRNNCell(D)
    stack = MultiRNNCell([cell, cell])
    stack(np.float32(given.x), (np.zeros((B, D), "f4"),) * 2)
    assert len(stack.variables) == 2
    assert stack.variables[0].name == "multi_rnn_cell/cell_0/basic_rnn_cell/kernel"


def test_a_device_wrapper_changes_nothing(given: Given) -> None:
    cell = BasicRNNCell(N)
    wrapped = DeviceWrapper(cell, "/gpu:0")
    assert wrapped.device == "/gpu:0"
    output, _ = wrapped(np.float32(given.x), np.float32(given.h))
    assert wrapped.variables is cell.variables
    assert_close(output, basic_rnn(cell, np.float32(given.x), np.float32(given.h)))


# --- what is refused ------------------------------------------------------------------------------------------------


VISITOR = "dropout_state_filter_visitor"
OPTIONS: list[tuple[Any, type[Exception], str, str]] = [
    (lambda: BasicRNNCell(0), ValueError, "num_units", "EQ-1"),
    (lambda: BasicRNNCell(2.0), TypeError, "num_units", "EQ-1"),
    (lambda: GRUCell(True), TypeError, "num_units", "EQ-2"),
    (lambda: GRUCell(2, kernel_initializer=1), TypeError, "kernel_initializer", "VAR-12"),
    (lambda: GRUCell(2, bias_initializer="ones"), TypeError, "bias_initializer", "VAR-12"),
    (lambda: BasicLSTMCell(2, forget_bias="1"), TypeError, "forget_bias", "EQ-14"),
    (lambda: BasicLSTMCell(2, forget_bias=True), TypeError, "forget_bias", "EQ-14"),
    (lambda: BasicLSTMCell(2, state_is_tuple=1), TypeError, "state_is_tuple", "EQ-15"),
    (lambda: BasicLSTMCell(2, activation="relu"), TypeError, "activation", "EQ-13"),
    (lambda: BasicRNNCell(2, reuse="yes"), TypeError, "reuse", "SCOPE-7"),
    (lambda: LSTMCell(2, use_peepholes=None), TypeError, "use_peepholes", "EQ-5"),
    (lambda: LSTMCell(2, cell_clip=-1), ValueError, "cell_clip", "EQ-6"),
    (lambda: LSTMCell(2, cell_clip=np.nan), ValueError, "cell_clip", "EQ-6"),
    (lambda: LSTMCell(2, proj_clip=1j), TypeError, "proj_clip", "EQ-7"),
    (lambda: LSTMCell(2, num_proj=0), ValueError, "num_proj", "EQ-7"),
    (lambda: LSTMCell(2, num_unit_shards=-1), ValueError, "num_unit_shards", "VAR-15"),
    (lambda: LSTMCell(2, initializer=0), TypeError, "initializer", "VAR-11"),
    (lambda: MultiRNNCell(BasicRNNCell(2)), TypeError, "cells", "EQ-8"),
    (lambda: MultiRNNCell([]), ValueError, "cells", "EQ-8"),
    (lambda: MultiRNNCell([BasicRNNCell(2), 3]), TypeError, "cells[1]", "CELL-2"),
    (lambda: MultiRNNCell([BasicLSTMCell(2)], state_is_tuple=False), ValueError, "cells[0]", "EQ-8"),
    (lambda: DropoutWrapper(3), TypeError, "cell", "CELL-2"),
    (lambda: DropoutWrapper(Plus(), input_keep_prob=0), ValueError, "input_keep_prob", "EQ-18"),
    (lambda: DropoutWrapper(Plus(), state_keep_prob=1.5), ValueError, "state_keep_prob", "EQ-18"),
    (lambda: DropoutWrapper(Plus(), output_keep_prob="1"), TypeError, "output_keep_prob", "EQ-18"),
    (lambda: DropoutWrapper(Plus(), variational_recurrent=True), ValueError, "dtype", "EQ-10"),
    (lambda: DropoutWrapper(Plus(), 0.5, variational_recurrent=True, dtype="f4"), ValueError, "input_size", "EQ-10"),
    (lambda: DropoutWrapper(Plus(), input_size="2"), TypeError, "cell", "EQ-10"),
    (lambda: DropoutWrapper(Plus(), seed=-1), ValueError, "seed", "EQ-9"),
    (lambda: DropoutWrapper(Plus(), seed=1.5), TypeError, "seed", "EQ-9"),
    (lambda: DropoutWrapper(Plus(), dropout_state_filter_visitor=1), TypeError, VISITOR, "EQ-20"),
    (lambda: ResidualWrapper(Plus(), 3), TypeError, "residual_fn", "EQ-11"),
    (lambda: DeviceWrapper(Plus(), 3), TypeError, "device", "EQ-12"),
]  # fmt: skip


@pytest.mark.parametrize(("make", "kind", "argument", "clause"), OPTIONS)
def test_options_of_a_wrong_type_or_value(make: Any, kind: Any, argument: str, clause: str) -> None:
    with pytest.raises(kind) as caught:
        make()
    assert (caught.value.argument, caught.value.clause) == (argument, clause)


STEPS: list[tuple[Any, Any, Any, type[Exception], str, str]] = [
    (BasicRNNCell(N), np.ones((B, D), "i4"), np.ones((B, N), "i4"), TypeError, "inputs", "EQ-22"),
    (BasicRNNCell(N), np.ones(B, "f4"), np.ones((B, N), "f4"), ValueError, "inputs", "VAR-16"),
    (BasicRNNCell(N), (np.ones((B, D), "f4"),), np.ones((B, N), "f4"), TypeError, "inputs", "VAR-16"),
    (BasicRNNCell(N), 3.0, np.ones((B, N), "f4"), ValueError, "inputs", "VAR-16"),
    (BasicRNNCell(N), np.ones((B, D), "f4"), np.ones((B, N), "f8"), TypeError, "state", "EQ-21"),
    (GRUCell(N), np.ones((B, D), "f4"), np.ones((B, N + 1), "f4"), ValueError, "state", "INIT-8"),
    (GRUCell(N), np.ones((B, D), "f4"), [1.0], TypeError, "state", "INIT-9"),
    (LSTMCell(N), np.ones((B, D), "f4"), np.ones((B, N), "f4"), TypeError, "state", "INIT-9"),
    (LSTMCell(N), np.ones((B, D), "f4"), (np.ones((B, N), "f4"),), ValueError, "state", "INIT-9"),
    (LSTMCell(N, state_is_tuple=False), np.ones((B, D), "f4"), (1, 2), TypeError, "state", "INIT-9"),
    (LSTMCell(N, state_is_tuple=False), np.ones((B, D), "f4"), np.ones(B, "f4"), ValueError, "state", "INIT-8"),
    (LSTMCell(N, state_is_tuple=False), np.ones((B, D), "f4"), np.ones((B, N), "f4"), ValueError, "state", "INIT-8"),
    (MultiRNNCell([GRUCell(N)]), np.ones((B, D), "f4"), np.ones((B, N), "f4"), TypeError, "state", "INIT-9"),
    (MultiRNNCell([GRUCell(N)]), np.ones((B, D), "f4"), (), ValueError, "state", "INIT-9"),
]


@pytest.mark.parametrize("abstract", [False, True])
@pytest.mark.parametrize(("cell", "x", "state", "kind", "argument", "clause"), STEPS)
def test_a_step_of_values_and_one_of_shapes_refuse_the_same(
    cell: Any, x: Any, state: Any, kind: Any, argument: str, clause: str, abstract: bool, store: VariableStore
) -> None:
    if abstract:
        x, state = shaped(x), shaped(state)
    with pytest.raises(kind) as caught:
        cell(x, state)
    assert (caught.value.argument, caught.value.clause) == (argument, clause)
    assert not store.variables
    assert not cell.built


def shaped(structure: Any) -> Any:
    return map_structure(
        lambda leaf: Abstract(leaf.shape, leaf.dtype) if isinstance(leaf, np.ndarray) else leaf, structure
    )


@pytest.mark.parametrize("abstract", [False, True])
def test_inputs_of_another_depth_or_dtype_than_at_first_are_refused(abstract: bool) -> None:
    cell = BasicRNNCell(N)
    cell(np.ones((B, D), "f4"), np.ones((B, N), "f4"))
    for x, clause in ((np.ones((B, D + 1), "f4"), "VAR-16"), (np.ones((B, D), "f8"), "VAR-13")):
        with pytest.raises((TypeError, ValueError), match=clause):
            cell(shaped(x) if abstract else x, np.ones((B, N), "f4"))


# --- steps of shapes ------------------------------------------------------------------------------------------------


CELLS: list[Any] = [
    lambda: BasicRNNCell(D),
    lambda: GRUCell(D),
    lambda: BasicLSTMCell(D, state_is_tuple=False),
    lambda: LSTMCell(N, use_peepholes=True, num_proj=D, num_proj_shards=2),
    lambda: LSTMCell(N, num_proj=D, state_is_tuple=False),
    lambda: MultiRNNCell([LSTMCell(N), GRUCell(D)]),
    lambda: MultiRNNCell([BasicLSTMCell(N, state_is_tuple=False), GRUCell(D)], state_is_tuple=False),
    lambda: ResidualWrapper(DropoutWrapper(DeviceWrapper(GRUCell(D), None), 0.5, 0.5, 0.5)),
]


@pytest.mark.parametrize("make", CELLS)
def test_a_step_of_shapes_tells_what_a_step_of_values_gives(make: Any, device: Any) -> None:
    made: list[list[Any]] = []
    for abstract in (False, True):
        with use_store(VariableStore(seed=1)) as store, variable_scope("rnn"):
            cell = make()
            x, state = np.ones((B, D), "f4"), map_structure(np.asarray, host(zero_state(cell, B, "float32")))
            output, new_state = cell(shaped(x) if abstract else x, shaped(state) if abstract else state)
            assert all(is_abstract(leaf) is abstract for leaf in flatten((output, new_state)))
            described = map_structure(lambda leaf: (leaf.shape, leaf.dtype.name), (output, new_state))
            made.append([repr(described), [(v.name, v.value.tobytes()) for v in store.variables.values()]])
            assert why_not_on_shapes(cell) is None
    assert made[0] == made[1]


def host(structure: Any) -> Any:
    return map_structure(lambda leaf: leaf.get(), structure)


def test_cells_that_may_run_the_user_s_code_do_no_step_of_shapes() -> None:
    class Mine(BasicRNNCell):
        pass

    replaced = BasicRNNCell(2)
    replaced.call = lambda inputs, state: (state, state)  # type: ignore[method-assign]
    others = [Plus(), Mine(2), replaced, ResidualWrapper(BasicRNNCell(2), lambda i, o: o), DeviceWrapper(Mine(2), None)]
    others.append(DropoutWrapper(BasicRNNCell(2), state_keep_prob=0.5, dropout_state_filter_visitor=lambda part: True))
    for cell in [*others, MultiRNNCell([BasicRNNCell(2), Plus()])]:
        assert why_not_on_shapes(cell) is not None


def test_a_replaced_call_is_called() -> None:
    cell = BasicRNNCell(2)
    cell.call = lambda inputs, state: (state + 1, state + 1)  # type: ignore[method-assign]
    _, state = dynamic_rnn(cell, np.ones((B, T, D), "f4"), dtype="float32")
    assert state.get().tolist() == [[T, T]] * B


# --- states and scopes ----------------------------------------------------------------------------------------------


def test_zero_states() -> None:
    h = zero_state(BasicRNNCell(N), B, "bfloat16")
    assert h.dtype == ml_dtypes.bfloat16
    c, h = MultiRNNCell([LSTMCell(N), GRUCell(3)]).zero_state(B, np.float16)
    assert isinstance(c, LSTMStateTuple)
    assert h.get().tolist() == [[0, 0, 0]] * B
    assert zero_state(DropoutWrapper(GRUCell(3)), 0, "f4").shape == (0, 3)


@pytest.mark.parametrize(
    ("batch_size", "kind", "wanted"),
    [(1.0, TypeError, "an integer"), (True, TypeError, "an integer"), (-1, ValueError, "at least 0")],
)
def test_a_batch_size_is_a_number_of_rows(batch_size: Any, kind: Any, wanted: str, refused: Any) -> None:
    with refused(kind, "batch_size", wanted, str(batch_size), "CELL-9"):
        zero_state(BasicRNNCell(N), batch_size, "f4")


@pytest.mark.parametrize("path", ["auto", "cell"])
def test_scopes_and_initial_values_are_those_of_the_page(path: str) -> None:
    with options(path=path), variable_scope("outer", initializer=Ones()):
        x = np.ones((B, T, D), "f4")
        cell = MultiRNNCell([LSTMCell(N, num_unit_shards=2), DropoutWrapper(GRUCell(N))])
        dynamic_rnn(cell, x, dtype="float32", scope="mine")
        dynamic_rnn(cell, x, dtype="float32", scope="mine")
        dynamic_rnn(GRUCell(N, reuse=AUTO_REUSE), x, dtype="float32")
        assert [v.name for v in cell.variables] == [
            f"outer/mine/multi_rnn_cell/{name}"
            for name in (
                "cell_0/lstm_cell/kernel/part_0",
                "cell_0/lstm_cell/kernel/part_1",
                "cell_0/lstm_cell/bias",
                "cell_1/gru_cell/gates/kernel",
                "cell_1/gru_cell/gates/bias",
                "cell_1/gru_cell/candidate/kernel",
                "cell_1/gru_cell/candidate/bias",
            )
        ]
        assert [set(v.value.ravel().tolist()) for v in cell.variables] == [{1}, {1}, {0}, {1}, {1}, {1}, {0}]
