"""Which file a module is, as Python would find it: by names and folders alone, nothing is read or imported."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

MARKERS = (".git", "pyproject.toml", "setup.py", "setup.cfg")
"""A folder that holds one of these is the top of a project."""

HIGHEST = 6  # folders above a package that are looked at for a project's top


def module_file(stem: str) -> str | None:
    """The file of the module ``stem``, or the folder of a package that holds Python without an ``__init__.py``."""
    if os.path.isfile(stem + ".py"):
        return stem + ".py"
    package = os.path.join(stem, "__init__.py")
    if os.path.isfile(package):
        return package
    return stem if _holds_python(stem) else None


def _holds_python(folder: str, depth: int = 2) -> bool:
    """Whether there is Python in a folder or in those in it."""
    try:
        names = os.listdir(folder)
    except OSError:
        return False
    if any(name.endswith(".py") for name in names):
        return True
    return depth > 1 and any("." not in name and _holds_python(os.path.join(folder, name), depth - 1) for name in names)


def submodule(module: str, name: str) -> str | None:
    """The file of ``module.name``, if `module` is a package."""
    if module.endswith("__init__.py"):
        return module_file(os.path.join(os.path.dirname(module), name))
    return None if module.endswith(".py") else module_file(os.path.join(module, name))


def relative_module(importer: str, level: int, name: str) -> str | None:
    folder = os.path.dirname(importer)
    for _ in range(level - 1):
        folder = os.path.join(folder, os.pardir)
    folder = os.path.normpath(folder) if folder else os.curdir
    stem = os.path.join(folder, *name.split(".")) if name else folder
    found = module_file(stem)
    return None if found is None else os.path.normpath(found)


def is_script(importer: str) -> bool:
    """Whether the file's own folder comes first on Python's path: it is not part of a package."""
    return not os.path.isfile(os.path.join(os.path.dirname(importer), "__init__.py"))


def same_file(left: str, right: str) -> bool:
    return os.path.abspath(left) == os.path.abspath(right)


def roots(importer: str) -> Iterator[str]:
    """The folders that modules are looked for in: that of the outermost package, those above it, the file's own."""
    own = os.path.dirname(os.path.abspath(importer))
    folder = own
    while os.path.isfile(os.path.join(folder, "__init__.py")):
        folder = os.path.dirname(folder)
    shown = os.path.abspath if os.path.isabs(importer) else os.path.relpath
    for root in dict.fromkeys([*_up_to_top(folder), own]):
        for place in (root, os.path.join(root, "src")):
            if place == root or os.path.isdir(place):
                yield "" if shown(place) == os.curdir else shown(place)


def _up_to_top(folder: str) -> list[str]:
    """The folder and those above it up to the project's top; the folder alone if no top is found."""
    above = [folder]
    while len(above) <= HIGHEST:
        if above[-1] == os.getcwd() or any(os.path.exists(os.path.join(above[-1], marker)) for marker in MARKERS):
            return above
        above.append(os.path.dirname(above[-1]))
    return [folder]


def is_package(module: str) -> bool:
    return module.endswith("__init__.py") or not module.endswith(".py")


def submodules(package: str, names: Sequence[str]) -> Iterator[str]:
    """The files of ``package.a.b.c``, as far as these are modules."""
    for name in names:
        inner = submodule(package, name)
        if inner is None:
            return
        if inner.endswith(".py"):
            yield inner
        package = inner
