"""What torch refuses of a layer's features, of the structure of its result, and of its weights. Part of the worker."""

from __future__ import annotations

import operator
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_lint.confirm.worker import Lab

    Reply = dict[str, Any]

BATCH, STEPS = 3, 5
OPERATORS = {"+": operator.add, "-": operator.sub, "*": operator.mul, "/": operator.truediv, "@": operator.matmul}


def called(lab: Lab) -> tuple[Any, Any]:
    """A layer and what it returns for a batch."""
    layer = lab.build()
    is_cell = not hasattr(layer, "num_layers")
    front = (BATCH,) if is_cell else (BATCH, STEPS) if layer.batch_first else (STEPS, BATCH)
    return layer, layer(lab.torch.randn(*front, layer.input_size))


# -- features ----------------------------------------------------------------------------------------------------------
def features(lab: Lab) -> Reply:
    """LST301: a consumer of the wanted size, fed what the layer gave, of the size that the code makes of it."""
    details = lab.probe["details"]
    layer, result = called(lab)
    fed = of_size(lab, layer, result, details["which"], details["given"])
    consumer = CONSUMERS[details["consumer"]](lab.torch, details["wanted"])
    return lab.attempted(lambda: consumer(fed), f"{details['consumer']} takes {tuple(fed.shape)}")


def of_size(lab: Lab, layer: Any, result: Any, which: str, size: int) -> Any:
    """(N, size): the layer's output or state as it is, with layers or directions side by side, or joined with more features."""
    flat = result if isinstance(result, tuple) else (result,)
    if not hasattr(layer, "num_layers"):
        output, final = flat[0], flat[-1 if which == "c" else 0][None]
    else:
        pair = flat[1] if isinstance(flat[1], tuple) else (flat[1],)
        output, final = (flat[0][:, -1] if layer.batch_first else flat[0][-1]), pair[-1 if which == "c" else 0]
    ways = [output, final[-1], final.transpose(0, 1).flatten(1), final[-2:].transpose(0, 1).flatten(1)]
    for way in ways if which == "output" else ways[1:] + ways[:1]:
        if way.shape[-1] == size:
            return way
    narrow = final[-1]
    if narrow.shape[-1] > size:
        return narrow[:, :size]
    return lab.torch.cat([narrow, lab.torch.randn(BATCH, size - narrow.shape[-1])], dim=-1)


def attention(torch: Any, size: int) -> Any:
    layer = torch.nn.MultiheadAttention(size, 1)
    return lambda fed: layer(fed[None], fed[None], fed[None])


def through_conv(kind: str) -> Any:
    return lambda torch, size: lambda fed: getattr(torch.nn, kind)(size, 1, 1)(fed[..., None])


CONSUMERS: dict[str, Any] = {
    "Linear": lambda torch, size: torch.nn.Linear(size, 1),
    "Bilinear": lambda torch, size: lambda fed: torch.nn.Bilinear(size, 1, 1)(fed, torch.ones(BATCH, 1)),
    "LayerNorm": lambda torch, size: torch.nn.LayerNorm(size),
    "RMSNorm": lambda torch, size: torch.nn.RMSNorm(size),
    "BatchNorm1d": lambda torch, size: torch.nn.BatchNorm1d(size),
    "Conv1d": through_conv("Conv1d"),
    "ConvTranspose1d": through_conv("ConvTranspose1d"),
    "MultiheadAttention": attention,
    "TransformerEncoderLayer": lambda torch, size: torch.nn.TransformerEncoderLayer(size, 1),
    "TransformerDecoderLayer": lambda torch, size: lambda fed: torch.nn.TransformerDecoderLayer(size, 1)(fed, fed),
    "product": lambda torch, size: lambda fed: fed @ torch.ones(size, 1),
}


# -- structure ---------------------------------------------------------------------------------------------------------
def structure(lab: Lab) -> Reply:
    """LST302: what the code does with the tuple that the layer returns."""
    details = lab.probe["details"]
    layer, result = called(lab)
    subject = result[1] if details["which"] == "state" and hasattr(layer, "num_layers") else result
    return lab.attempted(lambda: MISUSES[details["do"]](lab, subject, details), "it does as well")


