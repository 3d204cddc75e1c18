"""The templates of pages of HTML."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jinja2


def environment(folder: Path) -> jinja2.Environment:
    """Where the templates in `folder` are found: values are escaped, and one that is missing is an error."""
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(folder),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )


def in_element(value: Any) -> str:
    """`value` as JSON that can stand within an element."""
    return json.dumps(value, separators=(",", ":"), allow_nan=False).replace("<", "\\u003c")
