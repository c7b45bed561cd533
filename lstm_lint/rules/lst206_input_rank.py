"""# LST206 input-rank

**Severity:** error

## What it does
Checks that the input has three dimensions, or two if it is one sequence without a batch; for a cell two, or one.

## Why it is bad
torch refuses the call. Usual causes: images or windows that still have their channel dimension, or a whole sequence given
to a cell.

## Example
```python
lstm = nn.LSTM(28, 64, batch_first=True)
images = torch.randn(32, 1, 28, 28)
out, _ = lstm(images)
```

## Instead
```python
lstm = nn.LSTM(28, 64, batch_first=True)
images = torch.randn(32, 1, 28, 28)
out, _ = lstm(images.squeeze(1))
```

## What torch says
`LSTM: Expected input to be 2D or 3D, got 4D instead`; a cell: `LSTMCell: Expected input to be 1D or 2D, got 3D instead`.

## Fix safety
There is no automatic fix.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.findings import Severity
from lstm_lint.judge import Judged
from lstm_lint.rules.base import Ask, Complaint, Rule, is_readable, sizes_text


def check(judged: Judged) -> Iterator[Complaint]:
    config, view = judged.call.site.config, judged.input
    if config is None or not is_readable(judged) or view.dims is None or view.batched is not None:
        return
    if config.is_cell:
        wanted, advice = "2-D (batch, features) or 1-D (features)", "give it one time step at a time"
    else:
        wanted, advice = "3-D, or 2-D without a batch", "bring it to three dimensions"
    rank = len(view.dims)
    if rank < (1 if config.is_cell else 2):
        advice = "add the missing dimensions with unsqueeze"
    shape = f"{sizes_text(view.dims)}, {rank}-D," if rank else "a scalar"
    message = f"the input is {shape} but {config.layer} takes {wanted}; {advice}"
    yield Complaint(judged.call.place, message, Ask.INPUT, actual=view.dims, site=judged.call.site, judged=judged)


RULE = Rule("LST206", "input-rank", Severity.ERROR, True, __doc__, of_call=check)
