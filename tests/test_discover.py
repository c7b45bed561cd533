"""Which files are looked at, and how their bytes become text."""

from __future__ import annotations

import os
import socket
import subprocess
from pathlib import Path

import pytest

from lstm_lint.config import Settings
from lstm_lint.discover import Unreadable, decode, discover, mentions_recurrent_layer, missing, read_source
from lstm_lint.source import Source, Span


@pytest.fixture(autouse=True)
def inside(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


def make(*names: str, text: str = "") -> None:
    for name in names:
        Path(name).parent.mkdir(parents=True, exist_ok=True)
        Path(name).write_text(text, encoding="utf-8")


def found(*paths: str, **settings: object) -> list[str]:
    result = discover(paths, Settings(os.getcwd(), **settings).filter)  # type: ignore[arg-type]
    assert result.failures == ()
    return list(result.files)


def test_folders_are_walked_in_order() -> None:
    make("b.py", "a.py", "a/z.py", "a/b/c.py", "a/notes.txt", "c.pyc", "d.pyi")
    assert found(".") == ["a.py", "b.py", "a/z.py", "a/b/c.py"]
    assert found("a") == ["a/z.py", "a/b/c.py"]
    assert found("./a/") == ["./a/z.py", "./a/b/c.py"]
    assert found(os.path.abspath("a")) == [os.path.abspath("a/z.py"), os.path.abspath("a/b/c.py")]


def test_each_file_once_as_it_was_given_first() -> None:
    make("a.py", "b.py")
    assert found("./b.py", ".", "a.py") == ["./b.py", "a.py"]


def test_a_named_file_needs_no_suffix() -> None:
    make("script", ".venv/x.py")
    assert found("script", ".venv/x.py") == ["script", ".venv/x.py"]


def test_usual_folders_are_left_out() -> None:
    make("a.py", ".venv/lib/x.py", "node_modules/x.py", "src/build/x.py", "src/builder.py", ".git/x.py", "pkg/__pycache__/x.py")
    assert found(".") == ["a.py", "src/builder.py"]


def test_a_folder_that_is_named_is_looked_into() -> None:
    make("build/x.py", "build/build/y.py", "build/sub/z.py")
    assert found("build") == ["build/x.py", "build/sub/z.py"]
    assert found("build", force_exclude=True) == []
    assert found("build/x.py", force_exclude=True) == []


def test_exclude_and_extend_exclude() -> None:
    make("a.py", "gen/a.py", "gen/b.py", "build/c.py")
    assert found(".", extend_exclude=("gen/a.py",)) == ["a.py", "gen/b.py"]
    assert found(".", exclude=("gen",)) == ["a.py", "build/c.py"]
    assert found(".", extend_exclude=("/a.py",)) == ["gen/a.py", "gen/b.py"]
    assert found(".", extend_exclude=("*", "!gen/", "!gen/b.py")) == ["gen/b.py"]


def test_gitignore() -> None:
    os.mkdir(".git")
    make("a.py", "out/b.py", "src/gen.py", "src/keep.py", "src/sub/gen.py")
    Path(".gitignore").write_text("# ours\n/out/\ngen.py\n", encoding="utf-8")
    assert found(".") == ["a.py", "src/keep.py"]
    assert found("src") == ["src/keep.py"]
    Path("src/sub/.gitignore").write_text("!gen.py\n", encoding="utf-8")
    assert found(".") == ["a.py", "src/keep.py", "src/sub/gen.py"]
    assert found(".", respect_gitignore=False) == ["a.py", "out/b.py", "src/gen.py", "src/keep.py", "src/sub/gen.py"]
    assert found("out") == ["out/b.py"]
    assert found("out/b.py") == ["out/b.py"]
    assert found("out/b.py", "a.py", force_exclude=True) == ["a.py"]


def test_gitignore_of_the_repository_only() -> None:
    """What stands above the repository's top, or where there is none, does not count for its folders."""
    make("repo/a.py")
    os.mkdir("repo/.git")
    Path(".gitignore").write_text("a.py\n", encoding="utf-8")
    assert found("repo") == ["repo/a.py"]
    Path("repo/.git/info").mkdir()
    Path("repo/.git/info/exclude").write_text("a.py\n", encoding="utf-8")
    assert found("repo") == []


@pytest.mark.parametrize(
    "lines",
    [
        ["*", "!*/", "!*.py", "drop.py"],
        ["*", "!a/", "!a/keep.py"],
        ["/*", "!/a/", "/a/*", "!/a/keep.py"],
        ["a/", "!a/keep.py"],
        ["a/*", "!a/keep.py"],
        ["**/b", "!c"],
        ["a/**/drop.py", "\\#x.py", "[kd]*.py", "  "],
        ["dr?p.py ", "!a/b/drop.py", "c/"],
        ["*.py", "!/keep.py", "!a/b/c/"],
        ["a/**", "!a/keep.py", "[!#]rop.py", "[a]/b"],
        ["**/c/*.py", "a/**/c", "[", "k[a-f]ep.py"],
        ["**", "!**/", "!a/**/*.py"],
    ],
)
def test_gitignore_as_git_reads_it(lines: list[str]) -> None:
    folders = ["", "a/", "a/b/", "a/b/c/", "c/"]
    make(*(f"{folder}{name}.py" for folder in folders for name in ("keep", "drop", "#x")))
    Path(".gitignore").write_text("\n".join(lines), encoding="utf-8")
    subprocess.run(["git", "init", "-q"], check=True)
    listed = subprocess.run(
        ["git", "ls-files", "--others", "--exclude-standard", "*.py"], check=True, capture_output=True, text=True
    )
    assert sorted(found(".")) == sorted(listed.stdout.replace('"', "").splitlines())


def test_links() -> None:
    make("real/a.py")
    os.symlink(".", "real/self")
    os.symlink("..", "real/up.py")
    os.symlink("a.py", "real/link.py")
    os.symlink("loop.py", "real/loop.py")
    os.symlink("nowhere", "real/.#a.py")
    assert found("real") == ["real/a.py", "real/link.py", "real/loop.py"]
    circle = read_source("real/loop.py")
    assert isinstance(circle, Unreadable)
    assert "too many levels of symbolic links" in circle.message


def test_paths_that_cannot_be_followed() -> None:
    make("a.py")
    os.symlink("loop", "loop")
    result = discover(["no.py", "loop", "a.py", "a\0b"], Settings(os.getcwd()).filter)
    assert result.files == ("a.py",)
    assert result.failures[:2] == ("no.py: no such file or directory", "loop: too many levels of symbolic links")
    assert "null" in result.failures[2]
    assert missing(["no.py", "a.py"]) == ["no.py: no such file or directory"]


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root may read everything")
def test_what_may_not_be_read() -> None:
    make("a.py", "closed/b.py")
    os.chmod("a.py", 0)
    os.chmod("closed", 0)
    try:
        result = discover(["."], Settings(os.getcwd()).filter)
        assert result.files == ("a.py",)
        assert result.failures == ("closed: permission denied",)
        source = read_source("a.py")
        assert isinstance(source, Unreadable) and source.message == "it cannot be read: permission denied"
    finally:
        os.chmod("closed", 0o700)


def test_what_is_no_file_is_not_opened() -> None:
    os.mkfifo("pipe.py")
    with socket.socket(socket.AF_UNIX) as server:
        server.bind("s.py")
        for name in ("pipe.py", "s.py", "."):
            source = read_source(name)
            assert isinstance(source, Unreadable) and source.message == "it is not a regular file"


def test_deep_folders() -> None:
    here = os.getcwd()
    for _ in range(300):
        os.mkdir("d")
        os.chdir("d")
    make("deep.py")
    os.chdir(here)
    assert found(".") == ["d/" * 300 + "deep.py"]


# -- bytes to text -----------------------------------------------------------------------------------------------------
@pytest.mark.parametrize("name", [b"nn.LSTM(", b"nn.GRUCell", b"RNN", b"getattr(nn, 'LSTM')", b"{'GRU': 1}"])
def test_files_that_name_a_layer(name: bytes) -> None:
    assert mentions_recurrent_layer(b"import torch\n" + name)


def test_files_that_do_not() -> None:
    assert not mentions_recurrent_layer(b"import torch\nlinear = torch.nn.Linear(3, 4)\n")
    assert not mentions_recurrent_layer(b"")


@pytest.mark.parametrize(
    ("data", "text"),
    [
        (b"", ""),
        (b"x = 1", "x = 1"),
        ("é = 'ü'\n".encode(), "é = 'ü'\n"),
        (b"\xef\xbb\xbfx = 1\n", "x = 1\n"),
        (b"a\r\nb\rc\n", "a\nb\nc\n"),
        ("# -*- coding: latin-1 -*-\ns = 'é'\n".encode("latin-1"), "# -*- coding: latin-1 -*-\ns = 'é'\n"),
        (
            "#!/usr/bin/python\n# vim: fileencoding=cp1252\n'€'".encode("cp1252"),
            "#!/usr/bin/python\n# vim: fileencoding=cp1252\n'€'",
        ),
        ("# coding: latin-1; é\n".encode("latin-1"), "# coding: latin-1; é\n"),
        (b"x = 1\n# coding: martian\n", "x = 1\n# coding: martian\n"),
        (b"\n\n# coding: martian\n", "\n\n# coding: martian\n"),
        ("# coding: gbk\n'长短期'\n".encode("gbk"), "# coding: gbk\n'长短期'\n"),
        (b"a\x0cb\x1cc\n", "a\x0cb\x1cc\n"),
    ],
)
def test_text(data: bytes, text: str) -> None:
    assert decode("a.py", data) == Source("a.py", text)


@pytest.mark.parametrize(
    ("data", "place", "message"),
    [
        (b"a = 1\nb = \0\n", (2, 5), "it is binary: it holds a null byte"),
        (b"a = 1\r\nb\n\nc = '\xe9'\n", (4, 6), "it is not UTF-8: byte 0xe9 at offset 15"),
        (b"a = '\xff'\n", (1, 6), "it is not UTF-8: byte 0xff at offset 5"),
        (b"\xef\xbb\xbf\n\n\nb\xe9\n", (4, 2), "it is not UTF-8: byte 0xe9 at offset 7"),
        (b"# coding: ascii\n\n\n'\xc3\xa9'\n", (4, 2), "it is not ascii: byte 0xc3 at offset 19"),
        (b"# coding: martian\n", (1, 1), "its declared encoding 'martian' does not exist"),
        (b"# coding: rot13\nvzcbeg\n", (1, 1), "its declared encoding cannot be used: "),
        (b"\xef\xbb\xbf# coding: latin-1\n", (1, 1), "it declares latin-1, but begins with the byte order mark of UTF-8"),
        ("LSTM".encode("utf-16"), (1, 1), "it is UTF-16, which Python does not read: save it as UTF-8"),
    ],
)
def test_what_is_no_text(data: bytes, place: tuple[int, int], message: str) -> None:
    result = decode("a.py", data)
    assert isinstance(result, Unreadable)
    line, column = place
    assert result.span == Span(line, column, line, column + 1)
    assert result.message.startswith(message)
