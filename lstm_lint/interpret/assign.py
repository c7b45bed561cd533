"""Assignment targets and iteration: how a value is spread over names, attributes and items."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Kind
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.attributes import fields_of, members_of, setter_of
from lstm_lint.interpret.choose import choose, conjoin
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.names import assign_name
from lstm_lint.interpret.operators import it_contents
from lstm_lint.interpret.pieces import in_rounds, loose
from lstm_lint.interpret.rounds import at, counter, item_at, restarted
from lstm_lint.interpret.store import Frame
from lstm_lint.interpret.uses import is_handled, is_of_a_round, note_leaving, note_use
from lstm_lint.interpret.weights import set_data, set_item, set_on_layer
from lstm_lint.ops.arguments import sizes_shape
from lstm_lint.ops.indexing import index
from lstm_lint.values import (
    Class,
    Dict,
    Int,
    Layer,
    OneOf,
    Packed,
    Ref,
    Repeated,
    Str,
    Tensor,
    Tuple,
    Unknown,
    Value,
    as_dim,
    as_tensor,
)

MAX_UNROLLED = 12


def assign(it: Interpreter, target: cst.CSTNode, value: Value) -> None:
    """Bind `value` to an assignment target."""
    match target:
        case cst.Name(value=name):
            assign_name(it, name, value)
        case cst.Attribute(value=owner, attr=attr):
            note_leaving(it, "keep", it_contents(it, value), target)
            set_attribute(it, it.eval(owner), attr.value, value, target)
        case cst.Subscript():
            _set_item(it, target, value)
        case cst.Tuple(elements=elements) | cst.List(elements=elements):
            _unpack(it, elements, value, target)
        case cst.StarredElement(value=inner):
            assign(it, inner, value)


def set_attribute(it: Interpreter, owner: Value, name: str, value: Value, node: cst.CSTNode) -> None:
    """``owner.name = value`` for instances, for things from outside, and for the weights of layers."""
    if name == "data":
        set_data(it, owner, value, node)
    match owner:
        case Layer():
            set_on_layer(it, owner, name, value, node)
        case Ref(kind="instance") if (setter := setter_of(it, owner, name)) is not None:
            it.apply(setter, Arguments((value,)), node)
        case Ref(number, kind):
            it.write((number, name), value)
            if kind == "sequential":
                it.write((number, "items"), it.unknown(node, "a layer was set as an attribute of this Sequential"))
        case Unknown(key=key, kind=kind):
            if name == "batch_first" and kind is Kind.OPAQUE:  # ``for module in model.modules(): module.batch_first = True``
                it.is_layout_open = True
            it.write((key, name), value)
        case Class(scope=Frame() as frame):
            it.write((frame.number, name), value)
        case OneOf(alternatives):
            for condition, item in alternatives:
                old = it.read((item.number, name)) if isinstance(item, Ref) else None
                set_attribute(it, item, name, value if old is None else choose(condition, value, old), node)


def _set_item(it: Interpreter, target: cst.Subscript, value: Value) -> None:
    if is_of_a_round(value):
        note_leaving(it, "keep", value, target)
    keys = [it.eval(e.slice.value) for e in target.slice if isinstance(e.slice, cst.Index)]
    if len(keys) != 1:
        set_item(it, it.eval(target.value), target, value)
        return
    match target.value, keys[0]:
        case cst.Attribute(value=instance, attr=cst.Name(value="__dict__")), Str(name):
            set_attribute(it, it.eval(instance), name, value, target)
            return
    owner = it.eval(target.value)
    if isinstance(owner, Unknown) and isinstance(keys[0], Str):
        it.write((owner.key, f"[{keys[0].value}]"), value)
    if isinstance(owner, Tensor) and owner.filled is not None:
        assign(it, target.value, replace(owner, filled=None))
    set_item(it, owner, target, value)
    if not isinstance(owner, Ref):
        return
    it.change((owner.number, "items"), lambda content: _with_item(it, content, keys[0], value, target))


def _with_item(it: Interpreter, content: Value, key: Value, value: Value, target: cst.CSTNode) -> Value:
    """The content of a dict or list once ``[key] = value``."""
    match content, key:
        case Dict(items, others), Str(name):
            return Dict({**items, name: value}, others)
        case Dict(items, others), Int(dim) if dim.constant is not None:
            return Dict({**items, dim.constant: value}, others)
        case Dict(items, _), _:
            return Dict(items, it.unknown(target, "a key of this dict is not known"))
        case Tuple(items, kind), Int(dim) if dim.constant is not None and -len(items) <= dim.constant < len(items):
            changed = list(items)
            changed[dim.constant] = value
            return Tuple(tuple(changed), kind)
        case Tuple(items, kind), _:
            return Repeated(it.unknown(target, "an item at an index that is not known was changed"), None, kind)
        case Repeated() as repeated, _:
            return _changed(it, repeated, key, value, target)
        case _:
            return content


def _changed(it: Interpreter, sequence: Repeated, key: Value, value: Value, target: cst.CSTNode) -> Repeated:
    """The sequence once ``sequence[key] = value``: what a loop puts at its own counter is written in the sequence's index."""
    index = sequence.index
    for rounds in it.rounds:
        if key == Int(Dim.of(rounds)):
            index = index or counter(it, rounds.name, sequence.length)
            value = at(it, value, rounds, Dim.of(index))
    return replace(sequence, item=choose(it.flag(target), value, sequence.item, it.place(target)), index=index)


