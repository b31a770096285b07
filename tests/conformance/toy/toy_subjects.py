"""Makes implementations of the toy, each wrong in its own way."""

import itertools
import os
import time
from typing import Any

import numpy as np

from dynamic_rnn_spec.case import Answer, Case, Outcome, Raised
from dynamic_rnn_spec.vocabulary.structure import map_structure
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
    """Answers what a worker's client says about a worker that died."""

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
        return answer.replace(result=(more, answer.state))  # type: ignore[no-any-return]  # replace keeps the type


def sleep(seconds: float) -> float:
    """Work for a pool: takes its time."""
    time.sleep(seconds)
    return seconds


def die(status: int) -> None:
    """Work for a pool: dies, or raises for a status of 0."""
    if status:
        os._exit(status)
    raise ValueError("work that raises")


class Reference(Right):
    """impl_ref, to be changed by others below; it says that it has schedules."""

    name = "reference"
    schedules = True

    def run(self, case: Case, schedule: int | None = None) -> Outcome:
        outcome: Outcome = load("impl_ref").run(case)
        answers = [
            self.changed(call, one, schedule or 0) if one.kind == "returned" else self.refused(one)
            for call, one in zip(case.calls, outcome.answers, strict=True)
        ]
        return Outcome(answers, outcome.variables)

    def changed(self, call: Any, answer: Answer, schedule: int) -> Answer:
        return answer

    def refused(self, answer: Answer) -> Answer:
        return answer


class MinusZero(Reference):
    """Gives -0.0 past a row's length."""

    name = "minus_zero"

    def changed(self, call: Any, answer: Answer, schedule: int) -> Answer:
        def negative(leaf: Any) -> Any:
            return np.where(leaf == 0, -leaf, leaf) if leaf.dtype.kind == "f" else leaf

        outputs = map_structure(negative, answer.outputs)
        return answer.replace(result=(outputs, answer.state))  # type: ignore[no-any-return]  # replace keeps the type


class Inexact(Reference):
    """Adds a hundredth to float32 states."""

    name = "inexact"

    def changed(self, call: Any, answer: Answer, schedule: int) -> Answer:
        state = map_structure(lambda leaf: leaf + np.float32(0.01) if leaf.dtype == np.float32 else leaf, answer.state)
        return answer.replace(result=(answer.outputs, state))  # type: ignore[no-any-return]  # replace keeps the type


class Moody(Reference):
    """Gives other last bits under the schedule of number 3 where there are more than three steps."""

    name = "moody"

    def changed(self, call: Any, answer: Answer, schedule: int) -> Answer:
        if schedule != 3 or call.arguments["inputs"].size < 20:
            return answer
        state = map_structure(lambda leaf: np.nextafter(leaf, leaf.dtype.type(9)), answer.state)
        return answer.replace(result=(answer.outputs, state))  # type: ignore[no-any-return]  # replace keeps the type


class WrongKind(Reference):
    """Answers every refusal with a RuntimeError."""

    name = "wrong_kind"

    def refused(self, answer: Answer) -> Answer:
        assert answer.error is not None
        return answer.replace(error=Raised("other", "RuntimeError", "no", "before"))  # type: ignore[no-any-return]  # replace keeps the type


class WithoutFloat16(Reference):
    """Declares float16 unsupported."""

    name = "without_float16"

    def run(self, case: Case, schedule: int | None = None) -> Outcome:
        if any(getattr(call.arguments["inputs"], "dtype", None) == np.float16 for call in case.calls):
            return Outcome.of(Answer.unsupported("float16", "the toy has none"), case)
        return super().run(case, schedule)


class LeakyGradients(Reference):
    """Gives the gradient of the inputs 1 where it is 0: past the lengths too."""

    name = "leaky_gradients"

    def changed(self, call: Any, answer: Answer, schedule: int) -> Answer:
        if answer.gradients is None:
            return answer

        def filled(leaf: Any) -> Any:
            return None if leaf is None else np.where(leaf == 0, leaf + 1, leaf)

        leaky = map_structure(filled, answer.gradients.inputs)
        return answer.replace(gradients=answer.gradients._replace(inputs=leaky))  # type: ignore[no-any-return]  # replace keeps the type


class WithoutGradients(Reference):
    """Ignores cotangents, like an adapter that does not know of them."""

    name = "without_gradients"

    def changed(self, call: Any, answer: Answer, schedule: int) -> Answer:
        return answer.replace(gradients=None)  # type: ignore[no-any-return]  # replace keeps the type
