"""# LST407 padded-last-step

**Severity:** warning

## What it does
Finds the last step of what `pad_packed_sequence` gave back, and, of a batch that `pad_sequence` made and nobody packed, the
last step and the final state. It is silent where all lengths are known to be equal or may be so (the items of something that
may be one tensor), for a batch of one, and where the padding stands in front (`padding_side="left"`).

```
out  (N, T, H), lengths 5, 3, 2

sample 0   h1  h2  h3  h4 [h5]
sample 1   h1  h2 [h3]  0   0    <- the end of sample 1 is step 2
sample 2   h1 [h2]  0   0   0
                           |
                       out[:, -1] is 0 for every sample but the longest
```

## Why it is bad
Packing kept the padding out of the recurrence, and `out[:, -1]` takes it back in: for each sequence that is shorter than
the longest of its batch it is a row of zeros. The loss still falls, for the longest sequences are right, and a batch of one is.
Where the batch was not packed at all, the layer reads the padding behind the end as if it were data, and `out[:, -1]` is what
is left of the sequence after that: it depends on how long the others of the batch are. So is `h_n[-1]`, which is the same.

## Example
```python
packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
out, (h_n, c_n) = lstm(packed)
out, _ = pad_packed_sequence(out, batch_first=True)
last = out[:, -1]
```

## Instead
```python
packed = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
out, (h_n, c_n) = lstm(packed)
last = h_n[-1]
```
`h_n` holds each sequence at its own end. Of the output, for one direction: `out[torch.arange(len(lengths)), lengths - 1]`.

## What torch says
Nothing. `check` shows how far the last step of a shorter sequence is from what `h_n` holds of it.

## Fix safety
Not fixed: whether `h_n` has a name here, and which layer is wanted, differs from place to place.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.dims import ONE
from lstm_lint.facts import Use
from lstm_lint.findings import Severity
from lstm_lint.lineage import FIRST, LAST, Role
from lstm_lint.rules.base import Ask, Complaint, Handling, Rule
from lstm_lint.rules.handling import BOTH, lineage_of, result_of, site_of, takings, which
from lstm_lint.source import Place


def check(use: Use, _: Handling) -> Iterator[Complaint]:
    for after, step in takings(use, Role.TIME):
        alone = step.size == ONE or after.took(Role.BATCH) is not None
        if step.at == LAST and which(after) == {"output"} and after.padded and not alone:
            yield _complaint(use, step.place, "the last step of a padded batch", after.overrun)
    if _takes_final_state(use):
        yield _complaint(use, use.place, "the final state of a padded batch", True)


def _takes_final_state(use: Use) -> bool:
    """Whether of a state that has read padding it takes one for each sample: ``h_n[-1]``, but for the backward direction."""
    before, after = lineage_of(use), result_of(use)
    if before is None or after is None or not before.overrun or which(before) != {"h"} or before.took(Role.BATCH) is not None:
        return False
    half, batch = after.took(Role.DIRECTION), before.factor(Role.BATCH)
    if batch is None or batch.size == ONE or (half is not None and half.at != FIRST):
        return False
    roles = [frozenset(after.roles(axis)) for axis in range(len(after.axes or ()))]
    return len(before.axes or ()) == 3 and roles == [{Role.BATCH}, {Role.FEATURE}]


def _complaint(use: Use, place: Place, what: str, overrun: bool) -> Complaint:
    site = site_of(use)
    one_way = site is not None and site.config is not None and site.config.num_directions == ONE
    ends = "h_n[-1]" if one_way else BOTH
    message = f"{what}: for every sequence that is shorter than the longest "
    if overrun:
        message += f"the layer has run on over padding; pack the batch with pack_padded_sequence first, and take {ends}"
    else:
        message += f"it is padding; take {ends} instead, which has each sequence at its own end"
    details = {"overrun": overrun, "state": "state" in what}
    return Complaint(place, message, Ask.EXPERIMENT, site=site, use=use, experiment="padded-last-step", details=details)


RULE = Rule("LST407", "padded-last-step", Severity.WARNING, True, __doc__, of_use=check)
