"""The same shape in another dtype, place or graph: ``to``, ``cuda``, ``float``, ``detach``, in-place fills, ``nn.init``."""

from __future__ import annotations

from dataclasses import replace

from lstm_lint.ops.arguments import Op, both, prefixed, required, tensor
from lstm_lint.ops.dtypes import ALIASES, device_argument, dtype_argument, is_device, is_given, named_dtype, tensor_type
from lstm_lint.values import Call, External, Str, Tensor, Value, as_tensor


def same(call: Call) -> Value:
    """x itself, or a copy of it: ``detach``, ``clone``, ``contiguous``, ``requires_grad_``."""
    return tensor(call)


def to(call: Call) -> Value:
    """``x.to(device)``, ``x.to(torch.float64)``, ``x.to(other)``, ``x.to(device, dtype)``, with keywords or not."""
    result = tensor(call)
    for value in (*call.positional[1:], call.keywords.get("other")):
        if value is not None and is_given(value):
            result = _moved(result, value)
    dtype = dtype_argument(call.keywords.get("dtype"), result.dtype)
    device = device_argument(call.keywords.get("device"), result.device)
    return replace(result, dtype=dtype, device=device)


def _moved(source: Tensor, value: Value) -> Tensor:
    match value:
        case Tensor(dtype=dtype, device=device):
            return replace(source, dtype=dtype, device=device)
        case External(name) if (dtype := named_dtype(name)) is not None:
            return replace(source, dtype=dtype)
        case _ if is_device(value):
            return replace(source, device=device_argument(value, None))
        case _ if as_tensor(value) is not None or isinstance(value, External):
            return replace(source, dtype=None, device=None)
        case _:  # non_blocking, copy
            return source


def cuda(call: Call) -> Value:
    """``x.cuda()``."""
    return replace(tensor(call), device="cuda")


def cpu(call: Call) -> Value:
    """``x.cpu()``."""
    return replace(tensor(call), device="cpu")


def cast(call: Call) -> Value:
    """``x.float()``, ``x.long()``, ``x.bfloat16()``: the method's name is the dtype."""
    name = call.name.rpartition(".")[2]
    return replace(tensor(call), dtype=ALIASES.get(name, name))


def as_type(call: Call) -> Value:
    """``x.type(torch.float64)``, ``x.type('torch.FloatTensor')``, ``x.type(torch.FloatTensor)``."""
    source = tensor(call)
    match required(call, 1, "dtype"):
        case Str(name) | External(name) if (pair := tensor_type(name)) is not None:
            return replace(source, dtype=pair[0], device=pair[1])
        case Str(name) | External(name) if (dtype := named_dtype(name)) is not None:
            return replace(source, dtype=dtype)
        case _:
            return replace(source, dtype=None, device=None)


def type_as(call: Call) -> Value:
    """``x.type_as(other)``: other's dtype and device."""
    source, other = tensor(call), as_tensor(required(call, 1, "other"))
    return replace(source, dtype=other.dtype if other else None, device=other.device if other else None)


def filled(call: Call) -> Value:
    """In-place fills, ``x.zero_()``, ``x.normal_()``, ``nn.init.xavier_uniform_(x)``: x, made by this call."""
    name = "tensor" if call.name.startswith("torch.nn.init.") else "self"
    return replace(tensor(call, 0, name), made_by=call.name, place=call.place, lineage=None, numbers=None, filled=None)


def changed(call: Call) -> Value:
    """In-place changes of values, ``x.mul_(2)``, ``F.leaky_relu_(x)``: the shape and dtype of x."""
    return replace(tensor(call), made_by=None, lineage=None, numbers=None, filled=None)


_SAME = "detach clone contiguous requires_grad_ detach_ pin_memory share_memory_ to_dense resolve_conj conj"
_FILLS = "zero_ fill_ normal_ uniform_ random_ exponential_ bernoulli_ log_normal_ cauchy_ geometric_ copy_"
_INIT = (
    "zeros_ ones_ constant_ normal_ uniform_ xavier_uniform_ xavier_normal_ kaiming_uniform_ kaiming_normal_ orthogonal_ eye_ "
    "trunc_normal_"
)
_OLD_INIT = "constant normal uniform xavier_uniform xavier_normal kaiming_uniform kaiming_normal orthogonal eye"
_CHANGES = (
    "add_ sub_ mul_ div_ pow_ neg_ abs_ exp_ log_ sqrt_ clamp_ clamp_min_ clamp_max_ relu_ sigmoid_ tanh_ round_ floor_ ceil_ "
    "reciprocal_ rsqrt_ sign_ nan_to_num_ triu_ tril_ fill_diagonal_ masked_fill_ index_fill_ scatter_ scatter_add_"
)
_CHANGES_BY_FUNCTION = (
    "abs_ neg_ exp_ log_ sqrt_ clamp_ clamp_min_ clamp_max_ relu_ sigmoid_ tanh_ round_ floor_ ceil_ reciprocal_ rsqrt_ "
    "nan_to_num_ selu_ celu_ rrelu_ threshold_ dropout_ alpha_dropout_"
)
_ACTIVATIONS = "relu_ elu_ selu_ celu_ leaky_relu_ rrelu_ hardtanh_ threshold_"
ROWS: dict[str, Op] = {
    **prefixed(_SAME, same, "torch.Tensor"),
    **prefixed("clone detach resolve_conj conj", same, "torch"),
    "torch.Tensor.to": to,
    "torch.Tensor.cuda": cuda,
    "torch.Tensor.cpu": cpu,
    **prefixed("float double half bfloat16 long int short char byte bool", cast, "torch.Tensor"),
    "torch.Tensor.type": as_type,
    "torch.Tensor.type_as": type_as,
    **prefixed(_FILLS, filled, "torch.Tensor"),
    **prefixed(_INIT, filled, "torch.nn.init"),
    **prefixed(_OLD_INIT, filled, "torch.nn.init"),
    **prefixed(_CHANGES, changed, "torch.Tensor"),
    **prefixed(_CHANGES_BY_FUNCTION, changed, "torch"),
    **prefixed(_ACTIVATIONS, changed, "torch.nn.functional"),
    **both("masked_fill index_fill scatter scatter_add", changed),
}
OTHER_ROWS: dict[str, Op] = {}
