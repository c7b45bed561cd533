"""What ``unbind``, ``split`` and ``chunk`` took apart: one piece of it, by its number or by the counter of a loop."""

from __future__ import annotations

from dataclasses import replace

import libcst as cst

from lstm_lint.dims import Dim
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.rounds import counter
from lstm_lint.interpret.uses import note_use
from lstm_lint.lineage import loosened
from lstm_lint.ops.table import OPS
from lstm_lint.values import Call, Int, Pieces, Repeated, Tensor, Tuple, Value


def is_traced(sequence: Tuple | Repeated, pieces: Pieces, key: Value) -> bool:
    """Whether one piece of something that a recurrent layer gave is taken."""
    if pieces.source.lineage is None or not isinstance(key, Int):
        return False
    number, count = key.dim.constant, len(sequence.items) if isinstance(sequence, Tuple) else None
    return count is None or (number is not None and -count <= number < count)


def piece(it: Interpreter, sequence: Tuple | Repeated, pieces: Pieces, key: Value, node: cst.CSTNode) -> Value:
    """``x.unbind(1)[-1]`` is ``x.select(1, -1)``, ``x.chunk(2, -1)[0]`` is ``x.narrow(-1, 0, size)``."""
    assert isinstance(key, Int)
    call = _call_of(it, sequence, pieces, key.dim, node)
    return note_use(it, call, OPS[call.name](call))


def in_rounds(it: Interpreter, sequence: Tuple | Repeated, node: cst.CSTNode) -> Repeated | None:
    """Pieces that are all alike, with one of them written in the counter of a loop over it; None for anything else."""
    pieces = sequence.pieces
    if pieces is None or pieces.source.lineage is None or len(set(pieces.sizes)) > 1:
        return None
    length = Dim.of(len(sequence.items)) if isinstance(sequence, Tuple) else sequence.length
    index = counter(it, "i", length)
    alike = replace(pieces, sizes=pieces.sizes[:1])
    call = _call_of(it, sequence, alike, Dim.of(index), node)
    return Repeated(loose(OPS[call.name](call), pieces.source), length, sequence.kind, index)


def loose(item: Value, source: Tensor) -> Value:
    """An item of a tensor that a loop goes over: what is taken of it counts where the item is used."""
    if not isinstance(item, Tensor) or item.lineage is None or source.lineage is None:
        return item
    return replace(item, lineage=loosened(item.lineage, len(source.lineage.taken)))


def _call_of(it: Interpreter, sequence: Tuple | Repeated, pieces: Pieces, index: Dim, node: cst.CSTNode) -> Call:
    """The call that gives the piece at an index."""
    count = Dim.of(len(sequence.items)) if isinstance(sequence, Tuple) else sequence.length
    if not pieces.sizes:
        name, part = "torch.Tensor.select", [index]
    else:
        number = index if (index.constant or 0) >= 0 or count is None else index + count
        several = None if len(pieces.sizes) == 1 else number.constant
        size = pieces.size(several)
        assert size is not None
        name, part = "torch.Tensor.narrow", [number * size if several is None else pieces.begin(several), size]
    return it.call(name, node, (pieces.source, *(Int(dim) for dim in (Dim.of(pieces.axis), *part))), {})
