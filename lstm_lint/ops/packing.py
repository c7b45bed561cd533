"""``torch.nn.utils.rnn``: PackedSequence made, padded again and looked into. Source: torch/nn/utils/rnn.py of torch 2.13."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol, where
from lstm_lint.lineage import LENGTHS, Factor, Lineage, Numbers, Role, fitted, other
from lstm_lint.ops.arguments import (
    CannotTell,
    Op,
    condition,
    given,
    lost,
    prefixed,
    required,
    size_item,
    tensor,
    tensor_of,
)
from lstm_lint.ops.boundary import guarded
from lstm_lint.ops.sequence_lengths import numbers_of
from lstm_lint.shapes import Shape, ShapeError
from lstm_lint.values import Call, Int, NoneValue, Packed, Repeated, Str, Tensor, Tuple, Unknown, Value, as_tensor, describe

_RNN = "torch.nn.utils.rnn"


def _batch_first(call: Call, index: int) -> Dim:
    """The condition that batch_first holds. Raises CannotTell."""
    value = call.argument(index, "batch_first")
    known = ZERO if value is None or isinstance(value, NoneValue) else condition(value)
    if known is None:
        raise CannotTell("batch_first is not known")
    return known


def pack_padded_sequence(call: Call) -> Value:
    """``pack_padded_sequence(input, lengths, batch_first, enforce_sorted)``; time is axis 0, or 1 with batch_first."""
    source = tensor(call)
    if source.shape.rank is not None and source.shape.rank < 2:
        raise ShapeError("pack_padded_sequence wants a batch and a time axis")
    lengths = call.argument(1, "lengths")
    first = _batch_first(call, 2)
    batch = where(first, source.shape.dim(0), source.shape.dim(1))
    time = where(first, source.shape.dim(1), source.shape.dim(0))
    counted = _count(lengths)
    if counted is not None and counted.constant is not None and batch.constant is not None and counted != batch:
        raise ShapeError(f"Expected `len(lengths)` to be equal to batch_size, but got {counted.text} (batch_size={batch.text})")
    enforced = call.argument(3, "enforce_sorted")
    in_order = enforced is None or condition(enforced) == ONE
    return Packed(
        batch,
        features_of(source.shape),
        source.dtype,
        source.why,
        call.place,
        time,
        in_order,
        features_alone(source),
        _whose(lengths, call),
        even=batch == ONE or _are_equal(lengths),
    )


def _whose(lengths: Value | None, call: Call) -> Hashable:
    """Which sequences have these lengths; those of this very call, where nothing is known of them."""
    numbers = numbers_of(lengths)
    return numbers.of if numbers is not None and numbers.kind == LENGTHS and numbers.of is not None else call.place


def _are_equal(lengths: Value | None) -> bool:
    """Whether it is one number over and over: ``[n] * batch``."""
    match lengths:
        case Tuple(items):
            return len(set(items)) == 1 and isinstance(items[0], Int)
        case Repeated(Int(dim), index=index):
            return index is None or index not in dim.symbols
        case _:
            return False


def features_alone(source: Tensor) -> Lineage | None:
    """The lineage of what is packed: its axes behind batch and time."""
    lineage = source.lineage
    return None if lineage is None else lineage.with_axes(None if lineage.axes is None else lineage.axes[2:])


def _padded_lineage(packed: Packed, padded: Tensor, first: Dim) -> Lineage | None:
    """Time, batch and features again, in the order that batch_first says."""
    lineage, dims = packed.lineage, padded.shape.dims
    if lineage is None:
        return None
    lineage = replace(lineage, padded=not packed.even, overrun=False, lengths=packed.lengths)
    if lineage.axes is None or dims is None or first.constant is None or len(dims) != 3:
        return lineage.with_axes(None)
    roles = (Role.BATCH, Role.TIME) if first == ONE else (Role.TIME, Role.BATCH)
    front = [(Factor(role, size),) for role, size in zip(roles, dims, strict=False)]
    return replace(lineage.with_axes((*front, fitted(lineage.axes[-1], dims[-1]))), turned=False)


def _count(lengths: Value | None) -> Dim | None:
    match lengths:
        case Tuple(items):
            return Dim.of(len(items))
        case Repeated(length=length):
            return length
        case Tensor(shape) if shape.rank == 1:
            return shape.front[0]
        case _:
            return None


def features_of(shape: Shape) -> tuple[Dim, ...] | None:
    """The axes behind batch and time; where the rank is not known, the last one alone if it is known, as a layer wants it."""
    if shape.dims is not None:
        return shape.dims[2:]
    return shape.back[-1:] or None


def pack_sequence(call: Call) -> Value:
    """Packed of ``pack_sequence([a, b, c])``: tensors of (length, features)."""
    items, count = _sequences(call)
    first = items[0]
    features = first.shape.dims[1:] if first.shape.dims is not None else first.shape.back[-1:] or None
    return Packed(count, features, first.dtype, first.why, call.place)


def _sequences(call: Call) -> tuple[list[Tensor], Dim | None]:
    match required(call, 0, "sequences"):
        case Tuple(()):
            raise ShapeError("received an empty list of sequences")
        case Tuple(items):
            return [tensor_of(item) for item in items], Dim.of(len(items))
        case Repeated(item, length):
            return [tensor_of(item)], length or call.fresh_dim("len(sequences)", "count")
        case Unknown() as source if (listed := as_tensor(source)) is not None:  # a list from outside: as many as its length
            item = Unknown((source.key, "item"), f"an item of {source.name}", source.reason, source.place, source.kind)
            return [tensor_of(item)], listed.shape.dim(0)
        case other:
            raise CannotTell(f"the sequences in {describe(other)} are not known")


def pad_sequence(call: Call) -> Value:
    """``pad_sequence([a, b])``: (T, N, *), or (N, T, *) with batch_first, T being the longest."""
    items, count = _sequences(call)
    lengths = {item.shape.dim(0) for item in items}
    constants = [dim.constant for dim in lengths if dim.constant is not None]
    time = call.fresh_dim("max(lengths)", "time", Kind.RUNTIME)
    if len(constants) == len(lengths) and isinstance(required(call, 0, "sequences"), Tuple):
        time = Dim.of(max(constants))
    if count is None or items[0].shape.rank == 0:
        raise ShapeError("pad_sequence wants tensors of at least one axis")
    first = _batch_first(call, 1)
    rest = items[0].shape.removed(0)
    _check_trailing(items)
    shape = rest.inserted(0, where(first, time, count)).inserted(0, where(first, count, time))
    behind = call.argument(3, "padding_side", Str("right")) == Str("right")
    padded = behind and count != ONE and _may_differ(required(call, 0, "sequences"), items)
    lineage = _laid_out(shape, count, time, first, padded)
    return Tensor(shape, items[0].dtype, items[0].device, place=call.place, why=items[0].why, lineage=lineage)


def _may_differ(sequences: Value, items: list[Tensor]) -> bool:
    """Whether the sequences have lengths of their own. A list from outside may be one tensor, all rows of which are as long."""
    lengths = [item.shape.dim(0) for item in items]
    match sequences:
        case Tuple():
            return len(set(lengths)) > 1
        case Repeated(index=index):
            # what each item was made a tensor of, was none: no row of one
            is_list = items[0].made_by == "torch.tensor"
            return any(symbol == index or _is_own(symbol.key, is_list) for symbol in lengths[0].symbols)
        case Unknown(key=((_, str()), "()", _)):  # the result of a method: x.unfold(0, 10, 1) is a tensor's, as far as is known
            return False
        case _:
            return True


def _is_own(key: Hashable, is_list: bool) -> bool:
    """Whether something is an item's own, by its key: a part of an item from outside that no row of a tensor has, a number.

    `is_list`: the items are no rows of a tensor, so that their lengths are their own as well.
    """
    match key:
        case (((mark, _), "[]", _), "item", *_) if mark == COLUMNS:
            return True
        case (_, "item", *_):
            return is_list
        case ("int", inner):  # items[i][: lengths[i]]
            return _is_own(inner, True)
        case (inner, "[]", _):  # sample["text"], and of (text, label) the text
            return _is_own(inner, True)
        case ((inner, str()), "()", _):  # the result of a method: as long as the item is, as far as is known
            return _is_own(inner, is_list)
        case (inner, str(name)) if name.startswith("."):  # sample.text
            return _is_own(inner, is_list or name[1:] not in OF_TENSORS)
        case ("size", inner, 0) | (inner, str(), *_):
            return _is_own(inner, is_list)
        case _:
            return False


COLUMNS = "columns"
"""First part of the key of an Unknown that is ``zip(*samples)``: (COLUMNS, that of the samples)."""

OF_TENSORS = frozenset({"H", "T", "data", "grad", "imag", "mH", "mT", "real", "values"})
"""Attributes that a row of a tensor, or of a table, has too."""


def _laid_out(shape: Shape, batch: Dim, time: Dim, first: Dim, padded: bool) -> Lineage | None:
    """The layout that ``pad_sequence`` gives to data."""
    if first.constant is None:
        return None
    front = ((Factor(Role.BATCH, batch),), (Factor(Role.TIME, time),))
    ordered = front if first == ONE else front[::-1]
    if shape.dims is None:
        return Lineage(frozenset(), None, padded=padded, front=ordered)
    return Lineage(frozenset(), (*ordered, *(other(size) for size in shape.dims[2:])), padded=padded)


def _check_trailing(items: list[Tensor]) -> None:
    tails = [item.shape.dims[1:] for item in items if item.shape.dims is not None]
    for tail in tails[1:]:
        if len(tail) != len(tails[0]) or any(
            a != b and a.constant not in (None, 1) and b.constant is not None for a, b in zip(tail, tails[0], strict=True)
        ):
            raise ShapeError("pad_sequence: the trailing sizes of all tensors must agree")


def _packed(value: Value) -> Packed:
    match value:
        case Packed():
            return value
        case Unknown():
            return Packed(None, None, why=value)
        case Tensor():
            raise ShapeError("a tensor where a PackedSequence is wanted")
        case _:
            raise CannotTell(f"{describe(value)} where a PackedSequence is wanted")


def pad_packed_sequence(call: Call) -> Value:
    """``(padded, lengths)``: (T, N, *), or (N, T, *) with batch_first; T is the longest length, or total_length."""
    packed = _packed(required(call, 0, "sequence"))
    if packed.lengths is None:
        packed = replace(packed, lengths=call.place)
    total = given(call, 3, "total_length")
    time = call.fresh_dim("max(lengths)", "time", Kind.RUNTIME) if total is None else size_item(call, total, "total_length")
    batch = packed.batch if packed.batch is not None else call.fresh_dim("batch", "batch")
    numbers = Numbers(LENGTHS, packed.lengths)
    lengths = Tensor(Shape((batch,)), "int64", "cpu", place=call.place, numbers=numbers)
    try:
        first = _batch_first(call, 1)
    except CannotTell as problem:
        return Tuple((lost(call, str(problem), packed.dtype), lengths))
    if packed.features is None:
        padded = lost(call, packed.why.reason if packed.why else "the features of the packed data are not known", packed.dtype)
        if packed.batch is not None:
            shape = padded.shape.inserted(0, where(first, time, batch)).inserted(0, where(first, batch, time))
            padded = Tensor(shape, packed.dtype, place=call.place, why=packed.why)
        return Tuple((padded, lengths))
    padded_shape = Shape((where(first, batch, time), where(first, time, batch), *packed.features))
    padded = Tensor(padded_shape, packed.dtype, place=call.place, why=packed.why)
    return Tuple((replace(padded, lineage=_padded_lineage(packed, padded, first)), lengths))


def unpack_sequence(call: Call) -> Value:
    """``unpack_sequence(packed)``: a list of (length, features)."""
    packed = _packed(required(call, 0, "packed_sequences"))
    if packed.features is None:
        raise CannotTell("the features of the packed data are not known")
    item = Tensor(Shape((call.fresh_dim("length", "length"), *packed.features)), packed.dtype, place=call.place)
    return Repeated(item, packed.batch)


def unpad_sequence(call: Call) -> Value:
    """``unpad_sequence(padded, lengths, batch_first)``: a list of (length, features)."""
    source = tensor(call, 0, "padded_sequences")
    features = features_of(source.shape)
    if features is None:
        raise CannotTell("the features are not known")
    batch = where(_batch_first(call, 2), source.shape.dim(0), source.shape.dim(1))
    return Repeated(Tensor(Shape((call.fresh_dim("length", "length"), *features)), source.dtype, place=call.place), batch)


def packed_sequence(call: Call) -> Value:
    """``PackedSequence(data, other.batch_sizes, ...)``: what data holds, for as many sequences as the other has."""
    data = tensor(call, 0, "data")
    features = data.shape.dims[1:] if data.shape.dims is not None else data.shape.back[-1:] or None
    sizes = call.argument(1, "batch_sizes")
    match sizes.shape.front if isinstance(sizes, Tensor) else ():
        case (Dim(terms=(((Symbol(key=(mark, Dim() as batch, _)),), 1),)),) if mark == STEPS:
            return Packed(batch, features, data.dtype, data.why, call.place)
        case _:
            why = call.unknown("how many sequences there are stands in the values of batch_sizes")
            return Packed(None, features, data.dtype, why, call.place)


STEPS = "steps of a PackedSequence"


def invert_permutation(call: Call) -> Value:
    """``invert_permutation(p)``: p's shape, or None for None."""
    value = required(call, 0, "permutation")
    return value if isinstance(value, NoneValue) else tensor(call, 0, "permutation")


