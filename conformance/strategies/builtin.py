"""Draws cases of the built-in cells: every cell, option and wrapper, with weights by TensorFlow's names.

``KINDS`` names the variants: each is a CellSpec made from a number of units and the depth of the inputs. Weights are
quarters from -1 to 1, and so are the inputs; the noise of a DropoutWrapper comes with the case.
"""

from collections.abc import Callable, Mapping
from typing import Any

from hypothesis import strategies as st

from conformance.strategies import arrays
from conformance.strategies.frame import Frame, case_of, choice, frames, knob
from conformance.strategies.probes import members, state_rows
from dynamic_rnn_spec.case import Case, CellSpec, DType, Function
from dynamic_rnn_spec.vocabulary.rnn_cell import LSTMStateTuple, part_sizes, snake_case
from dynamic_rnn_spec.vocabulary.structure import flatten
from dynamic_rnn_spec.vocabulary.tensor_shape import TensorShape

Maker = Callable[[int, int], CellSpec]


def _leaf(kind: str, **options: Any) -> Maker:
    return lambda units, depth: CellSpec(kind, {"num_units": units, **options})


def _stack(*makers: Maker) -> Maker:
    def make(units: int, depth: int) -> CellSpec:
        children = []
        for number, maker in enumerate(makers):
            child = maker(units + number, depth)
            depth = output_width(child)
            children.append(child)
        return CellSpec("MultiRNNCell", {}, children)

    return make


def _wrapped(kind: str, inner: Maker, **options: Any) -> Maker:
    return lambda units, depth: CellSpec(kind, options, [inner(units, depth)])


def _residual(inner: Maker, **options: Any) -> Maker:
    return lambda units, depth: CellSpec("ResidualWrapper", options, [inner(depth, depth)])


LINEAR = "probe:Linear"
"""The probe cell with weights that may stand in a wrapper or stack in place of a built-in cell."""

_RELU, _IDENTITY = Function("relu"), Function("identity")
_BASIC, _GRU, _BASIC_LSTM, _LSTM = (_leaf(k) for k in ("BasicRNNCell", "GRUCell", "BasicLSTMCell", "LSTMCell"))

KINDS: Mapping[str, Maker] = {
    "BasicRNNCell": _BASIC,
    "BasicRNNCell relu": _leaf("BasicRNNCell", activation=_RELU),
    "GRUCell": _GRU,
    "GRUCell identity": _leaf("GRUCell", activation=_IDENTITY),
    "BasicLSTMCell": _BASIC_LSTM,
    "BasicLSTMCell forget_bias": _leaf("BasicLSTMCell", forget_bias=0.25),
    "BasicLSTMCell array": _leaf("BasicLSTMCell", state_is_tuple=False),
    "BasicLSTMCell relu": _leaf("BasicLSTMCell", activation=_RELU),
    "LSTMCell": _LSTM,
    "LSTMCell peepholes": _leaf("LSTMCell", use_peepholes=True),
    "LSTMCell cell_clip": _leaf("LSTMCell", cell_clip=0.25),
    "LSTMCell projection": _leaf("LSTMCell", num_proj=2),
    "LSTMCell proj_clip": _leaf("LSTMCell", num_proj=1, proj_clip=0.125),
    "LSTMCell proj_clip alone": _leaf("LSTMCell", proj_clip=0.125),
    "LSTMCell forget_bias": _leaf("LSTMCell", forget_bias=-0.5),
    "LSTMCell array": _leaf("LSTMCell", state_is_tuple=False),
    "LSTMCell relu": _leaf("LSTMCell", activation=_RELU),
    "LSTMCell shards": _leaf("LSTMCell", num_unit_shards=2, num_proj=2),
    "LSTMCell everything": _leaf(
        "LSTMCell", use_peepholes=True, cell_clip=0.75, num_proj=2, proj_clip=0.5, forget_bias=0.5
    ),
    "MultiRNNCell": _stack(_LSTM, _BASIC),
    "MultiRNNCell of LSTM": _stack(_LSTM, _BASIC_LSTM),
    "MultiRNNCell of one": _stack(_LSTM),
    "MultiRNNCell of GRU": _stack(_GRU, _GRU, _GRU),
    "DropoutWrapper input": _wrapped("DropoutWrapper", _LSTM, input_keep_prob=0.5),
    "DropoutWrapper output": _wrapped("DropoutWrapper", _GRU, output_keep_prob=0.5),
    "DropoutWrapper state": _wrapped("DropoutWrapper", _LSTM, state_keep_prob=0.5),
    "DropoutWrapper all": _wrapped(
        "DropoutWrapper", _BASIC_LSTM, input_keep_prob=0.75, output_keep_prob=0.5, state_keep_prob=0.25
    ),
    "DropoutWrapper variational": lambda units, depth: CellSpec(
        "DropoutWrapper",
        {"output_keep_prob": 0.5, "state_keep_prob": 0.75, "input_keep_prob": 0.5, "variational_recurrent": True},
        [_GRU(units, depth)],
    ),
    "DropoutWrapper filter all": _wrapped(
        "DropoutWrapper", _LSTM, state_keep_prob=0.5, dropout_state_filter_visitor=Function("drop_all")
    ),
    "DropoutWrapper filter none": _wrapped(
        "DropoutWrapper", _LSTM, state_keep_prob=0.5, dropout_state_filter_visitor=Function("drop_none")
    ),
    "DropoutWrapper 1": _wrapped("DropoutWrapper", _LSTM, input_keep_prob=1.0, output_keep_prob=1.0),
    "ResidualWrapper": _residual(_GRU),
    "ResidualWrapper residual_fn": _residual(_BASIC, residual_fn=Function("add_twice")),
    "DeviceWrapper": lambda units, depth: CellSpec("DeviceWrapper", {"device": "/cpu:0"}, [_LSTM(units, depth)]),
    "wrappers in a stack": _stack(_wrapped("DropoutWrapper", _LSTM, output_keep_prob=0.5), _residual(_BASIC_LSTM)),
}
PLAIN = tuple(kind for kind in KINDS if "Dropout" not in kind and kind != "wrappers in a stack")
"""The kinds without noise."""

