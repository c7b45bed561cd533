"""``x[...]``: ints, slices, None, Ellipsis, tensors and lists, as torch reads them; and ``select``, ``narrow``, ``gather``."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

from lstm_lint.dims import ONE, Dim
from lstm_lint.lineage import Lineage, Role
from lstm_lint.ops.arguments import CannotTell, Op, axis, both, constant, integer, required, single, tensor, viewed
from lstm_lint.ops.boundary import guarded
from lstm_lint.ops.dtypes import INTEGERS
from lstm_lint.ops.extents import slice_length
from lstm_lint.ops.literals import literal_dtype, literal_shape
from lstm_lint.ops.sequence_lengths import numbers_of, picked
from lstm_lint.ops.taking import TAKES
from lstm_lint.ops.tracing import traced
from lstm_lint.shapes import Shape, ShapeError, broadcast
from lstm_lint.values import (
    NONE,
    Bool,
    Call,
    EllipsisValue,
    Float,
    Int,
    NoneValue,
    OneOf,
    Repeated,
    Slice,
    Str,
    Tensor,
    Tuple,
    Unknown,
    Value,
    as_dim,
    describe,
)  # fmt: skip


@dataclass(frozen=True)
class Picked:
    """An axis (or, for a mask, several) indexed by a tensor of this shape."""

    shape: Shape
    consumed: int = 1


WHOLE = Slice(NONE, NONE, NONE)
Entry = Dim | Picked | None  # what an item leaves of its axis: a size, an index tensor, or nothing


def index(source: Value, position: Value, call: Call) -> Value:
    """``source[position]`` for a tensor, as a value; unknown with a reason where it cannot be told or torch refuses it."""
    if isinstance(source, Tensor) and source.lineage is not None:
        position = _with_lengths(position, source.lineage)
    call = replace(call, positional=(source, position), keywords={})
    result = _INDEX(call)
    if isinstance(result, Tensor) and isinstance(source, Tensor) and result.lineage is None and source.lineage is not None:
        result = replace(result, lineage=TAKES["index"](call, source.lineage, result))  # of unknown shape
    numbers = picked(position, numbers_of(source))
    return replace(result, numbers=numbers) if numbers is not None and isinstance(result, Tensor) else result


def _with_lengths(position: Value, lineage: Lineage) -> Value:
    """The index, in which what holds the lengths of this very output is a vector of them: one for each sample."""
    if isinstance(position, Tuple) and position.kind == "tuple":
        return replace(position, items=tuple(_with_lengths(item, lineage) for item in position.items))
    numbers, batch = numbers_of(position), lineage.factor(Role.BATCH)
    if batch is None or numbers is None or numbers.of is None or numbers.of != lineage.lengths:
        return position
    if isinstance(position, Unknown) or (isinstance(position, Tensor) and position.shape.rank is None):
        return Tensor(Shape((batch.size,)), "int64", numbers=numbers)
    return position


def _index(call: Call) -> Value:
    """``x[key]``."""
    source = tensor(call)
    position = call.positional[1]
    items = list(position.items) if isinstance(position, Tuple) and position.kind == "tuple" else [position]
    if any(isinstance(item, Bool) for item in items):
        raise CannotTell("indexing with a bool")
    for item in items:
        _check(item)
    return viewed(source, indexed(call, source.shape, items))


_INDEX = guarded(traced(_index, "index"))


def _check(item: Value) -> None:
    """Raises CannotTell for what may be an int as well as a tensor, ShapeError for what is no index."""
    match item:
        case Unknown(default=default) if not isinstance(default, Int):
            raise CannotTell(f"whether {item.name} is an int, a slice or a tensor is not known")
        case Int() | Slice() | NoneValue() | EllipsisValue() | Tensor() | Tuple() | Repeated() | Unknown():
            return
        case OneOf() if as_dim(item) is not None:
            return
        case Str() | Float():
            raise ShapeError(f"{describe(item)} is no index of a tensor")
        case _:
            raise CannotTell(f"indexing with {describe(item)}")


def indexed(call: Call, shape: Shape, items: Sequence[Value]) -> Shape:
    """The shape after indexing. Raises ShapeError and CannotTell."""
    before, after = _around_ellipsis(items)
    count_before, count_after = _consumed(before), _consumed(after)
    if shape.dims is not None:
        missing = len(shape.dims) - count_before - count_after
        if missing < 0:
            raise ShapeError(f"too many indices for tensor of dimension {len(shape.dims)}")
        kept: list[Entry] = list(shape.dims[count_before : count_before + missing])
        entries = [*_entries(call, before, shape.dims), *kept, *_entries(call, after, shape.dims[count_before + missing :])]
        return _arranged(entries)
    if not after:
        before, after = _around_whole_axes(before, len(shape.back))
        count_before, count_after = _consumed(before), _consumed(after)
    opened = shape.opened(count_before, count_after)
    front = [*_entries(call, before, opened.front), *opened.front[count_before:]]
    split = len(opened.back) - count_after
    back = [*opened.back[:split], *_entries(call, after, opened.back[split:])]
    if not any(isinstance(entry, Picked) for entry in (*front, *back)):
        return Shape(tuple(d for d in front if isinstance(d, Dim)), opened.rest, tuple(d for d in back if isinstance(d, Dim)))
    if any(isinstance(entry, Picked) for entry in back):
        raise CannotTell("an index tensor behind axes whose number is not known")
    placed = _arranged(front)
    if placed.rest is not None:
        raise CannotTell("an index tensor of unknown rank")
    return Shape(placed.front, opened.rest, tuple(d for d in back if isinstance(d, Dim)))


def _around_whole_axes(items: Sequence[Value], most: int) -> tuple[Sequence[Value], Sequence[Value]]:
    """The items before and those of the ``:`` at their end, up to so many, which leave the last axes as they are."""
    count = 0
    while count < min(most, len(items)) and items[-count - 1] == WHOLE:
        count += 1
    return items[: len(items) - count], items[len(items) - count :]


def _around_ellipsis(items: Sequence[Value]) -> tuple[Sequence[Value], Sequence[Value]]:
    places = [i for i, item in enumerate(items) if isinstance(item, EllipsisValue)]
    if len(places) > 1:
        raise CannotTell("an index with two ellipses")
    if not places:
        return items, ()
    return items[: places[0]], items[places[0] + 1 :]


def _consumed(items: Sequence[Value]) -> int:
    return sum(_consumed_by(item) for item in items)


def _consumed_by(item: Value) -> int:
    if isinstance(item, NoneValue):
        return 0
    picked = _picked(item)
    return 1 if picked is None else picked.consumed


def _is_mask(dtype: str | None) -> bool:
    if dtype is None:
        raise CannotTell("whether an index tensor holds integers or is a mask is not known")
    return dtype in ("bool", "uint8")


def _picked(item: Value) -> Picked | None:
    """The item as an index tensor; None if it is something else. The size of a mask's result is put in by `_entries`."""
    match item:
        case Tensor(shape, dtype):
            if not _is_mask(dtype):
                if dtype not in INTEGERS:
                    raise ShapeError("tensors used as indices must be long, int, byte or bool tensors")
                return Picked(shape)
            if shape.rank is None:
                raise CannotTell("a mask of unknown rank")
            return Picked(shape, shape.rank)
        case Repeated(Int() | Unknown(), length) if length is not None:
            return Picked(Shape((length,)))
        case Repeated():
            raise CannotTell("indexing with a list of unknown content")
        case Tuple():
            return Picked(Shape())
        case _:
            return None


