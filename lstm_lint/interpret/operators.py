"""Arithmetic on values: ints as dims, floats, tensors, sequences, and things from outside."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from lstm_lint.dims import ONE, Dim, Kind, interned, power
from lstm_lint.interpret.choose import choose, expand
from lstm_lint.interpret.engine import Interpreter, refused
from lstm_lint.interpret.rounds import behind, longer
from lstm_lint.interpret.uses import is_of_a_round, note_use
from lstm_lint.ops.elementwise import OPERATORS
from lstm_lint.ops.table import binary
from lstm_lint.proofs.conditions import assumed
from lstm_lint.values import (
    Bool,
    Dict,
    Float,
    Int,
    OneOf,
    Ref,
    Repeated,
    Slice,
    Str,
    Tensor,
    Tuple,
    Unknown,
    Value,
    as_dim,
)

SYMBOLS = {
    cst.Add: "+", cst.Subtract: "-", cst.Multiply: "*", cst.Divide: "/", cst.FloorDivide: "//", cst.Modulo: "%",
    cst.Power: "**", cst.MatrixMultiply: "@", cst.BitAnd: "&", cst.BitOr: "|", cst.BitXor: "^",
    cst.LeftShift: "<<", cst.RightShift: ">>",
    cst.AddAssign: "+", cst.SubtractAssign: "-", cst.MultiplyAssign: "*", cst.DivideAssign: "/", cst.FloorDivideAssign: "//",
    cst.ModuloAssign: "%", cst.PowerAssign: "**", cst.MatrixMultiplyAssign: "@", cst.BitAndAssign: "&", cst.BitOrAssign: "|",
    cst.BitXorAssign: "^", cst.LeftShiftAssign: "<<", cst.RightShiftAssign: ">>",
    cst.Equal: "==", cst.NotEqual: "!=", cst.LessThan: "<", cst.LessThanEqual: "<=", cst.GreaterThan: ">",
    cst.GreaterThanEqual: ">=", cst.Is: "is", cst.IsNot: "is not", cst.In: "in", cst.NotIn: "not in",
}  # fmt: skip

"""Comparisons in a row from which on nobody wrote them by hand."""

ELEMENTWISE = frozenset({"+", "-", "*", "/", "//", "%", "**"})


def tensors(it: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode) -> Value:
    if operator not in OPERATORS:
        return it.unknown(node, f"`{operator}` on tensors is not followed")
    call = it.call(OPERATORS[operator], node, (left, right), {})
    result = binary(left, right, call)
    is_noted = operator == "@" or any(isinstance(one, Tuple) or is_of_a_round(one) for one in (left, right))
    return note_use(it, call, result) if is_noted else result


# -- arithmetic ------------------------------------------------------------------------------------------------------
def eval_binary(it: Interpreter, node: cst.BinaryOperation) -> Value:
    left, right = it.eval(node.left), it.eval(node.right)
    return operate(it, SYMBOLS[type(node.operator)], left, right, node)


def operate(it: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode) -> Value:
    """``left operator right``, alternative by alternative."""
    if isinstance(left, OneOf) or isinstance(right, OneOf):
        a, b = as_dim(left), as_dim(right)
        if a is not None and b is not None and operator in ("+", "-", "*"):
            return _operate(it, operator, Int(a), Int(b), node)
        return _distributed(it, operator, left, right, node)
    return _operate(it, operator, left, right, node)


def _distributed(it: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode) -> Value:
    result: Value | None = None
    for condition, pair in expand(Tuple((left, right)), it.path):
        assert isinstance(pair, Tuple)
        value = _operate(it, operator, pair.items[0], pair.items[1], node)
        if refused(value):
            continue
        result = value if result is None else choose(condition, value, result)
    return result if result is not None else it.unknown(node, "no value is possible here")


def _operate(it: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode) -> Value:
    left, right = it.settled(left), it.settled(right)
    match left, right:
        case (Tensor(), _) | (_, Tensor()):
            return tensors(it, operator, left, right, node)
        case (Int() | Bool(), Int() | Bool()):
            return _integers(it, operator, left, right, node)
        case (Float(), Unknown(default=None) as other) | (Unknown(default=None) as other, Float()) if operator in "+-*/":
            return _shifted(it, operator, left, right, other, node)
        case (Float(), Float() | Int() | Bool() | Unknown()) | (Int() | Bool() | Unknown(), Float()):
            return _floats(operator, left, right)
        case (Str(a), Str(b)) if operator == "+":
            return Str(a + b)
        case (Str(), _) if operator == "%":
            return it.unknown(node, "a formatted string")
        case (Unknown(), Unknown() | Int() | Bool()) | (Int() | Bool(), Unknown()):
            return _unknowns(it, operator, left, right, node)
        case _:
            return _sequences(it, operator, left, right, node)


def _integers(it: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode) -> Value:
    a, b = as_dim(left), as_dim(right)
    assert a is not None and b is not None
    if isinstance(left, Bool) and isinstance(right, Bool) and operator in ("&", "|", "^"):
        return Bool({"&": a * b, "|": a + b - a * b, "^": a + b - a * b - a * b}[operator])
    if operator == "/":
        if a.constant is not None and b.constant:
            return Float(a.constant / b.constant, (a, b))
        return Float(ratio=(a, b))
    dim = arithmetic(operator, a, b)
    return Int(dim) if dim is not None else it.unknown(node, f"`{operator}` on ints is not followed here")


def arithmetic(operator: str, a: Dim, b: Dim) -> Dim | None:
    """The dim ``a operator b``; None where it is not defined or not followed."""
    try:
        match operator:
            case "+":
                return a + b
            case "-":
                return a - b
            case "*":
                return a * b
            case "//":
                return a // b
            case "%":
                return a % b
            case "**":
                return power(a, b)
            case "<<" if b.constant is not None and 0 <= b.constant < 32:
                return a * (1 << b.constant)
            case ">>" if b.constant is not None and 0 <= b.constant < 32:
                return a // (1 << b.constant)
            case _:
                return None
    except ZeroDivisionError:
        return None


def _floats(operator: str, left: Value, right: Value) -> Value:
    a, b = number_of(left), number_of(right)
    if a is None or b is None:
        return Float()
    try:
        match operator:
            case "+":
                return Float(a + b)
            case "-":
                return Float(a - b)
            case "*":
                return Float(a * b)
            case "/":
                return Float(a / b)
            case "//":
                return Float(a // b)
            case "%":
                return Float(a % b)
            case "**":
                return Float(float(a**b))
            case _:
                return Float()
    except (ArithmeticError, TypeError, ValueError):
        return Float()


def _shifted(it: Interpreter, operator: str, left: Value, right: Value, other: Unknown, node: cst.CSTNode) -> Unknown:
    """``1.0 - done``, ``x * 0.5``: no int, but the shape of what comes from outside if that is a tensor."""
    place = it.place(node)
    key = ("arithmetic", interned((operator, left, right)))
    return Unknown(key, place.text, other.reason, other.place or place, Kind.OPAQUE, like=other)


def number_of(value: Value) -> float | None:
    match value:
        case Float(number):
            return number
        case Int(dim) | Bool(dim):
            return dim.constant
        case _:
            return None


def _unknowns(it: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode) -> Value:
    """Arithmetic with something from outside: its int value is known as a dim, its shape where the other side is a scalar."""
    a, b = as_dim(left), as_dim(right)
    first = left if isinstance(left, Unknown) else right
    assert a is not None and b is not None and isinstance(first, Unknown)
    place = it.place(node)
    scalar = not (isinstance(left, Unknown) and isinstance(right, Unknown))
    key = ("arithmetic", interned((operator, left, right)))
    return Unknown(
        key,
        place.text,
        first.reason,
        first.place or place,
        first.kind,
        dim=None if operator == "/" else arithmetic(operator, a, b),
        ratio=(a, b) if operator == "/" else None,
        like=first if scalar and operator in ELEMENTWISE else None,
    )


def _sequences(it: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode) -> Value:
    """``[a] + [b]``, ``[a] * n``, ``(1,) + shape``."""
    a, b = it_contents(it, left), it_contents(it, right)
    match operator, a, b:
        case "+", Tuple(xs, kind), Tuple(ys):
            return as_new(it, Tuple((*xs, *ys), kind), left)
        case "+", Tuple() | Repeated() as first, Tuple() | Repeated() as second:
            return as_new(it, _joined(it, first, second, node), left)
        case "*", Tuple(xs, kind), _ if (dim := as_dim(right)) is not None:
            return as_new(it, _times(xs, kind, dim), left)
        case "*", _, Tuple(xs, kind) if (dim := as_dim(left)) is not None:
            return as_new(it, _times(xs, kind, dim), right)
        case "|", Dict(xs), Dict(ys, others):
            return Dict({**xs, **ys}, others)
        case _:
            lost = it.unknown(node, f"`{operator}` is not followed for these values")
            return note_use(it, it.call(OPERATORS.get(operator, operator), node, (left, right), {}), lost)


def _joined(it: Interpreter, left: Tuple | Repeated, right: Tuple | Repeated, node: cst.CSTNode) -> Repeated:
    """Two sequences one behind the other, not both of known length: by their index, or any number of what they hold."""
    match left, right:
        case Tuple(head), Repeated() if (joined := behind(it, head, right)) is not None:
            return replace(joined, kind=left.kind)
        case Repeated(), Tuple(added) if (joined := longer(it, left, added)) is not None:
            return joined
    parts = [item for one in (left, right) for item in (one.items if isinstance(one, Tuple) else (one.item,))]
    item = parts[-1]
    for part in parts[:-1]:
        item = choose(it.flag(node), part, item, it.place(node))
    return Repeated(item, None, left.kind)


def _times(items: tuple[Value, ...], kind: str, count: Dim) -> Value:
    if count.constant is not None and count.constant * len(items) <= 256:
        return Tuple(items * max(count.constant, 0), kind)
    if items and all(item == items[0] for item in items):
        return Repeated(items[0], count * len(items), kind)
    return Repeated(Unknown(("item of", interned(items)), "an item"), count * len(items), kind)


def it_contents(it: Interpreter, value: Value) -> Value:
    """A list or dict object's content as a value; every other value as it is."""
    if isinstance(value, Ref) and (content := it.read((value.number, "items"))) is not None:
        return content
    return value


