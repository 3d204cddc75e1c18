"""How every figure looks: sizes, colours, words, and the marks that all figures share.

Matplotlib alone, and only once something is drawn: plots are imported whenever a spec is read, and
seaborn, which brings SciPy's statistics, would double the start-up of every figure.
"""

from __future__ import annotations

from interpflow.style.grids import (
    axis_labels,
    column_width,
    few,
    grid,
    heading,
    nothing,
    panels,
    shares,
    titles,
    training_steps,
)
from interpflow.style.keys import colour_bar, colour_key, key, signed_limit
from interpflow.style.lines import errorbar, level, mean_and_sd, present, series
from interpflow.style.look import (
    BLACK,
    BLUE,
    DIVERGING,
    GREEN,
    GREY,
    ORANGE,
    PAD,
    PALE,
    PURPLE,
    RC,
    SHADES,
    SKY,
    VERMILLION,
    Look,
    ink,
    looks,
)
from interpflow.style.sizes import sizes
from interpflow.style.words import axis_label, in_order, number, readable, text_width, title

__all__ = [
    "BLACK",
    "BLUE",
    "DIVERGING",
    "GREEN",
    "GREY",
    "ORANGE",
    "PAD",
    "PALE",
    "PURPLE",
    "RC",
    "SHADES",
    "SKY",
    "VERMILLION",
    "Look",
    "axis_label",
    "axis_labels",
    "colour_bar",
    "colour_key",
    "column_width",
    "errorbar",
    "few",
    "grid",
    "heading",
    "in_order",
    "ink",
    "key",
    "level",
    "looks",
    "mean_and_sd",
    "nothing",
    "number",
    "panels",
    "present",
    "readable",
    "series",
    "shares",
    "signed_limit",
    "sizes",
    "text_width",
    "title",
    "titles",
    "training_steps",
]
