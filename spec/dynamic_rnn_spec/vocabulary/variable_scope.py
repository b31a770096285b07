"""Defines variables, the store that holds them and the scopes that name them, as in TensorFlow 1.4.1.

A store is what a graph is to TensorFlow's variables: names are unique in it. There is one default store for each
process; a block ``with use_store(VariableStore()):`` works in a fresh one, and ``reset_default_store()`` empties the
default.
"""

import contextlib
import re
import threading
from typing import Any, Callable, Dict, Iterator, List, Mapping, Optional, Sequence, Union

import numpy as np

from .array_module import array_module
from .errors import ArgumentTypeError, ArgumentValueError
from .initializers import GlorotUniform, Zeros

AUTO_REUSE = "AUTO_REUSE"
"""For ``reuse``: share a variable that exists, make one that does not."""

Initializer = Callable[..., Any]
Reuse = Union[None, bool, str]
_SCOPE_NAME = re.compile(r"[A-Za-z0-9.][A-Za-z0-9_.\-/]*\Z")

WEIGHT_READERS: Dict[str, Callable[["Variable", Any], Any]] = {}
"""What reads a variable for arrays other than NumPy's, by the first part of the array type's module name: called with
the variable and the array, it may keep the copy that it makes until the value changes."""


class Variable:
    """A named array: ``name``, ``value`` (NumPy, read-only), ``shape``, ``dtype``, ``trainable``."""

    def __init__(self, name: str, value: "np.ndarray[Any, Any]", trainable: bool = True) -> None:
        self.name = name
        self.trainable = trainable
        self.version = 0
        self.value = _frozen(value)

    @property
    def shape(self) -> "tuple[int, ...]":
        return tuple(self.value.shape)

    @property
    def dtype(self) -> Any:
        return self.value.dtype

    def assign(self, value: Any) -> None:
        """Give the variable another value of the same shape and dtype.

        Raises:
            ValueError: the shape differs [VAR-14].
            TypeError: the dtype differs; nothing is cast silently [VAR-14].
        """
        array = np.asarray(value)
        if tuple(array.shape) != self.shape:
            raise ArgumentValueError(self.name, "shape {}".format(self.shape), str(tuple(array.shape)), "VAR-14")
        if array.dtype != self.dtype:
            raise ArgumentTypeError(self.name, "dtype {}".format(self.dtype), str(array.dtype), "VAR-14")
        self.value = _frozen(array)
        self.version += 1

    def read(self, like: Any = None) -> Any:
        """The value as an array of the module that ``like`` belongs to: NumPy for NumPy or None."""
        reader = WEIGHT_READERS.get(type(like).__module__.split(".")[0])
        if reader is not None:
            return reader(self, like)
        module = np if like is None else array_module(like)
        return self.value if module is np else module.asarray(self.value)

    def __array__(self, *args: Any, **kwargs: Any) -> "np.ndarray[Any, Any]":
        raise TypeError("{0!r} is no array: variable.read(like) gives its value in the module of like".format(self))

    def __repr__(self) -> str:
        return "Variable({!r}, shape={}, dtype={})".format(self.name, self.shape, self.dtype)


def _check_reuse(reuse: Any) -> None:
    if reuse is not None and not isinstance(reuse, bool) and reuse != AUTO_REUSE:
        raise ArgumentValueError("reuse", "None, True or AUTO_REUSE", repr(reuse), "SCOPE-7")


class VariableScope:
    """A scope for variables: its ``name``, ``reuse`` (None, True or AUTO_REUSE) and the ``initializer`` of its
    variables."""

    def __init__(self, name: str = "", reuse: Reuse = None, initializer: Optional[Initializer] = None) -> None:
        _check_reuse(reuse)
        self.name = name
        self.reuse = reuse
        self.initializer = initializer

    def reuse_variables(self) -> None:
        """From now on get_variable shares variables here and refuses to make new ones."""
        self.reuse = True

    def __repr__(self) -> str:
        return "VariableScope({!r}, reuse={!r})".format(self.name, self.reuse)


class _Open(threading.local):
    """What a thread has open in a store: the scope, how often each name was opened, and what a failure must undo."""

    def __init__(self, outermost: VariableScope) -> None:
        self.scope = outermost
        self.scope_counts: Dict[str, int] = {}
        self.undo: Optional[List[Callable[[], None]]] = None


