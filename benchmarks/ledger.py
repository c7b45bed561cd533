"""What `lstm-lint shapes` decides over a folder of code, why it does not decide the rest, and what the analysis costs.

    python benchmarks/ledger.py [--path FOLDER ...] [--list] [--save NEW.json] [--compare OLD.json]

Counts places in the code: a call or construction that is seen in several contexts is one, with its worst status.
One process, one file after the other, torch not asked. Prints markdown; progress goes to stderr. Exit code 2: wrong use.
"""

import argparse
import gc
import json
import os
import re
import sys
import time
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import libcst as cst
import measure
from corpus import CORPUS

from lstm_lint.check import FileResult, check_path
from lstm_lint.config import Settings
from lstm_lint.discover import Unreadable, discover
from lstm_lint.outline import WORST_FIRST, CallReport, SiteReport, StateReport, StateStatus, listed
from lstm_lint.project import Project

GAVE_UP = "LST901"
SLOWEST = 5
NOTICEABLE = 0.02  # seconds: what is faster is fast, however long the parsing takes
COLLECTED = 50  # files after which the memory of what is done is given back
MOST_SECONDS = 2.0
MOST_PARSE_TIMES = 50.0
KNOWN_ARGUMENTS = ("hidden_size", "num_layers", "bidirectional")


@dataclass(frozen=True)
class Measured:
    """One file's result, and what it took: processor seconds of the analysis, and of libcst's parser alone.

    `read_seconds`: the part of the analysis that libcst's parser took, for the file and those parts of others that it uses.
    """

    result: FileResult
    seconds: float
    parse_seconds: float
    read_seconds: float = 0.0

    @property
    def parse_times(self) -> float:
        """The analysis as a multiple of the parsing; 0 where that was not measured."""
        return self.seconds / self.parse_seconds if self.parse_seconds else 0.0

    @property
    def read_times(self) -> float:
        """The analysis as a multiple of the parsing of everything that was parsed for it; 0 where that was not measured."""
        return self.seconds / max(self.parse_seconds, self.read_seconds) if self.parse_seconds else 0.0


# -- what is counted ---------------------------------------------------------------------------------------------------
def states(call: CallReport) -> list[StateReport]:
    """The state tensors of a call: ``h_0``, and ``c_0`` where the layer has one."""
    return [call.h_0] if call.c_0 is None else [call.h_0, call.c_0]


def status(contexts: Iterable[CallReport]) -> StateStatus:
    """The worst status of a call's state tensors over the contexts it was seen in."""
    return min((call.status for call in contexts), key=WORST_FIRST.index)


def reason(contexts: Iterable[CallReport]) -> str:
    """Why a call is not decided, without the names in it, so that equal reasons are counted together."""
    whys = [state.why for call in contexts for state in states(call) if state.status is StateStatus.UNKNOWN and state.why]
    message = whys[0].message if whys else "no reason is given"
    return re.sub(r"^whether .* is (an? )", r"whether `_` is \1", re.sub(r"`[^`]*`", "`_`", message))


def explicit_calls(calls: Iterable[CallReport]) -> dict[tuple[object, ...], list[CallReport]]:
    """The calls that are given a state, by place, each with its contexts."""
    places: dict[tuple[object, ...], list[CallReport]] = {}
    for call in calls:
        if call.h_0.given:
            places.setdefault((call.path, call.cell, call.line, call.column), []).append(call)
    return places


def is_known(site: SiteReport) -> bool:
    """Whether all sizes that make the state's shape are known. A cell has neither layers nor directions."""
    names = KNOWN_ARGUMENTS[:1] if site.layer.endswith("Cell") else KNOWN_ARGUMENTS
    return all(site.config.get(name, "?") != "?" for name in names)


def known_sites(sites: Iterable[SiteReport]) -> dict[tuple[object, ...], bool]:
    """For each place of a construction, whether it is known in every context."""
    places: dict[tuple[object, ...], bool] = {}
    for site in sites:
        place = (site.path, site.cell, site.line, site.column)
        places[place] = places.get(place, True) and is_known(site)
    return places


