"""Joining values: what a variable is after ``if c: ... else: ...``."""

from __future__ import annotations

from collections.abc import Hashable, Iterable, Iterator, Sequence
from dataclasses import replace

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Opaque, Symbol, interned, where
from lstm_lint.lineage import Graph, merged
from lstm_lint.ops.dtypes import either_device
from lstm_lint.ops.recurrent import positive
from lstm_lint.proofs.wording import FRESH, MET_ONCE
from lstm_lint.shapes import Rest, Shape
from lstm_lint.source import Place
from lstm_lint.values import (
    MAX_ALTERNATIVES,
    Bool,
    Dict,
    Int,
    Layer,
    OneOf,
    Repeated,
    Tensor,
    Tuple,
    Unknown,
    Value,
    truth_constant,
)

MAX_EXPANDED = 8
MAX_CONDITION_TERMS = 10


def choose(condition: Dim, if_true: Value, if_false: Value, place: Place | None = None) -> Value:
    """The value that is `if_true` where the condition holds and `if_false` elsewhere."""
    if condition == ONE or if_true == if_false:
        return if_true
    if condition == ZERO:
        return if_false
    match if_true, if_false:
        case (Int(a), Int(b)) | (Int(a), Bool(b)) | (Bool(a), Int(b)):
            return Int(where(condition, a, b))
        case Bool(a), Bool(b):
            return Bool(where(condition, a, b))
        case Tuple(xs, kind), Tuple(ys, other) if len(xs) == len(ys) and kind == other:
            given_by = if_true.given_by if if_true.given_by is not None and if_false.given_by is not None else None
            return Tuple(tuple(choose(condition, x, y, place) for x, y in zip(xs, ys, strict=True)), kind, given_by)
        case Dict(xs, others), Dict(ys, _) if set(xs) == set(ys) and if_true.others == if_false.others:
            return Dict({key: choose(condition, xs[key], ys[key], place) for key in xs}, others)
        case _:
            return _one_of(condition, if_true, if_false, place)


def _one_of(condition: Dim, if_true: Value, if_false: Value, place: Place | None) -> Value:
    merged: list[tuple[Dim, Value]] = []
    other = ONE - condition
    parts = [(condition * c, v) for c, v in alternatives(if_true)] + [(other * c, v) for c, v in alternatives(if_false)]
    for here, value in parts:
        if here == ZERO:
            continue
        for index, (there, known) in enumerate(merged):
            if same(known, value):
                merged[index] = (there + here, merge(known, value))
                break
        else:
            merged.append((here, value))
    if len(merged) == 1:
        return merged[0][1]
    if _is_kept(merged):
        return OneOf(tuple(merged))
    reason = f"it is one of more than {MAX_ALTERNATIVES} values here"
    key, name = ("merged", interned((condition, if_true, if_false))), "a value of several branches"
    lost = Unknown(key, name, reason, place)
    fewer = _unknown_in_one(merged, lost)
    if _is_kept(fewer):
        return OneOf(tuple(fewer))
    return one_shape([value for _, value in merged], lost) or lost


def _is_kept(options: Sequence[tuple[Dim, Value]]) -> bool:
    """Whether so many alternatives under such conditions are kept apart."""
    return 1 < len(options) <= MAX_ALTERNATIVES and all(_is_simple(condition) for condition, _ in options)


def _unknown_in_one(options: Sequence[tuple[Dim, Value]], lost: Unknown) -> list[tuple[Dim, Value]]:
    """The alternatives with all that are not known anyway as one."""
    unknown = [(condition, value) for condition, value in options if isinstance(value, Unknown)]
    if len(unknown) < 2:
        return list(options)
    reason, place = unknown[0][1].reason, unknown[0][1].place
    whole = sum((condition for condition, _ in unknown), ZERO)
    return [
        *((condition, value) for condition, value in options if not isinstance(value, Unknown)),
        (whole, replace(lost, reason=reason, place=place)),
    ]


