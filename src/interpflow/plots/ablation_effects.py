"""What changes where a head is ablated: accuracy, loss and confidence, against the intact model."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Literal

import numpy as np
import xarray as xr

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.plots._experiments import at_last_step, dataset, experiments
from interpflow.plots._modes import HEAD_MODES
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure

Measure = Literal["accuracy", "loss", "entropy", "confidence", "calibration_error"]


class Options(Section):
    """Which models are shown, and what of them; the first of the figure's data has the ablations."""

    panels: dict[str, str] = {}  # title: experiment; if none, every experiment
    measures: list[Measure] = ["accuracy", "loss", "entropy", "calibration_error"]
    # An analysis by the method `head_modes`, among the figure's data: heads of all experiments and seeds
    # stand by their mode, not by their number.
    by_mode: str | None = None
    labels: dict[str, str] = {}  # measure: words for it, above its panels


ABLATIONS = {
    "zero": style.Look("zero ablation", style.BLUE, "o", line="", size=4.5),
    "mean": style.Look("mean ablation", style.ORANGE, "D", line="", size=4.5),
    "resample": style.Look("resample ablation", style.PURPLE, "^", line="", size=4.5),
}
ONE = style.Look("one seed", style.GREY, "o", line="", size=2.5)
LANE = 0.17  # inches
BAND = "#f4f4f4"  # behind every second row

Head = tuple[str, int, int, int]  # experiment, seed, layer, head


@dataclass(frozen=True)
class Row:
    """One line of a panel: heads that belong together."""

    label: str
    heads: list[Head]


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """A column for each measure: means with deviations, and a small dot for each seed."""
    found = next(iter(data.values()))
    groups = _groups(data, found, options)
    if not groups:
        return style.nothing("No head of these experiments is in the data.")
    there = [str(kind) for kind in found["ablation"].values]
    kinds = {kind: look for kind, look in ABLATIONS.items() if kind in there}
    single = True
    heights = [max(0.35, LANE * len(kinds) * len(rows)) for rows in groups.values()]
    figure, axes = style.grid(
        [height + 0.1 for height in heights], len(options.measures), share="x"
    )
    for (title, rows), panels in zip(groups.items(), axes, strict=True):
        for panel, measure in zip(panels, options.measures, strict=True):
            change = found[measure] - found[f"intact_{measure}"]
            panel.axvline(0, color=style.BLACK, linewidth=0.8, zorder=1)
            for y, row in enumerate(rows):
                if y % 2:
                    panel.axhspan(y - 0.5, y + 0.5, color=BAND, linewidth=0, zorder=0)
                for lane, (kind, look) in enumerate(kinds.items()):
                    values = np.array([_at(change, kind, *head) for head in row.heads])
                    middle = y + 0.76 * ((lane + 0.5) / len(kinds) - 0.5)
                    single &= len(values) < 2
                    _points(panel, values[np.isfinite(values)], middle, look)
            panel.set_ylim(len(rows) - 0.5, -0.5)
            panel.set_yticks(range(len(rows)), [row.label for row in rows])
            panel.tick_params(axis="y", length=0, labelleft=panel is panels[0])
            panel.tick_params(axis="x", labelbottom=panels is axes[-1])
            panel.locator_params(axis="x", nbins=4)
            panel.grid(axis="x")
            panel.spines["left"].set_visible(False)
            panel.set_title(_words(found, measure, options), fontweight="normal")
        if title:
            style.heading(panels[0], title)
    figure.supxlabel("Change where a head is ablated, against the intact model")
    style.key(figure, *kinds.values(), *(() if single else (ONE,)))
    return figure


def _points(panel: Axes, values: np.ndarray, y: float, look: style.Look) -> None:
    """The mean of `values` with its deviation, and small on the same line what it is a mean of."""
    if len(values) > 1:
        panel.plot(values, [y] * len(values), **replace(ONE, color=look.color).drawn, alpha=0.5)
    if len(values):
        mean, sd = style.mean_and_sd(xr.DataArray(values[None], dims=("row", "seed")))
        style.errorbar(panel, mean, [y], look, xerr=sd)


def _at(
    change: xr.DataArray, kind: str, experiment: str, seed: int, layer: int, head: int
) -> float:
    here = change.sel(experiment=experiment, seed=seed, ablation=kind)
    return float(here.isel(layer=layer, head=head))


def _words(found: xr.Dataset, measure: str, options: Options) -> str:
    units = found[measure].attrs.get("units", "1")
    words = options.labels.get(measure, style.readable(measure))
    return words if units == "1" else f"{words} ({units})"


def _groups(
    data: Mapping[str, xr.Dataset], found: xr.Dataset, options: Options
) -> dict[str, list[Row]]:
    """The rows of each group of panels, by its heading."""
    names = experiments(found, list(options.panels.values()))
    heads = {name: list(_heads(found, name)) for name in names}
    if options.by_mode is not None:
        modes = dataset(data, options.by_mode, "by_mode")
        return _by_mode(modes, [head for each in heads.values() for head in each])
    layers = len({layer for each in heads.values() for *_, layer, _ in each})
    titles = {name: title for title, name in options.panels.items()}
    groups = {}
    for name in names:
        rows: dict[str, list[Head]] = {}
        for head in heads[name]:
            label = f"Head {head[2]}.{head[3]}" if layers > 1 else f"Head {head[3]}"
            rows.setdefault(label, []).append(head)
        if rows:
            groups[titles.get(name, style.readable(name))] = [Row(*row) for row in rows.items()]
    return groups


def _heads(found: xr.Dataset, experiment: str) -> Iterator[Head]:
    """Every head that was ablated, seed by seed."""
    there = found["accuracy"].sel(experiment=experiment).notnull().any("ablation")
    there = there.transpose("layer", "head", "seed")
    for layer, head, seed in np.argwhere(there.values):
        yield experiment, int(there["seed"].values[seed]), int(layer), int(head)


def _by_mode(modes: xr.Dataset, heads: list[Head]) -> dict[str, list[Row]]:
    """One group: the heads of each mode, whatever their experiment, with their number."""
    if any(layer for *_, layer, _ in heads):
        raise InterpflowError("by_mode: modes are of the heads of one layer, ablations of several")
    rows: dict[str, list[Head]] = {}
    for head in heads:
        experiment, seed, _, place = head
        if experiment in modes["experiment"] and seed in modes["seed"]:
            last = at_last_step(modes.sel(experiment=experiment), "head_mode")
            mode = str(last["head_mode"].sel(seed=seed).isel(head=place).item())
            rows.setdefault(mode, []).append(head)
    ordered = [mode for mode in HEAD_MODES if mode in rows]
    named = [Row(f"{style.readable(mode)} (n = {len(rows[mode])})", rows[mode]) for mode in ordered]
    return {"": named} if named else {}
