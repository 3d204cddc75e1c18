"""Training as it went: curves of one experiment below each other, with its stages and what heads copy."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import xarray as xr
from pydantic import Field, NonNegativeInt

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.plots._experiments import dataset, experiments, variable
from interpflow.plots.base import choose
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Curve(Section):
    """A variable over training steps; curves with the same `panel` are drawn in one."""

    data: str  # an analysis among the figure's data
    variable: str
    select: dict[str, str | int | float] = {}  # coordinate: value, for every further dim
    label: str | None = None  # what the variable is called if not given
    panel: str | None = None  # the words over the panel; the label if not given
    log: bool = False  # whether y is logarithmic


class Copying(Section):
    """What each head copies over training, as one row of images."""

    data: str  # an analysis by the method `head_modes`
    seed: NonNegativeInt | None = None  # the first if not given


class Options(Section):
    """Which experiment and which curves; stages are drawn where their analysis is among the data."""

    experiment: str | None = None  # the first that the first curve has, if not given
    rows: list[Curve] = Field(min_length=1)
    copying: Copying | None = None


LINES = style.Look("thin: each seed; thick: mean over seeds", style.BLACK)
BOUNDARY = style.Look("a stage of one seed begins", style.BLACK, "|", line="", size=5)
PARTLY = style.Look("(2/3) in so many of the seeds", style.GREY, line="")
UNSOUND = style.Look("unsound chains", style.BLACK, "o", line="", fill="white", size=5)
FAILED = style.Look("unsound chains: no estimate", style.BLACK, "X", line="", size=5)
BANDS = ("#ffffff", "#ececec")
STRIP, ROW, IMAGE = 0.17, 0.62, 0.95  # heights, inches
FEW_STEPS = 30  # up to so many, checkpoints are dots on the mean
ACROSS = 6.2  # about the width of a panel, inches


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """A thin line for each seed and a thick one for their mean, where every seed has a value.

    Bands run between the medians over seeds of the boundaries of stages.
    """
    arrays = [_curve(data, row, at) for at, row in enumerate(options.rows)]
    names = [name for (name,) in style.present(arrays[0], "experiment")]
    if options.experiment is not None:
        asked = experiments(arrays[0].to_dataset(name="y"), [options.experiment])
        names = [name for name in asked if name in names]
    if not names:
        return style.nothing("The experiment of this figure is not in the data.")
    panels: dict[str, list[tuple[Curve, xr.DataArray]]] = {}
    for row, array in zip(options.rows, arrays, strict=True):
        if (names[0],) in style.present(array, "experiment"):
            title = row.panel or row.label or style.axis_label(array)
            panels.setdefault(title, []).append((row, array.sel(experiment=names[0])))
    boundaries = _boundaries(data, names[0])
    images = _images(data, options, names[0])

    heights = [STRIP] * (boundaries is not None) + [ROW] * len(panels) + [IMAGE] * len(images)
    figure, grid = style.grid(heights, share="x")
    axes = [row[0] for row in grid]
    rows = axes[1:] if boundaries is not None else axes
    steps = np.concatenate(
        [
            *(array["step"].values for each in panels.values() for _, array in each),
            *(image["step"].values for image in images.values()),
        ]
    )
    style.training_steps(axes[0], steps)
    several = [array for each in panels.values() for _, array in each if _seeds(array) > 1]
    used = [LINES] if several else []
    for panel, (title, curves) in zip(rows, panels.items(), strict=False):
        panel.set_title(title, fontweight="normal")
        used += _draw(panel, data, curves)
    limit = style.signed_limit(images.values())
    for at, (panel, (title, values)) in enumerate(
        zip(rows[len(panels) :], images.items(), strict=True)
    ):
        panel.set_title(title, fontweight="normal", y=1)  # beside the key, not above it
        image = _image(panel, values, limit)
        if at == 0:
            _image_key(panel, image, limit, values)
    if boundaries is not None:
        used += _stages(axes[0], rows, len(panels), boundaries)
    for panel in axes[:-1]:
        panel.tick_params(labelbottom=False)
    axes[-1].set_xlabel("Training step")
    style.key(figure, *dict.fromkeys(used))
    return figure


def _seeds(array: xr.DataArray) -> int:
    return len(style.present(array, "seed"))


def _curve(data: Mapping[str, xr.Dataset], row: Curve, at: int) -> xr.DataArray:
    """One curve of all experiments, without steps at which nothing was measured."""
    option = f"rows[{at}]"
    found = dataset(data, row.data, f"{option}.data")
    variable(found, row.variable, f"{option}.variable")
    for name in row.select:
        variable(found, name, f"{option}.select")
    array = choose(found, **row.select)[row.variable]  # type: ignore[arg-type]
    wrong = {str(dim) for dim in array.dims} ^ {"experiment", "seed", "step"}
    if wrong:
        raise InterpflowError(
            f"{option}: {row.variable} does not run along experiment, seed and step alone; "
            f"select one value of {', '.join(sorted(wrong))}"
        )
    return array.astype(float)


def _draw(
    panel: Axes, data: Mapping[str, xr.Dataset], curves: list[tuple[Curve, xr.DataArray]]
) -> list[style.Look]:
    """Draw the curves of one panel, and say which marks of failed estimates it took."""
    from matplotlib.lines import Line2D
    from matplotlib.ticker import LogLocator

    names = [row.label or style.axis_label(array) for row, array in curves]
    looks = list(style.looks(names).values())
    used = []
    for (row, array), look in zip(curves, looks, strict=True):
        look = replace(look, marker="", color=look.color if len(curves) > 1 else style.BLUE)
        values = array.where(array > 0) if row.log else array
        unsound = _unsound(data[row.data], row, values)
        seeds = values["seed"].values[(values.notnull() | unsound).any("step").values]
        values = values.sel(seed=seeds).isel(step=(values.notnull() | unsound).any("seed").values)
        # Lines break where a value is missing, so that nothing is drawn that was not measured.
        dots: dict[str, Any] = (
            {"marker": "o", "markersize": 2.5} if values.sizes["step"] <= FEW_STEPS else {}
        )
        for seed in seeds if len(seeds) > 1 else ():
            line = values.sel(seed=seed)
            panel.plot(line["step"], line, color=look.color, linewidth=0.6, alpha=0.55)
        mean = values.mean("seed", skipna=False)
        panel.plot(mean["step"], mean, color=look.color, linewidth=1.8, **dots)
        for seed in seeds:
            bad = unsound.sel(seed=seed, step=values["step"])
            used += _mark(panel, values.sel(seed=seed), bad, look)
    low, high = panel.dataLim.intervaly
    if any(row.log for row, _ in curves) and high >= 10 * low > 0:
        panel.set_yscale("log")
        panel.yaxis.set_major_locator(LogLocator(numticks=4))
        panel.yaxis.set_major_formatter(lambda value, _: style.number(value))
        panel.yaxis.set_minor_formatter("")
        panel.tick_params(axis="y", which="minor", left=False)
    else:
        panel.locator_params(axis="y", nbins=3)
    panel.grid(axis="y")
    if len(curves) > 1:
        panel.legend(
            handles=[
                Line2D([], [], color=look.color, linewidth=1.8, label=look.label) for look in looks
            ],
            loc="lower right",
            bbox_to_anchor=(1, 1),
            borderaxespad=0,
            ncols=len(looks),
        )
    return used


def _unsound(found: xr.Dataset, row: Curve, values: xr.DataArray) -> xr.DataArray:
    """Where an estimate (seed, step) rests on chains that are not all sound; nowhere for measurements."""
    nowhere = xr.zeros_like(values, dtype=bool)
    if not row.variable.startswith("llc") or not {"sound_chains", "diverged"} <= set(found):
        return nowhere
    here = {"experiment": values["experiment"].item()}
    here |= {name: value for name, value in row.select.items() if name != "chain"}
    chains = found["diverged"].sel(here).notnull().sum("chain")
    unsound: xr.DataArray = found["sound_chains"].sel(here) < chains
    return unsound.transpose("seed", "step").reindex_like(values, fill_value=False)


def _mark(
    panel: Axes, values: xr.DataArray, unsound: xr.DataArray, look: style.Look
) -> list[style.Look]:
    """Mark the estimates of one seed that do not stand, and say with what."""
    used = []
    there = unsound & values.notnull()
    if there.any():
        drawn = {**replace(UNSOUND, color=look.color).drawn, "clip_on": False, "zorder": 3}
        panel.plot(values["step"][there], values[there], **drawn)
        used.append(UNSOUND)
    failed = unsound & values.isnull()
    if failed.any():
        drawn = {**replace(FAILED, color=look.color).drawn, "clip_on": False, "zorder": 3}
        steps = values["step"][failed]
        panel.plot(steps, [0.06] * len(steps), **drawn, transform=panel.get_xaxis_transform())
        used.append(FAILED)
    return used


def _boundaries(data: Mapping[str, xr.Dataset], experiment: str) -> xr.DataArray | None:
    """Where stages begin (seed, stage), if the figure's data and the experiment have stages."""
    for found in data.values():
        if "boundary" in found and experiment in found["experiment"]:
            boundary = found["boundary"].sel(experiment=experiment)
            boundary = boundary.dropna("seed", how="all").dropna("stage", how="all")
            return boundary if boundary.size else None
    return None