def _unpack(it: Interpreter, elements: Sequence[cst.BaseElement], value: Value, target: cst.CSTNode) -> None:
    starred = next((i for i, e in enumerate(elements) if isinstance(e, cst.StarredElement)), None)
    if starred is None and is_handled(value):
        names = tuple(it.place(element.value).text for element in elements)
        note_use(it, it.call("unpack", target, (value,), {}), value, targets=names)
    parts = _parts(it, value, len(elements), starred, target)
    for element, part in zip(elements, parts, strict=True):
        assign(it, element.value, part)


def _parts(it: Interpreter, value: Value, count: int, starred: int | None, target: cst.CSTNode) -> Sequence[Value]:
    if isinstance(value, OneOf):
        alternatives = _fitting(it, value.alternatives, count) if starred is None else value.alternatives
        columns = [_parts(it, item, count, starred, target) for _, item in alternatives]
        result = list(columns[-1])
        for (condition, _), column in reversed(list(zip(alternatives, columns, strict=True))[:-1]):
            result = [choose(condition, new, old) for new, old in zip(column, result, strict=True)]
        return result
    items = sequence_of(it, value, count if starred is None else None, target)
    if items is None and starred is not None and (parts := _around(it, value, count, starred, target)) is not None:
        return parts
    if items is not None and starred is not None and len(items) >= count - 1:
        behind = count - 1 - starred
        end = len(items) - behind
        return [*items[:starred], Tuple(tuple(items[starred:end]), "list"), *items[end:]]
    if items is not None and starred is None and len(items) == count:
        return items
    if isinstance(value, Unknown):
        return [_part_of(value, i) for i in range(count)]
    lost = "there are not as many values to unpack" if items is not None else "what is unpacked here is not known"
    return [it.unknown(target, lost) for _ in range(count)]


def _around(it: Interpreter, value: Value, count: int, starred: int, target: cst.CSTNode) -> Sequence[Value] | None:
    """``*_, last = x.unbind(1)``: the items at both ends of a sequence whose length is not known."""
    source = iterate(it, value, target) if isinstance(it_contents(it, value), Repeated | Tensor) else None
    if not isinstance(source, Repeated):
        return None
    behind = count - 1 - starred
    last = [None if source.length is None else source.length - back for back in range(behind, 0, -1)]
    head = [item_at(it, source, Dim.of(front)) for front in range(starred)]
    return [*head, Repeated(source.item, None), *(item_at(it, source, index) for index in last)]


