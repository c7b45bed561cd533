"""Losses: a scalar, unless they are asked not to reduce."""

from __future__ import annotations

from lstm_lint.ops.arguments import CannotTell, Op, prefixed, tensor
from lstm_lint.ops.layers import Config, LayerRow, kept
from lstm_lint.shapes import Shape
from lstm_lint.values import NONE, Call, NoneValue, Str, Value


def loss(call: Call) -> Value:
    """``F.mse_loss(x, y)`` and its kin: a scalar, unless ``reduction='none'``."""
    return loss_value(call, call.keywords.get("reduction"))


def loss_value(call: Call, reduction: Value | None) -> Value:
    """A scalar of x's dtype. Raises CannotTell where the reduction is not 'mean' or 'sum'."""
    match reduction:
        case None | Str("mean") | Str("sum"):
            return kept(call, tensor(call), Shape())
        case _:
            raise CannotTell("the reduction of the loss is not known to be a mean or a sum")


def layer_loss(config: Config, call: Call) -> Value:
    """A scalar, unless ``reduction='none'``."""
    for name in ("size_average", "reduce"):
        if not isinstance(config.get(name, NONE), NoneValue):
            raise CannotTell(f"{name} is given")
    return loss_value(call, config["reduction"])


LOSSES = (
    "mse_loss l1_loss smooth_l1_loss huber_loss cross_entropy nll_loss binary_cross_entropy binary_cross_entropy_with_logits "
    "kl_div soft_margin_loss cosine_embedding_loss margin_ranking_loss poisson_nll_loss"
)
LAYER_ROWS: dict[str, LayerRow] = {
    "torch.nn.MSELoss": LayerRow("size_average=None, reduce=None, reduction='mean'", layer_loss),
    "torch.nn.L1Loss": LayerRow("size_average=None, reduce=None, reduction='mean'", layer_loss),
    "torch.nn.SmoothL1Loss": LayerRow("size_average=None, reduce=None, reduction='mean', beta=1.0", layer_loss),
    "torch.nn.HuberLoss": LayerRow("reduction='mean', delta=1.0", layer_loss),
    "torch.nn.CrossEntropyLoss": LayerRow(
        "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean', label_smoothing=0.0",
        layer_loss,
    ),
    "torch.nn.NLLLoss": LayerRow(
        "weight=None, size_average=None, ignore_index=-100, reduce=None, reduction='mean'",
        layer_loss,
    ),
    "torch.nn.BCELoss": LayerRow("weight=None, size_average=None, reduce=None, reduction='mean'", layer_loss),
    "torch.nn.BCEWithLogitsLoss": LayerRow(
        "weight=None, size_average=None, reduce=None, reduction='mean', pos_weight=None",
        layer_loss,
    ),
    "torch.nn.KLDivLoss": LayerRow("size_average=None, reduce=None, reduction='mean', log_target=False", layer_loss),
    "torch.nn.CTCLoss": LayerRow("blank=0, reduction='mean', zero_infinity=False", layer_loss),
    "torch.nn.CosineEmbeddingLoss": LayerRow("margin=0.0, size_average=None, reduce=None, reduction='mean'", layer_loss),
    "torch.nn.MarginRankingLoss": LayerRow("margin=0.0, size_average=None, reduce=None, reduction='mean'", layer_loss),
    "torch.nn.TripletMarginLoss": LayerRow(
        "margin=1.0, p=2.0, eps=1e-06, swap=False, size_average=None, reduce=None, reduction='mean'",
        layer_loss,
    ),
    "torch.nn.SoftMarginLoss": LayerRow("size_average=None, reduce=None, reduction='mean'", layer_loss),
    "torch.nn.PoissonNLLLoss": LayerRow(
        "log_input=True, full=False, size_average=None, eps=1e-08, reduce=None, reduction='mean'",
        layer_loss,
    ),
}
ROWS: dict[str, Op] = {**prefixed(LOSSES, loss, "torch.nn.functional")}
OTHER_ROWS: dict[str, Op] = {}
