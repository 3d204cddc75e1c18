"""What an option takes, in words."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from interpflow.section import Names

_NOUNS = {
    str: "text",
    bool: "true or false",
    int: "whole number",
    float: "number",
    type(None): "null",
}
_BOUNDS = {
    "gt": "> {}",
    "ge": ">= {}",
    "lt": "< {}",
    "le": "<= {}",
    "multiple_of": "multiple of {}",
}


def field_in_words(field: FieldInfo) -> str:
    """What `field` takes: `whole number > 0 or null`."""
    return in_words(
        Annotated[field.annotation, *field.metadata] if field.metadata else field.annotation
    )


def in_words(kind: Any) -> str:
    """What a value of type `kind` is.

    >>> in_words(list[int] | Literal["all"])
    "list of whole number or 'all'"
    """
    origin, arguments = get_origin(kind), get_args(kind)
    if origin is Annotated:
        nouns = [mark.noun for mark in arguments[1:] if isinstance(mark, Names)]
        if nouns and arguments[0] is str:
            return str(nouns[0])
        return " ".join([in_words(arguments[0]), ", ".join(_bounds(arguments[1:]))]).strip()
    if origin in (Union, UnionType):
        # A whole number is a number: beside `float`, `int` says nothing.
        members = [member for member in arguments if member is not int or float not in arguments]
        return " or ".join(dict.fromkeys(map(in_words, members)))
    if origin is Literal:
        return " or ".join(
            f"'{choice}'" if isinstance(choice, str) else str(choice) for choice in arguments
        )
    if origin is dict:
        return "mapping" if arguments[1] is Any else f"mapping to {in_words(arguments[1])}"
    if origin is tuple and Ellipsis not in arguments:
        return f"list ({'; '.join(map(in_words, arguments))})"
    if origin in (list, tuple):
        return f"list of {in_words(arguments[0])}"
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        return "mapping"
    return _NOUNS.get(kind, "value")


def _bounds(metadata: tuple[Any, ...]) -> Iterator[str]:
    for item in metadata:
        if isinstance(item, FieldInfo):
            yield from _bounds(tuple(item.metadata))
        for name, phrase in _BOUNDS.items():
            if (bound := getattr(item, name, None)) is not None:
                yield phrase.format(bound)
