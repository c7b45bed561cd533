"""Runs the worker under a chosen Python: one probe at a time, each with a time limit, on past the worker's death."""

from __future__ import annotations

import contextlib
import json
import os
import queue
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from enum import Enum
from pathlib import Path
from typing import Any

from lstm_lint.findings import Probe

WORKER = Path(__file__).with_name("worker.py")
PYTHON_LIMIT = 30.0  # seconds, to start
TORCH_LIMIT = 120.0  # seconds, to import torch, which takes two on a warm disk
GRACE = 3.0  # seconds the worker has, beyond a probe's limit, to say that it ran out of time
MAX_STARTS = 10
FATAL = frozenset({"SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP"})  # by its own doing, not killed from outside


class TorchPythonError(Exception):
    """The Python given by --torch-python cannot be run: the message says why."""


class Outcome(Enum):
    """What became of a probe; the worker's docstring says what each means."""

    RAN = "ran"
    RAISED = "raised"
    CRASHED = "crashed"
    SILENT = "silent"
    DIFFERS = "differs"
    TIMEOUT = "timeout"
    UNUSABLE = "unusable"  # cannot be asked: `text` says why
    FAILED = "failed"  # was not asked this time, for a reason that has nothing to do with torch: `text`
    NO_TORCH = "no torch"


@dataclass(frozen=True)
class Answer:
    """What torch said to one probe.

    `text`: its words (to a plain batch, if SILENT or CRASHED), or why it was not asked. `shapes`: of output, h_n and c_n, as
    far as they exist; `expected`: what they should have been (SILENT only). `varied`: what a packed call does when lengths
    differ. `number`: an experiment's, or how far a SILENT output is from that of the right rows of its state.
    """

    outcome: Outcome
    torch: str | None = None
    text: str = ""
    signal: str = ""
    shapes: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    expected: Mapping[str, tuple[int, ...]] = field(default_factory=dict)
    varied: str = ""
    number: float | None = None
    warnings: tuple[str, ...] = ()

    @staticmethod
    def from_json(data: Mapping[str, Any], torch: str | None) -> Answer:
        """The answer in a line of the worker or of the cache. Raises KeyError, TypeError or ValueError if it is not one."""
        return Answer(
            Outcome(data["outcome"]),
            torch,
            str(data.get("text") or ""),
            str(data.get("signal") or ""),
            {str(name): tuple(map(int, shape)) for name, shape in data.get("shapes", {}).items()},
            {str(name): tuple(map(int, shape)) for name, shape in data.get("expected", {}).items()},
            str(data.get("varied") or ""),
            None if data.get("number") is None else float(data["number"]),
            tuple(map(str, data.get("warnings", ()))),
        )

    def to_json(self) -> dict[str, Any]:
        """The same as a line that `from_json` reads; without torch's version."""
        return {
            "outcome": self.outcome.value,
            "text": self.text,
            "signal": self.signal,
            "shapes": dict(self.shapes),
            "expected": dict(self.expected),
            "varied": self.varied,
            "number": self.number,
            "warnings": self.warnings,
        }


NOT_PLAIN = Answer(Outcome.UNUSABLE, text="an argument of the layer is not plain data")


def question(probe: Probe) -> str | None:
    """The probe as the worker reads it: canonical JSON, so that equal questions are equal texts. `expect` is no part of it.

    None if an argument is not plain data.
    """
    asked = {one.name: getattr(probe, one.name) for one in fields(probe) if one.name != "expect"}
    try:
        plain = {name: dict(getattr(probe, name)) for name in ("arguments", "details", "dtypes")}
        return json.dumps(asked | plain, sort_keys=True)
    except (TypeError, ValueError):
        return None


def find_python(python: str | None) -> str:
    """The absolute path of the interpreter to ask; the current one if None. Raises TorchPythonError if there is none there."""
    wanted = python or sys.executable
    found = shutil.which(wanted) if wanted else None
    if found is None:
        name = f"--torch-python {python}" if python else "the current Python"
        raise TorchPythonError(f"{name}: {'it is not executable' if os.path.exists(wanted or '') else 'no such program'}")
    return os.path.abspath(found)  # not resolved: a virtual environment's python is a link, and the link is what it is


def ask(probes: Sequence[Probe], python: str | None = None, time_limit: float = 10.0) -> list[Answer]:
    """torch's answer to each probe, in order; equal ones are asked once. `time_limit` is in seconds, for one probe.

    Raises TorchPythonError if `python` cannot be run. Whatever else goes wrong is an answer.
    """
    asked = [key for key in dict.fromkeys(map(question, probes)) if key is not None]
    answers = ask_questions(asked, find_python(python), time_limit) if asked else {}
    return [answers.get(question(probe) or "", NOT_PLAIN) for probe in probes]


def ask_questions(questions: Sequence[str], python: str, time_limit: float) -> dict[str, Answer]:
    """The answer to each question. A worker that dies or hangs is replaced, its question answered with that."""
    answers: dict[str, Answer] = {}
    worker: _Worker | None = None
    starts = 0
    try:
        for number, key in enumerate(questions):
            if worker is None or not worker.alive:
                starts += 1
                if starts > MAX_STARTS:
                    gave_up = Answer(Outcome.FAILED, text="the worker died too often")
                    return answers | dict.fromkeys(questions[number:], gave_up)
                worker = _Worker(python)
                if reason := worker.start():
                    return answers | dict.fromkeys(questions[number:], Answer(Outcome.NO_TORCH, text=reason))
            answers[key] = worker.ask(number, key, time_limit)
    finally:
        if worker is not None:
            worker.close()
    return answers


