"""# LST502 variable-wrapper

**Severity:** info, off by default

## What it does
Finds `Variable(x)` in code that a recurrent layer has to do with.

```
torch 0.3   Tensor --- Variable(.) ---> Variable   records what is done with it
torch 0.4   Tensor --- Variable(.) ---> Tensor     the same axes and numbers, cut off from what came before
```

## Why it is bad
Since torch 0.4 a tensor records what is done with it itself. `Variable` reads as if it were needed, and hides what it still
does: it detaches. Wrapped around the output of a layer, it stops the gradient there, in silence.

## Example
```python
h0 = Variable(torch.zeros(1, x.size(0), 64))
out, h_n = nn.GRU(28, 64, batch_first=True)(x, h0)
```

## Instead
```python
h0 = torch.zeros(1, x.size(0), 64)
out, h_n = nn.GRU(28, 64, batch_first=True)(x, h0)
```

## What torch says
Nothing. `Variable(x).requires_grad` is False, whatever `x.requires_grad` is.

## Fix safety
Safe: a tensor that is made inside of the parentheses is left as it is, and anything else becomes `x.detach()`, which is what it
is today: remove that where the gradient was meant to pass. Calls with `requires_grad=` or `volatile=` are not reported.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.facts import Facts
from lstm_lint.findings import Severity
from lstm_lint.remedies import Unwrap
from lstm_lint.rules.base import Ask, Complaint, Rule

MESSAGE = (
    "since torch 0.4 Variable(x) is x detached from what made it, and nothing more: write x, or x.detach() if that is meant"
)


def check(facts: Facts) -> Iterator[Complaint]:
    for place in facts.wrappers:
        if place.path == facts.path:
            yield Complaint(place, MESSAGE, Ask.NOTHING, remedy=Unwrap(place=place, safe=True))


RULE = Rule("LST502", "variable-wrapper", Severity.INFO, False, __doc__, of_facts=check)
