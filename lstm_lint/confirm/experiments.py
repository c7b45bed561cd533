"""What goes wrong in silence, shown by torch itself: one function an experiment. Part of the worker: any Python from 3.8 on.

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


def verdict(shown: bool, text: str, number: float) -> Reply:
    """The reply of an experiment."""
    return {"outcome": "differs" if shown else "ran", "text": text, "number": number, "shapes": {}}


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
    return verdict(dropout > 0 and number == 0, text, number)


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
        return verdict(vectors == 0, f"{text}: it has no bias vectors", vectors)
    batch = lab.torch.randn(3, 5, layer.input_size)  # 3 samples of 5 steps
    taken = layer(batch)[0]
    layer.batch_first = meant
    number = lab.largest(taken, layer(batch)[0])
    text += f"; on a batch (3, 5, {layer.input_size}) its output is up to {number:.3g} away from that of batch_first=True"
    return verdict(number > 0, text, number)


def last_sample(lab: Lab) -> Reply:
    """LST401: the end of the batch axis of an output, against the end of its axis of steps, both joined over what is left."""
    layer = lab.build()
    batch, steps = 3, 5
    given = lab.torch.randn(*((batch, steps) if getattr(layer, "batch_first", False) else (steps, batch)), layer.input_size)
    output, _ = layer(given)
    if not getattr(layer, "batch_first", False):
        output = output.transpose(0, 1)
    taken, wanted = output[-1], output[:, -1]  # (steps, features) and (batch, features)
    number = lab.largest(taken[:batch], wanted)
    text = (
        f"of {batch} samples of {steps} steps it takes {tuple(taken.shape)}, every step of one sample, where the last step is "
        f"{tuple(wanted.shape)}; the largest difference is {number:.3g}"
    )
    return verdict(number > 0, text, number)


def backward_last_step(lab: Lab) -> Reply:
    """LST402: the backward half of the last step against the end of the backward direction, which h_n holds."""
    layer = lab.build()
    if not layer.bidirectional:
        return {"outcome": "unusable", "text": "the layer has one direction"}
    given = lab.torch.randn(*((3, 5) if layer.batch_first else (5, 3)), layer.input_size)
    output, state = layer(given)
    h_n = state[0] if isinstance(state, tuple) else state
    last = output[:, -1] if layer.batch_first else output[-1]
    size = h_n.shape[-1]
    number = lab.largest(last[:, size:], h_n[-1])
    forward = lab.largest(last[:, :size], h_n[-2])
    text = (
        f"the backward half of the last step is up to {number:.3g} away from what h_n holds of that direction "
        f"(the forward half: {forward:.3g})"
    )
    return verdict(number > 0, text, number)


def one_direction(lab: Lab) -> Reply:
    """LST403: one index of h_n or c_n against the other direction's."""
    layer = lab.build()
    if not layer.bidirectional:
        return {"outcome": "unusable", "text": "the layer has one direction"}
    given = lab.torch.randn(*((3, 5) if layer.batch_first else (5, 3)), layer.input_size)
    state = layer(given)[1]
    final = state[1] if lab.probe["details"].get("which") == "c" else state[0] if isinstance(state, tuple) else state
    number = lab.largest(final[-1], final[-2])
    text = (
        f"it takes {final.shape[-1]} features of {2 * final.shape[-1]}; the direction left out is up to {number:.3g} away "
        "from the one that is taken"
    )
    return verdict(number > 0, text, number)


EXPERIMENTS: dict[str, Callable[[Lab], Reply]] = {
    "dropout-single-layer": dropout_single_layer,
    "bool-as-bias": bool_as_bias,
    "last-sample": last_sample,
    "backward-last-step": backward_last_step,
    "one-direction": one_direction,
}
