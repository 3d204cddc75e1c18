"""What can be read where, as heat maps: places down, states across, a number in each cell."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr
from pydantic import NonNegativeInt

from interpflow import style
from interpflow.plots._cells import side_by_side
from interpflow.plots._experiments import dataset, experiments, of_seed, variable
from interpflow.plots._modes import ink
from interpflow.plots.base import choose
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage


class Panel(Section):
    """One map."""

    data: str | None = None  # an analysis by the method `probe`; the figure's first if not given
    experiment: str | None = None  # the first of that analysis if not given
    reads: dict[str, str] = {}  # label: read; all if none
    targets: dict[str, str] = {}  # label: target; all if none
    control: str = "none"
    hidden_layers: NonNegativeInt = 0  # of the probes
    seed: NonNegativeInt | None = None  # the mean over seeds if not given


class Options(Section):
    """Which maps there are, and what is in their cells."""

    panels: dict[str, Panel] = {}  # title: map; if none, one map of everything
    variable: str = "f1"  # with dims (seed, read, target, control, hidden_layers)
    x_label: str = "State read"
    y_label: str = "Read at"


CELL = 0.32  # height, inches


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """Means over seeds, or one."""
    maps = {
        title: cells
        for title, panel in (options.panels or {"": Panel()}).items()
        if (cells := _cells(data, panel, options.variable, f"panels.{title}")) is not None
    }
    if not maps:
        return style.nothing("No experiment of these maps is in the data.")
    rows = max(cells.sizes["read"] for cells in maps.values())
    figure, _ = side_by_side(maps, CELL * rows + 0.35, _width(maps), _map)
    style.axis_labels(figure, options.x_label, options.y_label)
    # The cells say their values: what these are is all that a key would add.
    words = style.axis_label(variable(next(iter(data.values())), options.variable, "variable"))
    figure.suptitle(words, x=0, ha="left", fontsize=style.TEXT)
    return figure


def _cells(
    data: Mapping[str, xr.Dataset], panel: Panel, name: str, option: str
) -> xr.DataArray | None:
    """Means over seeds (read, target), by the words for them; None where the experiment is not there."""
    found = dataset(data, panel.data or next(iter(data)), f"{option}.data")
    names = experiments(found, [panel.experiment] if panel.experiment else [])
    if not names:
        return None
    variable(found, name, "variable")
    here = choose(found.sel(experiment=names[0]), control=panel.control,
                  hidden_layers=panel.hidden_layers)[name]  # fmt: skip
    for dim, words in (("read", panel.reads), ("target", panel.targets)):
        for label in words.values():
            choose(found, **{dim: label})
        kept = words or {style.readable(label): label for (label,) in style.present(here, dim)}
        here = here.sel({dim: list(kept.values())}).assign_coords({dim: list(kept)})
    seeds = of_seed(here, panel.seed)
    return None if seeds is None else seeds.mean("seed").transpose("read", "target")


def _width(maps: Mapping[str, xr.DataArray]) -> float:
    """One column of print, or two where that has no room for the words around the cells."""

    def widest(words: Iterable[str]) -> float:
        return max(map(style.text_width, words))

    room = style.SINGLE - 0.35 - widest(maps[next(iter(maps))]["read"].values.tolist())
    needed = [
        max(
            style.text_width(title, bold=True) if title else 0,
            cells.sizes["target"] * (widest(cells["target"].values.tolist()) + 0.1),
        )
        for title, cells in maps.items()
    ]
    return style.SINGLE if len(maps) * max(needed) < room else style.DOUBLE


def _map(panel: Axes, cells: xr.DataArray) -> AxesImage:
    """One heat map, the first place at the top."""
    from matplotlib.colors import to_hex

    image = panel.imshow(
        cells.values, cmap=style.SHADES, vmin=0, vmax=1, interpolation="nearest", aspect="auto"
    )
    panel.set_facecolor(style.PALE)
    panel.spines[:].set_visible(True)
    for (row, column), value in np.ndenumerate(cells.values):
        there = np.isfinite(value)
        color = ink(to_hex(tuple(image.to_rgba(value)))) if there else style.GREY
        words = f"{value:.2f}" if there else "\N{EN DASH}"
        panel.text(column, row, words, color=color, ha="center", va="center")
    panel.set_xticks(range(cells.sizes["target"]), cells["target"].values.tolist())
    panel.set_yticks(range(cells.sizes["read"]), cells["read"].values.tolist())
    panel.tick_params(length=0)
    return image
