"""Tests what counts as an array, by its shape and dtype, and that other libraries' arrays enter without a copy."""

from typing import Any

import cupy
import ml_dtypes
import numpy as np
import pytest

from impl_gpu import BasicRNNCell, RNNCell, dynamic_rnn, launch_log, options
from impl_gpu.abstract import Abstract, column_range, is_abstract, matrix_like
from impl_gpu.arrays import described, empty, enter, is_array, known_of, why_not_on_device, zeros
from impl_gpu.device.host_array_memory import view


class FakeDType:
    """A dtype as PyTorch has it: no NumPy dtype, but of the same name."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __repr__(self) -> str:
        return f"torch.{self.name}"


class LikePyTorch:
    """A tensor on what stands for a GPU: DLPack, dtypes of its own, and an array interface that may refuse."""

    def __init__(self, array: Any) -> None:
        self.array = array
        self.shape = tuple(array.shape)
        self.dtype = FakeDType(array.dtype.name)

    @property
    def __cuda_array_interface__(self) -> Any:
        raise RuntimeError("a tensor that requires a gradient")

    def __dlpack_device__(self) -> tuple[int, int]:
        return 2, 0

    def __dlpack__(self) -> Any:
        return view(self.array).__dlpack__()


class LikeNumba:
    """A device array that has the array interface and nothing else."""

    def __init__(self, array: Any) -> None:
        self.array = array
        strides = None if array.flags.c_contiguous else array.strides
        data = (array.data.ptr, False)
        self.__cuda_array_interface__ = {
            "shape": array.shape, "typestr": array.dtype.str, "data": data, "strides": strides, "version": 3
        }  # fmt: skip


class LikeJax:
    """An array in host memory: DLPack and NumPy's dtypes."""

    def __init__(self, array: Any) -> None:
        self.array, self.shape, self.dtype = array, array.shape, array.dtype

    def __dlpack_device__(self) -> tuple[int, int]:
        return 1, 0

    def __dlpack__(self, **kwargs: Any) -> Any:
        return self.array.__dlpack__(**kwargs)


class Keep(RNNCell):
    """Puts what it is given aside."""

    state_size = output_size = 2

    def call(self, inputs: Any, state: Any) -> Any:
        self.given = inputs
        return inputs, state


def numbers(*shape: int, dtype: str = "float32") -> Any:
    return np.arange(np.prod(shape)).reshape(shape).astype(dtype)


def test_arrays_and_what_is_none(device: Any) -> None:
    on_device = device.enter(numbers(2, 3))
    for array in (numbers(2, 3), on_device, np.float32(1), LikePyTorch(on_device), LikeNumba(on_device)):
        assert is_array(array)
    for other in (1.0, [1.0], "text", None, object(), np.float32, memoryview(b"ab")):
        assert not is_array(other)
        assert described(other) is None
    with pytest.raises(TypeError, match="no array"):
        known_of(3)


@pytest.mark.parametrize("lender", [LikePyTorch, LikeNumba, LikeJax])
def test_shape_and_dtype_are_read_without_entering(lender: Any, device: Any) -> None:
    with launch_log() as log:
        source = numbers(2, 3) if lender is LikeJax else device.enter(numbers(2, 3))
        entries = len(log.entries)
        known = known_of(lender(source))
        assert known.shape == (2, 3)
        assert known.dtype == np.float32
        assert len(log.entries) == entries


def test_dtypes_of_other_libraries_go_by_their_names(device: Any) -> None:
    tensor = LikePyTorch(device.enter(numbers(2, 2)))
    tensor.dtype = FakeDType("bfloat16")
    assert known_of(tensor).dtype == ml_dtypes.bfloat16
    tensor.dtype = FakeDType("qint32")
    assert described(tensor) is None


def test_big_endian_arrays_count_as_what_they_become(device: Any) -> None:
    array = numbers(2, 3, dtype=">f4")
    assert known_of(array).dtype == np.float32
    assert known_of(array).dtype.isnative
    assert enter(device, array).get().tolist() == array.tolist()


@pytest.mark.parametrize("lender", [LikePyTorch, LikeNumba])
@pytest.mark.parametrize("turned", [False, True])
def test_memory_of_the_device_enters_without_a_copy(lender: Any, turned: bool, device: Any) -> None:
    source = device.enter(numbers(2, 3, 4))
    source = source.swapaxes(0, 1)[:, ::-1] if turned else source
    with launch_log() as log:
        entered = enter(device, lender(source))
        assert log.entries == []
    assert entered.data.ptr == source.data.ptr
    assert entered.strides == source.strides
    device.synchronize(device.current_stream(), "test")
    assert entered.get().tolist() == source.get().tolist()


@pytest.mark.parametrize("lender", [LikePyTorch, LikeNumba])
def test_a_lender_is_kept_alive_by_what_entered(lender: Any, device: Any) -> None:
    entered = enter(device, lender(device.enter(numbers(3))))
    device.synchronize(device.current_stream(), "test")
    assert entered.get().tolist() == [0, 1, 2]


@pytest.mark.parametrize("lender", [LikePyTorch, LikeNumba])
def test_a_call_reads_lent_memory_where_it_is(lender: Any, device: Any) -> None:
    source, state = device.enter(numbers(2, 3, 2)), device.enter(numbers(2, 2))
    device.synchronize(device.current_stream(), "test")
    cell = Keep()
    with launch_log() as log:
        outputs, final = dynamic_rnn(cell, lender(source), initial_state=lender(state))
    assert log.count("put") == log.count("copy") == log.count("get") == log.count("synchronize") == 0
    assert cell.given.data.ptr == source[:, 2].data.ptr
    assert outputs.get().tolist() == source.get().tolist()
    assert final.data.ptr != state.data.ptr
    assert final.get().tolist() == state.get().tolist()


