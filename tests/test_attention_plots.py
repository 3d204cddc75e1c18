"""Figures of token scores, position scores and contributions say what the data says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
import xarray as xr
from drawing import draw, join, labels, legible, random, words

from interpflow.errors import InterpflowError
from interpflow.plots import (
    contributions,
    position_map,
    token_matrices,
)

pytestmark = pytest.mark.filterwarnings("error")


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


@pytest.mark.parametrize("seeds", [1, 3])
def test_figures_are_legible(seeds: int) -> None:
    legible(draw(token_matrices, join("token_scores", {"base": scores(8, 1, seeds)})))
    legible(draw(contributions, join("attribution", {"base": added(seeds=seeds)})))


def test_figures_of_large_models_are_legible() -> None:
    legible(draw(token_matrices, join("token_scores", {"base": scores(16, 6)})))
    titles = {"path_0": "The goal, against targets of edges at separators", "path_1": "Another"}
    legible(draw(token_matrices, join("token_scores", {"base": scores(16, 2)}), labels=titles))
    legible(draw(contributions, join("attribution", {"base": added((2, 3), 6, heads=2)})))


def test_token_maps_have_signed_scales_of_their_own_and_say_what_is_on_the_diagonal() -> None:
    found = join("token_scores", {"base": scores(8, 2)})
    first, second, *_ = draw(token_matrices, found, seed=1).axes
    image = first.images[0]
    expected = found["scores"].sel(experiment="base", seed=1, path="path_0").squeeze()
    np.testing.assert_allclose(image.get_array(), expected / np.abs(expected).max())
    assert image.get_clim() == (-1, 1)
    assert second.images[0].get_array().shape == (4, 4)
    assert "88%" in first.get_title("left")
    assert labels(second, "x")[0] == ">0"
    other = draw(token_matrices, found, seed=1, select={"path": ["path_1"]})
    assert other.axes[0].get_title("left").startswith("Path 1\n") and len(other.axes) == 2


def test_bars_are_contributions_and_show_their_sign() -> None:
    found = join("attribution", {"base": added()})
    relations = ["an_edge_and_its_0", "an_edge_and_its_3"]
    options = {"select": {"relation": relations}, "labels": {"an_edge_and_its_0": "First"}}
    figure = draw(contributions, found, **options)
    panel = figure.axes[1]
    bars = panel.containers[0].patches
    expected = found["contribution"].sel(experiment="base", layer=5, head=0, relation=relations)
    np.testing.assert_allclose([bar.get_width() for bar in bars], expected.mean("seed"))
    assert [bar.get_facecolor()[2] > 0.5 for bar in bars] == [False, True]  # vermillion, blue
    assert "Layer 5" in words(figure)
    assert labels(figure.axes[0], "y") == ["First", "An edge and its 3"]


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
    ],
)
def test_an_experiment_that_is_misspelt_is_an_error(module: Any, method: str, found: Any) -> None:
    data = join(method, {"baseline": found})
    with pytest.raises(InterpflowError, match="did you mean 'baseline'"):
        draw(module, data, experiment="baselin")
    assert "No " in words(draw(module, data, experiment="elsewhere"))


def test_what_is_selected_and_not_there_is_an_error() -> None:
    with pytest.raises(InterpflowError, match=r"select\.relation: no 'a'"):
        draw(contributions, join("attribution", {"base": added()}), select={"relation": ["a"]})
    with pytest.raises(InterpflowError, match=r"select\.path: no 'a'"):
        draw(token_matrices, join("token_scores", {"base": scores()}), select={"path": ["a"]})
