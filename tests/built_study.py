"""A study of seconds that has really run, for tests of what is done with its files."""

from __future__ import annotations

import contextlib
import io
import shutil
from pathlib import Path

from interpflow.workflow.make import make
from interpflow.workflow.specs_folder import plan_study

SPEC = """\
study: small
title: A <small> study & its "report"
reference: {arxiv: "2502.01432", year: 2025}
seeds: 2
compute: {seeds_per_job: 1}
defaults:
  task: {name: bracket_language, max_length: 12, train_size: 60, validation_size: 20, overlap: true}
  model: {d_model: 8, d_mlp: 8, norm: none, positions: none}
  training: {epochs: 1, batch_size: 20, optimizer: adam, learning_rate: 1.0e-3, loss: mse}
experiments:
  plain: {}
  wide: {model: {d_model: 16}}
analyses:
  lengths: {method: accuracy_by, experiments: [plain, wide], steps: best}
  strings: {method: data_statistics, experiments: [plain], variables: [length]}
figures:
  bins: {plot: length_bins, data: lengths, panel: Fig. 3, caption: "Accuracy <script>by</script> length_"}
  wide_bins: {plot: length_bins, data: lengths, caption: Again}
claims:
  learns:
    data: lengths
    variable: accuracy
    select: {experiment: plain, checkpoint: best, group: validation}
    at_least: 0.9
    source: a table & its <caption>
    because: One epoch on sixty strings teaches <nothing>.
  long:
    data: strings
    variable: maximum
    select: {experiment: plain, split: train, quantity: length}
    expected: 12
    tolerance: 0
    source: a table
    because: never needed
scales:
  smoke: {seeds: 1, only: [plain], training: {learning_rate: 0.01}}
"""


def build(folder: Path, scale: str = "laptop", spec: str = SPEC) -> None:
    """Run every job of the study `spec`, called small, in `folder`, in this process; leave no cache."""
    (folder / "specs").mkdir(exist_ok=True)
    (folder / "specs/small.yaml").write_text(spec)
    with contextlib.chdir(folder):
        for job in plan_study("small", scale):
            make(job, io.StringIO())
    shutil.rmtree(folder / "cache")
