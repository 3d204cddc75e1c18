"""A generated study of many experiments that train for a second, and a bare Snakefile with the same jobs."""

from __future__ import annotations

from pathlib import Path

import yaml

from benchmarks.project import copy_to


def spec(experiments: int) -> str:
    """The spec of the study `generated`."""
    names = [f"e{number:04}" for number in range(experiments)]
    content = {
        "study": "generated",
        "title": "Many experiments",
        "reference": {"arxiv": "2502.01432", "year": 2025},
        "seeds": 1,
        "defaults": {
            "task": {
                "name": "bracket_language", "max_length": 12, "train_size": 20, "validation_size": 10,
            },
            "model": {"d_model": 8, "d_mlp": 8, "norm": "post"},
            "training": {
                "epochs": 1, "batch_size": 10, "optimizer": "sgd", "learning_rate": 0.1, "loss": "mse",
            },
        },
        "experiments": {name: {"task": {"seed": seed}} for seed, name in enumerate(names)},
        "analyses": {"lengths": {"method": "accuracy_by", "experiments": names}},
        "figures": {
            "lengths": {
                "plot": "length_bins",
                "data": "lengths",
                "caption": "Accuracy by length",
                "panels": {"the first": {name: {"experiment": name} for name in names[:2]}},
            }
        },
    }  # fmt: skip
    return yaml.safe_dump(content, sort_keys=False)


def write(folder: Path, experiments: int) -> Path:
    """Write the spec into `folder`, where it is alone; its path."""
    folder.mkdir(parents=True, exist_ok=True)
    for other in folder.glob("*.yaml"):
        other.unlink()
    path = folder / "generated.yaml"
    path.write_text(spec(experiments), encoding="utf-8")
    return path


def beside_bare(folder: Path, experiments: int) -> tuple[Path, Path]:
    """Two folders in `folder`: a copy of the project with the study, and a bare Snakefile with the same jobs.

    What is there stays, but for the spec and the Snakefile: a second call makes the study a smaller one.
    """
    ours, bare = folder / "ours", folder / "bare"
    if not bare.exists():
        ours.mkdir()
        bare.mkdir()
        copy_to(ours)
    write(ours / "specs", experiments)
    (bare / "Snakefile").write_text(_BARE.replace("{experiments}", str(experiments)))
    return ours, bare


_BARE = """\
EXPERIMENTS = [f"e{i:04}" for i in range({experiments})]
DATA = "results/experiments/{experiment}/data.nc"
WEIGHTS = "results/experiments/{experiment}/weights_0.nc"
HISTORY = "results/experiments/{experiment}/history_0.nc"
PART = "results/analyses/lengths/{experiment}.nc"
WHOLE = "results/analyses/lengths.nc"
FIGURE = ["figures/lengths.svg", "figures/lengths.png", "figures/lengths.json"]
EXPLORER = ["figures/explorer/index.html", "figures/explorer/index.json"]

rule all:
    input: FIGURE, EXPLORER, "results/manifest.json"
rule data:
    output: DATA
    shell: "touch {output}"
rule train:
    input: DATA
    output: WEIGHTS, HISTORY
    shell: "touch {output}"
rule analyse:
    input: DATA, WEIGHTS, HISTORY
    output: PART
    shell: "touch {output}"
rule collect:
    input: expand(PART, experiment=EXPERIMENTS)
    output: WHOLE
    shell: "touch {output}"
rule figure:
    input: WHOLE
    output: FIGURE
    shell: "touch {output}"
rule explorer:
    input: WHOLE, expand([DATA, WEIGHTS, HISTORY], experiment=EXPERIMENTS)
    output: EXPLORER
    shell: "touch {output}"
rule manifest:
    input: expand([DATA, WEIGHTS, HISTORY, PART], experiment=EXPERIMENTS), WHOLE, FIGURE, EXPLORER
    output: "results/manifest.json"
    shell: "touch {output}"
"""
