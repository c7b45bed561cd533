"""Batches of a DataLoader: what a loop over one gives, and which sizes of tensors are those of its batches."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from lstm_lint.dims import Dim, Kind, Symbol
from lstm_lint.source import Place

PARAMETERS = (
    "dataset", "batch_size", "shuffle", "sampler", "batch_sampler", "num_workers", "collate_fn", "pin_memory", "drop_last",
)  # fmt: skip
"""Of ``torch.utils.data.DataLoader``, in order. Source: torch/utils/data/dataloader.py of torch 2.13."""

SAMPLE = "sample"
"""First part of the key of an Unknown that is the index of any sample of a data set."""

BATCH = "batch of a loader"
"""First part of the key of an Unknown that is a batch: (BATCH, Loader)."""


@dataclass(frozen=True)
class Loader:
    """A DataLoader whose batches have `batch_size` samples, but for the last one where it `keeps_last`, however small.

    `length` is the number of samples in all, None if it is not known. `stacks`: torch makes the batches, one sample behind the
    other along the first axis. `shuffles`: they are in no order, so that their axis is no axis of time.
    """

    batch_size: Dim
    length: Dim | None
    place: Place
    number: int
    keeps_last: bool = True
    stacks: bool = False
    shuffles: bool = False

    @property
    def size(self) -> Dim:
        """How many samples a batch of it has, as a symbol."""
        key = (BATCH, self)
        return Dim.of(Symbol(("size", key, 0), "batch", Kind.RUNTIME, owner=("sizes", key)))

    @property
    def may_be_short(self) -> bool:
        """Whether the last batch may be smaller: not if the number of samples is a multiple of the batch."""
        if self.batch_size.constant == 1 or not self.keeps_last:
            return False
        return self.length is None or self.length.divided_by(self.batch_size) is None


def loader_in(key: Hashable) -> Loader | None:
    """The loader whose batch something is a part of, by its key."""
    match key:
        case (mark, Loader() as loader) if mark == BATCH:
            return loader
        case tuple():
            return next((found for part in key if (found := loader_in(part)) is not None), None)
        case _:
            return None


def collated_key(loader: Loader, part: Hashable) -> Hashable:
    """The key of an Unknown that is what torch's own collate makes of one part of the samples."""
    return ((BATCH, loader), "part", part)


def loader_of(symbols: Iterable[Symbol]) -> Loader | None:
    """The loader of whose batches one of these is a size."""
    for symbol in symbols:
        match symbol.key:
            case ("size", key, _) if (loader := loader_in(key)) is not None:
                return loader
    return None


def stacked_by(size: Dim | None) -> Loader | None:
    """The loader whose number of samples a size is: of an axis along which it put them one behind the other."""
    for symbol in size.symbols if size is not None else ():
        match symbol.key:
            case ("size", ((mark, Loader() as loader) | ((mark, Loader() as loader), "part", _)), 0) if mark == BATCH:
                return loader if loader.stacks and size == Dim.of(symbol) else None
    return None
