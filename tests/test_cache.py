"""Results that are kept."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT

from lstm_lint import cache
from lstm_lint.cache import Cache, from_plain, key_of, to_plain
from lstm_lint.findings import Confirmation, Edit, Finding, Fix, Probe, Related, Severity, Status
from lstm_lint.outline import CallReport, SiteReport, StateReport, StateStatus, Why
from lstm_lint.source import Span

FINDING = Finding(
    "LST101",
    "state-layers",
    Severity.ERROR,
    "a.py",
    Span(1, 2, 3, 4, cell=5),
    "message é",
    expected=("4", "N"),
    when="b",
    witness={"L": 2},
    related=(Related("b.py", Span(1, 1, 1, 2), "here"),),
    fix=Fix(False, (Edit(Span(1, 1, 1, 1), "x"),)),
    probe=Probe("LSTM", (28, 4), {"bidirectional": True, "dropout": 0.5, "dtype": None}, (3, 10, 28), ((2, 10, 4), (4, 10, 4))),
    confirmation=Confirmation(Status.CRASHED, "2.13.0", "SIGSEGV"),
)
SITE = SiteReport("a.py", 1, 1, None, "LSTM", "self.lstm", {"num_layers": "L"}, {"weight_ih_l0": ("H*4", "I")})
STATE = StateReport(True, ("2", "N", "H"), None, StateStatus.UNKNOWN, Why(3, 4, "lost"))
CALL = CallReport("a.py", 2, 1, None, 0, False, None, STATE, None, ("T", "N", "H"), None, None)


@pytest.mark.parametrize("value", [FINDING, SITE, CALL])
def test_what_is_kept_comes_back_as_it_was(tmp_path: Path, value: Any) -> None:
    kept = Cache(str(tmp_path / "kept"))
    key = key_of("a.py", b"content")
    assert kept.get(key, type(value)) is None
    kept.put(key, value)
    assert kept.get(key, type(value)) == value


def test_plain_values() -> None:
    assert from_plain(tuple[Finding, ...], json.loads(json.dumps(to_plain((FINDING,))))) == (FINDING,)
    assert from_plain(tuple[int, str], [1, "a"]) == (1, "a")
    with pytest.raises(TypeError):
        to_plain({1, 2})


def test_the_key_is_everything_the_answer_depends_on(monkeypatch: pytest.MonkeyPatch) -> None:
    keys = {key_of("ab", "c"), key_of("a", "bc"), key_of("abc"), key_of("ab", "c", "")}
    monkeypatch.setattr(cache, "installation", lambda: "another version")
    keys.add(key_of("ab", "c"))
    assert len(keys) == 5


def test_a_result_goes_with_the_files_it_was_worked_out_through(tmp_path: Path) -> None:
    base = tmp_path / "base.py"
    base.write_bytes(b"layers = 2")
    kept, key = Cache(str(tmp_path / "kept")), key_of("a.py")
    kept.put(key, FINDING, {str(base): b"layers = 2", str(tmp_path / "absent.py"): b""})
    assert kept.get(key, Finding) is None
    kept.put(key, FINDING, {str(base): b"layers = 2"})
    assert kept.get(key, Finding) == FINDING
    base.write_bytes(b"layers = 3")
    assert kept.get(key, Finding) is None
    base.unlink()
    assert kept.get(key, Finding) is None


@pytest.mark.parametrize(
    "content", [b"", b"{", b"[]", b"null", b'{"through": {}}', b'{"through": {}, "result": {"x": 1}}', b"\xff"]
)
def test_a_damaged_entry_is_no_entry(tmp_path: Path, content: bytes) -> None:
    kept, key = Cache(str(tmp_path)), key_of("a")
    kept.put(key, FINDING)
    [file] = tmp_path.glob("*/*.json")
    file.write_bytes(content)
    assert kept.get(key, Finding) is None


def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    kept = Cache(str(tmp_path / "file" / "inside"))
    kept.put(key_of("a"), FINDING)
    assert kept.get(key_of("a"), Finding) is None


def test_the_folder_is_marked_and_pruned(tmp_path: Path) -> None:
    kept = Cache(str(tmp_path / "kept"))
    kept.put(key_of("old"), FINDING)
    assert (tmp_path / "kept" / ".gitignore").read_text() == "*\n"
    for file in tmp_path.rglob("*"):
        os.utime(file, (0, 0))
    kept.put(key_of("new"), FINDING)
    assert kept.get(key_of("old"), Finding) is None
    assert kept.get(key_of("new"), Finding) == FINDING


def test_the_key_is_the_same_for_every_hash_seed(tmp_path: Path) -> None:
    (tmp_path / "pkg").mkdir()
    (tmp_path / "pkg" / "__init__.py").write_text("", encoding="utf-8")
    names = [f"part{number}" for number in range(8)]
    for name in names:
        (tmp_path / "pkg" / f"{name}.py").write_text(f"{name} = 1\n", encoding="utf-8")
    uses = "\n".join(f"print(pkg.{name}.{name})" for name in names)
    (tmp_path / "main.py").write_text(f"import pkg\n{uses}\n", encoding="utf-8")
    program = "from lstm_lint.project import Project; print(Project().state_of_imports('main.py'))"
    states = {
        subprocess.run(
            [sys.executable, "-c", program],
            cwd=tmp_path,
            env={**os.environ, "PYTHONPATH": str(ROOT), "PYTHONHASHSEED": seed},
            capture_output=True,
            text=True,
            check=True,
        ).stdout
        for seed in ("0", "1", "2", "3")
    }
    assert len(states) == 1
