"""Figures of circuits, modes, stages and LLC say what the data says, and can be read in print."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
import xarray as xr
from drawing import draw, join, labels, legible, random, texts, words

from interpflow import style
from interpflow.analyses import head_modes, llc
from interpflow.errors import InterpflowError
from interpflow.plots import (
    ablation_effects,
    chain_traces,
    circuit_maps,
    development,
    gap_trend,
    mode_map,
    mode_shares,
    reliability,
)
from interpflow.plots._modes import HEAD_MODES, MODES

pytestmark = pytest.mark.filterwarnings("error")

STEPS = [0, 16, 32, 64, 125, 250, 500, 1000, 2000, 4000, 8000, 16000]


# Findings of the right shape.


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


def modes(
    kinds: Sequence[str] = ("splitting",) * 3,
    heads: int = 2,
    words: int = 64,
    steps: Sequence[int] = STEPS,
) -> xr.Dataset:
    """As `analyses.head_modes` returns them, of one seed of each of `kinds`."""
    draw = random("modes", kinds, heads, words)
    sizes = np.array(
        [
            [
                copying(kind, heads, words, at / (len(steps) - 1 or 1) or 1 / len(steps), draw)
                for at in range(len(steps))
            ]
            for kind in kinds
        ]
    )
    strength = sizes.max(axis=2).mean(axis=-1)
    copied, suppressed = sizes > 2, sizes < -2
    share, against = copied.mean(-1), suppressed.mean(-1)
    several = (copied.sum(2) > 1).mean(-1)
    roles = np.select(
        [against > 0.5, share > 0.9, share > 0.1], ["suppressing", "whole", "part"], "dead"
    )
    whole = np.select(
        [
            (against > 0.5).any(-1),
            share.max(-1) < 0.1,
            (share > 0.1).sum(-1) < 2,
            several < 0.2,
        ],
        ["copy_suppression", "none", "single", "vocabulary_splitting"],
        "overlapping",
    )
    regions = (np.diff(copied.astype(int), axis=-1, prepend=0) > 0).sum(-1)
    found = {
        "copying": sizes,
        "relative_copying": sizes / strength[..., None, None],
        "strength": strength,
        "copied_share": share,
        "suppressed_share": against,
        "regions": regions,
        "region_size": copied.sum(-1) / np.maximum(regions, 1),
        "overlap": several,
        "copying_regions": np.where(share > 0.1, regions, 0).sum(-1)
        / np.maximum((share > 0.1).sum(-1), 1),
        "most_suppressed": against.max(-1),
        "head_mode": roles,
        "mode": whole,
        "is_mode": (whole[..., None] == np.array(head_modes.MODES)).astype(float),
        "checkpoint": np.array(["between"] * (len(steps) - 1) + ["last"]),
    }
    return xr.Dataset(
        {name: (head_modes.VARIABLES[name].dims, values) for name, values in found.items()},
        {
            "seed": range(len(kinds)),
            "step": list(steps),
            "head": range(heads),
            "word": [*map(str, range(words))],
            "model_mode": list(head_modes.MODES),
        },
    )


def ablations(
    kind: str = "splitting", seeds: int = 3, heads: int = 2, layers: int = 1, bins: int = 10
) -> xr.Dataset:
    """As `analyses.ablation` returns them."""
    draw = random("ablations", kind, seeds, heads)
    kinds = ["zero", "mean", "resample"]
    size = (seeds, len(kinds), layers, heads)
    harm = (
        np.where(np.arange(heads) == 0, 0.9, 0.0) if kind == "suppression" else np.full(heads, 0.6)
    )
    doubt = (
        np.where(np.arange(heads) == 0, 0.8, -0.3) if kind == "suppression" else np.full(heads, 0.5)
    )
    one, by_head = ("seed",), ("seed", "ablation", "layer", "head")

    def near(values: Any) -> np.ndarray:
        return values + draw.normal(0, 0.03, size)

    at = (np.arange(bins) + 0.5) / bins
    tables = {
        "count": np.exp(draw.uniform(0, 1, (*size, bins)) + 8 * at),
        "mean_confidence": np.broadcast_to(at, (*size, bins)) + 0,
        "share_right": np.clip(
            at - 0.3 * (1 - at) * doubt[:, None] + draw.normal(0, 0.03, (*size, bins)), 0, 1
        ),
    }
    tables["share_right"][..., 0] = np.nan
    tables["count"][..., 0] = 0
    intact = {
        "count": np.exp(7 * at) + np.zeros((seeds, 1)),
        "mean_confidence": at + np.zeros((seeds, 1)),
        "share_right": np.clip(at + draw.normal(0, 0.02, (seeds, bins)), 0, 1),
    }
    return xr.Dataset(
        {
            "accuracy": (by_head, near(1.0 - harm)),
            "loss": (by_head, near(0.01 + 3 * harm + 0.1)),
            "entropy": (by_head, near(0.2 + doubt)),
            "confidence": (by_head, near(0.9 - 0.4 * doubt)),
            "calibration_error": (by_head, near(0.02 + 0.2 * abs(doubt))),
            "intact_accuracy": (one, np.ones(seeds)),
            "intact_loss": (one, np.full(seeds, 0.01)),
            "intact_entropy": (one, np.full(seeds, 0.2)),
            "intact_confidence": (one, np.full(seeds, 0.9)),
            "intact_calibration_error": (one, np.full(seeds, 0.02)),
            **{name: ((*by_head, "bin"), values) for name, values in tables.items()},
            **{f"intact_{name}": (("seed", "bin"), values) for name, values in intact.items()},
        },
        {
            "seed": range(seeds),
            "ablation": kinds,
            "layer": range(layers),
            "head": range(heads),
            "bin": range(bins),
        },
    )


def curves(seeds: int = 3, steps: Sequence[int] = STEPS) -> xr.Dataset:
    """As `analyses.training_curves` returns them."""
    draw = random("curves", seeds)
    at = np.log1p(np.array(steps, dtype=float)) / np.log1p(16000)
    noise = draw.normal(0, 0.02, (3, seeds, len(steps)))
    loss = np.exp(-7 / (1 + np.exp(-20 * (at - 0.55))) + 1.4 + 5 * noise[0])
    accuracy = np.clip(1 / (1 + np.exp(-30 * (at - 0.65))) + noise[1], 0, 1)
    dims = ("seed", "step")
    return xr.Dataset(
        {
            "train_loss": (dims, loss),
            "validation_loss": (dims, loss * 1.02),
            "validation_accuracy": (dims, accuracy),
        },
        {"seed": range(seeds), "step": list(steps)},
    )


def llcs(
    seeds: int = 3,
    steps: Sequence[int] = STEPS,
    chains: int = 4,
    draws: int = 60,
    diverging: Sequence[tuple[int, int, int, int]] = (),
) -> xr.Dataset:
    """As `analyses.llc` returns them; chains `diverging` are places in (seed, step, group, chain)."""
    draw = random("llc", seeds, steps)
    groups = ["all", "head 0.0", "head 0.1", "embedding"]
    at = np.log1p(np.array(steps, dtype=float)) / np.log1p(16000)
    start = np.exp(1.4 - 5 * at) + np.zeros((seeds, 1))
    size = np.array([1.0, 0.3, 0.25, 0.5])
    high = 0.2 + 3 * np.exp(-((at - 0.7) ** 2) / 0.02)
    raised = high[:, None, None, None] * size[:, None, None] * np.ones(draws)
    noise = draw.normal(0, 0.05, (seeds, len(steps), len(groups), chains, draws))
    traces = start[:, :, None, None, None] + raised + noise * (0.3 + raised)
    for place in diverging:
        traces[(*place, slice(draws // 2, None))] = np.nan
    found = llc.judge(traces, start, 15.4, 1.0)
    table = llc.VARIABLES
    return xr.Dataset(
        {
            **{name: (table[name].dims, values) for name, values in found.items()},
            "loss": (table["loss"].dims, traces),
            "start_loss": (table["start_loss"].dims, start),
            "parameters": ("group", [1000, 200, 200, 400]),
            "nbeta": ((), 15.4),
            "checkpoint": ("step", ["first", *["between"] * (len(steps) - 2), "last"][-len(steps) :]),
        },
        {
            "seed": range(seeds), "step": list(steps), "group": groups,
            "chain": range(chains), "draw": range(draws),
        },
    )  # fmt: skip


def cuts(starts: Sequence[Sequence[float]], most: int = 5) -> xr.Dataset:
    """As `analyses.stages` returns them, with the boundaries of each seed."""
    boundary = np.full((len(starts), most), np.nan)
    for row, values in zip(boundary, starts, strict=True):
        row[: len(values)] = values
    end = np.where(np.isfinite(boundary), 16000.0, np.nan)
    by_curve = (len(starts), most, 2)
    return xr.Dataset(
        {
            "boundary": (("seed", "stage"), boundary),
            "end": (("seed", "stage"), end),
            "stages": ("seed", [len(values) for values in starts]),
            "change": (("seed", "stage", "curve"), np.zeros(by_curve)),
            "trend": (("seed", "stage", "curve"), np.full(by_curve, "flat")),
            "curve_value": (("seed", "step", "curve"), np.zeros((len(starts), len(STEPS), 2))),
        },
        {
            "seed": range(len(starts)), "step": STEPS, "stage": range(1, most + 1),
            "curve": ["loss", "llc"],
        },
    )  # fmt: skip


def statistics(gap: float) -> xr.Dataset:
    """As `analyses.data_statistics` returns them."""
    values = np.array([[gap], [gap + 0.01]])
    return xr.Dataset(
        {
            "mean": (("split", "quantity"), values),
            "maximum": (("split", "quantity"), values * 2),
            "overlap": ("split", [10, 0]),
        },
        {"split": ["train", "validation"], "quantity": ["gap"]},
    )


# Circuit maps.


@pytest.mark.parametrize("heads", [1, 2, 3, 4])
def test_circuit_maps_are_legible(heads: int) -> None:
    data = join("circuits", {"one": circuits(heads=heads, words=12), "other": circuits(words=20)})
    legible(draw(circuit_maps, data))
    legible(draw(circuit_maps, data.isel(experiment=[0]), panels={"A": {"experiment": "one"}}))


@pytest.mark.parametrize("models", [3, 5, 6])
def test_circuit_maps_of_many_models_are_legible(models: int) -> None:
    data = join("circuits", {f"model_{at}": circuits(words=12) for at in range(models)})
    panels = {f"Model {at}": {"experiment": f"model_{at}"} for at in range(models)}
    legible(draw(circuit_maps, data, panels=panels))


def test_circuit_maps_leave_out_what_only_goes_in() -> None:
    data = join("circuits", {"one": circuits(words=12), "wider": circuits(words=20)})
    maps = draw(circuit_maps, data, panels={"A": {"experiment": "one"}}).axes
    ov, qk = (np.asarray(axes.images[0].get_array()) for axes in maps[:2])
    assert (ov.shape, qk.shape) == ((12, 12), (13, 13))
    assert np.abs(ov.diagonal()).mean() > 3 * np.abs(ov).mean()


def test_each_circuit_map_has_a_centred_scale_of_its_own_that_few_values_leave() -> None:
    data = join("circuits", {"one": circuits(words=12, seeds=2), "other": circuits("suppression")})
    figure = draw(circuit_maps, data)
    maps = [axes.images[0] for axes in figure.axes if axes.images and axes.get_title("left")]
    assert len(maps) == 8 and {image.get_clim() for image in maps} == {(-1, 1)}
    ov = data["ov"].sel(experiment="one", seed=0, head=0, source=data["output"].values[:12])
    ov = ov.dropna("output").squeeze().values
    np.testing.assert_allclose(
        maps[0].get_array(), ov / np.quantile(np.abs(ov), 1 - circuit_maps.CUT)
    )


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
    gone = draw(circuit_maps, data, panels={"A": {"experiment": "baseline", "seed": 7}})
    assert "No model" in words(gone)


# Modes.

SPLIT, SUPPRESS, BOTH = "splitting", "suppression", "both"


def grid(seeds: int = 3) -> tuple[xr.Dataset, xr.Dataset]:
    """Modes and data of experiments that differ in heads, gap and weight decay."""
    parts, coords, facts = {}, {}, {}
    for heads in (1, 2, 3):
        for gap in (2.0, 6.0):
            for decay in (0.0, 0.005):
                name = f"heads_{heads}_gap_{gap:.0f}_decay_{1000 * decay:.0f}"
                kinds = [SPLIT if gap == 2 else SUPPRESS] * seeds
                kinds[-1] = BOTH if seeds > 1 and decay else kinds[-1]
                parts[name] = modes(kinds, heads, 12, steps=(0, 10))
                coords[name] = {"heads": heads, "mean_gap": gap, "weight_decay": decay}
                facts[name] = statistics(gap + 0.02)
    parts["plain"] = modes([SPLIT], 2, 12, steps=(0, 99))  # not swept
    facts["plain"] = statistics(4.0)
    return join("head_modes", parts, coords), join("data_statistics", facts)


@pytest.mark.parametrize("seeds", [1, 3])
def test_figures_of_modes_are_legible(seeds: int) -> None:
    found, facts = grid(seeds)
    gap = {"data": "second", "quantity": "gap"}
    legible(draw(mode_shares, found, groups={"Heads": ["heads_*"], "Other": ["plain"]}))
    legible(draw(mode_shares, found))
    legible(draw(mode_map, found, x="mean_gap", y="heads"))
    legible(draw(mode_map, found, x="mean_gap", y="heads", by="weight_decay"))
    legible(draw(gap_trend, found, facts, x=gap))
    groups = {"two heads": ["heads_2_*"], "three heads": ["heads_3_*"]}
    legible(draw(gap_trend, found, facts, x=gap, groups=groups))
    alone = found.sel(experiment=["plain"], seed=[0])
    legible(draw(mode_shares, alone))
    legible(draw(gap_trend, alone, facts, x=gap))


def test_bars_of_modes_count_the_seeds_that_an_experiment_has_at_its_last_step() -> None:
    found, _ = grid()
    assert found.sizes["seed"] == 3
    written = words(draw(mode_shares, found, groups={"": ["plain", "heads_2_gap_2_decay_5"]}))
    assert "n = 1" in written and "n = 3" in written
    groups = {"": ["plain"], "Two heads": ["heads_2_*_0"]}
    figure = draw(mode_shares, found, groups=groups, labels={"plain": "not swept"})
    gaps = [f"Heads 2 gap {gap} decay 0" for gap in (2, 6)]
    assert labels(figure.axes[0], "y") == ["not swept", "Two heads", *gaps]


def test_a_mode_has_one_colour_in_every_figure() -> None:
    assert set(MODES) == set(head_modes.MODES)
    assert set(HEAD_MODES) == set(head_modes.HEAD_MODES)
    assert len({look.color for look in MODES.values()}) == len(MODES)


def test_a_cell_of_the_map_says_where_evidence_is_thin() -> None:
    found, _ = grid()
    options = {"x": "mean_gap", "y": "heads", "by": "weight_decay"}
    figure = draw(mode_map, found, **options)
    assert [axes.get_title("left") for axes in figure.axes] == [
        "Weight decay 0",
        "Weight decay 0.005",
    ]
    shares = {text.get_text() for axes in figure.axes for text in axes.texts}
    assert shares == {"2/3", "3/3"}
    assert "fewer than 3" not in words(figure)
    few = draw(mode_map, found.isel(seed=[0, 1]), **options)
    assert "fewer than 3" in words(few)


def test_a_swept_coordinate_that_is_not_there_is_an_error_with_the_nearest() -> None:
    found, facts = grid(1)
    with pytest.raises(InterpflowError, match=r"x: no 'mean_gpa' .* mean 'mean_gap'"):
        draw(mode_map, found, x="mean_gpa", y="heads")
    with pytest.raises(InterpflowError, match=r"x.data: no analysis 'secnd' .* 'second'"):
        draw(gap_trend, found, facts, x={"data": "secnd", "quantity": "gap"})
    with pytest.raises(InterpflowError, match=r"x.quantity: no 'gapp' .* mean 'gap'"):
        draw(gap_trend, found, facts, x={"data": "second", "quantity": "gapp"})


def test_trends_are_means_over_seeds_at_the_gap_of_the_data() -> None:
    found, facts = grid()
    groups = {"all": ["heads_2_*_5"]}
    figure = draw(gap_trend, found, facts, x={"data": "second", "quantity": "gap"}, groups=groups)
    line = figure.axes[0].containers[0].lines[0]  # type: ignore[attr-defined]
    np.testing.assert_allclose(line.get_xdata(), [2.02, 6.02])
    names = ["heads_2_gap_2_decay_5", "heads_2_gap_6_decay_5"]
    overlap = found["overlap"].sel(experiment=names, step=10).mean("seed")
    np.testing.assert_allclose(line.get_ydata(), overlap)


def test_nothing_to_show_is_said() -> None:
    found, facts = grid(1)
    gap, groups = {"data": "second", "quantity": "gap"}, {"A": ["elsewhere"]}
    assert "No experiment" in words(draw(mode_shares, found, groups=groups))
    plain = found.sel(experiment=["plain"])
    assert "No experiment" in words(draw(mode_map, plain, x="heads", y="mean_gap"))
    assert "No experiment" in words(draw(gap_trend, found, facts, x=gap, groups=groups))


# Ablation.


@pytest.mark.parametrize("seeds", [1, 3])
def test_figures_of_ablation_are_legible(seeds: int) -> None:
    parts = {
        "split": ablations(SPLIT, seeds),
        "suppress": ablations(SUPPRESS, seeds),
        "four": ablations(SUPPRESS, 1, 4),
        "deep": ablations(SPLIT, seeds, 2, 2, bins=5),
    }
    found = join("ablation", {name: parts[name] for name in ("split", "suppress", "four")})
    roles = join("head_modes", {name: modes([SUPPRESS] * seeds) for name in ("split", "suppress")})
    legible(draw(ablation_effects, found))
    legible(draw(ablation_effects, found, roles, by_mode="second"))
    legible(draw(ablation_effects, found.sel(experiment=["split"]), measures=["accuracy", "loss"]))
    legible(draw(ablation_effects, join("ablation", {"deep": parts["deep"]})))
    nats = ("loss", "intact_loss", "entropy", "intact_entropy")
    small = found.assign({name: 3e-4 * found[name] for name in nats})
    legible(draw(ablation_effects, small))
    legible(draw(reliability, found, select={"ablation": "mean"}))
    legible(draw(reliability, found, panels={"Two": {"experiment": "split"}}))
    legible(draw(reliability, join("ablation", parts)))


def test_effects_are_changes_against_the_intact_model() -> None:
    found = join("ablation", {"one": ablations(SUPPRESS), "four": ablations(SPLIT, 3, 4)})
    figure = draw(
        ablation_effects,
        found,
        panels={"Mine": {"experiment": "one"}},
        measures=["accuracy", "entropy"],
    )
    accuracy, _ = figure.axes
    assert labels(accuracy, "y") == ["Head 0", "Head 1"]
    marks = [
        line
        for line in accuracy.lines
        if line.get_marker() in ("o", "D", "^") and line.get_markersize() > 4
    ]
    means = np.array([line.get_xdata() for line in marks])  # (ablation, head)
    here = found.sel(experiment="one").isel(layer=0, head=[0, 1])
    change = (here["accuracy"] - here["intact_accuracy"]).mean("seed").transpose("ablation", "head")
    np.testing.assert_allclose(means, change.values)
    assert "Mine" in words(figure)


def test_heads_stand_by_their_mode_where_they_have_one() -> None:
    found = join("ablation", {"one": ablations(SUPPRESS), "other": ablations(SPLIT)})
    roles = join("head_modes", {"one": modes([SUPPRESS] * 3), "other": modes([SPLIT] * 2)})
    figure = draw(ablation_effects, found, roles, by_mode="second")
    assert labels(figure.axes[0], "y") == ["Whole (n = 3)", "Part (n = 4)", "Suppressing (n = 3)"]
    with pytest.raises(InterpflowError, match=r"by_mode: no analysis 'secnd'"):
        draw(ablation_effects, found, roles, by_mode="secnd")
    deep = join("ablation", {"one": ablations(SPLIT, 3, 2, 2)})
    with pytest.raises(InterpflowError, match="one layer"):
        draw(ablation_effects, deep, roles, by_mode="second")


def test_a_bin_of_few_predictions_is_open_and_one_of_none_is_not_drawn() -> None:
    found = join("ablation", {"one": ablations(SPLIT)})
    found["intact_count"][{"bin": 3}] = 4
    panel, _ = draw(reliability, found).axes[:2]
    hollow = [
        float(x)
        for container in panel.containers
        for x in container.lines[0].get_xdata()  # type: ignore[attr-defined]
        if container.lines[0].get_markerfacecolor() == "white"  # type: ignore[attr-defined]
        and container.lines[0].get_color() == style.BLACK  # type: ignore[attr-defined]
    ]
    few = found["intact_count"].isel(experiment=0).mean("seed") < reliability.FEW
    bins = found["intact_mean_confidence"].isel(experiment=0).mean("seed")
    np.testing.assert_allclose(hollow, bins.values[few.values])
    ablated = panel.containers[-1].lines[0]  # type: ignore[attr-defined]
    assert 0.05 not in ablated.get_xdata()


@pytest.mark.parametrize("module", [ablation_effects, reliability])
def test_an_ablated_experiment_that_is_misspelt_is_an_error(module: Any) -> None:
    found = join("ablation", {"baseline": ablations(SPLIT)})
    with pytest.raises(InterpflowError, match="did you mean 'baseline'"):
        draw(module, found, panels={"A": {"experiment": "basline"}})
    assert "No " in words(draw(module, found, panels={"A": {"experiment": "elsewhere"}}))


# Development and LLC.

LOSS = {"Loss": {"loss": {"data": "first", "variable": "validation_loss"}}}
ACCURACY = {"Accuracy": {"accuracy": {"data": "first", "variable": "validation_accuracy"}}}


def estimate(group: str) -> dict[str, Any]:
    return {"data": "second", "variable": "llc", "select": {"group": group}}


WHOLE = {"LLC": {"llc": estimate("all")}}
HEADS = {"LLC of a head": {f"head {head}": estimate(f"head 0.{head}") for head in range(2)}}
ALL = ("first", "second", "third", "fourth")


@pytest.mark.parametrize("seeds", [1, 3])
@pytest.mark.parametrize("steps", [STEPS, STEPS[:2], STEPS[:1]])
def test_development_is_legible(seeds: int, steps: list[int]) -> None:
    measured = join("training_curves", {"base": curves(seeds, steps)})
    gone = [(0, at, group, 1) for at in range(len(steps)) for group in (0, 1)]
    found = join("llc", {"base": llcs(seeds, steps, diverging=gone)})
    staged = join("stages", {"base": cuts([[0, 250, 2000], [0, 250], [0, 500, 8000]][:seeds])})
    roles = join("head_modes", {"base": modes([SPLIT] * seeds, words=12, steps=steps)})
    legible(draw(development, measured, panels=LOSS))
    copied = {"data": "fourth"}
    options = {"panels": {**LOSS, **ACCURACY, **WHOLE, **HEADS}, "log": ["Loss"], "copying": copied}
    legible(draw(development, measured, found, staged, roles, names=ALL, **options))


def test_an_unsound_estimate_has_a_mark_and_a_failed_one_another() -> None:
    measured = join("training_curves", {"base": curves()})
    found = join("llc", {"base": llcs(diverging=[(1, 4, 0, 2)])})
    found["sound_chains"][:] = 4
    found["sound_chains"].loc[{"seed": 1, "step": STEPS[4], "group": "all"}] = 3
    assert "unsound" not in words(draw(development, measured, found, panels=LOSS))
    failed = draw(development, measured, found, panels={**LOSS, **WHOLE})
    assert development.FAILED.label in words(failed)
    assert {line.get_xdata()[0] for line in failed.axes[1].lines if line.get_marker() == "X"} == {
        125
    }
    (mean,) = [
        line
        for line in failed.axes[1].lines
        if line.get_linewidth() > 1 and line.get_marker() == "o"
    ]
    assert np.isnan(mean.get_ydata()).tolist() == [step == 125 for step in STEPS]
    found["llc"].loc[{"seed": 1, "step": STEPS[4], "group": "all"}] = 7.0
    doubtful = draw(development, measured, found, panels={**LOSS, **WHOLE})
    assert development.FAILED.label not in words(doubtful)
    assert development.UNSOUND.label in words(doubtful)
    (mark,) = [line for line in doubtful.axes[1].lines if line.get_markerfacecolor() == "white"]
    assert (mark.get_xdata()[0], mark.get_ydata()[0]) == (125, 7)


def test_an_experiment_with_fewer_chains_than_another_is_not_unsound_for_that() -> None:
    measured = join("training_curves", {"few": curves(), "many": curves()})
    found = join("llc", {"few": llcs(chains=2), "many": llcs(chains=4)})
    found["sound_chains"].loc[{"experiment": "few"}] = 2
    options = {"panels": {**LOSS, **WHOLE}, "experiment": "few"}
    assert "unsound" not in words(draw(development, measured, found, **options))


def test_stages_are_bands_between_medians_and_say_in_how_many_seeds_they_are() -> None:
    measured = join("training_curves", {"base": curves()})
    staged = join("stages", {"base": cuts([[0, 250, 2000, 8000], [0, 500, 2000], [0, 125]])})
    strip, panel = draw(development, measured, staged, panels=LOSS).axes
    assert [text.get_text() for text in strip.texts] == ["1", "2", "3 (2/3)"]
    bands = [(patch.get_x(), patch.get_x() + patch.get_width()) for patch in panel.patches]  # type: ignore[attr-defined]
    right = panel.get_xlim()[1]
    np.testing.assert_allclose(bands, [(0, 250), (250, 2000), (2000, right)])
    (ticks,) = [line for line in panel.lines if line.get_marker() == "|"]
    assert sorted(ticks.get_xdata()) == [125, 250, 500, 2000, 2000, 8000]


def test_images_of_copying_have_a_column_for_each_checkpoint_and_words_in_order() -> None:
    measured = join("training_curves", {"base": curves()})
    parts = {"base": modes([SPLIT] * 3, words=12), "wide": modes([SPLIT], words=20)}
    roles = join("head_modes", parts)
    copied = {"data": "second", "seed": 2}
    figure = draw(development, measured, roles, panels=LOSS, copying=copied)
    image = figure.axes[1].collections[0].get_array()
    expected = roles["relative_copying"].sel(
        experiment="base", seed=2, word=[str(word) for word in range(12)]
    )
    np.testing.assert_allclose(image, expected.isel(head=0).transpose("word", "step"))


@pytest.mark.parametrize(
    ("changed", "message"),
    [
        ({"data": "secnd"}, r"panels.LLC.llc.data: no analysis 'secnd' .* mean 'second'"),
        ({"variable": "lcc"}, r"panels.LLC.llc.variable: no 'lcc' .* mean 'llc'"),
        ({"select": {"group": "al"}}, "group: no 'al' in the data; .* mean 'all'"),
        ({"select": {"grup": "all"}}, r"panels.LLC.llc.select: no 'grup' .* mean 'group'"),
        ({"select": {}}, "llc has several values of group; select one of"),
    ],
)
def test_a_curve_that_is_not_there_is_an_error(changed: dict[str, Any], message: str) -> None:
    measured = join("training_curves", {"base": curves()})
    panels = {"LLC": {"llc": {**estimate("all"), **changed}}}
    with pytest.raises(InterpflowError, match=message):
        draw(development, measured, join("llc", {"base": llcs()}), panels=panels)


def test_development_and_traces_of_a_misspelt_experiment_are_errors() -> None:
    measured = join("training_curves", {"baseline": curves()})
    found = join("llc", {"baseline": llcs()})
    for module, data, options in (
        (development, measured, {"panels": LOSS}),
        (chain_traces, found, {}),
    ):
        with pytest.raises(InterpflowError, match="did you mean 'baseline'"):
            draw(module, data, experiment="baselin", **options)
        assert "is not in" in words(draw(module, data, experiment="elsewhere", **options))


@pytest.mark.parametrize("steps", [[0], STEPS])
@pytest.mark.parametrize("shown", [1, 3, 4])
def test_traces_are_legible(steps: list[int], shown: int) -> None:
    several = join("llc", {"base": llcs(steps=steps, diverging=[(0, 0, 0, 0), (0, 0, 1, 3)])})
    legible(draw(chain_traces, several, steps=shown))
    legible(draw(chain_traces, several, select={"checkpoint": "last"}))
    alone = join("llc", {"base": llcs(1, steps, 1)})
    whole = {"select": {"group": ["all"]}, "labels": {"all": "All weights"}}
    legible(draw(chain_traces, alone, steps=shown, **whole))


def test_a_chain_that_explodes_leaves_room_for_the_others() -> None:
    found = join("llc", {"base": llcs(diverging=[(0, 2, 0, 1)])})
    place = {"seed": 0, "step": STEPS[2], "group": "all", "chain": 1}
    found["loss"].loc[place] = np.where(np.arange(60) < 20, 10.0 ** np.arange(60), np.nan)
    (axes,) = draw(chain_traces, found, select={"step": [STEPS[2]], "group": ["all"]}).axes
    assert axes.get_ylim()[1] < 100


def test_traces_say_what_is_wrong_with_chains_and_give_no_number_then() -> None:
    found = join("llc", {"base": llcs(diverging=[(0, 2, 0, 1)])})
    found["drifting"].loc[{"seed": 0, "step": STEPS[2], "group": "all"}] = [1.0, 0, 1, 0]
    chosen = {"step": [STEPS[2], STEPS[5]], "group": ["all"]}
    bad, good = draw(chain_traces, found, select=chosen).axes
    assert bad.texts[0].get_text() == "1 of 4 diverged\n2 of 4 drifting"
    assert "no estimate" in bad.get_title("left") and "LLC" not in bad.get_title("left")
    mean = found["llc"].sel(experiment="base", seed=0, step=STEPS[5], group="all").item()
    assert f"LLC {style.number(mean)} ±" in good.get_title("left")
    start = found["start_loss"].sel(experiment="base", seed=0, step=STEPS[5]).item()
    assert [line.get_ydata()[0] for line in good.lines if line.get_linestyle() == "--"] == [start]
    with pytest.raises(InterpflowError, match="group: no 'al'"):
        draw(chain_traces, found, select={"group": ["al"]})
    with pytest.raises(InterpflowError, match="step: no 3 in the data"):
        draw(chain_traces, found, select={"step": [3]})
