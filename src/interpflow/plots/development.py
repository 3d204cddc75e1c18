"""The course of training: curves of one experiment below each other, with stages and what heads copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Annotated, Any, Self

import numpy as np
import xarray as xr
from pydantic import Field, model_validator

from interpflow import style
from interpflow.nearest import way_out
from interpflow.plots import _copying, _stages
from interpflow.plots._curves import Curve, curve
from interpflow.plots._panels import Line, Panel, Shown, within
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Options(Shown):
    """Which curves are shown, of which model; stages are drawn if their analysis is among the figure's data."""

    panels: Annotated[dict[str, dict[str, Line]], Field(min_length=1)]  # title: {label: curve}
    log: list[str] = []  # titles of panels with a logarithmic axis
    copying: Panel | None = None  # copying of each head of one seed, by the method `head_modes`

    @model_validator(mode="after")
    def _axes_of_panels(self) -> Self:
        for title in self.log:
            if title not in self.panels:
                raise ValueError(
                    f"log: no panel '{title}'; there are: {way_out(title, self.panels)}"
                )
        return self


LINES = style.Look("thin: each seed; thick: mean over seeds", style.BLACK)
UNSOUND = style.Look("unsound chains", style.BLACK, "o", line="", fill="white", size=5)
FAILED = style.Look("unsound chains: no estimate", style.BLACK, "X", line="", size=5)
STRIP, ROW, IMAGE = 0.17, 0.62, 0.95  # heights, inches
FEW_STEPS = 30  # up to this number, checkpoints are dots on the mean


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """A thin line for each seed, and a thick line for the mean where every seed has a value.

    Stages are bands between the medians, over seeds, of their boundaries.
    """
    panels = _panels(data, options)
    if not panels:
        return style.nothing("The experiment of this figure is not in the data.")
    model = Shown(experiment=_experiment(panels), seed=options.seed)
    boundaries = _stages.boundaries(data, _experiment(panels))
    images = _copying.images(data, within(options.copying, model)) if options.copying else {}
    heights = [STRIP] * (boundaries is not None) + [ROW] * len(panels) + [IMAGE] * len(images)
    figure, grid = style.grid(heights, share="x")
    axes = [row[0] for row in grid]
    rows = axes[1:] if boundaries is not None else axes
    drawn = [line.values for lines in panels.values() for line in lines.values()]
    style.training_steps(
        axes[0], np.concatenate([each["step"] for each in (*drawn, *images.values())])
    )
    used = [LINES] * any(values.sizes["seed"] > 1 for values in drawn)
    for panel, (title, lines) in zip(rows, panels.items(), strict=False):
        panel.set_title(title, fontweight="normal")
        used += _draw(panel, lines, title in options.log)
    for panel, (title, values) in zip(rows[len(panels) :], images.items(), strict=True):
        panel.set_title(title, fontweight="normal", y=1)  # beside the key, not above it
        image = _copying.draw(panel, values)
        if panel is rows[len(panels)]:
            _copying.key(panel, image)
    if boundaries is not None:
        used += _stages.draw(axes[0], rows[: len(panels)], rows, boundaries)
    for panel in axes[:-1]:
        panel.tick_params(labelbottom=False)
    axes[-1].set_xlabel("Training step")
    style.key(figure, *dict.fromkeys(used))
    return figure


def _panels(data: Mapping[str, xr.Dataset], options: Options) -> dict[str, dict[str, Curve]]:
    """The curves of each panel that has some, all of the experiment of the first curve."""
    found: dict[str, dict[str, Curve]] = {}
    figure = within(Panel(), options)
    for title, lines in options.panels.items():
        for label, line in lines.items():
            one = curve(data, line, figure, "step", f"panels.{title}.{label}")
            if one is not None and "step" in one.values.dims:
                found.setdefault(title, {})[label] = one
                figure = figure.model_copy(update={"experiment": one.place["experiment"]})
    return found


def _experiment(panels: Mapping[str, Mapping[str, Curve]]) -> str:
    return str(next(iter(next(iter(panels.values())).values())).place["experiment"])


def _draw(panel: Axes, curves: Mapping[str, Curve], log: bool) -> list[style.Look]:
    """Draw the curves of one panel; return the marks of failed estimates that were drawn."""
    from matplotlib.lines import Line2D

    looks = {label: replace(look, marker="") for label, look in style.looks(curves).items()}
    used = []
    for label, line in curves.items():
        used += _line(panel, line, looks[label], log)
    _axis(panel, log)
    if len(curves) > 1:
        panel.legend(
            handles=[
                Line2D([], [], color=look.color, linewidth=1.8, label=look.label)
                for look in looks.values()
            ],
            loc="lower right",
            bbox_to_anchor=(1, 1),
            borderaxespad=0,
            ncols=len(looks),
        )
    return used


def _line(panel: Axes, line: Curve, look: style.Look, log: bool) -> list[style.Look]:
    """Draw one curve, broken where a value is missing; return the marks of failed estimates that were drawn."""
    values = line.values.where(line.values > 0) if log else line.values
    unsound = _unsound(line)
    seeds = values["seed"].values
    if len(seeds) > 1:
        panel.plot(values["step"], values.T, color=look.color, linewidth=0.6, alpha=0.55)
    few = values.sizes["step"] <= FEW_STEPS
    dots: dict[str, Any] = {"marker": "o", "markersize": 2.5} if few else {}
    mean = values.mean("seed", skipna=False)
    panel.plot(mean["step"], mean, color=look.color, linewidth=1.8, **dots)
    used = []
    for there, mark in ((values.notnull(), UNSOUND), (values.isnull(), FAILED)):
        for seed in seeds:
            bad = (unsound & there).sel(seed=seed).values
            if bad.any():
                drawn = {**replace(mark, color=look.color).drawn, "clip_on": False, "zorder": 3}
                _mark(panel, values.sel(seed=seed)[bad], drawn)
                used.append(mark)
    return used


def _mark(panel: Axes, values: xr.DataArray, drawn: dict[str, Any]) -> None:
    """Mark failed estimates at their value, or at the foot of the panel if they have none."""
    if values.notnull().all():
        panel.plot(values["step"], values, **drawn)
    else:
        foot = panel.get_xaxis_transform()
        panel.plot(values["step"], [0.06] * values.size, **drawn, transform=foot)


def _unsound(line: Curve) -> xr.DataArray:
    """Whether an LLC estimate (seed, step) rests on unsound chains; false for other variables."""
    found, nowhere = line.dataset, xr.zeros_like(line.values, dtype=bool)
    if not line.line.variable.startswith("llc") or not {"sound_chains", "diverged"} <= set(found):
        return nowhere
    here = found[["sound_chains", "diverged"]]
    here = here.sel(
        {dim: label for dim, label in line.place.items() if dim in here.dims and dim != "chain"}
    )
    unsound: xr.DataArray = here["sound_chains"] < here["diverged"].notnull().sum("chain")
    return unsound.transpose("seed", "step").reindex_like(nowhere, fill_value=False)


def _axis(panel: Axes, log: bool) -> None:
    """Set up the y axis: logarithmic if `log`, and values span a factor of ten."""
    from matplotlib.ticker import LogLocator

    low, high = panel.dataLim.intervaly
    if log and high >= 10 * low > 0:
        panel.set_yscale("log")
        panel.yaxis.set_major_locator(LogLocator(numticks=4))
        panel.yaxis.set_major_formatter(lambda value, _: style.number(value))
        panel.yaxis.set_minor_formatter("")
        panel.tick_params(axis="y", which="minor", left=False)
    else:
        panel.locator_params(axis="y", nbins=3)
    panel.grid(axis="y")
