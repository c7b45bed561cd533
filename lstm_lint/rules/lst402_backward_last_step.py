"""# LST402 backward-last-step

**Severity:** warning

## What it does
Finds the last step of the output of a bidirectional layer, both directions of it, in any spelling. It is silent where the first
step is taken as well, or only the forward half of the last one.

```
          step 0      1      ...    T-1
forward        ->     ->     ...    ->   has read every step
backward       <-     <-     ...    <-   has read one step: the last
               |                    |
   backward is complete       out[:, -1] takes these two
```

## Why it is bad
The backward direction runs from the end to the start. At the last step it has read one token. Half of the features
that the next layer gets say nothing of the sequence.

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
from lstm_lint.lineage import FIRST, LAST, Lineage, Role
from lstm_lint.proofs import Comparison, Extent
from lstm_lint.remedies import JoinEnds
from lstm_lint.rules.base import Ask, Complaint, Handling, Rule, condition_text
from lstm_lint.rules.handling import lineage_of, result_of, site_of, took, two_directions, which


def check(use: Use, handling: Handling) -> Iterator[Complaint]:
    before, after = lineage_of(use), result_of(use)
    step = took(use, Role.TIME)
    if before is None or after is None or step is None or step.at != LAST or step.size == ONE or which(before) != {"output"}:
        return
    if after.took(Role.DIRECTION) is not None or _first_step_too(before, handling) or _forward_alone(after, handling):
        return
    comparison = two_directions(use)
    if not comparison.differs:
        return
    message = (
        "the last step of a bidirectional layer: its backward half has read one step only; "
        f"take both directions of h_n instead, torch.cat([h_n[-2], h_n[-1]], dim=-1){condition_text(comparison)}"
    )
    yield Complaint(
        use.place,
        message,
        Ask.EXPERIMENT,
        comparison,
        site=site_of(use),
        use=use,
        experiment="backward-last-step",
        remedy=_remedy(use, before, comparison),
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


def _first_step_too(lineage: Lineage, handling: Handling) -> bool:
    """Whether the first step, where the backward direction has read everything, is taken as well."""
    steps = [(taken, after) for use in handling.of(lineage) if (after := result_of(use)) and (taken := after.took(Role.TIME))]
    halves = [after.took(Role.DIRECTION) for taken, after in steps if taken.at == FIRST]
    return any(half is None or half.at == LAST for half in halves)


def _forward_alone(last: Lineage, handling: Handling) -> bool:
    """Whether of this last step only the forward half is used."""
    found = [after for use in handling.of(last) if (after := result_of(use)) and after.taken[: len(last.taken)] == last.taken]
    halves = {half.at for after in found if (half := after.took(Role.DIRECTION)) is not None}
    return halves == {FIRST}


RULE = Rule("LST402", "backward-last-step", Severity.WARNING, True, __doc__, of_use=check)
