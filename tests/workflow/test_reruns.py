"""Only what changed reruns.

What should follow from a change is asked of Snakemake itself: the jobs that it would run if the changed files
were forced, which knows nothing of our recipes.
"""

from __future__ import annotations

import os
from dataclasses import dataclass

import pytest
import xarray as xr
from workflow.project_copy import Copy


@dataclass(frozen=True)
class Change:
    """An edit of one file, and the files that must be made anew because of it; with them what follows."""

    id: str
    path: str
    old: str
    new: str
    remade: tuple[str, ...]


RESULTS = "results/laptop/tiny"
FIGURES = "figures/laptop/tiny"
SRC = "src/interpflow"
SPEC = "specs/tiny.yaml"
TRAINED = tuple(
    f"{RESULTS}/experiments/{name}/weights_{seed}.nc"
    for name in ("narrow", "wide")
    for seed in "01"
)
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
    Change("title", SPEC, "title: The", "title: A", (f"{RESULTS}/manifest.json",)),
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
        (f"{RESULTS}/experiments/narrow/data.nc", f"{RESULTS}/experiments/wide/data.nc"),
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


@pytest.mark.parametrize("change", CHANGES, ids=lambda change: change.id)
def test_an_edit_reruns_what_it_changes_and_what_follows_and_nothing_else(
    finished: Copy, change: Change
):
    # The edit may change the messages of no job: so the oracle is asked before it.
    expected = finished.made_from(*change.remade) if change.remade else set()
    finished.edit(change.path, change.old, change.new)
    assert finished.would_run() == expected


def test_code_of_the_model_reruns_training_and_the_analyses_of_models(finished: Copy):
    expected = finished.made_from(*TRAINED)
    with (finished.folder / SRC / "model" / "transformer.py").open("a") as model:
        model.write("\nADDED = 1\n")
    assert finished.would_run() == expected


def test_comments_and_docstrings_in_the_model_rerun_nothing(finished: Copy):
    path = finished.folder / SRC / "model" / "transformer.py"
    first, rest = path.read_text().split("\n", 1)
    assert first.startswith('"""')
    path.write_text(f'"""Other words. {first[3:]}\n{rest}\n# A comment.\n')
    assert finished.would_run() == set()


@pytest.mark.parametrize(
    "name", ["spec/load", "workflow/plan", "__main__", "commands/check", "workflow/layout"]
)
def test_code_that_only_reads_specs_and_plans_reruns_nothing(finished: Copy, name: str):
    with (finished.folder / SRC / f"{name}.py").open("a") as code:
        code.write("\nADDED = 1\n")
    assert finished.would_run() == set()


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


@pytest.mark.parametrize("seeds_per_job", [1, 5])
def test_a_further_seed_changes_no_weights_of_the_others(empty: Copy, seeds_per_job: int):
    empty.edit(SPEC, "seeds_per_job: 1", f"seeds_per_job: {seeds_per_job}")
    folder = f"{RESULTS}/experiments/narrow"
    first = f"{folder}/weights_0.nc"
    empty.snakemake("--cores", "2", first)
    before = xr.load_dataset(empty.folder / first)
    before_bytes = empty.digests()[first]

    empty.edit(SPEC, "seeds: 2", "seeds: 3")
    added = first if seeds_per_job == 5 else f"{folder}/weights_2.nc"
    empty.snakemake("--cores", "2", added)
    after = xr.load_dataset(empty.folder / first)
    if seeds_per_job == 1:
        assert empty.digests()[first] == before_bytes
    else:
        assert list(after.seed.values) == [0, 1, 2]
    xr.testing.assert_identical(after.sel(seed=before.seed).drop_attrs(), before.drop_attrs())


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
