"""# LST303 output-reshape

**Severity:** error

## What it does
Finds a `view`, `reshape` or `unflatten` of a layer's output or state whose sizes cannot hold its elements.

```
nn.LSTM(28, H, num_layers=L)                 nn.LSTM(28, H, num_layers=L, bidirectional=True)

h_n  (L, N, H)          L*N*H elements       h_n  (2*L, N, H)        2*L*N*H elements
h_n.view(L, 2, N, H)    2*L*N*H: too many    h_n.view(L, N, H)       L*N*H: too few
```

## Why it is bad
torch refuses it. Where `bidirectional` is a parameter the class breaks as soon as somebody passes the other value. A size
of -1 takes what is left, and is reported only where nothing fits.

## Example
```python
lstm = nn.LSTM(28, 64, num_layers=2)
out, (h_n, c_n) = lstm(x)
last_layer = h_n.view(2, 2, x.size(1), 64)[-1]
```

## Instead
```python
lstm = nn.LSTM(28, 64, num_layers=2)
out, (h_n, c_n) = lstm(x)
last_layer = h_n.view(2, 1, x.size(1), 64)[-1]
```
In general `h_n.view(num_layers, num_directions, batch, hidden_size)`.

## What torch says
`RuntimeError: shape '[2, 2, 3, 64]' is invalid for input of size 384`

## Fix safety
None is offered: which of the sizes is wrong, only you know.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.dims import ZERO
from lstm_lint.facts import Use
from lstm_lint.findings import Severity
from lstm_lint.ops.arguments import MINUS_ONE
from lstm_lint.proofs.comparison import compare
from lstm_lint.rules.base import Ask, Complaint, Handling, Rule, condition_text, sizes_text
from lstm_lint.rules.handling import site_of, trust_of
from lstm_lint.rules.views import named, tensor_details, view_of


def check(use: Use, _: Handling) -> Iterator[Complaint]:
    view = view_of(use)
    if view is None or view.source.shape.rank is None:
        return
    total, known = view.counts()
    if MINUS_ONE in view.asked:
        comparison = compare(ZERO, view.misfit(use.given), use.given, trust_of(use))
    else:
        comparison = compare(total, known, use.given, trust_of(use))
    if not comparison.differs:
        return
    message = (
        f"{view.name} to {sizes_text(view.asked)} cannot hold {named(view.lineage)} of shape "
        f"{view.source.shape.text}{condition_text(comparison)}"
    )
    details = {**tensor_details(view.lineage, view.source), "sizes": view.asked, "method": view.name}
    yield Complaint(
        use.place,
        message,
        Ask.EXPERIMENT,
        comparison,
        actual=view.asked,
        site=site_of(use),
        use=use,
        experiment="view",
        details=details,
    )


RULE = Rule("LST303", "output-reshape", Severity.ERROR, True, __doc__, of_use=check)
