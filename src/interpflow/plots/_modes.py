"""The mode of every trained model, at the last step of its training that the data has."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable

import xarray as xr

from interpflow import style
from interpflow.plots._panels import Shown, find

# Modes of a model, and modes of one head (`analyses.head_modes`).
MODES = {
    name: style.Look(label, color, "s", line="", size=7)
    for name, label, color in (
        ("vocabulary_splitting", "vocabulary-splitting", style.BLUE),
        ("overlapping", "overlapping", style.SKY),
        ("copy_suppression", "copy-suppression", style.VERMILLION),
        ("mixed", "mixed", style.PURPLE),
        ("single", "one head copies", style.ORANGE),
        ("none", "no head copies", "#b0b0b0"),
    )
}
HEAD_MODES = {
    "whole": style.Look("copies the whole range", style.GREEN, "o"),
    "part": style.Look("copies a part", style.BLUE, "s"),
    "suppressing": style.Look("suppresses", style.VERMILLION, "v"),
    "mixed": style.Look("mixed", style.PURPLE, "D"),
    "dead": style.Look("dead", style.GREY, "X"),
}


def last_modes(found: xr.Dataset, experiment: str) -> list[str]:
    """The mode of each seed of `experiment`."""
    last = find({"": found}, Shown(experiment=experiment), "mode")
    return [] if last is None else [str(value) for value in last["mode"].values.ravel()]


def count(modes: Iterable[str]) -> dict[str, int]:
    """The number of models with each mode, in the order of `MODES`, other modes last."""
    counted = Counter(modes)
    known = [mode for mode in MODES if mode in counted]
    return {mode: counted[mode] for mode in (*known, *sorted(set(counted) - set(known)))}


def looks(counts: Iterable[dict[str, int]]) -> dict[str, style.Look]:
    """The look of each mode in `counts`, in the order of `MODES`."""
    there = count(mode for each in counts for mode in each)
    return {
        mode: MODES.get(mode, style.Look(style.readable(mode), style.BLACK, "s", line=""))
        for mode in there
    }
