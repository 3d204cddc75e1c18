"""Maps over swept options put each experiment in its cell, and their contour passes between the right ones."""

from __future__ import annotations

import numpy as np
import pytest
import xarray as xr
from drawing import cells, draw, join, labels, legible, random, words

from interpflow.errors import InterpflowError
from interpflow.plots import sweep_map

pytestmark = pytest.mark.filterwarnings("error")

HEADS, WIDTHS = (1, 4, 16), (1, 32, 128)


def found(share: float, trainable: int = 100, seeds: int = 2) -> xr.Dataset:
    """As `analyses.capacity` returns them."""
    bits = random("bits", share).uniform(0, 9, seeds)
    return xr.Dataset(
        {
            "trainable": ((), trainable),
            "parameters": ("part", [0, trainable, 0, 0]),
            "examples": ((), 64),
            "accuracy": ("seed", [share] * seeds),
            "asked_per_parameter": ((), 64 / trainable),
            "right_per_parameter": ("seed", [64 * share / trainable] * seeds),
            "bits": ("seed", bits),
            "bits_per_parameter": ("seed", bits / trainable),
        },
        {"seed": range(seeds), "part": ["embedding", "attention", "MLP", "rest"]},
    )


def swept(lacking: tuple[int, ...] = ()) -> xr.Dataset:
    """Shares that grow with heads and width, of experiments in a mixed order."""
    places = [(heads, width) for width in WIDTHS for heads in HEADS]
    places = [place for at, place in enumerate(places[::-1]) if at not in lacking]
    parts = {f"at_{h}_{w}": found(_share(h, w), 100 * h + w) for h, w in places}
    coords = {f"at_{h}_{w}": {"model.heads": h, "model.d_mlp": w} for h, w in places}
    parts["other"], coords["other"] = found(0.5, 7), {}
    return join("capacity", parts, coords)


def _share(heads: int, width: int) -> float:
    return (HEADS.index(heads) + WIDTHS.index(width)) / 4


MAP = {"variable": "accuracy", "x": "d_mlp", "y": "heads"}


def test_each_experiment_is_in_its_cell_and_more_is_up_and_right():
    figure = draw(sweep_map, swept(), **MAP)
    panel = figure.axes[0]
    assert (labels(panel, "x"), labels(panel, "y")) == (["1", "32", "128"], ["16", "4", "1"])
    assert cells(panel) == [["50", "75", "100"], ["25", "50", "75"], ["0", "25", "50"]]
    assert not panel.collections
    legible(figure)


def test_the_contour_passes_between_cells_below_and_above_the_level():
    figure = draw(sweep_map, swept(), **MAP, level=0.6)
    panel = figure.axes[0]
    (contour,) = panel.collections
    (path,) = contour.get_paths()
    # Rows count from the top; along either axis a share of 0.6 is 0.4 of the way from 0.5 to 0.75.
    assert sorted(map(tuple, np.round(path.vertices, 6).tolist())) == [
        (0.4, 0.0), (1.0, 0.6), (1.4, 1.0), (2.0, 1.6)
    ]  # fmt: skip
    assert "; line at 60%" in words(figure)
    legible(figure)


def test_a_level_that_no_cell_passes_has_no_contour():
    figure = draw(sweep_map, swept(), **MAP, level=1.5)
    assert not figure.axes[0].collections
    assert "line at" not in words(figure)


def test_a_place_without_an_experiment_is_a_dash():
    figure = draw(sweep_map, swept(lacking=(0,)), **MAP, level=0.6)
    assert cells(figure.axes[0])[0] == ["50", "75", "\u2013"]


def test_the_contour_bridges_a_gap_in_a_column_and_no_gap_at_its_end():
    def rows(lacking: int) -> set[float]:
        """At which rows the contour crosses the middle column; experiments are counted from the last."""
        panel = draw(sweep_map, swept(lacking=(lacking,)), **MAP, level=0.6).axes[0]
        places = [
            x for each in panel.collections for path in each.get_paths() for x in path.vertices
        ]
        return {round(float(y), 6) for x, y in places if round(float(x), 6) == 1.0}

    # The middle column is 0.75, 0.5, 0.25 from the top; without its middle cell 0.5 is what bridges it.
    assert rows(4) == {0.6}
    assert rows(3) == set()


def test_a_variable_of_the_experiment_runs_along_an_axis_too():
    options = {**MAP, "x": "trainable", "experiment": "at_4_*", "x_label": "parameters"}
    figure = draw(sweep_map, swept(), **options)
    assert labels(figure.axes[0], "x") == ["401", "432", "528"]
    assert "parameters" in words(figure)


def test_panels_select_experiments():
    panels = {"one head": {"experiment": "at_1_*"}, "many": {"experiment": "at_16_*"}}
    figure = draw(sweep_map, swept(), **MAP, panels=panels)
    assert [cells(panel) for panel in figure.axes[:2]] == [
        [["0", "25", "50"]], [["50", "75", "100"]]
    ]  # fmt: skip
    legible(figure)


def test_what_a_scale_lacks_is_left_out():
    figure = draw(sweep_map, swept(), **MAP, experiment="other")
    assert "Nothing of what these maps select" in words(figure)


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"y": "haeds"}, r"y: 'haeds' has not one value for each experiment; .* 'heads'\?"),
        ({"x": "bits"}, "x: 'bits' has not one value for each experiment; these have: "),
        ({"x": "examples", "y": "examples", "experiment": "at_*"}, "have the same examples and examples"),
        ({"variable": "parameters"}, "parameters has several values of part"),
    ],
)  # fmt: skip
def test_axes_that_cannot_be_are_refused(options, message):
    if options.get("variable"):
        broken = swept()
        broken["parameters"] = broken["parameters"] + 1.0
        with pytest.raises(InterpflowError, match=message):
            draw(sweep_map, broken, **{**MAP, **options})
        return
    with pytest.raises(InterpflowError, match=message):
        draw(sweep_map, swept(), **{**MAP, **options})
