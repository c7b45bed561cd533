"""torch and lstm-lint held together, program by program, and the table of it."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

from tests.differential.lint import LintVerdict
from tests.differential.oracle import OracleVerdict
from tests.differential.program import Program

RIGHT, WRONG, MIXED, UNRELATED = "right", "wrong", "mixed", "unrelated"


@dataclass(frozen=True)
class Comparison:
    """One source (full or symbolic): what is true of it, by torch, and what the linter said.

    truth: RIGHT, torch runs it (a symbolic one: under all its variants); WRONG, rejected (under all);
    MIXED, rejected under some; UNRELATED, rejected before torch's recurrent code was reached.
    """

    program: Program
    symbolic: bool
    truth: str
    torch_text: str
    lint: LintVerdict

    @property
    def source(self) -> str:
        return (self.program.symbolic_source or "") if self.symbolic else self.program.source

    @property
    def false_error(self) -> bool:
        return self.truth == RIGHT and bool(self.lint.errors)

    @property
    def false_warning(self) -> bool:
        """A warning on a running program; allowed, counted."""
        return self.truth == RIGHT and not self.lint.errors and bool(self.lint.warnings)

    @property
    def missed(self) -> bool:
        return self.truth == WRONG and not self.lint.flagged

    @property
    def label(self) -> str:
        """Names it in a message: seed, style, mutation."""
        return f"seed {self.program.seed} {self.program.style}{' symbolic' if self.symbolic else ''} ({self.program.mutation})"


def truth_of_full(verdict: OracleVerdict) -> str:
    """What one run shows."""
    if verdict.runs:
        return RIGHT
    return WRONG if verdict.at_layer else UNRELATED


def truth_of_symbolic(verdicts: Sequence[OracleVerdict]) -> str:
    """What the runs of all variants show."""
    kinds = {truth_of_full(verdict) for verdict in verdicts}
    if kinds in ({RIGHT}, {WRONG}):
        return RIGHT if RIGHT in kinds else WRONG
    return UNRELATED if kinds == {UNRELATED} else MIXED


def first_error(verdicts: Iterable[OracleVerdict]) -> str:
    """torch's first words, if any."""
    return next((verdict.error for verdict in verdicts if verdict.error), "")


COLUMNS: tuple[tuple[str, Callable[[Comparison], bool]], ...] = (
    ("runs", lambda c: c.truth == RIGHT),
    ("false-err", lambda c: c.false_error),
    ("warned", lambda c: c.false_warning),
    ("rejects", lambda c: c.truth == WRONG),
    ("flagged", lambda c: c.truth == WRONG and c.lint.flagged),
    ("warn-only", lambda c: c.truth == WRONG and c.lint.flagged and not c.lint.errors),
    ("missed", lambda c: c.missed),
    ("mixed", lambda c: c.truth == MIXED),
    ("unrel", lambda c: c.truth == UNRELATED),
    ("confirmed", lambda c: c.truth == WRONG and c.lint.confirmed),
)


def table(comparisons: Sequence[Comparison], by: Callable[[Comparison], str], title: str) -> str:
    """A row for each value of `by`, and one for all."""
    rows = [f"{title:20} {'all':>6}" + "".join(f" {name:>9}" for name, _ in COLUMNS) + f" {'recall':>8}"]
    for key in [*sorted({by(item) for item in comparisons}), "ALL"]:
        rows.append(_row(key, [item for item in comparisons if key in ("ALL", by(item))]))
    return "\n".join(rows)


def _row(key: str, items: Sequence[Comparison]) -> str:
    counts = "".join(f" {sum(test(item) for item in items):9}" for _, test in COLUMNS)
    return f"{key:20} {len(items):6}{counts} {recall(items):8.2%}"


def recall(comparisons: Sequence[Comparison]) -> float:
    """The share of rejected programs that were flagged; 1.0 if there are none."""
    wrong = [item for item in comparisons if item.truth == WRONG]
    return sum(item.lint.flagged for item in wrong) / len(wrong) if wrong else 1.0
