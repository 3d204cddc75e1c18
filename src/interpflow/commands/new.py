"""`new`: a folder for studies of one's own."""

from __future__ import annotations

import argparse
import contextlib
import os
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from interpflow.errors import InterpflowError

_PROJECT = Path(__file__).parents[1] / "project"  # the folder as it begins
_NAME = "[A-Za-z0-9][A-Za-z0-9._-]*"


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("new", help="make a folder for studies of your own")
    parser.add_argument("folder", metavar="NAME", type=Path)
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Write the folder, whole or not at all, and say what comes next."""
    folder: Path = arguments.folder
    _require_name(folder.name)
    if os.path.lexists(folder) and not (folder.is_dir() and not any(folder.iterdir())):
        raise InterpflowError(f"{folder}: is there already, and not empty; give another name")
    if not folder.parent.is_dir():
        raise InterpflowError(f"{folder}: there is no folder {folder.parent}")
    unfinished = folder.with_name(f".{folder.name}.{os.getpid()}.part")
    try:
        _write(unfinished, folder.name)
        unfinished.rename(folder)
    except OSError as error:
        raise InterpflowError(f"{folder}: cannot be written: {error.strerror}") from error
    finally:
        shutil.rmtree(unfinished, ignore_errors=True)
    print(
        f"{folder}: made.  Write its first study as {folder}/specs/<study>.yaml, step by step in\n"
        f"{folder}/docs/write-your-own-study.md; then\n\n"
        f"    cd {folder}\n    interpflow check\n    interpflow run"
    )


def _require_name(name: str) -> None:
    if re.fullmatch(_NAME, name):
        return
    nearest = re.sub("[^A-Za-z0-9._]+", "-", name).strip("-._")
    raise InterpflowError(
        f"{name!r} is no name for a folder of studies: letters, digits and . _ - after a letter or digit"
        + (f"; did you mean '{nearest}'?" if nearest else "")
    )


def _write(folder: Path, name: str) -> None:
    from interpflow.spec.field_reference import reference
    from interpflow.spec.schema import written

    for path in _files():
        target = folder / path
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(_PROJECT / path, target)
        if os.access(_PROJECT / path, os.X_OK):
            target.chmod(0o755)
    readme = folder / "README.md"
    readme.write_text(readme.read_text(encoding="utf-8").format(name=name), encoding="utf-8")
    specs = folder / "specs"
    specs.mkdir()
    with contextlib.chdir(folder):  # no plugins but those of the package
        texts = {"README.md": reference(), "schema.json": written()}
    for file, text in texts.items():
        (specs / file).write_text(text, encoding="utf-8")


def _files() -> Iterator[Path]:
    """The files of a project as it begins, from its folder."""
    for folder, _, names in os.walk(_PROJECT, followlinks=True):
        yield from (Path(folder, name).relative_to(_PROJECT) for name in names)
