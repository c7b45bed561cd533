"""Where a program's sizes come from: literals, constants, parameters, config objects, **kwargs."""

from typing import Any

from tests.differential.sizes import CONFIG_ROLES, Sizes
from tests.differential.writer import Writer

NAMES = {
    "input_size": ("input_size", "input_dim", "in_features", "n_features", "embed_dim", "ninp"),
    "hidden_size": ("hidden_size", "hidden_dim", "n_hidden", "nhid", "rnn_units", "hidden"),
    "num_layers": ("num_layers", "n_layers", "nlayers", "depth", "rnn_layers"),
    "bidirectional": ("bidirectional", "bi", "bidir", "is_bidirectional"),
    "batch_first": ("batch_first",),
    "proj_size": ("proj_size", "proj_dim"),
}
TORCH_DEFAULTS = {"num_layers": 1, "bidirectional": False, "batch_first": False, "proj_size": 0}
PASSED_FLAVOURS = ("params", "params", "params", "dataclass", "plain", "namespace", "dict", "kwargs")
GLOBAL_FLAVOURS = ("constants", "literals", "global_dict", "global_args", "global_class", "mixed")


class Config:
    """The sizes of one layer: for each role a place (absent, literal, constant, param, field, kwargs) and a name."""

    def __init__(self, w: Writer, flavour: str) -> None:
        self.w, self.flavour, self.sizes = w, flavour, w.sizes
        self.object_name = self._object_name()
        self.names = {role: w.one_of(NAMES[role]) for role in CONFIG_ROLES}
        self.place = {role: self._place(role) for role in CONFIG_ROLES}
        self.defaults = {role: self._default(role) for role in self.at("param", "field") if self._has_default(role)}
        self.save_object = w.chance(0.4)
        self.typed = w.chance(0.3)

    def at(self, *places: str) -> list[str]:
        """The roles that live at one of the places."""
        return [role for role in CONFIG_ROLES if self.place[role] in places]

    @property
    def passed(self) -> bool:
        """Whether the config object is handed to the class or function."""
        return self.flavour in ("dataclass", "plain", "namespace", "dict")

    @property
    def free(self) -> tuple[str, ...]:
        """The roles a driver may choose."""
        return tuple(self.at("param", "kwargs") + (self.at("field") if self.passed else []))

    @property
    def known(self) -> dict[str, Any]:
        """The roles whose value the text itself fixes."""
        return {role: getattr(self.sizes, role) for role in CONFIG_ROLES if role not in self.free}

    def _object_name(self) -> str:
        names = {"namespace": ("args", "opt", "hparams"), "global_args": ("args", "opt")}
        return self.w.one_of(names.get(self.flavour, ("cfg", "config", "conf", "hp")))

    def _place(self, role: str) -> str:
        value, w = getattr(self.sizes, role), self.w
        unset = role in TORCH_DEFAULTS and value == TORCH_DEFAULTS[role]
        if role == "proj_size" and unset:
            return "absent"
        if role == "proj_size" and self.flavour in ("params", "dataclass", "plain", "namespace", "dict"):
            return w.pick("param" if self.flavour == "params" else "field", "literal")
        if role == "batch_first":
            if self.flavour == "params" and w.chance(0.06):
                return "param"
            return "absent" if unset and w.chance(0.8) else "literal"
        match self.flavour:
            case "literals":
                return "absent" if unset and w.chance(0.7) else "literal"
            case "constants":
                return "absent" if unset and w.chance(0.5) else w.pick("constant", "constant", "literal")
            case "mixed":
                return "absent" if unset and w.chance(0.5) else w.pick("constant", "literal", "literal")
            case "params":
                if unset:
                    return w.pick("absent", "param", "param", "literal")
                return w.pick("param", "param", "param", "literal", "constant")
            case "kwargs":
                return "param" if role in ("input_size", "hidden_size") else ("absent" if unset and w.chance(0.4) else "kwargs")
        if role == "bidirectional":
            return "absent" if unset and w.chance(0.4) else w.pick("field", "literal")
        return "field"

    def _has_default(self, role: str) -> bool:
        if (not self.passed and self.flavour != "params") or self.flavour in ("plain", "namespace", "dict"):
            return False
        if self.flavour == "dataclass":
            return True
        likely = {"num_layers": 0.6, "bidirectional": 0.75, "batch_first": 0.9, "proj_size": 0.5}
        return self.w.chance(likely.get(role, 0.15))

    def _default(self, role: str) -> object:
        value = getattr(self.sizes, role)
        if role == "proj_size" or self.w.chance(0.35):
            return value
        match role:
            case "num_layers":
                return self.w.pick(1, 1, 2)
            case "bidirectional":
                return self.w.pick(False, False, False, True)
            case "batch_first":
                return self.w.pick(True, False)
        return self.w.pick(32, 64, 128)

    def inner(self, role: str) -> str:
        """How the constructor (or the function that has the parameters) reads the role; the name must be in scope."""
        value = getattr(self.sizes, role)
        match self.place[role]:
            case "constant":
                return self.names[role].upper()
            case "param":
                return self.names[role]
            case "field" if self.flavour in ("dict", "global_dict"):
                return f'{self.object_name}["{self.names[role]}"]'
            case "field":
                return f"{self.object_name}.{self.names[role]}"
        return repr(value)

    def preamble(self) -> list[str]:
        """Module-level lines the body needs: constants, the global config object, the config's dataclass."""
        lines = [f"{self.names[role].upper()} = {getattr(self.sizes, role)!r}" for role in self.at("constant")]
        if self.flavour == "dataclass":
            self.w.imports.use("from dataclasses import dataclass")
            frozen = self.w.pick("", "(frozen=True)")
            lines += ["", f"@dataclass{frozen}", "class Config:"]
            lines += [
                f"    {self.names[role]}: {type(self.defaults[role]).__name__} = {self.defaults[role]!r}"
                for role in self.at("field")
            ]
        if self.flavour.startswith("global_"):
            lines += self.make_object(self.sizes)
        return [*lines, ""] if lines else []

    def params(self) -> list[str]:
        """The parameters of the constructor or function, those without a default first."""
        if self.passed:
            return [f"{self.object_name}: Config" if self.typed and self.flavour == "dataclass" else self.object_name]
        required = [role for role in self.at("param") if role not in self.defaults]
        optional = [role for role in self.at("param") if role in self.defaults]
        texts = [self._param(role) for role in required + optional]
        return texts + (["**kwargs"] if self.flavour == "kwargs" else [])

    def _param(self, role: str) -> str:
        kind = f": {type(getattr(self.sizes, role)).__name__}" if self.typed else ""
        if role not in self.defaults:
            return self.names[role] + kind
        equals = " = " if self.typed else "="
        return f"{self.names[role]}{kind}{equals}{self.defaults[role]!r}"

    def args(self, sizes: Sizes) -> list[str]:
        """The arguments of one call of the constructor or function, for these sizes."""
        if self.passed:
            return [self.object_name]
        required = [role for role in self.at("param") if role not in self.defaults]
        positional = self.w.chance(0.6)
        texts = [repr(getattr(sizes, role)) if positional else self._keyword(role, sizes) for role in required]
        for role in self.at("param"):
            if role in self.defaults and (getattr(sizes, role) != self.defaults[role] or self.w.chance(0.3)):
                texts.append(self._keyword(role, sizes))
        return texts + [f"{role}={getattr(sizes, role)!r}" for role in self.at("kwargs")]

    def _keyword(self, role: str, sizes: Sizes) -> str:
        return f"{self.names[role]}={getattr(sizes, role)!r}"

    def make_object(self, sizes: Sizes) -> list[str]:
        """Lines that bind the config object (in the driver, or globally)."""
        roles, name = self.at("field"), self.object_name
        pairs = [(self.names[role], repr(getattr(sizes, role))) for role in roles]
        match self.flavour:
            case "dataclass":
                given = [r for r in roles if getattr(sizes, r) != self.defaults[r] or self.w.chance(0.3)]
                return [f"{name} = Config({', '.join(self._keyword(r, sizes) for r in given)})"]
            case "plain" | "global_class":
                return [
                    "class Settings:",
                    *(f"    {key} = {value}" for key, value in pairs),
                    f"{name} = Settings{self.w.pick('', '()')}",
                ]
            case "namespace" | "global_args":
                return self._argparse(pairs)
            case "dict" | "global_dict":
                if self.w.chance(0.3):
                    return [f"{name} = dict({', '.join(f'{k}={v}' for k, v in pairs)})"]
                return [f"{name} = {{" + ", ".join(f'"{k}": {v}' for k, v in pairs) + "}"]
        return []

    def _argparse(self, pairs: list[tuple[str, str]]) -> list[str]:
        if self.w.chance(0.35):
            self.w.imports.use("from types import SimpleNamespace")
            return [f"{self.object_name} = SimpleNamespace({', '.join(f'{k}={v}' for k, v in pairs)})"]
        self.w.imports.use("import argparse")
        lines = ["parser = argparse.ArgumentParser()"]
        for key, value in pairs:
            flag = "--" + (key.replace("_", "-") if self.w.chance(0.4) else key)
            if value == "False":
                lines.append(f'parser.add_argument("{flag}", action="store_true")')
            elif value == "True":
                lines.append(
                    self.w.pick(
                        f'parser.add_argument("{flag}", default=True)',
                        f'parser.add_argument("{flag}", action="store_false")',
                    )
                )
            else:
                lines.append(f'parser.add_argument("{flag}", type=int, default={value})')
        return [*lines, f"{self.object_name} = parser.parse_args({self.w.pick('[]', '')})"]
