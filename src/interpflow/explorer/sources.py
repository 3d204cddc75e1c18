"""What a spec says to have the findings that the page computes itself: analyses, under names of their own."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from interpflow.explorer.held import Source
from interpflow.selection import Checkpoint, Steps

CHECKPOINTS: tuple[Checkpoint, ...] = ("first", "last")  # of mean attention


def activations(
    experiment: str, options: Mapping[str, Any], asked: str, states: Iterable[str]
) -> dict[str, Source]:
    """By "" those without, and by each of the `states` those with this variable of the task.

    `asked` is the analysis of the spec that has the `options`, "" if none has.
    """
    says = {"method": "activations", "experiments": [experiment], **options}
    plain = Source(asked) if asked else Source("activations", {"activations": says})
    with_states = {
        state: Source(name := f"activations_with_{state}", {name: {**says, "variables": [state]}})
        for state in states
    }
    return {"": plain, **with_states}


def mean_attention(experiment: str, options: Mapping[str, Any]) -> dict[str, Source]:
    """By checkpoint."""
    chosen = {key: options[key] for key in ("split", "where") if key in options}
    says = {
        "method": "attention_map", "experiments": [experiment], **chosen, "queries": ["real"],
    }  # fmt: skip
    return {
        checkpoint: Source(name := f"mean_attention_{checkpoint}", {name: {**says, "checkpoint": checkpoint}})
        for checkpoint in CHECKPOINTS
    }  # fmt: skip


def circuits(experiment: str, layers: int, steps: Steps) -> dict[str, Source]:
    """By layer."""
    says = {"method": "circuits", "experiments": [experiment], "steps": steps}
    return {
        str(layer): Source(name := f"circuits_of_layer_{layer}", {name: {**says, "layer": layer}})
        for layer in range(layers)
    }


def history(experiment: str, asked: str) -> dict[str, Source]:
    """By ""; `asked` is an analysis of the spec that hands the history on, "" if none does."""
    if asked:
        return {"": Source(asked)}
    says = {"method": "training_curves", "experiments": [experiment]}
    return {"": Source("training", {"training": says})}
