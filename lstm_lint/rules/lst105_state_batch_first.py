"""# LST105 state-batch-first

**Severity:** error; a warning where it is wrong for some configurations only.

## What it does
Finds a state that is laid out `(batch, layers, size)`. The state is always `(num_layers * num_directions, batch, size)`:
`batch_first=True` changes the layout of the input and the output, never that of the state. This is one finding, where
LST101 and LST102 would be two.

```
              batch_first=False     batch_first=True
x             (T, N, F)             (N, T, F)           turned
output        (T, N, D*H)           (N, T, D*H)         turned
h_0, c_0      (D*L, N, H)           (D*L, N, H)         the same, and not (N, D*L, H)
h_n, c_n      (D*L, N, H)           (D*L, N, H)         the same
```

## Why it is bad
torch refuses the call, unless the batch happens to be as large as the number of layers; then samples and layers are mixed
up in silence.

## Example
```python
lstm = nn.LSTM(28, 4, num_layers=2, batch_first=True)
h0 = c0 = torch.zeros(x.size(0), 2, 4)
out, _ = lstm(x, (h0, c0))
```

## Instead
```python
lstm = nn.LSTM(28, 4, num_layers=2, batch_first=True)
h0 = c0 = torch.zeros(2, x.size(0), 4)
out, _ = lstm(x, (h0, c0))
```
A state that is stored batch-first (as `nn.DataParallel` wants it) is turned with `h0.transpose(0, 1).contiguous()`.

## What torch says
`Expected hidden[0] size (2, 10, 4), got [10, 2, 4]`. The state that comes with a `PackedSequence` is not checked for
nn.LSTM: the process may die (SIGSEGV).

## Fix safety
Unsafe: the first two sizes change places where the tensor is made. Other code may take the same tensor as batch-first.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.dims import ZERO
from lstm_lint.findings import Severity
from lstm_lint.judge import Judged, StatePart, is_swapped
from lstm_lint.ops.recurrent import LayerConfig
from lstm_lint.proofs.comparison import Comparison, Extent
from lstm_lint.remedies import SwapSizes
from lstm_lint.rules.base import Ask, Complaint, Rule, condition_text, is_readable, sizes_text, state_place
from lstm_lint.rules.states import packed_text
from lstm_lint.source import Place


def check(judged: Judged) -> Iterator[Complaint]:
    config = judged.call.site.config
    if config is None or not is_readable(judged):
        return
    together: dict[Place, list[StatePart]] = {}
    for part in judged.parts:
        if is_swapped(part, config, judged.input, judged.call.given, judged.trust):
            together.setdefault(state_place(judged, part.place), []).append(part)
    for place, parts in together.items():
        names = tuple(part.which for part in parts)
        first, comparison = parts[0], worst(parts[0])
        message = _message(judged, config, first, names, comparison)
        site = judged.call.site
        remedy = SwapSizes(place=first.place, rank=len(first.axes)) if first.place is not None else None
        yield Complaint(place, message, Ask.STATE, comparison, first.expected, first.actual, site, judged, names, remedy=remedy)


def worst(part: StatePart) -> Comparison:
    """Of the two swapped axes the one that is wrong for more sizes."""
    order = (Extent.ALWAYS, Extent.COINCIDENCE, Extent.DEFAULTS, Extent.SOMETIMES)
    return min((axis for axis in part.axes[:2] if axis.differs), key=lambda axis: order.index(axis.extent))


def _message(judged: Judged, config: LayerConfig, part: StatePart, names: tuple[str, ...], comparison: Comparison) -> str:
    assert part.actual is not None and part.expected is not None
    batch, layers, size = part.actual
    why = "the state is never batch-first" if config.batch_first == ZERO else "batch_first never applies to the state"
    return (
        f"{' and '.join(names)} {'is' if len(names) == 1 else 'are'} {sizes_text(part.actual)} but this {config.layer} needs "
        f"{sizes_text(part.expected)}: {why}; swap the first two dimensions, {sizes_text((layers, batch, size))}"
        f"{condition_text(comparison)}{packed_text(judged, 'it reads past the end of the state and may crash')}"
    )


RULE = Rule("LST105", "state-batch-first", Severity.ERROR, True, __doc__, of_call=check)
