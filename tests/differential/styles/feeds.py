"""Something stands before the layer: an embedding, a Linear, a transpose, a view; or the state comes from a vector."""

from tests.differential.config import Config
from tests.differential.nets import Feed, Net, add_head, finish, input_lines, make_net
from tests.differential.program import Draft
from tests.differential.scope import Scope, read_input
from tests.differential.sizes import Sizes
from tests.differential.states import call, state
from tests.differential.writer import Writer


def _fixed_layout(w: Writer, flavours: tuple[str, ...]) -> Config:
    """A config whose batch_first stands in the text."""
    cfg = Config(w, w.one_of(flavours))
    cfg.place["batch_first"] = "literal" if w.sizes.batch_first else "absent"
    cfg.defaults.pop("batch_first", None)
    return cfg


def embedded(w: Writer) -> Draft:
    """Token ids go through an embedding inside the module."""
    cfg = _fixed_layout(w, ("params", "params", "dataclass", "dict", "constants"))
    net = make_net(w, cfg)
    wrong = " + 1" if w.faulty("input_last") else ""
    net.init.append(f"self.embedding = {w.nn}.Embedding({w.pick(20, 50)}, {cfg.inner('input_size')}{wrong})")
    lines: list[str] = []
    scope = net.scope()
    name = w.pick("tokens", "sentence", "ids")
    first = w.chance(0.4)
    if first:
        _read_tokens(w, scope, name)
    lines.append(f"x = self.embedding({name})")
    if not first:
        read_input(scope, lines, "x")
    call(w, lines, net.layer, "x", state(scope, lines))
    add_head(net, lines, "out")
    net.method("forward", [name], lines)

    def feed(sizes: Sizes, faulty: bool, lines: list[str]) -> None:
        shape = ", ".join(map(str, sizes.input_shape[:-1]))
        made = w.pick(f"randint(0, 20, ({shape},))", f"zeros({shape}, dtype={w.torch}.long)")
        lines.append(f"tokens = {w.torch}.{made}")
        lines.append("out = model(tokens)")

    return finish(net, feed)


def _read_tokens(w: Writer, scope: Scope, name: str) -> None:
    axis = 0 if w.sizes.batch_first else 1
    scope.add("batch", f"{name}.size({axis})", f"{name}.shape[{axis}]")
    scope.add("steps", f"{name}.size({1 - axis})", f"{name}.shape[{1 - axis}]")


def _input_feed(net: Net, swap: bool = False) -> Feed:
    """Calls model(x) with an input that the body itself transposes, if `swap`."""
    w = net.w

    def feed(sizes: Sizes, faulty: bool, lines: list[str]) -> None:
        lines.extend(input_lines(w, sizes, faulty, "x"))
        lines.append("out = model(x.transpose(0, 1))" if swap else "out = model(x)")

    return feed


def transposed_input(w: Writer) -> Draft:
    """The data comes in the other layout and forward transposes it; sizes are read before or after."""
    cfg = _fixed_layout(w, ("params", "params", "dataclass", "literals", "constants"))
    net = make_net(w, cfg)
    lines: list[str] = []
    scope = net.scope()
    axis = 1 if w.sizes.batch_first else 0
    before = w.chance(0.5)
    if before:
        lines.append(f"batch_size, seq_len = x.size({axis}), x.size({1 - axis})")
        scope.add("batch", "batch_size")
        scope.add("steps", "seq_len")
    lines.append(
        w.pick(
            "x = x.transpose(0, 1)",
            "x = x.permute(1, 0, 2)",
            "x = x.transpose(0, 1).contiguous()",
            "x = x.swapaxes(0, 1)",
        )
    )
    if not before:
        read_input(scope, lines, "x")
    call(w, lines, net.layer, "x", state(scope, lines))
    lines.append("return out")
    net.method("forward", ["x"], lines)
    return finish(net, _input_feed(net, swap=True))


