"""A recurrent layer's construction, in the ways people write it, wrong ones included."""

from tests.differential.config import TORCH_DEFAULTS, Config
from tests.differential.writer import Writer

BAD_VALUES = (
    ("dropout", "1.5"),
    ("dropout", "-0.1"),
    ("dropout", "2"),
    ("bias", "1"),
    ("bias", "None"),
    ("bias", '"True"'),
    ("batch_first", "1"),
    ("batch_first", '"true"'),
    ("num_layers", "0"),
    ("num_layers", "-1"),
    ("hidden_size", "0"),
    ("hidden_size", "-8"),
    ("hidden_size", "{hidden_size} / 2"),
    ("hidden_size", '"64"'),
    ("input_size", "0"),
    ("input_size", "1.5"),
    ("bidirectional", "2"),
    ("proj_size", "-1"),
    ("proj_size", "{hidden_size}"),
    ("proj_size", "{hidden_size} + 1"),
)
BAD_KEYWORDS = (
    "num_layer=2",
    "n_layers=2",
    "bidirection=True",
    "bi_directional=True",
    "batchfirst=True",
    "return_sequences=True",
    "activation='relu'",
    "drop_out=0.1",
    "output_size=3",
    "units=8",
    "hidden_dim=16",
    "recurrent_dropout=0.2",
)


def construction(w: Writer, cfg: Config, lines: list[str], faulty: bool = True) -> str:
    """The expression that builds cfg's layer; `faulty` lets it carry this program's constructor mistake."""
    values = {role: cfg.inner(role) for role in cfg.place if cfg.place[role] not in ("absent", "kwargs")}
    extra = _harmless(w)
    if faulty and w.faulty("ctor_value"):
        _spoil(w, cfg, values, extra)
    name = w.imports.layer(w.kind)
    if faulty and w.faulty("ctor_positional"):
        return f"{name}({_wrong_positionals(w, values)})"
    args = _arguments(w, values, extra)
    if cfg.flavour == "kwargs":
        args.append("**kwargs")
    if faulty and w.faulty("ctor_keyword"):
        wrong = w.one_of(BAD_KEYWORDS) if w.kind == "LSTM" or w.chance(0.8) else "proj_size=2"
        args.append(wrong)
    elif w.chance(0.06):
        return _with_options(w, name, args, lines)
    elif w.chance(0.05):
        return _all_positional(w.kind, name, values, extra) if cfg.flavour != "kwargs" else f"{name}({', '.join(args)})"
    return f"{name}({', '.join(args)})"


def _harmless(w: Writer) -> dict[str, str]:
    """Keywords that do not change a shape."""
    extra: dict[str, str] = {}
    if w.chance(0.15):
        extra["dropout"] = w.pick("0.1", "0.5", "0", "0.0", "0.25")
    if w.chance(0.06):
        extra["bias"] = w.pick("True", "False")
    if w.kind == "RNN" and w.chance(0.4):
        extra["nonlinearity"] = w.pick("'tanh'", "'relu'")
    return extra


def _spoil(w: Writer, cfg: Config, values: dict[str, str], extra: dict[str, str]) -> None:
    """Puts one value that torch rejects where cfg's own would be."""
    usable = [pair for pair in BAD_VALUES if pair[0] != "proj_size" or w.kind == "LSTM"]
    usable = [pair for pair in usable if cfg.place.get(pair[0]) != "kwargs"]
    role, text = w.one_of(usable)
    text = text.format(hidden_size=values["hidden_size"])
    (values if role in cfg.place else extra)[role] = text


def _arguments(w: Writer, values: dict[str, str], extra: dict[str, str]) -> list[str]:
    """Positional sizes first (or all keywords), then the keywords in some order."""
    style = w.one_of(["two"] * 6 + ["three"] * 3 + ["none"] * 4 + ["one"])
    positional = {"two": ["input_size", "hidden_size"], "one": ["input_size"], "none": []}.get(style)
    if positional is None:
        positional = ["input_size", "hidden_size"] + (["num_layers"] if "num_layers" in values else [])
    rest = [(role, text) for role, text in values.items() if role not in positional] + list(extra.items())
    if w.chance(0.4):
        w.rng.shuffle(rest)
    return [values[role] for role in positional] + [f"{role}={text}" for role, text in rest]


def _all_positional(kind: str, name: str, values: dict[str, str], extra: dict[str, str]) -> str:
    """LSTM(input, hidden, layers, bias, batch_first, dropout, bidirectional): the fourth is bias."""
    defaults = {role: repr(value) for role, value in TORCH_DEFAULTS.items()}
    full = {**defaults, "bias": "True", "dropout": "0.0", **extra, **values}
    order = ("input_size", "hidden_size", "num_layers", "bias", "batch_first", "dropout", "bidirectional")
    texts = [full[role] for role in order]
    if "nonlinearity" in extra:
        texts.insert(3, extra["nonlinearity"])
    elif kind == "RNN":
        texts.insert(3, "'tanh'")
    return f"{name}({', '.join(texts + ([full['proj_size']] if 'proj_size' in values else []))})"


def _wrong_positionals(w: Writer, values: dict[str, str]) -> str:
    """Too many positionals, a name given twice, or the layout confused with torch's."""
    sizes = [values["input_size"], values["hidden_size"]]
    layers = values.get("num_layers", "1")
    nonlinearity = ["'tanh'"] if w.kind == "RNN" else []
    last = [] if w.kind == "RNN" else ["None"]
    return w.pick(
        ", ".join([*sizes, layers, *nonlinearity, "True", "True", "0.0", "False", "0", "None", "None", *last, "True"]),
        ", ".join([*sizes, layers, *nonlinearity, "True", "False", "0.0", "False", "0", "None", "None", *last, "8", "8"]),
        ", ".join([*sizes, "hidden_size=" + sizes[1]]),
        ", ".join([sizes[0], sizes[1], layers, *nonlinearity, layers, "batch_first=True"]),
    )


def _with_options(w: Writer, name: str, args: list[str], lines: list[str]) -> str:
    """The keywords gathered in a dict and starred."""
    positional = [text for text in args if "=" not in text and not text.startswith("**")]
    keywords = [text for text in args if "=" in text and not text.startswith("**")]
    stars = [text for text in args if text.startswith("**")]
    if not keywords or any("(" in text for text in keywords):
        return f"{name}({', '.join(args)})"
    variable = w.fresh(w.pick("options", "rnn_kwargs", "params"))
    if w.chance(0.5):
        lines.append(f"{variable} = dict({', '.join(keywords)})")
    else:
        pairs = [text.split("=", 1) for text in keywords]
        lines.append(f"{variable} = {{" + ", ".join(f'"{key}": {value}' for key, value in pairs) + "}")
    return f"{name}({', '.join([*positional, f'**{variable}', *stars])})"
