"""Module classes whose forward makes the state: inline, branched, or through a method of the class."""

from textwrap import indent

from tests.differential.config import GLOBAL_FLAVOURS, PASSED_FLAVOURS, Config
from tests.differential.mutations import STRUCTURE
from tests.differential.nets import Net, add_head, feed_plain, finish, input_lines, make_net
from tests.differential.program import Draft
from tests.differential.scope import Scope, read_input
from tests.differential.sizes import Sizes
from tests.differential.states import call, state
from tests.differential.styles.scripts import no_state
from tests.differential.writer import Writer


def any_config(w: Writer) -> Config:
    """A config for a class: mostly passed in, sometimes global."""
    return Config(w, w.one_of(PASSED_FLAVOURS) if w.chance(0.8) else w.one_of(GLOBAL_FLAVOURS))


def object_config(w: Writer) -> Config:
    """A config object, passed or global."""
    return Config(
        w,
        w.pick(
            "dataclass",
            "dataclass",
            "plain",
            "namespace",
            "namespace",
            "dict",
            "global_dict",
            "global_args",
            "global_class",
        ),
    )


def _inline(w: Writer, cfg: Config) -> Draft:
    net = make_net(w, cfg)
    lines: list[str] = []
    scope = net.scope()
    name = w.pick("x", "x", "inputs", "input_seq", "src")
    read_input(scope, lines, name)
    text = None if no_state(w) else state(scope, lines)
    call(w, lines, net.layer, name, text)
    add_head(net, lines, "out")
    net.method("forward", [name], lines)
    return finish(net, feed_plain(net))


def module_inline(w: Writer) -> Draft:
    """forward builds the state from its input's sizes."""
    return _inline(w, any_config(w))


def config_object(w: Writer) -> Draft:
    """The same, with every size in a config object."""
    return _inline(w, object_config(w))


def branch(w: Writer) -> Draft:
    """The state's first dim, or the whole size, chosen by if/else on the flag."""
    cfg = Config(w, w.pick("params", "params", "dataclass", "namespace", "constants"))
    net = make_net(w, cfg)
    lines: list[str] = []
    scope = net.scope()
    name = w.pick("x", "inputs")
    read_input(scope, lines, name)
    text = _branched_state(w, scope, lines)
    call(w, lines, net.layer, name, text)
    add_head(net, lines, "out")
    net.method("forward", [name], lines)
    return finish(net, feed_plain(net))


def _branched_state(w: Writer, scope: Scope, lines: list[str]) -> str:
    flag = scope.say("bidirectional")
    if w.chance(0.55):
        target = w.pick("num_directions", "d", "factor")
        lines += w.pick(
            [f"if {flag}:", f"    {target} = 2", "else:", f"    {target} = 1"],
            [f"{target} = 1", f"if {flag}:", f"    {target} = 2"],
            [f"{target} = 2", f"if not {flag}:", f"    {target} = 1"],
            [f"{target} = 2 if {flag} else 1"],
            [f"{target} = 2 if {flag} is True else 1"],
            [f"{target} = [1, 2][int({flag})]"],
        )
        scope.names["num_directions"] = [target]
        scope.known.pop("bidirectional", None)
        scope.names["bidirectional"] = [f"({target} == 2)"]
        return state(scope, lines)
    _, *rest = scope.dims("h" if "h" in w.faulty_parts else "c")
    layers = scope.say("num_layers")
    both, one = ", ".join([f"{layers} * 2", *rest]), ", ".join([layers, *rest])
    if w.faulty("no_directions"):
        both = one
    elif w.faulty("doubled"):
        one = both
    elif w.faulty("no_layers"):
        both, one = ", ".join(["2", *rest]), ", ".join(["1", *rest])
    return _whole_size(w, scope, lines, flag, both, one)


def _whole_size(w: Writer, scope: Scope, lines: list[str], flag: str, both: str, one: str) -> str:
    make = w.pick(f"{w.torch}.zeros", f"{w.torch}.randn", f"{scope.input}.new_zeros")
    variable = w.pick("size", "shape", "state_size")
    if w.chance(0.5):
        lines.append(f"{variable} = ({both}) if {flag} else ({one})")
        parts = [f"{make}({w.pick('*', '')}{variable})" for _ in range(2)]
    else:
        lines += [f"if {flag}:", f"    h0 = {make}({both})", "else:", f"    h0 = {make}({one})"]
        parts = ["h0", w.pick("h0", "h0.clone()", f"{w.torch}.zeros_like(h0)")]
    return f"({', '.join(parts)})" if w.kind == "LSTM" else parts[0]


MAKERS = ("init_hidden", "init_hidden", "_init_state", "initHidden", "get_initial_state", "zero_state", "make_hidden")


def _maker(net: Net, batch_from: str) -> tuple[str, str]:
    """Adds a method that returns the state; returns its name and the kind of its argument."""
    w = net.w
    lines: list[str] = []
    title = w.one_of(MAKERS)
    scope = net.scope()
    param = w.pick("batch_size", "bsz", "batch", "n")
    if batch_from == "param":
        scope.add("batch", param)
        scope.add("steps", param)
    elif batch_from == "input":
        param = w.pick("x", "inputs", "ref")
        read_input(scope, lines, param)
    else:
        scope.add("batch", "self.batch_size")
        scope.add("steps", "self.batch_size")
    if w.chance(0.2) and batch_from != "input":
        lines.append("weight = next(self.parameters()).data")
        scope.anchors += ["weight", "weight"]
    text = state(scope, lines)
    name = w.pick("hidden", "state", "hidden")
    lines += [f"{name} = {text}", f"return {name}"] if w.chance(0.25) else [f"return {text}"]
    net.method(title, [] if batch_from == "self" else [param], lines)
    return title, batch_from


