"""The base of every options block.

Tasks, analyses and plots import this and nothing else of the spec, so that a change in how specs are read
does not change the digest of their code.
"""

from __future__ import annotations

import re
from typing import Annotated, Any

from pydantic import AfterValidator, BaseModel, ConfigDict, GetCoreSchemaHandler
from pydantic_core import CoreSchema


def _compiles(text: str) -> str:
    try:
        re.compile(text)
    except re.error as error:
        raise ValueError(f"'{text}' is no regular expression: {error}") from None
    return text


Pattern = Annotated[str, AfterValidator(_compiles)]  # a regular expression


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
