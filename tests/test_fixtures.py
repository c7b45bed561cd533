"""Every fixture of the rules: its comments say what is found, its `raises` and `runs` say what torch does.

``# error: LST101 "text"`` stands at the end of the line of the finding; the text is part of ``message when condition``.
``# raises: expression`` and ``# runs: expression`` are evaluated after the file was executed (``module``: executing the file).
``# unknown: "text"`` or ``# conditional: "text"`` on the line of a layer's call: `shapes` lists its state so, and the reason
contains the text.
``reveal_shape(x)  # [shape]``: see `revealed.py`.
"""

from __future__ import annotations

import re
import warnings
from collections import Counter
from functools import cache
from pathlib import Path

import pytest
from revealed import Revealed, WrongComment, agrees, comments, inferred

from lstm_lint.check import FileResult, check_file
from lstm_lint.config import Settings
from lstm_lint.confirm.runner import Answer, ask, question
from lstm_lint.confirm.verdicts import compare_shapes, with_verdicts
from lstm_lint.findings import Finding, Severity, Status
from lstm_lint.outline import CallReport, StateStatus
from lstm_lint.rules import RULES
from lstm_lint.source import Source

FOLDER = Path(__file__).parent.parent / "fixtures"
FILES = sorted(path for folder in ("rules/*", "tutorial", "real", "shapes") for path in FOLDER.glob(f"{folder}/*.py"))
NAMES = [str(path.relative_to(FOLDER)) for path in FILES]
EXPECTATION = re.compile(r'# (error|warning|info): (LST\d+)(?: "([^"]*)")?')
LISTED = re.compile(r'# (unknown|conditional): "([^"]*)"')
RUN = re.compile(r"# (raises|runs): (.*?)(?:\"\"\")?$", re.MULTILINE)
SECTIONS = ("Errors", "Known misses", "Fine")
FEW = {"LST900"}  # rules that say nothing of what the code means
HARMLESS = {"LST501", "LST502"}  # rules of which nothing is wrong: that the results are equal, tests/test_fixes.py holds
CANNOT_BE_ASKED = ("one of them is None", "has no argument")
UNFOUNDED = {"LST901"}  # tested with facts made by hand


@cache
def result_of(path: Path, confirm: str = "never") -> FileResult:
    code = (
        path.parent.name if path.parent.name in RULES else "LST101"
    )  # a rule that is off by default is on for its own fixtures
    settings = Settings(str(FOLDER), cache=False, confirm=confirm, extend_select=(code,))
    return check_file(Source(str(path), path.read_text()), settings)


def findings_of(path: Path) -> tuple[Finding, ...]:
    return result_of(path).findings


def words(finding: Finding) -> str:
    return f"{finding.message} when {finding.when}" if finding.when else finding.message


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_finding_has_its_comment_and_every_comment_its_finding(path: Path) -> None:
    lines = path.read_text().splitlines()
    expected = [(number, *match) for number, line in enumerate(lines, 1) for match in EXPECTATION.findall(line)]
    found = findings_of(path)
    assert Counter((f.span.line, f.severity.value, f.code) for f in found) == Counter(e[:3] for e in expected), [
        f"{f.span.line}: {f.severity.value}: {f.code} {words(f)}" for f in found
    ]
    for line, _, code, text in expected:
        texts = [words(f) for f in found if (f.span.line, f.code) == (line, code)]
        assert any(text in one for one in texts), (line, text, texts)


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_every_reveal_has_its_comment(path: Path) -> None:
    expected = comments(path.read_text())
    found = inferred(path) if expected else {}
    wrong = {
        line: (comment, sorted({(one.text, one.why) for one in found.get(line, [])}))
        for line, comment in expected.items()
        if not any(agrees(comment, one) for one in found.get(line, []))
    }
    assert not wrong


@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_what_is_unknown_is_listed_with_its_reason(path: Path) -> None:
    lines = enumerate(path.read_text().splitlines(), 1)
    expected = [(number, text) for number, line in lines for text in LISTED.findall(line)]
    settings = Settings(str(FOLDER), cache=False, confirm="never")
    calls = check_file(Source(str(path), path.read_text()), settings, listing=True).calls if expected else ()
    for number, (status, text) in expected:
        reasons = [reason for call in calls if call.line == number for reason in reasons_of(call, StateStatus(status))]
        assert any(text in reason for reason in reasons), (number, text, reasons)


