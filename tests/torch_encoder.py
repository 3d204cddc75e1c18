"""torch's own encoder with our weights, as the independent implementation."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from interpflow.model.transformer import Transformer


def torch_encoder(ours: Transformer, labelled: dict[str, Tensor], seed: int) -> nn.Module:
    """torch.nn.TransformerEncoder with the weights of one seed."""
    o = ours.options
    pre = o.norm == "pre"
    layer = nn.TransformerEncoderLayer(
        o.d_model, o.heads, o.d_mlp, 0.0, o.activation, batch_first=True, norm_first=pre
    )
    final = nn.LayerNorm(o.d_model) if pre else None
    encoder = nn.TransformerEncoder(layer, o.layers, final, enable_nested_tensor=False)
    given = {name: weight[seed] for name, weight in labelled.items()}

    def vectors(name: str, layer: int) -> Tensor:  # (head, d_model, d_head) as torch's rows
        return given[f"W_{name}"][layer].transpose(1, 2).flatten(0, 1)

    state = {}
    for i in range(o.layers):
        block = {
            "self_attn.in_proj_weight": torch.cat([vectors(name, i) for name in "QKV"]),
            "self_attn.out_proj.weight": given["W_O"][i].flatten(0, 1).T,
            "linear1.weight": given["W_in"][i].T,
            "linear2.weight": given["W_out"][i].T,
            "norm1.weight": given["ln1_w"][i],
            "norm1.bias": given["ln1_b"][i],
            "norm2.weight": given["ln2_w"][i],
            "norm2.bias": given["ln2_b"][i],
        }
        if o.biases:
            block |= {
                "self_attn.in_proj_bias": torch.cat([given[f"b_{n}"][i].flatten() for n in "QKV"]),
                "self_attn.out_proj.bias": given["b_O"][i],
                "linear1.bias": given["b_in"][i],
                "linear2.bias": given["b_out"][i],
            }
        else:
            sizes = {
                "self_attn.in_proj_bias": 3 * o.d_model, "self_attn.out_proj.bias": o.d_model,
                "linear1.bias": o.d_mlp, "linear2.bias": o.d_model,
            }  # fmt: skip
            block |= {name: torch.zeros(size) for name, size in sizes.items()}
        state |= {f"layers.{i}.{name}": value for name, value in block.items()}
    if pre:
        state |= {"norm.weight": given["ln_final_w"], "norm.bias": given["ln_final_b"]}
    encoder.load_state_dict(state)
    return encoder
