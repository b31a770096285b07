"""Tests host arrays against NumPy: operators, methods, indexing, in-place work, errors and lifetimes."""

import copy
import itertools
import pickle
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import cupy
import ml_dtypes
import numpy as np
import pytest

from impl_gpu.device import use_device
from impl_gpu.device.host import HostDevice
from impl_gpu.device.host_arrays import HostArray, make, upload, view
from impl_gpu.device.seam import SeamError

BFLOAT16 = np.dtype(ml_dtypes.bfloat16)
DTYPES = [np.dtype(name) for name in ("float32", "float64", "float16", "int32", "uint8", "bool", "complex64")] + [
    BFLOAT16
]
SEEDS = range(5)  # one of each pace of the device model


@pytest.fixture(params=SEEDS)
def device(request: pytest.FixtureRequest) -> Iterator[HostDevice]:
    chosen = HostDevice(request.param)
    with use_device(chosen):
        yield chosen
        chosen.finish()


def numbers(dtype: np.dtype[Any], shape: tuple[int, ...], seed: int = 0) -> np.ndarray[Any, Any]:
    """Values that every dtype has, none of them 0."""
    values = np.random.default_rng(seed).integers(1, 6, shape)
    return (values % 2 == 0 if dtype.kind == "b" else values).astype(dtype)


def same(got: Any, wanted: Any) -> None:
    """A host array, or several, with exactly these values, dtypes and shapes."""
    if isinstance(wanted, (tuple, list)):
        assert type(got) is type(wanted)
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            same(one, other)
        return
    assert type(got) is HostArray
    wanted = np.asarray(wanted)
    assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
    np.testing.assert_array_equal(got.get(), wanted)


BINARY: dict[str, Callable[[Any, Any], Any]] = {
    "+": lambda a, b: a + b,
    "-": lambda a, b: a - b,
    "*": lambda a, b: a * b,
    "/": lambda a, b: a / b,
    "//": lambda a, b: a // b,
    "%": lambda a, b: a % b,
    "**": lambda a, b: a**b,
    "divmod": divmod,
    "==": lambda a, b: a == b,
    "!=": lambda a, b: a != b,
    "<": lambda a, b: a < b,
    "<=": lambda a, b: a <= b,
    ">": lambda a, b: a > b,
    ">=": lambda a, b: a >= b,
    "&": lambda a, b: a & b,
    "|": lambda a, b: a | b,
    "^": lambda a, b: a ^ b,
    "<<": lambda a, b: a << b,
    ">>": lambda a, b: a >> b,
}
WITH_SCALARS: dict[str, Callable[[Any], Any]] = {
    "x + 1": lambda x: x + 1,
    "1 + x": lambda x: 1 + x,
    "x - 1.5": lambda x: x - 1.5,
    "1.5 - x": lambda x: 1.5 - x,
    "x * True": lambda x: x * True,
    "2 / x": lambda x: 2 / x,
    "x ** 2": lambda x: x**2,
    "2 ** x": lambda x: 2**x,
    "x > 2": lambda x: x > 2,
    "2 > x": lambda x: x < 2,
    "x * 2j": lambda x: x * 2j,
    "np.float32 * x": lambda x: np.float32(2) * x,
    "x + np.float64": lambda x: x + np.float64(0.5),
    "np.int8 - x": lambda x: np.int8(3) - x,
    "-x": lambda x: -x,
    "+x": lambda x: +x,
    "abs(x)": abs,
    "~x": lambda x: ~x,
}


def outcome(function: Callable[..., Any], *args: Any) -> Any:
    """What it returns, or the kind of error."""
    try:
        with np.errstate(all="ignore"):
            return function(*args)
    except (TypeError, ValueError) as error:
        return type(error)


def alike(got: Any, wanted: Any) -> None:
    if isinstance(wanted, type):
        assert got is wanted or issubclass(got, wanted) or issubclass(wanted, got)
    else:
        same(got, wanted)


@pytest.mark.parametrize("name", BINARY)
def test_operators_of_two_arrays_are_numpys(name: str) -> None:
    operator = BINARY[name]
    with use_device(HostDevice(3)):
        for dtype in DTYPES:
            a, b = numbers(dtype, (3, 4)), numbers(dtype, (4,), 1)
            alike(outcome(operator, upload(a), upload(b)), outcome(operator, a, b))
            # views with strides: a transpose, every other column, a backward one
            a = numbers(dtype, (4, 6), 2)
            x = upload(a)
            alike(outcome(operator, x[:, ::2].T, x[::-1, :1].T), outcome(operator, a[:, ::2].T, a[::-1, :1].T))


