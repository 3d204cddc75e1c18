"""The words and numbers of figures."""

from __future__ import annotations

import functools
import math
import re
from collections.abc import Iterable
from typing import Any

import xarray as xr

from interpflow.style.look import RC
from interpflow.style.sizes import sizes


def readable(name: str) -> str:
    """A name of a spec as words, with the hyphen before a number that names cannot hold.

    >>> readable("dyck1_four_heads")
    'Dyck-1 four heads'
    """
    words = re.sub(r"\b([a-z]{2,})(\d+)\b", r"\1-\2", name.replace("_", " "))
    return words[:1].upper() + words[1:]


def axis_label(array: xr.DataArray) -> str:
    """What `array` is and its unit, from its attributes; its name where it carries none.

    >>> axis_label(xr.DataArray(0, attrs={"long_name": "sequence length", "units": "token"}))
    'Sequence length (token)'
    """
    label = readable(str(array.attrs.get("long_name", array.name)))
    units = array.attrs.get("units", "1")
    return label if units == "1" else f"{label} ({units})"


def title(name: str, *rest: str) -> str:
    """The words of a panel: an experiment's name made readable, then what of it is shown."""
    return ", ".join([readable(name), *rest])


def text_width(text: str, bold: bool = False) -> float:
    """The width of a line of `text`, inches; 0 where nothing is drawn."""
    return _text_width(text, bold, sizes().text)


@functools.cache
def _text_width(text: str, bold: bool, size: float) -> float:
    if not text.strip():
        return 0.0  # matplotlib fails at paths without a point
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(family=RC["font.family"], weight="bold" if bold else "normal")
    return float(TextPath((0, 0), text, size=size, prop=font).get_extents().width) / 72


def number(value: float) -> str:
    """`value` in a few characters, for the plane of a figure.

    >>> number(1234.5), number(12.34), number(0.0123)
    ('1,234', '12.3', '0.0123')
    """
    if not math.isfinite(value):
        return "none"
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}".replace("-", "\u2212")


def in_order(tokens: Iterable[Any]) -> list[Any]:
    """`tokens` with the numbers among them ascending, and then the others as they came.

    Where experiments of different vocabularies are joined, the longer one's numbers come after other words.

    >>> in_order(["0", "1", "|", "2"])
    ['0', '1', '2', '|']
    """
    every = list(tokens)
    numbers = [token for token in every if str(token).isdecimal()]
    return sorted(numbers, key=lambda token: int(str(token))) + [
        token for token in every if not str(token).isdecimal()
    ]