def unpacked(lab: Lab, subject: Any, details: dict[str, Any]) -> None:
    names = ", ".join(f"name_{number}" for number in range(details["count"]))
    exec(f"{names}, = subject", {"subject": subject})


def of_layer(lab: Lab, subject: Any, details: dict[str, Any]) -> Any:
    kind = getattr(lab.torch.nn, details["name"].rpartition(".")[2])
    for arguments in ((), (1,), (1, 1), (1, 1, 1)):
        try:
            layer = kind(*arguments)
            break
        except TypeError:
            continue
    else:
        return lab.refuse(f"{details['name']} is not built here")
    return layer(subject)


def of_function(lab: Lab, subject: Any, details: dict[str, Any]) -> Any:
    found = lab.torch
    for name in details["name"].split(".")[1:]:
        found = getattr(found, name)
    try:
        return found(subject)
    except TypeError as error:
        if "missing" in str(error) and "must be Tensor" not in str(error):
            return lab.refuse(f"{details['name']} wants more arguments")
        raise


def operated(lab: Lab, subject: Any, details: dict[str, Any]) -> Any:
    other = 1.5 if details["number"] else lab.torch.ones(2)
    return OPERATORS[details["name"]](*((subject, other) if details["first"] else (other, subject)))


MISUSES: dict[str, Any] = {
    "unpack": unpacked,
    "unpack state": unpacked,
    "attribute": lambda lab, subject, details: getattr(subject, details["name"]),
    "index": lambda lab, subject, details: subject[:, -1] if details.get("several") else subject[details["number"]],
    "layer": of_layer,
    "function": of_function,
    "operator": operated,
    "join": lambda lab, subject, details: getattr(lab.torch, details["name"])([subject, subject]),
}


# -- weights -----------------------------------------------------------------------------------------------------------
def weight(lab: Lab) -> Reply:
    """LST305: a weight read, initialized, or given another tensor."""
    torch, details = lab.torch, lab.probe["details"]
    layer, name, do = lab.build(), details["name"], details["do"]
    given = torch.zeros(details.get("given", (1,)))
    if do == "assign":
        return assigned(lab, layer, name, given)
    works = {
        "weight": lambda: getattr(layer, name),
        "load": lambda: layer.load_state_dict({**layer.state_dict(), name: given}),
        "load some": lambda: layer.load_state_dict({name: given}, strict=False),
        "copy_": lambda: torch.zeros(details["wanted"]).copy_(given),
        "set item": lambda: torch.zeros(details["wanted"]).__setitem__(slice(None), given),
        "init": lambda: initialized(torch, details["init"], getattr(layer, name)),
    }
    reply = lab.attempted(works[do], "torch takes it")
    if do.startswith("load"):
        reply["text"] += " " + ("size mismatch" if "given" in details else "unexpected key") + f" for {name}"
    return reply


def initialized(torch: Any, name: str, tensor: Any) -> Any:
    return getattr(torch.nn.init, name)(*((tensor, 0.5) if name == "sparse_" else (tensor,)))


def assigned(lab: Lab, layer: Any, name: str, given: Any) -> Reply:
    """The call after it; where torch's kernels for the CPU do not look at the shape, also without them."""
    torch = lab.torch
    before = getattr(layer, name).numel()
    setattr(layer, name, torch.nn.Parameter(given))
    front = (BATCH,) if not hasattr(layer, "num_layers") else (STEPS, BATCH)

    def run() -> Any:
        return layer(torch.randn(*front, layer.input_size))

    reply = lab.attempted(run, "torch takes it")
    if reply["outcome"] == "raised" or not hasattr(torch.backends, "mkldnn"):
        return reply
    with torch.backends.mkldnn.flags(enabled=False):
        checked = lab.attempted(run, "torch takes it")
    if checked["outcome"] != "raised":
        return checked
    text = (
        f"torch's oneDNN kernel does not look at the shape: it reads {before} numbers of {given.numel()} and says nothing; "
        f"without it: {checked['text']}"
    )
    return lab.verdict(True, text, float(abs(before - given.numel())))


EXPERIMENTS: dict[str, Callable[[Lab], Reply]] = {"features": features, "structure": structure, "weight": weight}
