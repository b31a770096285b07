"""Tests variables, stores and scopes by the rules of TensorFlow 1.4.1."""

import contextlib
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import numpy as np
import pytest

from dynamic_rnn_spec import (
    AUTO_REUSE,
    ArgumentTypeError,
    ArgumentValueError,
    VariableScope,
    VariableStore,
    default_store,
    get_variable,
    get_variable_scope,
    use_store,
    variable_scope,
)
from dynamic_rnn_spec.vocabulary.initializers import Constant, GlorotUniform, Ones, RandomUniform, Zeros, fans
from dynamic_rnn_spec.vocabulary.variable_scope import WEIGHT_READERS


@pytest.fixture(autouse=True)
def store() -> Any:
    with use_store(VariableStore(seed=0)) as fresh:
        yield fresh


def test_a_name_is_the_open_scopes(store: VariableStore) -> None:
    with variable_scope("a"), variable_scope("b/c") as inner:
        assert get_variable("w", [2]).name == "a/b/c/w"
        assert inner.name == "a/b/c"
    assert get_variable("w", [2]).name == "w"
    assert list(store.variables) == ["a/b/c/w", "w"]


def test_a_variable_scope_is_absolute_and_takes_over_its_own_reuse_and_initializer() -> None:
    with variable_scope("a", initializer=Ones()) as first:
        assert get_variable("w", [1]).value.tolist() == [1]
    with variable_scope("elsewhere"), variable_scope(first, reuse=True):
        assert get_variable("w", [1]).name == "a/w"
    with variable_scope(first):
        assert get_variable("v", [1]).value.tolist() == [1]


def test_without_reuse_a_second_variable_is_refused() -> None:
    get_variable("w", [2])
    with pytest.raises(ArgumentValueError) as caught:
        get_variable("w", [2])
    assert caught.value.clause == "SCOPE-6"
    assert str(caught.value) == (
        "scope: expected no variable 'w' yet, since reuse is off, got one [SCOPE-6]; share it with reuse=True"
    )


def test_with_reuse_a_missing_variable_is_refused() -> None:
    with variable_scope("a", reuse=True), pytest.raises(ArgumentValueError) as caught:
        get_variable("w", [2])
    assert str(caught.value) == "scope: expected a variable 'a/w' to share, since reuse=True, got none [SCOPE-12]"


def test_auto_reuse_makes_and_shares_and_is_inherited() -> None:
    with variable_scope("a", reuse=AUTO_REUSE), variable_scope("b"):
        first = get_variable("w", [2])
        assert get_variable("w", [2]) is first
        assert get_variable_scope().reuse == AUTO_REUSE


def test_reuse_variables_turns_sharing_on() -> None:
    with variable_scope("a") as scope:
        first = get_variable("w", [2])
        scope.reuse_variables()
        assert get_variable("w", [2]) is first


def test_sharing_refuses_another_shape_or_dtype() -> None:
    with variable_scope("a", reuse=AUTO_REUSE):
        get_variable("w", [2])
        with pytest.raises(ArgumentValueError, match=r"a/w: expected shape \(3,\), got \(2,\) \[VAR-14\]"):
            get_variable("w", [3])
        with pytest.raises(ArgumentTypeError, match=r"a/w: expected dtype float64, got float32 \[VAR-14\]"):
            get_variable("w", [2], np.float64)


def test_default_names_are_numbered_within_a_scope_and_begin_anew_when_it_is_entered_again() -> None:
    for _ in range(2):
        with variable_scope("rnn"):
            names = []
            for _ in range(3):
                with variable_scope(None, default_name="cell") as scope:
                    names.append(scope.name)
        assert names == ["rnn/cell", "rnn/cell_1", "rnn/cell_2"]


@pytest.mark.parametrize(
    ("name", "error", "clause"),
    [
        ("", ArgumentValueError, "SCOPE-10"),
        ("/a", ArgumentValueError, "SCOPE-10"),
        ("a b", ArgumentValueError, "SCOPE-10"),
        (3, ArgumentTypeError, "SCOPE-9"),
        (None, ArgumentTypeError, "SCOPE-9"),
    ],
)
def test_a_scope_of_something_else_is_refused(name: Any, error: Any, clause: str) -> None:
    for arguments in ([name], [None, name]):
        with pytest.raises(error) as caught, variable_scope(*arguments):
            pass
        assert (caught.value.argument, caught.value.clause) == ("scope", clause)


