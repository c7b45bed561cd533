"""Every project of several files: what its comments say is found in its files, and nothing else; its scripts run, or raise.

The comments are those of `test_fixtures.py`, in whichever file a finding or a call stands. Calls without ``# unknown: "text"``
are decided. ``# runs: script`` (``module`` in a package: ``python -m``) and ``# raises: RuntimeError "text"`` in a file's
docstring say what becomes of it in torch; only those files are run.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest
from test_fixtures import EXPECTATION, words

from lstm_lint.check import FileResult, analyse, check_paths, joined, shapes_paths
from lstm_lint.config import Settings
from lstm_lint.confirm.runner import ask
from lstm_lint.confirm.verdicts import compare_shapes, with_verdicts
from lstm_lint.discover import discover
from lstm_lint.findings import Finding, Status
from lstm_lint.outline import StateStatus

FOLDER = Path(__file__).parent.parent / "fixtures" / "projects"
PROJECTS = sorted(path.name for path in FOLDER.iterdir())
UNKNOWN = re.compile(r'# unknown: "([^"]*)"')
RUN = re.compile(r'# (runs|raises): (script|module|\w+ "[^"\n]*")')


def settings(confirm: str = "never") -> Settings:
    return Settings(str(FOLDER), cache=False, confirm=confirm)


def files_of(project: str) -> list[Path]:
    return sorted(path for path in (FOLDER / project).rglob("*") if path.suffix in (".py", ".ipynb"))


Place = tuple[str, int | None, int]
"""(path, cell of a notebook, line)"""


def lines_of(project: str) -> Iterator[tuple[Place, str]]:
    for path in files_of(project):
        for cell, text in texts_of(path):
            for number, line in enumerate(text.splitlines(), 1):
                yield (str(path), cell, number), line


def texts_of(path: Path) -> list[tuple[int | None, str]]:
    """The file's text, or those of a notebook's code cells by their numbers."""
    if path.suffix == ".py":
        return [(None, path.read_text())]
    cells = json.loads(path.read_text())["cells"]
    return [(number, "".join(cell["source"])) for number, cell in enumerate(cells, 1) if cell["cell_type"] == "code"]


def place_of(finding: Finding) -> Place:
    return finding.path, finding.span.cell, finding.span.line


@cache
def found_in(project: str) -> tuple[Finding, ...]:
    return check_paths([str(FOLDER / project)], settings()).findings


@cache
def replayed(project: str) -> tuple[FileResult, ...]:
    chosen = settings("always")
    return tuple(analyse(discover([str(FOLDER / project)], chosen.filter).files, chosen))


@pytest.mark.parametrize("project", PROJECTS)
def test_every_finding_has_its_comment_and_every_comment_its_finding(project: str) -> None:
    expected = [(place, *match) for place, line in lines_of(project) for match in EXPECTATION.findall(line)]
    found = found_in(project)
    assert Counter((place_of(f), f.severity.value, f.code) for f in found) == Counter(e[:3] for e in expected), [
        f"{f.path}:{f.span.line}: {f.severity.value}: {f.code} {words(f)}" for f in found
    ]
    for place, _, code, text in expected:
        texts = [words(f) for f in found if (place_of(f), f.code) == (place, code)]
        assert any(text in one for one in texts), (place, text, texts)


@pytest.mark.parametrize("project", PROJECTS)
def test_every_state_is_decided_unless_a_comment_says_why_not(project: str) -> None:
    expected = {place: match for place, line in lines_of(project) for match in UNKNOWN.findall(line)}
    listing, _ = shapes_paths([str(FOLDER / project)], settings())
    reasons: dict[Place, list[str]] = {}
    for call in listing.calls:
        for state in (call.h_0, call.c_0):
            if state is not None and state.status is StateStatus.UNKNOWN:
                assert state.why is not None
                reasons.setdefault((call.path, call.cell, call.line), []).append(state.why.message)
    assert reasons.keys() == expected.keys(), reasons
    for place, text in expected.items():
        assert any(text in reason for reason in reasons[place]), (place, text, reasons[place])


@pytest.mark.parametrize("project", PROJECTS)
def test_a_file_alone_gives_what_it_gives_among_others(project: str) -> None:
    together = {(f.path, f.span, f.code) for f in found_in(project)}
    alone: set[tuple[object, ...]] = set()
    for path in files_of(project):
        alone.update((f.path, f.span, f.code) for f in check_paths([str(path)], settings()).findings)
    assert alone == together


@pytest.mark.torch
def test_torch_agrees_with_every_finding_and_every_call_judged_right() -> None:
    pytest.importorskip("torch")
    results = [result for project in PROJECTS for result in replayed(project)]
    replays = [probe for result in results for probe in result.replays]
    complaints = [compare_shapes(probe, answer) for probe, answer in zip(replays, ask(replays), strict=True)]
    assert [one for one in complaints if one] == []
    judged = with_verdicts(joined(results, ()), ask)
    agreed = (Status.RAISED, Status.CRASHED, Status.DIFFERS)
    assert [f for f in judged if f.confirmation is None or f.confirmation.status not in agreed] == []


@pytest.mark.torch
def test_torch_does_what_each_script_says() -> None:
    pytest.importorskip("torch")
    work, said = [], []
    for path in (path for project in PROJECTS for path in files_of(project)):
        text = texts_of(path)[0][1]
        match = RUN.match(text, text.find("# r")) if text.startswith('"""') else None
        if match is not None:
            folder = path.relative_to(FOLDER).parts[0]
            inside = path.relative_to(FOLDER / folder)
            package = (path.parent / "__init__.py").exists()
            name = ".".join(inside.with_suffix("").parts).removeprefix("src.")
            work.append([str(FOLDER / folder), name if package else str(inside), package])
            said.append(match)
    program = Path(__file__).parent / "run_scripts.py"
    done = subprocess.run([sys.executable, str(program)], input=json.dumps(work), capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    outcomes = json.loads(done.stdout)
    assert len(said) > 20
    done_and_said = zip(work, said, outcomes, strict=True)
    assert [(task, match[0], outcome) for task, match, outcome in done_and_said if not agrees(match, outcome)] == []


def agrees(said: re.Match[str], outcome: str | None) -> bool:
    """Whether a script did what its first lines say."""
    if said[1] == "runs":
        return outcome is None
    kind, text = said[2].split(" ", 1)
    return outcome is not None and outcome.startswith(f"{kind}: ") and text.strip('"') in outcome
