"""Which heads read what earlier ones write: composition scores above chance, layer by layer."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import xarray as xr
from pydantic import NonNegativeInt

from interpflow import style
from interpflow.plots._cells import HEIGHT, by_head, cells, key
from interpflow.plots._experiments import at_last_step, experiments
from interpflow.plots.base import choose
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.figure import Figure


class Options(Section):
    """Whose heads, and which kinds of composition."""

    experiment: str | None = None  # the first if not given
    step: NonNegativeInt | None = None  # the last if not given
    kinds: list[Literal["Q", "K", "V"]] = ["Q", "K", "V"]


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """`excess` as means over seeds, a panel for each kind: later heads down, earlier ones across."""
    (found,) = data.values()
    names = experiments(found, [options.experiment] if options.experiment else [])
    if not names or not found["excess"].sel(experiment=names[0]).notnull().any():
        return style.nothing("No composition of this experiment is in the data.")
    here = found.sel(experiment=names[0])
    here = at_last_step(here, "excess") if options.step is None else choose(here, step=options.step)
    mean = here["excess"].mean("seed").sel(kind=options.kinds)
    mean = by_head(by_head(mean), "earlier_layer", "earlier_head")
    mean = mean.transpose("kind", "layer", "earlier_layer")
    limit = style.signed_limit([mean])
    figure, (maps,) = style.grid([HEIGHT * mean.sizes["layer"]], len(options.kinds))
    for panel, kind in zip(maps, options.kinds, strict=True):
        image = cells(panel, mean.sel(kind=kind), limit)
        panel.set_title(f"{kind}-composition")
        panel.tick_params(labelleft=panel is maps[0])
    key(figure, image, style.axis_label(found["excess"]))
    style.axis_labels(figure, "Layer that writes", "Layer that reads")
    return figure
