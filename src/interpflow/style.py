"""How every figure looks: sizes, colours, words, and the marks that all figures share.

Matplotlib alone, and only once something is drawn: plots are imported whenever a spec is read, and
seaborn, which brings SciPy's statistics, would double the start-up of every figure.
"""

from __future__ import annotations

import math
import re
import textwrap
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import xarray as xr

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.cm import ScalarMappable
    from matplotlib.figure import Figure

SINGLE, DOUBLE = 3.5, 7.0  # widths of one and two columns of print, inches
TEXT = 8.0  # points, everywhere: nothing is smaller, and nothing but a title needs to stand out
PAD = 0.04  # around figures and panels, inches

# Okabe & Ito, "Color Universal Design": told apart with every kind of colour vision.
BLACK, GREY, PALE = "#000000", "#767676", "#e8e8e8"
ORANGE, SKY, GREEN, BLUE = "#E69F00", "#56B4E9", "#009E73", "#0072B2"
VERMILLION, PURPLE = "#D55E00", "#CC79A7"
SHADES = "Blues"  # of shares, from none (white) to all
DIVERGING = "RdBu_r"  # of signed values: blue below zero, white at zero, red above

# What `figures.style` sets on top of matplotlib's own defaults.
RC: dict[str, Any] = {
    "font.family": ["DejaVu Sans"],  # comes with matplotlib, so every machine sets the same text
    "font.size": TEXT,
    "axes.titlesize": TEXT,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.titlepad": 4,
    "axes.labelsize": TEXT,
    "xtick.labelsize": TEXT,
    "ytick.labelsize": TEXT,
    "legend.fontsize": TEXT,
    "figure.labelsize": TEXT,
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


# What a probe is trained on: `none` is the states of the trained model with their true labels.
CONTROLS = {
    "none": Look("trained model", BLUE, "o"),
    "untrained_model": Look("untrained model", GREEN, "D"),
    "word_type": Look("a random label per word type", ORANGE, "^"),
    "random_labels": Look("random labels", ORANGE, "v"),
}
MAJORITY = Look("always the most frequent class", GREY, line="--")

EXPECTED = Look("reported", BLACK, "x", line="", size=5.5)
# A bar at the bound, and from it an arrow to the side that keeps it.
_ARROW = ((-0.7, 0), (0.7, 0), (0, 0), (0, 1), (-0.35, 0.65), (0, 1), (0.35, 0.65))
AT_LEAST = Look("reported: at least", BLACK, _ARROW, line="", fill="none", size=10)
AT_MOST = replace(AT_LEAST, label="reported: at most", marker=tuple((x, -y) for x, y in _ARROW))

# What a model does with its tokens, and what one of its heads does (`analyses.head_modes`).
MODES = {
    name: Look(label, color, "s", line="", size=7)
    for name, label, color in (
        ("vocabulary_splitting", "vocabulary-splitting", BLUE),
        ("overlapping", "overlapping", SKY),
        ("copy_suppression", "copy-suppression", VERMILLION),
        ("mixed", "mixed", PURPLE),
        ("single", "one head copies", ORANGE),
        ("none", "no head copies", "#b0b0b0"),
    )
}
HEAD_MODES = {
    "whole": Look("copies the whole range", GREEN, "o"),
    "part": Look("copies a part", BLUE, "s"),
    "suppressing": Look("suppresses", VERMILLION, "v"),
    "mixed": Look("mixed", PURPLE, "D"),
    "dead": Look("dead", GREY, "X"),
}
UNSOUND = Look("unsound chains", BLACK, "o", line="", fill="white", size=5)
FAILED = Look("unsound chains: no estimate", BLACK, "X", line="", size=5)

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


def present(array: xr.DataArray, *dims: str) -> list[tuple[Any, ...]]:
    """The coordinates along `dims` where `array` has a value, in its order."""
    values = array.transpose(*dims, ...).notnull()
    some = values.any([dim for dim in array.dims if dim not in dims]).values
    labels = [array[dim].values.tolist() for dim in dims]
    return [tuple(map(list.__getitem__, labels, at)) for at in np.argwhere(some).tolist()]


def mean_and_sd(array: xr.DataArray) -> tuple[np.ndarray, np.ndarray | None]:
    """Mean and standard deviation (n - 1) over the seeds that have a value, along the other dim.

    NaN where too few seeds have one; the deviation is None where nothing has two.  A single number
    counts as a dim of length one.
    """
    values = np.atleast_2d(array.transpose(..., "seed").values)
    count = np.isfinite(values).sum(-1)
    mean = np.where(count > 0, np.nansum(values, -1) / np.maximum(count, 1), np.nan)
    squares = np.nansum((values - mean[:, None]) ** 2, -1)
    sd = np.where(count > 1, np.sqrt(squares / np.maximum(count - 1, 1)), np.nan)
    return mean, sd if (count > 1).any() else None


def series(axes: Axes, x: Any, array: xr.DataArray, look: Look) -> None:
    """One line: means over seeds at `x`, where there are any, with standard deviations as bars."""
    mean, sd = mean_and_sd(array)
    there = np.isfinite(mean)
    if there.any():
        errorbar(
            axes,
            np.broadcast_to(x, mean.shape)[there],
            mean[there],
            look,
            yerr=None if sd is None else sd[there],
        )


def errorbar(axes: Axes, x: Any, y: Any, look: Look, **errors: Any) -> None:
    """Points with bars.  A point on the edge of the panel is whole, a bar ends there."""
    drawn = axes.errorbar(x, y, **errors, **look.drawn, capsize=1.5, elinewidth=0.8, capthick=0.8)
    drawn.lines[0].set_clip_on(False)


def level(axes: Axes, y: xr.DataArray, look: Look) -> None:
    """A line across the panel at the one value of `y`, none where that is missing."""
    if y.notnull():
        axes.axhline(float(y), color=look.color, linestyle=look.line, linewidth=1, zorder=1)


def panels(
    count: int, height: float = 1.3, width: float | None = None, share: str = "xy"
) -> tuple[Figure, list[Axes]]:
    """A figure of `count` panels, row by row, each about `height` inches high.

    They `share` the axes named.  One panel is as wide as a column of print and several fill two, or
    what `width` says (inches).
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    columns = count if count <= 4 else 3 if -count % 3 < -count % 4 or count == 6 else 4
    rows = math.ceil(count / columns)
    size = (width or (SINGLE if count == 1 else DOUBLE), rows * (height + 0.25) + 0.5)
    figure = Figure(
        figsize=size,
        layout=ConstrainedLayoutEngine(w_pad=PAD, h_pad=PAD, wspace=0.02, hspace=0.02),
    )
    grid = figure.add_gridspec(rows, columns)
    axes: list[Axes] = []
    for index in range(count):
        row, column = divmod(index, columns)
        panel = figure.add_subplot(
            grid[row, column],
            sharex=axes[0] if axes and "x" in share else None,
            sharey=axes[0] if axes and "y" in share else None,
        )
        # Where the last row is not full, every row has its numbers: rows stay alike.
        full = "x" in share and count % columns == 0
        panel.tick_params(
            labelbottom=not full or row == rows - 1, labelleft="y" not in share or column == 0
        )
        axes.append(panel)
    return figure, axes


def grid(
    heights: Sequence[float], columns: int = 1, width: float = DOUBLE, share: str = ""
) -> tuple[Figure, list[list[Axes]]]:
    """A figure of rows of panels, each row about as high as `heights` says (inches).

    Panels share x down each column, y along each row, or both, as `share` says.
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(
        figsize=(width, sum(heights) + 0.25 * len(heights) + 0.5),
        layout=ConstrainedLayoutEngine(w_pad=PAD, h_pad=PAD, wspace=0.02, hspace=0.02),
    )
    cells = figure.add_gridspec(len(heights), columns, height_ratios=list(heights))
    rows: list[list[Axes]] = []
    for row in range(len(heights)):
        rows.append([])
        for column in range(columns):
            above = rows[0][column] if row and "x" in share else None
            before = rows[row][0] if column and "y" in share else None
            rows[row].append(figure.add_subplot(cells[row, column], sharex=above, sharey=before))
    return figure, rows


def heading(panel: Axes, text: str, lines: int = 1) -> None:
    """A bold line over a panel, above so many lines of titles."""
    panel.annotate(
        text,
        (0, 1),
        (0, RC["axes.titlepad"] + 1.3 * TEXT * lines),
        xycoords="axes fraction",
        textcoords="offset points",
        fontweight="bold",
    )


def title(name: str, *rest: str) -> str:
    """The words of a panel: an experiment's name made readable, then what of it is shown."""
    return ", ".join([readable(name), *rest])


def titles(axes: Sequence[Axes], names: Sequence[tuple[str, ...]]) -> None:
    """Title each panel: on one line if all fit, else with all but the experiment on a second."""
    grid = axes[0].get_gridspec()
    assert grid is not None
    room = axes[0].get_figure(root=True).get_figwidth() / grid.ncols - 0.35  # type: ignore[union-attr]
    fits = all(text_width(title(*name), bold=True) <= room for name in names)
    for panel, (name, *rest) in zip(axes, names, strict=True):
        if fits or not rest:
            panel.set_title(title(name, *rest))
        else:
            pad = RC["axes.titlepad"]
            panel.set_title(", ".join(rest), fontweight="normal", pad=pad)
            panel.annotate(
                readable(name),
                (0, 1),
                (0, pad + 1.3 * TEXT),
                xycoords="axes fraction",
                textcoords="offset points",
                fontweight="bold",
            )


def text_width(text: str, bold: bool = False) -> float:
    """The width of a line of `text`, inches."""
    from matplotlib.font_manager import FontProperties
    from matplotlib.textpath import TextPath

    font = FontProperties(family=RC["font.family"], weight="bold" if bold else "normal")
    return float(TextPath((0, 0), text, size=TEXT, prop=font).get_extents().width) / 72


def shares(axes: Axes, axis: Literal["x", "y"] = "y") -> None:
    """Let an axis run from 0 to 1, with room for whole marks at both ends."""
    ticks, words = [0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"]
    axes.set(**{f"{axis}lim": (-0.03, 1.04), f"{axis}ticks": ticks, f"{axis}ticklabels": words})
    axes.grid(axis=axis)


def whole_ticks(axes: Axes) -> None:
    """A few ticks on both axes, all of them whole numbers."""
    axes.locator_params(nbins=4, integer=True, min_n_ticks=1)


def axis_labels(figure: Figure, x: str, y: str) -> None:
    """Label the axes that all panels share; what is longer than the figure is broken."""
    room = figure.get_figheight() - 0.8
    figure.supxlabel(x)
    figure.supylabel(textwrap.fill(y, max(16, int(len(y) * room / text_width(y)))))


def key(figure: Figure, *entries: Look) -> None:
    """What the marks mean, in one row above the panels, or in as few as it takes."""
    from matplotlib.lines import Line2D

    handle = (RC["legend.handlelength"] + 0.8 + RC["legend.columnspacing"]) * TEXT / 72
    widths = [text_width(entry.label) + handle for entry in entries]
    rows, room = 1, figure.get_figwidth() - 2 * PAD
    # Entries run down each column, and a column is as wide as its widest.
    while rows < len(widths) and room < sum(
        max(widths[top : top + rows]) for top in range(0, len(widths), rows)
    ):
        rows += 1
    figure.legend(
        handles=[Line2D([], [], label=entry.label, **entry.drawn) for entry in entries],
        loc="outside upper left",
        ncols=math.ceil(len(entries) / rows),
    )


def shade_key(figure: Figure, axes: Sequence[Axes], image: ScalarMappable, label: str) -> None:
    """What the shades mean, as a bar above the panels, with the ends and the middle of the scale."""
    low, high = image.get_clim()
    assert low is not None and high is not None
    ticks = [low, (low + high) / 2, high]
    bar = figure.colorbar(
        image,
        ax=axes,
        location="top",
        anchor=(0, 0.5),
        pad=0.25 / figure.get_figheight(),
        shrink=0.25,
        aspect=20,
        ticks=ticks,
    )
    bar.set_ticklabels([number(tick) for tick in ticks])
    bar.ax.annotate(label, (1, 0.5), (8, 0), "axes fraction", "offset points", va="center")


def signed_key(axes: Axes, image: ScalarMappable, label: str, clipped: bool = False) -> None:
    """What signed shades mean, as a bar in `axes`; with pointed ends where larger values are cut."""
    figure = axes.get_figure(root=True)
    assert figure is not None
    _, limit = image.get_clim()
    assert limit is not None
    bar = figure.colorbar(
        image,
        cax=axes,
        orientation="horizontal",
        extend="both" if clipped else "neither",
        ticks=[-limit, 0, limit],
    )
    end = number(float(f"{limit:.2g}"))  # three digits at both ends would run into the zero
    bar.set_ticklabels([f"\u2212{end}", "0", end])
    axes.annotate(label, (1, 0.5), (14, 0), "axes fraction", "offset points", va="center")


def signed_limit(arrays: Iterable[xr.DataArray], cut: float = 0.0) -> float:
    """The end of a signed scale for all of `arrays`, but for a share `cut` of their values."""
    each = [np.abs(array.values[array.notnull().values]) for array in arrays]
    sizes = np.concatenate([np.empty(0), *each])
    limit = float(np.quantile(sizes, 1 - cut)) if sizes.size else 0.0
    return limit or 1.0


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


def few(positions: Sequence[Any], most: int = 4) -> list[int]:
    """Where to put ticks along `positions`: at the first and then evenly, at round distances."""
    step = 1
    while len(positions) > most * step:
        step *= 2
    return list(range(0, len(positions), step))


def training_steps(axes: Axes, steps: Iterable[float]) -> None:
    """A logarithmic axis over training steps, with step 0 at its left end."""
    values = sorted({float(step) for step in steps})
    positive = [step for step in values if step > 0]
    first, last = (positive[0], positive[-1]) if positive else (1.0, 1.0)
    axes.set_xscale("symlog", linthresh=first, linscale=0.35, subs=list(range(2, 10)))
    low = math.ceil(math.log10(first) - 1e-9)
    decades = [10.0**power for power in range(low, math.floor(math.log10(last) + 1e-9) + 1)]
    ticks = [0.0] * (0 in values) + (decades or positive[:1])
    axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    axes.set_xlim(0 if 0 in values else first / 1.1, last * 1.02 if positive else 1.0)


def nothing(reason: str) -> Figure:
    """A figure that says why it is empty: a scale can leave out all that a figure shows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(SINGLE, 0.8))
    figure.text(0.5, 0.5, textwrap.fill(reason, 48), ha="center", va="center", color=GREY)
    return figure
