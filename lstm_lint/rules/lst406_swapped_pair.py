"""# LST406 swapped-pair

**Severity:** warning

## What it does
Finds the final state of an LSTM taken apart in the wrong order, by names that say what was meant, and a pair (c, h) that is
passed in where the layer wants (h_0, c_0).

```
out, (h_n, c_n) = lstm(x)         h_n  what the layer puts out at the end of each sequence, in (-1, 1)
                                  c_n  the cell's memory, of any size
out, (c, h) = lstm(x)             c is h_n, and h is c_n
lstm(y, (c_n, h_n))               runs on a memory between -1 and 1, and puts out what it never does
```

## Why it is bad
Both have one shape (without `proj_size`), so that nothing raises, and a model learns with either. It learns worse, and what is
compared with other code, or loaded into it, is wrong.

The rule goes by names in one place only: two targets of which the first calls itself the cell state and the second the hidden
state. It is silent as long as the pair is only passed on in its order, since then only the names are wrong.

## Example
```python
out, (c, h) = lstm(x)
last = fc(h[-1])
```

## Instead
```python
out, (h, c) = lstm(x)
last = fc(h[-1])
```

## What torch says
Nothing. `check` shows how far the output is from that of the right order.

## Fix safety
Unsafe: the two names, or the two tensors, change places.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from lstm_lint.facts import Use
from lstm_lint.findings import Severity
from lstm_lint.judge import Judged
from lstm_lint.lineage import Role
from lstm_lint.rules.base import Ask, Complaint, Handling, Rule, is_readable
from lstm_lint.rules.handling import site_of, which
from lstm_lint.values import Tensor, Tuple, Value

CELL = re.compile(r"(c|cx|cn|ct|c[nt0x]?\d*|cell|cells|c_?state|cell_?state)")
HIDDEN = re.compile(r"(h|hx|hn|ht|h[nt0x]?\d*|hid|hidden|hiddens|h_?state|hidden_?state)")
ENDINGS = re.compile(r"(_?(n|t|0|1|x|last|final|out|new|next|prev|enc|dec|fwd|bwd|f|b))*\d*$")


def of_use(use: Use, handling: Handling) -> Iterator[Complaint]:
    pair = use.arguments[0] if use.name == "unpack" and use.arguments else None
    if not isinstance(pair, Tuple) or pair.given_by is None or pair.given_by.which != "state" or len(use.targets) != 2:
        return
    first, second = use.targets
    if _says(CELL, first) and _says(HIDDEN, second) and _is_used(pair, handling):
        message = f"the final state is (h_n, c_n): `{first}` gets the hidden state here, and `{second}` the cell state"
        yield Complaint(use.place, message, Ask.EXPERIMENT, site=site_of(use), use=use, experiment="swapped-pair")


def _says(meaning: re.Pattern[str], target: str) -> bool:
    """Whether a name says that it is this one of the two: ``c_n``, ``self.cell``, ``dec_h``."""
    name = target.rpartition(".")[2].lower().strip("_")
    words = [part for part in (name, ENDINGS.sub("", name), name.rpartition("_")[2], name.partition("_")[0]) if part]
    return any(meaning.fullmatch(word) for word in words) and not any(
        other.fullmatch(word) for other in (CELL, HIDDEN) if other is not meaning for word in words
    )


def _is_used(pair: Tuple, handling: Handling) -> bool:
    """Whether one of the two is used for something: a pair that is only passed on keeps its order."""
    lineages = [item.lineage for item in pair.items if isinstance(item, Tensor) and item.lineage is not None]
    for lineage in lineages:
        for use in handling.of(lineage):
            if use.name != "unpack" and use.source is not None and use.source.lineage is not None:
                if which(use.source.lineage) in ({"h"}, {"c"}) and not use.name.endswith(("detach", "cuda", ".to", "cpu")):
                    return True
    return False


def of_call(judged: Judged) -> Iterator[Complaint]:
    call = judged.call
    if not is_readable(judged) or not isinstance(call.state, Tuple) or len(call.state.items) != 2:
        return
    first, second = call.state.items
    if _meaning(first) == "c" and _meaning(second) == "h":
        message = "the state is (c, h) here, and the layer wants (h_0, c_0): the two are in the wrong order"
        place = call.state_place or call.place
        yield Complaint(place, message, Ask.EXPERIMENT, site=call.site, judged=judged, experiment="swapped-pair")


def _meaning(value: Value) -> str | None:
    """``h`` or ``c``, for what is nothing else than a layer's own: what was worked out from it may mean anything."""
    lineage = value.lineage if isinstance(value, Tensor) else None
    if lineage is None or Role.FEATURE not in lineage.roles(-1):
        return None
    (one, *others) = which(lineage) or {None}
    return one if not others else None


RULE = Rule("LST406", "swapped-pair", Severity.WARNING, True, __doc__, of_call=of_call, of_use=of_use)
