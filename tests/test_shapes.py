"""Shapes by their laws: what is known of a tensor from outside agrees with what it turns out to be."""

from __future__ import annotations

import contextlib
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lint.dims import ONE, Dim, maximum, symbol
from lstm_lint.shapes import Broadcast, Rest, Shape, ShapeError, broadcast, reshape

torch = pytest.importorskip("torch")

N, T, H = symbol("N"), symbol("T"), symbol("H")
SIZES = st.lists(st.integers(1, 4), max_size=5).map(tuple)
SETTINGS = settings(deadline=None, database=None, derandomize=True)
INDICES = st.integers(-6, 6)
X = Shape.unknown("x", "x")


def concrete(shape: Shape, sizes: tuple[int, ...]) -> tuple[int | None, ...] | None:
    """The shape once ``x`` is known to have these sizes; None if it cannot."""
    missing = len(sizes) - (shape.rest.skipped_front + shape.rest.skipped_back if shape.rest else 0)
    if missing < 0:
        return None
    opened = shape.with_rank(shape.minimum_rank + (missing if shape.rest else 0))
    assert opened is not None
    values = {dim.symbols[0]: Dim.of(_size(dim, sizes)) for dim in opened.front if dim.symbols}
    return tuple(dim.substitute(values).constant for dim in opened.front)


def _size(dim: Dim, sizes: tuple[int, ...]) -> int:
    key: Any = dim.symbols[0].key
    return sizes[key[2]]


@SETTINGS
@given(SIZES, INDICES)
def test_a_size_asked_for_is_the_one_it_has(sizes: tuple[int, ...], index: int) -> None:
    known = Shape.of(*sizes)
    if -len(sizes) <= index < len(sizes):
        assert known.dim(index).constant == sizes[index]
        assert _size(X.dim(index), sizes) == sizes[index]
    else:
        with pytest.raises(ShapeError):
            known.dim(index)


@SETTINGS
@given(SIZES, INDICES)
def test_inserted_is_unsqueeze(sizes: tuple[int, ...], index: int) -> None:
    try:
        expected = tuple(torch.ones(sizes).unsqueeze(index).shape)
    except IndexError:
        with pytest.raises(ShapeError):
            Shape.of(*sizes).inserted(index)
        return
    assert Shape.of(*sizes).inserted(index) == Shape.of(*expected)
    assert concrete(X.inserted(index), sizes) == expected


@SETTINGS
@given(SIZES, INDICES)
def test_removed_is_select(sizes: tuple[int, ...], index: int) -> None:
    try:
        expected = tuple(torch.ones(sizes).select(index, 0).shape)
    except IndexError:
        with pytest.raises(ShapeError):
            Shape.of(*sizes).removed(index)
        return
    assert Shape.of(*sizes).removed(index) == Shape.of(*expected)
    assert concrete(X.removed(index), sizes) == expected


@SETTINGS
@given(SIZES, INDICES)
def test_replaced(sizes: tuple[int, ...], index: int) -> None:
    if not -len(sizes) <= index < len(sizes):
        with pytest.raises(ShapeError):
            Shape.of(*sizes).replaced(index, Dim.of(9))
        return
    expected = list(sizes)
    expected[index] = 9
    assert Shape.of(*sizes).replaced(index, Dim.of(9)) == Shape.of(*expected)
    assert concrete(X.replaced(index, Dim.of(9)), sizes) == tuple(expected)


@SETTINGS
@given(SIZES, st.integers(0, 3), st.integers(0, 3))
def test_opened_says_the_same(sizes: tuple[int, ...], front: int, back: int) -> None:
    opened = X.opened(front, back)
    assert (len(opened.front), len(opened.back)) == (front, back)
    assert concrete(opened, sizes) == (sizes if front + back <= len(sizes) else None)
    assert opened.dim(0) == X.dim(0) and opened.dim(5) == X.dim(5)
    assert opened.dim(-1) == (X.dim(-1))


