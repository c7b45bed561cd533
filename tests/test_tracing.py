"""What the axes mean, held against torch: elements that carry their own time, batch, layer, direction and feature.

A tensor that holds one coordinate of each of its elements goes through a chain of random ops in torch, one for every role; the
lineage says where each role went, and what of it was taken.
"""

from __future__ import annotations

from itertools import count
from math import prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lint.dims import ONE, Dim
from lstm_lint.lineage import FIRST, LAST, OTHER, Factor, Lineage, Role, Source
from lstm_lint.ops.table import OPS, index
from lstm_lint.regrouping import Regrouping
from lstm_lint.shapes import Shape
from lstm_lint.source import Place
from lstm_lint.values import NONE, Call, EllipsisValue, Int, Repeated, Slice, Tensor, Tuple, Value

torch = pytest.importorskip("torch")

HERE = Place("file.py", 0, lambda: None, lambda: "x")  # type: ignore[arg-type, return-value]
NUMBERS = count()
OUTPUT = ((Role.TIME, 5),), ((Role.BATCH, 3),), ((Role.DIRECTION, 2), (Role.FEATURE, 6))
STATE = ((Role.LAYER, 3), (Role.DIRECTION, 2)), ((Role.BATCH, 5),), ((Role.FEATURE, 4),)
DEEP = ((Role.LAYER, 7), (Role.DIRECTION, 2)), ((Role.BATCH, 1),), ((Role.FEATURE, 3),)


def start(layout: Any) -> tuple[Tensor, dict[Role, Any]]:
    """A tensor with this meaning, and for each role the tensor of its coordinates."""
    axes = tuple(tuple(Factor(role, Dim.of(size)) for role, size in axis if size != 1) for axis in layout)
    shape = tuple(prod(size for _, size in axis) for axis in layout)
    flat = [factor for axis in layout for factor in axis]
    grid = torch.meshgrid(*(torch.arange(size) for _, size in flat), indexing="ij")
    coordinates = {role: part.reshape(shape) for (role, _), part in zip(flat, grid, strict=True)}
    lineage = Lineage(frozenset((Source(1, "output", HERE),)), axes)
    return Tensor(Shape.of(*shape), "float32", lineage=lineage), coordinates


def holds(tensor: Tensor, coordinates: dict[Role, Any]) -> None:
    """The claims of the lineage about each axis and about what was taken."""
    lineage, shape = tensor.lineage, tuple(next(iter(coordinates.values())).shape)
    assert lineage is not None
    assert tuple(dim.constant for dim in tensor.shape.dims or ()) == shape
    for taken in lineage.taken:
        values = set(coordinates[taken.role].flatten().tolist())
        if taken.at in (FIRST, LAST) and values:
            assert values == {0 if taken.at == FIRST else (taken.size.constant or 0) - 1}
    if lineage.axes is None:
        return
    assert len(lineage.axes) == len(shape)
    for axis, factors in enumerate(lineage.axes):
        sizes = [factor.size.constant or 0 for factor in factors]
        assert prod(sizes) == shape[axis]
        for position, factor in enumerate(factors):
            if factor.whole and factor.role is not Role.OTHER:
                along = torch.arange(shape[axis]) // prod(sizes[position + 1 :]) % sizes[position]
                along = sizes[position] - 1 - along if factor.backwards else along
                along = along.reshape([-1 if i == axis else 1 for i in range(len(shape))])
                assert torch.equal(coordinates[factor.role], along.expand(shape))


# -- random steps ----------------------------------------------------------------------------------------------------
def ints(*numbers: int) -> tuple[Int, ...]:
    return tuple(Int(Dim.of(number)) for number in numbers)


def run(name: str, tensor: Tensor, *arguments: Value) -> Value:
    return OPS[name](Call(name, (tensor, *arguments), {}, HERE, next(NUMBERS)))


@st.composite
def step(draw: st.DrawFn, shape: tuple[int, ...]) -> Any:
    """An op by name with its arguments, as numbers."""
    rank = len(shape)
    axis = st.integers(-rank, rank - 1)
    name = draw(
        st.sampled_from(
            [
                "permute",
                "transpose",
                "unsqueeze",
                "squeeze",
                "view",
                "flatten",
                "select",
                "index",
                "chunk",
                "unbind",
                "split",
                "flip",
            ]
        )
    )
    match name:
        case "permute":
            return name, tuple(draw(st.permutations(range(rank))))
        case "transpose":
            return name, (draw(axis), draw(axis))
        case "unsqueeze":
            return name, (draw(st.integers(-rank - 1, rank)),)
        case "squeeze":
            return name, (draw(axis),)
        case "view":
            return name, draw(sizes_of(prod(shape)))
        case "flatten":
            first = draw(st.integers(0, rank - 1))
            return name, (first, draw(st.integers(first, rank - 1)))
        case "select":
            chosen = draw(axis)
            return name, (chosen, draw(st.integers(-shape[chosen], shape[chosen] - 1)))
        case "chunk":
            chosen = draw(axis)
            return name, (2, chosen)
        case "unbind":
            return name, (draw(axis),)
        case "flip":
            return name, tuple(sorted(draw(st.sets(st.integers(0, rank - 1), min_size=1))))
        case "split":
            chosen = draw(axis)
            first = draw(st.integers(0, shape[chosen]))
            return name, ([first, shape[chosen] - first], chosen)
        case _:
            return name, tuple(draw(item(size)) for size in shape)


