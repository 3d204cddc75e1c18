"""Weights that come with the project are in TransformerLens what they are here."""

from __future__ import annotations

import importlib
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr

from interpflow.model.packing import pack
from interpflow.model.transformer import build_model
from interpflow.model.transformer_lens import to_transformer_lens
from interpflow.spec.foresight import few
from interpflow.spec.load import load_spec, resolve
from interpflow.spec.study import Experiment
from interpflow.training import weights_file

lens = pytest.importorskip("transformer_lens")
pytest.importorskip("transformer_lens.HookedTransformer")  # version 4 has none
PROJECT = Path(__file__).parents[2]

SHIPPED = [
    (spec.stem, name)
    for spec in sorted((PROJECT / "specs").glob("*.yaml"))
    for name, experiment in resolve(load_spec(spec), "laptop").experiments.items()
    if experiment.from_file
]


def examples(experiment: Experiment) -> xr.Dataset:
    options = {name: value for name, value in experiment.task.items() if name != "name"}
    task = importlib.import_module(f"interpflow.tasks.{experiment.task['name']}")
    return task.generate(few(task.Options(**options), 200))


@pytest.mark.parametrize(("study", "name"), SHIPPED)
@torch.no_grad()
def test_logits_are_those_of_a_hooked_transformer(study: str, name: str, monkeypatch: Any) -> None:
    monkeypatch.chdir(PROJECT)
    experiment = resolve(load_spec(Path(f"specs/{study}.yaml")), "laptop").experiments[name]
    data = examples(experiment)
    recipe = {
        "model": experiment.model, "training": experiment.training, "seeds": experiment.seeds,
    }  # fmt: skip
    last = weights_file.read(data, recipe)[0].isel(step=-1)
    model = build_model(experiment.model, data)
    exported = to_transformer_lens(last.isel(seed=0), model.options, model.n_ctx)
    theirs = lens.HookedTransformer(lens.HookedTransformerConfig(**exported.config))
    state = {name: torch.tensor(np.array(value)) for name, value in exported.state.items()}
    theirs.load_state_dict(state, strict=False)
    text = torch.from_numpy(data["tokens"].values[:200].astype(np.int64))
    packed = pack({name: torch.from_numpy(last[name].values) for name in model.shapes})
    torch.testing.assert_close(model(packed, text)[0], theirs.eval()(text), atol=1e-4, rtol=1e-4)