def here(it: Interpreter, value: Value) -> Value:
    """An index as it is on this path: what that fixes put in, lists as what they hold."""
    match value:
        case Int(dim):
            return Int(assumed(dim, it.path))
        case Ref():
            return it_contents(it, value)
        case Tuple(items):
            return replace(value, items=tuple(here(it, item) for item in items))
        case Slice(start, stop, step):
            return Slice(here(it, start), here(it, stop), here(it, step))
        case _:
            return value


def as_new(it: Interpreter, content: Value, like: Value) -> Value:
    """The content as a new list if `like` is one, else as it is."""
    if isinstance(like, Ref) and like.kind == "list":
        ref = it.new_object("list")
        it.write((ref.number, "items"), content)
        return ref
    return content


def eval_unary(it: Interpreter, node: cst.UnaryOperation) -> Value:
    value = it.eval(node.expression)
    match node.operator, value:
        case cst.Not(), _:
            return Bool(ONE - it.truth(value, node))
        case cst.Minus(), Int(dim) | Bool(dim):
            return Int(-dim)
        case cst.Minus(), Float(number):
            return Float(None if number is None else -number)
        case cst.Plus(), _:
            return value
        case _, Tensor():
            return value
        case cst.Minus(), Unknown():
            return _unknowns(it, "*", Int(Dim.of(-1)), value, node)
        case cst.BitInvert(), Int(dim):
            return Int(-dim - 1)
        case _:
            return it.unknown(node, "this operator is not followed for this value")
