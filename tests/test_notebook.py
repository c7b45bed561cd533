"""Notebooks are linted like files: places are (cell, line, column), and what is no Python is left alone."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

import pytest
from conftest import ROOT, WRONG, Run
from hypothesis import given, settings
from hypothesis import strategies as st

from lstm_lint.check import FileResult, check_file, check_path
from lstm_lint.config import Settings
from lstm_lint.discover import Unreadable, decode
from lstm_lint.findings import Finding
from lstm_lint.notebook import notebook
from lstm_lint.project import Project
from lstm_lint.source import Source, Span
from lstm_lint.syntax.cells import without_broken_cells

QUIET = Settings(os.getcwd(), confirm="never", cache=False)
IMPORTS = "import torch\nfrom torch import nn\n"
LAYER = "lstm = nn.LSTM(28, 4, num_layers=2, bidirectional=True)"
STATE = "h_0 = torch.zeros(2, 10, 4)"
CALL = "output, _ = lstm(torch.randn(3, 10, 28), (h_0, torch.zeros(4, 10, 4)))"
MARKDOWN = "# About `nn.LSTM`"


def made(*cells: str | dict[str, Any], metadata: object = None, **top: Any) -> str:
    """A notebook as JSON; a cell that begins with ``# About`` is markdown, a dict is taken as it is."""
    written = [cell if isinstance(cell, dict) else _cell(cell) for cell in cells]
    return json.dumps({"cells": written, "metadata": metadata or {}, "nbformat": 4, "nbformat_minor": 5, **top})


def _cell(text: str) -> dict[str, Any]:
    if text.startswith("# About"):
        return {"cell_type": "markdown", "metadata": {}, "source": [text]}
    lines = text.splitlines(keepends=True)
    return {"cell_type": "code", "execution_count": None, "metadata": {}, "outputs": [], "source": lines}


def checked(data: bytes, chosen: Settings = QUIET) -> FileResult:
    """The result for a notebook with this content."""
    with TemporaryDirectory() as folder:
        file = Path(folder, "a.ipynb")
        file.write_bytes(data)
        project = Project()
        return check_path(str(file), chosen, project) if project.concerns_layers(str(file)) else FileResult(str(file))


def found(text: str) -> list[Finding]:
    return sorted(checked(text.encode()).findings, key=lambda finding: finding.order)


def places(text: str) -> list[tuple[str, int | None, int, int]]:
    return [(f.code, f.span.cell, f.span.line, f.span.column) for f in found(text)]


# -- places ------------------------------------------------------------------------------------------------------------
WRONG_NOTEBOOK = made(MARKDOWN, IMPORTS + "%matplotlib inline\n" + LAYER, MARKDOWN, "%%time\n\n" + STATE, "!ls", CALL)


def test_a_finding_stands_in_its_cell() -> None:
    [finding] = found(WRONG_NOTEBOOK)
    assert (finding.code, finding.span) == ("LST101", Span(3, 7, 3, 28, 4))
    assert [(r.span.cell, r.span.line, r.span.column) for r in finding.related] == [(2, 4, 8), (6, 1, 13)]


