"""A map of modes over two swept options: which mode seeds end in, cell by cell."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr
from pydantic import NonNegativeInt

from interpflow import style
from interpflow.plots._experiments import Fact, experiments, variable
from interpflow.plots._modes import count, ink, last_modes, looks
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Options(Section):
    """What the axes are; the first of the figure's data has the modes."""

    x: str | None = None  # a swept coordinate; or
    x_from: Fact | None = None  # a fact about the data, rounded to
    digits: NonNegativeInt = 1  # so many decimals, which makes one cell of near values
    y: str  # a swept coordinate
    panels: str | None = None  # a swept coordinate: a panel for each value
    experiments: list[str] = []  # names may end in *; all if not given
    labels: dict[str, str] = {}  # coordinate, or "mean <quantity>": words for it


THIN = style.Look("majority below 2/3, or fewer than 3 seeds", "#ffffff", "s", line="", size=7)
CELL = 0.36  # height, inches


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Each cell is filled with the shares of its modes; in it the majority's share, as numbers of seeds."""
    from matplotlib.patches import Patch

    found = next(iter(data.values()))
    cells: dict[Any, dict[tuple[Any, Any], list[str]]] = {}
    for name, panel, x, y in _places(data, found, options):
        modes = last_modes(found, name)
        if modes:
            cells.setdefault(panel, {}).setdefault((x, y), []).extend(modes)
    if not cells:
        return style.nothing("No experiment of this map has a place on both axes.")
    counts = {
        panel: {place: count(modes) for place, modes in grid.items()}
        for panel, grid in sorted(cells.items())
    }
    xs, ys = (sorted({place[axis] for grid in cells.values() for place in grid}) for axis in (0, 1))
    wide = len(cells) > 1 or len(xs) > 5
    figure, axes = style.panels(
        len(cells), CELL * len(ys) + 0.1, style.DOUBLE if wide else style.SINGLE
    )
    parts = looks(each for grid in counts.values() for each in grid.values())
    thin = False
    for panel, grid in zip(axes, counts.values(), strict=True):
        for (x, y), counted in grid.items():
            thin |= _cell(panel, xs.index(x), ys.index(y), counted, parts)
        panel.set_xlim(-0.5, len(xs) - 0.5)
        panel.set_ylim(-0.5, len(ys) - 0.5)
        panel.set_xticks(range(len(xs)), [_word(x) for x in xs])
        panel.set_yticks(range(len(ys)), [_word(y) for y in ys])
        panel.tick_params(length=0)
    if options.panels is not None:
        style.titles(axes, [(_title(options, value),) for value in counts])
    across = f"mean {options.x_from.quantity}" if options.x_from else options.x or ""
    style.axis_labels(figure, _named(options, across), _named(options, options.y))
    style.key(figure, *parts.values())
    if thin:
        (legend,) = figure.legends
        entry = Patch(facecolor="white", edgecolor=style.BLACK, hatch="////", linewidth=0.6)
        handles = [*legend.legend_handles, entry]
        labels = [*(text.get_text() for text in legend.get_texts()), THIN.label]
        legend.remove()
        figure.legend(
            handles=[handle for handle in handles if handle is not None],
            labels=labels,
            loc="outside upper left",
            ncols=3 if figure.get_figwidth() > style.SINGLE else 1,
        )
    return figure


def _cell(
    panel: Axes, x: int, y: int, modes: dict[str, int], parts: Mapping[str, style.Look]
) -> bool:
    """Draw one cell, and say whether its evidence is thin."""
    total, left = sum(modes.values()), x - 0.47
    ordered = sorted(modes.items(), key=lambda entry: -entry[1])
    (majority, most), *_ = ordered
    thin = total < 3 or 3 * most < 2 * total
    for mode, number in ordered:
        width = 0.94 * number / total
        panel.broken_barh([(left, width)], (y - 0.44, 0.88), color=parts[mode].color, linewidth=0)
        left += width
    if thin:
        panel.broken_barh(
            [(x - 0.47, 0.94)], (y - 0.44, 0.88), facecolor="none", edgecolor="white", hatch="////",
            linewidth=0,
        )  # fmt: skip
    color = parts[majority].color
    middle = x - 0.47 + 0.47 * most / total if 2 * most >= total else x
    box = {"facecolor": color, "edgecolor": "none", "pad": 1.2} if thin else None
    words = f"{most}/{total}"
    panel.text(middle, y - 0.02, words, ha="center", va="center", color=ink(color), bbox=box)
    return thin


def _places(
    data: Mapping[str, xr.Dataset], found: xr.Dataset, options: Options
) -> Iterator[tuple[str, Any, Any, Any]]:
    """Each experiment that has a place: its name, and its values for the panel, x and y."""
    names = experiments(found, options.experiments)
    if not names:  # a scale that leaves out a sweep leaves out its coordinates, too
        return
    if options.x_from is not None:
        x = options.x_from.find(data, "x_from").round(options.digits)
    else:
        x = variable(found, options.x or "", "x")
    y = variable(found, options.y, "y")
    panels = variable(found, options.panels, "panels") if options.panels else None
    for name in names:
        if name not in x["experiment"]:
            continue
        values = [x.sel(experiment=name), y.sel(experiment=name)]
        values += [] if panels is None else [panels.sel(experiment=name)]
        if all(bool(value.notnull()) and value.item() != "" for value in values):
            across, up, *panel = (value.item() for value in values)
            yield name, panel[0] if panel else "", across, up


def _word(value: Any) -> str:
    return style.number(value) if isinstance(value, int | float) else style.readable(str(value))


def _named(options: Options, name: str) -> str:
    return options.labels.get(name, style.readable(name))


def _title(options: Options, value: Any) -> str:
    return f"{_named(options, options.panels or '')} {_word(value)}"
