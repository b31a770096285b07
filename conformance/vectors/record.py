"""Records the vectors: asks TensorFlow 1.4.1 for every case defined and writes down what it gave."""

from pathlib import Path

from conformance.subject.subjects import Subject
from conformance.vectors.cases import SECTIONS, Definition, Refused, definitions
from conformance.vectors.stored import Instead, Vector
from conformance.vectors.verify import blank, difference
from dynamic_rnn_spec.case import Answer, Case, Outcome, Raised, VariableRecord, dumps
from dynamic_rnn_spec.vocabulary.structure import map_structure


def record(subject: Subject, out: Path) -> int:
    """Ask the subject, the real TensorFlow 1.4.1, for every outcome and write one file for each section into ``out``.

    Returns:
        The number of vectors.

    Raises:
        ValueError: the subject did not answer a case, or answers like an instead that should differ.
    """
    out.mkdir(parents=True, exist_ok=True)
    count = 0
    for section in SECTIONS:
        made = [_recorded(subject, section, definition) for definition in definitions(section)]
        text = "".join(dumps(vector.to_json()) + "\n" for vector in made)
        (out / f"{section}.jsonl").write_text(text, encoding="ascii")
        count += len(made)
    return count


def _recorded(subject: Subject, section: str, definition: Definition) -> Vector:
    name = f"{section}/{definition.name}"
    outcome = _asked(subject, name, definition.case, definition.compare)
    instead = None
    if definition.overruled is not None:
        wanted = definition.overruled.instead
        other = _refused(outcome, wanted.kind) if isinstance(wanted, Refused) else _like(subject, name, wanted.case)
        instead = Instead(definition.overruled.clauses, definition.overruled.reason, other)
    vector = Vector(name, definition.clauses, definition.compare, definition.case, outcome, instead)
    if instead is not None and difference(vector, outcome, instead.outcome) is None:
        raise ValueError(f"{name}: TensorFlow gives what {', '.join(instead.clauses)} want; nothing is overruled")
    return vector


def _asked(subject: Subject, name: str, case: Case, compare: str = "all") -> Outcome:
    outcome = subject.run(case)
    silent = [answer for answer in outcome.answers if answer.kind not in ("returned", "raised")]
    if silent:
        raise ValueError(f"{name}: {silent[0].kind}: {silent[0].what}: {silent[0].why}")
    variables = outcome.variables or ()
    random = compare == "shapes"
    return Outcome(
        [_settled(answer, random) for answer in outcome.answers],
        [VariableRecord(v.name, blank(v.value) if random else v.value, v.trainable) for v in variables],
    )


def _settled(answer: Answer, random: bool) -> Answer:
    """The answer without what differs from run to run: texts of errors hold addresses, random values are blanked."""
    error = answer.error
    if error is not None:
        error = Raised(error.kind, error.native, "", error.phase)
    result = map_structure(blank, answer.result) if random else answer.result
    trace = None if random or error is not None else answer.trace
    settled: Answer = answer.replace(error=error, result=result, trace=trace)
    return settled


def _refused(outcome: Outcome, kind: str) -> Outcome:
    """The outcome with its last call refused: the calls before stand, and so do their variables."""
    kept = outcome.answers[:-1]
    before = set(kept[-1].variables or ()) if kept else set()
    variables = [variable for variable in outcome.variables or () if variable.name in before]
    names = [variable.name for variable in variables]
    last = Answer("raised", error=Raised(kind, "", ""), changed=(), variables=names)
    return Outcome([*kept, last], variables)


def _like(subject: Subject, name: str, case: Case) -> Outcome:
    """What the subject gives for the other case; its cell may be given other arrays, so the trace does not count."""
    outcome = _asked(subject, name, case)
    raised = [answer for answer in outcome.answers if answer.error is not None]
    if raised:
        raise ValueError(f"{name}: the case that is taken instead raises {raised[0].error}")
    return Outcome([answer.replace(trace=None) for answer in outcome.answers], outcome.variables)
