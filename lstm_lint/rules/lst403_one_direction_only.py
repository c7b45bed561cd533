"""# LST403 one-direction-only

**Severity:** warning

## What it does
Finds `h_n[-1]` (or another single index, or `h_n.view(num_layers, 2, N, H)[-1, 0]`) of a bidirectional layer where nothing
takes the other direction. It is silent where the whole state is returned, kept, or handed to another layer as well, and where
one sample is looked at.

```
h_n  (num_layers * 2, N, H)
      0  layer 0, forward
      1  layer 0, backward
      2  layer 1, forward     <- h_n[-2]
      3  layer 1, backward    <- h_n[-1] alone
```

## Why it is bad
`h_n[-1]` is the last layer for one direction. With two it is the backward direction alone: half of the layer is computed and
thrown away, and what was meant to read from both ends reads from one. It comes from code for one direction to which
`bidirectional=True` was added: every shape still fits.

## Example
```python
lstm = nn.LSTM(28, 64, num_layers=2, bidirectional=True)
out, (h_n, c_n) = lstm(x)
last = h_n[-1]
```

## Instead
```python
lstm = nn.LSTM(28, 64, num_layers=2, bidirectional=True)
out, (h_n, c_n) = lstm(x)
last = torch.cat([h_n[-2], h_n[-1]], dim=1)
```

## What torch says
Nothing. `check` shows that what is taken is one half of both.

## Fix safety
Unsafe: `torch.cat([h_n[-2], h_n[-1]], dim=-1)` is written instead, so that the features double. If a layer behind it is built
for one direction, that is an error then, and the fix is not applied: make that layer larger first.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.facts import Use
from lstm_lint.findings import Severity
from lstm_lint.lineage import FIRST, LAST, Lineage, Role
from lstm_lint.proofs.comparison import Comparison, Extent
from lstm_lint.remedies import JoinDirections
from lstm_lint.rules.base import Ask, Complaint, Handling, Rule, condition_text
from lstm_lint.rules.handling import layer_name, lineage_of, result_of, site_of, took, two_directions, which
from lstm_lint.values import Bool, Int, Repeated, Str, Tensor, Tuple


def check(use: Use, handling: Handling) -> Iterator[Complaint]:
    before, after = lineage_of(use), result_of(use)
    direction = took(use, Role.DIRECTION)
    if before is None or after is None or direction is None or which(before) not in ({"h"}, {"c"}):
        return
    if direction.at not in (FIRST, LAST) or before.took(Role.DIRECTION) is not None or after.took(Role.BATCH) is not None:
        return
    (name,) = which(before)
    if any(_uses_other(other, name, direction.at, use) for other in handling.of(before, use.given)):
        return
    comparison = two_directions(use, direction.size)
    if not comparison.differs:
        return
    one = "forward" if direction.at == FIRST else "backward"
    message = (
        f"the {one} direction alone: {name}_n of a bidirectional {layer_name(use)} has both, layer by layer; "
        f"take torch.cat([{name}_n[-2], {name}_n[-1]], dim=-1){condition_text(comparison)}"
    )
    details = {"which": name, "direction": one}
    yield Complaint(
        use.place,
        message,
        Ask.EXPERIMENT,
        comparison,
        site=site_of(use),
        use=use,
        experiment="one-direction",
        details=details,
        remedy=_remedy(use, comparison),
    )


def _remedy(use: Use, comparison: Comparison) -> JoinDirections | None:
    """Both directions, where the layer has two whatever its parameters are."""
    site = site_of(use)
    if site is None or site.config is None or comparison.extent is not Extent.ALWAYS:
        return None
    return JoinDirections(place=use.place, num_layers=site.config.num_layers)


def _uses_other(use: Use, name: str, at: str, complained: Use) -> bool:
    """Whether a use takes the other direction of the same state, or goes on with both."""
    of_a_tuple = use.source is None and use.name in ("unpack", "index")
    if of_a_tuple or (use.name == "return" and use.entry != complained.entry):
        return False
    return any(_goes_on_with_other(use, state, at) for state in use.lineages if name in which(state))


def _goes_on_with_other(use: Use, state: Lineage, at: str) -> bool:
    half = state.took(Role.DIRECTION)
    if half is not None:
        return half.at != at
    if state.factor(Role.DIRECTION) is None or use.name in LEAVING:
        return True
    match use.result:
        case Tensor(lineage=None) | Int() | Bool() | Str() | Tuple() | Repeated():  # sizes, pieces that other uses speak of
            return False
        case Tensor(lineage=Lineage() as after):
            half = after.took(Role.DIRECTION)
            return after.factor(Role.DIRECTION) is None if half is None else half.at != at
        case _:
            return True


LEAVING = frozenset({"return", "keep", "pass", "torch.nn.LSTM", "torch.nn.GRU", "torch.nn.RNN"})
"""What gets the state whole: another layer starts from it, or code that is not followed."""


RULE = Rule("LST403", "one-direction-only", Severity.WARNING, True, __doc__, of_use=check)
