"""Arguments for the rows that reshape, move axes, index, join and split."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

from opchecks.creating import names
from opchecks.draws import Arguments, Case, Draw, axis, broadcastable, factors, maybe, ones, shape, size, sizes_argument, tensor


def view(draw: Draw) -> Arguments:
    x = tensor(draw)
    args, _ = sizes_argument(draw, tuple(factors(draw, x.numel())), None)
    return (x, *args), {}


def f_reshape(draw: Draw) -> Arguments:
    x = tensor(draw)
    return (x, tuple(factors(draw, x.numel()))), {}


def view_as(draw: Draw) -> Arguments:
    x, y = tensor(draw), tensor(draw)
    return draw(st.sampled_from(((x, y), (x, x.flatten()), (x, x.unsqueeze(0))))), {}


def flatten(draw: Draw) -> Arguments:
    x = tensor(draw)
    args, kwargs = [x], {}
    maybe(draw, axis(draw, x), "start_dim", args, kwargs)
    maybe(draw, axis(draw, x), "end_dim", args, kwargs)
    return tuple(args), kwargs


def one(draw: Draw) -> Arguments:
    return (tensor(draw),), {}


def unflatten(draw: Draw) -> Arguments:
    x = tensor(draw, 1)
    dim = axis(draw, x)
    length = x.shape[dim] if -x.dim() <= dim < x.dim() else 2
    return (x, dim, tuple(factors(draw, length))), {}


def size_asked(draw: Draw) -> Arguments:
    x = tensor(draw)
    return ((x,), {}) if draw(st.booleans()) else ((x, axis(draw, x)), {})


def permute(draw: Draw) -> Arguments:
    x = tensor(draw)
    order = draw(st.permutations(range(x.dim())))
    order = [i - x.dim() if draw(st.booleans()) else i for i in order]
    if order and draw(st.integers(0, 5)) == 0:
        order[0] = draw(st.integers(-4, 4))
    return ((x, *order), {}) if order and draw(st.booleans()) else ((x, tuple(order)), {})


def f_permute(draw: Draw) -> Arguments:
    args, _ = permute(draw)
    return ((args[0], tuple(args[1:])) if not isinstance(args[-1], tuple) else args), {}


def two_axes(draw: Draw) -> Arguments:
    x = tensor(draw)
    return (x, axis(draw, x), axis(draw, x)), {}


def move(draw: Draw) -> Arguments:
    x = tensor(draw, 1)
    if draw(st.booleans()):
        return (x, axis(draw, x), axis(draw, x)), {}
    return (x, (axis(draw, x), axis(draw, x)), (axis(draw, x), axis(draw, x))), {}


def one_axis(draw: Draw) -> Arguments:
    x = tensor(draw)
    return (x, axis(draw, x)), {}


def unsqueeze(draw: Draw) -> Arguments:
    return (tensor(draw), draw(st.integers(-5, 5))), {}


def squeeze(draw: Draw) -> Arguments:
    x = ones(tuple(draw(st.sampled_from((1, 1, 2, 3))) for _ in range(draw(st.integers(0, 4)))))
    return draw(
        st.sampled_from((((x,), {}), ((x, axis(draw, x)), {}), ((x,), {"dim": axis(draw, x)}), ((x, (axis(draw, x),)), {})))
    )


def squeeze_(draw: Draw) -> Arguments:
    args, kwargs = squeeze(draw)
    return args, kwargs


def stretched(draw: Draw) -> tuple[torch.Tensor, list[int]]:
    x = ones(tuple(draw(st.sampled_from((1, 1, 2, 3))) for _ in range(draw(st.integers(0, 3)))))
    sizes = [size(draw) for _ in range(draw(st.integers(0, 2)))]
    sizes += [(-1 if draw(st.booleans()) else n) if n > 1 else size(draw) for n in x.shape]
    if sizes and draw(st.integers(0, 5)) == 0:
        sizes[draw(st.integers(0, len(sizes) - 1))] = draw(st.sampled_from((-1, 4)))
    return x, sizes


def expand(draw: Draw) -> Arguments:
    x, sizes = stretched(draw)
    args, _ = sizes_argument(draw, tuple(sizes), None)
    return (x, *args), {}


def broadcast_to(draw: Draw) -> Arguments:
    x, sizes = stretched(draw)
    return (x, tuple(sizes)), {}


def expand_as(draw: Draw) -> Arguments:
    base = shape(draw)
    return (ones(broadcastable(draw, base)), ones(base)), {}


def repeat(draw: Draw) -> Arguments:
    x = tensor(draw, 0, 3)
    counts = tuple(draw(st.integers(0, 3)) for _ in range(max(x.dim() + draw(st.integers(-1, 2)), 0)))
    args, _ = sizes_argument(draw, counts, None)
    return (x, *args), {}


def f_tile(draw: Draw) -> Arguments:
    return (tensor(draw, 0, 3), shape(draw, 0, 4)), {}


def interleaved(draw: Draw) -> Arguments:
    x = tensor(draw)
    return draw(st.sampled_from((((x, 2), {}), ((x, 3, axis(draw, x)), {}), ((x, 2), {"dim": axis(draw, x)}))))


def flip(draw: Draw) -> Arguments:
    x = tensor(draw, 1)
    return (x, (draw(st.integers(0, x.dim() - 1)),)), {}


def roll(draw: Draw) -> Arguments:
    x = tensor(draw, 1)
    return (x, 1, draw(st.integers(0, x.dim() - 1))), {}


def select(draw: Draw) -> Arguments:
    x = tensor(draw)
    return (x, axis(draw, x), draw(st.integers(-4, 4))), {}


def narrow(draw: Draw) -> Arguments:
    x = tensor(draw)
    return (x, axis(draw, x), draw(st.integers(-2, 3)), draw(st.integers(0, 3))), {}


def index_select(draw: Draw) -> Arguments:
    x = tensor(draw)
    return (x, axis(draw, x), torch.zeros(shape(draw, 0, 2), dtype=torch.int64)), {}


def gather(draw: Draw) -> Arguments:
    x = tensor(draw, 0, 3)
    other = broadcastable(draw, tuple(x.shape)) if draw(st.booleans()) else tuple(x.shape)
    return (x, axis(draw, x), torch.zeros(other, dtype=torch.int64)), {}


def masked_select(draw: Draw) -> Arguments:
    x = tensor(draw)
    return (x, torch.ones(broadcastable(draw, tuple(x.shape)), dtype=torch.bool)), {}


def take(draw: Draw) -> Arguments:
    return (tensor(draw), torch.zeros(shape(draw), dtype=torch.int64)), {}


def several(draw: Draw) -> list[torch.Tensor]:
    base = shape(draw, 0, 3)
    dtypes = draw(st.sampled_from(((torch.float32,), (torch.float32, torch.float64), (torch.int64, torch.float32, torch.bool))))
    result = []
    for _ in range(draw(st.integers(1, 3))):
        sizes = list(base)
        if sizes and draw(st.booleans()):
            sizes[draw(st.integers(0, len(sizes) - 1))] = size(draw)
        if draw(st.integers(0, 9)) == 0:
            sizes = [0]
        result.append(ones(tuple(sizes), draw(st.sampled_from(dtypes))))
    return result


def cat(draw: Draw) -> Arguments:
    tensors = several(draw)
    args: list[Any] = [tensors if draw(st.booleans()) else tuple(tensors)]
    kwargs: dict[str, Any] = {}
    maybe(draw, axis(draw, tensors[0]), "dim", args, kwargs)
    return tuple(args), kwargs


def stack(draw: Draw) -> Arguments:
    tensors = [tensor(draw, 0, 3)]
    tensors = tensors * size(draw) if draw(st.integers(0, 3)) else several(draw)
    args: list[Any] = [tensors]
    kwargs: dict[str, Any] = {}
    maybe(draw, draw(st.integers(-4, 4)), "dim", args, kwargs)
    return tuple(args), kwargs


def stacked(draw: Draw) -> Arguments:
    return ([x for x in several(draw) if x.shape != (0,)] or [ones((2,))],), {}


def pad(draw: Draw) -> Arguments:
    x = tensor(draw, 1)
    return (x, tuple(draw(st.lists(st.integers(-1, 2), min_size=0, max_size=2 * x.dim() + 1)))), {}


def split(draw: Draw) -> Arguments:
    x = tensor(draw)
    args: list[Any] = [x, draw(st.sampled_from((1, 2, 3, [1, 2], [1, 1], [2, 2], (1, 3))))]
    kwargs: dict[str, Any] = {}
    maybe(draw, axis(draw, x), "dim", args, kwargs)
    return tuple(args), kwargs


def chunk(draw: Draw) -> Arguments:
    x = tensor(draw)
    args: list[Any] = [x, draw(st.integers(0, 5))]
    kwargs: dict[str, Any] = {}
    maybe(draw, axis(draw, x), "dim", args, kwargs)
    return tuple(args), kwargs


def unbind(draw: Draw) -> Arguments:
    x = tensor(draw)
    args: list[Any] = [x]
    kwargs: dict[str, Any] = {}
    maybe(draw, axis(draw, x), "dim", args, kwargs)
    return tuple(args), kwargs


def meshgrid(draw: Draw) -> Arguments:
    return tuple(tensor(draw, 0, 1, (torch.float32,)) for _ in range(size(draw, 1, 3))), {}


def resize(draw: Draw) -> Arguments:
    return (tensor(draw), *shape(draw, 1)), {}


T, M = "torch", "torch.Tensor"
CASES: dict[str, Case] = {
    **names("view reshape", view, M),
    "torch.reshape": f_reshape,
    **names("view_as reshape_as", view_as, M),
    **names("flatten", flatten, T, M),
    **names("ravel", one, T, M),
    **names("unflatten", unflatten, T, M),
    "torch.Tensor.resize_": resize,
    "torch.Tensor.size": size_asked,
    **names("dim ndimension nelement", one, M),
    **names("numel", one, T, M),
    "torch.Tensor.permute": permute,
    "torch.permute": f_permute,
    **names("transpose swapaxes swapdims", two_axes, T, M),
    "torch.Tensor.transpose_": two_axes,
    **names("t", one, T, M),
    "torch.Tensor.t_": one,
    **names("movedim moveaxis", move, T, M),
    **names("unsqueeze", unsqueeze, T, M),
    "torch.Tensor.unsqueeze_": unsqueeze,
    **names("squeeze", squeeze, T, M),
    "torch.Tensor.squeeze_": squeeze_,
    "torch.Tensor.expand": expand,
    "torch.Tensor.expand_as": expand_as,
    **names("broadcast_to", broadcast_to, T, M),
    "torch.Tensor.repeat": repeat,
    "torch.Tensor.tile": f_tile,
    "torch.tile": f_tile,
    **names("repeat_interleave", interleaved, T, M),
    **names("flip", flip, T, M),
    **names("roll", roll, T, M),
    **names("fliplr flipud tril triu", lambda draw: ((tensor(draw, 2),), {}), T, M),
    **names("atleast_1d atleast_2d atleast_3d", one, T),
    **names("select", select, T, M),
    **names("narrow", narrow, T, M),
    **names("index_select", index_select, T, M),
    **names("gather", gather, T, M),
    **names("masked_select", masked_select, T, M),
    **names("take", take, T, M),
    "torch.stack": stack,
    **names("cat concat concatenate", cat, T),
    **names("hstack vstack row_stack dstack", stacked, T),
    "torch.nn.functional.pad": pad,
    **names("split", split, T, M),
    **names("chunk tensor_split", chunk, T, M),
    **names("unbind", unbind, T, M),
    "torch.meshgrid": meshgrid,
}
