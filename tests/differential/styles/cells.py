"""LSTMCell, GRUCell and RNNCell in loops over time; states are (batch, hidden), or (hidden,) without a batch."""

from textwrap import indent

from tests.differential.config import Config
from tests.differential.nets import Net, feed_plain, finish, input_lines
from tests.differential.program import Draft
from tests.differential.scope import Scope, read_input
from tests.differential.styles.scripts import concrete_batch, local_scope
from tests.differential.writer import Writer


def _cell_state(w: Writer, scope: Scope, lines: list[str], cell: str) -> None:
    """Binds h (and c), or h and c as lists for stacked cells, with this program's mistake."""
    batch = scope.say("steps") if w.faulty("steps_for_batch") else scope.say("batch")
    if w.faulty("fixed_batch"):
        w.fixed_batch = w.pick(2, 4, 8, 32)
        batch = str(w.fixed_batch)
    width = scope.say("hidden_size")
    if w.faulty("wrong_hidden"):
        width = w.pick(f"{width} * 2", f"{width} + 1", scope.say("input_size"))
    dims = [width, batch] if w.faulty("swapped") else [batch, width]
    if w.faulty("cell_rank"):
        dims = ["1", *dims]
    joined = ", ".join(dims)
    make = w.pick(f"{w.torch}.zeros", f"{w.torch}.zeros", f"{w.torch}.randn", f"{w.torch}.ones", "x.new_zeros")
    form = w.pick(joined, joined, f"({joined})")
    lines.append(f"h = {make}({form})")
    if cell == "LSTMCell":
        lines.append(w.pick(f"c = {make}({form})", f"c = {w.torch}.zeros_like(h)", "c = h.clone()"))


def _cell_call(w: Writer, cell: str, layer: str, step: str) -> str:
    """The statement that steps the cell."""
    if cell == "LSTMCell":
        if w.faulty("cell_structure"):
            return f"h, c = {layer}({step}, {w.pick('h', '(h,)', '(h, c, h)')})"
        text = w.pick("(h, c)", "(h, c)", "(h, c)", "[h, c]")
        return w.pick(f"h, c = {layer}({step}, {text})", f"h, c = {layer}(input={step}, hx={text})")
    state = w.pick("(h, h)", "(h,)", "[h, h]") if w.faulty("cell_structure") else "h"
    return f"h = {layer}({step}, {state})"


def _loop_lines(w: Writer, cell: str, layer: str, axis: int) -> list[str]:
    """The loop over time; axis is the input's time axis."""
    if w.faulty("cell_input_rank"):
        step, head = "x", f"for t in range(x.size({axis})):"
    elif axis == 0:
        step, head = w.pick(
            ("x[t]", "for t in range(x.size(0)):"),
            ("step", "for step in x:"),
            ("x_t", "for x_t in x.unbind(0):"),
            ("x_t", "for t, x_t in enumerate(x):"),
        )
    else:
        step, head = w.pick(
            ("x[:, t]", "for t in range(x.size(1)):"),
            ("x[:, t, :]", "for t in range(x.shape[1]):"),
            ("x_t", "for x_t in x.unbind(1):"),
            ("x_t", "for x_t in x.transpose(0, 1):"),
        )
    inside = [_cell_call(w, cell, layer, step), "outputs.append(h)"]
    return ["outputs = []", head, indent("\n".join(inside), "    "), f"out = {w.torch}.stack(outputs, dim={axis})"]


def cell_script(w: Writer) -> Draft:
    """A cell stepped at module level."""
    cell = w.kind + "Cell"
    cfg = Config(w, w.pick("literals", "constants", "global_dict", "global_args"))
    lines = cfg.preamble()
    scope = local_scope(w, cfg, None)
    concrete_batch(w, scope, lines)
    lines.append(
        f"cell = {w.imports.layer(cell)}({cfg.inner('input_size')}, {cfg.inner('hidden_size')}{w.pick('', '', ', bias=False')})"
    )
    lines += input_lines(w, w.sizes, True, "x")
    _cell_state(w, scope, lines, cell)
    lines += _loop_lines(w, cell, "cell", 1 if w.sizes.batch_first else 0)
    return Draft(body="", driver=lambda sizes, faulty: "\n".join(lines), symbolic=False)


