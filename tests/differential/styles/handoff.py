"""One layer's result goes into another: encoder to decoder, stacked layers, decoding loops."""

from textwrap import indent

from tests.differential.config import Config
from tests.differential.nets import Net, feed_plain, finish, make_net
from tests.differential.program import Draft
from tests.differential.scope import read_input
from tests.differential.states import invocation, state
from tests.differential.writer import Writer


def _merges(w: Writer, layers: str) -> list[tuple[str, bool]]:
    """Ways to make (L, N, ...) of a bidirectional (2L, N, H) state `{0}`: (expression, whether the width doubles)."""
    torch = w.torch
    return [
        (f"{{0}}.view({layers}, 2, {{0}}.size(1), -1).sum(1)", False),
        (f"{{0}}.view({layers}, 2, {{0}}.size(1), {{0}}.size(2)).mean(dim=1)", False),
        ("{0}[::2]", False),
        ("{0}[0::2] + {0}[1::2]", False),
        ("({0}[0::2] + {0}[1::2]) / 2", False),
        (f"{torch}.cat([{{0}}[0::2], {{0}}[1::2]], dim=2)", True),
        (f"{torch}.cat(({{0}}[0:{{0}}.size(0):2], {{0}}[1:{{0}}.size(0):2]), 2)", True),
        (f"{torch}.cat([{{0}}[::2], {{0}}[1::2]], dim=-1)", True),
        (
            f"{{0}}.view({layers}, 2, {{0}}.size(1), -1).transpose(1, 2).contiguous().view({layers}, {{0}}.size(1), -1)",
            True,
        ),
        (
            f"{{0}}.view({layers}, 2, {{0}}.shape[1], -1).permute(0, 2, 1, 3).reshape({layers}, {{0}}.shape[1], -1)",
            True,
        ),
        (f"{torch}.stack([{torch}.cat([{{0}}[2 * i], {{0}}[2 * i + 1]], dim=1) for i in range({layers})])", True),
        (f"{torch}.stack([{torch}.cat((({{0}}[i], {{0}}[i + 1])), 1) for i in range(0, {layers} * 2, 2)], 0)", True),
    ]


def _wrong_merges(w: Writer) -> list[tuple[str, bool]]:
    """Ways that look like a merge and give another shape."""
    torch = w.torch
    return [
        ("{0}", False),
        ("{0}", True),
        (f"{torch}.cat([{{0}}[0::2], {{0}}[1::2]], dim=0)", True),
        (f"{torch}.cat([{{0}}[0::2], {{0}}[1::2]], dim=2)", False),
        ("{0}[::2]", True),
        (f"{torch}.cat([{{0}}[-2], {{0}}[-1]], dim=1)", True),
        ("{0}.transpose(0, 1).contiguous()", False),
        ("{0}.mean(0)", False),
    ]


def _parts(w: Writer, merge: str) -> str:
    """The decoder's state from the encoder's (h, c), or h alone."""
    if w.kind != "LSTM":
        return merge.format("h")
    if merge == "{0}":
        return w.pick("(h, c)", "(h, c)", "[h, c]")
    return w.pick(
        f"({merge.format('h')}, {merge.format('c')})",
        f"tuple({merge.format('s')} for s in (h, c))",
        f"[{merge.format('s')} for s in (h, c)]",
    )


def encoder_decoder(w: Writer) -> Draft:
    """The encoder's final state, merged if it is bidirectional, starts the decoder."""
    cfg = Config(w, w.pick("params", "params", "dataclass", "constants", "literals"))
    cfg.place["bidirectional"] = "literal"
    cfg.defaults.pop("bidirectional", None)
    net = make_net(w, cfg)
    inner = {
        role: cfg.inner(role) if cfg.place[role] != "absent" else "1" for role in ("input_size", "hidden_size", "num_layers")
    }
    merge, doubled = _chosen_merge(w, _layers_text(net))
    width = f"{inner['hidden_size']} * 2" if doubled else inner["hidden_size"]
    batch_first = ", batch_first=True" if w.sizes.batch_first else ""
    layers = inner["num_layers"]
    both = ", bidirectional=True" if merge == "{0}" and not w.faulty("handoff") and w.sizes.bidirectional else ""
    net.init.append(
        f"self.decoder = {w.imports.layer(w.kind)}({inner['input_size']}, {width}, num_layers={layers}{batch_first}{both})"
    )
    lines = _encode(w, net)
    state_text = _parts(w, merge)
    lines += [f"y, _ = {invocation(w, 'self.decoder', w.pick('x', 'x', 'x'), state_text)}", "return y"]
    net.method("forward", ["x"], lines)
    return finish(net, feed_plain(net))


