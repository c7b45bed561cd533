"""Positions: what is worked out for one statement alone is what libcst says of the whole file."""

from __future__ import annotations

from pathlib import Path

import libcst as cst
import pytest
from libcst.metadata import MetadataWrapper, PositionProvider

from lstm_lint.source import Source
from lstm_lint.syntax.tree import all_nodes, parse

FIXTURES = Path(__file__).parent.parent / "fixtures"
ODD = {
    "decorated": "# first\n\n@cache\n@other(\n    1,\n)\n\ndef f(x):\n    '''Two\n    lines.'''\n    return x\n",
    "semicolons": "a = 1; b = (2,\n  3); c = 4\nclass C: x = 1; y = 2\nd = 5\n",
    "class in parts": "@made\nclass C(\n    Base,\n):\n    '''What\n    it is.'''\n\n    a = 1; b = 2\n    # why\n"
    "    @property\n    def f(self):\n        pass\n\n    class D:\n        def g(self): pass\n\n"
    "async def h():\n    async with x as y: pass\n",
    "tabs": "class C:\n\tdef f(self):\n\t\treturn 1\n\tx = 2\n",
    "windows": "a = 1\r\nclass C:\r\n    def f(self):\r\n        return 1\r\n",
    "form feed": "a = 1\n\x0c\nclass C:\n    b = 2\n",
    "continued": "a = \\\n    1\nif a: pass\nelif b:\n    pass\nelse: c = '''\n'''\nd = 1",
    "empty": "",
    "unicode": "é = 'ü'\nclass Ü:\n    ö = 'é'; y = 1\n",
}


def whole_positions(module: cst.Module) -> dict[cst.CSTNode, object]:
    return dict(MetadataWrapper(module, unsafe_skip_copy=True).resolve(PositionProvider))


@pytest.mark.parametrize("name", ODD)
def test_a_node_stands_where_libcst_says(name: str) -> None:
    tree = parse(Source("net.py", ODD[name]))
    expected = whole_positions(tree.module)
    found = {node: tree.extent(node) for node in all_nodes(tree.module) if node in expected}
    assert found == {node: expected[node] for node in found}
    assert len(found) >= len(expected) / 5  # all but whitespace and punctuation


def test_a_node_of_each_fixture_stands_where_libcst_says() -> None:
    for path in sorted((FIXTURES / "real").glob("*.py")):
        tree = parse(Source(str(path), path.read_text()))
        expected = whole_positions(tree.module)
        assert [path for node in all_nodes(tree.module) if node in expected and tree.extent(node) != expected[node]] == []


def test_what_is_no_statement_stands_where_libcst_says() -> None:
    tree = parse(Source("net.py", ODD["class in parts"]))
    expected = whole_positions(tree.module)
    header = [node for node in expected if isinstance(node, cst.Module | cst.ClassDef | cst.Decorator)]
    assert len(header) == 5 and all(tree.extent(node) == expected[node] for node in header)
