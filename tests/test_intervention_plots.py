"""Figures of knockouts, scrubbing and patching say what the data says, and can be read in print."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from test_circuit_plots import draw, join, legible, random, words

from interpflow import style
from interpflow.analyses import attention_chains, attention_knockout, patching, scrubbing
from interpflow.errors import InterpflowError
from interpflow.plots import knockout_effects, patching_map, scrubbing_map

pytestmark = pytest.mark.filterwarnings("error")

HYPOTHESES = ("H1", "H2", "H3")


def scrubs(seeds: int = 3, layers: int = 6, groups: int = 15) -> xr.Dataset:
    """As `analyses.scrubbing` returns them: late layers fall below 0 in all hypotheses but the last."""
    size = (seeds, len(HYPOTHESES), layers, groups)
    layer, group = np.arange(layers)[:, None], np.arange(1, groups + 1)
    fall = (
        300 * ((layer > layers // 2) & (group > layers - 1)) * np.array([1, 1, 0.0])[:, None, None]
    )
    recovered = 99 - fall + random("scrubs", size).normal(0, 0.4, size)
    loss = 3.5 - recovered / 100 * 3.4
    table = scrubbing.VARIABLES
    return xr.Dataset(
        {
            "recovered": (table["recovered"].dims, recovered),
            "loss": (table["loss"].dims, loss),
            "clean_loss": (table["clean_loss"].dims, np.full((seeds, layers, groups), 0.1)),
            "uniform_loss": ((), 3.5),
            "donors": (table["donors"].dims, np.full((layers, groups), 150)),
        },
        {
            "seed": range(seeds), "hypothesis": list(HYPOTHESES), "layer": range(layers),
            "group": range(1, groups + 1),
        },
    )  # fmt: skip


def knockouts(seeds: int = 3, nodes: int = 16, groups: Sequence[str | int] = ()) -> xr.Dataset:
    """As `analyses.attention_knockout` returns them; position 5 is a register of one seed alone."""
    groups = groups or range(1, nodes)
    root, positions = 3 * (nodes - 1) + 2, 4 * nodes
    draw = random("knockouts", seeds, nodes)
    kl = np.full((seeds, positions), np.nan)
    kl[:, :root] = draw.exponential(0.002, (seeds, root))
    kl[:, root - 9 : root : 2] += 0.3
    kl[0, 5] = 0.2
    registers = np.nan_to_num(kl) > 0.1
    accuracy = np.ones((seeds, len(groups)))
    falling = accuracy - np.linspace(0, 0.8, len(groups))
    table = attention_knockout.VARIABLES
    place = np.array(["edge_source", "edge_target", "edge_end"] * positions)[:positions]
    place[root - 2 :] = "path"
    found = {
        "kl": kl,
        "wrong": kl,
        "kl_by": np.repeat(kl[:, None], len(groups), 1),
        "wrong_by": np.repeat(kl[:, None], len(groups), 1),
        "is_register": registers.astype(np.int8),
        "place": place,
        "registers": registers.sum(1),
        "intact_accuracy": accuracy,
        "joint_accuracy": falling,
        "random_accuracy": accuracy - 0.03,
        "joint_wrong": 1 - falling,
    }
    return xr.Dataset(
        {name: (table[name].dims, values) for name, values in found.items()},
        {"seed": range(seeds), "position": range(positions), "group": list(groups)},
    )


PLACES = ("edge_source", "edge_target", "goal", "scored")


def patches(seeds: int = 3, layers: int = 6) -> xr.Dataset:
    """As `analyses.patching` returns them: first the goal, then the scored positions; others a hair below 0."""
    recovered = np.full((seeds, layers, len(PLACES)), -1e-4)
    recovered[:, 0, 2], recovered[:, 1:, 3] = 1, 1
    table = patching.VARIABLES
    return xr.Dataset(
        {
            "recovered": (table["recovered"].dims, recovered),
            "flipped": (table["flipped"].dims, recovered.clip(0) / 2),
            "clean_difference": ("seed", np.full(seeds, 7.0)),
            "corrupted_difference": ("seed", np.full(seeds, -7.0)),
            "pairs": ((), 200),
        },
        {"seed": range(seeds), "layer": range(layers), "place": list(PLACES)},
    )


def cells(panel: Axes) -> np.ndarray:
    """What is printed in the cells of a heat map, from the first layer up."""
    rows = round(max(text.get_position()[1] for text in panel.texts)) + 1
    return np.array([text.get_text() for text in panel.texts]).reshape(rows, -1)


@pytest.mark.parametrize("seeds", [1, 3])
def test_maps_of_scrubbing_are_legible(seeds: int) -> None:
    large, small = scrubs(seeds), scrubs(seeds, 4, 7)
    legible(draw(scrubbing_map, join("scrubbing", {"base": large}), groups="Path length (edges)"))
    legible(draw(scrubbing_map, join("scrubbing", {"base": small})))
    for name in HYPOTHESES:
        legible(
            draw(
                scrubbing_map,
                join("scrubbing", {"base": small}),
                panels={name: {"hypothesis": name}},
            )
        )


def test_cells_are_means_over_seeds_in_percent_layer_by_layer() -> None:
    found = join("scrubbing", {"base": scrubs(), "shallow": scrubs(1, 2, 3)})
    figure = draw(scrubbing_map, found)
    panel = figure.axes[0]
    mean = found["recovered"].sel(experiment="base", hypothesis="H1").mean("seed")
    expected = [[f"{value:.0f}".replace("-", "\u2212") for value in row] for row in mean.values]
    assert cells(panel).tolist() == expected
    assert not panel.yaxis_inverted()
    assert [label.get_text() for label in panel.get_yticklabels()] == list("012345")
    shallow = draw(scrubbing_map, found, experiment="shallow").axes[0]
    assert cells(shallow).shape == (2, 3)


def test_what_is_worse_than_no_answer_has_a_colour_of_its_own_that_is_explained() -> None:
    found = join("scrubbing", {"base": scrubs()})
    figure = draw(scrubbing_map, found)
    assert "below 0" in words(figure)
    image = figure.axes[0].images[0]
    colors = image.cmap(image.norm(image.get_array()))[..., :3]
    low = np.asarray(image.get_array()) < 0
    assert len({tuple(color) for color in colors[low]}) == 1
    assert tuple(colors[low][0]) not in {tuple(color) for color in colors[~low]}
    kept = draw(scrubbing_map, found, panels={"kept": {"hypothesis": "H3"}})
    assert "below 0" not in words(kept)


@pytest.mark.parametrize("seeds", [1, 3])
def test_effects_of_knockouts_are_legible(seeds: int) -> None:
    for found in (knockouts(seeds), knockouts(seeds, 8), knockouts(seeds, 8, ["all"])):
        figure = draw(knockout_effects, join("attention_knockout", {"base": found}))
        legible(figure)
        assert ("one seed" in words(figure)) == (seeds > 1)


def chains(of: xr.Dataset, layers: int = 6) -> xr.Dataset:
    """As `analyses.attention_chains` returns them, of the registers of `of`."""
    there = of["is_register"].values == 1
    seeds, positions = there.shape
    draw = random("chains", seeds, positions)
    found = {}
    for name, variable in attention_chains.VARIABLES.items():
        size = {"seed": seeds, "position": positions, "layer": layers - 2}
        values = draw.uniform(0, 1, [size[dim] for dim in variable.dims])
        if "position" in variable.dims:
            values = np.where(
                np.expand_dims(there, 1) if values.ndim == 3 else there, values, np.nan
            )
        found[name] = (variable.dims, values)
    coords = {"seed": range(seeds), "layer": range(2, layers), "position": range(positions)}
    return xr.Dataset(found, coords)


@pytest.mark.parametrize("nodes", [8, 16])
def test_what_registers_hold_is_beside_them(nodes: int) -> None:
    base = knockouts(3, nodes)
    found = join("attention_knockout", {"base": base})
    held = join("attention_chains", {"base": chains(base, 4 if nodes == 8 else 6)})
    figure = draw(knockout_effects, found, held, chains="second")
    legible(figure)
    panel = figure.axes[2]
    registers = np.flatnonzero(base["is_register"].any("seed"))
    assert [int(label.get_text()) for label in panel.get_yticklabels()] == registers.tolist()
    mean = held["moves"].sel(experiment="base", position=registers).mean("seed")
    np.testing.assert_allclose(panel.images[0].get_array(), mean.transpose("position", "layer"))
    none = join(
        "attention_chains", {"base": chains(base.assign(is_register=base["is_register"] * 0))}
    )
    assert "no registers" in words(draw(knockout_effects, found, none, chains="second"))


def test_bars_are_means_and_registers_of_most_seeds_stand_out() -> None:
    found = join("attention_knockout", {"base": knockouts(), "small": knockouts(1, 8)})
    effects, accuracy, *_ = draw(knockout_effects, found).axes
    kl = found["kl"].sel(experiment="base").mean("seed").dropna("position")
    bars = effects.patches
    np.testing.assert_allclose([bar.get_width() for bar in bars], kl)  # type: ignore[attr-defined]
    blue = [to_hex(bar.get_facecolor()) == style.BLUE.lower() for bar in bars]
    registers = found["is_register"].sel(experiment="base").mean("seed")[: len(bars)] > 0.5
    assert blue == registers.values.tolist()
    assert sum(blue) == 5
    filled = [line for line in effects.lines if line.get_markerfacecolor() == style.BLACK]
    assert sum(5 in line.get_ydata() for line in filled) == 1
    labels = [label.get_text() for label in effects.get_yticklabels()]
    assert labels[:3] == ["edge source 0", "edge target 1", "edge end 2"]
    lines = [container.lines[0].get_ydata() for container in accuracy.containers]  # type: ignore[attr-defined]
    for line, name in zip(lines, ("intact", "random", "joint"), strict=True):
        mean = found[f"{name}_accuracy"].sel(experiment="base").mean("seed")
        np.testing.assert_allclose(line, mean)


@pytest.mark.parametrize("seeds", [1, 3])
def test_maps_of_patching_are_legible(seeds: int) -> None:
    one = join("patching", {"base": patches(seeds)})
    legible(draw(patching_map, one))
    legible(draw(patching_map, one, one, panels={"residual": "first", "attention": "second"}))


def test_a_hair_below_nothing_is_nothing_and_places_have_their_words() -> None:
    found = join("patching", {"base": patches()})
    places = {"goal": "the goal", "edge_source": "edges", "nowhere": "not there"}
    figure = draw(patching_map, found, places=places)
    assert "below 0" not in words(figure)
    assert cells(figure.axes[0])[:2].tolist() == [["1.00", "0.00"], ["0.00", "0.00"]]
    ticks = [label.get_text() for label in figure.axes[0].get_xticklabels()]
    assert ticks == ["the\ngoal", "edges"]
    half = draw(patching_map, found, measure="flipped", places={"scored": "path"})
    assert cells(half.axes[0])[1].tolist() == ["0.50"]


def test_interventions_of_a_misspelt_experiment_are_errors() -> None:
    for module, found in (
        (scrubbing_map, join("scrubbing", {"baseline": scrubs(1)})),
        (knockout_effects, join("attention_knockout", {"baseline": knockouts(1)})),
        (patching_map, join("patching", {"baseline": patches(1)})),
    ):
        with pytest.raises(InterpflowError, match="did you mean 'baseline'"):
            draw(module, found, experiment="baselin")
        assert "in the data" in words(draw(module, found, experiment="elsewhere"))
    with pytest.raises(InterpflowError, match="panels: no analysis 'frist'"):
        draw(patching_map, found, panels={"A": "frist"})


def test_a_panel_can_be_of_one_seed_and_is_left_out_where_there_is_none() -> None:
    found = join("scrubbing", {"base": scrubs(3)})
    panels = {
        "Third": {"hypothesis": "H1", "seed": 2},
        "Tenth": {"hypothesis": "H1", "seed": 9},
    }
    figure = draw(scrubbing_map, found, panels=panels)
    (image,) = (each for axes in figure.axes for each in axes.images if axes.get_title(loc="left"))
    expected = found["recovered"].sel(experiment="base", hypothesis="H1", seed=2)
    np.testing.assert_array_equal(image.get_array(), expected.transpose("layer", "group").round())
