"""Paths to files, bytes to text: what is looked at, what is passed over, and why something cannot be read."""

from __future__ import annotations

import codecs
import os
import re
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from lstm_lint import notebook
from lstm_lint.patterns import Ignored, Patterns, ignored_above
from lstm_lint.source import Source, Span

SUFFIXES = (".py", notebook.SUFFIX)
LAYER_NAMES = (b"LSTM", b"GRU", b"RNN")
STDIN = "-"


@dataclass(frozen=True)
class Unreadable:
    """A file that holds no text Python could read: where (as far as it is known) and why. It becomes an LST900."""

    path: str
    span: Span
    message: str


@dataclass(frozen=True)
class Discovery:
    """`files`: what to look at, in a stable order and each once; `failures`: a line for each path that cannot be followed."""

    files: tuple[str, ...]
    failures: tuple[str, ...]


@dataclass(frozen=True)
class Filter:
    """What a walk leaves out. Files named on the command line are left out only with `force_exclude`."""

    exclude: Patterns
    force_exclude: bool = False
    respect_gitignore: bool = True


def discover(paths: Sequence[str], chosen: Filter) -> Discovery:
    """The files under `paths`, as the paths are given (``src`` gives ``src/model.py``).

    Folders are walked for Python files and notebooks, and links to folders not followed. A file that is named is taken
    whatever its suffix.
    """
    files: dict[str, str] = {}
    failures: list[str] = []
    for path in paths:
        try:
            is_folder = stat.S_ISDIR(os.stat(path).st_mode)
        except (OSError, ValueError) as error:
            failures.append(f"{path}: {reason(error)}")
            continue
        found = _walk_from(path, chosen, failures) if is_folder else _named(path, chosen)
        for file in found:
            files.setdefault(os.path.abspath(file), file)
    return Discovery(tuple(files.values()), tuple(failures))


def _named(path: str, chosen: Filter) -> list[str]:
    if not chosen.force_exclude:
        return [path]
    absolute = os.path.abspath(path)
    ignored = chosen.respect_gitignore and _is_ignored(absolute)
    return [] if ignored or chosen.exclude.covers(absolute) else [path]


def _is_ignored(absolute: str) -> bool:
    folder = os.path.dirname(absolute)
    return ignored_above(folder).entering(folder).covers(absolute)


def _walk_from(path: str, chosen: Filter, failures: list[str]) -> Iterator[str]:
    """The files under a folder named on the command line, which is looked into even if a pattern covers it."""
    absolute = os.path.abspath(path)
    if chosen.force_exclude and chosen.exclude.covers(absolute + os.sep):
        return
    ignored = ignored_above(absolute) if chosen.respect_gitignore else None
    if ignored is not None and ignored.covers(absolute + os.sep):
        ignored = Ignored()
    yield from _walk("" if path == os.curdir else path, absolute, chosen.exclude, ignored, failures)


def _walk(shown: str, folder: str, exclude: Patterns, ignored: Ignored | None, failures: list[str]) -> Iterator[str]:
    """Files first, then folders, each in the order of their names. Not recursive: folders may be nested without limit."""
    pending = [(shown, folder, ignored)]
    while pending:
        shown, folder, ignored = pending.pop()
        try:
            with os.scandir(folder) as entries:
                ordered = sorted(entries, key=lambda entry: entry.name)
        except OSError as error:
            failures.append(f"{shown or os.curdir}: {reason(error)}")
            continue
        ignored = ignored.entering(folder) if ignored is not None else None
        folders: list[tuple[str, str, Ignored | None]] = []
        for entry in ordered:
            is_folder = entry.is_dir(follow_symlinks=False)
            if not is_folder and not _is_wanted_file(entry):
                continue
            tested = entry.path + os.sep if is_folder else entry.path
            if exclude.match(tested) or (ignored is not None and ignored.match(tested)):
                continue
            path = os.path.join(shown, entry.name)
            if is_folder:
                folders.append((path, entry.path, ignored))
            else:
                yield path
        pending.extend(reversed(folders))


def _is_wanted_file(entry: os.DirEntry[str]) -> bool:
    """A Python file or a notebook by its name. No editor's lock (``.#model.py``, a link to nowhere), no link to a folder."""
    if not entry.name.endswith(SUFFIXES) or entry.name.startswith(".#"):
        return False
    try:
        return not entry.is_dir()
    except OSError:  # a link that runs in a circle: reading it will say so
        return True


def mentions_recurrent_layer(data: bytes) -> bool:
    """Whether a file can build or call a recurrent layer: whoever does has to name it, if only in a string."""
    return any(name in data for name in LAYER_NAMES)