def one_shape(values: Sequence[Value], lost: Unknown) -> Tensor | None:
    """One tensor with what the shapes of all the values have in common at both ends; `lost` says why it is not all known.

    None if one of them is no tensor, if their known ranks differ, or if nothing is in common.
    """
    shapes = [value.shape for value in values if isinstance(value, Tensor)]
    last = values[-1]
    if len(shapes) < len(values) or not isinstance(last, Tensor):
        return None
    ranks = {shape.rank for shape in shapes}
    if len(ranks) > 1 and None not in ranks:
        return None
    first = shapes[0]
    if None in ranks:
        shape = _common_ends(shapes, lost)
    else:
        shape = Shape(tuple(_one_size([s.front[i] for s in shapes], lost, i) for i in range(len(first.front))))
    if shape is None:
        return None
    dtype = last.dtype if all(isinstance(value, Tensor) and value.dtype == last.dtype for value in values) else None
    return Tensor(shape, dtype, None, None, last.place, lost)


def _common_ends(shapes: Sequence[Shape], lost: Unknown) -> Shape | None:
    """The sizes spelt out at both ends of every shape, around a middle of its own or, if all have the same, theirs."""
    rests = {shape.rest for shape in shapes}
    front = min(len(shape.front) for shape in shapes)
    back = min(len(shape.back) if shape.rest is not None else len(shape.front) - front for shape in shapes)
    alike = len(rests) == 1 and len({(len(shape.front), len(shape.back)) for shape in shapes}) == 1
    rest = shapes[0].rest if alike else Rest(("rest", lost.key), lost.name)
    if not alike and not front and not back:
        return None
    return Shape(
        tuple(_one_size([shape.front[i] for shape in shapes], lost, i) for i in range(front)),
        rest,
        tuple(_one_size([shape.dim(i) for shape in shapes], lost, i) for i in range(-back, 0)),
    )


def _one_size(sizes: Sequence[Dim], lost: Unknown, position: int) -> Dim:
    """The size that all of them are, or one that nobody knows."""
    if all(size == sizes[0] for size in sizes):
        return sizes[0]
    return Dim.of(Symbol(("int", (lost.key, position)), f"{lost.name}.size({position})", Kind.OPAQUE, minimum=0))


def same(left: Value, right: Value) -> bool:
    """Whether two values need not be told apart: equal, or different only in how they were made or in what nobody can name."""
    if left == right:
        return True
    match left, right:
        case Tensor(), Tensor():
            alike = left.dtype == right.dtype or None in (left.dtype, right.dtype)
            return left.shape == right.shape and alike and is_freed(left) == is_freed(right)
        case Tuple(xs, kind), Tuple(ys, other) if len(xs) == len(ys) and kind == other:
            return all(same(x, y) for x, y in zip(xs, ys, strict=True))
        case OneOf(xs), OneOf(ys) if len(xs) == len(ys):
            return all(any(_named(c) == _named(d) and same(x, y) for d, y in ys) for c, x in xs)
        case Layer(), Layer():
            return (left.qualified_name, left.place, left.config) == (right.qualified_name, right.place, right.config)
        case _:
            return False


def is_freed(tensor: Tensor) -> bool:
    """Whether the graph behind it is freed, so that no ``backward`` can go through it any more."""
    return tensor.lineage is not None and tensor.lineage.graph is Graph.FREED


def _named(condition: Dim) -> Dim:
    """The condition that a condition can hold, whatever the conditions in it are that nobody can name."""
    for flag in condition.flags:
        if _is_met_once(flag):
            on, off = condition.where_flag(flag, 1), condition.where_flag(flag, 0)
            condition = on + off - on * off
    return condition


def merge(left: Value, right: Value) -> Value:
    """One value for two that are the same, with what holds of both."""
    match left, right:
        case Tensor(), Tensor() if left != right:
            dtype = left.dtype if left.dtype == right.dtype else None
            device = either_device(left.device, right.device)
            lineage = merged(left.lineage, right.lineage)
            numbers = left.numbers if left.numbers == right.numbers else None
            filled = left.filled if left.filled == right.filled else None
            return replace(left, dtype=dtype, device=device, lineage=lineage, numbers=numbers, filled=filled)
        case Tuple(xs), Tuple(ys) if left != right:
            given_by = left.given_by if left.given_by == right.given_by else None
            items = tuple(merge(x, y) for x, y in zip(xs, ys, strict=True))
            return replace(left, items=items, pieces=None, given_by=given_by)
        case OneOf(xs), OneOf(ys) if left != right:
            return OneOf(tuple((c, merge(x, _counterpart(c, x, ys))) for c, x in xs))
        case _:
            return left


