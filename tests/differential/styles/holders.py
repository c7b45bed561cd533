"""Layers held in ModuleList, ModuleDict or Sequential."""

from textwrap import indent

from tests.differential.config import Config
from tests.differential.layers import construction
from tests.differential.nets import Net, feed_plain, finish, make_net
from tests.differential.program import Draft
from tests.differential.scope import read_input
from tests.differential.states import call, state
from tests.differential.writer import Writer


def _held(w: Writer, net: Net, lines: list[str]) -> str:
    """Puts the layer into a holder; returns how forward reaches it."""
    made = construction(w, net.cfg, lines)
    nn, holder = w.nn, w.pick("layers", "rnns", "blocks")
    net.attr = holder
    match w.rng.randrange(5):
        case 0:
            lines.append(f"self.{holder} = {nn}.ModuleList([{made}])")
            return f"self.{holder}[0]"
        case 1:
            lines.append(f'self.{holder} = {nn}.ModuleDict({{"rnn": {made}, "fc": {nn}.Linear(3, 2)}})')
            return f'self.{holder}["rnn"]'
        case 2:
            lines.append(f"self.{holder} = {nn}.ModuleList()")
            lines.append(f"self.{holder}.append({made})")
            return w.pick(f"self.{holder}[0]", f"self.{holder}[-1]")
        case 3:
            lines.append(f"self.{holder} = {nn}.Sequential({made})")
            return f"self.{holder}[0]"
    lines.append(f"self.{holder} = {nn}.ModuleList([{nn}.Dropout(0.1), {made}])")
    return f"self.{holder}[1]"


def holder(w: Writer) -> Draft:
    """One layer in a holder, reached by index or key."""
    cfg = Config(w, w.pick("params", "params", "dataclass", "dict", "constants", "literals"))
    net = make_net(w, cfg, build=False)
    lines: list[str] = []
    reached = _held(w, net, lines)
    net.init += lines
    net.attr = reached.removeprefix("self.")
    body: list[str] = []
    if w.chance(0.4):
        body.append(f"layer = {reached}")
        reached = "layer"
    scope = net.scope()
    read_input(scope, body, "x")
    call(w, body, reached, "x", state(scope, body))
    body.append("return out")
    net.method("forward", ["x"], body)
    return finish(net, feed_plain(net))


def layer_list(w: Writer) -> Draft:
    """A ModuleList of equal single-direction layers by a comprehension, each with a state of its own."""
    cfg = Config(w, "params")
    cfg.place.update(num_layers="param", bidirectional="absent", input_size="param", hidden_size="param")
    cfg.place["batch_first"] = "literal"
    cfg.place["proj_size"] = "absent"
    for role in ("bidirectional", "batch_first"):
        cfg.defaults.pop(role, None)
    net = Net(w, cfg, "LayerList", "layers")
    size, hidden, layers = (cfg.inner(role) for role in ("input_size", "hidden_size", "num_layers"))
    built = f"{w.imports.layer(w.kind)}({size} if i == 0 else {hidden}, {hidden}, batch_first={w.sizes.batch_first})"
    net.init = [
        f"self.hidden_size = {hidden}",
        f"self.layers = {w.nn}.ModuleList([{built} for i in range({layers})])",
    ]
    axis = 0 if w.sizes.batch_first else 1
    batch = f"x.size({1 - axis if w.faulty('steps_for_batch') else axis})"
    width = "self.hidden_size * 2" if w.faulty("wrong_hidden") else "self.hidden_size"
    lead = w.pick("2", "3", "len(self.layers) + 1") if w.faulty("constant_states") else "1"
    dims = ", ".join([batch, lead, width] if w.faulty("swapped") else [lead, batch, width])
    make = f"{w.torch}.zeros({dims})"
    pair = w.kind == "LSTM"
    inner = [f"x, _ = layer(x, {w.pick(f'({make}, {make})', '(h0, h0.clone())') if pair else 'h0'})"]
    if "h0" in inner[0]:
        inner.insert(0, f"h0 = {make}")
    lines = [
        w.pick("for layer in self.layers:", "for i, layer in enumerate(self.layers):"),
        indent("\n".join(inner), "    "),
        "return x",
    ]
    if w.chance(0.3):
        lines[1] = indent(inner[-1] if len(inner) == 1 else "\n".join(inner), "    ")
    net.method("forward", ["x"], lines)
    return finish(net, feed_plain(net))
