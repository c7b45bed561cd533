"""Python itself: which builtins and standard library functions are followed, by qualified name."""

from __future__ import annotations

from collections.abc import Mapping

from lstm_lint.dims import maximum, minimum
from lstm_lint.interpret.builtin_objects import (
    any_all,
    builtin_dict,
    builtin_getattr,
    builtin_hasattr,
    builtin_isinstance,
    builtin_setattr,
    builtin_super,
    builtin_type,
    device,
    field,
    namespace,
    partial,
    same,
    tensor_flag,
)
from lstm_lint.interpret.builtin_values import (
    Builtin,
    builtin_bool,
    builtin_enumerate,
    builtin_float,
    builtin_int,
    builtin_len,
    builtin_map,
    builtin_next,
    builtin_range,
    builtin_reversed,
    builtin_sequence,
    builtin_slice,
    builtin_str,
    builtin_sum,
    builtin_zip,
    extreme,
    rounded,
)
from lstm_lint.interpret.containers import METHODS, call_object_method, new_parser
from lstm_lint.interpret.loading import LOADING
from lstm_lint.interpret.revealing import reveal_shape
from lstm_lint.values import NONE

BUILTINS: Mapping[str, Builtin] = {
    "builtins.int": builtin_int,
    "builtins.str": builtin_str,
    "builtins.float": builtin_float,
    "builtins.bool": builtin_bool,
    "builtins.max": extreme(maximum),
    "builtins.min": extreme(minimum),
    "builtins.sum": builtin_sum,
    "builtins.len": builtin_len,
    "builtins.range": builtin_range,
    "builtins.slice": builtin_slice,
    "builtins.round": rounded("round"),
    "math.floor": rounded("floor"),
    "math.ceil": rounded("ceil"),
    "builtins.list": builtin_sequence("list"),
    "builtins.tuple": builtin_sequence("tuple"),
    "builtins.set": builtin_sequence("set", ordered=False),
    "builtins.sorted": builtin_sequence("list", ordered=False),
    "torch.Size": builtin_sequence("size"),
    "builtins.iter": same,
    "builtins.enumerate": builtin_enumerate,
    "builtins.zip": builtin_zip,
    "builtins.reversed": builtin_reversed,
    "builtins.map": builtin_map,
    "builtins.next": builtin_next,
    "builtins.super": builtin_super,
    "builtins.getattr": builtin_getattr,
    "builtins.hasattr": builtin_hasattr,
    "builtins.setattr": builtin_setattr,
    "builtins.isinstance": builtin_isinstance,
    "builtins.dict": builtin_dict,
    "collections.OrderedDict": builtin_dict,
    "functools.partial": partial,
    "types.SimpleNamespace": namespace,
    "argparse.Namespace": namespace,
    "dataclasses.field": field,
    "typing.cast": lambda it, a, node: a.positional[1] if len(a.positional) > 1 else NONE,
    "copy.deepcopy": same,
    "copy.copy": same,
    "torch.jit.script": same,
    "torch.compile": same,
    "torch.cuda.is_available": tensor_flag("torch.cuda.is_available"),
    "builtins.any": any_all(False),
    "builtins.all": any_all(True),
    "builtins.type": builtin_type,
    "builtins.vars": same,
    "torch.backends.mps.is_available": tensor_flag("torch.backends.mps.is_available"),
    "torch.device": device,
    "torch.nn.DataParallel": same,
    "torch.nn.parallel.DistributedDataParallel": same,
    "argparse.ArgumentParser": new_parser,
    "builtins.reveal_shape": reveal_shape,
    "builtins.print": lambda it, a, node: NONE,
    "torch.manual_seed": lambda it, a, node: NONE,
    **dict.fromkeys(("tqdm.tqdm", "tqdm.auto.tqdm", "tqdm.notebook.tqdm", "tqdm.tqdm_notebook"), same),
    **LOADING,
}


__all__ = ["BUILTINS", "METHODS", "call_object_method"]
