"""Only what changed reruns.

What an edit makes stale is asked of two plans, before it and after it, and held against what follows from
the changed files by the inputs of jobs alone.  Snakemake is asked the same about one edit of each kind: it
names the jobs that it would run if the changed files were forced, which knows nothing of our recipes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest
from workflow.planned import Planned
from workflow.project_copy import FIGURES, RESULTS, SPEC, TRAINED, Copy


@dataclass(frozen=True)
class Change:
    """An edit of one file, and the files that must be made anew because of it; with them what follows."""

    id: str
    path: str
    old: str
    new: str
    remade: tuple[str, ...]


SRC = "src/interpflow"
WIDE = TRAINED[2:]
BOTH_NORMS = tuple(f"{RESULTS}/analyses/norms/{name}.nc" for name in ("narrow", "wide"))
ALL_NORMS = (*BOTH_NORMS, f"{RESULTS}/analyses/narrow_norms/narrow.nc")
DOTS = (f"{FIGURES}/both.svg", f"{FIGURES}/one.svg")

CHANGES = [
    Change("figure option", SPEC, "caption: Both, size: 4.0", "caption: Both, size: 5.0", DOTS[:1]),
    Change("caption", SPEC, "caption: One,", "caption: Uno,", DOTS[1:]),
    Change("analysis option", SPEC, "power: 2", "power: 3", BOTH_NORMS),
    Change(
        "learning rate of one experiment",
        SPEC,
        "wide: {model: {d_model: 192}}",
        "wide: {model: {d_model: 192}, training: {learning_rate: 2.0e-3}}",
        WIDE,
    ),
    Change("model of one experiment", SPEC, "d_model: 192", "d_model: 200", WIDE),
    Change(
        "claim",
        SPEC,
        "at_least: 0.0",
        "at_least: 0.1",
        (f"{RESULTS}/claims.csv", f"{FIGURES}/both.svg", f"{FIGURES}/outlines.svg"),
    ),
    Change(
        "reason of a claim",
        SPEC,
        "source: nowhere",
        "source: nowhere, because: so",
        (f"{RESULTS}/claims.csv",),
    ),
    Change("title", SPEC, "title: The", "title: A", (f"{FIGURES}/explorer/index.html",)),
    Change("comment in the spec", SPEC, "# So wide", "# So very wide", ()),
    Change("threads", SPEC, "compute: {", "compute: {threads: 2, ", TRAINED),
    Change("code of one plot", f"{SRC}/plots/dots.py", "axes.legend()", "axes.legend(loc=1)", DOTS),
    Change(
        "code of one analysis", f"{SRC}/analyses/weight_norms.py", "abs(", "1 + abs(", ALL_NORMS
    ),
    Change(
        "code of a task",
        f"{SRC}/tasks/bracket_language.py",
        'PAIRS = ("()",',
        'PAIRS = ("xy",',
        (f"{RESULTS}/data/narrow.nc",),
    ),
    Change("docstring of a plot", f"{SRC}/plots/dots.py", "A dot for each", "One dot per", ()),
    Change(
        "comment in an analysis",
        f"{SRC}/analyses/weight_norms.py",
        "last = ",
        "# Last.\n    last = ",
        (),
    ),
]


# One of each kind is asked of Snakemake too; the others differ in nothing that it sees.
THROUGH_SNAKEMAKE = (
    "figure option",
    "learning rate of one experiment",
    "code of one analysis",
    "comment in an analysis",
)


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.id)
def test_an_edit_makes_stale_what_it_changes_and_what_follows_and_nothing_else(
    planned: Planned, change: Change
):
    before = planned.recipes()
    planned.edit(change.path, change.old, change.new)
    assert planned.stale(before) == planned.following(change.remade)


@pytest.mark.parametrize(
    "change",
    [change for change in CHANGES if change.id in THROUGH_SNAKEMAKE],
    ids=lambda change: change.id,
)
def test_snakemake_reruns_what_an_edit_makes_stale(finished: Copy, change: Change):
    # The edit may change the messages of no job: so the oracle is asked before it.
    expected = finished.made_from(*change.remade) if change.remade else set()
    finished.edit(change.path, change.old, change.new)
    assert finished.would_run() == expected


def test_code_of_the_model_reruns_training_and_the_analyses_of_models(planned: Planned):
    before = planned.recipes()
    planned.append(f"{SRC}/model/transformer.py", "ADDED = 1")
    assert planned.stale(before) == planned.following(TRAINED)


def test_comments_and_docstrings_in_the_model_rerun_nothing(planned: Planned):
    before = planned.recipes()
    path = planned.folder / SRC / "model" / "transformer.py"
    first, rest = path.read_text().split("\n", 1)
    assert first.startswith('"""')
    path.write_text(f'"""Other words. {first[3:]}\n{rest}\n# A comment.\n')
    assert planned.stale(before) == set()


