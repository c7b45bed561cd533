"""# LST410 input-layout

**Severity:** warning

## What it does
Finds a batch whose layout is known, since a layer, `pad_sequence` or `pad_packed_sequence` gave it, in a layer that reads it
the other way round: batch-first data in a layer without `batch_first`, or the reverse. So is that of a batch from a
`DataLoader` that shuffles and has no `collate_fn`, where the samples are known (a `TensorDataset`, a class with a
`__getitem__`): torch puts them one behind the other along the first axis. Without `shuffle=True` it may be a sequence that is
read piece by piece, and the rule says nothing. A `collate_fn` that is in sight is followed: a batch is what it returns.

```
encoder = nn.LSTM(28, 64, batch_first=True)      out  (N, T, 64)
                                                       |  |
decoder = nn.LSTM(64, 64)                        reads (T, N, 64): N steps of T samples
```

## Why it is bad
A layer takes a batch of any size and a sequence of any length, so that nothing raises: it runs along the batch, from one sample
to the next, and every step of the time axis is a sample of its own. Samples leak into each other, and time is never read.

## Example
```python
encoder = nn.LSTM(28, 64, batch_first=True)
decoder = nn.LSTM(64, 64)
out, _ = encoder(x)
out, _ = decoder(out)
```

## Instead
```python
encoder = nn.LSTM(28, 64, batch_first=True)
decoder = nn.LSTM(64, 64, batch_first=True)
out, _ = encoder(x)
out, _ = decoder(out)
```
or `decoder(out.transpose(0, 1))`. Where axes were turned in between the rule says nothing: running along another axis may be
what is wanted.

## What torch says
Nothing. `check` shows how far the output is from that of the right layout.

## Fix safety
No fix: which of the two layers is wrong only you know.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.dims import ONE
from lstm_lint.findings import Severity
from lstm_lint.judge import Judged
from lstm_lint.ops.loading import stacked_by
from lstm_lint.rules.base import Ask, Complaint, Rule, is_readable
from lstm_lint.values import Tensor

LAYOUTS = {True: "(batch, time, features)", False: "(time, batch, features)"}


def check(judged: Judged) -> Iterator[Complaint]:
    call, config = judged.call, judged.call.site.config
    if config is None or config.is_cell or not is_readable(judged) or ONE in (judged.input.batch, judged.input.time):
        return
    laid_out, first = _layout(judged), config.batch_first.constant
    if laid_out is None or first is None or bool(first) == laid_out:
        return
    message = (
        f"what is given here is {LAYOUTS[laid_out]}, and this {config.layer} reads it as {LAYOUTS[not laid_out]}: it runs "
        f"along the batch; the layer wants batch_first={laid_out}, or the input a transpose"
    )
    details = {"batch_first": laid_out}
    yield Complaint(
        call.place, message, Ask.EXPERIMENT, site=call.site, judged=judged, experiment="input-layout", details=details
    )


def _layout(judged: Judged) -> bool | None:
    """Whether the input has its batch first; None where that is not known, or where axes were turned on purpose."""
    given = judged.call.input
    lineage = given.lineage if isinstance(given, Tensor) else None
    if lineage is not None and lineage.batch_first is not None:
        return None if lineage.turned else lineage.batch_first
    if not isinstance(given, Tensor) or given.shape.rank != 3 or judged.call.assumed_rank is not None:
        return None
    loader = stacked_by(given.shape.dim(0))
    return True if loader is not None and loader.shuffles and loader.batch_size != ONE else None


RULE = Rule("LST410", "input-layout", Severity.WARNING, True, __doc__, of_call=check)
