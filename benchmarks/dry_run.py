"""`snakemake --dry-run` on a spec of 1,000 experiments, against a bare Snakefile with the same jobs."""

from __future__ import annotations

import tempfile
from functools import partial
from pathlib import Path

import yaml

from benchmarks.project import copy_to, snakemake
from benchmarks.timing import Way, compare

EXPERIMENTS, REPEATS = 1000, 3

SPEC = {
    "study": "generated",
    "title": "A thousand experiments",
    "reference": {"arxiv": "2502.01432", "year": 2025},
    "seeds": 1,
    "defaults": {
        "task": {"name": "bracket_language", "train_size": 10, "validation_size": 10},
        "model": {"d_mlp": 64, "norm": "post"},
        "training": {"epochs": 1, "batch_size": 10, "optimizer": "sgd", "learning_rate": 0.1, "loss": "mse"},
    },
    "experiments": {f"e{i:04}": {"task": {"seed": i}} for i in range(EXPERIMENTS)},
    "analyses": {
        "lengths": {
            "method": "accuracy_by",
            "experiments": [f"e{i:04}" for i in range(EXPERIMENTS)],
        }
    },
    "figures": {"lengths": {"plot": "length_bins", "data": "lengths", "caption": "Lengths"}},
}  # fmt: skip

BARE = f"""\
EXPERIMENTS = [f"e{{i:04}}" for i in range({EXPERIMENTS})]
DATA = "results/experiments/{{experiment}}/data.nc"
WEIGHTS = "results/experiments/{{experiment}}/weights_0.nc"
HISTORY = "results/experiments/{{experiment}}/history_0.nc"
PART = "results/analyses/lengths/{{experiment}}.nc"
WHOLE = "results/analyses/lengths.nc"
FIGURE = ["figures/lengths.svg", "figures/lengths.png", "figures/lengths.json"]

rule all:
    input: FIGURE, "results/manifest.json"
rule data:
    output: DATA
    shell: "touch {{output}}"
rule train:
    input: DATA
    output: WEIGHTS, HISTORY
    shell: "touch {{output}}"
rule analyse:
    input: DATA, WEIGHTS, HISTORY
    output: PART
    shell: "touch {{output}}"
rule collect:
    input: expand(PART, experiment=EXPERIMENTS)
    output: WHOLE
    shell: "touch {{output}}"
rule figure:
    input: WHOLE
    output: FIGURE
    shell: "touch {{output}}"
rule manifest:
    input: expand([DATA, WEIGHTS, HISTORY, PART], experiment=EXPERIMENTS), WHOLE, FIGURE
    output: "results/manifest.json"
    shell: "touch {{output}}"
"""


def main() -> None:
    """Print the time of a dry run of all jobs."""
    with tempfile.TemporaryDirectory() as folder:
        ours, bare = Path(folder, "ours"), Path(folder, "bare")
        ours.mkdir()
        bare.mkdir()
        copy_to(ours)
        for spec in (ours / "specs").glob("*.yaml"):
            spec.unlink()
        (ours / "specs/generated.yaml").write_text(yaml.safe_dump(SPEC, sort_keys=False))
        (bare / "Snakefile").write_text(BARE)
        compare(
            f"snakemake --dry-run of {EXPERIMENTS} experiments",
            [
                Way("interpflow", partial(snakemake, ours, "--dry-run")),
                Way("a bare Snakefile with the same jobs", partial(snakemake, bare, "--dry-run")),
            ],
            REPEATS,
        )
        print("  goal: 0.67 x (interpflow at most 1.5 times as long)")
