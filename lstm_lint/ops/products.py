"""Products of matrices: ``matmul``, ``mm``, ``bmm``, ``einsum``, ``outer``, ``F.linear``."""

from __future__ import annotations

from lstm_lint.dims import Dim
from lstm_lint.ops.arguments import CannotTell, Op, both, given, lost, tensor, tensor_of
from lstm_lint.ops.dtypes import common_dtype
from lstm_lint.shapes import Shape, ShapeError, broadcast
from lstm_lint.values import Call, Str, Tensor, Tuple, Value


def product_of(call: Call, left: Tensor, right: Tensor, shape: Shape) -> Tensor:
    return Tensor(shape, common_dtype([left, right]), left.device, place=call.place, why=left.why or right.why)


def matching(left: Dim, right: Dim) -> None:
    """Raises ShapeError if the inner sizes of a product are different constants."""
    if left.constant is not None and right.constant is not None and left != right:
        raise ShapeError(f"mat1 and mat2 shapes cannot be multiplied ({left.text} against {right.text})")


def matmul(call: Call) -> Value:
    """``x @ y``, ``torch.matmul(x, y)``: vectors, matrices, and batches that broadcast."""
    left, right = tensor(call), tensor(call, 1, "other")
    shape = matmul_shape(left.shape, right.shape)
    if shape is None:
        return lost(call, "how the batches of a matrix product broadcast is not known", common_dtype([left, right]))
    return product_of(call, left, right, shape)


def matmul_shape(left: Shape, right: Shape) -> Shape | None:
    """The shape of a matrix product; None where it cannot be told. Raises ShapeError."""
    if left.rank == 0 or right.rank == 0:
        raise ShapeError("both arguments to matmul need to be at least 1D")
    if left.rank == 1 or right.rank == 1:
        return _with_vector(left, right)
    if right.rank == 2 and left.rank is None:
        matching(left.dim(-1), right.front[0])
        return left.replaced(-1, right.front[1])
    if left.rank is None or right.rank is None:
        return None
    matching(left.front[-1], right.front[-2])
    batch = broadcast(Shape(left.front[:-2]), Shape(right.front[:-2]))
    return None if batch is None else Shape((*batch.front, left.front[-2], right.front[-1]))


def _with_vector(left: Shape, right: Shape) -> Shape | None:
    if right.rank == 1:
        matching(left.dim(-1), right.front[0])
        return left.removed(-1) if left.rank is not None else None
    if right.rank is None:
        return None
    matching(left.front[0], right.dim(-2))
    return right.removed(-2)


def matrices(call: Call) -> Value:
    """``torch.mm(a, b)``, ``torch.bmm(a, b)``, ``torch.mv(a, v)``: of exactly so many axes."""
    left, right = tensor(call), tensor(call, 1, "vec" if call.name.endswith("mv") else "mat2")
    ranks = {"mm": (2, 2), "bmm": (3, 3), "mv": (2, 1)}[call.name.rpartition(".")[2]]
    a, b = left.shape.with_rank(ranks[0]), right.shape.with_rank(ranks[1])
    if a is None or b is None:
        raise ShapeError(f"{call.name} wants tensors of {ranks[0]} and {ranks[1]} axes")
    if ranks == (2, 1):
        matching(a.front[1], b.front[0])
        return product_of(call, left, right, Shape(a.front[:1]))
    matching(a.front[-1], b.front[-2])
    if len(a.front) == 3:
        matching(a.front[0], b.front[0])
    batch = b.front[:-2] if a.front[0].constant is None and b.front[0].constant is not None else a.front[:-2]
    return product_of(call, left, right, Shape((*batch, a.front[-2], b.front[-1])))


def added_product(call: Call) -> Value:
    """``torch.addmm(c, a, b)``, ``torch.baddbmm(c, a, b)``: the shape of the product."""
    left, right = tensor(call, 1, "mat1" if "addmm" in call.name else "batch1"), tensor(call, 2, "mat2")
    rank = 3 if "baddbmm" in call.name else 2
    a, b = left.shape.with_rank(rank), right.shape.with_rank(rank)
    if a is None or b is None:
        raise ShapeError(f"{call.name} wants {rank} axes")
    matching(a.front[-1], b.front[-2])
    if rank == 3:
        matching(a.front[0], b.front[0])
    shape = Shape((*a.front[:-1], b.front[-1]))
    added = tensor(call)
    if broadcast(added.shape, shape) not in (shape, None):
        raise ShapeError("the added tensor does not stretch to the product")
    return product_of(call, left, right, shape)


