"""The pre-commit hook, by really running pre-commit on a repository that has a bug."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import RIGHT, ROOT, WRONG

NEEDED = ("pyproject.toml", "README.md", "LICENSE", ".pre-commit-hooks.yaml")


def run(folder: Path, *arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    kept = {key: value for key, value in os.environ.items() if not key.startswith("GIT_")}
    identity = {f"GIT_{who}_{what}": "test@example.org" for who in ("AUTHOR", "COMMITTER") for what in ("NAME", "EMAIL")}
    env = {**kept, **identity, **environment}
    return subprocess.run(arguments, cwd=folder, capture_output=True, text=True, timeout=600, env=env)


def repository(folder: Path) -> Path:
    """A new repository of what is in the folder."""
    for command in (["init", "-q"], ["add", "-A"], ["commit", "-q", "--no-verify", "-m", "all"]):
        done = run(folder, "git", *command)
        assert done.returncode == 0, done.stderr
    return folder


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A repository with a right program and a wrong one."""
    folder = tmp_path / "project"
    folder.mkdir()
    (folder / "right.py").write_text(RIGHT, encoding="utf-8")
    (folder / "wrong.py").write_text(WRONG, encoding="utf-8")
    return folder


def check_the_hook(folder: Path, cache: Path) -> None:
    """The bug is found, with and without the wrong file among the files that are committed."""
    environment = {"PRE_COMMIT_HOME": str(cache), "PATH": os.path.dirname(sys.executable) + os.pathsep + os.environ["PATH"]}
    pre_commit = (sys.executable, "-m", "pre_commit", "run")
    done = run(folder, *pre_commit, "--all-files", **environment)
    assert done.returncode == 1, done.stdout + done.stderr
    assert "wrong.py:5:7: LST101 [error]" in done.stdout
    assert "right.py" not in done.stdout
    assert run(folder, *pre_commit, "--files", "right.py", **environment).returncode == 0


def test_the_hook_installed_from_a_repository(project: Path, tmp_path: Path) -> None:
    """As users have it: pre-commit clones lstm-lint and installs it, without torch, in an environment of its own."""
    try:
        index = run(tmp_path, sys.executable, "-m", "pip", "download", "--no-deps", "--quiet", "--dest", "index", "hatchling")
    except subprocess.TimeoutExpired:
        pytest.skip("the package index does not answer")
    if index.returncode != 0:
        pytest.skip("the package index cannot be reached")
    origin = tmp_path / "lstm-lint"
    shutil.copytree(ROOT / "lstm_lint", origin / "lstm_lint", ignore=shutil.ignore_patterns("__pycache__"))
    for name in NEEDED:
        shutil.copy(ROOT / name, origin / name)
    revision = run(repository(origin), "git", "rev-parse", "HEAD").stdout.strip()
    (project / ".pre-commit-config.yaml").write_text(
        f"repos:\n- repo: {origin}\n  rev: {revision}\n  hooks:\n  - id: lstm-lint\n", encoding="utf-8"
    )
    check_the_hook(repository(project), tmp_path / "cache")
    assert not list((tmp_path / "cache").rglob("site-packages/torch")), "the hook installs without torch"


def test_the_hook_of_the_installed_command(project: Path, tmp_path: Path) -> None:
    (project / ".pre-commit-config.yaml").write_text(
        "repos:\n- repo: local\n  hooks:\n  - id: lstm-lint\n    name: lstm-lint\n    language: system\n"
        f"    entry: env PYTHONPATH={ROOT} {sys.executable} -m lstm_lint check --force-exclude --confirm never\n"
        "    types: [python]\n    require_serial: true\n",
        encoding="utf-8",
    )
    check_the_hook(repository(project), tmp_path / "cache")
