"""The one heat map: labelled values in cells, with numbers where they fit.

A missing value is pale with a dash; a mean over some of the seeds alone is hatched.
"""

from __future__ import annotations

import math
import textwrap
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow import style

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage

HEIGHT = 0.24  # of a cell with a number, inches
LINE = 0.15  # of a line of text, inches: lower cells have no numbers
SIDE, TALLEST = 2.4, 8.8  # of a square map and of a figure, at most, inches
BELOW = "#f0c9a8"  # the shade of a share below 0, pale for its number to be read


Rows = Sequence[Sequence[tuple[str, xr.DataArray]]]  # title and values of each map, row by row


@dataclass(frozen=True)
class Scale:
    """Shares from 0 to `high`, printed in percent; or signed values from -`high` to `high`."""

    high: float
    signed: bool = False

    @classmethod
    def of(cls, arrays: Iterable[xr.DataArray], signed: bool = False) -> Scale:
        """The scale of all `arrays`: for signed values up to the largest, for shares by their unit."""
        every = list(arrays)
        if signed:
            return cls(style.signed_limit(mean(array) for array in every), True)
        return cls(100 if every[0].attrs.get("units") == "%" else 1)

    @property
    def digits(self) -> int:
        """The number of decimals that shows a tenth of the scale."""
        return max(0, math.ceil(1 - math.log10(self.high))) if self.signed else 0

    @property
    def precisions(self) -> list[int]:
        """Numbers of decimals, the most first, that show at least a half of a signed scale."""
        fewer = self.digits - 1
        return [self.digits, *([fewer] if fewer >= 0 and 10**-fewer <= self.high / 2 else [])]

    def number(self, value: float, digits: int) -> str:
        """`value` as it is printed; a value that rounds to 0 has no minus."""
        shown = value if self.signed else 100 * value / self.high
        sign = "+" if self.signed else ""
        return f"{round(shown, digits) + 0.0:{sign}.{digits}f}".replace("-", "\u2212")

    def numbers(self, values: np.ndarray, room: tuple[float, float]) -> list[str] | None:
        """`values` as they are printed, or None if cells of `room` (width, height; inches) are too small."""
        for digits in self.precisions:
            words = [
                self.number(each, digits) if np.isfinite(each) else "\u2013"
                for each in values.ravel()
            ]
            if widest(words) + 0.04 <= room[0] and room[1] >= LINE:
                return words
        return None


def mean(values: xr.DataArray) -> xr.DataArray:
    """The mean of `values` over seeds, (row, column)."""
    return values.mean("seed", keep_attrs=True) if "seed" in values.dims else values


def cell_maps(
    maps: Mapping[str, xr.DataArray], scale: Scale, label: str
) -> tuple[Figure, list[list[Axes]]]:
    """A figure of `maps` (seed, row, column) by title, below a key of the shades with its `label`.

    Maps are wide enough for numbers and labels if the page has room; as many as fit stand side by side.
    """
    every = list(maps.items())
    natural = max(_natural(values, scale) for values in maps.values())
    left = max(widest(labels(values, 0)) for values in maps.values()) + 0.35
    page, across = _page(left, natural + 0.15, len(every))
    rows = [every[at : at + across] for at in range(0, len(every), across)]
    most = [
        max(row[at][1].shape[-1] for row in rows[: len(every[at::across])]) for at in range(across)
    ]
    high = HEIGHT * max(values.shape[-2] for values in maps.values())
    room = page - left - 0.12 * across
    return in_rows(rows, scale, label, page, [room * part / sum(most) for part in most], high)


def square_maps(
    rows: Rows, scale: Scale, label: str, extra: float = 0.0, clipped: bool = False
) -> tuple[Figure, list[list[Axes]]]:
    """A figure of square maps in `rows`; each needs `extra` inches on both axes, beside its ticks."""
    across = max(map(len, rows))
    page = style.sizes().single if across == 1 else style.sizes().double
    side = min((page - 0.3) / across - 0.35 - extra, SIDE, (TALLEST - 1) / len(rows) - 0.5 - extra)
    figure, axes = in_rows(rows, scale, label, page, [side] * across, side + extra, clipped)
    for panel in (panel for row in axes for panel in row):
        panel.set_box_aspect(1)
    layout = figure.get_layout_engine()
    assert layout is not None
    # The room for words is known once maps are square, so the layout is solved once before it is drawn.
    layout.execute(figure)
    return figure, axes


