"""Modes of heads and of a model, from the tokens that each head copies.

The diagonal of a head's OV circuit says what the head does with a token that it attends to: `copying` is how
far the head raises that token's own logit above the mean of all logits.  `strength` is the mean over tokens of
the best head's copying.  A head *copies* a token if `copying` reaches a set share of `strength`, and
*suppresses* it if `copying` is as clearly negative.  A model whose strength does not stand out from its heads'
effects on other tokens copies nothing: an untrained model, for instance.

Modes of a head
    whole          copies nearly all tokens
    part           copies some, in one or several regions
    suppressing    suppresses most tokens
    mixed          copies some tokens and suppresses others
    dead           neither

Modes of a model
    vocabulary_splitting   two heads or more copy, and hardly a token is copied by more than one
    overlapping            two heads or more copy, and share tokens
    copy_suppression       at least one head suppresses, and at least one copies
    single                 one head copies, and none suppresses
    mixed                  a head is mixed, and none suppresses
    none                   no head copies
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from pydantic import Field, PositiveFloat, PositiveInt

from interpflow.section import Section
from interpflow.selection import Layer, Steps
from interpflow.variables import Variable

if TYPE_CHECKING:
    from interpflow.known import Foreseen, Known
    from interpflow.runs import Runs


Share = Annotated[float, Field(ge=0, le=1)]


class Options(Section):
    """Of which layer and when, and where the lines between modes are drawn (all chosen)."""

    layer: Layer = 0
    steps: Steps = "last"
    clear: PositiveFloat = 1.0  # least strength, as a multiple of the effect on other tokens (rms)
    copies_above: Share = 0.3  # of the strength; below its negative a head suppresses
    smallest_region: PositiveInt = 2  # tokens; shorter runs belong to what surrounds them
    whole: Share = 0.9  # share of tokens: from here on a head copies the whole range
    some: Share = 0.1  # share of tokens: below this it does not count
    most: Share = 0.5  # share of tokens: from here on a head that suppresses is suppressing
    overlap_below: Share = 0.2  # share of copied tokens that several heads copy, for splitting


HEAD_MODES = ("whole", "part", "suppressing", "mixed", "dead")
MODES = ("vocabulary_splitting", "overlapping", "copy_suppression", "single", "mixed", "none")

_BY_HEAD = ("seed", "step", "head")
VARIABLES = {
    "copying": Variable(
        (*_BY_HEAD, "word"), "logit", "copying of a token, diagonal of the OV circuit"
    ),
    "relative_copying": Variable(
        (*_BY_HEAD, "word"), "1", "copying of a token over the strength, where that is clear"
    ),
    "strength": Variable(("seed", "step"), "logit", "mean over tokens of the best head's copying"),
    "contrast": Variable(
        ("seed", "step"), "1", "strength over the root mean square effect on other tokens"
    ),
    "copied_share": Variable(_BY_HEAD, "1", "share of tokens that a head copies"),
    "suppressed_share": Variable(_BY_HEAD, "1", "share of tokens that a head suppresses"),
    "regions": Variable(_BY_HEAD, "1", "number of runs of tokens that a head copies"),
    "copying_regions": Variable(("seed", "step"), "1", "mean regions of the heads that copy"),
    "most_suppressed": Variable(
        ("seed", "step"), "1", "share of tokens that the most suppressing head suppresses"
    ),
    "region_size": Variable(_BY_HEAD, "token", "mean size of the regions that a head copies"),
    "coverage": Variable(("seed", "step"), "1", "share of tokens that some head copies"),
    "overlap": Variable(("seed", "step"), "1", "share of copied tokens that several heads copy"),
    "head_mode": Variable(_BY_HEAD, "1", "mode of the head"),
    "mode": Variable(("seed", "step"), "1", "mode of the model"),
    "is_mode": Variable(("seed", "step", "model_mode"), "1", "whether the model has this mode"),
    "checkpoint": Variable(("step",), "1", "first, last, or in between"),
}

NEEDS = "runs"
RESIDUAL = True


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    outputs = known.data["output"].values.tolist()
    return {
        "head_mode": HEAD_MODES,
        "mode": MODES,
        "model_mode": MODES,
        "word": [word for word in known.data["token"].values.tolist() if word in outputs],
    }


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Find the regions and modes of every seed at the steps asked for."""
    from interpflow.methods.weight_circuits import ov_circuit

    steps = runs.kept(options.steps)
    ov = ov_circuit(runs.by_layer.sel(step=steps), runs.model.options, options.layer)
    words = list(runs.data["token"].values)
    outputs = list(runs.data["output"].values)
    shared = [word for word in words if word in outputs]
    raised = ov - ov.mean("output")
    copying = raised.isel(
        source=xr.DataArray([words.index(word) for word in shared], dims="word"),
        output=xr.DataArray([outputs.index(word) for word in shared], dims="word"),
    )
    copying = copying.transpose("seed", "step", "head", "word").drop_attrs()
    of_shared = raised.isel(source=[words.index(word) for word in shared])
    squares = (of_shared**2).sum(("source", "output")) - (copying**2).sum("word")
    others = squares / (len(shared) * (len(outputs) - 1))
    spread = np.sqrt(others.max("head").transpose("seed", "step").values.clip(0))
    found = describe_heads(copying.values, spread, options)
    return xr.Dataset(
        {
            "copying": (VARIABLES["copying"].dims, copying.values),
            "relative_copying": (
                VARIABLES["copying"].dims,
                _relative(copying.values, found, options),
            ),
            **{name: (VARIABLES[name].dims, values) for name, values in found.items()},
            "checkpoint": ("step", runs.names(steps)),
        },
        {
            "seed": runs.seeds,
            "step": steps,
            "head": np.arange(runs.model.options.heads),
            "word": shared,
            "model_mode": list(MODES),
        },
    )


