"""`list`: what there is for a spec to name, one line each."""

from __future__ import annotations

import argparse
import ast
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interpflow import methods
from interpflow.errors import InterpflowError
from interpflow.spec import plugins

_KINDS = {"tasks": plugins.TASK, "analyses": plugins.ANALYSIS, "plots": plugins.PLOT}


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("list", help="say what there is, one line each")
    parser.add_argument(
        "what",
        choices=[*_KINDS, "methods", "studies"],
        help="analyses are what `method` of a spec names; methods are what analyses are made of",
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Print the name of each and what it is; those of the project are marked."""
    if arguments.what == "studies":
        _print(_studies(), own=set())
        return
    files = plugins.files(_KINDS[arguments.what]) if arguments.what in _KINDS else _methods()
    own = {name for name, file in files.items() if plugins.is_own(file)}
    _print({name: summary(file) for name, file in files.items()}, own)
    if own:
        print(f"* in {arguments.what}/ of this project")


def _print(lines: Mapping[str, str], own: set[str]) -> None:
    width = max(map(len, lines))
    for name, text in sorted(lines.items()):
        print(f"{'*' if name in own else ' '} {name:{width}}  {text}")


def _studies() -> dict[str, str]:
    from interpflow.spec.yaml_text import read_spec_text
    from interpflow.workflow.specs_folder import spec_files

    def title(path: Path) -> str:
        try:
            return str(read_spec_text(path).content.get("title", ""))
        except InterpflowError:
            return f"(not in order: interpflow check {path})"

    return {path.stem: title(path) for path in spec_files()}


def _methods() -> dict[str, Path]:
    (folder,) = methods.__path__
    return {file.stem: file for file in Path(folder).glob("[a-z]*.py")}


def summary(file: Path) -> str:
    """The first paragraph of what the module says of itself; it is not imported."""
    try:
        told = ast.get_docstring(ast.parse(file.read_bytes(), filename=str(file)))
    except SyntaxError as error:
        return f"(not Python: line {error.lineno}: {error.msg})"
    return " ".join((told or "").split("\n\n")[0].split())
