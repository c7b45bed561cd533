"""The state as it is passed (pair, list, stacked, single), and the call of the layer."""

from tests.differential.mutations import STRUCTURE
from tests.differential.scope import Scope
from tests.differential.tensors import shape_text, tensor
from tests.differential.writer import Writer

PAIR_NAMES = (
    ("h0", "c0"),
    ("h0", "c0"),
    ("h_0", "c_0"),
    ("hx", "cx"),
    ("h", "c"),
    ("h_init", "c_init"),
    ("init_h", "init_c"),
)
STATE_NAMES = ("state", "hidden_state", "hx0", "init_state")


def state(scope: Scope, lines: list[str]) -> str:
    """An expression of the initial state of this program's layer; `lines` gets what comes before it."""
    w = scope.w
    if w.kind != "LSTM":
        return _single(scope, lines)
    h = scope.dims("h")
    copied = w.faulty_parts == "hc" and not w.sizes.proj_size and (w.faulty("stacked_state") or w.chance(0.6))
    c = h if copied else scope.dims("c")
    h, c = _hoisted(scope, lines, h, c)
    alike = h == c and not w.faulty("transposed")
    if alike and not w.faulty(*STRUCTURE) and w.chance(0.3):
        return _alike(scope, lines, h)
    if alike and w.faulty("stacked_state"):
        return _stacked(scope, lines, h)
    return _named_pair(scope, lines, h, c)


def _hoisted(scope: Scope, lines: list[str], h: list[str], c: list[str]) -> tuple[list[str], list[str]]:
    """Now and then the leading or the last dim goes through a local variable."""
    w = scope.w
    if not w.chance(0.12):
        return h, c
    index = w.pick(0, 0, -1)
    stem = w.pick("num_states", "total_layers", "first_dim") if index == 0 else w.pick("width", "state_width", "units")
    name = w.fresh(stem)
    text = h[index]
    lines.append(f"{name} = {text}")
    return _renamed(h, index, text, name), _renamed(c, index, text, name)


def _renamed(dims: list[str], index: int, text: str, name: str) -> list[str]:
    """The dims with the one at `index` replaced by `name`, if it reads `text`."""
    place = index % max(1, len(dims))
    return [name if part == text and number == place else part for number, part in enumerate(dims)]


def _single(scope: Scope, lines: list[str]) -> str:
    """One tensor, for GRU and RNN; a pair if that is the mistake."""
    w = scope.w
    name = w.fresh(w.pick("h0", "h0", "h_0", "hx", "h"))
    dims, _ = _hoisted(scope, lines, scope.dims("h"), [])
    lines.append(f"{name} = {tensor(scope, lines, dims)}")
    _touch(scope, lines, name)
    if w.faulty("pair_state"):
        return w.pick(f"({name}, {name})", f"({name}, {name}.clone())", f"[{name}, {name}]", f"({name},)")
    return name


def _named_pair(scope: Scope, lines: list[str], h: list[str], c: list[str]) -> str:
    w = scope.w
    first, second = w.one_of(PAIR_NAMES)
    first, second = w.fresh(first), w.fresh(second)
    if h == c and w.chance(0.12):
        lines.append(f"{first} = {second} = {tensor(scope, lines, h)}")
    else:
        lines.append(f"{first} = {tensor(scope, lines, h)}")
        like = h == c and w.chance(0.15)
        made = f"{w.torch}.{w.pick('zeros_like', 'randn_like', 'ones_like')}({first})" if like else tensor(scope, lines, c)
        lines.append(f"{second} = {made}")
    _touch(scope, lines, first)
    return _passed(w, lines, first, second)


def _touch(scope: Scope, lines: list[str], name: str) -> None:
    """Now and then a statement that leaves the shape alone."""
    w = scope.w
    if w.chance(0.1):
        text = w.pick(
            f"{name} = {name}.to('cpu')",
            f"{name} = {name}.contiguous()",
            f"{name} = {name} * 0.5",
            f"{name} = {w.torch}.tanh({name})",
        )
        lines.append(text)
    elif w.chance(0.03):
        lines.append(f"{name} = {name}.detach()")
        lines.append(f"{w.nn}.init.{w.pick('zeros_', 'normal_', 'xavier_uniform_')}({name})")


