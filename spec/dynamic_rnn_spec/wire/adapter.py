"""Defines PythonAdapter, which runs a Case on an implementation in this process and returns its Outcome.

An implementation whose ``dynamic_rnn`` and cells have TensorFlow's names is connected by naming them::

    adapter = PythonAdapter("my_rnn", dynamic_rnn=my_rnn.dynamic_rnn, cells=my_rnn)

and one with other arrays, stores or functions overrides the small methods below. An adapter without this class needs
only ``name`` and ``run(case) -> Outcome``: see docs/adapter.md.
"""

import contextlib
from typing import Any, Dict, Iterator, List, Mapping, Optional

import numpy as np

from ..vocabulary.gradients import Gradients
from ..vocabulary.structure import is_sequence
from ..vocabulary.variable_scope import VariableStore, use_store, variable_scope
from .case import PARAMETERS, Call, Case, CellSpec
from .objects import FUNCTIONS, WRONG, Replay
from .outcome import Answer, Outcome, Raised, VariableRecord
from .probes import NumPyOps, Recorder, make_probe
from .values import CellRef, DType, Function, Scope, Wrong


class PythonAdapter:
    """Connects ``dynamic_rnn`` and the namespace of its cells (``cells.RNNCell``, ``cells.LSTMCell``, ...) to the
    contract."""

    def __init__(
        self,
        name: str,
        dynamic_rnn: Any,
        cells: Any,
        versions: Optional[Mapping[str, str]] = None,
        device: str = "cpu",
        dynamic_rnn_vjp: Any = None,
    ) -> None:
        self.name = name
        self.dynamic_rnn = dynamic_rnn
        self.dynamic_rnn_vjp = dynamic_rnn_vjp
        self.cells = cells
        self.versions = dict(versions or {"numpy": np.__version__})
        self.device = device
        self.ops: Any = NumPyOps()

    def describe(self) -> Dict[str, Any]:
        """What the report says about the implementation."""
        return {"name": self.name, "versions": self.versions, "device": self.device}

    # The methods that an implementation with other arrays or stores overrides.

    def to_array(self, array: "np.ndarray[Any, Any]") -> Any:
        """An array of the case in the implementation's form: here a writable copy, so that a change is seen."""
        return np.array(array)

    def to_numpy(self, array: Any) -> Any:
        """What the implementation returned, as NumPy; what is no array stays as it is."""
        return np.array(array) if isinstance(array, (np.ndarray, np.generic)) else array

    def share_memory(self, result: Any, given: Any) -> bool:
        """Whether an array of the result lies in the memory of an array that was given [INIT-10]."""
        ours, theirs = _arrays(result), _arrays(given)
        return any(np.shares_memory(one, other) for one in ours for other in theirs)

    def snapshot(self, value: Any) -> Any:
        """The bytes of every array in a value, to see whether a call has changed one [SIG-6]."""
        return _bytes(value)

    def recorder(self) -> Recorder:
        """What records the calls of a probe cell."""
        return Recorder()

    @contextlib.contextmanager
    def fresh_store(self, weights: Mapping[str, Any]) -> Iterator[Any]:
        """A fresh variable store, which takes ``weights`` by name as variables are made."""
        with use_store(VariableStore(weights)) as store:
            yield store

    def variables(self, store: Any) -> Optional[List[VariableRecord]]:
        """The variables of the store in order of creation, or None if they can't be told."""
        return [VariableRecord(v.name, np.array(v.value), v.trainable) for v in store.variables.values()]

    def function(self, function: Function) -> Any:
        """A function by the name that the case gives it."""
        return FUNCTIONS[function.name](**{name: self.value(value) for name, value in function.options.items()})

    # The walk of a case.

    def run(self, case: Case) -> Outcome:
        """Answers every call of the case in order, in a fresh store; an exception of the implementation answers too."""
        missing = self._missing(case)
        if missing is not None:
            return Outcome.of(missing, case)
        recorder = self.recorder()
        cells: Dict[str, Any] = {}
        with self.fresh_store(case.weights) as store:
            answers = [self._answer(call, case, cells, recorder, store) for call in case.calls]
            return Outcome(answers, self.variables(store))

    def _answer(self, call: Call, case: Case, cells: Dict[str, Any], recorder: Recorder, store: Any) -> Answer:
        recorder.start()
        probed = any(spec.kind.startswith("probe:") for spec in _all_specs(case))
        is_cell = {name: isinstance(value, CellRef) for name, value in call.arguments.items()}
        given: Dict[str, Any] = {
            name: None if is_cell[name] else self.value(value) for name, value in call.arguments.items()
        }
        wanted = call.cotangents
        if wanted is not None:
            given["cotangents"] = (self.value(wanted.outputs), self.value(wanted.state))
            is_cell["cotangents"] = False
        before = {name: self.snapshot(value) for name, value in given.items()}
        result, error, aliased, gradients, repeats = None, None, None, None, True
        try:
            with contextlib.ExitStack() as scopes:
                for scope in call.outer_scopes:
                    scopes.enter_context(self.open_scope(scope))
                for name in (name for name in given if is_cell[name]):
                    given[name] = self._cell(call.arguments[name], cells, case, recorder)
                by_position = PARAMETERS[: call.positional]
                arguments = [name for name in given if name in PARAMETERS]
                keywords = {name: given[name] for name in arguments if name not in by_position}
                positional = [given[name] for name in by_position]
                if wanted is None:
                    whole, pulled = self.dynamic_rnn(*positional, **keywords), None
                else:
                    whole, vjp = self.dynamic_rnn_vjp(*positional, **keywords)
                    d_outputs, d_state = given["cotangents"]
                    pulled = vjp(d_outputs, d_state)
                    gradients = self.plain_gradients(pulled)
                    repeats = self._repeats(pulled, vjp, (d_outputs, d_state))
                made = whole if pulled is None else (whole, tuple(pulled))
                aliased = [name for name in given if not is_cell[name] and self.share_memory(made, given[name])]
                result = self.plain(whole)
        except Exception as caught:  # noqa: BLE001  # whatever it raises is its answer; a clause decides what that means
            phase = ("after" if recorder.calls else "before") if probed else None
            error = raised(caught, phase)
        variables = self.variables(store)
        changed = [name for name in before if not is_cell[name] and self.snapshot(given[name]) != before[name]]
        return Answer(
            "returned" if error is None else "raised",
            result=result,
            error=error,
            trace=recorder.events if probed else None,
            changed=changed if repeats else [*changed, "gradients"],
            variables=None if variables is None else [variable.name for variable in variables],
            aliased=aliased,
            gradients=None if error is not None else gradients,
        )

    def _repeats(self, pulled: Any, vjp: Any, cotangents: Any) -> bool:
        """Whether pulling back again gives the same bits, and leaves those that were pulled back before [GRAD-19]."""
        first = self.snapshot(tuple(pulled))
        again = self.snapshot(tuple(vjp(*cotangents)))
        return bool(first == again == self.snapshot(tuple(pulled)))

    def _missing(self, case: Case) -> Optional[Answer]:
        for spec in _all_specs(case):
            if not spec.kind.startswith("probe:") and not hasattr(self.cells, spec.kind):
                return Answer.unsupported(spec.kind, "{} has no {}".format(self.name, spec.kind))
        if self.dynamic_rnn_vjp is None and any(call.cotangents is not None for call in case.calls):
            return Answer.unsupported("gradients", "{} has no dynamic_rnn_vjp".format(self.name))
        return None

    def open_scope(self, scope: Scope) -> Any:
        """A context manager that opens the scope and gives the VariableScope."""
        initializer = None if scope.initializer is None else self.function(scope.initializer)
        return variable_scope(scope.name, reuse=scope.reuse, initializer=initializer)

    def value(self, value: Any) -> Any:
        """A value of the case, a cell apart, as the implementation takes it."""
        if is_sequence(value):
            return map_children(self.value, value)
        if isinstance(value, np.ndarray):
            return self.to_array(value)
        if isinstance(value, DType):
            return self.dtype(value)
        if isinstance(value, Function):
            return self.function(value)
        if isinstance(value, Wrong):
            return WRONG[value.what](self)
        if isinstance(value, Scope):
            with self.open_scope(value) as scope:
                return scope
        return value

    def dtype(self, dtype: DType) -> Any:
        """A dtype object."""
        return np.dtype(dtype.name) if dtype.form == "dtype" else np.dtype(dtype.name).type

    def plain(self, value: Any) -> Any:
        """What was returned with its arrays as NumPy."""
        if is_sequence(value):
            return map_children(self.plain, value)
        return self.to_numpy(value)

    def plain_gradients(self, gradients: Any) -> Gradients:
        """Gradients with their arrays as NumPy."""
        variables = {name: self.to_numpy(gradient) for name, gradient in gradients.variables.items()}
        return Gradients(self.plain(gradients.inputs), self.plain(gradients.initial_state), variables)

    # Cells.

    def _cell(self, ref: CellRef, cells: Dict[str, Any], case: Case, recorder: Any) -> Any:
        if ref.name not in cells:
            cells[ref.name] = self._build(case.cells[ref.name], cells, case, recorder)
        return cells[ref.name]

    def _build(self, spec: Any, cells: Dict[str, Any], case: Case, recorder: Any) -> Any:
        if isinstance(spec, CellRef):
            return self._cell(spec, cells, case, recorder)
        children = [self._build(child, cells, case, recorder) for child in spec.children]
        return self.make_cell(spec, children, recorder)

    def make_cell(self, spec: CellSpec, children: List[Any], recorder: Any) -> Any:
        """A cell of the implementation from its spec."""
        options = {name: self.value(value) for name, value in spec.options.items() if name != "noise"}
        if spec.kind.startswith("probe:"):
            return make_probe(spec.kind[len("probe:") :], dict(spec.options), self.cells.RNNCell, self.ops, recorder)
        make = getattr(self.cells, spec.kind)
        if spec.kind == "MultiRNNCell":
            return make(children, **options)
        cell = make(*children, **options)
        if "noise" in spec.options:
            cell.uniform = Replay(spec.options["noise"], self.to_array)
        return cell