@pytest.mark.parametrize(
    "name",
    ["spec/load", "workflow/plan", "workflow/make", "__main__", "commands/check", "commands/run",
     "workflow/layout"],
)  # fmt: skip
def test_code_that_only_reads_specs_and_plans_reruns_nothing(planned: Planned, name: str):
    before = planned.recipes()
    planned.append(f"{SRC}/{name}.py", "ADDED = 1")
    assert planned.stale(before) == set()


def test_the_base_of_what_a_scale_overrides_may_change_and_nothing_reruns(planned: Planned):
    base = "optimizer: adam, learning_rate: 1.0e-3"
    planned.edit(SPEC, "smoke: {}", "laptop: {training: {learning_rate: 1.0e-3}}")
    before = planned.recipes()
    planned.edit(SPEC, base, base.replace("1.0e-3", "5.0e-3"))
    assert planned.stale(before) == set()


def test_touching_any_file_reruns_nothing(finished: Copy):
    sizes = []
    for top in ("specs", "src", "rules", "profiles", "results", "figures", "Snakefile"):
        top_path = finished.folder / top
        for path in [top_path, *top_path.rglob("*")]:
            if path.is_file() and path.suffix != ".pyc":
                sizes.append(path.stat().st_size)
                os.utime(path)
    assert max(sizes) > 1_000_000, "Snakemake's own limit for checksums is 1 MB"
    assert finished.would_run() == set()


def test_an_experiment_put_before_another_with_its_task_moves_the_data_and_trains_alone(
    finished: Copy,
):
    finished.edit(SPEC, "  # So wide", "  first: {model: {d_model: 16}}\n  # So wide")
    assert finished.would_run() == {
        "data of tiny/first",
        "train tiny/first, seeds from 0",
        "train tiny/first, seeds from 1",
        "explorer of tiny",
        "manifest of tiny",
    }
    finished.snakemake("--cores", "2")
    assert finished.would_run() == set()
    verified = finished.interpflow("verify").stdout
    assert "different" not in verified
    assert "No spec makes these" in verified and f"  {RESULTS}/data/narrow.nc" in verified


def test_naming_a_figure_builds_what_it_needs_and_nothing_else(empty: Copy):
    run = empty.would_run(f"{FIGURES}/one.png")
    assert run == {
        "data of tiny/narrow",
        "train tiny/narrow, seeds from 0",
        "train tiny/narrow, seeds from 1",
        "analyse tiny/narrow: narrow_norms",
        "collect tiny: narrow_norms",
        "figure tiny: one",
    }


def test_naming_a_study_builds_that_study_alone(empty: Copy):
    spec = (empty.folder / SPEC).read_text()
    (empty.folder / "specs/other.yaml").write_text(spec.replace("study: tiny", "study: other"))
    everything, one = empty.would_run(), empty.would_run("other")
    assert one == {message for message in everything if " other" in message}
    assert len(everything) == 2 * len(one)
