"""What differs between two sides as one HTML file, with the figures side by side."""

from __future__ import annotations

import base64
from collections.abc import Iterable
from pathlib import Path

from interpflow.diff.compare import Compared
from interpflow.report import templates


def page(compared: Iterable[Compared], before: str, after: str) -> str:
    """The page, which needs no network; `before` and `after` are what somebody asked for."""
    environment = templates.environment(Path(__file__).parent)
    environment.filters["image"] = _image
    template = environment.get_template("page.html")
    return template.render(compared=list(compared), before=before, after=after)


def _image(path: Path) -> str:
    """A figure as a data URI."""
    return f"data:image/svg+xml;base64,{base64.b64encode(path.read_bytes()).decode()}"
