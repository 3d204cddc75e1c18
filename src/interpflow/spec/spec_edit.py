"""Other values written into the text of a spec, with every comment and every other line as it was.

An edit is made where it is exact: of a value that stands in one line, or of a new key.  The edited text is read
again, and refused unless it says what was to be said.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from interpflow.errors import InterpflowError
from interpflow.spec.problems import dotted
from interpflow.spec.variants import changed, key_path
from interpflow.spec.yaml_text import parsed


def edited(text: str, path: Path, changes: Mapping[str, Any]) -> str:
    """The `text` of the spec at `path` with the values of `changes` at their keys.

    Raises InterpflowError where a value cannot be written exactly.
    """
    before = parsed(text, path).content
    for key, value in changes.items():
        place = [str(word) for word in key_path(key, parsed(text, path).content)]
        start, end, new = _edit(text, place, value)
        if "\n" in text[start:end]:
            line = text.count("\n", 0, start) + 1
            raise InterpflowError(
                f"{path}:{line}: {dotted(tuple(place))}: its value stands in several lines; write "
                f"{flow(value)} there by hand"
            )
        text = text[:start] + new + text[end:]
    try:
        right = parsed(text, path).content == changed(before, changes)
    except InterpflowError:
        right = False
    if not right:
        raise InterpflowError(
            f"{path}: {', '.join(changes)} cannot be written without touching other lines; edit it by hand"
        )
    return text


def _edit(text: str, place: Sequence[str], value: Any) -> tuple[int, int, str]:
    """Which part of `text`, from where to where, is replaced by what."""
    node: Any = yaml.compose(text, Loader=yaml.SafeLoader)
    for depth, word in enumerate(place):
        entries = {key.value: found for key, found in node.value}
        if word not in entries:
            return _insertion(text, node, word, _nested(place[depth + 1 :], value))
        node = entries[word]
        rest = place[depth + 1 :]
        if rest and not isinstance(node, yaml.MappingNode):  # `dyck1:` with nothing after it
            return _replacement(text, node, _nested(rest, value))
    return _replacement(text, node, value)


def _replacement(text: str, node: yaml.Node, value: Any) -> tuple[int, int, str]:
    start, end = node.start_mark.index, node.end_mark.index
    space = " " if text[start - 1] == ":" else ""
    return start, end, space + flow(value)


def _insertion(text: str, node: yaml.MappingNode, word: str, value: Any) -> tuple[int, int, str]:
    """A new key of the mapping `node`: last in brackets, else behind the last value of one line."""
    entry = f"{flow(word)}: {flow(value)}"
    if node.flow_style:
        at = node.value[-1][1].end_mark.index if node.value else node.end_mark.index - 1
        return at, at, f", {entry}" if node.value else entry
    indent = " " * node.value[0][0].start_mark.column
    in_one_line = [
        found.end_mark.index
        for _, found in node.value
        if "\n" not in text[found.start_mark.index : found.end_mark.index]
    ]
    if not in_one_line:
        at = node.value[0][0].start_mark.index
        return at, at, f"{entry}\n{indent}"
    at = text.find("\n", in_one_line[-1])
    at = len(text) if at < 0 else at
    return at, at, f"\n{indent}{entry}"


def _nested(words: Sequence[str], value: Any) -> Any:
    return {words[0]: _nested(words[1:], value)} if words else value


def flow(value: Any) -> str:
    """`value` in one line: plain words as they are, everything else as JSON, which YAML reads."""
    if isinstance(value, dict):
        return "{" + ", ".join(f"{flow(key)}: {flow(each)}" for key, each in value.items()) + "}"
    if isinstance(value, list):
        return "[" + ", ".join(map(flow, value)) + "]"
    if isinstance(value, str) and re.fullmatch("[A-Za-z_][A-Za-z0-9_]*", value):
        plain = parsed(f"x: {value}", Path("-S")).content["x"] == value
        return value if plain else json.dumps(value)
    return json.dumps(value, ensure_ascii=False)
