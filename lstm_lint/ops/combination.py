"""Tensors joined and taken apart: ``stack``, ``cat``, ``split``, ``chunk``, ``unbind``, ``pad``, ``meshgrid``."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lstm_lint.dims import ONE, Dim, Kind, Symbol
from lstm_lint.ops.arguments import (
    CannotTell,
    Op,
    axis,
    both,
    constant,
    integer,
    prefixed,
    required,
    size_item,
    tensor,
    tensor_of,
    viewed,
)  # fmt: skip
from lstm_lint.ops.boundary import joined
from lstm_lint.ops.dtypes import common_dtype
from lstm_lint.ops.extents import ceil_division
from lstm_lint.proofs.wording import FRESH, MET_ONCE
from lstm_lint.shapes import Rest, Shape, ShapeError
from lstm_lint.values import Call, Int, NoneValue, OneOf, Pieces, Repeated, Tensor, Tuple, Unknown, Value, as_dim


def sequence(call: Call, name: str = "tensors") -> tuple[list[Tensor], Dim | None]:
    """The tensors of the first argument, and how many there are if they are all like the one that is returned.

    Raises:
        ShapeError: it holds no tensors, or none at all. CannotTell: what it holds is not known.
    """
    match required(call, 0, name):
        case Tuple(()):
            raise ShapeError("expected a non-empty list of Tensors")
        case Tuple(items):
            return [tensor_of(item) for item in items], None
        case Repeated(item, length):
            return [tensor_of(item)], length or call.fresh_dim("len", "length")
        case Tensor() as whole:  # iterating over a tensor gives the slices along its first axis
            return [viewed(whole, whole.shape.removed(0))], whole.shape.dim(0)
        case Unknown(name=name):
            raise CannotTell(f"the tensors in {name} are not known")
        case _:
            raise ShapeError("expected a list of Tensors")


def unified(shapes: Sequence[Shape], skipped: int | None = None) -> Shape:
    """The shape that all of them have (torch insists), but for one axis: known sizes win over unknown ones.

    Those that a shape spells out win over those of an axis that only the others' rank tells of.

    Raises:
        ShapeError: two of them cannot be the same.
    """
    ranks = {shape.rank for shape in shapes if shape.rank is not None}
    if len(ranks) > 1:
        raise ShapeError("Tensors must have same number of dimensions")
    if not ranks:
        return max(shapes, key=lambda shape: shape.minimum_rank)
    (rank,) = ranks
    opened = [shape.with_rank(rank) for shape in shapes]
    if any(shape is None for shape in opened):
        raise ShapeError("Tensors must have same number of dimensions")
    known = [shape.front for shape in opened if shape is not None]
    columns = []
    for i, column in enumerate(zip(*known, strict=True)):
        spelt = [dim for dim, shape in zip(column, shapes, strict=True) if _spells(shape, i, rank)]
        columns.append(column if i == skipped else (*spelt, *column))
    return Shape(tuple(_one_size(column, i == skipped) for i, column in enumerate(columns)))


def _spells(shape: Shape, position: int, rank: int) -> bool:
    """Whether an axis is among those that the shape gives a size for, not in its unknown middle."""
    return shape.rank is not None or position < len(shape.front) or position >= rank - len(shape.back)


def _one_size(dims: Sequence[Dim], may_differ: bool) -> Dim:
    constants = {dim for dim in dims if dim.constant is not None}
    if may_differ:
        return dims[0]
    if len(constants) > 1:
        raise ShapeError(f"Sizes of tensors must match: {' and '.join(sorted(d.text for d in constants))}")
    return constants.pop() if constants else dims[0]


def _joined(call: Call, tensors: Sequence[Tensor], shape: Shape) -> Tensor:
    devices = {tensor.device for tensor in tensors}
    makers = {tensor.made_by for tensor in tensors}
    why = next((tensor.why for tensor in tensors if tensor.why is not None), None)
    return Tensor(
        shape,
        common_dtype(tensors),
        devices.pop() if len(devices) == 1 else None,
        makers.pop() if len(makers) == 1 else None,
        call.place,
        why,
    )


def stack(call: Call) -> Value:
    """``torch.stack(tensors, dim)``: a new axis as long as the list, ``(len, *shape)`` with dim 0.

    Where each item is one of several it has the shape of one of them: torch insists that they are all alike.
    """
    match required(call, 0, "tensors"):
        case Repeated(item=OneOf(options)) as several:
            return joined(call, list(_like_each(call, several, [option for _, option in options])))
        case _:
            return _stacked(call)


def _like_each(call: Call, several: Repeated, options: Sequence[Value]) -> Iterator[tuple[Dim, Value]]:
    """What ``stack`` gives where all items are like one of the options, for each; nobody can say which."""
    rest = ONE
    for number, option in enumerate(options):
        flag = Symbol((MET_ONCE, (call.number, number)), call.place.text, Kind.FLAG, minimum=0, owner=FRESH)
        here = rest * Dim.of(flag) if number < len(options) - 1 else rest
        rest = rest - here
        named = {**call.keywords} if call.positional else {**call.keywords, "tensors": replace(several, item=option)}
        positional = (replace(several, item=option), *call.positional[1:]) if call.positional else ()
        yield here, _stacked(replace(call, positional=positional, keywords=named))


def _stacked(call: Call) -> Tensor:
    tensors, length = sequence(call)
    shape = unified([tensor.shape for tensor in tensors])
    return _joined(call, tensors, shape.inserted(integer(call, 1, "dim", 0), length or Dim.of(len(tensors))))


def cat(call: Call) -> Value:
    """``torch.cat(tensors, dim)``: the sizes along one axis add up, the others agree."""
    tensors, length = sequence(call)
    value = call.argument(1, "dim") or Int(Dim.of(0))
    dim, shapes = constant(value, "dim"), [tensor.shape for tensor in tensors]
    longest = max(shapes, key=lambda shape: len(shape.back))
    if all(shape.rank is None for shape in shapes) and longest.back and dim >= len(longest.front):
        tail = Rest(("call", call.number, "tail"), call.place.text or "cat")  # this axis may be one of those at the end
        return _joined(call, tensors, Shape(tuple(longest.dim(i) for i in range(dim)), tail))
    return _joined(call, tensors, catenated(tensors, dim, length))


def catenated(tensors: Sequence[Tensor], dim: int, length: Dim | None) -> Shape:
    """The shape after ``cat``; `length` counts the list if it holds one tensor over and over. Raises ShapeError."""
    shapes = [tensor.shape for tensor in tensors]
    if any(shape.rank == 0 for shape in shapes):
        raise ShapeError("zero-dimensional tensor cannot be concatenated")
    kept = [shape for shape in shapes if shape != Shape.of(0)]  # torch skips tensors of shape (0,), whatever the axis
    if not kept:
        return Shape.of(0)
    ranks = {shape.rank for shape in kept if shape.rank is not None}
    opened = kept
    if ranks:
        rank = ranks.pop()
        opened = [shape.with_rank(rank) or shape for shape in kept]
        dim = axis(next(shape for shape in opened if shape.rank is not None), dim)
    shape = unified(kept, dim)
    total = opened[0].dim(dim) * length if length is not None else sum((s.dim(dim) for s in opened[1:]), opened[0].dim(dim))
    return shape.replaced(dim, total)


def stacked_along(call: Call) -> Value:
    """``hstack``, ``vstack``, ``dstack``: cat along the axis that NumPy would take."""
    tensors, length = sequence(call)
    ranks = [tensor.shape.rank for tensor in tensors]
    if any(rank is None for rank in ranks):
        raise CannotTell("the number of axes is not known")
    wanted, dim = {"hstack": (1, 1), "vstack": (2, 0), "row_stack": (2, 0), "dstack": (3, 2)}[call.name.rpartition(".")[2]]
    widened = [replace(tensor, shape=_at_least(tensor.shape, wanted)) for tensor in tensors]
    if dim == 1 and widened[0].shape.rank == 1:
        dim = 0
    return _joined(call, widened, catenated(widened, dim, length))


def _at_least(shape: Shape, wanted: int) -> Shape:
    dims = shape.front
    while len(dims) < min(wanted, 2):
        dims = (ONE, *dims)
    return Shape((*dims, ONE) if len(dims) < wanted else dims)


# -- taking apart ----------------------------------------------------------------------------------------------------
def _pieces(source: Tensor, dim: int, sizes: Sequence[Dim]) -> Tuple:
    pieces = Pieces(source, dim, tuple(sizes)) if sizes else None
    return Tuple(tuple(viewed(source, source.shape.replaced(dim, size)) for size in sizes), pieces=pieces)


def _splittable(call: Call) -> tuple[Tensor, int, Dim]:
    source, dim = tensor(call), integer(call, 2, "dim", 0)
    if source.shape.rank == 0:
        raise ShapeError("expects at least a 1-dimensional tensor")
    return source, dim, source.shape.dim(dim)


def split(call: Call) -> Value:
    """``x.split(size, dim)``, ``x.split([a, b], dim)``: pieces along one axis; the last may be shorter."""
    source, dim, total = _splittable(call)
    name = "split_size_or_sections" if call.name == "torch.split" else "split_size"
    value = required(call, 1, name)
    if isinstance(value, Tuple):
        sizes = [size_item(call, item) for item in value.items]
        whole = sum(sizes, Dim.of(0))
        if any((size.constant or 0) < 0 for size in sizes):
            raise ShapeError("split_with_sizes expects split_sizes have only non-negative entries")
        if whole.constant is not None and total.constant is not None and whole != total:
            raise ShapeError(f"split_with_sizes expects split_sizes to sum exactly to {total.text}")
        return _pieces(source, dim, sizes)
    if isinstance(value, Repeated) or (isinstance(value, Unknown) and not isinstance(value.default, Int)):
        raise CannotTell("how the tensor is split is not known")
    each = size_item(call, value)
    count = total.divided_by(each) if each.terms else None
    if count is not None and count.constant is not None and count.constant > 0:
        return _pieces(source, dim, [each] * count.constant)
    if total.constant is not None and each.constant is not None:
        if each.constant < 1:
            raise ShapeError("split expects split_size be positive")
        full, rest = divmod(total.constant, each.constant)
        return _pieces(source, dim, [each] * full + ([Dim.of(rest)] if rest else []))
    size = each if count is not None else call.fresh_dim("len(piece)", "piece")
    pieces = Pieces(source, dim, (size,)) if count is not None else None
    return Repeated(viewed(source, source.shape.replaced(dim, size)), count, "tuple", pieces=pieces)


def chunk(call: Call) -> Value:
    """``x.chunk(n, dim)``: at most n pieces, all of the same size but the last."""
    source, dim, total = _splittable(call)
    count = as_dim(required(call, 1, "chunks"))
    size = total.divided_by(count) if count is not None and count.constant is None else None
    if size is not None:
        return Repeated(viewed(source, source.shape.replaced(dim, size)), count, "tuple", pieces=Pieces(source, dim, (size,)))
    number = integer(call, 1, "chunks")
    if number < 1:
        raise ShapeError(f"chunk expects `chunks` to be greater than 0, got: {number}")
    exact = total.divided_by(Dim.of(number))
    if exact is not None and total.terms:
        return _pieces(source, dim, [exact] * number)
    if total.constant is not None:
        each = max(-(-total.constant // number), 1)
        full, rest = divmod(total.constant, each)
        return _pieces(source, dim, [Dim.of(each)] * full + ([Dim.of(rest)] if rest or not full else []))
    first = ceil_division(total, number)  # the pieces before the last; fewer than n only where n is near the size
    return _pieces(source, dim, [first, *(call.fresh_dim("len(chunk)", i) for i in range(1, number))])


def tensor_split(call: Call) -> Value:
    """``x.tensor_split(n, dim)``: exactly n pieces, the first ones longer by one."""
    source, dim, total = _splittable(call)
    value = call.argument(1, "indices_or_sections") or call.keywords.get("sections") or call.keywords.get("indices")
    if not isinstance(value, Int) or (number := value.dim.constant) is None:
        raise CannotTell("where the tensor is split is not known")
    if number < 1:
        raise ShapeError("number of sections must be larger than 0")
    exact = total.divided_by(Dim.of(number))
    if exact is not None:
        return _pieces(source, dim, [exact] * number)
    if total.constant is not None:
        each, longer = divmod(total.constant, number)
        return _pieces(source, dim, [Dim.of(each + (i < longer)) for i in range(number)])
    return _pieces(source, dim, [call.fresh_dim("len(piece)", i) for i in range(number)])


def unbind(call: Call) -> Value:
    """``x.unbind(dim)``: the slices along an axis, without it."""
    source, dim = tensor(call), integer(call, 1, "dim", 0)
    if source.shape.rank == 0:
        raise ShapeError("Dimension specified as 0 but tensor has no dimensions")
    total = source.shape.dim(dim)
    item = viewed(source, source.shape.removed(dim))
    if total.constant is not None and total.constant <= 64:
        return Tuple((item,) * total.constant, pieces=Pieces(source, dim))
    return Repeated(item, total, "tuple", pieces=Pieces(source, dim))


def meshgrid(call: Call) -> Value:
    """``torch.meshgrid(a, b)``: each as long as all together; ``indexing='xy'`` swaps the first two axes."""
    given = call.positional
    if len(given) == 1 and isinstance(given[0], Tuple):
        given = given[0].items
    tensors = [tensor_of(value) for value in given]
    if "indexing" in call.keywords and not isinstance(call.keywords["indexing"], NoneValue):
        raise CannotTell("meshgrid with an indexing mode")
    if any(tensor.shape.rank is None for tensor in tensors):
        raise CannotTell("the number of axes is not known")
    if any((tensor.shape.rank or 0) > 1 for tensor in tensors):
        raise ShapeError("torch.meshgrid: Expected 0D or 1D tensor in the tensor list")
    shape = Shape(tuple(ONE if not tensor.shape.front else tensor.shape.front[0] for tensor in tensors))
    return Tuple(tuple(viewed(tensor, shape) for tensor in tensors))


def pad(call: Call) -> Value:
    """``F.pad(x, (left, right, top, bottom))``: pairs from the last axis backwards."""
    source = tensor(call)
    amounts = required(call, 1, "pad")
    if not isinstance(amounts, Tuple):
        raise CannotTell("how much is padded is not known")
    sizes = [as_dim(item) for item in amounts.items]
    if len(sizes) % 2:
        raise ShapeError("Padding length must be divisible by 2")
    if source.shape.rank is not None and len(sizes) > 2 * source.shape.rank:
        raise ShapeError("Padding length too large")
    shape = source.shape
    for pair in range(len(sizes) // 2):
        before, after = sizes[2 * pair], sizes[2 * pair + 1]
        if before is None or after is None:
            raise CannotTell("how much is padded is not known")
        length = shape.dim(-1 - pair) + before + after
        if length.constant is not None and length.constant < 0:
            raise ShapeError("padding makes a size negative")
        shape = shape.replaced(-1 - pair, length)
    return replace(viewed(source, shape), made_by=None)


ROWS: dict[str, Op] = {
    "torch.stack": stack,
    **prefixed("cat concat concatenate", cat, "torch"),
    **prefixed("hstack vstack row_stack dstack", stacked_along, "torch"),
    "torch.nn.functional.pad": pad,
}
OTHER_ROWS: dict[str, Op] = {
    **both("split", split),
    **both("chunk", chunk),
    **both("tensor_split", tensor_split),
    **both("unbind", unbind),
    "torch.meshgrid": meshgrid,
}
