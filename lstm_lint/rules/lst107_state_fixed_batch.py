"""# LST107 state-fixed-batch

**Severity:** warning

## What it does
Finds a state whose batch is a fixed number, the same that a `DataLoader` was given, in a loop over that loader: its last batch
is smaller, unless it was told `drop_last=True` or the data happens to be a multiple of the batch.

```
DataLoader(data, batch_size=64)      x  (64, T, F)   (64, T, F)   ...   (17, T, F)
init_hidden(64)                    h_0  (1, 64, H)   (1, 64, H)   ...   (1, 64, H)
                                         right        right              torch refuses
```

## Why it is bad
Training runs to the end of the first epoch, and raises at its last batch, or with other data only.

The rule speaks where the loader, the loop and the layer's call are all in sight. It is silent where a loop passes over short
batches (`if x.size(0) != batch_size: continue`), for a batch of one, and where the number of samples is known to be a multiple.

## Example
```python
loader = DataLoader(data, batch_size=64)
for x, y in loader:
    h0 = torch.zeros(1, 64, 128)
    out, h_n = gru(x, h0)
```

## Instead
```python
loader = DataLoader(data, batch_size=64)
for x, y in loader:
    h0 = torch.zeros(1, x.size(0), 128)
    out, h_n = gru(x, h0)
```
or `DataLoader(data, batch_size=64, drop_last=True)`.

## What torch says
```
RuntimeError: Expected hidden size (1, 17, 128), got [1, 64, 128]
```

## Fix safety
No fix: which batch is wanted only you know.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.findings import Severity
from lstm_lint.judge import Judged, StatePart
from lstm_lint.ops.loading import Loader, loader_in, loader_of
from lstm_lint.proofs.comparison import EQUAL
from lstm_lint.rules.base import Ask, Complaint, Rule, is_readable, state_place
from lstm_lint.rules.states import axis_names
from lstm_lint.values import Packed, Tensor, Unknown


def check(judged: Judged) -> Iterator[Complaint]:
    loader, config = _loader(judged), judged.call.site.config
    if loader is None or config is None or not is_readable(judged) or not loader.may_be_short:
        return
    names = axis_names(judged, config)
    if "batch" not in names or _is_asked_for(judged, loader):
        return
    axis = names.index("batch")
    fixed = [part for part in judged.parts if _is_fixed(part, axis, len(names), loader)]
    for part in fixed[:1]:
        message = (
            f"the batch of this state is always {loader.batch_size.text}, and the last batch of the DataLoader "
            f"{_smaller(loader)}: take the batch from the input, or tell the loader drop_last=True"
        )
        place = state_place(judged, part.place)
        yield Complaint(place, message, Ask.EXPERIMENT, site=judged.call.site, judged=judged, experiment="short-batch")


def _loader(judged: Judged) -> Loader | None:
    """The loader whose batch the input is, or is made of."""
    if judged.input.batch is not None and (loader := loader_of(judged.input.batch.symbols)) is not None:
        return loader
    given = judged.call.input
    why = given if isinstance(given, Unknown) else given.why if isinstance(given, Tensor | Packed) else None
    return None if why is None else loader_in(why.key)


def _smaller(loader: Loader) -> str:
    size, length = loader.batch_size.constant, loader.length.constant if loader.length is not None else None
    if size and length:
        return f"has {length % size} of its {length} samples"
    return "is smaller where its data is no multiple of that"


def _is_fixed(part: StatePart, axis: int, count: int, loader: Loader) -> bool:
    """Whether the batch of one tensor of the state is the loader's number, and not the input's own."""
    if part.actual is None or len(part.axes) != count or part.tensor is None:
        return False
    return part.actual[axis] == loader.batch_size and part.axes[axis] != EQUAL


def _is_asked_for(judged: Judged, loader: Loader) -> bool:
    """Whether the code looks at how many samples a batch has before it comes here."""
    return any(loader_of(flag.spoken_of) == loader for flag in judged.call.given.flags)


RULE = Rule("LST107", "state-fixed-batch", Severity.WARNING, True, __doc__, of_call=check)
