"""Scores of queries against keys, token by token: a square map for each path, own keys on the diagonal."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated

import xarray as xr

from interpflow import style
from interpflow.plots._cells import Scale, square_maps, to_largest
from interpflow.plots._panels import Shown, find, first
from interpflow.section import Names
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


DRAWS = ("scores", "diagonal_top", "query_word", "key_word")


class Options(Shown):
    """Which model is shown; `select` says which paths and which head."""

    labels: dict[Annotated[str, Names("path")], str] = {}  # path: words for it


ACROSS = 4  # maps beside each other


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """`scores` of one seed, red where positive, each path on a scale of its own.

    Over each map stands the share of queries whose own key scores highest.
    """
    here = find(data, options, "scores", along=["path"])
    if here is None:
        return style.nothing("No scores of this experiment are in the data.")
    maps = []
    for path in here["path"].values.tolist():
        one = first(here, "seed", "head").sel(path=path)
        share = float(one["diagonal_top"])
        title = options.labels.get(path, style.readable(path))
        maps.append((f"{title}\nown key first: {share:.0%}", to_largest(_scores(one))))
    rows = [maps[at : at + ACROSS] for at in range(0, len(maps), ACROSS)]
    figure, _ = square_maps(rows, Scale(1, True), "Attention score (share of the map's largest)")
    style.axis_labels(figure, "Key token", "Query token")
    return figure


def _scores(here: xr.Dataset) -> xr.DataArray:
    """Scores (query, key), with words as labels."""
    size = int((here["query_word"] != "").sum())
    scores = here["scores"].transpose("query", "key")[:size, :size]
    return scores.assign_coords(
        query=here["query_word"].values[:size], key=here["key_word"].values[:size]
    )