@pytest.mark.parametrize("reuse", ["yes", 1, 0, np.True_, [True]])
def test_an_unknown_reuse_is_refused(reuse: Any) -> None:
    message = re.escape(f"reuse: expected None, True or AUTO_REUSE, got {reuse!r} [SCOPE-7]")
    with pytest.raises(ArgumentValueError, match=message):
        variable_scope("a", reuse=reuse).__enter__()
    with pytest.raises(ArgumentValueError, match=message):
        VariableScope("a", reuse)


def test_a_scope_without_a_name_of_its_own_cannot_reuse() -> None:
    with pytest.raises(ArgumentValueError, match="reuse: expected None, since the scope has no name of its own"):
        variable_scope(None, default_name="a", reuse=True).__enter__()


def test_loaded_values_are_taken_when_their_variable_is_made(store: VariableStore) -> None:
    store.load({"w:0": np.array([1, 2], np.float32), "other": np.zeros(1)})
    assert get_variable("w", [2]).value.tolist() == [1, 2]
    assert store.waiting() == ["other"]
    store.load({"w": np.array([3, 4], np.float32)})
    assert store.variables["w"].value.tolist() == [3, 4]


def test_a_loaded_value_of_another_shape_or_dtype_is_refused_and_nothing_changes(store: VariableStore) -> None:
    get_variable("v", [1], initializer=Ones())
    get_variable("w", [2], initializer=Ones())
    with pytest.raises(ArgumentValueError, match=r"w: expected shape \(2,\), got \(3,\) \[VAR-14\]"):
        store.load({"v": np.zeros(1, np.float32), "w": np.zeros(3, np.float32)})
    with pytest.raises(ArgumentTypeError, match=r"w: expected dtype float32, got float64 \[VAR-14\]"):
        store.load({"v": np.zeros(1, np.float32), "w": np.zeros(2)})
    assert store.variables["v"].value.tolist() == [1]
    store.load({"late": np.zeros(3, np.float32)})
    with pytest.raises(ArgumentValueError, match=r"late: expected shape \(2,\), got \(3,\) \[VAR-14\]"):
        get_variable("late", [2])
    assert list(store.variables) == ["v", "w"]


def test_a_variables_value_is_read_only() -> None:
    variable = get_variable("w", [2])
    with pytest.raises(ValueError, match="read-only"):
        variable.value[0] = 1
    assert variable.read() is variable.value
    assert variable.read(np.zeros(1)) is variable.value


def test_a_failed_transaction_leaves_nothing_behind(store: VariableStore) -> None:
    get_variable("before", [1])
    undone = []

    def fail() -> None:
        with variable_scope("outer"), store.transaction():
            with store.transaction():
                get_variable("a", [1])
            with variable_scope(None, default_name="outer"):
                get_variable("b", [1])
            store.on_rollback(lambda: undone.append("cell"))
            raise KeyError

    store.load({"outer/outer/b": np.ones(1, np.float32)})
    with pytest.raises(KeyError):
        fail()
    assert undone == ["cell"]
    assert list(store.variables) == ["before"]
    assert store.waiting() == ["outer/outer/b"]
    assert get_variable_scope().name == ""


def test_a_failed_transaction_within_another_undoes_itself_only(store: VariableStore) -> None:
    def fail() -> None:
        with store.transaction():
            get_variable("lost", [1])
            raise KeyError

    with store.transaction():
        get_variable("kept", [1])
        with pytest.raises(KeyError):
            fail()
        get_variable("kept as well", [1])
    assert list(store.variables) == ["kept", "kept as well"]


@pytest.mark.parametrize("initializer", [3, np.ones(2, np.float32)])
def test_an_initializer_that_is_no_function_is_refused(initializer: Any) -> None:
    with pytest.raises(ArgumentTypeError, match="initializer: expected a function of shape, dtype and generator"):
        get_variable("v", [2], initializer=initializer)
    with variable_scope("a", initializer=initializer), pytest.raises(ArgumentTypeError, match="VAR-10"):
        get_variable("v", [2])


def test_a_variable_in_place_of_its_value_is_told_apart_from_an_array() -> None:
    variable = get_variable("v", [2, 2])
    with pytest.raises(TypeError, match=r"'v', .* is no array: variable\.read\(like\) gives its value"):
        np.ones((1, 2)) @ variable


