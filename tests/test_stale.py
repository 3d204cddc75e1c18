"""The recipe in a file says whether the file is stale, and a job reads no file of another recipe."""

from __future__ import annotations

import json
import os
import shutil
from pathlib import Path

import netCDF4
import pytest
from built_study import SPEC

from interpflow import store
from interpflow.__main__ import main
from interpflow.errors import InterpflowError
from interpflow.workflow.specs_folder import plan_study
from interpflow.workflow.stale import OTHER_RECIPE, recipe_of, staleness

RESULTS = "results/laptop/small"
WEIGHTS = f"{RESULTS}/experiments/plain/weights_0.nc"
FINDINGS = f"{RESULTS}/analyses/lengths/plain.nc"


def edit(old: str, new: str) -> None:
    assert SPEC.count(old) == 1
    Path("specs/small.yaml").write_text(SPEC.replace(old, new))


def stale() -> set[str]:
    """The jobs of the study whose files are stale, with the wrong reasons left out."""
    jobs = [job for job in plan_study("small", "laptop") if staleness(job)]
    assert {staleness(job) for job in jobs} <= {OTHER_RECIPE}
    return {f"{job.stage} {job.label}" for job in jobs}


def test_every_file_says_which_recipe_made_it(built):
    for job in plan_study("small", "laptop"):
        assert {recipe_of(path) for path in job.outputs.values()} == {job.sha}


def test_the_quick_look_at_a_dataset_finds_what_its_attribute_says(built):
    for path in Path("results").rglob("*.nc"):
        assert recipe_of(path) == store.read_attributes(path)["recipe_sha256"]
    with netCDF4.Dataset(WEIGHTS, "a") as opened:  # another program writes into the file
        opened.recipe_sha256 = "a" * 64
    assert recipe_of(WEIGHTS) == "a" * 64


def test_after_a_run_nothing_is_stale_wherever_and_whenever_its_files_are_put(built, tmp_path):
    assert stale() == set()
    shutil.copytree("results", "elsewhere")  # new times, in any order
    shutil.rmtree("results")
    Path("elsewhere").rename("results")
    for path in Path("figures").rglob("*.*"):
        os.utime(path, (0, 0))
    assert stale() == set()


@pytest.mark.parametrize(
    ("old", "new", "expected"),
    [
        ("caption: Again", "caption: Anew", {"figure small/wide_bins", "manifest small"}),
        ("source: a table\n", "source: a list\n", {"claims small", "manifest small"}),
        ("title: A", "title: The", {"explorer small", "manifest small"}),
        (
            "variables: [length]",
            "variables: [length, split]",
            {"analyse small/strings/plain", "collect small/strings", "claims small", "explorer small",
             "manifest small"},
        ),
    ],
)  # fmt: skip
def test_an_edit_makes_stale_what_rests_on_it_by_recipe_alone(built, old, new, expected):
    edit(old, new)
    assert stale() == expected


@pytest.mark.parametrize(
    "damage", [lambda whole: whole[:-1], lambda whole: b"", lambda whole: b"garbage" * 999]
)
@pytest.mark.parametrize("path", [WEIGHTS, f"{RESULTS}/claims.json", f"{RESULTS}/manifest.json"])
def test_a_damaged_file_is_stale_and_named(built, path, damage):
    Path(path).write_bytes(damage(Path(path).read_bytes()).replace(b"recipe_sha256", b""))
    reasons = {staleness(job) for job in plan_study("small", "laptop")} - {""}
    assert len(reasons) == 1
    assert all(reason.startswith(f"{path}: ") and "damaged" in reason for reason in reasons)


def test_a_file_that_the_system_does_not_give_out_is_not_made_anew(built):
    Path(WEIGHTS).unlink()
    Path(WEIGHTS).mkdir()  # as good as a lost right, and root has it too
    assert stale() == set()


def test_a_job_refuses_an_input_of_another_recipe_and_names_the_command(built, capsys):
    before = Path(FINDINGS).read_bytes()
    edit("learning_rate: 1.0e-3", "learning_rate: 2.0e-3")
    assert main(["analyse", "small", "lengths", "plain"]) == 2
    said = capsys.readouterr().err
    assert f"{WEIGHTS}: {OTHER_RECIPE}" in said
    assert f"make it anew with: snakemake --cores all --config scale=laptop {WEIGHTS}" in said
    assert Path(FINDINGS).read_bytes() == before


def test_a_job_refuses_a_damaged_input_and_names_the_command(built, capsys):
    Path(WEIGHTS).write_bytes(Path(WEIGHTS).read_bytes()[:1000])
    assert main(["analyse", "small", "lengths", "plain"]) == 2
    said = capsys.readouterr().err
    assert f"{WEIGHTS}: damaged" in said
    assert f"snakemake --cores all --config scale=laptop --force {WEIGHTS}" in said


def test_every_stage_refuses_inputs_of_another_recipe(built, capsys):
    edit("train_size: 60", "train_size: 61")
    for job in plan_study("small", "laptop"):
        if job.sources:
            assert main([job.stage, "small", *job.names]) == 2
            assert OTHER_RECIPE in capsys.readouterr().err


def test_the_inputs_that_a_file_names_are_those_that_it_read(built):
    for path in Path("results").rglob("*.nc"):
        for source in json.loads(store.read_attributes(path)["inputs"]):
            assert source["recipe_sha256"] == recipe_of(source["path"])


def test_a_missing_input_is_named_with_the_command_that_makes_it(built):
    Path(FINDINGS).unlink()
    with pytest.raises(InterpflowError, match="no such file; rebuild it with: snakemake"):
        recipe_of(FINDINGS)