class VariableStore:
    """Variables by name, the scope that is open, and values that wait for a variable to be made.

    Threads may use one store at once, each with scopes of its own; new variables are for one thread at a time to make.

    Args:
        values: arrays by variable name, taken instead of initial values when the variables are made (see ``load``).
        seed: fixes the draws of initialisers that have no seed of their own; None draws afresh.
    """

    def __init__(self, values: Optional[Mapping[str, Any]] = None, seed: Optional[int] = None) -> None:
        self.variables: Dict[str, Variable] = {}
        self._open = _Open(VariableScope())
        self.rng = np.random.RandomState(seed)
        self._waiting: Dict[str, "np.ndarray[Any, Any]"] = {}
        self.load(values or {})

    @property
    def scope(self) -> VariableScope:
        """The scope that this thread has open."""
        return self._open.scope

    def load(self, values: Mapping[str, Any]) -> None:
        """Set variables by TensorFlow's names (a trailing ``:0`` is allowed); a name not yet made waits until its
        variable is.

        Nothing is changed when one value is refused.

        Raises:
            ValueError, TypeError: the shape or dtype of an existing variable differs [VAR-14].
        """
        arrays = {name[:-2] if name.endswith(":0") else name: np.array(value) for name, value in values.items()}
        before = {name: self.variables[name].value for name in arrays if name in self.variables}
        try:
            for name in before:
                self.variables[name].assign(arrays[name])
        except (TypeError, ValueError):
            for name, value in before.items():
                self.variables[name].value = value
            raise
        self._waiting.update({name: value for name, value in arrays.items() if name not in before})

    def waiting(self) -> List[str]:
        """Names that were loaded and that no variable has taken yet."""
        return sorted(self._waiting)

    def get(
        self, name: str, shape: Sequence[int], dtype: Any, initializer: Initializer, trainable: bool, reuse: Reuse
    ) -> Variable:
        """The variable of this full name: made, or shared, as ``reuse`` allows.

        Raises:
            ValueError: it exists and reuse is off [SCOPE-6]; it does not and reuse is True [SCOPE-12]; its shape or the
                shape of a loaded value differs [VAR-14].
            TypeError: the dtype of the one that exists, or of a loaded value, differs [VAR-14].
        """
        shape, dtype = tuple(int(dim) for dim in shape), np.dtype(dtype)
        existing = self.variables.get(name)
        if existing is None and reuse is True:
            raise ArgumentValueError(
                "scope", "a variable {!r} to share, since reuse=True".format(name), "none", "SCOPE-12"
            )
        if existing is not None and not reuse:  # SCOPE-7: with reuse it is shared
            raise ArgumentValueError(
                "scope",
                "no variable {!r} yet, since reuse is off".format(name),
                "one",
                "SCOPE-6",
                "share it with reuse=True",
            )
        if existing is not None:
            if existing.shape != shape:
                raise ArgumentValueError(name, "shape {}".format(shape), str(existing.shape), "VAR-14")
            if existing.dtype != dtype:
                raise ArgumentTypeError(name, "dtype {}".format(dtype), str(existing.dtype), "VAR-14")
            return existing
        variable = Variable(name, np.zeros(shape, dtype), trainable)
        if name in self._waiting:
            variable.assign(self._waiting[name])
        else:
            variable.assign(initializer(shape, dtype, self.rng))
        self.variables[name] = variable
        loaded = self._waiting.pop(name, None)
        self.on_rollback(lambda: self._forget(name, loaded))
        return variable

    def _forget(self, name: str, loaded: "Optional[np.ndarray[Any, Any]]") -> None:
        del self.variables[name]
        if loaded is not None:
            self._waiting[name] = loaded

    def on_rollback(self, undo: Callable[[], None]) -> None:
        """Have ``undo`` called if the transaction that is open now fails."""
        if self._open.undo is not None:
            self._open.undo.append(undo)

    @contextlib.contextmanager
    def transaction(self) -> Iterator[None]:
        """All or nothing: when the block raises, the variables it made are gone and its cells are unbuilt [ERR-3].

        A block within a block is undone when either of them raises.
        """
        here = self._open
        outer, here.undo = here.undo, []
        undoing = here.undo
        scope, counts, draws = here.scope, dict(here.scope_counts), self.rng.get_state()
        try:
            yield
        except BaseException:
            for undo in reversed(undoing):  # ERR-3
                undo()
            here.scope, here.scope_counts = scope, counts
            self.rng.set_state(draws)
            raise
        else:
            if outer is not None:
                outer.extend(undoing)
        finally:
            here.undo = outer


class _Stack(threading.local):
    def __init__(self) -> None:
        self.stores: List[VariableStore] = []


_DEFAULT = [VariableStore()]
_STACK = _Stack()


def default_store() -> VariableStore:
    """The store in use: the innermost ``use_store`` of this thread, else the one of the process."""
    return _STACK.stores[-1] if _STACK.stores else _DEFAULT[0]


