"""Asks torch: reads probes as JSON lines on standard input, answers each as a JSON line on standard output.

Run by path (``python worker.py``) under any Python from 3.8 on. It needs the standard library, torch, and its siblings
`isolation` and the `experiments`; nothing else of lstm_lint. It builds ``getattr(torch.nn, layer)(*positional, **arguments)``,
calls it with tensors of the given shapes, and never runs user code.

It writes ``{"python": "3.11.7"}`` once it runs; then ``{"torch": "2.13.0"}``, or ``{"error": ..., "missing": true}`` where
torch cannot be imported; then for each ``{"id": 1, "time_limit": 10, "probe": {...}}`` a line ``{"id": 1, "outcome": ...}``:

    ran         `shapes` of output, h_n, c_n
    raised      `text`: the exception's type and first line (of the layer, or of what an experiment does with its result)
    crashed     `signal`; `text`: what torch says to a plain batch of the same tensors, if it refuses that
    silent      a packed call that ran although torch refuses the same tensors as a plain batch: see `ask_packed`
    differs     an experiment showed the misuse: `text`, `number`
    timeout
    unusable    `text`: why it can never be asked
    failed      `text`: why it was not asked this time

With ``--where`` it only says where torch is, without importing it: ``{"origin": "/.../torch/__init__.py"}`` or null.

Shape questions about large tensors go to the meta device, which needs no memory: over 17,860 combinations of layer, input and
state (torch 2.13.0) it raised the same text and returned the same shapes as the CPU. Small ones go to the CPU, since the first
call on meta takes 1.5 s more than importing torch does. Packed calls get real tensors in a forked child: torch may die.
"""

# ruff: noqa: B905  (zip has no `strict` before Python 3.10)
from __future__ import annotations

import contextlib
import functools
import importlib
import importlib.machinery
import importlib.util
import json
import math
import os
import sys
import time
import warnings
from typing import TYPE_CHECKING, Any


def sibling(name: str) -> Any:
    """The file next to this one as a module: this file is run by path, outside of any package."""
    path = os.path.join(os.path.dirname(os.path.abspath(__file__)), name + ".py")
    spec: Any = importlib.util.spec_from_file_location("lstm_lint_" + name, path)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


if TYPE_CHECKING:
    from collections.abc import Callable

    from lstm_lint.confirm import isolation

    Reply = dict[str, Any]
    Probe = dict[str, Any]
else:
    isolation = sibling("isolation")

Unusable, in_child, text_of, unusable = isolation.Unusable, isolation.in_child, isolation.text_of, isolation.unusable
EXPERIMENT_FILES = (
    "experiments",
    "experiments_steps",
    "experiments_views",
    "experiments_features",
    "experiments_training",
)  # each with a table EXPERIMENTS, read when a question names one
SMALL = 1_000_000  # numbers in the parameters and tensors of a probe: up to here the CPU is quicker than meta
MAX_ELEMENTS = 20_000_000  # of a probe that needs real memory (80 MB of float32)


def main(arguments: list[str]) -> None:
    """Serve until standard input ends."""
    here = os.path.dirname(os.path.abspath(__file__))  # a script's folder comes first on the path: it must not shadow modules
    sys.path[:] = [entry for entry in sys.path if os.path.abspath(entry or os.curdir) != here]
    replies = os.fdopen(os.dup(1), "w", encoding="utf-8")
    os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whatever torch prints is not an answer

    def reply(message: Reply) -> None:
        replies.write(json.dumps(message) + "\n")
        replies.flush()

    if "--where" in arguments:
        reply({"origin": where()})
        return
    reply({"python": sys.version.split()[0]})
    try:
        torch = importlib.import_module("torch")
        torch.set_num_threads(1)  # threads do not survive a fork
        reply({"torch": str(torch.__version__)})
    except Exception as error:  # a broken installation can raise anything
        reply({"error": text_of(error), "missing": isinstance(error, ModuleNotFoundError) and error.name == "torch"})
        return
    for line in sys.stdin:
        request = json.loads(line)
        reply(dict(answer(torch, request["probe"], time.monotonic() + request["time_limit"]), id=request["id"]))


