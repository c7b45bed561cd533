"""The state or the layer travels: passed in by the caller, learned, wrapped, inherited, chosen by name."""

from textwrap import indent

from tests.differential.config import PASSED_FLAVOURS, Config
from tests.differential.nets import Net, add_head, feed_plain, finish, input_lines, make_net, net_driver
from tests.differential.program import Draft
from tests.differential.scope import Scope, read_input
from tests.differential.sizes import Sizes
from tests.differential.states import call, state
from tests.differential.styles.modules import any_config
from tests.differential.styles.scripts import no_state
from tests.differential.tensors import tensor
from tests.differential.writer import Writer


def concrete_scope(w: Writer, sizes: Sizes, layer: str | None = None) -> Scope:
    """A driver's scope, every role a number (and the layer's attributes, if it can be reached)."""
    known = {
        role: getattr(sizes, role)
        for role in ("input_size", "hidden_size", "num_layers", "bidirectional", "batch_first", "proj_size")
    }
    scope = Scope(w, {**known, "batch": sizes.batch, "steps": sizes.steps})
    scope.batched = sizes.batched
    scope.literal_rate = 0.5
    if layer:
        for role in ("num_layers", "hidden_size"):
            scope.add(role, f"{layer}.{role}")
    return scope


def _right(w: Writer) -> Writer:
    """The same writer, for a moment without its mistake."""
    healthy = object.__new__(Writer)
    healthy.__dict__.update(w.__dict__, mutation=None)
    return healthy


def state_passed(w: Writer) -> Draft:
    """forward(x, h0, c0) or forward(x, state); the driver makes the state."""
    net = make_net(w, any_config(w))
    apart = w.kind == "LSTM" and w.chance(0.45) and w.mutation not in ("bare_state", "triple_state")
    params = ["x", *(w.pick(("h0", "c0"), ("h", "c"), ("hx", "cx")) if apart else [w.pick("state", "hidden", "hx")])]
    lines: list[str] = []
    call(w, lines, net.layer, "x", f"({params[1]}, {params[2]})" if apart else params[1])
    add_head(net, lines, "out")
    net.method("forward", params, lines)

    def feed(sizes: Sizes, faulty: bool, lines: list[str]) -> None:
        lines.extend(input_lines(w, sizes, faulty, "x"))
        scope = concrete_scope(w if faulty else _right(w), sizes, f"model.{net.attr}")
        if apart:
            lines.append(f"h0 = {tensor(scope, lines, scope.dims('h'))}")
            lines.append(f"c0 = {tensor(scope, lines, scope.dims('c'))}")
            lines.append("out = model(x, h0, c0)")
        else:
            lines.append(f"out = model(x, {state(scope, lines)})")

    return finish(net, feed)


def learned(w: Writer) -> Draft:
    """The initial state is an nn.Parameter with a batch of one, expanded in forward."""
    net = make_net(w, any_config(w))
    scope = net.scope()
    for role in ("num_layers", "hidden_size", "bidirectional", "proj_size", "input_size"):
        if net.cfg.place[role] not in ("absent", "literal", "kwargs"):
            scope.names[role] = [net.cfg.inner(role)]
    scope.names["batch"], scope.names["steps"] = ["1"], ["1"]
    lines: list[str] = []
    outer = net.scope()
    read_input(outer, lines, "x")
    outer.add("batch", "1")
    parts = [_learned_part(w, net, scope, outer, lines, part) for part in ("hc" if w.kind == "LSTM" else "h")]
    text = f"({', '.join(parts)})" if w.kind == "LSTM" else parts[0]
    call(w, lines, net.layer, "x", text)
    add_head(net, lines, "out")
    net.method("forward", ["x"], lines)
    return finish(net, feed_plain(net))