def read_bytes(path: str) -> bytes | Unreadable:
    """The content of a regular file. A pipe or a device is not opened: reading it could block, or never end."""
    try:
        if not stat.S_ISREG(os.stat(path).st_mode):
            return _unreadable(path, "it is not a regular file")
        with open(path, "rb") as file:
            return file.read()
    except (OSError, ValueError) as error:
        return _unreadable(path, f"it cannot be read: {reason(error)}")


def read_source(path: str) -> Source | Unreadable:
    """The text of a file in its declared encoding."""
    data = read_bytes(path)
    return data if isinstance(data, Unreadable) else decode(path, data)


def decode(path: str, data: bytes) -> Source | Unreadable:
    """The Python in a file's content: all of it, or the cells of a notebook."""
    text = _text(path, data)
    if isinstance(text, Unreadable):
        return text
    if not path.endswith(notebook.SUFFIX):
        return Source(path, text)
    try:
        return notebook.notebook(path, text)
    except notebook.NotANotebook as error:
        return Unreadable(path, error.span, error.message)


def _text(path: str, data: bytes) -> str | Unreadable:
    """The text of a file's content as Python reads it: by its byte order mark or declared encoding (PEP 263), else as UTF-8.

    Lines end with ``\\n`` in the result, whatever they end with in the file.
    """
    if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
        return _unreadable(path, "it is UTF-16, which Python does not read: save it as UTF-8")
    if (position := data.find(b"\0")) >= 0:
        return _unreadable(path, "it is binary: it holds a null byte", data, position)
    declared = _declared_encoding(data)
    try:
        encoding = codecs.lookup(declared or "utf-8").name
    except LookupError:
        return _unreadable(path, f"its declared encoding {declared!r} does not exist")
    if data.startswith(codecs.BOM_UTF8):
        if encoding != "utf-8":
            return _unreadable(path, f"it declares {declared}, but begins with the byte order mark of UTF-8")
        encoding = "utf-8-sig"
    try:
        text = data.decode(encoding)
    except UnicodeDecodeError as error:
        start = error.start + (len(codecs.BOM_UTF8) if encoding == "utf-8-sig" else 0)
        return _unreadable(path, f"it is not {_spelled(encoding)}: {_byte(data, start)}", data, start)
    except (LookupError, UnicodeError) as error:
        return _unreadable(path, f"its declared encoding cannot be used: {error}")
    return text.replace("\r\n", "\n").replace("\r", "\n")


def encoding_of(data: bytes) -> str:
    """The encoding of a file that was decoded: with it, the same text gives the same bytes again."""
    return "utf-8-sig" if data.startswith(codecs.BOM_UTF8) else _declared_encoding(data) or "utf-8"


_COOKIE = re.compile(rb"^[ \t\f]*#.*?coding[:=][ \t]*([-\w.]+)")
_BLANK = re.compile(rb"^[ \t\f]*(?:#|$)")


def _declared_encoding(data: bytes) -> str | None:
    """The encoding that one of the first two lines declares (PEP 263).

    Not `tokenize.detect_encoding`, which takes the line to be UTF-8 already: Python itself does not.
    """
    for line in data.removeprefix(codecs.BOM_UTF8)[:4096].splitlines()[:2]:
        if match := _COOKIE.match(line):
            return match[1].decode()
        if not _BLANK.match(line):
            return None
    return None


def _spelled(encoding: str) -> str:
    return "UTF-8" if encoding.startswith("utf-8") else encoding


def _byte(data: bytes, position: int) -> str:
    if position >= len(data):
        return "it ends in the middle of a character"
    return f"byte 0x{data[position]:02x} at offset {position}"


def _unreadable(path: str, message: str, data: bytes = b"", position: int = 0) -> Unreadable:
    """An Unreadable at an offset of the data (columns count bytes there: what is not text has no characters)."""
    before = data[:position].replace(b"\r\n", b"\n").replace(b"\r", b"\n")
    line, column = before.count(b"\n") + 1, len(before) - (before.rfind(b"\n") + 1) + 1
    return Unreadable(path, Span(line, column, line, column + 1), message)


def reason(error: Exception) -> str:
    """Why a path cannot be followed, in lower case and without the path."""
    text = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
    return text[:1].lower() + text[1:]


def missing(paths: Sequence[str]) -> list[str]:
    """A line for each path that cannot be followed."""
    failures: list[str] = []
    for path in paths:
        try:
            os.stat(path)
        except (OSError, ValueError) as error:
            failures.append(f"{path}: {reason(error)}")
    return failures