def sizes_of(total: int) -> st.SearchStrategy[tuple[int, ...]]:
    divisors = [number for number in range(1, total + 1) if total % number == 0]
    return st.sampled_from(divisors).flatmap(
        lambda first: st.sampled_from([n for n in divisors if (total // first) % n == 0]).map(
            lambda second: (first, second, total // first // second)
        )
    )


def item(size: int) -> st.SearchStrategy[Any]:
    bounds = st.one_of(st.none(), st.integers(-size, size))
    steps = st.sampled_from([None, 1, 2])
    return st.one_of(
        st.integers(-size, size - 1), st.builds(slice, bounds, bounds, steps), st.just(slice(None)), st.none(), st.just(...)
    )


def as_value(part: Any) -> Value:
    if isinstance(part, list):
        return Tuple(ints(*part), "list")
    if part is None:
        return NONE
    if part is ...:
        return EllipsisValue()
    if isinstance(part, slice):
        return Slice(*(NONE if bound is None else Int(Dim.of(bound)) for bound in (part.start, part.stop, part.step)))
    return Int(Dim.of(part))


def apply(
    name: str, arguments: tuple[Any, ...], tensor: Tensor, coordinates: dict[Role, Any]
) -> tuple[Value, dict[Role, Any]] | None:
    """The step on both sides; None where it cannot be done (two ellipses, an empty result)."""
    if name == "index":
        if arguments.count(...) > 1:
            return None
        key = arguments[: len(coordinates[Role.BATCH].shape) + arguments.count(None) + arguments.count(...)]
        if len(key) - key.count(None) - key.count(...) > coordinates[Role.BATCH].dim():
            return None
        try:
            moved = {role: values[key] for role, values in coordinates.items()}
        except IndexError:  # a None among the items moves the others on by one axis
            return None
        result = index(tensor, Tuple(tuple(as_value(part) for part in key)), Call("index", (), {}, HERE, next(NUMBERS)))
        return result, moved
    target = f"torch.Tensor.{name}"
    contiguous = {role: values.contiguous() for role, values in coordinates.items()}
    moved = {role: getattr(values, name)(*arguments) for role, values in contiguous.items()}
    return run(target, tensor, *map(as_value, arguments)), moved


@settings(max_examples=300, deadline=None)
@given(st.data())
def test_axes_are_where_the_lineage_says(data: st.DataObject) -> None:
    tensor, coordinates = start(data.draw(st.sampled_from([OUTPUT, STATE, DEEP])))
    for _ in range(data.draw(st.integers(1, 4))):
        shape = tuple(coordinates[Role.BATCH].shape)
        if not shape or 0 in shape:
            return
        name, arguments = data.draw(step(shape))
        applied = apply(name, arguments, tensor, coordinates)
        if applied is None or isinstance(applied[0], Repeated):
            continue
        result, coordinates = applied
        if isinstance(result, Tuple):
            chosen = data.draw(st.integers(0, len(result.items) - 1))
            result, coordinates = result.items[chosen], {role: values[chosen] for role, values in coordinates.items()}
        assert isinstance(result, Tensor), (name, arguments, result)
        tensor = result
        if 0 in coordinates[Role.BATCH].shape:
            return
        holds(tensor, coordinates)


def test_what_the_common_spellings_take() -> None:
    output, _ = start(OUTPUT)
    state, _ = start(STATE)

    def taken(value: Value) -> list[tuple[Role, str]]:
        assert isinstance(value, Tensor) and value.lineage is not None
        return [(one.role, one.at) for one in value.lineage.taken]

    def item_of(tensor: Tensor, *key: Any) -> Value:
        return index(tensor, Tuple(tuple(as_value(part) for part in key)), Call("index", (), {}, HERE, next(NUMBERS)))

    assert taken(item_of(output, -1)) == [(Role.TIME, LAST)]
    assert taken(item_of(output, 4)) == [(Role.TIME, LAST)]
    assert taken(item_of(output, slice(None), -1)) == [(Role.BATCH, LAST)]
    assert taken(item_of(output, ..., slice(None, 6))) == [(Role.DIRECTION, FIRST)]
    assert taken(item_of(output, ..., slice(-6, None))) == [(Role.DIRECTION, LAST)]
    assert taken(item_of(state, -1)) == [(Role.LAYER, LAST), (Role.DIRECTION, LAST)]
    assert taken(item_of(state, -2)) == [(Role.LAYER, LAST), (Role.DIRECTION, FIRST)]
    assert taken(item_of(state, slice(-2, None))) == [(Role.LAYER, LAST)]
    assert taken(item_of(state, slice(0, None, 2))) == [(Role.DIRECTION, FIRST)]
    assert taken(run("torch.Tensor.select", output, *ints(0, -1))) == [(Role.TIME, LAST)]
    turned = run("torch.Tensor.flip", output, *ints(0))
    assert isinstance(turned, Tensor)
    assert taken(item_of(turned, 0)) == [(Role.TIME, LAST)]
    assert taken(item_of(turned, -1)) == [(Role.TIME, FIRST)]
    assert taken(item_of(turned, 2)) == [(Role.TIME, OTHER)]


def test_regrouping_in_another_order_means_nothing() -> None:
    factors = [Factor(Role.DIRECTION, Dim.of(2)), Factor(Role.FEATURE, Dim.of(7))]
    assert Regrouping(tuple(factors), (Dim.of(2), Dim.of(7))).axes == ((factors[0],), (factors[1],))
    assert Regrouping(tuple(factors), (Dim.of(7), Dim.of(2))).axes is None
    assert Regrouping(tuple(factors), (Dim.of(14), ONE)).axes == (tuple(factors), ())
