"""A map of modes over two swept options: the modes in which the seeds of each cell end."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import xarray as xr

from interpflow import style
from interpflow.plots._cells import hatch
from interpflow.plots._modes import count, last_modes, looks
from interpflow.plots._panels import experiments, measured, variable
from interpflow.section import Section
from interpflow.selection import Coordinate, Experiment
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


DRAWS = ("mode",)


class Options(Section):
    """The swept coordinates along the axes."""

    x: Coordinate  # a swept coordinate
    y: Coordinate  # a second
    by: Coordinate | None = None  # a third: a panel for each value
    experiments: list[Experiment] = []  # names may end in *; all if not given
    labels: dict[Coordinate, str] = {}  # coordinate: words for it


THIN = style.Look("majority below 2/3, or fewer than 3 seeds", style.BLACK, hatch="////")
CELL = 0.36  # height, inches


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Each cell is filled with the shares of its modes, and holds the majority's number of seeds, of all."""
    found = next(iter(data.values()))
    cells: dict[Any, dict[tuple[Any, Any], list[str]]] = {}
    for name, panel, x, y in _places(found, options):
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
        len(cells), CELL * len(ys) + 0.1, style.sizes().double if wide else style.sizes().single
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
    if options.by is not None:
        style.titles(axes, [(_title(options, value),) for value in counts])
    style.axis_labels(figure, _named(options, options.x), _named(options, options.y))
    style.key(figure, *parts.values(), *([THIN] if thin else []))
    return figure


def _cell(
    panel: Axes, x: int, y: int, modes: dict[str, int], parts: Mapping[str, style.Look]
) -> bool:
    """Draw one cell; return whether its evidence is thin."""
    total, left = sum(modes.values()), x - 0.47
    ordered = sorted(modes.items(), key=lambda entry: -entry[1])
    (majority, most), *_ = ordered
    thin = total < 3 or 3 * most < 2 * total
    for mode, number in ordered:
        width = 0.94 * number / total
        panel.broken_barh([(left, width)], (y - 0.44, 0.88), color=parts[mode].color, linewidth=0)
        left += width
    if thin:
        hatch(panel, (x - 0.47, y - 0.44), 0.94, 0.88)
    color = parts[majority].color
    middle = x - 0.47 + 0.47 * most / total if 2 * most >= total else x
    box = {"facecolor": color, "edgecolor": "none", "pad": 1.2} if thin else None
    words = f"{most}/{total}"
    panel.text(middle, y - 0.02, words, ha="center", va="center", color=style.ink(color), bbox=box)
    return thin


def _places(found: xr.Dataset, options: Options) -> Iterator[tuple[str, Any, Any, Any]]:
    """Each experiment that has a place: its name, and its values along `by`, x and y."""
    names = experiments(found, options.experiments, "experiments")
    if not names:  # a scale that leaves out a sweep leaves out its coordinates, too
        return
    axes = {option: getattr(options, option) for option in ("by", "x", "y")}
    swept = [variable(found, axis, option) for option, axis in axes.items() if axis is not None]
    for name in names:
        values = [each.sel(experiment=name) for each in swept]
        if all(measured(value) for value in values):
            *panel, x, y = (value.item() for value in values)
            yield name, panel[0] if panel else "", x, y


def _word(value: Any) -> str:
    return style.number(value) if isinstance(value, int | float) else style.readable(str(value))


def _named(options: Options, name: str) -> str:
    return options.labels.get(name, style.readable(name))


def _title(options: Options, value: Any) -> str:
    return f"{_named(options, options.by or '')} {_word(value)}"
