"""What the rules about views share: which sizes a use asks for, and of what."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from lstm_lint.dims import ONE, ZERO, Dim, Kind, product
from lstm_lint.facts import Use
from lstm_lint.lineage import Lineage, Role
from lstm_lint.ops.arguments import MINUS_ONE, CannotTell, sizes, sizes_of
from lstm_lint.ops.einops import arrangement, as_function
from lstm_lint.proofs.comparison import Trust
from lstm_lint.proofs.conditions import MAX_FLAGS, assumed, flag_cases
from lstm_lint.proofs.zeros import equal_if_divisible, never_zero
from lstm_lint.regrouping import Regrouping
from lstm_lint.rules.handling import lineage_of, trust_of, which
from lstm_lint.shapes import ShapeError
from lstm_lint.values import Call, Int, Tensor, as_dim


@dataclass(frozen=True)
class View:
    """A tensor's elements in other sizes, in the same order: `asked` as the code says them, -1 among them.

    `sizes`: with the -1 worked out; None where torch refuses it. Of an einops pattern both are those of its left side.
    """

    name: str
    source: Tensor
    lineage: Lineage
    asked: tuple[Dim, ...]
    sizes: tuple[Dim, ...] | None

    @property
    def spelt(self) -> str:
        """``view(N, -1)``"""
        return f"{self.name}({', '.join(dim.text for dim in self.asked)})"

    def plain(self, start: int, end: int) -> tuple[Dim, ...] | None:
        """The sizes for torch, of which those from `start` to `end` are to be one: with a -1 where that is no part of them."""
        alone = MINUS_ONE not in self.asked[start:end] or end == start + 1
        return self.asked if alone else self.sizes

    def regrouping(self, given: Dim) -> Regrouping | None:
        """What it makes of the axes' meaning, if that is known."""
        if self.lineage.axes is None or self.sizes is None:
            return None
        return Regrouping.of(self.lineage.axes, self.sizes, given, self.lineage.equal)

    def counts(self) -> tuple[Dim, Dim]:
        """How many elements there are (0 if that is not known), and how many are asked for, without a -1."""
        total = self.source.shape.numel() or ZERO
        known = product(size for size in self.asked if size != MINUS_ONE)
        return total.substitute(self.lineage.equal), known.substitute(self.lineage.equal)

    def misfit(self, given: Dim) -> Dim:
        """The condition on flags under which torch refuses it: no sizes make so many elements of the tensor's."""
        total, known = (assumed(dim, given) for dim in self.counts())
        flags = tuple(dict.fromkeys((*total.flags, *known.flags)))
        wrong = ZERO
        for case in flag_cases(flags, given) if len(flags) <= MAX_FLAGS else ():
            values = {flag: Dim.of(on) for flag, on in case.items()}
            if _never_fits(total.substitute(values), known.substitute(values), MINUS_ONE in self.asked):
                wrong = wrong + product(Dim.of(flag) if on else ONE - Dim.of(flag) for flag, on in case.items())
        return wrong


def _never_fits(total: Dim, known: Dim, rest: bool) -> bool:
    """Whether so many elements never have room in sizes of that product, or, with a -1, in a multiple of it."""
    if known == ZERO or total == ZERO or equal_if_divisible(total - known):
        return False
    if not rest:
        return never_zero(total - known)
    if total.constant is not None and known.constant is not None:
        return total.constant % known.constant != 0
    times = known.divided_by(total)
    return times is not None and times.constant is not None and times.constant > 1


def where_it_fits(use: Use, view: View) -> Use:
    """The use in those configurations in which torch takes the view: LST303 speaks of the others."""
    misfit = view.misfit(use.given)
    given = use.given * (ONE - misfit)
    return use if misfit == ZERO or given == ZERO else replace(use, given=given)


def view_of(use: Use) -> View | None:
    """The view that a use is; None if it is something else, or if its sizes are not known."""
    source, lineage = use.source, lineage_of(use)
    if source is None or lineage is None:
        return None
    name = use.name.rpartition(".")[2]
    call = Call(use.name, use.arguments, use.keywords, use.place, 0)
    made = use.result.shape.dims if isinstance(use.result, Tensor) else None
    if name in ("rearrange", "Rearrange"):
        arranged = arrangement(call if use.config is None else as_function(call, use.config))
        return None if arranged is None else View(name, source, lineage, arranged.sizes, arranged.sizes)
    try:
        asked = _asked(call, name, source, use.config, made)
    except (CannotTell, ShapeError):
        return None
    return None if asked is None else View(name, source, lineage, asked, made)


def _asked(
    call: Call, name: str, source: Tensor, config: Mapping[str, object] | None, made: tuple[Dim, ...] | None
) -> tuple[Dim, ...] | None:
    """The sizes that are asked for. Raises CannotTell and ShapeError."""
    if name in ("view", "reshape") and config is None:
        return sizes(call, 1, "shape", "size").dims
    if name in ("view_as", "reshape_as"):
        other = call.argument(1, "other")
        return other.shape.dims if isinstance(other, Tensor) else None
    if name == "unflatten":
        axis, parts = as_dim(call.argument(1, "dim") or Int(MINUS_ONE)), call.argument(2, "sizes")
        dims = source.shape.dims
        if dims is None or parts is None or axis is None or axis.constant is None or not dims:
            return None
        place = axis.constant % len(dims)
        return (*dims[:place], *sizes_of(call, parts).front, *dims[place + 1 :])
    return made if name in ("flatten", "ravel", "Flatten", "Unflatten") else None


def trust_in(use: Use, lineage: Lineage) -> Trust:
    """The symbols that may be varied: those of the layer, and how many steps and samples it was given."""
    trust = trust_of(use)
    sizes_here = [factor.size for axis in lineage.axes or () for factor in axis if factor.role in (Role.TIME, Role.BATCH)]
    runtime = frozenset(s for size in sizes_here for s in size.symbols if s.kind is Kind.RUNTIME)
    return replace(trust, runtime=trust.runtime | runtime, rounds=use.rounds)


def layout_text(lineage: Lineage) -> str:
    """``(layer*direction, batch, feature)``."""
    axes = ["*".join(factor.role.value for factor in axis) or "1" for axis in lineage.axes or ()]
    return f"({', '.join(axes)})"


def named(lineage: Lineage) -> str:
    """``h_n``, ``output``, or of several what they are."""
    names = {"h": "h_n", "c": "c_n", "output": "the output"}
    return " and ".join(names[one] for one in sorted(which(lineage)))


def factors_of(lineage: Lineage) -> tuple[tuple[str, Dim], ...]:
    """What the axes mean as plain data: (role, size) in memory order."""
    return tuple((factor.role.value, factor.size) for axis in lineage.axes or () for factor in axis)


def tensor_details(lineage: Lineage, source: Tensor) -> dict[str, object]:
    """How torch makes such a tensor: of which result of the layer, of which shape, for so many samples and steps."""
    sizes_by_role = {factor.role.value: factor.size for axis in lineage.axes or () for factor in axis}
    counts: dict[str, object] = {role: sizes_by_role[role] for role in ("batch", "time") if role in sizes_by_role}
    return {"which": sorted(which(lineage))[0], "shape": source.shape.dims or (), **counts}
