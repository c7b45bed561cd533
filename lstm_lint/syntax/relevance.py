"""Which top-level definitions of a file can have to do with a recurrent layer at all, found by names.

A statement matters if it mentions a layer's name, or a name that a statement that matters binds. What does not matter need not
be entered on its own: without such a name no layer can be built there. (It is still followed where code that matters calls it.)
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

LAYERS = frozenset({"LSTM", "GRU", "RNN", "LSTMCell", "GRUCell", "RNNCell"})
LONGEST_NAME = 40  # a string longer than that is prose, not a name for getattr


@dataclass(frozen=True)
class Statement:
    """A statement at module level by its names: those it binds, and all that it mentions."""

    bound: frozenset[str]
    mentioned: frozenset[str]


def relevant_names(statements: Iterable[Statement], imported: frozenset[str] = frozenset()) -> frozenset[str]:
    """The names bound at module level that can have to do with a layer, and `MARK`; empty if nothing in the file can.

    `imported`: names that imports bind to things of other files that can.
    """
    mentioning: dict[str, list[Statement]] = {}
    for statement in statements:
        for name in statement.mentioned:
            mentioning.setdefault(name, []).append(statement)
    relevant = set(imported)
    names = [*LAYERS, *imported]
    while names:
        for statement in mentioning.pop(names.pop(), ()):
            relevant.update(statement.bound, (MARK,))
            names.extend(statement.bound)
    return frozenset(relevant)


MARK = "<a layer>"
"""Stands among the relevant names for the mention itself, so that they are not empty where nothing is bound."""
