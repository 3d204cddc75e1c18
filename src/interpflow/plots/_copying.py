"""Images of the tokens that the heads of one model copy over training, blank where no head copies yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

import numpy as np
import xarray as xr

from interpflow import style
from interpflow.plots._panels import Panel, find, first

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.collections import QuadMesh


def images(data: Mapping[str, xr.Dataset], panel: Panel) -> dict[str, xr.DataArray]:
    """`relative_copying` (word, step) of each head of one seed, by the title of its image."""
    found = find(data, panel, "relative_copying", "copying", along=["step", "head", "word"])
    if found is None:
        return {}
    array = first(found, "seed")["relative_copying"].transpose("head", "word", "step")
    array = array.sel(word=style.in_order(array["word"].values.tolist()))
    return {
        f"What head {head} copies, seed {array['seed'].item()}": array.sel(head=head)
        for head in array["head"].values.tolist()
    }


LIMIT = 1.0  # the strength of the model; values beyond have the same colour


def draw(panel: Axes, values: xr.DataArray) -> QuadMesh:
    """Draw an image whose columns meet halfway between steps, as the axis has them."""
    steps = values["step"].values.astype(float)
    scale = panel.xaxis.get_transform()
    at = scale.transform(steps)
    low, high = scale.transform(np.array(panel.get_xlim(), dtype=float))
    edges = scale.inverted().transform(np.array([low, *(at[1:] + at[:-1]) / 2, high]))
    words = values["word"].values.tolist()
    rows = np.arange(len(words) + 1) - 0.5
    image = panel.pcolormesh(
        edges, rows, values.values, cmap=style.DIVERGING, vmin=-LIMIT, vmax=LIMIT, rasterized=True
    )
    ticks = style.few(words)
    panel.set_yticks(ticks, [str(words[tick]) for tick in ticks])
    panel.set_ylim(len(words) - 0.5, -0.5)
    panel.set_ylabel("Token")
    return image


def key(panel: Axes, image: QuadMesh) -> None:
    """Draw the key of the colours, over the right end of the first image."""
    figure = panel.get_figure(root=True)
    assert figure is not None
    bar = panel.inset_axes((0.62, 1.07, 0.12, 0.09))
    figure.colorbar(image, cax=bar, orientation="horizontal", ticks=[])
    end = style.number(LIMIT)
    for words, x, apart, align in (
        (f"\u2212{end}", 0, -3, "right"),
        (f"{end} of the model's strength", 1, 3, "left"),
    ):
        bar.annotate(
            words, (x, 0.5), (apart, 0), "axes fraction", "offset points", ha=align, va="center"
        )
