"""# LST409 state-not-detached

**Severity:** warning

## What it does
Finds a training loop in which a state goes from one round to the next and `backward` is called in each, without a `detach` in
between: a variable that the call's own result is unpacked into, or an attribute of the model that its `forward` sets. It does
not matter whose loss it is. The rule is silent where the state is cut off anywhere (`detach`, `detach_`, `.data`, under
`no_grad`), begins anew, or goes through code that is not in sight, and where `backward` keeps the graph.

```
round 1   h_0 --lstm--> out, h_n --loss.backward()      the graph of round 1 is freed
                              |
round 2   h_0 = h_n ----lstm--> out --loss.backward()   goes through round 2, then through round 1: freed
```

## Why it is bad
`h_n` holds the whole graph that made it. The second `backward` goes back into the round before, whose graph the first has
freed, and torch raises. With `retain_graph=True`, which its message proposes, every step goes back to the very first batch,
slower each time; and once an optimizer has changed the weights that the graph holds, torch raises again.

## Example
```python
hidden = model.init_hidden(batch_size)
for x, y in batches:
    out, hidden = model(x, hidden)
    loss = criterion(out, y)
    loss.backward()
    optimizer.step()
```

## Instead
```python
hidden = model.init_hidden(batch_size)
for x, y in batches:
    hidden = tuple(h.detach() for h in hidden)
    out, hidden = model(x, hidden)
    loss = criterion(out, y)
    loss.backward()
    optimizer.step()
```

## What torch says
```
RuntimeError: Trying to backward through the graph a second time (or directly access saved tensors after they have already
been freed).
```

## Fix safety
No fix: where the state is cut off is yours to say.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.facts import Use
from lstm_lint.findings import Severity
from lstm_lint.lineage import Graph
from lstm_lint.proofs.wording import MET_ONCE
from lstm_lint.rules.base import Ask, Complaint, Handling, Rule
from lstm_lint.rules.handling import lineage_of, site_of


def check(use: Use, _: Handling) -> Iterator[Complaint]:
    lineage, site = lineage_of(use), site_of(use)
    if use.name != "torch.Tensor.backward" or lineage is None or site is None or lineage.graph is not Graph.FREED:
        return
    if any(
        isinstance(flag.key, tuple) and flag.key[0] == MET_ONCE and isinstance(flag.key[1], int) for flag in use.given.flags
    ):
        return  # by a condition that nobody can name it is reached in some rounds only
    message = (
        "this backward goes through the graph of the round before, which is freed by then: the state that the "
        f"{site.layer} gets is what it gave there; detach it in between"
    )
    yield Complaint(use.place, message, Ask.EXPERIMENT, site=site, use=use, experiment="carried-state")


RULE = Rule("LST409", "state-not-detached", Severity.WARNING, True, __doc__, of_use=check)
