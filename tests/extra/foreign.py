"""What the tests against both versions of TransformerLens share: models, and an import of foreign weights."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
import xarray as xr
from torch import Tensor

from interpflow.model.options import ModelOptions
from interpflow.model.packing import pack
from interpflow.model.transformer import Transformer
from interpflow.model.transformer_lens import Exported, from_transformer_lens, read

MODELS: list[dict[str, Any]] = [
    {"norm": "pre", "layers": 2, "heads": 2, "d_mlp": 40, "activation": "gelu"},
    {"norm": "pre", "heads": 3, "d_head": 5, "d_mlp": 16, "activation": "relu", "biases": False},
    {"norm": "pre", "heads": 2, "positions": "sinusoidal", "scale_embedding": True},
    {"norm": "none", "layers": 2, "heads": 2, "positions": "none"},
    {"norm": "pre", "layers": 2, "heads": 2, "positions": "rotary", "d_mlp": 40},
    {"norm": "pre", "heads": 3, "positions": "rotary", "rotary_base": 50.0, "attention": "full"},
    {"norm": "pre", "layers": 2, "heads": 2, "positions": "learned", "attention": "full"},
]

VOCABULARY, WIDTH = 7, 9  # tokens and positions of foreign models


def foreign_shapes() -> list[dict[str, Any]]:
    """Configurations of TransformerLens: each norm, kind of positions and direction of attention."""
    return [
        {
            "n_layers": 2, "d_model": 16, "n_heads": 2, "d_head": 6, "n_ctx": WIDTH,
            "d_vocab": VOCABULARY, "d_mlp": 20, "act_fn": "gelu", "normalization_type": norm,
            "positional_embedding_type": positions, "attention_dir": direction,
        }
        for norm in ("LN", None)
        for positions in ("standard", "rotary")
        for direction in ("causal", "bidirectional")
    ]  # fmt: skip


def imported(
    shape: Mapping[str, Any], state: Mapping[str, Tensor], folder: Path
) -> tuple[ModelOptions, xr.Dataset, Transformer, Tensor]:
    """A foreign model through a file in `folder`: options, weights, our model and its packed weights."""
    arrays = {name: value.numpy() for name, value in state.items()}
    Exported(dict(shape), arrays).write(folder / "model.npz")
    options, weights = from_transformer_lens(read(folder / "model.npz"))
    ours = Transformer(options, VOCABULARY, WIDTH, VOCABULARY)
    given = {name: torch.tensor(weights[name].values[:, 0]) for name in ours.shapes}
    return options, weights, ours, pack(given)
