"""The file of a variant, written from `-S key=value`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.spec.document import RULES, checked_name
from interpflow.spec.problems import KeyPath, dotted, shorten
from interpflow.spec.spec_edit import flow
from interpflow.spec.variants import key_path, value_at
from interpflow.spec.yaml_text import SpecText, parsed

_LONGEST_LINE = 60  # characters; of a longer one the value alone is shown


def written(name: str, settings: Sequence[str], spec: SpecText) -> str:
    """The file of the variant `name` of `spec`, with the values of `settings`, such as "model.heads=2,4".

    Beside each value stands the line of the spec that it overrides.  Raises InterpflowError for a name that is
    taken, for what is no setting, and for a key that the spec cannot have.
    """
    _require_free(name, spec.path)
    single: dict[str, str] = {}
    several: dict[str, str] = {}
    given: dict[str, KeyPath] = {}
    for setting in settings:
        key, found, text = setting.partition("=")
        if not found:
            raise InterpflowError(f"-S {setting}: expected key=value, such as -S model.heads=2")
        place = key_path(key, spec.content)
        for other, there in given.items():
            if place == there[: len(place)] or there == place[: len(there)]:
                raise InterpflowError(f"-S {setting}: {other} gives {dotted(place)} too; keep one")
        given[key] = place
        number = len(values(text, setting))
        entry = single if number == 1 else several
        overridden = _overridden(key, spec)
        entry[key] = f"  {key}: {text if number == 1 else f'[{text}]'}  # {overridden}"
    words = " ".join(f"-S {shlex.quote(setting)}" for setting in settings)
    lines = [f"# interpflow run {spec.path.stem} {words} --as {name}", f"study: {spec.path.stem}"]
    for section, entries in (("set", single), ("sweep", several)):
        lines += [f"{section}:", *entries.values()] if entries else []
    return "\n".join(lines) + "\n"


def values(text: str, setting: str) -> list[Any]:
    """The values that stand in `text`, separated by commas; InterpflowError where there are none."""
    try:
        content = parsed(f"values: [{text}]", Path("-S")).content["values"]
    except InterpflowError as error:
        raise InterpflowError(f"-S {setting}: {str(error).splitlines()[0]}") from None
    if not content:
        raise InterpflowError(f"-S {setting}: no value; to take an option back give null")
    return list(content)


def _require_free(name: str, spec: Path) -> None:
    try:
        checked_name(name)
    except ValueError as error:
        raise InterpflowError(f"--as {name}: {error}") from None
    if name in RULES or (spec.parent / f"{name}.yaml").exists():
        kind = "a rule of the workflow" if name in RULES else "a study"
        raise InterpflowError(f"--as {name}: is the name of {kind}; give another")


def _overridden(key: str, spec: SpecText) -> str:
    """The line of the spec that gives `key` its value there."""
    path = key_path(key, spec.content)
    if path not in spec.lines:
        return f"{dotted(path)} is not in {spec.path}"
    line = spec.lines[path]
    text = spec.path.read_text(encoding="utf-8-sig").splitlines()[line - 1]
    if len(text.strip()) > _LONGEST_LINE:
        text = f"{path[-1]}: {flow(value_at(key, spec.content))}"
    return f"{spec.path}:{line}: {shorten(text.strip())}"
