"""What the tour of explorers leads to exists: in the specs, and in the vocabulary of the page."""

from __future__ import annotations

import re

import pytest
from tour import PAGE, Sight, sights

from interpflow.analyses import circuits
from interpflow.explorer import assets
from interpflow.spec.plugins import ANALYSIS, load
from interpflow.workflow.plan import Plan
from interpflow.workflow.specs_folder import plan_study

SPECS = PAGE.parents[1] / "specs"
STUDIES = {"counter_languages", "list_sorting", "tree_pathfinding"}
TITLES = dict(re.findall(r'VIEWS\.(\w+) = \{\s*title: "(.+?)"', assets.script()))
BEFORE = ["the study's card", "Explorer"]  # clicks, on the page that one starts from
FIRST = "training"  # the view of a page whose address names none
# What a choice is called on the page, by its key in the address.
CHOICES = {
    "experiment": "Experiment", "data": "Dataset", "circuit": "Circuit", "also": "And a finding",
}  # fmt: skip


@pytest.fixture(scope="module")
def plans() -> dict[str, Plan]:
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(PAGE.parents[1])
        return {study: plan_study(study, "laptop") for study in STUDIES}


def test_the_page_lists_ten_things_of_three_studies():
    text = PAGE.read_text(encoding="utf-8")
    assert len(sights()) == text.count("/explorer/index.html#") == 10
    assert {sight.study for sight in sights()} == STUDIES


@pytest.mark.parametrize("sight", sights(), ids=lambda sight: f"{sight.study}-{sight.shown}")
def test_the_clicks_are_those_that_the_address_takes_and_at_most_four(sight: Sight):
    assert TITLES[sight.shown["view"]] == sight.title
    wanted = [] if sight.shown["view"] == FIRST else [sight.title]
    wanted += [CHOICES[key] for key in sight.shown if key != "view"]
    assert sight.clicks == wanted
    assert len(BEFORE + sight.clicks) <= 4
    for key in {*sight.shown} - {"view"}:
        assert f'"{CHOICES[key]}"' in assets.script(), "no choice is called so"
        assert re.search(rf"\b{key}\b", assets.script())


@pytest.mark.parametrize("sight", sights(), ids=lambda sight: f"{sight.study}-{sight.shown}")
def test_what_an_address_names_is_in_the_spec(sight: Sight, plans):
    (job,) = plans[sight.study].jobs["explorer"].values()
    methods, shown = job.slice["analyses"], sight.shown
    assert shown.get("experiment") in (None, *job.slice["experiments"])
    assert shown.get("circuit") in (None, *circuits.VARIABLES)
    data, variable = shown.get("data"), None
    if "also" in shown:
        data, variable = shown["also"].split(" · ")
        assert "step" in load(ANALYSIS, methods[data]).VARIABLES[variable].dims
    assert data is None or data in methods
    assert variable is None or variable in load(ANALYSIS, methods[data]).VARIABLES
