"""Implementations of the toy, each wrong in its own way; they know no law."""

import itertools
import os
import time
from typing import Any

import numpy as np

from dynamic_rnn_spec.case import Answer, Case, Outcome, Raised
from dynamic_rnn_spec.structure import map_structure
from dynamic_rnn_spec.worker import load


class Right:
    """Keeps every toy law that can be kept."""

    name = "right"

    def __init__(self) -> None:
        self.runs = 0

    def describe(self) -> dict[str, Any]:
        return {"name": self.name, "versions": {"toy": "1"}, "device": "cpu"}

    def run(self, case: Case) -> Outcome:
        self.runs += 1
        return Outcome([self.answer(np.asarray(case.calls[0].arguments["inputs"]))])

    def answer(self, inputs: Any) -> Answer:
        return Answer.returned(np.zeros(inputs.shape), inputs)


class Wrong(Right):
    """Gives -0.0 from the seventh element on."""

    name = "wrong"

    def answer(self, inputs: Any) -> Answer:
        return Answer.returned(np.where(inputs >= 6, -0.0, 0.0), inputs)


class Raises(Right):
    """Raises on more than ten inputs."""

    name = "raises"

    def answer(self, inputs: Any) -> Answer:
        if inputs.size <= 10:
            return super().answer(inputs)
        return Answer("raised", error=Raised("ValueError", "builtins.ValueError", "too many", "before"))


class Lacking(Right):
    """Declares that it does nothing."""

    name = "lacking"

    def answer(self, inputs: Any) -> Answer:
        return Answer.unsupported("rows", "the toy has none")


class Fickle(Right):
    """Answers the same case in turn right and wrong."""

    name = "fickle"

    def __init__(self) -> None:
        super().__init__()
        self.turn = itertools.cycle([0.0, 1.0])

    def answer(self, inputs: Any) -> Answer:
        return Answer.returned(np.full(inputs.shape, next(self.turn)), inputs)


class Broken(Right):
    """An adapter with an error of its own."""

    name = "broken"

    def run(self, case: Case) -> Outcome:
        raise LookupError("the adapter stumbles")


class Dying(Right):
    """Takes its process down."""

    name = "dying"

    def answer(self, inputs: Any) -> Answer:
        os._exit(7)


class Crashing(Right):
    """What a worker's client says of a worker that died."""

    name = "crashing"

    def answer(self, inputs: Any) -> Answer:
        return Answer("crashed", what="killed by SIGSEGV", why="")


class OffByOne(Right):
    """impl_ref with every output one too large."""

    name = "off_by_one"

    def run(self, case: Case) -> Outcome:
        outcome = load("impl_ref").run(case)
        return Outcome([self.spoilt(answer) for answer in outcome.answers], outcome.variables)

    def spoilt(self, answer: Answer) -> Answer:
        if answer.kind != "returned":
            return answer
        more = map_structure(lambda leaf: leaf + np.ones((), leaf.dtype), answer.outputs)
        return answer.replace(result=(more, answer.state))  # type: ignore[no-any-return]


def sleep(seconds: float) -> float:
    """Work for a pool: takes its time."""
    time.sleep(seconds)
    return seconds


def die(status: int) -> None:
    """Work for a pool: dies, or raises for a status of 0."""
    if status:
        os._exit(status)
    raise ValueError("work that raises")
