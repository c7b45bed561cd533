"""The pipeline on one page: Source -> facts -> findings -> verdicts."""

from __future__ import annotations

import gc
import os
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TypeVar

from lstm_lint.cache import Cache, key_of
from lstm_lint.config import Settings
from lstm_lint.discover import Unreadable, decode, discover, mentions_recurrent_layer, read_bytes
from lstm_lint.findings import Finding, Probe, Status
from lstm_lint.outline import CallReport, SiteReport
from lstm_lint.rules.lst900_unreadable import unreadable
from lstm_lint.source import Source
from lstm_lint.syntax.relevance import relevant_names

T = TypeVar("T")
WORTH_A_POOL = 400_000  # bytes of source to analyse from which on starting processes pays


@dataclass(frozen=True)
class FileResult:
    """What one file gave, before torch is asked. `replays` are the calls judged right, for ``--confirm always``."""

    path: str
    analyzed: bool = False
    findings: tuple[Finding, ...] = ()
    sites: tuple[SiteReport, ...] = ()
    calls: tuple[CallReport, ...] = ()
    replays: tuple[Probe, ...] = ()


@dataclass(frozen=True)
class Outcome:
    """What a run gave. `refuted` findings were taken back by torch; `defects` are faults of this tool that torch showed."""

    findings: tuple[Finding, ...] = ()
    refuted: tuple[Finding, ...] = ()
    files: int = 0
    analyzed: int = 0
    defects: tuple[str, ...] = ()
    failures: tuple[str, ...] = ()


def check_paths(paths: Sequence[str], settings: Settings, stdin_text: str | None = None) -> Outcome:
    """Lint files and folders, or a text from standard input under the name ``paths[0]``."""
    if stdin_text is not None:
        results: list[FileResult] = [check_file(Source(paths[0], stdin_text), settings)]
        return confirmed(results, settings, (), 1)
    discovery = discover(paths, settings.filter)
    results = list(analyse(discovery.files, settings))
    return confirmed(results, settings, discovery.failures, len(discovery.files))


def shapes_paths(paths: Sequence[str], settings: Settings) -> list[FileResult]:
    """Every construction and call in files and folders."""
    results = analyse(discover(paths, settings.filter).files, settings, listing=True)
    return [result for result in results if result.analyzed]


# -- files -----------------------------------------------------------------------------------------------------------
def analyse(files: Sequence[str], settings: Settings, listing: bool = False) -> Iterable[FileResult]:
    """The result of each file; only those that mention a recurrent layer are parsed."""
    read: list[tuple[str, bytes | Unreadable]] = [(path, read_bytes(path)) for path in files]
    worth = [(p, d) for p, d in read if isinstance(d, Unreadable) or mentions_recurrent_layer(d)]
    size = sum(len(data) for _, data in worth if isinstance(data, bytes))
    if size < WORTH_A_POOL or len(worth) < 2:
        return _without_collector(lambda: [check_data(path, data, settings, listing) for path, data in worth])
    from concurrent.futures import ProcessPoolExecutor  # late: most runs need no pool

    worth.sort(key=lambda item: -len(item[1]) if isinstance(item[1], bytes) else 0)  # long files first
    with ProcessPoolExecutor(min(os.cpu_count() or 1, len(worth))) as pool:
        results = list(pool.map(_checked, [(path, data, settings, listing) for path, data in worth], chunksize=1))
    return sorted(results, key=lambda result: result.path)


def _checked(work: tuple[str, bytes | Unreadable, Settings, bool]) -> FileResult:
    return _without_collector(lambda: check_data(*work))


def _without_collector(function: Callable[[], T]) -> T:
    """Run without Python's cycle collector: it only looks at trees that live until the end anyway (a fifth of the time)."""
    enabled = gc.isenabled()
    gc.disable()
    try:
        return function()
    finally:
        if enabled:
            gc.enable()


def check_data(path: str, data: bytes | Unreadable, settings: Settings, listing: bool = False) -> FileResult:
    """The result for a file's content, from the cache where it was worked out before."""
    source = data if isinstance(data, Unreadable) else decode(path, data)
    if isinstance(source, Unreadable):
        return FileResult(path, False, (unreadable(path, source.span, source.message),))
    if settings.cache_folder is None:
        return check_file(source, settings, listing)
    cache = Cache(settings.cache_folder)
    key = key_of("shapes" if listing else "check", path, source.text, *sorted(settings.codes_at(path)), settings.confirm)
    known = cache.get(key, FileResult)
    if known is None:
        known = check_file(source, settings, listing)
        cache.put(key, known)
    return known


def check_file(source: Source, settings: Settings, listing: bool = False) -> FileResult:
    """Analyse one text: parse, interpret, judge. torch is not asked. `listing`: for `shapes`, list what was seen."""
    if not mentions_recurrent_layer(source.text.encode(errors="replace")):
        return FileResult(source.path)
    relevant = relevant_names(source.text)
    if relevant is not None and not relevant:
        return FileResult(source.path, True)
    from lstm_lint.confirm.plan import probe_for, probe_for_call  # late, all of these: they bring libcst
    from lstm_lint.interpret import interpret
    from lstm_lint.inventory import inventory
    from lstm_lint.judge import judge
    from lstm_lint.rules import check_facts
    from lstm_lint.syntax.tree import Unparsable, parse

    try:
        tree = parse(source)
    except Unparsable as error:
        finding = unreadable(source.path, error.span, error.message)
        return _reported(FileResult(source.path, False, (finding,)), source, settings)
    facts = interpret(tree, relevant=relevant)
    sites, calls = inventory(facts) if listing else ((), ())
    replays: tuple[Probe, ...] = ()
    if settings.confirm == "always":
        probes = (probe_for_call(judge(call)) for call in facts.calls)
        replays = tuple(probe for probe in probes if probe is not None)
    findings = tuple(check_facts(facts, probe_for, settings.codes_at(source.path)))
    return _reported(FileResult(source.path, True, findings, sites, calls, replays), source, settings)


def _reported(result: FileResult, source: Source, settings: Settings) -> FileResult:
    """The result with only those findings that the settings select and no comment silences."""
    codes = settings.codes_at(source.path)
    ignores = source.ignores
    kept = (f for f in result.findings if f.code in codes and not ignores.silences(source.text_line(f.span), f.code))
    return replace(result, findings=tuple(kept))


# -- torch -----------------------------------------------------------------------------------------------------------
def confirmed(results: Sequence[FileResult], settings: Settings, failures: Sequence[str], files: int) -> Outcome:
    """The outcome of a run, with torch's verdicts where they are asked for."""
    findings = sorted((f for result in results for f in result.findings), key=lambda f: f.order)
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
    return Outcome(tuple(kept), tuple(refuted), files, analyzed, tuple(dict.fromkeys(defects)), tuple(failures))
