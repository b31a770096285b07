"""Defines the vectors of scope: where variables live, and when they are shared."""

from collections.abc import Iterator, Sequence
from typing import Any

from conformance.vectors.cases.making import (
    Array,
    Definition,
    Refused,
    affine,
    affine_weights,
    call,
    fractions,
    left_behind,
    overruled,
    rng_of,
    vector,
    weights_of,
    whole,
)
from dynamic_rnn_spec.case import Case, CellRef, CellSpec, Scope, Wrong

BASIC = CellSpec("BasicRNNCell", {"num_units": 2})
OTHER = CellRef("other")


def definitions() -> Iterator[Definition]:
    """All of this section."""
    yield from _places()
    yield from _sharing()
    yield from _stacks()
    yield from _refused()


def _places() -> Iterator[Definition]:
    places: list[tuple[str, str, Any, Sequence[Scope], str]] = [
        ("default", "SCOPE-1", None, (), "rnn"),
        ("default-in-another", "SCOPE-1 SCOPE-3", None, [Scope("outer")], "outer/rnn"),
        ("text", "SCOPE-3 SCOPE-8", "here", (), "here"),
        ("text-with-slash", "SCOPE-3", "here/there", (), "here/there"),
        ("text-in-another", "SCOPE-3", "here", [Scope("outer")], "outer/here"),
        ("text-in-two", "SCOPE-3", "here", [Scope("outer"), Scope("inner")], "outer/inner/here"),
        ("scope", "SCOPE-2 SCOPE-8", Scope("here"), (), "here"),
        ("nested-scope", "SCOPE-2", Scope("here/there"), (), "here/there"),
        ("scope-in-another", "SCOPE-2 SCOPE-4", Scope("here"), [Scope("outer")], "here"),
    ]
    for name, clauses, scope, outer, full in places:
        for kind, cell in (("affine", affine()), ("basic", BASIC)):
            rng = rng_of(f"places/{kind}")  # the same values everywhere: SCOPE-8
            arguments: dict[str, Any] = {"dtype": "float32", "sequence_length": [3, 1]}
            if scope is not None:
                arguments["scope"] = scope
            if kind == "affine":
                inputs, weights = whole(rng, (2, 3, 2)), affine_weights(rng, 2, scope=f"{full}/affine")
            else:
                inputs, weights = fractions(rng, (2, 3, 2)), weights_of(rng, cell, 2, scope=full)
            case = Case({"cell": cell}, [call(inputs, scopes=outer, **arguments)], weights)
            yield vector(f"places/{name}-{kind}", clauses, case)


def _two(name: str, first: dict[str, Any], second: dict[str, Any], cells: dict[str, CellSpec], **weights: str) -> Case:
    rng = rng_of(name)
    inputs = whole(rng, (2, 3, 2))
    calls = [call(inputs, dtype="float32", **given) for given in (first, second)]
    made: dict[str, Array] = {}
    for scope in weights.values():
        made.update(affine_weights(rng, 2, scope=scope))
    return Case(cells, calls, made)


