"""# LST304 state-index

**Severity:** error

## What it does
Finds `h_n` or `c_n` indexed, or unpacked, past `num_layers * num_directions`.

```
nn.LSTM(28, H, num_layers=1)           nn.LSTM(28, H, num_layers=1, bidirectional=True)

h_n  (1, N, H)                         h_n  (2, N, H)
      0  layer 0     <- h_n[-1]              0  forward     <- h_n[-2]
      -                h_n[-2]: none         1  backward    <- h_n[-1]
```

## Why it is bad
torch refuses it. `torch.cat([h_n[-2], h_n[-1]], 1)` is right for a bidirectional layer; in a class that takes `bidirectional`
as a parameter it breaks with one layer and one direction, and with more layers it joins two layers, not two directions.

## Example
```python
lstm = nn.LSTM(28, 64)
out, (h_n, c_n) = lstm(x)
both = torch.cat([h_n[-2], h_n[-1]], dim=1)
```

## Instead
```python
lstm = nn.LSTM(28, 64)
out, (h_n, c_n) = lstm(x)
last = h_n[-1]
```

## What torch says
`IndexError: index -2 is out of bounds for dimension 0 with size 1`

## Fix safety
None is offered: which index is meant, only you know.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol, product
from lstm_lint.facts import Use
from lstm_lint.findings import Severity
from lstm_lint.lineage import Lineage, Role
from lstm_lint.ops.extents import at_least
from lstm_lint.ops.taking import spread
from lstm_lint.proofs.comparison import Comparison, Trust, compare
from lstm_lint.proofs.conditions import MAX_FLAGS, assumed, flag_cases
from lstm_lint.rules.base import Ask, Complaint, Handling, Rule, condition_text
from lstm_lint.rules.handling import lineage_of, site_of, trust_of, which
from lstm_lint.rules.views import named, tensor_details
from lstm_lint.values import Int, NoneValue, Tensor, Tuple, Unknown, as_dim


def check(use: Use, _: Handling) -> Iterator[Complaint]:
    lineage, dims = lineage_of(use), use.source.shape.dims if use.source is not None else None
    if lineage is None or dims is None or not which(lineage) <= {"h", "c"}:
        return
    if use.name == "unpack" and _is_of_layers(lineage, 0, dims) and not _is_all_there_is(use, lineage):
        count = len(use.targets)
        comparison = compare(dims[0], Dim.of(count), use.given, trust_of(use))
        yield from _complaint(use, lineage, comparison, dims[0], f"not {count}", {"count": count})
    for position, number in _numbers(use, len(dims)):
        if _is_of_layers(lineage, position, dims):
            comparison = _beyond(dims[position], number, use)
            details = {"axis": position, "index": number}
            yield from _complaint(use, lineage, comparison, dims[position], f"there is no {number.text}", details)


def _is_all_there_is(use: Use, lineage: Lineage) -> bool:
    """Whether it is the whole state of a GRU or RNN: of one that is unpacked as if it were a pair LST302 speaks."""
    return not lineage.taken and not any(site.config is None or site.config.has_pair for site in use.sites)


def _is_of_layers(lineage: Lineage, position: int, dims: tuple[Dim, ...]) -> bool:
    """Whether an axis is that of layers and directions, or of one of them, however many there are."""
    if lineage.axes is None or position >= len(lineage.axes):
        return False
    roles = set(lineage.roles(position))
    return dims[position] == ONE if not roles else roles <= {Role.LAYER, Role.DIRECTION}


def _numbers(use: Use, rank: int) -> Iterator[tuple[int, Dim]]:
    """The axes that are indexed by a number, and by which."""
    if use.name == "index" and (key := use.argument(1, "index")) is not None:
        items = list(key.items) if isinstance(key, Tuple) and key.kind == "tuple" else [key]
        places = [item for item in spread(items, rank) or () if not isinstance(item, NoneValue)]
        for position, item in enumerate(places):
            if isinstance(item, Int | Unknown) and (number := as_dim(item)) is not None:
                yield position, number
    elif use.name.endswith(".select"):
        axis, number = (as_dim(use.argument(i, name) or NoneValue()) for i, name in ((1, "dim"), (2, "index")))
        if axis is not None and number is not None and axis.constant is not None and -rank <= axis.constant < rank:
            yield axis.constant % rank, number


def _beyond(size: Dim, number: Dim, use: Use) -> Comparison:
    """For which configurations an index is past the end, or, counted from behind, past the start."""
    trust = trust_of(use)
    number = number.substitute({size: Dim.of(replace(size, minimum=max(size.minimum or 0, 1))) for size in trust.positive})
    left = assumed(size + number if at_least(-number, 1) else size - number - 1, use.given, trust.positive)
    wrong = ZERO
    if len(left.flags) <= MAX_FLAGS and (at_least(number, 0) or at_least(-number, 1)):
        for case in flag_cases(left.flags, use.given):
            here = product(Dim.of(flag) if on else ONE - Dim.of(flag) for flag, on in case.items())
            wrong = wrong + here * _negative(left.substitute({flag: Dim.of(on) for flag, on in case.items()}), trust)
    return compare(ZERO, wrong, use.given, trust)


def _negative(left: Dim, trust: Trust) -> Dim:
    """The condition that it is below 0; never, where nothing can be said."""
    if at_least(left, 0) or at_least(-left, 1):
        return ZERO if at_least(left, 0) else ONE
    terms = dict(left.terms)
    constant = terms.pop((), 0)
    if len(terms) != 1 or len(left.sizes) != 1 or not trust.covers(left.sizes[0]):
        return ZERO
    (size,), ((monomial, coefficient),) = left.sizes, terms.items()
    if monomial != (size,) or coefficient < 0:
        return ZERO
    largest = (-constant - 1) // coefficient  # the largest size for which it is below 0
    smallest = max(size.minimum or 0, 1)
    default = None if size.default is None else int(size.default <= largest)
    if largest < smallest:
        return ZERO
    subject = Dim.of(size)
    if largest == smallest:
        key, name = ("equals", subject, largest), f"{size.name} == {largest}"
        return Dim.of(Symbol(key, name, Kind.FLAG, default, 0, subject=subject, equals=largest))
    test = Dim.of(largest + 1) - subject
    return Dim.of(Symbol(("positive", test), f"{size.name} <= {largest}", Kind.FLAG, default, 0, test=test))


def _complaint(
    use: Use, lineage: Lineage, comparison: Comparison, size: Dim, said: str, details: dict[str, object]
) -> Iterator[Complaint]:
    if comparison.differs and isinstance(use.source, Tensor):
        message = (
            f"{named(lineage)} has one index for each layer and direction, {size.text}: {said}{condition_text(comparison)}"
        )
        details = {**tensor_details(lineage, use.source), **details}
        yield Complaint(
            use.place, message, Ask.EXPERIMENT, comparison, site=site_of(use), use=use, experiment="index", details=details
        )


RULE = Rule("LST304", "state-index", Severity.ERROR, True, __doc__, of_use=check)
