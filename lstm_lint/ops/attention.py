"""Attention and transformers: outputs like the query, weights over the keys."""

from __future__ import annotations

from lstm_lint.dims import Dim, where
from lstm_lint.ops.arguments import Op, condition, lost, size_item, tensor
from lstm_lint.ops.layers import Config, LayerRow, check_rank, config_size, kept, must_be
from lstm_lint.shapes import Shape, ShapeError
from lstm_lint.values import NONE, Bool, Call, NoneValue, Tensor, Tuple, Value


def attention(config: Config, call: Call) -> Value:
    """MultiheadAttention(query, key, value) -> (query's shape, weights (N, L, S)), weights None with need_weights=False."""
    query, key, value = tensor(call, 0, "query"), tensor(call, 1, "key"), tensor(call, 2, "value")
    check_rank(query, 2, 3)
    if query.shape.rank is not None and key.shape.rank is not None and query.shape.rank != key.shape.rank:
        raise ShapeError("For batched (3-D) `query`, expected `key` and `value` to be 3-D")
    width = config_size(config, call, "embed_dim")
    must_be(query.shape.dim(-1), width, "the last size of the query")
    for other, name in ((key, "kdim"), (value, "vdim")):
        own = config[name]
        must_be(other.shape.dim(-1), width if isinstance(own, NoneValue) else size_item(call, own), "the last size of a key")
    output = kept(call, query, query.shape.replaced(-1, width))
    return Tuple((output, _attention_weights(config, call, query, key)))


def _attention_weights(config: Config, call: Call, query: Tensor, key: Tensor) -> Value:
    needed = condition(call.argument(4, "need_weights", Bool(Dim.of(1))))
    averaged = condition(call.argument(6, "average_attn_weights", Bool(Dim.of(1))))
    if needed == Dim.of(0):
        return NONE
    if needed is None or needed.constant is None or averaged is None or averaged.constant is None or query.shape.rank is None:
        return lost(call, "the shape of attention weights depends on flags that are not known", part="weights")
    heads = () if averaged.constant else (config_size(config, call, "num_heads"),)
    if query.shape.rank == 2:
        return kept(call, query, Shape((*heads, query.shape.front[0], key.shape.dim(0))))
    first = condition(config["batch_first"])
    if first is None:
        return lost(call, "batch_first is not known", part="weights")
    target, batch = where(first, query.shape.dim(1), query.shape.dim(0)), where(first, query.shape.dim(0), query.shape.dim(1))
    source = where(first, key.shape.dim(1), key.shape.dim(0))
    return kept(call, query, Shape((batch, *heads, target, source)))


def transformer_layer(config: Config, call: Call) -> Value:
    """TransformerEncoderLayer, TransformerDecoderLayer: unchanged."""
    source = tensor(call, 0, "src")
    check_rank(source, 2, 3)
    must_be(source.shape.dim(-1), config_size(config, call, "d_model"), "the last size of the input")
    return kept(call, source)


def transformer_stack(config: Config, call: Call) -> Value:
    """TransformerEncoder, TransformerDecoder: unchanged."""
    source = tensor(call, 0, "src")
    check_rank(source, 2, 3)
    return kept(call, source)


def transformer(config: Config, call: Call) -> Value:
    """Transformer(src, tgt): tgt's shape."""
    tensor(call, 0, "src")
    target = tensor(call, 1, "tgt")
    check_rank(target, 2, 3)
    must_be(target.shape.dim(-1), config_size(config, call, "d_model"), "the last size of the target")
    return kept(call, target)


LAYER_ROWS: dict[str, LayerRow] = {
    "torch.nn.MultiheadAttention": LayerRow(
        "embed_dim, num_heads, dropout=0.0, bias=True, add_bias_kv=False, "
        "add_zero_attn=False, kdim=None, vdim=None, batch_first=False, device=None, dtype=None",
        attention,
    ),
    "torch.nn.TransformerEncoderLayer": LayerRow(
        "d_model, nhead, dim_feedforward=2048, dropout=0.1, activation=None, "
        "layer_norm_eps=1e-05, batch_first=False, norm_first=False, bias=True, device=None, dtype=None",
        transformer_layer,
    ),
    "torch.nn.TransformerDecoderLayer": LayerRow(
        "d_model, nhead, dim_feedforward=2048, dropout=0.1, activation=None, "
        "layer_norm_eps=1e-05, batch_first=False, norm_first=False, bias=True, device=None, dtype=None",
        transformer_layer,
    ),
    "torch.nn.TransformerEncoder": LayerRow(
        "encoder_layer, num_layers, norm=None, enable_nested_tensor=True, mask_check=True",
        transformer_stack,
    ),
    "torch.nn.TransformerDecoder": LayerRow("decoder_layer, num_layers, norm=None", transformer_stack),
    "torch.nn.Transformer": LayerRow(
        "d_model=512, nhead=8, num_encoder_layers=6, num_decoder_layers=6, dim_feedforward=2048, dropout=0.1, activation=None, "
        "custom_encoder=None, custom_decoder=None, layer_norm_eps=1e-05, batch_first=False, norm_first=False, bias=True, "
        "device=None, dtype=None",
        transformer,
    ),
}
ROWS: dict[str, Op] = {}
OTHER_ROWS: dict[str, Op] = {}
