"""From a complaint, or a call judged right, to a question for torch: the layer and concrete shapes. Never user code."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields, replace
from operator import methodcaller

from lstm_lint.confirm.arguments import call_arguments, site_arguments
from lstm_lint.confirm.assignment import assignments
from lstm_lint.dims import Dim, Kind, Symbol
from lstm_lint.facts import LstmSite
from lstm_lint.findings import Probe
from lstm_lint.judge import TIME, Judged, StatePart
from lstm_lint.ops.recurrent import LayerConfig, uncallable
from lstm_lint.proofs.comparison import Extent
from lstm_lint.rules.base import Ask, Complaint
from lstm_lint.values import NONE, Tensor, Tuple

BATCH = Symbol(("batch",), "N", Kind.RUNTIME)
LONGEST = 64  # steps; no question is about their number, and torch runs them all
EXPERIMENTS = {"bias": "bool-as-bias", "dropout": "dropout-single-layer"}

Sizes = tuple[int, ...]
Made = list[Sizes | None]
Dims = tuple[Dim, ...]


def probe_for(complaint: Complaint) -> Probe | None:
    """The question that goes with a complaint; None where there is nothing to ask, or no concrete sizes are found."""
    if complaint.ask is Ask.NOTHING:
        return None
    if complaint.ask is Ask.EXPERIMENT:
        return probe_for_use(complaint)
    if complaint.judged is not None:
        return probe_for_call(complaint.judged, complaint)
    return probe_for_site(complaint.site, complaint.argument) if complaint.site is not None else None


def probe_for_use(complaint: Complaint) -> Probe | None:
    """The complaint's experiment with its layer, built for sizes that show it; with any layer if it is about none."""
    site, subject = complaint.site, complaint.use or complaint.call
    if site is None and complaint.use is not None and not complaint.use.sites:
        return Probe("LSTM", (3, 4), experiment=complaint.experiment, details=complaint.details)
    if site is None or site.config is None or subject is None or site.bound.problems:
        return None
    config = site.config
    source = complaint.use.source if complaint.use is not None else None
    lineage = source.lineage if source is not None else None
    equal = lineage.equal if lineage is not None else {}
    settled = _with_sizes(complaint.details, methodcaller("substitute", equal))
    dims = [*(getattr(config, name) for name in _DIM_FIELDS), *_dims_in(settled)]
    fixed = {
        symbol: value
        for symbol, value in complaint.comparison.witness.items()
        if symbol in {s for d in dims for s in d.symbols}
    }
    for values in assignments(dims, subject.given, fixed):
        sizes = {name: size for name in _DIM_FIELDS if (size := getattr(config, name).evaluate(values)) is not None}
        details = _with_sizes(settled, methodcaller("evaluate", values))
        if len(sizes) == len(_DIM_FIELDS) and _can_be_built(sizes) and isinstance(details, dict):
            positional, arguments = call_arguments(site, sizes)
            return Probe(site.layer, positional, arguments, experiment=complaint.experiment, details=details)
    return None


def _dims_in(details: object) -> Iterator[Dim]:
    """The sizes among the details of an experiment."""
    match details:
        case Dim():
            yield details
        case dict():
            for value in details.values():
                yield from _dims_in(value)
        case tuple():
            for value in details:
                yield from _dims_in(value)


def _with_sizes(details: object, sizes: Callable[[Dim], object]) -> object:
    """The details with something else for each size; `_LOST` where there is nothing for one."""
    match details:
        case Dim():
            return _LOST if (found := sizes(details)) is None else found
        case dict():
            made = {key: _with_sizes(value, sizes) for key, value in details.items()}
            return _LOST if _LOST in made.values() else made
        case tuple():
            items = tuple(_with_sizes(value, sizes) for value in details)
            return _LOST if _LOST in items else items
        case _:
            return details


_LOST = object()


def probe_for_site(site: LstmSite, argument: str | None = None) -> Probe | None:
    """The construction alone, with its arguments as given. `argument` is the parameter that the question is about."""
    experiment = None if site.bound.problems else EXPERIMENTS.get(argument or "")
    made = site_arguments(site, argument)
    return None if made is None else Probe(site.layer, made[0], made[1], experiment=experiment)


def probe_for_call(judged: Judged, complaint: Complaint | None = None) -> Probe | None:
    """The call: with the complaint's part as it is and all else right; without one as it is, with the shapes to expect.

    None for a call of which too much is unknown, or if nothing shows the complaint.
    """
    config = judged.call.site.config
    if config is None or (complaint is None and not _is_right(judged)):
        return None
    if isinstance(judged.call.state, Tuple) and NONE in judged.call.state.items:  # a probe has shapes, and None has none
        return None
    for linked in (True, False):
        scene = _scene(judged, config, complaint)
        links = _links(judged, complaint) if linked else {}
        if links:
            scene = scene.substituted(links)
        fixed = {} if complaint is None else complaint.comparison.witness
        given = judged.call.given.substitute(links)
        for values in assignments(scene.dims(), given, {s: v for s, v in fixed.items() if s not in links}):
            probe = _probe(judged, scene, values, complaint)
            if probe is not None:
                return probe
    return None


