"""# LST901 gave-up

**Severity:** info, off by default.

## What it does
Says where the analysis stopped because its budget of steps ran out, and what was therefore not looked at. A call that takes too
many steps is no reason: what it returns is not known then (`lstm-lint shapes` says so), and what stands behind it is looked at.
It is the statements of the function, the class or the module itself that were too many.

The budget is counted in steps, so that a result is the same on every machine. Where it would take too long nevertheless
("takes too long to follow"), the clock ends it: 1.5 seconds of processor time a file, for files that import very much code.
Such a result is not kept in the cache.

## Why it is bad
It is not: the code may be right. It is for those who want to know what a silent run did not see.

## Example
```python
def main():
    model = Model()
    ...                    # thousands of statements, or loops in loops over values that all depend on one another
    model(x, h_0)          # not looked at
```

## Instead
Split the function; the part that builds and calls the LSTM is then followed on its own.

## What torch says
Nothing: it is not asked.

## Fix safety
There is no automatic fix.
"""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.facts import Facts
from lstm_lint.findings import Severity
from lstm_lint.rules.base import Ask, Complaint, Rule


def check(facts: Facts) -> Iterator[Complaint]:
    for stopped in facts.gave_up:
        yield Complaint(stopped.place, stopped.message, Ask.NOTHING)


RULE = Rule("LST901", "gave-up", Severity.INFO, False, __doc__, of_facts=check)