@pytest.mark.parametrize("name", WITH_SCALARS)
def test_operators_with_scalars_are_numpys(name: str) -> None:
    with use_device(HostDevice(1)):
        for dtype, shape in itertools.product(DTYPES, [(3, 4), (), (0, 2)]):
            _operator_with_scalar(name, numbers(dtype, shape))


def _operator_with_scalar(name: str, a: np.ndarray[Any, Any]) -> None:
    wanted = outcome(WITH_SCALARS[name], a)
    if name == "x ** 2" and a.dtype == bool:
        wanted = wanted.astype(np.int64)  # CuPy's square of bools; NumPy's is int8
    alike(outcome(WITH_SCALARS[name], upload(a)), wanted)


def test_dtypes_are_promoted_as_numpy_2_does() -> None:
    with use_device(HostDevice(0)):
        for left, right in itertools.product(DTYPES, DTYPES):
            a, b = numbers(left, (2,)), numbers(right, (2,), 1)
            same(upload(a) * upload(b), a * b)
            alike(outcome(lambda a, b: a / b, upload(a), upload(b)), outcome(lambda a, b: a / b, a, b))


@pytest.mark.parametrize("exponent", [2, 2.0, 0.5, 3, 1.5], ids=str)
def test_powers_are_cupys(exponent: float) -> None:
    with use_device(HostDevice(1)):
        for dtype in DTYPES:
            _power(dtype, exponent)


def _power(dtype: np.dtype[Any], exponent: float) -> None:
    a = np.array([1, 0, 1, 4]).astype(dtype)
    asked = []

    class Spy(cupy.ndarray):  # type: ignore[misc]
        def __cupy_override_elementwise_kernel__(self, ufunc: Any, *args: Any, dtype: Any = None) -> Any:
            asked.append((ufunc.name.removeprefix("cupy_"), args[1:], dtype))

    x = upload(a)
    Spy((4,), dtype, memptr=x.data) ** exponent
    ((name, others, wanted_dtype),) = asked
    with np.errstate(all="ignore"):
        same(x**exponent, getattr(np, name)(a, *others, dtype=wanted_dtype))


METHODS: dict[str, Callable[[Any], Any]] = {
    "sum": lambda x: x.sum(),
    "sum axis": lambda x: x.sum(axis=1),
    "sum keepdims": lambda x: x.sum(0, keepdims=True),
    "sum axes": lambda x: x.sum(axis=(0, 1)),
    "sum dtype": lambda x: x.sum(axis=0, dtype="float64"),
    "mean": lambda x: x.mean(axis=-1),
    "var": lambda x: x.var(axis=0),
    "std": lambda x: x.std(axis=0, ddof=1),
    "prod": lambda x: x.prod(axis=0),
    "max": lambda x: x.max(axis=0),
    "min": lambda x: x.min(),
    "argmax": lambda x: x.argmax(axis=1),
    "argmin": lambda x: x.argmin(),
    "ptp": lambda x: np.ptp(x) if isinstance(x, np.ndarray) else x.ptp(),
    "any": lambda x: x.any(axis=0),
    "all": lambda x: x.all(),
    "cumsum": lambda x: x.cumsum(axis=1),
    "cumprod": lambda x: x.cumprod(axis=0),
    "clip": lambda x: x.clip(2, 3),
    "round": lambda x: (x / 3).round(1),
    "conj": lambda x: (x + 0).conj(),
    "astype": lambda x: x.astype("float64"),
    "astype int": lambda x: x.astype(np.int64),
    "copy": lambda x: x.T.copy(),
    "flatten": lambda x: x.T.flatten(),
    "ravel": lambda x: x[:, 1:].ravel(),
    "reshape": lambda x: x.reshape(2, -1),
    "reshape of a transpose": lambda x: x.T.reshape((4, 3)),
    "reshape order": lambda x: x.reshape(12, order="F"),
    "squeeze": lambda x: x[:1].squeeze(),
    "transpose": lambda x: x.transpose(1, 0),
    "swapaxes": lambda x: x.swapaxes(0, 1),
    "T": lambda x: x.T,
    "take": lambda x: x.take(np.array([2, 0]), axis=1),
    "take scalar": lambda x: x.take(1, axis=0),
    "repeat": lambda x: x.repeat(2, axis=0),
    "diagonal": lambda x: x.diagonal(),
    "trace": lambda x: x.trace(),
    "argsort": lambda x: x.reshape(-1).argsort()[:1] * 0,
    "nonzero": lambda x: x.nonzero(),
    "dot": lambda x: x.dot(x.T),
    "matmul": lambda x: x @ x.T,
    "row times matrix": lambda x: x[0] @ x.T,
    "real": lambda x: x.real,
    "imag": lambda x: x.imag,
    "view": lambda x: x.view("uint8"),
}
EXACT_IN = {"float16": np.float16, "bfloat16": BFLOAT16}


