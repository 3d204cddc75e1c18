"""What positions look for by themselves: scores of their embeddings against tokens, from the weights alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import xarray as xr
from pydantic import NonNegativeInt, model_validator

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.plots._experiments import at_last_step, dataset, experiments, variable
from interpflow.plots.base import choose
from interpflow.section import Pattern, Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Range(Section):
    """Positions from `first` to `last`."""

    first: NonNegativeInt
    last: NonNegativeInt

    @model_validator(mode="after")
    def _in_order(self) -> Self:
        if self.first > self.last:
            raise ValueError(f"first {self.first} is behind last {self.last}")
        return self


class Marks(Section):
    """Positions that an analysis found."""

    data: str  # one of the figure's
    variable: str  # (seed, position), not 0 at these
    word: str = "marked"  # what they are called


class Options(Section):
    """Of which model, which positions against which tokens, and which positions are marked."""

    # An analysis by the method `position_scores`; the figure's first if not given.
    scores: str | None = None
    experiment: str | None = None  # the first if not given
    seed: NonNegativeInt | None = None  # the first if not given
    layer: NonNegativeInt = 0
    head: NonNegativeInt = 0
    values: Literal["to_token", "attention"] = (
        "to_token"  # scores, or the attention that they come to
    )
    tokens: Pattern = ".*"  # a regular expression of whole words
    positions: Range | None = None  # all if not given
    marked: Marks | None = None


ROW, COLUMN = 0.12, 0.19  # of one cell, inches


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """A cell for each position and token, scores red above the mean over tokens; marked positions in bold."""
    scores = dataset(data, options.scores or next(iter(data)), "scores")
    names = experiments(scores, [options.experiment] if options.experiment else [])
    here = scores.sel(experiment=names[:1]).squeeze("experiment") if names else None
    seeds = [] if here is None else style.present(here[options.values], "seed")
    if here is None or not seeds:
        return style.nothing("No scores of this experiment are in the data.")
    seed = seeds[0][0] if options.seed is None else options.seed
    here = choose(here, seed=seed, layer=options.layer, head=options.head)
    shown = at_last_step(here, options.values)[options.values].dropna("position", how="all")
    words = [str(word) for word in shown["token"].values]
    matching = [word for word in words if re.fullmatch(options.tokens, word)]
    shown = shown.sel(token=matching).dropna("token", how="all")
    if options.positions:
        shown = shown.sel(position=slice(options.positions.first, options.positions.last))
    if not shown.size:
        raise InterpflowError(
            f"no position of {options.positions} and token like {options.tokens!r} has a score"
        )
    rows, columns = shown.sizes["position"], shown.sizes["token"]
    width = style.SINGLE if COLUMN * columns + 0.8 <= style.SINGLE else style.DOUBLE
    figure, (panel,) = style.panels(1, ROW * rows + 0.4, width)
    limit = style.signed_limit([shown])
    shades, low, high, meaning = {
        "to_token": (style.DIVERGING, -limit, limit, "Attention score, above the mean of tokens"),
        "attention": (style.SHADES, 0, 1, "Attention"),
    }[options.values]
    values = shown.transpose("position", "token").values
    image = panel.imshow(
        values, shades, vmin=low, vmax=high, aspect="auto", interpolation="nearest"
    )
    panel.spines[:].set_visible(True)
    marked = _marked(data, names[0], seed, shown, options.marked)
    panel.set_yticks(range(rows), [str(place) for place in shown["position"].values])
    named = [str(word) for word in shown["token"].values]
    room = (width - 0.8) / (max(map(style.text_width, named)) + 0.08)
    ticks = style.few(named, int(room))
    panel.set_xticks(ticks, [named[at] for at in ticks])
    panel.tick_params(length=0)
    for label in np.array(panel.get_yticklabels())[marked]:
        label.set(color=style.BLUE, fontweight="bold")
    if options.marked and marked.any():
        style.key(figure, style.Look(f"{options.marked.word} (bold)", style.BLUE, "s", line=""))
    panel.set_xlabel("Token")
    panel.set_ylabel("Position")
    style.shade_key(figure, [panel], image, meaning)
    return figure


def _marked(
    data: Mapping[str, xr.Dataset],
    experiment: str,
    seed: int,
    shown: xr.DataArray,
    wanted: Marks | None,
) -> np.ndarray:
    """Which of the shown positions are marked (position,); none of a model that was not looked at."""
    nowhere = np.zeros(shown.sizes["position"], dtype=bool)
    if wanted is None:
        return nowhere
    found = variable(dataset(data, wanted.data, "marked.data"), wanted.variable, "marked.variable")
    if experiment not in found["experiment"].values or seed not in found["seed"].values:
        return nowhere
    there = found.sel(experiment=experiment, seed=seed).reindex(position=shown["position"].values)
    return there.fillna(0).values.astype(bool)
