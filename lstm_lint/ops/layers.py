"""torch.nn's layers: how their arguments are named, and what a call of one does to its input's shape."""

from __future__ import annotations

import ast
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cached_property

from lstm_lint.dims import Dim
from lstm_lint.ops.arguments import computed, size_item
from lstm_lint.ops.dtypes import is_float
from lstm_lint.shapes import Shape, ShapeError
from lstm_lint.values import FALSE, NONE, TRUE, Call, Float, Int, Str, Tensor, Tuple, Value

Config = Mapping[str, Value]
LayerOp = Callable[[Mapping[str, Value], Call], Value]


@dataclass(frozen=True)
class LayerRow:
    """One layer: its constructor's parameters as torch writes them, and its forward.

    `forward` gets the constructor's arguments by name (`bound`) and the call of the layer, whose first positional is the input.
    `is_open`: it takes keywords of any name.
    """

    signature: str
    forward: LayerOp
    is_open: bool = False

    @cached_property
    def parameters(self) -> Mapping[str, Value | None]:
        """The parameters in order with their defaults, None for those that must be given."""
        return parse_signature(self.signature)

    def bound(self, call: Call) -> Mapping[str, Value] | str:
        """The arguments of the constructor by name, defaults filled in; or what is wrong with them."""
        names = list(self.parameters)
        if len(call.positional) > len(names):
            return f"takes {len(names)} arguments but {len(call.positional)} were given"
        values: dict[str, Value] = dict(zip(names, call.positional, strict=False))
        for name, value in call.keywords.items():
            if name not in self.parameters and not self.is_open:
                return f"has no parameter {name!r}"
            if name in values:
                return f"got several values for {name!r}"
            values[name] = value
        for name, default in self.parameters.items():
            if name not in values:
                if default is None:
                    return f"misses the argument {name!r}"
                values[name] = default
        return values


def parse_signature(signature: str) -> Mapping[str, Value | None]:
    """``in_features, out_features, bias=True`` as names with default values."""
    function = ast.parse(f"def f({signature}): ...").body[0]
    assert isinstance(function, ast.FunctionDef)
    names = [argument.arg for argument in function.args.args]
    defaults = [_literal(ast.literal_eval(default)) for default in function.args.defaults]
    padding: list[Value | None] = [None] * (len(names) - len(defaults))
    return dict(zip(names, [*padding, *defaults], strict=True))


def _literal(value: object) -> Value:
    match value:
        case bool():
            return TRUE if value else FALSE
        case int():
            return Int(Dim.of(value))
        case float():
            return Float(value)
        case str():
            return Str(value)
        case tuple():
            return Tuple(tuple(_literal(item) for item in value))
        case _:
            return NONE


# -- what forwards share ---------------------------------------------------------------------------------------------
def kept(call: Call, source: Tensor, shape: Shape | None = None) -> Tensor:
    """The output of a layer with weights of the input's dtype, which torch insists on."""
    return computed(call, source, shape, source.dtype if is_float(source.dtype) else None)


def must_be(actual: Dim, expected: Dim, what: str) -> None:
    """Raises ShapeError if the sizes are different constants."""
    if actual.constant is not None and expected.constant is not None and actual != expected:
        raise ShapeError(f"{what} is {actual.text}, the layer wants {expected.text}")


def config_size(config: Config, call: Call, name: str) -> Dim:
    """A constructor argument as a size. Raises ShapeError and CannotTell."""
    return size_item(call, config[name], name)


def check_rank(source: Tensor, *allowed: int) -> None:
    """Raises ShapeError if the rank is known and none of these."""
    if source.shape.rank is not None and source.shape.rank not in allowed:
        wanted = " or ".join(f"{rank}D" for rank in allowed)
        raise ShapeError(f"expected {wanted} input (got {source.shape.rank}D input)")