@pytest.mark.parametrize("name", METHODS)
def test_methods_are_numpys(name: str) -> None:
    with use_device(HostDevice(2)):
        for dtype in ("float32", "float64", "int32", "bool", "complex64"):
            a = numbers(np.dtype(dtype), (3, 4))
            with warnings.catch_warnings():
                warnings.simplefilter("ignore", np.exceptions.ComplexWarning)
                wanted = outcome(METHODS[name], a)
            alike(outcome(METHODS[name], upload(a)), wanted)


@pytest.mark.parametrize("name", ["sum", "sum axis", "mean", "prod", "cumsum", "dot", "matmul", "var", "std"])
@pytest.mark.parametrize("dtype", ["float16", "bfloat16"])
def test_16_bit_floats_accumulate_in_float32(name: str, dtype: str) -> None:
    with use_device(HostDevice(2)):
        values = np.random.default_rng(0).uniform(-1, 1, (33, 65)).astype(EXACT_IN[dtype])
        got = METHODS[name](upload(values))
        wanted = METHODS[name](values.astype(np.float32))
        assert got.dtype == values.dtype
        # One rounding to the dtype; products in float32 may differ by their order, which tips that rounding rarely.
        ulp = float(ml_dtypes.finfo(values.dtype).eps)
        np.testing.assert_allclose(got.get().astype(np.float32), wanted, rtol=0.51 * ulp, atol=1e-5)


def test_a_sum_of_16_bit_floats_does_not_stand_still(device: HostDevice) -> None:
    assert float(upload(np.ones((4096, 2), np.float16)).sum(axis=0)[0]) == 4096
    assert float(upload(np.ones((4096, 2), BFLOAT16)).sum(axis=0)[0]) == 4096
    assert float(upload(np.ones(4096, np.float16)).dot(upload(np.ones(4096, np.float16)))) == 4096


READS: dict[str, Callable[[Any], Any]] = {
    "integer": lambda x: x[1],
    "element": lambda x: x[1, 2],
    "numpy integer": lambda x: x[np.int64(1)],
    "slice": lambda x: x[1:, ::2],
    "backward": lambda x: x[::-1, -2:],
    "ellipsis": lambda x: x[..., 0],
    "new axis": lambda x: x[:, None],
    "list": lambda x: x[[2, 0, 2]],
    "array": lambda x: x[np.array([[0, 1], [2, 0]])],
    "array of a column": lambda x: x[:, np.array([1, 1])],
    "two arrays": lambda x: x[np.array([0, 2]), np.array([3, 1])],
    "array behind an ellipsis": lambda x: x[..., np.array([3, 0])],
    "mask": lambda x: x[x > 3],
    "mask of rows": lambda x: x[np.array([True, False, True])],
    "negative": lambda x: x[np.array([-1, -3])],
}


@pytest.mark.parametrize("name", READS)
def test_indexing_is_numpys(name: str, device: HostDevice) -> None:
    a = np.arange(12, dtype=np.float32).reshape(3, 4)
    same(READS[name](upload(a)), READS[name](a))


def test_an_index_may_be_a_host_array_and_wraps_around(device: HostDevice) -> None:
    a = np.arange(6, dtype=np.float32)
    same(upload(a)[upload(np.array([1, 7, -7]))], a[[1, 1, 5]])
    same(upload(a).take(upload(np.array([6, 8]))), a[[0, 2]])
    x = upload(a)
    x[upload(np.array([7]))] = 9
    same(x, np.array([0, 9, 2, 3, 4, 5], np.float32))


