"""`why` names what was edited, and nothing else: the edits of the rerun tests, by two plans."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from edits import called
from workflow.planned import Planned
from workflow.test_reruns import CHANGES, SPEC, SRC, Change

from interpflow.workflow import why as why_module
from interpflow.workflow.code_parts import code_parts
from interpflow.workflow.job import Job
from interpflow.workflow.plan import Plan
from interpflow.workflow.why import Why, why

NAMED = {
    "figure option": "figures.both.size 5.0 instead of 4.0",
    "caption": "figures.one.caption Uno instead of One",
    "analysis option": "analyses.norms.power 3 instead of 2",
    "learning rate of one experiment": "training.learning_rate 0.002 instead of 0.001",
    "model of one experiment": "model.d_model 200 instead of 192",
    "claim": "claims.norm.at_least 0.1 instead of 0.0",
    "reason of a claim": "claims.norm.because so instead of null",
    "title": "title A smallest study that has every stage instead of "
    "The smallest study that has every stage",
    "comment in the spec": "",
    "threads": "compute.threads 2 instead of 1",
    "code of one plot": "interpflow.plots.dots: plot changed",
    "code of one analysis": "interpflow.analyses.weight_norms: analyse changed",
    "code of a task": "interpflow.tasks.bracket_language: PAIRS changed",
    "docstring of a plot": "",
    "comment in an analysis": "",
}


class Before:
    """What the files of a plan say once all of its jobs have run."""

    def __init__(self, plan: Plan) -> None:
        self.recipes = {called(job): job.recipe for job in plan}
        self.shas = {called(job): job.sha for job in plan}
        self.parts = {job.code: code_parts(*job.modules) for job in plan}

    def why(self, plan: Plan, monkeypatch: pytest.MonkeyPatch) -> Why:
        """Why jobs of `plan` would run on these files."""

        def to_run(jobs: Iterator[Job]) -> dict[Job, str]:
            there = {job: self.shas.get(called(job)) for job in jobs}
            return {
                job: "stale" if sha else "missing" for job, sha in there.items() if sha != job.sha
            }

        monkeypatch.setattr(why_module, "to_run", to_run)
        return why(plan, lambda job: self.recipes[called(job)], self.parts.get)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.id)
def test_what_an_edit_changed_is_named_and_nothing_else(
    planned: Planned, change: Change, monkeypatch
):
    plan = planned.plan()
    before, shas = Before(plan), planned.recipes()
    planned.edit(change.path, change.old, change.new)
    after = planned.plan()
    found = before.why(after, monkeypatch)
    assert [*found.changed] == [NAMED[change.id]] * bool(NAMED[change.id])
    stale = {called(job) for jobs in found.changed.values() for job in jobs}
    assert {called(job) for job in found.resting} | stale == planned.stale(shas)
    remade = {called(job) for job in after if {*job.outputs.values()} & {*change.remade}}
    assert remade <= stale
    assert not found.missing and not found.damaged


@pytest.mark.parametrize(
    ("path", "old", "new", "named"),
    [
        (
            "model/transformer.py",
            "def build_model(",
            "ADDED = 1\n\n\ndef build_model(",
            ["interpflow.model.transformer: ADDED is new"],
        ),
        (
            "plots/dots.py",
            "from interpflow.section import Section\n",
            "from interpflow.rng import generator\nfrom interpflow.section import Section\n",
            [
                "interpflow.plots.dots: its imports or the order of its statements changed",
                "interpflow.rng: is new here",
            ],
        ),
    ],
)
def test_a_definition_or_an_import_that_is_added_is_named(
    planned: Planned, monkeypatch, path: str, old: str, new: str, named: list[str]
):
    before = Before(planned.plan())
    planned.edit(f"{SRC}/{path}", old, new)
    assert {*before.why(planned.plan(), monkeypatch).changed} <= {*named}


def test_a_method_is_named_with_its_class(planned: Planned, monkeypatch):
    before = Before(planned.plan())
    planned.edit(
        f"{SRC}/runs.py",
        'called = {int(every[0]): "first", int(every[-1]): "last"}',
        'called = {int(every[0]): "start", int(every[-1]): "last"}',
    )
    assert [*before.why(planned.plan(), monkeypatch).changed] == [
        "interpflow.runs: Runs.names changed"
    ]


def test_a_further_experiment_is_an_input_that_is_new(planned: Planned, monkeypatch):
    before = Before(planned.plan())
    planned.edit(SPEC, "experiments: [narrow], power: 1", "experiments: [narrow, wide], power: 1")
    found = before.why(planned.plan(), monkeypatch)
    new = "results/laptop/tiny/analyses/narrow_norms/wide.nc"
    assert {*found.changed} == {f"reads {new} now"}
    assert {called(job) for job in found.changed[f"reads {new} now"]} == {
        "collect narrow_norms",
        "manifest",
    }
    assert [called(job) for job in found.missing] == ["analyse narrow_norms wide"]


def test_code_that_was_not_kept_is_said_to_have_changed(planned: Planned, monkeypatch):
    before = Before(planned.plan())
    before.parts = {}
    planned.edit(f"{SRC}/plots/dots.py", "axes.legend()", "axes.legend(loc=1)")
    found = before.why(planned.plan(), monkeypatch)
    assert [*found.changed] == ["its code; which part of it was not kept"]


def test_two_edits_are_two_causes_each_with_the_jobs_that_it_is_about(
    planned: Planned, monkeypatch
):
    before = Before(planned.plan())
    planned.edit(SPEC, "power: 2", "power: 3")
    planned.edit(SPEC, "caption: One", "caption: Uno")
    found = before.why(planned.plan(), monkeypatch)
    assert {what: {called(job) for job in jobs} for what, jobs in found.changed.items()} == {
        "analyses.norms.power 3 instead of 2": {"analyse norms narrow", "analyse norms wide"},
        "figures.one.caption Uno instead of One": {"figure one"},
    }
