"""Tensors of lengths: which sequences they count, and whether one was taken off, which is each sequence's own last step.

What is told by is never a name: the lengths that a PackedSequence was made with (or gave back), through sorting, casting and
views; and what the sum of a mask counts.
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import replace

from lstm_lint.dims import ONE, Dim
from lstm_lint.lineage import COUNTED, ENDS, LENGTHS, Numbers
from lstm_lint.ops.arguments import Op
from lstm_lint.shapes import Rest, Shape
from lstm_lint.values import Call, Int, Repeated, Slice, Tensor, Tuple, Unknown, Value, as_dim

NO_TENSOR = frozenset({".tolist", ".numpy"})
HELD = "numbers of"  # first part of the key of an Unknown that holds the same numbers in another form


def numbers_of(value: Value | None) -> Numbers | None:
    """What the integers in a tensor, a list or something from outside are. Things from outside count as lengths: their own."""
    match value:
        case Tensor(Shape((), Rest(key), ()), numbers=None, place=None, why=Unknown(key=whose) as source) if key == whose:
            return numbers_of(source)  # something from outside that was found to be a tensor
        case Tensor(numbers=numbers):
            return numbers
        case Unknown(dim=None, ratio=None):
            return Numbers(LENGTHS, _origin(value.key))
        case Unknown(dim=Dim() as dim):
            return _of_arithmetic(dim)
        case Tuple(items, "range"):
            return Numbers(COUNTED) if items == tuple(Int(Dim.of(i)) for i in range(len(items))) else None
        case Tuple(items) if items and all(isinstance(item, Int) for item in items):
            return Numbers(LENGTHS, items)
        case Repeated(Int(dim), kind="range", index=index):
            return Numbers(COUNTED) if index is not None and dim == Dim.of(index) else None
        case Repeated(Int() | Unknown() as item):
            return Numbers(LENGTHS, item)
        case _:
            return None


def _origin(key: Hashable) -> Hashable:
    """Whose numbers they are: ``lengths.tolist()`` holds those of ``lengths``."""
    match key:
        case ((inner, str(method)), "()", _) if method in NO_TENSOR:
            return _origin(inner)
        case (mark, inner, _) if mark == HELD:
            return inner
        case _:
            return key


def _of_arithmetic(dim: Dim) -> Numbers | None:
    """``lengths - 1`` of something from outside."""
    (symbol, *others) = dim.symbols or (None,)
    if symbol is None or others or not isinstance(symbol.key, tuple) or symbol.key[:1] != ("int",):
        return None
    return Numbers(ENDS, _origin(symbol.key[1])) if dim == Dim.of(symbol) - 1 else None


def numbered(op: Op, name: str) -> Op:
    """The op, its result with what its integers are."""
    short = name.rpartition(".")[2]
    rule = NUMBERED.get(short)
    if rule is None:
        return op

    def run(call: Call) -> Value:
        result = op(call)
        match result:
            case Tensor():
                return replace(result, numbers=rule(call))
            case Unknown() if f".{short}" in NO_TENSOR and (numbers := rule(call)) is not None:
                return replace(result, key=(HELD, numbers.of, short))
            case Tuple((Tensor() as values, *rest)):  # sort: the values
                return replace(result, items=(replace(values, numbers=rule(call)), *rest))
            case _:
                return result

    run.__doc__ = op.__doc__
    return run


def _kept(call: Call) -> Numbers | None:
    """The same integers, in another order, shape or dtype."""
    return numbers_of(call.positional[0] if call.positional else next(iter(call.keywords.values()), None))


def _one_less(call: Call) -> Numbers | None:
    """``lengths - 1``."""
    return _shifted(call, -1)


def _one_more(call: Call) -> Numbers | None:
    """``lengths + -1``; ``(lengths - 1) + 1`` and the like are not followed."""
    return _shifted(call, 1)


def _shifted(call: Call, sign: int) -> Numbers | None:
    numbers = numbers_of(call.positional[0])
    other = as_dim(call.positional[1]) if len(call.positional) > 1 else None
    if numbers is None or numbers.kind != LENGTHS or other is None or other * sign != -ONE:
        return None
    return replace(numbers, kind=ENDS)


def _counted(call: Call) -> Numbers | None:
    """``torch.arange(n)``: every index, from 0."""
    start = as_dim(call.positional[0]) if len(call.positional) > 1 else Dim.of(0)
    step = as_dim(call.argument(2, "step", Int(ONE)) or Int(ONE))
    return Numbers(COUNTED) if start == Dim.of(0) and step == ONE and "start" not in call.keywords else None


def _mask_counted(call: Call) -> Numbers | None:
    """``mask.sum(1)``: as many steps as are no padding."""
    source = call.positional[0] if call.positional else None
    over_axis = len(call.positional) > 1 or "dim" in call.keywords
    counts = isinstance(source, Unknown) or (isinstance(source, Tensor) and source.dtype in MASKS)
    return Numbers(LENGTHS) if over_axis and counts else None


MASKS = frozenset({"bool", "uint8", "int64", "int32", None})


def picked(key: Value, numbers: Numbers | None) -> Numbers | None:
    """What ``numbers[key]`` holds: the same in another order, or not all of them; None for one of them."""
    items = key.items if isinstance(key, Tuple) and key.kind == "tuple" else (key,)
    return None if any(not isinstance(item, Slice | Tensor) and as_dim(item) is not None for item in items) else numbers


NUMBERED: Mapping[str, Callable[[Call], Numbers | None]] = {
    **dict.fromkeys(
        (
            "to", "cpu", "cuda", "long", "int", "clone", "contiguous", "detach", "type", "type_as", "view", "reshape",
            "unsqueeze", "squeeze", "flatten", "expand", "expand_as", "repeat", "tile", "permute", "transpose", "t", "sort",
            "index_select",
            "flip", "tensor", "as_tensor", "from_numpy",
            "LongTensor", "IntTensor", "new_tensor", "Variable", "clamp", "tolist", "numpy",
        ),
        _kept,
    ),
    **dict.fromkeys(("sub", "subtract"), _one_less),
    "add": _one_more,
    "arange": _counted,
    **dict.fromkeys(("sum", "count_nonzero"), _mask_counted),
}  # fmt: skip
