"""# LST301 output-features

**Severity:** error; a warning where it is wrong for some configurations only.

## What it does
Follows the features that a recurrent layer gives, through dropout, activations, permute, pad_packed_sequence, concatenation,
reshape and pooling over time, to whatever has a size of its own for them: Linear, Bilinear, LayerNorm, RMSNorm, BatchNorm1d,
Conv1d, MultiheadAttention, transformer layers, and products with a weight (`@`, matmul, einsum, F.linear). BatchNorm1d and
Conv1d want the features on axis 1: where they stand behind the steps, that is found too.

```
                          features          D = 2 if bidirectional else 1
output     (T, N,           D*P)            P = proj_size or hidden_size
h_n[-1]       (N,             P)            one direction of one layer
cat of both   (N,           2*P)            torch.cat([h_n[-2], h_n[-1]], dim=-1)
                             |
                             v
                 nn.Linear(in_features, k)  in_features is that number
```
A recurrent layer that is fed so is LST205.

## Why it is bad
torch refuses the product. The usual case: `bidirectional=True` was added to the layer, and the classifier behind it still takes
`hidden_size`; or the class takes `bidirectional` as a parameter and is right for one of its values.

## Example
```python
lstm = nn.LSTM(28, 64, bidirectional=True)
head = nn.Linear(64, 10)
out, _ = lstm(x)
scores = head(out)
```

## Instead
```python
lstm = nn.LSTM(28, 64, bidirectional=True)
head = nn.Linear(2 * 64, 10)
out, _ = lstm(x)
scores = head(out)
```

## What torch says
`mat1 and mat2 shapes cannot be multiplied (30x128 and 64x10)`; LayerNorm: `Given normalized_shape=[64], expected input with
shape [*, 64]`; Conv1d: `expected input[3, 128, 5] to have 64 channels, but got 128 channels instead`.

## Fix safety
Unsafe: where the consumer is built, its size is written anew, as a number or in the names that are visible there, such as
`hidden * 2`. Whether the layer or the consumer was meant otherwise, only you know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace

from lstm_lint.dims import ONE, Dim, Symbol
from lstm_lint.facts import LstmSite, Use
from lstm_lint.findings import Severity
from lstm_lint.lineage import Role
from lstm_lint.proofs.comparison import UNDECIDED, Comparison, Extent, Trust, compare
from lstm_lint.proofs.wording import is_about_a_rank
from lstm_lint.remedies import Argument, SetSize
from lstm_lint.rules.base import Ask, Complaint, Handling, Rule, condition_text
from lstm_lint.rules.consumers import Want, wanted
from lstm_lint.rules.handling import site_of, trust_of, which
from lstm_lint.values import Tensor


def check(use: Use, _: Handling) -> Iterator[Complaint]:
    if not use.sites:
        return
    for want in wanted(use):
        found = _fed(use, want)
        if found is not None and found.comparison.differs:
            yield _complaint(use, want, found)
            return
        if (steps := _steps_for_features(use, want)) is not None:
            yield _on_wrong_axis(use, want, steps)
            return


def _steps_for_features(use: Use, want: Want) -> _Fed | None:
    """The axis of the steps where the features are wanted, which stand behind it in the number that is wanted.

    ``nn.Conv1d(hidden, k, 3)(out)``; a BatchNorm1d takes two axes as well, so that the tensor has to be known to have three.
    """
    lineage, dims = want.tensor.lineage, want.tensor.shape.dims
    if lineage is None or dims is None or len(dims) != 3 or want.axis != -2 or not lineage.holds_features(-1):
        return None
    if lineage.roles(-2) != (Role.TIME,) or lineage.factor(Role.TIME) is None or which(lineage) != {"output"}:
        return None
    if want.consumer == "BatchNorm1d" and any(is_about_a_rank(flag) for flag in use.given.flags):
        return None
    site, trust = site_of(use), replace(trust_of(use), rounds=use.rounds)
    if site is None or compare(want.size, dims[-1], use.given, trust).extent is not Extent.NEVER:
        return None
    comparison = compare(want.size, dims[-2], use.given, trust)
    if comparison.extent is Extent.UNKNOWN:  # sizes of a tensor and of a layer: torch takes it where they happen to be one
        comparison = Comparison(Extent.SOMETIMES, unless=f"{dims[-2].text} == {want.size.text}")
    return _Fed(site, want.size, dims[-2], comparison) if comparison.differs else None


def _on_wrong_axis(use: Use, want: Want, fed: _Fed) -> Complaint:
    message = (
        f"{want.name} is {fed.expected.text}, the features of the {fed.site.layer}'s output, and axis 1 of what it is fed are "
        f"its {fed.actual.text} steps: transpose(1, 2) first{condition_text(fed.comparison)}"
    )
    return replace(_complaint(use, want, fed), message=message, remedy=None)


@dataclass(frozen=True)
class _Fed:
    """What a consumer is given for the features that it wants."""

    site: LstmSite
    expected: Dim
    actual: Dim
    comparison: Comparison


def _fed(use: Use, want: Want) -> _Fed | None:
    lineage = want.tensor.lineage
    sites = {site.number: site for site in use.sites}
    if lineage is None or not lineage.holds_features(want.axis) or want.tensor.shape.dims is None:
        return None
    own = sorted(source.site for source in lineage.sources if source.site in sites)
    if not own or not {source.which for source in lineage.sources} <= {"output", "h", "c"}:
        return None
    flags = {symbol: flag for site in use.sites for symbol, flag in site.booleans.items()}
    expected, actual = want.size.substitute(flags), want.tensor.shape.dims[want.axis].substitute(flags)
    trust = replace(trust_of(use), rounds=use.rounds)
    given = use.given
    for site in use.sites:
        given = given * (site.config.relied_on(expected) if site.config is not None else ONE)
    comparison = compare(expected, actual, given, trust)
    if comparison.extent is Extent.SOMETIMES and not _is_own(expected, actual, trust):
        comparison = UNDECIDED
    return _Fed(sites[own[0]], expected, actual, comparison)


def _is_own(expected: Dim, actual: Dim, trust: Trust) -> bool:
    """Whether all that the difference depends on is the layers' own: another parameter may be the caller's promise."""

    def is_own(symbol: Symbol) -> bool:
        sizes = symbol.spoken_of if symbol.is_flag else ()
        return symbol in trust.knobs or (bool(sizes) and all(size in trust.knobs for size in sizes))

    return all(is_own(symbol) for symbol in (actual - expected).symbols)


def _complaint(use: Use, want: Want, fed: _Fed) -> Complaint:
    comparison = fed.comparison
    message = (
        f"{want.name} is {fed.expected.text}, but {_what(want.tensor, want.axis, fed)} {fed.actual.text} features"
        f"{_cause(want.tensor, want.axis, fed)}{condition_text(comparison)}"
    )
    lineage = want.tensor.lineage
    details = {
        "consumer": want.consumer,
        "wanted": fed.expected,
        "given": fed.actual,
        "which": min(source.which for source in lineage.sources) if lineage is not None else "output",
    }
    return Complaint(
        use.place,
        message,
        Ask.EXPERIMENT,
        comparison,
        (fed.expected,),
        (fed.actual,),
        fed.site,
        use=use,
        experiment="features",
        details=details,
        remedy=_remedy(use, want, fed),
    )


def _remedy(use: Use, want: Want, fed: _Fed) -> SetSize | None:
    """The consumer's constructor with the size that it is fed."""
    if use.built is None or use.config is None or want.parameter is None:
        return None
    argument = Argument(want.parameter, list(use.config).index(want.parameter))
    return SetSize(place=use.built, argument=argument, actual=fed.expected, wanted=fed.actual)


def _what(tensor: Tensor, axis: int, fed: _Fed) -> str:
    roles = tensor.lineage.roles(axis) if tensor.lineage is not None else ()
    if Role.JOINED in roles:
        return "what is joined here has"
    kinds = {source.which for source in tensor.lineage.sources} if tensor.lineage is not None else set()
    name = {"output": "the output", "h": "h_n", "c": "c_n"}[kinds.pop()] if len(kinds) == 1 else "what it is fed"
    return f"{name} of the {fed.site.layer} has" if name.startswith(("the output", "h_n", "c_n")) else f"{name} has"


def _cause(tensor: Tensor, axis: int, fed: _Fed) -> str:
    roles = tensor.lineage.roles(axis) if tensor.lineage is not None else ()
    if Role.DIRECTION in roles:
        return ", those of both directions"
    if fed.expected == fed.actual * 2:
        return ", those of one direction"
    return ""


RULE = Rule("LST301", "output-features", Severity.ERROR, True, __doc__, of_use=check)