def where() -> str | None:
    """The file ``import torch`` would load, without loading it; None if there is none. The working folder does not count."""
    outside = [entry for entry in sys.path if entry and os.path.abspath(entry) != os.getcwd()]
    spec = importlib.machinery.PathFinder.find_spec("torch", outside) or importlib.util.find_spec("torch")
    return spec.origin if spec else None


def answer(torch: Any, probe: Probe, deadline: float) -> Reply:
    """torch's answer to one probe. `deadline` is in the time of ``time.monotonic``; it stops only work in a child."""
    try:
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            reply: Reply = ask(torch, probe, deadline)
    except Exception as error:  # torch's own are caught where they are raised
        return unusable(error)
    reply["warnings"] = sorted({text_of(one.message) for one in caught if isinstance(one.message, UserWarning)})
    return reply


def ask(torch: Any, probe: Probe, deadline: float) -> Reply:
    """The reply, without the warnings. Raises Unusable for a probe that makes no sense or is too large for real tensors."""
    layer = getattr(torch.nn, probe["layer"], None)
    if not (isinstance(layer, type) and issubclass(layer, torch.nn.Module)):
        raise Unusable(f"torch.nn.{probe['layer']} is not a layer")
    built = run(torch, dict(probe, input=None), "meta")
    if built["outcome"] == "raised" or (probe["input"] is None and not probe["experiment"]):
        return built
    if probe["experiment"]:
        experiments = read_experiments()
        if probe["experiment"] not in experiments:
            raise Unusable(f"unknown experiment {probe['experiment']}")
        require_small(torch, probe)
        return in_child(lambda: experiments[probe["experiment"]](Lab(torch, probe)), deadline)
    if probe["packed"]:
        require_small(torch, probe)
        return ask_packed(torch, probe, deadline)
    return run_plain(torch, probe)


@functools.cache
def read_experiments() -> dict[str, Any]:
    """Every experiment by name; the files are read once."""
    return {name: run for file in EXPERIMENT_FILES for name, run in sibling(file).EXPERIMENTS.items()}


class Lab:
    """What an experiment works with."""

    def __init__(self, torch: Any, probe: Probe) -> None:
        self.torch = torch
        self.probe = probe

    def build(self) -> Any:
        """The probe's layer, with the same weights every time."""
        self.torch.manual_seed(0)
        return build(self.torch, self.probe)

    def verdict(self, shown: bool, text: str, number: float) -> Reply:
        """The reply of an experiment."""
        return {"outcome": "differs" if shown else "ran", "text": text, "number": number, "shapes": {}}

    def raised(self, error: Exception) -> Reply:
        """The reply of an experiment that does what the code does, where torch refuses it."""
        return {"outcome": "raised", "text": text_of(error)}

    def attempted(self, work: Callable[[], Any], text: str) -> Reply:
        """``raised`` with torch's words where torch refuses `work`, else ``ran``: `text` says what."""
        try:
            work()
        except Exception as error:  # what torch raises is the answer
            return self.raised(error)
        return self.verdict(False, text, 0.0)

    def refuse(self, reason: str) -> None:
        """Raise Unusable."""
        raise Unusable(reason)

    def largest(self, left: Any, right: Any) -> float:
        """The largest absolute difference between two tensors of one shape."""
        return float((left - right).abs().max())


# -- building and calling ----------------------------------------------------------------------------------------------
def on_device(torch: Any, device: str) -> Any:
    """A context in which layers and tensors are made on `device`; before torch 2.0, which has none, they are on the CPU."""
    return torch.device(device) if hasattr(torch.device, "__enter__") else contextlib.nullcontext()


def plain_value(torch: Any, value: Any) -> Any:
    """A constructor argument from JSON: dtypes by name become dtypes; devices become None, since the user's may not be here."""
    if not isinstance(value, str):
        return value
    dtype = getattr(torch, value[6:] if value.startswith("torch.") else value, None)
    if isinstance(dtype, torch.dtype):
        return dtype
    try:
        torch.device(value)
    except RuntimeError:
        return value
    return None


