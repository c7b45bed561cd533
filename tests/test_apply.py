"""Fixes applied by the command: what is written, shown and left alone."""

from __future__ import annotations

import codecs
import json
import os
import stat
from pathlib import Path
from typing import Any

import pytest
from conftest import RIGHT, WRONG, Run

from lstm_lint import apply
from lstm_lint.apply import Changed, fix_paths, is_better, overlap
from lstm_lint.config import Settings
from lstm_lint.findings import Edit, Finding, Severity
from lstm_lint.rewriting import CannotRewrite, rewritten
from lstm_lint.source import Span

DROPOUT = """\
import torch
from torch import nn

lstm = nn.LSTM(28, 4, dropout=0.5)  # a comment
"""
NO_DROPOUT = DROPOUT.replace(", dropout=0.5", "")
NEVER = ("--confirm", "never")


def settings(folder: Path, *select: str, confirm: str = "never") -> Settings:
    return Settings(str(folder), select=select or None, cache=False, confirm=confirm)


# -- the command -------------------------------------------------------------------------------------------------------
def test_fix_writes_what_is_safe(lint: Run, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(DROPOUT + WRONG.split("nn\n", 1)[1], encoding="utf-8")
    done = lint("check", "--fix", *NEVER, "model.py")
    assert done.returncode == 1
    assert file.read_text(encoding="utf-8") == NO_DROPOUT + WRONG.split("nn\n", 1)[1]
    assert "Found 1 error in 1 file (1 with recurrent layers). Fixed 1." in done.stdout
    assert done.stdout.endswith(" 1 unsafe fix available with --fix --unsafe-fixes.\n")


def test_unsafe_fixes_too(lint: Run, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(WRONG, encoding="utf-8")
    done = lint("check", "--fix", "--unsafe-fixes", *NEVER, "model.py")
    assert (done.returncode, done.stdout) == (0, "All checks passed: 1 file (1 with recurrent layers). Fixed 1.\n")
    assert file.read_text(encoding="utf-8") == RIGHT.replace("zeros(4, 10, 4)\nc_0", "zeros(4, 10, 4)\nc_0")
    assert lint("check", "--fix", "--unsafe-fixes", *NEVER, "model.py").returncode == 0


def test_what_is_fixable_is_said(lint: Run, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(DROPOUT + WRONG.split("nn\n", 1)[1], encoding="utf-8")
    last = lint("check", *NEVER, "model.py").stdout.splitlines()
    assert last[-1].split(". ")[-1] == "1 fixable with --fix (1 unsafe fix available with --fix --unsafe-fixes)."
    assert "  unsafe fix: 7:19: write `4` for `2`" in last
    assert "  fix: 4:21: remove `, dropout=0.5`" in last
    last = lint("check", *NEVER, "--unsafe-fixes", "model.py").stdout.splitlines()
    assert last[-1].split(". ")[-1] == "2 fixable with --fix --unsafe-fixes."
    assert lint("check", *NEVER, "--quiet", "model.py").stdout.splitlines()[-1] == ""


def test_diff_writes_nothing(lint: Run, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(DROPOUT, encoding="utf-8")
    done = lint("check", "--diff", *NEVER, "model.py")
    assert (done.returncode, done.stderr) == (1, "Would fix 1 of 1 findings.\n")
    assert done.stdout == (
        "--- model.py\n+++ model.py\n@@ -1,4 +1,4 @@\n import torch\n from torch import nn\n \n"
        "-lstm = nn.LSTM(28, 4, dropout=0.5)  # a comment\n+lstm = nn.LSTM(28, 4)  # a comment\n"
    )
    assert file.read_text(encoding="utf-8") == DROPOUT
    assert lint("check", "--diff", "--exit-zero", *NEVER, "model.py").returncode == 0


def test_diff_without_a_difference(lint: Run, tmp_path: Path) -> None:
    """Findings that are left count nothing: ruff ends with 0 too."""
    (tmp_path / "model.py").write_text(WRONG, encoding="utf-8")
    done = lint("check", "--diff", *NEVER, "model.py")
    assert (done.returncode, done.stdout) == (0, "")
    assert done.stderr == "Would fix 0 of 1 findings (1 more with --unsafe-fixes).\n"


def test_standard_input_is_fixed_to_standard_output(lint: Run) -> None:
    done = lint("check", "--fix", *NEVER, "-", stdin=DROPOUT)
    assert (done.returncode, done.stdout) == (0, NO_DROPOUT)
    done = lint("check", "--fix", *NEVER, "-", stdin=WRONG)
    assert (done.returncode, done.stdout) == (1, WRONG)
    assert "LST101" in done.stderr


def test_json_has_the_edits(lint: Run, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(DROPOUT, encoding="utf-8")
    document = json.loads(lint("check", "--output-format", "json", *NEVER, "model.py").stdout)
    edits = [{"line": 4, "column": 21, "end_line": 4, "end_column": 34, "text": ""}]
    assert document["findings"][0]["fix"] == {"safe": True, "edits": edits}


def test_a_cached_finding_has_its_fix(lint: Run, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(DROPOUT, encoding="utf-8")
    assert lint("check", *NEVER, "model.py").stdout == lint("check", *NEVER, "model.py").stdout
    assert lint("check", "--fix", *NEVER, "model.py").returncode == 0
    assert file.read_text(encoding="utf-8") == NO_DROPOUT


def test_what_is_ignored_is_not_fixed(lint: Run, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(DROPOUT.replace("a comment", "noqa: LST204"), encoding="utf-8")
    assert lint("check", "--diff", *NEVER, "model.py").stdout == ""
    file.write_text(DROPOUT, encoding="utf-8")
    assert lint("check", "--diff", "--ignore", "LST2", *NEVER, "model.py").stdout == ""


# -- what is kept of a file --------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    "data",
    [
        DROPOUT.encode(),
        codecs.BOM_UTF8 + DROPOUT.encode(),
        DROPOUT.replace("\n", "\r\n").encode(),
        DROPOUT.replace("\n", "\r").encode(),
        DROPOUT.replace("torch\n", "torch\r\n", 1).encode(),
        DROPOUT.rstrip("\n").encode(),
        ("# -*- coding: latin-1 -*-\n" + DROPOUT.replace("a comment", "für die Läufe")).encode("latin-1"),
        ("# coding: cp1252\n" + DROPOUT.replace("a comment", "“quoted”")).encode("cp1252"),
        DROPOUT.replace("lstm =", "größe = 'ü' * 2; lstm =").encode(),
        DROPOUT.replace("lstm =", "\f\nif True:\n\tlstm =").encode(),
    ],
    ids=["plain", "bom", "crlf", "cr", "mixed", "no-end", "latin-1", "cp1252", "wide", "tabs"],
)
def test_encoding_and_line_ends_stay(tmp_path: Path, data: bytes) -> None:
    file = tmp_path / "model.py"
    file.write_bytes(data)
    [changed] = fix_paths([str(file)], settings(tmp_path, "LST204"), False).changed
    assert apply.written(changed) is None
    assert file.read_bytes() == data.replace(b", dropout=0.5", b"")


def test_an_encoding_that_does_not_come_back_is_left_alone(tmp_path: Path) -> None:
    """UTF-7 can spell one text in several ways."""
    data = b"# coding: utf-7\n" + DROPOUT.replace("a comment", "+AGE-").encode()
    with pytest.raises(CannotRewrite, match="byte for byte"):
        rewritten("model.py", data, [Edit(Span(5, 21, 5, 34), "")])


def test_a_file_that_changed_meanwhile_is_not_lost(tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    file.write_text(DROPOUT, encoding="utf-8")
    [changed] = fix_paths([str(file)], settings(tmp_path), False).changed
    file.write_text(DROPOUT + "# typed meanwhile\n", encoding="utf-8")
    trouble = apply.written(changed)
    assert trouble is not None
    assert "changed meanwhile" in trouble
    assert file.read_text(encoding="utf-8").endswith("# typed meanwhile\n")
    assert os.listdir(tmp_path) == ["model.py"]


def test_mode_and_links_stay(tmp_path: Path) -> None:
    file, link = tmp_path / "model.py", tmp_path / "link.py"
    file.write_text(DROPOUT, encoding="utf-8")
    file.chmod(0o755)
    link.symlink_to(file)
    [changed] = fix_paths([str(link)], settings(tmp_path), False).changed
    assert apply.written(changed) is None
    assert link.is_symlink()
    assert file.read_text(encoding="utf-8") == NO_DROPOUT
    assert stat.S_IMODE(file.stat().st_mode) == 0o755


def test_a_folder_that_is_gone(tmp_path: Path) -> None:
    trouble = apply.written(Changed(str(tmp_path / "gone" / "model.py"), b"", b""))
    assert trouble is not None
    assert "cannot be written" in trouble


# -- notebooks ---------------------------------------------------------------------------------------------------------
def notebook(source: object, **dump: Any) -> bytes:
    cell = {"cell_type": "code", "execution_count": 7, "metadata": {"tags": ["ä"]}, "outputs": [{"text": [DROPOUT]}]}
    cells = [{"cell_type": "markdown", "metadata": {}, "source": ["# LSTM\n"]}, {**cell, "source": source}]
    document = {"cells": cells, "metadata": {"source": 1.50}, "nbformat": 4, "nbformat_minor": 5}
    return (json.dumps(document, **dump) + "\n").encode()


LINES = DROPOUT.splitlines(True)
WITHOUT = NO_DROPOUT.splitlines(True)


@pytest.mark.parametrize(
    "dump",
    [{"indent": 1}, {"indent": 1, "ensure_ascii": False}, {}, {"indent": 4, "sort_keys": True}, {"separators": (",", ":")}],
)
@pytest.mark.parametrize(("source", "fixed"), [(LINES, WITHOUT), (DROPOUT, NO_DROPOUT)], ids=["lines", "one text"])
def test_notebooks_byte_for_byte(tmp_path: Path, source: object, fixed: object, dump: dict[str, Any]) -> None:
    file = tmp_path / "train.ipynb"
    file.write_bytes(notebook(source, **dump))
    [changed] = fix_paths([str(file)], settings(tmp_path), False).changed
    assert changed.after == notebook(fixed, **dump)


def test_a_cell_with_magics_and_escapes(tmp_path: Path) -> None:
    """What is spelt with escapes stays so; an edit over several lines takes the strings between away."""
    lines = ["%matplotlib inline\n", "name = 'Gr\u00f6\u00dfe \U0001f600'; import torch\n", "lstm = torch.nn.LSTM(28, 4,\n"]
    lines += ["    dropout=0.5,\n", "    batch_first=True)"]
    file = tmp_path / "train.ipynb"
    file.write_bytes(notebook(lines, indent=1).replace(b"torch.nn.LSTM", b"torch.\\u006en.LSTM"))
    [changed] = fix_paths([str(file)], settings(tmp_path), False).changed
    kept = notebook([*lines[:3], "    batch_first=True)"], indent=1).replace(b"torch.nn.LSTM", b"torch.\\u006en.LSTM")
    assert json.loads(changed.after)["cells"][1]["source"] == [*lines[:3], "    batch_first=True)"]
    assert changed.after == kept


def test_a_fix_in_a_notebook_is_written(lint: Run, tmp_path: Path) -> None:
    (tmp_path / "train.ipynb").write_bytes(notebook(LINES, indent=1))
    assert lint("check", "--fix", *NEVER, "train.ipynb").returncode == 0
    assert (tmp_path / "train.ipynb").read_bytes() == notebook(WITHOUT, indent=1)


# -- what is kept of the fixes -----------------------------------------------------------------------------------------
MEANT = """\
import torch
from torch import nn

lstm = nn.LSTM(28, 4, 2, True)
h = torch.zeros(2, 5, 4)
out, _ = lstm(torch.randn(3, 5, 28), (h, h))
"""


def test_a_fix_that_brings_an_error_is_not_kept(tmp_path: Path) -> None:
    """The data is time-first: with batch_first=True the state would not fit any more."""
    file = tmp_path / "model.py"
    file.write_text(MEANT, encoding="utf-8")
    run = fix_paths([str(file)], settings(tmp_path), True)
    assert (run.changed, run.not_kept) == ((), 1)
    assert [finding.code for finding in run.outcome.findings] == ["LST203"]


def test_the_others_are_kept(lint: Run, tmp_path: Path) -> None:
    file = tmp_path / "model.py"
    others = "\n".join(f"other_{i} = nn.GRU(28, 4, dropout=0.{i + 1})" for i in range(5))
    file.write_text(f"{MEANT}{others}\n", encoding="utf-8")
    done = lint("check", "--fix", "--unsafe-fixes", *NEVER, "model.py")
    assert done.returncode == 1
    assert "Fixed 5." in done.stdout
    assert done.stdout.endswith(" 1 fix not applied: something would be wrong afterwards, or its file was not named.\n")
    assert "dropout" not in file.read_text(encoding="utf-8")
    assert "2, True)" in file.read_text(encoding="utf-8")


def test_the_difference_says_which_are_not(lint: Run, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(MEANT, encoding="utf-8")
    done = lint("check", "--diff", "--unsafe-fixes", *NEVER, "model.py")
    assert done.stderr == "Would fix 0 of 1 findings; 1 not applied, since something would be wrong afterwards.\n"
    done = lint("check", "--diff", *NEVER, "model.py")
    assert done.stderr == "Would fix 0 of 1 findings (1 more with --unsafe-fixes).\n"


def test_a_size_that_is_not_the_layers_afterwards_is_not_kept(tmp_path: Path) -> None:
    """`self.lstm` is another thing by then, so that nothing is known of its num_layers."""
    code = (
        "import torch\nfrom torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self, hidden):\n"
        "        super().__init__()\n        self.hidden = hidden\n        self.lstm = nn.LSTM(3, hidden, self.layers())\n"
        "        self.net = self.lstm\n        self.lstm = None\n\n    def layers(self):\n        return 2\n\n"
        "    def forward(self, x):\n        h = torch.zeros(1, x.size(1), self.hidden)\n        return self.net(x, (h, h))\n"
    )
    file = tmp_path / "model.py"
    file.write_text(code, encoding="utf-8")
    run = fix_paths([str(file)], settings(tmp_path), True)
    assert (run.changed, run.not_kept) == ((), 1)


def test_a_state_made_in_another_file(tmp_path: Path) -> None:
    (tmp_path / "made.py").write_text(
        "import torch\n\n\ndef state(n):\n    return torch.zeros(n, 2, 4)  # h\n", encoding="utf-8"
    )
    (tmp_path / "model.py").write_text(
        "import torch\nfrom made import state\n\nx = torch.randn(6, 5, 3)\n"
        "gru = torch.nn.GRU(3, 4, 2, batch_first=True)\nout, _ = gru(x, state(6))\n",
        encoding="utf-8",
    )
    run = fix_paths([str(tmp_path)], settings(tmp_path), True)
    assert [os.path.basename(changed.path) for changed in run.changed] == ["made.py"]
    assert b"torch.zeros(2, n, 4)  # h" in run.changed[0].after


def test_only_files_that_are_named_are_changed(lint: Run, tmp_path: Path) -> None:
    (tmp_path / "model.py").write_text(DROPOUT, encoding="utf-8")
    (tmp_path / "use.py").write_text("import torch\nfrom model import lstm\n\nlstm(torch.ones(3, 5, 28))\n", encoding="utf-8")
    lint("check", "--fix", *NEVER, "use.py")
    assert (tmp_path / "model.py").read_text(encoding="utf-8") == DROPOUT


def test_overlapping_edits_come_one_after_the_other(tmp_path: Path) -> None:
    code = "import torch\n\nx = torch.randn(5, 3, 28)\nout, _ = torch.nn.GRU(28, 4, bidirectional=True)(x)\n"
    file = tmp_path / "model.py"
    file.write_text(code + "a = out[-1]\nb = out[-1]\n", encoding="utf-8")
    [changed] = fix_paths([str(file)], settings(tmp_path), True).changed
    joined = "torch.cat([h_n[-2], h_n[-1]], dim=-1)"
    assert changed.after.decode() == code.replace("out, _", "out, h_n") + f"a = {joined}\nb = {joined}\n"


@pytest.mark.parametrize(
    ("one", "other", "expected"),
    [
        ((1, 1, 1, 5), (1, 5, 1, 9), False),
        ((1, 1, 1, 5), (1, 4, 1, 9), True),
        ((1, 3, 1, 3), (1, 3, 1, 3), True),
        ((1, 1, 3, 1), (2, 1, 2, 1), True),
        ((1, 1, 1, 5), (2, 1, 2, 5), False),
    ],
)
def test_what_overlaps(one: tuple[int, int, int, int], other: tuple[int, int, int, int], expected: bool) -> None:
    a, b = Edit(Span(*one), ""), Edit(Span(*other), "")
    assert overlap(a, b) == overlap(b, a) == expected
    assert not overlap(a, Edit(Span(*other, cell=3), ""))


def test_what_is_better() -> None:
    span = Span(1, 1, 1, 2)
    error = Finding("LST101", "state-layers", Severity.ERROR, "a.py", span, "wrong")
    warning = Finding("LST203", "bool-as-bias", Severity.WARNING, "a.py", span, "wrong")
    other = Finding("LST102", "state-batch", Severity.ERROR, "b.py", span, "wrong")
    assert is_better([error, warning], [error], [warning])
    assert not is_better([error, warning], [error, warning], [warning])
    assert not is_better([error, warning], [error, other], [warning])
    assert not is_better([error, error], [error], [error, error])


@pytest.mark.torch
def test_a_fixed_shape_is_asked_of_torch(lint: Run, tmp_path: Path) -> None:
    pytest.importorskip("torch")
    file = tmp_path / "wrong.py"
    file.write_text(WRONG, encoding="utf-8")
    done = lint("check", "--fix", "--unsafe-fixes", "wrong.py")
    assert (done.returncode, done.stderr) == (0, "")
    exec(compile(file.read_text(encoding="utf-8"), "wrong.py", "exec"), {})