def _learned_part(w: Writer, net: Net, scope: Scope, outer: Scope, lines: list[str], part: str) -> str:
    lead, width = scope.dims(part)[0], scope.dims(part)[-1]
    name = f"self.{part}{w.pick('0', '0', '_init')}"
    net.init.append(f"{name} = {w.nn}.Parameter({w.torch}.{w.pick('zeros', 'randn')}({lead}, 1, {width}))")
    batch = outer.names["batch"][0] if not w.faulty("steps_for_batch") else outer.say("steps")
    expand = w.pick(f".expand(-1, {batch}, -1).contiguous()", f".repeat(1, {batch}, 1)", f".expand(-1, {batch}, -1).clone()")
    if w.chance(0.4):
        lines.append(f"{part}0 = {name}{expand}")
        return f"{part}0"
    return name + expand


def base_class(w: Writer) -> Draft:
    """A base class builds the layer (and may offer a method that makes the state); a derived class adds forward."""
    net = make_net(w, Config(w, w.one_of(PASSED_FLAVOURS)))
    lines: list[str] = []
    scope = net.scope()
    read_input(scope, lines, "x")
    if w.chance(0.4):
        _inherited_maker(net)
        text = f"self.init_hidden({scope.say('steps' if w.faulty('steps_for_batch') else 'batch')})"
    else:
        text = state(scope, lines)
    call(w, lines, net.layer, "x", text)
    lines.append("return out")
    derived, net.name = net.name, w.pick("Base", "RecurrentBase", "BaseEncoder")
    base_text = net.source()
    derived_text = _derived(net, derived, lines)
    net.name = derived
    return finish(net, feed_plain(net), body="\n".join([base_text, "", "", derived_text]))


def _inherited_maker(net: Net) -> None:
    """Adds init_hidden(batch_size) to the base class."""
    scope = net.scope()
    scope.add("batch", "batch_size")
    scope.add("steps", "batch_size")
    inside: list[str] = []
    inside.append(f"return {state(scope, inside)}")
    net.method("init_hidden", ["batch_size"], inside)


def _derived(net: Net, name: str, forward: list[str]) -> str:
    """The text of the class `name`, derived from net's, with this forward."""
    w = net.w
    sub = Net(w, net.cfg, name, net.attr)
    sub.method("forward", ["x"], forward)
    head = [f"class {name}({net.name}):"]
    if w.chance(0.6):
        passed = _forwarded(net.cfg)
        start = w.pick(f"super().__init__({passed})", f"super({name}, self).__init__({passed})")
        head += [f"    def __init__({', '.join(['self', *net.cfg.params()])}):", f"        {start}", ""]
    return "\n".join([*head, indent("\n\n".join(sub.methods), "    ")])


def _forwarded(cfg: Config) -> str:
    """The parameters of a derived constructor handed on to the base's."""
    names = [text.split("=")[0].split(":")[0].strip() for text in cfg.params()]
    if cfg.w.chance(0.3) and cfg.flavour != "kwargs":
        return ", ".join(f"{name}={name}" for name in names)
    return ", ".join(names)


def subclass(w: Writer) -> Draft:
    """A class that inherits from the layer itself."""
    cfg = Config(w, w.pick("params", "kwargs", "params"))
    net = Net(w, cfg, w.pick("MyLSTM", "StatefulLSTM", "CustomRNN"), "")
    kind = w.imports.layer(w.kind)
    lines: list[str] = []
    scope = Scope(w, cfg.known)
    for role in ("input_size", "hidden_size", "num_layers", "bidirectional", "batch_first", "proj_size"):
        scope.add(role, f"self.{role}")
    read_input(scope, lines, "x")
    text = state(scope, lines)
    lines.append(
        w.pick(
            f"return super().forward(x, {text})",
            f"out, final = super().forward(x, {text})\nreturn out, final",
            f"return super({net.name}, self).forward(x, {text})",
        )
    )
    args = [f"{role}={cfg.inner(role)}" for role in cfg.place if cfg.place[role] not in ("absent", "kwargs")] + (
        ["**kwargs"] if cfg.flavour == "kwargs" else []
    )
    if w.faulty("ctor_keyword"):
        args.insert(0, "num_layer=2")
    init = [f"def __init__({', '.join(['self', *cfg.params()])}):", f"    super().__init__({', '.join(args)})"]
    title = "forward" if w.chance(0.7) else "run"
    method = [
        f"def {title}(self, x):" if title == "run" else "def forward(self, x, hx=None):",
        indent("\n".join(lines), "    "),
    ]
    body = "\n".join([*cfg.preamble(), "", f"class {net.name}({kind}):", indent("\n".join([*init, "", *method]), "    ")])

    def feed(sizes: Sizes, faulty: bool, lines: list[str]) -> None:
        lines.extend(input_lines(w, sizes, faulty, "x"))
        lines.append("out, final = model(x)" if title == "forward" else "out, final = model.run(x)")

    return finish(net, feed, body=body)


