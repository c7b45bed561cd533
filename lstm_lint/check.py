"""The pipeline on one page: Source -> facts -> findings -> verdicts."""

from __future__ import annotations

import gc
import os
import time
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from lstm_lint.cache import Cache, key_of
from lstm_lint.config import Settings
from lstm_lint.discover import Unreadable, discover
from lstm_lint.findings import Finding, Probe, Redeemed, Severity, Spot, Status
from lstm_lint.outline import CallReport, Listing, SiteReport, listed
from lstm_lint.project import Project
from lstm_lint.rules.lst900_unreadable import unreadable
from lstm_lint.source import Source
from lstm_lint.syntax.cells import without_broken_cells

T = TypeVar("T")
LONGEST_CHUNK = 32  # files that a process of the pool takes at a time: neighbours import the same files
COLLECTED_EVERY = 64  # files after which a process of the pool looks for cycles to free
SECONDS_PER_FILE = 1.5
"""Processor time after which a file is not followed any further; the rules say what was found until then. Few files get there:
the budget, which is the same on every machine, ends nearly all before."""
SECONDS_AT_LEAST = 0.5
"""Processor time for what follows the parsing, however long that took."""
WORTH_A_POOL = 400_000  # bytes of source to analyse from which on starting processes pays


@dataclass(frozen=True)
class FileResult:
    """What one file gave, before torch is asked; findings may stand in files that it imports.

    `replays` are the calls judged right, for ``--confirm always``; `redeemed` those in other files that this one makes right.
    `cut_short`: the time was up; another run may find more.
    """

    path: str
    analyzed: bool = False
    findings: tuple[Finding, ...] = ()
    sites: tuple[SiteReport, ...] = ()
    calls: tuple[CallReport, ...] = ()
    replays: tuple[Probe, ...] = ()
    redeemed: tuple[Redeemed, ...] = ()
    cut_short: bool = False


@dataclass(frozen=True)
class Outcome:
    """What a run gave. `refuted` findings were taken back by torch; `defects` are faults of this tool that torch showed.

    `fixed`: how many findings were fixed, and are gone; None if none were to be.
    """

    findings: tuple[Finding, ...] = ()
    refuted: tuple[Finding, ...] = ()
    files: int = 0
    analyzed: int = 0
    defects: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()
    fixed: int | None = None

    def left_to_fix(self, unsafe: bool) -> tuple[int, int]:
        """How many findings have a fix that was asked for, and how many one that only `unsafe` asks for."""
        fixes = [finding.fix for finding in self.findings if finding.fix is not None]
        wanted = sum(fix.safe or unsafe for fix in fixes)
        return wanted, len(fixes) - wanted


def check_paths(
    paths: Sequence[str], settings: Settings, given: Source | None = None, project: Project | None = None
) -> Outcome:
    """Lint files and folders, or one text that is given, such as that of standard input.

    `project`: what was found out about files before, for a caller that gives one text after the other.
    """
    if given is not None:
        return confirmed([check_file(given, settings, project=project)], settings, (), [given.path])
    discovery = discover(paths, settings.filter)
    results = list(analyse(discovery.files, settings))
    return confirmed(results, settings, discovery.failures, discovery.files)


def shapes_paths(paths: Sequence[str], settings: Settings) -> tuple[Listing, list[Finding]]:
    """Every construction and call in files and folders, and what cannot be read."""
    files = discover(paths, settings.filter).files
    results = list(analyse(files, settings, listing=True))
    unreadable = [finding for result in results for finding in result.findings if finding.code == "LST900"]
    return listed([(result.sites, result.calls) for result in results], files), unreadable


