"""Random tensors and arguments, many of them wrong on purpose."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from hypothesis import strategies as st

Draw = Callable[[st.SearchStrategy[Any]], Any]
Arguments = tuple[tuple[Any, ...], dict[str, Any]]
Case = Callable[[Draw], Arguments]

FLOAT_TYPES = (torch.float32, torch.float64)
ALL_TYPES = (torch.float32, torch.float64, torch.int64, torch.int32, torch.uint8, torch.bool)


def size(draw: Draw, low: int = 1, high: int = 4) -> int:
    return draw(st.integers(low, high))


def shape(draw: Draw, low: int = 0, high: int = 4, smallest: int = 1) -> tuple[int, ...]:
    return tuple(draw(st.lists(st.integers(smallest, 4), min_size=low, max_size=high)))


def tensor(draw: Draw, low: int = 0, high: int = 4, dtypes: tuple[torch.dtype, ...] = FLOAT_TYPES) -> torch.Tensor:
    return ones(shape(draw, low, high), draw(st.sampled_from(dtypes)))


def ones(sizes: tuple[int, ...], dtype: torch.dtype = torch.float32) -> torch.Tensor:
    return torch.ones(sizes, dtype=dtype)


def axis(draw: Draw, x: torch.Tensor) -> int:
    """An axis of x, mostly."""
    if draw(st.integers(0, 5)) == 0:
        return draw(st.integers(-5, 5))
    rank = max(x.dim(), 1)
    return draw(st.integers(-rank, rank - 1))


def maybe(draw: Draw, value: Any, name: str, args: list[Any], kwargs: dict[str, Any]) -> None:
    """The value as the next positional, as a keyword, or not at all."""
    where = draw(st.integers(0, 2))
    if where == 0 and not kwargs:
        args.append(value)
    elif where == 1:
        kwargs[name] = value


def sizes_argument(draw: Draw, sizes: tuple[int, ...], keyword: str | None = "size") -> Arguments:
    """Sizes as separate arguments, as one sequence, or under the keyword."""
    form = draw(st.integers(0, 4 if keyword else 3))
    if form == 0 and sizes:
        return tuple(sizes), {}
    if form == 4 and keyword:
        return (), {keyword: sizes}
    return ([sizes, list(sizes), torch.Size(sizes)][form % 3],), {}


def broadcastable(draw: Draw, base: tuple[int, ...]) -> tuple[int, ...]:
    """A shape that broadcasts with the base, mostly."""
    cut = draw(st.integers(0, len(base)))
    result = tuple(1 if draw(st.booleans()) else n for n in base[cut:])
    return (*result[:-1], 3) if result and draw(st.integers(0, 5)) == 0 else result


def factors(draw: Draw, count: int) -> list[int]:
    """Sizes whose product is the count, mostly."""
    result: list[int] = []
    rest = count
    for _ in range(draw(st.integers(0, 3))):
        divisors = [d for d in range(1, rest + 1) if rest % d == 0]
        chosen = draw(st.sampled_from(divisors or [1]))
        result.append(chosen)
        rest //= max(chosen, 1)
    result.append(rest)
    if draw(st.booleans()):
        result[draw(st.integers(0, len(result) - 1))] = -1
    if draw(st.integers(0, 6)) == 0:
        result[draw(st.integers(0, len(result) - 1))] = draw(st.integers(-2, 5))
    return result