def _iadd(x: Any) -> None:
    x += 1


def _isub_view(x: Any) -> None:
    row = x[0]
    row -= x[1]


def _imul_overlap(x: Any) -> None:
    x[1:] *= x[:-1]


def _idiv(x: Any) -> None:
    x /= 2


def _ipow(x: Any) -> None:
    x **= 2


def _imatmul(x: Any) -> None:
    y = x
    y @= np.eye(4, dtype=x.dtype) if isinstance(x, np.ndarray) else upload(np.eye(4, dtype=x.dtype))
    x[...] = y


def _set(key: Any, value: Any) -> Callable[[Any], None]:
    def write(x: Any) -> None:
        x[key] = value

    return write


def _set_mask(x: Any) -> None:
    x[x > 5] = 0


def _set_masked_values(x: Any) -> None:
    x[x > 5] = x[x > 5] * 2


def _set_reversed(x: Any) -> None:
    x[...] = x[::-1]


def _fill(x: Any) -> None:
    x[:, 1].fill(7)


def _sort(x: Any) -> None:
    x[::-1].sort(axis=0)


WRITES: dict[str, Callable[[Any], None]] = {
    "+=": _iadd,
    "-= of a view": _isub_view,
    "*= over itself": _imul_overlap,
    "/=": _idiv,
    "**=": _ipow,
    "@=": _imatmul,
    "row": _set(1, 5),
    "element": _set((1, 2), 2.5),
    "slice": _set((slice(None), slice(0, 2)), -1),
    "list": _set([0, 2], 8),
    "two arrays": _set((np.array([0, 1]), np.array([3, 3])), 6),
    "mask": _set_mask,
    "masked values": _set_masked_values,
    "reversed onto itself": _set_reversed,
    "fill": _fill,
    "sort": _sort,
}


@pytest.mark.parametrize("name", WRITES)
def test_what_is_written_is_written_to_the_array_itself(name: str, device: HostDevice) -> None:
    a = np.arange(12, dtype=np.float32).reshape(3, 4)
    x = upload(a)
    alias = x[:]
    WRITES[name](x)
    WRITES[name](a)
    same(alias, a)
    assert alias.data.ptr == x.data.ptr


def test_a_value_is_cast_to_what_it_is_written_to(device: HostDevice) -> None:
    x = upload(np.zeros(3, np.int8))
    x[0] = 2.75
    x[1:] = upload(np.array([[1.5, -1.5]]))
    same(x, np.array([2, 1, -1], np.int8))


def test_views_share_their_memory_and_keep_it_alive(device: HostDevice) -> None:
    x = upload(np.arange(6, dtype=np.float32).reshape(2, 3))
    views = [x.T, x[1], x.reshape(3, 2), x.ravel(), x[None], x.real, x.view("int32"), list(x)[1]]
    assert all(x.data.ptr <= one.data.ptr < x.data.ptr + x.nbytes for one in views)
    assert all(type(one) is HostArray and one.host is device for one in views)
    column = x[:, 1]
    del x, views
    column += 1
    same(column, np.array([2, 5], np.float32))


def test_results_of_rank_0_are_arrays(device: HostDevice) -> None:
    x = upload(np.arange(4, dtype=np.float32))
    for result in (x.sum(), x[0], x @ x, x[0] + x[1], np.float32(2) * x[0], -x[0], x.dot(x)):
        assert type(result) is HostArray
        assert result.shape == ()
    assert (float(x[3]), int(x[3]), bool(x[3]), complex(x[3])) == (3.0, 3, True, 3 + 0j)
    assert (x[2].item(), x.tolist(), x.tobytes()) == (2.0, [0, 1, 2, 3], np.arange(4, dtype=np.float32).tobytes())
    assert (repr(x[:2]), str(x[:2]), f"{x[3]:.1f}") == ("array([0., 1.], dtype=float32)", "[0. 1.]", "3.0")


