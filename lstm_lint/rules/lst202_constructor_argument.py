"""# LST202 constructor-argument

**Severity:** error

## What it does
Finds constructor calls that do not fit the signature: a keyword the layer does not have, a required one left out, one given
twice, or too many positional arguments.

## Why it is bad
The layer cannot be built.

## Example
```python
lstm = nn.LSTM(input_size=28, hidden_dim=64, n_layers=2)
gru = nn.GRU(28, 64, proj_size=16)
```

## Instead
```python
lstm = nn.LSTM(input_size=28, hidden_size=64, num_layers=2)
gru = nn.GRU(28, 64)
```

## What torch says
`RNNBase.__init__() got an unexpected keyword argument 'n_layers'`, `RNNBase.__init__() missing 1 required positional
argument: 'hidden_size'`, `proj_size argument is only supported for LSTM, not RNN or GRU`.

## Fix safety
There is no automatic fix.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.facts import LstmSite
from lstm_lint.findings import Severity
from lstm_lint.rules.base import Ask, Complaint, Rule


def check(site: LstmSite) -> Iterator[Complaint]:
    for problem in site.bound.problems[:1]:
        if problem.kind == "argument":
            yield Complaint(site.place, problem.message, Ask.CONSTRUCTION, site=site, argument=problem.argument)


RULE = Rule("LST202", "constructor-argument", Severity.ERROR, True, __doc__, of_site=check)
