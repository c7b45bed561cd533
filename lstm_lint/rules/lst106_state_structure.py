"""# LST106 state-structure

**Severity:** error

## What it does
Checks what is passed as the state as a whole. An LSTM takes one pair `(h_0, c_0)`, a tuple or a list; a GRU or RNN takes
one tensor. A call that does not fit `forward(input, hx=None)` at all, such as `lstm(x, h0, c0)`, is this rule's as well.

```
lstm(x, (h_0, c_0))     one pair           lstm(x, h_0, c_0)      three arguments, and forward takes two
                                           lstm(x, h_0)           h_0[0] and h_0[1] are taken for the pair
gru(x, h_0)             one tensor         gru(x, (h_0, c_0))     a pair where a tensor is wanted
```

## Why it is bad
torch stops, often with a message that does not name the cause: an `IndexError`, an `AttributeError` about a tuple, or a
complaint about the number of dimensions of `hx`.

## Example
```python
lstm = nn.LSTM(28, 4)
out, (hn, cn) = lstm(x, h0, c0)

gru = nn.GRU(28, 4)
out, hn = gru(x, (h0, c0))
```

## Instead
```python
lstm = nn.LSTM(28, 4)
out, (hn, cn) = lstm(x, (h0, c0))

gru = nn.GRU(28, 4)
out, hn = gru(x, h0)
```

## What torch says
Three arguments: `LSTM.forward() takes from 2 to 3 positional arguments but 4 were given`. One tensor for an LSTM: `For
batched 3-D input, hx and cx should also be 3-D but got (2-D, 2-D) tensors`. A pair for a GRU: `'tuple' object has no
attribute 'dim'`, and so of a pair in the pair: `h = cell(x, (h, c))` in a loop. Three states: `lstm expects two hidden states`.

## Fix safety
There is no automatic fix.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.findings import Severity
from lstm_lint.judge import Judged
from lstm_lint.rules.base import Ask, Complaint, Rule
from lstm_lint.values import Tensor


def check(judged: Judged) -> Iterator[Complaint]:
    call, site = judged.call, judged.call.site
    if site.bound.problems:
        return
    if call.problem is not None:
        yield _misfit(judged, call.problem)
    elif judged.structure is not None:
        place = call.state_place or call.place
        yield Complaint(place, f"{judged.structure}; {_advice(judged)}", Ask.STRUCTURE, site=site, judged=judged)


def _misfit(judged: Judged, problem: str) -> Complaint:
    """A call that does not fit ``forward(input, hx=None)``."""
    site = judged.call.site
    too_many = "arguments are given" in problem
    if too_many and site.layer.startswith("LSTM"):
        problem = f"{problem}; pass the state as one pair: {_name(judged)}(x, (h_0, c_0))"
    elif too_many:
        problem = f"{problem}; pass the state as one tensor: {_name(judged)}(x, h_0)"
    return Complaint(judged.call.place, problem, Ask.ARGUMENTS if too_many else Ask.NOTHING, site=site, judged=judged)


def _advice(judged: Judged) -> str:
    site, state = judged.call.site, judged.call.state
    if not site.layer.startswith("LSTM"):
        return f"pass h_0 alone: {_name(judged)}(x, h_0)"
    if isinstance(state, Tensor):
        return f"pass both tensors: {_name(judged)}(x, (h_0, c_0))"
    return f"pass exactly two tensors: {_name(judged)}(x, (h_0, c_0))"


def _name(judged: Judged) -> str:
    site = judged.call.site
    return site.target or site.layer.lower()


RULE = Rule("LST106", "state-structure", Severity.ERROR, True, __doc__, of_call=check)