def _layers_text(net: Net) -> str:
    if "num_layers" in net.saved:
        return f"self.{net.saved['num_layers']}"
    if "num_layers" in net.cfg.known:
        return str(net.cfg.known["num_layers"])
    return f"{net.layer}.num_layers"


def _chosen_merge(w: Writer, layers: str) -> tuple[str, bool]:
    if not w.faulty("handoff"):
        return w.one_of(_merges(w, layers)) if w.sizes.bidirectional and w.chance(0.85) else ("{0}", False)
    if w.sizes.bidirectional:
        return w.one_of(_wrong_merges(w))
    return w.pick(
        ("{0}", True),
        ("{0}[-1]", False),
        ("{0}.transpose(0, 1).contiguous()", False),
        ("{0}[-1:].repeat(4, 1, 1)", False),
    )


def _encode(w: Writer, net: Net) -> list[str]:
    """The encoder's call, its state bound to h (and c)."""
    if w.kind != "LSTM":
        return [f"_, h = {net.layer}(x)"]
    first: list[str] = []
    text = None
    if w.chance(0.35):
        scope = net.scope()
        read_input(scope, first, "x")
        text = state(scope, first)
    if w.chance(0.5):
        return [*first, f"out, (h, c) = {invocation(w, net.layer, 'x', text)}"]
    return [
        *first,
        f"out, state = {invocation(w, net.layer, 'x', text)}",
        w.pick("h, c = state", "h, c = state[0], state[1]"),
    ]


def stacked(w: Writer) -> Draft:
    """Two layers, the second reading the first's output: its input size is D times the first's hidden size."""
    cfg = Config(w, w.pick("params", "params", "dataclass", "dict", "literals", "constants"))
    net = make_net(w, cfg)
    width = cfg.inner("hidden_size") if not w.sizes.proj_size else cfg.inner("proj_size")
    flag = cfg.known.get("bidirectional")
    factor = {None: None, True: "2", False: "1"}[flag] or f"(2 if {cfg.inner('bidirectional')} else 1)"
    features = f"{width} * {factor}" if factor != "1" else width
    if w.faulty("one_output"):
        features = width if factor != "1" or w.chance(0.3) else f"{width} * 2"
    batch_first = ", batch_first=True" if w.sizes.batch_first else ""
    second = w.imports.layer(w.pick(w.kind, "LSTM", "GRU"))
    net.init.append(f"self.second = {second}({features}, {cfg.inner('hidden_size')}{batch_first})")
    lines: list[str] = []
    text = None
    if w.chance(0.5) or w.faulty("no_directions"):
        scope = net.scope()
        read_input(scope, lines, "x")
        text = state(scope, lines)
    lines.append(f"out, _ = {invocation(w, net.layer, 'x', text)}")
    lines += (
        [w.pick(f"out = {w.torch}.relu(out)", "out = out.contiguous()", f"out = {w.nn}.functional.dropout(out, 0.1)")]
        if w.chance(0.4)
        else []
    )
    lines += ["out, _ = self.second(out)", "return out"]
    net.method("forward", ["x"], lines)
    return finish(net, feed_plain(net))


def decoding_loop(w: Writer) -> Draft:
    """A loop that rebinds the state: out, state = lstm(step, state)."""
    cfg = Config(w, w.pick("params", "params", "dataclass", "literals"))
    net = make_net(w, cfg)
    lines: list[str] = []
    scope = net.scope()
    read_input(scope, lines, "x")
    before: list[str] = []
    text = state(scope, before)
    lines += [*before, f"state = {text}", "outputs = []"]
    axis = 1 if w.sizes.batch_first else 0
    if cfg.known.get("batch_first") is None:
        step = "x.narrow(1 if " + scope.say("batch_first") + " else 0, t, 1)"
        count = scope.names["steps"][0]
    else:
        step = (
            w.pick("x[:, t:t + 1]", "x[:, t].unsqueeze(1)", "x[:, t, :].unsqueeze(1)")
            if axis
            else w.pick("x[t:t + 1]", "x[t].unsqueeze(0)", "x[t][None]")
        )
        count = f"x.size({axis})"
    inside = [f"step = {step}", f"out, state = {net.layer}(step, state)", "outputs.append(out)"]
    lines += [
        f"for t in range({count}):",
        indent("\n".join(inside), "    "),
        f"return {w.torch}.cat(outputs, dim={axis if cfg.known.get('batch_first') is not None else 0})",
    ]
    net.method("forward", ["x"], lines)
    return finish(net, feed_plain(net))
