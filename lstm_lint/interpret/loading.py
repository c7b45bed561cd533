"""``torch.utils.data``: data sets by their length, and loaders as a sequence of batches."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import libcst as cst

from lstm_lint.dims import ONE, ZERO, Dim, Kind, where
from lstm_lint.interpret.arguments import Arguments
from lstm_lint.interpret.attributes import attribute_of, find_in_class
from lstm_lint.interpret.builtin_values import builtin_len
from lstm_lint.interpret.engine import Interpreter
from lstm_lint.interpret.operators import it_contents
from lstm_lint.ops.arguments import condition
from lstm_lint.ops.loading import BATCH, PARAMETERS, Loader
from lstm_lint.values import FALSE, NONE, Int, Ref, Repeated, Tensor, Tuple, Unknown, Value, as_dim, as_tensor

Builtin = Callable[[Interpreter, Arguments, cst.CSTNode], Value]


def data_loader(it: Interpreter, arguments: Arguments, node: cst.CSTNode) -> Value:
    """``DataLoader(dataset, batch_size)``: any number of batches; whose they are stands in their key."""
    given = dict(zip(PARAMETERS, arguments.positional, strict=False)) | dict(arguments.keywords)
    name = f"a batch of {it.target or it.place(node).text}"
    reason = "what a DataLoader gives is not followed"
    loader = None if arguments.rest is not None else _loader(it, given, node)
    key = ("batch", it.number()) if loader is None else (BATCH, loader)
    return Repeated(Unknown(key, name, reason, it.place(node)), None, "loader")


def _loader(it: Interpreter, given: Mapping[str, Value], node: cst.CSTNode) -> Loader | None:
    """The loader, if it is known to keep its last batch, and how large the others are."""
    size = as_dim(given.get("batch_size", Int(ONE)))
    keeps_last = condition(given.get("drop_last", FALSE)) == ZERO
    if size is None or not keeps_last or given.get("batch_sampler", NONE) != NONE:
        return None
    sampled = given.get("sampler", NONE) != NONE
    return Loader(size, None if sampled else _length(it, given.get("dataset"), node), it.place(node), it.number())


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
    """``TensorDataset(x, y)``: as many samples as the tensors have along their first axis."""
    tensors = [tensor for value in arguments.positional if (tensor := as_tensor(it.settled(value))) is not None]
    known = [tensor.shape.dim(0) for tensor in tensors if tensor.shape.rank != 0]
    return Repeated(it.unknown(node, "a sample of a data set"), known[0] if known else None, "dataset")


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
    **{f"torchvision.datasets.{name}": vision_dataset(60_000, 10_000) for name in ("MNIST", "FashionMNIST", "KMNIST")},
    **{f"torchvision.datasets.{name}": vision_dataset(50_000, 10_000) for name in ("CIFAR10", "CIFAR100")},
}
