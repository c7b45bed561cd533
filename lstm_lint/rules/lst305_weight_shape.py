"""# LST305 weight-shape

**Severity:** error; a warning where it is wrong for some configurations only.

## What it does
Knows every weight of a recurrent layer by name and shape: `weight_ih_l{k}`, `weight_hh_l{k}`, `bias_ih_l{k}`, `bias_hh_l{k}`,
`weight_hr_l{k}` with a projection, each again with `_reverse` for the backward direction, and those of cells. It finds names
that the layer does not have, and tensors of another shape that are assigned, copied in, loaded, or put into a slice.

```
LSTM   weight_ih_l0 (4*H, input_size)   weight_hh_l0 (4*H, P)   bias_ih_l0 (4*H)     GRU: 3*H, RNN: H
       weight_ih_l1 (4*H, D*P)

       bias_ih_l0   | i | f | g | o |    n = 4*H; the forget gate is bias[n//4 : n//2]
                    0  n/4 n/2 3n/4  n
```

## Why it is bad
A name that does not exist raises `AttributeError`, a copy of another shape `RuntimeError`. An assignment does not raise: torch
finds out in the next call, and with the oneDNN kernels of the CPU an LSTM reads the memory behind a weight that is too small,
and says nothing.

## Example
```python
lstm = nn.LSTM(28, 64, bidirectional=True)
lstm.weight_ih_l0.data.copy_(torch.randn(64, 28))
nn.init.orthogonal_(lstm.weight_hh_l1)
```

## Instead
```python
lstm = nn.LSTM(28, 64, bidirectional=True)
lstm.weight_ih_l0.data.copy_(torch.randn(4 * 64, 28))
nn.init.orthogonal_(lstm.weight_hh_l0_reverse)
```

## What torch says
`'LSTM' object has no attribute 'weight_hh_l1'`; `The size of tensor a (256) must match the size of tensor b (64)`; `Error(s) in
loading state_dict for LSTM`; of nn.init on a bias: `Only tensors with 2 or more dimensions are supported`.

## Fix safety
There is no automatic fix.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

from lstm_lint.dims import ONE, Dim
from lstm_lint.facts import LstmSite, Use
from lstm_lint.findings import Severity
from lstm_lint.ops.weights import existence, parsed, weight_dims
from lstm_lint.proofs.comparison import EQUAL, Comparison, Extent, compare
from lstm_lint.proofs.conditions import reached_by_default
from lstm_lint.rules.base import CERTAIN, Ask, Complaint, Handling, Rule, condition_text, sizes_text
from lstm_lint.rules.handling import trust_of
from lstm_lint.values import Tensor

WORDS = {"assign": "assigned to", "set item": "put into", "load": "loaded into", "load some": "loaded into"}
RANKS = {
    **dict.fromkeys(("orthogonal_", "xavier_uniform_", "xavier_normal_", "kaiming_uniform_", "kaiming_normal_"), (2, 9)),
    **dict.fromkeys(("orthogonal", "xavier_uniform", "xavier_normal", "kaiming_uniform", "kaiming_normal"), (2, 9)),
    **dict.fromkeys(("eye_", "sparse_"), (2, 2)),
    "dirac_": (3, 5),
}
"""How many axes nn.init wants (torch 2.13)."""


def check(use: Use, _: Handling) -> Iterator[Complaint]:
    weight = use.argument(0, "tensor")
    if not isinstance(weight, Tensor) or weight.lineage is None or len(weight.lineage.sources) != 1:
        return
    (source,) = weight.lineage.sources
    site = next((site for site in use.sites if site.number == source.site), None)
    if site is None or site.config is None or parsed(source.which) is None:
        return
    short = use.name.rpartition(".")[2]
    if use.name in ("weight", "load") and (missing := _missing(use, site, source.which)) is not None:
        yield missing
    elif use.name in WORDS or use.name == "torch.Tensor.copy_":
        yield from _given(use, site, source.which, weight)
    elif use.name.startswith("torch.nn.init.") and short in RANKS:
        yield from _initialized(use, site, source.which, weight, short)


def _missing(use: Use, site: LstmSite, name: str) -> Complaint | None:
    """A name that the layer does not have."""
    exists = _exists(use, site, name)
    if not exists.differs:
        return None
    message = f"this {site.layer} has no {name}: {_why(site, name)}{condition_text(exists)}"
    return _complaint(use, message, site, exists, {"do": use.name, "name": name})


def _exists(use: Use, site: LstmSite, name: str) -> Comparison:
    """For which configurations the layer has no such weight; where it has none by default that is meant."""
    assert site.config is not None
    condition = existence(site.config, name)
    found = compare(ONE, condition, use.given, replace(trust_of(use), rounds=use.rounds))
    by_default = found.extent is Extent.SOMETIMES and reached_by_default(use.given)
    return replace(found, extent=Extent.DEFAULTS) if by_default and not reached_by_default(condition * use.given) else found


def _why(site: LstmSite, name: str) -> str:
    weight, config = parsed(name), site.config
    assert weight is not None and config is not None
    if config.is_cell != (weight.layer is None):
        return (
            "a cell's weights are called weight_ih, weight_hh, bias_ih and bias_hh"
            if config.is_cell
            else ("the name of a weight ends with its layer, weight_ih_l0")
        )
    if weight.kind == "weight_hr" and (config.layer != "LSTM" or config.proj_size.constant == 0):
        return "it has no projection"
    if weight.is_reverse and config.bidirectional != ONE:
        return "it has one direction" if config.bidirectional.constant == 0 else "that is for bidirectional=True"
    if weight.kind.startswith("bias") and config.bias != ONE:
        return "it is built with bias=False" if config.bias.constant == 0 else "that is for bias=True"
    if config.num_layers.constant is None:
        return f"that is for {config.num_layers.text} > {weight.layer}"
    return f"its layers are counted from 0, and num_layers is {config.num_layers.text}"


# -- shapes ----------------------------------------------------------------------------------------------------------
def _given(use: Use, site: LstmSite, name: str, weight: Tensor) -> Iterator[Complaint]:
    """A tensor of another shape than the weight, or the part of it that it is put into."""
    value = use.arguments[1] if len(use.arguments) > 1 else use.keywords.get("other")
    if not isinstance(value, Tensor) or value.shape.dims is None or weight.shape.dims is None:
        return
    wanted, given = weight.shape.dims, value.shape.dims
    if use.name in ("assign", "load some") and _exists(use, site, name).extent is not Extent.NEVER:
        return
    stretches = use.name in ("set item", "torch.Tensor.copy_")
    comparison = _compare(use, wanted, given, stretches)
    if not comparison.differs:
        return
    what = f"a part of {name}" if _is_part(site, name, wanted) else name
    message = (
        f"{what} is {sizes_text(wanted)} in this {site.layer}, what is {WORDS.get(use.name, 'copied into')} it is "
        f"{sizes_text(given)}{condition_text(comparison)}"
    )
    details: dict[str, object] = {"do": use.name.rpartition(".")[2], "name": name, "wanted": wanted, "given": given}
    yield replace(_complaint(use, message, site, comparison, details), expected=wanted, actual=given)


def _is_part(site: LstmSite, name: str, dims: Sequence[Dim]) -> bool:
    return site.config is not None and tuple(dims) != weight_dims(site.config, name)


def _compare(use: Use, wanted: Sequence[Dim], given: Sequence[Dim], stretches: bool) -> Comparison:
    """The worst of the axes. `stretches`: sizes of 1, and axes that are missing in front, are stretched."""
    if len(given) != len(wanted) and not stretches:
        return CERTAIN
    trust = replace(trust_of(use), rounds=use.rounds)
    if len(given) > len(wanted):
        return CERTAIN if any((size.constant or 1) > 1 for size in given[: len(given) - len(wanted)]) else EQUAL
    worst = EQUAL
    for want, have in zip(reversed(wanted), reversed(given), strict=False):
        if stretches and have == ONE:
            continue
        axis = compare(want, have, use.given, trust)
        if axis.extent is Extent.SOMETIMES and not all(symbol in trust.knobs for symbol in (have - want).symbols):
            continue
        if axis.differs and (not worst.differs or worst.extent is Extent.SOMETIMES):
            worst = axis
    return worst


def _initialized(use: Use, site: LstmSite, name: str, weight: Tensor, short: str) -> Iterator[Complaint]:
    """``nn.init.orthogonal_(lstm.bias_hh_l0)``."""
    least, most = RANKS[short]
    rank = weight.shape.rank
    if rank is None or least <= rank <= most:
        return
    message = f"nn.init.{short} wants a tensor of {least} or more axes, {name} of this {site.layer} has {rank}"
    if least == most:
        message = f"nn.init.{short} wants a tensor of {least} axes, {name} of this {site.layer} has {rank}"
    yield _complaint(use, message, site, CERTAIN, {"do": "init", "name": name, "init": short})


def _complaint(use: Use, message: str, site: LstmSite, comparison: Comparison, details: dict[str, object]) -> Complaint:
    return Complaint(use.place, message, Ask.EXPERIMENT, comparison, site=site, use=use, experiment="weight", details=details)


RULE = Rule("LST305", "weight-shape", Severity.ERROR, True, __doc__, of_use=check)
