"""The page: one file that holds its scripts and its data, and asks for nothing else."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from typing import Any

from markupsafe import Markup

from interpflow.explorer import assets
from interpflow.explorer.held import Dataset, hold
from interpflow.report import templates


def page(about: Mapping[str, Any], datasets: Sequence[Dataset]) -> str:
    """The HTML of the page on `datasets`; `about` is what else its scripts know of the study."""
    held = hold(datasets)
    index = {**about, "datasets": held.index}
    return (
        templates.environment(assets.FOLDER)
        .get_template("page.html")
        .render(
            title=about["title"],
            scale=about["scale"],
            style=Markup(assets.style()),
            script=Markup(assets.script()),
            index=Markup(templates.in_element(index)),
            blocks=[base64.b64encode(block).decode() for block in held.blocks],
        )
    )