def _fitting(it: Interpreter, alternatives: Sequence[tuple[Dim, Value]], count: int) -> Sequence[tuple[Dim, Value]]:
    """Those that can be unpacked into so many names: for the others Python raises, and the path ends."""
    fitting = [(c, v) for c, v in alternatives if not isinstance(v, Tuple) or len(v.items) == count]
    if not fitting or len(fitting) == len(alternatives):
        return alternatives
    it.path = conjoin(it.path, sum((c for c, _ in fitting), ZERO))
    return fitting


def _part_of(value: Unknown, position: int) -> Unknown:
    return Unknown((value.key, "[]", position), f"{value.name}[{position}]", value.reason, value.place, value.kind)


def sequence_of(it: Interpreter, value: Value, count: int | None, node: cst.CSTNode) -> Sequence[Value] | None:
    """The items of a value that is unpacked into `count` names (None: any number); what that teaches about a rank is kept."""
    value = it.settled(value)
    if isinstance(value, Unknown) and count is not None and (sizes := sizes_shape(value)) is not None:
        shape = sizes.with_rank(count)
        it.learn_rank(sizes, count)
        return None if shape is None or shape.dims is None else [Int(dim) for dim in shape.dims]
    match it_contents(it, value):
        case Tuple(items):
            return items
        case Repeated() as repeated if count is not None:
            return [item_at(it, repeated, Dim.of(i)) for i in range(count)]
        case Tensor(shape) as tensor if shape.rank and (count is not None or shape.front[0].constant is not None):
            length = count if count is not None else shape.front[0].constant or 0
            calls = [it.call("index", node, (tensor, Int(Dim.of(i))), {}) for i in range(min(length, 16))]
            return [note_use(it, call, index(tensor, call.positional[1], call)) for call in calls]
        case Packed() as packed:
            return fields_of(it, packed, node)
        case Str(text):
            return [Str(letter) for letter in text]
        case Dict(items, None):
            return [Str(key) if isinstance(key, str) else Int(Dim.of(key)) for key in items]
        case _:
            return None


# -- iteration -------------------------------------------------------------------------------------------------------
def iterate(it: Interpreter, value: Value, node: cst.CSTNode) -> Tuple | Repeated:
    """What a loop over `value` sees: its items if they are few and known, else one that stands for all.

    That one is written in a counter of its own: two loops are never in the same round.
    """
    value = it.settled(value)
    match it_contents(it, value):
        case Tuple(items, kind) as known if len(items) * it.unrolled <= MAX_UNROLLED**2 and len(items) <= MAX_UNROLLED:
            return known
        case Tuple((Int(first), Int(second), *_) as items, "range"):
            return _in_steps(it, first, second - first, Dim.of(len(items)))
        case Tuple(items, kind):
            return Repeated(any_of(it, items, node), Dim.of(len(items)), kind)
        case Class() as cls if members := members_of(it, cls):
            return iterate(it, Tuple(tuple(member for _, member in members)), node)
        case Str(text):
            return iterate(it, Tuple(tuple(Str(letter) for letter in text)), node)
        case Repeated() as repeated:
            name = repeated.index.name if repeated.index is not None else ""
            return in_rounds(it, repeated, node) or restarted(it, repeated, name)
        case Dict(items, None):
            return iterate(it, Tuple(tuple(Str(k) if isinstance(k, str) else Int(Dim.of(k)) for k in items)), node)
        case Tensor(shape) as tensor if shape.front or shape.rest is not None:
            length = shape.front[0] if shape.front else None
            rounds = counter(it, "i", length)
            item = index(tensor, Int(Dim.of(rounds)), it.call("index", node, (tensor,), {}))
            return Repeated(loose(item, tensor), length, index=rounds)
        case Unknown() as unknown:
            length = _length_of(unknown)
            return Repeated(_element_of(it, unknown, node), length, index=None if length is None else counter(it, "i", length))
        case OneOf(alternatives):
            parts = [iterate(it, item, node) for _, item in alternatives]
            if (together := _in_step(it, [condition for condition, _ in alternatives], parts, node)) is not None:
                return together
            found = [item for part in parts for item in (part.items if isinstance(part, Tuple) else (part.item,))]
            return Repeated(any_of(it, tuple(found), node) if found else it.unknown(node, "an item of one of several values"))
        case _:
            return Repeated(it.unknown(node, "the items of this loop are not known"))


