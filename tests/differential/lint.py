"""What lstm-lint says about many sources: one call of its command line over a folder."""

import json
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

SHAPE_FAMILIES = ("LST1", "LST2", "LST3")
"""The families that speak about what torch rejects; LST4xx is about silent misuse and says nothing on running."""


@dataclass(frozen=True)
class Reported:
    """One finding, as its JSON says it."""

    code: str
    severity: str
    line: int
    message: str
    confirmation: str | None

    def __str__(self) -> str:
        return f"{self.line}: {self.severity} {self.code} {self.message}" + (
            f" [{self.confirmation}]" if self.confirmation else ""
        )


@dataclass(frozen=True)
class LintVerdict:
    """All findings on one source."""

    findings: tuple[Reported, ...] = ()

    @property
    def errors(self) -> tuple[Reported, ...]:
        return tuple(item for item in self.findings if item.severity == "error")

    @property
    def warnings(self) -> tuple[Reported, ...]:
        """Warnings that something may be rejected."""
        return tuple(item for item in self.findings if item.severity == "warning" and item.code.startswith(SHAPE_FAMILIES))

    @property
    def flagged(self) -> bool:
        """An error, or a warning of the families that concern shapes."""
        return bool(self.errors or self.warnings)

    @property
    def confirmed(self) -> bool:
        """torch confirmed one of the findings."""
        return any(item.confirmation in ("raised", "crashed", "differs") for item in self.findings)


class LintFailure(RuntimeError):
    """The command itself failed; carries what it printed."""


def lint_all(sources: Mapping[str, str], confirm: str = "never") -> dict[str, LintVerdict]:
    """The verdict on each source, by its name (a file stem). Raises LintFailure unless the command ends with 0."""
    with TemporaryDirectory(prefix="differential-") as folder:
        for name, text in sources.items():
            (Path(folder) / f"{name}.py").write_text(text)
        found = _run(folder, confirm)
    verdicts: dict[str, list[Reported]] = {name: [] for name in sources}
    for item in found:
        verdicts[Path(item["path"]).stem].append(_reported(item))
    return {name: LintVerdict(tuple(items)) for name, items in verdicts.items()}


def _run(folder: str, confirm: str) -> list[dict[str, Any]]:
    options = ["--output-format", "json", "--confirm", confirm, "--no-cache", "--isolated", "--exit-zero"]
    command = [sys.executable, "-m", "lstm_lint", "check", folder, *options]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode != 0:
        raise LintFailure(f"{' '.join(command)} ended with {done.returncode}\n{done.stderr[-4000:]}")
    findings: list[dict[str, Any]] = json.loads(done.stdout)["findings"]
    return findings


def _reported(item: Mapping[str, Any]) -> Reported:
    confirmation = item.get("confirmation") or {}
    return Reported(item["code"], item["severity"], item["line"], item["message"], confirmation.get("status"))
