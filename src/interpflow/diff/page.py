"""What differs between two sides as one HTML file, with the figures side by side."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

import jinja2

from interpflow.diff.compare import Compared


def page(compared: Iterable[Compared], before: str, after: str) -> str:
    """The page, which needs no network; `before` and `after` are what somebody asked for."""
    environment = jinja2.Environment(
        loader=jinja2.FileSystemLoader(Path(__file__).parent),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    environment.filters["image"] = _image
    template = environment.get_template("page.html")
    return template.render(compared=list(compared), before=before, after=after)


def _image(path: Path) -> str:
    """A figure as a data URI."""
    return f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}"
