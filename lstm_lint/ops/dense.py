"""Layers that work on the last axis or element by element: Linear, Embedding, norms, dropout, activations."""

from __future__ import annotations

from lstm_lint.dims import Dim
from lstm_lint.ops.arguments import CannotTell, Op, axis, computed, condition, constant, sizes_of, tensor
from lstm_lint.ops.dtypes import is_float
from lstm_lint.ops.layers import Config, LayerOp, LayerRow, check_rank, config_size, kept, must_be
from lstm_lint.ops.transforms import flattened, halved, unflattened
from lstm_lint.shapes import Shape, ShapeError
from lstm_lint.values import Call, Int, NoneValue, Value


# -- features --------------------------------------------------------------------------------------------------------
def linear(config: Config, call: Call) -> Value:
    """(*, in_features) -> (*, out_features)."""
    source = tensor(call)
    if source.shape.rank == 0:
        raise ShapeError("Linear wants at least one axis")
    must_be(source.shape.dim(-1), config_size(config, call, "in_features"), "the last size of the input")
    return kept(call, source, source.shape.replaced(-1, config_size(config, call, "out_features")))


def bilinear(config: Config, call: Call) -> Value:
    """(*, in1_features), (*, in2_features) -> (*, out_features)."""
    left, right = tensor(call, 0, "input1"), tensor(call, 1, "input2")
    if left.shape.rank is not None and right.shape.rank is not None:
        if left.shape.rank != right.shape.rank or not left.shape.rank:
            raise ShapeError("bilinear(): input dimensions do not match")
        for a, b in zip(left.shape.front[:-1], right.shape.front[:-1], strict=True):
            must_be(a, b, "a size of the first input")
    must_be(left.shape.dim(-1), config_size(config, call, "in1_features"), "the last size of the first input")
    must_be(right.shape.dim(-1), config_size(config, call, "in2_features"), "the last size of the second input")
    return kept(call, left, left.shape.replaced(-1, config_size(config, call, "out_features")))


def embedding(config: Config, call: Call) -> Value:
    """(*) -> (*, embedding_dim); the input holds integers."""
    source = tensor(call)
    if is_float(source.dtype):
        raise ShapeError(f"an Embedding wants integers, not {source.dtype}")
    return computed(call, source, _appended(source.shape, config_size(config, call, "embedding_dim")))


def _appended(shape: Shape, dim: Dim) -> Shape:
    return shape.inserted(-1, dim)


def embedding_bag(config: Config, call: Call) -> Value:
    """(B, N) -> (B, embedding_dim); a flat input goes with offsets (B,)."""
    source = tensor(call)
    if source.shape.rank is None:
        raise CannotTell("the number of axes is not known")
    features = config_size(config, call, "embedding_dim")
    if source.shape.rank == 2:
        return computed(call, source, Shape((source.shape.front[0], features)))
    if source.shape.rank != 1:
        raise ShapeError(f"input has to be 1D or 2D Tensor, but got Tensor of dimension {source.shape.rank}")
    offsets = tensor(call, 1, "offsets")
    if condition(config["include_last_offset"]) != Dim.of(0):
        raise CannotTell("include_last_offset")
    return computed(call, source, Shape((offsets.shape.dim(0), features)))


def f_embedding(call: Call) -> Value:
    """``F.embedding(x, weight)``: (*) -> (*, weight.size(1))."""
    source, weight = tensor(call), tensor(call, 1, "weight")
    if is_float(source.dtype) or weight.shape.rank not in (None, 2):
        raise ShapeError("embedding wants integers and a weight of two axes")
    return computed(call, source, _appended(source.shape, weight.shape.dim(1)), weight.dtype)


# -- the same shape --------------------------------------------------------------------------------------------------
def same(config: Config, call: Call) -> Value:
    """Any shape, unchanged."""
    return kept(call, tensor(call))


def identity(config: Config, call: Call) -> Value:
    """The input itself, whatever it is."""
    return call.positional[0] if call.positional else tensor(call)


def along(config: Config, call: Call) -> Value:
    """Softmax(dim): unchanged; the axis must exist."""
    source = tensor(call)
    if not isinstance(config["dim"], NoneValue):
        axis(source.shape, constant(config["dim"], "dim"))
    return kept(call, source)


