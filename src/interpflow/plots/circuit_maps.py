"""OV and QK circuits of every head as heat maps: rows for each model, two maps for each head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import xarray as xr

from interpflow import style
from interpflow.plots._cells import Scale, square_maps, to_largest
from interpflow.plots._panels import Panels, first, panels
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


DRAWS = ("ov", "qk")


class Options(Panels):
    """Which models are shown."""


CUT = 0.001  # share of values beyond the ends of a map's colours
KINDS = {"ov": ("source", "output"), "qk": ("query", "key")}


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """`ov` and `qk` of one seed, red where positive, each map on a scale of its own.

    Up to two heads share a row; with more heads, a row of OV stands above a row of QK.
    """
    models = {
        title: _tokens(first(here, "seed")) for title, here in panels(data, options, "ov").items()
    }
    if not models:
        return style.nothing("No model of these panels is in the data.")
    most = max(model.sizes["head"] for model in models.values())
    rows: list[list[tuple[str, xr.DataArray]]] = []
    headings = {}
    for title, model in models.items():
        headings[len(rows)] = (
            f"{title} (seed {model['seed'].item()}, step {model['step'].item():,})"
        )
        maps = {
            kind: [_map(model[kind], head) for head in range(model.sizes["head"])] for kind in KINDS
        }
        rows += (
            [*maps.values()]
            if most > 2
            else [[each for pair in zip(*maps.values(), strict=True) for each in pair]]
        )
    figure, axes = square_maps(
        rows, Scale(1, True), "Share of the map's largest", 0.2, clipped=True
    )
    for at, words in headings.items():
        # Many models make small maps, whose titles take two lines.
        lines = 1 + max(panel.get_title("left").count("\n") for panel in axes[at])
        style.heading(axes[at][0], words, lines)
    for panels_, row in zip(axes, rows, strict=True):
        for panel, (_, values) in zip(panels_, row, strict=True):
            panel.set_xlabel(f"{values.dims[1]} token", labelpad=1)
            panel.set_ylabel(f"{values.dims[0]} token", labelpad=1)
    return figure


def _map(circuits: xr.DataArray, head: int) -> tuple[str, xr.DataArray]:
    """One map and its title."""
    return f"Head {head}, {str(circuits.name).upper()}", to_largest(circuits.isel(head=head), CUT)


def _tokens(model: xr.Dataset) -> xr.Dataset:
    """The circuits of one model, tokens in order; OV circuits have the tokens that are inputs and outputs."""
    there = {
        dim: style.in_order(token for (token,) in style.present(model[kind], dim))
        for kind, dims in KINDS.items()
        for dim in dims
    }
    shared = set(there["source"]) & set(there["output"])
    return model.sel(
        {
            dim: [token for token in tokens if dim not in KINDS["ov"] or token in shared]
            for dim, tokens in there.items()
        }
    )
