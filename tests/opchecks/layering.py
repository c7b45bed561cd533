"""Constructor arguments and inputs for the rows of the layer table."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from hypothesis import strategies as st
from torch import nn

from opchecks.computing import loss_inputs
from opchecks.draws import Draw, axis, factors, ones, shape, size, tensor

LayerArguments = tuple[dict[str, Any], tuple[Any, ...], dict[str, Any]]  # constructor, inputs, keywords of the call
LayerCase = Callable[[Draw], LayerArguments]


def near(draw: Draw, number: int) -> int:
    """The number, mostly."""
    return number if draw(st.integers(0, 5)) else size(draw)


def linear(draw: Draw) -> LayerArguments:
    features = size(draw)
    return {"in_features": features, "out_features": size(draw)}, (ones((*shape(draw, 0, 3), near(draw, features))),), {}


def bilinear(draw: Draw) -> LayerArguments:
    a, b, lead = size(draw), size(draw), shape(draw, 0, 2)
    config = {"in1_features": a, "in2_features": b, "out_features": size(draw)}
    return config, (ones((*lead, near(draw, a))), ones((*lead, near(draw, b)))), {}


def embedding(draw: Draw) -> LayerArguments:
    kind = torch.int64 if draw(st.integers(0, 5)) else torch.float32
    return {"num_embeddings": 3, "embedding_dim": size(draw)}, (torch.zeros(shape(draw), dtype=kind),), {}


def embedding_bag(draw: Draw) -> LayerArguments:
    config = {"num_embeddings": 3, "embedding_dim": size(draw)}
    if draw(st.booleans()):
        return config, (torch.zeros(shape(draw, 2, 3), dtype=torch.int64),), {}
    return config, (torch.zeros(3, dtype=torch.int64), torch.tensor([0, 1])), {}


def plain(**config: Any) -> LayerCase:
    return lambda draw: (config, (ones(shape(draw)),), {})


def ranked(low: int, **config: Any) -> LayerCase:
    return lambda draw: (config, (ones(shape(draw, low, 4, 2)),), {})


def along(draw: Draw) -> LayerArguments:
    x = tensor(draw)
    return {"dim": axis(draw, x)}, (x,), {}


def batch_norm(low: int) -> LayerCase:
    def case(draw: Draw) -> LayerArguments:
        sizes = (2, *shape(draw, low, 4, 2))
        return {"num_features": near(draw, sizes[1]) if len(sizes) > 1 else 1}, (ones(sizes),), {}

    return case


def layer_norm(draw: Draw) -> LayerArguments:
    x = ones(shape(draw, 1))
    count = draw(st.integers(1, x.dim()))
    wanted = [near(draw, n) for n in x.shape[-count:]]
    return {"normalized_shape": wanted if count > 1 else draw(st.sampled_from((wanted, wanted[0])))}, (x,), {}


def group_norm(draw: Draw) -> LayerArguments:
    sizes = (2, *shape(draw, 1, 3, 2))
    return {"num_groups": 1, "num_channels": near(draw, sizes[1])}, (ones(sizes),), {}


def flatten(draw: Draw) -> LayerArguments:
    x = tensor(draw)
    return ({"start_dim": axis(draw, x), "end_dim": axis(draw, x)} if draw(st.booleans()) else {}), (x,), {}


def unflatten(draw: Draw) -> LayerArguments:
    x = tensor(draw, 1)
    dim = draw(st.integers(-x.dim(), x.dim() - 1))
    return {"dim": dim, "unflattened_size": tuple(factors(draw, x.shape[dim]))}, (x,), {}


def similarity(draw: Draw) -> LayerArguments:
    x = tensor(draw, 1)
    return {"dim": axis(draw, x)}, (x, x.clone()), {}


def attention(draw: Draw) -> LayerArguments:
    heads, first, batched = size(draw, 1, 2), draw(st.booleans()), draw(st.booleans())
    width, n, t, s = heads * size(draw, 1, 2), size(draw), size(draw), size(draw)
    if batched:
        query, key = (ones((n, t, width)), ones((n, s, width))) if first else (ones((t, n, width)), ones((s, n, width)))
    else:
        query, key = ones((t, near(draw, width))), ones((s, width))
    kwargs = {"need_weights": draw(st.booleans()), "average_attn_weights": draw(st.booleans())}
    config = {"embed_dim": width, "num_heads": heads, "batch_first": first}
    return config, (query, key, key), {key: value for key, value in kwargs.items() if draw(st.booleans())}


def sequence(draw: Draw) -> torch.Tensor:
    return ones((*shape(draw, 1, 3), 4 if draw(st.integers(0, 5)) else 3))


def encoder_layer(draw: Draw) -> LayerArguments:
    return {"d_model": 4, "nhead": 2, "dim_feedforward": 3}, (sequence(draw),), {}


def decoder_layer(draw: Draw) -> LayerArguments:
    x = ones((*shape(draw, 1, 2), 4))
    return {"d_model": 4, "nhead": 2, "dim_feedforward": 3}, (x, x.clone()), {}


def encoder(draw: Draw) -> LayerArguments:
    return {"encoder_layer": nn.TransformerEncoderLayer(4, 2, 3), "num_layers": 1}, (ones((*shape(draw, 1, 3), 4)),), {}


def decoder(draw: Draw) -> LayerArguments:
    x = ones((*shape(draw, 1, 2), 4))
    return {"decoder_layer": nn.TransformerDecoderLayer(4, 2, 3), "num_layers": 1}, (x, x.clone()), {}


def transformer(draw: Draw) -> LayerArguments:
    config = {"d_model": 4, "nhead": 2, "num_encoder_layers": 1, "num_decoder_layers": 1, "dim_feedforward": 3}
    n = size(draw)
    return config, (ones((size(draw), n, 4)), ones((size(draw), n, 4))), {}


def numbers(draw: Draw, axes: int, low: int, high: int) -> Any:
    return draw(st.sampled_from((size(draw, low, high), tuple(size(draw, low, high) for _ in range(axes)))))


def image(draw: Draw, axes: int, channels: int | None = None, one_lead: bool = False) -> torch.Tensor:
    lead = shape(draw, 0, 2) if not one_lead and draw(st.integers(0, 7)) == 0 else shape(draw, 0, 1)
    return ones((*lead, channels or size(draw), *(size(draw, 1, 6) for _ in range(axes))))


def convolution(axes: int) -> LayerCase:
    def case(draw: Draw) -> LayerArguments:
        channels = size(draw)
        config = {
            "in_channels": channels, "out_channels": size(draw), "kernel_size": numbers(draw, axes, 1, 3),
            "stride": numbers(draw, axes, 1, 2), "dilation": numbers(draw, axes, 1, 2),
            "padding": draw(st.sampled_from((0, 1, 2, "valid", "same"))),
        }  # fmt: skip
        if config["padding"] == "same":
            config["stride"] = 1
        return config, (image(draw, axes, near(draw, channels)),), {}

    return case


def transposed(axes: int) -> LayerCase:
    def case(draw: Draw) -> LayerArguments:
        channels = size(draw)
        config = {
            "in_channels": channels, "out_channels": size(draw), "kernel_size": numbers(draw, axes, 3, 4), "stride": 2,
            "padding": draw(st.integers(0, 1)), "output_padding": draw(st.integers(0, 1)),
        }  # fmt: skip
        return config, (image(draw, axes, near(draw, channels)),), {}

    return case


def pool(axes: int, is_max: bool) -> LayerCase:
    def case(draw: Draw) -> LayerArguments:
        config: dict[str, Any] = {"kernel_size": numbers(draw, axes, 1, 3)}
        options = {"stride": size(draw, 1, 3), "padding": draw(st.integers(0, 1)), "ceil_mode": draw(st.booleans())}
        if is_max:
            options |= {"dilation": size(draw, 1, 2), "return_indices": draw(st.booleans())}
        config |= {key: value for key, value in options.items() if draw(st.booleans())}
        return config, (image(draw, axes),), {}

    return case


def adaptive(axes: int) -> LayerCase:
    return lambda draw: (
        {"output_size": draw(st.sampled_from((1, 3, (2,) * axes, (None,) * axes)))},
        (image(draw, axes, one_lead=True),),
        {},
    )


def padded(axes: int, low: int = -1, **more: Any) -> LayerCase:
    return lambda draw: ({"padding": numbers(draw, 2 * axes, low, 2), **more}, (image(draw, axes),), {})


def loss(name: str) -> LayerCase:
    def case(draw: Draw) -> LayerArguments:
        inputs, _ = loss_inputs(name)
        return {"reduction": draw(st.sampled_from(("mean", "sum")))} if draw(st.booleans()) else {}, inputs, {}

    return case


def ctc(draw: Draw) -> LayerArguments:
    probabilities = torch.zeros(5, 2, 3).log_softmax(-1)
    return {}, (probabilities, torch.ones(2, 2, dtype=torch.int64), torch.tensor([5, 5]), torch.tensor([2, 2])), {}


def triplet(draw: Draw) -> LayerArguments:
    return {}, (ones((4, 3)), ones((4, 3)), ones((4, 3))), {}


_PLAIN = (
    "Identity Dropout AlphaDropout ReLU ReLU6 ELU SELU CELU GELU SiLU Mish Sigmoid Tanh LeakyReLU PReLU RReLU Softplus "
    "Softsign Softshrink Hardshrink Tanhshrink Hardtanh Hardsigmoid Hardswish LogSigmoid"
)
_LOSSES = {
    "MSELoss": "mse_loss", "L1Loss": "l1_loss", "SmoothL1Loss": "smooth_l1_loss", "HuberLoss": "huber_loss",
    "CrossEntropyLoss": "cross_entropy", "NLLLoss": "nll_loss", "BCELoss": "binary_cross_entropy", "KLDivLoss": "kl_div",
    "BCEWithLogitsLoss": "binary_cross_entropy_with_logits", "CosineEmbeddingLoss": "cosine_embedding_loss",
    "MarginRankingLoss": "margin_ranking_loss", "SoftMarginLoss": "soft_margin_loss", "PoissonNLLLoss": "poisson_nll_loss",
}  # fmt: skip
CASES: dict[str, LayerCase] = {
    "Linear": linear, "Bilinear": bilinear, "Embedding": embedding, "EmbeddingBag": embedding_bag,
    **{name: plain() for name in _PLAIN.split()},
    "Threshold": plain(threshold=0.1, value=2.0), "FeatureAlphaDropout": ranked(2), "Dropout1d": ranked(2),
    "Dropout2d": ranked(3), "Dropout3d": ranked(4),
    "Softmax": along, "LogSoftmax": along, "Softmin": along, "GLU": along, "Softmax2d": ranked(0),
    "BatchNorm1d": batch_norm(0), "BatchNorm2d": batch_norm(1), "InstanceNorm1d": ranked(0, num_features=2),
    "InstanceNorm2d": ranked(0, num_features=2), "LayerNorm": layer_norm, "RMSNorm": layer_norm, "GroupNorm": group_norm,
    "Flatten": flatten, "Unflatten": unflatten, "CosineSimilarity": similarity,
    "MultiheadAttention": attention, "TransformerEncoderLayer": encoder_layer, "TransformerDecoderLayer": decoder_layer,
    "TransformerEncoder": encoder, "TransformerDecoder": decoder, "Transformer": transformer,
    "Conv1d": convolution(1), "Conv2d": convolution(2), "Conv3d": convolution(3), "ConvTranspose1d": transposed(1),
    "ConvTranspose2d": transposed(2), "MaxPool1d": pool(1, True), "MaxPool2d": pool(2, True), "AvgPool1d": pool(1, False),
    "AvgPool2d": pool(2, False), "AdaptiveAvgPool1d": adaptive(1), "AdaptiveAvgPool2d": adaptive(2),
    "AdaptiveMaxPool1d": adaptive(1), "AdaptiveMaxPool2d": adaptive(2),
    "ConstantPad1d": padded(1, value=0.0), "ConstantPad2d": padded(2, value=0.0), "ZeroPad1d": padded(1),
    "ZeroPad2d": padded(2),
    "ReflectionPad1d": padded(1, 0), "ReplicationPad1d": padded(1, 0),
    "Upsample": lambda draw: ({"scale_factor": 2.0}, (ones((1, 2, 4)),), {}),
    **{name: loss(function) for name, function in _LOSSES.items()},
    "CTCLoss": ctc, "TripletMarginLoss": triplet,
}  # fmt: skip
