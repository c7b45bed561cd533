"""From remedies to edits: the only place where a fix meets the syntax. A remedy that does not fit its place gives no fix."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from lstm_lint.discover import Unreadable
from lstm_lint.findings import Edit, Fix
from lstm_lint.fixes import arguments, outputs, states, wrappers
from lstm_lint.fixes.syntax import Syntax, syntax_of
from lstm_lint.project import Project
from lstm_lint.remedies import (
    BatchFirst,
    CountLayers,
    DropArgument,
    DropZeros,
    JoinDirections,
    JoinEnds,
    MoveIndex,
    NameArgument,
    NestState,
    Remedy,
    SetSize,
    SwapSizes,
    UnfoldSamples,
    Unwrap,
)
from lstm_lint.syntax.tree import Tree, Unparsable, parse

Edits = tuple[Edit, ...]

WRITERS: dict[type[Remedy], Callable[[Any, Syntax], Edits | None]] = {
    DropArgument: arguments.drop_argument,
    NameArgument: arguments.name_argument,
    SetSize: arguments.set_size,
    DropZeros: states.drop_zeros,
    CountLayers: states.count_layers,
    SwapSizes: states.swap_sizes,
    Unwrap: wrappers.unwrap,
    MoveIndex: outputs.move_index,
    JoinEnds: outputs.join_ends,
    JoinDirections: outputs.join_directions,
    NestState: outputs.nest_state,
    BatchFirst: outputs.batch_first,
    UnfoldSamples: states.unfold_samples,
}


def writer_of_fixes(tree: Tree, project: Project) -> Callable[[Remedy], Fix | None]:
    """What turns the remedies for one analysed file, and for those that it imports, into fixes."""

    def fix_for(remedy: Remedy) -> Fix | None:
        found = tree if remedy.place.path == tree.source.path else _imported(remedy.place.path, project)
        edits = WRITERS[type(remedy)](remedy, syntax_of(found)) if found is not None else None
        return Fix(remedy.safe, edits) if edits else None

    return fix_for


def _imported(path: str, project: Project) -> Tree | None:
    source = project.source(path)
    if isinstance(source, Unreadable):
        return None
    try:
        return parse(source)
    except Unparsable:
        return None