def _stages(
    strip: Axes, panels: Sequence[Axes], curves: int, boundary: xr.DataArray
) -> list[style.Look]:
    """Draw bands of stages in a strip with their numbers and in the first `curves` panels, ticks in all."""
    seeds = boundary.sizes["seed"]
    having = boundary.notnull().sum("seed")
    usual = boundary.isel(stage=(2 * having >= seeds).values)
    starts = np.maximum.accumulate(usual.median("seed").values)
    left, right = strip.get_xlim()
    edges = [left, *starts[1:].clip(left, right), right]
    scale = strip.xaxis.get_transform()
    at = scale.transform(np.array(edges, dtype=float))
    inches = np.diff(at) / (at[-1] - at[0]) * ACROSS
    used = [BOUNDARY]
    for place, stage in enumerate(usual["stage"].values):
        low, high = edges[place], edges[place + 1]
        for panel in (strip, *panels[:curves]):
            panel.axvspan(low, high, color=BANDS[place % 2], linewidth=0, zorder=0)
        number, words = int(having.sel(stage=stage)), str(stage)
        if number < seeds:
            longer = f"{words} ({number}/{seeds})"
            if style.text_width(longer) + 0.04 < inches[place]:
                words, used = longer, [*used, PARTLY]
        if style.text_width(words) < inches[place]:
            middle = scale.inverted().transform(np.array([(at[place] + at[place + 1]) / 2]))
            strip.text(float(middle[0]), 0.5, words, ha="center", va="center")
    ticks = boundary.isel(stage=slice(1, None)).values.ravel()
    ticks = ticks[(ticks >= left) & (ticks <= right)]
    for panel in panels:
        panel.plot(
            ticks, [0.95] * len(ticks), **BOUNDARY.drawn, alpha=0.6,
            transform=panel.get_xaxis_transform(),
        )  # fmt: skip
    strip.plot([left, right], [0, 0], color=style.GREY, linewidth=0.6)
    strip.set_ylim(0, 1)
    strip.set_yticks([])
    strip.spines[:].set_visible(False)
    strip.tick_params(which="both", bottom=False)
    strip.set_ylabel("Stage", rotation=0, ha="right", va="center")
    return used


