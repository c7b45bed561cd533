"""Module classes around a layer, their forward's tail, and drivers that build and call them."""

from collections.abc import Callable
from dataclasses import dataclass, field
from textwrap import indent

from tests.differential.config import Config
from tests.differential.layers import construction
from tests.differential.program import Draft, Driver
from tests.differential.scope import Scope
from tests.differential.sizes import CONFIG_ROLES, Sizes
from tests.differential.writer import Writer

Feed = Callable[[Sizes, bool, list[str]], None]
"""Adds the driver lines that call `model`: sizes, whether the driver may carry the mistake, the lines so far."""


@dataclass
class Net:
    """A module class being written; `layer` is how methods reach the recurrent layer."""

    w: Writer
    cfg: Config
    name: str
    attr: str
    init: list[str] = field(default_factory=list)
    methods: list[str] = field(default_factory=list)
    saved: dict[str, str] = field(default_factory=dict)
    preamble: list[str] = field(default_factory=list)
    extra_params: list[str] = field(default_factory=list)
    standalone: bool = True

    @property
    def layer(self) -> str:
        return f"self.{self.attr}"

    def method(self, name: str, params: list[str], lines: list[str]) -> None:
        """Adds a method."""
        typed = self.w.chance(0.15)
        texts = [f"{text}: {self.w.torch}.Tensor" if typed and text in ("x", "inputs", "seq") else text for text in params]
        self.methods.append(f"def {name}({', '.join(['self', *texts])}):\n" + indent("\n".join(lines), "    "))

    def scope(self) -> Scope:
        """The spellings available in a method, without those that come from an input."""
        scope = Scope(self.w, self.cfg.known)
        for role in CONFIG_ROLES:
            scope.add(role, *self._spellings(role, scope.known))
        if "num_directions" in self.saved:
            scope.add("num_directions", f"self.{self.saved['num_directions']}")
        if self.w.chance(0.2):
            scope.anchors.append("next(self.parameters())")
        return scope

    def _spellings(self, role: str, known: dict[str, object]) -> list[str]:
        texts = [f"self.{self.saved[role]}"] if role in self.saved else []
        if self.cfg.place[role] == "constant" or (self.cfg.place[role] == "field" and not self.cfg.passed):
            texts.append(self.cfg.inner(role))
        elif self.cfg.place[role] == "field" and "object" in self.saved:
            texts.append("self." + self.cfg.inner(role))
        if self.w.chance(0.25) or (not texts and role not in known):
            texts.append(f"{self.layer}.{role}")
        return texts

    def source(self) -> str:
        """The text of the class, with what it needs before it."""
        params = ", ".join(["self", *insert_params(self.cfg.params(), self.extra_params)])
        start = self.w.pick("super().__init__()", "super().__init__()", f"super({self.name}, self).__init__()")
        head = [f"class {self.name}({self.w.nn}.Module):"]
        if self.w.chance(0.15):
            head.append('    """A small recurrent network."""')
        init = f"def __init__({params}):\n" + indent("\n".join([start, *self.init]), "    ")
        parts = "\n\n".join(indent(part, "    ") for part in [init, *self.methods])
        before = [*self.cfg.preamble(), *self.preamble, ""] if self.standalone else []
        return "\n".join([*before, *head, parts])


def insert_params(params: list[str], extra: list[str]) -> list[str]:
    """The extra (required) parameters put before those with defaults."""
    required = [text for text in params if "=" not in text and not text.startswith("**")]
    return required + extra + [text for text in params if text not in required]


def make_net(w: Writer, cfg: Config, faulty: bool = True, build: bool = True) -> Net:
    """A class whose constructor saves sizes and builds the layer."""
    attr = (
        w.pick("lstm", "lstm", "rnn", "rnn", "encoder", "recurrent", "seq_model")
        if w.kind == "LSTM"
        else w.pick("rnn", w.kind.lower(), "encoder")
    )
    net = Net(w, cfg, w.pick("Net", "Model", "SequenceModel", "Tagger", "Encoder", "Classifier"), attr)
    saves = _saves(w, cfg, net)
    lines: list[str] = []
    if build:
        made = construction(w, cfg, lines, faulty)
        lines.append(f"{net.layer} = {made}")
    net.init = [*saves, *lines] if w.chance(0.75) or not build else [*lines, *saves]
    return net


def _saves(w: Writer, cfg: Config, net: Net) -> list[str]:
    """Assignments of sizes to self, remembered in net.saved."""
    lines = []
    if cfg.passed and cfg.save_object:
        net.saved["object"] = cfg.object_name
        lines.append(f"self.{cfg.object_name} = {cfg.object_name}")
    for role in cfg.at("param", "field"):
        if w.chance(0.75):
            net.saved[role] = w.one_of((cfg.names[role], cfg.names[role], role))
            lines.append(f"self.{net.saved[role]} = {cfg.inner(role)}")
    flag = cfg.inner("bidirectional")
    if cfg.place["bidirectional"] in ("param", "field", "constant") and w.chance(0.5):
        net.saved["num_directions"] = name = w.pick("num_directions", "num_dirs", "directions", "D")
        lines += _direction_lines(w, f"self.{name}", flag)
    return lines


def _direction_lines(w: Writer, target: str, flag: str) -> list[str]:
    match w.rng.randrange(5):
        case 0:
            return [f"if {flag}:", f"    {target} = 2", "else:", f"    {target} = 1"]
        case 1:
            return [f"{target} = 1", f"if {flag}:", f"    {target} = 2"]
        case 2:
            return [f"{target} = {w.pick(f'int({flag}) + 1', f'1 + int({flag})', f'1 + {flag}')}"]
    return [f"{target} = 2 if {flag} else 1"]


