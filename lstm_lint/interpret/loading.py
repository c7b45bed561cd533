"""``torch.utils.data``: data sets by their length, and loaders as a sequence of batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Kind, Symbol, where
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.attributes import attribute_of, find_in_class
from lstm_lint.interpret.builtin_values import builtin_len
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.expressions import new_list
from lstm_lint.interpret.operators import it_contents
from lstm_lint.interpret.rounds import at
from lstm_lint.ops.arguments import condition
from lstm_lint.ops.loading import BATCH, PARAMETERS, SAMPLE, Loader, collated_key
from lstm_lint.shapes import Shape
from lstm_lint.values import (
    FALSE,
    NONE,
    Bool,
    Dict,
    External,
    Float,
    Function,
    Int,
    Partial,
    Ref,
    Repeated,
    Tensor,
    Tuple,
    Unknown,
    Value,
    as_dim,
    as_tensor,
)

Builtin = Callable[[Interpreter, Arguments, cst.CSTNode], Value]


def data_loader(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``DataLoader(dataset, batch_size)``: any number of batches; whose they are stands in their key."""
    given = _by_name(arguments, PARAMETERS)
    name = f"a batch of {it.target or it.place(node).text}"
    reason = "what a DataLoader gives is not followed"
    loader = None if arguments.rest is not None else _loader(it, given, node)
    key = ("batch", it.number()) if loader is None else (BATCH, loader)
    batch = Unknown(key, name, reason, it.place(node))
    collate, known = given.get("collate_fn", NONE), None
    if isinstance(collate, Function | Partial | Ref) and arguments.rest is None:
        known = _by_their_own(it, collate, given.get("dataset"), loader, node)
    elif loader is not None and loader.stacks:
        sample = sample_of(it, given.get("dataset"), node)
        known = None if sample is None else _collated(it, sample, loader, batch, ())
    return Repeated(batch if known is None else known, None, "loader")


def _by_their_own(
    it: Interpreter, collate: Value, dataset: Value | None, loader: Loader | None, node: cst.CSTNode
) -> Value | None:
    """What a ``collate_fn`` in sight makes of a list of samples; None if that is not known."""
    sample = sample_of(it, dataset, node)
    if sample is None or isinstance(sample, Unknown):
        reason = "what the samples of this data set are is not known"
        key = (("samples", it.number()), "item", it.number()) if sample is None else sample.key
        sample = Unknown(key, "a sample", reason, it.place(node), Kind.RUNTIME)
    samples = new_list(it, Repeated(sample, loader.size if loader is not None else None))
    made = it.apply(collate, Arguments((samples,)), node)
    return None if isinstance(made, Unknown) or made == NONE else made


def _by_name(arguments: Arguments, parameters: Sequence[str]) -> dict[str, Value]:
    return dict(zip(parameters, arguments.positional, strict=False)) | dict(arguments.keywords)


def _loader(it: Interpreter, given: Mapping[str, Value], node: cst.CSTNode) -> Loader | None:
    """The loader, if it is known how large its batches are."""
    count = given.get("batch_size", Int(ONE))
    size = None if isinstance(count, Unknown) and count.default == NONE else as_dim(count)
    if size is None or given.get("batch_sampler", NONE) != NONE:
        return None
    return Loader(
        size,
        None if given.get("sampler", NONE) != NONE else _length(it, given.get("dataset"), node),
        it.place(node),
        it.number(),
        keeps_last=condition(given.get("drop_last", FALSE)) == ZERO,
        stacks=given.get("collate_fn", NONE) in COLLATES,
        shuffles=condition(given.get("shuffle", FALSE)) == ONE,
    )


COLLATES = (NONE, *(External(f"torch.utils.data.{module}default_collate") for module in ("", "dataloader.", "_utils.collate.")))


def _collated(it: Interpreter, sample: Value, loader: Loader, batch: Unknown, part: tuple[int | str, ...]) -> Value:
    """What torch's ``default_collate`` makes of samples like this one. Source: torch/utils/data/_utils/collate.py."""

    def inner(item: Value, index: int | str) -> Value:
        return _collated(it, item, loader, batch, (*part, index))

    content = it_contents(it, it.settled(sample))
    match content:
        case Tensor(shape):
            return Tensor(shape.inserted(0, loader.size), content.dtype, content.device, place=batch.place)
        case Tuple(items, "tuple" | "list"):
            return Tuple(tuple(inner(item, index) for index, item in enumerate(items)), "list")
        case Dict(items, None):
            return Dict({key: inner(item, key) for key, item in items.items()})
        case Int() | Float() | Bool():
            dtype = {Int: "int64", Float: "float64", Bool: "bool"}[type(content)]
            return Tensor(Shape((loader.size,)), dtype, "cpu", place=batch.place)
        case _:
            return replace(batch, key=collated_key(loader, part))


