"""Lists the variables that built-in cells must have, by TensorFlow 1.4.1's names, and reads those that an outcome
reports."""

from collections.abc import Sequence
from typing import Any

from conformance.law.laws import Check, Unsupported
from dynamic_rnn_spec.case import Case, CellSpec, VariableRecord

Shapes = list[tuple[str, tuple[int, ...]]]
"""Names with shapes, in order of creation."""


def variables(check: Check, case: Case) -> Sequence[VariableRecord]:
    """The variables after all calls, in order of creation.

    Raises:
        Unsupported: the implementation does not tell them.
    """
    found = check.run(case).variables
    if found is None:
        raise Unsupported("variables", "the implementation does not tell which variables it has")
    return found


def names_after(check: Check, case: Case, index: int) -> list[str]:
    """The names that exist after call number ``index``; raises as ``variables``."""
    found = check.run(case).answers[index].variables
    if found is None:
        raise Unsupported("variables", "the implementation does not tell which variables it has")
    return list(found)


def shapes_of(found: Sequence[VariableRecord]) -> Shapes:
    """Names and shapes as they were reported."""
    return [(variable.name, tuple(variable.value.shape)) for variable in found]


def expected_shapes(spec: Any, depth: int, scope: str = "rnn") -> Shapes:
    """What the cell must have after a call on inputs of that depth, in order."""
    return _shapes(spec, depth, scope)[0]


def _shapes(spec: CellSpec, depth: int, scope: str) -> tuple[Shapes, int]:
    """The variables, and the columns of the output."""
    options = spec.options
    if spec.kind == "MultiRNNCell":
        found: Shapes = []
        for number, child in enumerate(spec.children):
            inner, depth = _shapes(child, depth, f"{scope}/multi_rnn_cell/cell_{number}")
            found += inner
        return found, depth
    if spec.kind in ("DropoutWrapper", "ResidualWrapper", "DeviceWrapper"):
        return _shapes(spec.children[0], depth, scope)
    n = options["num_units"]
    if spec.kind == "BasicRNNCell":
        return [(f"{scope}/basic_rnn_cell/kernel", (depth + n, n)), (f"{scope}/basic_rnn_cell/bias", (n,))], n
    if spec.kind == "GRUCell":
        return [
            (f"{scope}/gru_cell/gates/kernel", (depth + n, 2 * n)),
            (f"{scope}/gru_cell/gates/bias", (2 * n,)),
            (f"{scope}/gru_cell/candidate/kernel", (depth + n, n)),
            (f"{scope}/gru_cell/candidate/bias", (n,)),
        ], n
    if spec.kind == "BasicLSTMCell":
        base = f"{scope}/basic_lstm_cell"
        return [(f"{base}/kernel", (depth + n, 4 * n)), (f"{base}/bias", (4 * n,))], n
    base, p = f"{scope}/lstm_cell", options.get("num_proj") or n
    found = _split(f"{base}/kernel", (depth + p, 4 * n), options.get("num_unit_shards"))
    found.append((f"{base}/bias", (4 * n,)))
    if options.get("use_peepholes"):
        found += [(f"{base}/w_f_diag", (n,)), (f"{base}/w_i_diag", (n,)), (f"{base}/w_o_diag", (n,))]
    if options.get("num_proj"):
        found += _split(f"{base}/projection/kernel", (n, p), options.get("num_proj_shards"))
    return found, p


def _split(name: str, shape: tuple[int, int], shards: int | None) -> Shapes:
    """One variable, or its parts on axis 0: 8 rows in 3 parts are 3, 3 and 2."""
    if shards is None:
        return [(name, shape)]
    rows = shape[0]
    parts: Shapes = []
    for part in range(shards):
        size = -(-rows // (shards - part))
        parts.append((f"{name}/part_{part}", (size, shape[1])))
        rows -= size
    return parts