def _is_right(judged: Judged) -> bool:
    """Whether everything about the call is known and nothing wrong."""
    bound = judged.call.site.bound
    if judged.structure or judged.call.problem or bound.problems or uncallable(bound) or judged.input.batched is None:
        return False
    return all(part.status == "match" for part in judged.parts) and (bool(judged.parts) or judged.call.state is None)


# -- what stands in the call -------------------------------------------------------------------------------------------
@dataclass(frozen=True)
class _Scene:
    """Everything a probe is made of, still symbolic. `right` is what the state should be, where it is known."""

    config: LayerConfig
    input: Dims
    hx: tuple[Dims, ...] | None
    right: tuple[Dims, ...]
    time: Dim
    batch: Dim | None

    def dims(self) -> Iterator[Dim]:
        yield from (getattr(self.config, name) for name in _DIM_FIELDS)
        yield from self.input
        for shape in (*(self.hx or ()), *self.right):
            yield from shape

    def substituted(self, values: Mapping[Symbol, Dim]) -> _Scene:
        def put(dims: Dims) -> Dims:
            return tuple(dim.substitute(values) for dim in dims)

        config = replace(self.config, **{name: getattr(self.config, name).substitute(values) for name in _DIM_FIELDS})
        hx = None if self.hx is None else tuple(map(put, self.hx))
        batch = None if self.batch is None else self.batch.substitute(values)
        return _Scene(config, put(self.input), hx, tuple(map(put, self.right)), self.time.substitute(values), batch)


_DIM_FIELDS = tuple(one.name for one in fields(LayerConfig) if one.name != "layer")


def _scene(judged: Judged, config: LayerConfig, complaint: Complaint | None) -> _Scene:
    view = judged.input
    batch = None if view.batched is False else view.batch if view.batch is not None else Dim.of(BATCH)
    time = view.time if view.time is not None else Dim.of(TIME)
    features = config.input_size
    if complaint is not None and complaint.ask is Ask.INPUT and view.features is not None:
        features = view.features
    inputs = replace(config, input_size=features).input_dims(time, batch)
    assert inputs is not None
    if complaint is not None and complaint.ask is Ask.INPUT and view.dims is not None:
        inputs = view.dims
    names = ("h_0", "c_0") if config.has_pair else ("h_0",)
    right = tuple(config.state_dims(name, batch) for name in names)
    return _Scene(config, inputs, _given_state(judged, complaint, right), right, time, batch)


def _given_state(judged: Judged, complaint: Complaint | None, right: tuple[Dims, ...]) -> tuple[Dims, ...] | None:
    state = judged.call.state
    ask = complaint.ask if complaint is not None else None
    if ask is Ask.INPUT or (complaint is None and state is None):
        return None
    if ask is Ask.ARGUMENTS:
        return right if len(right) == 2 else (*right, *right)
    if ask is Ask.STRUCTURE:
        if isinstance(state, Tensor):
            return (state.shape.dims,) if state.shape.dims is not None else None
        return (right[0], *right[1:], right[0])[: len(state.items)] if isinstance(state, Tuple) else None
    if ask is Ask.DTYPE:
        return right
    asked = complaint.parts if complaint is not None else tuple(part.which for part in judged.parts)
    return tuple(_as_given(part, dims) if part.which in asked else dims for part, dims in zip(judged.parts, right, strict=True))


def _as_given(part: StatePart, right: Dims) -> Dims:
    if part.actual is not None:
        return part.actual
    return (*right, Dim.of(1))[: part.ranks[1]] if part.ranks is not None else right


def _links(judged: Judged, complaint: Complaint | None) -> dict[Symbol, Dim]:
    """Sizes of the state that another finding, or none, is about are taken to be right: torch speaks of the wrong one alone."""
    links: dict[Symbol, Dim] = dict(judged.call.site.booleans)
    if complaint is None or complaint.ask is not Ask.STATE:
        return links
    fixed = set(complaint.comparison.witness) | set(links)
    for part in judged.parts:
        if part.which not in complaint.parts or part.expected is None or part.actual is None:
            continue
        for axis, expected, actual in zip(part.axes, part.expected, part.actual, strict=False):
            if axis == complaint.comparison or axis.extent not in (Extent.UNKNOWN, Extent.COINCIDENCE):
                continue
            for left, right in ((actual, expected), (expected, actual)):
                symbol = _only_symbol(left)
                if symbol is not None and symbol not in fixed and symbol not in right.symbols:
                    links[symbol] = right.substitute(links)
                    fixed.add(symbol)
                    break
    return links


