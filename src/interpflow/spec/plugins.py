"""Tasks, analyses and plots: the file name is the registration."""

from __future__ import annotations

import importlib
import re
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
    """The names of all modules of `kind`, sorted."""
    folders = importlib.import_module(kind.package).__path__
    stems = {file.stem for folder in folders for file in Path(folder).glob("*.py")}
    return tuple(sorted(s for s in stems if re.fullmatch("[a-z][a-z0-9_]*", s) and s != "base"))


def load(kind: Kind, name: str) -> ModuleType:
    """The module `name` of `kind`.  Raises InterpflowError where there is none or it breaks the contract."""
    names = available(kind)
    if name not in names:
        raise InterpflowError(
            f"no {kind.noun} {describe(name)}; "
            f"the files in src/interpflow/{kind.folder}/ are: {way_out(name, names)}"
        )
    where = f"src/interpflow/{kind.folder}/{name}.py"
    try:
        module = importlib.import_module(f"{kind.package}.{name}")
    except (Exception, SystemExit) as error:  # whatever a stranger's file does on import
        raise InterpflowError(
            f"{where} cannot be imported: {type(error).__name__}: {error}"
        ) from error
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
