"""Arguments for torch.nn.utils.rnn, and for the functions around modules."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st
from torch.nn.utils import rnn

from opchecks.creating import names
from opchecks.draws import Arguments, Case, Draw, maybe, ones, shape, size

R = "torch.nn.utils.rnn"


def padded(draw: Draw) -> Arguments:
    time, batch = size(draw), size(draw)
    features = shape(draw, 0, 2)
    first = draw(st.booleans())
    lengths: Any = [time] * (batch if draw(st.integers(0, 6)) else batch + 1)
    args: list[Any] = [
        ones((batch, time, *features) if first else (time, batch, *features)),
        torch.tensor(lengths) if draw(st.booleans()) else lengths,
    ]
    kwargs: dict[str, Any] = {}
    if first and draw(st.booleans()):
        args.append(True)
    elif first:
        kwargs["batch_first"] = True
    if draw(st.booleans()):
        kwargs["enforce_sorted"] = draw(st.booleans())
    return tuple(args), kwargs


def packed(draw: Draw) -> rnn.PackedSequence:
    x = ones((size(draw), size(draw), *shape(draw, 0, 2)))
    return rnn.pack_padded_sequence(x, [x.shape[0]] * x.shape[1])


def padding(draw: Draw) -> Arguments:
    args: list[Any] = [packed(draw)]
    kwargs: dict[str, Any] = {}
    maybe(draw, draw(st.booleans()), "batch_first", args, kwargs)
    if draw(st.booleans()):
        kwargs["total_length"] = 5
    return tuple(args), kwargs


def sequences(draw: Draw) -> list[torch.Tensor]:
    features = shape(draw, 0, 2)
    lengths = sorted((size(draw) for _ in range(size(draw))), reverse=True)
    return [ones((n, *(features if draw(st.integers(0, 9)) else (5,)))) for n in lengths]


def padded_sequences(draw: Draw) -> Arguments:
    args: list[Any] = [sequences(draw)]
    kwargs: dict[str, Any] = {}
    maybe(draw, draw(st.booleans()), "batch_first", args, kwargs)
    return tuple(args), kwargs


def pack_sequence(draw: Draw) -> Arguments:
    features = shape(draw, 0, 2)
    return ([ones((n, *features)) for n in sorted((size(draw) for _ in range(size(draw))), reverse=True)],), {}


def unpad(draw: Draw) -> Arguments:
    x = ones((size(draw), size(draw), *shape(draw, 0, 2)))
    return (x, torch.tensor([x.shape[0]] * x.shape[1])), {}


CASES: dict[str, Case] = {
    f"{R}.pack_padded_sequence": padded,
    f"{R}.pad_packed_sequence": padding,
    f"{R}.pad_sequence": padded_sequences,
    f"{R}.pack_sequence": pack_sequence,
    f"{R}.unpack_sequence": lambda draw: ((packed(draw),), {}),
    f"{R}.unpad_sequence": unpad,
    f"{R}.invert_permutation": lambda draw: ((torch.arange(size(draw)),), {}),
    f"{R}.PackedSequence": lambda draw: (((p := packed(draw)).data, p.batch_sizes), {}),
    **names("cpu double float half long int", lambda draw: ((packed(draw),), {}), f"{R}.PackedSequence"),
    f"{R}.PackedSequence.to": lambda draw: ((packed(draw), "cpu"), {}),
}
