"""A score table has each score where its row and its column say, and the facts beside it."""

from __future__ import annotations

import itertools
from typing import Any

import numpy as np
import pytest
import xarray as xr
from drawing import cells, claim, draw, join, labels, legible, random, texts, words

from interpflow.analyses import checkpoint_choice, data_statistics
from interpflow.errors import InterpflowError
from interpflow.plots import score_table
from interpflow.style.sizes import VENUES

pytestmark = pytest.mark.filterwarnings("error")

LANGUAGES = ("dyck_1", "tomita_3", "parity")
POSITIONS = ("none", "sinusoidal")


def score(language: str, positions: str) -> float:
    return 2 * round(float(random(language, positions).uniform(0, 0.5)), 2)


def scores(language: str, positions: str, seeds: int = 3) -> xr.Dataset:
    """As `checkpoint_choice` finds them, the same for each seed, lower in the second bin."""
    value = score(language, positions)
    size = (seeds, 2, 2)
    accuracy = np.broadcast_to(value * np.array([1, 0.5]), size)
    dims = checkpoint_choice.VARIABLES["accuracy"].dims
    bins = ("group", [10, 10])
    return xr.Dataset(
        {"accuracy": (dims, accuracy), "loss": (dims, accuracy), "chosen_step": (dims, np.full(size, 5)),
         "count": bins, "shortest": bins, "longest": bins},
        {"seed": range(seeds), "choice": ["last", "best"], "group": ["validation", "bin1"]},
    )  # fmt: skip


def facts(language: str) -> xr.Dataset:
    value = {"dyck_1": -1.0, "tomita_3": 0.0, "parity": 1.0}[language]
    dims = data_statistics.VARIABLES["mean"].dims
    return xr.Dataset(
        {"mean": (dims, [[value]]), "maximum": (dims, [[value]]), "overlap": ("split", [3])},
        {"split": ["train"], "quantity": ["star_free"]},
    )


@pytest.fixture
def data() -> list[xr.Dataset]:
    parts, coords, told = {}, {}, {}
    for language in LANGUAGES:
        for positions in POSITIONS:
            name = f"{language}_{positions}"
            parts[name] = scores(language, positions)
            told[name] = facts(language)
            coords[name] = {"task.language": language, "model.positions": positions}
    return [join("checkpoint_choice", parts, coords), join("data_statistics", told, coords)]


COLUMNS = {
    "training lengths": {
        "none": {"variable": "accuracy", "select": {"positions": "none", "group": "validation"}},
        "sines": {
            "variable": "accuracy",
            "select": {"positions": "sinusoidal", "group": "validation"},
        },
    },
    "longer": {
        "none": {"variable": "accuracy", "select": {"positions": "none", "group": "bin1"}},
        "sines": {"variable": "accuracy", "select": {"positions": "sinusoidal", "group": "bin1"}},
    },
}
TABLE: dict[str, Any] = {"rows": "language", "select": {"choice": "last"}, "columns": COLUMNS}
FACTS = {
    "facts": {"star-free": {"data": "second", "variable": "mean",
                            "select": {"positions": "none", "quantity": "star_free"},
                            "words": {"1": "yes", "0": "no", "-1": "unknown"}}},
}  # fmt: skip
ORDER = {"parity": "parity", "dyck_1": "Dyck-1"}


def test_a_cell_has_the_mean_of_the_experiment_of_its_row_and_column(data):
    figure = draw(score_table, *data, **TABLE)
    legible(figure)
    first, second, _ = figure.axes
    assert [panel.get_title("left") for panel in (first, second)] == [*COLUMNS]
    assert labels(first, "y") == ["Dyck 1", "Parity", "Tomita 3"] and not any(labels(second, "y"))
    assert labels(first, "x") == ["none", "sines"]
    for panel, share in ((first, 1.0), (second, 0.5)):
        expected = [
            [f"{100 * share * score(language, positions):.0f}" for positions in POSITIONS]
            for language in sorted(LANGUAGES)
        ]
        assert cells(panel) == expected


