"""The local learning coefficient of a checkpoint agrees with devinterp on the same settings."""

from __future__ import annotations

import sys
from pathlib import Path

import numpy as np
import pytest
import torch
from torch import nn

pytest.importorskip("devinterp")
sys.path.insert(0, str(Path(__file__).parents[1]))

from datasets import Dataset
from devinterp.slt.llc import llc as devinterp_llc
from small import recipe, runs_of

from interpflow.analyses import llc
from interpflow.model.packing import flatten, unflatten
from interpflow.tasks import list_sorting

LENGTH = 5
STEP_SIZE, LOCALIZATION, NBETA, CHAINS, DRAWS, BATCH = 3e-6, 300.0, 60.0, 6, 400, 64


@pytest.fixture(scope="module")
def runs():
    options = list_sorting.Options(length=LENGTH, vocabulary=16, train_size=1024)
    data = list_sorting.generate(options)
    model = {"norm": "pre", "positions": "learned", "d_mlp": 0, "heads": 2, "biases": False,
             "d_model": 24}  # fmt: skip
    of = recipe(model=model, seeds=(0,), optimizer="adam", loss="cross_entropy",
                steps=400, batch_size=32, learning_rate=3e-3)  # fmt: skip
    return runs_of(data, of)


class Module(nn.Module):
    """One seed as a torch module, so that devinterp can move its weights."""

    def __init__(self, runs):
        super().__init__()
        self.model = runs.model
        packed = runs.weights("last")
        self.shapes = {name: tuple(weight.shape[1:]) for name, weight in packed.items()}
        self.theta = nn.Parameter(flatten(packed))

    def forward(self, tokens):
        return self.model(unflatten(self.theta, self.shapes), tokens)[0]


def loss_of_lists(module, ids):
    """Losses (list, position) whose mean is that of the sorted part: half of the positions count double."""
    scores = module(ids[:, :-1]).log_softmax(-1)[:, LENGTH:]
    losses = -scores.gather(-1, ids[:, LENGTH + 1 :, None])[..., 0]
    return torch.cat([torch.zeros_like(losses), 2 * losses], dim=1)


def test_the_coefficient_is_devinterps_within_two_standard_errors(runs, tmp_path):
    settings = {"step_size": STEP_SIZE, "localization": LOCALIZATION, "nbeta": NBETA}
    ours = llc.analyse(
        runs, llc.Options(**settings, chains=CHAINS, draws=DRAWS, batch_size=BATCH)
    ).isel(seed=0, step=-1, group=0)

    data = runs.data.isel(example=runs.data["split"].values == "train")
    last = data["targets"].values[:, -1:]
    ids = np.concatenate([data["tokens"].values, last], axis=1).astype(np.int64)
    lists = Dataset.from_dict({"input_ids": ids}).with_format("torch")
    theirs = devinterp_llc(
        Module(runs), lists, {"lists": lists}, lr=STEP_SIZE, n_beta=NBETA,
        localization=LOCALIZATION, num_chains=CHAINS, num_draws=DRAWS, batch_size=BATCH,
        batches_per_draw=1, num_init_loss_batches=16, loss_fn=loss_of_lists, device="cpu",
        match_sampling_input_ids_across_chains=False, output_path=tmp_path / "samples.zarr",
    )  # fmt: skip
    one, other = ours["llc_chain"].values, theirs["llc_per_chain"].values
    error = np.sqrt(one.var(ddof=1) / CHAINS + other.var(ddof=1) / CHAINS)
    print(f"ours {one.mean():.2f}, devinterp {other.mean():.2f}, standard error {error:.2f}")
    assert one.mean() > 3 * error  # there is something to agree on
    assert abs(one.mean() - other.mean()) < 2 * error