def in_rows(
    rows: Rows,
    scale: Scale,
    label: str,
    page: float,
    widths: Sequence[float],
    height: float,
    clipped: bool = False,
) -> tuple[Figure, list[list[Axes]]]:
    """A figure of rows of maps (seed, row, column); `page`, `widths` and `height` are in inches.

    Maps beside or below each other write shared labels once.
    """
    titles = [
        [filled(title, room) for (title, _), room in zip(row, widths, strict=False)] for row in rows
    ]
    lines = [max(title.count("\n") for title in row) for row in titles]
    figure, grid = style.grid(
        [height + LINE * more for more in lines], len(widths), page, widths=widths
    )
    for y, row in enumerate(rows):
        for panel in grid[y][len(row) :]:
            panel.remove()
        for x, (_, values) in enumerate(row):
            cell = widths[x] / values.shape[-1], height / values.shape[-2]
            image = draw(grid[y][x], values, scale, cell)
            grid[y][x].set_title(titles[y][x])
            left = row[x - 1][1] if x else None
            below = rows[y + 1][x][1] if y + 1 < len(rows) and x < len(rows[y + 1]) else None
            grid[y][x].tick_params(
                labelleft=left is None or labels(left, 0) != labels(values, 0),
                labelbottom=below is None or labels(below, 1) != labels(values, 1),
            )
    every = [values for row in rows for _, values in row]
    style.colour_key(figure, image, label + _notes(every, scale), clipped)
    return figure, [panels[: len(row)] for panels, row in zip(grid, rows, strict=True)]


def _natural(values: xr.DataArray, scale: Scale) -> float:
    """The width of a map whose numbers and labels fit, inches."""
    finite = mean(values).values[np.isfinite(mean(values).values)].tolist()
    numbers = [scale.number(value, scale.precisions[-1]) for value in finite]
    columns = labels(values, 1)
    return len(columns) * max(0.3, widest(numbers) + 0.08, widest(columns) + 0.1)