def cell_module(w: Writer) -> Draft:
    """A cell in a module, its state made in forward."""
    cell = w.kind + "Cell"
    cfg = Config(w, w.pick("params", "dataclass", "dict", "constants", "literals"))
    cfg.place.update(num_layers="absent", bidirectional="absent", batch_first="absent")
    for role in ("num_layers", "bidirectional", "batch_first"):
        cfg.defaults.pop(role, None)
    net = Net(w, cfg, w.pick("Stepper", "CellNet", "Decoder"), w.pick("cell", "lstm_cell", "rnn"))
    layer = w.imports.layer(cell)
    args = w.pick(
        f"{cfg.inner('input_size')}, {cfg.inner('hidden_size')}",
        f"input_size={cfg.inner('input_size')}, hidden_size={cfg.inner('hidden_size')}",
    )
    net.init = [f"{net.layer} = {layer}({args})"]
    for role in cfg.at("param", "field"):
        net.saved[role] = role
        net.init.append(f"self.{role} = {cfg.inner(role)}")
    scope = net.scope()
    scope.known["batch_first"] = w.sizes.batch_first
    lines: list[str] = []
    read_input(scope, lines, "x")
    _cell_state(w, scope, lines, cell)
    lines += [*_loop_lines(w, cell, net.layer, 1 if w.sizes.batch_first else 0), "return out"]
    net.method("forward", ["x"], lines)
    return finish(net, feed_plain(net))


def cell_stack(w: Writer) -> Draft:
    """A ModuleList of cells with a list of states, one for each."""
    cell = w.kind + "Cell"
    cfg = Config(w, "params")
    cfg.place.update(num_layers="param", bidirectional="absent", batch_first="absent", input_size="param", hidden_size="param")
    for role in ("bidirectional", "batch_first"):
        cfg.defaults.pop(role, None)
    net = Net(w, cfg, "CellStack", "cells")
    size, hidden, layers = (cfg.inner(role) for role in ("input_size", "hidden_size", "num_layers"))
    layer = w.imports.layer(cell)
    feature = w.pick(f"{size} if i == 0 else {hidden}", f"{hidden} if i > 0 else {size}")
    net.init = [
        f"self.hidden_size = {hidden}",
        f"self.num_layers = {layers}",
        f"self.cells = {w.nn}.ModuleList([{layer}({feature}, {hidden}) for i in range({layers})])",
    ]
    axis = 1 if w.sizes.batch_first else 0
    batch = f"x.size({axis if w.faulty('steps_for_batch') else 1 - axis})"
    width = w.pick("self.hidden_size * 2", "self.hidden_size + 1") if w.faulty("wrong_hidden") else "self.hidden_size"
    lines = [f"hs = [{w.torch}.zeros({batch}, {width}) for _ in range(self.num_layers)]"]
    pair = cell == "LSTMCell"
    lines += (
        [w.pick(f"cs = [{w.torch}.zeros({batch}, {width}) for _ in self.cells]", "cs = [h.clone() for h in hs]")]
        if pair
        else []
    )
    step = "hs[i], cs[i] = cell(inp, (hs[i], cs[i]))" if pair else "hs[i] = cell(inp, hs[i])"
    lines += [
        f"for t in range(x.size({axis})):",
        f"    inp = x{'[:, t]' if axis else '[t]'}",
        "    for i, cell in enumerate(self.cells):",
        f"        {step}",
        "        inp = hs[i]",
        "return inp",
    ]
    net.method("forward", ["x"], lines)
    return finish(net, feed_plain(net))
