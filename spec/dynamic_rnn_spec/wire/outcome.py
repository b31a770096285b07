"""Defines Outcome, the results of a case's calls as data, one answer for each."""

from typing import Any, Mapping, Optional, Sequence, Tuple

import numpy as np

from ..vocabulary.gradients import Gradients
from .case import Case
from .values import FormatError, Record, decode, decode_mapping, encode, encode_mapping, expect_keys, read_only


class Raised(Record):
    """An exception: ``kind`` is "TypeError", "ValueError" (subclasses too) or "other"; ``phase`` is "before" or "after"
    the first call of the cell, or None where that can't be told; ``clause``, ``argument``, ``wanted`` and ``got`` are
    what the error says about itself."""

    __slots__ = ("kind", "native", "message", "phase", "clause", "argument", "wanted", "got")
    kind: str
    native: str
    message: str
    phase: Optional[str]
    clause: Optional[str]
    argument: Optional[str]
    wanted: Optional[str]
    got: Optional[str]

    def __init__(
        self,
        kind: str,
        native: str,
        message: str,
        phase: Optional[str] = None,
        clause: Optional[str] = None,
        argument: Optional[str] = None,
        wanted: Optional[str] = None,
        got: Optional[str] = None,
    ) -> None:
        if kind not in ("TypeError", "ValueError", "other") or phase not in (None, "before", "after"):
            raise FormatError("Raised: no kind {!r} or no phase {!r}".format(kind, phase))
        self._set(
            kind=kind,
            native=native,
            message=message,
            phase=phase,
            clause=clause,
            argument=argument,
            wanted=wanted,
            got=got,
        )

    def to_json(self) -> Any:
        return {name: getattr(self, name) for name in self.__slots__}


class Answer(Record):
    """The answer to one call: ``kind`` is "returned", "raised", "unsupported", "crashed" or "timed out".

    ``result`` is all that was returned (``outputs`` and ``state`` read it as a pair); ``error`` is the Raised; ``what``
    and ``why`` belong to the other kinds. Where the implementation can tell: ``trace`` lists what a probe cell saw,
    ``changed`` the arguments whose arrays were modified, ``variables`` the names that exist after the call,
    ``aliased`` the arguments with which an array of the result shares memory. Where the call has cotangents,
    ``gradients`` are the Gradients; "cotangents" may then stand among the names in ``changed`` and ``aliased``, and
    "gradients" in ``changed`` where pulling back again gave others or changed those given before.
    """

    __slots__ = ("kind", "result", "error", "what", "why", "trace", "changed", "variables", "aliased", "gradients")
    kind: str
    result: Any
    error: Optional[Raised]
    what: Optional[str]
    why: Optional[str]
    trace: Optional[Sequence[Mapping[str, Any]]]
    changed: Optional[Sequence[str]]
    variables: Optional[Sequence[str]]
    aliased: Optional[Sequence[str]]
    gradients: Optional[Gradients]

    KINDS = ("returned", "raised", "unsupported", "crashed", "timed out")

    def __init__(
        self,
        kind: str,
        result: Any = None,
        error: Optional[Raised] = None,
        what: Optional[str] = None,
        why: Optional[str] = None,
        trace: Optional[Sequence[Mapping[str, Any]]] = None,
        changed: Optional[Sequence[str]] = None,
        variables: Optional[Sequence[str]] = None,
        aliased: Optional[Sequence[str]] = None,
        gradients: Optional[Gradients] = None,
    ) -> None:
        if kind not in self.KINDS or (kind == "raised") != (error is not None):
            raise FormatError("no answer of kind {!r} with error {!r}".format(kind, error))
        self._set(
            kind=kind,
            result=result,
            error=error,
            what=what,
            why=why,
            trace=None if trace is None else tuple(trace),
            changed=None if changed is None else tuple(changed),
            variables=None if variables is None else tuple(variables),
            aliased=None if aliased is None else tuple(aliased),
            gradients=gradients,
        )

    @classmethod
    def returned(cls, outputs: Any, state: Any, **told: Any) -> "Answer":
        """The pair (outputs, state), as an implementation in any language gives it."""
        return cls("returned", result=(outputs, state), **told)

    @classmethod
    def unsupported(cls, what: str, why: str) -> "Answer":
        """Something that this implementation does not have: ``what``, and ``why`` in a sentence."""
        return cls("unsupported", what=what, why=why)

    @property
    def outputs(self) -> Any:
        """The first of the pair."""
        return self.result[0]

    @property
    def state(self) -> Any:
        """The second of the pair."""
        return self.result[1]

    def to_json(self) -> Any:
        trace = None if self.trace is None else [encode_mapping(event) for event in self.trace]
        data = {
            "kind": self.kind,
            "result": encode(self.result),
            "error": None if self.error is None else self.error.to_json(),
            "what": self.what,
            "why": self.why,
            "trace": trace,
            "changed": None if self.changed is None else list(self.changed),
            "variables": None if self.variables is None else list(self.variables),
            "aliased": None if self.aliased is None else list(self.aliased),
        }
        if self.gradients is not None:
            data["gradients"] = {
                "inputs": encode(self.gradients.inputs),
                "initial_state": encode(self.gradients.initial_state),
                "variables": encode_mapping(self.gradients.variables),
            }
        return data

    @classmethod
    def from_json(cls, data: Any) -> "Answer":
        expect_keys("an answer", data, cls.__slots__[:-1], optional=("gradients",))
        values = dict(data, result=decode(data["result"]))
        if "gradients" in data:
            expect_keys("gradients", data["gradients"], Gradients._fields)
            whole = data["gradients"]
            values["gradients"] = Gradients(
                decode(whole["inputs"]), decode(whole["initial_state"]), decode_mapping(whole["variables"])
            )
        if data["error"] is not None:
            expect_keys("an error", data["error"], Raised.__slots__)
            values["error"] = Raised(**data["error"])
        if data["trace"] is not None:
            values["trace"] = [decode_mapping(event) for event in data["trace"]]
        return cls(**values)


