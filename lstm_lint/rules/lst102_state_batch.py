"""# LST102 state-batch

**Severity:** error; a warning where it is wrong for some configurations only.

## What it does
Checks that the batch dimension of `h_0` and `c_0` (the second one; the first one of a cell's state) is the batch of the
input.

```
                  batch_first=False              batch_first=True
x                 (T, N, F)                      (N, T, F)
                     |                            |
the batch         x.size(1)                      x.size(0)
                     |                            |
h_0, c_0     (D*L,   N, H)                (D*L,   N, H)       always on the second axis
```

## Why it is bad
torch refuses the call. The usual cause is the layout of the input: with `batch_first=True` the batch is `x.size(0)`,
without it `x.size(1)`, and the state built from the other one only fits while the sequence is as long as the batch is
large.

## Example
```python
lstm = nn.LSTM(28, 4)                      # input is (time, batch, features)
h0 = c0 = torch.zeros(1, x.size(0), 4)     # x.size(0) is the time
out, _ = lstm(x, (h0, c0))
```

## Instead
```python
lstm = nn.LSTM(28, 4)
h0 = c0 = torch.zeros(1, x.size(1), 4)
out, _ = lstm(x, (h0, c0))
```

## What torch says
`Expected hidden[0] size (1, 10, 4), got [1, 3, 4]`; a cell: `Input batch size 10 doesn't match hidden0 batch size 3`. torch
never broadcasts a state of batch 1. The state that comes with a `PackedSequence` is not checked for nn.LSTM: too small a
batch can kill the process (SIGSEGV, or SIGABRT with `free(): invalid size`), too large a one is computed with the wrong
rows, in silence.

## Fix safety
There is no automatic fix.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.dims import ONE, ZERO
from lstm_lint.findings import Severity
from lstm_lint.judge import Judged
from lstm_lint.rules.base import Complaint, Rule
from lstm_lint.rules.states import WrongAxis, axis_complaints, is_smaller


def check(judged: Judged) -> Iterator[Complaint]:
    return axis_complaints(judged, RULE.axis, _cause, _when_packed)


def _cause(wrong: WrongAxis) -> str:
    view, use = wrong.judged.input, f"use {wrong.expected.text}"
    if wrong.is_actually(ONE):
        return f"a state of batch 1 is not broadcast over the batch; {use}, or expand it"
    if wrong.is_actually(view.time):
        return f"{wrong.actual.text} is the sequence length{_layout(wrong)}; {use}"
    if wrong.is_actually(view.features):
        return f"{wrong.actual.text} is the number of features; {use}"
    return f"the state's batch has to be the input's; {use}"


def _layout(wrong: WrongAxis) -> str:
    """Why the size that was taken is not the batch."""
    if wrong.judged.input.packed or wrong.config.is_cell:
        return ""
    if wrong.config.batch_first == ONE:
        return ", since batch_first=True makes the input (batch, time, features)"
    return ": without batch_first the input is (time, batch, features)" if wrong.config.batch_first == ZERO else ""


def _when_packed(wrong: WrongAxis) -> str:
    match is_smaller(wrong.actual, wrong.expected):
        case True:
            return "it reads past the end of the state and may crash"
        case False:
            return "it runs with the wrong rows, in silence"
        case _:
            return "too small a batch may crash the process, too large a one is used in part, in silence"


RULE = Rule("LST102", "state-batch", Severity.ERROR, True, __doc__, of_call=check, axis="batch")
