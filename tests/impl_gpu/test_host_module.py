"""Tests the array module of host arrays against NumPy, name by name, and against CuPy's own tables of dtypes."""

import itertools
import os
import subprocess
import sys
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import cupy
import ml_dtypes
import numpy as np
import pytest

from dynamic_rnn_spec import RNNCell, array_module
from dynamic_rnn_spec.vocabulary.structure import map_structure
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape
from dynamic_rnn_spec.vocabulary.variable_scope import VariableStore, use_store
from dynamic_rnn_spec.wire.probes import NumPyOps, make_probe
from impl_gpu.device import host_array_names, host_module, use_device
from impl_gpu.device.host import HostDevice
from impl_gpu.device.host_arrays import HostArray, upload
from impl_gpu.probe_ops import DeviceOps

xp: Any = host_module


@pytest.fixture(params=range(5))
def device(request: pytest.FixtureRequest) -> Iterator[HostDevice]:
    chosen = HostDevice(request.param)
    with use_device(chosen):
        yield chosen
        chosen.finish()


def same(got: Any, wanted: Any) -> None:
    """A host array, or several, with exactly these values, dtypes and shapes; what is no array is equal."""
    if isinstance(wanted, (tuple, list)):
        assert isinstance(got, (tuple, list))
        assert len(got) == len(wanted)
        for one, other in zip(got, wanted, strict=True):
            same(one, other)
    elif isinstance(wanted, (np.ndarray, np.generic, bool)):
        assert type(got) is HostArray
        wanted = np.asarray(wanted)
        assert (got.shape, got.dtype) == (wanted.shape, wanted.dtype)
        np.testing.assert_array_equal(got.get(), wanted)
    else:
        assert got == wanted


# One example of each name that the module has beside the ufuncs: a is [3, 4], b is [4], i is [2] of integers, m is the
# mask of a. The same text is evaluated with NumPy and with the module.
EXAMPLES = """
all(a, axis=0); allclose(a, a); amax(a, axis=1); amin(a, axis=0); angle(a * 1j); any(m, axis=1); append(a, a, axis=0)
argmax(a, axis=1); argmin(a); argsort(b); around(a / 3, 1); array_equal(a, a); array_split(a, 3, axis=1)
average(a, axis=0); average(a, axis=1, weights=b); broadcast_arrays(a, b); broadcast_to(b, (2, 4)); clip(a, 1, 2)
choose(i, [b[:2], b[2:]]); column_stack([b, b]); concatenate([a, a], axis=1); concatenate((a, a)); convolve(b, b)
copyto(a, 3); corrcoef(a); correlate(b, b); count_nonzero(m); cov(a); cross(a[:, :3], a[:, 1:]); cumprod(a, axis=0)
cumsum(a, 1); diag(b); diagflat(b); diagonal(a); diff(a, axis=1); digitize(a, b); dot(a, b); dsplit(a[None], 2)
dstack([a, a]); ediff1d(b); einsum("ij,kj->ik", a, a); expand_dims(a, 1); fill_diagonal(a, 0); flip(a, 0); fliplr(a)
flipud(a); gradient(b); hsplit(a, 2); hstack([a, a]); imag(a); inner(a, b); interp(b, b, b); isclose(a, a)
isin(a, b); kron(a, b); lexsort([b]); max(a); max(a, axis=0, keepdims=True); mean(a, axis=0); median(a, axis=1)
min(a, axis=-1); moveaxis(a, 0, 1); nan_to_num(a); nanargmax(a); nanargmin(a); nancumprod(b); nancumsum(b); nanmax(a)
nanmean(a, axis=0); nanmedian(a); nanmin(a); nanprod(a); nanstd(a); nansum(a, axis=0); nanvar(a); outer(b, b)
pad(a, 1); pad(a, ((0, 0), (1, 0))); percentile(a, 30); prod(a, axis=0); ptp(a); putmask(a, m, 0); quantile(a, 0.5)
ravel(a); real(a); real_if_close(b); repeat(a, 2, axis=1); reshape(a, (4, 3)); reshape(a, -1); resize(a, (2, 2))
roll(a, 1, axis=0); rollaxis(a, 1); rot90(a); round(a / 3, 1); searchsorted(b, a); select([m, ~m], [a, -a]); sinc(b)
sort(a, axis=0); split(a, 2, axis=1); split(a, [1, 3], axis=1); squeeze(a[None]); stack([a, a], axis=1); std(a)
sum(a, axis=(0, 1)); sum(a, 0, keepdims=True); swapaxes(a, 0, 1); take_along_axis(a, a.argsort(1), 1)
tensordot(a, a, ((1,), (1,))); tile(a, (1, 2)); trace(a); transpose(a); transpose(a, (1, 0)); trapezoid(b); tril(a)
triu(a); unwrap(b); vander(b); var(a, axis=0); vdot(b, b); vsplit(a, 3); vstack([a, a])
argwhere(m); bincount(i); compress(m[0], a, axis=1); extract(m, a); flatnonzero(m); nonzero(m); trim_zeros(b)
union1d(b, b); unique(a); arange(4); arange(1, 2, 0.25); eye(3); hamming(4); hanning(4)
identity(2); indices((2, 3)); linspace(0, 1, 5); logspace(0, 1, 3); tri(3); tril_indices(2); triu_indices(2)
can_cast("int8", "int16"); iscomplexobj(a); isrealobj(a); isscalar(1.5); min_scalar_type(3); ndim(a)
promote_types("int8", "float32"); result_type(a, 1.5); shape(a); size(a)
linalg.cholesky(a @ a.T + 20 * eye(3)); linalg.det(a[:, :3]); linalg.inv(eye(3) + a[:, :3])
linalg.matrix_power(a[:, :3], 2); linalg.norm(a, axis=1); linalg.pinv(a); linalg.qr(a); linalg.slogdet(eye(3))
linalg.solve(eye(3), a); linalg.svd(a, compute_uv=False)
where(m, a, 0.0); where(m); take(a, i, axis=1); atleast_1d(a[0, 0]); atleast_2d(b); atleast_3d(b, a); meshgrid(b, b)
zeros((2, 3)); ones(3, "int32"); full((2,), 7); full((2,), b[0]); zeros_like(a); ones_like(a, dtype="float16")
full_like(a, 2.5); asarray(3.5); array([1, 2]); array([[1.5]], "float32", ndmin=3); array(a); asarray(a)
asanyarray(a); ascontiguousarray(a.T); copy(a); asarray(a, dtype="int64")
shares_memory(a, a[0]); may_share_memory(a, b)
"""
CALLS = [text.strip() for line in EXAMPLES.split("\n") for text in line.split(";") if text.strip()]
NAMED = {text.split("(")[0] for text in CALLS}


