"""# LST103 state-size

**Severity:** error; a warning where it is wrong for some configurations only.

## What it does
Checks the last dimension of the state: `hidden_size` for `c_0`, and for `h_0` `proj_size` if there is a projection, else
`hidden_size`.

```
        nn.LSTM(28, 64)     nn.LSTM(28, 64, proj_size=16)     nn.LSTM(28, 64, bidirectional=True)

h_0     (1, N, 64)          (1, N, 16)   proj_size            (2, N, 64)    and not (1, N, 128)
c_0     (1, N, 64)          (1, N, 64)   hidden_size          (2, N, 64)
```

## Why it is bad
torch refuses the call. Usual causes: the size of the input or of the embedding was used, the directions were multiplied
into the last dimension (they belong into the first), or `h_0` was left at `hidden_size` when `proj_size` was added.

## Example
```python
lstm = nn.LSTM(28, 64, proj_size=16)
h0 = torch.zeros(1, x.size(1), 64)
c0 = torch.zeros(1, x.size(1), 64)
out, _ = lstm(x, (h0, c0))
```

## Instead
```python
lstm = nn.LSTM(28, 64, proj_size=16)
h0 = torch.zeros(1, x.size(1), 16)
c0 = torch.zeros(1, x.size(1), 64)
out, _ = lstm(x, (h0, c0))
```

## What torch says
`Expected hidden[0] size (1, 10, 16), got [1, 10, 64]`; a cell: `hidden0 has inconsistent hidden_size: got 28, expected 64`.
The state that comes with a `PackedSequence` is not checked for nn.LSTM: where all lengths are equal a wrong size may run in
silence, otherwise a matrix product fails.

## Fix safety
There is no automatic fix.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.dims import ONE, ZERO, Dim
from lstm_lint.findings import Severity
from lstm_lint.judge import Judged
from lstm_lint.rules.base import Complaint, Rule
from lstm_lint.rules.states import WrongAxis, axis_complaints


def check(judged: Judged) -> Iterator[Complaint]:
    return axis_complaints(judged, RULE.axis, _cause, _when_packed)


def _cause(wrong: WrongAxis) -> str:
    config, use = wrong.config, f"use {wrong.expected.text}"
    if config.proj_size != ZERO and wrong.part.which == "h_0" and wrong.is_actually(config.hidden_size):
        return f"with proj_size the hidden state is projected; {use}"
    if config.proj_size != ZERO and wrong.part.which == "c_0" and wrong.is_actually(config.output_size):
        return f"proj_size shrinks h_0 only, the cell state keeps hidden_size; {use}"
    if wrong.actual == wrong.expected * 2 or (config.num_directions != ONE and wrong.is_actually(_both_directions(wrong))):
        return f"the directions are counted in the first dimension, not in the last; {use}"
    if wrong.is_actually(config.input_size):
        return f"the last dimension is hidden_size, not input_size; {use}"
    if wrong.is_actually(wrong.judged.input.batch) or wrong.is_actually(wrong.judged.input.time):
        return f"the last dimension is hidden_size; {use}"
    name = "proj_size" if wrong.expected != config.hidden_size else "hidden_size"
    return f"the last dimension is {name}; {use}"


def _both_directions(wrong: WrongAxis) -> Dim:
    return wrong.expected * wrong.config.num_directions


def _when_packed(wrong: WrongAxis) -> str:
    return "it runs with a wrong state in silence, or fails in a matrix product"


RULE = Rule("LST103", "state-size", Severity.ERROR, True, __doc__, of_call=check, axis="size")
