"""# LST109 state-device

**Severity:** warning

## What it does
Finds a state that is made on the CPU for an input that the same code moves to another device, `.cuda()` or `.to(device)` with a
device that is not always the CPU.

```
x = x.to(device)                      x    (N, T, F)   on the GPU, where there is one
h0 = torch.zeros(1, x.size(0), H)     h_0  (1, N, H)   on the CPU
lstm(x, (h0, c0))                     torch refuses
```

## Why it is bad
It runs on a machine without a GPU, where it is written and tested, and raises on the one where the model is to be trained.

## Example
```python
x = x.to(device)
h0 = torch.zeros(1, x.size(0), 64)
out, h_n = gru(x, h0)
```

## Instead
```python
x = x.to(device)
h0 = torch.zeros(1, x.size(0), 64, device=x.device)
out, h_n = gru(x, h0)
```

## What torch says
```
RuntimeError: Input and hidden tensors are not at the same device, found input tensor at cuda:0 and hidden tensor at cpu
```
`check` lets torch say it of the meta device, which is there on every machine.

## Fix safety
No fix: the device may be missing where the state is made, or a `.to(device)` behind that.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.facts import Facts, LstmCall
from lstm_lint.findings import Severity
from lstm_lint.judge import Judged, judge
from lstm_lint.rules.base import Ask, Complaint, Rule, is_readable, state_place
from lstm_lint.source import Place
from lstm_lint.values import Tensor


def of_facts(facts: Facts) -> Iterator[Complaint]:
    """Every call whose state is on the CPU in all its contexts, and whose input is moved in one."""
    calls: dict[Place, list[LstmCall]] = {}
    for call in facts.calls:
        calls.setdefault(call.place, []).append(call)
    for contexts in calls.values():
        judged = [judge(call) for call in contexts if call.state is not None]
        if judged and all(_is_on_cpu(one) for one in judged):
            moved = [one for one in judged if _is_moved(one) and not one.call.guarded and one.call.usual and is_readable(one)]
            yield from (_complaint(one) for one in moved[:1])


def _is_on_cpu(judged: Judged) -> bool:
    parts = [part.tensor for part in judged.parts]
    return bool(parts) and all(tensor is not None and tensor.device == "cpu" for tensor in parts)


def _is_moved(judged: Judged) -> bool:
    device = judged.call.input.device if isinstance(judged.call.input, Tensor) else None
    return device is not None and device not in ("cpu", "meta")


def _complaint(judged: Judged) -> Complaint:
    place = state_place(judged, judged.parts[0].place)
    message = "the state is made on the CPU, and the input was moved to another device: device=x.device, say"
    return Complaint(place, message, Ask.EXPERIMENT, site=judged.call.site, judged=judged, experiment="state-device")


RULE = Rule("LST109", "state-device", Severity.WARNING, True, __doc__, of_facts=of_facts)
