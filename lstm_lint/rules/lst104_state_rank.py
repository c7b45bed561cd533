"""# LST104 state-rank

**Severity:** error

## What it does
Checks how many dimensions the state has: three for a batched (3-D) input, two for an unbatched (2-D) one. A cell's state
has as many as its input, two with a batch and one without.

```
                 input         state                      a cell's input    state
a batch          (T, N, F)     (D*L, N, H)   3-D, 3-D     (N, F)            (N, H)
one sequence     (T,    F)     (D*L,    H)   2-D, 2-D     (F,)              (H,)
```

## Why it is bad
torch refuses the call. Usual causes: the batch dimension was dropped with `squeeze` or by indexing, the state of an
LSTMCell was given to an LSTM, or a single sequence is passed without its batch dimension while the state has one.

## Example
```python
lstm = nn.LSTM(28, 4)
h0 = c0 = torch.zeros(1, 4)
out, _ = lstm(torch.randn(3, 10, 28), (h0, c0))
```

## Instead
```python
lstm = nn.LSTM(28, 4)
h0 = c0 = torch.zeros(1, 10, 4)
out, _ = lstm(torch.randn(3, 10, 28), (h0, c0))
```

## What torch says
`For batched 3-D input, hx and cx should also be 3-D but got (2-D, 2-D) tensors`, or `For unbatched 2-D input, hx and cx
should also be 2-D but got (3-D, 3-D) tensors`. The state that comes with a `PackedSequence` is not checked for nn.LSTM; it
fails with an obscure `IndexError`.

## Fix safety
There is no automatic fix.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.findings import Severity
from lstm_lint.judge import Judged, StatePart
from lstm_lint.ops.recurrent import LayerConfig
from lstm_lint.proofs.comparison import EQUAL, compare
from lstm_lint.rules.base import CERTAIN, Ask, Complaint, Rule, is_readable, sizes_text, state_place
from lstm_lint.rules.states import packed_text
from lstm_lint.source import Place


def check(judged: Judged) -> Iterator[Complaint]:
    config = judged.call.site.config
    if config is None or not is_readable(judged):
        return
    together: dict[tuple[Place, tuple[int, int] | None], list[StatePart]] = {}
    for part in judged.parts:
        if part.ranks is not None and not _is_broadcast(judged, config, part):
            together.setdefault((state_place(judged, part.place), part.ranks), []).append(part)
    for (place, _), parts in together.items():
        names = tuple(part.which for part in parts)
        message = _message(judged, config, parts[0], names)
        expected, actual = parts[0].expected, parts[0].actual
        yield Complaint(place, message, Ask.STATE, CERTAIN, expected, actual, judged.call.site, judged, names)


def _is_broadcast(judged: Judged, config: LayerConfig, part: StatePart) -> bool:
    """Whether torch 2.13 runs a cell on a vector with a state (hidden_size, hidden_size): one is broadcast over the other.

    It does for an RNNCell, and for an LSTMCell where only c_0 is such.
    """
    only_c = part.which == "c_0" and judged.parts[0].ranks is None
    if not (config.layer == "RNNCell" or only_c) or judged.input.batched is not False or not config.is_cell:
        return False
    dims = part.actual or ()
    return len(dims) == 2 and all(compare(config.hidden_size, d, judged.call.given, judged.trust) == EQUAL for d in dims)


def _message(judged: Judged, config: LayerConfig, part: StatePart, names: tuple[str, ...]) -> str:
    assert part.ranks is not None
    wanted, given = part.ranks
    verb = "is" if len(names) == 1 else "are"
    shape = f"{sizes_text(part.actual)}, {given}-D," if part.actual is not None else f"{given}-D"
    needs = sizes_text(part.expected) if part.expected is not None else f"{wanted} dimensions"
    return (
        f"{' and '.join(names)} {verb} {shape} but this {config.layer} needs {needs}: {_cause(judged, config, wanted, given)}"
        f"{packed_text(judged, 'it stops with an obscure error, or crashes')}"
    )


def _cause(judged: Judged, config: LayerConfig, wanted: int, given: int) -> str:
    batched, unbatched = ("2-D", "1-D") if config.is_cell else ("3-D", "2-D")
    if not judged.input.batched:
        if given == wanted + 1:
            return f"the input is {unbatched}, without a batch; drop the state's batch dimension or add one to the input"
        return f"the input is {unbatched}, one sample without a batch, and its state is {wanted}-D"
    if given == wanted - 1:
        layout = "(batch, size)" if config.is_cell else "(layers, batch, size)"
        return f"the input is a batch, and so has to be the state: {layout}"
    if config.is_cell and given == 3:
        return "the state of a cell has no dimension for layers; drop the first one"
    return f"the state of a batched input is {batched}"


RULE = Rule("LST104", "state-rank", Severity.ERROR, True, __doc__, of_call=check)