def test_every_format_names_the_cell(lint: Run, tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(WRONG_NOTEBOOK, encoding="utf-8")
    run = ("check", "--no-cache", "--confirm", "never", "a.ipynb", "--output-format")
    full = lint(*run, "full").stdout.splitlines()
    assert full[0].startswith("a.ipynb:cell 4:3:7: LST101 [error] ")
    assert full[2:4] == [f"3 | {STATE}", "  |       " + "^" * 21]
    assert full[4:6] == ["  note: a.ipynb:cell 2:4:8: the LSTM is built here", f"        {LAYER}"]
    assert lint(*run, "concise").stdout.startswith("a.ipynb:cell 4:3:7: LST101 ")
    assert lint(*run, "github").stdout.startswith("::error file=a.ipynb,title=LST101::cell 4, line 3: h_0 is ")
    [finding] = json.loads(lint(*run, "json").stdout)["findings"]
    assert (finding["cell"], finding["line"], finding["column"], finding["end_column"]) == (4, 3, 7, 28)
    assert [related["cell"] for related in finding["related"]] == [2, 6]


def test_shapes_name_the_cell_too(lint: Run, tmp_path: Path) -> None:
    (tmp_path / "a.ipynb").write_text(made(MARKDOWN, IMPORTS + LAYER, "h_0 = !cat state", CALL, CALL), encoding="utf-8")
    document = json.loads(lint("shapes", "--no-cache", "--output-format", "json", ".").stdout)
    [site] = document["sites"]
    assert (site["cell"], site["line"]) == (2, 3)
    assert [(call["cell"], call["line"], call["h_0"]["status"]) for call in document["calls"]] == [
        (4, 1, "unknown"),
        (5, 1, "unknown"),
    ]
    assert document["calls"][0]["h_0"]["why"]["cell"] == 3
    text = lint("shapes", "--no-cache", ".").stdout
    assert "a.ipynb:cell 2:3:8: lstm = LSTM(" in text
    assert re.search(r"cell 3, line 1, column \d+: ", text)


def test_results_are_sorted_cell_by_cell() -> None:
    late, early = "\n" * 8 + CALL, "\n" + CALL
    assert places(made(IMPORTS + LAYER, "\n\n\n" + STATE, late, STATE, early)) == [("LST101", 2, 4, 7), ("LST101", 4, 1, 7)]


def test_noqa_in_its_own_cell() -> None:
    assert found(made(IMPORTS + LAYER, STATE + "  # noqa", CALL)) == []
    assert found(made(IMPORTS + LAYER, STATE + "  # noqa: LST1", CALL)) == []
    assert places(made(IMPORTS + LAYER, STATE, CALL + "  # noqa")) == [("LST101", 2, 1, 7)]
    broken = made(IMPORTS + LAYER, "x = (", "def f(:  # noqa", STATE + "  # noqa", "y = # noqa", CALL)
    assert places(broken) == [("LST900", 2, 1, 5)]


LINES = st.sampled_from(
    ["x = 1", "", "# größe 長", "!ls", "%lsmagic", "y = '''a", "'''", "    z = 2", "\tw", "f(", ")", "if x:", "é=1"]
)


@settings(max_examples=200, deadline=None)
@given(st.lists(st.one_of(st.just(MARKDOWN), st.lists(LINES, max_size=6).map("\n".join)), max_size=8))
def test_places_map_back_to_cells(cells: list[str]) -> None:
    """Every line that is shown is that line of that cell, and the way back leads there again."""
    source = notebook("a.ipynb", made(*cells))
    numbers = [number for number, cell in enumerate(cells, 1) if cell != MARKDOWN]
    assert [cell.number for cell in source.cells] == numbers
    lines = source.text.split("\n")
    for cell in source.cells:
        for offset, line in enumerate(cells[cell.number - 1].split("\n")):
            span = source.span(cell.first_line + offset, 2, cell.first_line + offset, 3)
            assert (span.cell, span.line, span.column) == (cell.number, offset + 1, 3)
            assert source.text_line(span) == cell.first_line + offset
            shown = lines[source.text_line(span) - 1]
            assert shown == line or shown.strip() in ("", "pass")
    readable, mistakes = without_broken_cells(source)
    assert {span.cell for span, _ in mistakes} <= set(numbers)
    assert without_broken_cells(readable) == (readable, [])
    assert all(1 <= span.line <= cells[(span.cell or 1) - 1].count("\n") + 1 for span, _ in mistakes)


# -- cells that are no Python ------------------------------------------------------------------------------------------
def test_a_broken_cell_is_reported_and_the_others_go_on() -> None:
    """What it would have bound is not known; the cells before and behind it are programs of their own."""
    text = made(IMPORTS + LAYER, "n = 4\ndef f(:\n    pass", STATE, CALL, "x = '''")
    assert places(text) == [("LST900", 2, 2, 7), ("LST101", 3, 1, 7), ("LST900", 5, 1, 5)]
    assert checked(text.encode()).analyzed


@pytest.mark.parametrize(("opening", "closing"), [("x = (", ")"), ("x = '''", "'''"), ("if x:", "    y"), ("x = 1 + \\", "2")])
def test_a_cell_does_not_close_what_another_opens(opening: str, closing: str) -> None:
    result = places(made(IMPORTS + LAYER, opening, STATE, closing, CALL))
    assert result[0][:2] == ("LST900", 2)
    assert ("LST101", 3, 1, 7) in result


def test_a_cell_that_is_indented_as_a_whole_is_one_of_its_own() -> None:
    indented = "\n".join(f"    {line}" for line in (STATE, CALL))
    text = made(IMPORTS + LAYER, "for i in range(2):\n    pass", indented, "    # only a comment")
    assert places(text) == [("LST101", 3, 1, 11)]


def test_an_indented_comment_before_code_that_is_not() -> None:
    text = made("    # a first step\n" + IMPORTS + LAYER, STATE + "\n  # the call", "\t# call\n\n" + CALL)
    assert places(text) == [("LST101", 2, 1, 7)]


def test_await_at_the_top() -> None:
    cells = ("data = await load()", "async with data as d:\n    x = await d", "ys = [y async for y in x]")
    assert places(made(IMPORTS + LAYER, *cells, STATE, CALL)) == [("LST101", 5, 1, 7)]


def test_values_of_magics_are_not_known() -> None:
    """What a magic may have bound is not what it was before."""
    for magic in ("h_0 = !make", "h_0 = %make", "%%capture h_0\nx = 1", "%%remote\nh_0 = load()", "h_0, c_0 = %make"):
        assert found(made(IMPORTS + LAYER, STATE, magic, CALL)) == [], magic
    for magic in ("!h_0 = 1", "%make h_0", "%%bash\nh_0 = 1", "%%timeit\nh_0 = 1", "%%time\nx = 1"):
        assert places(made(IMPORTS + LAYER, STATE, magic, CALL)) == [("LST101", 2, 1, 7)], magic
    assert places(made(IMPORTS + LAYER, "%time " + STATE, CALL)) == [("LST101", 2, 1, 13)]


def test_nothing_is_run(tmp_path: Path) -> None:
    mark = tmp_path / "ran"
    cells = [f"!touch {mark}", f"%%bash\ntouch {mark}", f"x = !touch {mark}", f"open({str(mark)!r}, 'w')"]
    assert found(made(IMPORTS + LAYER, *cells, STATE, CALL)) != []
    assert not mark.exists()


# -- what a notebook is ------------------------------------------------------------------------------------------------
MALFORMED = {
    '{"cells": [LSTM]}': (Span(1, 12, 1, 13), "it is not JSON: expecting value"),
    '{\n "cells": [\n<<<<<<< LSTM\n': (Span(3, 1, 3, 2), "it is not JSON: expecting value"),
    '"LSTM"': (Span(1, 1, 1, 2), "it is not a notebook: its JSON is no object"),
    '{"LSTM": 1}': (Span(1, 1, 1, 2), "it is not a notebook: it has no list of cells"),
    '{"cells": "LSTM"}': (Span(1, 1, 1, 2), "it is not a notebook: it has no list of cells"),
    '{"cells": [1, "LSTM"]}': (Span(1, 1, 1, 2, 1), "it is not a notebook: this cell is no object"),
    '{"cells": [{"cell_type": "code", "source": ["LSTM", 1]}]}': (
        Span(1, 1, 1, 2, 1),
        "it is not a notebook: the source of this cell is no text",
    ),
    '{"cells": [{"cell_type": "raw"}, {"cell_type": "code", "LSTM": 1}]}': (
        Span(1, 1, 1, 2, 2),
        "it is not a notebook: the source of this cell is no text",
    ),
    '{"nbformat": 3, "worksheets": [{"cells": [{"input": "LSTM"}]}]}': (
        Span(1, 1, 1, 2),
        "it is a notebook of format 3, and only format 4 is read: save it again with Jupyter",
    ),
    '{"nbformat": 5, "cells": ["LSTM"]}': (
        Span(1, 1, 1, 2),
        "it is a notebook of format 5, and only format 4 is read: save it again with Jupyter",
    ),
    '{"LSTM": ' + "[" * 100_000: (Span(1, 1, 1, 2), "its JSON is nested too deeply to be read"),
}


@pytest.mark.parametrize("text", MALFORMED, ids=lambda text: text[:40])
def test_malformed(text: str) -> None:
    span, message = MALFORMED[text]
    assert [(f.code, f.span, f.message) for f in found(text)] == [("LST900", span, message)]


def test_bytes_that_are_no_text() -> None:
    result = decode("a.ipynb", b'{"cells": "\xff"}')
    assert isinstance(result, Unreadable)
    assert result.message == "it is not UTF-8: byte 0xff at offset 11"


def test_a_malformed_notebook_stops_no_other_file(lint: Run, tmp_path: Path) -> None:
    (tmp_path / "bad.ipynb").write_text('{"cells": [LSTM]}', encoding="utf-8")
    (tmp_path / "wrong.ipynb").write_text(WRONG_NOTEBOOK, encoding="utf-8")
    (tmp_path / "wrong.py").write_text(WRONG, encoding="utf-8")
    done = lint("--no-cache", "--confirm", "never", "--output-format", "concise", ".")
    assert done.returncode == 1
    assert [line.split(" [")[0] for line in done.stdout.splitlines()[:3]] == [
        "bad.ipynb:1:12: LST900",
        "wrong.ipynb:cell 4:3:7: LST101",
        "wrong.py:5:7: LST101",
    ]
    shown = lint("shapes", "--no-cache", ".")
    assert "bad.ipynb:1:12: it is not JSON" in shown.stderr
    assert "wrong.ipynb:cell 2:4:8: lstm = LSTM(" in shown.stdout


@pytest.mark.parametrize(
    "metadata",
    [
        {"language_info": {"name": "R"}},
        {"kernelspec": {"language": "julia", "name": "julia-1.9"}},
        {"language_info": {"name": "scala"}, "kernelspec": {"language": "python"}},
    ],
)
def test_notebooks_of_other_languages_are_passed_over(metadata: object) -> None:
    result = checked(made("library(torch)\nnn_LSTM <- function(:", metadata=metadata).encode())
    assert (result.findings, result.analyzed) == ((), False)


@pytest.mark.parametrize(
    "metadata",
    [
        {"language_info": {"name": "python", "version": "3.12"}},
        {"kernelspec": {"language": "Python", "name": "python3"}},
        {"kernelspec": {"name": "conda-env"}},
        {"language_info": [], "kernelspec": 3},
        [],
        "LSTM",
    ],
)
def test_notebooks_of_python(metadata: object) -> None:
    text = made(IMPORTS + LAYER, STATE, CALL, metadata=metadata)
    assert places(text) == [("LST101", 2, 1, 7)]


def test_cells_that_are_not_read() -> None:
    """Raw and unknown kinds, and a cell in another language, all of them counted."""
    sql = {"cell_type": "code", "metadata": {"vscode": {"languageId": "sql"}}, "source": "select LSTM from"}
    others = [{"cell_type": kind, "source": "LSTM ("} for kind in ("raw", "heading", None, 3)]
    assert places(made(IMPORTS + LAYER, *others, sql, STATE, CALL)) == [("LST101", 7, 1, 7)]


@pytest.mark.parametrize("tag", ["raises-exception", "skip-execution"])
def test_cells_that_are_meant_to_fail_or_not_to_run(tag: str) -> None:
    """Nothing is said of them, and what they would bind is not known behind them."""
    tagged = {**_cell(CALL), "metadata": {"tags": ["demo", tag]}}
    assert found(made(IMPORTS + LAYER, STATE, tagged)) == []
    assert found(made(IMPORTS + LAYER, STATE, {**_cell("h_0 = mend(\n  h_0)"), "metadata": {"tags": [tag]}}, CALL)) == []
    assert places(made(IMPORTS + LAYER, STATE, tagged, CALL)) == [("LST101", 2, 1, 7)]
    for odd in ([tag, 3][1:], tag, {"tags": tag}, {"tags": [[tag]]}):
        assert places(made(IMPORTS + LAYER, STATE, {**_cell(CALL), "metadata": odd})) == [("LST101", 2, 1, 7)]


@pytest.mark.parametrize("text", ["", "\n", made(), made("", ""), made(MARKDOWN), made("%pylab", "!ls\n!ls", "%%bash\nLSTM (")])
def test_notebooks_without_python(text: str) -> None:
    source = decode("a.ipynb", text.encode())
    assert isinstance(source, Source)
    assert source.text.replace("pass", "").strip() == ""
    assert check_file(source, QUIET).findings == ()


def test_how_the_text_is_written_does_not_matter() -> None:
    cells = [IMPORTS + LAYER, "x = '\U0001f600 é 長'", STATE, CALL]
    expected = [("LST101", 3, 1, 7)]
    plain = made(*cells)
    as_text = made(*({**_cell(cell), "source": cell} for cell in cells))
    assert places(plain) == places(as_text) == expected
    for data in (
        plain.replace("\\n", "\\r\\n").encode(),
        b"\xef\xbb\xbf" + plain.encode(),
        json.dumps(json.loads(plain), indent=1, ensure_ascii=False).replace("\n", "\r\n").encode(),
        plain.replace("\\u00e9", "\\udc80").encode(),  # half a character
        plain.replace('"nbformat": 4', '"nbformat": 4.0, "x": [NaN, ' + "9" * 5000 + "]").encode(),
    ):
        findings = checked(data).findings
        assert [(f.code, f.span.cell, f.span.line, f.span.column) for f in findings] == expected


def test_columns_count_characters() -> None:
    assert places(made(IMPORTS + LAYER, "é = '\U0001f600長'; " + STATE, CALL)) == [("LST101", 2, 1, 17)]


def test_a_null_character_breaks_its_cell_alone() -> None:
    assert [place[:2] for place in places(made(IMPORTS + LAYER, "x = '\0'", STATE, CALL))] == [("LST900", 2), ("LST101", 3)]


# -- what it costs -----------------------------------------------------------------------------------------------------
def test_a_layer_in_outputs_alone_is_not_parsed(lint: Run, tmp_path: Path) -> None:
    """libcst is not even imported; nor is what outputs and metadata hold read as code."""
    cell = {
        **_cell("print(model)"),
        "outputs": [{"output_type": "stream", "text": ["LSTM(28, 4)\n"]}],
        "attachments": {"LSTM": {}},
    }
    text = made(MARKDOWN, cell, metadata={"title": "nn.LSTM(28, -1)"})
    (tmp_path / "a.ipynb").write_text(text, encoding="utf-8")
    program = (
        "import sys, lstm_lint.cli as c; c.app.main(['check', '.'], standalone_mode=False); print('libcst' in sys.modules)"
    )
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=tmp_path, capture_output=True, text=True, check=True, env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout.splitlines() == ["All checks passed: 1 file (0 with recurrent layers).", "False"]


def test_huge_outputs_and_many_broken_cells_take_bounded_time() -> None:
    image = {"output_type": "display_data", "data": {"image/png": "iVBORw0KGgo" * 2_000_000}, "metadata": {"LSTM": 1}}
    start = time.perf_counter()
    assert places(made(IMPORTS + LAYER, {**_cell(STATE), "outputs": [image]}, CALL)) == [("LST101", 2, 1, 7)]
    broken = places(made(IMPORTS + LAYER, *(["x = ("] * 500), "(" * 5000, STATE, CALL))
    assert len(broken) == 502
    assert broken[-1] == ("LST101", 503, 1, 7)
    assert time.perf_counter() - start < 15


def test_the_notebook_is_not_written(lint: Run, tmp_path: Path) -> None:
    file = tmp_path / "a.ipynb"
    file.write_text(WRONG_NOTEBOOK, encoding="utf-8")
    before = (file.read_bytes(), file.stat().st_mtime_ns)
    assert lint("--confirm", "never", ".").returncode == 1
    assert (file.read_bytes(), file.stat().st_mtime_ns) == before


# -- how files come in -------------------------------------------------------------------------------------------------
def test_notebooks_are_found_and_checkpoints_are_not(lint: Run, tmp_path: Path) -> None:
    for name in ("b", "sub/a", ".ipynb_checkpoints/b-checkpoint", "sub/.ipynb_checkpoints/a-checkpoint"):
        file = tmp_path / f"{name}.ipynb"
        file.parent.mkdir(exist_ok=True, parents=True)
        file.write_text(WRONG_NOTEBOOK, encoding="utf-8")
    done = lint("--no-cache", "--confirm", "never", "--output-format", "json", ".")
    assert [f["path"] for f in json.loads(done.stdout)["findings"]] == ["b.ipynb", "sub/a.ipynb"]


def test_standard_input(lint: Run) -> None:
    arguments = ("--no-cache", "--confirm", "never", "--stdin-filename", "x.ipynb")
    shown = lint(*arguments, stdin=WRONG_NOTEBOOK).stdout.splitlines()
    assert shown[0].startswith("x.ipynb:cell 4:3:7: LST101 ")
    assert shown[2] == f"3 | {STATE}"
    done = lint(*arguments, stdin='{"cells": [LSTM]}')
    assert (done.returncode, "x.ipynb:1:12: it is not JSON" in done.stderr) == (2, True)
    assert lint(*arguments, stdin="").returncode == 0


def test_the_cache_knows_the_cells(lint: Run, tmp_path: Path) -> None:
    """The same Python in other cells is another question."""
    one = made(IMPORTS + LAYER, STATE, CALL)
    moved = made(MARKDOWN, IMPORTS + LAYER, STATE, CALL)
    for text, cell in ((one, 2), (one, 2), (moved, 3), (moved, 3), (one, 2)):
        (tmp_path / "a.ipynb").write_text(text, encoding="utf-8")
        done = lint("--confirm", "never", "--output-format", "json", ".")
        assert [finding["cell"] for finding in json.loads(done.stdout)["findings"]] == [cell]


def test_imports_of_a_notebook_are_followed(lint: Run, tmp_path: Path) -> None:
    """Even if the notebook itself names no layer: the model stands in a file, and the mistake in the notebook."""
    model = "from torch import nn\n\n\nclass Net(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
    model += "        self.core = nn.LSTM(28, 4, 2)\n\n    def forward(self, x, state):\n        return self.core(x, state)\n"
    (tmp_path / "model.py").write_text(model, encoding="utf-8")
    h_0 = "net = Net()\nh_0 = torch.zeros(3, 10, 4)"
    cells = (MARKDOWN, "!ls\nimport torch\nfrom model import Net", h_0, "out = net(torch.randn(5, 10, 28), (h_0, h_0))")
    (tmp_path / "a.ipynb").write_text(made(*cells), encoding="utf-8")
    done = lint("--no-cache", "--confirm", "never", "--output-format", "json", "a.ipynb")
    [finding] = json.loads(done.stdout)["findings"]
    assert (finding["path"], finding["cell"], finding["line"], finding["column"]) == ("a.ipynb", 3, 2, 7)
    assert {(place["path"], place.get("cell")) for place in finding["related"]} == {("model.py", None), ("a.ipynb", 4)}


# -- as people write them ----------------------------------------------------------------------------------------------
RIVER = [
    "# About the level of a river: an `nn.LSTM` reads the gauges of the last days.",
    "%load_ext autoreload\n%autoreload 2\n%matplotlib inline\n!pip install -q torch\n\nimport torch\nfrom torch import nn",
    "gauges, hidden, layers = 6, 16, 2\ndays = 12\ndevice = 'cuda' if torch.cuda.is_available() else 'cpu'",
    """class Level(nn.Module):
    def __init__(self, gauges, hidden, layers):
        super().__init__()
        self.layers, self.hidden = layers, hidden
        self.read = nn.LSTM(gauges, hidden, layers, batch_first=True)
        self.say = nn.Linear(hidden, 1)

    def forward(self, past, state):
        seen, state = self.read(past, state)
        return self.say(seen[:, -1]), state

    def begin(self, rivers):
        h_0 = torch.zeros(self.layers, rivers, self.hidden)
        return h_0, torch.zeros_like(h_0)""",
    "# About training",
    "model = Level(gauges, hidden, layers).to(device)\noptimizer = torch.optim.Adam(model.parameters())\nmodel?",
    """%%time
rivers = 8
for epoch in range(2):
    state = model.begin(rivers)
    for _ in range(3):
        past, level = torch.randn(rivers, days, gauges), torch.randn(rivers, 1)
        guess, state = model(past, state)
        state = tuple(part.detach() for part in state)
        loss = nn.functional.mse_loss(guess, level)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    !date""",
    "with torch.no_grad():\n    guess, _ = model(torch.randn(1, days, gauges), model.begin(1))\nguess.shape",
]
MISTAKES = {
    "the batch of training kept for one river": (
        8, "model.begin(1)", "model.begin(rivers)", "LST102", "Expected hidden[0] size (2, 1, 16), got [2, 8, 16]",
    ),
    "both directions forgotten": (
        4, "layers, batch_first=True)", "layers, batch_first=True, bidirectional=True)", "LST101",
        "Expected hidden[0] size (4, 8, 16), got [2, 8, 16]",
    ),
}  # fmt: skip


FOLLOWING = {"both directions forgotten": [("LST301", 4, 10, 16), ("LST402", 4, 10, 25)]}
"""What the mistake makes wrong behind the layer: the Linear gets the features of both directions, at the last step."""


def run_with_torch(cells: list[str]) -> str:
    """The last line of what Python says of the cells, one after another."""
    program = decode("a.ipynb", made(*cells).encode())
    assert isinstance(program, Source)
    text = "def get_ipython(): ...\n" + program.text.replace("model?", "pass")
    done = subprocess.run([sys.executable, "-W", "ignore", "-c", text], capture_output=True, text=True, check=False)
    return done.stderr.strip().splitlines()[-1] if done.returncode else ""


def test_a_notebook_that_is_right_is_left_alone() -> None:
    assert found(made(*RIVER)) == []


@pytest.mark.torch
def test_torch_runs_the_notebook_that_is_right() -> None:
    assert run_with_torch(RIVER) == ""


@pytest.mark.parametrize("name", MISTAKES)
@pytest.mark.torch
def test_notebooks_that_are_wrong(name: str) -> None:
    number, before, after, code, said = MISTAKES[name]
    cells = [*RIVER]
    assert before in cells[number - 1]
    cells[number - 1] = cells[number - 1].replace(before, after)
    assert said in run_with_torch(cells)
    assert places(made(*cells)) == [*FOLLOWING.get(name, ()), (code, 4, 13, 15), (code, 4, 14, 21)]
