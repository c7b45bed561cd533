"""Builtins that make or measure values: numbers, sequences, iteration."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import replace

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.assign import any_item, counted, iterate, sequence_of
from lstm_lint.interpret.choose import alternatives
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.expressions import new_list, unpacked
from lstm_lint.interpret.operators import it_contents, operate
from lstm_lint.interpret.rounds import counter, item_at
from lstm_lint.ops.arguments import sizes_shape
from lstm_lint.ops.packing import COLUMNS
from lstm_lint.values import (
    NONE,
    Bool,
    Dict,
    Float,
    Int,
    OneOf,
    Repeated,
    Slice,
    Str,
    Tensor,
    Tuple,
    Unknown,
    Value,
    as_dim,
    as_tensor,
    as_text,
)

Builtin = Callable[[Interpreter, Arguments, cst.CSTNode], Value]


def _first(arguments: Arguments) -> Value | None:
    return arguments.positional[0] if arguments.positional else None


def builtin_str(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``str(3)``, a key of a ModuleDict."""
    match _first(arguments):
        case Unknown() as value:
            return it.unknown(node, value.reason, value.kind, ("str of", value.key))
        case Str() as value:
            return value
        case value:
            text = as_text(value) if value is not None else None
            return Str(text) if text is not None else it.unknown(node, "the text of this value is not followed")


