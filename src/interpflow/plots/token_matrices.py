"""Scores of queries against keys, token by token: a square map for each path, its own keys on the diagonal."""

from __future__ import annotations

import textwrap
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import xarray as xr
from pydantic import NonNegativeInt

from interpflow import style
from interpflow.plots._cells import key
from interpflow.plots._experiments import at_last_step, experiments
from interpflow.plots.base import choose
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from matplotlib.image import AxesImage


class Options(Section):
    """Of which model, and which paths."""

    experiment: str | None = None  # the first if not given
    seed: NonNegativeInt | None = None  # the first if not given
    step: NonNegativeInt | None = None  # the last if not given
    head: NonNegativeInt = 0
    paths: dict[str, str] = {}  # title: path; all if none
    x_label: str = "Key token"
    y_label: str = "Query token"


ACROSS, TALLEST = 4, 2.4  # maps beside each other, and the side of a map, inches
KEY = "Attention score (share of the map's largest)"


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """`scores` of one seed, red where positive, each path on a scale of its own.

    Over each map the share of queries whose own key scores highest.
    """
    (found,) = data.values()
    names = experiments(found, [options.experiment] if options.experiment else [])
    here = found.sel(experiment=names[:1]).squeeze("experiment") if names else None
    seeds = [] if here is None else style.present(here["scores"], "seed")
    if here is None or not seeds:
        return style.nothing("No scores of this experiment are in the data.")
    here = choose(
        here, seed=seeds[0][0] if options.seed is None else options.seed, head=options.head
    )
    here = at_last_step(here, "scores") if options.step is None else choose(here, step=options.step)
    for path in options.paths.values():
        choose(here, path=path)
    there = [path for (path,) in style.present(here["scores"], "path")]
    paths = options.paths or {style.readable(path): path for path in there}
    paths = {title: path for title, path in paths.items() if path in there}
    if not paths:
        return style.nothing("No scores of these paths are in the data.")
    columns = min(len(paths), ACROSS)
    width = style.SINGLE if columns == 1 else style.DOUBLE
    side = min(width / columns - 0.45, TALLEST)
    lines = -(-len(paths) // columns)
    figure, rows = style.grid([side + 0.3] * lines, columns, width)
    panels = [panel for row in rows for panel in row]
    for panel, (title, path) in zip(panels, paths.items(), strict=False):
        image = _map(panel, here.sel(path=path), side)
        share = float(here["diagonal_top"].sel(path=path))
        words = textwrap.fill(title, int(side / style.text_width("n", bold=True)))
        panel.set_title(f"{words}\nown key first: {share:.0%}")
    for panel in panels[len(paths) :]:
        panel.remove()
    key(figure, image, KEY)
    style.axis_labels(figure, options.x_label, options.y_label)
    return figure


def _map(panel: Axes, here: xr.Dataset, side: float) -> AxesImage:
    """One square map, the first query at the top."""
    scores = here["scores"].transpose("query", "key")
    size = int((here["query_word"] != "").sum())
    values = scores.values[:size, :size]
    limit = style.signed_limit([scores])
    image = panel.imshow(
        values / limit, cmap=style.DIVERGING, vmin=-1, vmax=1, interpolation="nearest"
    )
    panel.spines[:].set_visible(True)
    queries, keys = ([str(word) for word in here[f"{end}_word"].values] for end in ("query", "key"))
    broad = max(0.2, *(style.text_width(word) + 0.06 for word in keys[:size]))
    down, across = (style.few(range(size), max(4, int(side / room))) for room in (0.2, broad))
    panel.set_yticks(down, [queries[tick] for tick in down])
    panel.set_xticks(across, [keys[tick] for tick in across])
    panel.tick_params(length=0)
    return image
