"""How what a probe is trained on is drawn, in every figure of probes.

The leading underscore keeps this file from being a plot.
"""

from __future__ import annotations

import xarray as xr

from interpflow import style
from interpflow.plots.base import choose

# What a probe is trained on: `none` is the states of the trained model with their true labels.
CONTROLS = {
    "none": style.Look("trained model", style.BLUE, "o"),
    "untrained_model": style.Look("untrained model", style.GREEN, "D"),
    "word_type": style.Look("a random label per word type", style.ORANGE, "^"),
    "random_labels": style.Look("random labels", style.ORANGE, "v"),
}
MAJORITY = style.Look("always the most frequent class", style.GREY, line="--")


def at_read(found: xr.Dataset, read: str | None) -> xr.Dataset:
    """The probes of one read, the first if not given."""
    return choose(found, read=read or found["read"].values[0])
