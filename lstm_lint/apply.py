"""Fixes applied: chosen, tried, kept if the finding is gone and nothing new is wrong, until there is nothing left to fix."""

from __future__ import annotations

import os
import re
import shutil
import tempfile
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from difflib import unified_diff

from lstm_lint.check import FileResult, Outcome, analyse, check_file, confirmed
from lstm_lint.config import Settings
from lstm_lint.discover import Unreadable, decode, discover, encoding_of
from lstm_lint.findings import Edit, Finding, Fix, Severity
from lstm_lint.outline import StateReport
from lstm_lint.project import Project
from lstm_lint.rewriting import CannotRewrite, rewritten
from lstm_lint.source import Source
from lstm_lint.syntax.cells import without_broken_cells

MAX_ROUNDS = 100  # each applies a fix, or rejects one
SHAPES = ("LST1", "LST203", "LST205", "LST206", "LST3")
"""Rules about shapes: what they fix is replayed in torch."""

FIRST_AXES = ("LST101", "LST105")
"""Rules whose fixes rewrite the first sizes of a state, which have to be known to be right then."""


@dataclass(frozen=True)
class Changed:
    """A file with fixes: its content before and after, and how many findings of which rule are gone."""

    path: str
    before: bytes
    after: bytes
    fixed: Mapping[str, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Fixed:
    """What a run with fixes gave: what is left, the files that changed, and the fixes that were tried and not kept."""

    outcome: Outcome
    changed: tuple[Changed, ...] = ()
    not_kept: int = 0

    @property
    def count(self) -> int:
        return sum(number for one in self.changed for number in one.fixed.values())


def fix_paths(paths: Sequence[str], settings: Settings, unsafe: bool, given: tuple[Source, bytes] | None = None) -> Fixed:
    """Lint files and folders, or one text that is given with its content, and work out their fixes. Nothing is written."""
    if given is not None:
        run = _Run(settings, unsafe, [given[0].path], (), [check_file(given[0], settings)], {given[0].path: given[1]})
    else:
        discovery = discover(paths, settings.filter)
        run = _Run(settings, unsafe, discovery.files, discovery.failures, list(analyse(discovery.files, settings)))
    return run.through()


Chosen = tuple[Finding, Fix]


@dataclass(eq=False)
class _Run:
    """One run. `results` and `texts` are as of the fixes that were kept so far."""

    settings: Settings
    unsafe: bool
    files: Sequence[str]
    failures: Sequence[str]
    results: list[FileResult]
    texts: dict[str, bytes] = field(default_factory=dict)
    originals: dict[str, bytes] = field(default_factory=dict)
    fixed: Counter[tuple[str, str]] = field(default_factory=Counter)
    rejected: set[object] = field(default_factory=set)
    named: frozenset[str] = field(init=False)
    answers: str | None = None

    def __post_init__(self) -> None:
        self.named = frozenset(os.path.abspath(path) for path in self.files)

    def through(self) -> Fixed:
        with tempfile.TemporaryDirectory() as folder:
            self.answers = None if self.settings.cache else folder  # what torch said is not asked again in the next round
            return self._through()

    def _through(self) -> Fixed:
        self.originals = dict(self.texts)
        outcome = self._confirmed(self.results, self.settings)
        for _ in range(MAX_ROUNDS):
            chosen = self._chosen(outcome.findings)
            if not chosen:
                break
            outcome = self._apply(chosen, outcome)
        changed = [
            Changed(path, before, self.texts[path], {code: n for (at, code), n in self.fixed.items() if at == path and n})
            for path, before in self.originals.items()
            if self.texts[path] != before
        ]
        return Fixed(outcome, tuple(changed), len(self.rejected))

    def _confirmed(self, results: Sequence[FileResult], settings: Settings) -> Outcome:
        if self.answers is not None:
            settings = replace(settings, cache=True, cache_dir=self.answers)
        return confirmed(results, settings, self.failures, self.files)

    # -- choosing ----------------------------------------------------------------------------------------------------
    def _chosen(self, findings: Iterable[Finding]) -> list[Chosen]:
        """The fixes to try together: those that are wanted, and of those that overlap the first."""
        taken: dict[str, list[Edit]] = {}
        chosen: list[Chosen] = []
        for finding in findings:
            fix = finding.fix
            if fix is None or not (fix.safe or self.unsafe) or _identity(finding) in self.rejected:
                continue
            if os.path.abspath(finding.path) not in self.named or self._content(finding.path) is None:
                continue
            others = taken.setdefault(finding.path, [])
            if not any(overlap(edit, other) for edit in fix.edits for other in others):
                others += fix.edits
                chosen.append((finding, fix))
        return chosen

    def _content(self, path: str) -> bytes | None:
        """What the file held when it was looked at."""
        if path not in self.texts:
            data = Project().data(path)
            if isinstance(data, Unreadable):
                return None
            self.texts[path] = self.originals[path] = data
        return self.texts[path]

    # -- trying ------------------------------------------------------------------------------------------------------
    def _apply(self, chosen: Sequence[Chosen], outcome: Outcome) -> Outcome:
        """The outcome with these fixes, or with the first half of them, and so on; one that cannot be kept is rejected."""
        while (tried := self._tried(chosen, outcome)) is None:
            if len(chosen) == 1:
                self.rejected.add(_identity(chosen[0][0]))
                return outcome
            chosen = chosen[: len(chosen) // 2]
        return tried

    def _tried(self, chosen: Sequence[Chosen], outcome: Outcome) -> Outcome | None:
        """The outcome once these fixes are applied, which are kept then; None if one of them may not be."""
        by_path: dict[str, list[Edit]] = {}
        for finding, fix in chosen:
            by_path.setdefault(finding.path, []).extend(fix.edits)
        texts = dict(self.texts)
        sources: list[Source] = []
        for path, edits in by_path.items():
            try:
                texts[path] = rewritten(path, texts[path], edits)
            except CannotRewrite:
                return None
            source, before = decode(path, texts[path]), decode(path, self.texts[path])
            if isinstance(source, Unreadable) or isinstance(before, Unreadable) or not parses(source, before):
                return None
            sources.append(source)
        codes = [finding.code for finding, _ in chosen]
        results = self._checked_again(sources, texts, any(code.startswith(SHAPES) for code in codes))
        after = self._confirmed(results, self._asking(codes))
        if after.defects or not is_better(outcome.findings, after.findings, [finding for finding, _ in chosen]):
            return None
        resized = sum(code in FIRST_AXES for code in codes)
        if resized and not self._more_is_right(resized, list(by_path), texts):
            return None
        self.results, self.texts = results, texts
        self.fixed.update((finding.path, finding.code) for finding, _ in chosen)
        return after

    def _asking(self, codes: Iterable[str]) -> Settings:
        """The settings by which calls that were judged right are replayed, where the fixes are about shapes."""
        wanted = self.settings.confirm != "never" and any(code.startswith(SHAPES) for code in codes)
        return replace(self.settings, confirm="always") if wanted else self.settings

    def _checked_again(self, sources: Sequence[Source], texts: Mapping[str, bytes], replayed: bool) -> list[FileResult]:
        """The results with these texts; files that they do not concern keep theirs."""
        project = self._project(texts)
        settings = replace(self._asking(["LST1"] if replayed else []), cache=False)
        paths = {os.path.abspath(source.path) for source in sources}
        results = {result.path: replace(result, replays=()) for result in self.results}
        for path in {**dict.fromkeys(results), **dict.fromkeys(source.path for source in sources)}:
            known = project.source(path)
            if isinstance(known, Unreadable):
                continue
            if os.path.abspath(path) in paths or any(os.path.abspath(file) in paths for file in project.closure(path)):
                results[path] = check_file(known, settings, project=project)
        return list(results.values())

    def _project(self, texts: Mapping[str, bytes]) -> Project:
        project = Project()
        for path, data in texts.items():
            source = decode(path, data)
            if isinstance(source, Source):
                project.add(source)
        return project

    def _more_is_right(self, many: int, paths: Sequence[str], texts: Mapping[str, bytes]) -> bool:
        """Whether the first size of so many more states is now known to be the layer's."""
        settings = replace(self.settings, cache=False, confirm="never")
        right = [0, 0]
        for index, contents in enumerate((self.texts, texts)):
            project = self._project(contents)
            for result in self.results:
                closure = {os.path.abspath(file) for file in (result.path, *project.closure(result.path))}
                source = project.source(result.path)
                if isinstance(source, Source) and closure & {os.path.abspath(path) for path in paths}:
                    listed = check_file(source, settings, True, project)
                    right[index] += sum(_first_is_right(state) for state in _states(listed))
        return right[1] >= right[0] + many


def _states(result: FileResult) -> Iterator[StateReport]:
    for call in result.calls:
        yield from (state for state in (call.h_0, call.c_0) if state is not None and state.given)


def _first_is_right(state: StateReport) -> bool:
    return bool(state.actual and state.expected) and (state.actual or ("",))[0] == (state.expected or ("",))[0]


def _identity(finding: Finding) -> object:
    texts = tuple(edit.text for edit in finding.fix.edits) if finding.fix is not None else ()
    return finding.path, finding.code, finding.span.cell, finding.message, texts


def overlap(one: Edit, other: Edit) -> bool:
    """Whether two edits of one file concern the same text; two insertions at one place do."""
    a, b = one.span, other.span
    if a.cell != b.cell:
        return False
    (start, end), (first, last) = (((s.line, s.column), (s.end_line, s.end_column)) for s in (a, b))
    return start == first or (start < last and first < end)


def parses(source: Source, before: Source) -> bool:
    """Whether the text is Python, as far as it was before."""
    from lstm_lint.syntax.tree import Unparsable, parse  # late: it brings libcst

    readable, mistakes = without_broken_cells(source)
    if len(mistakes) > len(without_broken_cells(before)[1]):
        return False
    try:
        parse(readable)
    except Unparsable:
        return False
    return True


def is_better(before: Iterable[Finding], after: Iterable[Finding], fixed: Sequence[Finding]) -> bool:
    """Whether the fixed findings are gone, and no error is new."""
    old, new = list(before), list(after)
    gone = Counter((finding.path, finding.code) for finding in fixed)
    left = Counter((finding.path, finding.code) for finding in new)
    had = Counter((finding.path, finding.code) for finding in old)
    errors = Counter((f.path, f.code) for f in new if f.severity is Severity.ERROR)
    errors.subtract((f.path, f.code) for f in old if f.severity is Severity.ERROR)
    return all(left[key] <= had[key] - number for key, number in gone.items()) and not any(n > 0 for n in errors.values())


# -- output ------------------------------------------------------------------------------------------------------------
def written(changed: Changed) -> str | None:
    """Puts the new content in the file's place at once; None, or why not. A file that is not as it was read is left alone."""
    target = os.path.realpath(changed.path)
    temporary = None
    try:
        handle, temporary = tempfile.mkstemp(dir=os.path.dirname(target), prefix=".lstm-lint-")
        with os.fdopen(handle, "wb") as stream:
            stream.write(changed.after)
            stream.flush()
            os.fsync(stream.fileno())
        shutil.copymode(target, temporary)
        with open(target, "rb") as stream:
            if stream.read() not in (changed.before, changed.after):
                return f"{changed.path}: it was changed meanwhile, and is left as it is"
        if not os.access(target, os.W_OK):
            return f"{changed.path}: it may not be written, and is left as it is"
        os.replace(temporary, target)
        temporary = None
    except OSError as error:
        return f"{changed.path}: it cannot be written: {(error.strerror or str(error)).lower()}"
    finally:
        if temporary is not None:
            with suppress(OSError):
                os.unlink(temporary)
    return None


def difference(changed: Changed) -> Iterator[str]:
    """The lines of a unified diff of the file's content, line ends as they are."""
    encoding = encoding_of(changed.before)
    before, after = (re.findall(r"[^\n]*\n|[^\n]+", data.decode(encoding)) for data in (changed.before, changed.after))
    for row in unified_diff(before, after, changed.path, changed.path):
        yield row if row.endswith("\n") else f"{row}\n\\ No newline at end of file\n"
