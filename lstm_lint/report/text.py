"""Findings for people: with the code they stand in (full), or a line each (concise)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator

from lstm_lint.check import Outcome
from lstm_lint.findings import Confirmation, Finding, Fix, Severity, Status
from lstm_lint.report.excerpt import excerpt
from lstm_lint.report.lines import Line, View, counted, line, location
from lstm_lint.source import Span

BUG_REPORT = "torch ran this and it was right, so it is not reported. Please report it as a bug of lstm-lint"
ANSWERS = {
    Status.RAISED: "raised",
    Status.CRASHED: "crashed",
    Status.DIFFERS: "ran it, and the result is wrong",
    Status.REFUTED: "ran it",
}


def full(outcome: Outcome, view: View) -> Iterator[Line]:
    """Each finding with its code, what belongs to it, and torch's own words; then a summary."""
    for finding in outcome.findings:
        yield from _full(finding, view)
        yield ()
    yield from _refuted(outcome, view)
    yield from summary(outcome, view)


def concise(outcome: Outcome, view: View) -> Iterator[Line]:
    """A line for each finding; then a summary."""
    for finding in outcome.findings:
        yield _headline(finding)
    yield from _refuted(outcome, view)
    yield from summary(outcome, view)


def _headline(finding: Finding) -> Line:
    severity = finding.severity.value
    message = " ".join(finding.message.splitlines())
    place = (location(finding.path, finding.span), "path")
    return line(place, ": ", (finding.code, "code"), " ", (f"[{severity}]", severity), f" {message}")


def _full(finding: Finding, view: View) -> Iterator[Line]:
    yield _headline(finding)
    yield from excerpt(view.source(finding.path), finding.span, finding.severity.value)
    if finding.when is not None:
        yield line(("  when: ", "frame"), finding.when)
    for related in finding.related:
        yield line(("  note: ", "frame"), f"{location(related.path, related.span)}: {related.message}")
        yield from _related_code(view, related.path, related.span)
    if finding.confirmation is not None:
        yield from _confirmed(finding.confirmation, view)
    if finding.fix is not None:
        yield from _offered(finding, finding.fix, view)


def _offered(finding: Finding, fix: Fix, view: View) -> Iterator[Line]:
    """The exact text of a fix, edit by edit."""
    source = view.source(finding.path)
    if source is None:
        return
    for edit in fix.edits:
        old, new = on_one_line(source.text_at(edit.span)), on_one_line(edit.text)
        what = f"write {new} for {old}" if old and new else f"insert {new}" if new else f"remove {old}"
        yield line((f"  {'fix' if fix.safe else 'unsafe fix'}: ", "frame"), f"{edit.span.line}:{edit.span.column}: {what}")


def on_one_line(text: str) -> str:
    """A piece of code in backquotes on one line; empty for nothing."""
    joined = " ".join(text.split()) or text.strip("\r\n")
    return f"`{joined}`" if joined else ""


def _related_code(view: View, path: str, span: Span) -> Iterator[Line]:
    """The first line of a related place, without carets."""
    for shown in list(excerpt(view.source(path), span, ""))[1:2]:
        yield line("        ", (shown[1][0].strip(), ""))


def _confirmed(confirmation: Confirmation, view: View) -> Iterator[Line]:
    first, *others = confirmation.detail.splitlines() or [""]
    if confirmation.status is Status.SKIPPED:
        if view.verbose:
            yield line(("  torch was not asked: ", "frame"), first)
        return
    answer = f"  torch {confirmation.torch} {ANSWERS[confirmation.status]}: "
    yield line((answer, "torch"), first)
    for other in others:
        yield line("    ", other)


def _refuted(outcome: Outcome, view: View) -> Iterator[Line]:
    if not view.verbose:
        return
    for finding in outcome.refuted:
        yield _headline(finding)
        yield line(("  refuted: ", "frame"), BUG_REPORT)
        if finding.confirmation is not None:
            yield from _confirmed(finding.confirmation, view)
        yield ()


def summary(outcome: Outcome, view: View) -> Iterator[Line]:
    """The last line: what was found, in how much, and how much of it torch confirmed."""
    if view.quiet:
        return
    looked_at = f"{counted(outcome.files, 'file')} ({outcome.analyzed} with recurrent layers)"
    counts = Counter(finding.severity for finding in outcome.findings)
    if not counts and (outcome.failures or outcome.defects):
        yield line(f"Nothing found in {looked_at}, but not everything could be checked.")
        return
    if not counts:
        yield line(("All checks passed", "good"), f": {looked_at}.{_fixed(outcome)}{_refutations(outcome)}")
        return
    found = " and ".join(counted(counts[severity], _noun(severity)) for severity in Severity if counts[severity])
    said = (_fixed(outcome), _confirmations(outcome.findings), _refutations(outcome), _fixable(outcome, view))
    yield line(f"Found {found} in {looked_at}.{''.join(said)}")


def _fixed(outcome: Outcome) -> str:
    return f" Fixed {outcome.fixed}." if outcome.fixed else ""


def _fixable(outcome: Outcome, view: View) -> str:
    """How many findings have a fix, and the options that apply them."""
    wanted, others = outcome.left_to_fix(view.unsafe)
    available = f"{_fixes(others, 'unsafe ')} available with --fix --unsafe-fixes"
    if outcome.fixed is not None:
        left_out = (
            f" {_fixes(wanted)} not applied: something would be wrong afterwards, or its file was not named." if wanted else ""
        )
        return f"{left_out} {available}." if others else left_out
    if wanted:
        option = "--fix --unsafe-fixes" if view.unsafe else "--fix"
        return f" {wanted} fixable with {option}{f' ({available})' if others else ''}."
    return f" {available}." if others else ""


def _fixes(number: int, kind: str = "") -> str:
    return f"{number} {kind}fix{'' if number == 1 else 'es'}"


def _noun(severity: Severity) -> str:
    return "note" if severity is Severity.INFO else severity.value


def _confirmations(findings: Iterable[Finding]) -> str:
    answers = [finding.confirmation for finding in findings if finding.probe is not None and finding.confirmation is not None]
    asked = [answer for answer in answers if answer.status is not Status.SKIPPED]
    if asked:
        return f" torch {asked[0].torch} confirmed {len(asked)}."
    reasons = sorted({answer.detail for answer in answers})
    return f" torch was not asked: {reasons[0]}." if len(reasons) == 1 else ""


def _refutations(outcome: Outcome) -> str:
    number = len(outcome.refuted)
    return f" {number} refuted by torch and left out (--verbose shows them)." if number else ""
