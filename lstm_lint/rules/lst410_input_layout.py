"""# LST410 input-layout

**Severity:** warning

## What it does
Finds a batch whose layout is known, since a layer, `pad_sequence` or `pad_packed_sequence` gave it, in a layer that reads it
the other way round: batch-first data in a layer without `batch_first`, or the reverse.

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
from lstm_lint.rules.base import Ask, Complaint, Rule, is_readable
from lstm_lint.values import Tensor

LAYOUTS = {True: "(batch, time, features)", False: "(time, batch, features)"}


def check(judged: Judged) -> Iterator[Complaint]:
    call, config = judged.call, judged.call.site.config
    lineage = call.input.lineage if isinstance(call.input, Tensor) else None
    if lineage is None or config is None or config.is_cell or not is_readable(judged) or lineage.turned:
        return
    laid_out, first = lineage.batch_first, config.batch_first.constant
    if laid_out is None or first is None or bool(first) == laid_out or ONE in (judged.input.batch, judged.input.time):
        return
    message = (
        f"what is given here is {LAYOUTS[laid_out]}, and this {config.layer} reads it as {LAYOUTS[not laid_out]}: it runs "
        f"along the batch; the layer wants batch_first={laid_out}, or the input a transpose"
    )
    details = {"batch_first": laid_out}
    yield Complaint(
        call.place, message, Ask.EXPERIMENT, site=call.site, judged=judged, experiment="input-layout", details=details
    )


RULE = Rule("LST410", "input-layout", Severity.WARNING, True, __doc__, of_call=check)