def test_stores_nest(store: VariableStore) -> None:
    with use_store(VariableStore()) as inner:
        get_variable("w", [1])
        assert default_store() is inner
    assert default_store() is store
    assert not store.variables


def test_every_thread_has_scopes_and_transactions_of_its_own(store: VariableStore) -> None:
    """Threads meet in the store of the process: what one of them opens and closes must not move another's scopes."""
    outside, inside = threading.Barrier(2, timeout=10), threading.Barrier(2, timeout=10)

    def work(name: str) -> "list[str]":
        with use_store(store), contextlib.suppress(RuntimeError), store.transaction():
            outside.wait()
            with variable_scope(name):
                store.on_rollback(lambda: undone.append(name))
                inside.wait()  # both are open, and neither has seen the other
                seen = [get_variable_scope().name]
                inside.wait()
            outside.wait()
            seen.append(get_variable_scope().name)
            if name == "fails":
                raise RuntimeError
        return seen

    undone: list[str] = []
    with variable_scope("here"), ThreadPoolExecutor(2) as threads:
        found = [thread.result() for thread in [threads.submit(work, name) for name in ("fails", "goes_on")]]
        assert get_variable_scope().name == "here"
    assert found == [["fails", ""], ["goes_on", ""]]
    assert undone == ["fails"]


def test_initial_values() -> None:
    rng = np.random.RandomState(0)
    assert Zeros()((2,), np.float32, rng).tolist() == [0, 0]
    assert Constant(3)((1, 2), np.int32, rng).tolist() == [[3, 3]]
    assert Constant([1, 2])((2,), np.float32, rng).tolist() == [1, 2]
    with pytest.raises(ValueError, match=r"Constant: expected a scalar or shape \(3,\), got shape \(2,\)"):
        Constant([1, 2])((3,), np.float32, rng)
    drawn = RandomUniform(2, 3, seed=1)((100,), np.float32, rng)
    assert drawn.dtype == np.float32
    assert ((drawn >= 2) & (drawn < 3)).all()
    assert (RandomUniform(2, 3, seed=1)((100,), np.float32, rng) == drawn).all()
    glorot = GlorotUniform()((30, 20), np.float64, rng)
    limit = np.sqrt(6 / 50)
    assert np.abs(glorot).max() <= limit
    assert np.abs(glorot).max() > 0.9 * limit  # 600 draws all below: 0.9 ** 600 < 1e-27
    assert np.abs(GlorotUniform(full_shape=(60, 20))((3, 20), np.float64, rng)).max() <= np.sqrt(6 / 80)


@pytest.mark.parametrize(("shape", "both"), [((), (1, 1)), ((4,), (4, 4)), ((2, 3), (2, 3)), ((5, 2, 3), (10, 15))])
def test_fans(shape: Any, both: Any) -> None:
    assert fans(shape) == both


def test_dtypes_that_do_not_float_start_at_zero() -> None:
    assert get_variable("n", [3], np.int32).value.tolist() == [0, 0, 0]


def test_a_scope_is_read_by_its_name() -> None:
    assert repr(VariableScope("a", True)) == "VariableScope('a', reuse=True)"


def test_a_reader_gives_the_value_for_arrays_of_its_module(monkeypatch: pytest.MonkeyPatch) -> None:
    class Strange:
        """An array of a module of its own."""

    variable, like = get_variable("w", [2], initializer=Ones()), Strange()
    monkeypatch.setitem(WEIGHT_READERS, Strange.__module__.split(".")[0], lambda *given: given)
    assert variable.read(like) == (variable, like)
    assert variable.read() is variable.value
    assert variable.read(np.zeros(1)) is variable.value


def test_an_array_without_a_module_or_a_reader_is_refused() -> None:
    with pytest.raises(TypeError, match="array_module: expected an array of NumPy or CuPy, got list"):
        get_variable("w", [2]).read([1.0])


def test_bfloat16_is_floating() -> None:
    ml_dtypes = pytest.importorskip("ml_dtypes")
    made = get_variable("w", [50, 50], ml_dtypes.bfloat16)
    assert made.dtype == ml_dtypes.bfloat16
    drawn = made.value.astype(np.float32)
    limit = np.sqrt(6 / 100)
    assert 0.9 * limit < np.abs(drawn).max() <= limit * (1 + 2**-8)
    assert not get_variable("n", [3], "int32").value.any()
