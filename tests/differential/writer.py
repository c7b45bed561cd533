"""The random choices of one program, and the way it spells its imports."""

from collections.abc import Sequence
from random import Random
from typing import TypeVar

from tests.differential.sizes import Sizes

T = TypeVar("T")


class Imports:
    """How this program reaches torch; import lines appear in the order they were first needed."""

    def __init__(self, rng: Random) -> None:
        self.torch = "torch" if rng.random() < 0.93 else rng.choice(("th", "pt"))
        self.form = rng.choices(
            ("as_nn", "from_nn", "dotted", "bare", "alias", "modules", "modules_alias", "rnn_bare", "tnn"),
            (34, 24, 7, 12, 7, 4, 4, 4, 4),
        )[0]
        self.alias = rng.choice(("Recurrent", "Rec", "L", "TorchRNN", "_Layer"))
        self.nn = {"dotted": f"{self.torch}.nn", "tnn": "tnn", "modules": f"{self.torch}.nn"}.get(self.form, "nn")
        self.lines = ["import torch" + ("" if self.torch == "torch" else f" as {self.torch}")]
        match self.form:
            case "as_nn" | "alias":
                self.lines.append("import torch.nn as nn")
            case "tnn":
                self.lines.append("import torch.nn as tnn")
            case "from_nn" | "bare" | "modules_alias" | "rnn_bare":
                self.lines.append("from torch import nn")

    def use(self, line: str) -> None:
        """Adds an import line once."""
        if line not in self.lines:
            self.lines.append(line)

    def layer(self, kind: str) -> str:
        """The expression that names a recurrent class, e.g. nn.LSTM."""
        match self.form:
            case "bare":
                self.use(f"from torch.nn import {kind}")
                return kind
            case "rnn_bare":
                self.use(f"from torch.nn.modules.rnn import {kind}")
                return kind
            case "alias":
                self.use(f"from torch.nn import {kind} as {self.alias}{kind}")
                return self.alias + kind
            case "modules" if self.torch == "torch":
                self.use("import torch.nn.modules.rnn")
                return f"torch.nn.modules.rnn.{kind}"
            case "modules_alias":
                self.use("from torch.nn.modules import rnn as rnn_mod")
                return f"rnn_mod.{kind}"
        return f"{self.nn}.{kind}"

    def header(self) -> str:
        """The import block; `from __future__` and the standard library first."""
        standard = [line for line in self.lines if "torch" not in line]
        rest = [line for line in self.lines if "torch" in line]
        return "\n".join(standard + ([""] if standard else []) + rest)


class Writer:
    """Everything a style needs to write one program."""

    def __init__(self, rng: Random, style: str, sizes: Sizes, mutation: str | None) -> None:
        self.rng = rng
        self.style = style
        self.sizes = sizes
        self.mutation = mutation
        self.imports = Imports(rng)
        self.kind = sizes.kind
        self.faulty_parts = rng.choices(("hc", "h", "c"), (80, 10, 10))[0]
        self.fixed_batch: int | None = None
        self.device = rng.random() < 0.22
        self._fresh: dict[str, int] = {}

    @property
    def torch(self) -> str:
        return self.imports.torch

    @property
    def nn(self) -> str:
        return self.imports.nn

    def pick(self, *options: T) -> T:
        """One of the options."""
        return self.rng.choice(options)

    def one_of(self, options: Sequence[T]) -> T:
        """One of a sequence."""
        return self.rng.choice(options)

    def chance(self, probability: float) -> bool:
        """True with that probability."""
        return self.rng.random() < probability

    def faulty(self, *names: str) -> bool:
        """Whether the mistake of this program is one of these."""
        return self.mutation in names

    def fresh(self, stem: str) -> str:
        """A variable name not handed out before."""
        self._fresh[stem] = count = self._fresh.get(stem, 0) + 1
        return stem if count == 1 else f"{stem}{count}"