def wrapper(w: Writer) -> Draft:
    """One class wraps the layer and hands hx on; another makes the state."""
    cfg = Config(w, w.pick("params", "params", "dataclass", "dict", "namespace"))
    inner = make_net(w, cfg)
    inner.name = w.pick("Wrapper", "RNNWrapper", "Core")
    inner.method("forward", ["x", w.pick("hx=None", "hx")], [f"return {inner.layer}(x, hx)"])
    outer = Net(w, cfg, "Outer", w.pick("core", "wrapped", "body"), standalone=False)
    outer.init = [f"{outer.layer} = {inner.name}({_forwarded(cfg)})"]
    names = list(cfg.at("param", "field"))
    outer.init += [f"self.{role} = {cfg.inner(role)}" for role in names]
    scope = Scope(w, cfg.known)
    for role in names:
        scope.add(role, f"self.{role}")
    lines: list[str] = []
    read_input(scope, lines, "x")
    call(w, lines, outer.layer, "x", state(scope, lines), keywords=False)
    lines.append("return out")
    outer.method("forward", ["x"], lines)
    first = inner.source()
    second = outer.source()
    body = "\n".join([first, "", "", second])
    return finish(outer, feed_plain(outer), body=body)


def chosen_kind(w: Writer) -> Draft:
    """The layer's class is looked up by name: getattr(nn, kind), a dict of classes, a class attribute."""
    cfg = Config(w, w.pick("params", "dataclass", "constants"))
    net = make_net(w, cfg, build=False)
    args = [f"{role}={cfg.inner(role)}" for role in cfg.place if cfg.place[role] not in ("absent", "kwargs")]
    joined = ", ".join(args + (["num_layer=2"] if w.faulty("ctor_keyword") else []))
    kind = w.imports.layer(w.kind)
    match w.rng.randrange(4):
        case 0:
            net.init.append(f'{net.layer} = getattr({w.nn}, "{w.kind}")({joined})')
        case 1:
            net.preamble.append(f'CELLS = {{"{w.kind.lower()}": {kind}, "other": {w.nn}.Linear}}')
            net.init.append(f'{net.layer} = CELLS["{w.kind.lower()}"]({joined})')
        case 2:
            net.preamble.append(f"layer_class = {kind}")
            net.init.append(f"{net.layer} = layer_class({joined})")
        case _:
            net.init += [f"make = {kind}", f"{net.layer} = make({joined})"]
    lines: list[str] = []
    scope = net.scope()
    read_input(scope, lines, "x")
    call(w, lines, net.layer, "x", None if no_state(w) else state(scope, lines))
    add_head(net, lines, "out")
    net.method("forward", ["x"], lines)
    return finish(net, feed_plain(net))


def unbatched(w: Writer) -> Draft:
    """A 2-D input and 2-D states, in a module."""
    net = make_net(w, any_config(w))
    scope = net.scope()
    lines: list[str] = []
    read_input(scope, lines, "x")
    call(w, lines, net.layer, "x", None if no_state(w) else state(scope, lines))
    lines.append("return out")
    net.method("forward", ["x"], lines)
    return Draft(net.source(), net_driver(net, feed_plain(net)), symbolic=False)