def init_hidden_called(w: Writer) -> Draft:
    """forward calls self.init_hidden(batch) or self.init_hidden(x)."""
    net = make_net(w, any_config(w))
    title, kind = _maker(net, w.pick("param", "param", "input"))
    lines: list[str] = []
    name = w.pick("x", "inputs", "sentence")
    scope = net.scope()
    read_input(scope, lines, name)
    arg = name if kind == "input" else scope.say("steps" if w.faulty("steps_for_batch") else "batch")
    _call_maker(w, net, lines, f"self.{title}({arg})", name)
    add_head(net, lines, "out")
    net.method("forward", [name], lines)
    return finish(net, feed_plain(net))


def _call_maker(w: Writer, net: Net, lines: list[str], text: str, name: str) -> None:
    if w.kind == "LSTM" and w.chance(0.4) and not w.faulty("bare_state", "triple_state"):
        first, second = w.pick(("h0", "c0"), ("h", "c"), ("hx", "cx"))
        lines.append(f"{first}, {second} = {text}")
        text = f"({first}, {second})"
    elif w.chance(0.7):
        lines.append(f"hidden = {text}")
        text = "hidden"
    call(w, lines, net.layer, name, text)


def init_hidden_driver(w: Writer) -> Draft:
    """The driver calls model.init_hidden(batch) and passes the state to forward."""
    net = make_net(w, any_config(w))
    title, _ = _maker(net, "param")
    net.method("forward", ["x", "hidden"], [f"out, hidden = {net.layer}(x, hidden)", "return out, hidden"])

    def feed(sizes: Sizes, faulty: bool, lines: list[str]) -> None:
        lines.extend(input_lines(w, sizes, faulty, "x"))
        batch = sizes.steps if faulty and w.faulty("steps_for_batch") else sizes.batch
        lines.append(f"hidden = model.{title}({batch})")
        lines.append(w.pick("out, hidden = model(x, hidden)", "for _ in range(2):\n    out, hidden = model(x, hidden)"))

    return finish(net, feed)


def init_hidden_self(w: Writer) -> Draft:
    """init_hidden reads self.batch_size, a constructor parameter; forward calls it or keeps it on self."""
    net = make_net(w, any_config(w))
    net.init.insert(0, "self.batch_size = batch_size")
    net.extra_params.append("batch_size")
    title, _ = _maker(net, "self")
    lines: list[str] = []
    if w.chance(0.5):
        lines.append(f"self.hidden = self.{title}()")
        lines += w.pick([f"out, self.hidden = {net.layer}(x, self.hidden)"], [f"out, _ = {net.layer}(x, self.hidden)"])
    else:
        _call_maker(w, net, lines, f"self.{title}()", "x")
    add_head(net, lines, "out")
    net.method("forward", ["x"], lines)
    return finish(net, feed_plain(net), batch_param="batch_size")


def state_on_self(w: Writer) -> Draft:
    """self.hidden made in the constructor (or a reset method) and used, and replaced, by forward."""
    net = make_net(w, any_config(w))
    net.init.insert(0, "self.batch_size = batch_size")
    net.extra_params.append("batch_size")
    title, _ = _maker(net, "self")
    reset = w.chance(0.4)
    if reset:
        net.method("reset", [], [f"self.hidden = self.{title}()"])
    else:
        net.init.append(f"self.hidden = self.{title}()")
    lines = w.pick(
        [f"out, self.hidden = {net.layer}(x, self.hidden)", "return out"],
        [f"out, hidden = {net.layer}(x, self.hidden)", "self.hidden = hidden", "return out"],
        [f"out, _ = {net.layer}(x, hx=self.hidden)", "return out"],
        _detaching(w, net),
    )
    net.method("forward", ["x"], lines)

    def feed(sizes: Sizes, faulty: bool, lines: list[str]) -> None:
        lines.extend(input_lines(w, sizes, faulty, "x"))
        lines.extend(["model.reset()"] if reset else [])
        lines.append("out = model(x)")

    return finish(net, feed, batch_param="batch_size")


def _detaching(w: Writer, net: Net) -> list[str]:
    """The state is detached before the call that replaces it."""
    if w.kind != "LSTM" or w.faulty(*STRUCTURE):
        return [f"out, self.hidden = {net.layer}(x, self.hidden)", "return out"]
    text = w.pick(
        "tuple(s.detach() for s in self.hidden)",
        "(self.hidden[0].detach(), self.hidden[1].detach())",
        "[s.data for s in self.hidden]",
    )
    return [f"self.hidden = {text}", f"out, self.hidden = {net.layer}(x, self.hidden)", "return out"]


def state_if_none(w: Writer) -> Draft:
    """forward(x, state=None): made if missing."""
    net = make_net(w, any_config(w))
    lines: list[str] = []
    scope = net.scope()
    read_input(scope, lines, "x")
    inside: list[str] = []
    text = state(scope, inside)
    inside.append(f"hidden = {text}")
    lines += [f"if {w.pick('hidden is None', 'hidden is None', 'not hidden')}:", indent("\n".join(inside), "    ")]
    lines += [f"out, hidden = {net.layer}(x, hidden)", w.pick("return out, hidden", "return out")]
    net.method("forward", ["x", "hidden=None"], lines)
    return finish(net, feed_plain(net))