_ALL_KINDS, _WIDTHS, _FLOATS = choice(tuple(KINDS)), st.integers(1, 3), choice(arrays.FLOATS)


def output_width(spec: Any) -> int:
    """The columns of the outputs of a built-in cell."""
    if spec.kind == "MultiRNNCell":
        return output_width(spec.children[-1])
    if spec.children:
        return output_width(spec.children[0])
    if spec.kind == LINEAR:
        return int(spec.options["units"])
    return int(spec.options.get("num_proj") or spec.options["num_units"])


def state_sizes(spec: Any) -> Any:
    """The state_size of a built-in cell."""
    if spec.kind == "MultiRNNCell":
        sizes = tuple(state_sizes(child) for child in spec.children)
        return sizes if spec.options.get("state_is_tuple", True) else sum(flatten(sizes))
    if spec.children:
        return state_sizes(spec.children[0])
    if spec.kind == LINEAR:
        return output_width(spec)
    units = int(spec.options["num_units"])
    if spec.kind in ("BasicRNNCell", "GRUCell"):
        return units
    width = output_width(spec)
    return LSTMStateTuple(units, width) if spec.options.get("state_is_tuple", True) else units + width


def weight_shapes(spec: Any, depth: int, scope: str = "rnn") -> dict[str, tuple[int, ...]]:
    """The variables of a built-in cell under ``scope`` by TensorFlow's names, in order of creation, with their
    shapes.
    """
    if spec.kind == "MultiRNNCell":
        shapes: dict[str, tuple[int, ...]] = {}
        for number, child in enumerate(spec.children):
            shapes.update(weight_shapes(child, depth, f"{scope}/multi_rnn_cell/cell_{number}"))
            depth = output_width(child)
        return shapes
    if spec.children:
        return weight_shapes(spec.children[0], depth, scope)
    width, options = output_width(spec), spec.options
    if spec.kind == LINEAR:
        base = f"{scope}/linear/"
        return {base + "kernel": (depth, width), base + "recurrent": (width, width), base + "bias": (width,)}
    units, base = int(options["num_units"]), f"{scope}/{snake_case(spec.kind)}/"
    if spec.kind == "BasicRNNCell":
        return {base + "kernel": (depth + units, units), base + "bias": (units,)}
    if spec.kind == "GRUCell":
        return {
            base + "gates/kernel": (depth + units, 2 * units),
            base + "gates/bias": (2 * units,),
            base + "candidate/kernel": (depth + units, units),
            base + "candidate/bias": (units,),
        }
    shapes = _parts(base + "kernel", (depth + width, 4 * units), options.get("num_unit_shards"))
    shapes[base + "bias"] = (4 * units,)
    if options.get("use_peepholes"):
        shapes.update({base + name: (units,) for name in ("w_f_diag", "w_i_diag", "w_o_diag")})
    if options.get("num_proj"):
        shapes.update(_parts(base + "projection/kernel", (units, width), options.get("num_proj_shards")))
    return shapes


