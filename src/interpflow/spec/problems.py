"""What is wrong with a spec, collected so that one look shows all of it."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Iterator
from pathlib import Path
from typing import Any

from interpflow.errors import InterpflowError

KeyPath = tuple[str | int, ...]  # ("analyses", "circuits", "experiments", 0)

_SHOWN = 20  # problems in one message
_LONGEST_VALUE = 60  # characters of a found value


class Problems:
    """The problems of the file `path`, each said once, in line order."""

    def __init__(self, path: Path):
        self.path = path
        self._messages: dict[str, tuple[int, str]] = {}

    def add(self, line: int, key: KeyPath, message: str, aside: str = "") -> None:
        """Note that at `line`, under `key`, `message`; of asides to one message the first is kept."""
        where = f"{self.path}:{line}: {dotted(key)}: " if key else f"{self.path}:{line}: "
        self._messages.setdefault(where + message, (line, aside))

    def __len__(self) -> int:
        return len(self._messages)

    def raise_if_any(self) -> None:
        """Raise InterpflowError with every problem on its own line."""
        in_order = sorted(self._messages.items(), key=lambda noted: noted[1][0])
        found = [message + aside for message, (_, aside) in in_order]
        if len(found) > _SHOWN:
            found[_SHOWN:] = [f"{self.path}: and {len(found) - _SHOWN} more problems"]
        if found:
            raise InterpflowError("\n".join(found))


def parts(content: Any) -> Collection[str | int]:
    """What a key path can go on with: the keys of a mapping, the numbers of a list's items."""
    if isinstance(content, dict):
        return content.keys()
    return range(len(content)) if isinstance(content, list) else ()


def dotted(key: KeyPath) -> str:
    """`analyses.circuits.experiments.0`; parts that are no plain words are quoted and cut."""

    def words() -> Iterator[str]:
        for part in key:
            word = str(part)
            yield word if re.fullmatch(r"\w{1,128}", word, re.ASCII) else shorten(json.dumps(word))

    return ".".join(words())


def shorten(text: str) -> str:
    """`text`, cut in its middle where it is too long for a message."""
    half = _LONGEST_VALUE // 2
    return text if len(text) <= _LONGEST_VALUE else f"{text[:half]}...{text[-half:]}"


def describe(value: Any) -> str:
    """`value` as a person would name it, on one line: 'abc', 3.0, true, nothing, a list, a mapping."""
    match value:
        case None:
            return "nothing"
        case bool():
            return str(value).lower()
        case dict():
            return shorten(f"a mapping {value!r}")
        case list() | tuple():
            return shorten(f"a list {list(value)!r}")
        case _:
            return shorten(repr(value))
