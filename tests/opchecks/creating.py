"""Arguments for the rows that make, convert and fill tensors."""

from __future__ import annotations

from typing import Any

import torch
from hypothesis import strategies as st

from lstm_lint.ops.dtypes import TENSOR_TYPES
from opchecks.draws import ALL_TYPES, FLOAT_TYPES, Arguments, Case, Draw, maybe, ones, shape, size, sizes_argument, tensor

DTYPES = (torch.float32, torch.float64, torch.float16, torch.int64, torch.bool)


def with_options(draw: Draw, arguments: Arguments) -> Arguments:
    args, kwargs = arguments
    if draw(st.booleans()):
        kwargs = {**kwargs, "dtype": draw(st.sampled_from((*DTYPES, None)))}
    if draw(st.booleans()):
        kwargs = {**kwargs, "device": draw(st.sampled_from(("cpu", None)))}
    return args, kwargs


def from_sizes(draw: Draw) -> Arguments:
    sizes = shape(draw, 0, 4, 0 if draw(st.integers(0, 3)) else -1)
    args, kwargs = sizes_argument(draw, sizes)
    if draw(st.booleans()):
        kwargs["dtype"] = draw(st.sampled_from(FLOAT_TYPES))
    if draw(st.booleans()):
        kwargs["device"] = "cpu"
    return args, kwargs


def new_from_sizes(draw: Draw) -> Arguments:
    args, kwargs = sizes_argument(draw, shape(draw), None if draw(st.booleans()) else "size")
    return (tensor(draw, dtypes=ALL_TYPES), *args), kwargs


def full(draw: Draw) -> Arguments:
    return with_options(draw, ((shape(draw), draw(st.sampled_from((1, 1.5, True)))), {}))


def new_full(draw: Draw) -> Arguments:
    return (tensor(draw), shape(draw), draw(st.sampled_from((1, 1.5)))), {}


def data(draw: Draw) -> Any:
    leaf = draw(st.sampled_from((1, 1.5, True)))
    value: Any = leaf
    for _ in range(draw(st.integers(0, 3))):
        value = [value] * draw(st.integers(1, 3))
    if draw(st.integers(0, 6)) == 0:
        value = [[1, 2], [3]] if draw(st.booleans()) else [[], []]
    return value


def from_data(draw: Draw) -> Arguments:
    return with_options(draw, ((data(draw),), {}))


def old_constructor(draw: Draw) -> Arguments:
    sizes = shape(draw)
    return draw(st.sampled_from(((sizes), (list(sizes),), (torch.Size(sizes),), ([[1, 2], [3, 4]],), ()))), {}


def new(draw: Draw) -> Arguments:
    sizes = shape(draw)
    source = tensor(draw, dtypes=FLOAT_TYPES)
    return (source, *draw(st.sampled_from((sizes, (list(sizes),), (torch.Size(sizes),), ())))), {}


def like(draw: Draw) -> Arguments:
    source = tensor(draw)
    return (source,), {"dtype": draw(st.sampled_from(FLOAT_TYPES))} if draw(st.booleans()) else {}


def arange(draw: Draw) -> Arguments:
    start, stop, step = draw(st.integers(-3, 3)), draw(st.integers(-3, 6)), draw(st.sampled_from((1, 2, 3, -1, -2)))
    return draw(st.sampled_from((((stop,), {}), ((start, stop), {}), ((start, stop, step), {}), ((start,), {"end": stop})))), {}


def _arange(draw: Draw) -> Arguments:
    (args, kwargs), _ = arange(draw)
    return args, kwargs


def normal(draw: Draw) -> Arguments:
    x = tensor(draw)
    return draw(st.sampled_from(((x,), (x, 1.0), (0.0, x.abs()), (x, x.abs()), (0.0, 1.0, shape(draw))))), {}


def multinomial(draw: Draw) -> Arguments:
    return (tensor(draw, 1, 3), 1), {}


def one_hot(draw: Draw) -> Arguments:
    x = torch.zeros(shape(draw), dtype=torch.int64)
    return (x, size(draw)), {}


def one(draw: Draw) -> Arguments:
    return (tensor(draw, dtypes=ALL_TYPES),), {}


def one_float(draw: Draw) -> Arguments:
    return (tensor(draw),), {}


def randint(draw: Draw) -> Arguments:
    sizes = shape(draw)
    return draw(
        st.sampled_from((((5, sizes), {}), ((0, 5, sizes), {}), ((5,), {"size": sizes}), ((0, 5), {"size": sizes}), ((5,), {})))
    )


def to(draw: Draw) -> Arguments:
    source = tensor(draw)
    dtype = draw(st.sampled_from(DTYPES))
    other = tensor(draw, dtypes=ALL_TYPES)
    return draw(
        st.sampled_from((
            ((source, dtype), {}), ((source, "cpu"), {}), ((source, torch.device("cpu"), dtype), {}), ((source, other), {}),
            ((source,), {"dtype": dtype}), ((source,), {"device": "cpu", "non_blocking": True}), ((source, "cpu", dtype), {}),
        ))
    )  # fmt: skip


def as_type(draw: Draw) -> Arguments:
    return (tensor(draw), draw(st.sampled_from((*DTYPES, "torch.FloatTensor", "torch.LongTensor")))), {}


def two(draw: Draw) -> Arguments:
    return (tensor(draw), tensor(draw, dtypes=ALL_TYPES)), {}


def same_twice(draw: Draw) -> Arguments:
    x = tensor(draw)
    return (x, x.clone()), {}


def initialised(draw: Draw) -> Arguments:
    return (ones((size(draw, 2), size(draw, 2))),), {}


