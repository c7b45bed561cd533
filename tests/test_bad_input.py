"""What must not hurt: a clear line each, the other files still checked, no traceback, bounded time, and nothing is run."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import pytest
from conftest import ROOT, WRONG, Run


def findings(lint: Run, *paths: str, code: int = 1, timeout: float = 120) -> list[Mapping[str, Any]]:
    done = lint("check", "--no-cache", "--confirm", "never", "--output-format", "json", *paths, timeout=timeout)
    assert done.returncode == code, done.stderr
    found: list[Mapping[str, Any]] = json.loads(done.stdout)["findings"]
    return found


@pytest.fixture
def wrong(tmp_path: Path) -> None:
    """A file with a bug beside the bad one: it has to be reported too."""
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")


UNREADABLE = {
    "syntax": (b"from torch.nn import LSTM\n\ndef f(:\n    pass\n", 3),
    "indentation": (b"from torch.nn import LSTM\nif x:\npass\n", None),
    "unclosed": (b"from torch.nn import LSTM\nx = (1,\n", None),
    "python 2": (b"from torch.nn import LSTM\nprint 'x'\n", 2),
    "null byte": (b"from torch.nn import LSTM\nx = '\0'\n", 2),
    "binary": (b"\x7fELF\x02\x01\x01\0\0\0LSTM\xff\xfe", 1),
    "not UTF-8": (b"from torch.nn import LSTM\n# caf\xe9\n", 2),
    "late byte": (b"from torch.nn import LSTM\n\n\n\n'\xe9'\n", 5),
    "unknown encoding": (b"# coding: martian\nfrom torch.nn import LSTM\n", 1),
    "no text encoding": (b"# coding: zlib\nfrom torch.nn import LSTM\n", 1),
    "wrong encoding": (b"# coding: ascii\nfrom torch.nn import LSTM\n'\xe9'\n", 3),
    "UTF-16": ("from torch.nn import LSTM\n".encode("utf-16") + b"LSTM", 1),
    "cut character": ("from torch.nn import LSTM\n'é".encode()[:-1], 2),
}


@pytest.mark.parametrize("name", UNREADABLE)
@pytest.mark.usefixtures("wrong")
def test_unreadable_files(lint: Run, tmp_path: Path, name: str) -> None:
    data, line = UNREADABLE[name]
    (tmp_path / "bad.py").write_bytes(data)
    bad, other = findings(lint, ".")
    assert (bad["code"], bad["path"], bad["severity"]) == ("LST900", "bad.py", "error")
    assert bad["message"]
    assert line is None or bad["line"] == line
    assert (other["code"], other["path"]) == ("LST101", "wrong.py")


READABLE = {
    "BOM": b"\xef\xbb\xbf" + WRONG.encode(),
    "CRLF": WRONG.replace("\n", "\r\n").encode(),
    "CR": WRONG.replace("\n", "\r").encode(),
    "no last newline": WRONG.rstrip("\n").encode(),
    "latin-1": b"# coding: latin-1; caf\xe9\n" + WRONG.split("\n", 1)[1].encode(),
    "cp1252": b"# vim: set fileencoding=cp1252 : \x80\n" + WRONG.split("\n", 1)[1].encode(),
    "form feed": WRONG.replace("\nlstm", "\n\x0clstm").encode(),
    "tabs": WRONG.replace(" = ", "\t=\t").encode(),
}


@pytest.mark.parametrize("name", READABLE)
def test_readable_files(lint: Run, tmp_path: Path, name: str) -> None:
    data = READABLE[name]
    if name in ("latin-1", "cp1252"):  # the comment took the first line's place
        data = data.replace(b"from torch import nn", b"import torch; from torch import nn")
    (tmp_path / "a.py").write_bytes(data)
    [found] = findings(lint, "a.py")
    assert (found["code"], found["line"]) == ("LST101", 5)


def test_tabs_and_spaces_as_python_takes_them(lint: Run, tmp_path: Path) -> None:
    """libcst refuses this mixture of tabs and spaces, which Python reads: the places are those of the file as it is."""
    text = (
        "from torch import nn\n\ndef f(flag, xs):\n    if flag:\n\t    lstm = nn.LSTM(2, 3, 1, True)\n"
        "    for x in xs:\n            pass\n"
    )
    compile(text, "a.py", "exec")
    (tmp_path / "a.py").write_text(text)
    [found] = findings(lint, "a.py")
    assert (found["code"], found["line"], found["column"]) == ("LST203", 5, text.splitlines()[4].index("nn.LSTM") + 1)
    done = lint("--confirm", "never", "--fix", "--unsafe-fixes", "a.py")
    assert done.returncode == 0
    assert (tmp_path / "a.py").read_text() == text.replace("1, True", "1, batch_first=True")


@pytest.mark.parametrize("data", [b"", b"\n", b"\xef\xbb\xbf", b"# LSTM", b"\x0c", b'"""An LSTM."""', b"  # LSTM\n"])
def test_files_with_next_to_nothing(lint: Run, tmp_path: Path, data: bytes) -> None:
    (tmp_path / "a.py").write_bytes(data)
    assert findings(lint, "a.py", code=0) == []


@pytest.mark.usefixtures("wrong")
def test_links_that_lead_nowhere(lint: Run, tmp_path: Path) -> None:
    os.symlink("loop.py", tmp_path / "loop.py")
    os.symlink(".", tmp_path / "again")
    os.symlink("gone.py", tmp_path / "dangling.py")
    found = [(f["path"], f["code"]) for f in findings(lint, ".")]
    assert found == [("dangling.py", "LST900"), ("loop.py", "LST900"), ("wrong.py", "LST101")]
    done = lint("--confirm", "never", "loop.py", "wrong.py")
    assert done.returncode == 2
    assert "loop.py: too many levels of symbolic links" in done.stderr
    assert "LST101" in done.stdout


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
@pytest.mark.usefixtures("wrong")
def test_a_file_that_may_not_be_read(lint: Run, tmp_path: Path) -> None:
    (tmp_path / "closed.py").write_text(WRONG, encoding="utf-8")
    (tmp_path / "closed.py").chmod(0)
    closed, other = findings(lint, ".")
    assert (closed["code"], closed["message"]) == ("LST900", "it cannot be read: permission denied")
    assert other["path"] == "wrong.py"


def test_a_pipe_is_not_waited_for(lint: Run, tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe.py")
    [found] = findings(lint, ".", timeout=20)
    assert found["message"] == "it is not a regular file"


def test_odd_names(lint: Run, tmp_path: Path) -> None:
    names = ["with space.py", "-dash.py", "per%cent.py", "new\nline.py", "größe.py"]
    for name in names:
        (tmp_path / name).write_text(WRONG, encoding="utf-8")
    with open(os.fsencode(tmp_path) + b"/latin\xe9.py", "w", encoding="utf-8") as file:
        file.write(WRONG)
    assert len(findings(lint, ".")) == len(names) + 1
    for output_format in ("full", "concise", "github"):
        assert lint("--confirm", "never", "--output-format", output_format, ".").returncode == 1


# -- deep and long -----------------------------------------------------------------------------------------------------
def nested(depth: int) -> Mapping[str, str]:
    """Programs that nest one construct in itself."""
    return {
        "parentheses": f"x = {'(' * depth}1{')' * depth}",
        "lists": f"x = {'[' * depth}{']' * depth}",
        "calls": f"x = {'f(' * depth}1{')' * depth}",
        "chained calls": f"x = f{'()' * depth}",
        "attributes": f"x = a{'.b' * depth}",
        "subscripts": f"x = a{'[0]' * depth}",
        "sums": "x = " + " + ".join(["a"] * depth),
        "products": "h_0 = torch.zeros(" + " * ".join(["n"] * depth) + ")",
        "powers": "x = " + " ** ".join(["a"] * depth),
        "nots": f"x = {'not ' * depth}a",
        "minuses": f"x = {'-' * depth}1",
        "conditions": f"x = {'a if b else ' * depth}c",
        "lambdas": f"x = {'lambda: ' * depth}1",
        "strings": "x = " + " ".join(["'a'"] * depth),
        "comparisons": "x = " + " < ".join(["a"] * depth),
        "elifs": "if a:\n    pass\n" + "elif b:\n    pass\n" * depth,
        "blocks": "".join(f"{' ' * i}if a:\n" for i in range(depth)) + " " * depth + "pass",
        "functions": "".join(f"{' ' * i}def f():\n" for i in range(depth)) + " " * depth + "pass",
    }


@pytest.mark.parametrize("name", nested(1))
@pytest.mark.parametrize("depth", [60, 1000, 20_000])
@pytest.mark.usefixtures("wrong")
def test_deeply_nested(lint: Run, tmp_path: Path, name: str, depth: int) -> None:
    """No crash, no traceback, the other file is checked: whether the deep one is understood is another matter."""
    if name in ("blocks", "functions"):
        depth = min(depth, 1000)  # a file grows with the square of it
    (tmp_path / "deep.py").write_text(f"import torch\nfrom torch.nn import LSTM\n{nested(depth)[name]}\n", encoding="utf-8")
    found = findings(lint, ".", timeout=20)
    assert ("wrong.py", "LST101") in {(f["path"], f["code"]) for f in found}
    assert {f["code"] for f in found if f["path"] == "deep.py"} <= ({"LST900"} if depth > 60 else set())


def test_fifty_thousand_lines(lint: Run, tmp_path: Path) -> None:
    """A generated file: many functions, a long table, and the bug at the end."""
    function = "def f{0}(x, n):\n    if n > {0}:\n        x = x.view(n, -1)\n    return x + {0}\n\n"
    functions = "".join(function.format(number) for number in range(8_000))
    table = "TABLE = {\n" + "".join(f"    'k{number}': ({number}, 'LSTM'),\n" for number in range(12_000)) + "}\n"
    text = functions + table + WRONG
    assert text.count("\n") > 50_000
    (tmp_path / "long.py").write_text(text, encoding="utf-8")
    started = time.monotonic()
    arguments = ("--no-cache", "--confirm", "never", "--extend-select", "LST901", "--output-format", "json", "long.py")
    done = lint("check", *arguments, timeout=170)
    assert time.monotonic() - started < 90
    found = [(f["code"], f["line"]) for f in json.loads(done.stdout)["findings"]]
    assert found[-1:] == [("LST101", text.count("\n") - 2)] or "LST901" in {code for code, _ in found}


@pytest.mark.skipif(not sys.platform.startswith("linux"), reason="the limit is Linux's")
def test_memory_is_bounded(tmp_path: Path) -> None:
    """A long file is analysed within 1.5 GB of address space."""
    body = "".join(f"x{number} = torch.zeros({number}, 3)\n" for number in range(20_000))
    (tmp_path / "long.py").write_text("import torch\n" + WRONG + body, encoding="utf-8")
    program = (
        "import resource, sys\nresource.setrlimit(resource.RLIMIT_AS, (1_500_000_000,) * 2)\n"
        "from lstm_lint.cli import main\nmain()"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "--no-cache", "--confirm", "never", "-q", "--output-format", "concise", "long.py"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=120,
    )
    assert done.returncode == 1, done.stderr
    assert "LST101" in done.stdout


# -- nothing is run ----------------------------------------------------------------------------------------------------
MARKING = """\
import pathlib
pathlib.Path({mark!r}).write_text("run")
import helper_that_marks
import torch
from torch import nn

