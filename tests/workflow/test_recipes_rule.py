"""What is stale is told by the recipes in files, whatever Snakemake remembers of them."""

from __future__ import annotations

import os
import shutil

from workflow.project_copy import RESULTS, SPEC, Copy


def forget(copy: Copy) -> None:
    """Take from Snakemake what it remembers, and from files when they were written."""
    shutil.rmtree(copy.folder / ".snakemake")
    for place, top in enumerate(("figures", "results")):
        for path in sorted((copy.folder / top).rglob("*"), reverse=True):
            os.utime(path, (place, place))


def test_results_without_records_and_with_other_times_rerun_nothing(finished: Copy):
    forget(finished)
    assert finished.would_run() == set()
    shutil.copytree(finished.folder / "results", finished.folder / "copied")  # without times
    shutil.rmtree(finished.folder / "results")
    (finished.folder / "copied").rename(finished.folder / "results")
    assert finished.would_run() == set()


def test_an_edit_reruns_the_same_with_and_without_records(finished: Copy):
    finished.edit(SPEC, "learning_rate: 1.0e-3", "learning_rate: 2.0e-3")
    remembered = finished.would_run()
    assert "train tiny/wide, seeds from 1" in remembered
    forget(finished)
    assert finished.would_run() == remembered
    finished.edit(SPEC, "learning_rate: 2.0e-3", "learning_rate: 1.0e-3")
    assert finished.would_run() == set()


def test_results_of_another_branch_are_stale_whatever_the_records_say(finished: Copy, empty: Copy):
    """The records are of this branch, and the files of one layer below the figures are of another."""
    other = empty
    other.edit(SPEC, "power: 2", "power: 3")
    other.interpflow("run", "--one-process", "tiny")
    expected = finished.made_from(
        f"{RESULTS}/analyses/norms/narrow.nc", f"{RESULTS}/analyses/norms/wide.nc"
    )
    for name in ("norms/narrow.nc", "norms/wide.nc", "norms.nc"):
        shutil.copy2(
            other.folder / f"{RESULTS}/analyses/{name}",
            finished.folder / f"{RESULTS}/analyses/{name}",
        )
    assert finished.would_run() == expected
    before = finished.digests()
    finished.snakemake("--cores", "2")
    after = finished.digests()
    assert after != before
    assert finished.would_run() == set()


def test_one_file_of_several_that_a_command_names_is_made_of_inputs_of_its_recipe(finished: Copy):
    """The findings alone are gone and asked for; the weights below them are of another recipe."""
    finished.edit(SPEC, "learning_rate: 1.0e-3", "learning_rate: 2.0e-3")
    forget(finished)
    wanted = f"{RESULTS}/analyses/norms/narrow.nc"
    (finished.folder / wanted).unlink()
    assert finished.would_run(wanted) == {
        "train tiny/narrow, seeds from 0",
        "train tiny/narrow, seeds from 1",
        "analyse tiny/narrow: norms",
    }


def test_a_broken_draft_stops_nothing_but_what_needs_it(finished: Copy):
    (finished.folder / "specs/draft.yaml").write_text("study: draft\nseeds: many\n")
    for needs_it in ([], ["draft"]):
        refused = finished.snakemake("--dry-run", *needs_it, check=False)
        assert refused.returncode != 0
        assert "specs/draft.yaml:2: seeds:" in refused.stdout
        assert "Traceback" not in refused.stdout
    others = finished.snakemake("--dry-run", "tiny")
    assert "specs/draft.yaml:2: seeds:" in others.stdout
    assert "Nothing to be done" in others.stdout
