"""What IPython adds to Python is taken out of a cell, and what is Python stays exactly where it is."""

from __future__ import annotations

import ast
import time
from pathlib import Path

import pytest
from conftest import ROOT
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lint.syntax.magics import python_of

LOST = "get_ipython()"

CELLS = {
    # lines
    "%matplotlib inline\nx = 1": "pass\nx = 1",
    "!pip install -q torch": "pass",
    "!!ls": "pass",
    "?torch.nn.LSTM\ntorch.nn.LSTM?\nlstm??\n*LSTM*?": "pass\npass\npass\npass",
    "x = lstm?": "pass",
    "/print x\n,print x\n;print x": "pass\npass\npass",
    "!echo a \\\n  b \\\n  c\nx = 1": "pass\n\n\nx = 1",
    "%config A = \\\n  'b'": "pass\n",
    "!echo \"it's ( open\nx = 1": "pass\nx = 1",
    # values
    "files = !ls *.txt": f"files = {LOST}",
    "a, b = !wc -l '": f"a, b = {LOST}",
    "self.now = %who_ls": f"self.now = {LOST}",
    "d['=']=%env HOME": f"d['=']={LOST}",
    "x: list = !ls \\\n  -l\ny = 2": f"x: list = {LOST}\n\ny = 2",
    # blocks
    "for i in range(3):\n    !date\n    %time\nx = 1": "for i in range(3):\n    pass\n    pass\nx = 1",
    "if gpu:\n\t!nvidia-smi\nelse:\n\tx = !ls": f"if gpu:\n\tpass\nelse:\n\tx = {LOST}",
    # what runs as it stands
    "%time out, _ = lstm(x)": "if 1: out, _ = lstm(x)",
    "    %time   f()": "    if 1:   f()",
    "%time for": "pass",
    "%timeit lstm(x)": "pass",
    # cell magics
    "%%bash\necho $(( 1\n": "\n\n",
    "\n  %%html\n<b>": "\n\n",
    "%%writefile model.py\nimport torch": "\n",
    "%%time\nx = 1": "\nx = 1",
    "%%time\n\n%%capture\nx = 1": "\n\n\nx = 1",
    "%%time\n%%bash\nls -l": "\n\n",
    "%%capture out\nx = 1": f"out = {LOST}\nx = 1",
    "%%capture out\n    x = 1": f"    out = {LOST}\n    x = 1",
    "%%capture --no-stderr\nx = 1": "\nx = 1",
    "%%timeit\nlstm(x)": "\nlstm(x)",
    "%%timeit\nx = 2\nlstm(x)": "\n\n",
    "%%bash --out listing\nls": f"listing = {LOST}\n",
    "%%sql frame << select\nselect 1": f"frame = select = {LOST}\n",
    "%%remote --gpu\nsize = 2\nimport torch.nn\n!ls\ndef f(): pass": f"f = size = torch = {LOST}\n\n\n\n",
    "%%remote\nnot python": "\n",
    "x = 1\n%%bash\ny = 2": "x = 1\npass\ny = 2",
    "# first\n%%time\ny = 2": "# first\npass\ny = 2",
    "%%time?": "pass",
    "%md # Results: (mean\nProse, that is.": "\n",
    "%sql\nSELECT 1": "\n",
    "%sql SELECT 1\nx = 1": "pass\nx = 1",
    # pasted and automatic
    ">>> if x:\n...     y = 1\n...\n>>> z": "    if x:\n        y = 1\n   \n    z",
    "In [1]: x = 1\n   ...: y = 2": "        x = 1\n        y = 2",
    "pip install torch": "",
    "\ncd data\n": "\n\n",
    # Python
    "x = (a\n% b\n)\ny = a \\\n% b": "x = (a\n% b\n)\ny = a \\\n% b",
    "s = '''\n%matplotlib\n!ls\nwhat?\n'''\n!ls": "s = '''\n%matplotlib\n!ls\nwhat?\n'''\npass",
    "s = 'a\\\n!b'\n!ls": "s = 'a\\\n!b'\npass",
    "ok = a != b  # what?\nprint('why?')": "ok = a != b  # what?\nprint('why?')",
    "s = '= !' + \"=%s\" % x": "s = '= !' + \"=%s\" % x",
    "pip = 1": "pip = 1",
    "time": "time",
    "...": "...",
    "": "",
}


@pytest.mark.parametrize("cell", CELLS)
def test_cell(cell: str) -> None:
    assert python_of(cell) == CELLS[cell]
    assert python_of(cell).count("\n") == cell.count("\n")


@pytest.mark.parametrize("file", sorted((ROOT / "lstm_lint").rglob("*.py")) + sorted((ROOT / "tests").glob("*.py")), ids=str)
def test_python_stays_as_it_is(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert python_of(text) == text
    assert python_of(f"%pylab\n{text}") == f"pass\n{text}"


COMMANDS = ["!ls", "%cd ..", "?print", "print??", "%time x = 1", "x = !ls", "!ls \\\n -l"]
STATEMENTS = [
    "x = 1",
    "y = '''\n%no\n'''",
    "z = [1,\n 2]",
    "s = 'a' \\\n 'b'",
    "# it's",
    't = "(#"',
    "u = x % 2",
    "v = f'{x!r}'",
]


@settings(max_examples=300, deadline=None)
@given(st.lists(st.tuples(st.sampled_from(COMMANDS + STATEMENTS), st.booleans()), max_size=12))
def test_every_mixture_is_python_again(parts: list[tuple[str, bool]]) -> None:
    """Statements come through at their own lines, commands leave something that parses."""
    cell = "\n".join(f"if 1:\n    {text}" if nested and "\n" not in text and text[0] != "#" else text for text, nested in parts)
    python = python_of(cell)
    ast.parse(python)
    assert python.count("\n") == cell.count("\n")
    for before, after in zip(cell.split("\n"), python.split("\n"), strict=True):
        assert after == before or before.strip().startswith(("!", "%", "?", "print??", "x = !", "-l"))


HOSTILE = {
    "magics on magics": "%%time\n" * 20_000,
    "unknown magics on magics": "%%remote\n" * 20_000,
    "timeit on timeit": "%%timeit\n" * 5_000 + "x = 1",
    "deep": "%lsmagic\n" + "(" * 50_000,
    "deep magic": "%%remote\n" + "(" * 50_000,
    "one long line": "%lsmagic\nx = '" + "a\\'" * 300_000 + "'",
    "quotes": "%lsmagic\n" + "'" * 300_000,
    "open strings": "%lsmagic\n" + "'a\n" * 30_000,
    "equal signs": "%lsmagic\n" + "=" * 300_000,
    "continued for ever": "!ls \\\n" + "a \\\n" * 100_000,
    "question marks": "?" * 300_000,
    "spaces": "%time" + " " * 200_000 + "\n" + " " * 200_000 + "?",
    "null": "%lsmagic\n\0",
}


@pytest.mark.parametrize("name", HOSTILE)
def test_hostile_cells_take_bounded_time(name: str) -> None:
    start = time.perf_counter()
    assert python_of(HOSTILE[name]).count("\n") == HOSTILE[name].count("\n")
    assert time.perf_counter() - start < 5
