"""Colours and marks of every figure, and how one thing is drawn in all of them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

PAD = 0.04  # around figures and panels, inches

# Okabe & Ito, "Color Universal Design": told apart with every kind of colour vision.
BLACK, GREY, PALE = "#000000", "#767676", "#e8e8e8"
ORANGE, SKY, GREEN, BLUE = "#E69F00", "#56B4E9", "#009E73", "#0072B2"
VERMILLION, PURPLE = "#D55E00", "#CC79A7"
SHADES = "Blues"  # of shares, from none (white) to all
DIVERGING = "RdBu_r"  # of signed values: blue below zero, white at zero, red above

# What `save.style` sets on top of matplotlib's own defaults, beside sizes of text.
RC: dict[str, Any] = {
    # The first comes with matplotlib, so every machine sets the same text; a viewer of an svg may lack it.
    "font.family": ["DejaVu Sans", "sans-serif"],
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 4,
    "axes.linewidth": 0.6,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.axisbelow": True,
    "grid.color": "#e6e6e6",
    "grid.linewidth": 0.6,
    "xtick.major.width": 0.6,
    "ytick.major.width": 0.6,
    "xtick.major.size": 2.5,
    "ytick.major.size": 2.5,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "legend.handlelength": 1.8,
    "legend.columnspacing": 1.4,
    "legend.borderpad": 0.2,
    "legend.borderaxespad": 0.2,
    "savefig.pad_inches": PAD,
}
# The settings that are a size of text.
TEXTS = (
    "font.size",
    "axes.titlesize",
    "axes.labelsize",
    "xtick.labelsize",
    "ytick.labelsize",
    "legend.fontsize",
    "figure.labelsize",
)


@dataclass(frozen=True)
class Look:
    """How one thing is drawn, in every figure alike; "" where it has no marker or line.

    A marker can also be a line of points around (0, 0).
    """

    label: str
    color: str
    marker: str | tuple[tuple[float, float], ...] = ""
    line: str = "-"
    fill: str | None = None  # of the marker, where it is not `color`
    size: float = 4  # of the marker, points
    hatch: str = ""  # of an area, which then has neither marker nor line

    @property
    def drawn(self) -> dict[str, Any]:
        """The arguments of matplotlib that draw it."""
        return {
            "color": self.color,
            "marker": self.marker,
            "linestyle": self.line,
            "markersize": self.size,
            "markerfacecolor": self.fill or self.color,
        }


# For things that have no look of their own, in this order.
_SERIES = ((BLUE, "o"), (VERMILLION, "s"), (GREEN, "D"), (PURPLE, "^"), (ORANGE, "v"), (SKY, "P"))


def looks(labels: Iterable[str]) -> dict[str, Look]:
    """A look for each of `labels`; past the sixth, colours come again with open markers."""
    return {
        label: Look(
            label, *_SERIES[i % len(_SERIES)], fill="white" if i // len(_SERIES) % 2 else None
        )
        for i, label in enumerate(dict.fromkeys(labels))
    }


def ink(color: str) -> str:
    """Black or white, whichever can be read on `color` ("#rrggbb")."""
    red, green, blue = (int(color[at : at + 2], 16) for at in (1, 3, 5))
    return BLACK if 0.299 * red + 0.587 * green + 0.114 * blue > 130 else "#ffffff"
