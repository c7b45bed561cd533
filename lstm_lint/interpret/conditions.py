"""Comparisons, boolean logic and conditional expressions: what Python asks, as conditions in the algebra."""

from __future__ import annotations

from collections.abc import Callable

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol, interned
from lstm_lint.interpret.choose import fresh_flag, under
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.operators import SYMBOLS, it_contents, number_of, tensors
from lstm_lint.interpret.sizes import equal_dims, greater_than_zero
from lstm_lint.keywords import identity_of, may_hold
from lstm_lint.ops.recurrent import QUALIFIED
from lstm_lint.ops.table import LAYERS
from lstm_lint.proofs.wording import FRESH
from lstm_lint.values import (
    NONE,
    TRUE,
    Bool,
    Class,
    Dict,
    External,
    Float,
    Int,
    NoneValue,
    OneOf,
    Str,
    Tensor,
    Tuple,
    Unknown,
    Value,
    as_dim,
)

MAX_CHAIN = 64


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
        return tensors(it, operator, left, right, node)
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
        case Unknown(kind=Kind.CONFIG), Unknown(kind=Kind.CONFIG) if not (left.as_dim().flags or right.as_dim().flags):
            return equal_dims(left.as_dim(), right.as_dim())  # what else than numbers they may be: equal or not as these are
        case (External() | Class(), External() | Class()) if _is_a_class(left) and _is_a_class(right):
            return ZERO
        case Unknown(), Unknown():
            return fresh_flag(it.place(node).text, ("equal", interned((left, right))))
        case _:
            return it.flag(node)


def _is_a_class(value: Value) -> bool:
    """Whether it is a class of which no other is equal to it: one of the analysed code, or a layer of torch."""
    return isinstance(value, Class) or (
        isinstance(value, External)
        and (value.qualified_name in QUALIFIED or value.qualified_name in LAYERS or value.qualified_name in PLAIN)
    )


PLAIN = frozenset({"builtins.tuple", "builtins.list", "builtins.dict", "torch.Tensor"})


def _unknown_equals(unknown: Unknown, value: Value) -> Dim:
    """A flag of the unknown's identity, so that two tests of one value are correlated."""
    if isinstance(value, Bool) and value.dim.constant is not None:
        truth = unknown.as_condition()
        return truth if value == TRUE else ONE - truth
    if isinstance(value, Int):
        return equal_dims(unknown.as_dim(), value.dim)
    if isinstance(value, Str) and value.members[1:] and value.value == value.members[-1] and unknown.default != NONE:
        others = (_unknown_equals(unknown, Str(other)) for other in value.members[:-1])
        return ONE - sum(others, ZERO)  # an enumeration has no other members
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


def of_text(it: Interpreter, unknown: Unknown, test: Callable[[str], bool], otherwise: Dim) -> Dim:
    """The condition that a text from outside passes a test: known where the path says which text it is, else `otherwise`.

    ``if kind == "lstm": ... elif kind == "gru": ... else: raise`` and then ``if kind.endswith("lstm")``.
    """
    spelt = [f for f in it.path.flags if f.subject == ("value", unknown.key) and isinstance(f.equals, str)]
    if not spelt:
        return otherwise
    passed, rest = ZERO, ONE
    for flag in spelt:
        is_this = Dim.of(flag)
        rest = rest - is_this  # they exclude each other
        passed = passed + is_this if test(str(flag.equals)) else passed
    return passed + rest * otherwise


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
            name = f"{key!r} in {others.name.lstrip('*')}"
            flag = Symbol(("has", identity_of(others), key), name, Kind.FLAG, 0, 0, FRESH)  # what it holds depends on it
            return Dim.of(flag) if may_hold(others, key) else ZERO
        case Str(part), Str(text):
            return ONE if part in text else ZERO
        case Str(part), Unknown():
            owner = "fresh" if container.kind is Kind.OPAQUE else container.owner
            flag = Symbol(("in", container.key, part), f"{part!r} in {container.name}", Kind.FLAG, None, 0, owner)
            return of_text(it, container, lambda text: part in text, Dim.of(flag))
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
    return greater_than_zero(test, it.place(node).text)


def _float_ordering(it: Interpreter, operator: str, left: Value, right: Value, node: cst.CSTNode) -> Dim:
    a, b = number_of(left), number_of(right)
    if a is not None and b is not None:
        holds = {">": a > b, ">=": a >= b, "<": a < b, "<=": a <= b}.get(operator)
        if holds is not None:
            return ONE if holds else ZERO
    for unknown in (left, right):
        if isinstance(unknown, Unknown) and unknown.kind is Kind.CONFIG:
            key = ("compared", interned((operator, left, right)))
            return Dim.of(Symbol(key, it.place(node).text, Kind.FLAG, None, 0, unknown.owner))
    return it.flag(node)
