"""Arithmetic, comparisons and boolean logic on values."""

from __future__ import annotations

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol, interned, power
from lstm_lint.interpret.choose import choose, expand, fresh_flag, under
from lstm_lint.interpret.engine import Interpreter, refused
from lstm_lint.ops.elementwise import OPERATORS
from lstm_lint.ops.recurrent import positive
from lstm_lint.ops.table import binary
from lstm_lint.proofs import FRESH, never_zero
from lstm_lint.values import (
    NONE,
    TRUE,
    Bool,
    Dict,
    Float,
    Int,
    NoneValue,
    OneOf,
    Ref,
    Repeated,
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

MAX_CHAIN = 64
"""Comparisons in a row from which on nobody wrote them by hand."""

ELEMENTWISE = frozenset({"+", "-", "*", "/", "//", "%", "**"})


def _tensors(it: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode) -> Value:
    if operator not in OPERATORS:
        return it.unknown(node, f"`{operator}` on tensors is not followed")
    return binary(left, right, it.call(OPERATORS[operator], node, (left, right), {}))


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
            return _tensors(it, operator, left, right, node)
        case (Int() | Bool(), Int() | Bool()):
            return _integers(it, operator, left, right, node)
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
    a, b = _number(left), _number(right)
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


def _number(value: Value) -> float | None:
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
        case "*", Tuple(xs, kind), _ if (dim := as_dim(right)) is not None:
            return as_new(it, _times(xs, kind, dim), left)
        case "*", _, Tuple(xs, kind) if (dim := as_dim(left)) is not None:
            return as_new(it, _times(xs, kind, dim), right)
        case "|", Dict(xs), Dict(ys, others):
            return Dict({**xs, **ys}, others)
        case _:
            return it.unknown(node, f"`{operator}` is not followed for these values")


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


# -- logic -----------------------------------------------------------------------------------------------------------
def eval_boolean(it: Interpreter, node: cst.BooleanOperation) -> Value:
    """``a and b``, ``a or b``: the value Python gives, the right side only evaluated where it is reached."""
    left = it.eval(node.left)
    condition = it.truth(left, node.left)
    if isinstance(node.operator, cst.And):
        if condition == ZERO:
            return left
        return it.branch([(condition, lambda: it.eval(node.right)), (ONE - condition, lambda: _falsy(left, it.path))])
    if condition == ONE:
        return left
    return it.branch([(condition, lambda: under(left, it.path)), (ONE - condition, lambda: it.eval(node.right))])


def _falsy(value: Value, path: Dim) -> Value:
    return Bool(ZERO) if isinstance(value, Bool) else under(value, path)


def eval_conditional(it: Interpreter, node: cst.IfExp) -> Value:
    """``a if test else b``."""
    condition = it.truth(it.eval(node.test), node.test)
    if condition == ONE:
        return it.eval(node.body)
    if condition == ZERO:
        return it.eval(node.orelse)
    return it.branch([(condition, lambda: it.eval(node.body)), (ONE - condition, lambda: it.eval(node.orelse))])


def eval_comparison(it: Interpreter, node: cst.Comparison) -> Value:
    if len(node.comparisons) > MAX_CHAIN:
        return Bool(it.flag(node))
    left = it.eval(node.left)
    total = ONE
    for part in node.comparisons:
        right = it.eval(part.comparator)
        result = compare_values(it, SYMBOLS.get(type(part.operator), "?"), left, right, node)
        if not isinstance(result, Bool):
            return result
        total = total * result.dim
        left = right
    return Bool(total)


def compare_values(it: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode) -> Value:
    """``left operator right`` as a condition (a tensor where tensors are compared)."""
    if operator in ("!=", "is not", "not in"):
        positive_form = {"!=": "==", "is not": "is", "not in": "in"}[operator]
        result = compare_values(it, positive_form, left, right, node)
        return Bool(ONE - result.dim) if isinstance(result, Bool) else result
    if isinstance(left, OneOf):
        total = ZERO
        for condition, item in left.alternatives:
            result = compare_values(it, operator, item, right, node)
            total = total + condition * (result.dim if isinstance(result, Bool) else it.flag(node))
        return Bool(total)
    if isinstance(left, Tensor) or isinstance(right, Tensor):
        if operator == "is" and NONE in (left, right):
            return Bool(ZERO)
        if operator == "in":
            return Bool(it.flag(node))
        return _tensors(it, operator, left, right, node)
    match operator:
        case "==" | "is":
            return Bool(equality(it, left, right, node))
        case "in":
            return Bool(_membership(it, left, it_contents(it, right), node))
        case _:
            return Bool(_ordering(it, operator, left, right, node))


def equality(it: Interpreter, left: Value, right: Value, node: cst.CSTNode) -> Dim:
    """The condition that two values are equal."""
    if isinstance(left, Unknown) and isinstance(right, Str | NoneValue | Bool | Int):
        return _unknown_equals(left, right)
    if isinstance(right, Unknown) and isinstance(left, Str | NoneValue | Bool | Int):
        return _unknown_equals(right, left)
    if left == right:
        return ONE
    match left, right:
        case (Int() | Bool(), Int() | Bool()):
            return equal_dims(as_dim(left) or ZERO, as_dim(right) or ZERO)
        case Tuple(xs), Tuple(ys) if len(xs) == len(ys):
            total = ONE
            for x, y in zip(xs, ys, strict=True):
                total = total * equality(it, x, y, node)
            return total
        case (Str(), Str()) | (NoneValue(), _) | (_, NoneValue()) if not isinstance(left, Unknown | OneOf):
            return Bool(ZERO).dim if not isinstance(right, Unknown | OneOf) else it.flag(node)
        case Unknown(), Unknown():
            return fresh_flag(it.place(node).text, ("equal", interned((left, right))))
        case _:
            return it.flag(node)


def equal_dims(a: Dim, b: Dim) -> Dim:
    """The condition that two dims are equal."""
    difference = a - b
    if difference == ZERO:
        return ONE
    if not difference.flags and never_zero(difference):
        return ZERO
    if difference.flags and not difference.sizes:
        return _flags_vanish(difference)
    if difference.terms[-1][1] < 0:
        difference = -difference
    number = -dict(difference.terms).get((), 0)
    subject = difference + number
    default = _default_value(subject)
    name = f"{a.text} == {b.text}" if subject not in (a, b) else f"{subject.text} == {number}"
    flag = Symbol(
        ("equals", subject, number),
        name,
        Kind.FLAG,
        None if default is None else int(default == number),
        0,
        _owner(subject),
        subject=subject,
        equals=number,
    )
    return Dim.of(flag)


def _owner(dim: Dim) -> str | None:
    """FRESH for a condition on sizes nobody knows, such as a loop's counter: no warning rests on it alone."""
    return FRESH if any(size.kind is Kind.OPAQUE for size in dim.sizes) else None


def _flags_vanish(difference: Dim) -> Dim:
    """The condition that a polynomial of flags alone is 0, by cases."""
    flag = difference.flags[0]
    total = ZERO
    for value, here in ((ZERO, ONE - Dim.of(flag)), (ONE, Dim.of(flag))):
        rest = difference.substitute({flag: value})
        constant = rest.constant
        total = total + here * (_flags_vanish(rest) if constant is None else ONE if constant == 0 else ZERO)
    return total


def _default_value(dim: Dim) -> int | None:
    return dim.evaluate({s: s.default for s in dim.symbols if s.default is not None})


def _unknown_equals(unknown: Unknown, value: Value) -> Dim:
    """A flag of the unknown's identity, so that two tests of one value are correlated."""
    if isinstance(value, Bool) and value.dim.constant is not None:
        truth = unknown.as_condition()
        return truth if value == TRUE else ONE - truth
    if isinstance(value, Int):
        return equal_dims(unknown.as_dim(), value.dim)
    word = value.value if isinstance(value, Str) else None
    default = None if unknown.default is None else int(unknown.default == value)
    shown = "is None" if word is None else f"== {word!r}"
    owner = unknown.owner if unknown.kind is not Kind.OPAQUE else "fresh"
    return Dim.of(
        Symbol(
            ("is", unknown.key, word),
            f"{unknown.name} {shown}",
            Kind.FLAG,
            default,
            0,
            owner,
            subject=("value", unknown.key),
            equals=word if word is not None else ("none",),
        )
    )


def _membership(it: Interpreter, item: Value, container: Value, node: cst.CSTNode) -> Dim:
    match item, container:
        case _, Tuple(options):
            nothing = ONE
            for option in options:
                nothing = nothing * (ONE - equality(it, item, option, node))
            return ONE - nothing
        case Str(key), Dict(items, None):
            return ONE if key in items else ZERO
        case Str(key), Dict(items) if key in items:
            return ONE
        case Str(key), Dict(others=Unknown() as others):
            flag = Symbol(("has", others.key, key), f"{key!r} in {others.name}", Kind.FLAG, 0, 0, others.owner)
            return Dim.of(flag)
        case Str(part), Str(text):
            return ONE if part in text else ZERO
        case Str(part), Unknown():
            owner = "fresh" if container.kind is Kind.OPAQUE else container.owner
            return Dim.of(Symbol(("in", container.key, part), f"{part!r} in {container.name}", Kind.FLAG, None, 0, owner))
        case _:
            return it.flag(node)


def _ordering(it: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode) -> Dim:
    if isinstance(left, Float) or isinstance(right, Float):
        return _float_ordering(it, operator, left, right, node)
    a, b = as_dim(left), as_dim(right)
    if a is None or b is None:
        return it.flag(node)
    test = {">": a - b, ">=": a - b + 1, "<": b - a, "<=": b - a + 1}.get(operator)
    if test is None:
        return it.flag(node)
    return _greater_than_zero(test, it.place(node).text)


def _float_ordering(it: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode) -> Dim:
    a, b = _number(left), _number(right)
    if a is not None and b is not None:
        holds = {">": a > b, ">=": a >= b, "<": a < b, "<=": a <= b}.get(operator)
        if holds is not None:
            return ONE if holds else ZERO
    for unknown in (left, right):
        if isinstance(unknown, Unknown) and unknown.kind is Kind.CONFIG:
            key = ("compared", interned((operator, left, right)))
            return Dim.of(Symbol(key, it.place(node).text, Kind.FLAG, None, 0, unknown.owner))
    return it.flag(node)


def _greater_than_zero(test: Dim, text: str) -> Dim:
    """The condition ``test > 0``, decided where the smallest sizes decide it."""
    if test.constant is not None:
        return positive(test)
    if test.flags and not test.sizes:
        flag = test.flags[0]
        on, off = test.substitute({flag: ONE}), test.substitute({flag: ZERO})
        here = Dim.of(flag)
        return here * _greater_than_zero(on, text) + (ONE - here) * _greater_than_zero(off, text)
    if not test.flags and never_zero(test):
        return ONE if test.terms[-1][1] > 0 else ZERO
    if not test.flags and _never_positive(test):
        return ZERO
    default = _default_value(test)
    by_default = None if default is None else int(default > 0)
    flag = Symbol(("positive", test), text, Kind.FLAG, by_default, 0, _owner(test), test=test)
    return Dim.of(flag)


def _never_positive(test: Dim) -> bool:
    """Whether ``1 - test > 0`` always."""
    rest = ONE - test
    return never_zero(rest) and rest.terms[-1][1] > 0

