"""One loop for every task: all seeds of a job as one ensemble, resumable at any step."""

from __future__ import annotations

import time
from collections.abc import Collection, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from interpflow.model.packing import flatten, unflatten, unpack
from interpflow.model.transformer import build_model
from interpflow.progress import Report
from interpflow.training import devices
from interpflow.training.batches import Fresh, Stored, Supply
from interpflow.training.checkpoints import checkpoint_steps
from interpflow.training.evaluation import evaluate
from interpflow.training.examples import Examples
from interpflow.training.frozen import Frozen
from interpflow.training.losses import loss
from interpflow.training.offsets import begins
from interpflow.training.optimizers import DTYPES, learning_rate, make_optimizer
from interpflow.training.options import TrainingOptions
from interpflow.training.rates import ScaledRates
from interpflow.training.start import initial
from interpflow.training.state import TrainingState
from interpflow.variables import HISTORY, WEIGHTS

# A kill loses at most about this much work.
_SECONDS_BETWEEN_SAVES = 15.0
# Reading a loss makes a GPU wait for it, so not every step is reported.
_STEPS_BETWEEN_REPORTS = 50


def train(
    data: xr.Dataset,
    recipe: Mapping[str, Any],
    state_path: Path,
    report: Report,
    other: xr.Dataset | None = None,
) -> tuple[xr.Dataset, xr.Dataset]:
    """Train the seeds of `recipe` on `data` and return (weights, history), dims (step, seed, …).

    The recipe holds `model`, `training`, `compute` and `seeds`.  For fresh examples it also holds `task`, and
    `options_read` if they read a part of its options.  `other` are the weights of the experiment from which
    training goes on.  If there is a state at `state_path`, training goes on from it, with the same result as
    without a stop.  A seed whose loss or weights are no longer finite has NaN from then on; then the attribute
    `diverged` of both datasets holds {seed: step}.  Training ends early if all seeds diverge.
    """
    loop = _Loop(data, recipe, state_path, other)
    saved = time.monotonic()
    while loop.state.step < loop.total and not loop.is_lost:
        losses = loop.advance()
        if time.monotonic() - saved > _SECONDS_BETWEEN_SAVES:
            loop.save()
            saved = time.monotonic()
        step = loop.state.step
        if step % _STEPS_BETWEEN_REPORTS == 0 or step == loop.total:
            sound = losses[loop.state.diverged == 0]
            gone = {"diverged": len(losses) - len(sound)} if len(sound) < len(losses) else {}
            report(step, loop.total, loss=float(sound.mean()), **gone)
    return loop.result()