def build(torch: Any, probe: Probe) -> Any:
    """The layer; raises whatever torch raises."""
    positional = [plain_value(torch, value) for value in probe["positional"]]
    arguments = {name: plain_value(torch, value) for name, value in probe["arguments"].items()}
    layer = getattr(torch.nn, probe["layer"])(*positional, **arguments)
    dtype = probe.get("dtypes", {}).get("input")
    return layer if dtype is None else layer.to(getattr(torch, dtype))


def tensors(torch: Any, probe: Probe, layer: Any) -> tuple[Any, list[Any]]:
    """The (padded) input and the state's tensors: standard normal, the same in every run, of the layer's own dtype."""
    dtype = next((parameter.dtype for parameter in layer.parameters()), torch.get_default_dtype())
    try:
        made = [torch.randn(tuple(shape), dtype=dtype) for shape in [probe["input"], *(probe["hx"] or ())]]
    except (RuntimeError, TypeError) as error:
        raise Unusable(f"no such tensors: {text_of(error)}") from error
    for position, name in enumerate(("input", "h_0", "c_0")[: len(made)]):
        if name in probe.get("dtypes", {}):
            made[position] = made[position].to(getattr(torch, probe["dtypes"][name]))
    return made[0], made[1:]


def call(torch: Any, probe: Probe, layer: Any, given: Any, state: list[Any]) -> Any:
    """``layer(given, hx)`` with the state handed over as the probe's `structure` says."""
    if probe["hx"] is None:
        return layer(given)
    if probe["structure"] == "tensor":
        return layer(given, state[0])
    if probe["structure"] == "arguments":
        return layer(given, *state)
    if probe["structure"] == "nested":
        return layer(given, (tuple(state), state[-1]))
    return layer(given, state if probe["structure"] == "list" else tuple(state))


def pack(torch: Any, probe: Probe, layer: Any, padded: Any, lengths: list[int]) -> Any:
    """The input as a PackedSequence; raises Unusable if these lengths cannot be packed."""
    in_order = lengths == sorted(lengths, reverse=True)
    try:
        return torch.nn.utils.rnn.pack_padded_sequence(padded, lengths, layer.batch_first, enforce_sorted=in_order)
    except (RuntimeError, ValueError, IndexError) as error:
        raise Unusable(f"cannot be packed: {text_of(error)}") from error


def shapes_of(torch: Any, layer: Any, result: Any) -> dict[str, list[int]]:
    """The shapes of output, h_n, c_n, as far as there are such; a packed output is padded, a cell's state is h_n and c_n."""
    flat = list(result) if isinstance(result, tuple) else [result]
    if not hasattr(layer, "num_layers"):
        return {name: list(tensor.shape) for name, tensor in zip(("h_n", "c_n"), flat)}
    if isinstance(flat[0], torch.nn.utils.rnn.PackedSequence):
        flat[0] = torch.nn.utils.rnn.pad_packed_sequence(flat[0], layer.batch_first)[0]
    flat[1:] = flat[1] if isinstance(flat[1], tuple) else [flat[1]]
    return {name: list(tensor.shape) for name, tensor in zip(("output", "h_n", "c_n"), flat)}


def run(torch: Any, probe: Probe, device: str, lengths: list[int] | None = None) -> Reply:
    """Build the layer and, if there is an input, call it, packed if there are lengths: ``ran`` with shapes, or ``raised``."""
    torch.manual_seed(0)
    with on_device(torch, device):
        try:
            layer = build(torch, probe)
        except Exception as error:  # what torch raises is the answer
            return {"outcome": "raised", "text": text_of(error)}
        if probe["input"] is None:
            return {"outcome": "ran", "shapes": {}}
        padded, state = tensors(torch, probe, layer)
        given = padded if lengths is None else pack(torch, probe, layer, padded, lengths)
        try:
            result = call(torch, probe, layer, given, state)
        except Exception as error:  # as above
            return {"outcome": "raised", "text": text_of(error)}
        return {"outcome": "ran", "shapes": shapes_of(torch, layer, result)}


