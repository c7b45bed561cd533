"""Programs without a module class: scripts, functions, helpers that make the state."""

from textwrap import indent

from tests.differential.config import GLOBAL_FLAVOURS, Config
from tests.differential.layers import construction
from tests.differential.nets import faulty_input, input_lines, insert_params, with_argument, wrap_driver
from tests.differential.program import Draft, Driver
from tests.differential.scope import Scope, read_input
from tests.differential.sizes import CONFIG_ROLES, Sizes
from tests.differential.states import call, state
from tests.differential.writer import Writer


def local_scope(w: Writer, cfg: Config, layer: str | None) -> Scope:
    """The spellings where cfg's own names (and perhaps the layer variable) are in scope."""
    scope = Scope(w, cfg.known)
    for role in CONFIG_ROLES:
        texts = [cfg.inner(role)] if cfg.place[role] in ("constant", "param", "field") else []
        if layer and (w.chance(0.2) or cfg.place[role] == "kwargs"):
            texts.append(f"{layer}.{role}")
        scope.add(role, *texts)
    return scope


def concrete_batch(w: Writer, scope: Scope, lines: list[str]) -> None:
    """Batch and steps as numbers or as module-level variables."""
    batch, steps = w.sizes.batch, w.sizes.steps
    if w.chance(0.5):
        names = w.pick(("batch_size", "seq_len"), ("N", "T"), ("BATCH", "STEPS"), ("bs", "time_steps"))
        lines += [f"{names[0]} = {batch}", f"{names[1]} = {steps}"]
        scope.add("batch", names[0], names[0], str(batch))
        scope.add("steps", names[1], names[1], str(steps))
    else:
        scope.add("batch", str(batch))
        scope.add("steps", str(steps))


def scoped_input(w: Writer, scope: Scope, name: str) -> list[str]:
    """The input of a script, its sizes spelled as the script spells them."""
    if w.chance(0.3) or w.faulty("input_last", "input_rank1", "input_rank4") or not w.sizes.batched:
        return input_lines(w, w.sizes, True, name)
    batch, steps = scope.say("batch"), scope.say("steps")
    dims = [batch, steps] if w.sizes.batch_first else [steps, batch]
    dims.append(scope.say("input_size"))
    return [f"{name} = {w.torch}.{w.pick('randn', 'randn', 'rand', 'ones')}({', '.join(dims)})"]


def script(w: Writer) -> Draft:
    """Statements at module level, as in a tutorial."""
    cfg = Config(w, w.one_of(GLOBAL_FLAVOURS))
    lines = cfg.preamble()
    layer = w.pick("lstm", "rnn", "model", "net") if w.kind == "LSTM" else w.pick("rnn", w.kind.lower(), "net")
    made = construction(w, cfg, lines)
    build = [f"{layer} = {made}"]
    built_first = w.chance(0.6)
    scope = local_scope(w, cfg, layer if built_first else None)
    concrete_batch(w, scope, lines)
    name = w.pick("x", "inputs", "lstm_input", "data")
    feed = scoped_input(w, scope, name)
    lines += build + feed if built_first else feed + build
    scope.input = name
    scope.anchors.append(name)
    if w.chance(0.45) and not w.faulty("input_rank1", "input_rank4"):
        scope.names["batch"], scope.names["steps"] = [], []
        read_input(scope, lines, name)
    if w.chance(0.25):
        lines.append(f"num_directions = {scope.directions()}")
        scope.add("num_directions", "num_directions")
    text = state(scope, lines) if not no_state(w) else None
    call(w, lines, layer, name, text)
    lines.append(w.pick("print(out.shape)", "print(out.size())", ""))
    return Draft(body="", driver=lambda sizes, faulty: "\n".join(lines), symbolic=False)


def no_state(w: Writer) -> bool:
    """Whether to pass no state: sometimes, where the mistake is elsewhere."""
    if w.mutation in ("ctor_value", "ctor_keyword", "ctor_positional", "input_last", "input_rank1", "input_rank4"):
        return w.chance(0.5)
    return w.mutation is None and w.chance(0.07)


def function(w: Writer) -> Draft:
    """A function that builds the layer and the state, its sizes being its parameters."""
    cfg = Config(w, w.pick("params", "params", "dict", "dataclass", "plain", "namespace", "constants"))
    lines: list[str] = []
    layer = w.pick("lstm", "rnn", "net")
    made = construction(w, cfg, lines)
    lines.append(f"{layer} = {made}")
    scope = local_scope(w, cfg, layer)
    name = w.pick("x", "inputs", "seq")
    read_input(scope, lines, name)
    if w.chance(0.25):
        lines.append(f"num_directions = {scope.directions()}")
        scope.add("num_directions", "num_directions")
    call(w, lines, layer, name, state(scope, lines) if not no_state(w) else None)
    lines.append("return out")
    title = w.pick("run", "forward", "encode", "step", "build_and_run")
    params = ", ".join(insert_params(cfg.params(), [name]))
    body = "\n".join([*cfg.preamble(), "", f"def {title}({params}):", indent("\n".join(lines), "    ")])
    return Draft(body, _function_driver(w, cfg, title, name), cfg.free, tuple(cfg.defaults.items()))


