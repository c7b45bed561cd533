"""The output formats, over outcomes made by hand."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from pathlib import Path

import pytest

from lstm_lint import __version__, report
from lstm_lint.check import Outcome
from lstm_lint.findings import Confirmation, Edit, Finding, Fix, Probe, Related, Severity, Status
from lstm_lint.outline import CallReport, SiteReport, StateReport, StateStatus, Why, listed
from lstm_lint.report import outline, statistics
from lstm_lint.report.excerpt import underlined
from lstm_lint.report.lines import View, plain
from lstm_lint.source import Cell, Source, Span

TEXT = """\
import torch
lstm = torch.nn.LSTM(28, 4, num_layers=2,
                     bidirectional=True)
h_0 = torch.zeros(2, 10, 4)
lstm(x, (h_0, h_0))
"""
SAID = "RuntimeError: Expected hidden[0] size (4, 10, 4), got [2, 10, 4]"
FINDING = Finding(
    code="LST101",
    name="state-layers",
    severity=Severity.ERROR,
    path="models/a.py",
    span=Span(4, 7, 4, 28),
    message="h_0 is (2, 10, 4) but this LSTM needs (4, 10, 4)",
    expected=("4", "10", "4"),
    actual=("2", "10", "4"),
    when="bidirectional=True",
    witness={"num_layers": 2},
    related=(Related("models/a.py", Span(2, 8, 3, 41), "the LSTM is built here"),),
    fix=Fix(True, (Edit(Span(4, 19, 4, 20), "4"),)),
    probe=Probe("LSTM"),
    confirmation=Confirmation(Status.RAISED, "2.13.0", SAID),
)
NOT_ASKED = Confirmation(Status.SKIPPED, None, "torch is not installed")
WARNING = Finding("LST203", "bool-as-bias", Severity.WARNING, "b.py", Span(1, 1, 1, 2), "100% wrong:\nbias, not batch_first")
NOTE = Finding("LST501", "zero-state", Severity.INFO, "b.py", Span(2, 1, 2, 2), "zeros are the default")
OUTCOME = Outcome(findings=(FINDING, WARNING), refuted=(), files=3, analyzed=2, defects=(), failures=())


def source(path: str) -> Source | None:
    return Source(path, TEXT) if path == "models/a.py" else None


def shown(output_format: str, outcome: Outcome = OUTCOME, verbose: bool = False, quiet: bool = False) -> str:
    stream = io.StringIO()
    view = View(source, verbose, quiet)
    report.write(report.FORMATS[output_format](outcome, view), stream, color=False)
    return stream.getvalue()


def test_full() -> None:
    assert (
        shown("full")
        == f"""\
models/a.py:4:7: LST101 [error] h_0 is (2, 10, 4) but this LSTM needs (4, 10, 4)
  |
