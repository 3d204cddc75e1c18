"""Figures of attention to states, token scores, contributions and composition say what the data says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from test_circuit_plots import draw, join, legible, random, words

from interpflow.errors import InterpflowError
from interpflow.plots import (
    climb_map,
    composition_map,
    contributions,
    position_map,
    token_matrices,
)

pytestmark = pytest.mark.filterwarnings("error")


def climb(
    seeds: int = 3, layers: int = 6, pairs: int = 8, heads: int = 1, steps: tuple[int, ...] = (0, 9)
) -> xr.Dataset:
    """As `analyses.attention_to_state` returns them: a diagonal that is clear at the last step."""
    draws = random("climb", seeds, layers)
    layer, pair = np.mgrid[:layers, :pairs]
    clear = np.where(layer == pair + 1, 0.9, 0.03)
    size = (seeds, len(steps), layers, heads, pairs)
    mass = (clear[:, None] * np.linspace(0.1, 1, len(steps))[:, None, None, None]
            + draws.uniform(0, 0.05, size))  # fmt: skip
    groups = np.stack([mass, mass], -1)
    groups[..., 4:, 0] = np.nan
    dims = ("seed", "step", "layer", "head", "pair")
    return xr.Dataset(
        {
            "attention": (dims, mass),
            "top": (dims, mass.clip(0, 1)),
            "group_attention": ((*dims, "group"), groups),
        },
        {"seed": range(seeds), "step": list(steps), "layer": range(layers), "head": range(heads),
         "pair": [f"up {distance}" for distance in range(pairs)], "group": [3, 7]},
    )  # fmt: skip


def scores(nodes: int = 16, paths: int = 3, seeds: int = 2) -> xr.Dataset:
    """As `analyses.token_scores` returns them; the last path has half the tokens."""
    draws = random("scores", nodes, paths)
    dims = ("seed", "step", "path", "head")
    found = draws.normal(0, 0.3, (seeds, 1, paths, 1, nodes, nodes))
    found[..., range(nodes), range(nodes)] += 2
    found[:, :, -1, :, nodes // 2 :] = np.nan
    found[:, :, -1, :, :, nodes // 2 :] = np.nan
    named = np.array([[str(node) for node in range(nodes)]] * paths, dtype=object)
    named[-1, nodes // 2 :] = ""
    keys = np.array([[f">{word}" if word else "" for word in row] for row in named], dtype=object)
    return xr.Dataset(
        {
            "scores": ((*dims, "query", "key"), found),
            "diagonal_top": (dims, np.full((seeds, 1, paths, 1), 0.875)),
            "diagonal_contrast": (dims, np.full((seeds, 1, paths, 1), 5.0)),
            "query_word": (("path", "query"), named.astype(str)),
            "key_word": (("path", "key"), keys.astype(str)),
        },
        {"seed": range(seeds), "step": [9], "path": [f"path_{at}" for at in range(paths)],
         "head": [0], "query": range(nodes), "key": range(nodes)},
    )  # fmt: skip


def by_position(positions: int = 64, words: int = 35, seeds: int = 2) -> xr.Dataset:
    """As `analyses.position_scores` returns them."""
    draws = random("positions", positions)
    dims = ("seed", "step", "layer", "head", "position")
    size = (seeds, 1, 1, 1, positions)
    return xr.Dataset(
        {
            "to_token": ((*dims, "token"), draws.normal(0, 1, (*size, words))),
            "attention": ((*dims, "token"), draws.dirichlet(np.full(words, 0.1), size)),
            "to_position": ((*dims, "key_position"), draws.normal(0, 1, (*size, positions))),
        },
        {"seed": range(seeds), "step": [9], "layer": [0], "head": [0], "position": range(positions),
         "token": [",", ":", "|", *(f">{at}" for at in range(words - 3))],
         "key_position": range(positions)},
    )  # fmt: skip


def registers(*chosen: int, positions: int = 64) -> xr.Dataset:
    """As `analyses.attention_knockout` names registers, of two seeds; the second has none."""
    there = np.array([np.isin(range(positions), chosen), np.zeros(positions, bool)])
    return xr.Dataset({"is_register": (("seed", "position"), there.astype(np.int8))},
                      {"seed": [0, 1], "position": range(positions)})  # fmt: skip


def added(layers: tuple[int, ...] = (4, 5), relations: int = 4, seeds: int = 3, heads: int = 1):
    """As `analyses.attribution` returns them."""
    draws = random("added", layers, relations)
    dims = ("seed", "layer", "head", "relation")
    size = (seeds, len(layers), heads, relations)
    mean = np.linspace(-2, 3, relations) + draws.normal(0, 0.2, size)
    return xr.Dataset(
        {"contribution": (dims, mean), "others": (dims, draws.normal(0, 0.1, size))},
        {"seed": range(seeds), "layer": list(layers), "head": range(heads),
         "relation": [f"an_edge_and_its_{at}" for at in range(relations)]},
    )  # fmt: skip


def composed(layers: int = 6, heads: int = 1, seeds: int = 2) -> xr.Dataset:
    """As `analyses.composition` returns them."""
    dims = ("seed", "step", "kind", "layer", "head", "earlier_layer", "earlier_head")
    excess = random("composed", layers).normal(0, 0.05, (seeds, 1, 3, layers, heads, layers, heads))
    excess = xr.DataArray(
        excess, dims=dims, coords={"layer": range(layers), "earlier_layer": range(layers)}
    )
    found = excess.where(excess["earlier_layer"] < excess["layer"]).transpose(*dims)
    return found.to_dataset(name="excess").assign_coords(
        seed=range(seeds),
        step=[9],
        kind=["Q", "K", "V"],
        head=range(heads),
        earlier_head=range(heads),
    )


def shown(axes: Any) -> list[str]:
    """The numbers in the cells of a map, row by row."""
    return [text.get_text() for text in axes.texts if text.get_text()[-1].isdigit()]


@pytest.mark.parametrize("seeds", [1, 3])
def test_figures_are_legible(seeds: int) -> None:
    legible(draw(climb_map, join("attention_to_state", {"base": climb(seeds)})))
    legible(draw(token_matrices, join("token_scores", {"base": scores(8, 1, seeds)})))
    legible(draw(contributions, join("attribution", {"base": added(seeds=seeds)})))
    legible(draw(composition_map, join("composition", {"base": composed(4, 1, seeds)})))


def test_figures_of_large_models_are_legible() -> None:
    deep = join("attention_to_state", {"base": climb(2, 6, 15)})
    panels = {"Untrained": {"step": 0}, "Trained": {}, "Length 3": {"group": 3},
              "Length 7": {"group": 7}}  # fmt: skip
    rows = {f"{at} above the goal": f"up {at}" for at in range(15)}
    legible(draw(climb_map, deep, panels=panels, pairs=rows))
    legible(draw(token_matrices, join("token_scores", {"base": scores(16, 6)})))
    titles = {"The goal, against targets of edges at separators": "path_0", "Another": "path_1"}
    legible(draw(token_matrices, join("token_scores", {"base": scores(16, 2)}), paths=titles))
    legible(draw(contributions, join("attribution", {"base": added((2, 3), 6, heads=2)})))
    legible(draw(composition_map, join("composition", {"base": composed(3, 2)})))


def test_a_climb_is_the_mean_over_seeds_of_each_layer_and_pair() -> None:
    found = join("attention_to_state", {"base": climb(), "other": climb(2)})
    options = {"panels": {"A": {"experiment": "other"}, "B": {"step": 0, "group": 3}},
               "pairs": {"second": "up 1", "fifth": "up 4"}}  # fmt: skip
    figure = draw(climb_map, found, **options)
    one, other, *_ = figure.axes
    last = found["attention"].sel(experiment="other", step=9, pair=["up 1", "up 4"], head=0)
    expected = last.mean("seed").transpose("pair", "layer").values
    assert shown(one) == [f"{100 * value:.0f}" for value in expected.ravel()]
    group = found["group_attention"].sel(experiment="base", step=0, pair="up 1", head=0, group=3)
    assert shown(other) == [f"{100 * value:.0f}" for value in group.mean("seed").values]
    assert [label.get_text() for label in one.get_yticklabels()] == ["second", "fifth"]


def test_heads_of_a_layer_stand_beside_each_other() -> None:
    found = join("attention_to_state", {"base": climb(layers=2, heads=2)})
    (panel, *_) = draw(climb_map, found).axes
    assert [label.get_text() for label in panel.get_xticklabels()] == ["0.0", "0.1", "1.0", "1.1"]


def test_token_maps_have_signed_scales_of_their_own_and_say_what_is_on_the_diagonal() -> None:
    found = join("token_scores", {"base": scores(8, 2)})
    first, second, *_ = draw(token_matrices, found, seed=1).axes
    image = first.images[0]
    expected = found["scores"].sel(experiment="base", seed=1, path="path_0").squeeze()
    np.testing.assert_allclose(image.get_array(), expected / np.abs(expected).max())
    assert image.get_clim() == (-1, 1)
    assert second.images[0].get_array().shape == (4, 4)
    assert "88%" in first.get_title("left")
    assert second.get_xticklabels()[0].get_text() == ">0"


def test_bars_are_contributions_and_show_their_sign() -> None:
    found = join("attribution", {"base": added()})
    figure = draw(contributions, found, relations={"First": "an_edge_and_its_0",
                                                   "Last": "an_edge_and_its_3"})  # fmt: skip
    panel = figure.axes[1]
    bars = panel.containers[0].patches
    expected = found["contribution"].sel(
        experiment="base", layer=5, head=0, relation=["an_edge_and_its_0", "an_edge_and_its_3"]
    )
    np.testing.assert_allclose([bar.get_width() for bar in bars], expected.mean("seed"))
    assert [bar.get_facecolor()[2] > 0.5 for bar in bars] == [False, True]  # vermillion, blue
    assert "Layer 5" in words(figure)


def test_composition_is_signed_and_lower_triangular() -> None:
    found = join("composition", {"base": composed(4)})
    figure = draw(composition_map, found, kinds=["K", "V"])
    panel = figure.axes[0]
    low, high = panel.images[0].get_clim()
    assert low == -high
    mean = found["excess"].sel(experiment="base", kind="K").mean("seed").squeeze()
    expected = mean.sel(layer=[1, 2, 3], earlier_layer=[0, 1, 2]).values
    assert shown(panel) == [
        f"{round(value, 2) + 0.0:+.2f}".replace("-", "\u2212")
        for value in expected.ravel()
        if np.isfinite(value)
    ]
    assert [label.get_text() for label in panel.get_yticklabels()] == ["1", "2", "3"]


def test_positions_that_are_marked_stand_out_in_a_map_of_their_scores() -> None:
    found = join("position_scores", {"base": by_position(), "other": by_position(32, 19)})
    marks = join("attention_knockout", {"base": registers(30, 41), "less": registers(positions=32)})
    options = {"tokens": ">[0-9]+", "positions": {"first": 20, "last": 44}}
    options["marked"] = {"data": "second", "variable": "is_register", "word": "register"}
    figure = draw(position_map, found, marks, seed=0, **options)
    legible(figure)
    panel = figure.axes[0]
    bold = [label.get_text() for label in panel.get_yticklabels() if label.get_weight() == "bold"]
    assert bold == ["30", "41"]
    expected = found["to_token"].sel(experiment="base", seed=0, position=slice(20, 44)).squeeze()
    np.testing.assert_allclose(panel.images[0].get_array(), expected[:, 3:])
    attention = draw(position_map, found, marks, seed=0, values="attention", **options)
    legible(attention)
    expected = found["attention"].sel(experiment="base", seed=0, position=slice(20, 44)).squeeze()
    np.testing.assert_allclose(attention.axes[0].images[0].get_array(), expected[:, 3:])
    for place in ({"seed": 1}, {"experiment": "other"}):
        other = draw(position_map, found, marks, **options, **place)
        assert not any(label.get_weight() == "bold" for label in other.axes[0].get_yticklabels())


def test_a_map_of_positions_says_what_is_wrong_with_its_options() -> None:
    found = join("position_scores", {"base": by_position()})
    with pytest.raises(ValueError, match="no regular expression"):
        position_map.Options(tokens="[")
    with pytest.raises(ValueError, match="first 44 is behind last 20"):
        position_map.Options(positions={"first": 44, "last": 20})
    with pytest.raises(InterpflowError, match="token like 'x' has a score"):
        draw(position_map, found, tokens="x")
    with pytest.raises(InterpflowError, match=r"marked\.data"):
        draw(position_map, found, marked={"data": "registers", "variable": "is_register"})


@pytest.mark.parametrize(
    ("module", "method", "found"),
    [
        (token_matrices, "token_scores", scores()),
        (position_map, "position_scores", by_position()),
        (contributions, "attribution", added()),
        (composition_map, "composition", composed()),
    ],
)
def test_an_experiment_that_is_misspelt_is_an_error(module: Any, method: str, found: Any) -> None:
    data = join(method, {"baseline": found})
    with pytest.raises(InterpflowError, match="did you mean 'baseline'"):
        draw(module, data, experiment="baselin")
    assert "No " in words(draw(module, data, experiment="elsewhere"))


def test_maps_say_what_there_is_not() -> None:
    found = join("attention_to_state", {"baseline": climb()})
    with pytest.raises(InterpflowError, match="did you mean 'baseline'"):
        draw(climb_map, found, panels={"A": {"experiment": "baselin"}})
    with pytest.raises(InterpflowError, match="pair: no 'upp 1'"):
        draw(climb_map, found, pairs={"A": "upp 1"})
    with pytest.raises(InterpflowError, match=r"panels.A.data: no analysis 'x'"):
        draw(climb_map, found, panels={"A": {"data": "x"}})
    assert "No " in words(draw(climb_map, found, panels={"A": {"experiment": "elsewhere"}}))
    with pytest.raises(InterpflowError, match="relation: no 'a'"):
        draw(contributions, join("attribution", {"baseline": added()}), relations={"A": "a"})
