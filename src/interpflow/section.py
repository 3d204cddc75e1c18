"""The base of every options block.

Tasks, analyses and plots import this and nothing else of the spec, so that a change in how specs are read
does not change the digest of their code.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Annotated, Any

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    GetCoreSchemaHandler,
    PositiveInt,
)
from pydantic_core import CoreSchema


def _compiles(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"'{text}' is no regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_compiles)]  # a regular expression


@dataclass(frozen=True)
class Names:
    """Marks an option as the name of a `noun`, as in `Annotated[str, Names("split")]`.

    What is marked is held against the names that there are before anything trains (`spec/names.py`).
    """

    noun: str


@dataclass(frozen=True)
class FewWillDo:
    """Marks an option of a task as a number of examples: a few of them show every name that the data has."""


Size = Annotated[PositiveInt, FewWillDo()]  # how many examples a split of a task has


def _each_once(values: list[Any]) -> list[Any]:
    if twice := [value for at, value in enumerate(values) if value in values[:at]]:
        raise ValueError(f"has {twice[0]!r} twice")
    return values


EachOnce = AfterValidator(_each_once)  # a list whose items become labels: none comes twice
Some = Field(min_length=1)  # a list or a mapping that is not empty


def _accept_lists(schema: Any) -> None:
    """Let every tuple and list within `schema` take either, their items staying strict."""
    if isinstance(schema, dict):
        if schema.get("type") in ("tuple", "list"):
            schema["strict"] = False
        for part in schema.values():
            _accept_lists(part)
    elif isinstance(schema, list):
        for part in schema:
            _accept_lists(part)


class Section(BaseModel):
    """Options that refuse what they do not know.

    An unknown key, a text where a number belongs, a NaN: each is an error and nothing is converted, except
    that a whole number may stand for a real one and a list for a tuple (YAML and JSON have only lists).
    A check across fields is a `model_validator` that raises ValueError and names the fields in its message:
    the reader of specs finds the line through those names.
    """

    model_config = ConfigDict(
        extra="forbid", frozen=True, strict=True, allow_inf_nan=False, validate_default=True
    )

    @classmethod
    def __get_pydantic_core_schema__(cls, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        schema = handler(source)
        _accept_lists(schema)
        return schema
