"""Arguments for the rows that compute: element by element, reductions, products, losses, convolutions."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

from lstm_lint.ops import elementwise
from lstm_lint.ops.losses import LOSSES
from opchecks.creating import names
from opchecks.draws import ALL_TYPES, FLOAT_TYPES, Arguments, Case, Draw, axis, broadcastable, maybe, ones, shape, size, tensor

NUMBERS = (torch.float32, torch.float64, torch.int64, torch.int32)


def one(draw: Draw) -> Arguments:
    return (tensor(draw, dtypes=NUMBERS),), {}


def one_float(draw: Draw) -> Arguments:
    return (tensor(draw),), {}


def any_dtype(draw: Draw) -> Arguments:
    return (tensor(draw, dtypes=ALL_TYPES),), {}


def clamped(draw: Draw) -> Arguments:
    return (tensor(draw), 1), {}


def along(draw: Draw) -> Arguments:
    x = tensor(draw)
    args: list[Any] = [x]
    kwargs: dict[str, Any] = {}
    if draw(st.booleans()):
        args.append(axis(draw, x))
    else:
        kwargs["dim"] = axis(draw, x)
    return tuple(args), kwargs


def by_keyword(draw: Draw) -> Arguments:
    x = tensor(draw)
    return (x,), {"dim": axis(draw, x)}


def normalized(draw: Draw) -> Arguments:
    x = tensor(draw)
    return draw(st.sampled_from((((x,), {"dim": axis(draw, x)}), ((x, 2.0, axis(draw, x)), {}))))


def glu(draw: Draw) -> Arguments:
    x = tensor(draw)
    return draw(st.sampled_from((((x,), {}), ((x, axis(draw, x)), {}))))


def broadcasting(draw: Draw) -> Arguments:
    base = shape(draw)
    left, right = (
        ones(base, draw(st.sampled_from(ALL_TYPES))),
        ones(broadcastable(draw, base), draw(st.sampled_from(ALL_TYPES))),
    )
    return ((left, right) if draw(st.booleans()) else (right, left)), {}


def numbers(draw: Draw) -> Arguments:
    base = shape(draw)
    other = ones(broadcastable(draw, base), draw(st.sampled_from(NUMBERS)))
    right = draw(st.sampled_from((other, 2, 1.5)))
    return (ones(base, draw(st.sampled_from(NUMBERS))), right), {}


def pairs(draw: Draw) -> Arguments:
    base = shape(draw)
    return (ones(base, draw(st.sampled_from(NUMBERS))), ones(broadcastable(draw, base), draw(st.sampled_from(NUMBERS)))), {}


def integers(draw: Draw) -> Arguments:
    base = shape(draw)
    kinds = (torch.int64, torch.bool, torch.int32)
    return (ones(base, draw(st.sampled_from(kinds))), ones(broadcastable(draw, base), draw(st.sampled_from(kinds)))), {}


def truths(draw: Draw) -> Arguments:
    base = shape(draw)
    return (ones(base, torch.bool), ones(broadcastable(draw, base), torch.bool)), {}


def where(draw: Draw) -> Arguments:
    base = shape(draw)
    condition = ones(broadcastable(draw, base), torch.bool)
    return (
        condition,
        *draw(st.sampled_from(((ones(base), ones(broadcastable(draw, base))), (ones(base), 1.5), (0.5, ones(base))))),
    ), {}


def where_method(draw: Draw) -> Arguments:
    base = shape(draw)
    return (ones(base), ones(broadcastable(draw, base), torch.bool), ones(broadcastable(draw, base))), {}


# -- reductions ------------------------------------------------------------------------------------------------------
def reduction(draw: Draw, dtypes: tuple[torch.dtype, ...] = ALL_TYPES, several: bool = True) -> Arguments:
    x = tensor(draw, dtypes=dtypes)
    kwargs: dict[str, Any] = {}
    form = draw(st.integers(0, 3 if several else 2))
    if form == 0:
        return (x,), {}
    dim: Any = axis(draw, x) if form < 3 else tuple(axis(draw, x) for _ in range(draw(st.integers(1, 3))))
    args: list[Any] = [x, dim] if draw(st.booleans()) else [x]
    if len(args) == 1:
        kwargs["dim"] = dim
    maybe(draw, draw(st.booleans()), "keepdim", args if len(args) == 2 else [], kwargs)
    return tuple(args), kwargs


def single_reduction(draw: Draw) -> Arguments:
    return reduction(draw, NUMBERS, several=False)


def float_reduction(draw: Draw) -> Arguments:
    return reduction(draw, (torch.float32, torch.float64, torch.int64))


def needs_axis(draw: Draw) -> Arguments:
    x = tensor(draw)
    return (x, axis(draw, x)), {"keepdim": True} if draw(st.booleans()) else {}


def norm(draw: Draw) -> Arguments:
    x = tensor(draw)
    return draw(
        st.sampled_from(
            (((x,), {}), ((x, 2, axis(draw, x)), {}), ((x, 2, axis(draw, x), True), {}), ((x,), {"dim": axis(draw, x)}))
        )
    )


def spread(draw: Draw) -> Arguments:
    x = tensor(draw, 1)
    dim = axis(draw, x)
    forms = (((x,), {}), ((x, dim), {}), ((x, dim), {"keepdim": True}), ((x, False), {}), ((x, dim, False, True), {}))
    return draw(st.sampled_from((*forms, ((x,), {"dim": dim, "unbiased": False}))))


def amax(draw: Draw) -> Arguments:
    return reduction(draw, NUMBERS)


def without_axis(draw: Draw) -> Arguments:
    x = tensor(draw, dtypes=NUMBERS)
    return draw(st.sampled_from((((x,), {}), ((x, axis(draw, x)), {}))))


def highest(draw: Draw) -> Arguments:
    x = tensor(draw)
    other = ones(broadcastable(draw, tuple(x.shape)), x.dtype)
    return draw(st.sampled_from((((x,), {}), ((x, axis(draw, x)), {}), ((x, axis(draw, x), True), {}), ((x, other), {}))))


def kth(draw: Draw) -> Arguments:
    x = tensor(draw)
    return draw(st.sampled_from((((x, 1), {}), ((x, 2, axis(draw, x)), {}), ((x, 2, axis(draw, x), True), {}))))


def sort(draw: Draw) -> Arguments:
    x = tensor(draw)
    return draw(
        st.sampled_from((((x,), {}), ((x, axis(draw, x)), {}), ((x, axis(draw, x), True), {}), ((x,), {"descending": True})))
    )


def topk(draw: Draw) -> Arguments:
    x = tensor(draw, 1)
    return draw(st.sampled_from((((x, 1), {}), ((x, 2, axis(draw, x)), {}), ((x, 2), {"dim": axis(draw, x)}))))


def needs_dim(draw: Draw) -> Arguments:
    x = tensor(draw)
    return (x, axis(draw, x)), {}


def cumulated(draw: Draw) -> Arguments:
    x = tensor(draw, dtypes=NUMBERS)
    return (x, axis(draw, x)), {}


# -- products --------------------------------------------------------------------------------------------------------
def matmul(draw: Draw) -> Arguments:
    n, k, m = size(draw), size(draw), size(draw)
    batch = shape(draw, 0, 2)
    left = draw(st.sampled_from(((k,), (n, k), (*batch, n, k))))
    wrong = draw(st.integers(0, 5)) == 0
    inner = size(draw) if wrong else k
    right = draw(st.sampled_from(((inner,), (inner, m), (*broadcastable(draw, batch), inner, m))))
    return (ones(left), ones(right)), {}


def mm(draw: Draw) -> Arguments:
    args, _ = exact_product(draw, 2)
    return args, {}


def exact_product(draw: Draw, rank: int) -> Arguments:
    n, k, m, b = size(draw), size(draw), size(draw), size(draw)
    batch = (b,) if rank == 3 else ()
    inner = size(draw) if draw(st.integers(0, 5)) == 0 else k
    left, right = (*batch, n, k), (*batch, inner, m)
    if draw(st.integers(0, 7)) == 0:
        left = (2, *left)
    return (ones(left), ones(right)), {}


def bmm(draw: Draw) -> Arguments:
    return exact_product(draw, 3)


def mv(draw: Draw) -> Arguments:
    k = size(draw)
    return (ones((size(draw), k)), ones((k if draw(st.booleans()) else size(draw),))), {}


def added(rank: int) -> Case:
    def case(draw: Draw) -> Arguments:
        (left, right), _ = exact_product(draw, rank)
        result = (*left.shape[:-1], right.shape[-1])
        return (ones(broadcastable(draw, result)), left, right), {}

    return case


def vectors(draw: Draw) -> Arguments:
    n = size(draw)
    return (ones((n,)), ones((n if draw(st.booleans()) else size(draw),)) if draw(st.integers(0, 5)) else ones((2, 2))), {}


def f_linear(draw: Draw) -> Arguments:
    k, out = size(draw), size(draw)
    x = ones((*shape(draw, 0, 3), k if draw(st.integers(0, 5)) else size(draw)))
    args = (x, ones((out, k)))
    return ((*args, ones((out if draw(st.integers(0, 5)) else size(draw),))) if draw(st.booleans()) else args), {}


def einsum(draw: Draw) -> Arguments:
    b, i, j, k = (size(draw) for _ in range(4))
    other = j if draw(st.integers(0, 5)) else size(draw)
    return (
        draw(
            st.sampled_from((
                ("bij,bjk->bik", ones((b, i, j)), ones((b, other, k))), ("ij,jk", ones((i, j)), ones((other, k))),
                ("b i j -> b j i", ones((b, i, j))), ("bij->b", ones((b, i, j))), ("bij,bj->bi", ones((b, i, j)), ones((b, j))),
                ("bij,ij->", ones((b, i, j)), ones((i, j))), ("ij->k", ones((i, j))), ("ij,j->i", ones((b, i, j)), ones((j,))),
            ))
        ),
        {},
    )  # fmt: skip


# -- losses and convolutions -----------------------------------------------------------------------------------------
def loss(name: str) -> Case:
    def case(draw: Draw) -> Arguments:
        args, _ = loss_inputs(name)
        return args, {"reduction": draw(st.sampled_from(("mean", "sum")))} if draw(st.booleans()) else {}

    return case


def loss_inputs(name: str) -> Arguments:
    x = torch.full((4, 3), 0.5)
    classes = torch.zeros(4, dtype=torch.int64)
    match name:
        case "cross_entropy" | "nll_loss":
            return (x, classes), {}
        case "cosine_embedding_loss" | "margin_ranking_loss":
            other = torch.ones(4) if name.startswith("cosine") else torch.ones(4, 3)
            return (x, x.clone(), other), {}
        case _:
            return (x, torch.full((4, 3), 0.5)), {}


def convolved(axes: int) -> Case:
    def case(draw: Draw) -> Arguments:
        c, out = size(draw), size(draw)
        x = ones((*shape(draw, 0, 1), c, *(size(draw, 1, 6) for _ in range(axes))))
        weight = ones((out, c if draw(st.integers(0, 5)) else size(draw), *(size(draw, 1, 3) for _ in range(axes))))
        kwargs = {"stride": size(draw, 1, 2), "padding": draw(st.integers(0, 2)), "dilation": size(draw, 1, 2)}
        return (x, weight), {key: value for key, value in kwargs.items() if draw(st.booleans())}

    return case


def pooled(axes: int, is_max: bool) -> Case:
    def case(draw: Draw) -> Arguments:
        x = ones((*shape(draw, 1, 2), *(size(draw, 1, 6) for _ in range(axes))))
        kernel = draw(st.sampled_from((1, 2, 3, (2,) * axes)))
        kwargs: dict[str, Any] = {
            "stride": size(draw, 1, 3),
            "padding": draw(st.integers(0, 1)),
            "ceil_mode": draw(st.booleans()),
        }
        if is_max:
            kwargs["dilation"] = size(draw, 1, 2)
        return (x, kernel), {key: value for key, value in kwargs.items() if draw(st.booleans())}

    return case


def adaptive(axes: int) -> Case:
    def case(draw: Draw) -> Arguments:
        x = ones((*shape(draw, 1, 2), *(size(draw, 1, 6) for _ in range(axes))))
        return (x, draw(st.sampled_from((1, 3, (2,) * axes)))), {}

    return case


T, M, F = "torch", "torch.Tensor", "torch.nn.functional"
CLAMPS = "clamp clip clamp_min clamp_max"
CASES: dict[str, Case] = {
    **names(" ".join(w for w in elementwise.UNARY.split() if w not in CLAMPS.split()), one, T, M),
    **names(CLAMPS, clamped, T, M),
    **names(elementwise.FLOATING, one, T, M),
    **names("relu", one, T, M),
    **names("selu celu rrelu", one_float, T),
    **names("dropout alpha_dropout", lambda draw: ((tensor(draw), 0.5, True), {}), T),
    **names(elementwise.ACTIVATIONS, one_float, F),
    "torch.nn.functional.threshold": lambda draw: ((tensor(draw), 0.1, 2.0), {}),
    "torch.nn.functional.feature_alpha_dropout": lambda draw: ((tensor(draw, 2),), {}),
    **names("isnan isinf isfinite logical_not", any_dtype, T, M),
    "torch.Tensor.logical_not_": lambda draw: ((ones(shape(draw), torch.bool),), {}),
    **names("softmax log_softmax", along, T, M),
    **names("softmax log_softmax softmin gumbel_softmax", by_keyword, F),
    "torch.nn.functional.normalize": normalized,
    "torch.nn.functional.glu": glu,
    **names(elementwise.COMPARISONS, broadcasting, T, M),
    **names("add mul multiply div divide true_divide floor_divide remainder fmod sub subtract pow", numbers, T, M),
    **names("maximum minimum fmax fmin atan2", pairs, T, M),
    **names("bitwise_and bitwise_or bitwise_xor", integers, T, M),
    **names("logical_and logical_or logical_xor", truths, T, M),
    "torch.where": where,
    "torch.Tensor.where": where_method,
    **names("sum nansum count_nonzero", lambda draw: reduction(draw, NUMBERS), T, M),
    **names("count_nonzero", lambda draw: draw(st.sampled_from((without_axis(draw),))), T, M),
    **names("prod", single_reduction, T, M),
    **names("mean", float_reduction, T, M),
    **names("nanmean", lambda draw: reduction(draw, FLOAT_TYPES), T, M),
    **names("logsumexp", needs_axis, T, M),
    **names("std var", spread, T, M),
    **names("norm", norm, T, M),
    **names("amax amin", amax, T, M),
    **names("argmax argmin", single_reduction, T, M),
    **names("any all", lambda draw: reduction(draw), T, M),
    **names("argsort", sort, T, M),
    **names("cumsum cumprod", cumulated, T, M),
    **names("nonzero", one, T, M),
    **names("max min", highest, T, M),
    **names("median mode", single_reduction, T, M),
    **names("kthvalue", kth, T, M),
    **names("sort", sort, T, M),
    **names("topk", topk, T, M),
    **names("cummax cummin", needs_dim, T, M),
    **names("item", lambda draw: ((ones(()),), {}), M),
    **names("tolist numpy", one, M),
    **names("matmul", matmul, T, M),
    **names("mm", mm, T, M),
    **names("bmm", bmm, T, M),
    **names("mv", mv, T, M),
    **names("addmm", added(2), T, M),
    **names("baddbmm", added(3), T, M),
    **names("dot outer ger", vectors, T, M),
    "torch.nn.functional.linear": f_linear,
    "torch.einsum": einsum,
    **{f"{F}.{name}": loss(name) for name in LOSSES.split()},
    **{f"{F}.conv{axes}d": convolved(axes) for axes in (1, 2)},
    **{f"{F}.max_pool{axes}d": pooled(axes, True) for axes in (1, 2)},
    **{f"{F}.avg_pool{axes}d": pooled(axes, False) for axes in (1, 2)},
    **{f"{F}.adaptive_{kind}_pool{axes}d": adaptive(axes) for kind, axes in (("avg", 1), ("avg", 2), ("max", 1))},
    f"{F}.interpolate": lambda draw: ((ones((1, 2, 4)),), {"scale_factor": 2}),
    f"{F}.embedding": lambda draw: ((torch.zeros(shape(draw), dtype=torch.int64), ones((3, size(draw)))), {}),
    f"{F}.cosine_similarity": lambda draw: (((x := tensor(draw, 1)), x.clone(), axis(draw, x)), {}),
}