def test_rows_with_words_come_first_and_facts_stand_beside_them(data):
    figure = draw(score_table, *data, **TABLE, **FACTS, labels=ORDER)
    legible(figure)
    told, first, *_ = figure.axes
    assert labels(told, "y") == ["parity", "Dyck-1", "Tomita 3"] and not any(labels(first, "y"))
    assert cells(told) == [["yes"], ["unknown"], ["no"]]
    assert cells(first)[0][0] == f"{100 * score('parity', 'none'):.0f}"


def test_a_score_that_knows_no_seeds_stands_beside_one_that_does(data):
    beside = {"data": "second", "variable": "overlap", "select": {"positions": "none"}}
    columns = {"all": {"none": COLUMNS["longer"]["none"], "overlap": beside}}
    figure = draw(score_table, *data, **{**TABLE, "columns": columns}, labels=ORDER)
    legible(figure)
    expected = [
        f"{50 * score(language, 'none'):.0f}" for language in ("parity", "dyck_1", "tomita_3")
    ]
    assert cells(figure.axes[0]) == [[each, "300"] for each in expected]
    assert not figure.axes[0].patches  # none is hatched as a mean over some seeds


def test_a_row_of_fewer_seeds_is_whole_and_a_score_that_lacks_one_of_them_is_hatched(data):
    scored, told = data
    parity, third = scored["experiment"].str.startswith("parity"), scored["seed"] == 2
    scored["accuracy"] = scored["accuracy"].where(~(parity & third))
    figure = draw(score_table, scored, told, **TABLE, labels=ORDER)
    assert not any(axes.patches for axes in figure.axes)
    one = (
        (scored["experiment"] == "dyck_1_none")
        & (scored["seed"] == 1)
        & (scored["group"] == "bin1")
    )
    scored["accuracy"] = scored["accuracy"].where(~one)
    figure = draw(score_table, scored, told, **TABLE, labels=ORDER)
    legible(figure)
    assert sum(len(axes.patches) for axes in figure.axes) == 1


def test_rows_can_be_a_coordinate_and_columns_the_points_of_a_sweep(data):
    columns = {
        "all": {
            f"{language} {positions}": {
                "variable": "accuracy",
                "select": {"language": language, "positions": positions, "choice": ["best", "last"]},
            }
            for language in LANGUAGES for positions in POSITIONS
        }
    }  # fmt: skip
    figure = draw(score_table, *data, rows="choice", select={"group": "bin1"}, columns=columns,
                  labels={"best": "best", "last": "last"})  # fmt: skip
    legible(figure)
    expected = [f"{50 * score(*one):.0f}" for one in itertools.product(LANGUAGES, POSITIONS)]
    assert cells(figure.axes[0]) == [expected, expected]
    assert labels(figure.axes[0], "y") == ["best", "last"]


def test_the_number_of_a_claim_stands_in_brackets_and_the_key_says_so(data):
    at = {"experiment": "parity_none", "choice": "last", "group": "bin1"}
    figure = draw(
        score_table, *data, **TABLE, labels=ORDER, claims=[claim("accuracy", at, expected=0.83)]
    )
    legible(figure)
    assert cells(figure.axes[1])[0][0].endswith("\n(83)")
    assert sum("(83)" in text.get_text() for text in texts(figure)) == 1
    assert "in brackets: reported" in words(figure)
    assert "in brackets" not in words(draw(score_table, *data, **TABLE))


def test_a_setting_that_a_language_lacks_is_a_dash(data):
    few = data[0].sel(
        experiment=[name for name in data[0]["experiment"].values if name != "parity_none"]
    )
    figure = draw(score_table, few, **TABLE, labels=ORDER)
    assert cells(figure.axes[0])[0] == ["\N{EN DASH}", f"{100 * score('parity', 'sinusoidal'):.0f}"]