class _Worker:
    """One process of the worker. `alive` turns False once it has died or hung."""

    def __init__(self, python: str) -> None:
        self.python = python
        self.torch: str | None = None
        self.alive = True
        self._last_words = ""
        self._complaints = tempfile.TemporaryFile()  # noqa: SIM115  (closed by `close`)
        command, pipe = [python, str(WORKER)], subprocess.PIPE
        try:
            self._process = subprocess.Popen(command, stdin=pipe, stdout=pipe, stderr=self._complaints, env=_environment())
        except OSError as error:
            self._complaints.close()
            raise TorchPythonError(f"{python}: {error.strerror or error}") from error
        self._lines: queue.Queue[bytes | None] = queue.Queue(maxsize=1000)
        threading.Thread(target=self._listen, daemon=True).start()

    def start(self) -> str | None:
        """Wait until torch is imported; the reason if it is not to be had. Raises TorchPythonError if this is no Python."""
        try:
            python = self._message(time.monotonic() + PYTHON_LIMIT, "python")
        except TimeoutError:
            python = None
        if python is None:
            raise TorchPythonError(f"{self.python} does not run as Python 3.8 or later: {self.close()}")
        try:
            hello = self._message(time.monotonic() + TORCH_LIMIT, "torch", "error")
        except TimeoutError:
            return f"torch was not imported in {self.python} within {TORCH_LIMIT:g} seconds"
        if hello is None:
            return f"torch cannot be imported in {self.python}: {self.close()}"
        if hello.get("missing"):
            return f"torch is not installed in {self.python}"
        if "error" in hello:
            return f"torch cannot be imported in {self.python}: {hello['error']}"
        self.torch = str(hello["torch"]).split("+")[0]  # 2.13.0+cpu: the build says nothing of shapes
        return None

    def ask(self, number: int, key: str, time_limit: float) -> Answer:
        """The answer to one question; sees to it that it comes in time."""
        request = f'{{"id": {number}, "time_limit": {json.dumps(time_limit)}, "probe": {key}}}\n'
        assert self._process.stdin is not None
        try:
            self._process.stdin.write(request.encode())
            self._process.stdin.flush()
            reply = self._message(time.monotonic() + time_limit + GRACE, "id")
            if reply is not None:
                return Answer.from_json(reply, self.torch)
        except TimeoutError:
            self.close()
            return Answer(Outcome.TIMEOUT, self.torch)
        except (KeyError, TypeError, ValueError) as error:  # nor can its next one be trusted
            self.close()
            return Answer(Outcome.FAILED, self.torch, f"the worker's answer cannot be read: {error}")
        except OSError:  # it died before it could be asked, which the next lines say
            pass
        last_words, ending = self.close(), _ending(self._process.returncode)
        if ending in FATAL or ending.startswith("exit status 0xc"):  # the latter are Windows' own
            return Answer(Outcome.CRASHED, self.torch, signal=ending)
        return Answer(Outcome.FAILED, self.torch, f"the worker ended: {last_words}")

    def close(self) -> str:
        """End the process and leave nothing behind. Its last words: the last line of standard error, or how it ended."""
        if self._complaints.closed:
            return self._last_words
        self.alive = False
        assert self._process.stdin is not None
        with contextlib.suppress(OSError):  # what was not sent to a dead worker
            self._process.stdin.close()
        with contextlib.suppress(subprocess.TimeoutExpired):  # it ends with its input, unless it is stuck
            self._process.wait(0.5)
        self._process.kill()
        self._process.wait()
        with self._complaints as complaints:
            complaints.seek(0)
            lines = complaints.read().decode(errors="replace").strip().splitlines()
        self._last_words = lines[-1] if lines else _ending(self._process.returncode)
        return self._last_words

    def _listen(self) -> None:
        assert self._process.stdout is not None
        with self._process.stdout as lines:
            for line in lines:
                self._lines.put(line)
        self._lines.put(None)

    def _message(self, deadline: float, *names: str) -> dict[str, Any] | None:
        """The next message that has one of the keys, anything else being noise; None once the worker is gone.

        Raises TimeoutError at the deadline, which is in the time of ``time.monotonic``.
        """
        while (left := deadline - time.monotonic()) > 0:
            try:
                line = self._lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                return None
            with contextlib.suppress(ValueError):
                message = json.loads(line)
                if isinstance(message, dict) and not message.keys().isdisjoint(names):
                    return message
        raise TimeoutError


def _environment() -> dict[str, str]:
    """One thread, no GPU, and no warning turned into an error."""
    kept = {name: value for name, value in os.environ.items() if name != "PYTHONWARNINGS"}
    return kept | {"OMP_NUM_THREADS": "1", "MKL_NUM_THREADS": "1", "CUDA_VISIBLE_DEVICES": ""}


def _ending(code: int) -> str:
    """``SIGSEGV``, or ``exit status 3``."""
    if code >= 0:
        return f"exit status {code:#x}" if code >= 1 << 31 else f"exit status {code}"
    try:
        return signal.Signals(-code).name
    except ValueError:  # a real-time signal has no name
        return f"signal {-code}"