def _in_step(
    it: Interpreter, conditions: Sequence[Dim], parts: Sequence[Tuple | Repeated], node: cst.CSTNode
) -> Repeated | None:
    """The items of one of several sequences, each under its condition and written in one counter; None if one has none."""
    if all(isinstance(part, Tuple) for part in parts):
        return None
    parts = [in_rounds(it, part, node) or part if isinstance(part, Tuple) else part for part in parts]
    known = [part for part in parts if isinstance(part, Repeated) and part.index is not None and part.length is not None]
    length = as_dim(OneOf(tuple((c, Int(part.length)) for c, part in zip(conditions, known, strict=False) if part.length)))
    if len(known) != len(parts) or length is None:
        return None
    index = counter(it, "i", length)
    item: Value | None = None
    for condition, part in reversed(list(zip(conditions, known, strict=True))):
        assert part.index is not None
        one = at(it, part.item, part.index, Dim.of(index))
        item = one if item is None else choose(condition, one, item)
    return None if item is None else Repeated(item, length, index=index)


def any_item(it: Interpreter, source: Tuple | Repeated, node: cst.CSTNode) -> Value:
    """One value that stands for every item of what a loop goes over."""
    if isinstance(source, Repeated):
        return source.item
    return any_of(it, source.items, node) if source.items else it.unknown(node, "an item of what is empty")


def any_of(it: Interpreter, items: Sequence[Value], node: cst.CSTNode) -> Value:
    """One value that stands for every item."""
    result = items[-1]
    for item in items[:-1]:
        if isinstance(item, Int) and isinstance(result, Int) and item != result:
            return Int(Dim.of(counter(it, it.place(node).text)))
        result = choose(it.flag(node), item, result, it.place(node))
    return result


def _length_of(unknown: Unknown) -> Dim | None:
    """How many items something from outside has: its length, however often it is asked for."""
    tensor = as_tensor(unknown)
    return None if tensor is None or tensor.shape.rank == 0 else tensor.shape.dim(0)


def _element_of(it: Interpreter, unknown: Unknown, node: cst.CSTNode) -> Value:
    tensor = as_tensor(unknown)
    name = f"an item of {unknown.name}"
    reason = unknown.reason or "what is looped over comes from outside"
    assert tensor is not None
    return Unknown((unknown.key, "item", it.number()), name, reason, unknown.place, unknown.kind)


def counted(it: Interpreter, start: Value, stop: Value, step: Value, node: cst.CSTNode) -> Value:
    """``range(start, stop, step)``: its items if they are known and few, else a counter that many times."""
    dims = [as_dim(part) for part in (start, stop, step)]
    constants = [dim.constant if dim is not None else None for dim in dims]
    if None not in constants and constants[2] != 0:
        numbers = range(constants[0] or 0, constants[1] or 0, constants[2] or 1)
        if len(numbers) <= 64:
            return Tuple(tuple(Int(Dim.of(n)) for n in numbers), "range")
    first, last, by = dims
    if by == -ONE:
        first, last = last, first
    length = last - first if first is not None and last is not None and by in (ONE, -ONE) else None
    if dims[0] is None or by is None or by.constant is None:
        return Repeated(Int(Dim.of(counter(it, "i", length))), length, "range")
    return _in_steps(it, dims[0], by, length)


def _in_steps(it: Interpreter, first: Dim, step: Dim, length: Dim | None) -> Repeated:
    """Numbers at equal distances, written in a counter."""
    rounds = counter(it, "i", length)
    return Repeated(Int(first + step * Dim.of(rounds)), length, "range", rounds)