def _parts(name: str, shape: tuple[int, int], shards: int | None) -> dict[str, tuple[int, ...]]:
    if not shards:
        return {name: shape}
    sizes = part_sizes(shape[0], shards)
    return {f"{name}/part_{number}": (size, shape[1]) for number, size in enumerate(sizes)}


def with_noise(spec: Any, frame: Frame, depth: int, dtype: str, seed: int = 3) -> Any:
    """The spec with uniform noise in every DropoutWrapper, for a call of the frame's rows and steps.

    A variational wrapper is told its dtype and, where it drops inputs, their size, as its constructor requires.
    """
    children = []
    for number, child in enumerate(spec.children):
        children.append(with_noise(child, frame, depth, dtype, seed + 7 * number))
        depth = output_width(child) if spec.kind == "MultiRNNCell" else depth
    if spec.kind != "DropoutWrapper":
        return spec.replace(children=children)
    inner = children[0]
    widths = {"input": [depth], "state": flatten(state_sizes(inner)), "output": [output_width(inner)]}
    leading = (1,) if spec.options.get("variational_recurrent") else (frame.steps, frame.batch)
    noise = {
        purpose: [
            arrays.noise((*leading, size), frame.seed + seed + 13 * place + 5 * leaf) for leaf, size in enumerate(sizes)
        ]
        for place, (purpose, sizes) in enumerate(widths.items())
    }
    told: dict[str, Any] = {}
    if spec.options.get("variational_recurrent"):
        told["dtype"] = DType(dtype)
        if spec.options.get("input_keep_prob", 1.0) < 1:
            told["input_size"] = TensorShape([widths["input"][0]])
    return CellSpec(spec.kind, {**spec.options, **told, "noise": noise}, children)


def builtin_case(
    frame: Frame, kind: str = "BasicRNNCell", units: int = 2, depth: int = 2, dtype: str = "float32", scope: str = "rnn"
) -> Case:
    """A built-in cell of one of KINDS; dtype and, if given, the state are of ``dtype``, and so are the weights."""
    return spec_case(frame, KINDS[kind](units, depth), depth, dtype, scope)


def spec_case(frame: Frame, spec: CellSpec, depth: int = 2, dtype: str = "float32", scope: str = "rnn") -> Case:
    """The same for any CellSpec."""
    content: Any = {"content": "fractions"}
    weights = {
        name: arrays.fractions(shape, dtype, frame.seed + 41 + number)
        for number, (name, shape) in enumerate(weight_shapes(spec, depth, scope).items())
    }
    x = members(frame, TensorShape([depth]), dtype, **content)
    state = state_rows(frame, state_sizes(spec), dtype, **content) if frame.given else None
    # DTYPE-1: dtype is required if the state is missing; given along with a state, it is also the type of the outputs.
    return case_of(frame, with_noise(spec, frame, depth, dtype), x, state, dtype, weights)


def builtin_cases(
    *,
    kinds: Any = _ALL_KINDS,
    units: Any = _WIDTHS,
    depth: Any = _WIDTHS,
    dtype: Any = _FLOATS,
    scope: Any = "rnn",
    **knobs: Any,
) -> st.SearchStrategy[Case]:
    """Cases of the built-in cells; ``kinds`` is a strategy of the keys of KINDS."""
    return st.builds(builtin_case, frames(**knobs), knob(kinds), knob(units), knob(depth), knob(dtype), knob(scope))
