"""Conditions in the words of the code, and those that nobody can name."""

from __future__ import annotations

import ast

from lstm_lint.dims import ZERO, Dim, Kind, Symbol

MET_ONCE = "fresh flag"  # first part of the key of a condition nobody can name
FRESH = "fresh"  # owner of a flag that stands for a condition nobody can name: no warning rests on it alone


def is_riddle(flag: Symbol, rounds: frozenset[Symbol]) -> bool:
    """Whether nobody can say when a flag holds. A condition on a running loop's counter does in its first or last round."""
    if flag.owner != FRESH:
        return False
    counters = [size for size in flag.spoken_of if size.kind is Kind.OPAQUE]
    if len(counters) != 1 or counters[0] not in rounds:
        return True
    if flag.spoken_of == (counters[0],):  # it is one round or another
        return False
    length = counters[0].key[2] if isinstance(counters[0].key, tuple) else None
    ends = [{counters[0]: ZERO}, *([{counters[0]: length - 1}] if isinstance(length, Dim) else [])]
    if flag.test is not None:
        return all((flag.test.substitute(end).constant or 1) > 0 for end in ends)
    return not (isinstance(flag.subject, Dim) and any(flag.subject.substitute(end).constant == flag.equals for end in ends))


def is_about_a_rank(flag: Symbol) -> bool:
    """Whether a flag says how many axes a tensor from outside has (see `lstm_lint.shapes.rank_symbol`)."""
    return isinstance(flag.subject, Dim) and all(
        isinstance(size.key, tuple) and size.key[:1] == ("rank",) for size in flag.subject.symbols
    )


def flag_text(flag: Symbol, value: int) -> str:
    """``bidirectional=True``, ``num_layers > 1``, ``kind != 'lstm'``."""
    if flag.name.replace(".", "").replace("_", "").isalnum():
        return f"{flag.name}={bool(value)}"
    return flag.name if value else _opposite(flag.name)


OPPOSITES: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.Is: ast.IsNot,
    ast.In: ast.NotIn,
    ast.Lt: ast.GtE,
    ast.Gt: ast.LtE,
}


OPPOSITES |= {opposite: operator for operator, opposite in OPPOSITES.items()}


def _opposite(condition: str) -> str:
    """``num_layers <= 1`` for ``num_layers > 1``: a condition's opposite as the code would say it."""
    try:
        node = ast.parse(condition, mode="eval").body
    except (SyntaxError, ValueError):
        return f"not ({condition})"
    match node:
        case ast.Compare(ops=[operator]) if type(operator) in OPPOSITES:
            node.ops = [OPPOSITES[type(operator)]()]
            return ast.unparse(node)
        case ast.UnaryOp(ast.Not(), operand):
            return ast.unparse(operand)
        case _:
            return ast.unparse(ast.UnaryOp(ast.Not(), node))
