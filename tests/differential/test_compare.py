"""The comparison and its table, without torch and without the linter."""

from pathlib import Path

from tests.differential.compare import MIXED, RIGHT, UNRELATED, WRONG, Comparison, recall, truth_of_symbolic
from tests.differential.generator import generate
from tests.differential.harness import Outcome, report, write_failures
from tests.differential.lint import LintVerdict, Reported
from tests.differential.oracle import OracleVerdict

RUNS = OracleVerdict(True)
REJECTED = OracleVerdict(False, "RuntimeError: Expected hidden[0] size (4, 10, 4), got [2, 10, 4]", 3)
ELSEWHERE = OracleVerdict(False, "NameError: name 'h' is not defined", 3, at_layer=False)
ERROR = LintVerdict((Reported("LST101", "error", 1, "h_0 is\nwrong", "raised"),))
MISUSE = LintVerdict((Reported("LST402", "warning", 1, "backward half", None),))
NOTHING = LintVerdict()


def _compared(truth: str, lint: LintVerdict) -> Comparison:
    return Comparison(generate(7), False, truth, "", lint)


def test_truth_of_a_symbolic_text() -> None:
    assert truth_of_symbolic([RUNS, RUNS]) == RIGHT
    assert truth_of_symbolic([REJECTED, REJECTED]) == WRONG
    assert truth_of_symbolic([RUNS, REJECTED]) == MIXED
    assert truth_of_symbolic([ELSEWHERE]) == UNRELATED


def test_what_counts_as_disagreement() -> None:
    assert _compared(RIGHT, ERROR).false_error
    assert not _compared(MIXED, ERROR).false_error
    assert _compared(WRONG, NOTHING).missed
    assert _compared(WRONG, MISUSE).missed, "a warning about silent misuse does not flag a rejected program"
    assert not _compared(WRONG, ERROR).missed


def test_recall_counts_rejected_programs_only() -> None:
    assert recall([_compared(WRONG, ERROR), _compared(WRONG, NOTHING), _compared(RIGHT, NOTHING)]) == 0.5
    assert recall([_compared(RIGHT, ERROR)]) == 1.0


def test_a_failure_is_written_with_lines_that_fit_the_file(tmp_path: Path) -> None:
    assert write_failures(tmp_path, [_compared(RIGHT, ERROR), _compared(WRONG, ERROR)]) == 1
    (written,) = tmp_path.iterdir()
    lines = written.read_text().splitlines()
    assert lines[2] == "# lint:  4: error LST101 h_0 is wrong [raised]"
    assert lines[3] == generate(7).source.splitlines()[0]


def test_the_table_has_a_row_for_each_style_and_for_all() -> None:
    text = report(Outcome((_compared(WRONG, ERROR),), ()))
    assert generate(7).style in text
    assert "100.00%" in text
