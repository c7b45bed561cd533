"""From answers to verdicts, and the answers' life on disk."""

from __future__ import annotations

import importlib.util
import json
import subprocess
import sys
from pathlib import Path

import pytest

from lstm_lint.confirm import cache, runner
from lstm_lint.confirm.cache import ask_cached
from lstm_lint.confirm.runner import Answer, Outcome, TorchPythonError, ask
from lstm_lint.confirm.verdicts import compare_shapes, confirmation, with_verdicts
from lstm_lint.findings import Confirmation, Finding, Probe, Severity, Status
from lstm_lint.source import Span

needs_torch = pytest.mark.skipif(importlib.util.find_spec("torch") is None, reason="torch is not installed")
TWO_WAY = {"num_layers": 2, "bidirectional": True}
REFUSED = "RuntimeError: Expected hidden[0] size (4, 10, 4), got"


def finding(probe: Probe | None) -> Finding:
    return Finding("LST101", "state-layers", Severity.ERROR, "a.py", Span(1, 1, 1, 2), "wrong", probe=probe)


def state(shape: tuple[int, ...], packed: bool = False) -> Probe:
    return Probe("LSTM", (28, 4), TWO_WAY, (7, 10, 28), (shape, shape), packed=packed)


def has_onednn() -> bool:
    import torch

    return bool(torch.backends.mkldnn.is_available())


@needs_torch
def test_every_verdict_of_torch() -> None:
    if not has_onednn():
        pytest.skip("this torch has no oneDNN: packed calls raise")
    probes = [
        state((2, 10, 4)),
        state((4, 5, 4), packed=True),
        state((4, 11, 4), packed=True),
        state((8, 10, 4), packed=True),
        state((4, 10, 4)),
        None,
        Probe("LSTM", (28, 4, 1, True), experiment="bool-as-bias"),
        Probe("LSTM", (28, 4)),
    ]
    confirmed = with_verdicts([finding(probe) for probe in probes], ask)
    said = [one.confirmation for one in confirmed if one.confirmation]
    statuses = " ".join(one.status.value for one in said)
    assert statuses == "raised crashed differs differs refuted skipped differs refuted"
    assert said[0].detail == f"{REFUSED} [2, 10, 4]"
    assert said[1].detail.endswith(f": the process died; in a plain batch: {REFUSED} [4, 5, 4]")
    assert f"in a plain batch: {REFUSED} [4, 11, 4]" in said[2].detail
    assert "it returned h_n (4, 11, 4) instead of (4, 10, 4)" in said[2].detail
    assert "ignored the rest (largest difference 0)" in said[3].detail
    assert said[4].detail == "torch ran it: output (7, 10, 8), h_n (4, 10, 4), c_n (4, 10, 4)"
    assert said[5] == Confirmation(Status.SKIPPED, None, "there is nothing to ask torch")
    assert said[7].detail == "torch built it"


def test_no_probe_asks_nothing() -> None:
    def never(probes: list[Probe]) -> list[Answer]:
        raise AssertionError

    [one] = with_verdicts([finding(None)], never)
    assert one.confirmation is not None and one.confirmation.status is Status.SKIPPED


@pytest.mark.parametrize("outcome", [Outcome.TIMEOUT, Outcome.UNUSABLE, Outcome.FAILED, Outcome.NO_TORCH])
def test_what_was_not_answered_is_skipped(outcome: Outcome) -> None:
    answer = Answer(outcome, None, "why")
    assert confirmation(answer).status is Status.SKIPPED and confirmation(answer).detail
    assert compare_shapes(Probe("LSTM", expect={"output": (1,)}), answer) is None


def test_compare_shapes() -> None:
    probe = Probe("LSTM", expect={"output": (10, 3, 4), "h_n": (1, 3, 4), "c_n": (1, 3, 4)})
    same = Answer(Outcome.RAN, "2", shapes={"output": (10, 3, 4), "h_n": (1, 3, 4), "c_n": (1, 3, 4)})
    other = Answer(Outcome.RAN, "2", shapes={"output": (10, 3, 8), "h_n": (2, 3, 4), "c_n": (1, 3, 4)})
    assert compare_shapes(probe, same) is None
    assert compare_shapes(probe, other) == (
        "output: inferred (10, 3, 4), torch returned (10, 3, 8); h_n: inferred (1, 3, 4), torch returned (2, 3, 4)"
    )
    refused = compare_shapes(probe, Answer(Outcome.RAISED, "2", "ValueError: no"))
    assert refused == "judged right, but torch says: ValueError: no"
    assert compare_shapes(probe, Answer(Outcome.SILENT, "2", "ValueError: no")) is not None
    assert "SIGSEGV" in str(compare_shapes(probe, Answer(Outcome.CRASHED, "2", signal="SIGSEGV")))


