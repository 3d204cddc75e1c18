"""OV and QK circuits of every head as heat maps: a row for each model, two maps for each head."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Annotated, Any, Literal

import xarray as xr
from pydantic import Field, NonNegativeInt

from interpflow import style
from interpflow.plots._experiments import at_last_step, experiments
from interpflow.plots.base import choose
from interpflow.section import Section
from interpflow.spec.study import Claim

if TYPE_CHECKING:
    from matplotlib.axes import Axes
    from matplotlib.figure import Figure


class Model(Section):
    """One trained model."""

    experiment: str
    seed: NonNegativeInt | None = None  # the first if not given
    step: NonNegativeInt | None = None  # the last if not given


class Options(Section):
    """Which models are shown, and how."""

    panels: dict[str, Model] = {}  # title: model; if none, the first seed of every experiment
    tokens: Literal["shared", "all"] = "shared"  # those that go in and come out, or every token
    scale: Literal["figure", "model"] = "figure"  # one for all, or to each model's largest value
    cut: Annotated[float, Field(ge=0, lt=1)] = 0.001  # share of values beyond the ends of the scale


KINDS = {"ov": "OV", "qk": "QK"}
LEFT, RIGHT, TOP, BOTTOM = 0.55, 0.06, 0.66, 0.4  # around all maps, inches
KEY = 0.3  # from one key to the next below
ACROSS, DOWN = 0.22, 0.42  # between two maps
BETWEEN = 0.18  # models whose OV and QK stand in two rows: their titles need room under a label
TALLEST = 8.8


def plot(data: Mapping[str, xr.Dataset], options: Options, claims: Sequence[Claim]) -> Figure:
    """`ov` and `qk`, red where positive; two heads share a row, more have OV above QK."""
    from matplotlib.figure import Figure

    (found,) = data.values()
    models = _models(found, options)
    if not models:
        return style.nothing("No model of these panels is in the data.")
    heads = max(_heads(model) for model in models.values())
    beside = heads <= 2
    columns, rows = (2 * heads, len(models)) if beside else (heads, 2 * len(models))
    width = style.SINGLE if columns <= 2 else style.DOUBLE
    keys = len(KINDS) if width == style.SINGLE else 1  # rows of them
    margin = TOP + (keys - 1) * KEY
    across = (width - LEFT - RIGHT - (columns - 1) * ACROSS) / columns
    gaps = (rows - 1) * DOWN + (0 if beside else (len(models) - 1) * BETWEEN)
    side = min(across, (TALLEST - margin - BOTTOM - gaps) / rows)
    height = margin + BOTTOM + rows * side + gaps
    pitch = side + DOWN if beside else 2 * (side + DOWN) + BETWEEN
    figure = Figure(figsize=(width, height))
    common = {kind: _limit(models.values(), kind, options) for kind in KINDS}
    images: dict[str, Any] = {}
    for at, (title, model) in enumerate(models.items()):
        top = height - margin - at * pitch
        words = f"{title} (seed {model['seed'].item()}, step {model['step'].item():,})"
        figure.text(LEFT / width, (top + 0.21) / height, words, fontweight="bold")
        for kind, name in KINDS.items():
            limit, unit = common[kind], 1.0
            if options.scale == "model":
                limit, unit = 1.0, _limit([model], kind, options)
            for head in range(_heads(model)):
                second = list(KINDS).index(kind)
                row, column = (0, 2 * head + second) if beside else (second, head)
                x, y = LEFT + column * (side + ACROSS), top - side - row * (side + DOWN)
                panel = figure.add_axes((x / width, y / height, side / width, side / height))
                images[kind] = _map(panel, model[kind].isel(head=head) / unit, limit)
                panel.set_title(f"Head {head}, {name}", fontweight="normal")
                last = at == len(models) - 1
                panel.tick_params(labelleft=column == 0, labelbottom=last and (beside or row == 1))
                if beside and not last:
                    panel.set_xlabel("")
                if not beside and column:
                    panel.set_ylabel("")
    for place, (kind, image) in enumerate(images.items()):
        down, along = (place, 0) if keys > 1 else (0, place)
        x, y = LEFT + along * (width - LEFT) / 2, height - 0.13 - down * KEY
        bar = figure.add_axes((x / width, y / height, 0.9 / width, 0.09 / height))
        style.signed_key(bar, image, _words(found[kind], options), clipped=options.cut > 0)
    return figure


def _models(found: xr.Dataset, options: Options) -> dict[str, xr.Dataset]:
    """The maps of each model, with the tokens that are shown of it, by its title."""
    there = style.present(found["ov"], "experiment")
    asked = options.panels or {style.readable(name): Model(experiment=name) for (name,) in there}
    kept = set(experiments(found, [model.experiment for model in asked.values()]))
    models = {}
    for title, model in asked.items():
        if model.experiment not in kept:
            continue
        maps = found.sel(experiment=model.experiment)
        seeds = [seed for (seed,) in style.present(maps["ov"], "seed")]
        if not seeds:
            continue
        maps = choose(maps, seed=seeds[0] if model.seed is None else model.seed)
        maps = at_last_step(maps, "ov") if model.step is None else choose(maps, step=model.step)
        if maps["ov"].notnull().any():
            models[title] = _tokens(maps, options)
    return models


def _tokens(maps: xr.Dataset, options: Options) -> xr.Dataset:
    """The maps of one model without what it lacks, tokens in order."""
    there = {
        dim: style.in_order(token for (token,) in style.present(maps[kind], dim))
        for kind, dims in (("ov", ("source", "output")), ("qk", ("query", "key")))
        for dim in dims
    }
    if options.tokens == "shared":
        shared = set(there["source"]) & set(there["output"])
        there = {dim: [token for token in kept if token in shared] for dim, kept in there.items()}
    return maps.sel(there)


def _heads(model: xr.Dataset) -> int:
    """How many heads the model has."""
    return max(1, int(model["ov"].notnull().any(("source", "output")).sum()))


def _limit(models: Any, kind: str, options: Options) -> float:
    return style.signed_limit([model[kind] for model in models], options.cut)


def _words(maps: xr.DataArray, options: Options) -> str:
    """What a key says: the kind of map, and its unit or what its values are."""
    units = maps.attrs.get("units", "1")
    unit = maps.attrs.get("long_name", "1") if units == "1" else units
    if options.scale == "model":
        unit = "share of largest"
    return f"{KINDS[str(maps.name)]} ({unit})"


def _map(panel: Axes, values: xr.DataArray, limit: float) -> Any:
    """One heat map, (row, column) as the dims of `values`, the first row at the top."""
    image = panel.imshow(
        values.values.astype(float),
        cmap=style.DIVERGING,
        vmin=-limit,
        vmax=limit,
        interpolation="nearest",
        aspect="auto",
    )
    panel.set_facecolor(style.PALE)
    panel.spines[:].set_visible(True)
    rows, columns = map(str, values.dims)
    for axis, dim in ((panel.yaxis, rows), (panel.xaxis, columns)):
        tokens = values[dim].values.tolist()
        ticks = style.few(tokens)
        axis.set_ticks(ticks, [str(tokens[tick]) for tick in ticks])
    panel.set_xlabel(f"{columns} token", labelpad=1)
    panel.set_ylabel(f"{rows} token", labelpad=1)
    return image
