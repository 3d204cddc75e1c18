"""Four SGLD chains as one ensemble, against one chain after the other: in plain torch, and with devinterp.

devinterp is measured where it is installed, as in .venv-crosscheck: the ratio to repeat is
`.venv-crosscheck/bin/python -m benchmarks llc`.
"""

from __future__ import annotations

import contextlib
import importlib.util
import io
import tempfile
import warnings
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn

from benchmarks import study
from benchmarks.timing import Way, compare
from interpflow.analyses import llc
from interpflow.model.packing import flatten, unflatten
from interpflow.model.transformer import build_model
from interpflow.runs import Runs
from interpflow.training.loop import train

CHAINS, DRAWS, REPEATS = 4, 50, 3
LISTS = 2048
STEP_SIZE, LOCALIZATION, NBETA = 1e-6, 300.0, 60.0


class Module(nn.Module):
    """The model as one torch module, with the weights of its only seed."""

    def __init__(self, runs: Runs):
        super().__init__()
        self.model = runs.model
        packed = runs.weights("last")
        self.shapes = {name: tuple(weight.shape[1:]) for name, weight in packed.items()}
        self.theta = nn.Parameter(flatten(packed))

    def forward(self, tokens: Tensor) -> Tensor:
        return self.model(unflatten(self.theta, self.shapes), tokens)[0]


def loss_of_lists(length: int, module: nn.Module, ids: Tensor) -> Tensor:
    """Losses (list, position) whose mean is that of the sorted part: those positions count double."""
    scores = module(ids[:, :-1]).log_softmax(-1)[:, length:]
    losses = -scores.gather(-1, ids[:, length + 1 :, None])[..., 0]
    return torch.cat([torch.zeros_like(losses), 2 * losses], dim=1)


def plain_chains(module: Module, ids: Tensor, length: int, size: int) -> None:
    """One chain after the other, as one writes it."""
    start = module.theta.detach().clone()
    for _ in range(CHAINS):
        with torch.no_grad():
            module.theta.copy_(start)
        for _ in range(DRAWS):
            batch = ids[torch.randint(len(ids), (size,))]
            loss = loss_of_lists(length, module, batch).mean()
            (gradient,) = torch.autograd.grad(loss, module.theta)
            with torch.no_grad():
                pull = LOCALIZATION * (module.theta - start)
                step = -STEP_SIZE / 2 * (NBETA * gradient + pull)
                module.theta += step + STEP_SIZE**0.5 * torch.randn_like(step)
    with torch.no_grad():
        module.theta.copy_(start)


def devinterp_chains(module: Module, lists: Any, length: int, size: int) -> None:
    """The same with devinterp, which shows progress bars and writes its samples."""
    from functools import partial

    from devinterp.slt.llc import llc as devinterp_llc

    with tempfile.TemporaryDirectory() as folder, contextlib.redirect_stderr(io.StringIO()):
        devinterp_llc(
            module, lists, {"lists": lists}, lr=STEP_SIZE, n_beta=NBETA,
            localization=LOCALIZATION, num_chains=CHAINS, num_draws=DRAWS, batch_size=size,
            batches_per_draw=1, num_init_loss_batches=8, device="cpu",
            loss_fn=partial(loss_of_lists, length), output_path=Path(folder) / "samples.zarr",
        )  # fmt: skip


def main() -> None:
    """Draws of four chains on the baseline of list_sorting."""
    torch.set_num_threads(1)
    warnings.simplefilter("ignore")
    planned = study.list_sorting()
    baseline = planned.experiments["baseline"]
    # Few lists, since ours takes the loss at the checkpoint over all of them, before the draws.
    task = {**baseline.task, "train_size": LISTS}
    data = study.data(task)
    recipe = {
        "task": task,
        "model": baseline.model,
        "training": {**baseline.training, "epochs": None, "steps": 20},
        "compute": {"device": "cpu", "threads": 1},
        "seeds": [0],
    }
    with tempfile.TemporaryDirectory() as folder:
        weights, history = train(data, recipe, Path(folder) / "state.npz", lambda *a, **k: None)
    runs = Runs(data, weights, history, build_model(baseline.model, data), "cross_entropy", "cpu")
    length, size = (
        task["length"],
        planned.analyses["complexity"].options["baseline"]["batch_size"],
    )
    asked = llc.Options(
        step_size=STEP_SIZE, localization=LOCALIZATION, nbeta=NBETA, chains=CHAINS, draws=DRAWS,
        batch_size=size,
    )  # fmt: skip
    module = Module(runs)
    kept = data.isel(example=data["split"].values == "train")
    last = kept["targets"].values[:, -1:]
    ids = np.concatenate([kept["tokens"].values, last], axis=1).astype(np.int64)
    amount = CHAINS * DRAWS
    ways = [
        Way("four chains as one ensemble", lambda: llc.analyse(runs, asked), amount),
        Way(
            "plain torch, one chain after the other",
            lambda: plain_chains(module, torch.from_numpy(ids), length, size),
            amount,
        ),
    ]
    if importlib.util.find_spec("devinterp"):
        from datasets import Dataset

        lists = Dataset.from_dict({"input_ids": ids}).with_format("torch")
        ways.append(Way("devinterp", lambda: devinterp_chains(module, lists, length, size), amount))
    compare("one draw of one chain", ways, REPEATS)
    print("  goal: 5 x against devinterp")
