"""Runs scripts that need torch, each in a process of its own that has torch already: a program, not a test.

Reads a JSON list of [folder, path or module, is a module] from standard input, and writes one of null or the error's text.
"""

from __future__ import annotations

import json
import os
import runpy
import sys

import torch


def outcome(folder: str, target: str, is_module: bool) -> str | None:
    """What the script raises, None if it ends well; run in this process."""
    path = os.path.join(folder, target)
    top = folder if is_module else os.path.dirname(path)
    sys.path[0:1] = [*{top: None, folder: None, os.path.join(folder, "src"): None}]
    os.chdir(folder)
    torch.manual_seed(0)
    try:
        if is_module:
            runpy.run_module(target, run_name="__main__")
        elif path.endswith(".ipynb"):
            with open(path, encoding="utf-8") as notebook:
                cells = json.load(notebook)["cells"]
            exec("\n".join("".join(cell["source"]) for cell in cells if cell["cell_type"] == "code"), {"__name__": "__main__"})
        else:
            runpy.run_path(path, run_name="__main__")
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None


def in_a_child(folder: str, target: str, is_module: bool) -> str | None:
    """The outcome in a forked process; torch is loaded once."""
    reader, writer = os.pipe()
    child = os.fork()
    if child == 0:
        os.close(reader)
        os.write(writer, json.dumps(outcome(folder, target, is_module)).encode())
        os._exit(0)
    os.close(writer)
    with os.fdopen(reader, "rb") as stream:
        answer = stream.read()
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return json.loads(answer) if answer else f"the process ended with {status}"  # type: ignore[no-any-return]


if __name__ == "__main__":
    torch.set_num_threads(1)
    json.dump([in_a_child(*work) for work in json.load(sys.stdin)], sys.stdout)
