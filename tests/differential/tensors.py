"""One tensor of given dims, in the ways people make them."""

from tests.differential.scope import Scope


def shape_text(scope: Scope, lines: list[str], dims: list[str], starred: bool = False) -> str:
    """The dims as the arguments of a creation function: separate, tuple, list, a named shape, starred, size=."""
    w = scope.w
    joined = ", ".join(dims)
    if w.chance(0.12):
        name = w.fresh(w.pick("shape", "size", "dims"))
        text = w.pick(f"({joined})", f"[{joined}]", f"{w.torch}.Size([{joined}])")
        lines.append(f"{name} = {text}")
        return w.pick(name, f"*{name}") if not starred else f"*{name}"
    if starred:
        return w.pick(joined, joined, f"*({joined})", f"*[{joined}]")
    return w.one_of([joined] * 7 + [f"({joined})"] * 3 + [f"[{joined}]"])


def tensor(scope: Scope, lines: list[str], dims: list[str]) -> str:
    """An expression of a tensor with these dims; lines it needs first are added to `lines`."""
    w = scope.w
    if w.faulty("transposed") and len(dims) == 3:
        made = _created(scope, lines, dims)
        return made + w.pick(
            ".transpose(0, 1)",
            ".permute(1, 0, 2)",
            ".transpose(0, 1).contiguous()",
            ".transpose(1, 0)",
            ".swapaxes(0, 1)",
        )
    made = _routed(scope, lines, dims) if len(dims) == 3 and w.chance(0.22) else _created(scope, lines, dims)
    return _wrapped(scope, made)


def _created(scope: Scope, lines: list[str], dims: list[str]) -> str:
    """One creation call."""
    w, torch = scope.w, scope.w.torch
    choice = w.rng.random()
    if choice < 0.16 and scope.anchors:
        return _from_anchor(scope, lines, dims)
    if choice < 0.21:
        text = shape_text(scope, lines, dims, starred=True)
        return w.pick(
            f"{torch}.FloatTensor({text}).zero_()",
            f"{torch}.Tensor({text}).uniform_(-1, 1)",
            f"{torch}.FloatTensor({text}).fill_(0)",
        )
    if choice < 0.25:
        joined = ", ".join(dims)
        return f"{torch}.full(({joined}), {w.pick('0.', '0.5', '1.0')})"
    if choice < 0.28:
        return f"{torch}.{w.pick('zeros', 'randn')}(size=({', '.join(dims)}))"
    maker = w.one_of(["zeros"] * 8 + ["randn"] * 4 + ["rand", "ones", "empty"])
    text = shape_text(scope, lines, dims)
    extra = ""
    if w.chance(0.14):
        options = [f"dtype={torch}.float32", "requires_grad=True", "device='cpu'"]
        options += ["device=device"] * 4 if w.device else []
        options += [f"device={scope.input}.device", f"dtype={scope.input}.dtype"] if scope.input else []
        extra = ", " + w.one_of(options)
    call = f"{torch}.{maker}({text}{extra})"
    fill = w.pick("", ".normal_(0, 0.1)", ".zero_()") if maker == "empty" and "grad" not in extra else ""
    return call + fill


def _from_anchor(scope: Scope, lines: list[str], dims: list[str]) -> str:
    w, anchor = scope.w, scope.w.one_of(scope.anchors)
    text = shape_text(scope, lines, dims)
    match w.rng.randrange(5):
        case 0:
            return f"{anchor}.new_ones({text})" if w.chance(0.3) else f"{anchor}.new_empty({text}).zero_()"
        case 1:
            return f"{anchor}.new_full(({', '.join(dims)}), 0.)"
        case 2:
            return f"{anchor}.data.new({shape_text(scope, lines, dims, starred=True)}).zero_()"
    return f"{anchor}.new_zeros({text})"


