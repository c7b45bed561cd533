"""What goes wrong in silence where a step or a direction is taken, shown by torch. Part of the worker, as `experiments`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_lint.confirm.worker import Lab

    Reply = dict[str, Any]

LENGTHS = (5, 3, 2)  # of a batch of 3, padded to 5 steps


def batch(lab: Lab, layer: Any) -> Any:
    """A batch as the layer wants it laid out."""
    count, steps = len(LENGTHS), LENGTHS[0]
    first = getattr(layer, "batch_first", False)
    return lab.torch.randn(*((count, steps) if first else (steps, count)), layer.input_size)


def steps_first(layer: Any, output: Any) -> Any:
    """The output as (time, batch, features)."""
    return output.transpose(0, 1) if layer.batch_first else output


def packed_output(lab: Lab, layer: Any) -> tuple[Any, Any]:
    """The padded output (time, batch, features) of a batch of sequences of different lengths, and h_n."""
    rnn = lab.torch.nn.utils.rnn
    packed = rnn.pack_padded_sequence(batch(lab, layer), list(LENGTHS), layer.batch_first)
    output, state = layer(packed)
    return rnn.pad_packed_sequence(output)[0], hidden(state)


def unpacked_output(lab: Lab, layer: Any) -> tuple[Any, Any]:
    """The output (time, batch, features) of the padded batch as it is, and the h_n of the same batch packed."""
    given, rnn = batch(lab, layer), lab.torch.nn.utils.rnn
    for sample, length in enumerate(LENGTHS):
        (given[sample] if layer.batch_first else given[:, sample])[length:] = 0
    state = layer(rnn.pack_padded_sequence(given, list(LENGTHS), layer.batch_first))[1]
    return steps_first(layer, layer(given)[0]), hidden(state)


def hidden(state: Any) -> Any:
    """h_n of what a layer gives beside its output."""
    return state[0] if isinstance(state, tuple) else state


def last_sample(lab: Lab) -> Reply:
    """LST401: the end of the batch axis of an output, against the end of its axis of steps, as far as both have rows."""
    layer = lab.build()
    output = steps_first(layer, layer(batch(lab, layer))[0])
    steps, count, _ = output.shape
    taken, wanted = output[:, -1], output[-1]  # (steps, features) and (batch, features)
    number = lab.largest(taken[:count], wanted)
    text = (
        f"of {count} samples of {steps} steps it takes {tuple(taken.shape)}, every step of one sample, where the last step is "
        f"{tuple(wanted.shape)}; the largest difference is {number:.3g}"
    )
    return lab.verdict(number > 0, text, number)


def backward_last_step(lab: Lab) -> Reply:
    """LST402: the backward half of the last step against the end of the backward direction, which h_n holds."""
    layer = lab.build()
    if not layer.bidirectional:
        return {"outcome": "unusable", "text": "the layer has one direction"}
    if lab.probe["details"].get("step") == "ends":
        output, h_n = packed_output(lab, layer)
        last = output[lab.torch.tensor(LENGTHS) - 1, range(len(LENGTHS))]
    else:
        output, state = layer(batch(lab, layer))
        last, h_n = steps_first(layer, output)[-1], hidden(state)
    size = h_n.shape[-1]
    number, forward = lab.largest(last[:, size:], h_n[-1]), lab.largest(last[:, :size], h_n[-2])
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
    state = layer(batch(lab, layer))[1]
    final = state[1] if lab.probe["details"].get("which") == "c" else hidden(state)
    number = lab.largest(final[-1], final[-2])
    text = (
        f"it takes {final.shape[-1]} features of {2 * final.shape[-1]}; the direction left out is up to {number:.3g} away "
        "from the one that is taken"
    )
    return lab.verdict(number > 0, text, number)


def padded_last_step(lab: Lab) -> Reply:
    """LST407: the last step of a padded output, forward, against the ends that h_n holds, for sequences of other lengths.

    Of a batch that was not packed that step is the final state too.
    """
    layer = lab.build()
    overrun = lab.probe["details"]["overrun"]
    output, h_n = unpacked_output(lab, layer) if overrun else packed_output(lab, layer)
    last = output[-1]
    forward = h_n[-2] if layer.bidirectional else h_n[-1]
    number = lab.largest(last[1:, : forward.shape[-1]], forward[1:])
    steps, what = ", ".join(map(str, LENGTHS)), "final state" if lab.probe["details"].get("state") else "last step"
    taken = "has run over padding" if overrun else f"is {float(last[1:].abs().max()):g}"
    held = "a packed batch leaves in h_n" if overrun else "h_n holds"
    text = f"of sequences of {steps} steps the {what} {taken} for all but the first, up to {number:.3g} away from what {held}"
    return lab.verdict(number > 0, f"{text} of them", number)


EXPERIMENTS: dict[str, Callable[[Lab], Reply]] = {
    "last-sample": last_sample,
    "backward-last-step": backward_last_step,
    "one-direction": one_direction,
    "padded-last-step": padded_last_step,
}
