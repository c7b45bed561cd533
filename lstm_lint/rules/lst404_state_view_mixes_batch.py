"""# LST404 state-view-mixes-batch

**Severity:** warning

## What it does
Finds a `view`, `reshape`, `unflatten` or einops pattern of `h_n`, `c_n` or the output that puts a new axis where the batch is
meant to be: as long as the batch, and not it. A reshape that keeps the batch whole is right, whatever it does to the rest.
The same of a state that is viewed out of what another layer gave: `self.start(z).view(num_layers, batch, hidden)`.

```
h_n (2, 3, H): layer or direction, batch        h_n.view(3, -1)

in memory   f0  f1  f2 | b0  b1  b2             row 0   f0  f1      two samples
            forward    | backward               row 1   f2  b0      two samples
                                                row 2   b1  b2      two samples

h_n.transpose(0, 1).reshape(3, -1)              row 0   f0  b0      one sample, both directions
```

## Why it is bad
Nothing raises, since the number of elements is right. Each row of the result holds parts of several samples, so that the loss
of one sample is worked out from another's text. With one layer and one direction the same code is right, so that it often goes
wrong when somebody turns `bidirectional` on.

## Example
```python
lstm = nn.LSTM(28, 64, bidirectional=True, batch_first=True)
out, (h_n, c_n) = lstm(x)
features = h_n.view(x.size(0), -1)
```

## Instead
```python
lstm = nn.LSTM(28, 64, bidirectional=True, batch_first=True)
out, (h_n, c_n) = lstm(x)
features = h_n.transpose(0, 1).reshape(x.size(0), -1)
```
or `torch.cat([h_n[-2], h_n[-1]], dim=1)`. `batch_first` does not apply to `h_n`: its batch is always the second axis.

## What torch says
Nothing. `check` shows how many numbers in the first sample's row belong to other samples.

## Fix safety
Unsafe: `.transpose(0, 1)` is written before the view, which becomes a `reshape`. A state is viewed with its samples in front,
and turned then: `view(batch, num_layers, hidden).transpose(0, 1).contiguous()`. What was learnt from mixed samples has to be
learnt anew.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.dims import ZERO, Dim, product
from lstm_lint.facts import Use
from lstm_lint.findings import Severity
from lstm_lint.judge import Judged
from lstm_lint.lineage import Astray, Role
from lstm_lint.proofs.comparison import Comparison, compare
from lstm_lint.proofs.conditions import assumed
from lstm_lint.regrouping import Stray
from lstm_lint.remedies import BatchFirst, UnfoldSamples
from lstm_lint.rules.base import Ask, Complaint, Handling, Rule, condition_text, is_readable, sizes_text
from lstm_lint.rules.handling import site_of
from lstm_lint.rules.views import View, factors_of, layout_text, named, tensor_details, trust_in, view_of, where_it_fits
from lstm_lint.values import Tensor, as_dim


def check(use: Use, handling: Handling) -> Iterator[Complaint]:
    view = view_of(use)
    if view is None:
        return
    use = where_it_fits(use, view)
    regrouping = view.regrouping(use.given)
    if regrouping is None:
        return
    for stray in regrouping.strays(Role.BATCH):
        comparison = compare(stray.wanted, stray.front, use.given, trust_in(use, view.lineage))
        if comparison.differs and _is_taken(view, comparison, use.given) and not _one_step_is_promised(use, view, handling):
            message = f"{_message(view, stray)}{condition_text(comparison)}"
            details = {
                **tensor_details(view.lineage, view.source),
                "role": "batch",
                "factors": factors_of(view.lineage),
                "sizes": view.plain(stray.start, stray.end),
                "axes": (stray.start, stray.end),
            }
            yield Complaint(
                use.place,
                message,
                Ask.EXPERIMENT,
                comparison,
                site=site_of(use),
                use=use,
                experiment="stray",
                details=details,
                remedy=_remedy(use, view, stray),
            )
            return


def _remedy(use: Use, view: View, stray: Stray) -> BatchFirst | UnfoldSamples | None:
    """The batch and the axis in its place are exchanged before, if they are the first two; behind, if those are of one axis."""
    if _is_unfolded(view, stray):
        return UnfoldSamples(place=use.place)
    is_method = use.name in ("torch.Tensor.view", "torch.Tensor.reshape")
    pair = {view.lineage.axis_of(Role.BATCH), stray.start}
    return BatchFirst(place=use.place) if is_method and pair == {0, 1} else None


def _is_unfolded(view: View, stray: Stray) -> bool:
    """Whether a state is made of what was one axis for each sample: ``linear(h_n[-1]).view(L, N, H)``."""
    axes = view.lineage.axes or ()
    return len(axes) == 2 and view.lineage.axis_of(Role.BATCH) == 0 and (stray.start, len(view.asked)) == (1, 3)


def _message(view: View, stray: Stray) -> str:
    if _is_unfolded(view, stray):
        layers, batch, *rest = (dim.text for dim in view.asked)
        before, whole = sizes_text(view.source.shape.dims or ()), ", ".join([batch, layers, *rest])
        return _unfolded_text(f"{view.spelt} of {before} makes a batch", 0, f"{view.name}({whole})")
    axis = view.lineage.axis_of(Role.BATCH)
    moved = {(1, 0): "(0, 1)", (0, 1): "(0, 1)", (2, 0): "(0, 2)"}.get((axis if axis is not None else -1, stray.start))
    first = "" if moved is None else f": transpose{moved} first, then reshape"
    return (
        f"this mixes samples: {named(view.lineage)} is laid out {layout_text(view.lineage)} here, and axis {stray.start} after "
        f"{view.name} is as long as the batch without being it{first}"
    )


def _is_taken(view: View, comparison: Comparison, given: Dim) -> bool:
    """Whether torch takes the view where it is wrong, whatever the sizes are: else the code relies on another configuration."""
    total, known = (assumed(dim, given) for dim in view.counts())
    flags = {symbol: Dim.of(value) for symbol, value in comparison.witness.items() if symbol.is_flag}
    return total == ZERO or total.substitute(flags).divided_by(known.substitute(flags)) is not None


def _one_step_is_promised(use: Use, view: View, handling: Handling) -> bool:
    """Whether the next layer takes the features of one step: then the code is for sequences of one, where nothing is mixed."""
    steps, shape = view.lineage.factor(Role.TIME), use.result.shape if isinstance(use.result, Tensor) else None
    if steps is None or shape is None or shape.dims is None:
        return False
    for later in handling.of(view.lineage):
        wanted = as_dim(later.config["in_features"]) if later.config and "in_features" in later.config else None
        if (
            later.source is not None
            and later.source.shape == shape
            and wanted is not None
            and wanted * steps.size == shape.dims[-1]
        ):
            return True
    return False


def check_state(judged: Judged) -> Iterator[Complaint]:
    """A state made by a view of what a layer worked out for each sample: ``self.start(z).view(L, N, H)``."""
    if not is_readable(judged):
        return
    for part in judged.parts:
        astray = part.tensor.lineage.astray if part.tensor is not None and part.tensor.lineage is not None else None
        if astray is None or part.actual is None or (astray.axis, len(part.actual)) != (1, 3):
            continue
        comparison = compare(astray.wanted, astray.front, judged.call.given, judged.trust)
        if comparison.differs:
            yield Complaint(
                astray.place,
                f"{_state_message(part.which, astray)}{condition_text(comparison)}",
                Ask.EXPERIMENT,
                comparison,
                site=judged.call.site,
                judged=judged,
                parts=(part.which,),
                experiment="stray",
                details=_state_details(astray),
                remedy=UnfoldSamples(place=astray.place) if astray.source == 0 else None,
            )


def _state_message(which: str, astray: Astray) -> str:
    sizes = [astray.after[astray.axis], *astray.after[: astray.axis], *astray.after[astray.axis + 1 :]]
    before, after, whole = (sizes_text(dims) for dims in (astray.before, astray.after, sizes))
    return _unfolded_text(f"{astray.name} of {before} as {after} makes a batch of {which}", astray.source, astray.name + whole)


def _unfolded_text(what: str, axis: int, instead: str) -> str:
    return f"this mixes samples: {what} that is not axis {axis}: {instead} first, then transpose(0, 1)"


def _state_details(astray: Astray) -> dict[str, object]:
    size = astray.before[astray.source]
    rest = product((*astray.before[: astray.source], *astray.before[astray.source + 1 :]))
    factors = (("batch", size), ("feature", rest)) if astray.source == 0 else (("feature", rest), ("batch", size))
    axes = (astray.axis, astray.axis + 1)
    return {"which": "h", "shape": astray.before, "role": "batch", "factors": factors, "sizes": astray.after, "axes": axes}


def is_unsure(use: Use) -> bool:
    """Whether the sizes are numbers that tell a batch in several axes from anything else no more."""
    view = view_of(use)
    regrouping = view.regrouping(use.given) if view is not None else None
    return regrouping is not None and regrouping.may_stray(Role.BATCH)


RULE = Rule(
    "LST404", "state-view-mixes-batch", Severity.WARNING, True, __doc__, of_call=check_state, of_use=check, is_unsure=is_unsure
)
