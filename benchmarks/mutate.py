"""Break correct LSTM calls of real code, one thing at a time, and count how many of the breaks lstm-lint finds.

    python benchmarks/mutate.py [--path PATH ...] [--package NAME ...] [--limit N] [--list] [--save FILE]

Takes the calls whose given state is judged right, edits the text of the file (never the file), and lints it again. A break is
found if there is an error or warning of the rules that are about it (CODES) which the file did not have before.
Prints markdown; progress goes to stderr.

Exit code 0: counted. 2: wrong use.
"""

import argparse
import difflib
import gc
import json
import os
import sys
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import islice
from pathlib import Path

import measure
from breaks import Mutant, mutants
from corpus import CORPUS, CorpusError, load_pins, select
from workshop import Workshop

from lstm_lint.check import FileResult, analyse
from lstm_lint.config import Settings
from lstm_lint.discover import discover
from lstm_lint.findings import Finding, Severity
from lstm_lint.outline import StateStatus
from lstm_lint.project import Project
from lstm_lint.source import Source
from lstm_lint.syntax.tree import Unparsable

CODES = {
    "layers": {"LST101", "LST105"},
    "batch": {"LST102", "LST105"},
    "size": {"LST103"},
    "layout": {"LST101", "LST102", "LST103", "LST105"},
    "rank": {"LST104", "LST106"},
    "structure": {"LST104", "LST106"},
    "construction: one layer more": {"LST101", "LST105"},
    "construction: bidirectional flipped": {"LST101", "LST105"},
    "construction: hidden_size + 1": {"LST103"},
}
"""The rules that are about a kind of break, or about a family of kinds."""


@dataclass(frozen=True)
class Tried:
    """One mutant, linted: what is said of it that is new, worst first. `diff` is what was changed."""

    mutant: Mutant
    said: tuple[Finding, ...]
    diff: str

    @property
    def found(self) -> bool:
        return bool(self.said)

    @property
    def severity(self) -> str:
        return self.said[0].severity.value if self.said else ""


def complaints(findings: Iterable[Finding], kind: str) -> list[Finding]:
    """The errors and warnings that are about a kind of break, worst first."""
    codes = CODES.get(kind) or CODES[kind.partition(":")[0]]
    about = [finding for finding in findings if finding.code in codes and finding.severity is not Severity.INFO]
    return sorted(about, key=lambda finding: SEVERITIES.index(finding.severity))


SEVERITIES = tuple(Severity)


def tried(source: Source, limit: int | None, done: dict[tuple[str, str], Tried], project: Project | None = None) -> None:
    """Lint the mutants of one file, at most `limit` of each kind; one that was found from another file is not tried again."""
    try:
        workshop = Workshop.of(source, project)
    except (Unparsable, RecursionError):
        return
    gc.collect()
    gc.freeze()  # what the file's analysis keeps need not be looked at again while its breaks are tried
    before: Counter[tuple[str, str]] | None = None
    made: Counter[str] = Counter()
    for mutant in mutants(workshop):
        made[mutant.kind] += 1
        key = (mutant.after.path, mutant.after.text)
        if (limit is None or made[mutant.kind] <= limit) and not (key in done and done[key].found):
            before = Counter(map(_said, workshop.findings())) if before is None else before
            after = complaints(workshop.findings(mutant.after), mutant.kind)
            new = Counter(map(_said, after)) - before
            said = tuple(finding for finding in after if _said(finding) in new)
            done[key] = Tried(mutant, said, difference(mutant.before.text, mutant.after.text))
            gc.collect()
    gc.unfreeze()


def _said(finding: Finding) -> tuple[str, str]:
    """What tells findings apart: lines move when code is edited."""
    return finding.code, finding.message


def difference(before: str, after: str) -> str:
    """The changed lines, as a unified diff without context."""
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), n=0, lineterm="")
    return "\n".join(f"    {line}" for line in islice(lines, 2, None))


def table(results: Sequence[Tried]) -> str:
    """Made and found, by kind of break; how many are found as an error, with any sizes or at the declared defaults."""
    made: dict[str, list[Tried]] = defaultdict(list)
    for result in results:
        made[result.mutant.kind].append(result)
    rows = [(kind, made[kind]) for kind in sorted(made)]
    rows.append(("all", list(results)))
    lines = ["| break | made | found | as an error | share |", "|---|---:|---:|---:|---:|"]
    for kind, tries in rows:
        found = [one.found for one in tries]
        errors = sum(one.severity == Severity.ERROR.value for one in tries)
        lines.append(f"| {kind} | {len(found)} | {sum(found)} | {errors} | {share(found)} |")
    return "\n".join(lines) + "\n"


def share(found: Sequence[bool]) -> str:
    """How many are found, in percent."""
    return f"{100 * sum(found) / len(found):.1f} %" if found else "-"


def missed(results: Sequence[Tried]) -> str:
    """Every break that is not found: the kind, the call, and what was changed."""
    return "\n".join(
        f"{r.mutant.kind}: {r.mutant.call.path}:{r.mutant.call.span.line}\n{r.diff}\n" for r in results if not r.found
    )


def saved(results: Sequence[Tried]) -> str:
    """Every break as JSON: what was broken, and what was said."""
    return json.dumps(
        [
            {
                "kind": one.mutant.kind,
                "path": one.mutant.before.path,
                "call": [one.mutant.call.path, one.mutant.call.span.line],
                "diff": one.diff,
                "said": [[finding.severity.value, finding.code, finding.message] for finding in one.said],
            }
            for one in results
        ],
        indent=1,
    )


def worth_breaking(paths: Sequence[str], settings: Settings) -> list[str]:
    """The files whose analysis judges the given state of some call right, in order; notebooks are left out."""
    files = [path for path in discover(paths, settings.filter).files if path.endswith(".py")]
    return [result.path for result in analyse(files, settings, listing=True) if any(_is_right(result))]


def _is_right(result: FileResult) -> Iterable[bool]:
    for call in result.calls:
        parts = [call.h_0] if call.c_0 is None else [call.h_0, call.c_0]
        yield call.h_0.given and all(part.status is StateStatus.MATCH for part in parts)


def parse_arguments() -> argparse.Namespace:
    """The command line; without --path and --package the whole corpus is meant."""
    parser = argparse.ArgumentParser(description="Break correct LSTM calls and count how many breaks lstm-lint finds.")
    parser.add_argument("--path", action="append", default=[], metavar="PATH", help="code to break (repeatable)")
    parser.add_argument("--package", action="append", default=[], metavar="NAME", help="of the corpus (repeatable)")
    parser.add_argument("--limit", type=int, metavar="N", help="at most N breaks of a kind in a file")
    parser.add_argument("--list", action="store_true", help="print every break that is not found")
    parser.add_argument("--save", metavar="FILE", help="keep every break, with what is said of it, as JSON")
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
    project = Project()
    gc.disable()  # as lstm-lint does while it analyses
    for path in worth_breaking(paths, settings):
        source = project.source(path)
        before = len(done)
        if isinstance(source, Source):
            tried(source, arguments.limit, done, project)
        if here := list(done.values())[before:]:
            print(f"{path}: {sum(r.found for r in here)} of {len(here)} found", file=sys.stderr, flush=True)
        if arguments.save:
            Path(arguments.save).write_text(saved(list(done.values())), encoding="utf-8")
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