# -- tables ------------------------------------------------------------------------------------------------------------
def share(part: int, whole: int) -> str:
    """``41 of 113 (36.3 %)``."""
    return f"{part} of {whole} ({part / whole:.1%})".replace("%", " %") if whole else "0 of 0"


def table(heads: Sequence[str], rows: Iterable[Sequence[object]]) -> str:
    """A markdown table; the first column is text, the others are numbers."""
    lines = [heads, ["---", *["---:"] * (len(heads) - 1)], *rows]
    return "\n".join("| " + " | ".join(str(cell).replace("|", "\\|") for cell in line) + " |" for line in lines) + "\n"


def summary(calls: Mapping[object, list[CallReport]], sites: Mapping[object, bool]) -> str:
    """How many calls have which status, and how many are decided; how many constructions are known."""
    counts = Counter(status(contexts) for contexts in calls.values())
    in_contexts = Counter(status([call]) for contexts in calls.values() for call in contexts)
    decided = len(calls) - counts[StateStatus.UNKNOWN]
    rows = [(one.value, counts[one], in_contexts[one]) for one in StateStatus]
    return (
        table(("calls with an explicit state", "places", "contexts"), rows)
        + f"\nDecided: {share(decided, len(calls))}.\n"
        + f"Constructions with {', '.join(KNOWN_ARGUMENTS)} known: {share(sum(sites.values()), len(sites))}.\n"
    )


def comparison(before: Mapping[str, int], after: Mapping[str, int]) -> str:
    """Each reason with its count before and after, the largest first."""
    reasons = sorted({*before, *after}, key=lambda text: (-max(before.get(text, 0), after.get(text, 0)), text))
    rows = [(text, before.get(text, 0), after.get(text, 0)) for text in reasons]
    rows.append(("all", sum(before.values()), sum(after.values())))
    return table(("why a call is not decided", "count before", "count after"), rows)


def undecided(calls: Mapping[object, list[CallReport]]) -> str:
    """Every call that is not decided: place, tensor, why, expected and actual dims."""
    lines = []
    for contexts in calls.values():
        for call in contexts:
            for name, state in zip(("h_0", "c_0"), states(call), strict=False):
                if state.status is StateStatus.UNKNOWN:
                    why = f"{state.why.line}:{state.why.column} {state.why.message}" if state.why else "no reason is given"
                    dims = f"expected {_dims(state.expected)}, actual {_dims(state.actual)}"
                    lines.append(f"{call.path}:{call.line}:{call.column} {name}: {why}; {dims}")
    return "\n".join(dict.fromkeys(lines)) + "\n"


def _dims(dims: Sequence[str] | None) -> str:
    return "?" if dims is None else f"({', '.join(dims)})"


def cost(files: Sequence[Measured]) -> str:
    """The slowest files, those above a limit, and how often the budget ended an entry."""
    slowest = sorted(files, key=lambda f: -f.seconds)[:SLOWEST]
    steepest = sorted(files, key=lambda f: -f.parse_times)[:SLOWEST]
    shown = {f.result.path: f for f in (*slowest, *steepest)}
    rows = [(f.result.path, f"{f.seconds:.2f} s", f"{f.parse_seconds:.3f} s", f"{f.parse_times:.1f}") for f in shown.values()]
    given_up = [sum(finding.code == GAVE_UP for finding in f.result.findings) for f in files]
    slow = sum(f.seconds > MOST_SECONDS for f in files)
    steep = sum(f.parse_times > MOST_PARSE_TIMES for f in files)
    steep_to_read = sum(f.read_times > MOST_PARSE_TIMES for f in files)
    late = sum(f.result.cut_short for f in files)
    return (
        table(("slowest files", "analysis", "parsing alone", "analysis / parsing"), rows)
        + f"\nOf {len(files)} files analysed in {sum(f.seconds for f in files):.1f} s, {slow} took more than "
        + f"{MOST_SECONDS:.0f} s and {steep} more than {MOST_PARSE_TIMES:.0f} times their parsing ({steep_to_read} if that of "
        + "what they import counts too).\n"
        + f"The budget ({GAVE_UP}) ended {sum(given_up)} entries in {sum(map(bool, given_up))} files; "
        + f"in {late} files the clock did.\n"
    )


