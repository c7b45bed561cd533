"""How a quantity may be spelled at one place of a program, and the dims of a state there, mistakes included."""

from typing import Any

from tests.differential.writer import Writer


class Scope:
    """Candidate spellings of each role at one place. `known` holds values that the text fixes, so literals are right too.

    Roles: those of the configuration, `num_directions`, `batch` and `steps`. `anchors` are tensors or parameters
    from which new tensors can be made; `input` names the input here, if it is in scope.
    """

    def __init__(self, w: Writer, known: dict[str, Any], names: dict[str, list[str]] | None = None) -> None:
        self.w = w
        self.known = dict(known)
        self.names: dict[str, list[str]] = {role: list(texts) for role, texts in (names or {}).items()}
        self.anchors: list[str] = []
        self.input: str | None = None
        self.batched = w.sizes.batched
        self.literal_rate = 0.12

    def add(self, role: str, *texts: str) -> None:
        """Further spellings of a role."""
        self.names.setdefault(role, []).extend(texts)

    def say(self, role: str) -> str:
        """One spelling of a role."""
        texts = self.names.get(role, [])
        if role in self.known and (not texts or self.w.chance(self.literal_rate)):
            return repr(self.known[role])
        return self.w.one_of(texts)

    def directions(self) -> str:
        """A spelling of num_directions that can stand in a product."""
        if self.known.get("bidirectional") is not None and self.w.chance(0.5):
            return "2" if self.known["bidirectional"] else "1"
        named = self.names.get("num_directions", [])
        if named and self.w.chance(0.7):
            return self.w.one_of(named)
        flag = self.say("bidirectional")
        if flag in ("True", "False"):
            return "2" if flag == "True" else "1"
        return self.w.pick(f"(2 if {flag} else 1)", f"(int({flag}) + 1)", f"(1 + int({flag}))", f"({flag} + 1)")

    def states(self) -> str:
        """A spelling of num_layers * num_directions that can stand as an argument."""
        flag, layers = self.known.get("bidirectional"), self.known.get("num_layers")
        if flag is not None and layers is not None and self.w.chance(0.3):
            return str(int(layers) * (2 if flag else 1))
        if flag is False and self.w.chance(0.7):
            return self.say("num_layers")
        if flag is None and self.w.chance(0.15):
            text, test = self.say("num_layers"), self.say("bidirectional")
            return self.w.pick(f"2 * {text} if {test} else {text}", f"({text} * 2 if {test} else {text})")
        pair = [self.say("num_layers"), self.directions()]
        self.w.rng.shuffle(pair)
        return " * ".join(pair)

    def width(self, part: str) -> str:
        """A spelling of the last dim of h or c."""
        if part == "c" or not self.w.sizes.proj_size:
            return self.say("hidden_size")
        return self.say("proj_size")

    def dims(self, part: str) -> list[str]:
        """The dims of h or c as expressions, leading dim first, with the program's mistake if it is one of dims."""
        if part not in self.w.faulty_parts and self.w.kind == "LSTM":
            return self._right(part)
        right = self._right(part)
        lead, width = self._faulty_lead(right[0]), self._faulty_width(part, right[-1])
        batch = [self._faulty_batch(text) for text in right[1:-1]]
        match self.w.mutation:
            case "swapped" if batch:
                return [batch[0], lead, width]
            case "low_rank" if batch:
                return self.w.pick([batch[0], width], [lead, width])
            case "high_rank":
                return self.w.pick([lead, "1", *batch, width], ["1", lead, *batch, width])
        return [lead, *batch, width]

    def _right(self, part: str) -> list[str]:
        batch = [self.say("batch")] if self.batched else []
        return [self.states(), *batch, self.width(part)]

    def _faulty_lead(self, right: str) -> str:
        match self.w.mutation:
            case "no_directions":
                return self.say("num_layers")
            case "no_layers":
                return self.directions()
            case "constant_states":
                return self.w.pick("1", "1", "2", "3", "5")
            case "doubled":
                return f"{self.say('num_layers')} * 2" if self.w.chance(0.7) else f"2 * ({right})"
        return right

    def _faulty_batch(self, right: str) -> str:
        match self.w.mutation:
            case "steps_for_batch":
                return self.say("steps")
            case "fixed_batch":
                if self.w.fixed_batch is None:
                    self.w.fixed_batch = self.w.pick(1, 2, 4, 8, 16, 32)
                return str(self.w.fixed_batch)
        return right

    def _faulty_width(self, part: str, right: str) -> str:
        match self.w.mutation:
            case "wrong_hidden":
                options = [self.say("input_size"), f"{right} * 2", f"{right} + 1", f"{right} // 2"]
                return self.w.one_of(options)
            case "proj_ignored" if part == "h":
                return self.say("hidden_size")
            case "swapped_pair":
                return self.say("proj_size" if part == "c" else "hidden_size")
        return right


def read_input(scope: Scope, lines: list[str], name: str) -> None:
    """Spells batch and steps from the input `name`, perhaps by unpacking its shape (lines are added)."""
    w = scope.w
    scope.input = name
    scope.anchors.append(name)
    if not scope.batched:
        scope.add("steps", f"{name}.size(0)", f"{name}.shape[0]", f"len({name})")
        return
    first = scope.known.get("batch_first")
    if w.faulty("input_rank1", "input_rank4"):
        scope.add("batch", f"{name}.size(0)")
        scope.add("steps", f"{name}.size(0)")
    elif first is None:
        flag = scope.say("batch_first")
        scope.add("batch", f"({name}.size(0) if {flag} else {name}.size(1))", f"{name}.size(0 if {flag} else 1)")
        scope.add("steps", f"({name}.size(1) if {flag} else {name}.size(0))")
    else:
        _fixed_axes(scope, lines, name, 0 if first else 1)


def _fixed_axes(scope: Scope, lines: list[str], name: str, axis: int) -> None:
    w = scope.w
    if w.chance(0.25):
        _unpack(scope, lines, name, axis)
        return
    batch = [f"{name}.size({axis})", f"{name}.shape[{axis}]", f"{name}.size()[{axis}]"]
    steps = [f"{name}.size({1 - axis})", f"{name}.shape[{1 - axis}]"]
    (batch if axis == 0 else steps).append(f"len({name})")
    (batch if axis == 1 else steps).append(f"{name}.size(-2)")
    if w.chance(0.45):
        variable = w.pick("batch_size", "batch", "bsz", "B", "n", "bs")
        lines.append(f"{variable} = {w.one_of(batch)}")
        batch = [variable]
    scope.add("batch", *batch)
    scope.add("steps", *steps)


def _unpack(scope: Scope, lines: list[str], name: str, axis: int) -> None:
    w = scope.w
    batch, steps, rest = w.pick(
        ("batch_size", "seq_len", "_"), ("b", "t", "f"), ("B", "T", "C"), ("n", "steps", "_"), ("bsz", "slen", "dim")
    )
    order = (batch, steps) if axis == 0 else (steps, batch)
    lines.append(f"{order[0]}, {order[1]}, {rest} = {name}.{w.pick('shape', 'size()')}")
    scope.add("batch", batch)
    scope.add("steps", steps)
