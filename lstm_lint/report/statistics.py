"""How often each rule was broken, instead of where."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator

from lstm_lint.check import Outcome
from lstm_lint.report.lines import Line, line


def text(outcome: Outcome) -> Iterator[Line]:
    """A line for each code, the most frequent first."""
    counts = _counts(outcome)
    width = len(str(counts[0][1])) if counts else 0
    for (code, name, severity), number in counts:
        yield line(f"{number:>{width}}  ", (code, "code"), " ", (f"[{severity}]", severity), f" {name}")


def as_json(outcome: Outcome) -> Iterator[Line]:
    """The same as a JSON list."""
    rows = [
        {"code": code, "name": name, "severity": severity, "count": number}
        for (code, name, severity), number in _counts(outcome)
    ]
    yield line(json.dumps(rows, indent=2))


def _counts(outcome: Outcome) -> list[tuple[tuple[str, str, str], int]]:
    counts = Counter((finding.code, finding.name, finding.severity.value) for finding in outcome.findings)
    return sorted(counts.items(), key=lambda item: (-item[1], item[0]))