def with_number(draw: Draw) -> Arguments:
    return (tensor(draw), draw(st.sampled_from((1, 1.5)))), {}


def at_least_2d(draw: Draw) -> Arguments:
    return (tensor(draw, 2, 4),), {}


def masked(draw: Draw) -> Arguments:
    x = tensor(draw)
    return (x, torch.ones_like(x, dtype=torch.bool), 0.5), {}


def index_filled(draw: Draw) -> Arguments:
    return (tensor(draw, 1, 3), 0, torch.tensor([0]), 0.5), {}


def scattered(draw: Draw) -> Arguments:
    x = tensor(draw, 1, 3)
    return (x, 0, torch.zeros(x.shape, dtype=torch.int64), torch.ones_like(x)), {}


def spaced(draw: Draw) -> Arguments:
    return (0, 5, draw(st.integers(-1, 6))), {}


def square(draw: Draw) -> Arguments:
    args: list[Any] = [draw(st.integers(-1, 4))]
    kwargs: dict[str, Any] = {}
    maybe(draw, size(draw), "m", args, kwargs)
    return tuple(args), kwargs


def names(words: str, case: Case, *prefixes: str) -> dict[str, Case]:
    return {f"{prefix}.{word}": case for word in words.split() for prefix in prefixes}


T, M = "torch", "torch.Tensor"
CASES: dict[str, Case] = {
    **names("zeros ones randn rand empty", from_sizes, T),
    "torch.full": full,
    **names("zeros_like ones_like randn_like rand_like empty_like", like, T),
    **names("bernoulli", one_float, T, M),
    "torch.full_like": with_number,
    "torch.randint_like": lambda draw: ((tensor(draw), 5), {}),
    **names("new_zeros new_ones new_empty", new_from_sizes, M),
    "torch.Tensor.new_full": new_full,
    "torch.Tensor.new_tensor": lambda draw: ((tensor(draw), data(draw)), {}),
    "torch.Tensor.new": new,
    **names("tensor as_tensor asarray", from_data, T),
    "torch.scalar_tensor": lambda draw: ((draw(st.sampled_from((2.0, 3.5))),), {}),
    "torch.Tensor": old_constructor,
    **names(" ".join(TENSOR_TYPES), old_constructor, T, "torch.cuda"),
    **names("Variable variable.Variable", one, "torch.autograd"),
    **names("Parameter parameter.Parameter Buffer", one_float, "torch.nn"),
    "torch.arange": _arange,
    **names("linspace logspace", spaced, T),
    "torch.eye": square,
    "torch.randint": randint,
    "torch.randperm": lambda draw: ((draw(st.integers(-1, 5)),), {}),
    "torch.normal": normal,
    **names("multinomial", multinomial, T, M),
    "torch.nn.functional.one_hot": one_hot,
    **names("detach clone contiguous detach_ share_memory_ resolve_conj conj cpu cuda", one, M),
    **names("requires_grad_", one_float, M),
    **names("clone detach resolve_conj conj", one, T),
    "torch.Tensor.to": to,
    **names("float double half bfloat16 long int short char byte bool", one, M),
    "torch.Tensor.type": as_type,
    "torch.Tensor.type_as": two,
    **names("zero_ normal_ uniform_ random_ exponential_ bernoulli_ log_normal_ cauchy_", one_float, M),
    "torch.Tensor.fill_": with_number,
    "torch.Tensor.geometric_": lambda draw: ((tensor(draw), 0.5), {}),
    "torch.Tensor.copy_": same_twice,
    **names("zeros_ ones_ normal_ uniform_ trunc_normal_", one_float, "torch.nn.init"),
    "torch.nn.init.constant_": with_number,
    **names("xavier_uniform_ xavier_normal_ kaiming_uniform_ kaiming_normal_ orthogonal_ eye_", initialised, "torch.nn.init"),
    **names("normal uniform", one_float, "torch.nn.init"),
    "torch.nn.init.constant": with_number,
    **names("xavier_uniform xavier_normal kaiming_uniform kaiming_normal orthogonal eye", initialised, "torch.nn.init"),
    **names("add_ sub_ mul_ div_ pow_ clamp_ clamp_min_ clamp_max_", with_number, M),
    **names(
        "neg_ abs_ exp_ log_ sqrt_ relu_ sigmoid_ tanh_ round_ floor_ ceil_ reciprocal_ rsqrt_ sign_ nan_to_num_", one_float, M
    ),
    **names("abs_ neg_ exp_ log_ sqrt_ relu_ sigmoid_ tanh_ round_ floor_ ceil_ reciprocal_ rsqrt_ nan_to_num_", one_float, T),
    **names("selu_ celu_ rrelu_", one_float, T),
    **names("clamp_ clamp_min_ clamp_max_", with_number, T),
    **names("threshold_", lambda draw: ((tensor(draw), 0.1, 2.0), {}), T, "torch.nn.functional"),
    **names("dropout_ alpha_dropout_", lambda draw: ((tensor(draw), 0.5, True), {}), T),
    **names("relu_ elu_ selu_ celu_ leaky_relu_ rrelu_ hardtanh_", one_float, "torch.nn.functional"),
    **names("triu_ tril_", at_least_2d, M),
    "torch.Tensor.fill_diagonal_": lambda draw: ((ones((3, 3)), 0.5), {}),
    **names("masked_fill_", masked, M),
    **names("masked_fill", masked, T, M),
    **names("index_fill_", index_filled, M),
    **names("index_fill", index_filled, T, M),
    **names("scatter_ scatter_add_", scattered, M),
    **names("scatter scatter_add", scattered, T, M),
}
