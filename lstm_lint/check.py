"""PLACEHOLDER of the pipeline, to be overwritten: it discovers and filters, but analyses nothing."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from lstm_lint.config import Settings
from lstm_lint.discover import Unreadable, decode, discover, mentions_recurrent_layer, read_bytes
from lstm_lint.findings import Finding, Severity
from lstm_lint.outline import CallReport, SiteReport
from lstm_lint.source import Source


@dataclass(frozen=True)
class FileResult:
    path: str
    analyzed: bool = False
    findings: tuple[Finding, ...] = ()
    sites: tuple[SiteReport, ...] = ()
    calls: tuple[CallReport, ...] = ()


@dataclass(frozen=True)
class Outcome:
    findings: tuple[Finding, ...] = ()
    refuted: tuple[Finding, ...] = ()
    files: int = 0
    analyzed: int = 0
    defects: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


def check_file(source: Source, settings: Settings) -> FileResult:
    del settings
    return FileResult(source.path, mentions_recurrent_layer(source.text.encode()))


def check_paths(paths: Sequence[str], settings: Settings, stdin_text: str | None = None) -> Outcome:
    if stdin_text is not None:
        return Outcome(files=1, analyzed=int(check_file(Source(paths[0], stdin_text), settings).analyzed))
    discovery = discover(paths, settings.filter)
    findings: list[Finding] = []
    analyzed = 0
    for path in discovery.files:
        data = read_bytes(path)
        if not isinstance(data, Unreadable) and not mentions_recurrent_layer(data):
            continue
        source = data if isinstance(data, Unreadable) else decode(path, data)
        if isinstance(source, Unreadable):
            findings.append(Finding("LST900", "unreadable", Severity.ERROR, path, source.span, source.message))
            continue
        analyzed += 1
        findings += check_file(source, settings).findings
    return Outcome(tuple(findings), (), len(discovery.files), analyzed, (), discovery.failures)


def shapes_paths(paths: Sequence[str], settings: Settings) -> list[FileResult]:
    return [FileResult(path) for path in discover(paths, settings.filter).files]
