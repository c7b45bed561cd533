"""The flake8 plugin: the same rules and codes, one file at a time. flake8 itself selects, ignores and reads ``# noqa``."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any, ClassVar

from lstm_lint import __version__
from lstm_lint.check import check_paths
from lstm_lint.config import ConfigError, Settings, load
from lstm_lint.findings import Finding, Severity, Status
from lstm_lint.project import Project
from lstm_lint.source import Source

Report = tuple[int, int, str, type[Any]]


class Plugin:
    """What flake8 makes for each file."""

    name = "lstm-lint"
    version = __version__
    settings: ClassVar[Settings | None] = None
    project: ClassVar[Project] = Project()

    def __init__(self, tree: ast.AST, filename: str, lines: Sequence[str]) -> None:
        del tree  # asked for because flake8 then calls once a file, after it has parsed
        self.filename = filename
        self.lines = lines

    @staticmethod
    def add_options(manager: Any) -> None:
        """`manager` is flake8's OptionManager."""
        manager.add_option(
            "--lstm-confirm",
            action="store_true",
            default=False,
            parse_from_config=True,
            help="Let torch confirm what lstm-lint finds (default: %(default)s).",
        )

    @classmethod
    def parse_options(cls, options: argparse.Namespace) -> None:
        """Reads [tool.lstm-lint]; a setting that cannot be used ends flake8."""
        try:
            settings = load()
        except ConfigError as error:
            raise SystemExit(f"lstm-lint: {error}") from None
        cls.project = Project()
        cls.settings = replace(settings, confirm="auto" if options.lstm_confirm else "never")

    def run(self) -> Iterator[Report]:
        """Line (from 1), column (from 0) and text of each error and warning that stands in this file."""
        settings = self.settings or Settings(".", confirm="never")
        outcome = check_paths([self.filename], settings, Source(self.filename, "".join(self.lines)), self.project)
        for finding in outcome.findings:
            if finding.severity is not Severity.INFO and finding.path == self.filename:
                yield finding.span.line, finding.span.column - 1, _message(finding), type(self)


def _message(finding: Finding) -> str:
    """One line: the code, the message, and torch's words if it was asked."""
    parts = [f"{finding.code} {finding.message}"]
    if finding.when is not None:
        parts.append(f"when {finding.when}")
    confirmation = finding.confirmation
    if confirmation is not None and confirmation.status is not Status.SKIPPED:
        parts.append(f"torch {confirmation.torch}: {confirmation.detail}")
    return " ".join("; ".join(parts).split())
