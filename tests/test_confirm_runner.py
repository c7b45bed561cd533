"""The runner and the worker, really running torch; and what they do where there is none, or where things die."""

from __future__ import annotations

import importlib.util
import stat
import subprocess
import sys
import time
from pathlib import Path

import pytest

from lstm_lint.confirm import runner
from lstm_lint.confirm.runner import Answer, Outcome, TorchPythonError, ask
from lstm_lint.findings import Probe

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
TWO_WAY = {"num_layers": 2, "bidirectional": True}
RIGHT = (4, 10, 4)


def state(shape: tuple[int, ...], packed: bool = False, **rest: object) -> Probe:
    """The design's example: LSTM(28, 4, num_layers=2, bidirectional=True), 7 steps, batch 10; h_0 and c_0 of one shape."""
    return Probe("LSTM", (28, 4), TWO_WAY, (7, 10, 28), (shape, shape), packed=packed, **rest)  # type: ignore[arg-type]


def outcomes(answers: list[Answer]) -> str:
    return " ".join(answer.outcome.value for answer in answers)


def script(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(path.stat().st_mode | stat.S_IXUSR)
    return path


@needs_torch
def test_plain_calls() -> None:
    probes = [
        state(RIGHT),
        state((2, 10, 4)),
        state((10, 4, 4)),
        Probe("LSTM", (28, 4), {}, (10, 28), ((1, 10, 4), (1, 10, 4))),
        Probe("LSTM", (28, 4), {"batch_first": True}, (10, 3, 27)),
        Probe("GRU", (28, 4), {}, (7, 10, 28), ((1, 10, 4),), structure="tensor"),
        Probe("GRU", (28, 4), {}, (7, 10, 28), ((1, 10, 4), (1, 10, 4))),
        Probe("LSTMCell", (28, 4), {}, (10, 28), ((10, 4), (10, 4)), structure="list"),
        Probe("RNNCell", (28, 4), {}, (10, 28)),
    ]
    answers = ask(probes)
    assert outcomes(answers) == "ran raised raised raised raised ran raised ran ran"
    assert answers[0].shapes == {"output": (7, 10, 8), "h_n": (4, 10, 4), "c_n": (4, 10, 4)}
    assert answers[1].text == "RuntimeError: Expected hidden[0] size (4, 10, 4), got [2, 10, 4]"
    assert answers[3].text.startswith("RuntimeError: For unbatched 2-D input, hx and cx should also be 2-D")
    assert answers[4].text == "RuntimeError: input.size(-1) must be equal to input_size. Expected 28, got 27"
    assert answers[5].shapes == {"output": (7, 10, 4), "h_n": (1, 10, 4)}
    assert answers[7].shapes == {"h_n": (10, 4), "c_n": (10, 4)}
    assert answers[8].shapes == {"h_n": (10, 4)}
    assert {answer.torch for answer in answers} == {answers[0].torch} != {None}


@needs_torch
def test_constructors() -> None:
    answers = ask(
        [
            Probe("LSTM", (28, 0)),
            Probe("LSTM", (28, 4), {"nope": 1}),
            Probe("LSTM", (28, 4, 1, True, False, 0.0, False, 0, None, None, 3)),
            Probe("LSTM", (28, 4), {"dropout": float("nan")}),
            Probe("LSTM", (28, 4), {"dropout": 0.5}),
            Probe("LSTM", (28, 4), {"device": "cuda:1", "dtype": "torch.float64"}, (7, 10, 28)),
        ]
    )
    assert outcomes(answers) == "raised raised raised raised ran ran"
    assert answers[0].text == "ValueError: hidden_size must be greater than zero"
    assert answers[1].text.startswith("TypeError: ") and "unexpected keyword argument 'nope'" in answers[1].text
    assert "positional arguments" in answers[2].text
    assert len(answers[4].warnings) == 1 and "non-zero dropout expects num_layers greater than 1" in answers[4].warnings[0]


def has_onednn() -> bool:
    """The crash and the silence come from oneDNN's kernel; without it the packed calls raise, whatever their lengths."""
    import torch

    return bool(torch.backends.mkldnn.is_available())


@needs_torch
def test_packed_calls() -> None:
    if not has_onednn():
        pytest.skip("this torch has no oneDNN")
    shapes = [RIGHT, (4, 5, 4), (4, 11, 4), (8, 10, 4), (4, 10, 8), (2, 10, 4)]
    right, short, long, layers, wide, few = ask([state(shape, packed=True) for shape in shapes])
    assert right.outcome is Outcome.RAN and right.shapes["output"] == (7, 10, 8)
    assert short.outcome is Outcome.CRASHED and short.signal in runner.FATAL
    assert short.text == "RuntimeError: Expected hidden[0] size (4, 10, 4), got [4, 5, 4]"
    assert [one.outcome for one in (long, layers, wide)] == [Outcome.SILENT] * 3
    assert long.text == "RuntimeError: Expected hidden[0] size (4, 10, 4), got [4, 11, 4]"
    assert long.shapes["h_n"] == (4, 11, 4) and long.expected["h_n"] == RIGHT
    assert layers.number == 0 and layers.varied == "RuntimeError: Expected more hidden states in stacked_rnn"
    assert wide.shapes["output"] == (7, 10, 16) and wide.expected["output"] == (7, 10, 8) and wide.number is None
    assert few.outcome is Outcome.RAISED and few.text.startswith("IndexError: select(): index 2 out of range")


@needs_torch
def test_packed_input_of_wrong_width_and_given_lengths() -> None:
    width, unsorted, gru, flat = ask(
        [
            Probe("LSTM", (28, 4), {"batch_first": True}, (10, 7, 27), packed=True),
            Probe("LSTM", (28, 4), {}, (7, 3, 28), ((1, 5, 4),) * 2, packed=True, lengths=(2, 7, 5)),
            Probe("GRU", (28, 4), {}, (7, 3, 28), ((1, 5, 4),), structure="tensor", packed=True),
            Probe("LSTM", (28, 4), {}, (7,), packed=True),
        ]
    )
    assert width.outcome is Outcome.SILENT and "Expected 28, got 27" in width.text
    assert unsorted.outcome is Outcome.SILENT and unsorted.number == 0 and not unsorted.varied
    assert gru.outcome is Outcome.RAISED and gru.text == "RuntimeError: Expected hidden size (1, 3, 4), got [1, 5, 4]"
    assert flat.outcome is Outcome.UNUSABLE


@needs_torch
def test_experiments() -> None:
    single, double, meant, without, other, unknown = ask(
        [
            Probe("LSTM", (28, 4), {"dropout": 0.5}, experiment="dropout-single-layer"),
            Probe("GRU", (28, 4, 2), {"dropout": 0.5}, experiment="dropout-single-layer"),
            Probe("LSTM", (28, 4, 1, True), experiment="bool-as-bias"),
            Probe("LSTM", (28, 4, 1, False), experiment="bool-as-bias"),
            Probe("RNN", (28, 4, 1, True), experiment="bool-as-bias"),
            Probe("LSTM", (28, 4), experiment="no-such"),
        ]
    )
    assert single.outcome is Outcome.DIFFERS and single.number == 0 and single.warnings
    assert double.outcome is Outcome.RAN and double.number is not None and double.number > 0
    assert meant.outcome is Outcome.DIFFERS and meant.number is not None and meant.number > 0
    assert meant.text.startswith("torch built it with bias=True and batch_first=False")
    assert without.outcome is Outcome.DIFFERS and without.text.endswith("it has no bias vectors")
    assert other.outcome is Outcome.RAISED and "nonlinearity" in other.text
    assert unknown.outcome is Outcome.UNUSABLE


@needs_torch
def test_what_cannot_be_asked_is_no_word_of_torch() -> None:
    huge, layer, negative, objects = ask(
        [
            Probe("LSTM", (28, 100_000), {"num_layers": 9}, (7, 10, 28), packed=True),
            Probe("functional", (1,)),
            Probe("LSTM", (28, 4), {}, (7, -1, 28)),
            Probe("LSTM", (28, object())),
        ]
    )
    assert {one.outcome for one in (huge, layer, negative, objects)} == {Outcome.UNUSABLE}
    assert "numbers in memory" in huge.text and objects is runner.NOT_PLAIN


@needs_torch
def test_a_probe_that_takes_too_long() -> None:
    began = time.monotonic()
    slow, packed, fine = ask(
        [
            Probe("LSTM", (28, 4), {"num_layers": 10**7}),
            Probe("LSTM", (28, 4), {}, (600_000, 1, 28), packed=True),
            Probe("LSTM", (28, 4)),
        ],
        time_limit=0.5,
    )
    assert (slow.outcome, packed.outcome, fine.outcome) == (Outcome.TIMEOUT, Outcome.TIMEOUT, Outcome.RAN)
    assert time.monotonic() - began < 60


# -- no torch, no Python ------------------------------------------------------------------------------------------------
def test_no_torch(tmp_path: Path) -> None:
    bare = script(tmp_path / "python", f'#!/bin/sh\nexec "{sys.executable}" -S -I "$@"\n')
    [answer] = ask([Probe("LSTM", (28, 4))], str(bare))
    assert answer == Answer(Outcome.NO_TORCH, text=f"torch is not installed in {bare}")


@pytest.mark.parametrize(
    ("torch", "reason"),
    [
        ("raise ImportError('libcudart.so.12: no such file')", "ImportError: libcudart.so.12: no such file"),
        ("import os, signal; os.kill(os.getpid(), signal.SIGSEGV)", "SIGSEGV"),
        ("x = 1", "AttributeError: module 'torch' has no attribute 'set_num_threads'"),
        ("import no_such_module", "ModuleNotFoundError: No module named 'no_such_module'"),
    ],
)
def test_broken_torch(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, torch: str, reason: str) -> None:
    (tmp_path / "torch.py").write_text(torch)
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    [answer] = ask([Probe("LSTM", (28, 4))])
    assert answer.outcome is Outcome.NO_TORCH
    assert answer.text == f"torch cannot be imported in {sys.executable}: {reason}"


@pytest.mark.parametrize(("name", "text"), [("absent", None), ("folder", ""), ("data", "x"), ("shell", "#!/bin/sh\nexit 3\n")])
def test_bad_torch_python(tmp_path: Path, name: str, text: str | None) -> None:
    path = tmp_path / name
    if name == "folder":
        path.mkdir()
    elif name == "shell":
        script(path, str(text))
    elif text is not None:
        path.write_text(text)
    with pytest.raises(TorchPythonError, match=name):
        ask([Probe("LSTM", (28, 4))], str(path))


def test_a_python_that_says_what_is_wrong(tmp_path: Path) -> None:
    old = script(tmp_path / "python", "#!/bin/sh\necho 'SyntaxError: future feature annotations is not defined' >&2\nexit 1\n")
    with pytest.raises(TorchPythonError, match=r"does not run as Python 3\.8 or later: SyntaxError: future feature"):
        ask([Probe("LSTM", (28, 4))], str(old))


def test_nothing_to_ask_starts_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(subprocess, "Popen", None)
    assert ask([]) == []


def test_importing_the_runner_is_cheap() -> None:
    code = "import sys, lstm_lint.confirm.cache, lstm_lint.confirm.verdicts; print(sorted({'torch', 'numpy'} & {*sys.modules}))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


# -- a worker that dies -------------------------------------------------------------------------------------------------
FAKE = """
import json, os, signal, sys, time
print("noise before"); print(json.dumps({"python": "3"}))
print('["noise"]'); print(json.dumps({"torch": "9.9+cpu"}), flush=True)
open(os.environ["STARTS"], "a").write("x")
for line in sys.stdin:
    request = json.loads(line)
    size = request["probe"]["positional"][0]
    if size == 11: os.kill(os.getpid(), signal.SIGSEGV)
    if size == 9: os.kill(os.getpid(), signal.SIGKILL)
    if size == 3: print("last line on stderr", file=sys.stderr); sys.exit(3)
    if size == 99: time.sleep(60)
    print("some noise \\x00 {", flush=True)
    print(json.dumps({"id": request["id"], "outcome": "nonsense" if size == 13 else "ran"}), flush=True)
"""


@pytest.fixture
def starts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A fake worker in the place of the real one; the file has a letter for each time it was started."""
    monkeypatch.setattr(runner, "WORKER", script(tmp_path / "fake.py", FAKE))
    monkeypatch.setattr(runner, "GRACE", 0.1)
    monkeypatch.setenv("STARTS", str(tmp_path / "starts"))
    return tmp_path / "starts"


def test_the_worker_dies_mid_stream(starts: Path) -> None:
    sizes = [1, 11, 2, 9, 3, 13, 99, 4]
    answers = ask([Probe("LSTM", (size,)) for size in sizes], time_limit=0.5)
    assert outcomes(answers) == "ran crashed ran failed failed failed timeout ran"
    assert answers[1].signal == "SIGSEGV" and answers[3].text == "the worker ended: SIGKILL"
    assert answers[4].text == "the worker ended: last line on stderr"
    assert {answer.torch for answer in answers} == {"9.9"}
    assert len(starts.read_text()) == 1 + 5


def test_equal_probes_are_asked_once(starts: Path) -> None:
    crash, fine = Probe("LSTM", (11,)), Probe("LSTM", (1,))
    answers = ask([crash, fine, crash, Probe("LSTM", (11,), expect={"output": (1,)}), fine])
    assert outcomes(answers) == "crashed ran crashed crashed ran"
    assert len(starts.read_text()) <= 2


def test_a_worker_that_keeps_dying_is_given_up(starts: Path) -> None:
    answers = ask([Probe("LSTM", (11,), {"n": n}) for n in range(runner.MAX_STARTS + 5)])
    assert [answer.outcome for answer in answers].count(Outcome.CRASHED) == runner.MAX_STARTS
    assert {answer.text for answer in answers if answer.outcome is Outcome.FAILED} == {"the worker died too often"}
