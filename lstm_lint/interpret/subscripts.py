"""``base[key]`` of every kind of value."""

from __future__ import annotations

from collections.abc import Sequence

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim
from lstm_lint.interpret.attributes import fields_of
from lstm_lint.interpret.choose import MAX_EXPANDED, choose, conjoin, expand
from lstm_lint.interpret.conditions import equality
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.operators import here, it_contents
from lstm_lint.interpret.pieces import is_traced, piece
from lstm_lint.interpret.rounds import counter, item_at
from lstm_lint.interpret.uses import note_leaving, note_use
from lstm_lint.keywords import entry_of
from lstm_lint.ops.arguments import sizes_shape
from lstm_lint.ops.boundary import by_flags
from lstm_lint.ops.indexing import index
from lstm_lint.ops.loading import SAMPLE
from lstm_lint.shapes import Shape
from lstm_lint.values import (
    NONE,
    Bool,
    Dict,
    EllipsisValue,
    External,
    Int,
    Layer,
    OneOf,
    Packed,
    Pieces,
    Repeated,
    Slice,
    Str,
    Tensor,
    Tuple,
    Unknown,
    Value,
    as_dim,
    as_tensor,
)


def dict_key(value: Value) -> str | int | None:
    match value:
        case Str(text):
            return text
        case Int(dim) | Bool(dim):
            return dim.constant
        case External(name):
            return name
        case _:
            return None


def eval_subscript(it: Interpreter, node: cst.Subscript) -> Value:
    base = it.eval(node.value)
    key = subscript_key(it, node)
    bases = base.alternatives if isinstance(base, OneOf) else ((ONE, base),)
    keys = _keys_apart(it, key) if isinstance(base, Tensor) else by_flags(key)
    if len(bases) == len(keys) == 1:
        return item_of(it, base, key, node)
    arms = [(b * k, lambda v=v, i=i: item_of(it, v, i, node)) for b, v in bases for k, i in keys]
    return it.options(node, arms)


def _keys_apart(it: Interpreter, key: Value) -> Sequence[tuple[Dim, Value]]:
    """What a tensor is indexed by, alternatives of tensors and lists one by one; those of numbers are a number."""
    parts = key.items if isinstance(key, Tuple) and key.kind == "tuple" else (key,)
    if not any(isinstance(part, OneOf) and as_dim(part) is None for part in parts):
        return [(ONE, key)]
    apart = list(expand(key, it.path))
    return apart if 0 < len(apart) <= MAX_EXPANDED else [(ONE, key)]


def subscript_key(it: Interpreter, node: cst.Subscript) -> Value:
    """What stands in the brackets: one index, or a tuple of them."""
    parts = [_index(it, element.slice) for element in node.slice]
    trailing_comma = len(parts) == 1 and isinstance(node.slice[0].comma, cst.Comma)
    return parts[0] if len(parts) == 1 and not trailing_comma else Tuple(tuple(parts))


def _index(it: Interpreter, node: cst.BaseSlice) -> Value:
    if isinstance(node, cst.Slice):
        bounds = [NONE if part is None else it.eval(part) for part in (node.lower, node.upper, node.step)]
        return Slice(*bounds)
    assert isinstance(node, cst.Index)
    return it.eval(node.value)


def item_of(it: Interpreter, base: Value, key: Value, node: cst.CSTNode) -> Value:
    """``base[key]``."""
    base, key = it.settled(base), it.settled(key)
    content = it_contents(it, base)
    if isinstance(content, Tuple | Repeated) and content.pieces is not None and isinstance(key, Slice):
        note_leaving(it, "pass", content.pieces.source, node)  # what becomes of several pieces is not followed
    if isinstance(content, Unknown) and (shape := sizes_shape(content)) is not None:
        return _size_item(it, shape, key, node)
    match content:
        case Tensor():
            key = here(it, key)
            call = it.call("index", node, (content, key), {})
            return note_use(it, call, index(content, key, call))
        case Tuple(pieces=Pieces() as pieces) | Repeated(pieces=Pieces() as pieces) if is_traced(content, pieces, key):
            return piece(it, content, pieces, key, node)
        case Tuple():
            item = _sequence_item(it, content, key, node)
            return item if content.given_by is None else note_use(it, it.call("index", node, (content, key), {}), item)
        case Repeated() if not isinstance(key, Slice):
            return item_at(it, content, as_dim(key))
        case Repeated(kind="dataset"):
            return it.unknown(node, "several samples of a data set at once are not followed")
        case Repeated():
            return _slice_of(it, content, key)
        case Dict():
            return _dict_item(it, content, key, node)
        case Packed():
            return _sequence_item(it, Tuple(fields_of(it, content, node)), key, node)
        case Layer():
            return it.unknown(node, "indexing a module is not followed")
        case Unknown():
            return _unknown_item(it, content, key, node)
        case _:
            return it.unknown(node, "indexing this value is not followed")