4 | h_0 = torch.zeros(2, 10, 4)
  |       ^^^^^^^^^^^^^^^^^^^^^
  when: bidirectional=True
  note: models/a.py:2:8: the LSTM is built here
        lstm = torch.nn.LSTM(28, 4, num_layers=2,
  torch 2.13.0 raised: {SAID}
  fix: 4:19: write `4` for `2`

b.py:1:1: LST203 [warning] 100% wrong: bias, not batch_first

Found 1 error and 1 warning in 3 files (2 with recurrent layers). torch 2.13.0 confirmed 1. 1 fixable with --fix.
"""
    )


def test_a_span_of_several_lines() -> None:
    outcome = replace(OUTCOME, findings=(replace(FINDING, span=Span(2, 8, 3, 41), related=(), when=None, confirmation=None),))
    assert shown("full", outcome, quiet=True).splitlines()[1:6] == [
        "  |",
        "2 | lstm = torch.nn.LSTM(28, 4, num_layers=2,",
        "  |        ^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^^",
        "3 |                      bidirectional=True)",
        "  |                      ^^^^^^^^^^^^^^^^^^^",
    ]


def test_concise_is_a_line_each() -> None:
    assert shown("concise", quiet=True) == (
        "models/a.py:4:7: LST101 [error] h_0 is (2, 10, 4) but this LSTM needs (4, 10, 4)\n"
        "b.py:1:1: LST203 [warning] 100% wrong: bias, not batch_first\n"
    )


def test_a_notebook_says_the_cell() -> None:
    notebook = Source("n.ipynb", "x = 1\n" + TEXT, cells=(Cell(1, 1), Cell(3, 2)))
    finding = replace(FINDING, path="n.ipynb", span=Span(4, 7, 4, 28, cell=3), related=())
    stream = io.StringIO()
    outcome = replace(OUTCOME, findings=(finding,))
    report.write(report.FORMATS["full"](outcome, View(lambda path: notebook)), stream, color=False)
    assert stream.getvalue().startswith("n.ipynb:cell 3:4:7: LST101")
    assert "4 | h_0 = torch.zeros(2, 10, 4)" in stream.getvalue()
    assert shown("github", outcome).startswith("::error file=n.ipynb,title=LST101::cell 3, line 4: h_0 is")


@pytest.mark.parametrize(
    ("outcome", "line"),
    [
        (Outcome((), (), 1, 0, (), ()), "All checks passed: 1 file (0 with recurrent layers)."),
        (Outcome((), (FINDING,), 2, 1, (), ()), "1 refuted by torch and left out (--verbose shows them)."),
        (Outcome((), (), 2, 1, (), ("a.py: gone",)), "Nothing found in 2 files (1 with recurrent layers), but not everything"),
        (Outcome((NOTE, NOTE), (), 1, 1, (), ()), "Found 2 notes in 1 file (1 with recurrent layers)."),
        (
            Outcome((replace(FINDING, confirmation=NOT_ASKED),), (), 1, 1, (), ()),
            "torch was not asked: torch is not installed.",
        ),
    ],
)
def test_the_last_line(outcome: Outcome, line: str) -> None:
    assert line in shown("full", outcome).splitlines()[-1]
    assert line in shown("concise", outcome).splitlines()[-1]


@pytest.mark.parametrize(
    ("status", "line"),
    [
        (Status.CRASHED, "  torch 2.13.0 crashed: SIGSEGV"),
        (Status.DIFFERS, "  torch 2.13.0 ran it, and the result is wrong: SIGSEGV"),
    ],
)
def test_what_torch_said(status: Status, line: str) -> None:
    finding = replace(FINDING, confirmation=Confirmation(status, "2.13.0", "SIGSEGV\nmore"))
    lines = shown("full", replace(OUTCOME, findings=(finding,))).splitlines()
    assert line in lines
    assert lines[lines.index(line) + 1] == "    more"


def test_verbose_shows_what_was_refuted_and_what_was_not_asked() -> None:
    skipped = replace(FINDING, confirmation=NOT_ASKED)
    refuted = replace(WARNING, confirmation=Confirmation(Status.REFUTED, "2.13.0", "output (3, 10, 8)"))
    outcome = replace(OUTCOME, findings=(skipped,), refuted=(refuted,))
    assert "not asked: torch is" not in shown("full", outcome).rsplit("\n", 2)[0]
    text = shown("full", outcome, verbose=True)
    assert "  torch was not asked: torch is not installed\n" in text
    assert "Please report it as a bug of lstm-lint\n  torch 2.13.0 ran it: output (3, 10, 8)\n" in text


def test_json() -> None:
    document = json.loads(shown("json"))
    assert document["version"] == 1
    assert document["tool"] == {"name": "lstm-lint", "version": __version__}
    assert document["summary"] == {"files": 3, "analyzed": 2, "error": 1, "warning": 1, "info": 0, "refuted": 0}
    first, second = document["findings"]
    assert first == {
        "code": "LST101",
        "name": "state-layers",
        "severity": "error",
        "path": "models/a.py",
        "cell": None,
        "line": 4,
        "column": 7,
        "end_line": 4,
        "end_column": 28,
        "message": "h_0 is (2, 10, 4) but this LSTM needs (4, 10, 4)",
        "expected": ["4", "10", "4"],
        "actual": ["2", "10", "4"],
        "when": "bidirectional=True",
        "witness": {"num_layers": 2},
        "packed": False,
        "related": [{"path": "models/a.py", "line": 2, "column": 8, "message": "the LSTM is built here"}],
        "fix": {"safe": True, "edits": [{"line": 4, "column": 19, "end_line": 4, "end_column": 20, "text": "4"}]},
        "confirmation": {"status": "raised", "torch": "2.13.0", "detail": SAID},
    }
    assert list(second) == list(first)
    assert [second[key] for key in ("expected", "actual", "when", "fix", "confirmation")] == [None] * 5


def test_github() -> None:
    finding = replace(FINDING, path="a,b: 100%.py", span=Span(4, 7, 6, 2))
    assert shown("github", replace(OUTCOME, findings=(finding, WARNING, NOTE))).splitlines() == [
        "::error file=a%2Cb%3A 100%25.py,line=4,endLine=6,title=LST101::h_0 is (2, 10, 4) but this LSTM needs (4, 10, 4)"
        f"%0Awhen: bidirectional=True%0Atorch 2.13.0: {SAID}",
        "::warning file=b.py,line=1,endLine=1,col=1,endColumn=2,title=LST203::100%25 wrong:%0Abias, not batch_first",
        "::notice file=b.py,line=2,endLine=2,col=1,endColumn=2,title=LST501::zeros are the default",
    ]


def test_statistics() -> None:
    outcome = replace(OUTCOME, findings=(*(WARNING for _ in range(12)), FINDING))
    assert [plain(line) for line in statistics.text(outcome)] == [
        "12  LST203 [warning] bool-as-bias",
        " 1  LST101 [error] state-layers",
    ]
    [line] = statistics.as_json(outcome)
    assert json.loads(plain(line))[0] == {"code": "LST203", "name": "bool-as-bias", "severity": "warning", "count": 12}


def test_colours() -> None:
    stream = io.StringIO()
    hostile = replace(FINDING, message="[bold]not markup[/] :smile: " + "long " * 60)
    report.write(report.FORMATS["full"](replace(OUTCOME, findings=(hostile,)), View(source)), stream, color=True)
    text = stream.getvalue()
    assert "\x1b[1;31m[error]\x1b[0m [bold]not markup[/] :smile: long" in text
    assert text.splitlines()[0].endswith("long ")


@pytest.mark.parametrize(
    ("text", "start", "end", "expected"),
    [
        ("\tx = f(a)", 5, 9, ("    x = f(a)", "        ^^^^")),
        ("s = '长短' + x", 11, 12, ("s = '长短' + x", "             ^")),
        ("a\x1b[31mb", 0, 1, ("a?[31mb", "^")),
        ("x", 5, 6, ("x", " ^")),
    ],
)
def test_underlining(text: str, start: int, end: int, expected: tuple[str, str]) -> None:
    assert underlined(text, start, end) == expected


def test_a_line_of_a_megabyte_is_cut() -> None:
    text, carets = underlined("a" * 500_000 + "WRONG" + "b" * 500_000, 500_000, 500_005)
    assert len(text) < 200
    assert text[len(carets) - 5 : len(carets)] == "WRONG"
    assert underlined("w" * 1_000_000, 0, 1_000_000)[0] == "w" * 120 + "..."


def test_no_source_no_excerpt(tmp_path: Path) -> None:
    outcome = replace(OUTCOME, findings=(replace(FINDING, path=str(tmp_path / "gone.py"), related=()),))
    assert "|" not in shown("full", outcome)


STATE = StateReport(True, ("2", "N", "H"), None, StateStatus.UNKNOWN, Why(3, 4, "`load` is not known"))
GIVEN_NOTHING = StateReport(False, ("2", "N", "H"), None, StateStatus.MATCH)
SITE = SiteReport("a.py", 1, 8, None, "LSTM", "self.lstm", {"num_layers": "2"}, {"weight_ih_l0": ("H*4", "I")})
CALL = CallReport("a.py", 2, 1, None, 0, True, ("T", "N", "I"), STATE, GIVEN_NOTHING, ("T", "N", "H"), ("2", "N", "H"), None)
GRU_CALL = replace(CALL, site=None, packed=False, input=None, c_0=None)
IN_B = {"path": "b.py"}
LISTING = listed(
    [((SITE,), (CALL,)), ((replace(SITE, **IN_B),), (replace(CALL, **IN_B), replace(GRU_CALL, **IN_B, line=3)))],
    ("a.py", "b.py"),
)


def test_shapes_as_text() -> None:
    assert (
        "\n".join(plain(line) for line in outline.text(listed([((SITE,), (CALL,))], ("a.py",))))
        == """\
a.py:1:8: self.lstm = LSTM(num_layers=2)
  weight_ih_l0  (H*4, I)

a.py:2:1: call of self.lstm with a packed input
  input   (T, N, I)
  h_0     unknown, expected (2, N, H): unknown
          line 3, column 4: `load` is not known
  c_0     (2, N, H), not given: zeros
  output  (T, N, H)
  h_n     (2, N, H)
  c_n     unknown

1 construction, 1 call."""
    )


def test_shapes_as_json_number_the_sites_of_all_files() -> None:
    [line] = outline.as_json(LISTING)
    document = json.loads(plain(line))
    assert [call["site"] for call in document["calls"]] == [0, 1, None]
    assert document["sites"][0]["weights"] == {"weight_ih_l0": ["H*4", "I"]}
    call = document["calls"][0]
    assert call["h_0"]["why"] == {"line": 3, "column": 4, "message": "`load` is not known"}
    assert (call["packed"], call["c_0"]["given"], call["c_n"]) == (True, False, None)
    assert document["calls"][2]["c_0"] is None
