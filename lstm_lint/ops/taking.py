"""What is taken of which axis: indices, slices, ``select``, ``narrow``, ``gather``, and the meaning of the axes that stay."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

from lstm_lint.dims import ONE, ZERO, Dim
from lstm_lint.lineage import (
    COUNTED,
    ENDS,
    FIRST,
    LAST,
    OTHER,
    Axis,
    Factor,
    Lineage,
    Numbers,
    Role,
    Taken,
    end_of,
    fitted,
    other,
    size_of,
)
from lstm_lint.ops.sequence_lengths import numbers_of
from lstm_lint.proofs.conditions import assumed
from lstm_lint.values import Call, EllipsisValue, Int, NoneValue, Repeated, Slice, Tensor, Tuple, Unknown, Value, as_dim

WHOLE = Slice(NoneValue(), NoneValue(), NoneValue())


# -- x[...] ----------------------------------------------------------------------------------------------------------
def _indexed(call: Call, lineage: Lineage, result: Tensor) -> Lineage:
    """``x[...]``: what of which axis is taken."""
    key = call.positional[1]
    items = list(key.items) if isinstance(key, Tuple) and key.kind == "tuple" else [key]
    if lineage.axes is None:
        return lineage.with_axes(None)
    spread = _spread(items, len(lineage.axes))
    if spread is None:
        return lineage.with_axes(None)
    axes: list[Axis | None] = []  # None where an index tensor stands
    taken: list[Taken] = []
    picks: list[tuple[Axis, Value]] = []
    position = 0
    for item in spread:
        if isinstance(item, NoneValue):
            axes.append(())
            continue
        axis = lineage.axes[position]
        position += 1
        if is_pick(item):
            picks.append((axis, item))
            axes.append(None)
            continue
        kept, gone = part_of(axis, item, call)
        taken += gone
        if kept is not None:
            axes.append(kept)
    joint, gone = _picked(picks, lineage, call)
    return _fitted(lineage.taking([*taken, *gone]), _arranged(axes, joint, result), result)


def _fitted(lineage: Lineage, axes: Sequence[Axis] | None, result: Tensor) -> Lineage:
    dims = result.shape.dims
    if axes is None or dims is None or len(dims) != len(axes):
        return lineage.with_axes(None)
    return lineage.with_axes(fitted(axis, size) for axis, size in zip(axes, dims, strict=True))


def spread(items: Sequence[Value], rank: int) -> list[Value] | None:
    """One index for each axis, None among them where one is added; None where index tensors make it something else."""
    found = _spread(items, rank)
    return None if found is None or any(is_pick(item) for item in found) else found


def _spread(items: Sequence[Value], rank: int) -> list[Value] | None:
    """As `spread`, with index tensors too; None where one may be a mask."""
    consumed = sum(not isinstance(item, NoneValue | EllipsisValue) for item in items)
    if consumed > rank or sum(isinstance(item, EllipsisValue) for item in items) > 1:
        return None
    spread: list[Value] = []
    for item in items:
        if isinstance(item, EllipsisValue):
            spread += [WHOLE] * (rank - consumed)
        else:
            spread.append(item)
    if not any(isinstance(item, EllipsisValue) for item in items):
        spread += [WHOLE] * (rank - consumed)
    if any(not isinstance(item, NoneValue | Slice | Int | Unknown) and not is_pick(item) for item in spread):
        return None
    return spread


def is_pick(item: Value) -> bool:
    """Whether it picks several of one axis: a tensor of integers, a list, a range. (A mask may take several axes.)"""
    match item:
        case Tensor(dtype=dtype, numbers=numbers):
            return numbers is not None or dtype in ("int64", "int32")
        case Tuple(items):
            return all(isinstance(one, Int) for one in items)
        case Repeated(one):
            return isinstance(one, Int)
        case _:
            return False


def _picked(picks: Sequence[tuple[Axis, Value]], lineage: Lineage, call: Call) -> tuple[Axis | None, list[Taken]]:
    """What axis index tensors together leave (None: one of unknown meaning), and what they take.

    ``[arange(n), lengths - 1]`` leaves the batch, and takes of each sample its own last step.
    """
    if len(picks) == 1 and (number := _alone(picks[0][1])) is not None:
        return (), part_of(picks[0][0], Int(number), call)[1]
    whole = [axis for axis, item in picks if (numbers := numbers_of(item)) is not None and numbers.kind == COUNTED]
    samples = any(_is_role(axis, Role.BATCH) for axis, _ in picks)
    taken = [
        one
        for axis, item in picks
        if samples and _is_role(axis, Role.TIME)
        for one in _take(axis[0], ENDS if at_ends(numbers_of(item), lineage) else OTHER, call)
    ]
    return whole[0] if len(whole) == 1 else None, taken


def _alone(item: Value) -> Dim | None:
    """The index in a list or tensor of one."""
    match item:
        case Tuple((only,)):
            return as_dim(only)
        case Tensor(shape, filled=filled) if shape.dims in ((), (ONE,)):
            return filled
        case _:
            return None


def _is_role(axis: Axis, role: Role) -> bool:
    return len(axis) == 1 and axis[0].role is role


def at_ends(numbers: Numbers | None, lineage: Lineage) -> bool:
    """Whether they are the last steps of the sequences of which this is the output: by their lengths, or by a mask."""
    return numbers is not None and numbers.kind == ENDS and numbers.of in (None, lineage.lengths)


def _arranged(axes: Sequence[Axis | None], joint: Axis | None, result: Tensor) -> list[Axis] | None:
    """The axes of the result: what index tensors leave stands where they were, or in front if they were apart."""
    places = [i for i, axis in enumerate(axes) if axis is None]
    kept = [axis for axis in axes if axis is not None]
    if not places:
        return kept
    dims = result.shape.dims
    if dims is None:
        return None
    start = places[0] if places[-1] - places[0] + 1 == len(places) else 0
    count = len(dims) - len(kept)
    middle = [joint] if count == 1 and joint is not None else [other(size) for size in dims[start : start + count]]
    return [*kept[:start], *middle, *kept[start:]]


# -- one axis --------------------------------------------------------------------------------------------------------
def part_of(axis: Axis, item: Value, call: Call) -> tuple[Axis | None, list[Taken]]:
    """What an index leaves of an axis (None: nothing), and what it takes."""
    if isinstance(item, Slice):
        return _slice_of(axis, item, call)
    number = as_dim(item)
    whole = size_of(axis)
    if number is None or not axis:
        return None, []
    number = assumed(number, call.given)
    at = end_of(number, whole)
    if len(axis) == 1 and at == OTHER:
        return None, [replace(one, index=_counted(number, axis[0])) for one in _take(axis[0], at, call)]
    if at != OTHER:
        return None, [one for factor in axis for one in _take(factor, at, call)]
    return None, _split_index(axis, number, call)


def _take(factor: Factor, at: str, call: Call) -> list[Taken]:
    """One of a role; nothing of what has none."""
    if factor.role is Role.OTHER:
        return []
    if factor.backwards:
        at = {FIRST: LAST, LAST: FIRST}.get(at, OTHER)
    return [Taken(factor.role, at if factor.whole else OTHER, factor.size, call.place)]


def _counted(number: Dim, factor: Factor) -> Dim | None:
    """An index that is written in the counter of a loop, counted from the first of what the axis means."""
    counts = any(isinstance(symbol.key, tuple) and symbol.key[0] == "loop" for symbol in number.symbols)
    if not counts or not factor.whole:
        return None
    return factor.size - 1 - number if factor.backwards else number


def _split_index(axis: Axis, number: Dim, call: Call) -> list[Taken]:
    """What an index such as -2 of (layer, direction) takes of each: the last layer, forward."""
    inner = axis[-1]
    count, position = inner.size.constant, number.constant
    if count is None or position is None:
        return [one for factor in axis for one in _take(factor, OTHER, call)]
    at = position % count
    taken = _take(inner, FIRST if at == 0 else LAST if at == count - 1 else OTHER, call)
    rest = Dim.of(position // count)
    return [*part_of(axis[:-1], Int(rest), call)[1], *taken]


def _slice_of(axis: Axis, item: Slice, call: Call) -> tuple[Axis, list[Taken]]:
    """What ``start:stop:step`` leaves: one direction of (direction, feature), the last layer of (layer, direction)."""
    start, stop, step = (None if isinstance(part, NoneValue) else as_dim(part) for part in (item.start, item.stop, item.step))
    whole = size_of(axis)
    begin, end = (ZERO if start is None else start), (whole if stop is None else stop)
    begin, end = (dim + whole if (dim.constant or 0) < 0 else dim for dim in (begin, end))
    by_one = step in (None, ONE)
    unknown = any(not isinstance(part, NoneValue) and as_dim(part) is None for part in (item.start, item.stop, item.step))
    if unknown or not axis:
        return _unnamed(axis), []
    if (begin, end) == (ZERO, whole) and by_one:
        return axis, []
    if by_one and end - begin == ONE:
        return (), part_of(axis, Int(begin), call)[1]
    if step == axis[-1].size and end == whole and begin.constant is not None and begin.constant >= 0:
        return axis[:-1], part_of(axis[-1:], Int(begin), call)[1]
    inner = size_of(axis[1:])
    if len(axis) > 1 and by_one and (begin, end) == (ZERO, inner):
        return axis[1:], _take(axis[0], FIRST, call)
    if len(axis) > 1 and by_one and end == whole and begin in (whole - inner, inner * (axis[0].size - ONE)):
        return axis[1:], _take(axis[0], LAST, call)
    if by_one and _is_role(axis, Role.TIME):
        return (replace(axis[0], size=end - begin, whole=False),), []
    return _unnamed(axis), []


def _unnamed(axis: Axis) -> Axis:
    return tuple(replace(factor, role=Role.OTHER) for factor in axis)


# -- the same by name ------------------------------------------------------------------------------------------------
def _axis_at(call: Call, lineage: Lineage) -> int | None:
    """The axis that the call's ``dim`` says, counted from the front; None if it is not known."""
    value = call.argument(1, "dim")
    dim = as_dim(value) if value is not None else None
    rank = len(lineage.axes or ())
    if dim is None or dim.constant is None or not -rank <= dim.constant < rank:
        return None
    return dim.constant % rank


