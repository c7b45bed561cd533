"""The pinned corpus: which packages it holds and where each one is unpacked."""

import re
from dataclasses import dataclass
from pathlib import Path

import tomllib

HERE = Path(__file__).resolve().parent
PINS = HERE / "packages.toml"
CORPUS = HERE / ".corpus"
MARKER = ".fetched-sha256"
SAFE_NAME = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*")
SHA256 = re.compile(r"[0-9a-f]{64}")


class CorpusError(Exception):
    """The corpus, or its list of pins, cannot be used; the message is for the user."""


@dataclass(frozen=True)
class Package:
    """One pinned source distribution."""

    name: str
    version: str
    sha256: str

    @property
    def folder(self) -> Path:
        """Where the package is unpacked."""
        return CORPUS / f"{self.name}-{self.version}"

    @property
    def is_fetched(self) -> bool:
        """Whether the pinned archive, and no other, was unpacked to the end."""
        try:
            return (self.folder / MARKER).read_text(encoding="ascii").strip() == self.sha256
        except (OSError, UnicodeDecodeError):
            return False


def normalized(name: str) -> str:
    """A project name as package indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


def _package(entry: object) -> Package:
    match entry:
        case {"name": str(name), "version": str(version), "sha256": str(sha256)} if (
            SAFE_NAME.fullmatch(name) and SAFE_NAME.fullmatch(version) and SHA256.fullmatch(sha256)
        ):
            return Package(normalized(name), version, sha256)
    raise CorpusError(f"{PINS}: not a name, a version and a lower-case sha256: {entry!r}")


def load_pins(path: Path = PINS) -> list[Package]:
    """Every pinned package, in the file's order.

    Raises CorpusError if the file cannot be read or an entry is malformed.
    """
    try:
        data = tomllib.loads(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        raise CorpusError(f"cannot read {path}: {error}") from error
    match data:
        case {"package": [_, *_] as entries}:
            return [_package(entry) for entry in entries]
    raise CorpusError(f"{path}: no [[package]] in it")


def select(packages: list[Package], names: list[str]) -> list[Package]:
    """The packages of the given names; all of them if no name is given.

    Raises CorpusError for a name that is not pinned.
    """
    by_name = {package.name: package for package in packages}
    unknown = [name for name in names if normalized(name) not in by_name]
    if unknown:
        raise CorpusError(f"not in {PINS.name}: {', '.join(unknown)}; it has {', '.join(by_name)}")
    return [by_name[normalized(name)] for name in names] if names else packages
