"""# LST401 wrong-last-step

**Severity:** warning

## What it does
Finds the last *sample* of a batch where the last *step* of the sequence was meant: `out[:, -1]` of a layer without
`batch_first`, and `out[-1]` of one with it, in any spelling.

```
batch_first=False          batch_first=True
out  (T, N, D*H)           out  (N, T, D*H)
      |  |                       |  |
      |  +- out[:, -1]           |  +- out[:, -1]  the last step of every sample
      |     the last sample      |
      +---- out[-1]              +---- out[-1]     the last sample, all its steps
            the last step
```

## Why it is bad
Nothing raises: both axes have an end, and what comes out has the features that the next layer wants. The model learns from one
sample of every batch, in as many rows as there are steps.

## Example
```python
lstm = nn.LSTM(28, 64)  # (T, N, 28) in, (T, N, 64) out
out, _ = lstm(x)
last = out[:, -1]
```

## Instead
```python
lstm = nn.LSTM(28, 64, batch_first=True)
out, _ = lstm(x)
last = out[:, -1]
```
or `out[-1]`, if the data has its steps first.

## What torch says
Nothing. `check` shows how far what is taken is from the last step that `h_n` holds.

## Fix safety
Unsafe: the index moves to the axis of the steps. Whether the data is laid out as the layer says, only you know.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.dims import ONE
from lstm_lint.facts import Use
from lstm_lint.findings import Severity
from lstm_lint.lineage import LAST, OTHER, Lineage, Role
from lstm_lint.remedies import MoveIndex
from lstm_lint.rules.base import Ask, Complaint, Handling, Rule
from lstm_lint.rules.handling import is_one_of_many, layer_name, lineage_of, result_of, site_of, taken_further, took, which


def check(use: Use, handling: Handling) -> Iterator[Complaint]:
    before, after, site = lineage_of(use), result_of(use), site_of(use)
    sample = took(use, Role.BATCH)
    if before is None or after is None or sample is None or sample.at != LAST or which(before) != {"output"}:
        return
    if is_one_of_many(use, Role.BATCH, handling):
        return
    if any(source.place in handling.misread for source in before.sources):
        return  # the layer reads another layout than that of the data: the index may be right
    steps = before.factor(Role.TIME)
    if steps is None or ONE in (steps.size, sample.size) or after.axis_of(Role.TIME) is None or _goes_on(after, handling):
        return
    batch, time = before.axis_of(Role.BATCH), before.axis_of(Role.TIME)
    names = {batch: "batch", time: "time"}
    layout = ", ".join(names.get(axis, "features") for axis in range(len(before.axes or ())))
    layer = "build the layer with batch_first=True" if batch else "without batch_first"
    layer += ", if the data is laid out so"
    message = (
        "the last sample of the batch, all its steps, and not the last step: "
        f"the {layer_name(use)}'s output is ({layout}) here; take the end of axis {time} instead, or {layer}"
    )
    details = {"axis": batch, "steps": time}
    remedy = _remedy(use, before)
    yield Complaint(
        use.place, message, Ask.EXPERIMENT, site=site, use=use, experiment="last-sample", details=details, remedy=remedy
    )


def _remedy(use: Use, before: Lineage) -> MoveIndex | None:
    batch, time = before.axis_of(Role.BATCH), before.axis_of(Role.TIME)
    return None if batch is None or time is None else MoveIndex(place=use.place, origin=batch, goal=time)


def _goes_on(sample: Lineage, handling: Handling) -> bool:
    """Whether of that sample one step is taken then: ``out[-1][-1]`` means both."""
    steps = [after.took(Role.TIME) for after in taken_further(sample, handling)]
    return any(step is not None and step.at != OTHER for step in steps)


RULE = Rule("LST401", "wrong-last-step", Severity.WARNING, True, __doc__, of_use=check)