def arrays(module: Any) -> dict[str, Any]:
    a = (np.arange(12, dtype=np.float64).reshape(3, 4) * 7 % 11).astype(np.float32)
    made = {"a": a, "b": np.array([0.5, 1, 2, 4]), "i": np.array([1, 0]), "m": a > 4}
    made = {name: value if module is np else upload(value) for name, value in made.items()}
    return {**made, "eye": module.eye}


def evaluated(text: str, module: Any) -> tuple[Any, Any]:
    known = arrays(module)
    value = eval(f"module.{text}", {"module": module, **known})  # our own text, above
    return value, known["a"]


@pytest.mark.parametrize("text", CALLS)
def test_functions_are_numpys(text: str) -> None:
    with use_device(HostDevice(2)), warnings.catch_warnings():
        warnings.simplefilter("error")
        wanted, wanted_a = evaluated(text, np)
        got, a = evaluated(text, host_module)
        if text.split("(")[0] in {"shares_memory", "may_share_memory", *host_array_names.KNOWN}:
            assert got == wanted
        else:
            same(got, wanted)
        same(a, wanted_a)


def test_every_name_has_an_example_and_is_numpys_and_cupys() -> None:
    for group in ("COMPUTED", "READ", "MADE", "KNOWN"):
        names = getattr(host_array_names, group)
        assert names <= NAMED
        assert all(hasattr(np, name) and hasattr(cupy, name) for name in names)
    assert {f"linalg.{name}" for name in host_array_names.LINALG} <= NAMED
    assert all(hasattr(np, name) and hasattr(cupy, name) for name in host_array_names.CONSTANTS)
    assert all(getattr(host_module, name) is getattr(np, name) for name in host_array_names.CONSTANTS)


UFUNCS = sorted(
    name
    for name in dir(np)
    if isinstance(getattr(np, name), np.ufunc) and isinstance(getattr(cupy, name, None), cupy.ufunc)
)