def reasons_of(call: CallReport, status: StateStatus) -> list[str]:
    """Why the states of a call have this status."""
    states = [state for state in (call.h_0, call.c_0) if state is not None and state.status is status]
    return [state.why.message for state in states if state.why is not None]


@pytest.fixture(scope="module")
def answers() -> dict[str, Answer]:
    """torch's answer to every question of every fixture, by question: one worker for all of them."""
    pytest.importorskip("torch")
    results = [result_of(path, "always") for path in FILES]
    probes = [f.probe for result in results for f in result.findings if f.probe is not None]
    probes += [probe for result in results for probe in result.replays]
    return {str(question(probe)): answer for probe, answer in zip(probes, ask(probes), strict=True)}


@pytest.mark.torch
@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_torch_agrees_with_every_finding(path: Path, answers: dict[str, Answer]) -> None:
    found = [finding for finding in findings_of(path) if finding.code not in FEW | HARMLESS]
    judged = with_verdicts(found, lambda probes: [answers[str(question(probe))] for probe in probes])
    unconfirmed = [
        f"{f.code} {f.message}: {f.confirmation} {f.probe}"
        for f in judged
        if f.confirmation is None or f.confirmation.status not in (Status.RAISED, Status.CRASHED, Status.DIFFERS)
    ]
    assert [one for one in unconfirmed if not any(text in one for text in CANNOT_BE_ASKED)] == []


@pytest.mark.torch
@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_torch_agrees_with_every_call_judged_right(path: Path, answers: dict[str, Answer]) -> None:
    replays = result_of(path, "always").replays
    complaints = [compare_shapes(probe, answers[str(question(probe))]) for probe in replays]
    assert [one for one in complaints if one] == []


@pytest.mark.torch
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("path", FILES, ids=NAMES)
def test_torch_does_what_the_fixture_says(path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    pytest.importorskip("torch")
    text = path.read_text()
    if "LST900" in text:
        return
    revealed = Revealed(text)
    with revealed.listening():
        execute(path, text, revealed)
    if path.parent.name == "shapes":
        assert revealed.lines == set(revealed.comments), "each shape is held against torch"


def execute(path: Path, text: str, revealed: Revealed) -> None:
    """Run a fixture, then what its ``runs`` and ``raises`` say."""
    runs = RUN.findall(text)
    namespace: dict[str, object] = {"__name__": "fixture", "reveal_shape": revealed}
    if ("raises", "module") in runs:
        with pytest.raises((RuntimeError, TypeError, ValueError, IndexError, AttributeError)):
            exec(compile(text, str(path), "exec", dont_inherit=True), namespace)
        return
    exec(compile(text, str(path), "exec", dont_inherit=True), namespace)
    for what, expression in runs:
        if expression == "module":
            continue
        error = outcome(expression, namespace)
        if isinstance(error, WrongComment):
            raise error
        assert (error is not None) == (what == "raises"), f"{what}: {expression}: {error!r}"


def outcome(expression: str, namespace: dict[str, object]) -> Exception | None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        try:
            eval(expression, namespace)
        except Exception as error:
            return error
    return None


@pytest.mark.parametrize("code", sorted(set(RULES) - FEW - UNFOUNDED))
def test_every_rule_has_errors_and_code_that_is_fine(code: str) -> None:
    texts = [path.read_text() for path in FILES if path.parent.name == code]
    sections = [re.split(r"^# ==== (.*) ====$", text, flags=re.MULTILINE) for text in texts]
    found = {title: body for parts in sections for title, body in zip(parts[1::2], parts[2::2], strict=True) if len(parts) > 3}
    assert tuple(found) == SECTIONS
    errors = sum(line_code == code for _, line_code, _ in EXPECTATION.findall(found["Errors"]))
    fine = len(re.findall(r"^# runs:|^        nn\.", found["Fine"], flags=re.MULTILINE))
    enough = 8 if code < "LST107" else 3
    assert errors >= enough and fine >= enough
    assert not EXPECTATION.findall(found["Fine"])


def test_the_tutorial_is_silent_and_its_mistakes_are_errors() -> None:
    found = {path.stem: [(f.code, f.severity) for f in findings_of(path)] for path in FOLDER.glob("tutorial/*.py")}
    assert found == {
        "one_layer": [],
        "both_directions": [],
        "one_layer_wrong": [("LST101", Severity.ERROR)] * 2,
        "both_directions_wrong": [("LST101", Severity.ERROR)] * 2,
    }