# -- files -----------------------------------------------------------------------------------------------------------
def analyse(files: Sequence[str], settings: Settings, listing: bool = False) -> Iterable[FileResult]:
    """The result of each file; only those that can concern a recurrent layer are parsed."""
    project = Project()
    worth = [path for path in files if project.concerns_layers(path)]
    size = sum(len(data) for path in worth if isinstance(data := project.data(path), bytes))
    if size < WORTH_A_POOL or len(worth) < 2:
        return _without_collector(lambda: [check_path(path, settings, project, listing) for path in worth])
    from concurrent.futures import ProcessPoolExecutor  # late: most runs need no pool

    workers = min(os.cpu_count() or 1, len(worth))
    chunk = max(1, min(LONGEST_CHUNK, len(worth) // (4 * workers)))
    with ProcessPoolExecutor(workers, initializer=_start, initargs=(project,)) as pool:
        results = list(pool.map(_checked, [(path, settings, listing) for path in worth], chunksize=chunk))
    return sorted(results, key=lambda result: result.path)


_project = Project()
"""A process of the pool has one for all its files."""

_files_checked = 0


def _start(project: Project) -> None:
    global _project
    _project = project
    gc.disable()


def _checked(work: tuple[str, Settings, bool]) -> FileResult:
    global _files_checked
    path, settings, listing = work
    _files_checked += 1
    if _files_checked % COLLECTED_EVERY == 0:
        gc.collect()
    return check_path(path, settings, _project, listing)


def _without_collector(function: Callable[[], T]) -> T:
    """Run without Python's cycle collector: it only looks at trees that live until the end anyway (a fifth of the time)."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        return function()
    finally:
        if enabled:
            gc.enable()


def check_path(path: str, settings: Settings, project: Project, listing: bool = False) -> FileResult:
    """The result for a file, from the cache where it was worked out before from the same text and the same imported files."""
    source = project.source(path)
    if isinstance(source, Unreadable):
        return FileResult(path, False, (unreadable(path, source.span, source.message),))
    if settings.cache_folder is None:
        return check_file(source, settings, listing, project)
    cache = Cache(settings.cache_folder)
    through = project.state_of_imports(path)
    cells = "".join(f"{cell.number}:{cell.first_line} " for cell in source.cells)
    texts = (path, cells, source.text, through)
    key = key_of("shapes" if listing else "check", *texts, *sorted(settings.codes), settings.confirm)
    known = cache.get(key, FileResult)
    if known is None:
        known = check_file(source, settings, listing, project)
        if not known.cut_short:
            cache.put(key, known)
    return known


def check_file(source: Source, settings: Settings, listing: bool = False, project: Project | None = None) -> FileResult:
    """Analyse one text: parse, interpret, judge. torch is not asked. `listing`: for `shapes`, list what was seen.

    `project` finds what the text imports, as if it stood in the file that its path names.
    """
    started = time.thread_time()
    project = project or Project()
    project.add(source)
    if not project.concerns_layers(source.path):
        return FileResult(source.path)
    readable, mistakes = without_broken_cells(source)
    broken = [unreadable(source.path, span, message) for span, message in mistakes]
    relevant = project.relevant(readable)
    if relevant is not None and not relevant:
        return _reported(FileResult(source.path, True, tuple(broken)), settings, project)
    taken = time.thread_time() - started
    from lstm_lint.confirm.plan import probe_for, probe_for_call  # late, all of these: they bring libcst
    from lstm_lint.fixes import writer_of_fixes
    from lstm_lint.interpret import interpret
    from lstm_lint.inventory import inventory
    from lstm_lint.judge import judge
    from lstm_lint.rules import check_facts
    from lstm_lint.syntax.tree import Unparsable, parse

    started = time.thread_time() - taken
    try:
        tree = parse(readable)
    except Unparsable as error:
        finding = unreadable(source.path, error.span, error.message)
        return _reported(FileResult(source.path, False, (*broken, finding)), settings, project)
    deadline = max(started + SECONDS_PER_FILE, time.thread_time() + SECONDS_AT_LEAST)
    facts = interpret(tree, relevant=relevant, project=project, deadline=deadline)
    sites, calls = inventory(facts) if listing else ((), ())
    replays: tuple[Probe, ...] = ()
    if settings.confirm == "always":
        probes = (probe_for_call(judge(call)) for call in facts.calls)
        replays = tuple(probe for probe in probes if probe is not None)
    examined = check_facts(facts, probe_for, settings.codes, writer_of_fixes(tree, project))
    result = FileResult(
        source.path, True, (*broken, *examined.findings), sites, calls, replays, examined.redeemed, facts.cut_short
    )
    return _reported(result, settings, project)


def _reported(result: FileResult, settings: Settings, project: Project) -> FileResult:
    """The result with only those findings that the settings select and no comment silences, in whichever file they stand."""
    return replace(result, findings=tuple(f for f in result.findings if _is_wanted(f, result.path, settings, project)))


def _is_wanted(finding: Finding, analysed: str, settings: Settings, project: Project) -> bool:
    path = finding.path
    if finding.code not in settings.codes_at(path):
        return False
    if os.path.abspath(path) != os.path.abspath(analysed) and settings.filter.exclude.covers(os.path.abspath(path)):
        return False
    source = project.source(path)
    return isinstance(source, Unreadable) or not source.ignores.silences(source.text_line(finding.span), finding.code)


# -- several files -----------------------------------------------------------------------------------------------------
def joined(results: Sequence[FileResult], files: Sequence[str]) -> list[Finding]:
    """The findings of a run in order, paths as in `files`; as warnings those that other files redeem.

    Of several about one place the worst is kept, and of those what the file says itself, before what others make of it.
    """
    redeemed = {(one.code, _absolute(one.at)) for result in results for one in result.redeemed}
    best: dict[object, tuple[tuple[int, bool, str], Finding]] = {}
    for result, finding in [(one, finding) for one in results for finding in one.findings]:
        if finding.unless_at is not None and (finding.code, _absolute(finding.unless_at)) in redeemed:
            finding = replace(finding, severity=Severity.WARNING)
        path = os.path.abspath(finding.path)
        weight = (SEVERITIES.index(finding.severity), path != os.path.abspath(result.path), result.path)
        key = (finding.code, path, finding.span)
        if key not in best or weight < best[key][0]:
            best[key] = (weight, finding)
    given = {os.path.abspath(file): file for file in files}
    return sorted((_respelt(finding, given) for _, finding in best.values()), key=lambda finding: finding.order)


SEVERITIES = tuple(Severity)


def _absolute(spot: Spot) -> Spot:
    return replace(spot, path=os.path.abspath(spot.path))


def _respelt(finding: Finding, given: Mapping[str, str]) -> Finding:
    """The finding with paths as the user gave them, however an import led there."""
    related = tuple(replace(one, path=given.get(os.path.abspath(one.path), one.path)) for one in finding.related)
    return replace(finding, path=given.get(os.path.abspath(finding.path), finding.path), related=related)


# -- torch -----------------------------------------------------------------------------------------------------------
def confirmed(results: Sequence[FileResult], settings: Settings, failures: Sequence[str], files: Sequence[str]) -> Outcome:
    """The outcome of a run, with torch's verdicts where they are asked for."""
    findings = joined(results, files)
    analyzed = sum(result.analyzed for result in results)
    defects: list[str] = []
    if settings.confirm != "never":
        from lstm_lint.confirm.cache import ask_cached  # late: a run without findings asks nothing
        from lstm_lint.confirm.verdicts import compare_shapes, with_verdicts

        folder = None if settings.cache_folder is None else Path(settings.cache_folder) / "torch"

        def ask(probes: list[Probe]) -> list[object]:
            return ask_cached(probes, settings.torch_python, directory=folder)  # type: ignore[return-value]

        if findings:
            findings = with_verdicts(findings, ask)  # type: ignore[arg-type]
        replays = [probe for result in results for probe in result.replays]
        answers = ask_cached(replays, settings.torch_python, directory=folder) if replays else []
        defects = [text for probe, answer in zip(replays, answers, strict=True) if (text := compare_shapes(probe, answer))]
    refuted = [f for f in findings if f.confirmation is not None and f.confirmation.status is Status.REFUTED]
    kept = [f for f in findings if f not in refuted]
    return Outcome(tuple(kept), tuple(refuted), len(files), analyzed, tuple(dict.fromkeys(defects)), tuple(failures))
