"""Attention scores of position embeddings against tokens, from the weights alone."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal, Self

import numpy as np
import xarray as xr
from pydantic import NonNegativeInt, model_validator

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.plots._cells import Scale, in_rows, labels
from interpflow.plots._panels import Line, Shown, find, first, within
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


class Marks(Line):
    """Positions that an analysis found, where a variable (seed, position) is not 0."""

    word: str = "marked"  # the word for them


class Options(Shown):
    """Which model and head are shown, with which positions and tokens, and which positions are marked."""

    # to_token: attention scores; attention: the attention that they come to.
    values: Literal["to_token", "attention"] = "to_token"
    tokens: Pattern = ".*"  # a regular expression of whole words
    positions: Range | None = None  # all if not given
    marked: Marks | None = None


_LABELS = {"to_token": "Attention score, above the mean of tokens", "attention": "Attention"}
ROW, COLUMN = 0.12, 0.19  # of one cell, inches


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """A cell for each position and token, scores red above the mean over tokens; marked positions in bold."""
    here = find(data, options, options.values)
    if here is None:
        return style.nothing("No scores of this experiment are in the data.")
    here = first(here, "seed", "layer", "head")
    shown = here[options.values].dropna("position", how="all")
    shown = shown.sel(
        token=[
            str(word) for word in here["token"].values if re.fullmatch(options.tokens, str(word))
        ]
    )
    shown = shown.dropna("token", how="all")
    if options.positions:
        shown = shown.sel(position=slice(options.positions.first, options.positions.last))
    if not shown.size:
        raise InterpflowError(
            f"no position of {options.positions} and token like {options.tokens!r} has a score"
        )
    shown = shown.transpose("position", "token")
    rows, columns = shown.shape
    width = (
        style.sizes().single
        if COLUMN * columns + 0.8 <= style.sizes().single
        else style.sizes().double
    )
    scale = Scale.of([shown], signed=options.values == "to_token")
    label = _LABELS[options.values]
    marked = _marked(data, options, here, shown)
    label += f"; bold: {options.marked.word}" if options.marked and marked.any() else ""
    figure, [[panel]] = in_rows([[("", shown)]], scale, label, width, [width - 0.8], ROW * rows)
    panel.set_yticks(range(rows), labels(shown, 0))
    for name in np.array(panel.get_yticklabels())[marked]:
        name.set(color=style.BLUE, fontweight="bold")
    panel.set_xlabel("Token")
    panel.set_ylabel("Position")
    return figure


def _marked(
    data: Mapping[str, xr.Dataset], options: Options, here: xr.Dataset, shown: xr.DataArray
) -> np.ndarray:
    """Whether each shown position is marked (position,); none is if the analysis lacks the model."""
    nowhere = np.zeros(shown.sizes["position"], dtype=bool)
    if options.marked is None:
        return nowhere
    name = options.marked.variable
    model = Shown(experiment=here["experiment"].item(), seed=int(here["seed"]))
    found = find(data, within(options.marked, model), name, "marked")
    if found is None:
        return nowhere
    there = first(found, "seed")[name].reindex(position=shown["position"].values)
    return there.fillna(0).values.astype(bool)
