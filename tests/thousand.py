"""A generated study of many experiments that train for a second, for tests and benchmarks of size."""

from __future__ import annotations

from pathlib import Path

import yaml

from interpflow.spec.load import load_spec, resolve
from interpflow.workflow.plan import Plan
from interpflow.workflow.planner import plan


def text(experiments: int = 1000) -> str:
    """The spec."""
    names = [f"e{number:04}" for number in range(experiments)]
    spec = {
        "study": "generated",
        "title": "Many experiments",
        "reference": {"arxiv": "2502.01432", "year": 2025},
        "seeds": 1,
        "defaults": {
            "task": {"name": "bracket_language", "max_length": 12, "train_size": 20, "validation_size": 10},
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
        "scales": {"smoke": {}},
    }  # fmt: skip
    return yaml.safe_dump(spec, sort_keys=False)


def thousand(folder: Path, experiments: int = 1000) -> Plan:
    """The plan of the study at scale laptop; its spec is written into `folder`."""
    folder.mkdir(parents=True, exist_ok=True)
    path = folder / "generated.yaml"
    path.write_text(text(experiments))
    return plan(resolve(load_spec(path), "laptop"))