def test_a_table_of_which_a_scale_leaves_nothing_says_so(data):
    gone = {"a": {"b": {"variable": "accuracy", "experiment": "large"}}}
    (text,) = texts(draw(score_table, *data, **{**TABLE, "columns": gone}))
    assert "Nothing" in text.get_text()


@pytest.mark.parametrize("venue", [None, *VENUES])
def test_a_large_table_is_legible_in_print_and_on_the_pages_of_a_venue(data, venue):
    names = {"dyck_1": "aa*bb*cc*dd*ee*", "tomita_3": "Reset-Dyck-1", "parity": "Parity"}
    columns = {f"{at} to {at + 49} letters": {**COLUMNS["longer"], "last 8": COLUMNS["longer"]["none"]}
               for at in (2, 51, 101)}  # fmt: skip
    facts = {"facts": dict.fromkeys(("star- free", "with positions"), FACTS["facts"]["star-free"])}
    figure = draw(
        score_table, *data, **{**TABLE, "columns": columns}, **facts, labels=names, venue=venue
    )
    legible(figure, VENUES[venue] if venue else None)


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"columns": {"a": {"b": {"variable": "accuracy", "select": {"group": "bin1"}}}}},
         "columns.a.b: several values for language dyck_1, of experiments dyck_1_none, dyck_1_sinusoidal"),
        ({"select": {}}, "several values of choice; select one of: last, best"),
        ({"rows": "langage"}, "langage"),
        ({"columns": {"a": {"b": {"variable": "acuracy"}}}}, "columns.a.b.variable: no 'acuracy'"),
    ],
)  # fmt: skip
def test_a_table_that_cannot_be_drawn_is_refused(data, wrong, message):
    with pytest.raises(InterpflowError, match=message):
        draw(score_table, *data, **{**TABLE, **wrong})


def test_the_number_of_a_claim_on_checkpoints_that_differ_by_seed_stands_in_its_cell():
    """The best of each seed is at a step of its own, and may be at the same by chance."""
    dims = ("seed", "step", "group")
    parts = {}
    for name, best in {"wide": (10, 20), "narrow": (20, 20)}.items():
        accuracy = np.full((2, 2, 1), np.nan)
        for seed, step in enumerate(best):
            accuracy[seed, step // 10 - 1] = 0.5
        called = np.where(np.isnan(accuracy[..., 0]), "", "best")
        parts[name] = xr.Dataset(
            {"accuracy": (dims, accuracy), "checkpoint": (("seed", "step"), called)},
            {"seed": [0, 1], "step": [10, 20], "group": ["validation"]},
        )  # fmt: skip
    found = join("accuracy_by", parts)
    at = {"checkpoint": "best", "group": "validation"}
    figure = draw(
        score_table, found, rows="experiment", select={"checkpoint": "best"},
        columns={"All": {"right": {"variable": "accuracy", "select": {"group": "validation"}}}},
        claims=[
            *(claim("accuracy", at | {"experiment": name}, expected=0.4) for name in parts),
            claim("accuracy", at | {"experiment": "wide"}, expected=0.8),
        ],
    )  # fmt: skip
    assert cells(figure.axes[0]) == [["50\n(40)"], ["50\n(40, 80)"]]


@pytest.mark.parametrize("order", list(itertools.permutations(("narrow", "middle", "wide"))))
def test_each_experiment_has_its_own_scores_whatever_the_order_of_the_rows(order):
    right = {"wide": 0.9, "middle": 0.5, "narrow": 0.1}
    parts = {
        name: xr.Dataset(
            {"accuracy": (("seed", "step", "group"), [[[right[name]]]])},
            {"seed": [0], "step": [1], "group": ["validation"]},
        )
        for name in right
    }
    figure = draw(
        score_table, join("accuracy_by", parts), rows="experiment",
        columns={"All": {"right": {"variable": "accuracy"}}},
        labels={name: name.title() for name in order},
    )  # fmt: skip
    assert labels(figure.axes[0], "y") == [name.title() for name in order]
    assert cells(figure.axes[0]) == [[f"{100 * right[name]:.0f}"] for name in order]
