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
from small import labelled_weights, model, tokens

from interpflow.model import transformer_lens
from interpflow.model.packing import pack
from interpflow.model.transformer import Transformer
from interpflow.model.transformer_lens import (
    Exported,
    from_transformer_lens,
    read,
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

MODELS: list[dict[str, Any]] = [
    {"norm": "pre", "layers": 2, "heads": 2, "d_mlp": 40, "activation": "gelu"},
    {"norm": "pre", "heads": 3, "d_head": 5, "d_mlp": 16, "activation": "relu", "biases": False},
    {"norm": "pre", "heads": 2, "positions": "sinusoidal", "scale_embedding": True},
    {"norm": "none", "layers": 2, "heads": 2, "positions": "none"},
    {"norm": "pre", "layers": 2, "heads": 2, "positions": "rotary", "d_mlp": 40},
    {"norm": "pre", "heads": 3, "positions": "rotary", "rotary_base": 50.0, "attention": "full"},
    {"norm": "pre", "layers": 2, "heads": 2, "positions": "learned", "attention": "full"},
]


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


@pytest.mark.parametrize("norm", ["LN", None])
@pytest.mark.parametrize("positions", ["standard", "rotary"])
@pytest.mark.parametrize("direction", ["causal", "bidirectional"])
@torch.no_grad()
def test_the_weights_of_a_bridge_are_imported(
    direction: str, positions: str, norm: str | None, tmp_path: Path
) -> None:
    shape = {
        "n_layers": 2, "d_model": 16, "n_heads": 2, "d_head": 6, "n_ctx": 9, "d_vocab": 7,
        "d_mlp": 20, "act_fn": "gelu", "normalization_type": norm,
        "positional_embedding_type": positions, "attention_dir": direction,
    }  # fmt: skip
    theirs = lens.TransformerBridge.boot_native(
        lens.config.TransformerBridgeConfig(**shape, architecture="TransformerLensNative")
    )
    for value in theirs.parameters():  # else biases are zeros and gains ones
        value.add_(torch.linspace(-0.1, 0.1, value.numel()).view_as(value))
    state = {name: value.numpy() for name, value in theirs.state_dict().items()}
    Exported(shape, state).write(tmp_path / "model.npz")
    options, weights = from_transformer_lens(read(tmp_path / "model.npz"))
    ours = Transformer(options, 7, 9, 7)
    given = {name: torch.tensor(weights[name].values[:, 0]) for name in ours.shapes}
    text = tokens(4, 9)
    torch.testing.assert_close(ours(pack(given), text)[0], theirs(text), atol=1e-4, rtol=1e-4)