def test_every_ufunc_of_both_is_there_and_is_numpys(device: HostDevice) -> None:
    assert len(UFUNCS) >= 90
    for name in UFUNCS:
        function = getattr(np, name)
        kind = "int32" if not any("f" in types.split("->")[0] for types in function.types) else "float32"
        operands = [np.array([[0.25, 1, 3], [2, 0.5, 0.75]]).astype(kind), np.array([1, 2, 2]).astype(kind)]
        if name == "ldexp":
            operands[1] = np.array([1, 2, 2])
        with np.errstate(all="ignore"):
            wanted = function(*operands[: function.nin])
        same(getattr(host_module, name)(*map(upload, operands[: function.nin])), wanted)


# Where the dtypes of CuPy's own tables are not NumPy's: complex numbers that one of the two has no function for, and
# bfloat16, where NumPy has no loop. None of them is what a cell computes.
APART = {"arctan2", "atan2", "copysign", "degrees", "divmod", "hypot", "ldexp", "logical_and", "logical_not"} | {
    "logical_or",
    "logical_xor",
    "nextafter",
    "radians",
}


def test_dtypes_are_those_of_cupys_own_tables() -> None:
    """A canary as well: ``_ops`` is private to CuPy; without it nothing says that NumPy's rules are CuPy's."""
    dtypes = [np.dtype(t) for t in ("int8", "int32", "uint8", "float16", ml_dtypes.bfloat16, "float32", "float64")]
    for name in set(UFUNCS) - APART:
        theirs, ours = getattr(cupy, name)._ops, getattr(np, name)
        for chosen in itertools.product(dtypes, repeat=ours.nin):
            guessed = theirs._guess_routine_from_in_types(chosen, None)
            assert (None if guessed is None else tuple(guessed.out_types)) == _dtypes(ours, chosen), (name, chosen)


def test_bools_and_complex_numbers_have_the_dtypes_of_cupys_own_tables() -> None:
    dtypes = [np.dtype(t) for t in ("bool", "float32", "complex64")]
    for name in ("add", "subtract", "multiply", "true_divide", "tanh", "exp", "maximum", "equal", "less", "absolute"):
        theirs, ours = getattr(cupy, name)._ops, getattr(np, name)
        for chosen in itertools.product(dtypes, repeat=ours.nin):
            guessed = theirs._guess_routine_from_in_types(chosen, None)
            wanted = None if guessed is None or guessed.error_func is not None else tuple(guessed.out_types)
            assert wanted == _dtypes(ours, chosen), (name, chosen)


def _dtypes(function: np.ufunc, dtypes: Any) -> Any:
    try:
        with np.errstate(all="ignore"):
            result = function(*[np.ones(2, dtype) for dtype in dtypes])
    except TypeError:
        return None
    return tuple(one.dtype for one in (result if isinstance(result, tuple) else (result,)))


# The module itself.


def test_it_is_the_array_module_of_host_arrays(device: HostDevice) -> None:
    x = upload(np.ones(2))
    assert array_module(x) is host_module
    assert xp.get_array_module(x) is host_module
    assert xp.get_array_module(np.ones(2)) is np
    assert isinstance(x, xp.ndarray)
    assert xp.float32 is np.float32
    assert xp.newaxis is None
    with pytest.raises(TypeError, match="array_module: expected an array of NumPy or CuPy, got Stranger"):
        array_module(type("Stranger", (), {"__module__": "impl_gpu.somewhere"})())


def test_what_it_has_not_is_said() -> None:
    for name in ("random", "vectorize", "memmap", "no_such_function"):
        with pytest.raises(
            AttributeError, match=f"the host side's array module has no '{name}'; what it has is named in"
        ):
            getattr(host_module, name)
    assert not hasattr(host_module, "fft")


def test_arrays_are_made_of_anything_but_beside_a_host_array_only_numbers_go(device: HostDevice) -> None:
    a = np.arange(3.0)
    x = upload(a)
    same(xp.asarray(a), a)
    same(xp.asarray(a, "float32"), a.astype("float32"))
    same(xp.array([x, x + 1]), np.array([a, a + 1]))
    same(xp.array([[x[0], x[1]]], "int32"), np.array([[0, 1]], "int32"))
    same(xp.asarray(a.astype(">f8")), a)
    same(xp.tanh(0.5), np.asarray(np.tanh(0.5)))
    assert xp.asarray(x) is x
    assert xp.array(x).data.ptr != x.data.ptr
    assert xp.ascontiguousarray(x) is x
    assert isinstance(xp.asnumpy(x), np.ndarray)
    assert xp.asnumpy(a) is a
    assert np.isnan(xp.empty((2, 2)).get()).all()
    assert (xp.empty_like(x, shape=(5,)).shape, xp.empty(4, "int8").dtype) == ((5,), np.int8)
    refusals: list[Callable[[], Any]] = [
        lambda: xp.concatenate([x, a]),
        lambda: xp.where(x > 1, x, a),
        lambda: xp.maximum(x, a),
        lambda: xp.dot(x, a),
        lambda: xp.tanh(a),
        lambda: xp.sum(a),
        lambda: xp.unique(a),
    ]
    for refused in refusals:
        with pytest.raises(TypeError, match=r"Unsupported type <class 'numpy.ndarray'>|expected an array"):
            refused()