def test_numpys_own_functions_reach_it(device: HostDevice) -> None:
    a = np.arange(4, dtype=np.float32)
    x = upload(a)
    same(np.tanh(x), np.tanh(a))
    same(np.add(x, x, out=x), a + a)
    same(np.concatenate([x, x]), np.concatenate([a + a, a + a]))
    same(np.linalg.norm(x), np.linalg.norm(a + a))
    with pytest.raises(TypeError, match="reduce"):
        np.add.reduce(x)


def test_it_is_copied_and_carried_as_an_array(device: HostDevice) -> None:
    x = upload(np.arange(3))
    for twin in (copy.copy(x), copy.deepcopy(x), pickle.loads(pickle.dumps(x)), x.copy()):
        same(twin, np.arange(3))
        assert twin.data.ptr != x.data.ptr
    target = np.empty(3, np.int64)
    assert x.get(out=target) is target
    square = upload(np.arange(4).reshape(2, 2))
    assert [square.T.get(order=order).strides for order in "CFA"] == [(16, 8), (8, 16), (8, 16)]
    x.set(np.array([7, 8, 9]))
    same(x, np.array([7, 8, 9]))
    np.testing.assert_array_equal(target, np.arange(3))


# What is refused.


def refused(function: Callable[[], Any], kind: type[Exception], message: str) -> None:
    with pytest.raises(kind) as caught:
        function()
    assert message in str(caught.value)


def test_a_numpy_array_beside_it_is_refused_as_cupy_does(device: HostDevice) -> None:
    x, a = upload(np.ones(3)), np.ones(3)
    array = "Unsupported type <class 'numpy.ndarray'>"
    refused(lambda: x + a, TypeError, array)
    refused(lambda: a + x, TypeError, array)
    refused(lambda: x.__iadd__(a), TypeError, array)
    refused(lambda: x @ a, TypeError, array)
    refused(lambda: x == a, TypeError, array)
    refused(lambda: np.maximum(a, x), TypeError, array)
    refused(lambda: np.concatenate([x, a]), TypeError, array)
    refused(lambda: x.__setitem__(0, np.ones(1)), TypeError, array)
    refused(lambda: x.__setitem__([0], np.ones(1)), TypeError, array)
    refused(lambda: x.dot(a), TypeError, array)
    refused(lambda: x.sum(out=np.zeros(())), TypeError, array)
    refused(lambda: x * [1, 2, 3], TypeError, "Unsupported type <class 'list'>")
    refused(lambda: x + object(), TypeError, "Unsupported type <class 'object'>")
    refused(lambda: np.asarray(x), TypeError, "Implicit conversion to a NumPy array is not allowed")


def test_errors_come_at_the_call(device: HostDevice) -> None:
    x, ints = upload(np.ones((2, 3), np.float32)), upload(np.ones(3, np.int32))
    refused(lambda: x + upload(np.ones(4)), ValueError, "could not be broadcast")
    refused(lambda: x @ x, ValueError, "mismatch")
    refused(lambda: ints.__iadd__(1.5), TypeError, "same_kind")
    refused(lambda: x.sum(axis=2), ValueError, "out of bounds")
    refused(lambda: x.reshape(4), ValueError, "cannot reshape")
    refused(lambda: x[2], IndexError, "out of bounds")
    refused(lambda: x.__setitem__(0, upload(np.ones(2))), ValueError, "could not broadcast")
    refused(lambda: bool(x), ValueError, "The truth value of an array with more than one element is ambiguous")
    refused(lambda: bool(x[:0]), ValueError, "The truth value of an empty array is ambiguous")
    refused(lambda: hash(x), TypeError, "unhashable")
    same(np.quantile(x, 0.5), np.float32(1))
    refused(lambda: np.quantile(x, 2.0), ValueError, "Quantiles must be in the range [0, 1]")
    refused(lambda: ints & x[0], TypeError, "bitwise_and")
    refused(lambda: upload(np.ones(3, np.uint8)) + 300, OverflowError, "300")
    refused(lambda: upload(np.array(["text"])), TypeError, "Unsupported dtype <U4")
    refused(lambda: upload(np.array([object()])), TypeError, "Unsupported dtype object")
    refused(lambda: x.set(np.ones(3, np.float32)), ValueError, "Shape mismatch. Old shape: (2, 3), new shape: (3,)")
    refused(lambda: x.set(np.ones((2, 3))), TypeError, "float64 array cannot be set to float32 array")
    refused(lambda: x.get(out=np.ones(3)), ValueError, "out: expected (2, 3) float32, got (3,) float64")