def add_head(net: Net, lines: list[str], out: str) -> None:
    """Perhaps a Linear (or another consumer) on the output, then the return statement."""
    w = net.w
    flag, width = net.cfg.known.get("bidirectional"), "hidden_size" if not w.sizes.proj_size else "proj_size"
    inner = net.cfg.inner(width) if net.cfg.place[width] != "kwargs" else f"{net.layer}.{width}"
    plain = net.cfg.flavour != "kwargs" and not w.faulty("ctor_value")
    if w.chance(0.35) and plain:
        bi = net.cfg.inner("bidirectional")
        factor = {None: None, True: "2", False: "1"}[flag] or f"(2 if {bi} else 1)"
        features = inner if factor == "1" else w.pick(f"{inner} * {factor}", f"{factor} * {inner}")
        net.init.append(f"self.fc = {w.nn}.Linear({features}, {w.pick(1, 2, 10)})")
        lines.append(f"return self.fc({out})")
        return
    lines.append(w.pick(f"return {out}", f"return {out}", f"return {out}.mean()", f"return {w.torch}.relu({out})"))


def input_lines(w: Writer, sizes: Sizes, faulty: bool, name: str) -> list[str]:
    """Driver lines that bind the input, of the right shape unless the mistake is there."""
    shape = list(sizes.input_shape)
    if faulty:
        shape = faulty_input(w, shape)
    if w.chance(0.2) and len(shape) == 3:
        first, second = w.pick(("n1", "n2"), ("dim0", "dim1"), ("first", "second"))
        return [
            f"{first}, {second} = {shape[0]}, {shape[1]}",
            f"{name} = {w.torch}.randn({first}, {second}, {shape[2]})",
        ]
    if w.chance(0.08) and len(shape) == 3:
        return [
            f"embedding = {w.nn}.Embedding(10, {shape[2]})",
            f"{name} = embedding({w.torch}.randint(0, 10, ({shape[0]}, {shape[1]})))",
        ]
    if w.chance(0.1) and len(shape) == 3:
        return [f"{name} = {w.torch}.randn({shape[1]}, {shape[0]}, {shape[2]}).transpose(0, 1)"]
    text = ", ".join(map(str, shape))
    made = f"{w.torch}.{w.pick('randn', 'randn', 'rand', 'zeros', 'ones')}({w.pick(text, text, f'({text},)', f'[{text}]')})"
    if w.chance(0.06):
        w.imports.use("from torch.autograd import Variable")
        made = f"Variable({made})"
    return [f"{name} = {made}"]


def faulty_input(w: Writer, shape: list[int]) -> list[int]:
    """The input's shape with the program's mistake, if it is one of the input."""
    match w.mutation:
        case "input_last":
            return [*shape[:-1], w.pick(shape[-1] + 1, shape[-1] * 2, shape[0] if shape[0] != shape[-1] else 3, 1)]
        case "input_rank1":
            return shape[-1:]
        case "input_rank4":
            return w.pick([1, *shape], [*shape[:-1], 1, shape[-1]], [2, *shape])
    return shape


def net_driver(net: Net, feed: Feed, batch_param: str | None = None) -> Driver:
    """A driver that makes the config object, builds the net as `model` and feeds it; `batch_param` takes the batch."""
    w = net.w

    def write(sizes: Sizes, faulty: bool) -> str:
        lines = net.cfg.make_object(sizes) if net.cfg.passed else []
        args = net.cfg.args(sizes)
        if batch_param:
            batch = sizes.steps if faulty and w.faulty("steps_for_batch") else sizes.batch
            args = with_argument(args, batch_param, str(batch))
        lines.append(f"model = {net.name}({', '.join(args)})")
        lines += [w.pick("model.eval()", "model.train()", "model = model.to('cpu')")] if w.chance(0.25) else []
        feed(sizes, faulty, lines)
        return wrap_driver(w, lines)

    return write


def with_argument(args: list[str], name: str, value: str) -> list[str]:
    """`args` with one more for the parameter after the required ones; by keyword unless the required are positional."""
    positional = [text for text in args if "=" not in text]
    if not positional:
        return [f"{name}={value}", *args]
    return [*positional, value, *(text for text in args if "=" in text)]


def wrap_driver(w: Writer, lines: list[str]) -> str:
    """The driver as plain statements, in main(), or under a main guard."""
    body = "\n".join(lines)
    match w.rng.randrange(8):
        case 0:
            return "def main():\n" + indent(body, "    ") + '\n\n\nif __name__ == "__main__":\n    main()'
        case 1 | 2:
            return 'if __name__ == "__main__":\n' + indent(body, "    ")
        case 3:
            return "def test_it():\n" + indent(body, "    ") + "\n\n\ntest_it()"
    return body


def feed_plain(net: Net) -> Feed:
    """Calls model(x)."""
    w = net.w

    def feed(sizes: Sizes, faulty: bool, lines: list[str]) -> None:
        name = w.pick("x", "inputs", "batch_x", "data")
        lines.extend(input_lines(w, sizes, faulty, name))
        lines.append(w.pick(f"out = model({name})", f"model({name})", f"out = model({name})", f"y = model.forward({name})"))

    return feed


def finish(
    net: Net, feed: Feed, body: str | None = None, batch_param: str | None = None, packed: bool = False, symbolic: bool = True
) -> Draft:
    """The draft of a net: its class (or `body`, where that is more), and the driver that builds and feeds it."""
    return Draft(
        body=net.source() if body is None else body,
        driver=net_driver(net, feed, batch_param),
        free=net.cfg.free,
        defaults=tuple(net.cfg.defaults.items()),
        symbolic=symbolic,
        packed=packed,
    )