def moved(call: Call) -> Value:
    """``packed.to(device)``, ``.cuda()``, ``.cpu()``, ``.pin_memory()``: the same sequences."""
    packed = _packed(call.positional[0])
    return replace(packed, dtype=None, in_order=False)


# -- attributes ------------------------------------------------------------------------------------------------------
def _data(call: Call) -> Value:
    packed = _packed(call.positional[0])
    if packed.features is None:
        return lost(call, packed.why.reason if packed.why else "the features of the packed data are not known", packed.dtype)
    total = call.fresh_dim("sum(lengths)", "data")
    lineage = packed.lineage
    if lineage is not None and lineage.axes is not None:
        lineage = lineage.with_axes((other(total), *lineage.axes[-1:]))
    return Tensor(Shape((total, *packed.features)), packed.dtype, place=call.place, why=packed.why, lineage=lineage)


def _batch_sizes(call: Call) -> Value:
    """One number a step. The size remembers the batch, so that what is packed again by it has that many sequences."""
    packed = _packed(call.positional[0])
    steps = Symbol((STEPS, packed.batch, call.number), "max(lengths)", Kind.OPAQUE)
    return Tensor(Shape((Dim.of(steps),)), "int64", "cpu", place=call.place)


def _order(call: Call) -> Value:
    packed = _packed(call.positional[0])
    if packed.batch is None:
        raise CannotTell("the number of sequences is not known")
    return Tensor(Shape((packed.batch,)), "int64", place=call.place)


# attribute of a PackedSequence -> its value; the Call holds the PackedSequence as its only argument
PACKED_ATTRIBUTES: Mapping[str, Callable[[Call], Value]] = {
    "data": guarded(_data),
    "batch_sizes": guarded(_batch_sizes),
    "sorted_indices": guarded(_order),
    "unsorted_indices": guarded(_order),
}
PACKED_FIELDS = ("data", "batch_sizes", "sorted_indices", "unsorted_indices")  # ``packed[0]`` is data

ROWS: dict[str, Op] = {f"{_RNN}.pad_sequence": pad_sequence}
OTHER_ROWS: dict[str, Op] = {
    f"{_RNN}.pack_padded_sequence": pack_padded_sequence,
    f"{_RNN}.pack_sequence": pack_sequence,
    f"{_RNN}.pad_packed_sequence": pad_packed_sequence,
    f"{_RNN}.unpack_sequence": unpack_sequence,
    f"{_RNN}.unpad_sequence": unpad_sequence,
    f"{_RNN}.invert_permutation": invert_permutation,
    f"{_RNN}.PackedSequence": packed_sequence,
    **prefixed("to cuda cpu float double half long int pin_memory", moved, f"{_RNN}.PackedSequence"),
}
