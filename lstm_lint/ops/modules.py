"""Functions around modules: ``spectral_norm``, ``weight_norm`` and their kin give the module back; devices."""

from __future__ import annotations

from lstm_lint.ops.arguments import Op, prefixed, required
from lstm_lint.ops.dtypes import DEVICE
from lstm_lint.values import Call, Str, Unknown, Value


def module_back(call: Call) -> Value:
    """``spectral_norm(layer)``: the layer."""
    return required(call, 0, "module")


def device(call: Call) -> Value:
    """``torch.device('cuda')``: its name; else something that is certainly a device."""
    value = call.argument(0, "type") or call.argument(0, "device")
    if isinstance(value, Str):
        return value
    return Unknown((DEVICE, call.number), call.place.text or "device", "which device it is is not known", call.place)


ROWS: dict[str, Op] = {}
OTHER_ROWS: dict[str, Op] = {
    **prefixed("spectral_norm weight_norm remove_weight_norm remove_spectral_norm", module_back, "torch.nn.utils"),
    **prefixed("spectral_norm weight_norm orthogonal", module_back, "torch.nn.utils.parametrizations"),
    "torch.nn.utils.parametrize.register_parametrization": module_back,
    "torch.compile": module_back,
    "torch.jit.script": module_back,
    "torch.device": device,
}