def run_plain(torch: Any, probe: Probe) -> Reply:
    """As `run`, unpacked, on the device that suits the size."""
    if probe.get("dtypes"):  # which meta does not look at
        require_small(torch, probe)
    if probe.get("dtypes") or elements(torch, probe) <= SMALL:
        return run(torch, probe, "cpu")
    reply = run(torch, probe, "meta")
    if reply["outcome"] == "raised" and (reply["text"].startswith("NotImplementedError") or "meta" in reply["text"].lower()):
        require_small(torch, probe)
        return run(torch, probe, "cpu")
    return reply


def elements(torch: Any, probe: Probe) -> int:
    """How many numbers the probe's parameters and tensors hold. The layer must be constructible."""
    with on_device(torch, "meta"):
        parameters = sum(parameter.numel() for parameter in build(torch, probe).parameters())
    return int(parameters + sum(math.prod(shape) for shape in [probe["input"] or (), *(probe["hx"] or ())]))


def require_small(torch: Any, probe: Probe) -> None:
    """Raise Unusable where real tensors would need too much memory: torch's complaint would say nothing of shapes."""
    count = elements(torch, probe)
    if count > MAX_ELEMENTS:
        raise Unusable(f"it needs {count:,} numbers in memory")


# -- packed calls ------------------------------------------------------------------------------------------------------
def ask_packed(torch: Any, probe: Probe, deadline: float) -> Reply:
    """Run the call packed, with equal lengths unless the probe gives some; if torch does not complain, see whether it should.

    It should where it refuses the same tensors as a plain padded batch (`input` is laid out as the layer's batch_first says).
    Then the reply is ``silent``: `text` is what torch says to the plain batch, `expected` the shapes it returns to a batch
    without state, `varied` what happens when the lengths differ, `number` as in `excess`.
    """
    if len(probe["input"]) < 2:
        raise Unusable("a packed input has a time and a batch axis")
    with on_device(torch, "meta"):
        batch_axis = 0 if getattr(build(torch, probe), "batch_first", False) else 1
    batch, steps = probe["input"][batch_axis], probe["input"][1 - batch_axis]
    lengths = list(probe.get("lengths") or [steps] * batch)
    reply: Reply = in_child(lambda: run(torch, probe, "cpu", lengths), deadline)
    if reply["outcome"] not in ("ran", "crashed"):
        return reply
    plain = run_plain(torch, probe)
    if plain["outcome"] != "raised":
        return reply
    if reply["outcome"] == "crashed":
        return dict(reply, text=plain["text"])
    reply.update(outcome="silent", text=plain["text"])
    bare = run_plain(torch, dict(probe, hx=None))
    if bare["outcome"] == "ran":
        reply["expected"] = bare["shapes"]
        reply.update(in_child(lambda: excess(torch, probe, bare["shapes"], lengths), deadline, {}))
    if batch > 1 and steps > 1 and not probe.get("lengths"):
        varied = in_child(lambda: run(torch, probe, "cpu", [*lengths[1:], steps - 1]), deadline)
        reply["varied"] = varied.get("text") or varied.get("signal") or varied["outcome"]
    return reply


def excess(torch: Any, probe: Probe, expected: dict[str, list[int]], lengths: list[int]) -> Reply:
    """``{"number": d}`` where the state is only too large: the largest difference between the output and the one that the
    state's first rows, of the right shape, give. 0 means that torch ignored the rest. Empty where there are no such rows."""
    right = [expected["h_n"], expected.get("c_n", expected["h_n"])][: len(probe["hx"] or ())]
    fits = [len(have) == len(want) and all(map(int.__ge__, have, want)) for have, want in zip(probe["hx"] or (), right)]
    if probe["structure"] == "tensor" or not fits or not all(fits):
        return {}
    layer = Lab(torch, probe).build()
    padded, state = tensors(torch, probe, layer)
    given = pack(torch, probe, layer, padded, lengths)
    cropped = [tensor[tuple(slice(size) for size in want)].contiguous() for tensor, want in zip(state, right)]
    taken, wanted = (call(torch, probe, layer, given, hx)[0].data for hx in (state, cropped))
    return {"number": Lab(torch, probe).largest(taken, wanted)} if taken.shape == wanted.shape else {}


if __name__ == "__main__":
    main(sys.argv[1:])
