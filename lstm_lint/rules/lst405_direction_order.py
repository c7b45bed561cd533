"""# LST405 direction-order

**Severity:** warning

## What it does
Finds `h_n`, `c_n` or the output of a bidirectional layer taken apart in the wrong order: `(direction, layer)` for the state,
`(feature, direction)` for the output, or halves and every second item that are taken for directions.

```
h_n  (num_layers * 2, N, H)           output  (T, N, 2 * H)
      0  layer 0, forward                      0 ... H-1    forward
      1  layer 0, backward                     H ... 2H-1   backward
      2  layer 1, forward
      3  layer 1, backward            view(T, N, 2, H)   right: [..., 0, :] is forward
                                      view(T, N, H, 2)   wrong
view(num_layers, 2, N, H)   right
view(2, num_layers, N, H)   wrong: [0] holds layer 0, both directions
h_n[0::2], h_n[1::2]        right: forward, backward
h_n[:num_layers]            wrong: the lower layers, both directions
```

## Why it is bad
Nothing raises, since the number of elements is right. With one layer `h_n` has the same order either way, so that the code
passes its test and goes wrong with the second layer: what is called forward holds backward states.

## Example
```python
gru = nn.GRU(28, 64, num_layers=3, bidirectional=True)
out, h_n = gru(x)
forward, backward = h_n.view(2, 3, x.size(1), 64)
```

## Instead
```python
gru = nn.GRU(28, 64, num_layers=3, bidirectional=True)
out, h_n = gru(x)
forward, backward = h_n.view(3, 2, x.size(1), 64).unbind(1)
```

## What torch says
Nothing; its documentation gives the order. `check` shows how much of what is taken for one direction is of the other.

## Fix safety
None is offered: the code behind reads the axes in the order that it asked for.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from lstm_lint.dims import ONE, ZERO, Dim
from lstm_lint.facts import Use
from lstm_lint.findings import Severity
from lstm_lint.lineage import Axis, Role, size_of
from lstm_lint.ops.taking import spread
from lstm_lint.proofs.comparison import compare
from lstm_lint.proofs.conditions import assumed
from lstm_lint.regrouping import Regrouping, same
from lstm_lint.rules.base import Ask, Complaint, Handling, Rule, condition_text
from lstm_lint.rules.handling import lineage_of, site_of
from lstm_lint.rules.views import factors_of, named, tensor_details, trust_in, view_of, where_it_fits
from lstm_lint.values import Int, NoneValue, Slice, Tuple, Value, as_dim

Part = tuple[Dim, Dim | None, Dim | None]  # start, stop (None: the end) and step of a slice


@dataclass(frozen=True)
class Misread:
    """Something that is taken for a direction: `wrong` is 0 exactly where it is one, `said` what is right."""

    wrong: Dim
    said: str
    details: Mapping[str, object]


def check(use: Use, _: Handling) -> Iterator[Complaint]:
    lineage, source, view = lineage_of(use), use.source, view_of(use)
    use = use if view is None else where_it_fits(use, view)
    regrouping = view.regrouping(use.given) if view is not None else None
    if lineage is None or lineage.axes is None or source is None:
        return
    for found in _split(regrouping) if regrouping is not None else _sliced(use, lineage.axes):
        comparison = compare(ZERO, found.wrong, use.given, trust_in(use, lineage))
        if not comparison.differs:
            continue
        message = f"{named(lineage)} is laid out {found.said}{condition_text(comparison)}"
        details = {**tensor_details(lineage, source), "role": "direction", "factors": factors_of(lineage), **found.details}
        yield Complaint(
            use.place, message, Ask.EXPERIMENT, comparison, site=site_of(use), use=use, experiment="stray", details=details
        )
        return


# -- views -----------------------------------------------------------------------------------------------------------
def _split(regrouping: Regrouping) -> Iterator[Misread]:
    """``view(2, num_layers, N, H)``, ``view(T, N, H, 2)``."""
    place = regrouping.place_of(Role.DIRECTION)
    if place is None:
        return
    layers, directions, features = (_factor(regrouping, at) for at in (place - 1, place, place + 1))
    if layers is not None and layers[0] is Role.LAYER and directions is not None:
        for start in _exchanged(regrouping, place - 1):
            wrong = (layers[1] - ONE) * (directions[1] - ONE)
            said = f"layer by layer: the view that splits it is ({layers[1].text}, {directions[1].text})"
            yield Misread(wrong, said, {"sizes": regrouping.sizes, "axes": (start, start + 1)})
    if features is not None and features[0] is Role.FEATURE and directions is not None:
        for start in _exchanged(regrouping, place):
            said = f"direction by direction: the view that splits it is ({directions[1].text}, {features[1].text})"
            yield Misread(directions[1] - ONE, said, {"sizes": regrouping.sizes, "axes": (start + 1, start + 2)})


def _factor(regrouping: Regrouping, place: int) -> tuple[Role, Dim] | None:
    factors = regrouping.factors
    return (factors[place].role, factors[place].size) if 0 <= place < len(factors) else None


def _exchanged(regrouping: Regrouping, place: int) -> Iterator[int]:
    """Where two axes stand for the factors at a place and behind it, in the other order."""
    left, right = (factor.size for factor in regrouping.factors[place : place + 2])
    sizes, bounds = regrouping.sizes, regrouping.bounds
    for start in range(len(sizes) - 1):
        if (bounds[start], bounds[start + 2]) == (place, place + 2) and not same(left, right):
            if same(sizes[start], right) and same(sizes[start + 1], left):
                yield start


# -- slices ----------------------------------------------------------------------------------------------------------
def _sliced(use: Use, axes: tuple[Axis, ...]) -> Iterator[Misread]:
    """``h_n[:num_layers]``, ``h_n[num_layers:]``, ``h_n.chunk(2)``, ``output[..., ::2]``."""
    for position, part in _parts(use, axes):
        axis = axes[position]
        roles = tuple(factor.role for factor in axis)
        details = {"axis": position, "slice": part}
        if roles == (Role.LAYER, Role.DIRECTION) and _is_half(axis, part, use.given):
            said = f"layer by layer: the directions are [0::2] and [1::2] of axis {position}"
            yield Misread((axis[0].size - ONE) * (axis[1].size - ONE), said, details)
        if roles == (Role.DIRECTION, Role.FEATURE) and part in ((ZERO, None, Dim.of(2)), (ONE, None, Dim.of(2))):
            said = f"direction by direction: the directions are the halves of axis {position}"
            yield Misread(axis[0].size - ONE, said, details)


def _parts(use: Use, axes: tuple[Axis, ...]) -> Iterator[tuple[int, Part]]:
    """The axes of which it takes a part, and which."""
    if use.name == "index" and (key := use.argument(1, "index")) is not None:
        items = list(key.items) if isinstance(key, Tuple) and key.kind == "tuple" else [key]
        places = [item for item in spread(items, len(axes)) or () if not isinstance(item, NoneValue)]
        for position, item in enumerate(places):
            if isinstance(item, Slice) and (part := _part(item)) is not None:
                yield position, part
    elif use.name.endswith(".chunk") and as_dim(use.argument(1, "chunks") or Int(ZERO)) == Dim.of(2):
        dim = as_dim(use.argument(2, "dim") or Int(ZERO))
        if dim is not None and dim.constant is not None and -len(axes) <= dim.constant < len(axes):
            axis = axes[dim.constant]
            if len(axis) == 2 and axis[1].size == Dim.of(2):
                yield dim.constant % len(axes), (ZERO, axis[0].size, None)


def _part(item: Slice) -> Part | None:
    """Start, stop and step; None where one is not known."""

    def read(value: Value) -> Dim | None:
        return None if isinstance(value, NoneValue) else as_dim(value)

    start, stop, step = read(item.start), read(item.stop), read(item.step)
    if any(not isinstance(v, NoneValue) and as_dim(v) is None for v in (item.start, item.stop, item.step)):
        return None
    return start or ZERO, stop, step


def _is_half(axis: Axis, part: Part, given: Dim) -> bool:
    """Whether it is one half of (layer, direction), and not the lower or upper half of a known number of layers."""
    layers, whole = axis[0].size, size_of(axis)
    start, stop, step = part
    ends = (start, whole if stop is None else stop)
    halves = ((ZERO, layers), (layers, whole))
    found = any(all(assumed(a - b, given) == ZERO for a, b in zip(ends, half, strict=True)) for half in halves)
    return step in (None, ONE) and found and (layers.constant is None or layers.constant % 2 == 1)


RULE = Rule("LST405", "direction-order", Severity.WARNING, True, __doc__, of_use=check)
