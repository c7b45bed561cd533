"""# LST108 state-dtype

**Severity:** error

## What it does
Checks the dtype of `h_0` and `c_0`: it has to be a float type, and the one that the layer and its input have.

```
tokens  (N, T)  int64 --Embedding--> x  (N, T, F)  float32 --+
   |                                                         +--> lstm
   +-- tokens.new_zeros(1, N, H)     h_0 (1, N, H)  int64  --+    torch refuses
```

A module may be moved to another dtype anywhere, and autocast turns float32 and the half types into one another. So of two float
types the rule speaks only where one of them is float64, which nothing turns into another.

## Why it is bad
torch raises, but what it says (`get_mkldnn_dtype: unsupported data type`, `mat1 and mat2 must have the same dtype`) does not
name the state. The usual ways there: `tokens.new_zeros(...)`, which takes the dtype of the tokens, and NumPy's float64.

## Example
```python
lstm = nn.LSTM(28, 64, batch_first=True)
h0 = torch.zeros(1, x.size(0), 64, dtype=torch.long)
c0 = torch.zeros(1, x.size(0), 64, dtype=torch.long)
out, _ = lstm(x, (h0, c0))
```

## Instead
```python
lstm = nn.LSTM(28, 64, batch_first=True)
h0 = torch.zeros(1, x.size(0), 64, dtype=x.dtype)
c0 = torch.zeros(1, x.size(0), 64, dtype=x.dtype)
out, _ = lstm(x, (h0, c0))
```

## What torch says
```
RuntimeError: get_mkldnn_dtype: unsupported data type
RuntimeError: mat1 and mat2 must have the same dtype, but got Long and Float
```
An `nn.LSTMCell` takes a `c_0` of any dtype, and the result has torch's promotion of the two.

## Fix safety
No fix: the dtype may be wrong where the state is made, or where the input is.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.findings import Severity
from lstm_lint.judge import Judged, StatePart
from lstm_lint.ops.dtypes import is_float, named_dtype
from lstm_lint.proofs.comparison import Comparison, Extent
from lstm_lint.rules.base import CERTAIN, Ask, Complaint, Rule, condition_text, is_readable, state_place
from lstm_lint.source import Place
from lstm_lint.values import External

DOUBLE = "float64"
UNLESS_SET = Comparison(Extent.SOMETIMES, when="torch's default dtype is float32")
UNLESS_MOVED = Comparison(Extent.SOMETIMES, when="nothing moves the layer to another dtype")


def check(judged: Judged) -> Iterator[Complaint]:
    if not is_readable(judged) or judged.call.site.config is None:
        return
    seen: set[Place] = set()
    for part in _looked_at(judged):
        place = state_place(judged, part.place)
        if place not in seen and (complaint := _complaint(judged, part, place)) is not None:
            seen.add(place)
            yield complaint


def _looked_at(judged: Judged) -> Iterator[StatePart]:
    """The tensors whose dtype torch looks at: a cell only adds to its c_0."""
    config = judged.call.site.config
    for part in judged.parts:
        if config is not None and not (config.is_cell and part.which == "c_0"):
            yield part


def _complaint(judged: Judged, part: StatePart, place: Place) -> Complaint | None:
    dtype = part.tensor.dtype if part.tensor is not None else None
    if dtype is None:
        return None
    if not is_float(dtype):
        names = {other.which for other in _looked_at(judged) if other.tensor is not None and other.tensor.dtype == dtype}
        message = f"{part.which} is {dtype}, and a state has to be of the layer's float type, such as dtype=torch.float32"
        return _asked(judged, part, place, message, CERTAIN, dict.fromkeys(sorted(names), dtype))
    return _other_float(judged, part, place, dtype)


def _other_float(judged: Judged, part: StatePart, place: Place, dtype: str) -> Complaint | None:
    """One of the state's dtype and another is float64, and the other a smaller float."""
    wanted, comparison, what = judged.input.dtype, CERTAIN, "the input"
    if not is_float(wanted):
        declared = judged.call.site.bound.values.get("dtype")
        wanted = named_dtype(declared.qualified_name) if isinstance(declared, External) else None
        comparison, what = UNLESS_MOVED, "the layer"
    if not is_float(wanted) or wanted is None or wanted == dtype or DOUBLE not in (wanted, dtype):
        return None
    if not judged.call.usual:  # something in sight sets another default
        return None
    if not judged.call.grounded:
        comparison = UNLESS_SET
    message = f"{part.which} is {dtype}, and {what} is {wanted}: torch wants one dtype for both{condition_text(comparison)}"
    return _asked(judged, part, place, message, comparison, {"input": wanted, part.which: dtype})


def _asked(
    judged: Judged, part: StatePart, place: Place, message: str, comparison: Comparison, dtypes: dict[str, str]
) -> Complaint:
    return Complaint(
        place, message, Ask.DTYPE, comparison, site=judged.call.site, judged=judged, parts=(part.which,), details=dtypes
    )


RULE = Rule("LST108", "state-dtype", Severity.ERROR, True, __doc__, of_call=check)
