"""Break correct LSTM calls of real code, one thing at a time, and count how many of the breaks lstm-lint finds.

    python benchmarks/mutate.py [--path FOLDER ...] [--package NAME ...] [--limit N] [--list]

Takes the calls whose given state is judged right, edits the text of the file (never the file), and lints it again. A break is
found if there is an error or warning LST1xx that the file did not have before. Prints markdown; progress goes to stderr.

Exit code 0: counted. 2: wrong use.
"""

import argparse
import difflib
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import measure
from breaks import Mutant, mutants
from corpus import CORPUS, CorpusError, load_pins, select
from workshop import Workshop

from lstm_lint.check import check_file
from lstm_lint.config import Settings
from lstm_lint.discover import discover
from lstm_lint.findings import Severity
from lstm_lint.project import Project
from lstm_lint.source import Source
from lstm_lint.syntax.tree import Unparsable

STATE_RULES = "LST1"


@dataclass(frozen=True)
class Tried:
    """One mutant, linted. `diff` is what was changed."""

    mutant: Mutant
    found: bool
    diff: str


def complaints(source: Source, settings: Settings, broken: Source | None = None) -> Counter[tuple[str, str]]:
    """The errors and warnings about states, by code and message: lines move when code is edited.

    `broken` is the text that one file has instead: that of the source itself, or of a file that it is resolved through.
    """
    project = Project()
    project.add(source)
    project.add(broken or source)
    findings = check_file(
        broken if broken is not None and broken.path == source.path else source, settings, project=project
    ).findings
    return Counter((f.code, f.message) for f in findings if f.code.startswith(STATE_RULES) and f.severity is not Severity.INFO)


def tried(source: Source, settings: Settings, limit: int | None, done: dict[tuple[str, str], Tried]) -> None:
    """Lint the mutants of one file, at most `limit` of each kind; one that was found from another file is not tried again."""
    try:
        workshop = Workshop.of(source)
    except (Unparsable, RecursionError):
        return
    before: Counter[tuple[str, str]] | None = None
    made: Counter[str] = Counter()
    for mutant in mutants(workshop):
        made[mutant.kind] += 1
        key = (mutant.after.path, mutant.after.text)
        if (limit is None or made[mutant.kind] <= limit) and not (key in done and done[key].found):
            before = complaints(source, settings) if before is None else before
            after = complaints(source, settings, mutant.after)
            done[key] = Tried(mutant, bool(after - before), difference(mutant.before.text, mutant.after.text))


def difference(before: str, after: str) -> str:
    """The changed lines, as a unified diff without context."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(f"    {line}" for line in islice(lines, 2, None))


def table(results: Sequence[Tried]) -> str:
    """Made and found, by kind of break."""
    made: dict[str, list[bool]] = defaultdict(list)
    for result in results:
        made[result.mutant.kind].append(result.found)
    rows = [(kind, made[kind]) for kind in sorted(made)]
    rows.append(("all", [result.found for result in results]))
    lines = ["| break | made | found | share |", "|---|---:|---:|---:|"]
    lines += [f"| {kind} | {len(found)} | {sum(found)} | {share(found)} |" for kind, found in rows]
    return "\n".join(lines) + "\n"


def share(found: Sequence[bool]) -> str:
    """How many are found, in percent."""
    return f"{100 * sum(found) / len(found):.1f} %" if found else "-"


def missed(results: Sequence[Tried]) -> str:
    """Every break that is not found: the kind, the call, and what was changed."""
    return "\n".join(
        f"{r.mutant.kind}: {r.mutant.call.path}:{r.mutant.call.span.line}\n{r.diff}\n" for r in results if not r.found
    )


def sources(paths: Sequence[str], settings: Settings) -> Iterator[Source]:
    """Every file under the paths that can concern a layer and can be read, in order; notebooks are left out."""
    project = Project()
    for path in discover(paths, settings.filter).files:
        if path.endswith(".py") and project.concerns_layers(path):
            source = project.source(path)
            if isinstance(source, Source) and project.relevant(source) != frozenset():
                yield source


def parse_arguments() -> argparse.Namespace:
    """The command line; without --path and --package the whole corpus is meant."""
    parser = argparse.ArgumentParser(description="Break correct LSTM calls and count how many breaks lstm-lint finds.")
    parser.add_argument("--path", action="append", default=[], metavar="FOLDER", help="code to break (repeatable)")
    parser.add_argument("--package", action="append", default=[], metavar="NAME", help="of the corpus (repeatable)")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N breaks of a kind in a file")
    parser.add_argument("--list", action="store_true", help="print every break that is not found")
    return parser.parse_args()


def main() -> int:
    """Count as asked on the command line; returns the exit code."""
    arguments = parse_arguments()
    try:
        packages = [str(package.folder) for package in select(load_pins(), arguments.package)] if arguments.package else []
    except CorpusError as error:
        print(error, file=sys.stderr)
        return 2
    paths = [*arguments.path, *packages] or [str(CORPUS)]
    if missing := [path for path in paths if not Path(path).exists()]:
        print(f"not there: {', '.join(missing)}", file=sys.stderr)
        return 2
    settings = Settings(os.getcwd(), confirm="never", cache=False)
    done: dict[tuple[str, str], Tried] = {}
    for source in sources(paths, settings):
        before = len(done)
        tried(source, settings, arguments.limit, done)
        if here := list(done.values())[before:]:
            print(f"{source.path}: {sum(r.found for r in here)} of {len(here)} found", file=sys.stderr, flush=True)
    results = list(done.values())
    calls = {(r.mutant.call.path, r.mutant.call.span) for r in results}
    print(measure.machine_line())
    print(f"{len(results)} breaks of {len(calls)} calls.\n")
    print(table(results))
    if arguments.list:
        print(missed(results))
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")
