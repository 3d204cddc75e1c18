"""Roughly what jobs cost, from the spec alone: good to a factor of three, to tell minutes from days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import replace
from typing import Any

from interpflow.spec.study import DEFAULT_SCALE, Study
from interpflow.workflow.duration import duration
from interpflow.workflow.job import Job
from interpflow.workflow.plan import Plan

# Measured on one core of a laptop: the arithmetic of a batch runs at this rate, and each step of a seed
# takes this long beside its arithmetic (normalisation, softmax, the optimizer).
_FLOP_PER_SECOND = 65e9
_SECONDS_BESIDE = 1.5e-3
# Measured too: what a job holds once torch is loaded, and what an analysis holds beside it at most, in MB.
_MEMORY_LOADED, _MEMORY_BESIDE = 600.0, {"analyse": 2000.0}
# Of each number in the weights there are a gradient, the optimizer's two, and copies on the way.
_COPIES_OF_WEIGHTS, _COPIES_OF_HIDDEN = 8, 24
_BYTES = 4
# Measured too, with what a job loads first; of an analysis it is a guess.
_USUAL_SECONDS = {"train": 1.6, "analyse": 5.0, "figure": 1.0, "explorer": 3.0}
_SHORTEST_SECONDS = 0.5
# Where a task has no such options, the sizes of its data are guessed.
_USUAL_LENGTH = 64
_USUAL_TRAIN_SIZE = 10_000

_HOUR = 3600.0


def cost_class(study: Study) -> str:
    """`small` (up to a quarter of an hour on two cores), `medium` (up to a night) or `large`."""
    seconds = training_seconds(study)
    return "small" if seconds < 0.5 * _HOUR else "medium" if seconds < 24 * _HOUR else "large"


def training_seconds(study: Study) -> float:
    """Seconds that one core would train for; weights of a file take none, and frozen parts no less."""
    return sum(
        len(each.seeds) * _seconds_per_seed(each.task, each.model, each.training)
        for each in study.looked_at.values()
        if not each.from_file
    )


def at_base(plans: Iterable[Plan]) -> Iterator[str]:
    """A sentence on each study that runs at its base, since the scale is empty or not in its spec."""
    for plan in plans:
        study = plan.study
        if study.scale != DEFAULT_SCALE and study == replace(plan.base, scale=study.scale):
            yield (
                f"{study.name}: scale {study.scale} changes nothing here: runs at its base, about "
                f"{duration(training_seconds(study))} of training on one core"
            )


def job_seconds(job: Job) -> float:
    """Seconds that one core would take for `job`: what training costs, and for all else what is usual."""
    usual = _USUAL_SECONDS.get(job.stage, _SHORTEST_SECONDS)
    if job.stage != "train" or "steps" not in job.slice["training"]:  # weights of a file
        return usual
    each = _seconds_per_seed(_task(job), job.slice["model"], job.slice["training"])
    return usual + len(job.slice["seeds"]) * each


def job_memory(job: Job) -> float:
    """MB that `job` would hold: training its weights, checkpoints and a batch, all else what is usual."""
    usual = _MEMORY_LOADED + _MEMORY_BESIDE.get(job.stage, 0.0)
    if job.stage != "train" or "steps" not in job.slice["training"]:
        return usual
    model, training = job.slice["model"], job.slice["training"]
    kept = _COPIES_OF_WEIGHTS + 2 * (2 + sum(training["checkpoints"].values()))
    tokens = training["batch_size"] * _length(_task(job))
    hidden = tokens * model["layers"] * (model["d_model"] + model["d_mlp"])
    each = kept * _parameters(model) + _COPIES_OF_HIDDEN * hidden
    return usual + len(job.slice["seeds"]) * each * _BYTES / 1e6


def _task(job: Job) -> Mapping[str, Any]:
    """Options of the task; of training on fresh examples the slice has what training reads of them."""
    stored = job.sources["data"].job.slice["task"] if "data" in job.sources else {}
    return {**stored, **job.slice.get("task", {})}


def _parameters(model: Mapping[str, Any]) -> int:
    width = model["d_model"]
    attention = 4 * width * (model["d_head"] or width // model["heads"]) * model["heads"]
    return int(model["layers"] * (attention + 2 * width * model["d_mlp"]))


def _length(task: Mapping[str, Any]) -> int:
    lengths = [n for name, n in task.items() if "length" in name and isinstance(n, int)]
    return max(lengths, default=_USUAL_LENGTH)


def _seconds_per_seed(
    task: Mapping[str, Any], model: Mapping[str, Any], training: Mapping[str, Any]
) -> float:
    batch = training["batch_size"]
    steps = (
        training["steps"] or training["epochs"] * task.get("train_size", _USUAL_TRAIN_SIZE) / batch
    )
    # Forward and backward: six operations for a parameter and a token.
    flop = 6 * _parameters(model) * batch * _length(task)
    return float(steps * (_SECONDS_BESIDE + flop / _FLOP_PER_SECOND))
