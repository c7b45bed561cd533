"""Results by content: what was worked out for a text is not worked out again. One small JSON file a result, never code."""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import tempfile
import time
import types
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields, is_dataclass
from enum import Enum
from functools import lru_cache
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

from lstm_lint import __version__

T = TypeVar("T")
KEEP_SECONDS = 30 * 24 * 3600
PRUNE_SECONDS = 24 * 3600
SIGNATURE = "Signature: 8a477f597d28d172789f06886806bc55\n# Results of lstm-lint, safe to remove.\n"


@dataclass(frozen=True)
class Cache:
    """A folder of results. It may be shared by processes, removed at any time, or not be writable: then nothing is kept."""

    folder: str

    def get(self, key: str, kind: type[T]) -> T | None:
        """The result kept under the key; None if there is none, or a file it was worked out from has changed since."""
        try:
            with open(self._file(key), encoding="utf-8") as stream:
                entry = json.load(stream)
            if any(content_hash(read_or_nothing(path)) != known for path, known in entry["through"].items()):
                return None
            value: T = from_plain(kind, entry["result"])
        except (OSError, ValueError, KeyError, TypeError, AttributeError):  # missing, cut short, or of another shape
            return None
        return value

    def put(self, key: str, value: object, through: Mapping[str, bytes] = types.MappingProxyType({})) -> None:
        """Keeps a result. `through`: the other files that it was worked out from, with their content."""
        entry = {"through": {path: content_hash(data) for path, data in through.items()}, "result": to_plain(value)}
        file = self._file(key)
        with contextlib.suppress(OSError):
            self._prepare()
            os.makedirs(os.path.dirname(file), exist_ok=True)
            handle, temporary = tempfile.mkstemp(dir=os.path.dirname(file))
            with os.fdopen(handle, "w", encoding="utf-8") as stream:
                json.dump(entry, stream, separators=(",", ":"))
            os.replace(temporary, file)

    def _file(self, key: str) -> str:
        return os.path.join(self.folder, key[:2], f"{key[2:]}.json")

    def _prepare(self) -> None:
        """Marks the folder as a cache, for git and for backups, and once a day drops what was kept long ago."""
        tag = os.path.join(self.folder, "CACHEDIR.TAG")
        if os.path.exists(tag) and time.time() - os.path.getmtime(tag) < PRUNE_SECONDS:
            return
        os.makedirs(self.folder, exist_ok=True)
        for name, text in (("CACHEDIR.TAG", SIGNATURE), (".gitignore", "*\n")):
            with open(os.path.join(self.folder, name), "w", encoding="utf-8") as stream:
                stream.write(text)
        self._prune(time.time() - KEEP_SECONDS)

    def _prune(self, oldest: float) -> None:
        for folder, _, names in os.walk(self.folder):
            for name in names:
                file = os.path.join(folder, name)
                with contextlib.suppress(OSError):
                    if name.endswith(".json") and os.path.getmtime(file) < oldest:
                        os.unlink(file)


def key_of(*parts: str | bytes) -> str:
    """A key for a question: everything that its answer depends on, and the version of the tool that answered."""
    digest = hashlib.sha256(installation().encode())
    for part in parts:
        data = part.encode(errors="surrogateescape") if isinstance(part, str) else part
        digest.update(len(data).to_bytes(8, "big"))
        digest.update(data)
    return digest.hexdigest()


@lru_cache(maxsize=1)
def installation() -> str:
    """The version of the tool and the state of its files, so that a changed checkout does not answer for the one before."""
    package = os.path.dirname(os.path.abspath(__file__))
    stamps = [__version__]
    for folder, folders, names in sorted(os.walk(package)):
        folders.sort()
        for name in sorted(names):
            if name.endswith(".py"):
                status = os.stat(os.path.join(folder, name))
                stamps.append(f"{name}:{status.st_size}:{status.st_mtime_ns}")
    return "\n".join(stamps)


def content_hash(data: bytes | None) -> str:
    return "" if data is None else hashlib.sha256(data).hexdigest()


def read_or_nothing(path: str) -> bytes | None:
    try:
        with open(path, "rb") as stream:
            return stream.read()
    except OSError:
        return None


# -- dataclasses as plain JSON data ------------------------------------------------------------------------------------
def to_plain(value: object) -> Any:
    """Dataclasses as objects by field, enums by value, tuples as lists.

    Raises:
        TypeError: something else, which would not come back as it was.
    """
    match value:
        case None | bool() | int() | float() | str():
            return value
        case Enum():
            return value.value
        case tuple() | list():
            return [to_plain(item) for item in value]
        case Mapping():
            return {key: to_plain(item) for key, item in value.items()}
        case _ if is_dataclass(value):
            return {field.name: to_plain(getattr(value, field.name)) for field in fields(value)}
        case _:
            raise TypeError(f"{type(value).__name__} cannot be kept")


def from_plain(kind: Any, data: Any) -> Any:
    """The value of type `kind` that `to_plain` made `data` of. Raises TypeError or ValueError if it was another."""
    return _reader(kind)(data)


@lru_cache(maxsize=256)
def _reader(kind: Any) -> Callable[[Any], Any]:
    """How a type is read back."""
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return lambda data: kind(**{name: from_plain(hints[name], item) for name, item in data.items()})
    if isinstance(kind, type) and issubclass(kind, Enum):
        return kind
    origin, arguments = get_origin(kind), get_args(kind)
    if origin in (Union, types.UnionType):
        [inner] = [argument for argument in arguments if argument is not type(None)]
        return lambda data: None if data is None else from_plain(inner, data)
    if origin is tuple:
        return _tuple_reader(arguments)
    if isinstance(origin, type) and issubclass(origin, Mapping):
        return lambda data: {key: from_plain(arguments[1], item) for key, item in data.items()}
    return _tuples


def _tuple_reader(arguments: tuple[Any, ...]) -> Callable[[Any], Any]:
    if arguments[-1] is Ellipsis:
        return lambda data: tuple(from_plain(arguments[0], item) for item in data)
    return lambda data: tuple(from_plain(kind, item) for kind, item in zip(arguments, data, strict=True))


def _tuples(data: Any) -> Any:
    """A value of no particular type: lists in it were tuples."""
    return tuple(_tuples(item) for item in data) if isinstance(data, list) else data
