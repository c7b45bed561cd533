"""The flake8 plugin, by really running flake8. The project has to be installed, as `make test` does."""

from __future__ import annotations

import importlib.metadata
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import RIGHT, WRONG

CODE_AND_MESSAGE = "LST101 h_0 is (2, 10, 4) but this LSTM needs (4, 10, 4)"
WARNS = "from torch import nn\nlstm = nn.LSTM(3, 4, 2, True)\n"
INSTALLED = any(point.name == "LST" for point in importlib.metadata.entry_points(group="flake8.extension"))

pytestmark = pytest.mark.skipif(not INSTALLED, reason="lstm-lint is not installed as a flake8 plugin: pip install -e .")


def flake8(folder: Path, *arguments: str, stdin: str | None = None) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "flake8", "--max-line-length", "200", *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        input=stdin,
        timeout=180,
    )


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    (tmp_path / "right.py").write_text(RIGHT, encoding="utf-8")
    (tmp_path / "linear.py").write_text("from torch import nn\n\nlayer = nn.Linear(3, 4)\n", encoding="utf-8")
    return tmp_path


def test_a_bug_is_found(folder: Path) -> None:
    done = flake8(folder, ".")
    assert done.returncode == 1, done.stderr
    [line] = done.stdout.splitlines()
    assert line.startswith(f"./wrong.py:5:7: {CODE_AND_MESSAGE}")
    assert "torch 2" not in line


def test_flake8_selects_and_ignores(folder: Path) -> None:
    assert flake8(folder, "--ignore", "LST1", "wrong.py").stdout == ""
    assert flake8(folder, "--select", "LST2", "wrong.py").stdout == ""
    assert CODE_AND_MESSAGE in flake8(folder, "--select", "LST", "wrong.py").stdout


def test_noqa_is_flake8s(folder: Path) -> None:
    text = WRONG.replace("h_0 = torch.zeros(2, 10, 4)", "h_0 = torch.zeros(2, 10, 4)  # noqa: LST101")
    (folder / "wrong.py").write_text(text, encoding="utf-8")
    assert flake8(folder, ".").stdout == ""


def test_warnings_are_shown_and_notes_are_not(folder: Path) -> None:
    assert ": LST203 " in flake8(folder, "-", stdin=WARNS).stdout


def test_settings_of_the_same_table(folder: Path) -> None:
    (folder / "pyproject.toml").write_text('[tool.lstm-lint]\nignore = ["LST101"]\n', encoding="utf-8")
    assert flake8(folder, ".").stdout == ""
    (folder / "pyproject.toml").write_text("[tool.lstm-lint]\nignroe = []\n", encoding="utf-8")
    done = flake8(folder, ".")
    assert done.returncode not in (0, 1) or "did you mean 'ignore'?" in done.stderr
    assert "has no key 'ignroe'; did you mean 'ignore'?" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.torch
def test_torch_is_asked_where_it_is_wanted(folder: Path) -> None:
    [line] = flake8(folder, "--lstm-confirm", "wrong.py").stdout.splitlines()
    assert line.endswith("RuntimeError: Expected hidden[0] size (4, 10, 4), got [2, 10, 4]")


def test_a_file_that_does_not_parse_is_flake8s_affair(folder: Path) -> None:
    (folder / "wrong.py").write_text(WRONG + "def (:\n", encoding="utf-8")
    done = flake8(folder, "wrong.py")
    assert "E999" in done.stdout
    assert "Traceback" not in done.stderr
