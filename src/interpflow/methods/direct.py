"""Direct logit attribution by part of the model: what the embedding, each head and each MLP add to a logit."""

from __future__ import annotations

import numpy as np
import torch

from interpflow.model.options import ModelOptions
from interpflow.model.packing import Weights
from interpflow.model.sites import Sites
from interpflow.model.transformer import Transformer
from interpflow.training.examples import Batch


def has_direct_parts(options: ModelOptions) -> bool:
    """Whether what the parts write adds up to what the unembedding reads."""
    return options.residual and options.norm != "post"


@torch.no_grad()
def contributions_of_parts(model: Transformer, weights: Weights, batch: Batch) -> np.ndarray:
    """Contributions (seed, example, part, position) to the logit of the target, centred over all outputs.

    Parts are the embedding with its position, then of each layer the heads and the MLP.  The final LayerNorm
    keeps the scale that it has in this pass.  Biases are left out.  The model is one that `has_direct_parts`.
    """
    o = model.options
    final = f"blocks.{o.layers - 1}.hook_resid_post"
    names = ["blocks.0.hook_resid_pre"]
    for layer in range(o.layers):
        names += [f"blocks.{layer}.attn.hook_result"]
        names += [f"blocks.{layer}.hook_mlp_out"] if o.d_mlp else []
    normed = ["ln_final.hook_normalized"] if o.norm == "pre" else []
    sites = Sites(read=[*names, final, *normed])
    model(weights, batch.tokens, sites)
    parts = []
    for name in names:
        value = sites.values[name]
        parts += [*value.unbind(3)] if name.endswith("hook_result") else [value]
    written = torch.stack(parts, 2)  # (seed, example, part, position, d_model)
    unembed = weights["W_U"] - weights["W_U"].mean(-1, keepdim=True)
    if normed:
        unembed = unembed * weights["ln_final_w"][..., None]
        written = written - written.mean(-1, keepdim=True)
        stream = sites.values[final]
        stream = stream - stream.mean(-1, keepdim=True)
        scale = sites.values[normed[0]].norm(dim=-1) / stream.norm(dim=-1)
        written = written * scale[:, :, None, :, None]
    targets = batch.targets.long().clamp(min=0)
    towards = unembed.transpose(1, 2)[:, targets]  # (seed, example, position, d_model)
    return torch.einsum("sepnd,send->sepn", written, towards).cpu().numpy()
