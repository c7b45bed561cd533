"""Indexing and the operators, held against torch; and what is known of an index into a tensor of symbols."""

from __future__ import annotations

import operator
from typing import Any

import pytest

pytest.importorskip("torch")

import torch
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from opchecks.draws import ALL_TYPES, Draw, broadcastable, ones, shape
from opchecks.values import PLACE, call_of, disagreement, is_silent, to_value

from lstm_lint.dims import Dim, symbol
from lstm_lint.ops.table import OPERATORS, binary, index
from lstm_lint.shapes import Shape
from lstm_lint.values import NONE, Call, EllipsisValue, Int, Repeated, Slice, Tensor, Tuple, Unknown, Value

SETTINGS = settings(
    max_examples=600,
    deadline=None,
    database=None,
    derandomize=True,
    suppress_health_check=list(HealthCheck),
    phases=[Phase.generate],
)
LAYERS, BATCH, HIDDEN = symbol("L"), symbol("N"), symbol("H")
CALL = Call("index", (), {}, PLACE, 1)


def item(draw: Draw) -> Any:
    bound = st.one_of(st.none(), st.integers(-5, 5))
    return draw(
        st.one_of(
            st.integers(-4, 3),
            st.builds(slice, bound, bound, st.sampled_from((None, 1, 2, 3))),
            st.sampled_from((None, Ellipsis, slice(None), slice(None), torch.zeros((), dtype=torch.int64))),
            st.lists(st.integers(0, 0), min_size=1, max_size=3).map(torch.tensor),
            st.sampled_from((torch.zeros((2, 1), dtype=torch.int64), [0, 0], [0], range(1))),
        )
    )


@SETTINGS
@given(st.data())
def test_index(data: st.DataObject) -> None:
    x = ones(shape(data.draw))
    drawn = [item(data.draw) for _ in range(data.draw(st.integers(0, 4)))]
    items = tuple(one for i, one in enumerate(drawn) if one is not ... or ... not in [d for d in drawn[:i] if d is ...])
    position = items[0] if len(items) == 1 and data.draw(st.booleans()) else items
    check(x, position)


@SETTINGS
@given(st.data())
def test_mask(data: st.DataObject) -> None:
    x = ones(shape(data.draw, 1))
    rank = data.draw(st.integers(1, x.dim()))
    mask = torch.ones(x.shape[:rank], dtype=torch.bool)
    check(
        x,
        data.draw(st.sampled_from((mask, (mask, ...), (slice(None), torch.ones(2, dtype=torch.bool)), [True, False]))),
        exact=False,
    )


def check(x: torch.Tensor, position: Any, exact: bool = True) -> None:
    value = index(to_value(x), position_value(position), CALL)
    try:
        result = x[position]
    except Exception as error:
        assert is_silent(value), f"{value} where torch says {error}"
        return
    assert not (text := disagreement(value, result, exact)), f"{text}; {value}"


def position_value(position: Any) -> Value:
    if isinstance(position, tuple):
        return Tuple(tuple(position_value(part) for part in position))
    if isinstance(position, range):
        return Repeated(Int(symbol("i")), Dim.of(len(position)))
    return to_value(position)


FUNCTIONS = {
    "+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "//": operator.floordiv, "%": operator.mod,
    "**": operator.pow, "@": operator.matmul, "==": operator.eq, "!=": operator.ne, "<": operator.lt, "<=": operator.le,
    ">": operator.gt, ">=": operator.ge, "&": operator.and_, "|": operator.or_, "^": operator.xor,
}  # fmt: skip


@pytest.mark.parametrize("sign", sorted(FUNCTIONS))
def test_operator(sign: str) -> None:
    assert set(FUNCTIONS) == set(OPERATORS)

    @settings(SETTINGS, max_examples=60)
    @given(st.data())
    def held(data: st.DataObject) -> None:
        draw = data.draw
        types = (torch.int64, torch.bool) if sign in "&|^" else ALL_TYPES[:4] if sign not in "@" else (torch.float32,)
        base = shape(draw)
        left, right = ones(base, draw(st.sampled_from(types))), ones(broadcastable(draw, base), draw(st.sampled_from(types)))
        number = draw(st.sampled_from((2, True) if sign in "&|^" else (2, 1.5)))
        pair: Any = draw(st.sampled_from(((left, right), (right, left), (left, number), (number, right))))
        value = binary(to_value(pair[0]), to_value(pair[1]), call_of(OPERATORS[sign], ()))
        try:
            result = FUNCTIONS[sign](*pair)
        except Exception as error:
            assert is_silent(value), f"{value} where torch says {error}"
            return
        assert not (text := disagreement(value, result)), f"{text}; {value}"

    held()


# -- symbols ---------------------------------------------------------------------------------------------------------
STATE = Tensor(Shape((LAYERS * 2, BATCH, HIDDEN)))


def part(start: int | None, stop: int | None, step: int | None = None) -> Slice:
    return Slice(to_value(start), to_value(stop), to_value(step))


def dims_of(value: Value) -> tuple[Dim, ...] | None:
    assert isinstance(value, Tensor), value
    return value.shape.dims


@pytest.mark.parametrize(
    ("position", "expected"),
    [
        (part(0, None, 2), (LAYERS, BATCH, HIDDEN)),
        (part(1, None, 2), (LAYERS, BATCH, HIDDEN)),
        (part(None, None, 2), (LAYERS, BATCH, HIDDEN)),
        (part(-2, None), (Dim.of(2), BATCH, HIDDEN)),
        (part(-1, None), (Dim.of(1), BATCH, HIDDEN)),
        (part(None, -1), (LAYERS * 2 - 1, BATCH, HIDDEN)),
        (part(1, None), (LAYERS * 2 - 1, BATCH, HIDDEN)),
        (part(None, 1), (Dim.of(1), BATCH, HIDDEN)),
        (to_value(-1), (BATCH, HIDDEN)),
        (Tuple((part(None, None), to_value(0))), (LAYERS * 2, HIDDEN)),
        (Tuple((EllipsisValue(), part(None, 1))), (LAYERS * 2, BATCH, Dim.of(1))),
        (Tuple((NONE, EllipsisValue(), NONE)), (Dim.of(1), LAYERS * 2, BATCH, HIDDEN, Dim.of(1))),
        (Int(LAYERS), (BATCH, HIDDEN)),
    ],
)
def test_symbolic_index(position: Value, expected: tuple[Dim, ...]) -> None:
    assert dims_of(index(STATE, position, CALL)) == expected


def test_gate_slice() -> None:
    bias = Tensor(Shape((HIDDEN * 4,)))
    quarter, half = Int((HIDDEN * 4) // 4), Int((HIDDEN * 4) // 2)
    assert dims_of(index(bias, Slice(quarter, half, NONE), CALL)) == (HIDDEN,)


def test_an_unknown_index_may_be_anything() -> None:
    value = index(STATE, Unknown("i", "i"), CALL)
    assert isinstance(value, Tensor) and value.shape.dims is None and value.why is not None


def test_steps_by_index_tensors() -> None:
    output = Tensor(Shape((BATCH, symbol("T"), HIDDEN)))
    steps = Tensor(Shape((BATCH,)), "int64")
    assert dims_of(index(output, Tuple((Repeated(Int(symbol("i")), BATCH), steps)), CALL)) == (BATCH, HIDDEN)
