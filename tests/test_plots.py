"""Figures say what the data says, and can be read in print."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

import matplotlib as mpl
import numpy as np
import pytest
import xarray as xr
from drawing import claim, draw, join, legible, random, texts
from matplotlib.axes import Axes
from matplotlib.colors import to_hex
from matplotlib.container import ErrorbarContainer
from matplotlib.figure import Figure

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.plots import (
    confusion,
    length_bins,
    paired_probes,
    probe_depth,
    protocols,
    removal,
)
from interpflow.plots._controls import CONTROLS
from interpflow.plots.base import choose
from interpflow.spec import plugins
from interpflow.spec.load import load_spec, resolve
from interpflow.spec.study import Study
from interpflow.style import save
from interpflow.style.marks import AT_LEAST, AT_MOST
from interpflow.style.sizes import VENUES, Venue

pytestmark = pytest.mark.filterwarnings("error")

SPECS = sorted((Path(__file__).parents[1] / "specs").glob("*.yaml"))
LAYERS = [0, 1, 2, 3, 5]
BEST = {"checkpoint": "best"}


# Findings of the right shape.


def probes(
    experiment: str,
    targets: Sequence[str],
    controls: Sequence[str] = (),
    layers: Sequence[int] = LAYERS,
    seeds: int = 5,
) -> xr.Dataset:
    """As `analyses.probe` returns them for one read; controls have one seed."""
    draw = random(experiment)
    classes = int(draw.integers(8, 30))
    accuracy = draw.uniform(0.02, 0.99, (seeds, 1, len(targets), 1 + len(controls), len(layers)))
    accuracy[1:, :, :, 1:] = np.nan
    size = (seeds, 1, len(targets), len(layers), classes, classes)
    counts = draw.poisson(3, size) + 50 * np.eye(classes, dtype=int)
    dims = ("seed", "read", "target", "hidden_layers", "true_class", "predicted_class")
    return xr.Dataset(
        {
            "accuracy": (("seed", "read", "target", "control", "hidden_layers"), accuracy),
            "confusion": (dims, counts),
            "majority_accuracy": (("read", "target"), draw.uniform(0.2, 0.6, (1, len(targets)))),
            "classes": (("read", "target"), [[classes] * len(targets)]),
        },
        {
            "seed": range(seeds),
            "read": ["here"],
            "target": list(targets),
            "control": ["none", *controls],
            "hidden_layers": list(layers),
            "true_class": range(classes),
            "predicted_class": range(classes),
        },
    )


def lengths(experiment: str, bins: Sequence[Sequence[int]], seeds: int = 5) -> xr.Dataset:
    """As `analyses.accuracy_by` returns them by split, at the best step of each seed."""
    splits = ["validation", *(f"bin{index}" for index in range(1, len(bins)))]
    accuracy = random(experiment).uniform(0, 1, (seeds, 2, len(bins)))
    best = (np.arange(seeds) % 2)[:, None] == np.arange(2)
    return xr.Dataset(
        {
            "accuracy": (("seed", "step", "group"), np.where(best[..., None], accuracy, np.nan)),
            "shortest": ("group", [shortest for shortest, _ in bins]),
            "longest": ("group", [longest for _, longest in bins]),
            "checkpoint": (("seed", "step"), np.where(best, "best", "")),
        },
        {"seed": range(seeds), "step": [10, 20], "group": splits},
    )


def choices(
    experiment: str, bins: Sequence[Sequence[int]], asked: Sequence[str], seeds: int = 5
) -> xr.Dataset:
    """As `analyses.checkpoint_choice` returns them by split."""
    accuracy = random(experiment).uniform(0, 1, (seeds, len(asked), len(bins)))
    ends = lengths(experiment, bins, seeds).drop_dims("step")
    found = ends.assign(accuracy=(("seed", "choice", "group"), accuracy))
    return found.assign_coords(choice=list(asked))


def removals(
    experiment: str,
    targets: Sequence[str],
    ranks: Sequence[int] = (1, 2, 4, 8, 16),
    seeds: int = 5,
) -> xr.Dataset:
    """As `analyses.direction_removal` returns them."""
    draw = random(experiment)
    wholes = draw.integers(5, 30, len(targets))
    accuracy = draw.uniform(0, 1, (seeds, len(targets), len(ranks)))
    accuracy[:, np.less.outer(wholes, ranks)] = np.nan
    by_target = {
        name: (("seed", "target"), draw.uniform(0, 1, (seeds, len(targets))))
        for name in ("subspace_accuracy", "random_subspace_accuracy", "leace_accuracy")
    }
    return xr.Dataset(
        {
            "accuracy": (("seed", "target", "rank"), accuracy),
            "random_accuracy": (("seed", "rank"), draw.uniform(0, 1, (seeds, len(ranks)))),
            "intact_accuracy": ("seed", draw.uniform(0.9, 1, seeds)),
            "probe_rank": ("target", wholes),
            **by_target,
        },
        {"seed": range(seeds), "target": list(targets), "rank": list(ranks)},
    )


def findings(study: Study, name: str) -> xr.Dataset:
    """Made-up findings with the experiments, targets and settings of one analysis of `study`."""
    analysis, seeds = study.analyses[name], len(study.seeds)
    parts = {}
    for experiment, options in analysis.options.items():
        targets = [
            str(value)
            for state in options.get("targets", {}).values()
            for value in state["select"][state["along"]]
        ]
        if analysis.method == "probe":
            layers = [len(widths) for widths in options["hidden"]]
            parts[experiment] = probes(experiment, targets, options["controls"], layers, seeds)
        elif analysis.method == "direction_removal":
            parts[experiment] = removals(experiment, targets, options["ranks"], seeds)
        else:
            task = study.experiments[experiment].task
            bins = [[task["min_length"], task["max_length"]], *task["bins"]]
            if analysis.method == "checkpoint_choice":
                parts[experiment] = choices(experiment, bins, options["choices"], seeds)
            else:
                parts[experiment] = lengths(experiment, bins, seeds)
    return join(analysis.method, parts)


STUDIES = {
    (spec.name, scale): resolve(spec, scale)
    for spec in map(load_spec, SPECS)
    for scale in ("paper", "smoke")
}
PLOTS = {
    module.__name__.rpartition(".")[2]
    for module in (confusion, length_bins, paired_probes, probe_depth, protocols, removal)
}
# Every figure that these plots draw in any spec, at its largest and at its smallest.
FIGURES = [
    (*key, name)
    for key, study in STUDIES.items()
    for name, figure in study.figures.items()
    if figure.plot in PLOTS
]


def drawn(study: str, scale: str, figure: str, venue: Venue | None = None) -> Figure:
    """A figure of a spec, of made-up findings, laid out as it is saved."""
    resolved = STUDIES[study, scale]
    asked = resolved.figures[figure]
    data = {name: findings(resolved, name) for name in asked.data}
    claims = [claim for claim in resolved.claims if claim.data in data]
    module = plugins.load(plugins.PLOT, asked.plot)
    return draw(
        module, *data.values(), names=list(data), claims=claims, venue=venue, **asked.options
    )


# What a figure shows.


def marks(axes: Axes, marker: Any) -> set[tuple[float, float]]:
    """Where marks of this kind are."""
    return {
        (round(float(x), 9), round(float(y), 9))
        for line in axes.lines
        if line.get_marker() == marker
        for x, y in zip(*line.get_data(), strict=True)
    }


def bars(axes: Axes) -> dict[str, tuple[np.ndarray, np.ndarray, np.ndarray]]:
    """x, y and half the height of the error bars of each line, by colour."""
    found = {}
    for container in axes.containers:
        assert isinstance(container, ErrorbarContainer)
        line, _, segments = container.lines
        assert line is not None
        x, y = map(np.asarray, line.get_data())
        half = np.array(
            [np.ptp(segment[:, 1]) / 2 for each in segments for segment in each.get_segments()]
        )
        found[to_hex(line.get_color())] = (x, y, half)
    return found


@pytest.mark.parametrize(("study", "scale", "figure"), FIGURES)
def test_figures_of_specs_are_legible(study: str, scale: str, figure: str) -> None:
    legible(drawn(study, scale, figure))


@pytest.mark.parametrize("venue", VENUES)
@pytest.mark.parametrize(
    ("study", "figure"), [(s, f) for s, scale, f in FIGURES if scale == "paper"]
)
def test_figures_of_specs_are_legible_on_the_pages_of_a_venue(
    study: str, figure: str, venue: Venue
) -> None:
    legible(drawn(study, "paper", figure, venue), VENUES[venue])


def test_bars_are_one_standard_deviation_over_seeds() -> None:
    data = join("probe", {"one": probes("one", ["depth"])})
    (axes,) = draw(probe_depth, data).axes
    ((x, y, half),) = bars(axes).values()
    values = data["accuracy"].squeeze(("experiment", "read", "target", "control"))
    assert x.tolist() == LAYERS
    np.testing.assert_allclose(y, values.mean("seed"))
    np.testing.assert_allclose(half, values.std("seed", ddof=1))


def test_one_seed_has_no_bars() -> None:
    data = join("probe", {"one": probes("one", ["depth"], ["word_type"], seeds=1)})
    (axes,) = draw(probe_depth, data).axes
    assert [half.size for *_, half in bars(axes).values()] == [0, 0]


def test_a_seed_without_a_value_does_not_count() -> None:
    values = xr.DataArray([[1.0, 4, np.nan], [3, np.nan, np.nan]], dims=("seed", "x"))
    mean, sd = style.mean_and_sd(values)
    np.testing.assert_array_equal(mean, [2, 4, np.nan])
    np.testing.assert_array_equal(sd, [2**0.5, np.nan, np.nan])


def test_an_experiment_without_a_target_has_no_panel_for_it() -> None:
    data = join(
        "probe", {"wide": probes("wide", ["round", "square"]), "deep": probes("deep", ["total"])}
    )
    titles = {"Wide, round", "Wide, square", "Deep, total"}
    for module in (probe_depth, confusion):
        shown = {axes.get_title("left") for axes in draw(module, data).axes}
        assert shown - {""} == titles


def test_a_control_looks_alike_beside_others_and_alone() -> None:
    some = join("probe", {"one": probes("one", ["depth"], ["untrained_model"])})
    more = join("probe", {"one": probes("one", ["depth"], ["word_type", "untrained_model"])})
    alone, beside = (bars(draw(probe_depth, data).axes[0]) for data in (some, more))
    assert len(beside) == 3
    assert alone.keys() < beside.keys()
    looks = CONTROLS.values()
    assert len({(look.color, look.marker) for look in looks}) == len(CONTROLS)


def test_the_most_frequent_class_is_a_dashed_line() -> None:
    data = join("probe", {"one": probes("one", ["depth"])})
    (axes,) = draw(probe_depth, data).axes
    (dashed,) = [line for line in axes.lines if line.get_linestyle() == "--"]
    assert set(dashed.get_ydata()) == {data["majority_accuracy"].item()}


def test_reported_values_are_crosses_where_they_belong() -> None:
    data = join("probe", {name: probes(name, ["depth"]) for name in ("one", "other")})
    place = {"experiment": "other", "target": "depth", "control": "none"}
    claims = [
        claim("accuracy", {**place, "hidden_layers": depth}, expected=value, tolerance=0.1)
        for depth, value in ((0, 0.25), (5, 0.75))
    ]
    one, other = draw(probe_depth, data, claims=claims).axes
    assert marks(one, "x") == set()
    assert marks(other, "x") == {(0, 0.25), (5, 0.75)}


@pytest.mark.parametrize(
    "changed", [{"data": "another"}, {"variable": "selectivity"}, {"select": {"experiment": "two"}}]
)
def test_a_claim_on_something_else_leaves_no_mark(changed: dict[str, Any]) -> None:
    data = join("probe", {"one": probes("one", ["depth"])})
    place = {"experiment": "one", "target": "depth", "control": "none", "hidden_layers": 0}
    stated = claim("accuracy", place, expected=0.25, tolerance=0.1)
    elsewhere = replace(stated, **{**changed, "select": {**place, **changed.get("select", {})}})
    assert marks(draw(probe_depth, data, claims=[stated]).axes[0], "x")
    assert not marks(draw(probe_depth, data, claims=[elsewhere]).axes[0], "x")


def test_a_claim_on_what_its_experiment_lacks_leaves_no_mark() -> None:
    bins = [[2, 50], [52, 100], [100, 150]]
    parts = {"long": lengths("long", bins), "short": lengths("short", bins[:2])}
    place = {"checkpoint": "best", "group": "bin2"}
    claims = [
        claim("accuracy", {"experiment": name, **place}, expected=0.5, tolerance=0.1)
        for name in parts
    ]
    figure = draw(length_bins, join("accuracy_by", parts), claims=claims, select=BEST)
    assert [len(marks(axes, "x")) for axes in figure.axes] == [1, 0]


def test_a_claim_may_select_by_any_label() -> None:
    parts = {name: lengths(name, [[2, 50], [52, 100]]) for name in ("base_heads_1", "base_heads_4")}
    data = join("accuracy_by", parts, {"base_heads_1": {"heads": 1}, "base_heads_4": {"heads": 4}})
    place = {"heads": 4, "checkpoint": "best", "shortest": 52}
    stated = claim("accuracy", place, expected=0.5, tolerance=0.1)
    figure = draw(length_bins, data, claims=[stated], select=BEST)
    assert [marks(axes, "x") for axes in figure.axes] == [set(), {(76, 0.5)}]


def test_bounds_are_marks_with_the_tip_at_the_bound() -> None:
    data = join("direction_removal", {"one": removals("one", ["depth"])})
    claims = [
        claim("subspace_accuracy", {"experiment": "one", "target": "depth"}, at_most=0.125),
        claim("random_accuracy", {"experiment": "one", "rank": 1}, at_least=0.5),
    ]
    (axes,) = draw(removal, data, claims=claims).axes
    assert marks(axes, AT_MOST.marker) == {(data["probe_rank"].item(), 0.125)}
    assert marks(axes, AT_LEAST.marker) == {(1, 0.5)}


def test_removal_runs_from_nothing_to_all_that_the_probe_reads() -> None:
    data = join("direction_removal", {"one": removals("one", ["depth"])})
    (axes,) = draw(removal, data).axes
    x, y, _ = bars(axes)[removal.PROBE.color.lower()]
    one, whole = data.isel(experiment=0, target=0), data["probe_rank"].item()
    assert x.tolist() == [0, *(rank for rank in (1, 2, 4, 8, 16) if rank < whole), whole]
    np.testing.assert_allclose(y[0], one["intact_accuracy"].mean())
    np.testing.assert_allclose(y[1], one["accuracy"].sel(rank=1).mean())
    np.testing.assert_allclose(y[-1], one["subspace_accuracy"].mean())


def test_lengths_stand_in_order_and_over_their_range() -> None:
    bins = [[2, 50], [52, 100], [100, 150]]
    parts = {"one": lengths("one", bins), "short": lengths("short", bins[:2])}
    data = join("accuracy_by", parts).sel(group=["bin2", "bin1", "validation"])
    axes, _ = draw(length_bins, data, select=BEST).axes
    ((x, y, _),) = bars(axes).values()
    by_split = data["accuracy"].isel(experiment=0).max("step").mean("seed")
    assert x.tolist() == [26, 76, 125]
    np.testing.assert_allclose(y, by_split.sel(group=["validation", "bin1", "bin2"]))
    (bands,) = axes.collections[:1]
    assert [segment[:, 0].tolist() for segment in bands.get_segments()] == bins  # type: ignore[attr-defined]
    (trained,) = axes.patches
    assert (trained.get_x(), trained.get_x() + trained.get_width()) == (2, 50)  # type: ignore[attr-defined]


def test_experiments_share_a_panel_and_a_cross_has_the_colour_of_its_line() -> None:
    bins = [[2, 50], [52, 100]]
    data = join("accuracy_by", {name: lengths(name, bins) for name in ("one", "other")})
    place = {"experiment": "other", "checkpoint": "best", "group": "bin1"}
    stated = claim("accuracy", place, expected=0.5, tolerance=0.1)
    both = {"narrow": {"experiment": "one"}, "wide": {"experiment": "other"}}
    panels = {"Both": both, "None": {"narrow": {"experiment": "dropped"}}}
    (axes,) = draw(length_bins, data, claims=[stated], panels=panels, select=BEST).axes
    narrow, wide = bars(axes)
    (cross,) = [to_hex(line.get_color()) for line in axes.lines if line.get_marker() == "x"]
    assert cross == wide != narrow
    assert axes.get_title("left") == "Both"


def test_protocols_run_from_the_most_frequent_class_to_the_probe() -> None:
    first = join("probe", {"one": probes("one", ["depth"]), "other": probes("other", ["depth"])})
    second = join("probe", {"other": probes("other", ["depth"], seeds=3)})
    (axes,) = draw(protocols, first, second, select={"hidden_layers": 2}).axes
    assert [label.get_text() for label in axes.get_yticklabels()] == ["Other, depth"]
    lanes = [line.get_xdata() for line in axes.lines if line.get_alpha()]
    for lane, data in zip(lanes, (first, second), strict=True):
        found = data.sel(experiment="other").squeeze(("read", "target"))
        probe = found["accuracy"].sel(control="none", hidden_layers=2).mean("seed")
        np.testing.assert_allclose(lane, [found["majority_accuracy"], probe])


def test_confusion_rows_sum_to_one_over_the_classes_that_exist() -> None:
    few, many = probes("few", ["depth"]), probes("many", ["depth"])
    assert few.sizes["true_class"] != many.sizes["true_class"]
    few["confusion"][{"true_class": 3}] = 0
    figure = draw(confusion, join("probe", {"few": few, "many": many}), select={"hidden_layers": 0})
    for axes, data in zip(figure.axes, (few, many), strict=False):
        shares = axes.images[0].get_array()
        assert shares is not None
        assert shares.shape == (data["classes"].item(),) * 2
        sums = np.ma.filled(np.ma.sum(shares, axis=1), np.nan)
        of_class = data["confusion"].sum(
            [dim for dim in data["confusion"].dims if dim != "true_class"]
        )
        unseen = of_class == 0
        np.testing.assert_allclose(sums, np.where(unseen, np.nan, 1))
    low, high = figure.axes[0].get_ylim()
    assert low < high, "depth grows upwards"


def test_pairs_are_drawn_where_both_are() -> None:
    data = join(
        "probe",
        {
            "one": probes("one", ["round", "square"]),
            "other": probes("other", ["round"]),
            "third": probes("third", ["round"]),
        },
    )
    (axes,) = draw(
        paired_probes, data, pairs={"one": "other", "third": "dropped"}, labels=["plain", "mixed"]
    ).axes
    assert axes.get_title("left") == "One, round"
    for (_, y, _), name in zip(bars(axes).values(), ("one", "other"), strict=True):
        accuracy = data["accuracy"].sel(experiment=name, target="round", control="none").squeeze()
        np.testing.assert_allclose(y, accuracy.mean("seed"))


def test_a_figure_of_which_a_scale_leaves_nothing_says_so() -> None:
    data = join("probe", {"one": probes("one", ["depth"])})
    figure = draw(paired_probes, data, pairs={"gone": "away"}, labels=["plain", "mixed"])
    (text,) = texts(figure)
    assert "No pair" in text.get_text()


def test_a_value_that_the_data_lacks_is_an_error_with_those_it_has() -> None:
    data = join("probe", {"one": probes("one", ["depth"])})
    with pytest.raises(InterpflowError, match=r"hidden_layers: no 4 in .* are: 0, 1, 2, 3, 5"):
        choose(data, hidden_layers=4)


def test_labels_and_units_come_from_attributes() -> None:
    array = xr.DataArray(0.0, name="loss_gap", attrs={"long_name": "mean loss", "units": "nat"})
    assert style.axis_label(array) == "Mean loss (nat)"
    assert style.axis_label(array.drop_attrs()) == "Loss gap"


@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("wide", "Wide"),
        ("dyck1_four_heads", "Dyck-1 four heads"),
        ("base_heads_4", "Base heads 4"),
        ("base_decay_0p005", "Base decay 0p005"),
    ],
)
def test_names_are_words(name: str, words: str) -> None:
    assert style.readable(name) == words


def test_a_line_without_letters_has_a_width() -> None:
    assert [style.text_width(text) for text in ("", " ", "  ")] == [0, 0, 0]
    assert 0 < style.text_width("i") < style.text_width("iii")


@pytest.mark.parametrize("count", range(1, 25))
def test_panels_waste_less_than_a_row(count: int) -> None:
    figure, axes = style.panels(count)
    grid = axes[0].get_gridspec()
    assert grid is not None
    assert len(axes) == count
    assert grid.ncols <= 4
    assert 0 <= grid.nrows * grid.ncols - count < grid.ncols
    assert figure.get_figwidth() == (style.sizes().single if count == 1 else style.sizes().double)


@pytest.mark.parametrize("module", [probe_depth, confusion])
def test_the_same_figure_is_the_same_bytes_whatever_the_user_has_set(
    module: Any, tmp_path: Path
) -> None:
    data = join("probe", {"one": probes("one", ["round", "square"], ["word_type"])})
    place = {"experiment": "one", "target": "round", "control": "none", "hidden_layers": 0}
    stated = replace(claim("accuracy", place, expected=0.5, tolerance=0.1), data="findings")

    def saved(folder: str) -> dict[str, bytes]:
        paths = {kind: tmp_path / folder / f"figure.{kind}" for kind in ("svg", "png")}
        with save.style():
            figure = module.plot({"findings": data}, module.Options(), [stated])
            save.save(figure, paths)
        return {kind: path.read_bytes() for kind, path in paths.items()}

    before = saved("before")
    with mpl.rc_context({"font.size": 20, "axes.grid": True, "svg.hashsalt": "other"}):
        assert saved("after") == before


def imported(code: str) -> set[str]:
    """The modules in memory after a fresh Python has run `code`."""
    shown = f"{code}\nimport sys\nprint(*sys.modules)"
    process = subprocess.run(
        [sys.executable, "-c", shown], capture_output=True, text=True, check=True
    )
    return set(process.stdout.split())


def test_reading_a_spec_imports_no_matplotlib() -> None:
    code = "\n".join(f"import interpflow.plots.{name}" for name in plugins.available(plugins.PLOT))
    assert not imported(code) & {"matplotlib", "torch", "seaborn"}


def test_drawing_imports_neither_torch_nor_pyplot() -> None:
    code = (
        "from interpflow import style\n"
        "from interpflow.style import save\n"
        "from interpflow.plots import _controls\n"
        "with save.style():\n"
        "    figure, axes = style.panels(2)\n"
        "    style.titles(axes, [('one', 'depth'), ('other', 'depth')])\n"
        "    style.key(figure, _controls.MAJORITY)\n"
        "    figure.draw_without_rendering()"
    )
    assert not imported(code) & {"matplotlib.pyplot", "torch", "seaborn"}
