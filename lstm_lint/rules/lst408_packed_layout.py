"""# LST408 packed-layout

**Severity:** warning

## What it does
Follows the layout of a batch through `pad_sequence`, the layers, `pack_padded_sequence` and `pad_packed_sequence`, which all
have a `batch_first` of their own, and finds where the next one takes the time axis for the batch. It also finds lengths that
were taken after padding: they are all the same, so that packing does nothing.

```
pad_sequence(seqs, batch_first=True)      x  (N, T, F)
                                              |  |
pack_padded_sequence(x, lengths)          reads (T, N, F): it takes sample i for step i
pack_padded_sequence(x, lengths, True)    reads (N, T, F)

lengths of the sequences    [5, 3, 2]     what is padding is left out
lengths of what is padded   [5, 5, 5]     every step is there, also the padding
```

## Why it is bad
Where there are as many samples as steps nothing raises: steps are cut off samples that they do not belong to. With any other
batch the number of lengths is wrong, and torch says that. Lengths of the padded batch never raise: the layer reads the
padding, and its final state is that of the padding's end.

## Example
```python
padded = pad_sequence(seqs, batch_first=True)
packed = pack_padded_sequence(padded, lengths, enforce_sorted=False)
```

## Instead
```python
padded = pad_sequence(seqs, batch_first=True)
packed = pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
```

## What torch says
Nothing where there are as many samples as steps. `check` shows how far the output is from that of the right layout; for lengths
of what is padded that packing changes nothing.

## Fix safety
Unsafe: `batch_first` is set as the data is laid out.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lstm_lint.dims import ONE, ZERO, Dim, where
from lstm_lint.facts import Use
from lstm_lint.findings import Severity
from lstm_lint.lineage import Lineage
from lstm_lint.ops.arguments import condition
from lstm_lint.ops.literals import filling
from lstm_lint.rules.base import Ask, Complaint, Handling, Rule
from lstm_lint.rules.handling import site_of
from lstm_lint.values import NONE, Repeated, Tensor, Tuple, as_tensor

PACK = "torch.nn.utils.rnn.pack_padded_sequence"
JOINS = frozenset({"torch.cat", "torch.concat", "torch.concatenate"})
LAYOUTS = {True: "(batch, time, features)", False: "(time, batch, features)"}


def check(use: Use, handling: Handling) -> Iterator[Complaint]:
    if use.name == PACK:
        yield from _packed(use)
        yield from _full_lengths(use, handling)
    elif use.name in JOINS:
        yield from _joined(use)


def _packed(use: Use) -> Iterator[Complaint]:
    """Packed in another layout than the data has."""
    laid_out, first = _layout(use.argument(0, "input")), _batch_first(use)
    if laid_out is None or first is None or first.constant is None or bool(first.constant) == laid_out:
        return
    message = (
        f"what is packed is {LAYOUTS[laid_out]}, and is read as {LAYOUTS[not laid_out]}: "
        f"pack_padded_sequence wants batch_first={laid_out}"
    )
    yield _complaint(use, message, "packed-in-the-other-layout", {"batch_first": laid_out})


def _layout(value: object) -> bool | None:
    lineage = value.lineage if isinstance(value, Tensor) else None
    return lineage.batch_first if isinstance(lineage, Lineage) else None


def _batch_first(use: Use) -> Dim | None:
    """The condition that it packs batch-first; None if that is not known."""
    value = use.argument(2, "batch_first")
    return ZERO if value is None or value == NONE else condition(value)


def _complaint(use: Use, message: str, experiment: str, details: dict[str, object]) -> Complaint:
    return Complaint(use.place, message, Ask.EXPERIMENT, site=site_of(use), use=use, experiment=experiment, details=details)


# -- lengths of what is padded -----------------------------------------------------------------------------------------
def _full_lengths(use: Use, handling: Handling) -> Iterator[Complaint]:
    """All lengths are the number of padded steps, whichever way the code is reached, or wherever code in sight reaches it.

    What is packed so under a condition, where it is not known to be padded, may be packed for its form alone.
    """
    ways = [other for other in handling.uses if other.name == PACK and other.place == use.place]
    seen = [way for way in ways if way.grounded]
    if all(_is_full(way) and (_is_padded(way) or way.given == ONE) for way in ways) or (
        seen and all(_is_full(way) and _is_padded(way) for way in seen)
    ):
        message = (
            "every length is that of the padded batch, so that packing does nothing: the layer reads the padding; "
            "take the lengths before padding"
        )
        yield _complaint(use, message, "packed-full", {})


def _is_padded(use: Use) -> bool:
    value = use.argument(0, "input")
    return isinstance(value, Tensor) and value.lineage is not None and value.lineage.padded


def _is_full(use: Use) -> bool:
    given, lengths, first = use.argument(0, "input"), use.argument(1, "lengths"), _batch_first(use)
    filled, source = filling(lengths), as_tensor(given) if given is not None else None
    if source is None or filled is None or first is None or (source.shape.rank or 2) < 2:
        return False
    batch, time = source.shape.dim(0), source.shape.dim(1)
    batch, time = where(first, batch, time), where(first, time, batch)
    return filled == time and ONE not in (batch, time) and not _is_of_one(lengths)


def _is_of_one(lengths: object) -> bool:
    """Lengths of a batch of one are those of its only sequence."""
    match lengths:
        case Tuple(items):
            return len(items) == 1
        case Repeated(length=length):
            return length == ONE
        case Tensor(shape):
            return shape.rank == 0 or shape.front[:1] == (ONE,)
        case _:
            return True


# -- joined ------------------------------------------------------------------------------------------------------------
def _joined(use: Use) -> Iterator[Complaint]:
    """Batch-first and time-first joined over their features."""
    listed = use.argument(0, "tensors")
    items: Sequence[object] = listed.items if isinstance(listed, Tuple) else ()
    layouts = {_layout(item) for item in items}
    if {True, False} <= layouts:
        message = f"{LAYOUTS[True]} and {LAYOUTS[False]} are joined: they fit only where there are as many samples as steps"
        yield _complaint(use, message, "joined-layouts", {})


RULE = Rule("LST408", "packed-layout", Severity.WARNING, True, __doc__, of_use=check)