def _routed(scope: Scope, lines: list[str], dims: list[str]) -> str:
    """A 3-D tensor reached through reshaping, broadcasting or joining."""
    w, torch = scope.w, scope.w.torch
    a, b, c = (f"({text})" if any(sign in text for sign in (" if ", " + ", " // ")) else text for text in dims)
    make = w.pick(f"{torch}.zeros", f"{torch}.zeros", f"{torch}.randn", f"{torch}.ones")
    routes = [
        f"{make}({b}, {a}, {c}).transpose(0, 1).contiguous()",
        f"{make}({b}, {a}, {c}).permute(1, 0, 2).contiguous()",
        f"{make}({c}, {b}, {a}).permute(2, 1, 0).contiguous()",
        f"{make}({a}, {c}, {b}).transpose(1, 2).contiguous()",
        f"{make}(({a}) * {b} * {c}).view({a}, {b}, {c})",
        f"{make}(({a}) * {b}, {c}).reshape({a}, {b}, {c})",
        f"{make}({a}, {b}, {c}).reshape(-1, {b}, {c})",
        f"{make}({b}, {c}).unsqueeze(0).repeat({a}, 1, 1)",
        f"{make}({b}, {c}).unsqueeze(0).expand({a}, -1, -1).contiguous()",
        f"{make}({b}, {c}).expand({a}, {b}, {c}).contiguous()",
        f"{make}({c}).repeat({a}, {b}, 1)",
        f"{make}(1, 1, {c}).expand({a}, {b}, -1).contiguous()",
        f"{make}({a}, 1, {c}).repeat(1, {b}, 1)",
        f"{make}({a}, {c}).unsqueeze(1).expand(-1, {b}, -1).contiguous()",
        f"{make}({b}, {c})[None].repeat({a}, 1, 1)",
        f"{make}({a}, {c})[:, None, :].repeat(1, {b}, 1)",
        f"{make}(1, {a}, {b}, {c}).squeeze(0)",
        f"{make}(1, {a}, {b}, {c})[0]",
        f"{make}({a}, {b}, 1, {c}).squeeze(2)",
        f"{torch}.stack([{make}({b}, {c})] * ({a}))",
        f"{torch}.stack([{make}({b}, {c}) for _ in range({a})])",
        f"{torch}.stack([{make}({b}, {c}) for _ in range({a})], dim=0)",
        f"{torch}.cat([{make}(1, {b}, {c})] * ({a}), dim=0)",
        f"{torch}.cat([{make}(1, {b}, {c}) for _ in range({a})])",
        f"{torch}.cat(tuple({make}(1, {b}, {c}) for _ in range({a})), 0)",
        f"{torch}.cat(({make}({a}, {b}, 1), {make}({a}, {b}, {c} - 1)), -1)"
        if not c.isdigit() or int(c) > 1
        else f"{make}({a}, {b}, {c})",
        f"{torch}.zeros_like({make}({a}, {b}, {c}))",
        f"{torch}.transpose({make}({b}, {a}, {c}), 0, 1)",
    ]
    return w.one_of(routes)


def _wrapped(scope: Scope, made: str) -> str:
    """The tensor moved, converted or wrapped; its shape stays."""
    w, torch = scope.w, scope.w.torch
    if w.chance(0.68):
        return made
    options = [
        ".float()",
        ".detach()",
        ".contiguous()",
        ".clone()",
        ".cpu()",
        ".requires_grad_()",
        ".to('cpu')",
        ".data",
        f".to({torch}.float32)",
    ]
    options += [".to(device)"] * 6 if w.device else []
    if scope.input:
        options += [
            f".to({scope.input}.device)",
            f".to({scope.input}.device)",
            f".type_as({scope.input})",
            f".to({scope.input})",
        ]
    if w.chance(0.22):
        w.imports.use("from torch.autograd import Variable")
        return w.pick(f"Variable({made})", f"Variable({made}, requires_grad=False)", f"Variable({made}).to('cpu')")
    if w.chance(0.06):
        return f"{w.nn}.Parameter({made})"
    if w.chance(0.08):
        return f"({made}.cuda() if {torch}.cuda.is_available() else {made})"
    return made + w.one_of(options) + (w.one_of(options) if w.chance(0.15) else "")
