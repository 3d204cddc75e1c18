"""Roughly what training costs, from the spec alone: good to a factor of three, to tell minutes from days."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from interpflow.spec.load import DEFAULT_SCALE
from interpflow.spec.study import Experiment, Study
from interpflow.workflow.plan import Plan

# Measured on one core of a laptop: the arithmetic of a batch runs at this rate, and each step of a seed
# takes this long beside its arithmetic (normalisation, softmax, the optimizer).
_FLOP_PER_SECOND = 65e9
_SECONDS_BESIDE = 4e-3
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
        len(each.seeds) * _seconds_per_seed(each)
        for each in study.experiments.values()
        if not each.from_file
    )


def duration(seconds: float) -> str:
    """In words: `3 hours`."""
    for size, unit in ((86400, "days"), (3600, "hours"), (60, "minutes")):
        if seconds >= 2 * size:
            return f"{seconds / size:.0f} {unit}"
    return f"{max(seconds, 1):.0f} seconds"


def at_base(plans: Iterable[Plan]) -> Iterator[str]:
    """A sentence on each study that runs at its base, since its spec does not declare the scale."""
    for plan in plans:
        study = plan.study
        if study.scale != DEFAULT_SCALE and study == replace(plan.base, scale=study.scale):
            yield (
                f"{study.name}: no scale {study.scale} here: runs at its base, about "
                f"{duration(training_seconds(study))} of training on one core"
            )


def _seconds_per_seed(experiment: Experiment) -> float:
    task, model, training = experiment.task, experiment.model, experiment.training
    width, batch = model["d_model"], training["batch_size"]
    attention = 4 * width * (model["d_head"] or width // model["heads"]) * model["heads"]
    parameters = model["layers"] * (attention + 2 * width * model["d_mlp"])
    lengths = [n for name, n in task.items() if "length" in name and isinstance(n, int)]
    steps = (
        training["steps"] or training["epochs"] * task.get("train_size", _USUAL_TRAIN_SIZE) / batch
    )
    # Forward and backward: six operations for a parameter and a token.
    flop = 6 * parameters * batch * max(lengths, default=_USUAL_LENGTH)
    return float(steps * (_SECONDS_BESIDE + flop / _FLOP_PER_SECOND))