def _relative(copying: np.ndarray, found: Mapping[str, np.ndarray], options: Options) -> np.ndarray:
    """Copying as a share of the strength (seed, step, head, word); NaN where no model copies."""
    strength = np.where(found["contrast"] > options.clear, found["strength"], np.nan)
    return copying / strength[..., None, None]


def describe_heads(
    copying: np.ndarray, spread: np.ndarray, options: Options
) -> dict[str, np.ndarray]:
    """Regions and modes by the names of VARIABLES.

    `copying` (seed, step, head, word); `spread` (seed, step) is the root mean square effect on other tokens.
    """
    strength = copying.max(axis=2).mean(axis=-1)
    with np.errstate(divide="ignore", invalid="ignore"):
        contrast = strength / spread
    line = options.copies_above * np.maximum(strength, 0.0)[..., None, None]
    sign = np.where(copying > line, 1, np.where(copying < -line, -1, 0))
    sign[~(strength > options.clear * spread)] = 0
    flat = sign.reshape(-1, sign.shape[-1])
    smooth = np.array([_without_short_runs(row, options.smallest_region) for row in flat])
    sign = smooth.reshape(sign.shape)

    copies, suppresses = sign > 0, sign < 0
    copied, suppressed = copies.mean(axis=-1), suppresses.mean(axis=-1)
    starts = np.diff(copies.astype(int), axis=-1, prepend=0) > 0
    regions = starts.sum(axis=-1)
    by = copies.sum(axis=2)
    overlap = (by > 1).sum(axis=-1) / np.maximum((by > 0).sum(axis=-1), 1)
    head_mode = _head_modes(copied, suppressed, options)
    mode = _model_modes(head_mode, overlap, options)
    copying_heads = np.isin(head_mode, ("whole", "part", "mixed"))
    mean_regions = (regions * copying_heads).sum(-1) / np.maximum(copying_heads.sum(-1), 1)
    return {
        "strength": strength,
        "contrast": contrast,
        "copied_share": copied,
        "suppressed_share": suppressed,
        "regions": regions,
        "copying_regions": np.where(copying_heads.any(-1), mean_regions, np.nan),
        "most_suppressed": suppressed.max(axis=-1),
        "region_size": copies.sum(axis=-1) / np.maximum(regions, 1),
        "coverage": (by > 0).mean(axis=-1),
        "overlap": overlap,
        "head_mode": head_mode,
        "mode": mode,
        "is_mode": (mode[..., None] == np.array(MODES)).astype(float),
    }


def _head_modes(copied: np.ndarray, suppressed: np.ndarray, options: Options) -> np.ndarray:
    some = options.some
    return np.select(
        [
            suppressed >= options.most,
            (suppressed >= some) & (copied >= some),
            copied >= options.whole,
            copied >= some,
            suppressed < some,
        ],
        ["suppressing", "mixed", "whole", "part", "dead"],
        "mixed",
    )


def _model_modes(head_mode: np.ndarray, overlap: np.ndarray, options: Options) -> np.ndarray:
    copying = ((head_mode == "whole") | (head_mode == "part")).sum(axis=-1)
    mixed = (head_mode == "mixed").any(axis=-1)
    suppressing = (head_mode == "suppressing").any(axis=-1)
    return np.select(
        [
            suppressing & (copying + mixed > 0),
            mixed,
            (copying > 1) & (overlap <= options.overlap_below),
            copying > 1,
            copying == 1,
        ],
        ["copy_suppression", "mixed", "vocabulary_splitting", "overlapping", "single"],
        "none",
    )


def _without_short_runs(row: np.ndarray, smallest: int) -> np.ndarray:
    """`row` with every run shorter than `smallest` given to the longer of its neighbours, shortest first."""
    row = row.copy()
    while True:
        edges = np.flatnonzero(np.diff(row)) + 1
        starts, ends = np.append(0, edges), np.append(edges, len(row))
        sizes = ends - starts
        short = int(sizes.argmin())
        if sizes[short] >= smallest or len(sizes) == 1:
            return row
        before = sizes[short - 1] if short else -1
        after = sizes[short + 1] if short + 1 < len(sizes) else -1
        row[starts[short] : ends[short]] = (
            row[starts[short] - 1] if before >= after else row[ends[short]]
        )