def sample_of(it: Interpreter, dataset: Value | None, node: cst.CSTNode) -> Value | None:
    """One sample of a data set; None if nothing is known of it."""
    if isinstance(dataset, Ref) and (cls := it.world.classes.get(dataset.number)) is not None:
        if find_in_class(it, cls, "__getitem__") is None or find_in_class(it, cls, "__getitems__") is not None:
            return None
        index = Unknown((SAMPLE, it.number()), "index", "which sample it is", it.place(node))
        return it.apply(attribute_of(it, dataset, "__getitem__", node), Arguments((index,)), node)
    match it_contents(it, dataset) if dataset is not None else None:
        case Repeated(item, index=Symbol() as rounds):  # its counter says which sample it is
            key = ("int", ((SAMPLE, it.number()), "item", it.number()))
            return at(it, item, rounds, Dim.of(Symbol(key, rounds.name, Kind.RUNTIME, None, 0)))
        case Repeated(item):
            return item
        case Tensor(shape) as rows if shape.rank != 0:
            return _row(rows)
        case _:
            return None


def _length(it: Interpreter, dataset: Value | None, node: cst.CSTNode) -> Dim | None:
    """The number of samples in a data set."""
    if isinstance(dataset, Ref) and (cls := it.world.classes.get(dataset.number)) is not None:
        if find_in_class(it, cls, "__len__") is None:
            return None
        length = it.apply(attribute_of(it, dataset, "__len__", node), Arguments(), node)
        return length.dim if isinstance(length, Int) else None
    content = it_contents(it, dataset) if dataset is not None else None
    if isinstance(content, Tuple | Repeated | Tensor):
        length = builtin_len(it, Arguments((content,)), node)
        return length.dim if isinstance(length, Int) else None
    return None


def tensor_dataset(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``TensorDataset(x, y)``: as many samples as the tensors have along their first axis, each without that."""
    tensors = [as_tensor(it.settled(value)) for value in arguments.positional]
    known = [tensor for tensor in tensors if tensor is not None and tensor.shape.rank != 0]
    length = known[0].shape.dim(0) if known else None
    if arguments.rest is not None or len(known) != len(tensors) or not known:
        return Repeated(it.unknown(node, "a sample of a data set"), length, "dataset")
    return Repeated(Tuple(tuple(_row(tensor) for tensor in known)), length, "dataset")


def _row(tensor: Tensor) -> Tensor:
    """One index of the first axis."""
    return Tensor(tensor.shape.removed(0), tensor.dtype, tensor.device, place=tensor.place, why=tensor.why)


def random_split(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``random_split(dataset, [400, 100])``: data sets of so many samples, or of such a part of them."""
    given = _by_name(arguments, ("dataset", "lengths"))
    sample = sample_of(it, given.get("dataset"), node)
    lengths = it_contents(it, given.get("lengths", NONE))
    if sample is None or not isinstance(lengths, Tuple):
        return it.unknown(node, "the parts of a data set")
    counts = [length.dim if isinstance(length, Int) else None for length in lengths.items]
    return Tuple(tuple(Repeated(sample, count, "dataset") for count in counts), "list")


def subset(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``Subset(dataset, indices)``: some of its samples."""
    given = _by_name(arguments, ("dataset", "indices"))
    sample = sample_of(it, given.get("dataset"), node)
    indices = it_contents(it, given.get("indices", NONE))
    length = builtin_len(it, Arguments((indices,)), node) if isinstance(indices, Tuple | Repeated) else None
    return Repeated(
        it.unknown(node, "a sample of a data set") if sample is None else sample,
        length.dim if isinstance(length, Int) else None,
        "dataset",
    )


def vision_dataset(train: int, test: int) -> Builtin:
    """``torchvision.datasets.MNIST(root, train=True)``: the sizes of its two parts, which its authors have published."""

    def run(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
        given = arguments.positional[1] if len(arguments.positional) > 1 else arguments.keywords.get("train")
        is_train = ONE if given is None else condition(given)
        length = None if is_train is None else where(is_train, Dim.of(train), Dim.of(test))
        return Repeated(it.unknown(node, "a sample of a data set", Kind.RUNTIME), length, "dataset")

    return run


LOADING: Mapping[str, Builtin] = {
    "torch.utils.data.DataLoader": data_loader,
    "torch.utils.data.dataloader.DataLoader": data_loader,
    "torch.utils.data.TensorDataset": tensor_dataset,
    "torch.utils.data.random_split": random_split,
    "torch.utils.data.Subset": subset,
    **{f"torchvision.datasets.{name}": vision_dataset(60_000, 10_000) for name in ("MNIST", "FashionMNIST", "KMNIST")},
    **{f"torchvision.datasets.{name}": vision_dataset(50_000, 10_000) for name in ("CIFAR10", "CIFAR100")},
}
