"""Batches of a DataLoader: what a loop over one gives, and which sizes of tensors are those of its batches."""

from __future__ import annotations

from collections.abc import Hashable, Iterable
from dataclasses import dataclass

from lstm_lint.dims import Dim, Symbol
from lstm_lint.source import Place

PARAMETERS = (
    "dataset", "batch_size", "shuffle", "sampler", "batch_sampler", "num_workers", "collate_fn", "pin_memory", "drop_last",
)  # fmt: skip
"""Of ``torch.utils.data.DataLoader``, in order. Source: torch/utils/data/dataloader.py of torch 2.13."""

BATCH = "batch of a loader"
"""First part of the key of an Unknown that is a batch: (BATCH, Loader)."""


@dataclass(frozen=True)
class Loader:
    """A DataLoader that keeps its last batch, however small: it has `batch_size` samples but for that one.

    `length` is the number of samples in all, None if it is not known.
    """

    batch_size: Dim
    length: Dim | None
    place: Place
    number: int

    @property
    def may_be_short(self) -> bool:
        """Whether the last batch may be smaller: not if the number of samples is a multiple of the batch."""
        if self.batch_size.constant == 1:
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


def loader_of(symbols: Iterable[Symbol]) -> Loader | None:
    """The loader of whose batches one of these is a size."""
    for symbol in symbols:
        match symbol.key:
            case ("size", key, _) if (loader := loader_in(key)) is not None:
                return loader
    return None