def single_sample(w: Writer) -> Draft:
    """A 2-D input made 3-D with a batch of one, as in the tagging tutorial."""
    cfg = _fixed_layout(w, ("params", "params", "dataclass", "constants", "literals"))
    net = make_net(w, cfg)
    scope = net.scope()
    scope.batched = True
    scope.add("batch", "1")
    scope.add("steps", "len(x)", "x.size(0)")
    lines: list[str] = []
    text = state(scope, lines)
    if w.sizes.batch_first:
        made = w.pick("x.unsqueeze(0)", "x[None]", "x.view(1, len(x), -1)", "x.reshape(1, x.size(0), x.size(1))")
    else:
        made = w.pick("x.unsqueeze(1)", "x[:, None]", "x.view(len(x), 1, -1)", "x.reshape(x.size(0), 1, x.size(1))")
    if w.chance(0.5):
        lines.append(f"x = {made}")
        made = "x"
    call(w, lines, net.layer, made, text)
    lines.append(w.pick("return out", "return out.view(-1)", "return out.squeeze()"))
    net.method("forward", ["x"], lines)
    return finish(net, _input_feed(net))


def projected(w: Writer) -> Draft:
    """A Linear before the layer."""
    cfg = _fixed_layout(w, ("params", "params", "dataclass", "dict", "constants"))
    net = make_net(w, cfg)
    wrong = " + 2" if w.faulty("input_last") else ""
    net.init.append(f"self.project = {w.nn}.Linear({cfg.inner('input_size')}, {cfg.inner('input_size')}{wrong})")
    lines = [
        w.pick(
            "x = self.project(x)",
            f"x = {w.torch}.relu(self.project(x))",
            f"x = {w.nn}.functional.relu(self.project(x))",
        )
    ]
    scope = net.scope()
    read_input(scope, lines, "x")
    call(w, lines, net.layer, "x", state(scope, lines))
    add_head(net, lines, "out")
    net.method("forward", ["x"], lines)
    return finish(net, lambda sizes, faulty, lines: _input_feed(net)(sizes, False, lines))


def from_vector(w: Writer) -> Draft:
    """The state is a Linear of a feature vector per sample, laid out for the layer."""
    cfg = _fixed_layout(w, ("params", "params", "dataclass", "constants", "literals"))
    net = make_net(w, cfg)
    scope = net.scope()
    lines: list[str] = []
    read_input(scope, lines, "x")
    inner = Scope(w, cfg.known, {role: [cfg.inner(role)] for role in cfg.place if cfg.place[role] not in ("absent", "literal")})
    scope.names["batch"] = scope.names["batch"] or ["x.size(0)"]
    states, hidden = scope.states(), scope.say("hidden_size")
    if w.faulty("no_directions"):
        states = scope.say("num_layers")
    batch = scope.say("batch")
    net.init.append(f"self.to_state = {w.nn}.Linear(6, {inner.say('hidden_size')})")
    made = [
        f"self.to_state(z).unsqueeze(0).repeat({states}, 1, 1)",
        f"self.to_state(z)[None].expand({states}, -1, -1).contiguous()",
        f"self.to_state(z).expand({states}, {batch}, {hidden}).contiguous()",
        f"{w.torch}.stack([self.to_state(z)] * ({states}))",
        f"{w.torch}.tanh(self.to_state(z)).unsqueeze(0).expand({states}, -1, -1).contiguous()",
    ]
    text = "self.to_state(z)" if w.faulty("low_rank") else w.one_of(made)
    text = f"{w.one_of(made)}.transpose(0, 1).contiguous()" if w.faulty("transposed") else text
    lines.append(f"h0 = {text}")
    other = w.pick("h0", f"{w.torch}.zeros_like(h0)", "h0.clone()")
    call(w, lines, net.layer, "x", f"(h0, {other})" if w.kind == "LSTM" else "h0")
    add_head(net, lines, "out")
    net.method("forward", ["x", "z"], lines)

    def feed(sizes: Sizes, faulty: bool, lines: list[str]) -> None:
        lines.extend(input_lines(w, sizes, False, "x"))
        lines += [f"z = {w.torch}.randn({sizes.batch}, 6)", "out = model(x, z)"]

    return finish(net, feed)