def _page(left: float, width: float, maps: int) -> tuple[float, int]:
    """The width of the page, and the number of `maps` in a row, with `left` inches before the first."""
    most = max(1, min(maps, int((style.sizes().double - left) / width)))
    across = -(-maps // -(-maps // most))
    return (
        style.sizes().single
        if left + across * width <= style.sizes().single
        else style.sizes().double
    ), across


def filled(title: str, room: float) -> str:
    """`title` in lines of up to `room` inches; its line breaks stay."""
    characters = max(8, int(room / style.text_width("n", bold=True)))
    return "\n".join(textwrap.fill(line, characters) for line in title.split("\n"))


def _notes(maps: Iterable[xr.DataArray], scale: Scale) -> str:
    """The words of the key for marks that some of the maps have."""
    every = list(maps)
    below = not scale.signed and any((_shaded(values, scale) < 0).any() for values in every)
    return ", other colour: below 0" * below + ", hatched: not in every seed" * any(
        _thin(values).any() for values in every
    )


def _shaded(values: xr.DataArray, scale: Scale) -> np.ndarray:
    """Means as they are shaded: a share below 0 that is printed as 0 is shaded as 0."""
    table = mean(values).values.astype(float)
    hair = (table < 0) & (np.round(100 * table / scale.high) == 0) & (not scale.signed)
    return np.where(hair, 0.0, table)


def _thin(values: xr.DataArray, seeds_of_row: bool = False) -> np.ndarray:
    """Whether a mean is over some of the seeds alone (row, column): those of all rows, or of its own row."""
    if "seed" not in values.dims:
        return np.zeros(values.shape, dtype=bool)
    having = values.notnull().sum("seed").values
    whole = having.max(axis=1, keepdims=True) if seeds_of_row else values.sizes["seed"]
    return (having > 0) & (having < whole)


def draw(
    panel: Axes,
    values: xr.DataArray,
    scale: Scale,
    room: tuple[float, float],
    numbers: bool = True,
    seeds_of_row: bool = False,
) -> AxesImage:
    """Draw a map of `values` (seed, row, column) whose cells are about `room` (width, height; inches).

    The first row is at the top; of layers, the first is at the bottom, as models are drawn.  With
    `seeds_of_row` a row may have fewer seeds than another.
    """
    from matplotlib import colormaps
    from matplotlib.colors import to_hex

    table, thin = _shaded(values, scale), _thin(values, seeds_of_row)
    shades = colormaps[style.DIVERGING if scale.signed else style.SHADES]
    image = panel.imshow(
        table,
        cmap=shades.with_extremes(bad=style.PALE, under=None if scale.signed else BELOW),
        vmin=-scale.high if scale.signed else 0,
        vmax=scale.high,
        interpolation="nearest",
        aspect="auto",
    )
    panel.spines[:].set_visible(True)
    panel.tick_params(length=0)
    if str(values.dims[-2]).endswith("layer"):
        panel.invert_yaxis()
    _name(panel, values, room)
    for row, column in np.argwhere(thin):
        hatch(panel, (column - 0.5, row - 0.5), 1, 1)
    words = scale.numbers(table, room) if numbers else None
    for (row, column), word in zip(np.ndindex(table.shape), words or [], strict=False):
        missing = not np.isfinite(table[row, column])
        back = style.PALE if missing else to_hex(tuple(image.to_rgba(table[row, column])))
        box = {"facecolor": back, "edgecolor": "none", "pad": 1.0} if thin[row, column] else None
        color = style.GREY if missing else style.ink(back)
        panel.text(column, row, word, color=color, ha="center", va="center_baseline", bbox=box)
    return image


def _name(panel: Axes, values: xr.DataArray, room: tuple[float, float]) -> None:
    """Label rows and columns, as many as fit."""
    for axis, ticks in ((0, panel.set_yticks), (1, panel.set_xticks)):
        words = labels(values, axis)
        needed = widest(words) + 0.06 if axis else LINE
        extent = room[1 - axis] * len(words)
        every = style.few(words, max(1, int(extent / needed + 0.1)))
        ticks(every, [words[at] for at in every])


def to_largest(values: xr.DataArray, cut: float = 0.0) -> xr.DataArray:
    """Signed `values` as shares of the largest, where the share `cut` of values does not count as largest."""
    return values / style.signed_limit([values], cut)


def hatch(panel: Axes, corner: tuple[float, float], width: float, height: float) -> None:
    """Mark a cell whose evidence is thin."""
    from matplotlib.patches import Rectangle

    panel.add_patch(
        Rectangle(
            corner, width, height, facecolor="none", edgecolor="white", hatch="////", linewidth=0
        )
    )


def by_head(values: xr.DataArray, layer: str = "layer") -> xr.DataArray:
    """`values` with layer and head as one dim `layer`, labelled "layer.head", or "layer" if each has one head.

    Layers and heads without a value are left out.
    """
    head = layer.replace("layer", "head")
    there = style.present(values, layer, head)
    heads = len({number for _, number in there})
    places = {dim: xr.DataArray([place[at] for place in there], dims="place")
              for at, dim in enumerate((layer, head))}  # fmt: skip
    names = [f"{at}.{number}" if heads > 1 else str(at) for at, number in there]
    chosen = values.sel(places).drop_vars([layer, head]).rename(place=layer)
    return chosen.assign_coords({layer: names})


def labels(values: xr.DataArray, axis: int) -> list[str]:
    """The labels of the rows (`axis` 0) or the columns (1); labels of columns are broken at every space."""
    words = [str(each) for each in values[values.dims[axis - 2]].values.tolist()]
    return [word.replace(" ", "\n") for word in words] if axis else words


def widest(words: Iterable[str]) -> float:
    """The width of the longest line, inches."""
    return max(
        (style.text_width(line) for word in set(words) for line in word.split("\n")), default=0.0
    )
