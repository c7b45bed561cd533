"""Findings as workflow commands, which GitHub shows as annotations beside the code of a pull request."""

from __future__ import annotations

from collections.abc import Iterator

from lstm_lint.check import Outcome
from lstm_lint.findings import Finding, Severity, Status
from lstm_lint.report.lines import Line, View, line

LEVELS = {Severity.ERROR: "error", Severity.WARNING: "warning", Severity.INFO: "notice"}


def check(outcome: Outcome, view: View) -> Iterator[Line]:
    """A command for each finding."""
    del view
    for finding in outcome.findings:
        properties = {"file": finding.path, **_extent(finding), "title": finding.code}
        written = ",".join(f"{name}={escaped_property(value)}" for name, value in properties.items())
        yield line(f"::{LEVELS[finding.severity]} {written}::{escaped(_message(finding))}")


def _extent(finding: Finding) -> dict[str, str]:
    """Where it stands. GitHub counts the lines of a notebook's JSON, so a finding in a cell belongs to the whole file."""
    span = finding.span
    if span.cell is not None:
        return {}
    extent = {"line": str(span.line), "endLine": str(span.end_line)}
    if span.line == span.end_line:  # columns are only looked at within one line
        extent |= {"col": str(span.column), "endColumn": str(span.end_column)}
    return extent


def _message(finding: Finding) -> str:
    span, confirmation = finding.span, finding.confirmation
    place = "" if span.cell is None else f"cell {span.cell}, line {span.line}: "
    when = "" if finding.when is None else f"\nwhen: {finding.when}"
    said = ""
    if confirmation is not None and confirmation.status is not Status.SKIPPED:
        said = f"\ntorch {confirmation.torch}: {confirmation.detail}"
    return f"{place}{finding.message}{when}{said}"


def escaped(text: str) -> str:
    """A command's message as the runner unescapes it."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def escaped_property(text: str) -> str:
    """A command's property as the runner unescapes it."""
    return escaped(text).replace(":", "%3A").replace(",", "%2C")
