"""Changes a line of Python in small ways, one at a time; how depends on its syntax alone, never on what it is to do.

It is mutation testing of single lines, and written by hand because the tools that are ready run a test suite on every
line of a project; here a few lines are wanted, and what judges them are the laws of one clause.
"""

import ast
import copy
import warnings
from collections.abc import Iterator
from dataclasses import dataclass

_COMPARED: dict[type[ast.cmpop], list[type[ast.cmpop]]] = {
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Lt: [ast.LtE, ast.GtE],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.LtE],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
}
_COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.MatMult: ast.Mult,
    ast.Pow: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
_PAIRS = (
    ("ArgumentTypeError", "ArgumentValueError"),
    ("zeros", "ones"),
    ("zeros_like", "ones_like"),
    ("array", "asarray"),
    ("min", "max"),
    ("minimum", "maximum"),
    ("any", "all"),
)
_COUNTERPARTS = dict(_PAIRS) | {other: one for one, other in _PAIRS}
_SIMPLE = (ast.Raise, ast.Expr, ast.Assign, ast.AugAssign, ast.AnnAssign, ast.Return, ast.Delete)
_NAMES = 4
"""How many other names of a function are put in the place of one."""


@dataclass(frozen=True)
class Edit:
    """A change: what stood there, what stands there now, and the whole text of the file with it."""

    before: str
    after: str
    text: str


def edits(source: str, first: int, last: int, cited: str) -> list[Edit]:
    """What the operators make of the code on these lines, that which compiles; the id ``cited`` itself stays.

    Those of one line come before those of the next, but a round at a time: the first of each line, then the second.
    """
    data, tree = source.encode(), ast.parse(source)
    starts = [0]
    for line in data.splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    by_line: dict[int, list[Edit]] = {}
    seen = {ast.dump(tree)}
    for node, new in _changes(tree, first, last, cited):
        begin = starts[node.lineno - 1] + node.col_offset
        end = starts[(node.end_lineno or 0) - 1] + (node.end_col_offset or 0)
        text = (data[:begin] + new.encode() + data[end:]).decode()
        said = _compiled(text)
        if said is not None and said not in seen:
            seen.add(said)
            by_line.setdefault(node.lineno, []).append(Edit(data[begin:end].decode(), new, text))
    rounds = max(map(len, by_line.values()), default=0)
    return [made[turn] for turn in range(rounds) for _, made in sorted(by_line.items()) if turn < len(made)]


def _compiled(text: str) -> str | None:
    """What a text says to Python; None if that is no Python."""
    try:
        with warnings.catch_warnings(action="ignore"):
            compile(text, "an edit", "exec", dont_inherit=True)
            return ast.dump(ast.parse(text))
    except SyntaxError:
        return None


def _changes(tree: ast.Module, first: int, last: int, cited: str) -> Iterator[tuple[ast.stmt | ast.expr, str]]:
    """A node and the text that is to stand in its place, the telling changes before the blunt ones."""
    left_alone = _left_alone(tree, cited)
    nodes = [
        node
        for node in ast.walk(tree)
        if isinstance(node, (ast.stmt, ast.expr)) and first <= node.lineno <= last and node not in left_alone
    ]
    for node in nodes:
        if isinstance(node, (ast.If, ast.While, ast.IfExp)):
            yield node.test, f"(not ({ast.unparse(node.test)}))"
        if isinstance(node, (ast.Compare, ast.BoolOp, ast.UnaryOp, ast.IfExp)):
            yield from ((node, f"({ast.unparse(other)})") for other in _of_logic(node))
    for node in nodes:
        if isinstance(node, (ast.Raise, ast.Expr, ast.AugAssign)):
            yield node, "pass"
        elif isinstance(node, ast.Return):
            yield node, "return None"
        elif isinstance(node, ast.With):
            yield from ((item.context_expr, '__import__("contextlib").nullcontext()') for item in node.items)
        elif isinstance(node, (ast.For, ast.ListComp, ast.SetComp, ast.GeneratorExp, ast.DictComp)):
            loops = [node.iter] if isinstance(node, ast.For) else [one.iter for one in node.generators]
            yield from ((loop, f"list({ast.unparse(loop)}){cut}") for loop in loops for cut in ("[:-1]", "[::-1]"))
        elif isinstance(node, ast.FunctionDef):
            yield from ((decorator, "(lambda f: f)") for decorator in node.decorator_list)
    for node in sorted(nodes, key=lambda node: not isinstance(node, (ast.Name, ast.Attribute, ast.Constant))):
        yield from ((node, f"({ast.unparse(other)})") for other in _of_values(node))
    for node in nodes:
        if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load):
            yield from ((node, name) for name in _names_beside(tree, node))
    yield from ((node, "pass") for node in nodes if isinstance(node, _SIMPLE))