def dot(call: Call) -> Value:
    """``torch.dot(a, b)``: no axes."""
    left, right = tensor(call), tensor(call, 1, "tensor")
    a, b = left.shape.with_rank(1), right.shape.with_rank(1)
    if a is None or b is None:
        raise ShapeError("1D tensors expected")
    matching(a.front[0], b.front[0])
    return product_of(call, left, right, Shape())


def outer(call: Call) -> Value:
    """``torch.outer(a, b)``: (len(a), len(b))."""
    left, right = tensor(call), tensor(call, 1, "vec2")
    a, b = left.shape.with_rank(1), right.shape.with_rank(1)
    if a is None or b is None:
        raise ShapeError("outer: Expected 1-D arguments")
    return product_of(call, left, right, Shape((*a.front, *b.front)))


def linear(call: Call) -> Value:
    """``F.linear(x, weight, bias)``: the last axis becomes weight's first."""
    source, weight = tensor(call), tensor(call, 1, "weight")
    if weight.shape.rank == 1:
        matching(source.shape.dim(-1), weight.shape.front[0])
        return product_of(call, source, weight, source.shape.removed(-1))
    shape = weight.shape.with_rank(2)
    if shape is None or source.shape.rank == 0:
        raise ShapeError("linear wants a weight of two axes and an input of one at least")
    out, inner = shape.front
    matching(source.shape.dim(-1), inner)
    bias = given(call, 2, "bias")
    if isinstance(bias, Tensor) and bias.shape.rank == 1:
        if bias.shape.front[0].constant != 1:
            matching(bias.shape.front[0], out)
    elif isinstance(bias, Tensor) and bias.shape.rank is not None:
        raise CannotTell("a bias of several axes")
    return product_of(call, source, weight, source.shape.replaced(-1, out))


def einsum(call: Call) -> Value:
    """``torch.einsum('bij,bjk->bik', a, b)``: letters name the sizes; without an ellipsis."""
    equation = call.positional[0] if call.positional else None
    if not isinstance(equation, Str):
        raise CannotTell("the equation of einsum is not known")
    operands = call.positional[1:]
    if len(operands) == 1 and isinstance(operands[0], Tuple):
        operands = operands[0].items
    tensors = [tensor_of(value) for value in operands]
    text = equation.value.replace(" ", "")
    if "." in text:
        raise CannotTell("einsum with an ellipsis")
    left, arrow, right = text.partition("->")
    terms = left.split(",")
    if len(terms) != len(tensors):
        raise ShapeError("einsum(): more operands were provided than specified in the equation, or fewer")
    named = _named_sizes(terms, tensors)
    result = right if arrow else "".join(sorted(c for c in named if left.count(c) == 1))
    if any(c not in named for c in result) or len(set(result)) != len(result):
        raise ShapeError("einsum(): the output's letters must be letters of the operands, each once")
    source = tensors[0]
    shape = Shape(tuple(named[c] for c in result))
    return Tensor(shape, common_dtype(tensors), source.device, place=call.place, why=source.why)


def _named_sizes(terms: list[str], tensors: list[Tensor]) -> dict[str, Dim]:
    named: dict[str, Dim] = {}
    for letters, operand in zip(terms, tensors, strict=True):
        shape = operand.shape.with_rank(len(letters))
        if shape is None:
            raise ShapeError(f"einsum(): the operand of shape {operand.shape.text} has not {len(letters)} axes")
        for letter, size in zip(letters, shape.front, strict=True):
            before = named.get(letter)
            if before is None or before.constant is None or before.constant == 1:
                if not (before is not None and size.constant == 1):
                    named[letter] = size
            elif size.constant not in (None, 1, before.constant):
                raise ShapeError(f"einsum(): operands do not broadcast over {letter!r}: {before.text} and {size.text}")
    return named


ROWS: dict[str, Op] = {
    **both("matmul", matmul),
    **both("mm bmm mv", matrices),
    **both("addmm baddbmm", added_product),
    **both("dot", dot),
    **both("outer ger", outer),
    "torch.nn.functional.linear": linear,
    "torch.einsum": einsum,
}
OTHER_ROWS: dict[str, Op] = {}