def batch_norm(*ranks: int) -> LayerOp:
    """(N, num_features, ...), unchanged."""

    def forward(config: Config, call: Call) -> Value:
        source = tensor(call)
        check_rank(source, *ranks)
        must_be(source.shape.dim(1), config_size(config, call, "num_features"), "the channels of the input")
        return kept(call, source)

    return forward


def ranked(*ranks: int) -> LayerOp:
    """(N, C, ...) or (C, ...), unchanged; of these ranks."""

    def forward(config: Config, call: Call) -> Value:
        source = tensor(call)
        check_rank(source, *ranks)
        return kept(call, source)

    return forward


def layer_norm(config: Config, call: Call) -> Value:
    """(*, normalized_shape), unchanged, whatever that is."""
    source = tensor(call)
    try:
        wanted = sizes_of(call, config["normalized_shape"])
    except CannotTell:
        return kept(call, source)
    if wanted.dims is None:
        return kept(call, source)
    if source.shape.rank is not None and source.shape.rank < len(wanted.dims):
        raise ShapeError(f"expected input with shape [*, {wanted.text}], but got input of size {source.shape.text}")
    for position, dim in enumerate(wanted.dims):
        must_be(source.shape.dim(position - len(wanted.dims)), dim, "a size of the input")
    return kept(call, source)


def group_norm(config: Config, call: Call) -> Value:
    """(N, num_channels, *), unchanged."""
    source = tensor(call)
    if source.shape.rank is not None and source.shape.rank < 2:
        raise ShapeError("Expected at least 2 dimensions for input tensor")
    must_be(source.shape.dim(1), config_size(config, call, "num_channels"), "the channels of the input")
    return kept(call, source)


def glu(config: Config, call: Call) -> Value:
    """One axis halved."""
    source = tensor(call)
    return kept(call, source, halved(source.shape, constant(config["dim"], "dim")))


def flatten(config: Config, call: Call) -> Value:
    """(N, *) -> (N, product)."""
    source = tensor(call)
    start, end = constant(config["start_dim"], "start_dim"), constant(config["end_dim"], "end_dim")
    return kept(call, source, flattened(call, source.shape, start, end))


def unflatten(config: Config, call: Call) -> Value:
    """One axis becomes several."""
    source = tensor(call)
    sizes = sizes_of(call, config["unflattened_size"])
    return kept(call, source, unflattened(call, source.shape, constant(config["dim"], "dim"), sizes))


def f_similarity(call: Call) -> Value:
    """``F.cosine_similarity(x1, x2, dim)``: that axis goes."""
    return similarity({"dim": call.argument(2, "dim") or Int(Dim.of(1))}, call)


def similarity(config: Config, call: Call) -> Value:
    """CosineSimilarity(dim): that axis goes."""
    left, right = tensor(call, 0, "x1"), tensor(call, 1, "x2")
    if left.shape != right.shape:
        raise CannotTell("the two shapes may broadcast")
    return kept(call, left, left.shape.removed(constant(config["dim"], "dim")))


