"""What goes wrong in silence in a constructor, shown by torch itself: one function an experiment. Part of the worker: any
Python from 3.8 on.

Each gets a `Lab` (torch, the probe, the means to build its layer) and returns ``differs`` with `text` and `number` where torch
shows the misuse, or ``ran`` where it does not. It runs in a forked child, with real tensors, after the layer was seen to be
constructible.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_lint.confirm.worker import Lab

    Reply = dict[str, Any]


def dropout_single_layer(lab: Lab) -> Reply:
    """LST204: two training passes with different seeds, and one without dropout, give the same output: dropout does not act."""
    layer = lab.build().train()
    dropout = layer.dropout
    padded = lab.torch.randn(5, 3, layer.input_size)
    outputs = []
    for seed, rate in ((0, dropout), (1, dropout), (2, 0.0)):
        lab.torch.manual_seed(seed)
        layer.dropout = rate
        outputs.append(layer(padded)[0])
    number = max(lab.largest(outputs[0], outputs[1]), lab.largest(outputs[0], outputs[2]))
    text = f"two training passes with dropout={dropout} and one with dropout=0.0: the largest difference is {number:g}"
    return lab.verdict(dropout > 0 and number == 0, text, number)


def bool_as_bias(lab: Lab) -> Reply:
    """LST203: ``LSTM(a, b, c, True)`` sets bias and leaves batch_first False; how far is its output from what was meant?

    With False the number is that of the bias vectors the layer has: 0.
    """
    layer = lab.build()
    meant = lab.probe["positional"][3] if len(lab.probe["positional"]) > 3 else None
    if not isinstance(meant, bool):
        return {"outcome": "unusable", "text": "the fourth positional argument is not a bool"}
    text = f"torch built it with bias={layer.bias} and batch_first={layer.batch_first}"
    if not meant:
        vectors = sum(1 for name, _ in layer.named_parameters() if name.startswith("bias"))
        return lab.verdict(vectors == 0, f"{text}: it has no bias vectors", vectors)
    batch = lab.torch.randn(3, 5, layer.input_size)  # 3 samples of 5 steps
    taken = layer(batch)[0]
    layer.batch_first = meant
    number = lab.largest(taken, layer(batch)[0])
    text += f"; on a batch (3, 5, {layer.input_size}) its output is up to {number:.3g} away from that of batch_first=True"
    return lab.verdict(number > 0, text, number)


EXPERIMENTS: dict[str, Callable[[Lab], Reply]] = {
    "dropout-single-layer": dropout_single_layer,
    "bool-as-bias": bool_as_bias,
}
