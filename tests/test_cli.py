"""The command as a user runs it."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import RIGHT, ROOT, WRONG, Run

from lstm_lint import __version__
from lstm_lint.rules import RULES

SAID = "RuntimeError: Expected hidden[0] size (4, 10, 4), got [2, 10, 4]"


@pytest.fixture
def wrong(tmp_path: Path) -> Path:
    file = tmp_path / "wrong.py"
    file.write_text(WRONG, encoding="utf-8")
    return file


@pytest.fixture
def right(tmp_path: Path) -> Path:
    file = tmp_path / "right.py"
    file.write_text(RIGHT, encoding="utf-8")
    return file


# -- check: what it says and how it ends -------------------------------------------------------------------------------
def test_a_right_program(lint: Run, right: Path) -> None:
    done = lint("check", "right.py")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout == "All checks passed: 1 file (1 with recurrent layers).\n"


@pytest.mark.torch
def test_a_wrong_program_with_torchs_own_words(lint: Run, wrong: Path) -> None:
    done = lint("check", "wrong.py")
    assert done.returncode == 1, done.stderr
    lines = done.stdout.splitlines()
    assert lines[0].startswith("wrong.py:5:")
    assert ": LST101 [error] " in lines[0]
    assert any(line.startswith("  torch ") and line.endswith(SAID) for line in lines)
    assert lines[-1].startswith("Found 1 error in 1 file (1 with recurrent layers). torch ")


def test_check_is_the_default_command(lint: Run, wrong: Path) -> None:
    plain = lint("wrong.py", "--confirm", "never")
    assert plain.returncode == 1
    assert plain.stdout == lint("check", "wrong.py", "--confirm", "never").stdout
    assert lint("--confirm", "never", "wrong.py").stdout == plain.stdout
    assert lint("--confirm=never", ".").stdout == plain.stdout
    assert lint("check", "--confirm", "never").stdout == plain.stdout


def test_never_asks_nothing(lint: Run, wrong: Path) -> None:
    done = lint("check", "--confirm", "never", "--output-format", "json", "wrong.py")
    [finding] = json.loads(done.stdout)["findings"]
    assert finding["confirmation"] is None or finding["confirmation"]["status"] == "skipped"


def test_exit_zero(lint: Run, wrong: Path) -> None:
    done = lint("--confirm", "never", "--exit-zero", "wrong.py")
    assert done.returncode == 0
    assert "LST101" in done.stdout
    assert lint("--exit-zero", "gone.py").returncode == 2


def test_selection(lint: Run, wrong: Path) -> None:
    assert lint("--confirm", "never", "--ignore", "LST101", "wrong.py").returncode == 0
    assert lint("--confirm", "never", "--select", "LST2,LST9", "wrong.py").returncode == 0
    assert lint("--confirm", "never", "--select", "LST1", "--select", "LST2", "wrong.py").returncode == 1


def test_concise(lint: Run, wrong: Path) -> None:
    done = lint("--confirm", "never", "--output-format", "concise", "-q", "wrong.py")
    [line] = done.stdout.splitlines()
    assert line.startswith("wrong.py:5:")


def test_json_and_output_file(lint: Run, wrong: Path, tmp_path: Path) -> None:
    done = lint("--confirm", "never", "--output-format", "json", "-o", "out.json", "wrong.py")
    assert (done.returncode, done.stdout) == (1, "")
    document = json.loads((tmp_path / "out.json").read_text(encoding="utf-8"))
    assert document["summary"]["error"] == 1
    [finding] = document["findings"]
    assert (finding["code"], finding["path"], finding["line"]) == ("LST101", "wrong.py", 5)
    assert (finding["expected"], finding["actual"]) == (["4", "10", "4"], ["2", "10", "4"])


def test_an_output_file_that_cannot_be_written(lint: Run, wrong: Path) -> None:
    done = lint("--confirm", "never", "-o", "no/such/folder.json", "wrong.py")
    assert done.returncode == 2
    assert "no/such/folder.json: no such file or directory" in done.stderr


def test_github(lint: Run, wrong: Path) -> None:
    done = lint("--confirm", "never", "--output-format", "github", "wrong.py")
    [line] = done.stdout.splitlines()
    assert line.startswith("::error file=wrong.py,line=5,endLine=5,col=")
    assert ",title=LST101::" in line


def test_statistics(lint: Run, wrong: Path) -> None:
    done = lint("--confirm", "never", "--statistics", "wrong.py")
    assert (done.returncode, done.stdout) == (1, "1  LST101 [error] state-layers\n")


def test_noqa(lint: Run, tmp_path: Path) -> None:
    made = WRONG.splitlines()[4]
    for comment, code in (("# noqa", 0), ("# noqa: LST1", 0), ("# noqa: E501, LST101", 0), ("# noqa: E501", 1)):
        (tmp_path / "a.py").write_text(WRONG.replace(made, f"{made}  {comment}"), encoding="utf-8")
        assert lint("--confirm", "never", "a.py").returncode == code, comment


# -- standard input ----------------------------------------------------------------------------------------------------
def test_standard_input(lint: Run) -> None:
    done = lint("check", "--confirm", "never", "--stdin-filename", "models/a.py", "-", stdin=WRONG)
    assert done.returncode == 1, done.stderr
    assert done.stdout.startswith("models/a.py:5:")
    assert "5 | h_0 = torch.zeros(" in done.stdout
    assert lint("--confirm", "never", "-", stdin=RIGHT).returncode == 0
    assert lint("--confirm", "never", "--stdin-filename", "a.py", stdin=WRONG.replace("\n", "\r\n")).returncode == 1


def test_standard_input_that_is_no_text(lint: Run) -> None:
    done = lint("-", stdin=b"nn.LSTM\n\xff")
    assert done.returncode == 2
    assert "-:2:1: it is not UTF-8: byte 0xff at offset 8" in done.stderr


def test_standard_input_goes_alone(lint: Run, right: Path) -> None:
    assert lint("-", "right.py", stdin="").returncode == 2


# -- misuse ------------------------------------------------------------------------------------------------------------
@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["gone.py"], "gone.py: no such file or directory"),
        (["--select", "LST11"], "--select: unknown code 'LST11'"),
        (["--select", "LST0"], "unknown code 'LST0'; did you mean"),
        (["--config", "gone.toml"], "gone.toml: no such file or directory"),
        (["--frobnicate"], "No such option"),
        (["chekc", "."], "there is no file or command 'chekc'; did you mean 'check'?"),
        (["--output-format", "sarf"], "'sarf' is not one of"),
        (["shapes", "gone.py"], "gone.py: no such file or directory"),
        (["rule"], "give the code of a rule, or --all"),
        (["rule", "LST1"], "LST1 stands for several rules: LST101, LST102"),
        (["rule", "E501"], "unknown code 'E501'"),
        (["calc", "--hidden-size", "x+1"], "--hidden-size: expected a number or a name, not 'x+1'"),
    ],
)
def test_misuse_ends_with_2(lint: Run, arguments: list[str], message: str) -> None:
    done = lint(*arguments)
    assert done.returncode == 2
    assert message in done.stderr


def test_the_other_files_are_still_checked(lint: Run, wrong: Path) -> None:
    done = lint("--confirm", "never", "gone.py", "wrong.py")
    assert done.returncode == 2
    assert "LST101" in done.stdout


def test_a_setting_that_cannot_be_used(lint: Run, right: Path, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.lstm-lint]\nselct = []\n", encoding="utf-8")
    done = lint("right.py")
    assert done.returncode == 2
    assert "pyproject.toml: [tool.lstm-lint] has no key 'selct'; did you mean 'select'?" in done.stderr
    assert lint("--isolated", "right.py").returncode == 0


def test_settings_apply(lint: Run, wrong: Path, tmp_path: Path) -> None:
    table = '[tool.lstm-lint]\nconfirm = "never"\noutput-format = "concise"\nper-file-ignores = { "tests/" = ["LST1"] }\n'
    (tmp_path / "pyproject.toml").write_text(table, encoding="utf-8")
    (tmp_path / "tests").mkdir()
    (tmp_path / "tests" / "wrong.py").write_text(WRONG, encoding="utf-8")
    done = lint(".")
    assert [line.split(":")[0] for line in done.stdout.splitlines()[:-1]] == ["wrong.py"]
    shown = lint("--show-settings", "--ignore", "LST2").stdout
    assert 'confirm = "never"' in shown
    assert 'ignore = ["LST2"]' in shown


# -- the terminal ------------------------------------------------------------------------------------------------------
def test_colours_only_where_they_are_wanted(lint: Run, wrong: Path) -> None:
    assert "\x1b" not in lint("--confirm", "never", "wrong.py").stdout
    assert "\x1b[1;31m[error]" in lint("--confirm", "never", "wrong.py", FORCE_COLOR="1").stdout
    assert "\x1b" not in lint("--confirm", "never", "wrong.py", FORCE_COLOR="1", NO_COLOR="1").stdout


def test_a_terminal_that_knows_only_ascii(lint: Run, tmp_path: Path) -> None:
    text = WRONG.replace("h_0", "zustand_größe")
    (tmp_path / "größe.py").write_text(text, encoding="utf-8")
    done = lint("--confirm", "never", ".", PYTHONIOENCODING="ascii", PYTHONUTF8="0")
    assert done.returncode == 1
    assert "gr\\xf6\\xdfe.py:5:" in done.stdout


def test_a_reader_that_stops_reading(tmp_path: Path) -> None:
    for number in range(40):
        (tmp_path / f"m{number}.py").write_text(WRONG, encoding="utf-8")
    command = f"'{sys.executable}' -m lstm_lint check --no-cache --confirm never . | head -n 1"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-o", "pipefail", "-c", command], cwd=tmp_path, capture_output=True, text=True, env=env)
    assert done.stdout.count("\n") == 1
    assert done.stderr == ""


def test_a_closed_pipe() -> None:
    command = f"'{sys.executable}' -m lstm_lint rule --all | true"
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(["bash", "-c", command], capture_output=True, text=True, env=env)
    assert (done.stdout, done.stderr) == ("", "")


INTERRUPTED = """
import os, runpy, signal, sys, time, types
def read():
    os.kill(os.getpid(), signal.SIGINT)
    time.sleep(30)