LAYER_ROWS: dict[str, LayerRow] = {
    "torch.nn.Linear": LayerRow("in_features, out_features, bias=True, device=None, dtype=None", linear),
    "torch.nn.Bilinear": LayerRow("in1_features, in2_features, out_features, bias=True, device=None, dtype=None", bilinear),
    "torch.nn.Embedding": LayerRow(
        "num_embeddings, embedding_dim, padding_idx=None, max_norm=None, norm_type=2.0, "
        "scale_grad_by_freq=False, sparse=False, _weight=None, _freeze=False, device=None, dtype=None",
        embedding,
    ),
    "torch.nn.EmbeddingBag": LayerRow(
        "num_embeddings, embedding_dim, max_norm=None, norm_type=2.0, scale_grad_by_freq=False, mode='mean', "
        "sparse=False, _weight=None, include_last_offset=False, padding_idx=None, device=None, dtype=None",
        embedding_bag,
    ),
    "torch.nn.Identity": LayerRow("", identity),
    "torch.nn.Dropout": LayerRow("p=0.5, inplace=False", same),
    "torch.nn.Dropout1d": LayerRow("p=0.5, inplace=False", ranked(2, 3)),
    "torch.nn.Dropout2d": LayerRow("p=0.5, inplace=False", same),
    "torch.nn.Dropout3d": LayerRow("p=0.5, inplace=False", same),
    "torch.nn.AlphaDropout": LayerRow("p=0.5, inplace=False", same),
    "torch.nn.FeatureAlphaDropout": LayerRow("p=0.5, inplace=False", same),
    "torch.nn.ReLU": LayerRow("inplace=False", same),
    "torch.nn.ReLU6": LayerRow("inplace=False", same),
    "torch.nn.ELU": LayerRow("alpha=1.0, inplace=False", same),
    "torch.nn.SELU": LayerRow("inplace=False", same),
    "torch.nn.CELU": LayerRow("alpha=1.0, inplace=False", same),
    "torch.nn.GELU": LayerRow("approximate='none'", same),
    "torch.nn.SiLU": LayerRow("inplace=False", same),
    "torch.nn.Mish": LayerRow("inplace=False", same),
    "torch.nn.Sigmoid": LayerRow("", same),
    "torch.nn.Tanh": LayerRow("", same),
    "torch.nn.LeakyReLU": LayerRow("negative_slope=0.01, inplace=False", same),
    "torch.nn.PReLU": LayerRow("num_parameters=1, init=0.25, device=None, dtype=None", same),
    "torch.nn.RReLU": LayerRow("lower=0.125, upper=0.3333333333333333, inplace=False", same),
    "torch.nn.Softplus": LayerRow("beta=1.0, threshold=20.0", same),
    "torch.nn.Softsign": LayerRow("", same),
    "torch.nn.Softshrink": LayerRow("lambd=0.5", same),
    "torch.nn.Hardshrink": LayerRow("lambd=0.5", same),
    "torch.nn.Tanhshrink": LayerRow("", same),
    "torch.nn.Hardtanh": LayerRow("min_val=-1.0, max_val=1.0, inplace=False, min_value=None, max_value=None", same),
    "torch.nn.Hardsigmoid": LayerRow("inplace=False", same),
    "torch.nn.Hardswish": LayerRow("inplace=False", same),
    "torch.nn.LogSigmoid": LayerRow("", same),
    "torch.nn.Threshold": LayerRow("threshold, value, inplace=False", same),
    "torch.nn.Softmax": LayerRow("dim=None", along),
    "torch.nn.LogSoftmax": LayerRow("dim=None", along),
    "torch.nn.Softmin": LayerRow("dim=None", along),
    "torch.nn.BatchNorm1d": LayerRow(
        "num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None, bias=True",
        batch_norm(2, 3),
    ),
    "torch.nn.BatchNorm2d": LayerRow(
        "num_features, eps=1e-05, momentum=0.1, affine=True, track_running_stats=True, device=None, dtype=None, bias=True",
        batch_norm(4),
    ),
    "torch.nn.SyncBatchNorm": LayerRow(
        "num_features, eps=1e-05, momentum=0.1, affine=True, "
        "track_running_stats=True, process_group=None, device=None, dtype=None, bias=True",
        batch_norm(2, 3, 4, 5),
    ),
    "torch.nn.InstanceNorm1d": LayerRow(
        "num_features, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False, device=None, dtype=None, bias=True",
        ranked(2, 3),
    ),
    "torch.nn.InstanceNorm2d": LayerRow(
        "num_features, eps=1e-05, momentum=0.1, affine=False, track_running_stats=False, device=None, dtype=None, bias=True",
        ranked(3, 4),
    ),
    "torch.nn.LayerNorm": LayerRow(
        "normalized_shape, eps=1e-05, elementwise_affine=True, bias=True, device=None, dtype=None",
        layer_norm,
    ),
    "torch.nn.RMSNorm": LayerRow("normalized_shape, eps=None, elementwise_affine=True, device=None, dtype=None", layer_norm),
    "torch.nn.GroupNorm": LayerRow(
        "num_groups, num_channels, eps=1e-05, affine=True, device=None, dtype=None, bias=True",
        group_norm,
    ),
    "torch.nn.Softmax2d": LayerRow("", ranked(3, 4)),
    "torch.nn.GLU": LayerRow("dim=-1", glu),
    "torch.nn.Flatten": LayerRow("start_dim=1, end_dim=-1", flatten),
    "torch.nn.Unflatten": LayerRow("dim, unflattened_size", unflatten),
    "torch.nn.CosineSimilarity": LayerRow("dim=1, eps=1e-08", similarity),
}
ROWS: dict[str, Op] = {
    "torch.nn.functional.embedding": f_embedding,
    "torch.nn.functional.cosine_similarity": f_similarity,
}
OTHER_ROWS: dict[str, Op] = {}
