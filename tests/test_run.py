"""`run` becomes Snakemake, or makes a study in one process: of what is there already only what is stale."""

from __future__ import annotations

import io
import os
import random
import shutil
import sys
from pathlib import Path

import numpy as np
import pytest
import torch
import xarray as xr
from built_study import SPEC
from edits import broken_off, called, shuffled

from interpflow import store
from interpflow.__main__ import main
from interpflow.files import sha256
from interpflow.workflow import run_lock
from interpflow.workflow.make import is_made, make
from interpflow.workflow.specs_folder import plan_study


def digests() -> dict[str, str]:
    """The digest of every file that jobs have made here."""
    made = (path for top in ("results", "figures") for path in Path(top).rglob("*"))
    return {str(path): sha256(path) for path in sorted(made) if path.is_file()}


def jobs_run(capsys: pytest.CaptureFixture[str]) -> int:
    """How many jobs the last `run` says it ran."""
    return int(capsys.readouterr().out.removeprefix("small: ").partition(" ")[0])


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ([], ["--cores", "all", "--config", "scale=laptop"]),
        (["small", "--cores", "3", "--scale", "smoke"],
         ["--cores", "3", "small", "--config", "scale=smoke"]),
    ],
)  # fmt: skip
def test_run_becomes_snakemake(built, monkeypatch, arguments: list[str], words: list[str]):
    Path("Snakefile").touch()
    became: list[str] = []
    monkeypatch.setattr(os, "execv", lambda _, command: became.extend(command))
    assert main(["run", *arguments]) == 0
    assert became == [sys.executable, "-m", "snakemake", *words]


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["smal"], "specs/smal.yaml: no such spec; there are: small; did you mean 'small'?"),
        (["small"], "`interpflow new NAME` makes a folder that has one"),
    ],
)
def test_what_cannot_run_is_refused_before_snakemake_starts(built, capsys, arguments, said):
    assert main(["run", *arguments]) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize("wrong", [["--cores", "0"], ["--cores", "2", "--one-process"]])
def test_cores_are_at_least_one_and_nothing_to_one_process(built, wrong: list[str]):
    with pytest.raises(SystemExit):
        main(["run", *wrong])


def not_made() -> list[str]:
    """The jobs that a run would run."""
    plan = plan_study("small", "laptop")
    return [called(job) for job in plan if not is_made(job)]


def test_an_empty_folder_gets_every_file_of_the_study(built, capsys):
    before = digests()
    shutil.rmtree("results")
    shutil.rmtree("figures")
    assert main(["run", "--one-process", "small"]) == 0
    assert jobs_run(capsys) == len(list(plan_study("small", "laptop")))
    assert digests() == before


def test_of_what_is_made_nothing_is_made_again(built, capsys):
    before = digests()
    assert main(["run", "--one-process"]) == 0
    assert jobs_run(capsys) == 0
    assert digests() == before


@pytest.mark.parametrize(
    ("old", "new", "stale"),
    [
        ("caption: Again", "caption: Anew", ["figure wide_bins", "manifest"]),
        (
            "wide: {model: {d_model: 16}}",
            "wide: {model: {d_model: 16}, training: {learning_rate: 0.1}}",
            ["train wide 0", "train wide 1", "analyse lengths wide", "collect lengths",
             "figure bins", "figure wide_bins", "claims", "explorer", "manifest"],
        ),
        ("expected: 12", "expected: 12  # at most", []),
    ],
)  # fmt: skip
def test_what_an_edit_makes_stale_is_made_anew(built, capsys, old: str, new: str, stale: list[str]):
    assert SPEC.count(old) == 1
    Path("specs/small.yaml").write_text(SPEC.replace(old, new))
    assert not_made() == stale
    assert main(["run", "--one-process", "small"]) == 0
    assert jobs_run(capsys) == len(stale)
    assert not_made() == []


@pytest.mark.parametrize("seeds_per_job", [1, 5])
def test_a_further_seed_changes_no_weights_of_the_others(built, seeds_per_job: int):
    first = Path("results/laptop/small/experiments/plain/weights_0.nc")
    chunked = SPEC.replace("seeds_per_job: 1", f"seeds_per_job: {seeds_per_job}")
    Path("specs/small.yaml").write_text(chunked)
    assert main(["run", "--one-process", "small"]) == 0
    before, bytes_before = store.read(first), sha256(first)
    Path("specs/small.yaml").write_text(chunked.replace("\nseeds: 2", "\nseeds: 3"))
    assert main(["run", "--one-process", "small"]) == 0
    after = store.read(first)
    assert (sha256(first) == bytes_before) == (seeds_per_job == 1)
    assert after.sizes["seed"] == (1 if seeds_per_job == 1 else 3)
    xr.testing.assert_identical(after.sel(seed=before.seed).drop_attrs(), before.drop_attrs())


def test_a_file_that_is_gone_is_made_again_and_nothing_else(built, capsys):
    before = digests()
    Path("results/laptop/small/experiments/plain/history_1.nc").unlink()
    assert main(["run", "--one-process", "small"]) == 0
    assert jobs_run(capsys) == 1
    assert digests() == before


def test_a_damaged_file_is_named_and_a_study_without_spec_too(built, capsys):
    path = Path("results/laptop/small/analyses/lengths.nc")
    path.write_bytes(path.read_bytes()[:300])
    assert main(["run", "--one-process", "small"]) == 2
    assert f"{path}: damaged" in capsys.readouterr().err
    assert main(["run", "--one-process", "smal"]) == 2
    assert "no such spec; there are: small; did you mean 'small'?" in capsys.readouterr().err


def test_a_run_in_one_process_holds_the_lock_of_the_folder_and_gives_it_back(built, monkeypatch):
    monkeypatch.setattr(run_lock, "_SECONDS_FOR_A_RUN_TO_DIE", 0.1)
    with run_lock.held(run_lock.PATH):
        assert main(["run", "--one-process", "small"]) == 2
    assert main(["run", "--one-process", "small"]) == 0


@pytest.mark.parametrize("seed", range(2))
def test_any_order_of_jobs_gives_the_same_bytes(built, seed: int):
    before = digests()
    shutil.rmtree("results")
    shutil.rmtree("figures")
    for job in shuffled(plan_study("small", "laptop"), random.Random(seed)):
        make(job, io.StringIO())
    assert digests() == before


@pytest.mark.parametrize("seed", range(4))
def test_a_run_that_breaks_off_anywhere_is_finished_by_the_next_with_the_same_bytes(
    built, capsys, monkeypatch, seed: int
):
    """It breaks off where a file is to take its place: the moment in which a kill could leave half a result."""
    before = digests()
    shutil.rmtree("results")
    shutil.rmtree("figures")
    with broken_off(random.Random(seed).randrange(len(before)), monkeypatch):
        assert main(["run", "--one-process", "small"]) == 130
    assert set(digests()) < set(before)
    assert main(["run", "--one-process", "small"]) == 0
    assert digests() == before


def test_a_job_leaves_denormals_to_the_next_as_it_found_them(built):
    make(plan_study("small", "laptop").find("train", "plain", "0"), io.StringIO())
    assert float(np.float64(1e-310) * 1.0) > 0
    assert float(torch.tensor([1e-39]).mul(1.0)) > 0
