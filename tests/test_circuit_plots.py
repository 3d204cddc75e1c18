"""Figures of circuits, modes, stages and LLC say what the data says, and can be read in print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import combinations
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.figure import Figure
from matplotlib.text import Text

from interpflow import figures, plugins, style
from interpflow.errors import InterpflowError
from interpflow.plots import circuit_maps
from interpflow.stages.collect import collect
from interpflow.variables import describe

pytestmark = pytest.mark.filterwarnings("error")

STEPS = [0, 16, 32, 64, 125, 250, 500, 1000, 2000, 4000, 8000, 16000]


# Findings of the right shape.


def random(*address: Any) -> np.random.Generator:
    return np.random.default_rng([*repr(address).encode()])


def copying(kind: str, heads: int, words: int, progress: float, draw: Any) -> np.ndarray:
    """Copying (head, word) of a model of some `kind` that is `progress` far into its training."""
    place = np.arange(words)
    rows = []
    for head in range(heads):
        if kind == "suppression":
            row = np.full(words, 9.0 if head == 0 else -4.0 * progress)
        elif kind == "splitting":
            owner = (place * heads * 2 // words + (place > words * 0.7)) % heads
            row = np.where(owner == head, 9.0, 9.0 - 10.0 * progress)
        else:
            row = np.full(words, 7.0)
        rows.append(row * min(1.0, 2 * progress) + draw.normal(0, 0.5, words))
    return np.array(rows)


def circuits(
    kind: str = "splitting",
    heads: int = 2,
    words: int = 64,
    seeds: int = 1,
    steps: Sequence[int] = (8000,),
) -> xr.Dataset:
    """As `analyses.circuits` returns them."""
    draw = random("circuits", kind, heads, words)
    tokens = [*map(str, range(words)), "|"]
    ov = draw.normal(0, 0.8, (seeds, len(steps), heads, words + 1, words))
    qk = draw.normal(0, 0.8, (seeds, len(steps), heads, words + 1, words + 1))
    query, key = np.mgrid[: words + 1, : words + 1]
    ahead = np.where(key > query, 6 * np.exp(-(key - query) / 12), -5 * np.exp(-(query - key) / 30))
    for seed, step, head in np.ndindex(seeds, len(steps), heads):
        diagonal = copying(kind, heads, words, 1.0, draw)[head]
        ov[seed, step, head, range(words), range(words)] += diagonal
        qk[seed, step, head] += ahead * (0.8 if head else 1)
    return xr.Dataset(
        {
            "ov": (("seed", "step", "head", "source", "output"), ov),
            "qk": (("seed", "step", "head", "query", "key"), qk),
        },
        {
            "seed": range(seeds), "step": list(steps), "head": range(heads),
            "source": tokens, "output": tokens[:-1], "query": tokens, "key": tokens,
        },
    )  # fmt: skip


def join(
    method: str, parts: Mapping[str, xr.Dataset], coords: Mapping[str, dict[str, Any]] | None = None
) -> xr.Dataset:
    """Findings as figures get them."""
    table = plugins.load(plugins.ANALYSIS, method).VARIABLES
    described = {name: describe(part, table, method) for name, part in parts.items()}
    return collect(described, {name: (coords or {}).get(name, {}) for name in parts})


def draw(module: Any, *data: xr.Dataset, names: Sequence[str] = (), **options: Any) -> Figure:
    """The figure of datasets, called `first` and `second` unless they have `names`."""
    named = dict(zip(names or ("first", "second", "third"), data, strict=False))
    with figures.style():
        made = module.plot(named, module.Options(**options), [])
        made.draw_without_rendering()
    assert isinstance(made, Figure)
    return made


# What a figure shows.


def texts(figure: Figure) -> list[Text]:
    """All text that is drawn; of tick labels those within the axis."""
    hidden = {
        label
        for axes in figure.axes
        for axis in (axes.xaxis, axes.yaxis)
        for tick in (*axis.get_major_ticks(), *axis.get_minor_ticks())
        for label in (tick.label1, tick.label2)
        if not min(axis.get_view_interval()) <= tick.get_loc() <= max(axis.get_view_interval())
        or not axes.axison
    }
    found = figure.findobj(lambda artist: isinstance(artist, Text) and artist not in hidden)
    return [
        text
        for text in found
        if isinstance(text, Text) and text.get_visible() and text.get_text().strip()
    ]


def words(figure: Figure) -> str:
    """All that is written."""
    return "\n".join(text.get_text() for text in texts(figure))


def legible(figure: Figure) -> None:
    """No text leaves the page or lies on another, none is small, and no panel is empty."""
    seen = {text: text.get_window_extent() for text in texts(figure)}
    page = figure.bbox.padded(1)
    for text, box in seen.items():
        assert page.containsx(box.x0) and page.containsx(box.x1), text
        assert page.containsy(box.y0) and page.containsy(box.y1), text
        assert text.get_fontsize() == style.TEXT
    for one, other in combinations(seen, 2):
        overlap = seen[one].intersection(seen[one], seen[other])
        assert overlap is None or min(overlap.width, overlap.height) < 1, (one, other)
    assert figure.get_figwidth() in (style.SINGLE, style.DOUBLE)
    assert figure.get_figheight() < 9
    for axes in figure.axes:
        lines = [np.isfinite(np.asarray(line.get_ydata(), float)).any() for line in axes.lines]
        assert any(lines) or axes.images or axes.collections, axes


# Circuit maps.


@pytest.mark.parametrize("heads", [1, 2, 3, 4])
@pytest.mark.parametrize("scale", ["figure", "model"])
def test_circuit_maps_are_legible(heads: int, scale: str) -> None:
    data = join("circuits", {"one": circuits(heads=heads, words=12), "other": circuits(words=20)})
    legible(draw(circuit_maps, data, scale=scale))
    legible(draw(circuit_maps, data.isel(experiment=[0]), panels={"A": {"experiment": "one"}}))


def test_circuit_maps_leave_out_what_only_goes_in() -> None:
    data = join("circuits", {"one": circuits(words=12), "wider": circuits(words=20)})
    assert data["output"].values.tolist()[:3] == ["0", "1", "10"]  # joining sorted them as text
    for tokens, shape in (("shared", (12, 12)), ("all", (13, 12))):
        figure = draw(circuit_maps, data, panels={"A": {"experiment": "one"}}, tokens=tokens)
        image = figure.axes[0].images[0].get_array()
        assert image is not None and image.shape == shape
        diagonal = np.abs(np.asarray(image)[range(12), range(12)]).mean()
        assert diagonal > 3 * np.abs(np.asarray(image)).mean()


def test_circuit_maps_are_centred_and_share_a_scale_by_kind() -> None:
    data = join("circuits", {"one": circuits(words=12, seeds=2), "other": circuits("suppression")})
    images = [axes.images[0] for axes in draw(circuit_maps, data).axes if axes.images]
    ends = {image.get_clim() for image in images}
    assert len(ends) == 2
    assert all(low == -high for low, high in ends)


def test_circuit_maps_take_the_last_step_that_an_experiment_has() -> None:
    parts = {"one": circuits(words=12, steps=(0, 10)), "long": circuits(words=12, steps=(0, 99))}
    written = words(draw(circuit_maps, join("circuits", parts)))
    assert "step 10)" in written and "step 99)" in written


def test_a_misspelt_experiment_is_an_error_and_one_that_a_scale_leaves_out_is_not() -> None:
    data = join("circuits", {"baseline": circuits(words=12), "heads_2": circuits(words=12)})
    with pytest.raises(InterpflowError, match=r"no 'baselin' .* mean 'baseline'"):
        draw(circuit_maps, data, panels={"A": {"experiment": "baselin"}})
    panels = {"A": {"experiment": "baseline"}, "B": {"experiment": "heads_4"}}
    assert "B (" not in words(draw(circuit_maps, data, panels=panels))
    (text,) = texts(draw(circuit_maps, data, panels={"B": {"experiment": "elsewhere"}}))
    assert "No model" in text.get_text()
    with pytest.raises(InterpflowError, match="seed: no 7"):
        draw(circuit_maps, data, panels={"A": {"experiment": "baseline", "seed": 7}})
