"""What goes wrong around a layer, in its data, its state and its training loop, shown by torch. Part of the worker, as
`experiments`."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_lint.confirm.worker import Lab

    Reply = dict[str, Any]

LENGTHS = [4, 3, 2, 1]


def packed_in_the_other_layout(lab: Lab) -> Reply:
    """LST408: a batch of as many samples as steps, packed in its own layout and in the other: what a layer makes of both."""
    layer = lab.build()
    rnn = lab.torch.nn.utils.rnn
    first = bool(lab.probe["details"]["batch_first"])
    given = lab.torch.randn(4, 4, layer.input_size)
    try:
        rnn.pack_padded_sequence(given[:3] if first else given[:, :3], LENGTHS[1:], batch_first=not first)
        told = "torch takes a batch of 3"
    except (RuntimeError, ValueError) as error:
        told = f"a batch of 3 raises {type(error).__name__}: {str(error).splitlines()[0]}"
    outputs = []
    for way in (first, not first):
        packed = rnn.pack_padded_sequence(given, LENGTHS, batch_first=way)
        outputs.append(rnn.pad_packed_sequence(layer(packed)[0], batch_first=way)[0])
    number = lab.largest(outputs[0], outputs[1])
    text = f"for 4 samples of 4 steps the output is up to {number:.3g} away from that of the right layout; {told}"
    return lab.verdict(number > 0, text, number)


def packed_full(lab: Lab) -> Reply:
    """LST408: packed with the padded length for every sample, or not packed at all: the same output."""
    layer = lab.build()
    rnn = lab.torch.nn.utils.rnn
    given = lab.torch.randn(4, 4, layer.input_size)

    def packed(lengths: list[int]) -> Any:
        output, _ = layer(rnn.pack_padded_sequence(given, lengths, batch_first=layer.batch_first))
        return rnn.pad_packed_sequence(output, batch_first=layer.batch_first)[0]

    plain = layer(given)[0]
    number, meant = lab.largest(plain, packed([4, 4, 4, 4])), lab.largest(plain, packed(LENGTHS))
    text = (
        f"packed so, the output is that of the padded batch (largest difference {number:.3g}; with the lengths of the "
        f"sequences {meant:.3g})"
    )
    return lab.verdict(number < 1e-5 < meant, text, number)


def joined_layouts(lab: Lab) -> Reply:
    """LST408: (T, N, F) and (N, T, F) joined, with as many samples as steps and without."""
    lab.build()
    steps = lab.torch.arange(4.0)[:, None, None].expand(4, 4, 1)  # at [step, sample] the number of the step
    joined = lab.torch.cat([steps, steps.transpose(0, 1)], 2)
    number = lab.largest(joined[..., 0], joined[..., 1])
    try:
        lab.torch.cat([steps[:, :3], steps[:, :3].transpose(0, 1)], 2)
        return {"outcome": "ran", "text": "torch joins 4 steps of 3 samples", "shapes": {}}
    except RuntimeError as error:
        told = str(error).splitlines()[0]
    text = f"for 4 samples of 4 steps it joins features that are up to {number:g} steps apart; 3 samples raise: {told}"
    return lab.verdict(number > 0, text, number)


def input_layout(lab: Lab) -> Reply:
    """LST410: the layer on a batch in the other layout, against the same batch turned round."""
    layer = lab.build()
    given = lab.torch.randn(4, 4, layer.input_size)
    number = lab.largest(layer(given)[0], layer(given.transpose(0, 1))[0].transpose(0, 1))
    text = f"its output is up to {number:.3g} away from that of the same batch in the layer's own layout"
    return lab.verdict(number > 0, text, number)


def swapped_pair(lab: Lab) -> Reply:
    """LST406: a second call with the final state of the first, in the right order and in the other."""
    layer = lab.build()
    if lab.probe["layer"].startswith("LSTMCell"):
        given = lab.torch.randn(3, layer.input_size)
        h_n, c_n = layer(given)
        taken, wanted = layer(given, (c_n, h_n))[0], layer(given, (h_n, c_n))[0]
    else:
        given = lab.torch.randn(4, 4, layer.input_size)
        _, (h_n, c_n) = layer(given)
        if h_n.shape != c_n.shape:
            return {"outcome": "unusable", "text": "h and c have not the same size"}
        taken, wanted = layer(given, (c_n, h_n))[0], layer(given, (h_n, c_n))[0]
    number, apart = lab.largest(taken, wanted), lab.largest(h_n, c_n)
    text = f"c_n is up to {apart:.3g} away from h_n; with the two in the wrong order the output is up to {number:.3g} off"
    return lab.verdict(number > 0 and apart > 0, text, number)


def carried_state(lab: Lab) -> Reply:
    """LST409: two rounds with one state, each with its backward: what torch says to the second."""
    layer = lab.build()
    is_cell = lab.probe["layer"].endswith("Cell")
    state = None
    for _ in range(2):
        result = layer(lab.torch.randn(*((3,) if is_cell else (4, 3)), layer.input_size), state)
        state = result if is_cell else result[1]
        output = state if is_cell else result[0]
        loss = (output[0] if isinstance(output, tuple) else output).sum()
        try:
            loss.backward()
        except RuntimeError as error:
            return {"outcome": "raised", "text": f"RuntimeError: {str(error).splitlines()[0]}"}
    return {"outcome": "ran", "text": "two rounds with one state", "shapes": {}}


def state_device(lab: Lab) -> Reply:
    """LST109: layer and input on one device, the state on the CPU. The meta device stands for that which may not be here."""
    layer = lab.build().to("meta")
    is_cell = lab.probe["layer"].endswith("Cell")
    given = lab.torch.randn(*((3,) if is_cell else (4, 3)), layer.input_size, device="meta")
    right = layer(given)
    state = right if is_cell else right[1]
    on_cpu = tuple(lab.torch.zeros(one.shape) for one in state) if isinstance(state, tuple) else lab.torch.zeros(state.shape)
    try:
        layer(given, on_cpu)
    except (RuntimeError, NotImplementedError) as error:
        return {"outcome": "raised", "text": f"RuntimeError: {str(error).splitlines()[0]} (meta stands for the other device)"}
    return {"outcome": "ran", "text": "a state on another device", "shapes": {}}


def short_batch(lab: Lab) -> Reply:
    """LST107: the batches that torch's own DataLoader makes of 7 samples, 3 at a time, with a state for 3 samples."""
    layer = lab.build()
    is_cell, first = lab.probe["layer"].endswith("Cell"), getattr(layer, "batch_first", False)
    samples = lab.torch.randn(7, *(() if is_cell else (4,)), layer.input_size)
    state = None
    for batch in lab.torch.utils.data.DataLoader(samples, batch_size=3):
        given = batch if is_cell or first else batch.transpose(0, 1)
        try:
            result = layer(given, state)
        except (RuntimeError, ValueError) as error:
            told = f"{type(error).__name__}: {str(error).splitlines()[0]}"
            return {"outcome": "raised", "text": f"{told} (7 samples, 3 at a time: the last batch has {len(batch)})"}
        made = result if is_cell else result[1]
        state = tuple(lab.torch.zeros(one.shape) for one in made) if isinstance(made, tuple) else lab.torch.zeros(made.shape)
    return {"outcome": "ran", "text": "7 samples, 3 at a time", "shapes": {}}


EXPERIMENTS: dict[str, Callable[[Lab], Reply]] = {
    "packed-in-the-other-layout": packed_in_the_other_layout,
    "packed-full": packed_full,
    "joined-layouts": joined_layouts,
    "input-layout": input_layout,
    "swapped-pair": swapped_pair,
    "carried-state": carried_state,
    "state-device": state_device,
    "short-batch": short_batch,
}
