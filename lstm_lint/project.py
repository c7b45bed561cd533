"""The project around the analysed files: which file an import stands for, what it holds, whether it can concern a layer.

Files are found as Python would find them, from their places alone: nothing is imported, and ``sys.path`` is not known. Where
two files could be meant, neither is taken. What belongs to no file of the project is a library.
"""

from __future__ import annotations

import ast
import os
import re
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from hashlib import sha256

from lstm_lint import notebook
from lstm_lint.discover import Unreadable, decode, mentions_recurrent_layer, read_bytes
from lstm_lint.modules import is_package, is_script, module_file, relative_module, roots, same_file, submodule, submodules
from lstm_lint.source import Source
from lstm_lint.syntax.nesting import parsed
from lstm_lint.syntax.relevance import Statement, relevant_names
from lstm_lint.syntax.skim import Import, imports_in, names_layer_in_small_letters, skimmed

HOPS = 4  # imports of imports that are followed to find out whether a file can concern a layer
FARTHEST = 16  # imports of imports whose content a result can depend on
LIBRARIES = frozenset(sys.stdlib_module_names) | {"torch", "numpy"}


@dataclass(frozen=True)
class Ambiguous:
    """A module name that may stand for several files."""

    files: tuple[str, ...]


@dataclass(eq=False)
class Project:
    """What was found out about files so far; one object serves a whole run."""

    _data: dict[str, bytes | Unreadable] = field(default_factory=dict)
    _sources: dict[str, Source | Unreadable] = field(default_factory=dict)
    _given: set[str] = field(default_factory=set)
    _roots: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _located: dict[tuple[str, int, str], str | Ambiguous | None] = field(default_factory=dict)
    _statements: dict[str, Sequence[Import]] = field(default_factory=dict)
    _imports: dict[str, tuple[str, ...]] = field(default_factory=dict)
    _mentioning: dict[str, bool] = field(default_factory=dict)
    _closures: dict[str, frozenset[str]] = field(default_factory=dict)
    _digests: dict[tuple[str, int], bytes] = field(default_factory=dict)
    _skimmed: dict[str, Sequence[Statement]] = field(default_factory=dict)
    _relevant: dict[tuple[str, int], frozenset[str]] = field(default_factory=dict)
    _dotted: dict[str, frozenset[str]] = field(default_factory=dict)
    _submodules: dict[tuple[str, str], str | None] = field(default_factory=dict)

    def data(self, path: str) -> bytes | Unreadable:
        """A file's content."""
        known = self._data.get(path)
        if known is None:
            known = self._data[path] = read_bytes(path)
        return known

    def source(self, path: str) -> Source | Unreadable:
        """A file's text."""
        known = self._sources.get(path)
        if known is None:
            data = self.data(path)
            known = self._sources[path] = data if isinstance(data, Unreadable) else decode(path, data)
        return known

    def add(self, source: Source) -> None:
        """Take this text for that of the file, whatever is on disk."""
        if self._sources.get(source.path) is not source:
            self._sources[source.path] = source
            self._given.add(source.path)

    # -- which file ----------------------------------------------------------------------------------------------------
    def locate(self, importer: str, level: int, name: str) -> str | Ambiguous | None:
        """The file or folder that ``name`` stands for in ``importer``, which has `level` dots before it; None for a library."""
        key = (os.path.dirname(importer), level, name)
        if key not in self._located:
            self._located[key] = relative_module(importer, level, name) if level else self._absolute(importer, name)
        return self._located[key]

    def _absolute(self, importer: str, name: str) -> str | Ambiguous | None:
        if name.partition(".")[0] in LIBRARIES:
            return None
        folder = os.path.dirname(importer)
        if folder not in self._roots:
            self._roots[folder] = tuple(roots(importer))
        found: list[str] = []
        for root in self._roots[folder]:
            module = module_file(os.path.join(root, *name.split(".")))
            if module is not None and not any(same_file(module, known) for known in found):
                found.append(module)
        return Ambiguous(tuple(found)) if len(found) > 1 and not is_script(importer) else next(iter(found), None)

    def _submodule(self, module: str, name: str) -> str | None:
        if (module, name) not in self._submodules:
            self._submodules[module, name] = submodule(module, name)
        return self._submodules[module, name]

    # -- whether it matters --------------------------------------------------------------------------------------------
    def imports(self, path: str) -> tuple[str, ...]:
        """The project's files that a file names in its imports, read off its text without parsing it."""
        known = self._imports.get(path)
        if known is None:
            statements = self._import_statements(path)
            named = [file for one in statements for file in self._files_of(path, one)]
            named += [file for one in statements for file, _ in self._attributes(path, one)]
            known = self._imports[path] = tuple(dict.fromkeys(named))
        return known

    def _import_statements(self, path: str) -> Sequence[Import]:
        known = self._statements.get(path)
        if known is None:
            known = self._statements[path] = tuple(imports_in(self._bytes(path)))
        return known

    def _files_of(self, path: str, statement: Import) -> Iterator[str]:
        """The module; the packages around it if it is reached through them (``import a.b``); those among its names."""
        if statement.whole is not None and statement.module.startswith(statement.whole + "."):
            package = statement.module.rpartition(".")[0]
            yield from self._files_of(path, Import(0, package, (), statement.whole))
        found = self.locate(path, statement.level, statement.module)
        if isinstance(found, str):
            parts = (self._submodule(found, name) for name, _ in statement.names)
            yield from (file for file in (found, *parts) if file is not None and file.endswith(".py"))

    def _attributes(self, path: str, statement: Import) -> Iterator[tuple[str, str]]:
        """The modules that are reached through a package which an import binds (``models.rnn.Net``), and that name."""
        if statement.whole is not None:
            outermost = statement.module.startswith(statement.whole + ".")
            packages = {statement.whole: self.locate(path, 0, statement.whole if outermost else statement.module)}
        else:
            found = self.locate(path, statement.level, statement.module)
            names = statement.names if isinstance(found, str) else ()
            packages = {bound: self._submodule(found, name) for name, bound in names if isinstance(found, str)}
        for bound, package in packages.items():
            if isinstance(package, str) and is_package(package):
                for match in sorted(set(re.findall(rb"\b%b((?:\.\w+)+)" % re.escape(bound.encode()), self._bytes(path)))):
                    for file in submodules(package, match.decode(errors="replace")[1:].split(".")):
                        yield file, bound

    def closure(self, path: str) -> frozenset[str]:
        """The project's files that a file's imports lead to within a few hops, itself left out."""
        known = self._closures.get(path)
        if known is None:
            known = self._closures[path] = self._reached(path)
        return known

    def _reached(self, path: str) -> frozenset[str]:
        seen = {path}
        rim = {path}
        for _ in range(HOPS):
            rim = {file for known in rim for file in self.imports(known)} - seen
            seen |= rim
        return frozenset(seen - {path})

    def leads_to(self, path: str, module: str) -> bool:
        """Whether a file's imports lead to a module, so that it is there as an attribute of its package."""
        closure = self.closure(path)
        return module in closure or any(same_file(module, file) for file in closure)

    def _bytes(self, path: str) -> bytes:
        """What can be searched for names: the text if it is known already or a notebook's, else the content as it is read."""
        source = self.source(path) if path.endswith(notebook.SUFFIX) else self._sources.get(path)
        if isinstance(source, Source):
            return source.text.encode(errors="replace")
        data = self.data(path)
        return data if isinstance(data, bytes) else b""

    def concerns_layers(self, path: str) -> bool:
        """Whether a file can build or call a recurrent layer: it names one, or its imports lead to one that does.

        True for what cannot be read: that is to be reported.
        """
        if path not in self._sources and isinstance(self.data(path), Unreadable):
            return True
        return self._mentions(path) or any(self._mentions(file) for file in self.closure(path))

    def _mentions(self, path: str) -> bool:
        known = self._mentioning.get(path)
        if known is None:
            known = self._mentioning[path] = mentions_recurrent_layer(self._bytes(path))
        return known

    def state_of_imports(self, path: str) -> str:
        """A digest of which files a file's imports lead to, and of their content."""
        return self._digest(path, FARTHEST).hex()

    def _digest(self, path: str, hops: int) -> bytes:
        known = self._digests.get((path, hops))
        if known is None:
            data = self.data(path) if path not in self._given else self._bytes(path)
            digest = sha256(data if isinstance(data, bytes) else b"")
            for file in sorted(self.imports(path)) if hops else ():
                digest.update(file.encode(errors="surrogateescape") + b"\0" + self._digest(file, hops - 1))
            known = self._digests[path, hops] = digest.digest()
        return known

    def relevant(self, source: Source) -> frozenset[str] | None:
        """`relevant_names` of a text, with what its imports bring in from the project; None, for all, if it is not Python."""
        found = self.relevant_of(source.path)
        return found if found or not self._mentions(source.path) or isinstance(parsed(source.text), ast.Module) else None

    def relevant_of(self, path: str, hops: int = HOPS) -> frozenset[str]:
        """The same for a module that is imported, by what its own imports lead to within so many hops."""
        known = self._relevant.get((path, hops))
        if known is None:
            is_concerned = self.concerns_layers(path)
            seeds = frozenset(self._seeds(path, hops)) if is_concerned else frozenset[str]()
            names_layer = is_concerned and (self._mentions(path) or names_layer_in_small_letters(self._bytes(path)))
            statements = self._statements_of(path) if seeds or names_layer else ()
            known = self._relevant[path, hops] = relevant_names(statements, seeds)
        return known

    def _statements_of(self, path: str) -> Sequence[Statement]:
        known = self._skimmed.get(path)
        if known is None:
            source = self.source(path)
            known = self._skimmed[path] = skimmed(source.text) if isinstance(source, Source) else ()
        return known

    def _seeds(self, path: str, hops: int) -> Iterator[str]:
        """The names by which a file uses what can concern a layer in others: those it imports, and attributes of modules."""
        for statement in self._import_statements(path) if hops else ():
            module = self.locate(path, statement.level, statement.module)
            if not isinstance(module, str):
                continue
            known = self.relevant_of(module, hops - 1) if module.endswith(".py") else frozenset[str]()
            if statement.whole is not None:
                yield from self._used(path, module, statement.whole, hops - 1)
            for file, bound in self._attributes(path, statement):
                yield from self._used(path, file, bound, hops - 1)
            for name, bound in statement.names:
                inner = self._submodule(module, name)
                if name == "*":
                    yield from known
                elif name in known:
                    yield bound
                elif inner is not None:
                    yield from self._used(path, inner, bound, hops - 1)

    def _used(self, path: str, module: str, bound: str, hops: int) -> Iterator[str]:
        """What a file may use of a module by its attributes; the module's name where it is looked into with ``getattr``."""
        known = self.relevant_of(module, hops) if module.endswith(".py") else frozenset[str]()
        if known and re.search(
            rb"\b(?:getattr|vars)\(\s*%b\b|\b%b\.__dict__" % ((re.escape(bound.encode()),) * 2), self._bytes(path)
        ):
            yield bound
        yield from known & self._attribute_names(path)

    def _attribute_names(self, path: str) -> frozenset[str]:
        known = self._dotted.get(path)
        if known is None:
            known = self._dotted[path] = frozenset(
                name.decode() for name in re.findall(rb"\.\s*([A-Za-z_]\w*)", self._bytes(path))
            )
        return known
