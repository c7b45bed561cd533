"""# LST501 zero-state

**Severity:** info, off by default

## What it does
Finds a state that is passed to a recurrent layer, is made of zeros beside the call, and fits it exactly.

```
h_0 (num_layers * num_directions, N, H)      lstm(x, (h_0, c_0))   the same as   lstm(x)
      0 0 0 ... 0
      0 0 0 ... 0                            what the layer takes where nothing is passed
```

## Why it is bad
It is what torch does anyway. The sizes are written a second time, and are wrong as soon as somebody sets `bidirectional=True`:
most of the wrong states that LST101 to LST105 find are zeros.

## Example
```python
lstm = nn.LSTM(28, 64, batch_first=True)
h0 = torch.zeros(1, x.size(0), 64)
c0 = torch.zeros(1, x.size(0), 64)
out, _ = lstm(x, (h0, c0))
```

## Instead
```python
lstm = nn.LSTM(28, 64, batch_first=True)
out, _ = lstm(x)
```

## What torch says
Nothing: the results are equal, bit by bit.

## Fix safety
Safe: the argument is dropped. There is a finding only if the sizes are proved to be the layer's, and the tensors are seen to be
zeros that nothing can have changed: made in the same function, and named only to be passed on. The lines that made them stay;
they can go.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from lstm_lint.facts import Facts, LstmCall
from lstm_lint.findings import Severity
from lstm_lint.judge import Judged, judge
from lstm_lint.remedies import DropZeros
from lstm_lint.rules.base import Ask, Complaint, Rule
from lstm_lint.source import Place
from lstm_lint.values import Tensor, Tuple

ZEROS = {"torch.zeros", "torch.zeros_like", "torch.Tensor.new_zeros", "torch.Tensor.zero_"}


def check(facts: Facts) -> Iterator[Complaint]:
    together: dict[Place, list[LstmCall]] = {}
    for call in facts.calls:
        together.setdefault(call.place, []).append(call)
    for place, calls in together.items():
        made_at = [_made_at(judge(call)) for call in calls if call.state is not None]
        if not made_at or None in made_at or any(call.place.path != facts.path for call in calls):
            continue
        places = frozenset(place for one in made_at if one is not None for place in one)
        remedy = DropZeros(place=place, made_at=places, calls=frozenset(together), safe=True, is_proof=True)
        message = f"the state is zeros of the layer's own sizes, which it starts from anyway: leave it out{_sizes(calls)}"
        yield Complaint(calls[0].state_place or place, message, Ask.NOTHING, site=calls[0].site, remedy=remedy)


def _made_at(judged: Judged) -> Sequence[Place] | None:
    """Where the state is made, if it is zeros that fit; None if that is not proved."""
    state = judged.call.state
    tensors = state.items if isinstance(state, Tuple) else (state,)
    if judged.structure or judged.call.problem or len(tensors) != len(judged.parts):
        return None
    places: list[Place] = []
    for tensor, part in zip(tensors, judged.parts, strict=True):
        fits = part.status == "match" and isinstance(tensor, Tensor) and tensor.made_by in ZEROS
        if not fits or not isinstance(tensor, Tensor) or tensor.place is None or not _has_dtype(tensor, judged.input.dtype):
            return None
        places.append(tensor.place)
    return places


def _has_dtype(tensor: Tensor, wanted: str | None) -> bool:
    """Whether the dtype can be that of the input: torch refuses any other."""
    return tensor.dtype is None or tensor.dtype == wanted or (wanted is None and "float" in tensor.dtype)


def _sizes(calls: Sequence[LstmCall]) -> str:
    texts = {sizes for call in calls for part in judge(call).parts if (sizes := part.expected) is not None}
    return "" if len(texts) != 1 else f" ({', '.join(dim.text for dim in texts.pop())})"


RULE = Rule("LST501", "zero-state", Severity.INFO, False, __doc__, of_facts=check)