def _entries(call: Call, items: Sequence[Value], dims: Sequence[Dim]) -> list[Entry]:
    """What the items make of their axes, in order."""
    result: list[Entry] = []
    position = 0
    for item in items:
        if isinstance(item, NoneValue):
            result.append(ONE)
            continue
        entry = _entry(call, item, dims[position:])
        position += _consumed_by(item) if not isinstance(entry, Picked) else entry.consumed
        if entry is not None:
            result.append(entry)
    return result


def _entry(call: Call, item: Value, dims: Sequence[Dim]) -> Entry:
    dim = dims[0] if dims else ONE
    if isinstance(item, Slice):
        return sliced(call, item, dim)
    if (number := as_dim(item)) is not None and not isinstance(item, Tensor | Tuple):
        _check_range(number, dim)
        return None
    if isinstance(item, Tuple):
        shape, dtype = literal_shape(call, item), literal_dtype(item)
        if dtype == "bool":
            if shape.rank == 1 and dim.constant not in (None, len(item.items)):
                raise ShapeError(f"a mask of {len(item.items)} for an axis of {dim.text}")
            return Picked(Shape((call.fresh_dim("mask.sum()", "mask"),)))
        if dtype not in INTEGERS and item.items:
            raise CannotTell("indexing with a list of unknown content")
        for part in item.items:
            if isinstance(part, Int):
                _check_range(part.dim, dim)
        return Picked(shape)
    picked = _picked(item)
    if isinstance(item, Tensor) and _is_mask(item.dtype):
        for a, b in zip(item.shape.front, dims, strict=False):
            if a.constant is not None and b.constant is not None and a != b:
                raise ShapeError(f"The shape of the mask {item.shape.text} does not match the indexed tensor")
        return Picked(Shape((call.fresh_dim("mask.sum()", "mask"),)), item.shape.rank or 0)
    return picked


def _check_range(number: Dim, dim: Dim) -> None:
    i, n = number.constant, dim.constant
    if i is not None and n is not None and not -n <= i < n:
        raise ShapeError(f"index {i} is out of bounds for dimension of size {n}")


