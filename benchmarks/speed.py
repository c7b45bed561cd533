"""Time grep, ruff, torchfix and lstm-lint over the pinned corpus, side by side in one run.

    python benchmarks/speed.py [--package NAME ...] [--whole] [--rounds N] [--torchfix PATH] ...

Each measurement is one whole subprocess, start-up included. The tools take turns within each round,
so that a machine that slows down does so for all of them. Prints markdown; progress goes to stderr.

Exit code 0: measured (a missing tool is reported as missing). 1: some tool failed. 2: wrong use.
"""

import argparse
import sys
import tempfile
from dataclasses import dataclass, field
from pathlib import Path

import measure
from contenders import Contender, Executables, contenders
from corpus import CORPUS, CorpusError, load_pins, select

DEFAULT_PACKAGE = "stanza"
DEFAULT_ROUNDS = 3
DEFAULT_TIMEOUT_SECONDS = 3600.0


@dataclass(frozen=True)
class Target:
    """A folder to run the tools over, and the name it has in the table."""

    name: str
    folder: Path


@dataclass
class Result:
    """What one contender did on one target: seconds per round, or the problem that ended it."""

    contender: Contender
    seconds: list[float] = field(default_factory=list)
    scope: str = ""
    problem: str = ""


def targets(packages: list[str], whole: bool) -> list[Target]:
    """The folders to time. Raises CorpusError for an unknown name or a package not fetched yet."""
    pins = load_pins()
    chosen = pins if whole else select(pins, packages)
    missing = [package.name for package in chosen if not package.is_fetched]
    if missing:
        raise CorpusError(f"not fetched yet: {', '.join(missing)}; run python benchmarks/fetch.py")
    found = [Target(package.name, package.folder) for package in select(pins, packages)] if packages else []
    if whole:
        found.append(Target("the whole corpus", CORPUS))
    return found


def prepare(result: Result, target: Target, timeout: float) -> None:
    """Untimed: fill the contender's cache, and the page cache for all. Notes a missing tool or a failure."""
    contender = result.contender
    if not contender.executable:
        result.problem = "missing"
    elif contender.prime:
        _record(result, measure.run(contender.command(target.folder), timeout), keep=False)


def _record(result: Result, run: measure.Run, keep: bool) -> None:
    """Keep a run's time and scope, or the reason why it does not count."""
    result.problem = run.problem or result.contender.problem(run)
    if not result.problem:
        result.scope = result.contender.scope(run)
        if keep:
            result.seconds.append(run.seconds)


def time_target(target: Target, lineup: list[Contender], rounds: int, timeout: float) -> list[Result]:
    """Every contender's times over one target, taken in interleaved rounds."""
    results = [Result(contender) for contender in lineup]
    for result in results:
        prepare(result, target, timeout)
    for number in range(1, rounds + 1):
        for result in results:
            if result.problem:
                continue
            _record(result, measure.run(result.contender.command(target.folder), timeout), keep=True)
            taken = result.problem or f"{result.seconds[-1]:.3f} s"
            label = f"{target.name}, round {number}/{rounds}, {result.contender.name}"
            print(f"{label}: {taken}", file=sys.stderr, flush=True)
    return results


def count_python_files(folder: Path) -> int:
    """How many .py files are below the folder."""
    return sum(1 for path in folder.rglob("*.py") if path.is_file())


def table(target: Target, results: list[Result]) -> str:
    """One target's measurements as a markdown table."""
    medians = {result.contender.name: measure.median(result.seconds) for result in results if result.seconds}
    lines = [
        f"### {target.name}: {count_python_files(target.folder):,} Python files",
        "",
        "| tool | median | min | rounds | time / grep | time / ruff | torchfix / time | what it looked at |",
        "|---|---:|---:|---:|---:|---:|---:|---|",
    ]
    for result in results:
        name = result.contender.name
        if result.problem or not result.seconds:
            lines.append(f"| {name} | - | - | - | - | - | - | {result.problem or 'not run'} |")
            continue
        own = medians[name]
        cells = [
            name,
            f"{own:.3f} s",
            f"{min(result.seconds):.3f} s",
            str(len(result.seconds)),
            measure.ratio(own, medians.get("grep")),
            measure.ratio(own, medians.get("ruff")),
            measure.ratio(medians.get("torchfix"), own),
            result.scope,
        ]
        lines.append(f"| {' | '.join(cells)} |")
    return "\n".join(lines) + "\n"


def positive(text: str) -> int:
    """argparse's type for a whole number >= 1."""
    number = int(text)
    if number < 1:
        raise ValueError(text)
    return number


def parse_arguments() -> argparse.Namespace:
    """The command line; without --package and --whole both stanza and the whole corpus are meant."""
    parser = argparse.ArgumentParser(description="Time grep, ruff, torchfix and lstm-lint side by side.")
    parser.add_argument("--package", action="append", default=[], metavar="NAME", help="repeatable")
    parser.add_argument("--whole", action="store_true", help="the whole corpus (torchfix takes long)")
    parser.add_argument("--rounds", type=positive, default=DEFAULT_ROUNDS, metavar="N")
    parser.add_argument("--timeout", type=positive, default=DEFAULT_TIMEOUT_SECONDS, metavar="SECONDS")
    parser.add_argument("--skip", action="append", default=[], metavar="TOOL", help="repeatable")
    for tool in ("grep", "ruff", "torchfix", "lstm-lint"):
        parser.add_argument(f"--{tool}", metavar="PATH", help=f"the {tool} to time")
    arguments = parser.parse_args()
    if not arguments.package and not arguments.whole:
        arguments.package, arguments.whole = [DEFAULT_PACKAGE], True
    return arguments


def main() -> int:
    """Measure as asked on the command line; returns the exit code."""
    arguments = parse_arguments()
    executables = Executables(arguments.grep, arguments.ruff, arguments.torchfix, arguments.lstm_lint)
    try:
        chosen = targets(arguments.package, arguments.whole)
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 2
    failed = False
    with tempfile.TemporaryDirectory(prefix="lstm-lint-speed-") as scratch:
        lineup = [c for c in contenders(executables, Path(scratch)) if c.tool not in arguments.skip]
        print(measure.machine_line())
        print(", ".join(dict.fromkeys(c.version() for c in lineup)) + "\n", flush=True)
        for target in chosen:
            results = time_target(target, lineup, arguments.rounds, arguments.timeout)
            print(table(target, results), flush=True)
            failed |= any(result.problem not in ("", "missing") for result in results)
    return 1 if failed else 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")
