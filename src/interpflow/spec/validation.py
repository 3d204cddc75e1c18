"""The errors of pydantic, in words for the person who wrote the spec."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import reduce
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel, ValidationError
from pydantic_core import ErrorDetails

from interpflow.nearest import did_you_mean, way_out
from interpflow.spec.problems import KeyPath, describe, parts
from interpflow.spec.wording import field_in_words

_EXPECTED = {
    "int_type": "a whole number",
    "float_type": "a number",
    "string_type": "text",
    "bool_type": "true or false",
    "none_required": "null",
    "tuple_type": "a list",
    "list_type": "a list",
    "dict_type": "a mapping",
    "model_type": "a mapping",
    "finite_number": "a finite number",
    "greater_than": "a number greater than {gt:g}",
    "greater_than_equal": "a number of at least {ge:g}",
    "less_than": "a number less than {lt:g}",
    "less_than_equal": "a number of at most {le:g}",
    "multiple_of": "a multiple of {multiple_of:g}",
    "string_too_short": "some text",
    "too_short": "a length of at least {min_length}",
    "too_long": "a length of at most {max_length}",
    "literal_error": "{expected}",
}
_YAML_1_1 = {"yes": "true", "on": "true", "no": "false", "off": "false"}


@dataclass(frozen=True)
class Complaint:
    """What is wrong under `key`.  A check across fields names the keys it is `about`."""

    key: KeyPath
    message: str
    about: tuple[KeyPath, ...] = ()


def complaints(error: ValidationError, model: type[BaseModel], content: Any) -> list[Complaint]:
    """The problems that validating `content` as `model` found."""
    by_key: dict[KeyPath, list[ErrorDetails]] = {}
    for detail in error.errors(include_url=False):
        by_key.setdefault(_key(detail, content), []).append(detail)
    # Of a union's members the one that the value got furthest into is the one that was meant.
    meant = [
        key for key in by_key if not any(other[: len(key)] == key != other for other in by_key)
    ]
    return list(dict.fromkeys(_complaint(key, by_key[key], model, content) for key in meant))


def section_at(kind: Any, key: KeyPath = ()) -> type[BaseModel] | None:
    """The model that describes what stands at `key` below a field of type `kind`, if one does."""
    for inner in _members(kind):
        if not key:
            if isinstance(inner, type) and issubclass(inner, BaseModel):
                return inner
        elif (found := section_at(_item(inner, key[0]), key[1:])) is not None:
            return found
    return None


def _members(kind: Any) -> Iterator[Any]:
    """The types that `kind` may be: itself, or the members of a union."""
    if get_origin(kind) is Annotated:
        yield from _members(get_args(kind)[0])
    elif get_origin(kind) in (Union, UnionType):
        for member in get_args(kind):
            yield from _members(member)
    else:
        yield kind


def _item(kind: Any, part: str | int) -> Any:
    """The type of the item `part` of a `kind`, None where that is not known."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        field = kind.model_fields.get(str(part))
        return field.annotation if field else None
    arguments = get_args(kind)
    if get_origin(kind) is dict:
        return arguments[1]
    return arguments[0] if get_origin(kind) in (list, tuple) else None


def _key(detail: ErrorDetails, content: Any) -> KeyPath:
    """Where in `content` an error is: pydantic also names the union members that it tried."""
    key: KeyPath = ()
    for part in detail["loc"]:
        if part in parts(content):
            content = content[part]
            key = (*key, part)
    return (*key, detail["loc"][-1]) if detail["type"] == "missing" else key


def _complaint(
    key: KeyPath, details: list[ErrorDetails], model: type[BaseModel], content: Any
) -> Complaint:
    detail = details[0]
    match detail["type"]:
        case "missing":
            return _missing(key, model, content)
        case "extra_forbidden":
            return _unknown(key, model)
        case "value_error" | "assertion_error":
            section = section_at(model, key)
            words = re.findall(r"\w+", message := str(detail["ctx"]["error"]))
            about = [(*key, word) for word in words if section and word in section.model_fields]
            return Complaint(key, message, tuple(dict.fromkeys(about)))
    found = detail["input"]
    phrases = (
        _EXPECTED[d["type"]].format(**d.get("ctx", {})) for d in details if d["type"] in _EXPECTED
    )
    expected = list(dict.fromkeys(phrases))
    if not expected:
        return Complaint(key, f"found {describe(found)}; {detail['msg']}")
    if "a number" in expected and "a whole number" in expected:
        expected.remove("a whole number")
    return Complaint(
        key, f"found {describe(found)}; expected {_either(expected)}{_hint(found, expected)}"
    )


def _either(phrases: list[str]) -> str:
    *first, last = phrases
    comma = "," if len(first) > 1 else ""
    return f"{', '.join(first)}{comma} or {last}" if first else last


def _missing(key: KeyPath, model: type[BaseModel], content: Any) -> Complaint:
    """A key that is not there, or that is there misspelt."""
    *above, name = key
    section = section_at(model, tuple(above))
    given = reduce(lambda value, part: value[part], above, content)
    strange = [word for word in given if section and word not in section.model_fields]
    for word in strange:
        if did_you_mean(word, [str(name)]):
            return _unknown((*above, word), model)
    takes = f"; it takes: {field_in_words(section.model_fields[str(name)])}" if section else ""
    return Complaint(key, f"not given{takes}")


def _unknown(key: KeyPath, model: type[BaseModel]) -> Complaint:
    section = section_at(model, key[:-1]) or BaseModel
    more = ["further options"] if section.model_config.get("extra") == "allow" else []
    return Complaint(
        key, f"no such key; allowed: {way_out(str(key[-1]), [*section.model_fields, *more])}"
    )


def _hint(found: Any, expected: list[str]) -> str:
    if not isinstance(found, str):
        return (
            " (put it in quotes)" if expected == ["text"] and isinstance(found, int | float) else ""
        )
    words = re.findall("'([^']*)'", " ".join(expected))
    if expected == ["true or false"]:
        return did_you_mean(_YAML_1_1.get(found.lower(), found), ["true", "false"])
    return did_you_mean(found, words)
