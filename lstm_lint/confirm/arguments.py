"""A layer's constructor arguments as plain data, by position or by name as the code gives them."""

from __future__ import annotations

from collections.abc import Mapping

from lstm_lint.confirm.assignment import assignments
from lstm_lint.dims import Dim, Symbol
from lstm_lint.facts import LstmSite
from lstm_lint.ops.recurrent import FLAG_NAMES, PARAMETERS, SIZE_NAMES, condition
from lstm_lint.values import Bool, Float, Int, NoneValue, Str, Unknown, Value, as_dim

Arguments = tuple[tuple[object, ...], dict[str, object]]

DEFAULTS: Mapping[str, object] = {
    "num_layers": 1,
    "nonlinearity": "tanh",
    "bias": True,
    "batch_first": False,
    "dropout": 0.0,
    "bidirectional": False,
    "proj_size": 0,
    "device": None,
    "dtype": None,
}


def call_arguments(site: LstmSite, sizes: Mapping[str, int]) -> Arguments:
    """The arguments that decide shapes, with these values; dropout, device and dtype are left at torch's defaults."""
    names = list(PARAMETERS[site.layer])

    def value(name: str) -> object:
        if name in SIZE_NAMES:
            return sizes[name]
        return _flag(site, name, sizes) if name in FLAG_NAMES else DEFAULTS[name]

    positional = names[: site.bound.positional]
    keywords = {
        name: value(name)
        for name in names[len(positional) :]
        if repr(value(name)) != repr(DEFAULTS.get(name)) and (name != "proj_size" or site.layer == "LSTM")
    }
    return tuple(value(name) for name in positional), keywords


def _flag(site: LstmSite, name: str, sizes: Mapping[str, int]) -> object:
    """A bool; as given where it is none, since torch cares."""
    match site.bound.values[name]:
        case Int(dim) if dim.constant is not None:
            return dim.constant
        case Str(text):
            return text
        case NoneValue():
            return None
        case Float(value=number) if number is not None:
            return number
        case _:
            return bool(sizes[name])


def site_arguments(site: LstmSite, argument: str | None) -> Arguments | None:
    """The arguments as given; None if one cannot be made concrete. `argument`: one that may not be among the parameters."""
    bound = site.bound
    names = list(PARAMETERS[site.layer])
    given = {name: bound.values[name] for name in bound.given if name in bound.values}
    dims = [dim for name, value in given.items() if (dim := _dim(name, value)) is not None]
    dims += [dim for value in given.values() for dim in getattr(value, "ratio", None) or ()]
    values = next(assignments(dims, site.given, {}), None)
    if values is None:
        return None
    made = {name: _plain(name, value, values) for name, value in given.items()}
    if any(value is _LOST for value in made.values()):
        return None
    positional: list[object] = [made[name] for name in names[: bound.positional]]
    positional += [None] * (bound.positional - len(names))
    keywords = {name: value for name, value in made.items() if name not in names[: bound.positional]}
    if argument is not None and any(p.kind == "argument" and p.argument == argument for p in bound.problems):
        keywords.update(_misfit(site, argument))
    return tuple(positional), keywords


def _misfit(site: LstmSite, argument: str) -> dict[str, object]:
    """An argument that does not fit the signature: unknown, or given twice. Nothing for one that is missing."""
    names = list(PARAMETERS[site.layer])
    if argument not in names or argument == "proj_size" or argument in names[: site.bound.positional]:
        return {} if site.bound.positional > len(names) else {argument: 1}
    return {}


_LOST = object()


def _dim(name: str, value: Value) -> Dim | None:
    return condition(value) if name in FLAG_NAMES and not isinstance(value, Int) else as_dim(value)


def _plain(name: str, value: Value, values: Mapping[Symbol, int]) -> object:
    """The value as plain data; `_LOST` if it has none."""
    match value:
        case Float(value=number, ratio=None):
            return 2.5 if number is None else number
        case Float(ratio=(numerator, denominator)) | Unknown(ratio=(numerator, denominator)) if name != "dropout":
            above, below = numerator.evaluate(values), denominator.evaluate(values)
            return above / below if above is not None and below else 2.5
        case Str(text):
            return text
        case NoneValue():
            return None
        case Unknown() if name in ("dropout", "nonlinearity", "device", "dtype"):
            return DEFAULTS[name]
        case _:
            return _number(name, value, values)


def _number(name: str, value: Value, values: Mapping[Symbol, int]) -> object:
    if name in ("device", "dtype"):
        return None
    dim = _dim(name, value)
    number = dim.evaluate(values) if dim is not None else None
    if number is None:
        return _LOST
    is_flag = isinstance(value, Bool) or (name in FLAG_NAMES and not isinstance(value, Int))
    return bool(number) if is_flag else number