def test_nothing_hands_its_memory_to_a_gpu(device: HostDevice) -> None:
    x = upload(np.ones(3))
    for name in ("__cuda_array_interface__", "__dlpack__", "toDlpack", "flat", "scatter_add", "partition"):
        assert not hasattr(x, name)
        refused(lambda name=name: getattr(x, name), AttributeError, f"the host side's arrays have no '{name}'")  # type: ignore[misc]


def test_what_needs_a_gpu_in_cupy_is_here_or_refused(device: HostDevice) -> None:
    """Whatever CuPy's next version adds to its arrays is to be looked at."""
    views = "T base cstruct data device dtype flags itemsize mT nbytes ndim reduced_view shape size squeeze strides"
    kept = {*views.split(), "swapaxes", "transpose", "view"}
    own = set(vars(HostArray)) | set(vars(HostArray.__mro__[1]))
    public = {name for name in dir(cupy.ndarray) if not name.startswith("_")}
    assert public - own <= kept


def test_another_kind_of_operand_may_answer_itself(device: HostDevice) -> None:
    class Other:
        __array_ufunc__ = None

        def __radd__(self, other: Any) -> str:
            return "mine"

    class Prior:
        __array_priority__ = 1000

        def __rmul__(self, other: Any) -> str:
            return "also mine"

    assert upload(np.ones(2)) + Other() == "mine"
    assert upload(np.ones(2)) * Prior() == "also mine"


# When it runs, and what memory it needs for that.


def test_nothing_runs_before_its_turn() -> None:
    seen_unrun = 0
    for seed in range(10):
        device = HostDevice(seed)
        with use_device(device):
            x = upload(np.ones(8, np.float32))
            y = x + 1
            seen_unrun += bool(np.isnan(view(y)).all())  # memory is poisoned until the work has run
            same(y, np.full(8, 2, np.float32))
    assert seen_unrun


def test_an_upload_takes_the_values_of_the_moment(device: HostDevice) -> None:
    a = np.ones(4)
    x = upload(a)
    a[:] = 5
    same(x, np.ones(4))


@pytest.mark.parametrize("seed", range(20))
def test_a_program_gives_what_numpy_gives_in_every_order(seed: int) -> None:
    rng = np.random.default_rng(seed)
    device = HostDevice(seed)
    wanted = rng.integers(1, 5, (4, 4)).astype(np.float64)
    with use_device(device):
        x = upload(wanted)
        for step in rng.integers(0, 6, 30):
            if step == 0:
                x, wanted = x @ x.T % 7 + x, wanted @ wanted.T % 7 + wanted
            elif step == 1:
                x[1:] -= x[:-1]
                wanted[1:] -= wanted[:-1]
            elif step == 2:
                x, wanted = np.where(x > 3, x[::-1], -x), np.where(wanted > 3, wanted[::-1], -wanted)
            elif step == 3:
                x, wanted = np.concatenate([x[:, 2:], x[:, :2]], 1), np.concatenate([wanted[:, 2:], wanted[:, :2]], 1)
            elif step == 4:
                x[x < 0] = 1
                wanted[wanted < 0] = 1
            else:
                x, wanted = x.T / 2 + x.sum(0) % 3, wanted.T / 2 + wanted.sum(0) % 3
        same(x, wanted)
        del x
        device.finish()
        assert device.live() == []


def _on_two_streams(seed: int, waits_to_read: bool, waits_to_drop: bool) -> Any:
    """A temporary of one stream that another stream reads, and that is dropped at once."""
    device = HostDevice(seed)
    with use_device(device):
        side, ready = device.new_stream(), device.new_event()
        x = upload(np.full(64, 3, np.float32))
        temporary = x * 2
        main = device.current_stream()
        device.record_event(ready, main)
        with device.stream(side):
            if waits_to_read:
                device.wait_event(side, ready)
            result = temporary + 1
        if waits_to_drop:
            done = device.new_event()
            device.record_event(done, side)
            device.wait_event(main, done)
        del temporary
        with device.stream(side):
            return result.get()