def sliced(call: Call, item: Slice, dim: Dim) -> Dim:
    """The size of an axis after ``start:stop:step``; a new unknown where it cannot be told. Raises ShapeError."""
    parts: list[Dim | None] = []
    for value in (item.start, item.stop, item.step):
        if isinstance(value, NoneValue):
            parts.append(None)
            continue
        known = None if isinstance(value, Unknown) and isinstance(value.default, NoneValue) else as_dim(value)
        if known is None:
            return call.fresh_dim("len(slice)", ("slice", item))
        parts.append(known)
    length = slice_length(dim, parts[0], parts[1], parts[2])
    return call.fresh_dim("len(slice)", ("slice", item)) if length is None else length


def _arranged(entries: Sequence[Entry]) -> Shape:
    """The result's shape: index tensors broadcast together and stand where they were, or in front if they were apart."""
    places = [i for i, entry in enumerate(entries) if isinstance(entry, Picked)]
    if not places:
        return Shape(tuple(d for d in entries if isinstance(d, Dim)))
    picked = [entry for entry in entries if isinstance(entry, Picked)]
    together: Shape | None = picked[0].shape
    for entry in picked[1:]:
        together = broadcast(together, entry.shape) if together is not None else None
    if together is None:
        raise CannotTell("how the index tensors broadcast is not known")
    first, last = places[0], places[-1]
    adjacent = last - first + 1 == len(places)
    start = first if adjacent else 0
    others = [d for d in entries if isinstance(d, Dim)]
    if together.rest is None:
        return Shape((*others[:start], *together.front, *others[start:]))
    return Shape((*others[:start], *together.front), together.rest, (*together.back, *others[start:]))


# -- the same by name ------------------------------------------------------------------------------------------------
def select(call: Call) -> Value:
    """``x.select(dim, index)``: one axis less."""
    source = tensor(call)
    where, number = integer(call, 1, "dim"), single(call, 2, "index")
    if source.shape.rank == 0:
        raise ShapeError("select() cannot be applied to a 0-dim tensor.")
    _check_range(number, source.shape.dim(where))
    return viewed(source, source.shape.removed(where))


def narrow(call: Call) -> Value:
    """``x.narrow(dim, start, length)``."""
    source = tensor(call)
    where, start, length = integer(call, 1, "dim"), single(call, 2, "start"), single(call, 3, "length")
    if source.shape.rank == 0:
        raise ShapeError("narrow() cannot be applied to a 0-dim tensor.")
    size = source.shape.dim(where).constant
    first, count = start.constant, length.constant
    if (count is not None and count < 0) or (size is not None and first is not None and not -size <= first <= size):
        raise ShapeError("narrow(): start or length out of range")
    if size is not None and first is not None and count is not None and (first + size if first < 0 else first) + count > size:
        raise ShapeError(f"start ({first}) + length ({count}) exceeds dimension size ({size}).")
    return viewed(source, source.shape.replaced(where, length))


def index_select(call: Call) -> Value:
    """``x.index_select(dim, index)``: the axis takes the index's length."""
    source, where = tensor(call), integer(call, 1, "dim")
    chosen = tensor(call, 2, "index").shape
    axis(source.shape, where)
    if chosen.rank is not None and chosen.rank > 1:
        raise ShapeError("index_select(): Index is supposed to be a vector")
    if source.shape.rank == 0:
        if chosen.rank == 1 and chosen.front[0].constant not in (None, 1):
            raise ShapeError("index_select(): Index to scalar can have only 1 value")
        return source
    return viewed(source, source.shape.replaced(where, ONE if chosen.rank == 0 else chosen.dim(0)))


def gather(call: Call) -> Value:
    """``x.gather(dim, index)``: the index's shape, in as many axes as x."""
    source, where = tensor(call), constant(required(call, 1, "dim"), "dim")
    chosen = tensor(call, 2, "index")
    axis(source.shape, where)
    if source.shape.rank is not None and chosen.shape.rank is not None:
        if max(source.shape.rank, 1) != max(chosen.shape.rank, 1):
            raise ShapeError("Index tensor must have the same number of dimensions as input tensor")
        for i, (a, b) in enumerate(zip(chosen.shape.front, source.shape.front, strict=False)):
            other = i != axis(source.shape, where)
            if other and a.constant is not None and b.constant is not None and a.constant > b.constant:
                raise ShapeError(f"Size does not match at dimension {i}")
    return viewed(source, chosen.shape)


def masked_select(call: Call) -> Value:
    """``x.masked_select(mask)``: one axis of a new size."""
    source, mask = tensor(call), tensor(call, 1, "mask")
    broadcast(source.shape, mask.shape)
    return viewed(source, Shape((call.fresh_dim("mask.sum()", "mask"),)))


def take(call: Call) -> Value:
    """``x.take(index)``: the index's shape."""
    return viewed(tensor(call), tensor(call, 1, "index").shape)


ROWS: dict[str, Op] = {
    **both("select", select),
    **both("narrow", narrow),
    **both("index_select", index_select),
    **both("gather", gather),
    **both("masked_select", masked_select),
    **both("take", take),
}
OTHER_ROWS: dict[str, Op] = {}
