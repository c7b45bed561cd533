"""# LST204 single-layer-dropout

**Severity:** warning

## What it does
Finds `dropout` above 0 on a layer with `num_layers=1`.

## Why it is bad
torch applies dropout between the layers of a stack, after every one but the last. With one layer there is no such place:
the argument does nothing, and the model is less regularised than it reads.

## Example
```python
lstm = nn.LSTM(28, 64, dropout=0.5, batch_first=True)
out, _ = lstm(x)
```

## Instead
```python
lstm = nn.LSTM(28, 64, batch_first=True)
drop = nn.Dropout(0.5)
out, _ = lstm(x)
out = drop(out)
```
Or use `num_layers=2`.

## What torch says
A warning: `dropout option adds dropout after all but last recurrent layer, so non-zero dropout expects num_layers greater
than 1, but got dropout=0.5 and num_layers=1`.

## Fix safety
Safe, where `num_layers` is left out or spelt `1`: the argument is dropped, which changes nothing but that torch does not warn
any more. Where the number of layers, or the class, comes from elsewhere, there is no automatic fix.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.dims import ONE
from lstm_lint.facts import LstmSite
from lstm_lint.findings import Severity
from lstm_lint.ops.recurrent import PARAMETERS
from lstm_lint.remedies import Argument, DropArgument
from lstm_lint.rules.base import Ask, Complaint, Rule
from lstm_lint.values import Float, Int, Value


def check(site: LstmSite) -> Iterator[Complaint]:
    bound = site.bound
    rate = _rate(bound.values.get("dropout"))
    if rate is None or rate <= 0 or bound.problems or bound.values.get("num_layers") != Int(ONE):
        return
    message = (
        f"dropout={rate:g} does nothing: {site.layer} applies it between layers, and this one has a single layer; "
        "use num_layers=2 or more, or nn.Dropout on its output"
    )
    yield Complaint(site.place, message, Ask.CONSTRUCTION, site=site, argument="dropout", remedy=_remedy(site))


def _remedy(site: LstmSite) -> DropArgument:
    """Without the argument, where the code itself says that there is one layer, whoever builds it."""
    names = list(PARAMETERS[site.layer])
    dropout, num_layers = (Argument(name, names.index(name)) for name in ("dropout", "num_layers"))
    return DropArgument(place=site.place, argument=dropout, called=site.layer, spelt=((num_layers, "1"),), safe=True)


def _rate(value: Value | None) -> float | None:
    match value:
        case Float(value=rate):
            return rate
        case Int(dim):
            return dim.constant
        case _:
            return None


RULE = Rule("LST204", "single-layer-dropout", Severity.WARNING, True, __doc__, of_site=check)
