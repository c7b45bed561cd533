"""A ``**kwargs`` of unknown content: whoever asks for a name gets the same value, until it is taken out."""

from __future__ import annotations

import pytest

from lstm_lint.dims import Dim
from lstm_lint.interpret import interpret
from lstm_lint.keywords import argument_of, entry_of, identity_of, may_hold, without
from lstm_lint.source import Source
from lstm_lint.syntax.tree import parse
from lstm_lint.values import Int, Unknown

KEYWORDS = Unknown("k", "**options", owner="signature")
CONFIG = Unknown("c", "cfg", owner="signature")
ONE = Int(Dim.of(1))


def test_an_entry_and_an_argument_are_one_value() -> None:
    entry = entry_of(KEYWORDS, "num_layers", ONE)
    assert isinstance(entry, Unknown)
    assert (entry.name, entry.owner, entry.default) == ("num_layers", "signature", ONE)
    assert entry == argument_of(KEYWORDS, "num_layers", None)
    assert entry != entry_of(KEYWORDS, "hidden_size")


def test_an_entry_of_a_config_is_called_as_the_code_spells_it() -> None:
    entry = entry_of(CONFIG, "num_layers")
    assert isinstance(entry, Unknown)
    assert (entry.name, entry.owner) == ("cfg['num_layers']", None)


def test_what_was_taken_out_is_its_default() -> None:
    left = without(without(KEYWORDS, ["num_layers"]), ["bias"])
    assert entry_of(left, "num_layers", ONE) == ONE == argument_of(left, "num_layers", ONE)
    assert argument_of(left, "bias", None) is None
    assert entry_of(left, "dropout") == entry_of(KEYWORDS, "dropout")
    assert identity_of(left) == identity_of(KEYWORDS)
    assert not may_hold(left, "bias") and may_hold(left, "dropout")


@pytest.mark.parametrize(
    ("body", "layers"),
    [
        ("nn.GRU(3, 4, **kw)", "num_layers"),
        ("nn.GRU(3, 4, num_layers=kw['num_layers'])", "num_layers"),
        ("nn.GRU(3, 4, num_layers=kw.get('num_layers', 1))", "num_layers"),
        ("kw.pop('num_layers', 1); nn.GRU(3, 4, **kw)", "1"),
        ("kw.setdefault('num_layers', 2); nn.GRU(3, 4, **kw)", "num_layers"),
        ("kw['num_layers'] = 2; nn.GRU(3, 4, **kw)", "2"),
        ("inner(**kw)", "num_layers"),
        ("named(**kw)", "1"),
    ],
)
def test_what_the_layer_gets(body: str, layers: str) -> None:
    text = f"""
from torch import nn
def make(layer=nn.GRU, /, **kw):
    {body}
def inner(**others):
    return nn.GRU(3, 4, **others) if others is not None else None
def named(num_layers=5, **others):
    return nn.GRU(3, 4, **others)
"""
    facts = interpret(parse(Source("f.py", text)))
    first = facts.sites[0].config
    assert first is not None and first.num_layers.text == layers
