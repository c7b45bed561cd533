"""Run one command as a whole subprocess and time it; small arithmetic on the times."""

import datetime
import os
import platform
import signal
import statistics
import subprocess
import tempfile
import time
from dataclasses import dataclass
from typing import IO


@dataclass(frozen=True)
class Run:
    """One finished subprocess. `problem` says why it has no exit code, if it has none."""

    seconds: float
    exit_code: int
    stdout: str
    stderr: str
    problem: str = ""


def run(command: list[str], timeout: float) -> Run:
    """Run the command with its output sent to files, so that no reader slows it down."""
    with tempfile.TemporaryFile() as stdout, tempfile.TemporaryFile() as stderr:
        start = time.perf_counter()
        try:
            # A session of its own, so that a time-out ends the tool's worker processes too.
            process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=stdout, stderr=stderr, start_new_session=True)
        except OSError as error:
            return Run(0.0, 0, "", "", problem=f"cannot be started: {error.strerror}")
        try:
            exit_code = process.wait(timeout)
        except subprocess.TimeoutExpired:
            return Run(timeout, 0, "", "", problem=f"timed out after {timeout:.0f} s")
        finally:
            seconds = time.perf_counter() - start
            if process.poll() is None:
                os.killpg(process.pid, signal.SIGKILL)
                process.wait()
        return Run(seconds, exit_code, _text(stdout), _text(stderr))


def _text(stream: IO[bytes]) -> str:
    stream.seek(0)
    return stream.read().decode("utf-8", errors="replace")


def median(seconds: list[float]) -> float:
    """The median, in seconds."""
    return statistics.median(seconds)


def ratio(numerator: float | None, denominator: float | None) -> str:
    """The quotient as a table cell: to two digits below ten, whole above, `-` if one is not known."""
    if not numerator or not denominator:
        return "-"
    quotient = numerator / denominator
    return f"{quotient:.2f}" if quotient < 10 else f"{quotient:,.0f}"


def machine_line() -> str:
    """The day, the machine and the Python of a run, in one line."""
    today = datetime.datetime.now(tz=datetime.UTC).date().isoformat()
    system = f"{platform.system()} {platform.machine()}"
    return f"Measured {today} on {os.cpu_count()} cores, {system}, Python {platform.python_version()}."
