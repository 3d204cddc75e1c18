"""YAML text as plain Python, with the line of every key.

Only the plain part of YAML is read: mappings, lists, text, numbers, true, false and null, as YAML 1.2 and
JSON know them.  So `1e-3` is a number, and `no` and `on` are words.  Whatever could hide a mistake or a bomb
(duplicate keys, anchors, tags, merge keys, tabs, several documents) is an error.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import yaml

from interpflow.errors import InterpflowError
from interpflow.spec.merging import Layer, origin
from interpflow.spec.problems import KeyPath, Problems, describe

_LARGEST_FILE = 10_000_000  # bytes; a spec of 1,000 experiments has 0.1 million
_DEEPEST = 20  # levels
_LARGEST_INTEGER = 2**63 - 1  # what a dataset can hold

_CONSTANTS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_INTEGER = re.compile(r"[-+]?(0|[1-9][0-9]*)")
_REAL = re.compile(r"[-+]?(\.[0-9]+|[0-9]+\.[0-9]*|[0-9]+(?=[eE]))([eE][-+]?[0-9]+)?")
_NOT_FINITE = re.compile(r"[-+]?\.(inf|Inf|INF)|\.(nan|NaN|NAN)")
_NOT_TEXT = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
_CONTROL = "found the control character {!r}; a spec is plain text"
_OPEN_OR_UNEVEN = "look here and above for an open quote or bracket and for uneven indentation"
_INDENTING_TAB = re.compile(r"^ *\t", re.MULTILINE)


@dataclass(frozen=True)
class SpecText:
    """A file's content as plain Python, and the line where each key and list item stands.

    An entry of `content` (`analyses.climb`) may be merged from several places; `merged` then has them.
    """

    path: Path
    content: dict[str, Any]
    lines: dict[KeyPath, int]
    merged: Mapping[KeyPath, Sequence[Layer]] = field(default_factory=dict)

    def place(self, key: KeyPath) -> KeyPath:
        """The key in the file that gave `content` its value at `key`."""
        layers, inner = self.merged.get(key[:2]), key[2:]
        if layers is None:
            return key
        found = origin(layers, inner) if inner else None
        place = found[1] if found else (*layers[-1].at, *inner)
        return place if place == key else self.place(place)

    def borrowed(self, key: KeyPath) -> bool:
        """Whether another entry gave `content` its value at `key`."""
        layers, place = self.merged.get(key[:2]), self.place(key)
        return layers is not None and place[: len(layers[-1].at)] != layers[-1].at

    def line(self, key: KeyPath) -> int:
        """The line of `key`, or of the nearest key above it that is in the file."""
        key = self.place(key)
        while key and key not in self.lines:
            key = key[:-1]
        return self.lines[key]


def read_spec_text(path: Path) -> SpecText:
    """Read `path`.  Raises InterpflowError, naming line and key, where it is not a plain YAML mapping."""
    return parsed(_text(path, Problems(path)), path)


def parsed(text: str, path: Path) -> SpecText:
    """`text`, which stands at `path` or is to stand there; raises as `read_spec_text` does."""
    problems = Problems(path)
    reader = _Reader(text, problems)
    try:
        content = reader.document()
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None) or getattr(error, "context_mark", None)
        problem = getattr(error, "problem", None) or "it cannot be read"
        hint = (
            "text with ': ' inside needs quotes" if "mapping values" in problem else _OPEN_OR_UNEVEN
        )
        reader.refuse(mark.line + 1 if mark else 1, (), f"not valid YAML: {problem}; {hint}")
    problems.raise_if_any()
    return SpecText(path, content, reader.lines)


def _text(path: Path, problems: Problems) -> str:
    try:
        if path.stat().st_size > _LARGEST_FILE:
            raise InterpflowError(
                f"{path}: larger than {_LARGEST_FILE} bytes; a spec is a small file"
            )
        data = path.read_bytes()
    except OSError as error:
        raise InterpflowError(f"{path}: cannot be read: {error.strerror}") from None
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        found = data[error.start]
        problems.add(
            line, (), f"found byte 0x{found:02x}, which is not UTF-8; save the file as UTF-8"
        )
        problems.raise_if_any()
    for pattern, message in (
        (_NOT_TEXT, _CONTROL),
        (_INDENTING_TAB, "found a tab in the indentation; indent with spaces"),
    ):
        for match in pattern.finditer(text):
            problems.add(text.count("\n", 0, match.start()) + 1, (), message.format(match.group()))
    problems.raise_if_any()
    return text


class _Reader:
    """Builds values from the parser's events; the nesting is limited, so recursion is safe."""

    def __init__(self, text: str, problems: Problems):
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self._events: Iterator[Any] = yaml.parse(text, Loader=loader)
        self._problems = problems
        self.lines: dict[KeyPath, int] = {(): 1}

    def refuse(self, line: int, key: KeyPath, message: str) -> NoReturn:
        """Stop here: what follows cannot be read sensibly."""
        self._problems.add(line, key, message)
        self._problems.raise_if_any()
        raise AssertionError("raise_if_any raises what was just added")

    def document(self) -> dict[str, Any]:
        events = self._events
        next(events)  # the start of the stream
        if isinstance(next(events), yaml.StreamEndEvent):
            self.refuse(1, (), "the file is empty; a spec begins with `study: <name>`")
        first = next(events)
        content = self._value(first, ())
        if not isinstance(content, dict):
            line = first.start_mark.line + 1
            self.refuse(
                line, (), f"found {describe(content)}; a spec is a mapping of keys to values"
            )
        next(events)  # the end of the document
        after = next(events)
        if not isinstance(after, yaml.StreamEndEvent):
            line = after.start_mark.line + 1
            self.refuse(
                line, (), "found a second document; a spec is one document without `---` inside"
            )
        return content

    def _value(self, event: Any, at: KeyPath) -> Any:
        line = event.start_mark.line + 1
        if isinstance(event, yaml.AliasEvent):
            self.refuse(
                line, at, f"found the alias *{event.anchor}; write the value out, or quote the text"
            )
        if event.anchor is not None:
            self.refuse(
                line, at, f"found the anchor &{event.anchor}; write values out, or quote the text"
            )
        if event.tag is not None:
            tag = event.tag.replace("tag:yaml.org,2002:", "!!")
            self.refuse(line, at, f"found the tag {tag}; tags are not read, quote the text")
        if len(at) > _DEEPEST:
            self.refuse(line, at[:3], f"nested deeper than {_DEEPEST} levels")
        if isinstance(event, yaml.MappingStartEvent):
            return self._mapping(at)
        if isinstance(event, yaml.SequenceStartEvent):
            return self._sequence(at)
        return self._scalar(event, at)

    def _mapping(self, at: KeyPath) -> dict[str, Any]:
        mapping: dict[str, Any] = {}
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            line = event.start_mark.line + 1
            if isinstance(event, yaml.CollectionStartEvent):
                self.refuse(line, at, "found a list or mapping as a key; a key is text, quote it")
            key = self._value(event, at)
            if not isinstance(key, str):
                self.refuse(line, at, f"found {describe(key)} as a key; a key is text, quote it")
            here = (*at, key)
            if key == "<<":
                self.refuse(line, here, "merge keys are not read; write the values out")
            if key in mapping:
                first = self.lines[here]
                self._problems.add(line, here, f"the key stands here and in line {first}; keep one")
            self.lines.setdefault(here, line)
            mapping[key] = self._value(next(self._events), here)
        return mapping

    def _sequence(self, at: KeyPath) -> list[Any]:
        items: list[Any] = []
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            here = (*at, len(items))
            self.lines[here] = event.start_mark.line + 1
            items.append(self._value(event, here))
        return items

    def _scalar(self, event: Any, at: KeyPath) -> Any:
        text, plain = event.value, event.implicit[0]
        if not plain:
            if escaped := _NOT_TEXT.search(text):  # "\0", which a page or a table cannot hold
                self.refuse(event.start_mark.line + 1, at, _CONTROL.format(escaped.group()))
            return text
        if text in _CONSTANTS:
            return _CONSTANTS[text]
        line = event.start_mark.line + 1
        if _INTEGER.fullmatch(text):
            if len(text) > 20 or abs(int(text)) > _LARGEST_INTEGER:
                self.refuse(
                    line, at, f"found {text[:20]}...; whole numbers go up to {_LARGEST_INTEGER}"
                )
            return int(text)
        if _REAL.fullmatch(text):
            if math.isinf(float(text)):
                self.refuse(line, at, f"found {text[:20]}; numbers go up to 1.8e308")
            return float(text)
        if _NOT_FINITE.fullmatch(text):
            self.refuse(line, at, f"found {text}; numbers are finite")
        return text
