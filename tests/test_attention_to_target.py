"""Attention on the answer is counted where the answer stands, and nowhere else."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small import brackets, recipe, runs_of

from interpflow.analyses import attention_to_target
from interpflow.errors import InterpflowError
from interpflow.model.sites import Sites
from interpflow.tasks import list_sorting


def test_attention_is_that_of_every_example_alone():
    options = list_sorting.Options(length=4, vocabulary=8, train_size=16, validation_size=20)
    model = {"norm": "pre", "positions": "learned", "heads": 2, "layers": 2}
    of = recipe(model=model, optimizer="adam", loss="cross_entropy", steps=30)
    runs = runs_of(list_sorting.generate(options), of)
    found = attention_to_target.analyse(runs, attention_to_target.Options())

    data = runs.data.isel(example=runs.data["split"].values == "validation")
    weights = runs.weights("last")
    mass, top = [], []
    for tokens, targets in zip(data["tokens"].values, data["targets"].values, strict=True):
        sites = Sites(read=["blocks.1.attn.hook_pattern"])
        runs.model(weights, torch.from_numpy(tokens.astype(np.int64))[None], sites)
        pattern = sites.values["blocks.1.attn.hook_pattern"][1, 0, 0].detach().numpy()
        for position in range(4, 8):
            there = (tokens == targets[position]) & (np.arange(8) <= position)
            mass.append(pattern[position][there].sum())
            top.append(there[pattern[position].argmax()])
    here = found.sel(seed=1).isel(layer=1, head=0)
    assert here["attention"] == pytest.approx(np.mean(mass), rel=1e-5)
    assert here["top"] == pytest.approx(np.mean(top))
    assert (found["best_top"] >= found["top"].max(("layer", "head"))).all()


def test_a_task_of_several_labels_has_no_single_answer():
    runs = runs_of(brackets(), recipe(steps=2))
    with pytest.raises(InterpflowError, match="no single answer"):
        attention_to_target.analyse(runs, attention_to_target.Options())
