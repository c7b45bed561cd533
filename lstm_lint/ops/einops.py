"""einops: ``rearrange``, ``repeat``, ``reduce`` by their patterns, ``'b t (d h) -> b t d h'``. Source: its documentation."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from lstm_lint.dims import ONE, Dim, product
from lstm_lint.ops.arguments import CannotTell, Op, computed, prefixed, required, size_item, tensor, viewed
from lstm_lint.ops.extents import quotient
from lstm_lint.ops.layers import LayerRow
from lstm_lint.shapes import Shape, ShapeError
from lstm_lint.values import Call, Str, Tensor, Tuple, Value

Axis = tuple[str, ...]  # the names in one axis: ``(d h)`` is ("d", "h"), ``1`` or ``()`` is ()
ELLIPSIS = "..."


def parse(side: str) -> list[Axis]:
    """One side of a pattern as its axes. Raises ShapeError for what einops refuses."""
    axes: list[Axis] = []
    group: list[str] | None = None
    for token in re.findall(r"\.\.\.|[()]|[A-Za-z_]\w*|\d+|\S", side.replace("…", ELLIPSIS)):
        if token == "(":
            if group is not None:
                raise ShapeError("einops: nested parentheses")
            group = []
        elif token == ")":
            if group is None:
                raise ShapeError("einops: unbalanced parentheses")
            axes.append(tuple(group))
            group = None
        elif not (token.isalnum() or token == ELLIPSIS or token.replace("_", "").isalnum()):
            raise ShapeError(f"einops: {token!r} in a pattern")
        else:
            names = () if token == "1" else (token,)
            axes.append(names) if group is None else group.extend(names)
    if group is not None:
        raise ShapeError("einops: unbalanced parentheses")
    return axes


def _sides(call: Call, value: Value) -> tuple[list[Axis], list[Axis]]:
    if not isinstance(value, Str):
        raise CannotTell("the pattern of einops is not known")
    left, arrow, right = value.value.partition("->")
    if not arrow:
        raise ShapeError("einops: a pattern needs '->'")
    return parse(left), parse(right)


def _operand(call: Call) -> Tensor:
    """The tensor; a list of tensors is one with a new first axis."""
    value = required(call, 0, "tensor")
    if not isinstance(value, Tuple):
        return tensor(call, 0, "tensor")
    if not value.items or not isinstance(value.items[0], Tensor):
        raise CannotTell("the list of tensors is not known")
    if any(item != value.items[0] for item in value.items):
        raise CannotTell("a list of different tensors")
    return viewed(value.items[0], value.items[0].shape.inserted(0, Dim.of(len(value.items))))


def named_sizes(shape: Shape, axes: Sequence[Axis], given: Mapping[str, Dim]) -> dict[str, Shape]:
    """The size of every name on the left (of the ellipsis: several). Raises ShapeError and CannotTell."""
    if any(ELLIPSIS in axis and len(axis) > 1 for axis in axes):
        raise CannotTell("an ellipsis inside parentheses")
    sizes = {name: Shape((size,)) for name, size in given.items()}
    places = [i for i, axis in enumerate(axes) if ELLIPSIS in axis]
    if len(places) > 1:
        raise ShapeError("einops: two ellipses")
    if places:
        before, after = axes[: places[0]], axes[places[0] + 1 :]
        if shape.rank is not None and shape.rank < len(before) + len(after):
            raise ShapeError(f"einops: {shape.rank} axes are too few for the pattern")
        if shape.rank is None:
            raise CannotTell("the number of axes is not known")
        sizes[ELLIPSIS] = Shape(shape.front[len(before) : shape.rank - len(after)])
        pairs = [*zip(before, shape.front, strict=False), *zip(after[::-1], shape.front[::-1], strict=False)]
    else:
        opened = shape.with_rank(len(axes))
        if opened is None:
            raise ShapeError(f"einops: the pattern has {len(axes)} axes, the tensor is of shape {shape.text}")
        pairs = list(zip(axes, opened.front, strict=True))
    for axis, size in pairs:
        _solve(sizes, axis, size)
    return sizes


def _solve(sizes: dict[str, Shape], axis: Axis, size: Dim) -> None:
    """Put in the one size of a group that is not given. Raises ShapeError."""
    for name in axis:
        if name.isdigit():
            sizes[name] = Shape((Dim.of(int(name)),))
    missing = [name for name in axis if name not in sizes]
    if len(missing) > 1:
        raise ShapeError(f"einops: could not infer sizes for {', '.join(missing)}")
    known = product(sizes[name].front[0] for name in axis if name in sizes)
    if missing:
        if size.constant is not None and known.constant is not None and (not known.constant or size.constant % known.constant):
            raise ShapeError(f"einops: can't divide an axis of length {size.text} in chunks of {known.text}")
        sizes[missing[0]] = Shape((quotient(size, known),))
    elif size.constant is not None and known.constant is not None and size != known:
        raise ShapeError(f"einops: an axis of length {size.text} where the pattern has {known.text}")


def arranged(call: Call, kind: str, source: Tensor, pattern: Value, given: Mapping[str, Value]) -> Tensor:
    """The tensor after the pattern. `kind`: ``rearrange`` keeps all names, ``repeat`` adds some, ``reduce`` drops some."""
    left, right = _sides(call, pattern)
    numbers = {name: size_item(call, value, name) for name, value in given.items()}
    sizes = named_sizes(source.shape, left, numbers)
    left_names, right_names = [n for axis in left for n in axis], [n for axis in right for n in axis]
    for names in (left_names, right_names):
        named = [name for name in names if not name.isdigit()]
        if len(set(named)) != len(named):
            raise ShapeError("einops: a name stands twice on one side")
    added = [name for name in right_names if name not in left_names]
    dropped = [name for name in left_names if name not in right_names]
    if (kind == "rearrange" and (added or dropped)) or (kind == "repeat" and dropped) or (kind == "reduce" and added):
        raise ShapeError(f"einops: identifiers only on one side of expression: {', '.join(added or dropped)}")
    dims: list[Dim] = []
    for axis in right:
        if axis == (ELLIPSIS,):
            dims.extend(sizes[ELLIPSIS].front)
            continue
        for name in axis:
            if name.isdigit():
                sizes[name] = Shape((Dim.of(int(name)),))
            elif name not in sizes:
                raise ShapeError(f"einops: specify sizes for new axes: {name}")
        dims.append(product(d for name in axis for d in sizes[name].front) if axis else ONE)
    return viewed(source, Shape(tuple(dims)))


def rearrange(call: Call) -> Value:
    """``rearrange(x, 'b t (d h) -> b t d h', d=2)``."""
    return arranged(call, "rearrange", _operand(call), required(call, 1, "pattern"), _lengths(call))


def repeat(call: Call) -> Value:
    """``repeat(x, 'b h -> layers b h', layers=2)``."""
    return arranged(call, "repeat", _operand(call), required(call, 1, "pattern"), _lengths(call))


def reduce(call: Call) -> Value:
    """``reduce(x, 'b t h -> b h', 'mean')``."""
    source = _operand(call)
    result = arranged(call, "reduce", source, required(call, 1, "pattern"), _lengths(call))
    return computed(call, source, result.shape, source.dtype)


@dataclass(frozen=True)
class Arrangement:
    """What ``rearrange`` does: the sizes of the left side's names, in order, and which of them make up each axis of the result.

    ``(l d) b h -> b (l d h)`` takes the tensor apart to (l, d, b, h); the result's axes are of the names 2 and 0, 1, 3.
    """

    sizes: tuple[Dim, ...]
    axes: tuple[tuple[int, ...], ...]


def arrangement(call: Call) -> Arrangement | None:
    """Of ``rearrange(x, pattern, **sizes)``; None where it is not known, or refused."""
    source = call.positional[0] if call.positional else None
    if not isinstance(source, Tensor) or len(call.positional) < 2 or source.shape.rank is None:
        return None
    try:
        left, right = _sides(call, call.positional[1])
        numbers = {name: size_item(call, value, name) for name, value in _lengths(call).items()}
        sizes = named_sizes(source.shape, left, numbers)
        parts = {(name, i): size for axis in left for name in axis for i, size in enumerate(sizes[name].front)}
        places = {key: place for place, key in enumerate(parts)}
        axes: list[tuple[int, ...]] = []
        for axis in right:
            named = [places[name, i] for name in axis for i in range(len(sizes[name].front))]
            axes += [(place,) for place in named] if axis == (ELLIPSIS,) else [tuple(named)]
    except (ShapeError, CannotTell, KeyError):
        return None
    return Arrangement(tuple(parts.values()), tuple(axes))


def as_function(call: Call, config: Mapping[str, Value]) -> Call:
    """The call of a layer ``Rearrange(pattern, **sizes)`` as one of ``rearrange``."""
    given = {name: value for name, value in config.items() if name not in ("pattern", "reduction")}
    return replace(call, positional=(*call.positional[:1], config["pattern"]), keywords=given)


def _lengths(call: Call) -> dict[str, Value]:
    return {name: value for name, value in call.keywords.items() if name not in ("tensor", "pattern", "reduction")}


def layer(kind: str) -> LayerRow:
    """``Rearrange('b (c h) -> b h c', c=2)`` as a layer: the pattern, and sizes by name."""

    def forward(config: Mapping[str, Value], call: Call) -> Value:
        given = {name: value for name, value in config.items() if name not in ("pattern", "reduction")}
        return arranged(call, kind, tensor(call), config["pattern"], given)

    return LayerRow("pattern" if kind == "rearrange" else "pattern, reduction", forward, is_open=True)


ROWS: dict[str, Op] = {
    **prefixed("rearrange", rearrange, "einops", "einops.einops"),
    **prefixed("repeat", repeat, "einops", "einops.einops"),
    **prefixed("reduce", reduce, "einops", "einops.einops"),
}
OTHER_ROWS: dict[str, Op] = {}
LAYER_ROWS: dict[str, LayerRow] = {
    "einops.layers.torch.Rearrange": layer("rearrange"),
    "einops.layers.torch.Reduce": layer("reduce"),
}