def _images(
    data: Mapping[str, xr.Dataset], options: Options, experiment: str
) -> dict[str, xr.DataArray]:
    """What each head of one seed copies, (word, step), by the words over it."""
    if options.copying is None:
        return {}
    found = dataset(data, options.copying.data, "copying.data")
    if experiment not in found["experiment"]:
        return {}
    array = variable(found, "copying", "copying.data").sel(experiment=experiment)
    seeds = [seed for (seed,) in style.present(array, "seed")]
    if not seeds:
        return {}
    seed = seeds[0] if options.copying.seed is None else options.copying.seed
    array = choose(array.to_dataset(), seed=seed)["copying"]
    words = style.in_order(word for (word,) in style.present(array, "word"))
    array = array.sel(word=words).dropna("step", how="all").transpose("head", "word", "step")
    return {
        f"What head {head} copies, seed {seed}": array.isel(head=head)
        for head in range(array.sizes["head"])
        if array.isel(head=head).notnull().any()
    }


def _image(panel: Axes, values: xr.DataArray, limit: float) -> Any:
    """An image whose columns reach halfway, on the axis, to the steps beside them."""
    steps = values["step"].values.astype(float)
    scale = panel.xaxis.get_transform()
    at = scale.transform(steps)
    low, high = scale.transform(np.array(panel.get_xlim(), dtype=float))
    edges = scale.inverted().transform(np.array([low, *(at[1:] + at[:-1]) / 2, high]))
    words = values["word"].values.tolist()
    image = panel.pcolormesh(
        edges,
        np.arange(len(words) + 1) - 0.5,
        values.values,
        cmap=style.DIVERGING,
        vmin=-limit,
        vmax=limit,
        rasterized=True,
    )
    ticks = style.few(words)
    panel.set_yticks(ticks, [str(words[tick]) for tick in ticks])
    panel.set_ylim(len(words) - 0.5, -0.5)
    panel.set_ylabel("Token")
    return image


def _image_key(panel: Axes, image: Any, limit: float, values: xr.DataArray) -> None:
    """What the colours of images mean, at the right end over the first."""
    figure = panel.get_figure(root=True)
    assert figure is not None
    bar = panel.inset_axes((0.62, 1.07, 0.12, 0.09))
    figure.colorbar(image, cax=bar, orientation="horizontal", ticks=[])
    words = f"{style.number(limit)} {values.attrs.get('units', '')}, copying of a token"
    bar.annotate(
        f"\u2212{style.number(limit)}", (0, 0.5), (-3, 0), "axes fraction", "offset points",
        ha="right", va="center",
    )  # fmt: skip
    bar.annotate(words, (1, 0.5), (3, 0), "axes fraction", "offset points", va="center")
