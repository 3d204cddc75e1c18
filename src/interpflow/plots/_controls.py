"""The looks of probes and their controls in every figure."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
import xarray as xr

from interpflow import style

# What a probe is trained on: `none` is the states of the trained model with their true labels.
CONTROLS = {
    "none": style.Look("trained model", style.BLUE, "o"),
    "untrained_model": style.Look("untrained model", style.GREEN, "D"),
    "word_type": style.Look("a random label per word type", style.ORANGE, "^"),
    "random_labels": style.Look("random labels", style.ORANGE, "v"),
}
MAJORITY = style.Look("always the most frequent class", style.GREY, line="--")


def by_target(found: Mapping[str, xr.Dataset]) -> dict[tuple[str, str], xr.Dataset]:
    """The dataset of each panel and target, by title and target."""
    return {
        (title, str(target)): here.sel(target=target)
        for title, here in found.items()
        for target in np.atleast_1d(here["target"].values).tolist()
    }
