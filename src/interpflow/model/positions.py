"""Position embeddings: how a model knows the position of a token.

learned      a learned vector for each position is added to the embedding
sinusoidal   a vector of sines and cosines is added to the embedding (Vaswani et al. 2017, section 3.5)
alternating  +1 is added to every number of the embedding at even positions, and -1 at odd ones, cos(pi n)
             (Bhattamishra et al. 2020, arXiv:2009.11264)
rotary       queries and keys are rotated by angles that grow with the position, so that a score depends on the
             distance of query and key (Su et al. 2021, arXiv:2104.09864); the numbers i and i + d_head / 2 of a
             head are rotated as a pair, as in GPT-NeoX and by default in TransformerLens
none         positions are not told apart
"""

from __future__ import annotations

import torch
from torch import Tensor

from interpflow.model.options import ModelOptions
from interpflow.model.packing import Weights
from interpflow.model.rows import Rows


def embeddings(options: ModelOptions, weights: Weights, length: int) -> Tensor | None:
    """The vectors (seed, pos, d_model) that are added to token embeddings; None if there are none."""
    table = weights["W_E"]
    if options.positions == "learned":
        return weights["W_pos"][:, :length]
    added = fixed(options, length)
    return None if added is None else added.to(table).expand(len(table), -1, -1)


def fixed(options: ModelOptions, length: int) -> Tensor | None:
    """The vectors (pos, d_model) of positions that have no weights; None if there are none."""
    if options.positions == "sinusoidal":
        return sinusoids(length, options.d_model)
    if options.positions == "alternating":
        return (1.0 - 2.0 * (torch.arange(length) % 2))[:, None].expand(-1, options.d_model)
    return None


def sinusoids(length: int, d_model: int) -> Tensor:
    """The vectors of `sinusoidal`, (pos, d_model)."""
    frequency = 10000.0 ** (-torch.arange(0, d_model, 2) / d_model)
    angle = torch.arange(length)[:, None] * frequency
    return torch.stack([angle.sin(), angle.cos()], dim=-1).flatten(1)[:, :d_model]


def rotated(options: ModelOptions, rows: Rows, x: Tensor) -> Tensor:
    """Queries or keys `x` (seed, row, head, d_head), each rotated by the angles of its position."""
    half = x.shape[-1] // 2
    # In double precision, so that the sine of an angle does not depend on the angle's place in the table.
    frequency = options.rotary_base ** (-torch.arange(half, dtype=torch.float64) / half)
    angle = torch.arange(rows.positions)[:, None] * frequency
    sin, cos = (rows.tile(table.to(x)[None])[:, :, None] for table in (angle.sin(), angle.cos()))
    first, second = x.split(half, -1)
    return torch.cat([first * cos - second * sin, second * cos + first * sin], dim=-1)


def key_site(options: ModelOptions) -> str:
    """The site of a layer that holds its keys as scores read them."""
    return "attn.hook_rot_k" if options.positions == "rotary" else "attn.hook_k"