def reset_default_store() -> None:
    """Forget every variable of the process's store, as a new default graph does in TensorFlow."""
    _DEFAULT[0] = VariableStore()


@contextlib.contextmanager
def use_store(store: VariableStore) -> Iterator[VariableStore]:
    """Make and look up variables in ``store`` within the block."""
    _STACK.stores.append(store)
    try:
        yield store
    finally:
        _STACK.stores.pop()


def get_variable_scope() -> VariableScope:
    """The scope that is open now; the outermost has the name ''."""
    return default_store().scope


def get_variable(
    name: str,
    shape: Sequence[int],
    dtype: Any = np.float32,
    initializer: Optional[Initializer] = None,
    trainable: bool = True,
) -> Variable:
    """The variable ``name`` of the open scope, made or shared as that scope's ``reuse`` says.

    Without an initialiser it takes the scope's, else glorot uniform for floating types [VAR-9] and zeros for the
    others.

    Raises:
        ValueError, TypeError: see VariableStore.get; a TypeError also where ``initializer`` is no function [VAR-10].
    """
    store = default_store()
    scope = store.scope
    chosen: Any = scope.initializer if initializer is None else initializer
    if not (chosen is None or callable(chosen)):
        wanted = "a function of shape, dtype and generator, or None"
        raise ArgumentTypeError("initializer", wanted, type(chosen).__name__, "VAR-10")
    if chosen is None:
        chosen = GlorotUniform() if _is_floating(np.dtype(dtype)) else Zeros()
    full_name = scope.name + "/" + name if scope.name else name
    return store.get(full_name, shape, dtype, chosen, trainable, scope.reuse)


def _is_floating(dtype: Any) -> bool:
    """Whether a dtype is floating; NumPy itself does not count ml_dtypes' bfloat16 as such."""
    return np.issubdtype(dtype, np.floating) or dtype.name == "bfloat16"


@contextlib.contextmanager
def variable_scope(
    name_or_scope: Union[None, str, VariableScope],
    default_name: Optional[str] = None,
    reuse: Reuse = None,
    initializer: Optional[Initializer] = None,
) -> Iterator[VariableScope]:
    """Open a scope: a string goes on from the open one [SCOPE-3], a VariableScope is absolute [SCOPE-4].

    With None the scope is ``default_name``, numbered (``_1``, ``_2``) when the open scope has already had one of that
    name.

    Raises:
        TypeError: neither a string, a VariableScope nor (with ``default_name``) None [SCOPE-9].
        ValueError: a name that TensorFlow does not allow [SCOPE-10]; an unknown ``reuse``; reuse=True without a name.
    """
    _check_reuse(reuse)
    chosen = default_name if name_or_scope is None else name_or_scope
    if not isinstance(chosen, (str, VariableScope)):
        raise ArgumentTypeError("scope", "a string or a VariableScope", type(chosen).__name__, "SCOPE-9")
    if isinstance(chosen, str) and not _SCOPE_NAME.match(chosen):
        raise ArgumentValueError("scope", "a name of letters, digits and _.-/", repr(chosen), "SCOPE-10")
    here = default_store()._open
    outer = here.scope
    if name_or_scope is None and default_name is not None:
        if reuse is True:
            raise ArgumentValueError("reuse", "None, since the scope has no name of its own", "True", "SCOPE-7")
        name_or_scope = _numbered(here, default_name)
    if isinstance(name_or_scope, VariableScope):
        base, name = name_or_scope, name_or_scope.name  # SCOPE-4
    else:
        # SCOPE-3: it goes on from the open scope.
        base, name = outer, "{}/{}".format(outer.name, name_or_scope) if outer.name else str(name_or_scope)
    here.scope_counts[name] = here.scope_counts.get(name, 0) + 1
    counts = dict(here.scope_counts)
    kernels = base.initializer if initializer is None else initializer
    here.scope = VariableScope(name, reuse or base.reuse, kernels)  # SCOPE-7
    try:
        yield here.scope
    finally:
        if isinstance(name_or_scope, VariableScope):
            here.scope_counts = counts
        else:
            inside = [known for known in here.scope_counts if known.startswith(name + "/")]
            here.scope_counts.update(dict.fromkeys(inside, 0))
        here.scope = outer


def _numbered(here: _Open, name: str) -> str:
    prefix = here.scope.name + "/" if here.scope.name else ""
    if not here.scope_counts.get(prefix + name):
        return name
    number = 1
    while here.scope_counts.get("{}{}_{}".format(prefix, name, number)):
        number += 1
    return "{}_{}".format(name, number)


def _frozen(value: Any) -> "np.ndarray[Any, Any]":
    array = np.array(value)
    array.flags.writeable = False
    return array