def _left_alone(tree: ast.Module, cited: str) -> set[ast.AST]:
    """Annotations, docstrings, targets, what is within an f-string, what an error says, and strings with the id."""
    found: set[ast.AST] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.JoinedStr):
            found |= set(ast.walk(node))
        if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Call):
            found |= {node.exc, *(part for said in node.exc.args for part in ast.walk(said))}
        if isinstance(node, ast.Constant) and isinstance(node.value, str) and cited in node.value:
            found.add(node)
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            found |= {node, node.value}
        for hint in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            found |= set(ast.walk(hint)) if isinstance(hint, ast.AST) else set()
        if isinstance(getattr(node, "ctx", None), (ast.Store, ast.Del)):
            found |= set(ast.walk(node))
    return found


def _of_logic(node: ast.expr) -> Iterator[ast.expr]:
    if isinstance(node, ast.Compare):
        for place, op in enumerate(node.ops):
            for other in _COMPARED[type(op)]:
                changed = copy.deepcopy(node)
                changed.ops[place] = other()
                yield changed
    elif isinstance(node, ast.BoolOp):
        yield ast.BoolOp(ast.Or() if isinstance(node.op, ast.And) else ast.And(), node.values)
        yield from node.values
    elif isinstance(node, ast.UnaryOp):
        yield node.operand
    elif isinstance(node, ast.IfExp):
        yield from (node.body, node.orelse)


def _of_values(node: ast.AST) -> Iterator[ast.expr]:
    if isinstance(node, ast.Call):
        yield from _of_calls(node)
    elif isinstance(node, ast.Constant):
        yield from _of_constants(node.value)
    elif isinstance(node, ast.BinOp):
        yield ast.BinOp(node.left, _COMPUTED.get(type(node.op), ast.Add)(), node.right)
        yield from (node.left, node.right)
    elif isinstance(node, ast.Subscript):
        yield node.value
        if isinstance(node.slice, (ast.Name, ast.Attribute)):
            yield ast.Subscript(node.value, ast.Constant(0), node.ctx)
    elif isinstance(node, (ast.Tuple, ast.List)) and len(node.elts) > 1:
        for kept in ([node.elts[1], node.elts[0], *node.elts[2:]], node.elts[:-1]):
            yield type(node)(kept, node.ctx)
    elif isinstance(node, ast.Dict) and node.keys:
        yield ast.Dict(node.keys[:-1], node.values[:-1])
    elif isinstance(node, ast.Name) and node.id in _COUNTERPARTS:
        yield ast.Name(_COUNTERPARTS[node.id], ast.Load())
    elif isinstance(node, ast.Attribute) and node.attr in _COUNTERPARTS:
        yield ast.Attribute(node.value, _COUNTERPARTS[node.attr], ast.Load())


def _of_calls(node: ast.Call) -> Iterator[ast.expr]:
    plain = [one for one in node.args if not isinstance(one, ast.Starred)]
    yield ast.Call(node.func, [*node.args, ast.Constant(None)], node.keywords)
    if len(plain) > 1 and plain == node.args:
        yield ast.Call(node.func, [plain[1], plain[0], *plain[2:]], node.keywords)
    yield from plain
    if isinstance(node.func, ast.Attribute):
        yield node.func.value
    if node.keywords:
        yield ast.Call(node.func, node.args, node.keywords[:-1])
    elif node.args:
        yield ast.Call(node.func, node.args[:-1], [])


def _of_constants(value: object) -> Iterator[ast.expr]:
    if isinstance(value, bool):
        yield ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield ast.Constant(value + 1)
    elif isinstance(value, str):
        yield ast.Constant(value + "x")
    elif value is None or value is ...:
        yield ast.Constant(0)


def _names_beside(tree: ast.Module, name: ast.Name) -> list[str]:
    """Other names that the function around this one reads or sets, the nearest first."""
    around = [
        node
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.lineno <= name.lineno <= (node.end_lineno or 0)
    ]
    if not around:
        return []
    inner = max(around, key=lambda node: node.lineno)
    known = {one.arg: one.lineno for one in ast.walk(inner) if isinstance(one, ast.arg)}
    known |= {
        one.id: one.lineno for one in ast.walk(inner) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
    }
    others = sorted((abs(line - name.lineno), other) for other, line in known.items() if other != name.id)
    return [other for _, other in others if other != "self"][:_NAMES]
