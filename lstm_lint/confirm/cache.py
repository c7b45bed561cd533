"""torch's answers kept on disk, so that a second run starts no Python and imports no torch.

An answer is filed under the probe, the torch that gave it (its version file: path, size, time, content's version), the Python
and the worker's source. The files are advisory: one that is damaged, foreign or unwritable costs time and nothing else.
"""

from __future__ import annotations

import contextlib
import hashlib
import json
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from lstm_lint.confirm import runner, worker
from lstm_lint.confirm.runner import Answer, Outcome
from lstm_lint.findings import Probe

KEPT = frozenset({Outcome.RAN, Outcome.RAISED, Outcome.CRASHED, Outcome.SILENT, Outcome.DIFFERS, Outcome.UNUSABLE})
MAX_ANSWERS = 5000  # a file's; the oldest go first
WHERE_LIMIT = 30.0  # seconds, to start a Python and find torch in it


def ask_cached(
    probes: Sequence[Probe], python: str | None = None, time_limit: float = 10.0, directory: Path | None = None
) -> list[Answer]:
    """As `runner.ask`, from the files in `directory` where they know the answer. Without a directory nothing is kept.

    Raises TorchPythonError if `python` cannot be run.
    """
    if not probes:
        return []
    path = runner.find_python(python)
    identity = _torch_identity(path, directory)
    if identity is None:
        return [Answer(Outcome.NO_TORCH, text=f"torch is not installed in {path}")] * len(probes)
    if directory is None or "version" not in identity:
        return runner.ask(probes, path, time_limit)
    version = str(identity["version"])
    file = directory / f"torch-{_digest(json.dumps(identity, sort_keys=True), path, _worker_source())}.json"
    known = _load(file)
    keys = [_digest(runner.question(probe) or repr(probe)) for probe in probes]
    answers = {key: answer for key in keys if (answer := _answer(known.get(key), version)) is not None}
    missing = {key: probe for key, probe in zip(keys, probes, strict=True) if key not in answers}
    if missing:
        fresh = dict(zip(missing, runner.ask(list(missing.values()), path, time_limit), strict=True))
        answers |= fresh
        kept = _load(file) | {key: answer.to_json() for key, answer in fresh.items() if answer.torch and answer.outcome in KEPT}
        _store(file, dict(list(kept.items())[-MAX_ANSWERS:]))
    return [answers[key] for key in keys]


def _answer(stored: object, version: str) -> Answer | None:
    """A stored answer; None if it is not one."""
    if not isinstance(stored, dict):
        return None
    try:
        return Answer.from_json(stored, version)
    except (KeyError, TypeError, ValueError, AttributeError):
        return None


# -- which torch -------------------------------------------------------------------------------------------------------
def _torch_identity(python: str, directory: Path | None) -> dict[str, Any] | None:
    """What tells one installed torch from another: path, size, time and version of its version file; nothing is imported.

    None if that Python has no torch. Empty if it has one that cannot be told from others, whose answers are not kept.
    """
    if python == os.path.abspath(sys.executable or os.curdir):
        origin = worker.where()
        return _describe(origin) if origin else None
    return _elsewhere(python, directory) if directory is not None else {}


def _describe(origin: str) -> dict[str, Any]:
    """The identity of the torch whose ``__init__.py`` this is."""
    file = Path(origin).with_name("version.py")
    try:
        status = file.stat()
        version = re.search(r"""__version__ = ['"]([^'"+]+)""", file.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    if version is None:
        return {}
    return {"origin": origin, "size": status.st_size, "time": status.st_mtime_ns, "version": version[1]}


def _elsewhere(python: str, directory: Path) -> dict[str, Any] | None:
    """The same for another Python: where its torch is is asked once, and again when the Python or that torch has changed."""
    file = directory / "pythons.json"
    known = _load(file)
    try:
        key = _digest(python, os.path.realpath(python), str(os.stat(python).st_mtime_ns))
    except OSError:
        return {}
    origin = known.get(key)
    if isinstance(origin, str) and (identity := _describe(origin)):
        return identity
    command = [python, str(runner.WORKER), "--where"]
    try:
        answer = subprocess.run(command, capture_output=True, timeout=WHERE_LIMIT, check=True, stdin=subprocess.DEVNULL).stdout
        origin = json.loads(answer.splitlines()[-1])["origin"]
    except (OSError, subprocess.SubprocessError, ValueError, LookupError, TypeError):
        return {}  # whatever is wrong with it, the runner says it better
    if not isinstance(origin, str):
        return None
    _store(file, known | {key: origin})
    return _describe(origin)


# -- files -------------------------------------------------------------------------------------------------------------
def _digest(*parts: str) -> str:
    return hashlib.sha256("\0".join(parts).encode("utf-8", "surrogateescape")).hexdigest()[:32]


def _worker_source() -> str:
    experiments = sorted(runner.WORKER.parent.glob("experiments*.py"))
    files = (runner.WORKER, runner.WORKER.with_name("isolation.py"), *experiments)
    return "".join(file.read_text(encoding="utf-8") for file in files)


def _load(file: Path) -> dict[str, Any]:
    """The JSON object in the file; empty if there is no such file or it is damaged."""
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError, RecursionError):
        return {}
    return data if isinstance(data, dict) else {}


def _store(file: Path, data: dict[str, Any]) -> None:
    """Write the object so that a reader finds the old file or the new one, whole; a folder that cannot be written is let be."""
    with contextlib.suppress(OSError):
        file.parent.mkdir(parents=True, exist_ok=True)
        handle, temporary = tempfile.mkstemp(dir=file.parent, prefix=file.name, suffix=".tmp")
        try:
            with open(handle, "w", encoding="utf-8") as stream:
                json.dump(data, stream)
            os.replace(temporary, file)
        except OSError:
            os.unlink(temporary)
            raise
