"""What torch does with a program: runs it, rejects it, or dies.

Programs run in forked children of one process that has imported torch, a batch a child; when a child dies, the
program at which it died is the one that crashed. torch does not check the state of an nn.LSTM given a
PackedSequence, and may die or be silently wrong: the child checks it first, by the documented shapes.
"""

import contextlib
import io
import json
import os
import signal
import sys
import traceback
import warnings
from collections.abc import Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import asdict, dataclass
from itertools import islice
from multiprocessing import get_context
from typing import Any

SECONDS = 30
BATCH = 60
RECURRENT_FILE = os.path.join("torch", "nn", "modules", "rnn.py")


@dataclass(frozen=True)
class OracleVerdict:
    """`runs`, or why not. `at_layer`: torch's own recurrent code was on the stack; `line` is the program's line."""

    runs: bool
    error: str = ""
    line: int | None = None
    at_layer: bool = True


class ContractError(RuntimeError):
    """A state that torch would not check, with a shape it must not have."""


def judge_all(sources: Sequence[str], workers: int = 2) -> list[OracleVerdict]:
    """torch's verdict on each source, in order."""
    chunks = [list(sources[start : start + BATCH]) for start in range(0, len(sources), BATCH)]
    if not chunks:
        return []
    with ProcessPoolExecutor(workers, mp_context=get_context("spawn"), initializer=_prepare) as pool:
        return [verdict for chunk in pool.map(_judge_chunk, chunks) for verdict in chunk]


def judge(source: str) -> OracleVerdict:
    """torch's verdict on one source."""
    return judge_all([source], workers=1)[0]


def _prepare() -> None:
    """Imports torch once in a pool process; no thread may exist when it forks."""
    import torch

    torch.set_num_threads(1)
    _check_packed_states(torch.nn.LSTM, torch.nn.utils.rnn.PackedSequence)


def _check_packed_states(lstm: Any, packed: type) -> None:
    original = lstm.forward

    def forward(self: Any, input: Any, hx: Any = None) -> Any:
        if isinstance(input, packed):
            _contract(self, input, hx)
        return original(self, input, hx)

    lstm.forward = forward


def _contract(layer: Any, packed: Any, hx: Any) -> None:
    """Raises ContractError unless the data is (_, input_size), hx[0] (D*L, N, P) and hx[1] (D*L, N, H).

    How many parts hx has is left to torch, which looks.
    """
    if packed.data.size(-1) != layer.input_size:
        raise ContractError(f"packed LSTM given {packed.data.size(-1)} features, {layer.input_size} are due")
    if hx is None or len(hx) < 2:
        return
    batch = int(packed.batch_sizes[0])
    states = layer.num_layers * (2 if layer.bidirectional else 1)
    due = (("h_0", hx[0], layer.proj_size or layer.hidden_size), ("c_0", hx[1], layer.hidden_size))
    for name, part, width in due:
        if tuple(part.shape) != (states, batch, width):
            raise ContractError(f"packed LSTM given {name} {tuple(part.shape)}, {(states, batch, width)} is due")


def _judge_chunk(sources: list[str]) -> list[OracleVerdict]:
    verdicts: list[OracleVerdict] = []
    while len(verdicts) < len(sources):
        rest = sources[len(verdicts) :]
        got, status = _in_child(rest)
        verdicts += got
        if len(got) < len(rest):
            verdicts.append(OracleVerdict(False, f"the process died: {_death(status)}"))
    return verdicts


def _death(status: int) -> str:
    if os.WIFSIGNALED(status):
        return signal.Signals(os.WTERMSIG(status)).name
    return f"exit code {os.waitstatus_to_exitcode(status)}"


def _in_child(sources: list[str]) -> tuple[list[OracleVerdict], int]:
    """Runs the sources in one forked child; fewer verdicts than sources means that it died at the next one."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        _child(sources, writer)
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader) as stream:
        lines = stream.read().splitlines()
    _, status = os.waitpid(child, 0)
    return [OracleVerdict(**json.loads(line)) for line in lines], status


def _child(sources: list[str], writer: int) -> None:
    signal.signal(signal.SIGALRM, _too_long)
    warnings.simplefilter("ignore")
    sys.argv = ["program.py"]
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, 2)
    for source in sources:
        verdict = _run(source)
        os.write(writer, (json.dumps(asdict(verdict)) + "\n").encode())


def _too_long(signum: int, frame: object) -> None:
    raise TimeoutError(f"still running after {SECONDS} s")


def _run(source: str) -> OracleVerdict:
    """Executes a source as __main__ in this process."""
    signal.alarm(SECONDS)
    try:
        with contextlib.redirect_stdout(io.StringIO()):
            exec(compile(source, "<program>", "exec"), {"__name__": "__main__"})
    except (Exception, SystemExit) as error:
        return _rejection(error)
    finally:
        signal.alarm(0)
    return OracleVerdict(True)


def _rejection(error: BaseException) -> OracleVerdict:
    frames = traceback.extract_tb(error.__traceback__)
    lines = [frame.lineno for frame in frames if frame.filename == "<program>"]
    at_layer = any(frame.filename.endswith(RECURRENT_FILE) for frame in frames) or isinstance(error, ContractError)
    return OracleVerdict(False, f"{type(error).__name__}: {error}", lines[-1] if lines else None, at_layer)


def judge_grouped(groups: Sequence[Sequence[str]], workers: int = 2) -> Iterator[list[OracleVerdict]]:
    """The verdicts of several groups of sources, group by group."""
    flat = iter(judge_all([source for group in groups for source in group], workers))
    for group in groups:
        yield list(islice(flat, len(group)))
