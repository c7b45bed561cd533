"""What goes wrong in silence where a step or a direction is taken, shown by torch. Part of the worker, as `experiments`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_lint.confirm.worker import Lab

    Reply = dict[str, Any]


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
    return lab.verdict(number > 0, text, number)


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
    return lab.verdict(number > 0, text, number)


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
    return lab.verdict(number > 0, text, number)


EXPERIMENTS: dict[str, Callable[[Lab], Reply]] = {
    "last-sample": last_sample,
    "backward-last-step": backward_last_step,
    "one-direction": one_direction,
}