# -- numbers ---------------------------------------------------------------------------------------------------------
def builtin_int(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    value = _first(arguments)
    match value:
        case Int() | None:
            return value or Int(ZERO)
        case Bool(dim):
            return Int(dim)
        case Float(value=number) if number is not None:
            return Int(Dim.of(int(number)))
        case Float(ratio=(a, b)) if b != ZERO:
            return Int(a // b)
        case Unknown(ratio=(a, b)) if b != ZERO:
            return Int(a // b)
        case Unknown(default=Float()) | Unknown(default=Str()):
            return it.unknown(node, f"int() of `{value.name}`", value.kind, ("int of", value.key))
        case Unknown():
            return Int(value.as_dim()) if value.dim is not None else value
        case Str(text) if text.strip().lstrip("+-").isdigit():
            return Int(Dim.of(int(text)))
        case OneOf(alternatives):
            return it.branch([(c, lambda v=v: builtin_int(it, Arguments((v,)), node)) for c, v in alternatives])  # type: ignore[misc]
        case _:
            return it.unknown(node, "int() of a value that is not known")


def builtin_float(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    match _first(arguments):
        case Float() as number:
            return number
        case Int(dim) | Bool(dim):
            return Float(None if dim.constant is None else float(dim.constant))
        case _:
            return Float()


def builtin_bool(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    value = _first(arguments)
    return Bool(ZERO) if value is None else Bool(it.truth(value, node))


def extreme(function: Callable[..., Dim]) -> Builtin:
    def run(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
        values = list(arguments.positional)
        if len(values) == 1:
            values = list(unpacked(it, values[0]) or [])
        numbers = [value.value for value in values if isinstance(value, Float) and value.value is not None]
        dims = [as_dim(value) for value in values]
        if values and all(dim is not None for dim in dims):
            return Int(function(*[dim for dim in dims if dim is not None]))
        return Float() if numbers else it.unknown(node, "the largest or smallest of values that are not known")

    return run


def builtin_sum(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    items = unpacked(it, arguments.positional[0]) if arguments.positional else None
    if items is None:
        return _sum_of_many(it, it_contents(it, arguments.positional[0]) if arguments.positional else NONE, node)
    total: Value = arguments.positional[1] if len(arguments.positional) > 1 else Int(ZERO)
    for item in items:
        total = operate(it, "+", total, item, node)
    return total


def _sum_of_many(it: Interpreter, sequence: Value, node: cst.CSTNode) -> Value:
    """The sum of tensors, however many: one and another."""
    if isinstance(sequence, Repeated) and all(isinstance(one, Tensor) for _, one in alternatives(sequence.item)):
        return operate(it, "+", sequence.item, sequence.item, node)
    return it.unknown(node, "the sum of values that are not known")


ROUNDINGS: Mapping[str, Callable[[float], int]] = {"floor": math.floor, "ceil": math.ceil, "round": round}


def rounded(kind: str) -> Builtin:
    def run(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
        value = _first(arguments)
        ratio = value.ratio if isinstance(value, Float | Unknown) else None
        if isinstance(value, Int):
            return value
        if ratio is not None and ratio[1] != ZERO and (kind != "round" or ratio[0].divided_by(ratio[1]) is not None):
            return Int(ratio[0] // ratio[1]) if kind != "ceil" else Int(-(-ratio[0] // ratio[1]))
        if isinstance(value, Float) and value.value is not None:
            return Int(Dim.of(ROUNDINGS[kind](value.value)))
        return it.unknown(node, f"{kind} of a value that is not known")

    return run


# -- sequences -------------------------------------------------------------------------------------------------------
def builtin_len(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    value = it.settled(arguments.positional[0]) if arguments.positional else NONE
    content = it_contents(it, value)
    match content:
        case Tuple(items) | Dict(items, None):
            return Int(Dim.of(len(items)))
        case Repeated(length=length) if length is not None:
            return Int(length)
        case Tensor(shape) if shape.rank != 0:
            return Int(shape.dim(0))
        case Str(text):
            return Int(Dim.of(len(text)))
        case Unknown() as unknown if (sizes := sizes_shape(unknown)) is not None:
            return Int(sizes.rank_dim)
        case Unknown() as unknown:
            return _length_of(it, unknown, node)
        case OneOf(alternatives):
            return it.branch([(c, lambda v=v: builtin_len(it, Arguments((v,)), node)) for c, v in alternatives])  # type: ignore[misc]
        case _:
            return it.unknown(node, "its length is not known")


def _length_of(it: Interpreter, unknown: Unknown, node: cst.CSTNode) -> Value:
    """``len(x)`` is ``x.size(0)`` if it is a tensor, and one symbol in any case."""
    tensor = as_tensor(unknown)
    assert tensor is not None
    return Int(tensor.shape.dim(0))


def builtin_range(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    given = list(arguments.positional)
    zero, one = Int(ZERO), Int(ONE)
    match given:
        case [stop]:
            return counted(it, zero, stop, one, node)
        case [start, stop]:
            return counted(it, start, stop, one, node)
        case [start, stop, step]:
            return counted(it, start, stop, step, node)
        case _:
            return it.unknown(node, "range of what is not known")


def builtin_sequence(kind: str, ordered: bool = True) -> Builtin:
    """``list(x)`` and its kin. Not `ordered`: the items may stand in another order behind it."""

    def run(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
        value = _first(arguments)
        if value is None:
            content: Value = Tuple((), kind)
        elif (items := sequence_of(it, value, None, node)) is not None:
            content = Tuple(tuple(items), kind)
        else:
            source = iterate(it, value, node)
            content = Tuple(source.items, kind) if isinstance(source, Tuple) else replace(source, kind=kind)
        if isinstance(content, Repeated) and not ordered:
            content = replace(content, index=None, pieces=None)
        return new_list(it, content) if kind == "list" else content

    return run


def builtin_enumerate(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    source = iterate(it, arguments.positional[0], node) if arguments.positional else Tuple(())
    start = arguments.positional[1] if len(arguments.positional) > 1 else arguments.keywords.get("start", Int(ZERO))
    first = as_dim(start) or ZERO
    if isinstance(source, Tuple):
        return Tuple(tuple(Tuple((Int(first + i), item)) for i, item in enumerate(source.items)), "list")
    index = source.index or counter(it, "i", source.length)
    return Repeated(Tuple((Int(first + Dim.of(index)), source.item)), source.length, index=index)


def builtin_zip(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    if arguments.spread is not None:
        return _columns(it, arguments.spread, node)
    sources = [iterate(it, value, node) for value in arguments.positional]
    known = [source.items for source in sources if isinstance(source, Tuple)]
    if sources and len(known) == len(sources):
        return Tuple(tuple(Tuple(items) for items in zip(*known, strict=False)), "list")
    if known and not any(isinstance(s, Repeated) and isinstance(s.item, Int) for s in sources):
        rounds = range(min(len(items) for items in known))
        rows = [
            Tuple(tuple(s.items[i] if isinstance(s, Tuple) else item_at(it, s, Dim.of(i)) for s in sources)) for i in rounds
        ]
        return Tuple(tuple(rows), "list")
    lengths = [source.length for source in sources if isinstance(source, Repeated)]
    length = lengths[0] if lengths and all(other == lengths[0] for other in lengths) and not known else None
    index = counter(it, "i", length)
    items = [item_at(it, s, Dim.of(index)) if isinstance(s, Repeated) else any_item(it, s, node) for s in sources]
    return Repeated(Tuple(tuple(items)), length, index=index)


def _columns(it: Interpreter, rows: Value, node: cst.CSTNode) -> Value:
    """``zip(*samples)``: of each sample the first part, of each the second, and so on."""
    match rows:
        case Repeated(Tuple(items), length, index=index):
            return Tuple(tuple(Repeated(item, length, "tuple", index) for item in items), "list")
        case Repeated(Unknown() as row) | (Unknown() as row):
            return it.unknown(node, row.reason, row.kind, (COLUMNS, row.key))
        case _:
            return it.unknown(node, "what is zipped here is not known")


def builtin_slice(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    match arguments.positional:
        case [stop]:
            return Slice(NONE, stop, NONE)
        case [start, stop]:
            return Slice(start, stop, NONE)
        case [start, stop, step]:
            return Slice(start, stop, step)
        case _:
            return it.unknown(node, "a slice of what is not known")


def builtin_reversed(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    source = it_contents(it, arguments.positional[0]) if arguments.positional else NONE
    match source:
        case Tuple(items):
            return Tuple(tuple(reversed(items)), "list")
        case Repeated(length=Dim() as length):
            index = counter(it, "i", length)
            return replace(source, item=item_at(it, source, length - 1 - Dim.of(index)), index=index, pieces=None)
        case _:
            return it.unknown(node, "reversed of what is not known")


def builtin_map(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    if len(arguments.positional) != 2:
        return it.unknown(node, "map over several sequences is not followed")
    function, value = arguments.positional
    source = iterate(it, value, node)

    def applied(item: Value) -> Value:
        return it.apply(function, Arguments((item,)), node)

    if isinstance(source, Tuple):
        return Tuple(tuple(applied(item) for item in source.items), "list")
    return replace(source, item=applied(source.item), pieces=None)


def builtin_next(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    if not arguments.positional:
        return it.unknown(node, "next of nothing")
    source = iterate(it, arguments.positional[0], node)
    if isinstance(source, Repeated):
        return item_at(it, source, ZERO)
    return source.items[0] if source.items else it.unknown(node, "next of what is empty")