def test_views_are_views(device: HostDevice) -> None:
    x = xp.arange(12.0).reshape(3, 4)
    first, second = xp.split(x, 2, axis=1)
    second += 100
    xp.transpose(x)[0] = -1
    xp.flip(x, 0)[0, 3] = 7
    wanted = np.arange(12.0).reshape(3, 4)
    wanted[:, 2:] += 100
    wanted[:, 0] = -1
    wanted[2, 3] = 7
    same(x, wanted)
    same(first, wanted[:, :2])
    assert xp.shares_memory(x, first)
    assert not xp.shares_memory(first, second)


def test_products_of_bfloat16_are_bfloat16(device: HostDevice) -> None:
    values = np.random.default_rng(0).uniform(-1, 1, (8, 33)).astype(ml_dtypes.bfloat16)
    x, wide = upload(values), values.astype(np.float32)
    for got, wanted in (
        (x @ x.T, wide @ wide.T),
        (xp.dot(x, x.T), wide @ wide.T),
        (xp.einsum("ij,kj->ik", x, x), wide @ wide.T),
        (xp.tensordot(x, x, ((1,), (1,))), wide @ wide.T),
        (xp.average(x, axis=0), wide.mean(axis=0)),
        (xp.sum(x, axis=1), wide.sum(axis=1)),
    ):
        assert got.dtype == values.dtype
        np.testing.assert_allclose(got.get().astype(np.float32), wanted, rtol=2.0**-8, atol=1e-5)
    out = xp.zeros((8, 8), "float32")
    assert xp.dot(x, x.T, out=out) is out
    np.testing.assert_allclose(out.get(), wide @ wide.T, rtol=1e-5, atol=1e-5)
    with pytest.raises(TypeError, match="same_kind"):
        xp.dot(x, x.T, out=xp.zeros((8, 8), "int32"))


def test_the_mean_of_nothing_is_nan_without_a_word(device: HostDevice) -> None:
    assert np.isnan(float(xp.mean(xp.zeros((0,)))))
    assert float(xp.log(xp.zeros(()))) == -np.inf
    same(xp.ones(2, "int32") // xp.zeros(2, "int32"), np.zeros(2, "int32"))


# CuPy's own functions.


def test_cupys_functions_reach_host_arrays_where_they_ask_before_they_launch(device: HostDevice) -> None:
    """A canary: ``__cupy_override_elementwise_kernel__`` is private; if CuPy forgets it, cells need array_module."""
    a = np.arange(6, dtype=np.float32).reshape(2, 3)
    x = upload(a)
    for got, wanted in (
        (cupy.tanh(x), np.tanh(a)),
        (cupy.add(x, 1), a + 1),
        (cupy.maximum(x, x[0]), np.maximum(a, a[0])),
        (cupy.where(x > 2, x, 0.0), np.where(a > 2, a, 0.0)),
        (cupy.clip(x, 1, 3), np.clip(a, 1, 3)),
        (cupy.dot(x, x.T), a @ a.T),
        (cupy.sum(x, axis=0), a.sum(axis=0)),
        (cupy.mean(x), a.mean()),
        (cupy.exp(-x), np.exp(-a)),
        (cupy.reshape(x, (3, 2)), a.reshape(3, 2)),
        (cupy.broadcast_to(x, (2, 2, 3)), np.broadcast_to(a, (2, 2, 3))),
        (cupy.add(x, 1, dtype="float64"), np.add(a, 1, dtype="float64")),
    ):
        same(got, wanted)


def test_what_of_cupy_needs_a_gpu_says_what_to_do(device: HostDevice) -> None:
    x = upload(np.ones((2, 2), np.float32))
    kernel = cupy.ElementwiseKernel("T x", "T y", "y = x", "twin")
    with pytest.raises(TypeError, match=r"can't run CuPy's kernel 'twin': take functions from dynamic_rnn_spec"):
        kernel(x)
    with pytest.raises(ImportError, match="no_such_module"), host_module.cell_errors():
        import no_such_module  # type: ignore[import-not-found]  # noqa: F401


NO_GPU = """
import cupy, numpy
import impl_gpu
from impl_gpu.device import host_module, use_device
from impl_gpu.device.host import HostDevice

with use_device(HostDevice(0)):
    x = host_module.ones((2, 2))
    for call in (lambda: cupy.concatenate([x, x]), lambda: cupy.matmul(x, x), lambda: cupy.zeros(2)):
        try:
            with host_module.cell_errors():
                call()
        except RuntimeError as error:
            assert str(error).startswith("a cell called CuPy, which found no GPU ("), error
            assert str(error).endswith("the functions for an array x come from dynamic_rnn_spec.array_module(x)"), error
        else:
            raise AssertionError("CuPy answered")


class Cell(impl_gpu.RNNCell):
    state_size = output_size = 2

    def call(self, inputs, state):
        return inputs, cupy.concatenate([state, inputs], axis=1)[:, :2]


for switches in ({}, {"sync": True}):
    with use_device(HostDevice(0)), impl_gpu.options(**switches):
        try:
            impl_gpu.dynamic_rnn(Cell(), numpy.ones((1, 1, 2), "f4"), dtype="f4")
        except RuntimeError as error:
            assert str(error).startswith("a cell called CuPy, which found no GPU ("), error
        else:
            raise AssertionError("CuPy answered")
print("said")
"""


def test_cupys_functions_that_allocate_say_what_to_do() -> None:
    """In a process that sees no GPU, since one that does must not be handed memory of the host."""
    ran = subprocess.run(
        [sys.executable, "-c", NO_GPU],
        check=False,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "CUDA_VISIBLE_DEVICES": ""},
    )
    assert (ran.returncode, ran.stdout) == (0, "said\n"), ran.stderr


