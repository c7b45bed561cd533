"""The tools that speed.py times: their command lines, what went wrong, and what they looked at."""

import json
import re
import shutil
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import measure

LAYER_NAMES = "LSTM|GRU|RNN"
VERSION_SECONDS = 60.0
NUMBER = re.compile(r"\d+(?:\.\d+)+")
TORCHFIX_DONE = re.compile(r"Finished checking (\d+) files")
# torchfix ends with 1 when a file cannot be parsed, and grep when nothing is found.
ACCEPTED_EXIT_CODES = {"grep": (0, 1), "ruff": (0,), "torchfix": (0, 1), "lstm-lint": (0,)}


@dataclass(frozen=True)
class Executables:
    """The paths given on the command line; None where the tool is to be looked for."""

    grep: str | None
    ruff: str | None
    torchfix: str | None
    lstm_lint: str | None


@dataclass(frozen=True)
class Contender:
    """One row of the table: a tool, with its options and how to read what it says."""

    name: str
    tool: str
    executable: str
    options: tuple[str, ...]
    scope: Callable[[measure.Run], str]
    prime: bool = False

    def command(self, folder: Path) -> list[str]:
        """The command line that runs the tool over a folder."""
        return [self.executable, *self.options, str(folder)]

    def problem(self, run: measure.Run) -> str:
        """Why a finished run does not count; empty if it does."""
        # A Python tool that dies of an exception also ends with 1.
        died = "Traceback (most recent call last)" in run.stderr and self.tool != "torchfix"
        unfinished = self.tool == "torchfix" and run.exit_code == 1 and not TORCHFIX_DONE.search(run.stderr)
        if run.exit_code in ACCEPTED_EXIT_CODES[self.tool] and not died and not unfinished:
            return ""
        last = (run.stderr.strip().splitlines() or ["no message"])[-1].replace("|", "\\|")
        return f"failed with exit code {run.exit_code}: {last}"

    def version(self) -> str:
        """The tool and its version number, or that it is missing."""
        if not self.executable:
            return f"{self.tool} missing"
        run = measure.run([self.executable, "--version"], VERSION_SECONDS)
        found = NUMBER.search(run.stdout)
        return f"{self.tool} {found.group()}" if found else f"{self.tool} of unknown version"


def find(tool: str, given: str | None) -> str:
    """The tool's path: as given, or beside this Python, or on PATH; empty if it is nowhere."""
    if given:
        return shutil.which(given) or ""
    beside = shutil.which(tool, path=str(Path(sys.executable).parent))
    return beside or shutil.which(tool) or ""


def grep_scope(run: measure.Run) -> str:
    """How many files name a layer."""
    return f"{len(run.stdout.splitlines())} files name a layer"


def ruff_scope(run: measure.Run) -> str:
    """How many diagnostics ruff printed: a run that saw no file would have none."""
    return f"all files, default rules ({len(run.stdout.splitlines())} diagnostics)"


def torchfix_scope(run: measure.Run) -> str:
    """How many files torchfix parsed: those that hold the text `torch`."""
    done = TORCHFIX_DONE.search(run.stderr)
    return f"{done.group(1)} files hold `torch`, all rules" if done else "no file holds `torch`"


def lstm_lint_scope(run: measure.Run) -> str:
    """The summary of lstm-lint's JSON."""
    try:
        summary = json.loads(run.stdout)["summary"]
        analyzed, files = summary["analyzed"], summary["files"]
        counts = f"{summary['error']} errors, {summary['warning']} warnings"
    except (ValueError, KeyError, TypeError):
        return "its JSON could not be read"
    return f"{analyzed} of {files} files analysed: {counts}"


def contenders(executables: Executables, scratch: Path) -> list[Contender]:
    """Every row of the table, in its order; `scratch` takes lstm-lint's cache."""
    lstm_lint = find("lstm-lint", executables.lstm_lint)
    check = ("check", "--confirm", "never", "--exit-zero", "--output-format", "json")
    warm = (*check, "--cache-dir", str(scratch / "cache"))
    grep = ("-rlE", "--include=*.py", LAYER_NAMES)
    # The same files on every machine: no settings of the packages' own, nor their .gitignore.
    settings = ("--no-cache", "--isolated", "--no-respect-gitignore")
    ruff = ("check", *settings, "--exit-zero", "--quiet", "--output-format", "concise")
    return [
        Contender("grep", "grep", find("grep", executables.grep), grep, grep_scope, prime=True),
        Contender("ruff", "ruff", find("ruff", executables.ruff), ruff, ruff_scope),
        Contender(
            "torchfix",
            "torchfix",
            find("torchfix", executables.torchfix),
            ("--select", "ALL"),
            torchfix_scope,
        ),
        Contender("lstm-lint, cold", "lstm-lint", lstm_lint, (*check, "--no-cache"), lstm_lint_scope),
        Contender("lstm-lint, warm", "lstm-lint", lstm_lint, warm, lstm_lint_scope, prime=True),
    ]
