"""Figures of the inside of a model say what the data says: arcs of attention, queries and keys in a plane."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from drawing import draw, labels, legible, random, words
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure

from interpflow import style
from interpflow.plots import attention_arcs, query_key_plane

pytestmark = pytest.mark.filterwarnings("error")

WORDS = np.array([["(", "[", "]", ")"], ["(", ")", "", ""]])
AT = {"layer": 0, "head": 1}


def activations(seeds: int = 1) -> xr.Dataset:
    """As `analyses.activations` returns them, of one experiment: the second example has two tokens."""
    draws = random("activations")
    shape = (1, seeds, 1, 2, 1, 2)  # experiment, seed, step, example, layer, head
    dims = ("experiment", "seed", "step", "shown_example", "layer", "head")
    attention = draws.uniform(size=(*shape, 4, 4)) * np.tri(4)
    attention /= attention.sum(-1, keepdims=True)
    places = {
        name: ((*dims, "position", "axis"), draws.normal(size=(*shape, 4, 2)))
        for name in ("query_place", "key_place")
    }
    there = xr.DataArray(WORDS != "", dims=("shown_example", "position"))
    found = xr.Dataset(
        {
            "attention": ((*dims, "query", "key"), attention),
            "word": (("experiment", "shown_example", "position"), WORDS[None]),
            "depth": (("experiment", "shown_example", "position"), [[[1, 2, 1, 0], [1, 0, -1, -1]]]),
            **places,
        },
        {"experiment": ["one"], "seed": range(seeds), "step": [9], "shown_example": ["test 2", "test 5"],
         "layer": [0], "head": [0, 1], "position": range(4), "query": range(4), "key": range(4),
         "axis": ["across", "up"]},
    )  # fmt: skip
    for name in places:
        found[name] = found[name].where(there)
    query, key = (there.rename(position=dim) for dim in ("query", "key"))
    found["attention"] = found["attention"].where(query & key)
    return found


def arcs(figure: Figure) -> dict[tuple[int, int], float]:
    """The width of the arc from each query to each key."""
    (axes,) = figure.axes
    ends = {}
    for patch in axes.patches:
        points = patch.get_path().vertices
        ends[int(points[0][0]), int(points[-1][0])] = patch.get_linewidth()
    return ends


def attended(data: xr.Dataset, **at: Any) -> np.ndarray:
    return data["attention"].sel(experiment="one", seed=0, step=9, **at).values


def test_an_arc_leads_from_each_query_to_what_it_attends_to_and_is_the_wider_the_more():
    data = activations()
    figure = draw(attention_arcs, data, select={"shown_example": "test 2", **AT})
    weights = attended(data, shown_example="test 2", **AT)
    least = min(attention_arcs.FAINT, weights.max() / 2)
    found = arcs(figure)
    assert {*found} == {(q, k) for q, k in np.ndindex(4, 4) if weights[q, k] >= least}
    by_width = sorted(found, key=found.__getitem__)
    assert by_width == sorted(found, key=lambda ends: weights[ends])
    (axes,) = figure.axes
    assert labels(axes, "x") == WORDS[0].tolist()


def test_of_several_heads_an_arc_is_the_most_of_all_and_a_position_has_its_own_alone():
    data = activations()
    figure = draw(attention_arcs, data, position=1, select={"shown_example": "test 5", "layer": 0})
    weights = attended(data, shown_example="test 5", layer=0).max(0)[:2, :2]
    assert {*arcs(figure)} == {
        (q, k) for q, k in np.ndindex(2, 2) if weights[q, k] >= attention_arcs.FAINT and 1 in (q, k)
    }


def test_arcs_of_long_examples_are_legible_and_mean_attention_has_positions_for_words():
    data = activations().drop_vars(["word", "query_place", "key_place", "depth"])
    data = data.isel(shown_example=0, drop=True).drop_dims("position")
    for times in (1, 20):
        wide = xr.concat([data] * times, "key").assign_coords(key=range(4 * times))
        (axes,) = draw(attention_arcs, wide, select=AT).axes
        assert labels(axes, "x")[:2] == ["0", "1"] if times == 1 else len(labels(axes, "x")) <= 80


def marks(axes: Axes) -> dict[tuple[float, float], str]:
    """The colour of each mark of a scatter, by its place."""
    return {
        (round(float(x), 6), round(float(y), 6)): to_hex(colour)
        for collection in axes.collections
        for (x, y), colour in zip(collection.get_offsets(), collection.get_facecolors(), strict=True)
    }  # fmt: skip


def place(data: xr.Dataset, name: str, example: str, position: int) -> tuple[float, float]:
    at = data[name].sel(experiment="one", seed=0, step=9, **AT)
    x, y = at.sel(shown_example=example, position=position).values
    return round(float(x), 6), round(float(y), 6)


def test_several_examples_share_a_plane_in_the_colours_of_a_state():
    data = activations()
    both = {**AT, "shown_example": ["test 2", "test 5"]}
    figure = draw(query_key_plane, data, colours="depth", select=both)
    legible(figure)
    (axes,) = figure.axes
    found = marks(axes)
    assert len(found) == 12
    depths = {"test 2": [1, 2, 1, 0], "test 5": [1, 0]}
    colours = dict(zip((0, 1, 2), query_key_plane.COLOURS, strict=False))
    for example, states in depths.items():
        for position, depth in enumerate(states):
            for name in ("query_place", "key_place"):
                assert found[place(data, name, example, position)] == colours[depth].lower()
    for depth in map(str, (0, 1, 2)):
        assert depth in words(figure)


@pytest.mark.parametrize("colours", ["word", "position", "shown_example"])
def test_words_positions_and_examples_colour_too(colours):
    both = {**AT, "shown_example": ["test 2", "test 5"]}
    figure = draw(query_key_plane, activations(), colours=colours, select=both)
    assert (
        len({*marks(figure.axes[0]).values()})
        == {"word": 4, "position": 4, "shown_example": 2}[colours]
    )


def test_more_numbers_than_colours_are_shades_of_one_scale():
    data = activations()
    many = xr.DataArray(np.arange(8).reshape(1, 2, 4) * 3.0, dims=data["depth"].dims)
    some = query_key_plane.COLOURS
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(query_key_plane, "COLOURS", some[:3])
        figure = draw(
            query_key_plane, data.assign(depth=many), colours="depth",
            select={**AT, "shown_example": ["test 2", "test 5"]},
        )  # fmt: skip
    assert len({*marks(figure.axes[0]).values()}) == 6
    assert "depth 0" in words(figure).lower()
    assert "depth 15" in words(figure).lower()


def test_lines_lead_from_the_query_of_the_example_that_is_named():
    data = activations()
    figure = draw(
        query_key_plane, data, position=1, example="test 5", colours="depth",
        select={**AT, "shown_example": ["test 2", "test 5"]},
    )  # fmt: skip
    lines = [line.get_xydata() for line in figure.axes[0].lines if line.get_color() == style.GREY]
    starts = {tuple(np.round(line[0], 6)) for line in lines}
    assert starts == {place(data, "query_place", "test 5", 1)}
    ends = {tuple(np.round(line[1], 6)) for line in lines}
    weights = attended(data, shown_example="test 5", query=1, **AT)
    assert ends == {place(data, "key_place", "test 5", k) for k in (0, 1) if weights[k] > 0.02}
