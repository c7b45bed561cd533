"""Findings for programs. The fields are a contract: there are additions only."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from lstm_lint import __version__
from lstm_lint.check import Outcome
from lstm_lint.findings import Confirmation, Finding, Fix, Related, Severity
from lstm_lint.report.lines import Line, View, line
from lstm_lint.source import Span

VERSION = 1


def check(outcome: Outcome, view: View) -> Iterator[Line]:
    """One JSON object, as docs/json.md describes it."""
    del view
    counts = Counter(finding.severity for finding in outcome.findings)
    document = {
        "version": VERSION,
        "tool": {"name": "lstm-lint", "version": __version__},
        "summary": {
            "files": outcome.files,
            "analyzed": outcome.analyzed,
            **{severity.value: counts[severity] for severity in Severity},
            "refuted": len(outcome.refuted),
            **({} if outcome.fixed is None else {"fixed": outcome.fixed}),
        },
        "findings": [_finding(finding) for finding in outcome.findings],
    }
    yield line(json.dumps(document, indent=2))


def _finding(finding: Finding) -> Mapping[str, Any]:
    return {
        "code": finding.code,
        "name": finding.name,
        "severity": finding.severity.value,
        "path": finding.path,
        "cell": finding.span.cell,
        **_extent(finding.span),
        "message": finding.message,
        "expected": None if finding.expected is None else list(finding.expected),
        "actual": None if finding.actual is None else list(finding.actual),
        "when": finding.when,
        "witness": dict(finding.witness),
        "packed": finding.packed,
        "related": [_related(related) for related in finding.related],
        "fix": None if finding.fix is None else _fix(finding.fix),
        "confirmation": None if finding.confirmation is None else _confirmation(finding.confirmation),
    }


def _extent(span: Span) -> Mapping[str, int]:
    return {"line": span.line, "column": span.column, "end_line": span.end_line, "end_column": span.end_column}


def _related(related: Related) -> Mapping[str, Any]:
    """A related place; ``cell`` only in a notebook."""
    cell = {} if related.span.cell is None else {"cell": related.span.cell}
    return {"path": related.path, **cell, "line": related.span.line, "column": related.span.column, "message": related.message}


def _fix(fix: Fix) -> Mapping[str, Any]:
    return {"safe": fix.safe, "edits": [{**_extent(edit.span), "text": edit.text} for edit in fix.edits]}


def _confirmation(confirmation: Confirmation) -> Mapping[str, Any]:
    return {"status": confirmation.status.value, "torch": confirmation.torch, "detail": confirmation.detail}
