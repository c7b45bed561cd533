"""Views against the coordinates that torch moves: what is said to be mixed is, and what keeps the batch is left alone."""

from __future__ import annotations

from math import prod
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lint.check import check_file
from lstm_lint.config import Settings
from lstm_lint.dims import ONE, Dim, symbol
from lstm_lint.lineage import Factor, Role
from lstm_lint.regrouping import Regrouping
from lstm_lint.source import Source

ROLES = (Role.TIME, Role.LAYER, Role.BATCH, Role.DIRECTION, Role.FEATURE)
L, N, H, B = (symbol(name) for name in "LNHB")
STATE = (Factor(Role.LAYER, L), Factor(Role.BATCH, N), Factor(Role.FEATURE, H))


@st.composite
def views(draw: st.DrawFn) -> tuple[tuple[tuple[Role, int], ...], tuple[int, ...]]:
    """Factors with their sizes, and sizes that hold as many elements."""
    roles = draw(st.permutations(ROLES))[: draw(st.integers(2, 5))]
    factors = tuple((role, draw(st.sampled_from((1, 2, 3, 4, 6)))) for role in roles)
    left, sizes = prod(size for _, size in factors), []
    for _ in range(draw(st.integers(0, 3))):
        sizes.append(draw(st.sampled_from([n for n in range(1, left + 1) if left % n == 0])))
        left //= sizes[-1]
    return factors, (*sizes, left)


@given(views())
@settings(max_examples=400, deadline=None)
def test_an_axis_that_strays_mixes_samples(view: Any) -> None:
    torch = pytest.importorskip("torch")
    factors, sizes = view
    regrouping = Regrouping.of([tuple(Factor(role, Dim.of(size)) for role, size in factors)], map(Dim.of, sizes))
    strays = list(regrouping.strays(Role.BATCH))
    place = regrouping.place_of(Role.BATCH)
    if place is None:
        assert not strays
        return
    roles = [role for role, _ in factors]
    index, batch = roles.index(Role.BATCH), dict(factors)[Role.BATCH]
    along = torch.arange(batch).reshape([batch if i == index else 1 for i in range(len(roles))])
    samples = along.expand([size for _, size in factors]).reshape(sizes)
    is_batch = [_is_own(torch, samples, axis) for axis in range(len(sizes))]
    assert not (strays and any(is_batch))
    for stray in strays:
        assert sizes[stray.start] == batch and not is_batch[stray.start]
        assert len(samples.select(stray.start, 0).unique()) > 1
        assert stray.front != stray.wanted


def _is_own(torch: Any, samples: Any, axis: int) -> bool:
    """Whether the axis is that of the samples."""
    count = samples.shape[axis]
    along = torch.arange(count).reshape([count if i == axis else 1 for i in range(samples.dim())])
    return bool((samples == along).all())


@pytest.mark.parametrize(
    ("sizes", "strays"),
    [
        ((N, L * H), [(0, 1)]),
        ((L, N, H), []),
        ((L * N, H), []),
        ((N, L, H), [(0, 1)]),
        ((L, ONE, N, H), []),
        ((L, N * H), []),
        ((L, symbol("K"), symbol("K2")), []),
        ((B, L * H), []),
    ],
)
def test_sizes_with_names(sizes: tuple[Dim, ...], strays: list[tuple[int, int]]) -> None:
    assert [(stray.start, stray.end) for stray in Regrouping(STATE, sizes).strays(Role.BATCH)] == strays


def test_what_is_behind_tells_an_axis_as_well_as_what_is_in_front() -> None:
    rest = symbol("K")
    assert Regrouping(STATE, (rest, N, H)).bounds == (0, 1, 2, 3)
    assert Regrouping(STATE, (L, N, rest)).axes == tuple((factor,) for factor in STATE)


def test_the_path_and_equal_sizes_are_put_in() -> None:
    assert list(Regrouping.of([STATE], (N, L * H), equal={L.symbols[0]: ONE}).strays(Role.BATCH)) == []
    (stray,) = Regrouping.of([STATE], (B, L * H), equal={B.symbols[0]: N}).strays(Role.BATCH)
    assert (stray.front, stray.wanted) == (ONE, L)


# -- einops ----------------------------------------------------------------------------------------------------------
HEAD = """
import torch
import torch.nn as nn
from einops import rearrange
from einops.layers.torch import Rearrange

def f(x):
    T, N, F = x.shape
    out, (h, c) = nn.LSTM(4, 5, 3, bidirectional=True)(x)
    return {}
"""


@pytest.mark.parametrize(
    ("expression", "codes"),
    [
        ("rearrange(h, '(l d) b h -> b (l d h)', d=2)", []),
        ("rearrange(h, 'l b h -> b (l h)').view(N, -1)", []),
        ("rearrange(h, '(l d) b h -> l b (d h)', l=3).transpose(0, 1).reshape(N, -1)", []),
        ("rearrange(out, 't b (d h) -> b t d h', d=2).reshape(N, -1)", []),
        ("rearrange(out, 't b h -> (t b) h').view(T, N, -1)", []),
        ("rearrange(h, 'l b h -> (l b) h').view(N, -1)", ["LST404"]),
        ("rearrange(h, 'l b h -> l (b h)').view(N, -1)", ["LST404"]),
        ("rearrange(out.reshape(T * N, 10), '(b t) h -> b t h', b=N)", ["LST404"]),
        ("Rearrange('(b t) h -> b t h', b=N)(out.reshape(T * N, 10))", ["LST404"]),
        ("Rearrange('t b h -> b t h')(out).reshape(N, -1)", []),
        ("Rearrange('t b h -> b t h')(out).reshape(T, N, -1)", ["LST404"]),
        ("rearrange(h, '(d l) b h -> d l b h', d=2)", ["LST405"]),
        ("rearrange(out, 't b (h d) -> t b h d', d=2)", ["LST405"]),
        ("rearrange(out, 't b (d h) -> t b h d', d=2)", []),
        ("nn.Flatten()(out.transpose(0, 1)).view(N, -1)", []),
        ("nn.Flatten(0, 1)(out).view(N, T, -1)", ["LST404"]),
        ("nn.Unflatten(0, (2, 3))(h)", ["LST405"]),
        ("nn.Unflatten(0, (3, 2))(h)", []),
    ],
)
def test_patterns_are_followed(expression: str, codes: list[str]) -> None:
    source = Source("f.py", HEAD.format(expression))
    assert [finding.code for finding in check_file(source, Settings(".", cache=False, confirm="never")).findings] == codes
