"""What `export` writes opens in TransformerLens 4, whose bridge takes the state dict of a HookedTransformer."""

from __future__ import annotations

import json
import textwrap
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from extra.foreign import MODELS, WIDTH, foreign_shapes, imported
from small import labelled_weights, model, tokens

from interpflow.model import transformer_lens
from interpflow.model.packing import pack
from interpflow.model.transformer_lens import (
    to_transformer_lens,
)
from interpflow.variables import WEIGHTS

lens = pytest.importorskip("transformer_lens")
conversion = pytest.importorskip("transformer_lens.utilities.tl_checkpoint_conversion")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")

# As they stand there.
LINES = textwrap.dedent(
    str(transformer_lens.__doc__).partition("with TransformerLens 4\n")[2].partition("\nwhere")[0]
)


@pytest.mark.parametrize("options", MODELS, ids=str)
@torch.no_grad()
def test_the_lines_of_the_docstring_open_an_export_with_the_same_logits(
    options: dict[str, Any], tmp_path: Path, monkeypatch: Any
) -> None:
    ours = model(**options)
    given = labelled_weights(ours, [0])
    dataset = xr.Dataset(
        {name: (WEIGHTS[name].dims[2:], weight[0].numpy()) for name, weight in given.items()}
    )
    to_transformer_lens(dataset, ours.options, n_ctx=12).write(tmp_path / "model.npz")
    monkeypatch.chdir(tmp_path)
    names = {
        "json": json,
        "numpy": np,
        "torch": torch,
        "TransformerBridgeConfig": lens.config.TransformerBridgeConfig,
        "TransformerBridge": lens.TransformerBridge,
        "convert_tl_checkpoint": conversion.convert_tl_checkpoint,
    }
    exec(LINES, names)
    theirs: Any = names["model"]
    text = tokens(4, 12)
    torch.testing.assert_close(ours(pack(given), text)[0], theirs(text), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("shape", foreign_shapes(), ids=str)
@torch.no_grad()
def test_the_weights_of_a_bridge_are_imported(shape: dict[str, Any], tmp_path: Path) -> None:
    theirs = lens.TransformerBridge.boot_native(
        lens.config.TransformerBridgeConfig(**shape, architecture="TransformerLensNative")
    )
    for value in theirs.parameters():  # else biases are zeros and gains ones
        value.add_(torch.linspace(-0.1, 0.1, value.numel()).view_as(value))
    _, _, ours, given = imported(shape, theirs.state_dict(), tmp_path)
    text = tokens(4, WIDTH)
    torch.testing.assert_close(ours(given, text)[0], theirs(text), atol=1e-4, rtol=1e-4)
