"""What goes wrong where a layer's results are viewed, split or indexed, shown by torch. Part of the worker, as `experiments`.

The probe's `details` say which result it is done to (`which`, with its `shape`, for `batch` samples and `time` steps). A tensor
that the code worked out of that result is made of it by its `factors`, (role, size) in memory order, where there are such, and
else of random numbers.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_lint.confirm.worker import Lab

    Reply = dict[str, Any]

MAX_ELEMENTS = 20_000_000


def view(lab: Lab) -> Reply:
    """LST303: the very sizes that the code asks for."""
    tensor, details = subject(lab), lab.probe["details"]
    sizes = tuple(details["sizes"])
    method = tensor.view if details["method"] == "view" else tensor.reshape
    return lab.attempted(lambda: method(sizes), f"{tuple(tensor.shape)} to {sizes}")


def index(lab: Lab) -> Reply:
    """LST304: the very index, or as many names as it is unpacked into."""
    tensor, details = subject(lab), lab.probe["details"]
    if "count" in details:
        names = " ".join(f"name{i}," for i in range(details["count"]))
        return lab.attempted(
            lambda: eval(f"[0 for ({names}) in [tensor]]", {"tensor": tensor}), f"unpacking {tuple(tensor.shape)}"
        )
    key = (slice(None),) * details["axis"] + (details["index"],)
    return lab.attempted(lambda: tensor[key], f"index {details['index']} of axis {details['axis']} of {tuple(tensor.shape)}")


def stray(lab: Lab) -> Reply:
    """LST404, LST405: what the code takes for one sample, or one direction, against what that is."""
    details = lab.probe["details"]
    roles = [role for role, _ in details["factors"]]
    tensor, place = by_factors(lab), roles.index(details["role"])
    count = tensor.shape[place]
    owners = lab.torch.arange(count).reshape([count if i == place else 1 for i in range(len(roles))]).expand(tensor.shape)
    owner, numbers = taken(owners, details).flatten(), taken(tensor, details).flatten()
    foreign = int((owner != owner[0]).sum())
    own = tensor.select(place, int(owner[0])).flatten()
    compared = min(len(numbers), len(own))
    number = lab.largest(numbers[:compared], own[:compared])
    name, others = ("sample", "other samples") if details["role"] == "batch" else ("direction", "the other")
    text = (
        f"of the {len(numbers)} numbers that it takes for one {name}'s, {foreign} are of {others}; "
        f"the largest difference from that {name}'s own is {number:.3g}"
    )
    return lab.verdict(foreign > 0, text, number)


def taken(tensor: Any, details: dict[str, Any]) -> Any:
    """What the code takes for the first one: index 0 of the axes that the view makes, or a slice of an axis."""
    if "sizes" in details:
        start, end = details["axes"]
        sizes = list(details["sizes"])
        return tensor.reshape([*sizes[:start], math.prod(sizes[start:end]), *sizes[end:]]).select(start, 0)
    key = (slice(None),) * details["axis"] + (slice(*details["slice"]),)
    return tensor.reshape(details["shape"])[key]


# -- the tensor --------------------------------------------------------------------------------------------------------
def subject(lab: Lab) -> Any:
    """The tensor in its own shape: the layer's result, that in another order of sizes, or random numbers."""
    shape = tuple(lab.probe["details"]["shape"])
    made, _ = result(lab)
    if tuple(made.shape) == shape:
        return made
    return made.reshape(shape) if made.numel() == math.prod(shape) else lab.torch.randn(shape)


def by_factors(lab: Lab) -> Any:
    """The tensor with one axis for each factor. What the code took of the layer's result before is its last index here."""
    factors = lab.probe["details"]["factors"]
    roles, sizes = [role for role, _ in factors], [size for _, size in factors]
    made, own = result(lab)
    if len(set(roles)) < len(roles) or not set(roles) <= set(own):
        return lab.torch.randn(sizes)
    for role in [role for role in own if role not in roles]:
        made = made.select(own.index(role), -1)
        own.remove(role)
    made = made.permute([own.index(role) for role in roles])
    return made if list(made.shape) == sizes else lab.torch.randn(sizes)


def result(lab: Lab) -> tuple[Any, list[str]]:
    """The layer's output, h_n or c_n, and its roles; where the details speak of factors, with one axis for each role."""
    details, layer = lab.probe["details"], lab.build()
    batch, steps = details.get("batch", 3), details.get("time", 5)
    if batch * steps * max(layer.input_size, 2 * layer.hidden_size) > MAX_ELEMENTS:
        lab.refuse("it needs too much memory")
    if not hasattr(layer, "num_layers"):
        states = layer(lab.torch.randn(batch, layer.input_size))
        return (states[details["which"] == "c"] if isinstance(states, tuple) else states), ["batch", "feature"]
    first = getattr(layer, "batch_first", False)
    output, state = layer(lab.torch.randn(*((batch, steps) if first else (steps, batch)), layer.input_size))
    directions = 2 if layer.bidirectional else 1
    if details["which"] == "output":
        front = ["batch", "time"] if first else ["time", "batch"]
        return split(output, lab, (*output.shape[:2], directions, -1)), [*front, "direction", "feature"]
    final = state[1] if details["which"] == "c" else state[0] if isinstance(state, tuple) else state
    return split(final, lab, (layer.num_layers, directions, batch, -1)), ["layer", "direction", "batch", "feature"]


def split(tensor: Any, lab: Lab, sizes: tuple[int, ...]) -> Any:
    return tensor.view(sizes) if "factors" in lab.probe["details"] else tensor


EXPERIMENTS: dict[str, Callable[[Lab], Reply]] = {"view": view, "index": index, "stray": stray}