def _with_axis(lineage: Lineage, position: int, kept: Axis | None, taken: Sequence[Taken]) -> Lineage:
    """The lineage with something taken of one axis, and what is left of that."""
    axes = [kept if i == position else axis for i, axis in enumerate(lineage.axes or ())]
    return lineage.taking(taken).with_axes(axis for axis in axes if axis is not None)


def _selected(call: Call, lineage: Lineage, result: Tensor) -> Lineage:
    """``x.select(dim, index)``."""
    position, value = _axis_at(call, lineage), call.argument(2, "index")
    if lineage.axes is None or position is None or value is None:
        return lineage.with_axes(None)
    return _with_axis(lineage, position, None, part_of(lineage.axes[position], value, call)[1])


def _narrowed(call: Call, lineage: Lineage, result: Tensor) -> Lineage:
    """``x.narrow(dim, start, length)``."""
    position = _axis_at(call, lineage)
    start, length = (as_dim(value) if (value := call.argument(i, n)) else None for i, n in ((2, "start"), (3, "length")))
    if lineage.axes is None or position is None or start is None or length is None:
        return lineage.with_axes(None)
    begin = start + size_of(lineage.axes[position]) if (start.constant or 0) < 0 else start
    part = Slice(Int(begin), Int(begin + length), NoneValue())
    return _with_axis(lineage, position, *part_of(lineage.axes[position], part, call))