def _function_driver(w: Writer, cfg: Config, title: str, name: str) -> Driver:
    def write(sizes: Sizes, faulty: bool) -> str:
        lines = cfg.make_object(sizes) if cfg.passed else []
        lines += input_lines(w, sizes, faulty, "data")
        args = with_argument(cfg.args(sizes), name, "data")
        lines.append(f"out = {title}({', '.join(args)})")
        return wrap_driver(w, lines)

    return write


def helper(w: Writer) -> Draft:
    """A module-level function makes the state from numbers; the script or a function calls it."""
    cfg = Config(w, w.one_of(GLOBAL_FLAVOURS))
    lines = cfg.preamble()
    title = w.pick("init_hidden", "make_state", "zero_state", "initial_state", "get_hidden")
    roles = ["num_layers", "hidden_size", "bidirectional"] + (["proj_size"] if w.sizes.proj_size else [])
    flags_passed = w.chance(0.7)
    scope = Scope(w, {} if flags_passed else {"bidirectional": w.sizes.bidirectional})
    params = _helper_params(w, scope, roles if flags_passed else [role for role in roles if role != "bidirectional"])
    if w.faulty("wrong_hidden"):
        scope.known["input_size"] = w.sizes.input_size
    inside: list[str] = []
    inside.append(f"return {state(scope, inside)}")
    lines += ["", f"def {title}({', '.join(name for name, _ in params)}):", indent("\n".join(inside), "    "), ""]
    layer = w.pick("lstm", "rnn", "model")
    made = construction(w, cfg, lines)
    lines.append(f"{layer} = {made}")
    outer = local_scope(w, cfg, layer)
    lines += input_lines(w, w.sizes, True, "x")
    outer.add(
        "batch",
        *(
            [str(w.sizes.batch)]
            if w.faulty("input_rank1", "input_rank4")
            else [f"x.size({0 if w.sizes.batch_first else 1})", str(w.sizes.batch)]
        ),
    )
    outer.add("steps", f"x.size({1 if w.sizes.batch_first else 0})" if not w.faulty("input_rank1") else str(w.sizes.steps))
    keywords = w.chance(0.3)
    args = ", ".join(f"{name}={outer.say(role)}" if keywords else outer.say(role) for name, role in params)
    lines.append(f"{w.pick('state', 'initial')} = {title}({args})")
    name = lines[-1].split(" = ")[0]
    call(w, lines, layer, "x", name)
    return Draft(body="", driver=lambda sizes, faulty: "\n".join(lines), symbolic=False)


def _helper_params(w: Writer, scope: Scope, roles: list[str]) -> list[tuple[str, str]]:
    """The helper's parameters (name, role), spelled into its scope, in a random order."""
    spelled = {
        "num_layers": ("num_layers", "layers", "n"),
        "hidden_size": ("hidden_size", "dim", "width"),
        "bidirectional": ("bidirectional", "bi", "both_ways"),
        "proj_size": ("proj_size", "proj"),
        "batch": ("batch_size", "batch", "bsz"),
        "steps": ("seq_len", "steps", "length"),
    }
    used = [*roles, "batch"] + (["steps"] if w.faulty("steps_for_batch") else [])
    params = [(w.one_of(spelled[role]), role) for role in used]
    w.rng.shuffle(params)
    for name, role in params:
        scope.add(role, name)
    return params


def loop(w: Writer) -> Draft:
    """A training loop at module level: batches from a list, state made before it or in it, and carried."""
    cfg = Config(w, w.one_of(GLOBAL_FLAVOURS))
    lines = cfg.preamble()
    layer = w.pick("lstm", "rnn")
    lines.append(f"{layer} = {construction(w, cfg, lines)}")
    scope = local_scope(w, cfg, layer)
    concrete_batch(w, scope, lines)
    shape = ", ".join(map(str, faulty_input(w, list(w.sizes.input_shape))))
    item = w.pick("batch", "x", "chunk")
    lines.append(f"batches = [{w.torch}.randn({shape}) for _ in range(3)]")
    before: list[str] = []
    text = state(scope, before)
    inside: list[str] = []
    if w.chance(0.5) and w.mutation not in ("triple_state", "bare_state", "pair_state"):
        lines += [*before, f"carried = {text}"]
        inside.append(f"out, carried = {layer}({item}, carried)")
        inside.append(
            w.pick(
                "carried = tuple(s.detach() for s in carried)",
                "carried = (carried[0].detach(), carried[1].detach())",
                "pass",
            )
            if w.kind == "LSTM"
            else "carried = carried.detach()"
        )
    else:
        inside += before
        call(w, inside, layer, item, text)
    head = w.pick(f"for {item} in batches:", f"for step, {item} in enumerate(batches):")
    lines += [head, indent("\n".join(inside), "    ")]
    return Draft(body="", driver=lambda sizes, faulty: "\n".join(lines), symbolic=False)
