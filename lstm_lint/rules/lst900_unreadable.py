"""# LST900 unreadable

**Severity:** error

## What it does
Reports a file that cannot be read as Python: text that does not parse, bytes that are not text in the declared encoding, or
a notebook that is not one. The place is that of the first thing that could not be read.

## Why it is bad
Nothing in the file was checked.

## Example
```python
lstm = nn.LSTM(28, 64
```

## Instead
```python
lstm = nn.LSTM(28, 64)
```

## What torch says
Nothing: it is not asked.

## Fix safety
There is no automatic fix.
"""

from __future__ import annotations

from lstm_lint.findings import Finding, Severity
from lstm_lint.rules.base import Rule
from lstm_lint.source import Span

RULE = Rule("LST900", "unreadable", Severity.ERROR, True, __doc__)


def unreadable(path: str, span: Span, message: str) -> Finding:
    """The finding for a file that could not be read: there are no facts about it."""
    return Finding(RULE.code, RULE.name, RULE.severity, path, span, message)
