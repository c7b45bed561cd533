"""# LST201 constructor-value

**Severity:** error

## What it does
Finds a constructor argument that torch rejects: a size that is not a positive int (a float is the usual one, since `hidden
/ 2` always is one), `proj_size` negative or not smaller than `hidden_size`, `dropout` outside `[0, 1]` or given as a bool,
`bias` or `batch_first` that is not a bool, a `nonlinearity` of nn.RNN other than `'tanh'` and `'relu'`.

## Why it is bad
The layer cannot be built. With `bidirectional=1` (an int for a bool) it can, but every call of it fails.

## Example
```python
lstm = nn.LSTM(128, 256 / 2, bidirectional=True)
```

## Instead
```python
lstm = nn.LSTM(128, 256 // 2, bidirectional=True)
```

## What torch says
`hidden_size should be of type int, got: float`, `num_layers must be greater than zero`, `proj_size has to be smaller than
hidden_size`, `dropout should be a number in range [0, 1] representing the probability of an element being zeroed`,
`batch_first should be of type bool, got: int`.

## Fix safety
There is no automatic fix.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.facts import LstmSite
from lstm_lint.findings import Severity
from lstm_lint.judge import Judged
from lstm_lint.ops.recurrent import uncallable
from lstm_lint.rules.base import Ask, Complaint, Rule


def check(site: LstmSite) -> Iterator[Complaint]:
    for problem in site.bound.problems[:1]:
        if problem.kind == "value":
            message = f"{site.layer} cannot be built: {problem.message}"
            yield Complaint(site.place, message, Ask.CONSTRUCTION, site=site, argument=problem.argument)


def check_call(judged: Judged) -> Iterator[Complaint]:
    """torch 2.13 builds a layer with ``bidirectional=1``, and refuses every call of it."""
    site = judged.call.site
    problem = uncallable(site.bound)
    if problem is not None and not site.bound.problems:
        message = f"{site.layer} cannot be called: {problem}"
        yield Complaint(site.place, message, Ask.INPUT, site=site, judged=judged, argument="bidirectional")


RULE = Rule("LST201", "constructor-value", Severity.ERROR, True, __doc__, of_call=check_call, of_site=check)