def test_a_fused_call_reads_lent_memory_where_it_is(device: Any) -> None:
    source = device.enter(numbers(3, 2, 4) / 10)
    lent = LikeNumba(source)
    cell = BasicRNNCell(5)
    wanted, _ = dynamic_rnn(cell, source, dtype="float32", time_major=True)
    with launch_log() as log:
        outputs, _ = dynamic_rnn(cell, lent, dtype="float32", time_major=True)
    products = [entry.detail for entry in log.executed() if entry.purpose == "input product"]
    assert [call.b for call in products] == [source.data.ptr]
    assert outputs.get().tolist() == wanted.get().tolist()


def test_host_memory_enters_by_one_upload(device: Any) -> None:
    for lender in (LikeJax, np.asarray):
        with launch_log() as log:
            entered = enter(device, lender(numbers(2, 3)))
        assert log.count("put") == 1
        assert entered.get().tolist() == numbers(2, 3).tolist()


def test_memory_of_a_gpu_is_refused_on_the_host_side(device: Any) -> None:
    foreign = LikeNumba(device.enter(numbers(3)))
    foreign.__cuda_array_interface__["data"] = (12345678, False)
    with pytest.raises(TypeError, match="the host side takes no memory of a GPU, got LikeNumba"):
        enter(device, foreign)


@pytest.mark.parametrize("dtype", ["float16", "float32", "float64", "complex128", "int16"])
@pytest.mark.parametrize("shift", [1, 2, 4, 8])
def test_elements_across_boundaries_are_moved(device: Any, dtype: str, shift: int) -> None:
    """A kernel that reads them fails on a GPU, and takes the process's CUDA with it."""
    wanted = np.arange(60).astype(dtype).reshape(5, 3, 4)
    raw = device.enter(np.zeros(wanted.nbytes + 16, np.uint8))
    raw[shift : shift + wanted.nbytes] = device.enter(wanted.reshape(-1).view(np.uint8))
    lying = raw[shift : shift + wanted.nbytes].view(dtype).reshape(wanted.shape)
    for place in np.s_[:], np.s_[::-2, 1:], np.s_[..., ::3], np.s_[2, 1, 3]:
        entered = enter(device, lying[place])
        assert entered.data.ptr % entered.itemsize == 0
        assert entered.get().tobytes() == wanted[place].tobytes()
        assert (entered.data.ptr == lying[place].data.ptr) == (shift % wanted.itemsize == 0)


def test_rows_across_boundaries_are_moved(device: Any) -> None:
    """As the fields of records are, which Numba lends."""
    raw = device.enter(np.zeros((6, 10), np.uint8))
    raw[:, :8] = device.enter(np.arange(12, dtype="float32").reshape(6, 2).view(np.uint8))
    fields = cupy.ndarray((6, 2), np.float32, memptr=raw.data, strides=(10, 4))
    rows = LikeNumba(fields)
    rows.__cuda_array_interface__["strides"] = (10, 4)
    assert enter(device, rows).get().tolist() == np.arange(12).reshape(6, 2).tolist()


@pytest.mark.parametrize("path", ["auto", "cell"])
def test_a_call_takes_inputs_that_lie_across_boundaries(device: Any, path: Any) -> None:
    x = np.random.default_rng(0).normal(size=(3, 2, 4)).astype("float32")
    raw = device.enter(np.zeros(x.nbytes + 2, np.uint8))
    raw[2:] = device.enter(x.reshape(-1).view(np.uint8))
    cell = BasicRNNCell(3)
    with options(path=path):
        wanted, _ = dynamic_rnn(cell, x, dtype="float32")
        outputs, _ = dynamic_rnn(cell, raw[2:].view("float32").reshape(x.shape), dtype="float32")
    assert outputs.get().tobytes() == wanted.get().tobytes()


@pytest.mark.parametrize("shape", [(), (0,), (2, 0, 3), (2, 3)])
@pytest.mark.parametrize("dtype", ["float16", "complex128", "bool", "int8"])
def test_zeros_of_every_shape_and_dtype(shape: Any, dtype: str, device: Any) -> None:
    stream = device.current_stream()
    made = zeros(device, shape, np.dtype(dtype), stream, "test")
    assert (made.shape, made.dtype) == (shape, dtype)
    assert made.get().tolist() == np.zeros(shape, dtype).tolist()
    assert empty(device, shape, np.dtype(dtype), stream, "test").shape == shape


def test_what_a_device_can_not_hold() -> None:
    assert why_not_on_device(np.dtype("U3")) == "CuPy has no text"
    assert why_not_on_device(np.dtype("longdouble")) == f"CuPy has no {np.dtype('longdouble')}"
    for dtype in ("bool", "uint64", "float16", "complex64", ml_dtypes.bfloat16):
        assert why_not_on_device(np.dtype(dtype)) is None


def test_an_abstract_array_has_a_shape_and_no_values() -> None:
    x = Abstract([2, 3], "float32")
    assert (x.shape, x.ndim, len(x), x.nbytes) == ((2, 3), 2, 2, 24)
    assert is_abstract(x)
    assert repr(matrix_like(x, 7)) == "Abstract((2, 7), float32)"
    assert [column_range(x, *columns).shape for columns in ((0, 2), (2, 9), (4, 9))] == [(2, 2), (2, 1), (2, 0)]
    with pytest.raises(TypeError, match="holds no values"):
        np.tanh(x)
    with pytest.raises(TypeError, match="no length"):
        len(Abstract((), "int8"))
