"""Tables of the names that a spec can use: of a task's variables, and of an analysis's findings."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from types import ModuleType
from typing import Any

from pydantic import ValidationError

from interpflow import selection
from interpflow.nearest import listed
from interpflow.spec.foresight import few
from interpflow.tasks.base import make_dataset
from interpflow.variables import TOKENS, Variable

_MOST = 24  # words of a vocabulary that are shown


def of_analysis(module: ModuleType) -> str:
    """The variables that an analysis finds, and the coordinates that a `select` can name."""
    table: Mapping[str, Variable] = module.VARIABLES
    dims = dict.fromkeys(dim for variable in table.values() for dim in variable.dims)
    named = ", ".join(f"`{dim}`" for dim in ("experiment", *dims))
    more = (
        " Variables of the task that it hands on come beside these."
        if hasattr(module, "variables")
        else ""
    )
    return f"It finds, along {named} and what experiments sweep:{more}\n\n{_table(table)}"


def of_task(module: ModuleType) -> str:
    """The variables of a task, and with its default options also its splits, positions and words."""
    table = {**TOKENS, **module.VARIABLES}
    found = f"Its variables:\n\n{_table(table)}"
    try:
        data = make_dataset(module, few(module.Options(), 8))
    except ValidationError:  # an option has no default
        return found
    words = {
        "splits": dict.fromkeys(data["split"].values.tolist()),
        "names of positions": selection.position_names(data),
        "tokens": data["token"].values.tolist(),
        "outputs": data["output"].values.tolist(),
    }
    lines = [f"- {noun}: {_code(each)}" for noun, each in words.items()]
    return f"{found}\nBy default it has\n\n" + "\n".join(lines) + "\n"


def _code(words: Iterable[Any]) -> str:
    return listed((f"`{str(word).replace('|', chr(92) + '|')}`" for word in words), _MOST)


def _table(table: Mapping[str, Variable]) -> str:
    rows = [
        f"| `{name}` | {', '.join(each.dims) or 'none'} | {each.units} | {each.long_name} |"
        for name, each in table.items()
    ]
    head = ["| variable | dims | units | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([*head, *rows, ""])