def _seen(seed: int, **waits: bool) -> bool:
    wanted = np.full(64, 7, np.float32)
    try:
        return not np.array_equal(_on_two_streams(seed, **waits), wanted)
    except SeamError as error:
        assert "a cell's add: use after free of 'an array of a cell'" in str(error)  # noqa: PT017  # either sign will do
        return True


def test_a_temporary_read_on_another_stream_needs_waits() -> None:
    seeds = range(30)
    assert not any(_seen(seed, waits_to_read=True, waits_to_drop=True) for seed in seeds)
    assert sum(_seen(seed, waits_to_read=False, waits_to_drop=True) for seed in seeds) >= 5
    # What is enqueued keeps no array alive: its memory goes when its own stream has come to that.
    assert sum(_seen(seed, waits_to_read=True, waits_to_drop=False) for seed in seeds) >= 5


def test_memory_of_a_dropped_array_is_reclaimed_after_the_work_that_reads_it(device: HostDevice) -> None:
    x = upload(np.ones(16, np.float32))
    y = x + 1
    del x
    same(y, np.full(16, 2, np.float32))
    del y
    device.finish()
    assert device.live() == []


def test_an_array_over_freed_memory_is_seen() -> None:
    device = HostDevice(0)
    with use_device(device):
        x = upload(np.ones(16, np.float32))
        device.finish()
        stale: Any = HostArray(
            (16,), "float32", memptr=cupy.cuda.MemoryPointer(cupy.cuda.UnownedMemory(x.data.ptr, 64, None, 0), 0)
        )
        stale.host = device
        del x
        device.finish()
        with pytest.raises(SeamError, match=r"a cell's multiply: use after free of 'an array of a cell'"):
            (stale * 2).get()


def test_nothing_is_read_or_allocated_during_a_capture() -> None:
    device = HostDevice(0)
    with use_device(device):
        x = upload(np.ones(3))
        device.finish()
        stream = device.new_stream()
        with device.stream(stream):
            device.begin_capture(stream)
            with pytest.raises(SeamError, match="an allocation during a capture"):
                x + 1
            device.abandon_capture(stream)
            device.begin_capture(stream)
            with pytest.raises(SeamError, match="a synchronisation during a capture"):
                x.get()
            device.abandon_capture(stream)


def test_in_place_work_can_be_captured_and_replayed() -> None:
    device = HostDevice(0)
    with use_device(device):
        x = upload(np.ones(3))
        device.finish()
        stream = device.new_stream()
        with device.stream(stream):
            device.begin_capture(stream)
            x *= 2
            graph = device.end_capture(stream)
            for _ in range(3):
                device.replay(graph, stream, "thrice")
            same(x, np.full(3, 8.0))


# Laying arrays over buffers.


def test_an_array_lies_over_a_buffer(device: HostDevice) -> None:
    buffer = device.allocate(64, device.current_stream(), "workspace")
    x = make(buffer, (2, 3), "float32", 16)
    assert (x.data.ptr, x.shape, x.strides, x.dtype, x.host) == (buffer.ptr + 16, (2, 3), (12, 4), "float32", device)
    x.fill(3)
    whole = make(buffer, (16,), "float32")
    np.testing.assert_array_equal(whole.get()[4:10], np.full(6, 3))
    assert np.isnan(whole.get()[:4]).all()
    del buffer
    same(x, np.full((2, 3), 3, np.float32))


def test_the_device_uses_it(device: HostDevice) -> None:
    x = device.enter(np.arange(6.0).reshape(2, 3))
    assert device.enter(x) is x
    same(x, np.arange(6.0).reshape(2, 3))
    np.testing.assert_array_equal(device.to_numpy(x.T), np.arange(6.0).reshape(2, 3).T)
    empty = device.enter(np.zeros((0, 3), np.float32))
    assert (empty + 1).shape == (0, 3)
    assert empty.get().shape == (0, 3)


@pytest.mark.parametrize("dtype", ["float32", "float16", "bfloat16", "int8", "complex128"])
def test_a_view_is_the_memory_itself(dtype: str) -> None:
    device = HostDevice(1)
    with use_device(device):
        a = numbers(np.dtype(EXACT_IN.get(dtype, dtype)), (3, 4))
        x = upload(a)
        device.finish()
        np.testing.assert_array_equal(view(x[::-1, ::2].T), a[::-1, ::2].T)
        view(x)[0] = 1
        assert (x[0] == 1).all()
