"""Calls a NumPy function on host arrays: finds the result's shape at once, and enqueues the work on the current stream.

What is enqueued holds raw addresses only, so that memory given back too early is seen as it would be on a device.
"""

import operator
import warnings
from collections.abc import Callable
from typing import Any

import cupy
import numpy as np

from .host_array_functions import STAND_INS
from .host_array_memory import HostMemory, lay, new, upload, within
from .host_array_shapes import Fresh, Layout, Operand, Outcome, Region, Value, Viewed, outcome_of

SCALARS = (bool, int, float, complex, np.generic)


class _UnknownError(Exception):
    """An argument is a NumPy array, whose values decide."""


class _Arguments:
    """The arguments of one call: the host arrays among them, and what else the result's shape depends on."""

    __slots__ = ("constants", "exact", "layouts", "operands")

    def __init__(self, exact: bool, constants: bool) -> None:
        self.operands: list[Any] = []
        self.layouts: list[Layout] = []
        self.exact = exact
        self.constants = constants

    def token(self, value: Any) -> Any:
        """What stands for the value in a key.

        Raises:
            TypeError: no kind of value that CuPy takes.
        """
        kind = type(value)
        if kind is HostMemory.kind:
            for index, known in enumerate(self.operands):
                if known is value:
                    return index
            self.operands.append(value)
            layout = Layout(value.shape, value.strides, value.dtype)
            self.layouts.append(layout)
            return layout
        if kind is float or kind is complex:
            # Their values decide about no shape and no dtype; as arguments such as ``axis`` they do.
            return (kind, value) if self.exact else kind
        if isinstance(value, np.generic):
            return (kind, value.item()) if self.exact else kind
        if value is None or value is Ellipsis or kind in (int, bool, str):
            return (kind, value)
        return self._rare_token(value)

    def _rare_token(self, value: Any) -> Any:
        if isinstance(value, (tuple, list)) and self.exact:
            return (list if isinstance(value, list) else tuple, *[self.token(item) for item in value])
        if isinstance(value, slice):
            return (slice, self.token(value.start), self.token(value.stop), self.token(value.step))
        if isinstance(value, (np.dtype, type)):
            return value
        if isinstance(value, np.ndarray) and self.constants:
            raise _UnknownError
        if isinstance(value, cupy.ndarray):
            raise TypeError(f"Unsupported type {type(value)}: it lies on a GPU, the other arrays on the host side")
        raise TypeError(f"Unsupported type {type(value)}")


def bound(value: Any, operands: list[Any], stands: list[Any]) -> Any:
    """``value`` with each operand in it replaced by what stands for it."""
    for operand, stand in zip(operands, stands, strict=True):
        if value is operand:
            return stand
    if isinstance(value, (tuple, list)):
        return (list if isinstance(value, list) else tuple)(bound(item, operands, stands) for item in value)
    return value


def call(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """``function(*args, **kwargs)`` of NumPy, with CuPy's manners.

    Returns:
        Host arrays where NumPy returns arrays or scalars, views where it returns views.

    Raises:
        TypeError: an argument of another kind, as CuPy refuses a NumPy array beside its own.
        Exception: what NumPy raises for such shapes, dtypes and arguments.
    """
    return _call(function, args, kwargs, False)


def call_with_constants(function: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
    """As ``call``; NumPy arrays among the arguments are taken as they are now, as CuPy takes an index."""
    return _call(function, args, kwargs, True)


def _call(function: Callable[..., Any], args: tuple[Any, ...], kwargs: dict[str, Any], constants: bool) -> Any:
    computed = STAND_INS.get(function, function)
    universal = isinstance(computed, np.ufunc)
    arguments = _Arguments(not universal, constants)
    key: Any
    try:
        # Each value's token, and for keywords the names: all that shapes and dtypes can depend on.
        key = (computed, *[arguments.token(value) for value in args])
        if kwargs:
            key = (*key, *[(name, arguments.token(value)) for name, value in kwargs.items()])
    except _UnknownError:
        key, arguments = None, _Arguments(True, constants)
        _collect(arguments, (args, tuple(kwargs.values())))
    operands = arguments.operands
    if not operands:
        return _constant(computed(*args, **kwargs))
    device = operands[0].host
    direct = not kwargs and len(operands) == len(args) and all(map(operator.is_, operands, args))

    def bind(stands: list[Any]) -> Any:
        if direct:
            return stands, kwargs
        return bound(args, operands, stands), {name: bound(value, operands, stands) for name, value in kwargs.items()}

    outcome = outcome_of(key, computed, arguments.layouts, bind)
    made = [_made(device, result, operands) for result in outcome.results]
    if outcome.runs:
        _enqueue(device, computed, universal, bind, outcome, operands, made)
    if outcome.container is None:
        return made[0]
    return outcome.container(made)


def _collect(arguments: _Arguments, value: Any) -> None:
    if isinstance(value, (tuple, list)):
        for item in value:
            _collect(arguments, item)
    elif isinstance(value, HostMemory):
        arguments.token(value)


def _constant(result: Any) -> Any:
    if isinstance(result, (np.ndarray, np.generic)):
        return upload(result)
    if isinstance(result, (tuple, list)):
        return type(result)([_constant(item) for item in result])
    return result


def _made(device: Any, result: Fresh | Viewed | Operand | Value, operands: list[Any]) -> Any:
    if type(result) is Fresh:
        return new(device, result.shape, result.dtype)
    if type(result) is Viewed:
        return within(operands[result.operand], result)
    if type(result) is Operand:
        return operands[result.operand]
    return result.value  # type: ignore[union-attr]


def _enqueue(
    device: Any,
    function: Callable[..., Any],
    universal: bool,
    bind: Callable[[list[Any]], Any],
    outcome: Outcome,
    operands: list[Any],
    made: list[Any],
) -> None:
    regions: list[Region] = []
    args, kwargs = bind([lay(operand, regions) for operand in operands])
    targets = [
        lay(array, regions) if type(result) is Fresh else None
        for array, result in zip(made, outcome.results, strict=True)
    ]
    purpose = f"a cell's {getattr(function, '__name__', 'function')}"
    if universal and len(targets) == 1 and targets[0] is not None:
        kwargs = {**kwargs, "out": targets[0]}
        device.enqueue(device.current_stream(), purpose, _run_ufunc, device, purpose, regions, function, args, kwargs)
        return
    device.enqueue(device.current_stream(), purpose, _run, device, purpose, regions, function, args, kwargs, targets)


def _run_ufunc(
    device: Any, purpose: str, regions: list[Region], function: Any, args: Any, kwargs: dict[str, Any]
) -> None:
    for address, nbytes in regions:
        device.check(address, nbytes, purpose)
    with np.errstate(all="ignore"):
        function(*args, **kwargs)


def _run(
    device: Any,
    purpose: str,
    regions: list[Region],
    function: Callable[..., Any],
    args: Any,
    kwargs: dict[str, Any],
    targets: list[Any],
) -> None:
    for address, nbytes in regions:
        device.check(address, nbytes, purpose)
    with np.errstate(all="ignore"), warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a device says nothing of infinities, of means of nothing, of lost parts
        result = function(*args, **kwargs)
    values = result if isinstance(result, (tuple, list)) else (result,)
    for target, value in zip(targets, values, strict=True):
        if target is not None:
            if np.shape(value) != target.shape:
                raise RuntimeError(f"{purpose}: shape {np.shape(value)}, but {target.shape} for arrays of ones")
            target[...] = value
