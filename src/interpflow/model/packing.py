"""Two forms of the same weights: labelled in files, packed in computation.

Labelled weights have the names and dims of TransformerLens (`W_Q`: layer, head, d_model, d_head).  The
forward pass reads packed weights: one entry for each layer, and one matrix for queries, keys and values of all
heads (`blocks.0.W_QKV`: d_model, 3 head d_head), so that a step slices nothing and multiplies once.  Both forms
have a leading seed dim.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping

import torch
from torch import Tensor

from interpflow.model.parts import Piece
from interpflow.model.shapes import Shapes

Weights = Mapping[str, Tensor]

_VECTOR = 64  # floats; processors have vectors of 4 to 16, and eight threads may share the work


def pack(labelled: Weights) -> dict[str, Tensor]:
    """The packed form of `labelled` weights."""
    layers = labelled["W_Q"].shape[1]
    packed = {name: labelled[name] for name in ("W_E", "W_pos") if name in labelled}
    for layer in range(layers):
        block = {
            name: weight[:, layer]
            for name, weight in labelled.items()
            if name not in ("W_E", "W_pos", "ln_final_w", "ln_final_b", "W_U", "b_U")
        }
        qkv = torch.stack([block.pop(f"W_{name}") for name in "QKV"], dim=1)
        block["W_QKV"] = qkv.permute(0, 3, 1, 2, 4).flatten(2)  # (seed, d_model, 3 head d_head)
        if "b_Q" in block:
            block["b_QKV"] = torch.stack([block.pop(f"b_{name}") for name in "QKV"], 1).flatten(1)
        block["W_O"] = block["W_O"].flatten(1, 2)  # (seed, head d_head, d_model)
        packed |= {f"blocks.{layer}.{name}": weight for name, weight in block.items()}
    last = ("ln_final_w", "ln_final_b", "W_U", "b_U")
    return packed | {name: labelled[name] for name in last if name in labelled}


def unpack(packed: Weights, heads: int) -> dict[str, Tensor]:
    """The labelled form of `packed` weights; the inverse of `pack`."""
    labelled: dict[str, Tensor] = {}
    layered: dict[str, list[Tensor]] = {}
    for name, weight in packed.items():
        if not name.startswith("blocks."):
            labelled[name] = weight
            continue
        short = name.split(".")[-1]
        if short == "W_QKV":
            parts = weight.unflatten(2, (3, heads, -1)).permute(2, 0, 3, 1, 4)
            pairs = [(f"W_{letter}", part) for letter, part in zip("QKV", parts, strict=True)]
        elif short == "b_QKV":
            parts = weight.unflatten(1, (3, heads, -1)).unbind(1)
            pairs = [(f"b_{letter}", part) for letter, part in zip("QKV", parts, strict=True)]
        else:
            pairs = [(short, weight.unflatten(1, (heads, -1)) if short == "W_O" else weight)]
        for key, part in pairs:
            layered.setdefault(key, []).append(part)
    return labelled | {name: torch.stack(parts, dim=1) for name, parts in layered.items()}


def flatten(weights: Weights) -> Tensor:
    """All weights of each seed as one vector (seed, parameter), in the order of `weights`.

    Zeros at the end make it a whole number of processor vectors.  The fused optimizers round the remainder of a
    vector differently, so without the zeros a seed's weights would depend on its place in the ensemble.
    """
    parts = [weight.flatten(1) for weight in weights.values()]
    size = sum(part.shape[1] for part in parts)
    return torch.cat([*parts, parts[0].new_zeros(len(parts[0]), -size % _VECTOR)], dim=1)


def unflatten(theta: Tensor, shapes: Shapes) -> dict[str, Tensor]:
    """The weights in `theta` (seed, parameter), as views; `shapes` are without the seed dim.

    All weights come from one split: its backward pass is one concatenation, and the optimizer sees one tensor.
    """
    sizes = [math.prod(shape) for shape in shapes.values()]
    *parts, _ = theta.split([*sizes, theta.shape[1] - sum(sizes)], dim=1)
    return {
        name: part.unflatten(1, shape)
        for (name, shape), part in zip(shapes.items(), parts, strict=True)
    }


def mask(pieces: Iterable[Piece], shapes: Shapes) -> Tensor:
    """The mask (parameter,) of `pieces` in the vector of `flatten`: 1 at their entries, 0 elsewhere.

    `shapes` are of labelled weights.
    """
    labelled = {name: torch.zeros(1, *shape) for name, shape in shapes.items()}
    for name, place in pieces:
        labelled[name][0][place] = 1
    return flatten(pack(labelled))[0]
