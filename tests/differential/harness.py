"""Generates, runs torch, lints, compares; the command line python -m tests.differential."""

import argparse
import time
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

from tests.differential import stats
from tests.differential.compare import Comparison, first_error, recall, table, truth_of_full, truth_of_symbolic
from tests.differential.generator import generate
from tests.differential.lint import lint_all
from tests.differential.oracle import OracleVerdict, judge_all, judge_grouped
from tests.differential.program import Program
from tests.differential.styles import STYLES


@dataclass(frozen=True)
class Outcome:
    """All comparisons of one session."""

    full: tuple[Comparison, ...]
    symbolic: tuple[Comparison, ...]

    @property
    def all(self) -> tuple[Comparison, ...]:
        return self.full + self.symbolic


def programs_of(seeds: Sequence[int], style: str | None = None) -> list[Program]:
    """The programs of the seeds."""
    return [generate(seed, style) for seed in seeds]


def compare(programs: Sequence[Program], workers: int = 2, confirm: str = "never", symbolic: bool = True) -> Outcome:
    """Holds torch and lstm-lint together over the programs; one lint call for the full texts, one for the symbolic."""
    verdicts = judge_all([program.source for program in programs], workers)
    linted = lint_all({program.name: program.source for program in programs}, confirm)
    full = tuple(
        Comparison(program, False, truth_of_full(verdict), verdict.error, linted[program.name])
        for program, verdict in zip(programs, verdicts, strict=True)
    )
    return Outcome(full, _symbolic([p for p in programs if p.symbolic_source], workers, confirm) if symbolic else ())


def _symbolic(programs: Sequence[Program], workers: int, confirm: str) -> tuple[Comparison, ...]:
    groups: list[list[OracleVerdict]] = list(judge_grouped([program.variants for program in programs], workers))
    linted = lint_all({program.name: program.symbolic_source or "" for program in programs}, confirm)
    return tuple(
        Comparison(program, True, truth_of_symbolic(verdicts), first_error(verdicts), linted[program.name])
        for program, verdicts in zip(programs, groups, strict=True)
    )


def write_failures(folder: Path, comparisons: Sequence[Comparison]) -> int:
    """Writes each program on which the two disagree, with what both said on top; returns how many."""
    folder.mkdir(parents=True, exist_ok=True)
    failures = [item for item in comparisons if item.false_error or item.missed]
    for item in failures:
        kind = "false_error" if item.false_error else "missed"
        form = "symbolic" if item.symbolic else "full"
        (folder / f"{kind}_{form}_{item.program.name}.py").write_text(_commented(item))
    return len(failures)


def _commented(item: Comparison) -> str:
    """The source under a header comment; the findings' lines are those of the file with the header."""
    torch_says = item.torch_text.splitlines()[0][:300] if item.torch_text else "runs"
    height = 2 + max(1, len(item.lint.findings))
    shifted = [
        replace(finding, line=finding.line + height, message=" ".join(finding.message.split()))
        for finding in item.lint.findings
    ]
    said = [f"# lint:  {finding}" for finding in shifted] or ["# lint:  nothing"]
    head = [f"# {item.label}: {item.truth}", f"# torch: {torch_says}", *said]
    example = [f"# --- one variant:\n{_quoted(item.program.variants[0], item.source)}"] if item.symbolic else []
    return "\n".join([*head, item.source, *example])


def _quoted(variant: str, body: str) -> str:
    """The driver of a variant, as comment lines."""
    return "\n".join(f"# {line}" for line in variant[len(body.rstrip()) :].strip().splitlines())


def report(outcome: Outcome) -> str:
    """The tables."""
    parts = []
    for title, items in (("full", outcome.full), ("symbolic", outcome.symbolic)):
        if items:
            parts.append(table(items, lambda item: item.program.style, f"{title}: style"))
            parts.append(
                table(
                    [i for i in items if i.program.mutation],
                    lambda item: str(item.program.mutation),
                    f"{title}: mistake",
                )
            )
    return "\n\n".join(parts)


def oracle_only(programs: Sequence[Program], workers: int) -> str:
    """Statistics of the generator, without the linter."""
    verdicts = judge_all([program.source for program in programs], workers)
    groups = list(judge_grouped([program.variants for program in programs if program.symbolic_source], workers))
    kinds = [truth_of_symbolic(group) for group in groups]
    symbolic = ", ".join(f"{kind} {kinds.count(kind)}" for kind in sorted(set(kinds)))
    return "\n\n".join([stats.table(programs, verdicts), stats.mutation_table(programs, verdicts), f"symbolic: {symbolic}"])


def _options(arguments: Sequence[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser("tests.differential", description=__doc__)
    parser.add_argument("--count", type=int, default=1000)
    parser.add_argument("--seed", type=int, default=0, help="the first seed; programs have seed, seed + 1, ...")
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--style", choices=[style.name for style in STYLES])
    parser.add_argument("--show-failures", type=Path, metavar="DIR")
    parser.add_argument("--confirm", action="store_true", help="lint with --confirm auto and count what torch confirmed")
    parser.add_argument("--no-symbolic", action="store_true", help="full programs only")
    parser.add_argument("--oracle", action="store_true", help="torch alone: statistics of the generator")
    parser.add_argument("--print", action="store_true", help="print the programs and stop")
    return parser.parse_args(arguments)


def main(arguments: Sequence[str] | None = None) -> int:
    """The command line; 0 if there are no false errors and recall is at least 98 %, else 1."""
    options = _options(arguments)
    programs = programs_of(range(options.seed, options.seed + options.count), options.style)
    if options.print:
        print("\n\n".join(f"# === {program.name} {program.mutation}\n{program.source}" for program in programs))
        return 0
    if options.oracle:
        print(oracle_only(programs, options.workers))
        return 0
    start = time.perf_counter()
    outcome = compare(programs, options.workers, "auto" if options.confirm else "never", not options.no_symbolic)
    print(report(outcome))
    print(f"\n{len(programs)} programs in {time.perf_counter() - start:.0f} s")
    if options.show_failures:
        print(f"{write_failures(options.show_failures, outcome.all)} disagreements written to {options.show_failures}")
    wrong = any(item.false_error for item in outcome.all)
    return 1 if wrong or min(recall(outcome.full), recall(outcome.symbolic)) < 0.98 else 0
