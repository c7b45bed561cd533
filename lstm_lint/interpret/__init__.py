"""The abstract interpreter: a libcst tree in, facts out. The tables below say which function understands which syntax."""

from __future__ import annotations

from math import inf
from weakref import WeakKeyDictionary

import libcst as cst

from lstm_lint.dims import multiplied, substituted
from lstm_lint.facts import Facts
from lstm_lint.interpret import (
    attributes,
    calls,
    conditions,
    definitions,
    expressions,
    loops,
    names,
    operators,
    statements,
    subscripts,
)
from lstm_lint.interpret.engine import Handler, Interpreter, StatementHandler, Tables
from lstm_lint.interpret.entries import run
from lstm_lint.interpret.world import World
from lstm_lint.judge import judge
from lstm_lint.project import Project
from lstm_lint.proofs.conditions import implied
from lstm_lint.syntax.tree import Tree

EXPRESSIONS: dict[type[cst.CSTNode], Handler] = {
    cst.Name: names.eval_name,
    cst.Attribute: attributes.eval_attribute,
    cst.Call: calls.eval_call,
    cst.Subscript: subscripts.eval_subscript,
    cst.BinaryOperation: operators.eval_binary,
    cst.UnaryOperation: operators.eval_unary,
    cst.BooleanOperation: conditions.eval_boolean,
    cst.Comparison: conditions.eval_comparison,
    cst.IfExp: conditions.eval_conditional,
    cst.Tuple: expressions.eval_tuple,
    cst.List: expressions.eval_list,
    cst.Set: expressions.eval_set,
    cst.Dict: expressions.eval_dict,
    cst.ListComp: expressions.eval_comprehension,
    cst.GeneratorExp: expressions.eval_comprehension,
    cst.SetComp: expressions.eval_comprehension,
    cst.DictComp: expressions.eval_dict_comprehension,
    cst.Integer: expressions.eval_integer,
    cst.Float: expressions.eval_float,
    cst.Imaginary: expressions.eval_imaginary,
    cst.SimpleString: expressions.eval_string,
    cst.ConcatenatedString: expressions.eval_string,
    cst.FormattedString: expressions.eval_formatted,
    cst.Ellipsis: expressions.eval_ellipsis,
    cst.Lambda: expressions.eval_lambda,
    cst.NamedExpr: expressions.eval_named,
    cst.Await: expressions.eval_await,
    cst.Yield: expressions.eval_yield,
}

STATEMENTS: dict[type[cst.CSTNode], StatementHandler] = {
    cst.SimpleStatementLine: statements.execute_line,
    cst.SimpleStatementSuite: statements.execute_line,
    cst.Expr: statements.execute_expression,
    cst.Assign: statements.execute_assign,
    cst.AnnAssign: statements.execute_annotated,
    cst.AugAssign: statements.execute_augmented,
    cst.Return: statements.execute_return,
    cst.Raise: statements.execute_raise,
    cst.Break: statements.execute_jump,
    cst.Continue: statements.execute_jump,
    cst.Pass: statements.execute_nothing,
    cst.Del: statements.execute_delete,
    cst.Assert: statements.execute_assert,
    cst.Global: statements.execute_global,
    cst.Nonlocal: statements.execute_nonlocal,
    cst.Import: names.execute_import,
    cst.ImportFrom: names.execute_import_from,
    cst.If: statements.execute_if,
    cst.Match: statements.execute_match,
    cst.For: loops.execute_for,
    cst.While: loops.execute_while,
    cst.With: statements.execute_with,
    cst.Try: statements.execute_try,
    cst.TryStar: statements.execute_try,
    cst.FunctionDef: definitions.execute_function,
    cst.ClassDef: definitions.execute_class,
    cst.TypeAlias: statements.execute_nothing,
}

TABLES = Tables(EXPRESSIONS, STATEMENTS, calls.call_value)


def interpret(
    tree: Tree,
    strict: bool = False,
    relevant: frozenset[str] | None = None,
    project: Project | None = None,
    deadline: float = inf,
) -> Facts:
    """Everything one file says about recurrent layers, its own and those of files that it imports from the `project`.

    `strict` raises on syntax that is not understood, for tests.

    `relevant`: the names at module level that can have to do with a layer (`syntax.relevance`); None for all.
    `deadline`: the processor time of this thread, in seconds, at which the analysis ends where it stands.
    """
    for cached in (multiplied, substituted, implied, judge):
        cached.cache_clear()  # every file numbers its symbols anew: what another file's are called says nothing of this one's
    return run(Interpreter(tree, TABLES, project, strict, relevant, deadline, world=_world_of(project)))


_WORLDS: WeakKeyDictionary[Project, World] = WeakKeyDictionary()


def _world_of(project: Project | None) -> World:
    """What the files of one project share, as long as that does not hold too much."""
    if project is None:
        return World()
    world = _WORLDS.get(project)
    if world is None or world.is_full:
        world = _WORLDS[project] = World()
    return world