class _Loop:
    def __init__(
        self,
        data: xr.Dataset,
        recipe: Mapping[str, Any],
        state_path: Path,
        other: xr.Dataset | None,
    ):
        self.device = devices.use(recipe["compute"])
        self.options = TrainingOptions(**recipe["training"])
        self.seeds: Sequence[int] = recipe["seeds"]
        self.model = build_model(recipe["model"], data)
        self.validation_split = Examples(data, "validation", self.device)
        self.source, self.total = self._source(data, recipe.get("task"), recipe.get("options_read"))
        self.checkpoints = checkpoint_steps(self.options, self.total)
        self.state_path = state_path

        start = initial(self.model, self.seeds, self.options.start, other)
        self.shapes = {name: tuple(weight.shape[1:]) for name, weight in start.items()}
        resumed = TrainingState.load(state_path, self.device)
        self.theta = (resumed.theta if resumed else flatten(start).to(self.device)).requires_grad_()
        self.optimizer = make_optimizer(self.theta, self.shapes, self.options)
        frozen = self.options.frozen
        self.frozen = Frozen(frozen, self.model.shapes, self.theta) if frozen else None
        own = self.options.rate_scale
        self.rates = ScaledRates(own.parts, own.until, self.model.shapes) if own else None
        if resumed:
            self.optimizer.state = resumed.optimizer
            self.state = resumed
        else:
            nothing = torch.zeros(len(self.seeds), device=self.device)
            self.state = TrainingState(0, self.theta, {}, [], [], nothing, nothing.long())
            self._checkpoint()

    def _source(
        self, data: xr.Dataset, task: Mapping[str, Any] | None, read: Collection[str] | None
    ) -> tuple[Supply, int]:
        """The examples of training, and the number of steps."""
        size, steps = self.options.batch_size, self.options.steps
        if self.options.fresh:
            assert task is not None and steps is not None  # so the plan and the options have it
            after = self.options.start.experiment if self.options.start else None
            return Fresh(task, size, self.seeds, self.device, after, read), steps
        stored = Stored(Examples(data, "train", self.device), size, self.seeds)
        return stored, steps or stored.per_epoch * (self.options.epochs or 0)

    @property
    def is_lost(self) -> bool:
        """Whether every seed has diverged; on a GPU looked up rarely, because the answer makes it wait."""
        asked = self.device == "cpu" or self.state.step % _STEPS_BETWEEN_REPORTS == 0
        return asked and bool((self.state.diverged > 0).all())

    def advance(self) -> Tensor:
        """One optimizer step; returns the loss of each seed (seed,)."""
        step = self.state.step
        batch = self.source.at(step)
        # The optimizer keeps float32 weights; a step in bfloat16 runs on a rounded copy of them.
        theta = self.theta.to(DTYPES[self.options.dtype])
        weights = unflatten(theta, self.shapes)
        at = (
            begins(batch.tokens, self.model.n_ctx, self.seeds, step)
            if self.options.position_offsets
            else None
        )
        logits = self.model.rows(weights, batch.tokens, branch=batch.branch, begins=at)
        losses = loss(self.options.loss, logits.float(), batch)
        # Of the sum over seeds, the gradient of each seed is the gradient of its own loss.
        (gradient,) = torch.autograd.grad(losses.sum(), self.theta)
        if self.frozen:
            self.frozen.silence(gradient)
        before = self.rates.before(self.theta, step) if self.rates else None
        self.optimizer.step(self.theta, gradient, learning_rate(self.options, step, self.total))
        if self.rates:
            self.rates.after(self.theta, before)
        if self.frozen:
            self.frozen.restore(self.theta)
        losses = losses.detach()
        self.state.loss_sum = self.state.loss_sum + losses
        self.state.step = step + 1
        self._note_diverged(losses)
        if self.state.step in self.checkpoints:
            self._checkpoint()
        return losses

    def save(self) -> None:
        self.state.theta = self.theta
        self.state.optimizer = dict(self.optimizer.state)
        self.state.save(self.state_path)

    def _note_diverged(self, values: Tensor) -> None:
        """Mark the seeds as diverged at this step of which `values` (seed,) or a weight is not finite.

        The mark stays on the device, so no step waits for a GPU.
        """
        # A sum is the fastest look at every weight, and in float64 finite weights do not overflow.
        found = values + self.theta.detach().sum(1, dtype=torch.float64) * 0
        first = ~torch.isfinite(found) & (self.state.diverged == 0)
        self.state.diverged = torch.where(first, self.state.step, self.state.diverged)

    def _checkpoint(self) -> None:
        state = self.state
        weights = unflatten(self.theta.detach(), self.shapes)
        found = evaluate(self.model, weights, self.validation_split, self.options.loss)
        before = self.checkpoints[len(state.kept) - 1] if state.kept else 0
        train_loss = state.loss_sum.cpu().numpy() / (state.step - before) if state.kept else None
        nothing = np.full(len(self.seeds), np.nan)
        self._note_diverged(torch.from_numpy(found.loss).to(self.theta))
        row = np.stack([nothing if train_loss is None else train_loss, found.loss, found.accuracy])
        kept = self.theta.detach().cpu().numpy().copy()
        gone = state.diverged.cpu().numpy() > 0
        row[:, gone], kept[gone] = np.nan, np.nan
        state.history.append(row)
        state.kept.append(kept)
        state.loss_sum = torch.zeros_like(state.loss_sum)

    def result(self) -> tuple[xr.Dataset, xr.Dataset]:
        for _ in self.checkpoints[len(self.state.kept) :]:  # of seeds that all diverged before
            self.state.kept.append(np.full_like(self.state.kept[0], np.nan))
            self.state.history.append(np.full_like(self.state.history[0], np.nan))
        steps = dict(zip(self.seeds, self.state.diverged.tolist(), strict=True))
        diverged = {seed: step for seed, step in steps.items() if step}
        attrs = {"diverged": diverged} if diverged else {}
        coords = {"step": self.checkpoints, "seed": list(self.seeds)}
        kept = torch.from_numpy(np.stack(self.state.kept))  # (step, seed, parameter)
        packed = unflatten(kept.flatten(0, 1), self.shapes)
        labelled = unpack(packed, self.model.options.heads)
        weights = {
            name: (WEIGHTS[name].dims, labelled[name].unflatten(0, kept.shape[:2]).numpy())
            for name in self.model.shapes
        }
        rows = np.stack(self.state.history).astype(np.float64)
        history = {
            name: (variable.dims, rows[:, place])
            for place, (name, variable) in enumerate(HISTORY.items())
        }
        return xr.Dataset(weights, coords, attrs), xr.Dataset(history, coords, attrs)
