"""# LST403 one-direction-only

**Severity:** warning

## What it does
Finds `h_n[-1]` (or another single index) of a bidirectional layer where nothing takes the other direction.

```
h_n  (num_layers * 2, N, H)
      0  layer 0, forward
      1  layer 0, backward
      2  layer 1, forward     <- h_n[-2]
      3  layer 1, backward    <- h_n[-1] alone
```

## Why it is bad
`h_n[-1]` is the last layer for one direction. With two it is the backward direction alone: half of the layer is computed and
thrown away, and the forward direction is never trained.

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
from lstm_lint.lineage import FIRST, Lineage, Role
from lstm_lint.proofs import Comparison, Extent
from lstm_lint.remedies import JoinDirections
from lstm_lint.rules.base import Ask, Complaint, Handling, Rule, condition_text
from lstm_lint.rules.handling import lineage_of, result_of, site_of, took, two_directions, which


def check(use: Use, handling: Handling) -> Iterator[Complaint]:
    before, after = lineage_of(use), result_of(use)
    direction = took(use, Role.DIRECTION)
    if before is None or after is None or direction is None or which(before) not in ({"h"}, {"c"}):
        return
    if before.took(Role.DIRECTION) is not None or _other_is_used(before, direction.at, handling):
        return
    comparison = two_directions(use, direction.size)
    if not comparison.differs:
        return
    one = "forward" if direction.at == FIRST else "backward"
    name = next(iter(which(before)))
    message = (
        f"this is the {one} direction alone: {name}_n of a bidirectional layer has both, layer by layer; "
        f"join {name}_n[-2] and {name}_n[-1]{condition_text(comparison)}"
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


def _other_is_used(state: Lineage, at: str, handling: Handling) -> bool:
    """Whether something takes the other direction, or both, of the same state."""
    for use in handling.of(state):
        before, after = lineage_of(use), result_of(use)
        if before is None or which(before) != which(state):
            continue
        half = after.took(Role.DIRECTION) if after is not None else None
        if half is None or half.at != at:
            return True
    return False


RULE = Rule("LST403", "one-direction-only", Severity.WARNING, True, __doc__, of_use=check)
