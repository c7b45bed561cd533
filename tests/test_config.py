"""[tool.lstm-lint], and what the command line changes."""

from __future__ import annotations

from pathlib import Path

import pytest

from lstm_lint.config import ConfigError, Settings, describe, load, override
from lstm_lint.config_keys import KEYS
from lstm_lint.rules import RULES


def written(folder: Path, table: str, name: str = "pyproject.toml") -> Path:
    file = folder / name
    file.write_text(f"[tool.lstm-lint]\n{table}\n", encoding="utf-8")
    return file


def test_defaults_without_a_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    settings = load()
    assert settings == Settings(str(tmp_path))
    assert settings.codes == {code for code, rule in RULES.items() if rule.default}


def test_every_key(tmp_path: Path) -> None:
    file = written(
        tmp_path,
        """
select = ["LST1", "lst900"]
extend-select = ["LST203"]
ignore = ["LST102"]
exclude = ["old"]
extend-exclude = ["generated/*.py"]
force-exclude = true
respect-gitignore = false
confirm = "always"
torch-python = "env/bin/python"
cache = false
cache-dir = "./kept"
output-format = "concise"
[tool.lstm-lint.per-file-ignores]
"tests/*" = ["ALL"]
""",
    )
    settings = load(file=str(file))
    assert settings.select == ("LST1", "LST900")
    assert settings.extend_select == ("LST203",)
    assert settings.ignore == ("LST102",)
    assert settings.exclude == ("old",)
    assert settings.extend_exclude == ("generated/*.py",)
    assert settings.force_exclude and not settings.respect_gitignore and not settings.cache
    assert settings.confirm == "always"
    assert settings.torch_python == str(tmp_path / "env/bin/python")
    assert settings.cache_dir == str(tmp_path / "kept")
    assert settings.output_format == "concise"
    assert settings.per_file_ignores == (("tests/*", ("ALL",)),)
    assert {"LST101", "LST203", "LST900"} <= settings.codes
    assert not {"LST102", "LST201"} & settings.codes


def test_shown_settings_can_be_read_back(tmp_path: Path) -> None:
    settings = load(file=str(written(tmp_path, 'ignore = ["LST2"]\nexclude = ["a\\\\b", "c\\"d"]\nconfirm = "never"')))
    file = tmp_path / "again.toml"
    file.write_text("\n".join(describe(settings)), encoding="utf-8")
    again = load(file=str(file))
    assert again.codes == settings.codes
    assert (again.exclude, again.confirm) == (settings.exclude, "never")


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ("selct = []", "[tool.lstm-lint] has no key 'selct'; did you mean 'select'?"),
        ("fixable = []", "[tool.lstm-lint] has no key 'fixable'"),
        ('select = "LST1"', "select: expected a list of strings, not 'LST1'"),
        ("select = [1]", "select: expected a list of strings, not [1]"),
        ('select = ["LST111"]', "select: unknown code 'LST111'; did you mean 'LST101'?"),
        ('ignore = ["E501"]', "ignore: unknown code 'E501'"),
        ('ignore = ["state-layers"]', "ignore: rules are selected by code: write LST101 for 'state-layers'"),
        ('confirm = "alway"', "confirm: expected one of auto, always, never, not 'alway'; did you mean 'always'?"),
        ("confirm = true", "confirm: expected one of auto, always, never, not true"),
        ('force-exclude = "yes"', "force-exclude: expected true or false, not 'yes'"),
        ("torch-python = 3", "torch-python: expected a string, not 3"),
        ("per-file-ignores = []", "per-file-ignores: expected a table of pattern = [codes], not []"),
        ("select = [", "it is not valid TOML: "),
    ],
)
def test_what_cannot_be_used(tmp_path: Path, table: str, message: str) -> None:
    file = written(tmp_path, table)
    with pytest.raises(ConfigError) as raised:
        load([str(tmp_path)])
    assert str(raised.value).startswith(f"{file}: ")
    assert message in str(raised.value)


def test_a_file_that_is_named_must_have_the_table(tmp_path: Path) -> None:
    (tmp_path / "other.toml").write_text("[tool.black]\n", encoding="utf-8")
    with pytest.raises(ConfigError, match="there is no table"):
        load(file=str(tmp_path / "other.toml"))
    with pytest.raises(ConfigError, match="no such file"):
        load(file=str(tmp_path / "missing.toml"))


def test_the_nearest_file_with_the_table_counts(tmp_path: Path) -> None:
    written(tmp_path, 'confirm = "never"')
    inner = tmp_path / "package" / "inner"
    inner.mkdir(parents=True)
    (tmp_path / "package" / "pyproject.toml").write_text("[project]\nname = 'x'\n", encoding="utf-8")
    assert load([str(inner)]).confirm == "never"
    assert load([str(inner)]).root == str(tmp_path)
    assert load([str(inner / "not_there.py")]).confirm == "never"
    assert load([str(inner)], isolated=True).confirm == "auto"
    written(inner, 'confirm = "always"')
    assert load([str(inner)]).confirm == "always"
    assert load([str(inner), str(tmp_path)]).confirm == "never"


def test_a_broken_file_that_does_not_speak_of_us_is_not_our_affair(tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text("[tool.black\n", encoding="utf-8")
    assert load([str(tmp_path)]).file is None


def selected(settings: Settings, **options: object) -> frozenset[str]:
    return override(settings, options).codes


def test_the_command_line_has_the_last_word(tmp_path: Path) -> None:
    settings = load(file=str(written(tmp_path, 'ignore = ["LST101", "LST900"]\nextend-select = ["LST901"]')))
    assert "LST101" not in settings.codes
    assert selected(settings, select=["LST101"]) == {"LST101"}
    assert "LST101" in selected(settings, extend_select=["LST101"])
    assert "LST102" not in selected(settings, ignore=["LST102"])
    assert "LST101" not in selected(settings, ignore=["LST102"])


def test_the_longer_prefix_wins(tmp_path: Path) -> None:
    settings = Settings(str(tmp_path))
    assert selected(settings, select=["LST1"], ignore=["LST101"]) == {c for c in RULES if c.startswith("LST1")} - {"LST101"}
    assert selected(settings, select=["LST101"], ignore=["LST1"]) == {"LST101"}
    assert selected(settings, select=["LST101"], ignore=["LST101"]) == frozenset()
    assert selected(settings, select=["ALL"]) == frozenset(RULES)
    assert selected(settings, ignore=["ALL"]) == frozenset()


def test_an_option_that_cannot_be_used_is_named(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"^--extend-select: unknown code 'LST9999'"):
        override(Settings(str(tmp_path)), {"extend_select": ["LST9999"]})


def test_per_file_ignores(tmp_path: Path) -> None:
    settings = load(file=str(written(tmp_path, 'per-file-ignores = { "tests/" = ["LST1"], "*_pb2.py" = ["ALL"] }')))
    assert settings.codes_at(str(tmp_path / "model.py")) == settings.codes
    assert settings.codes_at(str(tmp_path / "tests" / "model.py")) == {c for c in settings.codes if not c.startswith("LST1")}
    assert settings.codes_at(str(tmp_path / "deep" / "a_pb2.py")) == frozenset()


def test_every_key_is_a_field() -> None:
    assert {key.replace("-", "_") for key in KEYS} == set(Settings.__dataclass_fields__) - {"root", "file"}
