"""# LST302 output-structure

**Severity:** error

## What it does
Finds code that takes what a recurrent layer returns for something else: unpacked into a wrong number of names, or used as a
tensor though it is a tuple, also in a later round of a loop, or in the list that `torch.stack` gets.

```
lstm(x)  ->  (output, (h_n, c_n))       gru(x), rnn(x)  ->  (output, h_n)
              |       |                                      |       |
              |       a pair of (D*L, N, *)                  |       one tensor (D*L, N, H)
              (T, N, D*P)                                    (T, N, D*H)

lstm_cell(x)  ->  (h, c)                gru_cell(x)  ->  h
```

## Why it is bad
Python or torch raises: `out, h, c = lstm(x)` has three names for two values, `self.fc(self.lstm(x))` gives a Linear a tuple,
and an LSTM inside `nn.Sequential` hands its tuple to the next layer.

## Example
```python
lstm = nn.LSTM(28, 64)
out, h, c = lstm(x)

model = nn.Sequential(nn.LSTM(28, 64), nn.Linear(64, 10))
scores = model(x)
```

## Instead
```python
lstm, head = nn.LSTM(28, 64), nn.Linear(64, 10)
out, (h, c) = lstm(x)
scores = head(out)
```

## What torch says
`not enough values to unpack (expected 3, got 2)`; `linear(): argument 'input' (position 1) must be Tensor, not tuple`;
`'tuple' object has no attribute 'relu'`; `tuple indices must be integers or slices, not tuple`.

## Fix safety
Safe for `out, h, c = lstm(x)`, which becomes `out, (h, c) = lstm(x)`: it raised anyway. Elsewhere there is no automatic fix.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from lstm_lint.dims import Dim, Symbol
from lstm_lint.facts import LstmSite, Use
from lstm_lint.findings import Severity
from lstm_lint.ops.recurrent import QUALIFIED
from lstm_lint.proofs.comparison import Comparison, compare
from lstm_lint.remedies import NestState
from lstm_lint.rules.base import CERTAIN, Ask, Complaint, Handling, Rule, condition_text
from lstm_lint.rules.handling import trust_of
from lstm_lint.values import Float, Int, Repeated, Tensor, Tuple, Unknown, Value


def check(use: Use, _: Handling) -> Iterator[Complaint]:
    if any(_asks_for_a_type(flag) for flag in use.given.flags):
        return
    subject = use.arguments[0] if use.arguments else use.keywords.get("input")
    if use.name == "unpack":
        if isinstance(subject, Tensor):
            yield from _unpacked_state(use, subject)
        elif isinstance(subject, Tuple):
            yield from _unpacked(use, subject)
        return
    given = next((value for value in (subject, *use.arguments[1:2]) if _is_given(value)), None)
    if given is None:
        yield from _joined(use, subject)
    problem = _misused(use, given) if isinstance(given, Tuple) else None
    if problem is not None and isinstance(given, Tuple):
        text, how = problem
        yield _complaint(use, f"{text}; {_returned(use, given)}{_advice(given)}", how, given)


def _asks_for_a_type(flag: Symbol) -> bool:
    """Whether the code asked something that it is given for its type: it knows of several, and which go together."""
    return isinstance(flag.key, tuple) and flag.key[0] == "is a"


# -- unpacking -------------------------------------------------------------------------------------------------------
def _unpacked(use: Use, subject: Tuple) -> Iterator[Complaint]:
    """``out, h, c = lstm(x)``."""
    count = len(use.targets)
    if subject.given_by is None or count == len(subject.items):
        return
    site = _site(use, subject)
    right = "out, (h, c)" if site is not None and site.layer == "LSTM" else "out, h"
    right = "h, c" if subject.given_by.which == "state" else right
    text = f"this unpacks {len(subject.items)} values into {count} names; {_returned(use, subject)}: write `{right} = ...`"
    yield _complaint(use, text, {"do": "unpack", "count": count}, subject)


def _unpacked_state(use: Use, subject: Tensor) -> Iterator[Complaint]:
    """``out, (h, c) = gru(x)``: the state of a GRU or RNN is one tensor, and unpacking takes it apart by layers."""
    lineage, dims = subject.lineage, subject.shape.dims
    site = use.sites[0] if len(use.sites) == 1 else None
    if lineage is None or dims is None or site is None or site.config is None or site.config.has_pair:
        return
    whole = {source.which for source in lineage.sources} == {"h"} and not lineage.taken and len(dims) > 1
    if not whole or site.config.is_cell or dims[0] != site.config.state_layers:
        return
    comparison = compare(Dim.of(len(use.targets)), dims[0], use.given, replace(trust_of(use), rounds=use.rounds))
    if comparison.differs:
        text = (
            f"the state of a {site.layer} is one tensor whose first axis is {dims[0].text}, this unpacks it into "
            f"{len(use.targets)} names{condition_text(comparison)}; write `out, h = ...`"
        )
        yield _complaint(use, text, {"do": "unpack state", "count": len(use.targets)}, None, comparison, site)


# -- as a tensor -----------------------------------------------------------------------------------------------------
def _is_given(value: Value | None) -> bool:
    return isinstance(value, Tuple) and value.given_by is not None


def _misused(use: Use, given: Tuple) -> tuple[str, dict[str, object]] | None:
    """What is wrong, and how torch can be asked; None if a tuple does as well."""
    first = (bool(use.arguments) and use.arguments[0] is given) or use.keywords.get("input") is given
    short = use.name.rpartition(".")[2]
    if use.name == "attribute":
        name = use.targets[0]
        return None if hasattr((), name) else (f"a tuple has no `{name}`", {"do": "attribute", "name": name})
    if use.name == "index":
        return _indexed(use, given)
    if short in OPERATORS:
        return _operated(use, short, given)
    if use.name in LAYERS_BY_NAME:
        return f"the input of this {short} is a tuple", {"do": "layer", "name": short}
    if first and _is_refused(use) and use.name.startswith("torch."):
        what = f"this {short}" if use.config is not None else f"`{short}`"
        return f"{what} takes a tensor, and gets a tuple", {
            "do": "layer" if use.config is not None else "function",
            "name": use.name,
        }
    return None


def _joined(use: Use, subject: Value | None) -> Iterator[Complaint]:
    """``torch.stack(states)``: what a cell returned in each round."""
    items = subject.items if isinstance(subject, Tuple) else (subject.item,) if isinstance(subject, Repeated) else ()
    given = next((item for item in items if isinstance(item, Tuple) and item.given_by is not None), None)
    name = use.name.removeprefix("torch.")
    if given is not None and name in JOINS and _is_refused(use):
        text = f"`{name}` takes a list of tensors, and gets one of tuples; {_returned(use, given)}{_advice(given)}"
        yield _complaint(use, text, {"do": "join", "name": name}, given)


JOINS = frozenset({"stack", "cat", "concat", "concatenate", "hstack", "vstack", "dstack"})


def _indexed(use: Use, given: Tuple) -> tuple[str, dict[str, object]] | None:
    """``lstm(x)[:, -1]``, ``lstm(x)[2]``."""
    key = use.arguments[1]
    if isinstance(key, Tuple) and key.kind == "tuple":
        return "a tuple has one axis only, this index has several", {"do": "index", "several": True}
    number = key.dim.constant if isinstance(key, Int) else None
    if number is not None and not -len(given.items) <= number < len(given.items):
        return f"the tuple has {len(given.items)} items, there is no {number}", {"do": "index", "number": number}
    return None


OPERATORS = {"add": "+", "sub": "-", "mul": "*", "div": "/", "true_divide": "/", "matmul": "@"}


def _operated(use: Use, short: str, given: Tuple) -> tuple[str, dict[str, object]] | None:
    """Arithmetic with a tensor or a number; two tuples can be added, and a tuple can be repeated."""
    others = [value for value in use.arguments[:2] if value is not given]
    if len(use.arguments) != 2 or len(others) != 1:
        return None
    (other,) = others
    number = isinstance(other, Int | Float)
    if not (isinstance(other, Tensor) or number) or (isinstance(other, Int) and short == "mul") or short not in OPERATORS:
        return None
    if isinstance(other, Tensor) and short == "mul" and other.dtype is not None and "int" in other.dtype:
        return None
    details = {"do": "operator", "name": OPERATORS[short], "number": number, "first": use.arguments[0] is given}
    return f"`{OPERATORS[short]}` takes tensors, and gets a tuple", details


def _is_refused(use: Use) -> bool:
    return isinstance(use.result, Unknown) and use.result.reason.startswith("torch refuses this: a tuple")


LAYERS_BY_NAME = frozenset(QUALIFIED.values())


# -- words -----------------------------------------------------------------------------------------------------------
def _returned(use: Use, given: Tuple) -> str:
    site = _site(use, given)
    layer = site.layer if site is not None else "recurrent layer"
    if given.given_by is not None and given.given_by.which == "state":
        return f"the state of an {layer} is the pair (h, c)"
    an = "an" if layer[0] in "LR" else "a"
    return f"{an} {layer} returns (output, {'(h_n, c_n)' if layer == 'LSTM' else 'h_n'})"


def _advice(given: Tuple) -> str:
    if given.given_by is not None and given.given_by.which == "state":
        return ": take one of the two"
    return ": take the output out of it, `out, _ = ...`"


def _site(use: Use, given: Tuple) -> LstmSite | None:
    return next((site for site in use.sites if given.given_by is not None and site.number == given.given_by.site), None)


def _complaint(
    use: Use,
    message: str,
    details: dict[str, object],
    given: Tuple | None,
    comparison: Comparison = CERTAIN,
    site: LstmSite | None = None,
) -> Complaint:
    site = site or (_site(use, given) if given is not None else None)
    which = given.given_by.which if given is not None and given.given_by is not None else "state"
    return Complaint(
        use.place,
        message,
        Ask.EXPERIMENT,
        comparison,
        site=site,
        use=use,
        experiment="structure",
        details={**details, "which": which},
        remedy=NestState(place=use.place) if which == "result" and _is_flat(details, site) else None,
    )


def _is_flat(details: dict[str, object], site: LstmSite | None) -> bool:
    """Whether it is ``out, h, c = lstm(x)``."""
    return details == {"do": "unpack", "count": 3} and site is not None and site.layer == "LSTM"


RULE = Rule("LST302", "output-structure", Severity.ERROR, True, __doc__, of_use=check)