class VariableRecord(Record):
    """A variable after the calls: its name without ``:0``, its value (so its shape and dtype), whether it is
    trainable."""

    __slots__ = ("name", "value", "trainable")
    name: str
    value: "np.ndarray[Any, Any]"
    trainable: bool

    def __init__(self, name: str, value: Any, trainable: bool = True) -> None:
        self._set(name=name, value=read_only(value), trainable=bool(trainable))

    def to_json(self) -> Any:
        return {"name": self.name, "value": encode(self.value), "trainable": self.trainable}


class Outcome(Record):
    """The outcome of a case: one answer for each call, and the variables in order of creation (None if they are not
    known)."""

    __slots__ = ("answers", "variables")
    answers: Tuple[Answer, ...]
    variables: Optional[Tuple[VariableRecord, ...]]

    def __init__(self, answers: Sequence[Answer], variables: Optional[Sequence[VariableRecord]] = None) -> None:
        self._set(answers=tuple(answers), variables=None if variables is None else tuple(variables))

    @classmethod
    def of(cls, answer: Answer, case: Case) -> "Outcome":
        """The same answer for every call of the case."""
        return cls([answer] * len(case.calls))

    def to_json(self) -> Any:
        variables = None if self.variables is None else [variable.to_json() for variable in self.variables]
        return {"answers": [answer.to_json() for answer in self.answers], "variables": variables}

    @classmethod
    def from_json(cls, data: Any) -> "Outcome":
        expect_keys("an outcome", data, ("answers", "variables"))
        variables = data["variables"]
        if variables is not None:
            variables = [VariableRecord(v["name"], decode(v["value"]), v["trainable"]) for v in variables]
        return cls([Answer.from_json(answer) for answer in data["answers"]], variables)
