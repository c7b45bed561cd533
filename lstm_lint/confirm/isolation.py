"""Work done in a forked child, which torch may kill. Part of the worker: standard library only, any Python from 3.8 on."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import select
import signal
import time
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    Reply = dict[str, Any]


FATAL = ("SIGSEGV", "SIGABRT", "SIGBUS", "SIGFPE", "SIGILL", "SIGTRAP")


class Unusable(Exception):
    """The probe cannot be asked; says nothing about torch."""


def text_of(error: object) -> str:
    """``RuntimeError: Expected hidden[0] size (4, 10, 4), got [2, 10, 4]``: the type's name and the message's first line."""
    lines = str(error).strip().splitlines()
    return type(error).__name__ + (": " + lines[0] if lines else "")


def unusable(error: Exception) -> Reply:
    """The reply for what the worker itself raised, which must not pass for torch's words."""
    if isinstance(error, Unusable):
        return {"outcome": "unusable", "text": str(error)}
    return {"outcome": "failed", "text": f"the worker failed: {text_of(error)}"}


def in_child(work: Callable[[], Reply], deadline: float, otherwise: Reply | None = None) -> Reply:
    """`work()` done in a forked child, which may die or hang: then ``crashed`` or ``timeout``, or `otherwise` if that is given.

    Where there is no fork (Windows) the work is done here; if the worker dies of it, the runner sees that.
    """
    if not hasattr(os, "fork"):
        return work()
    source, sink = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(source)
        be_child(work, sink, deadline)
    os.close(sink)
    text, in_time = read_until(source, deadline)
    os.close(source)
    if not in_time:
        os.kill(child, signal.SIGKILL)
    status = os.waitpid(child, 0)[1]
    if text.endswith(b"\n"):
        reply: Reply = json.loads(text)
    elif not in_time:
        reply = {"outcome": "timeout"}
    elif how_it_ended(status) in FATAL:
        reply = {"outcome": "crashed", "signal": how_it_ended(status)}
    else:  # killed from outside, for instance for want of memory
        reply = {"outcome": "failed", "text": f"the child ended: {how_it_ended(status)}"}
    return otherwise if otherwise is not None and "outcome" in reply else reply


def be_child(work: Callable[[], Reply], sink: int, deadline: float) -> None:
    """Do the work, write its reply and leave without cleaning up. Does not return."""
    try:
        os.dup2(os.open(os.devnull, os.O_WRONLY), 2)  # glibc writes its last words there
        signal.alarm(int(max(deadline - time.monotonic(), 0)) + 2)  # in case the worker is killed before it
        with contextlib.suppress(ImportError, OSError, ValueError):
            resource: Any = importlib.import_module("resource")
            resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
        try:
            reply = work()
        except Exception as error:  # the worker's own failure, see `answer`
            reply = unusable(error)
        os.write(sink, json.dumps(reply).encode() + b"\n")
    finally:
        os._exit(0)


def read_until(source: int, deadline: float) -> tuple[bytes, bool]:
    """Everything written to the pipe until it is closed, and whether that happened before the deadline."""
    text = b""
    while True:
        left = deadline - time.monotonic()
        if left <= 0 or not select.select([source], [], [], left)[0]:
            return text, False
        part = os.read(source, 65536)
        if not part:
            return text, True
        text += part


def how_it_ended(status: int) -> str:
    """``SIGSEGV``, or ``exit status 3``, from what `os.waitpid` returns."""
    if not os.WIFSIGNALED(status):
        return f"exit status {os.WEXITSTATUS(status)}"
    try:
        return signal.Signals(os.WTERMSIG(status)).name
    except ValueError:  # a real-time signal has no name
        return f"signal {os.WTERMSIG(status)}"
