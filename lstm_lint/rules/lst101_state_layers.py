"""# LST101 state-layers

**Severity:** error; a warning where it is wrong for some configurations only.

## What it does
Checks that the first dimension of `h_0` and `c_0` is `num_layers * num_directions`, where `num_directions` is 2 for a
bidirectional layer and 1 otherwise.

```
nn.LSTM(28, 4, num_layers=2, bidirectional=True)     h_0  (4, N, 4)       4 = num_layers * num_directions

h_0[0]   layer 0, forward   --+
h_0[1]   layer 0, backward  --+  torch.zeros(2, N, 4) has a state for these
h_0[2]   layer 1, forward   --+
h_0[3]   layer 1, backward  --+  and none for these
```

## Why it is bad
torch refuses the call. Code that counts only the layers, or only the directions, works until somebody sets
`bidirectional=True` or `num_layers=2`.

## Example
```python
lstm = nn.LSTM(28, 4, num_layers=2, bidirectional=True, batch_first=True)
h0 = torch.zeros(2, x.size(0), 4)
c0 = torch.zeros(2, x.size(0), 4)
out, (hn, cn) = lstm(x, (h0, c0))
```

## Instead
```python
num_directions = 2 if lstm.bidirectional else 1
h0 = torch.zeros(lstm.num_layers * num_directions, x.size(0), lstm.hidden_size)
c0 = torch.zeros(lstm.num_layers * num_directions, x.size(0), lstm.hidden_size)
```
If the state is only zeros, leave it out: `lstm(x)` starts from zeros of the right shape.

## What torch says
`Expected hidden[0] size (4, 10, 4), got [2, 10, 4]`, with `hidden[1]` for `c_0`, and `Expected hidden size` for GRU and
RNN. The state that comes with a `PackedSequence` is not checked for nn.LSTM: a state with too few layers ends in an obscure
`IndexError`, one with too many is used in part, in silence.

## Fix safety
Unsafe: where the tensor is made, its first size becomes `num_layers * num_directions` in the names that are visible there, such
as `self.num_layers * 2` or `self.lstm.num_layers * 2`. It is a fix only if the layer, and not the state, was meant.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.dims import ONE
from lstm_lint.findings import Severity
from lstm_lint.judge import Judged
from lstm_lint.remedies import CountLayers
from lstm_lint.rules.base import Complaint, Rule
from lstm_lint.rules.states import WrongAxis, axis_complaints, is_smaller


def check(judged: Judged) -> Iterator[Complaint]:
    return axis_complaints(judged, RULE.axis, _cause, _when_packed, _remedy)


def _cause(wrong: WrongAxis) -> str:
    config, use = wrong.config, f"use {wrong.expected.text}"
    two_directions = config.num_directions != ONE
    if wrong.is_actually(config.num_layers) and two_directions:
        return f"bidirectional=True doubles the first dimension; {use}"
    if wrong.is_actually(config.num_layers * 2) and not two_directions:
        return f"it is not bidirectional, so it has one state per layer; {use}"
    if wrong.is_actually(wrong.judged.input.time):
        return f"the first dimension counts the layers, not the time steps; {use}"
    if wrong.is_actually(wrong.judged.input.batch):
        return f"the first dimension counts the layers, not the samples of the batch; {use}"
    if _counts_one_layer(wrong):
        missing = "num_layers and num_directions" if two_directions and wrong.actual == ONE else "num_layers"
        return f"the first dimension counts every layer, so {missing} is missing; {use}"
    if two_directions:
        return f"the first dimension is num_layers * num_directions; {use}"
    return f"the first dimension is num_layers; {use}"


def _remedy(wrong: WrongAxis) -> CountLayers | None:
    place = wrong.part.place
    if place is None or wrong.part.actual is None:
        return None
    return CountLayers(place=place, site=wrong.judged.call.site, actual=wrong.part.actual)


def _counts_one_layer(wrong: WrongAxis) -> bool:
    """The state of one layer (in one or both directions) for a layer that has, or may have, several."""
    return wrong.config.num_layers != ONE and wrong.actual in (ONE, wrong.config.num_directions)


def _when_packed(wrong: WrongAxis) -> str:
    match is_smaller(wrong.actual, wrong.expected):
        case True:
            return "it stops with an obscure error, or crashes"
        case False:
            return "it takes the first rows for its layers, in silence"
        case _:
            return "too few layers end in an obscure error, too many are used in part, in silence"


RULE = Rule("LST101", "state-layers", Severity.ERROR, True, __doc__, of_call=check, axis="layers")
