"""# LST402 backward-last-step

**Severity:** warning

## What it does
Finds the last step of the output of a bidirectional layer, in any spelling: `out[:, -1]`, `out[-1]`, `out[:, seq_len - 1]`,
`out.select(1, -1)`, `out[torch.arange(n), lengths - 1]`, `gather`, `out.split([T - 1, 1], 1)[1]`, `out.flip(1)[:, 0]`, behind
any transpose, dropout or Linear, and what is left of a loop over the steps (`for step in out: last = step`) or of a list of
them. It is silent where the first step is used as well, alone or with others (a mean, an attention, a loop that does something
with each), where only the forward half of the last one is, and where one sample is looked at.

```
          step 0      1      ...    T-1
forward        ->     ->     ...    ->   has read every step
backward       <-     <-     ...    <-   has read one step: the last
               |                    |
   backward is complete       out[:, -1] takes these two
```

## Why it is bad
The backward direction runs from the end to the start. At the last step it has read one token. Half of the features
that the next layer gets say nothing of the sequence. With published models this is the most common mistake of all: they train,
and are a little worse than they could be.

## Example
```python
lstm = nn.LSTM(28, 64, bidirectional=True, batch_first=True)
out, (h_n, c_n) = lstm(x)
last = out[:, -1]
```

## Instead
```python
lstm = nn.LSTM(28, 64, bidirectional=True, batch_first=True)
out, (h_n, c_n) = lstm(x)
last = torch.cat([h_n[-2], h_n[-1]], dim=1)
```
`h_n[-2]` is the end of the last layer's forward direction, `h_n[-1]` of its backward direction: the first step.

## What torch says
Nothing. `check` shows how far the backward half of what is taken is from what `h_n` holds.

## Fix safety
Unsafe: `torch.cat([h_n[-2], h_n[-1]], dim=-1)` is written instead, in the code's own name for `h_n`; where the call drops it,
`out, _ = lstm(x)` becomes `out, (h_n, _) = lstm(x)`. The model has to be trained anew: half of its features mean something
else. There is no automatic fix where `out` is changed before its last step is taken (by dropout, by a transpose), or where the
layer is bidirectional for some configurations only.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.dims import ONE
from lstm_lint.facts import Use
from lstm_lint.findings import Severity
from lstm_lint.lineage import ENDS, FIRST, LAST, Lineage, Role, Taken
from lstm_lint.proofs.comparison import Comparison, Extent
from lstm_lint.remedies import JoinEnds
from lstm_lint.rules.base import Ask, Complaint, Handling, Rule, condition_text
from lstm_lint.rules.handling import (
    BOTH,
    layer_name,
    lineage_of,
    result_of,
    site_of,
    taken_further,
    takings,
    told_apart,
    two_directions,
    which,
)


def check(use: Use, handling: Handling) -> Iterator[Complaint]:
    for after, step in takings(use, Role.TIME):
        if step.at in (LAST, ENDS) and which(after) == {"output"} and not _is_harmless(use, after, step, handling):
            yield from _complaint(use, after, step)


def _is_harmless(use: Use, after: Lineage, step: Taken, handling: Handling) -> bool:
    """Whether there is one step only, one sample, the forward half alone, or the first step is used as well."""
    before, half = lineage_of(use), after.took(Role.DIRECTION)
    if step.size == ONE or (half is not None and half.at != LAST) or after.took(Role.BATCH) is not None:
        return True
    whole = after if step.loose or before is None else before
    others = [other for other in handling.of(whole, use.given) if other is not use]
    if told_apart(use, others) or _forward_alone(after, handling):
        return True
    if step.loose and _takes_first(use):
        return True
    used = [other for other in others if other.name != "unpack"]  # what is only unpacked into names is not used yet
    return any(_takes_first(other) or _reads_every_step(other) or _reads_several(other) for other in used)


def _complaint(use: Use, after: Lineage, step: Taken) -> Iterator[Complaint]:
    comparison = two_directions(use)
    if not comparison.differs:
        return
    half = after.took(Role.DIRECTION)
    whose = "the last step" if step.at == LAST else "each sample's own last step"
    name = f"{layer_name(use)}, as what is taken here is used behind it" if step.loose else layer_name(use)
    part = "its backward half" if half is None else "the backward half of it"
    message = (
        f"{whose} of a bidirectional {name}: {part} has read one step only; take both directions of h_n instead, "
        f"{BOTH}{condition_text(comparison)}"
    )
    before = lineage_of(use)
    mendable = half is None and step.at == LAST and not step.loose and before is not None
    yield Complaint(
        step.place,
        message,
        Ask.EXPERIMENT,
        comparison,
        site=site_of(use),
        use=use,
        experiment="backward-last-step",
        details={"step": step.at},
        remedy=_remedy(use, before, comparison) if mendable and before is not None else None,
    )


def _remedy(use: Use, before: Lineage, comparison: Comparison) -> JoinEnds | None:
    """Both ends of h_n, where the layer is bidirectional whatever its parameters are."""
    axis, site = before.axis_of(Role.TIME), site_of(use)
    if (
        axis is None
        or site is None
        or site.config is None
        or comparison.extent is not Extent.ALWAYS
        or len(before.sources) != 1
    ):
        return None
    (source,) = before.sources
    return JoinEnds(place=use.place, call=source.place, axis=axis, has_pair=site.config.has_pair)


def _takes_first(use: Use) -> bool:
    """Whether it takes the first step, where the backward direction has read everything."""
    after = result_of(use)
    for one in (*use.lineages, *((after,) if after is not None else ())):
        step, half = one.took(Role.TIME), one.took(Role.DIRECTION)
        if step is not None and step.at == FIRST and (half is None or half.at == LAST):
            return True
    return False


def _reads_several(use: Use) -> bool:
    """Whether it is done to some steps of the output, the first of which may be one of them: ``out[:, :-1].mean(1)``."""
    outputs = [one for one in use.lineages if which(one) == {"output"}]
    return any(factor.role is Role.TIME and not factor.whole for one in outputs for axis in one.axes or () for factor in axis)


PRODUCTS = frozenset({"matmul", "bmm", "mm", "einsum", "baddbmm", "scaled_dot_product_attention", "MultiheadAttention"})
REDUCTIONS = frozenset({"sum", "mean", "max", "amax", "min", "amin", "logsumexp", "prod", "norm", "std", "var", "reduce"})
READERS = frozenset({"LSTM", "GRU", "RNN", "pass"})


def _reads_every_step(use: Use) -> bool:
    """Whether it works something out of all steps of the output: a sum, an attention, another recurrent layer."""
    name = use.name.rpartition(".")[2]
    if any((step := one.took(Role.TIME)) is not None and step.index is not None for one in use.lineages):
        return True  # in a loop over them
    whole = [one for one in use.lineages if which(one) == {"output"} and one.factor(Role.TIME) is not None]
    if not whole or name in PRODUCTS | READERS:
        return bool(whole)
    if name not in REDUCTIONS and "pool" not in name.lower():
        return False
    after = result_of(use)
    return after is None or (after.factor(Role.TIME) is None and after.took(Role.TIME) is None)


def _forward_alone(last: Lineage, handling: Handling) -> bool:
    """Whether of this last step only the forward half is used."""
    halves = {half.at for after in taken_further(last, handling) if (half := after.took(Role.DIRECTION)) is not None}
    return halves == {FIRST}


RULE = Rule("LST402", "backward-last-step", Severity.WARNING, True, __doc__, of_use=check)
