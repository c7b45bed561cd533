"""Fetch the pinned corpus: download each source distribution, verify it, unpack it.

    python benchmarks/fetch.py [--package NAME ...]

Packages are only unpacked: never built, installed, imported or run. `pip download` builds a source
distribution's metadata, which runs its code, so `unearth` (the downloader of PDM) does the download.
It uses the index that pip is configured with, or else its default.

Exit code 0: everything is there. 1: some package could not be had. 2: wrong use, or a tool is missing.
"""

import argparse
import hashlib
import importlib.util
import json
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

from corpus import CORPUS, MARKER, CorpusError, Package, load_pins, select

# Every pin allows this Python. Files are only read, so the Python that runs this script is of no account.
TARGET_PYTHON = "3.12"
DOWNLOAD_SECONDS = 900
HASH_CHUNK = 1 << 20


class FetchError(Exception):
    """One package could not be fetched; the message is for the user."""


def downloader() -> list[str]:
    """The command that starts unearth. Raises CorpusError if it is not installed."""
    if importlib.util.find_spec("unearth") is not None:
        return [sys.executable, "-m", "unearth"]
    if found := shutil.which("unearth"):
        return [found]
    raise CorpusError("unearth is not installed: python -m pip install -r benchmarks/requirements.txt")


def index_options() -> list[str]:
    """Options that point unearth at pip's index; none if pip has no index configured."""
    url = os.environ.get("PIP_INDEX_URL", "")
    if not url:
        command = [sys.executable, "-m", "pip", "config", "get", "global.index-url"]
        answer = subprocess.run(command, capture_output=True, text=True, check=False)
        url = answer.stdout.strip() if answer.returncode == 0 else ""
    return ["--index-url", url] if url else []


def download(package: Package, command: list[str], folder: Path) -> Path:
    """The path of the downloaded archive, not yet verified. Raises FetchError."""
    requirement = f"{package.name}==={package.version}"
    options = ["--no-binary", "--python-version", TARGET_PYTHON, "--download", str(folder)]
    try:
        answer = subprocess.run(
            [*command, *options, requirement],
            capture_output=True,
            text=True,
            timeout=DOWNLOAD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise FetchError(f"no answer within {DOWNLOAD_SECONDS} s") from error
    if answer.returncode != 0:
        lines = answer.stderr.strip().splitlines() or [f"unearth ended with {answer.returncode}"]
        raise FetchError(f"download failed: {lines[-1]}")
    try:
        return Path(json.loads(answer.stdout)["local_path"])
    except (ValueError, KeyError, TypeError) as error:
        raise FetchError("unearth's answer names no downloaded file") from error


def verify(archive: Path, package: Package) -> None:
    """Raise FetchError unless the archive's SHA-256 is the pinned one."""
    digest = hashlib.sha256()
    with archive.open("rb") as stream:
        while chunk := stream.read(HASH_CHUNK):
            digest.update(chunk)
    if digest.hexdigest() != package.sha256:
        raise FetchError(f"sha256 is {digest.hexdigest()}, pinned is {package.sha256}: not unpacked")


def unpack(archive: Path, package: Package, scratch: Path) -> None:
    """Unpack a verified archive as data; the package's folder appears whole or not at all.

    Raises FetchError if it is no tar archive, or if a member would leave the folder.
    """
    unpacked = scratch / "unpacked"
    try:
        with tarfile.open(archive) as tar:
            tar.extractall(unpacked, filter="data")
    except (tarfile.TarError, EOFError) as error:
        reason = str(error).partition("\n")[0]
        raise FetchError(f"cannot be unpacked safely: {reason}") from error
    (unpacked / MARKER).write_text(package.sha256 + "\n", encoding="ascii")
    shutil.rmtree(package.folder, ignore_errors=True)
    unpacked.rename(package.folder)


def fetch(package: Package, command: list[str]) -> None:
    """Download, verify and unpack one package. Raises FetchError or OSError."""
    with tempfile.TemporaryDirectory(dir=CORPUS, prefix=".fetching-") as scratch:
        archive = download(package, command, Path(scratch) / "archive")
        verify(archive, package)
        unpack(archive, package, Path(scratch))


def fetch_all(packages: list[Package]) -> int:
    """Fetch what is not there yet, saying so line by line; returns how many failed."""
    missing = [package for package in packages if not package.is_fetched]
    print(f"packages: {len(packages)}, of which already there: {len(packages) - len(missing)}")
    if not missing:
        return 0
    command = [*downloader(), *index_options()]
    CORPUS.mkdir(parents=True, exist_ok=True)
    failures = 0
    for package in missing:
        label = f"{package.name} {package.version}"
        try:
            fetch(package, command)
        except (FetchError, OSError) as error:
            failures += 1
            print(f"{label}: {error}", file=sys.stderr)
        else:
            print(f"{label}: fetched", flush=True)
    return failures


def parse_arguments() -> argparse.Namespace:
    """The command line."""
    parser = argparse.ArgumentParser(description="Fetch the pinned packages into benchmarks/.corpus/.")
    parser.add_argument("--package", action="append", default=[], metavar="NAME", help="only this one (repeatable)")
    return parser.parse_args()


def main() -> int:
    """Fetch as asked on the command line; returns the exit code."""
    names = parse_arguments().package
    if not hasattr(tarfile, "data_filter"):
        print("this Python's tarfile has no 'data' filter; use a newer patch release", file=sys.stderr)
        return 2
    try:
        failures = fetch_all(select(load_pins(), names))
    except (CorpusError, OSError) as error:
        print(error, file=sys.stderr)
        return 2
    if failures:
        print(f"packages missing: {failures}; run again to retry", file=sys.stderr)
        return 1
    print(f"the corpus is complete: {CORPUS}" if not names else "done")
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main())
    except KeyboardInterrupt:
        sys.exit("interrupted; run again to go on")