def _only_symbol(dim: Dim) -> Symbol | None:
    return dim.symbols[0] if len(dim.symbols) == 1 and dim == Dim.of(dim.symbols[0]) else None


# -- the probe ---------------------------------------------------------------------------------------------------------
def _probe(judged: Judged, scene: _Scene, values: Mapping[Symbol, int], complaint: Complaint | None) -> Probe | None:
    """The probe under one assignment; None if it makes no layer, no tensors, or does not show the complaint."""
    config = {name: getattr(scene.config, name).evaluate(values) for name in _DIM_FIELDS}
    inputs = _sizes(scene.input, values)
    right = [_sizes(dims, values) for dims in scene.right]
    hx = None if scene.hx is None else [_sizes(dims, values) for dims in scene.hx]
    if inputs is None or None in right or (hx is not None and None in hx) or None in config.values():
        return None
    sizes = {name: value for name, value in config.items() if value is not None}
    if not _can_be_built(sizes) or not _shows(complaint, sizes, inputs, hx, right):
        return None
    positional, arguments = call_arguments(judged.call.site, sizes)
    probe = Probe(
        judged.call.site.layer,
        positional,
        arguments,
        _shortened(inputs, scene, sizes, complaint),
        None if hx is None else tuple(shape for shape in hx if shape is not None),
        _structure(judged, complaint, len(hx or ())),
        judged.input.packed,
    )
    if complaint is not None and complaint.ask is Ask.DTYPE:
        return replace(probe, dtypes={name: str(dtype) for name, dtype in complaint.details.items()})
    return probe if complaint is not None else replace(probe, expect=_expected(scene, sizes, values, right))


def _sizes(dims: Dims, values: Mapping[Symbol, int]) -> Sizes | None:
    sizes = [dim.evaluate(values) for dim in dims]
    return None if any(size is None or size < 1 for size in sizes) else tuple(size for size in sizes if size is not None)


def _can_be_built(sizes: Mapping[str, int]) -> bool:
    positive = all(sizes[name] >= 1 for name in ("input_size", "hidden_size", "num_layers"))
    return positive and 0 <= sizes["proj_size"] < sizes["hidden_size"]


def _shows(complaint: Complaint | None, sizes: Mapping[str, int], inputs: Sizes, hx: Made | None, right: Made) -> bool:
    """Whether torch has to object to these very sizes (or, without a complaint, not to)."""
    if complaint is None:
        return hx in (None, right) and inputs[-1] == sizes["input_size"]
    if complaint.ask is Ask.STATE:
        return hx is not None and hx != right
    if complaint.ask is Ask.INPUT and complaint.expected is not None:
        return inputs[-1] != sizes["input_size"]
    return complaint.ask is not Ask.STRUCTURE or hx is not None


def _shortened(inputs: Sizes, scene: _Scene, sizes: Mapping[str, int], complaint: Complaint | None) -> Sizes:
    """The input with at most `LONGEST` steps."""
    if scene.config.is_cell or len(inputs) not in (2, 3) or (complaint is not None and complaint.ask is Ask.INPUT):
        return inputs
    axis = 1 if len(inputs) == 3 and sizes["batch_first"] else 0
    return (*inputs[:axis], min(inputs[axis], LONGEST), *inputs[axis + 1 :])


def _structure(judged: Judged, complaint: Complaint | None, count: int) -> str:
    if complaint is not None and complaint.ask is Ask.ARGUMENTS:
        return "arguments"
    state = judged.call.state
    if complaint is not None and complaint.ask is Ask.STRUCTURE:
        nested = isinstance(state, Tuple) and any(isinstance(item, Tuple) for item in state.items[:2])
        return "nested" if nested else state.kind if isinstance(state, Tuple) else "tensor"
    if not judged.call.site.layer.startswith("LSTM"):
        return "tensor"
    return "list" if isinstance(state, Tuple) and state.kind == "list" and count else "tuple"


def _expected(scene: _Scene, sizes: Mapping[str, int], values: Mapping[Symbol, int], right: Made) -> dict[str, Sizes]:
    """The shapes of output, h_n and c_n."""
    expect = {name: shape for name, shape in zip(("h_n", "c_n"), right, strict=False) if shape is not None}
    output = None if scene.config.is_cell else scene.config.output_dims(scene.time, scene.batch)
    shape = None if output is None else _sizes(output, values)
    return expect if shape is None else {"output": _shortened(shape, scene, sizes, None), **expect}
