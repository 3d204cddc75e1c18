"""What an analysis is handed: the trained seeds of one experiment."""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import numpy as np
import torch
import xarray as xr
from torch import Tensor

from interpflow import gaps, selection, store
from interpflow.errors import InterpflowError
from interpflow.model.packing import Weights, pack
from interpflow.model.sites import Edit, Sites
from interpflow.model.transformer import Transformer, build_model
from interpflow.progress import Report
from interpflow.record import divergence
from interpflow.selection import Checkpoint, Steps
from interpflow.training import devices
from interpflow.training.evaluation import Evaluation, evaluate
from interpflow.training.examples import Examples

# Sequences per pass when activations are read.
_BATCH = 256


Edits = Mapping[str, Edit]  # by site


class _Reached(Exception):
    """A pass has come by every site whose values were asked for."""


def _values_at(
    model: Transformer, weights: Weights, tokens: Tensor, sites: Sequence[str], edits: Edits
) -> dict[str, Tensor]:
    """The values at `sites` with `edits` in place, by a pass that goes no further than the last of them."""
    found: dict[str, Tensor] = {}

    def keeping(site: str) -> Edit:
        def keep(value: Tensor) -> Tensor:
            found[site] = value = edits[site](value) if site in edits else value
            if len(found) == len(sites):
                raise _Reached
            return value

        return keep

    with contextlib.suppress(_Reached):
        model(weights, tokens, Sites(edits={**edits, **{site: keeping(site) for site in sites}}))
    return found


def _unedited(indices: np.ndarray) -> Edits:
    """No edits."""
    return {}


def _silent(done: int, total: int, **values: float) -> None:
    """Report nothing."""


