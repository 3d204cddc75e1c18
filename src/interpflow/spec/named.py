"""The names in options, which are marked with `section.Names`, and their places."""

from __future__ import annotations

from collections.abc import Iterator
from types import UnionType
from typing import Annotated, Any, Union, get_args, get_origin

from pydantic import BaseModel

from interpflow.section import Names
from interpflow.spec.problems import KeyPath

Named = tuple[KeyPath, str, Any]  # where a name stands, the noun, the name


def fields(section: BaseModel) -> Iterator[tuple[str, Any, Any]]:
    """Name, type with its marks, and value of each field."""
    for name, info in type(section).model_fields.items():
        kind = Annotated[info.annotation, *info.metadata] if info.metadata else info.annotation
        yield name, kind, getattr(section, name)


def names(kind: Any, value: Any, at: KeyPath = ()) -> Iterator[Named]:
    """The names in a `value` of type `kind`, without those in sections within it."""
    if get_origin(kind) is Annotated:
        kind, *marks = get_args(kind)
        if value is not None:
            yield from ((at, mark.noun, value) for mark in marks if isinstance(mark, Names))
    arguments = get_args(kind)
    if get_origin(kind) in (Union, UnionType):
        for member in arguments:
            yield from names(member, value, at)
    elif get_origin(kind) is dict and isinstance(value, dict):
        for key, inner in value.items():
            yield from names(arguments[0], key, (*at, key))
            yield from names(arguments[1], inner, (*at, key))
    elif get_origin(kind) in (list, tuple) and isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from names(arguments[0], inner, (*at, index))


def sections(value: Any, at: KeyPath = ()) -> Iterator[tuple[KeyPath, BaseModel]]:
    """The outermost sections in a value, each with its place."""
    if isinstance(value, BaseModel):
        yield at, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            yield from sections(inner, (*at, key))
    elif isinstance(value, list | tuple):
        for index, inner in enumerate(value):
            yield from sections(inner, (*at, index))


def every(section: BaseModel, at: KeyPath = ()) -> Iterator[tuple[KeyPath, BaseModel, list[Named]]]:
    """`section` and all sections within it, each with its place and its own names."""
    own: list[Named] = []
    for name, kind, value in fields(section):
        own += names(kind, value, (*at, name))
    yield at, section, own
    for name, _, value in fields(section):
        for place, inner in sections(value, (*at, name)):
            yield from every(inner, place)