@pytest.mark.parametrize("module", ["host_module", "host_array_calls", "host_array_making", "host_array_operators"])
def test_each_module_can_be_the_first(module: str) -> None:
    code = f"import impl_gpu.device.{module}, impl_gpu.device.host_arrays as h; h.HostArray.__add__"
    subprocess.run([sys.executable, "-c", code], check=True, timeout=60)


# The probe cells of the contract compute with it what they compute with NumPy.

SIZES = (TensorShape([2]), {"deep": TensorShape([3, 2])})
PROBES: list[tuple[str, dict[str, Any], Any, Any]] = [
    ("Tally", {"state_size": (3, 2), "output_size": SIZES, "state_dtypes": ("int8", "float16")}, "x", ("s3", "s2")),
    ("Tally", {"state_size": 3, "output_size": 4, "output_dtype": "bool"}, "x", "s3"),
    ("Tally", {"state_size": 3, "output_size": 4, "state_dtypes": "complex64"}, "x", "c3"),
    ("Echo", {"sizes": TensorShape([4])}, "x", "s1"),
    ("LastInput", {"size": TensorShape([4])}, "x", "s4"),
    ("ScalarCounter", {}, "x", ("s0", "s1")),
    ("Affine", {"units": 3}, "x", "s3"),
    ("Rogue", {"fault": "state_dtype", "units": 2}, "x", ("s2", "s2")),
]


def leaves(name: str) -> Any:
    rng = np.random.default_rng(len(name))
    if name == "s0":
        return np.zeros((), np.float32)
    width = 4 if name == "x" else int(name[1:])
    return rng.integers(0, 20, (5, width)).astype(np.complex64 if name[0] == "c" else np.float32)


@pytest.mark.parametrize(("kind", "options", "x", "state"), PROBES, ids=[f"{p[0]}-{i}" for i, p in enumerate(PROBES)])
def test_probe_cells_compute_what_they_compute_with_numpy(
    kind: str, options: dict[str, Any], x: Any, state: Any, device: HostDevice
) -> None:
    results = []
    for ops, enter in ((NumPyOps(), np.array), (DeviceOps(), upload)):
        rng = np.random.default_rng(0)
        weights = {f"affine/{name}": rng.integers(0, 9, s).astype("f") for name, s in WEIGHTS.items()}
        with use_store(VariableStore(weights if kind == "Affine" else {})):
            cell = make_probe(kind, dict(options), RNNCell, ops)
            results.append(cell(map_structure(enter, leaves(x)), map_structure(lambda n, e=enter: e(leaves(n)), state)))
    wanted, got = results
    map_structure(same, got, wanted)


WEIGHTS = {"kernel": (4, 3), "recurrent": (3, 3), "bias": (3,)}
