"""From training to the report a seed that left the finite numbers is "diverged": never 0, chance or a gap."""

from __future__ import annotations

import importlib
import io
import json
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import torch
import xarray as xr

from interpflow import gaps, store
from interpflow.__main__ import main
from interpflow.progress import Log
from interpflow.training import loop
from interpflow.workflow.specs_folder import plan_study

SPEC = """\
study: wild
title: Seeds that leave the finite numbers
seeds: 3
defaults:
  task: {name: bracket_language, max_length: 12, train_size: 60, validation_size: 20, overlap: true}
  model: {d_model: 8, d_mlp: 8, norm: none, positions: none}
  training: {epochs: 1, batch_size: 20, optimizer: adam, learning_rate: 1.0e-3, loss: mse}
experiments:
  calm: {seeds: 2}
  half: {model: {d_model: 12}}
  hot: {training: {optimizer: sgd, learning_rate: 1.0e+30}}
analyses:
  lengths: {method: accuracy_by, experiments: [calm, half, hot], steps: best}
  curves: {method: training_curves, experiments: [hot]}
figures:
  bins: {plot: length_bins, data: lengths, caption: Accuracy}
claims:
  calm:
    {data: lengths, variable: overall_accuracy, at_most: 0.5, source: here,
     select: {experiment: calm, checkpoint: best}}
  half:
    {data: lengths, variable: overall_accuracy, at_most: 1.0, source: here,
     select: {experiment: half, checkpoint: best}}
  hot:
    {data: lengths, variable: overall_accuracy, at_most: 0.5, source: here,
     select: {experiment: hot, checkpoint: best}}
  curve:
    {data: curves, variable: validation_accuracy, at_most: 0.5, source: here,
     select: {experiment: hot, step: 3}}
"""
RESULTS = "results/laptop/wild"
HALF = "seed 1 at step 2"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which the study has run: all seeds of `hot` diverge, and one of `half`."""
    folder = tmp_path_factory.mktemp("wild")
    (folder / "specs").mkdir()
    (folder / "specs/wild.yaml").write_text(SPEC)
    advance = loop._Loop.advance

    def one_seed_of_half_breaks(self):
        if self.model.options.d_model == 12 and self.state.step == 1:
            with torch.no_grad():
                self.theta[1, 3] = np.nan
        return advance(self)

    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        patch.setattr(loop._Loop, "advance", one_seed_of_half_breaks)
        for job in plan_study("wild", "laptop"):
            with Log(Path(job.log), job.label, io.StringIO()) as log:
                importlib.import_module(f"interpflow.stages.{job.stage}").run(job, log)
    return folder


@pytest.fixture(autouse=True)
def in_folder(made, monkeypatch):
    monkeypatch.chdir(made)


def test_log_history_and_weights_name_seed_and_step():
    assert HALF in Path("logs/laptop/wild/train/half.0.log").read_text()
    for kind in ("history", "weights"):
        attrs = store.read_attributes(f"{RESULTS}/experiments/half/{kind}_0.nc")
        assert json.loads(attrs["diverged"]) == {"half": {"1": 2}}
        assert "diverged" not in store.read_attributes(f"{RESULTS}/experiments/calm/{kind}_0.nc")


def test_findings_miss_the_seed_and_keep_the_others():
    found = store.read(f"{RESULTS}/analyses/lengths.nc")
    accuracy = found["overall_accuracy"].max("step")
    assert accuracy.sel(experiment="calm", seed=[0, 1]).notnull().all()
    assert accuracy.sel(experiment="half").isnull().values.tolist() == [False, True, False]
    assert found["accuracy"].sel(experiment="hot").isnull().all()
    diverged = json.loads(found.attrs["diverged"])
    assert diverged["half"] == {"1": 2}
    assert sorted(diverged["hot"]) == ["0", "1", "2"]


def test_the_scorecard_says_diverged_and_counts_the_seeds_of_the_experiment():
    table = pd.read_csv(f"{RESULTS}/claims.csv", keep_default_na=False).set_index("claim")
    counts = {name: (row["seeds"], row["missing"]) for name, row in table.iterrows()}
    assert counts == {"calm": (2, 0), "half": (2, 1), "hot": (0, 3), "curve": (0, 3)}
    assert table["verdict"].to_dict() == {
        "calm": "holds", "half": "holds", "hot": "diverged", "curve": "diverged",
    }  # fmt: skip
    assert table["diverged"]["calm"] == ""
    assert table["diverged"]["half"] == HALF
    assert "seed 2 at step 2" in table["diverged"]["hot"]
    assert table["ours"]["hot"] == ""


def test_figure_and_manifest_name_them():
    assert HALF in Path("figures/laptop/wild/bins.svg").read_text()
    assert json.loads(Path("figures/laptop/wild/bins.json").read_text())["diverged"]["half"] == {
        "1": 2
    }
    manifest = json.loads(Path(f"{RESULTS}/manifest.json").read_text())
    assert manifest["diverged"]["half"] == {"1": 2}
    assert sorted(manifest["diverged"]) == ["half", "hot"]


def test_report_and_show_name_them(capsys):
    assert main(["report"]) == 0
    page = Path("results/laptop/report.html").read_text()
    assert f"<small>diverged: {HALF}</small>" in page
    assert f"Diverged: half: {HALF}" in page
    assert '<span class="diverged">2 diverged</span>' in page
    assert main(["show", f"{RESULTS}/analyses/lengths.nc"]) == 0
    assert f"half: {HALF}" in capsys.readouterr().out


@pytest.mark.parametrize("error", [torch.linalg.LinAlgError, np.linalg.LinAlgError])
def test_a_singular_matrix_of_one_seed_takes_no_findings_from_the_others(monkeypatch, error):
    job = plan_study("wild", "laptop").find("analyse", "lengths", "calm")
    before = store.read(job.outputs["findings"])
    method = importlib.import_module("interpflow.analyses.accuracy_by")
    analyse = method.analyse

    def with_a_singular_seed(runs, options):
        if 1 in runs.seeds:
            raise error("singular")
        return analyse(runs, options)

    monkeypatch.setattr(method, "analyse", with_a_singular_seed)
    said = io.StringIO()
    with Log(Path(job.log), job.label, said) as log:
        importlib.import_module("interpflow.stages.analyse").run(job, log)
    assert "seed 1 is left out: singular" in said.getvalue()
    after = store.read(job.outputs["findings"])
    assert after["seed"].values.tolist() == [0, 1]
    assert after["overall_accuracy"].sel(seed=1).isnull().all()
    steps = after["step"].values
    xr.testing.assert_equal(
        after["accuracy"].sel(seed=0), before["accuracy"].sel(seed=0, step=steps)
    )


def test_a_missing_seed_changes_neither_the_type_nor_the_meaning_of_the_others():
    whole = xr.Dataset(
        {
            "holds": ("seed", [True, False]),
            "count": ("seed", [3, 4]),
            "word": ("seed", ["a", "b"]),
            "of_all": ("place", [1, 2]),
        },
        {"seed": [0, 2]},
    )
    wider = gaps.with_seeds(whole, [0, 1, 2])
    assert wider["word"].values.tolist() == ["a", "", "b"]
    assert wider["count"].isnull().values.tolist() == [False, True, False]
    assert wider["of_all"].dtype == whole["of_all"].dtype
    assert {name: wider[name].attrs for name in ("holds", "count")} == {
        "holds": {"values": "true or false"}, "count": {"values": "whole numbers"},
    }  # fmt: skip
    xr.testing.assert_identical(gaps.of_seeds(wider, [0, 2]), whole)