def _gathered(call: Call, lineage: Lineage, result: Tensor) -> Lineage:
    """``x.gather(dim, index)``: of each sample its own last step, if that is what the index says."""
    position, index = _axis_at(call, lineage), call.argument(2, "index")
    dims = result.shape.dims
    if lineage.axes is None or position is None:
        return lineage.with_axes(None)
    axis = lineage.axes[position]
    ends = _is_role(axis, Role.TIME) and at_ends(numbers_of(index), lineage)
    taken = _take(axis[0], ENDS, call) if ends else []
    size = dims[position] if dims is not None and len(dims) == len(lineage.axes) else None
    axes = [other(size or ONE) if i == position else axis for i, axis in enumerate(lineage.axes)]
    return _fitted(lineage.taking(taken), axes, result)


def _chosen(call: Call, lineage: Lineage, result: Tensor) -> Lineage:
    """``x.index_select(dim, index)``: the other axes stay. torch counts no index from behind here."""
    position, dims, index = _axis_at(call, lineage), result.shape.dims, call.argument(2, "index")
    if lineage.axes is None or position is None or dims is None or len(dims) != len(lineage.axes):
        return lineage.with_axes(None)
    number = _alone(index) if isinstance(index, Tensor) else None
    if number is not None and (number.constant or 0) >= 0:
        return _with_axis(lineage, position, (), part_of(lineage.axes[position], Int(number), call)[1])
    return _with_axis(lineage, position, other(dims[position]), [])


def _flipped(call: Call, lineage: Lineage, result: Tensor) -> Lineage:
    """``x.flip(1)``, ``torch.flip(x, dims=[1])``, ``fliplr``, ``flipud``: these axes are counted from the other end."""
    name, rank = call.name.rpartition(".")[2], len(lineage.axes or ())
    fixed = {"fliplr": (Int(ONE),), "flipud": (Int(ZERO),)}
    named = call.keywords.get("dims")
    given = fixed.get(name, call.positional[1:] if named is None else (named,))
    listed = given[0].items if len(given) == 1 and isinstance(given[0], Tuple) else given
    dims = [dim.constant if (dim := as_dim(value)) is not None else None for value in listed]
    if lineage.axes is None or not dims or any(dim is None or not -rank <= dim < rank for dim in dims):
        return lineage.with_axes(None)
    turned = {dim % rank for dim in dims if dim is not None}
    return lineage.with_axes(
        tuple(replace(factor, backwards=not factor.backwards) for factor in axis) if i in turned else axis
        for i, axis in enumerate(lineage.axes)
    )


TAKES: Mapping[str, Callable[[Call, Lineage, Tensor], Lineage]] = {
    "index": _indexed,
    "select": _selected,
    "narrow": _narrowed,
    "gather": _gathered,
    "take_along_dim": _gathered,
    "index_select": _chosen,
    **dict.fromkeys(("flip", "fliplr", "flipud"), _flipped),
}