class Marks(type):
    def __new__(cls, *rest):
        pathlib.Path({mark!r}).write_text("run")
        return super().__new__(cls, *rest)

class Model(nn.Module, metaclass=Marks):
    size = pathlib.Path({mark!r}).write_text("run")
    def __init__(self, hidden=eval("open({mark!r}, 'w')")):
        self.lstm = nn.LSTM(28, 4, num_layers=2, bidirectional=True)
    def forward(self, x):
        h_0 = torch.zeros(2, x.size(1), 4)
        return self.lstm(x, (h_0, h_0))

Model()(torch.zeros(3, 10, 28))
"""


@pytest.mark.torch
@pytest.mark.parametrize("confirm", ["never", "auto", "always"])
def test_the_target_is_never_imported_or_run(lint: Run, tmp_path: Path, confirm: str) -> None:
    mark = tmp_path / "mark"
    (tmp_path / "model.py").write_text(MARKING.format(mark=str(mark)), encoding="utf-8")
    marker = f"import pathlib\npathlib.Path({str(mark)!r}).write_text('run')\n"
    for name in ("helper_that_marks", "torch", "json", "click", "lstm_lint", "sitecustomize"):
        (tmp_path / f"{name}.py").write_text(marker, encoding="utf-8")
    (tmp_path / "conftest.py").write_text(marker, encoding="utf-8")
    arguments = [sys.executable, "-P"] if sys.version_info >= (3, 11) else [sys.executable]
    program = "import sys; sys.path[:] = [p for p in sys.path if p]; from lstm_lint.cli import main; main()"
    done = subprocess.run(
        [*arguments, "-c", program, "--no-cache", "--confirm", confirm, "."],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        timeout=170,
    )
    assert "LST101" in done.stdout, done.stderr
    assert not mark.exists()
    assert not list(tmp_path.rglob("__pycache__"))


def test_this_project_itself(lint: Run) -> None:
    """Ordinary code with many small functions that call each other: the analysis stays bounded there too."""
    assert findings(lint, str(ROOT / "lstm_lint"), code=0, timeout=90) == []