class Runs:
    """One experiment: its data, its model and its checkpoints for every seed.

    data      the task's dataset
    labelled  weights as trained, dims (step, seed, …), names of TransformerLens
    history   loss and accuracy, dims (step, seed)
    model     the computation;  loss: the name of the training loss
    report    report(done, total, name=value, …): how far a long analysis is, in parts of its own choice
    findings  {analysis: what it found on this experiment}, where the spec names analyses to go on from
    """

    def __init__(
        self, data: xr.Dataset, labelled: xr.Dataset, history: xr.Dataset,
        model: Transformer, loss: str, device: str, report: Report = _silent,
        findings: Mapping[str, xr.Dataset] | None = None,
    ):  # fmt: skip
        self.data, self.labelled, self.history = data, labelled, history
        self.model, self.loss, self.device, self.report = model, loss, device, report
        self.findings = dict(findings or {})
        self.seeds = [int(seed) for seed in labelled["seed"].values]

    def __repr__(self) -> str:
        """What there is, in a line."""
        kept = self.labelled["step"].values
        splits, sizes = np.unique(self.data["split"].values, return_counts=True)
        return (
            f"Runs of seeds {', '.join(map(str, self.seeds))}; {len(kept)} checkpoints, steps {kept[0]} to "
            f"{kept[-1]}; examples: {', '.join(f'{s} {n}' for s, n in zip(splits, sizes, strict=True))}"
        )

    def only(self, seeds: Sequence[int]) -> Runs:
        """The same with no other than `seeds`."""
        labelled, history = (part.sel(seed=list(seeds)) for part in (self.labelled, self.history))
        findings = {name: gaps.of_seeds(found, seeds) for name, found in self.findings.items()}
        return Runs(
            self.data, labelled, history, self.model, self.loss, self.device, self.report, findings
        )

    @property
    def by_layer(self) -> xr.Dataset:
        """The weights as trained, with those of a looped model's one block at each of its layers."""
        depth = self.model.options.layers
        return self.labelled.isel(layer=[layer % self.model.blocks for layer in range(depth)])

    def examples(self, split: str) -> Examples:
        """The examples of one split."""
        return Examples(self.data, split, self.device)

    def select(self, chosen: selection.Examples) -> tuple[xr.Dataset, Examples]:
        """The data of the examples that are `chosen`, and these as tensors."""
        data = selection.select(self.data, chosen)
        return data, Examples(data, chosen.split, self.device)

    def mask(self, data: xr.Dataset, places: Sequence[str]) -> np.ndarray:
        """Whether a position of `data` has one of the names `places`, (seed, example, position)."""
        return selection.mask(data, places, self.seeds, self.findings)

    def mask_of_all(self, data: xr.Dataset, places: Sequence[str]) -> np.ndarray:
        """`mask`, (example, position), of places that are the same for every seed.

        Raises InterpflowError where an analysis found others in one seed than in another.
        """
        first, *others = self.mask(data, places)
        if any((first != other).any() for other in others):
            raise InterpflowError(
                f"positions {', '.join(places)} are others in one seed than in another; all are read alike"
            )
        return first

    def steps(self, checkpoint: Checkpoint) -> np.ndarray:
        """The training step of `checkpoint` for each seed (seed,).

        `first` is before training; `best` has the highest validation accuracy and, where several have it,
        the lowest validation loss among them.
        """
        every = self.labelled["step"].values
        if checkpoint != "best":
            return np.repeat(every[0 if checkpoint == "first" else -1], len(self.seeds))
        accuracy = self.history["validation_accuracy"]
        tied = self.history["validation_loss"].where(accuracy == accuracy.max("step"))
        return every[tied.argmin("step").values]

    def kept(self, steps: Steps) -> list[int]:
        """Training steps whose weights were kept, those that `steps` says, ascending."""
        return selection.kept([int(step) for step in self.labelled["step"].values], steps)

    def names(self, steps: Sequence[int]) -> list[str]:
        """What each of `steps` is called: "first", "last" or "between"."""
        every = self.labelled["step"].values
        called = {int(every[0]): "first", int(every[-1]): "last"}
        return [called.get(step, "between") for step in steps]

    def weights_at(self, step: int) -> dict[str, Tensor]:
        """Packed weights of all seeds after `step` training steps."""
        return self._packed(self.labelled.sel(step=step).rename(seed="chosen"))

    def weights(self, checkpoint: Checkpoint) -> dict[str, Tensor]:
        """Packed weights of all seeds at `checkpoint`."""
        chosen = self.labelled.sel(
            seed=xr.DataArray(self.seeds, dims="chosen"),
            step=xr.DataArray(self.steps(checkpoint), dims="chosen"),
        )
        return self._packed(chosen)

    def _packed(self, chosen: xr.Dataset) -> dict[str, Tensor]:
        first = {name: chosen[name].transpose("chosen", ...).values for name in self.model.shapes}
        tensors = {name: torch.from_numpy(value).to(self.device) for name, value in first.items()}
        return pack(tensors)

    def evaluate(
        self, weights: Weights, examples: Examples, edits: Edits | None = None
    ) -> Evaluation:
        """Loss and exact-match accuracy with `edits` (site: function of its value) in place."""
        return evaluate(self.model, weights, examples, self.loss, lambda: Sites(edits=edits))

    def activations(
        self, weights: Weights, examples: Examples, site: str, at: tuple[np.ndarray, np.ndarray]
    ) -> Tensor:
        """The values at `site` for pairs `at` of (example, position), each (n,): (seed, n, d).

        Positions may lie beyond an example's end, on its padding.
        """
        return self.activations_of_sites(weights, examples, [site], at)[site]

    @torch.no_grad()
    def activations_of_sites(
        self, weights: Weights, examples: Examples, sites: Sequence[str],
        at: tuple[np.ndarray, np.ndarray], edits: Callable[[np.ndarray], Edits] = _unedited,
    ) -> dict[str, Tensor]:  # fmt: skip
        """The values at each of `sites`, as `activations` has them, by the same passes.

        `edits` makes the edits for the examples (batch,) of each pass.
        """
        example, position = at
        sites = list(dict.fromkeys(sites))
        found: dict[str, Tensor] = {}
        reach = np.zeros(len(examples), dtype=np.int64)
        np.maximum.at(reach, example, position + 1)
        # With causal attention an example need only run as far as its last position asked for.
        if self.model.options.attention == "full":
            reach = np.where(reach > 0, np.maximum(reach, examples.lengths), 0)
        order = np.argsort(reach, kind="stable")
        order = order[reach[order] > 0]
        for start in range(0, len(order), _BATCH):
            chosen = order[start : start + _BATCH]
            tokens = examples.take(chosen, int(reach[chosen].max())).tokens
            row = np.full(len(examples), -1)
            row[chosen] = np.arange(len(chosen))
            here = np.flatnonzero(row[example] >= 0)
            values_at = _values_at(self.model, weights, tokens, sites, edits(chosen))
            for site, values in values_at.items():
                if site not in found:
                    found[site] = values.new_zeros(len(values), len(example), values.shape[-1])
                found[site][:, here] = values[:, row[example[here]], position[here]]
        if not found:
            raise InterpflowError(f"no positions to read at {', '.join(sites)}")
        return found


def load_runs(
    inputs: Mapping[str, str], options: Mapping[str, Any], report: Report = _silent
) -> Runs:
    """The runs in the files `inputs`: `data`, for each chunk of seeds `weights_<n>` and `history_<n>`, and
    `findings_<analysis>`.

    The attribute `diverged` of the weights and of the history names the seeds that left the finite numbers.
    `options` holds the spec's `model`, `training` and `compute` of the experiment; see `Runs` for `report`.
    """
    data = store.read(inputs["data"])

    def chunks(kind: str) -> xr.Dataset:
        paths = [path for name, path in inputs.items() if name.startswith(f"{kind}_")]
        parts = [store.read(path) for path in paths]
        together = xr.concat(parts, "seed", combine_attrs="drop")
        return together.assign_attrs(divergence.attrs(divergence.joined(parts)))

    device = devices.use(options["compute"])
    model = build_model(options["model"], data)
    histories = chunks("history")
    loss = options["training"]["loss"]
    findings = {
        name.removeprefix("findings_"): store.read(path)
        for name, path in inputs.items()
        if name.startswith("findings_")
    }
    return Runs(data, chunks("weights"), histories, model, loss, device, report, findings)
