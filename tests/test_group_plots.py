"""Readout maps and curves by group say what the data says, and can be read in print."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pytest
import xarray as xr
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.figure import Figure
from test_circuit_plots import legible

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.plots import group_curves, readout_map
from interpflow.spec import plugins
from interpflow.spec.study import Claim
from interpflow.stages.collect import collect
from interpflow.style import save
from interpflow.variables import describe

pytestmark = pytest.mark.filterwarnings("error")

STEPS = [0, 16, 64, 250, 1000, 4000]


# Findings of the right shape.


def random(*address: Any) -> np.random.Generator:
    return np.random.default_rng([*repr(address).encode()])


def readouts(
    reads: Sequence[str] = ("source before", "target before", "source after", "target after"),
    targets: Sequence[str] = ("source", "target"),
    seeds: int = 3,
) -> xr.Dataset:
    """As `analyses.probe` returns them."""
    draw = random("readouts", reads, targets)
    dims = ("seed", "read", "target", "control", "hidden_layers")
    size = (seeds, len(reads), len(targets), 2, 2)
    by_place = (("read", "target"), draw.uniform(0, 0.3, size[1:3]))
    return xr.Dataset(
        {
            "f1": (dims, draw.uniform(0, 1, size)),
            "accuracy": (dims, draw.uniform(0, 1, size)),
            "majority_f1": by_place,
            "majority_accuracy": by_place,
            "classes": (("read", "target"), np.full(size[1:3], 8)),
        },
        {
            "seed": range(seeds), "read": list(reads), "target": list(targets),
            "control": ["none", "untrained_model"], "hidden_layers": [0, 1],
        },
    )  # fmt: skip


def erasures(names: Sequence[str] = ("source", "goal"), seeds: int = 3) -> xr.Dataset:
    """As `analyses.concept_erasure` returns them."""
    draw = random("erasures", names)
    by_group = ("seed", "erasure", "control", "group")
    size = (seeds, len(names), 2, 7)
    group = xr.Variable("group", np.arange(1, 8), {"long_name": "path length", "units": "edge"})
    return xr.Dataset(
        {
            "accuracy": (by_group, draw.uniform(0, 0.9, size)),
            "loss": (by_group, draw.lognormal(0, 2, size)),
            "intact_accuracy": (("seed", "group"), draw.uniform(0.9, 1, (seeds, 7))),
            "intact_loss": (("seed", "group"), draw.lognormal(-6, 1, (seeds, 7))),
            "readable": (("seed", "erasure", "when"), draw.uniform(0, 1, (seeds, len(names), 2))),
            "majority": ("erasure", [0.125] * len(names)),
        },
        {
            "seed": range(seeds), "erasure": list(names), "control": ["none", "random_labels"],
            "group": group, "when": ["before", "after"],
        },
    )  # fmt: skip


def accuracies(steps: Sequence[int] = STEPS, seeds: int = 3) -> xr.Dataset:
    """As `analyses.accuracy_by` returns them."""
    draw = random("accuracies", steps)
    accuracy = np.sort(draw.uniform(0, 1, (seeds, len(steps), 7)), axis=1)
    return xr.Dataset(
        {
            "accuracy": (("seed", "step", "group"), accuracy),
            "overall_accuracy": (("seed", "step"), accuracy.mean(-1)),
            "checkpoint": (
                ("seed", "step"),
                [["first", *["between"] * (len(steps) - 2), "last"]] * seeds,
            ),
        },
        {"seed": range(seeds), "step": list(steps), "group": np.arange(1, 8)},
    )


def join(
    method: str, parts: Mapping[str, xr.Dataset], coords: Mapping[str, dict[str, Any]] | None = None
) -> xr.Dataset:
    """Findings as figures get them."""
    table = plugins.load(plugins.ANALYSIS, method).VARIABLES
    described = {name: describe(part, table, method) for name, part in parts.items()}
    return collect(described, {name: (coords or {}).get(name, {}) for name in parts})


def depths(layers: Sequence[int] = (8, 2, 4)) -> xr.Dataset:
    """Accuracies of models of several depths, trained for different numbers of steps, and of one more."""
    parts = {f"depths_layers_{n}": accuracies([0, 10 * n]) for n in layers}
    swept = {f"depths_layers_{n}": {"layers": n} for n in layers}
    return join("accuracy_by", {**parts, "base": accuracies()}, swept)


def draw(module: Any, *data: xr.Dataset, claims: Sequence[Claim] = (), **options: Any) -> Figure:
    """The figure of datasets, called `first` and `second`."""
    named = dict(zip(("first", "second"), data, strict=False))
    with save.style():
        made = module.plot(named, module.Options(**options), claims)
        made.draw_without_rendering()
    assert isinstance(made, Figure)
    return made


# What a figure shows.


def numbers(axes: Axes) -> list[list[str]]:
    """What is written in the cells of a map, row by row."""
    (image,) = axes.images
    rows, columns = image.get_array().shape  # type: ignore[union-attr]
    found = [[""] * columns for _ in range(rows)]
    for text in axes.texts:
        column, row = map(int, text.get_position())
        found[row][column] = text.get_text()
    return found


def labels(axes: Axes, axis: str) -> list[str]:
    return [text.get_text() for text in getattr(axes, f"get_{axis}ticklabels")()]


def drawn(axes: Axes, label: str, of: Sequence[str]) -> tuple[list[float], list[float]]:
    """x and y of the thick line of one label among those that a figure has."""
    look = style.looks(of)[label]
    (line,) = [
        line
        for line in axes.lines
        if to_hex(line.get_color()) == look.color.lower()
        and line.get_linewidth() > 1 and line.get_marker() == look.marker
    ]  # fmt: skip
    x, y = line.get_data()
    return list(np.asarray(x)), list(np.asarray(y))


# Readout maps.


def at(when: str, **more: Any) -> dict[str, Any]:
    tokens = ("source", "target")
    return {"reads": {f"{token} token": f"{token} {when}" for token in tokens}, **more}


def test_a_map_shows_means_over_seeds_of_the_places_and_states_asked_for() -> None:
    data = join("probe", {"one": readouts()})
    panels = {"Before": at("before"), "After": at("after", targets={"its target": "target"})}
    figure = draw(readout_map, data, panels=panels)
    legible(figure)
    assert figure.get_figwidth() == style.SINGLE
    before, after = figure.axes
    f1 = data["f1"].sel(experiment="one", control="none", hidden_layers=0).mean("seed")
    for panel, when, targets in (
        (before, "before", ["source", "target"]),
        (after, "after", ["target"]),
    ):
        expected = f1.sel(read=[f"source {when}", f"target {when}"], target=targets)
        assert numbers(panel) == [[f"{value:.2f}" for value in row] for row in expected.values]
        np.testing.assert_allclose(panel.images[0].get_array(), expected)  # type: ignore[arg-type]
    assert labels(before, "y") == ["source token", "target token"]
    assert labels(after, "x") == ["its target"]
    assert before.get_ylim()[0] > before.get_ylim()[1], "the first place is at the top"


def test_places_are_named_once_where_maps_share_them() -> None:
    data = join("probe", {"one": readouts()})
    shared = draw(readout_map, data, panels={"Before": at("before"), "After": at("after")})
    assert [panel.yaxis.get_tick_params()["labelleft"] for panel in shared.axes] == [True, False]
    apart = draw(readout_map, data, panels={"Before": at("before"), "All": {}})
    assert [panel.yaxis.get_tick_params()["labelleft"] for panel in apart.axes] == [True, True]
    legible(apart)


def test_a_map_takes_its_control_depth_variable_experiment_and_analysis() -> None:
    first, second = (join("probe", {"a": readouts(), "b": readouts(targets=["one"])}) for _ in "12")
    second["accuracy"] = second["accuracy"] / 2
    panel = {
        "data": "second", "experiment": "b", "control": "untrained_model", "hidden_layers": 1,
    }  # fmt: skip
    (axes,) = draw(readout_map, first, second, variable="accuracy", panels={"": panel}).axes
    here = second["accuracy"].sel(
        experiment="b", control="untrained_model", hidden_layers=1, target="one"
    )
    expected = [[f"{value:.2f}"] for value in here.mean("seed").values]
    assert numbers(axes) == expected, "targets that only another experiment has are left out"


def test_a_cell_without_a_value_has_a_dash() -> None:
    one = readouts()
    one["f1"][{"read": 1, "target": 0}] = np.nan
    (axes,) = draw(readout_map, join("probe", {"one": one})).axes
    without, measured = numbers(axes)[1][:2]
    assert without == "\N{EN DASH}"
    assert float(measured) > 0


def test_dark_cells_have_white_numbers() -> None:
    one = readouts()
    one["f1"][{"read": 0}], one["f1"][{"read": 1}] = 0.02, 0.98
    (axes,) = draw(readout_map, join("probe", {"one": one})).axes
    colors = {text.get_text(): text.get_color() for text in axes.texts}
    assert (colors["0.98"], colors["0.02"]) == ("#ffffff", style.BLACK)


@pytest.mark.parametrize("count", [1, 2, 4, 5])
def test_maps_of_many_states_are_legible(count: int) -> None:
    layers = [f"layer {n}" for n in range(1, 7)]
    data = join("probe", {"one": readouts(layers, ["children", "inner_children", "goal"])})
    targets = {"children": "children", "with children": "inner_children"}
    names = ["", "One hidden layer", "Untrained", "Untrained, deep", "Another"][:count]
    legible(draw(readout_map, data, panels={name: {"targets": targets} for name in names}))


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"variable": "acuracy"}, "variable: no 'acuracy'.*did you mean 'accuracy'"),
        ({"panels": {"a": {"reads": {"x": "source bfore"}}}}, "read: no 'source bfore'"),
        ({"panels": {"a": {"hidden_layers": 3}}}, "hidden_layers: no 3 in the data"),
        ({"panels": {"a": {"data": "third"}}}, "panels.a.data: no analysis 'third'"),
    ],
)
def test_a_map_of_what_is_not_there_is_an_error(wrong: dict[str, Any], words: str) -> None:
    with pytest.raises(InterpflowError, match=words):
        draw(readout_map, join("probe", {"one": readouts()}), **wrong)


def test_maps_of_which_a_scale_leaves_nothing_say_so() -> None:
    data = join("probe", {"one": readouts()})
    figure = draw(readout_map, data, panels={"a": {"experiment": "large"}})
    assert "No experiment" in figure.texts[0].get_text()


# Curves.


CURVES = {
    "intact": {"variable": "intact_accuracy"},
    "erased": {"variable": "accuracy", "select": {"control": "none"}},
    "random": {"variable": "accuracy", "select": {"control": "random_labels"}},
}
PANELS = {"Source": {"erasure": "source"}, "Goal": {"erasure": "goal"}}


def test_curves_are_means_over_seeds_with_one_deviation_panel_by_panel() -> None:
    data = join("concept_erasure", {"one": erasures()})
    figure = draw(group_curves, data, lines=CURVES, panels=PANELS)
    legible(figure)
    for axes, name in zip(figure.axes, ("source", "goal"), strict=True):
        erased = data["accuracy"].sel(experiment="one", erasure=name)
        for label, values in {
            "intact": data["intact_accuracy"].sel(experiment="one"),
            "erased": erased.sel(control="none"),
            "random": erased.sel(control="random_labels"),
        }.items():
            x, y = drawn(axes, label, [*CURVES])
            assert x == list(range(1, 8))
            np.testing.assert_allclose(y, values.mean("seed"))
        bars = [container.lines[2][0].get_segments() for container in axes.containers]  # type: ignore[union-attr]
        half = [np.ptp(segment[:, 1]) / 2 for segment in bars[1]]
        np.testing.assert_allclose(half, erased.sel(control="none").std("seed", ddof=1))
    assert figure.get_supxlabel() == "Path length (edge)"


@pytest.mark.parametrize("spread", ["bars", "band", "seeds"])
@pytest.mark.parametrize("seeds", [1, 3])
def test_each_way_of_showing_seeds(spread: str, seeds: int) -> None:
    data = join("concept_erasure", {"one": erasures(seeds=seeds)})
    figure = draw(group_curves, data, lines=CURVES, panels=PANELS, spread=spread)
    legible(figure)
    axes = figure.axes[0]
    thin = [line for line in axes.lines if line.get_linewidth() < 1 and line.get_alpha()]
    bands = [band for band in axes.collections if band.get_alpha()]
    assert len(thin) == (9 if spread == "seeds" and seeds > 1 else 0)
    assert len(bands) == (3 if spread == "band" and seeds > 1 else 0)
    if thin:
        single = data["intact_accuracy"].isel(experiment=0, seed=1)
        assert any(np.array_equal(line.get_ydata(), single) for line in thin)


def test_a_panel_of_a_seed_that_a_smaller_scale_lacks_is_left_out() -> None:
    data = join("concept_erasure", {"one": erasures(seeds=2)})
    panels = {f"Seed {seed}": {"seed": seed, "erasure": "goal"} for seed in range(3)}
    figure = draw(group_curves, data, lines=CURVES, panels=panels)
    assert [axes.get_title("left") for axes in figure.axes] == ["Seed 0", "Seed 1"]
    of_first = data["accuracy"].sel(experiment="one", erasure="goal", control="none", seed=1)
    np.testing.assert_allclose(drawn(figure.axes[1], "erased", [*CURVES])[1], of_first)


def test_a_sweep_makes_one_line_over_its_values_in_order() -> None:
    data = depths()
    last = {"checkpoint": "last"}
    lines = {
        f"length {n}": {"variable": "accuracy", "select": {"group": n, **last}} for n in (1, 7)
    } | {"all": {"variable": "overall_accuracy", "select": last, "experiments": ["depths_*"]}}
    (axes,) = (figure := draw(group_curves, data, x="layers", lines=lines)).axes
    legible(figure)
    for label, variable, here in (
        ("length 7", "accuracy", {"group": 7}), ("all", "overall_accuracy", {}),
    ):  # fmt: skip
        x, y = drawn(axes, label, [*lines])
        assert x == [2, 4, 8]
        expected = [
            data[variable].sel(experiment=f"depths_layers_{n}", step=10 * n, **here).mean("seed")
            for n in (2, 4, 8)
        ]
        np.testing.assert_allclose(y, expected)


def test_formation_runs_over_training_steps_with_a_panel_for_each_experiment() -> None:
    data = depths((2, 4))
    lines = {"length 1": {"variable": "accuracy", "select": {"group": 1}},
             "all": {"variable": "overall_accuracy"}}  # fmt: skip
    panels = {"Base": {"experiment": "base"}, "Deep": {"experiment": "depths_layers_4"},
              "Wide": {"experiment": "wide"}}  # fmt: skip
    figure = draw(group_curves, data, x="step", lines=lines, panels=panels, spread="seeds")
    legible(figure)
    assert [axes.get_title("left") for axes in figure.axes] == ["Base", "Deep"]
    assert figure.get_supxlabel() == "Training step"
    assert [drawn(axes, "all", [*lines])[0] for axes in figure.axes] == [STEPS, [0, 40]]
    assert figure.axes[0].get_xscale() == "symlog"


def test_x_can_be_words_and_what_has_no_x_is_a_level() -> None:
    names = ("source_of_the_edge", "goal_at_the_root", "everything_there_is", "short")
    data = join("concept_erasure", {"one": erasures(names)})
    lines = {
        "before": {"variable": "readable", "select": {"when": "before"}},
        "after": {"variable": "readable", "select": {"when": "after"}},
        "chance": {"variable": "majority", "select": {"erasure": "short"}},
    }
    figure = draw(group_curves, data, x="erasure", lines=lines)
    legible(figure)
    assert [label.replace("\n", " ") for label in labels(figure.axes[0], "x")] == [
        style.readable(name) for name in names
    ]
    x, y = drawn(figure.axes[0], "after", [*lines])
    assert x == [0, 1, 2, 3]
    np.testing.assert_allclose(y, data["readable"].sel(when="after").squeeze().mean("seed"))
    intact = {"variable": "intact_accuracy", "select": {"group": 3}}
    level = draw(group_curves, data, x="erasure", lines={"a": lines["before"], "level": intact})
    (dashed,) = [line for line in level.axes[0].lines if line.get_linestyle() == "--"]
    assert dashed.get_ydata()[0] == data["intact_accuracy"].sel(group=3).mean().item()  # type: ignore[index]


def test_losses_have_a_logarithmic_axis() -> None:
    data = join("concept_erasure", {"one": erasures()})
    loss = {"variable": "loss", "select": {"control": "none", "erasure": "goal"}}
    figure = draw(group_curves, data, lines={"": loss}, y="log", y_label="Loss (nat)")
    legible(figure)
    assert figure.axes[0].get_yscale() == "log"
    assert figure.get_supylabel() == "Loss (nat)"


def claim(variable: str, select: dict[str, Any], value: float) -> Claim:
    return Claim("stated", "first", variable, select, value, None, None, 0.1, "somewhere", None)


def test_reported_values_stand_on_their_lines() -> None:
    data = join("concept_erasure", {"one": erasures()})
    place = {"experiment": "one", "erasure": "goal", "control": "none"}
    claims = [claim("accuracy", {**place, "group": 5}, 0.25)]
    source, goal = draw(group_curves, data, claims=claims, lines=CURVES, panels=PANELS).axes
    crosses = [[line.get_xydata().tolist() for line in axes.lines if line.get_marker() == "x"]  # type: ignore[union-attr]
               for axes in (source, goal)]  # fmt: skip
    assert crosses == [[], [[[5, 0.25]]]]
    swept = depths()
    select = {"experiment": "depths_layers_4", "checkpoint": "last"}
    lines = {"all": {"variable": "overall_accuracy", "select": {"checkpoint": "last"}}}
    (axes,) = draw(
        group_curves, swept, claims=[claim("overall_accuracy", select, 0.5)], x="layers", lines=lines
    ).axes  # fmt: skip
    (cross,) = [line for line in axes.lines if line.get_marker() == "x"]
    assert cross.get_xydata().tolist() == [[4, 0.5]]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"x": "grup"}, "x: no 'grup' in the data.*did you mean 'group'"),
        ({"lines": {"a": {"variable": "acuracy"}}}, "lines.a.variable: no 'acuracy'"),
        ({"lines": {"a": {"variable": "accuracy"}}}, "several values of erasure; select one"),
        ({"panels": {"a": {"erasures": "goal"}}}, "panels.a: no 'erasures'.*mean 'erasure'"),
        ({"panels": {"a": {"erasure": "gaol"}}}, "erasure: no 'gaol' in the data"),
        ({"lines": {"a": {"variable": "loss", "data": "third"}}}, "lines.a.data: no analysis"),
    ],
)
def test_curves_of_what_is_not_there_are_an_error(wrong: dict[str, Any], words: str) -> None:
    data = join("concept_erasure", {"one": erasures()})
    with pytest.raises(InterpflowError, match=words):
        draw(group_curves, data, **{"lines": CURVES, **wrong})


def test_curves_of_which_a_scale_leaves_nothing_say_so() -> None:
    data = join("concept_erasure", {"one": erasures()})
    figure = draw(group_curves, data, lines=CURVES, panels={"a": {"experiment": "large"}})
    assert "Nothing" in figure.texts[0].get_text()
