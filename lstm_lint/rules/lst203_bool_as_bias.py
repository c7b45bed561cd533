"""# LST203 bool-as-bias

**Severity:** warning

## What it does
Finds a bool as the fourth and last positional argument of nn.LSTM or nn.GRU. The fourth parameter is `bias`; almost always
`batch_first` was meant, which is the fifth.

## Why it is bad
`nn.LSTM(28, 64, 2, True)` is built, with `batch_first=False`: a batch-first input is read with samples as time steps, in
silence. (The fourth parameter of nn.RNN is `nonlinearity`: there torch refuses, see LST201.)

## Example
```python
lstm = nn.LSTM(28, 64, 2, True)
```

## Instead
```python
lstm = nn.LSTM(28, 64, 2, batch_first=True)
```

## What torch says
Nothing. To show it, the layer's output for a batch-first input is compared with that of the layer that was meant.

## Fix safety
Unsafe: `batch_first=` is written before the value, and the layer reads its input the other way round from then on. Whether
`bias` was meant cannot be known; `bias=True` by name says so.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.facts import LstmSite
from lstm_lint.findings import Severity
from lstm_lint.remedies import NameArgument
from lstm_lint.rules.base import Ask, Complaint, Rule
from lstm_lint.values import Bool, Unknown

FOURTH = 4


def check(site: LstmSite) -> Iterator[Complaint]:
    bound = site.bound
    if site.layer not in ("LSTM", "GRU") or bound.positional != FOURTH or bound.problems or "batch_first" in bound.given:
        return
    name = _bool_text(bound.values["bias"])
    if name is not None and "bias" not in name.lower():
        message = (
            f"the fourth parameter of {site.layer} is bias, and batch_first stays False: "
            f"write batch_first={name} if that was meant, or bias={name}"
        )
        remedy = NameArgument(place=site.place, position=FOURTH - 1, name="batch_first")
        yield Complaint(site.place, message, Ask.CONSTRUCTION, site=site, argument="bias", remedy=remedy)


def _bool_text(value: object) -> str | None:
    """``True``, or how the code spells it; None if it is no bool."""
    match value:
        case Bool(dim):
            return str(bool(dim.constant)) if dim.constant is not None else dim.text
        case Unknown(name=name) if value.is_bool:
            return name
        case _:
            return None


RULE = Rule("LST203", "bool-as-bias", Severity.WARNING, True, __doc__, of_site=check)