def _passed(w: Writer, lines: list[str], first: str, second: str) -> str:
    """How two named tensors become one argument."""
    match w.mutation:
        case "bare_state":
            return first
        case "triple_state":
            return w.pick(f"({first}, {second}, {first})", f"({first},)", f"[{first}]", f"({first}, {second}, None)")
    text = w.one_of([f"({first}, {second})"] * 8 + [f"[{first}, {second}]", f"tuple([{first}, {second}])"])
    if w.chance(0.25):
        name = w.fresh(w.one_of(STATE_NAMES))
        lines.append(f"{name} = {text[1:-1] if text.startswith('(') and w.chance(0.4) else text}")
        return name
    return text


def _alike(scope: Scope, lines: list[str], dims: list[str]) -> str:
    """A pair whose two tensors have one shape: one tensor twice, generator, list, stacked, unpacked."""
    w, torch = scope.w, scope.w.torch
    make = w.pick(f"{torch}.zeros", f"{torch}.zeros", f"{torch}.randn")
    match w.rng.randrange(10):
        case 0 | 1:
            name = w.fresh(w.pick("zeros", "h0", "init"))
            lines.append(f"{name} = {tensor(scope, lines, dims)}")
            return w.pick(f"({name}, {name})", f"({name}, {name}.clone())", f"[{name}] * 2", f"({name},) * 2")
        case 2:
            return f"tuple({make}({shape_text(scope, lines, dims)}) for _ in range(2))"
        case 3:
            return f"[{make}({shape_text(scope, lines, dims)}) for _ in range(2)]"
        case 4 if not scope.batched:
            return _stacked(scope, lines, dims)
        case 5:
            name = w.fresh("stacked")
            lines.append(f"{name} = {make}(2, {', '.join(dims)})")
            return w.pick(f"({name}[0], {name}[1])", f"tuple({name})", f"{name}.unbind(0)")
        case 7:
            first, second = w.fresh("h0"), w.fresh("c0")
            lines.append(f"{first}, {second} = {make}(2, {', '.join(dims)})")
            return f"({first}, {second})"
        case 8:
            name = w.fresh("shape")
            lines.append(f"{name} = ({', '.join(dims)})")
            return f"({make}({name}), {make}({name}))"
    return f"({tensor(scope, lines, dims)}, {tensor(scope, lines, dims)})"


def _stacked(scope: Scope, lines: list[str], dims: list[str]) -> str:
    """Both states in one tensor. torch takes it for unbatched input only: elsewhere its kernel wants a tuple or list."""
    w, torch = scope.w, scope.w.torch
    if w.chance(0.5):
        return f"{torch}.{w.pick('zeros', 'randn')}(2, {', '.join(dims)})"
    name = w.fresh("h0")
    lines.append(f"{name} = {tensor(scope, lines, dims)}")
    return w.pick(f"{torch}.stack([{name}, {name}])", f"{torch}.stack(({name}, {torch}.zeros_like({name})), dim=0)")


def invocation(w: Writer, layer: str, name: str, state_text: str | None, keywords: bool = True) -> str:
    """The call expression; without `keywords`, the input is positional."""
    if state_text is None:
        return w.pick(
            f"{layer}({name})",
            f"{layer}({name})",
            f"{layer}({name}, None)",
            f"{layer}(input={name})",
            f"{layer}({name}, hx=None)",
        )
    if w.chance(0.78) or not keywords:
        return f"{layer}({name}, {state_text})"
    return w.pick(
        f"{layer}({name}, hx={state_text})",
        f"{layer}(input={name}, hx={state_text})",
        f"{layer}(hx={state_text}, input={name})",
    )


def call(w: Writer, lines: list[str], layer: str, name: str, state_text: str | None, keywords: bool = True) -> str:
    """Adds the call statement, binding the output to out; returns an expression of the final state, or an empty text."""
    text = invocation(w, layer, name, state_text, keywords)
    out = "out"
    match w.rng.randrange(8):
        case 0:
            lines.append(f"{out}, _ = {text}")
            return ""
        case 1:
            lines.append(f"{out} = {text}[0]")
            return ""
        case 2:
            result = w.fresh("result")
            lines += [f"{result} = {text}", f"{out} = {result}[0]"]
            return f"{result}[1]"
        case 3 | 4 if w.kind == "LSTM":
            last, cell = w.pick(("hn", "cn"), ("h_n", "c_n"), ("ht", "ct"))
            lines.append(f"{out}, ({last}, {cell}) = {text}")
            return f"({last}, {cell})"
    name = w.fresh(w.pick("hn", "final", "new_state", "last_state"))
    lines.append(f"{out}, {name} = {text}")
    return name