def _slice_of(it: Interpreter, sequence: Repeated, key: Value) -> Repeated:
    """``layers[1:]``; any other slice holds some of the items."""
    match key:
        case Slice(Int(start), stop, step) if (start.constant or -1) >= 0 and (stop, step) == (NONE, NONE):
            index = counter(it, "i")
            length = None if sequence.length is None else sequence.length - start
            return Repeated(item_at(it, sequence, start + Dim.of(index)), length, sequence.kind, index)
        case _:
            return Repeated(sequence.item, None, sequence.kind)


def _size_item(it: Interpreter, shape: Shape, key: Value, node: cst.CSTNode) -> Value:
    """``x.shape[i]`` and ``x.shape[:2]`` of a tensor of unknown rank."""
    match key:
        case Int(dim) if dim.constant is not None:
            return Int(shape.dim(dim.constant))
        case Slice(start, stop, step) if step == NONE:
            first = as_dim(start) if start != NONE else ZERO
            last = as_dim(stop) if stop != NONE else None
            if first is not None and last is not None and None not in (first.constant, last.constant):
                positions = range(first.constant or 0, last.constant or 0)
                if positions.start >= 0 and positions.stop >= 0:
                    return Tuple(tuple(Int(shape.dim(i)) for i in positions), "size")
    return it.unknown(node, "a size of a tensor of unknown rank")


def _sequence_item(it: Interpreter, sequence: Tuple, key: Value, node: cst.CSTNode) -> Value:
    match key:
        case Int(dim) if dim.constant is not None:
            if -len(sequence.items) <= dim.constant < len(sequence.items):
                return sequence.items[dim.constant]
            return it.unknown(node, f"there is no item {dim.constant} in a {sequence.kind} of {len(sequence.items)}")
        case Slice(start, stop, step):
            bounds = [None if part == NONE else _constant(part) for part in (start, stop, step)]
            given = [part != NONE for part in (start, stop, step)]
            if any(g and b is None for g, b in zip(given, bounds, strict=True)) or bounds[2] == 0:
                return Repeated(_common(it, sequence, node), None, sequence.kind)
            return Tuple(sequence.items[slice(*bounds)], sequence.kind)
        case _:
            return _common(it, sequence, node)


def _common(it: Interpreter, sequence: Tuple, node: cst.CSTNode) -> Value:
    """An item at an index that is not known: the one that all items are, if they are equal."""
    if sequence.items and all(item == sequence.items[0] for item in sequence.items):
        return sequence.items[0]
    return it.unknown(node, "the index is not known")


def _constant(value: Value) -> int | None:
    dim = as_dim(value)
    return dim.constant if dim is not None else None


def _dict_item(it: Interpreter, content: Dict, key: Value, node: cst.CSTNode) -> Value:
    name = dict_key(key)
    if name is not None and name in content.items:
        return content.items[name]
    if content.items and content.others is None and isinstance(key, Unknown):
        return _looked_up(it, content, key, node)
    if content.others is not None and name is not None:
        return field_of(content.others, name, it, node)
    return it.unknown(node, "this key is not in the dict" if name is not None else "the key is not known")


def _looked_up(it: Interpreter, content: Dict, key: Unknown, node: cst.CSTNode) -> Value:
    """``KINDS[kind]``: each value under the condition that the key is its own. It is one of them, or the path ends here."""
    first, *others = content.items.values()
    if all(value == first for value in others):
        return first
    found: Value | None = None
    some = ZERO
    for name, value in content.items.items():
        condition = equality(it, key, Str(name) if isinstance(name, str) else Int(Dim.of(name)), node)
        found = value if found is None else choose(condition, value, found, it.place(node))
        some = some + condition * (ONE - some)
    it.path = conjoin(it.path, some)
    return found if found is not None else it.unknown(node, "the key is not known")


def field_of(owner: Unknown, name: str | int, it: Interpreter, node: cst.CSTNode) -> Unknown:
    """``owner["name"]`` of something from outside: one unknown however often it is asked."""
    found = entry_of(owner, name)
    return found if isinstance(found, Unknown) else it.unknown(node, f"{name!r} was taken out of {owner.name}")


def _unknown_item(it: Interpreter, base: Unknown, key: Value, node: cst.CSTNode) -> Value:
    name = dict_key(key)
    if isinstance(key, Str):
        stored = it.read((base.key, f"[{key.value}]"))
        return stored if stored is not None else field_of(base, key.value, it, node)
    if name is not None:
        return field_of(base, name, it, node)
    if isinstance(key, Slice | Tuple | EllipsisValue) or key == NONE:
        if isinstance(key, Tuple) and any(isinstance(item, Slice | EllipsisValue) for item in key.items):
            it.learn_tensor(base)
        tensor = as_tensor(it.settled(base))
        return base if tensor is None else index(tensor, key, it.call("index", node, (tensor, key), {}))
    match key:
        case Unknown(key=(mark, number)) if mark == SAMPLE:
            return Unknown((base.key, "item", number), f"an item of {base.name}", base.reason, base.place, base.kind)
    return it.unknown(node, base.reason)
