"""An entry of a spec as few lines of YAML."""

from __future__ import annotations

import copy
import functools
import textwrap
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

MOST = 20  # lines
_WIDTH = 108  # characters of a line; of text that is wrapped anyway fewer
_TEXT = 92


@dataclass(frozen=True)
class Block:
    """An entry of a spec in at most `MOST` lines; `cut` is how many more the whole has."""

    options: dict[str, Any]
    cut: int

    def text(self, section: str, name: str) -> str:
        """The block as it stands in a spec."""
        return "\n".join([f"{section}:", *_lines(name, self.options, "  ")]) + "\n"


def block(options: Mapping[str, Any]) -> Block:
    """The entry with `options`: whole, or with the first sentence of its caption, or with fewer entries too.

    Options that are null take back what another entry has; in a block that stands alone they say nothing.
    """
    whole = {key: value for key, value in options.items() if key != "like" and value is not None}
    if _length(whole) <= MOST:
        return Block(whole, 0)
    kept = copy.deepcopy(whole)
    kept["caption"] = whole["caption"].partition(". ")[0].removesuffix(".") + "."
    if _length(kept) <= MOST:
        return Block(kept, 0)
    while _length(kept) > MOST and _drop_last(kept):
        pass
    return Block(kept, _length(whole) - _length(kept))


def _length(options: Mapping[str, Any]) -> int:
    return len(_lines("x", options, "  ")) + 1


def _drop_last(options: dict[str, Any]) -> bool:
    """Take out the last entry of the option that has the most lines; False where none has two in several.

    An entry, such as a panel or a line of one, goes as a whole: without a part it would show something else.
    """
    lines = {key: len(_lines(key, value, "")) for key, value in options.items()}
    for key in sorted(lines, key=lines.__getitem__, reverse=True):
        entries = options[key]
        if lines[key] == 1 or not isinstance(entries, dict):
            continue
        last = entries[[*entries][-1]]
        while isinstance(last, dict) and len(last) > 1 and all(map(_is_mapping, last.values())):
            entries, last = last, last[[*last][-1]]
        if len(entries) > 1:
            del entries[[*entries][-1]]
            return True
    return False


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


def _lines(key: str, value: Any, indent: str) -> list[str]:
    """`key: value` in one line where it fits, else an entry a line."""
    name, one = _flow(key), f"{indent}{_flow(key)}: {_flow(value)}"
    inner = indent + "  "
    if isinstance(value, dict) and value and (indent == "  " or len(one) > _WIDTH):
        return [f"{indent}{name}:", *_nested(value, inner)]
    if isinstance(value, list) and len(one) > _WIDTH:
        return [f"{indent}{name}:", *(f"{inner}- {_flow(each)}" for each in value)]
    if isinstance(value, str):
        one = f"{indent}{name}: {_scalar(value, inside=False)}"
        if len(one) > _WIDTH and " ".join(value.split()) == value:
            wrapped = textwrap.wrap(value, _TEXT - len(inner), break_on_hyphens=False)
            return [f"{indent}{name}: >-", *(inner + line for line in wrapped)]
    return [one]


def _nested(value: Mapping[str, Any], indent: str) -> Iterator[str]:
    for key, each in value.items():
        yield from _lines(key, each, indent)


def _flow(value: Any) -> str:
    """`value` in one line, as it may stand within brackets."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_flow(key)}: {_flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(_flow, value)) + "]"
    return _scalar(value, inside=True)


# PyYAML is slow, and lines are tried again and again; true and 1 are one key without `typed`.
@functools.lru_cache(maxsize=None, typed=True)
def _scalar(value: Any, inside: bool) -> str:
    """A word or a number as it stands in a spec; `inside` brackets commas have to be quoted."""
    text = yaml.safe_dump(
        [value] if inside else value, default_flow_style=inside, width=10_000, allow_unicode=True
    )
    return text.strip()[1:-1] if inside else text.removesuffix("...\n").strip()