# -- running -----------------------------------------------------------------------------------------------------------
def measured(path: str, settings: Settings, project: Project) -> Measured:
    """The analysis of one file and libcst's parsing of it, one after the other; the latter only where it is noticeable."""
    with parsing_timed() as parsing:
        start = time.process_time()
        result = check_path(path, settings, project, listing=True)
        seconds = time.process_time() - start
    source = project.source(path)
    if seconds < NOTICEABLE or isinstance(source, Unreadable):
        return Measured(result, seconds, 0.0, sum(parsing))
    start = time.process_time()
    try:
        cst.parse_module(source.text)
        parse_seconds = time.process_time() - start
    except (cst.ParserSyntaxError, RecursionError):
        parse_seconds = 0.0
    return Measured(result, seconds, parse_seconds, sum(parsing))


@contextmanager
def parsing_timed() -> Iterator[list[float]]:
    """The processor seconds of each text that libcst parses in the meantime."""
    taken: list[float] = []
    original = cst.parse_module

    def timed(*arguments: Any, **keywords: Any) -> cst.Module:
        start = time.process_time()
        try:
            return original(*arguments, **keywords)
        finally:
            taken.append(time.process_time() - start)

    cst.parse_module = timed  # type: ignore[assignment]
    try:
        yield taken
    finally:
        cst.parse_module = original


def measure_all(paths: Sequence[str]) -> list[Measured]:
    """Every file under the paths that can concern a recurrent layer, in order."""
    settings = Settings(os.getcwd(), extend_select=(GAVE_UP,), confirm="never", cache=False)
    project = Project()
    worth = [path for path in discover(paths, settings.filter).files if project.concerns_layers(path)]
    gc.disable()  # as lstm-lint does while it analyses
    if worth:
        measured(worth[0], settings, Project())  # what has to be imported is imported
    files = []
    for number, path in enumerate(worth, start=1):
        files.append(measured(path, settings, project))
        if number % COLLECTED == 0:
            gc.collect()
            gc.freeze()  # what is left stays: it need not be looked at again
            print(f"{number} of {len(worth)} files", file=sys.stderr, flush=True)
    return files


def parse_arguments() -> argparse.Namespace:
    """The command line; without --path the whole corpus is meant."""
    parser = argparse.ArgumentParser(description="Count what lstm-lint shapes decides, and why it does not decide the rest.")
    parser.add_argument("--path", action="append", default=[], metavar="FOLDER", help="code to look at (repeatable)")
    parser.add_argument("--list", action="store_true", help="print every call that is not decided")
    parser.add_argument("--save", type=Path, metavar="NEW.json", help="write the counts of the reasons")
    parser.add_argument("--compare", type=Path, metavar="OLD.json", help="counts saved before")
    return parser.parse_args()


def main() -> int:
    """Count as asked on the command line; returns the exit code."""
    arguments = parse_arguments()
    paths = arguments.path or [str(CORPUS)]
    try:
        before = json.loads(arguments.compare.read_text(encoding="utf-8")) if arguments.compare else {}
    except (OSError, ValueError) as error:
        print(f"{arguments.compare}: {error}", file=sys.stderr)
        return 2
    if missing := [path for path in paths if not Path(path).exists()]:
        print(f"not there: {', '.join(missing)}", file=sys.stderr)
        return 2
    files = [file for file in measure_all(paths) if file.result.analyzed]
    listing = listed([(file.result.sites, file.result.calls) for file in files], [file.result.path for file in files])
    calls = explicit_calls(listing.calls)
    unknown = {place: contexts for place, contexts in calls.items() if status(contexts) is StateStatus.UNKNOWN}
    reasons = dict(Counter(reason(contexts) for contexts in unknown.values()).most_common())
    print(measure.machine_line() + "\n")
    print(summary(calls, known_sites(listing.sites)))
    print(comparison(before, reasons) if arguments.compare else table(("why a call is not decided", "count"), reasons.items()))
    print(cost(files))
    if arguments.list:
        print(undecided(unknown))
    if arguments.save:
        arguments.save.write_text(json.dumps(reasons, indent=2) + "\n", encoding="utf-8")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted")
