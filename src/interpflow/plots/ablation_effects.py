"""Effects of ablating a head: changes of accuracy, loss and confidence, against the intact model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Literal

import xarray as xr

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.plots._modes import HEAD_MODES
from interpflow.plots._panels import Panels, Shown, dataset, find, panels
from interpflow.selection import Analysis
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure
    from pandas import DataFrame

Measure = Literal[
    "accuracy", "prediction_accuracy", "loss", "entropy", "confidence", "calibration_error"
]


DRAWS = ("ablation", "head")


class Options(Panels):
    """Which models and measures are shown; the first of the figure's data has the ablations."""

    measures: list[Measure] = ["accuracy", "loss", "entropy", "calibration_error"]
    # An analysis by the method `head_modes`, among the figure's data.  With it, a row is a mode, with the heads
    # of this mode of all panels and seeds.
    by_mode: Analysis | None = None
    labels: dict[Measure, str] = {}  # measure: words for it, above its panels


ABLATIONS = {
    "zero": style.Look("zero ablation", style.BLUE, "o", line="", size=4.5),
    "mean": style.Look("mean ablation", style.ORANGE, "D", line="", size=4.5),
    "resample": style.Look("resample ablation", style.PURPLE, "^", line="", size=4.5),
}
ONE = style.Look("one seed", style.GREY, "o", line="", size=2.5)
LANE = 0.17  # inches
LONG = 6  # characters; of longer numbers fewer stand along an axis
BAND = "#f4f4f4"  # behind every second row


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """A column for each measure: means with one standard deviation, and a small dot for each seed."""
    found = panels(data, options, "accuracy")
    if not found:
        return style.nothing("No head of these experiments is in the data.")
    tables = {title: _table(here, options.measures) for title, here in found.items()}
    if options.by_mode is not None:
        tables = {"": _by_mode(tables, dataset(data, options.by_mode, "by_mode"))}
    several = any(table.groupby(["row", "ablation"]).size().max() > 1 for table in tables.values())
    kinds = [
        kind
        for kind in ABLATIONS
        if any((table["ablation"] == kind).any() for table in tables.values())
    ]
    heights = [
        max(0.35, LANE * len(kinds) * table["row"].nunique()) + 0.1 for table in tables.values()
    ]
    figure, axes = style.grid(heights, len(options.measures), share="x")
    for (title, table), line in zip(tables.items(), axes, strict=True):
        for panel, measure in zip(line, options.measures, strict=True):
            _draw(panel, table, measure, kinds)
            panel.tick_params(axis="y", length=0, labelleft=panel is line[0])
            panel.tick_params(axis="x", labelbottom=line is axes[-1])
            panel.set_title(
                _words(next(iter(found.values()))[measure], options), fontweight="normal"
            )
        if title:
            style.heading(line[0], title)
    figure.supxlabel("Change where a head is ablated, against the intact model")
    style.key(figure, *(ABLATIONS[kind] for kind in kinds), *([ONE] if several else []))
    return figure


def _table(here: xr.Dataset, measures: Sequence[Measure]) -> DataFrame:
    """A row for each head, seed and ablation: the change of each measure, and the name of the head."""
    changes = {name: here[name] - here[f"intact_{name}"] for name in measures}
    # Another experiment may have an ablation, a seed or a head more.
    table = xr.Dataset(changes).to_dataframe().dropna(how="all").reset_index()
    layers = table["layer"].astype(str) + "." if table["layer"].nunique() > 1 else ""
    return table.sort_values(["layer", "head"]).assign(
        row="Head " + layers + table["head"].astype(str)
    )


def _by_mode(tables: Mapping[str, DataFrame], modes: xr.Dataset) -> DataFrame:
    """The heads of all tables in rows of one mode, with their number; heads without a mode are left out."""
    import pandas as pd

    table = pd.concat(tables.values())
    if table["layer"].any():
        raise InterpflowError("by_mode: modes are of the heads of one layer, ablations of several")
    last = {
        name: find({"": modes}, Shown(experiment=name), "head_mode")
        for name in table["experiment"].unique()
    }
    named = [here["head_mode"].to_dataframe() for here in last.values() if here is not None]
    keys = ["experiment", "seed", "head"]
    mode = pd.concat(named).reset_index()[[*keys, "head_mode"]]
    table = table.merge(mode, on=keys)
    heads = table.drop_duplicates(keys)["head_mode"].value_counts()
    names = {
        mode: f"{style.readable(mode)} (n = {heads[mode]})" for mode in HEAD_MODES if mode in heads
    }
    ordered = table.set_index("head_mode").loc[list(names)].reset_index()
    return ordered.assign(row=ordered["head_mode"].map(names))


def _draw(panel: Axes, table: DataFrame, measure: str, kinds: Sequence[str]) -> None:
    """Draw the changes of one measure: rows of heads, in each a lane for each ablation."""
    import seaborn

    rows = table["row"].unique().tolist()
    panel.axvline(0, color=style.BLACK, linewidth=0.8, zorder=1)
    for y in range(1, len(rows), 2):
        panel.axhspan(y - 0.5, y + 0.5, color=BAND, linewidth=0, zorder=0)
    shared = {
        "data": table, "x": measure, "y": "row", "hue": "ablation", "order": rows, "hue_order": kinds,
        "palette": {kind: ABLATIONS[kind].color for kind in kinds}, "orient": "y", "ax": panel, "legend": False,
    }  # fmt: skip
    several = table.groupby(["row", "ablation"]).size().max() > 1
    if several:
        seaborn.stripplot(
            **shared, dodge=True, jitter=False, size=ONE.size, alpha=0.5, clip_on=False
        )
    seaborn.pointplot(
        **shared,
        dodge=0.8 * (1 - 1 / len(kinds)),
        errorbar="sd",
        linestyle="none",
        markers=[ABLATIONS[kind].marker for kind in kinds],
        markersize=4.5,
        markeredgewidth=0,
        err_kws={"linewidth": 0.8},
    )
    panel.set(xlabel="", ylabel="", ylim=(len(rows) - 0.5, -0.5))
    panel.locator_params(axis="x", nbins=4)
    words = panel.xaxis.get_major_formatter().format_ticks(panel.get_xticks().tolist())
    if max(map(len, words)) > LONG:
        panel.locator_params(axis="x", nbins=2)
    panel.grid(axis="x")
    panel.spines["left"].set_visible(False)


def _words(array: xr.DataArray, options: Options) -> str:
    units = array.attrs.get("units", "1")
    name = str(array.name)
    words = next(
        (w for measure, w in options.labels.items() if measure == name), style.readable(name)
    )
    return words if units == "1" else f"{words} ({units})"
