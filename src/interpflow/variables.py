"""What a dataset variable is: its dims, its unit and its meaning.

Here stand the variables that every study has: tokens, weights, history.  A task or an analysis declares
its own in a table `VARIABLES` beside its code, in the same form; `store.write` holds each dataset against
both.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import xarray as xr

from interpflow.errors import InterpflowError


@dataclass(frozen=True)
class Variable:
    """One variable of a dataset: `dims` in order, `units` ("1" where it has none), `long_name` for axes."""

    dims: tuple[str, ...]
    units: str
    long_name: str


def _weight(*dims: str, of: str) -> Variable:
    return Variable(("step", "seed", *dims), "1", of)


TOKENS = {
    "tokens": Variable(("example", "position"), "1", "token id"),
    "length": Variable(("example",), "token", "sequence length"),
    "split": Variable(("example",), "1", "split the example belongs to"),
    "scored": Variable(
        ("example", "position"), "1", "whether the position counts in loss and accuracy"
    ),
}

# TransformerLens names.  `d_vocab` is what goes in, `d_output` what comes out of the unembedding.
WEIGHTS = {
    "W_E": _weight("d_vocab", "d_model", of="token embedding"),
    "W_pos": _weight("n_ctx", "d_model", of="position embedding"),
    "W_Q": _weight("layer", "head", "d_model", "d_head", of="query weights"),
    "b_Q": _weight("layer", "head", "d_head", of="query bias"),
    "W_K": _weight("layer", "head", "d_model", "d_head", of="key weights"),
    "b_K": _weight("layer", "head", "d_head", of="key bias"),
    "W_V": _weight("layer", "head", "d_model", "d_head", of="value weights"),
    "b_V": _weight("layer", "head", "d_head", of="value bias"),
    "W_O": _weight("layer", "head", "d_head", "d_model", of="attention output weights"),
    "b_O": _weight("layer", "d_model", of="attention output bias"),
    "ln1_w": _weight("layer", "d_model", of="gain of the attention block's LayerNorm"),
    "ln1_b": _weight("layer", "d_model", of="bias of the attention block's LayerNorm"),
    "W_in": _weight("layer", "d_model", "d_mlp", of="MLP input weights"),
    "b_in": _weight("layer", "d_mlp", of="MLP input bias"),
    "W_out": _weight("layer", "d_mlp", "d_model", of="MLP output weights"),
    "b_out": _weight("layer", "d_model", of="MLP output bias"),
    "ln2_w": _weight("layer", "d_model", of="gain of the MLP block's LayerNorm"),
    "ln2_b": _weight("layer", "d_model", of="bias of the MLP block's LayerNorm"),
    "ln_final_w": _weight("d_model", of="gain of the final LayerNorm"),
    "ln_final_b": _weight("d_model", of="bias of the final LayerNorm"),
    "W_U": _weight("d_model", "d_output", of="unembedding"),
    "b_U": _weight("d_output", of="unembedding bias"),
}

HISTORY = {
    "train_loss": Variable(("step", "seed"), "1", "training loss, mean since the step before"),
    "validation_loss": Variable(("step", "seed"), "1", "validation loss"),
    "validation_accuracy": Variable(
        ("step", "seed"), "1", "share of validation sequences right at every scored position"
    ),
}


def describe(dataset: xr.Dataset, table: Mapping[str, Variable], owner: str) -> xr.Dataset:
    """`dataset` with units and long names from `table`.

    Raises InterpflowError where a variable of the dataset is not in the table or has other dims, where it
    became a coordinate, and for the name `experiment`; `owner` names the file that should declare it.
    """
    described = dataset.copy()
    if "experiment" in {*dataset.variables, *dataset.dims}:
        raise InterpflowError(
            f"{owner}: 'experiment' is the dim along which experiments are joined; take another name"
        )
    if lost := [str(name) for name in dataset.coords if name in table]:
        raise InterpflowError(
            f"{owner}: variable '{lost[0]}' is a coordinate of the dataset: a variable cannot have the name "
            "of a dim or coordinate; call one of them otherwise"
        )
    for name in dataset.data_vars:
        array, declared = described[name], table.get(str(name))
        if declared is None:
            raise InterpflowError(
                f"{owner}: variable '{name}' is not declared; add it to VARIABLES in that file"
            )
        if array.dims != declared.dims:
            raise InterpflowError(
                f"{owner}: variable '{name}' has dims {array.dims}, declared are {declared.dims}"
            )
        array.attrs = {**array.attrs, "units": declared.units, "long_name": declared.long_name}
    return described
