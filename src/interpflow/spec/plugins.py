"""Tasks, analyses and plots: the file name is the registration.

Those of the project stand in folders beside specs/, in the current folder; the others in the package.
"""

from __future__ import annotations

import functools
import importlib
import os
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.section import Section
from interpflow.spec.problems import describe


@dataclass(frozen=True)
class Kind:
    """One of the three folders, and what each file in it defines beside `Options`."""

    noun: str
    folder: str
    defines: tuple[str, ...]
    spec_keys: tuple[str, ...]  # taken in the spec, so no option may be called so

    @property
    def package(self) -> str:
        """The package of the modules."""
        return f"interpflow.{self.folder}"


TASK = Kind("task", "tasks", ("VARIABLES", "generate"), ("name",))
ANALYSIS = Kind(
    "analysis",
    "analyses",
    ("VARIABLES", "NEEDS", "analyse"),
    ("method", "experiments", "data", "like"),
)
PLOT = Kind("plot", "plots", ("plot",), ("plot", "data", "caption", "panel", "like"))


def available(kind: Kind) -> tuple[str, ...]:
    """The names of all modules of `kind`, those of the project and those of the package, sorted."""
    return tuple(sorted(files(kind)))


def files(kind: Kind) -> dict[str, Path]:
    """The file of each module of `kind` by name: those beside specs/ first, then the package's.

    Raises InterpflowError for a file of the project that is called as one of the package.
    """
    package = importlib.import_module(kind.package)
    _look_beside_specs(package, kind)
    there = tuple((folder, tuple(sorted(os.listdir(folder)))) for folder in package.__path__)
    return _files(kind, Path.cwd(), there)


@functools.lru_cache(maxsize=8)  # a spec of a hundred analyses asks for each of them several times
def _files(
    kind: Kind, project: Path, there: tuple[tuple[str, tuple[str, ...]], ...]
) -> dict[str, Path]:
    found: dict[str, Path] = {}
    for folder, names in there:
        for file in (Path(folder, name) for name in names if name.endswith(".py")):
            first = found.setdefault(file.stem, file)
            if first is not file and is_own(first) and file.stem != "__init__":
                raise InterpflowError(
                    f"{_shown(first)}: interpflow has a {kind.folder}/{file.name} too, and a name stands for "
                    "one file: rename this one, and what specs call it"
                )
    return {s: f for s, f in found.items() if re.fullmatch("[a-z][a-z0-9_]*", s) and s != "base"}


def companion(kind: Kind, stem: str) -> str | None:
    """The module of the file `stem`, which is no plugin, in the folders of `kind`; None where there is none."""
    package = importlib.import_module(kind.package)
    _look_beside_specs(package, kind)
    there = any(Path(folder, f"{stem}.py").is_file() for folder in package.__path__)
    return f"{kind.package}.{stem}" if there else None


def look_beside_specs() -> None:
    """Let the modules of the project be imported, in a process that works out no plan."""
    for kind in (TASK, ANALYSIS, PLOT):
        _look_beside_specs(importlib.import_module(kind.package), kind)


def is_own(file: Path) -> bool:
    """Whether the file of a module stands beside specs/."""
    return file.parent.parent == Path.cwd()


def _look_beside_specs(package: ModuleType, kind: Kind) -> None:
    """Let modules of `kind` be found in the folder beside specs/ too, and import what stands beside specs/."""
    project = Path.cwd()
    folder = str(project / kind.folder)
    others = [path for path in package.__path__ if path not in _looked_in]
    own = [folder] if Path(folder).is_dir() and folder not in others else []
    package.__path__[:] = own + others
    if own and folder not in _looked_in:
        _looked_in.add(folder)
        importlib.invalidate_caches()
        sys.path.append(str(project))


_looked_in: set[str] = set()  # folders of projects


def load(kind: Kind, name: str) -> ModuleType:
    """The module `name` of `kind`.  Raises InterpflowError where there is none or it breaks the contract."""
    known = files(kind)
    if name not in known:
        raise InterpflowError(
            f"no {kind.noun} {describe(name)} in {kind.folder}/, of the project or of interpflow; "
            f"there are: {way_out(name, sorted(known))}"
        )
    return _module(kind, name, known[name], Path.cwd())


@functools.cache
def _module(kind: Kind, name: str, file: Path, project: Path) -> ModuleType:
    where = _shown(file)
    try:
        module = importlib.import_module(f"{kind.package}.{name}")
    except (Exception, SystemExit) as error:  # whatever a stranger's file does on import
        raise InterpflowError(
            f"{where} cannot be imported: {type(error).__name__}: {error}"
        ) from error
    if file.resolve() != Path(str(module.__file__)).resolve():
        raise InterpflowError(
            f"{where}: this process has {module.__file__} under that name; start another for this project"
        )
    lacking = [word for word in ("Options", *kind.defines) if not hasattr(module, word)]
    if lacking:
        raise InterpflowError(f"{where} does not define {' and '.join(lacking)}")
    options: Any = module.Options
    if not (isinstance(options, type) and issubclass(options, Section)):
        raise InterpflowError(f"{where}: Options is not a Section (from interpflow.section)")
    taken = [field for field in options.model_fields if field in kind.spec_keys]
    if taken:
        raise InterpflowError(
            f"{where}: an option may not be called {taken[0]}; the spec uses that key"
        )
    return module


def _shown(file: Path) -> str:
    """The path of a file as one would type it here."""
    return str(file.relative_to(Path.cwd()) if file.is_relative_to(Path.cwd()) else file)
