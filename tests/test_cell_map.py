"""Cell maps say what the data says, and can be read in print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import xarray as xr
from drawing import cells, draw, join, labels, legible, random, texts, words
from matplotlib.figure import Figure

from interpflow import style
from interpflow.analyses import patching, scrubbing
from interpflow.errors import InterpflowError
from interpflow.plots import _cells, cell_map

pytestmark = pytest.mark.filterwarnings("error")

READ = {
    "variable": "f1",
    "x": "target",
    "y": "read",
    "select": {"control": "none", "hidden_layers": 0},
}
CLIMB = {"variable": "attention", "x": "layer", "y": "pair"}
COMPOSED = {"variable": "excess", "x": "earlier_layer", "y": "layer", "signed": True}
SCRUBBED = {"variable": "recovered", "x": "group", "y": "layer"}
PATCHED = {"variable": "recovered", "x": "place", "y": "layer"}
HYPOTHESES = ("H1", "H2", "H3")
PLACES = ("edge_source", "edge_target", "goal", "scored")


# Findings of the right shape.


def readouts(
    reads: Sequence[str] = ("source before", "target before", "source after", "target after"),
    targets: Sequence[str] = ("source", "target"),
    seeds: int = 3,
) -> xr.Dataset:
    """As `analyses.probe` returns them."""
    draws = random("readouts", reads, targets)
    dims = ("seed", "read", "target", "control", "hidden_layers")
    size = (seeds, len(reads), len(targets), 2, 2)
    by_place = (("read", "target"), draws.uniform(0, 0.3, size[1:3]))
    return xr.Dataset(
        {
            "f1": (dims, draws.uniform(0, 1, size)),
            "accuracy": (dims, draws.uniform(0, 1, size)),
            "majority_f1": by_place,
            "majority_accuracy": by_place,
            "classes": (("read", "target"), np.full(size[1:3], 8)),
        },
        {
            "seed": range(seeds), "read": list(reads), "target": list(targets),
            "control": ["none", "untrained_model"], "hidden_layers": [0, 1],
        },
    )  # fmt: skip


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


def composed(layers: int = 6, heads: int = 1, seeds: int = 2) -> xr.Dataset:
    """As `analyses.composition` returns them."""
    dims = ("seed", "step", "kind", "layer", "head", "earlier_layer", "earlier_head")
    excess = random("composed", layers).normal(0, 0.05, (seeds, 1, 3, layers, heads, layers, heads))
    coords = {"layer": range(layers), "earlier_layer": range(layers)}
    excess = xr.DataArray(excess, dims=dims, coords=coords)
    found = excess.where(excess["earlier_layer"] < excess["layer"]).transpose(*dims)
    return found.to_dataset(name="excess").assign_coords(
        seed=range(seeds),
        step=[9],
        kind=["Q", "K", "V"],
        head=range(heads),
        earlier_head=range(heads),
    )


def scrubs(seeds: int = 3, layers: int = 6, groups: int = 15) -> xr.Dataset:
    """As `analyses.scrubbing` returns them: late layers fall below 0 in all hypotheses but the last."""
    size = (seeds, len(HYPOTHESES), layers, groups)
    layer, group = np.arange(layers)[:, None], np.arange(1, groups + 1)
    fall = (
        300 * ((layer > layers // 2) & (group > layers - 1)) * np.array([1, 1, 0.0])[:, None, None]
    )
    recovered = 99 - fall + random("scrubs", size).normal(0, 0.4, size)
    table = scrubbing.VARIABLES
    return xr.Dataset(
        {
            "recovered": (table["recovered"].dims, recovered),
            "loss": (table["loss"].dims, 3.5 - recovered / 100 * 3.4),
            "clean_loss": (table["clean_loss"].dims, np.full((seeds, layers, groups), 0.1)),
            "uniform_loss": ((), 3.5),
            "donors": (table["donors"].dims, np.full((layers, groups), 150)),
        },
        {
            "seed": range(seeds), "hypothesis": list(HYPOTHESES), "layer": range(layers),
            "group": range(1, groups + 1),
        },
    )  # fmt: skip


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


def probes(*of: xr.Dataset) -> xr.Dataset:
    return join("probe", dict(zip(("one", "other"), of or (readouts(),), strict=False)))


def percent(values: xr.DataArray) -> list[list[str]]:
    """Shares as they are to be printed."""
    return [[f"{100 * value:.0f}".replace("-", "\u2212") for value in row] for row in values.values]


def at(when: str, **more: Any) -> dict[str, Any]:
    return {"select": {"read": [f"{token} {when}" for token in ("source", "target")], **more}}


# In print.


@pytest.mark.parametrize("seeds", [1, 3])
def test_maps_are_legible(seeds: int) -> None:
    legible(draw(cell_map, join("attention_to_state", {"base": climb(seeds)}), **CLIMB))
    legible(draw(cell_map, join("composition", {"base": composed(4, 1, seeds)}), **COMPOSED))
    for large in (scrubs(seeds), scrubs(seeds, 4, 7)):
        found = join("scrubbing", {"base": large})
        legible(draw(cell_map, found, **SCRUBBED, x_label="Path length (edges)"))
        for name in HYPOTHESES:
            legible(
                draw(cell_map, found, **SCRUBBED, panels={name: {"select": {"hypothesis": name}}})
            )
    one = join("patching", {"base": patches(seeds)})
    legible(draw(cell_map, one, **PATCHED))
    legible(
        draw(
            cell_map, one, one, **PATCHED, panels={"residual": {}, "attention": {"data": "second"}}
        )
    )


def test_shades_are_called_as_the_variable_is_or_as_the_figure_says() -> None:
    found = join("scrubbing", {"base": scrubs(2)})
    assert "Loss recovered" in words(draw(cell_map, found, **SCRUBBED))
    said = words(draw(cell_map, found, **SCRUBBED, value_label="What is left"))
    assert "What is left" in said and "Loss recovered" not in said


def test_maps_of_large_models_are_legible() -> None:
    deep = join("attention_to_state", {"base": climb(2, 6, 15)})
    names = {f"up {at}": f"{at} above the goal" for at in range(15)}
    panels = {"Untrained": {"select": {"step": 0}}, "Trained": {}}
    legible(draw(cell_map, deep, **CLIMB, panels=panels, labels=names))
    by_length = {f"Length {length}": {"select": {"group": length}} for length in (3, 7)}
    legible(draw(cell_map, deep, **{**CLIMB, "variable": "group_attention"}, panels=by_length))
    legible(draw(cell_map, join("composition", {"base": composed(3, 2)}), **COMPOSED))


@pytest.mark.parametrize("count", [1, 2, 4, 5])
def test_maps_of_many_states_are_legible(count: int) -> None:
    layers = [f"layer {n}" for n in range(1, 7)]
    found = probes(readouts(layers, ["children", "inner_children", "goal"]))
    names = ["", "One hidden layer", "Untrained", "Untrained, deep", "Another"][:count]
    panel = {"select": {"target": ["children", "inner_children"]}}
    options = {"panels": dict.fromkeys(names, panel), "labels": {"inner_children": "with children"}}
    legible(draw(cell_map, found, **READ, **options))


@pytest.mark.parametrize(("columns", "words"), [(3, "+0.038"), (5, "+0.04")])
def test_numbers_in_cells_have_the_digits_that_fit(columns: int, words: str) -> None:
    values = xr.DataArray(np.full((1, columns), 0.038), dims=("row", "column"))
    values = values.assign_coords(row=[0], column=range(columns))
    panel = Figure(figsize=(2, 1)).add_axes((0, 0, 1, 1))
    _cells.draw(panel, values, _cells.Scale(0.04, signed=True), (2 / columns, 1))
    assert {text.get_text() for text in panel.texts} == {words}


def test_numbers_that_would_say_nothing_are_left_out() -> None:
    for columns, there in ((2, True), (8, False)):
        values = xr.DataArray(np.full((1, columns), 0.4), dims=("row", "column"))
        values = values.assign_coords(row=[0], column=range(columns))
        panel = Figure(figsize=(2, 1)).add_axes((0, 0, 1, 1))
        _cells.draw(panel, values, _cells.Scale(1, signed=True), (2 / columns, 1))
        assert bool(panel.texts) == there, "+0.4 or nothing, but never +0"


def test_cells_too_small_for_numbers_have_none() -> None:
    values = xr.DataArray(np.full((1, 20), 0.5), dims=("row", "column"))
    values = values.assign_coords(row=[0], column=range(20))
    for room in ((2 / 20, 1), (2, _cells.LINE / 2)):
        panel = Figure(figsize=(2, 1)).add_axes((0, 0, 1, 1))
        _cells.draw(panel, values, _cells.Scale(1), room)
        assert not panel.texts


def test_dark_cells_have_white_numbers() -> None:
    one = readouts()
    one["f1"][{"read": 0}], one["f1"][{"read": 1}] = 0.02, 0.98
    axes, *_ = draw(cell_map, probes(one), **READ).axes
    colors = {text.get_text(): text.get_color() for text in axes.texts}
    assert (colors["98"], colors["2"]) == ("#ffffff", style.BLACK)


# What is in the cells.


def test_a_map_shows_means_over_seeds_of_the_places_and_states_asked_for() -> None:
    found = probes()
    panels = {"Before": at("before"), "After": at("after", target=["target"])}
    names = {f"{token} {when}": f"{token} token" for token in ("source", "target")
             for when in ("before", "after")}  # fmt: skip
    names["target"] = "its target"
    figure = draw(cell_map, found, **READ, panels=panels, labels=names)
    legible(figure)
    assert figure.get_figwidth() == style.sizes().single
    before, after, *_ = figure.axes
    f1 = found["f1"].sel(experiment="one", control="none", hidden_layers=0).mean("seed")
    for panel, when, targets in (
        (before, "before", ["source", "target"]),
        (after, "after", ["target"]),
    ):
        expected = f1.sel(read=[f"source {when}", f"target {when}"], target=targets)
        assert cells(panel) == percent(expected)
        np.testing.assert_allclose(panel.images[0].get_array(), expected)  # type: ignore[arg-type]
    assert labels(before, "y") == ["source token", "target token"]
    assert labels(after, "x") == ["its\ntarget"]
    assert before.get_ylim()[0] > before.get_ylim()[1], "the first place is at the top"


def test_a_title_with_seed_stands_for_a_map_for_each_seed_that_has_values() -> None:
    data = join("attention_to_state", {"few": climb(seeds=1), "many": climb()})
    panels = {"few {seed}": {"experiment": "few"}, "many {seed}": {"experiment": "many"}}
    maps = draw(cell_map, data, **CLIMB, panels=panels).axes[:4]
    assert [axes.get_title("left") for axes in maps] == ["few 0", "many 0", "many 1", "many 2"]
    last = data["attention"].sel(experiment="many", seed=2).isel(step=-1, head=0)
    assert cells(maps[3]) == percent(last.transpose("pair", "layer"))


def test_places_are_named_once_where_maps_share_them() -> None:
    def named(figure: Figure) -> list[bool]:
        maps = [axes for axes in figure.axes if axes.get_title("left")]
        return [axes.yaxis.get_tick_params()["labelleft"] for axes in maps]

    same = {
        f"{token} {when}": token for token in ("source", "target") for when in ("before", "after")
    }
    panels = {"Before": at("before"), "After": at("after")}
    assert named(draw(cell_map, probes(), **READ, panels=panels, labels=same)) == [True, False]
    apart = draw(cell_map, probes(), **READ, panels={"Before": at("before"), "All": {}})
    assert named(apart) == [True, True]
    legible(apart)


def test_a_map_takes_its_control_depth_variable_experiment_and_analysis() -> None:
    first, second = (probes(readouts(), readouts(targets=["lone"])) for _ in "12")
    second["accuracy"] = second["accuracy"] / 2
    chosen = {"control": "untrained_model", "hidden_layers": 1}
    panel = {"data": "second", "experiment": "other", "select": chosen}
    options = {**READ, "variable": "accuracy"}
    axes, *_ = draw(cell_map, first, second, **options, panels={"": panel}).axes
    here = second["accuracy"].sel(experiment="other", target=["lone"], **chosen)
    assert cells(axes) == percent(here.mean("seed")), "targets of another experiment are left out"


def test_a_climb_is_the_mean_over_seeds_of_each_layer_and_pair_at_the_last_step() -> None:
    found = join("attention_to_state", {"base": climb(), "other": climb(2)})
    panels = {"A": {"experiment": "other"}, "B": {"select": {"step": 0}}}
    options = {"panels": panels, "select": {"pair": ["up 1", "up 4"]}}
    figure = draw(cell_map, found, **CLIMB, **options, labels={"up 1": "second", "up 4": "fifth"})
    one, other, *_ = figure.axes
    attention = found["attention"].sel(pair=["up 1", "up 4"], head=0)
    for axes, name, step in ((one, "other", 9), (other, "base", 0)):
        expected = attention.sel(experiment=name, step=step).mean("seed").transpose("pair", "layer")
        assert cells(axes) == percent(expected)
    assert labels(one, "y") == ["second", "fifth"]


def test_values_of_two_coordinates_that_look_the_same_can_have_words_of_their_own() -> None:
    found = join("attention_to_state", {"base": climb(layers=2)})
    words = {"labels": {"0": "first"}, "labels_of": {"group": {"3": "none above"}}}
    options = {**CLIMB, "variable": "group_attention", "y": "group", "select": {"pair": "up 1"}}
    axes, *_ = draw(cell_map, found, **options, **words).axes
    assert labels(axes, "x")[0] == "first"
    assert labels(axes, "y")[0] == "none above"


def test_pairs_that_a_group_of_queries_lacks_are_left_out() -> None:
    found = join("attention_to_state", {"base": climb()})
    options = {**CLIMB, "variable": "group_attention", "select": {"group": 3}}
    axes, *_ = draw(cell_map, found, **options).axes
    assert labels(axes, "y") == [f"Up {distance}" for distance in range(4)]


def test_heads_of_a_layer_stand_beside_each_other() -> None:
    found = join("attention_to_state", {"base": climb(layers=2, heads=2)})
    panel, *_ = draw(cell_map, found, **CLIMB).axes
    assert labels(panel, "x") == ["0.0", "0.1", "1.0", "1.1"]


def test_composition_is_signed_and_lower_triangular() -> None:
    found = join("composition", {"base": composed(4)})
    figure = draw(
        cell_map, found, **COMPOSED, select={"kind": ["K", "V"]}, labels={"K": "K-composition"}
    )
    panel, other, *_ = figure.axes
    assert (panel.get_title("left"), other.get_title("left")) == ("K-composition", "V")
    low, high = panel.images[0].get_clim()
    assert low == -high == other.images[0].get_clim()[0]
    mean = found["excess"].sel(experiment="base", kind="K").mean("seed").squeeze()
    expected = mean.sel(layer=[1, 2, 3], earlier_layer=[0, 1, 2])
    assert cells(panel) == [
        [
            f"{round(value, 2) + 0.0:+.2f}".replace("-", "\u2212")
            if np.isfinite(value)
            else "\u2013"
            for value in row
        ]
        for row in expected.values
    ]
    assert labels(panel, "y") == ["1", "2", "3"]


def test_layers_go_up_and_shares_are_in_percent() -> None:
    found = join("scrubbing", {"base": scrubs(), "shallow": scrubs(1, 2, 3)})
    panel, *_ = draw(cell_map, found, **SCRUBBED).axes
    mean = found["recovered"].sel(experiment="base", hypothesis="H1").mean("seed") / 100
    assert cells(panel) == percent(mean)
    assert not panel.yaxis_inverted()
    assert labels(panel, "y") == list("012345")
    shallow, *_ = draw(cell_map, found, **SCRUBBED, experiment="shallow").axes
    assert np.shape(cells(shallow)) == (2, 3)


def test_without_panels_there_is_one_for_each_value_of_what_is_left() -> None:
    both = join("scrubbing", {"base": scrubs(), "shallow": scrubs(1, 2, 3)})

    def titles(found: xr.Dataset) -> list[str]:
        axes = draw(cell_map, found, **SCRUBBED).axes
        return [title for each in axes if (title := each.get_title("left"))]

    assert titles(both.sel(experiment=["base"])) == ["H1", "H2", "H3"]
    assert titles(both) == [f"{name}, {hypothesis}" for name in ("Base", "Shallow")
                            for hypothesis in HYPOTHESES]  # fmt: skip


# What is missing, scarce or off the scale.


def test_a_cell_without_a_value_has_a_dash() -> None:
    one = readouts()
    one["f1"][{"read": 1, "target": 0}] = np.nan
    axes, *_ = draw(cell_map, probes(one), **READ).axes
    without, measured = cells(axes)[1]
    assert without == "\N{EN DASH}"
    assert float(measured) > 0


def test_a_mean_over_some_of_the_seeds_is_hatched_and_the_key_says_so() -> None:
    one = readouts()
    whole = draw(cell_map, probes(one), **READ)
    assert "hatched" not in words(whole) and not whole.axes[0].patches
    one["f1"][{"read": 1, "target": 0, "seed": 2}] = np.nan
    figure = draw(cell_map, probes(one), **READ)
    assert "hatched: not in every seed" in words(figure)
    (hatched,) = figure.axes[0].patches
    assert hatched.get_xy() == (-0.5, 0.5)  # type: ignore[attr-defined]
    legible(figure)


def test_what_is_worse_than_no_answer_has_a_colour_of_its_own_that_is_explained() -> None:
    found = join("scrubbing", {"base": scrubs()})
    figure = draw(cell_map, found, **SCRUBBED)
    assert "below 0" in words(figure)
    image = figure.axes[0].images[0]
    colors = image.cmap(image.norm(image.get_array()))[..., :3]
    low = np.asarray(image.get_array()) < 0
    assert len({tuple(color) for color in colors[low]}) == 1
    assert tuple(colors[low][0]) not in {tuple(color) for color in colors[~low]}
    kept = draw(cell_map, found, **SCRUBBED, panels={"kept": {"select": {"hypothesis": "H3"}}})
    assert "below 0" not in words(kept)


def test_a_hair_below_nothing_is_nothing_and_places_have_their_words() -> None:
    found = join("patching", {"base": patches()})
    names = {"goal": "the goal", "edge_source": "edges"}
    figure = draw(
        cell_map, found, **PATCHED, select={"place": ["goal", "edge_source"]}, labels=names
    )
    assert "below 0" not in words(figure)
    assert cells(figure.axes[0])[:2] == [["100", "0"], ["0", "0"]]
    assert labels(figure.axes[0], "x") == ["the\ngoal", "edges"]
    half = draw(cell_map, found, **{**PATCHED, "variable": "flipped"}, select={"place": ["scored"]})
    assert cells(half.axes[0])[1] == ["50"]


# What a smaller scale lacks, and what nobody has.


def test_a_panel_can_be_of_one_seed_and_is_left_out_where_there_is_none() -> None:
    found = join("scrubbing", {"base": scrubs(3)})
    panels = {"Third": {"seed": 2}, "Tenth": {"seed": 9}}
    figure = draw(cell_map, found, **SCRUBBED, select={"hypothesis": "H1"}, panels=panels)
    (image,) = (each for axes in figure.axes for each in axes.images if axes.get_title(loc="left"))
    expected = found["recovered"].sel(experiment="base", hypothesis="H1", seed=2)
    np.testing.assert_array_equal(image.get_array(), expected.transpose("layer", "group"))


def test_maps_of_which_a_scale_leaves_nothing_say_so() -> None:
    (text,) = texts(draw(cell_map, probes(), **READ, panels={"a": {"experiment": "large"}}))
    assert "Nothing" in text.get_text()


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"variable": "acuracy"}, "variable: no 'acuracy'.*did you mean 'accuracy'"),
        ({"x": "taget"}, "x: f1 does not run along 'taget'.* mean 'target'"),
        (
            {"panels": {"a": {"select": {"read": "source bfore"}}}},
            "panels.a.select.read: no 'source bfore'",
        ),
        ({"panels": {"a": {"select": {"hidden_layers": 3}}}}, "hidden_layers: no 3 in the data"),
        ({"panels": {"a": {"select": {"depth": 3}}}}, "panels.a.select: no 'depth' in the data"),
        ({"panels": {"a": {"data": "third"}}}, "panels.a.data: no analysis 'third'"),
        ({"panels": {"a": {"experiment": "onee"}}}, "panels.a.experiment: no 'onee' .* mean 'one'"),
        (
            {"panels": {"a": {}}, "select": {"control": "none"}},
            "several values of hidden_layers; name one of: 0, 1",
        ),
        ({"select": {}}, "several values of"),
    ],
)
def test_a_map_of_what_is_not_there_is_an_error(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InterpflowError, match=words):
        draw(cell_map, probes(), **{**READ, **wrong})


def test_what_is_subtracted_is_taken_at_the_same_labels_and_missing_elsewhere() -> None:
    one = readouts(seeds=2)
    data = join("probe", {"one": one, "two": one.isel(target=[0]) * 0.5})
    options = {**READ, "select": {"control": "none", "hidden_layers": 0}, "signed": True}
    minus = {"experiment": "two", "select": {"control": "untrained_model"}}
    figure = draw(cell_map, data, experiment="one", minus=minus, **options)
    at = {"control": 0, "hidden_layers": 0}
    wanted = one["f1"].isel(**at) - 0.5 * one["f1"].isel(control=1, hidden_layers=0)
    (axes, *_) = figure.axes
    found = cells(axes)
    for row, value in enumerate(wanted.mean("seed").isel(target=0).values):
        assert float(found[row][0].replace("\u2212", "-")) == pytest.approx(value, abs=0.006)
    assert {row[1] for row in found} == {"\u2013"}


def test_a_scale_without_what_is_subtracted_draws_nothing() -> None:
    data = join("probe", {"one": readouts()})
    minus = {"seed": 7}
    figure = draw(cell_map, data, minus=minus, **READ)
    assert "Nothing of what these maps select" in words(figure)