def raised(error: Exception, phase: Optional[str]) -> Raised:
    """An exception as data."""
    kind = "TypeError" if isinstance(error, TypeError) else "ValueError" if isinstance(error, ValueError) else "other"
    told = {name: getattr(error, name, None) for name in ("clause", "argument", "wanted", "got")}
    texts = {name: value if isinstance(value, str) else None for name, value in told.items()}
    native = "{}.{}".format(type(error).__module__, type(error).__name__)
    return Raised(kind, native, str(error), phase, **texts)


def _all_specs(case: Case) -> Iterator[CellSpec]:
    waiting: List[Any] = list(case.cells.values())
    while waiting:
        spec = waiting.pop()
        if isinstance(spec, CellSpec):
            yield spec
            waiting.extend(spec.children)


def map_children(function: Any, value: Any) -> Any:
    """A structure of the type of ``value`` whose direct children have gone through ``function``."""
    if isinstance(value, Mapping):
        return {key: function(child) for key, child in value.items()}
    if hasattr(value, "_fields"):
        return type(value)(*[function(child) for child in value])
    return type(value)(function(child) for child in value)


def _arrays(value: Any) -> "List[np.ndarray[Any, Any]]":
    """The NumPy arrays in a value, at any depth."""
    if not is_sequence(value):
        return [value] if isinstance(value, np.ndarray) else []
    children = value.values() if isinstance(value, Mapping) else value
    return [array for child in children for array in _arrays(child)]


def _bytes(value: Any) -> Any:
    """The bytes of every array in a value, to see whether one has changed."""
    if isinstance(value, np.ndarray):
        return value.tobytes()
    if isinstance(value, Mapping):
        return [_bytes(child) for child in value.values()]
    return [_bytes(child) for child in value] if is_sequence(value) else None