# -- the cache ----------------------------------------------------------------------------------------------------------
QUESTIONS = [state((2, 10, 4)), state((4, 11, 4), packed=True), state((4, 10, 4)), Probe("LSTM", (28, object())), Probe("Nope")]


def no_subprocess(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(*arguments: object, **keywords: object) -> None:
        raise OSError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", never)
    monkeypatch.setattr(subprocess, "run", never)


@needs_torch
def test_a_second_run_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    first = ask_cached(QUESTIONS, directory=tmp_path)
    assert first == ask(QUESTIONS)
    assert [path.suffix for path in tmp_path.iterdir()] == [".json"]
    no_subprocess(monkeypatch)
    assert ask_cached(QUESTIONS, directory=tmp_path) == first
    assert ask_cached(QUESTIONS[::-1], sys.executable, directory=tmp_path) == first[::-1]
    with pytest.raises(TorchPythonError, match="a process was started"):
        ask_cached([state((3, 10, 4))], directory=tmp_path)


@needs_torch
def test_another_python_is_asked_where_its_torch_is_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nexec "{sys.executable}" "$@"\n')
    other.chmod(0o755)
    first = ask_cached(QUESTIONS[:1], str(other), directory=tmp_path / "cache")
    assert first[0].outcome is Outcome.RAISED
    no_subprocess(monkeypatch)
    assert ask_cached(QUESTIONS[:1], str(other), directory=tmp_path / "cache") == first


def test_another_python_without_torch(tmp_path: Path) -> None:
    other = tmp_path / "python"
    other.write_text(f'#!/bin/sh\nexec "{sys.executable}" -S -I "$@"\n')
    other.chmod(0o755)
    for directory in (tmp_path / "cache", None):
        [answer] = ask_cached(QUESTIONS[:1], str(other), directory=directory)
        assert answer == Answer(Outcome.NO_TORCH, text=f"torch is not installed in {other}")


def test_this_python_without_torch_starts_no_process(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    no_subprocess(monkeypatch)
    monkeypatch.setattr(cache.worker, "where", lambda: None)
    [answer] = ask_cached(QUESTIONS[:1], directory=tmp_path)
    assert answer.outcome is Outcome.NO_TORCH


@needs_torch
@pytest.mark.parametrize("damage", ["", "[]", "{\x00\xff", None])
def test_a_damaged_cache_costs_time_only(tmp_path: Path, damage: str | None) -> None:
    first = ask_cached(QUESTIONS[:1], directory=tmp_path)
    [file] = tmp_path.iterdir()
    entries = {key: {"outcome": "raised", "shapes": [7]} for key in json.loads(file.read_text())}
    file.write_bytes(json.dumps(entries).encode() if damage is None else damage.encode("latin-1"))
    assert ask_cached(QUESTIONS[:1], directory=tmp_path) == first
    assert ask_cached(QUESTIONS[:1], directory=tmp_path) == first


@needs_torch
def test_a_change_of_the_worker_or_of_torch_asks_again(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    ask_cached(QUESTIONS[:1], directory=tmp_path)
    monkeypatch.setattr(cache, "_worker_source", lambda: "changed")
    ask_cached(QUESTIONS[:1], directory=tmp_path)
    described = cache._describe
    monkeypatch.setattr(cache, "_describe", lambda origin: described(origin) | {"time": 1})
    ask_cached(QUESTIONS[:1], directory=tmp_path)
    assert len(list(tmp_path.iterdir())) == 3


@needs_torch
def test_a_folder_that_cannot_be_made(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    [answer] = ask_cached(QUESTIONS[:1], directory=tmp_path / "file" / "cache")
    assert answer.outcome is Outcome.RAISED


def test_what_depends_on_the_day_is_not_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cache, "_torch_identity", lambda python, directory: {"version": "2"})
    transient = (Outcome.TIMEOUT, Outcome.FAILED, Outcome.NO_TORCH)
    for outcome in transient:
        monkeypatch.setattr(runner, "ask", lambda probes, python, limit, o=outcome: [Answer(o, None, "why")] * len(probes))
        assert ask_cached(QUESTIONS[:1], directory=tmp_path)[0].outcome is outcome
    assert all(json.loads(path.read_text()) == {} for path in tmp_path.iterdir())