def _counterpart(condition: Dim, value: Value, others: Sequence[tuple[Dim, Value]]) -> Value:
    """That of the other alternatives which is the same under the same condition."""
    named = _named(condition)
    return next((other for there, other in others if _named(there) == named and same(value, other)), value)


def alternatives(value: Value) -> tuple[tuple[Dim, Value], ...]:
    return value.alternatives if isinstance(value, OneOf) else ((ONE, value),)


def under(value: Value, path: Dim) -> Value:
    """The value with those alternatives left out that the path excludes."""
    if not isinstance(value, OneOf) or path == ONE:
        return value
    kept = tuple((c, v) for c, v in value.alternatives if c.meets(path))
    if len(kept) == 1:
        return kept[0][1]
    return OneOf(kept) if kept else value


def expand(value: Value, path: Dim) -> Iterator[tuple[Dim, Value]]:
    """Every alternative of a value, those of a tuple's items multiplied out, with the condition it stands under.

    At most MAX_EXPANDED + 1 of them: more than MAX_EXPANDED means that not all are there.
    """
    count = 0
    for condition, item in _expand(value):
        if not condition.meets(path):
            continue
        count += 1
        yield condition, item
        if count > MAX_EXPANDED:
            return


def _expand(value: Value) -> Iterable[tuple[Dim, Value]]:
    match value:
        case OneOf(options):
            for condition, item in options:
                for inner, expanded in _expand(item):
                    if (both := condition * inner) != ZERO:
                        yield both, expanded
        case Tuple(items) if any(isinstance(item, OneOf | Tuple) for item in items):
            for condition, expanded_items in _expand_items(items):
                yield condition, replace(value, items=expanded_items)
        case _:
            yield ONE, value


def _expand_items(items: tuple[Value, ...]) -> Iterator[tuple[Dim, tuple[Value, ...]]]:
    if not items:
        yield ONE, ()
        return
    for first_condition, first in _expand(items[0]):
        for rest_condition, rest in _expand_items(items[1:]):
            if (both := first_condition * rest_condition) != ZERO:
                yield both, (first, *rest)


def has_opaque(dim: Dim) -> bool:
    return any(isinstance(atom, Opaque) for atom in dim.atoms())


def conjoin(path: Dim, condition: Dim, unnamed: bool = False) -> Dim:
    """The path with one more condition; kept as it was where that would be of no use.

    A condition that nobody can name is of none, no other value depends on it, unless `unnamed` asks for it. Of one that grows
    too large what can be named is kept, unless that does too.
    """
    if condition == ONE or (not unnamed and condition != ZERO and all(_is_met_once(flag) for flag in condition.flags)):
        return path
    joined = path * condition
    if not _is_simple(joined):
        joined = path * _named(condition)
    return joined if _is_simple(joined) else path


def _is_simple(condition: Dim) -> bool:
    return len(condition.terms) <= MAX_CONDITION_TERMS and not has_opaque(condition)


def is_dropped(path: Dim, condition: Dim, joined: Dim) -> bool:
    """Whether `conjoin` left out a condition that other values may depend on."""
    return joined is path and path * condition != path and not all(_is_met_once(flag) for flag in condition.flags)


def _is_met_once(flag: Symbol) -> bool:
    return isinstance(flag.key, tuple) and flag.key[0] == MET_ONCE


def is_riddle(condition: Dim) -> bool:
    """Whether something in a condition was not understood, such as a comparison of objects."""
    return any(_is_met_once(flag) for flag in condition.flags)


def fresh_flag(name: str, key: Hashable) -> Dim:
    """A condition nobody knows anything about."""
    return Dim.of(Symbol((MET_ONCE, key), name, Kind.FLAG, minimum=0, owner=FRESH))


def truth(value: Value, unknown: Dim) -> Dim:
    """The condition that a value is true; `unknown` where nothing can be said."""
    match value:
        case Bool(dim):
            return dim
        case Int(dim) if dim.constant is None:
            return dim if _is_flag(dim) else positive(dim)
        case Unknown():
            return value.as_condition()
        case OneOf(options):
            total = ZERO
            for condition, item in options:
                total = total + condition * truth(item, unknown)
            return total
        case Repeated():
            return unknown
        case _:
            known = truth_constant(value)
            return unknown if known is None else Dim.of(known)


def _is_flag(dim: Dim) -> bool:
    """Whether the polynomial is 0 or 1 for every value of its flags."""
    return not dim.sizes and dim * dim == dim