@SETTINGS
@given(SIZES, SIZES)
def test_broadcast(left: tuple[int, ...], right: tuple[int, ...]) -> None:
    try:
        expected = tuple(torch.broadcast_shapes(left, right))
    except RuntimeError:
        with pytest.raises(ShapeError):
            broadcast(Shape.of(*left), Shape.of(*right))
        return
    assert broadcast(Shape.of(*left), Shape.of(*right)) == Shape.of(*expected)


@SETTINGS
@given(SIZES, SIZES, st.integers(0, 3), st.integers(0, 3), st.booleans())
def test_what_a_broadcast_is_once_its_rank_is_known(
    left: tuple[int, ...], right: tuple[int, ...], front: int, back: int, known: bool
) -> None:
    """Of a known tensor and of one from outside, some of whose axes are spelt out at both ends."""
    try:
        expected = tuple(torch.broadcast_shapes(left, right))
    except RuntimeError:
        return
    if front + back > len(right):
        return
    ranks = {"x": len(right)} if known else {}
    sizes = Broadcast("both", (Shape.of(*left), X.opened(front, back))).sizes(len(expected), ranks)
    assert len(sizes) == len(expected)
    if known or front + back == len(expected):
        assert None not in sizes
    for size, actual in zip(sizes, expected, strict=True):
        if size is not None:
            values = {symbol: Dim.of(right[symbol.key[2]]) for symbol in size.symbols}  # type: ignore[index]
            assert size.substitute(values).constant == actual


def test_a_broadcast_of_which_nothing_is_certain() -> None:
    assert Broadcast("both", (X, Shape.of(N, H))).sizes(2, {}) == (None, None)
    assert Broadcast("both", (X, Shape.of(1, 5, H))).sizes(3, {}) == (None, Dim.of(5), None)
    assert Broadcast("both", (X, Shape.of(N, H))).sizes(1, {}) == (None,)  # it has two at least
    assert Broadcast("both", (X, Shape.of(N, H))).sizes(2, {"x": 0}) == (N, H)
    assert Broadcast("both", (X,) * 5).sizes(3, {}) == (None,) * 3  # too many to try


def test_broadcast_of_symbols() -> None:
    assert broadcast(Shape.of(1, N, 1), Shape.of(T, N, H)) == Shape.of(T, N, H)
    assert broadcast(Shape.of(N), Shape.of(4)) == Shape.of(4)
    assert broadcast(Shape.of(N), Shape.of(H)) == Shape.of(maximum(N, H))  # equal, or one of them is 1
    assert broadcast(X, Shape.of()) == X
    assert broadcast(X, Shape.of(N, H)) is None


@SETTINGS
@given(SIZES, st.lists(st.integers(-1, 4), min_size=1, max_size=4))
def test_reshape(sizes: tuple[int, ...], target: list[int]) -> None:
    asked = [None if n == -1 else Dim.of(n) for n in target]
    try:
        expected = tuple(torch.ones(sizes).reshape(target).shape)
    except RuntimeError:
        with contextlib.suppress(ShapeError):
            assert reshape(Shape.of(*sizes), asked) is None
        return
    assert reshape(Shape.of(*sizes), asked) == Shape.of(*expected)


def test_reshape_of_symbols() -> None:
    assert reshape(Shape.of(T, N, H * 2), [T, N, Dim.of(2), None]) == Shape.of(T, N, 2, H)
    assert reshape(Shape.of(T, N, H), [N, None]) == Shape.of(N, T * H)
    assert reshape(Shape.of(T, N, H), [H, H, None]) is None
    assert reshape(X, [N, H]) == Shape.of(N, H)


def test_with_rank() -> None:
    assert X.with_rank(2) == Shape((X.dim(0), X.dim(1)))
    assert X.inserted(-1, H).with_rank(3) == Shape((X.dim(0), X.dim(1), H))
    assert X.inserted(0, H).inserted(-1, H).with_rank(1) is None
    assert Shape.of(1, 2).with_rank(3) is None
    assert Rest("x", "x").without(1, 1).dim(0) == X.dim(1)
    assert Shape((N,), Rest("x", "x", 1)).text == "(N, ...)"
    assert X.numel() is None and Shape.of(N, 1).numel() == N * ONE
