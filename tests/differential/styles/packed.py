"""Packed input: pack_padded_sequence, the layer, pad_packed_sequence. torch does not check an LSTM's state here."""

from dataclasses import replace

from tests.differential.config import GLOBAL_FLAVOURS, Config
from tests.differential.layers import construction
from tests.differential.nets import Feed, Net, finish, input_lines, make_net
from tests.differential.program import Draft
from tests.differential.scope import Scope, read_input
from tests.differential.sizes import Sizes
from tests.differential.states import call, state
from tests.differential.styles.modules import any_config
from tests.differential.styles.scripts import concrete_batch, local_scope
from tests.differential.writer import Writer


def _functions(w: Writer) -> tuple[str, str]:
    """How this program names pack and pad."""
    if w.chance(0.7):
        w.imports.use("from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence")
        return "pack_padded_sequence", "pad_packed_sequence"
    if w.chance(0.5):
        w.imports.use("from torch.nn.utils import rnn as rnn_utils")
        return "rnn_utils.pack_padded_sequence", "rnn_utils.pad_packed_sequence"
    return f"{w.nn}.utils.rnn.pack_padded_sequence", f"{w.nn}.utils.rnn.pad_packed_sequence"


def _lengths(w: Writer, sizes: Sizes) -> str:
    """Lengths of the batch, all equal or falling; the first is the number of steps."""
    if w.chance(0.5):
        values = [sizes.steps] * sizes.batch
    else:
        values = sorted([sizes.steps] + [w.rng.randint(1, sizes.steps) for _ in range(sizes.batch - 1)], reverse=True)
    text = "[" + ", ".join(map(str, values)) + "]"
    return w.pick(text, f"{w.torch}.tensor({text})")


def _pack(w: Writer, pack: str, name: str, lengths: str) -> str:
    extra = ", batch_first=True" if w.sizes.batch_first else w.pick("", "", ", batch_first=False")
    return f"{pack}({name}, {lengths}{extra}{w.pick('', ', enforce_sorted=False', ', enforce_sorted=True')})"


def _pad(w: Writer, pad: str) -> str:
    extra = ", batch_first=True" if w.sizes.batch_first else ""
    return f"out, out_lengths = {pad}(out{extra})"


def packed_module(w: Writer) -> Draft:
    """forward packs, runs with a state built in forward, and pads."""
    cfg = any_config(w)
    cfg.place["batch_first"] = "literal" if w.sizes.batch_first else "absent"
    cfg.defaults.pop("batch_first", None)
    net = make_net(w, cfg)
    pack, pad = _functions(w)
    lines: list[str] = []
    scope = net.scope()
    read_input(scope, lines, "x")
    text = state(scope, lines)
    lines.append(f"packed = {_pack(w, pack, 'x', 'lengths')}")
    call(w, lines, net.layer, "packed", text)
    lines += [_pad(w, pad), "return out"] if w.chance(0.85) else ["return out"]
    net.method("forward", ["x", "lengths"], lines)
    return finish(net, _feed(net), packed=True)


def _feed(net: Net) -> Feed:
    w = net.w

    def feed(sizes: Sizes, faulty: bool, lines: list[str]) -> None:
        lines.extend(input_lines(w, sizes, faulty, "x"))
        lines.append(f"lengths = {_lengths(w, sizes)}")
        lines.append("out = model(x, lengths)")

    return feed


def packed_script(w: Writer) -> Draft:
    """The same at module level."""
    cfg = Config(w, w.one_of(GLOBAL_FLAVOURS))
    lines = cfg.preamble()
    pack, pad = _functions(w)
    layer = w.pick("lstm", "rnn")
    lines.append(f"{layer} = {construction(w, cfg, lines)}")
    scope: Scope = local_scope(w, cfg, layer)
    concrete_batch(w, scope, lines)
    lines += input_lines(w, w.sizes, True, "x")
    lines.append(f"lengths = {_lengths(w, replace(w.sizes))}")
    lines.append(f"packed = {_pack(w, pack, 'x', 'lengths')}")
    text = state(scope, lines)
    call(w, lines, layer, "packed", text)
    lines.append(_pad(w, pad))
    return Draft(body="", driver=lambda sizes, faulty: "\n".join(lines), symbolic=False, packed=True)
