"""Figures of knockouts say what the data says, and can be read in print."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import pytest
import xarray as xr
from drawing import draw, join, labels, legible, random, words
from matplotlib.colors import to_hex

from interpflow import style
from interpflow.analyses import attention_chains, attention_knockout
from interpflow.errors import InterpflowError
from interpflow.plots import knockout_effects

pytestmark = pytest.mark.filterwarnings("error")


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
    figure = draw(knockout_effects, found, held, chains={"data": "second"})
    legible(figure)
    panel = figure.axes[2]
    registers = np.flatnonzero(base["is_register"].any("seed"))
    assert [int(label.get_text()) for label in panel.get_yticklabels()] == registers.tolist()
    mean = held["moves"].sel(experiment="base", position=registers).mean("seed")
    np.testing.assert_allclose(panel.images[0].get_array(), mean.transpose("position", "layer"))
    none = join(
        "attention_chains", {"base": chains(base.assign(is_register=base["is_register"] * 0))}
    )
    assert "no registers" in words(draw(knockout_effects, found, none, chains={"data": "second"}))


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
    assert labels(effects, "y")[:3] == ["edge source 0", "edge target 1", "edge end 2"]
    lines = [container.lines[0].get_ydata() for container in accuracy.containers]  # type: ignore[attr-defined]
    for line, name in zip(lines, ("intact", "random", "joint"), strict=True):
        mean = found[f"{name}_accuracy"].sel(experiment="base").mean("seed")
        np.testing.assert_allclose(line, mean)


def test_knockouts_of_a_misspelt_experiment_or_analysis_are_errors() -> None:
    found = join("attention_knockout", {"baseline": knockouts(1)})
    with pytest.raises(InterpflowError, match="did you mean 'baseline'"):
        draw(knockout_effects, found, experiment="baselin")
    assert "is not in" in words(draw(knockout_effects, found, experiment="elsewhere"))
    with pytest.raises(InterpflowError, match=r"chains\.data: no analysis 'frist' .* 'first'"):
        draw(knockout_effects, found, chains={"data": "frist"})
