"""What has a size of its own for the features that it is fed: layers, and products with a weight."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass

from lstm_lint.dims import ONE, Dim
from lstm_lint.facts import Use
from lstm_lint.values import FALSE, NoneValue, Str, Tensor, Tuple, Value, as_dim


@dataclass(frozen=True)
class Want:
    """One axis of a tensor, counted from behind, and the size that it has to have. `name` is what says so, in words.

    `consumer` is the class in torch.nn whose refusal shows a mistake; ``product`` for a product with a matrix. `parameter` is
    that of a layer's constructor which has the size, None of a product.
    """

    tensor: Tensor
    axis: int
    size: Dim
    name: str
    consumer: str
    parameter: str | None = None


def wanted(use: Use) -> Iterator[Want]:
    """Every axis that a use wants of a size."""
    short = use.name.rpartition(".")[2]
    if use.config is not None:
        if short in LAYERS:
            yield from LAYERS[short](use, use.config, short)
        return
    if short in PRODUCTS and use.name.startswith("torch."):
        yield from PRODUCTS[short](use)


# -- layers ----------------------------------------------------------------------------------------------------------
Reader = Callable[[Use, Mapping[str, Value], str], Iterator[Want]]


def _axis(position: int, parameter: str, argument: str, axis: int) -> Reader:
    """The axis of one argument, whose size is a parameter of the layer."""

    def read(use: Use, config: Mapping[str, Value], short: str) -> Iterator[Want]:
        tensor, size = use.argument(position, argument), as_dim(config[parameter])
        if isinstance(tensor, Tensor) and size is not None and tensor.shape.rank is not None:
            yield Want(tensor, axis, size, f"{parameter} of this {short}", short, parameter)

    return read


def _bilinear(use: Use, config: Mapping[str, Value], short: str) -> Iterator[Want]:
    yield from _axis(0, "in1_features", "input1", -1)(use, config, short)
    yield from _axis(1, "in2_features", "input2", -1)(use, config, short)


def _normalized(use: Use, config: Mapping[str, Value], short: str) -> Iterator[Want]:
    """The last of the sizes over which it normalizes."""
    sizes = config["normalized_shape"]
    last = sizes.items[-1] if isinstance(sizes, Tuple) and sizes.items else sizes
    yield from _axis(0, "normalized_shape", "input", -1)(use, {"normalized_shape": last}, short)


def _batch_norm(use: Use, config: Mapping[str, Value], short: str) -> Iterator[Want]:
    """Axis 1; not where it holds neither weights nor statistics."""
    tensor = use.argument(0, "input")
    bare = FALSE in (config["affine"], config["track_running_stats"])
    if isinstance(tensor, Tensor) and tensor.shape.rank in (2, 3) and not bare:
        yield from _axis(0, "num_features", "input", 1 - tensor.shape.rank)(use, config, short)


def _attention(use: Use, config: Mapping[str, Value], short: str) -> Iterator[Want]:
    yield from _axis(0, "embed_dim", "query", -1)(use, config, short)
    for position, argument, parameter in ((1, "key", "kdim"), (2, "value", "vdim")):
        own = "embed_dim" if isinstance(config[parameter], NoneValue) else parameter
        yield from _axis(position, own, argument, -1)(use, config, short)


def _decoder(use: Use, config: Mapping[str, Value], short: str) -> Iterator[Want]:
    yield from _axis(0, "d_model", "tgt", -1)(use, config, short)
    yield from _axis(1, "d_model", "memory", -1)(use, config, short)


LAYERS: Mapping[str, Reader] = {
    "Linear": _axis(0, "in_features", "input", -1),
    "Bilinear": _bilinear,
    "LayerNorm": _normalized,
    "RMSNorm": _normalized,
    "BatchNorm1d": _batch_norm,
    "Conv1d": _axis(0, "in_channels", "input", -2),
    "ConvTranspose1d": _axis(0, "in_channels", "input", -2),
    "MultiheadAttention": _attention,
    "TransformerEncoderLayer": _axis(0, "d_model", "src", -1),
    "TransformerDecoderLayer": _decoder,
}


# -- products --------------------------------------------------------------------------------------------------------
def _summed(left: Tensor, left_axis: int, right: Tensor, right_axis: int) -> Iterator[Want]:
    """Two axes that are summed over together: each wants what the other has."""
    a, b = left.shape.dims, right.shape.dims
    if a is None or b is None or not a or not b:
        return
    yield Want(left, left_axis, b[right_axis], "the other side's size in this product", "product")
    yield Want(right, right_axis, a[left_axis], "the other side's size in this product", "product")


def _pair(use: Use, first: int, second: int, right_axis: int | None) -> Iterator[Want]:
    left, right = use.argument(first, "input"), use.argument(second, "other")
    if isinstance(left, Tensor) and isinstance(right, Tensor) and left.shape.rank and right.shape.rank:
        axis = right_axis if right_axis is not None else -min(right.shape.rank, 2)
        yield from _summed(left, -1, right, axis)


def _einsum(use: Use) -> Iterator[Want]:
    """Axes of one letter; a size of 1 stretches."""
    equation, operands = use.argument(0, "equation"), use.arguments[1:]
    if len(operands) == 1 and isinstance(operands[0], Tuple):
        operands = operands[0].items
    if not isinstance(equation, Str) or "." in equation.value:
        return
    terms = equation.value.replace(" ", "").partition("->")[0].split(",")
    seen: dict[str, tuple[Tensor, int]] = {}
    for letters, operand in zip(terms, operands, strict=False):
        if not isinstance(operand, Tensor) or operand.shape.dims is None or len(letters) != len(operand.shape.dims):
            continue
        for position, letter in enumerate(letters):
            here, size = position - len(letters), operand.shape.dims[position]
            if letter in seen and ONE not in (size, _size(*seen[letter])):
                yield from _summed(*seen[letter], operand, here)
            seen.setdefault(letter, (operand, here))


def _size(tensor: Tensor, axis: int) -> Dim:
    assert tensor.shape.dims is not None
    return tensor.shape.dims[axis]


PRODUCTS: Mapping[str, Callable[[Use], Iterator[Want]]] = {
    **dict.fromkeys(("matmul", "mm", "bmm", "mv"), lambda use: _pair(use, 0, 1, None)),
    **dict.fromkeys(("addmm", "baddbmm"), lambda use: _pair(use, 1, 2, None)),
    "linear": lambda use: _pair(use, 0, 1, -1),
    "einsum": _einsum,
}
