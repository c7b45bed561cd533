"""# LST205 input-size

**Severity:** error; a warning where it is wrong for some configurations only.

## What it does
Checks that the last dimension of the input is `input_size`. The output of another recurrent layer counts: its last
dimension is `num_directions * hidden_size` (`proj_size` if there is a projection).

## Why it is bad
torch refuses the call.

## Example
```python
first = nn.LSTM(28, 64, bidirectional=True)
second = nn.LSTM(64, 32)
out, _ = first(x)
out, _ = second(out)
```

## Instead
```python
first = nn.LSTM(28, 64, bidirectional=True)
second = nn.LSTM(2 * 64, 32)
out, _ = first(x)
out, _ = second(out)
```

## What torch says
`input.size(-1) must be equal to input_size. Expected 64, got 128`; a cell: `input has inconsistent input_size: got 128
expected 64`. This one is checked for a `PackedSequence` as well.

## Fix safety
There is no automatic fix.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.dims import ONE, Dim
from lstm_lint.findings import Severity
from lstm_lint.judge import Judged, compare_features
from lstm_lint.lineage import Role
from lstm_lint.ops.recurrent import LayerConfig
from lstm_lint.rules.base import Ask, Complaint, Rule, condition_text, is_readable, sizes_text
from lstm_lint.values import Packed, Tensor, Value


def check(judged: Judged) -> Iterator[Complaint]:
    config, view, site = judged.call.site.config, judged.input, judged.call.site
    if config is None or not is_readable(judged) or view.features is None:
        return
    comparison = compare_features(judged)
    if not comparison.differs:
        return
    shape = f"{sizes_text(view.dims)}, its last dimension {view.features.text}," if view.dims else view.features.text
    message = (
        f"the input is {shape} but input_size of this {config.layer} is {config.input_size.text}: "
        f"{_cause(judged, config)}{condition_text(comparison)}"
    )
    yield Complaint(judged.call.place, message, Ask.INPUT, comparison, (config.input_size,), (view.features,), site, judged)


def _cause(judged: Judged, config: LayerConfig) -> str:
    view = judged.input
    assert view.features is not None
    if view.features == config.input_size * 2 and _holds_both_directions(judged.call.input):
        return "features of both directions come out of a bidirectional layer; build it with twice the input_size"
    if view.dims is not None and config.input_size in view.dims[:-1]:
        return "the features have to be the last dimension; permute the input"
    if view.features == Dim.of(1):
        return "the last dimension holds the features"
    return f"build it with {view.features.text}, or change the input"


def _holds_both_directions(value: Value) -> bool:
    """Whether the features are those of more than one direction, as far as it is known where they come from."""
    lineage = value.lineage if isinstance(value, Tensor | Packed) else None
    direction = lineage.factor(Role.DIRECTION) if lineage is not None else None
    return direction is not None and direction.size != ONE


RULE = Rule("LST205", "input-size", Severity.ERROR, True, __doc__, of_call=check)
