"""A module in parts: what binds one name at module level (a function, a class, an assignment), and all other statements.

libcst parses far slower than Python, and of a module that is imported mostly one definition is asked for: only that is parsed,
and run, with what it asks for itself. An assignment is a part only if nothing else in the module can change what it gives.
A class that waits is in parts itself: its methods, and the rest of its body.
"""

from __future__ import annotations

import ast
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from lstm_lint.syntax.nesting import parsed, walk

SHORT = 1000
"""Characters of a text that is parsed at once as soon as it can be divided."""

FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DEFINITIONS = (*FUNCTIONS, ast.ClassDef)
IMPORTS = (ast.Import, ast.ImportFrom)
STARS = "*"


@dataclass(frozen=True)
class Part:
    """Some lines of a text, and their numbers in it.

    `methods` of a class wait as well, by name: their lines are not in its own. `in_class`: the text is a method, below a line
    that opens a class around it.
    """

    text: str
    lines: Sequence[int]
    methods: Mapping[str, Part] = field(default_factory=dict)
    in_class: bool = False


@dataclass(frozen=True)
class Parts:
    """What binds a name and can wait until that is asked for, by name; `rest` is everything around it."""

    rest: Part
    waiting: Mapping[str, Part]


def in_parts(text: str) -> Parts | None:
    """The parts of a module; None if it is best parsed as a whole."""
    module = parsed(text) if len(text) > SHORT else None
    if not isinstance(module, ast.Module) or "\r" in text.replace("\r\n", "\n"):
        return None
    waiting = _alone(module.body)
    if not waiting:
        return None
    lines = [line + "\n" for line in text.split("\n")]  # as Python counts them, which knows no other line ends
    rest = _without(range(1, len(lines) + 1), waiting)
    return Parts(
        Part(_text(lines, rest), rest), {name: _waiting(lines, statement, span) for name, (statement, span) in waiting.items()}
    )


def _waiting(lines: Sequence[str], statement: ast.stmt, span: range) -> Part:
    """A statement that waits; of a class that is long enough, its methods apart."""
    text = _text(lines, span)
    if not isinstance(statement, ast.ClassDef) or len(text) <= SHORT:
        return Part(text, span)
    methods = {name: one for name, one in _alone(statement.body).items() if isinstance(one[0], FUNCTIONS)}
    rest = _without(span, methods)
    own = _text(lines, rest)
    if len(methods) == len(statement.body):
        first = statement.body[0]
        own += lines[first.lineno - 1][: first.col_offset] + "pass\n"
        rest = [*rest, statement.lineno]
    return Part(own, rest, {name: _opened(lines, statement, inner) for name, (_, inner) in methods.items()})


def _opened(lines: Sequence[str], around: ast.ClassDef, span: range) -> Part:
    """A method, with a line that opens a class around it."""
    return Part("class _:\n" + _text(lines, span), [around.lineno, *span], in_class=True)


def _without(span: range, waiting: Mapping[str, tuple[ast.stmt, range]]) -> Sequence[int]:
    """The lines that are in none of those that wait."""
    taken = {number for _, lines in waiting.values() for number in lines}
    return [number for number in span if number not in taken]


def _text(lines: Sequence[str], numbers: Sequence[int]) -> str:
    return "".join(lines[number - 1] for number in numbers)


def _can_wait(body: Sequence[ast.stmt]) -> Mapping[str, ast.stmt]:
    """The statements that bind one name each, which nothing else binds, to something that does not depend on when they run.

    Stars that are imported later may bind the name anew.
    """
    bound = Counter(name for statement in body for name in _bound(statement))
    stars = [index for index, statement in enumerate(body) if STARS in _bound(statement)]
    named = [(name, one) for one in body[stars[-1] + 1 if stars else 0 :] if (name := _only_name(one))]
    candidates = {name: one for name, one in named if bound[name] == 1}
    kept = {*candidates.values(), *(one for one in body if isinstance(one, IMPORTS) or _is_constant(one))}
    changing = {name for name, count in bound.items() if count > 1}
    changing.update(name for one in body if one not in kept for name in _mentioned(one))
    objects = {name for name, one in candidates.items() if not isinstance(one, DEFINITIONS)}
    changing |= objects & {name for one in objects for name in _in_calls(candidates[one])}

    def is_settled(name: str, statement: ast.stmt) -> bool:
        return isinstance(statement, DEFINITIONS) or not changing & (set(_mentioned(statement)) - {name})

    return {name: statement for name, statement in candidates.items() if is_settled(name, statement)}


def _only_name(statement: ast.stmt) -> str:
    """The name that a definition or an assignment binds, if that is one and the value is more than a constant."""
    match statement:
        case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
            return name
        case _ if _is_constant(statement):
            return ""
        case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)) if not name.startswith("__"):
            return name
        case _:
            return ""


def _bound(statement: ast.stmt) -> Iterator[str]:
    """The names that a statement binds at module level, STARS for stars that it imports."""
    if isinstance(statement, DEFINITIONS):
        yield statement.name
        return
    for node in walk(statement):
        match node:
            case ast.Name(id=name, ctx=ast.Store() | ast.Del()):
                yield name
            case ast.alias(name=name, asname=bound):
                yield bound or name.partition(".")[0]
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                yield name
            case ast.ExceptHandler(name=str() as name) | ast.MatchAs(name=str() as name) | ast.MatchStar(name=str() as name):
                yield name


def _is_constant(statement: ast.stmt) -> bool:
    """Whether it binds one name to a constant, or to nothing."""
    match statement:
        case ast.Assign(targets=[ast.Name()], value=ast.Constant()) | ast.AnnAssign(ast.Name(), value=ast.Constant() | None):
            return True
        case _:
            return False


def _in_calls(statement: ast.stmt) -> Iterator[str]:
    """The names of what calls in a statement are given, or are methods of: they may change it."""
    return (name for node in walk(statement) if isinstance(node, ast.Call) for name in _mentioned(node))


def _mentioned(statement: ast.AST) -> Iterator[str]:
    return (node.id for node in walk(statement) if isinstance(node, ast.Name))


def _alone(body: Sequence[ast.stmt]) -> dict[str, tuple[ast.stmt, range]]:
    """The statements that can wait, by name, with their lines; without those that share a line with another."""
    lines = Counter(number for statement in body for number in {_lines(statement).start, _lines(statement).stop - 1})
    spans = {name: (statement, _lines(statement)) for name, statement in _can_wait(body).items()}
    return {name: (one, span) for name, (one, span) in spans.items() if lines[span.start] == lines[span.stop - 1] == 1}


def _lines(statement: ast.stmt) -> range:
    decorators = statement.decorator_list if isinstance(statement, DEFINITIONS) else []
    first = min([statement.lineno, *(decorator.lineno for decorator in decorators)])
    return range(first, (statement.end_lineno or first) + 1)
