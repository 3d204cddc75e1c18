"""The line of a spec that gave a resolved option its value."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from interpflow.spec.problems import KeyPath, parts
from interpflow.spec.yaml_text import SpecText


def line_of(source: SpecText, scale: str, key: str, experiment: str = "") -> int | None:
    """The line of `key` (`training.learning_rate`), of one experiment or of all, at `scale`.

    `source` is a spec with every entry spelt out.  Of an entry that does not say the key the line is that of
    the entry; None where there is no such entry.
    """
    content = source.content
    named = [
        name
        for name in content.get("experiments", {})
        if experiment == name or experiment.startswith(f"{name}_")  # a point of its sweep
    ]
    for place in _places(scale, key, max(named, key=len, default="")):
        path, rest = _found(content, place)
        if not rest:
            return source.line(path)
    path, _ = _found(content, key)
    return source.line(path) if len(path) > 1 else None


def _places(scale: str, key: str, experiment: str) -> Iterator[str]:
    """Where the value of `key` may stand, the place that wins first."""
    if experiment:
        yield f"scales.{scale}.experiments.{experiment}.{key}"
    yield f"scales.{scale}.{key}"
    if experiment:
        yield f"experiments.{experiment}.{key}"
        yield f"experiments.{experiment}.sweep.{key}"
        section, _, rest = key.partition(".")
        name, _, option = rest.partition(".")
        yield f"{section}.{name}.experiments.{experiment}.{option}"
    yield f"defaults.{key}"
    yield key


def _found(content: Any, dotted: str) -> tuple[KeyPath, str]:
    """The path of `dotted` as far as `content` has it, and the rest; keys may hold dots themselves."""
    best: tuple[KeyPath, str] = ((), dotted)
    for key in map(str, parts(content)) if isinstance(content, dict) else ():
        if dotted == key:
            return (key,), ""
        if dotted.startswith(f"{key}."):
            inner, rest = _found(content[key], dotted[len(key) + 1 :])
            if len(rest) < len(best[1]):
                best = ((key, *inner), rest)
    return best
