"""What the rules about a layer's results share: what one use takes of which axis, and for which configuration that is wrong."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from functools import reduce
from operator import or_

from lstm_lint.dims import ONE, ZERO, Dim
from lstm_lint.facts import LstmSite, Use
from lstm_lint.lineage import Lineage, Role, Taken
from lstm_lint.proofs.comparison import Comparison, Trust, compare
from lstm_lint.rules.base import Handling
from lstm_lint.values import Tensor


def lineage_of(use: Use) -> Lineage | None:
    """What the tensor is that it is done to."""
    return use.source.lineage if use.source is not None else None


def result_of(use: Use) -> Lineage | None:
    """What it results in, if that is one tensor."""
    return use.result.lineage if isinstance(use.result, Tensor) else None


def taken_by(use: Use) -> Sequence[Taken]:
    """What it takes of which role: nothing where it takes nothing, or is not understood."""
    before, after = lineage_of(use), result_of(use)
    if before is None or after is None or after.taken[: len(before.taken)] != before.taken:
        return ()
    return after.taken[len(before.taken) :]


def took(use: Use, role: Role) -> Taken | None:
    """What it takes of one role."""
    return next((taken for taken in taken_by(use) if taken.role is role), None)


def takings(use: Use, role: Role) -> Iterator[tuple[Lineage, Taken]]:
    """What it takes of one role, and what results; or what it is given of that, taken as an item of a sequence or by a loop."""
    after, taken = result_of(use), took(use, role)
    if after is not None and taken is not None:
        yield after, taken
    for lineage in use.lineages:
        item = lineage.took(role)
        if item is not None and item.loose:
            yield lineage, item


def which(lineage: Lineage) -> frozenset[str]:
    """``output``, ``h``, ``c``: what of a layer it is."""
    return frozenset(source.which for source in lineage.sources)


def trust_of(use: Use) -> Trust:
    """The symbols that may be varied: those of the layers' own configurations."""
    return reduce(or_, (site.trust for site in use.sites), Trust())


def two_directions(use: Use, size: Dim | None = None) -> Comparison:
    """For which configurations the layer has two directions; never if the extent is EQUAL's."""
    return compare(ONE, size if size is not None else _directions(use.sites), use.given, trust_of(use))


def _directions(sites: Sequence[LstmSite]) -> Dim:
    configs = [site.config for site in sites if site.config is not None]
    sizes = {config.num_directions for config in configs}
    return sizes.pop() if len(sizes) == 1 and len(configs) == len(sites) else ONE


def site_of(use: Use) -> LstmSite | None:
    """The layer; of several, as an LSTM and a GRU under one name, the first that can be built."""
    return next((site for site in use.sites if site.config is not None), None)


def taken_further(lineage: Lineage, handling: Handling) -> list[Lineage]:
    """What is made of something after that was taken."""
    found = [after for use in handling.of(lineage) if (after := result_of(use)) is not None]
    return [after for after in found if after.taken[: len(lineage.taken)] == lineage.taken]


def is_one_of_many(use: Use, role: Role, handling: Handling) -> bool:
    """Whether the same code takes others of that axis too, in other rounds of a loop: ``for i in range(len(y)): out[i]``."""
    before = lineage_of(use)
    others = handling.of(before) if before is not None else ()
    taken = [took(other, role) for other in others if other.place == use.place]
    return len({one.at for one in taken if one is not None}) > 1


def layer_name(use: Use) -> str:
    """``LSTM``, or ``layer`` where several kinds are meant."""
    layers = {site.layer for site in use.sites}
    return layers.pop() if len(layers) == 1 else "layer"


BOTH = "torch.cat([h_n[-2], h_n[-1]], dim=-1)"
"""The ends of both directions of the last layer."""


def told_apart(use: Use, others: Iterable[Use]) -> bool:
    """Whether something is done with the same results only where the layer has two directions: the code thinks of that case."""
    flags = {flag for site in use.sites if site.config is not None for flag in site.config.bidirectional.flags}
    with_one = [flag for flag in flags if use.given.substitute({flag: ZERO}) != ZERO]
    return any(other.given.substitute({flag: ZERO}) == ZERO for other in others for flag in with_one)
