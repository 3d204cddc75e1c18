"""Curves by group say what the data says, and can be read in print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import matplotlib.pyplot as plt
import numpy as np
import pytest
import xarray as xr
from drawing import claim, draw, join, labels, legible, random, texts
from matplotlib.axes import Axes
from matplotlib.colors import to_hex

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.plots import group_curves

pytestmark = pytest.mark.filterwarnings("error")

STEPS = [0, 16, 64, 250, 1000, 4000]


# Findings of the right shape.


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


def depths(layers: Sequence[int] = (8, 2, 4)) -> xr.Dataset:
    """Accuracies of models of several depths, trained for different numbers of steps, and of one more."""
    parts = {f"depths_layers_{n}": accuracies([0, 10 * n]) for n in layers}
    swept = {f"depths_layers_{n}": {"layers": n} for n in layers}
    return join("accuracy_by", {**parts, "base": accuracies()}, swept)


# What a figure shows.


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


# Curves.


CURVES = {
    "intact": {"variable": "intact_accuracy"},
    "erased": {"variable": "accuracy", "select": {"control": "none"}},
    "random": {"variable": "accuracy", "select": {"control": "random_labels"}},
}
PANELS = {name.title(): {"select": {"erasure": name}} for name in ("source", "goal")}


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


@pytest.mark.parametrize("spread", ["bars", "seeds"])
@pytest.mark.parametrize("seeds", [1, 3])
def test_each_way_of_showing_seeds(spread: str, seeds: int) -> None:
    data = join("concept_erasure", {"one": erasures(seeds=seeds)})
    figure = draw(group_curves, data, lines=CURVES, panels=PANELS, spread=spread)
    legible(figure)
    axes = figure.axes[0]
    thin = [line for line in axes.lines if line.get_linewidth() < 1 and line.get_alpha()]
    assert len(thin) == (9 if spread == "seeds" and seeds > 1 else 0)
    bars = [bar for bar in axes.collections if len(bar.get_paths())]
    assert len(bars) == (3 if spread == "bars" and seeds > 1 else 0)
    if thin:
        single = data["intact_accuracy"].isel(experiment=0, seed=1)
        assert any(np.array_equal(line.get_ydata(), single) for line in thin)


def test_a_title_with_seed_stands_for_a_panel_for_each_seed_there_is() -> None:
    data = join("concept_erasure", {"one": erasures(seeds=2)})
    panels = {
        "Goal": {"select": {"erasure": "goal"}},
        "Seed {seed}": {"select": {"erasure": "goal"}},
    }
    figure = draw(group_curves, data, lines=CURVES, panels=panels)
    assert [axes.get_title("left") for axes in figure.axes] == ["Goal", "Seed 0", "Seed 1"]
    of_second = data["accuracy"].sel(experiment="one", erasure="goal", control="none", seed=1)
    np.testing.assert_allclose(drawn(figure.axes[2], "erased", [*CURVES])[1], of_second)


def test_a_panel_of_a_seed_that_a_smaller_scale_lacks_is_left_out() -> None:
    data = join("concept_erasure", {"one": erasures(seeds=2)})
    panels = {f"Seed {seed}": {"seed": seed, "select": {"erasure": "goal"}} for seed in range(3)}
    figure = draw(group_curves, data, lines=CURVES, panels=panels)
    assert [axes.get_title("left") for axes in figure.axes] == ["Seed 0", "Seed 1"]
    of_first = data["accuracy"].sel(experiment="one", erasure="goal", control="none", seed=1)
    np.testing.assert_allclose(drawn(figure.axes[1], "erased", [*CURVES])[1], of_first)


def test_a_sweep_makes_one_line_over_its_values_in_order() -> None:
    data = depths()
    last = {"checkpoint": "last"}
    lines = {
        f"length {n}": {"variable": "accuracy", "select": {"group": n, **last}} for n in (1, 7)
    } | {"all": {"variable": "overall_accuracy", "select": last, "experiment": "depths_*"}}
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


@pytest.mark.parametrize(
    ("steps", "scale"),
    [([0, 1, 10, 100, 1000], "symlog"), ([0, 40], "linear"), ([0, 500, 1000, 1500, 2400], "linear"),
     ([500, 1000, 2400], "symlog")],
)  # fmt: skip
def test_steps_that_are_evenly_spread_stand_evenly(steps: list[int], scale: str) -> None:
    panel = plt.figure(figsize=(3, 2)).subplots()
    style.training_steps(panel, steps)
    assert panel.get_xscale() == scale
    low, high = panel.get_xlim()
    assert low <= steps[0] and steps[-1] <= high
    assert "1,000" in [f"{tick:,.0f}" for tick in panel.get_xticks()] or steps[-1] < 1000


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


def test_numbers_along_x_can_have_words_in_an_order_of_their_own() -> None:
    data = join("accuracy_by", {"one": accuracies()})
    lines = {"all": {"variable": "accuracy"}}
    order = {"3": "three edges", "1": "one edge"}
    figure = draw(group_curves, data, lines=lines, labels=order, select={"step": 4000})
    legible(figure)
    said = [label.replace("\n", " ") for label in labels(figure.axes[0], "x")]
    assert said == ["Three edges", "One edge", *"24567"]
    x, y = drawn(figure.axes[0], "all", [*lines])
    by_group = data["accuracy"].squeeze("experiment").sel(step=4000).mean("seed")
    expected = [by_group.sel(group=group).item() for group in (3, 1, 2, 4, 5, 6, 7)]
    assert [value for _, value in sorted(zip(x, y, strict=True))] == pytest.approx(expected)


def test_losses_have_a_logarithmic_axis() -> None:
    data = join("concept_erasure", {"one": erasures()})
    loss = {"variable": "loss", "select": {"control": "none", "erasure": "goal"}}
    figure = draw(group_curves, data, lines={"": loss}, y="log", y_label="Loss (nat)")
    legible(figure)
    assert figure.axes[0].get_yscale() == "log"
    assert figure.get_supylabel() == "Loss (nat)"


def test_reported_values_stand_on_their_lines() -> None:
    data = join("concept_erasure", {"one": erasures()})
    place = {"experiment": "one", "erasure": "goal", "control": "none"}
    claims = [claim("accuracy", {**place, "group": 5}, expected=0.25)]
    source, goal = draw(group_curves, data, claims=claims, lines=CURVES, panels=PANELS).axes
    crosses = [[line.get_xydata().tolist() for line in axes.lines if line.get_marker() == "x"]  # type: ignore[union-attr]
               for axes in (source, goal)]  # fmt: skip
    assert crosses == [[], [[[5, 0.25]]]]
    swept = depths()
    select = {"experiment": "depths_layers_4", "checkpoint": "last"}
    lines = {"all": {"variable": "overall_accuracy", "select": {"checkpoint": "last"}}}
    (axes,) = draw(
        group_curves, swept, claims=[claim("overall_accuracy", select, expected=0.5)], x="layers", lines=lines
    ).axes  # fmt: skip
    (cross,) = [line for line in axes.lines if line.get_marker() == "x"]
    assert cross.get_xydata().tolist() == [[4, 0.5]]  # type: ignore[union-attr]


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"x": "grup"}, "x: no 'grup' in the data.*did you mean 'group'"),
        ({"lines": {"a": {"variable": "acuracy"}}}, "lines.a.variable: no 'acuracy'"),
        ({"lines": {"a": {"variable": "accuracy"}}}, "several values of erasure; select one"),
        (
            {"panels": {"a": {"select": {"erasures": "goal"}}}},
            "panels.a.select: no 'erasures'.*mean 'erasure'",
        ),
        ({"panels": {"a": {"select": {"erasure": "gaol"}}}}, "erasure: no 'gaol' in the data"),
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


NEAR = [
    ("adamw_narrow", "adamw_narrow_16"),  # a part more
    ("adamw_narrow_16", "adamw_narrow"),
    ("muon_wide_short_16", "muon_wide_16"),
    ("muon_narrow_16", "adamw_narrow_16"),  # another word
    ("shuffle2_interleaved", "shuffle4_interleaved"),  # another number
]


@pytest.mark.parametrize(("there", "left_out"), NEAR)
def test_curves_of_experiments_called_much_alike_do_without_those_of_a_larger_scale(
    there: str, left_out: str
) -> None:
    data = join("accuracy_by", {there: accuracies()})
    panels = {"a": {"experiment": there}, "b": {"experiment": left_out}}
    lines = {"all": {"variable": "overall_accuracy"}}
    (axes,) = draw(group_curves, data, x="step", lines=lines, panels=panels).axes
    assert axes.get_title("left") == "a"


@pytest.mark.parametrize(
    "slip", ["shuffle2_interlaeved", "shufle2_interleaved", "shuffel2_interleved"]
)
def test_curves_of_a_misspelt_experiment_are_an_error(slip: str) -> None:
    data = join("accuracy_by", {"shuffle2_interleaved": accuracies(), "dyck1": accuracies()})
    with pytest.raises(InterpflowError, match=f"no '{slip}' in the data.*did you mean 'shuffle2"):
        draw(
            group_curves, data, x="step", lines={"all": {"variable": "overall_accuracy"}},
            panels={"a": {"experiment": slip}},
        )  # fmt: skip


def capacities() -> xr.Dataset:
    """As `analyses.capacity` returns them, of models of three sizes; the smallest holds less than nothing."""
    parts = {
        f"width_{size}": xr.Dataset(
            {
                "trainable": ((), 8 * size**2),
                "bits": ("seed", np.array([0.9, 1.1]) * (size**2 if size > 8 else -size)),
            },
            {"seed": [0, 1]},
        )
        for size in (8, 16, 32)
    }
    return join("capacity", parts)


LOGARITHMIC = {
    "x": "trainable",
    "log_x": True,
    "y": "log",
    "lines": {"held": {"variable": "bits", "experiment": "width_*"}},
}


def test_sizes_have_a_logarithmic_axis_with_numbers_that_say_more_than_powers_of_ten() -> None:
    figure = draw(group_curves, capacities(), **LOGARITHMIC)
    (panel,) = figure.axes
    assert panel.get_xscale() == panel.get_yscale() == "log"
    low, high = panel.get_xlim()
    ticks = [tick for tick in panel.get_xticks() if low <= tick <= high]
    assert ticks == pytest.approx([500, 1000, 2000, 5000])
    assert {"500", "1,000", "2,000", "5,000"} <= {*labels(panel, "x")}
    legible(figure)


@pytest.mark.parametrize("spread", ["bars", "seeds"])
def test_what_is_not_above_zero_has_no_place_on_a_logarithmic_axis(spread: str) -> None:
    figure = draw(group_curves, capacities(), **LOGARITHMIC, spread=spread)
    (panel,) = figure.axes
    assert 10 < panel.get_ylim()[0] < 256 * 0.9
    # Marks are drawn whole at the edge of a panel, so what lay far below it would stretch the page.
    assert figure.get_tightbbox().height < 3 * figure.get_figheight()


def test_the_label_of_the_axis_stands_beside_the_panel_below_a_key_of_several_rows():
    found = join("concept_erasure", {"base": erasures([f"concept {n}" for n in range(8)])})
    lines = {
        f"the concept {n}": {"variable": "accuracy", "select": {"erasure": f"concept {n}"}}
        for n in range(8)
    }
    figure = draw(
        group_curves, found, experiment="base", select={"control": "none"}, lines=lines,
        y_label="Right in this group",
    )  # fmt: skip
    legible(figure)
    label = next(text for text in texts(figure) if "Right" in text.get_text())
    assert label.get_window_extent().y1 < figure.legends[0].get_window_extent().y0
