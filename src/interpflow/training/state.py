"""The state from which a killed training run goes on: arrays in one .npz file, written whole or not at all."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from interpflow import store


@dataclass
class TrainingState:
    """Training after `step` steps.

    theta     (seed, parameter)
    kept      theta of each checkpoint so far
    history   one row (value, seed) for each checkpoint
    loss_sum  (seed,) the sum of the losses since the last checkpoint
    diverged  (seed,) the first step whose loss or weights were not finite, 0 if there is none
    """

    step: int
    theta: Tensor
    optimizer: dict[str, Tensor]
    kept: list[np.ndarray]
    history: list[np.ndarray]
    loss_sum: Tensor
    diverged: Tensor

    def save(self, path: Path) -> None:
        """Write the state to `path`.  Raises InterpflowError if that fails; the old state is then left."""
        arrays = {
            "step": np.array(self.step),
            "theta": self.theta.detach().cpu().numpy(),
            "loss_sum": self.loss_sum.cpu().numpy(),
            "diverged": self.diverged.cpu().numpy(),
            "kept": np.stack(self.kept),
            "history": np.stack(self.history),
            **{f"optimizer.{name}": value.cpu().numpy() for name, value in self.optimizer.items()},
        }
        with store.replacing(path) as temporary, temporary.open("wb") as handle:
            np.savez(handle, allow_pickle=False, **arrays)

    @classmethod
    def load(cls, path: Path, device: str) -> TrainingState | None:
        """The state at `path`, or None if no state can be read: training then starts anew."""
        try:
            with np.load(path, allow_pickle=False) as stored:
                arrays = dict(stored)
            prefix = "optimizer."
            return cls(
                step=int(arrays["step"]),
                theta=torch.from_numpy(arrays["theta"]).to(device),
                optimizer={
                    name.removeprefix(prefix): torch.from_numpy(value).to(device)
                    for name, value in arrays.items()
                    if name.startswith(prefix)
                },
                kept=list(arrays["kept"]),
                history=list(arrays["history"]),
                loss_sum=torch.from_numpy(arrays["loss_sum"]).to(device),
                diverged=torch.from_numpy(arrays["diverged"]).to(device),
            )
        except Exception:  # a damaged zip file raises almost anything
            return None
