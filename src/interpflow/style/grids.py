"""Figures of panels: where these stand, their titles, their axes."""

from __future__ import annotations

import itertools
import math
import textwrap
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any, Literal

from interpflow.style.look import GREY, PAD, RC
from interpflow.style.sizes import sizes
from interpflow.style.words import readable, text_width, title

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


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
    size = (
        width or (sizes().single if count == 1 else sizes().double),
        rows * (height + 0.25) + 0.5,
    )
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
    heights: Sequence[float],
    columns: int = 1,
    width: float | None = None,
    share: str = "",
    widths: Sequence[float] | None = None,
) -> tuple[Figure, list[list[Axes]]]:
    """A figure of rows of panels, each row about as high as `heights` says (inches).

    Panels share x down each column, y along each row, or both, as `share` says.  Columns are equally wide, or
    as `widths` are to each other; together they fill two columns of print, or `width` (inches).
    """
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine

    figure = Figure(
        figsize=(width or sizes().double, sum(heights) + 0.25 * len(heights) + 0.5),
        layout=ConstrainedLayoutEngine(w_pad=PAD, h_pad=PAD, wspace=0.02, hspace=0.02),
    )
    cells = figure.add_gridspec(
        len(heights), columns, height_ratios=list(heights), width_ratios=widths
    )
    rows: list[list[Axes]] = []
    for row in range(len(heights)):
        rows.append([])
        for column in range(columns):
            above = rows[0][column] if row and "x" in share else None
            before = rows[row][0] if column and "y" in share else None
            rows[row].append(figure.add_subplot(cells[row, column], sharex=above, sharey=before))
    return figure, rows


def nothing(reason: str) -> Figure:
    """A figure that says why it is empty: a scale can leave out all that a figure shows."""
    from matplotlib.figure import Figure

    figure = Figure(figsize=(sizes().single, 0.8))
    figure.text(0.5, 0.5, textwrap.fill(reason, 48), ha="center", va="center", color=GREY)
    return figure


def heading(panel: Axes, text: str, lines: int = 1) -> None:
    """A bold line over a panel, above so many lines of titles; it may reach over the panels beside."""
    # The layout keeps room for a blank, as high as the line: the line itself would push the next panel away.
    for words, counts in ((" ", True), (text, False)):
        panel.annotate(
            words,
            (0, 1),
            (0, RC["axes.titlepad"] + 1.3 * sizes().text * lines),
            xycoords="axes fraction",
            textcoords="offset points",
            fontweight="bold",
        ).set_in_layout(counts)


def column_width(panel: Axes) -> float:
    """The width of a column of the figure that `panel` is in, inches."""
    figure, grid = panel.get_figure(root=True), panel.get_gridspec()
    assert figure is not None and grid is not None
    return figure.get_figwidth() / grid.ncols


def titles(axes: Sequence[Axes], names: Sequence[tuple[str, ...]]) -> None:
    """Title each panel: on one line if all fit, else with all but the experiment on a second."""
    room = column_width(axes[0]) - 0.35
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
                (0, pad + 1.3 * sizes().text),
                xycoords="axes fraction",
                textcoords="offset points",
                fontweight="bold",
            )


def axis_labels(figure: Figure, x: str, y: str) -> None:
    """Label the axes that all panels share; what is longer than the figure is broken."""
    figure.supxlabel(x)
    label_y(figure, y)


def label_y(figure: Figure, words: str, above: float = 0.0) -> None:
    """The label of the y axis that all panels share, below `above` inches of other things."""
    height = figure.get_figheight()
    most = int(len(words) * (height - 0.8 - above) / text_width(words))
    figure.supylabel(textwrap.fill(words, max(16, most)), y=0.5 - above / height / 2)


def shares(axes: Axes, axis: Literal["x", "y"] = "y") -> None:
    """Let an axis run from 0 to 1, with room for whole marks at both ends."""
    ticks, words = [0, 0.25, 0.5, 0.75, 1], ["0", "", "0.5", "", "1"]
    axes.set(**{f"{axis}lim": (-0.03, 1.04), f"{axis}ticks": ticks, f"{axis}ticklabels": words})
    axes.grid(axis=axis)


def few(positions: Sequence[Any], most: int = 4) -> list[int]:
    """Where to put ticks along `positions`: at the first and then evenly, at round distances."""
    step = 1
    while len(positions) > most * step:
        step *= 2
    return list(range(0, len(positions), step))


def training_steps(axes: Axes, steps: Iterable[float]) -> None:
    """An axis over training steps: logarithmic, with step 0 at its left end, unless they are evenly spread."""
    values = sorted({float(step) for step in steps})
    gaps = [after - before for before, after in itertools.pairwise(values)]
    if gaps and max(gaps) <= 2 * min(gaps):
        room = (column_width(axes) - 0.35) / text_width(f"{values[-1]:,.0f}")
        axes.locator_params(axis="x", integer=True, nbins=min(5, max(1, int(room / 1.5))))
        axes.xaxis.set_major_formatter(lambda step, _: f"{step:,.0f}")
        axes.set_xlim(values[0], values[-1] + 0.02 * (values[-1] - values[0]))
        return
    positive = [step for step in values if step > 0]
    first, last = (positive[0], positive[-1]) if positive else (1.0, 1.0)
    axes.set_xscale("symlog", linthresh=first, linscale=0.35, subs=list(range(2, 10)))
    low = math.ceil(math.log10(first) - 1e-9)
    decades = [10.0**power for power in range(low, math.floor(math.log10(last) + 1e-9) + 1)]
    ticks = [0.0] * (0 in values) + (decades or positive[:1])
    axes.set_xticks(ticks, [f"{tick:,.0f}" for tick in ticks])
    axes.set_xlim(0 if 0 in values else first / 1.1, last * 1.02 if positive else 1.0)