sys.stdin = types.SimpleNamespace(buffer=types.SimpleNamespace(read=read))
sys.argv = ["lstm-lint", "-"]
runpy.run_module("lstm_lint", run_name="__main__")
"""


def test_ctrl_c(tmp_path: Path) -> None:
    """While it waits for standard input."""
    env = {**os.environ, "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", INTERRUPTED], capture_output=True, text=True, cwd=tmp_path, env=env, timeout=60
    )
    assert (done.returncode, done.stdout, done.stderr.strip()) == (130, "", "lstm-lint: interrupted")


# -- the other commands ------------------------------------------------------------------------------------------------
def test_version(lint: Run) -> None:
    assert lint("--version").stdout == f"lstm-lint {__version__}\n"


def test_help(lint: Run) -> None:
    assert "lstm-lint PATHS is short for lstm-lint check PATHS" in lint("--help").stdout
    for option in ("--select", "--confirm", "--stdin-filename", "--no-cache", "--show-settings"):
        assert option in lint("check", "--help").stdout


def test_rule(lint: Run) -> None:
    by_code = lint("rule", "LST101")
    assert by_code.returncode == 0
    assert by_code.stdout.startswith("LST101 state-layers (error)\n\n")
    assert lint("rule", "state-layers").stdout == by_code.stdout
    everything = lint("rule", "--all").stdout
    assert [code for code in RULES if f"{code} {RULES[code].name} (" not in everything] == []


def test_calc_in_numbers(lint: Run) -> None:
    arguments = "--input-size 28 --hidden-size 4 --num-layers 2 --bidirectional --batch-first --batch 10 --sequence 3"
    done = lint("calc", *arguments.split())
    rows = dict(line.strip().split(None, 1) for line in done.stdout.splitlines()[1:])
    assert rows["input"] == "(10, 3, 28)"
    assert rows["h_0"] == rows["c_n"] == "(4, 10, 4)"
    assert rows["output"] == "(10, 3, 8)"
    assert (rows["weight_ih_l0"], rows["weight_ih_l1"], rows["weight_hh_l0"]) == ("(16, 28)", "(16, 8)", "(16, 4)")


def test_calc_in_names(lint: Run) -> None:
    done = lint("calc", "--hidden-size", "H", "--num-layers", "L", "--proj-size", "0", "--unbatched", "--output-format", "json")
    document = json.loads(done.stdout)
    assert document["shapes"]["input"] == ["T", "input_size"]
    assert document["shapes"]["h_0"] == ["L", "H"]
    assert document["weights"]["weight_hh_l0"] == ["H*4", "H"]


def test_calc_of_a_cell_and_of_what_torch_refuses(lint: Run) -> None:
    cell = lint("calc", "--layer", "GRUCell", "--input-size", "3", "--hidden-size", "5").stdout
    assert "h_1        (N, 5)" in cell
    done = lint("calc", "--input-size", "3", "--hidden-size", "4", "--proj-size", "4")
    assert done.returncode == 2
    assert "proj_size (4) has to be smaller than hidden_size (4)" in done.stderr


def test_shapes(lint: Run, wrong: Path) -> None:
    text = lint("shapes", "wrong.py")
    assert text.returncode == 0
    assert "wrong.py:4:" in text.stdout
    assert "(2, 10, 4), expected (4, 10, 4): mismatch" in text.stdout
    document = json.loads(lint("shapes", "--output-format", "json", "wrong.py").stdout)
    [site], [call] = document["sites"], document["calls"]
    assert (site["layer"], site["target"], site["config"]["bidirectional"]) == ("LSTM", "lstm", "True")
    assert site["weights"]["weight_ih_l1"] == ["16", "8"]
    assert call["site"] == 0
    assert call["h_0"] | {"why": None} == {
        "given": True,
        "expected": ["4", "10", "4"],
        "actual": ["2", "10", "4"],
        "status": "mismatch",
        "why": None,
    }
    assert call["c_0"]["status"] == "match"
    assert call["output"] == ["3", "10", "8"]


@pytest.mark.torch
def test_the_demo(lint: Run, tmp_path: Path) -> None:
    done = lint(
        "check", "--exit-zero", "--no-cache", "--output-format", "json", "-o", "demo.json", str(ROOT / "fixtures" / "demo")
    )
    assert done.returncode == 0, done.stderr
    verify = [sys.executable, str(ROOT / "fixtures" / "verify_demo.py"), str(tmp_path / "demo.json")]
    verified = subprocess.run(verify, capture_output=True, text=True)
    assert verified.returncode == 0, verified.stdout