def _sharing() -> Iterator[Definition]:
    both = {"cell": affine(), "other": affine()}
    other = {"cell": OTHER}
    reuse, auto = Scope("rnn", reuse=True), Scope("rnn", reuse="AUTO_REUSE")
    cases: list[tuple[str, str, dict[str, Any], dict[str, Any], dict[str, CellSpec], dict[str, str]]] = [
        ("same-cell", "SCOPE-5", {}, {}, both, {"a": "rnn/affine"}),
        ("same-cell-other-scope", "SCOPE-11", {}, {"scope": "there"}, both, {"a": "rnn/affine"}),
        ("same-cell-scope-object", "SCOPE-11", {"scope": "here"}, {"scope": Scope("b")}, both, {"a": "here/affine"}),
        ("new-cell", "SCOPE-6", {}, other, both, {"a": "rnn/affine"}),
        ("new-cell-in-a-scope", "SCOPE-6", {"scope": "s"}, {**other, "scope": Scope("s")}, both, {"a": "s/affine"}),
        ("new-cell-other-scope", "SCOPE-3", {}, {**other, "scope": "b"}, both, {"a": "rnn/affine", "b": "b/affine"}),
        ("reuse", "SCOPE-7", {}, {**other, "scope": reuse}, both, {"a": "rnn/affine"}),
        ("auto-reuse", "SCOPE-7", {"scope": auto}, {**other, "scope": auto}, both, {"a": "rnn/affine"}),
        ("auto-reuse-first", "SCOPE-7", {"scope": auto}, {}, both, {"a": "rnn/affine"}),
        ("reuse-outside", "SCOPE-7", {}, {**other, "scopes": [Scope("o", reuse="AUTO_REUSE")]}, both, {}),
        ("classes", "SCOPE-13 VAR-7", {}, other, {"cell": affine(class_name="One"), "other": affine()}, {}),
    ]
    for name, clauses, first, second, cells, weights in cases:
        text = f"sharing/{name}"
        compare = "all" if weights else "shapes"
        yield vector(text, clauses, _two(text, first, second, cells, **weights), compare)
    inputs = fractions(rng_of("sharing/built-in"), (2, 3, 2))
    gru = CellSpec("GRUCell", {"num_units": 2})
    sharing = CellSpec("GRUCell", {"num_units": 2, "reuse": True})
    pairs: list[tuple[str, str, CellSpec, CellSpec, dict[str, Any]]] = [
        ("classes", "SCOPE-13", BASIC, gru, {}),
        ("new-cell", "SCOPE-6", BASIC, BASIC, {}),
        ("reuse", "SCOPE-7", gru, gru, {"scope": reuse}),
        ("option", "SCOPE-7", gru, sharing, {}),
    ]
    for name, clause, cell, reused, arguments in pairs:
        rng = rng_of(f"sharing/{name}")
        values = {**weights_of(rng, cell, 2), **weights_of(rng, reused, 2)}
        calls = [call(inputs, dtype="float32"), call(inputs, OTHER, dtype="float32", **arguments)]
        yield vector(f"sharing/built-in-{name}", clause, Case({"cell": cell, "other": reused}, calls, values))


def _stacks() -> Iterator[Definition]:
    inputs = fractions(rng_of("stacks"), (2, 3, 2))
    for name, count, depth in (("twice", 2, 2), ("three-times", 3, 2)):
        stack = CellSpec("MultiRNNCell", {}, [CellRef("inner")] * count)
        cells = {"cell": stack, "inner": BASIC}
        weights = weights_of(rng_of(f"stacks/{name}"), BASIC, depth, scope="rnn/multi_rnn_cell/cell_0")
        yield vector(f"stacks/{name}", "SCOPE-14", Case(cells, [call(inputs, dtype="float32")], weights))
    wide = fractions(rng_of("stacks/wide"), (2, 3, 3))
    cells = {"cell": CellSpec("MultiRNNCell", {}, [CellRef("inner")] * 2), "inner": BASIC}
    case = Case(cells, [call(wide, dtype="float32")])
    yield vector("stacks/other-depth", "SCOPE-14 VAR-16 ERR-3", case, overruled=left_behind("ValueError"))


def _refused() -> Iterator[Definition]:
    inputs = whole(rng_of("refused"), (2, 3, 2))
    falsy = "TensorFlow reads every falsy scope as 'rnn'"
    wrong: list[tuple[str, str, Any, str]] = [
        ("int", "SCOPE-9", 3, ""),
        ("float", "SCOPE-9", 1.5, ""),
        ("object", "SCOPE-9", Wrong("object"), ""),
        ("list", "SCOPE-9", ["rnn"], ""),
        ("zero", "SCOPE-9", 0, falsy),
        ("false", "SCOPE-9", False, falsy),
        ("empty-list", "SCOPE-9", [], falsy),
        ("empty-text", "SCOPE-10", "", falsy),
        ("spaces", "SCOPE-10", "two words", ""),
        ("colon", "SCOPE-10", "rnn:0", ""),
        ("slash-first", "SCOPE-10", "/rnn", ""),
    ]
    for name, clause, scope, reason in wrong:
        case = Case({"cell": affine()}, [call(inputs, dtype="float32", scope=scope)])
        instead = Refused("TypeError" if clause == "SCOPE-9" else "ValueError")
        other = overruled(clause, reason, instead) if reason else None
        weighted = case.replace(weights=affine_weights(rng_of(name), 2))
        yield vector(f"refused/{name}", clause, weighted, overruled=other)
    for name, cell in (("affine", affine()), ("basic", BASIC), ("lstm", CellSpec("LSTMCell", {"num_units": 2}))):
        for scope in (Scope("rnn", reuse=True), Scope("absent", reuse=True)):
            case = Case({"cell": cell}, [call(inputs, dtype="float32", scope=scope)])
            yield vector(f"refused/nothing-to-reuse-{scope.name}-{name}", "SCOPE-12", case)
