"""The state dict of TransformerLens 4's bridge, under the names and in the shapes of a HookedTransformer's."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

Arrays = Mapping[str, NDArray[Any]]

# A module of the bridge: what its weight is called after `W_`, and its bias after `b_`.
_MODULES = {
    "embed": "E", "pos_embed": "pos", "unembed": "U", "q": "Q", "k": "K", "v": "V", "o": "O",
    "in": "in", "out": "out",
}  # fmt: skip


def is_of_bridge(state: Arrays) -> bool:
    """Whether these are the entries of a bridge and not of a HookedTransformer."""
    return "embed.weight" in state


def as_hooked(state: Arrays, heads: int, rotary: bool) -> dict[str, NDArray[Any]]:
    """The entries of a bridge as a HookedTransformer with so many `heads` has them.

    `rotary` positions turn neighbours into each other in the one, and the two halves of a head in the other.
    """
    found = {}
    for name, value in state.items():
        *path, module, kind = name.split(".")
        if module not in _MODULES:  # a norm
            found[".".join([*path, module, kind[0]])] = value
            continue
        if kind == "weight" and module not in ("embed", "pos_embed"):
            value = value.T  # a linear layer has them (out, in)
        if module in ("q", "k", "v"):
            value = np.moveaxis(value.reshape(*value.shape[:-1], heads, -1), -2, 0)
        if module in ("q", "k") and rotary:
            value = np.concatenate([value[..., 0::2], value[..., 1::2]], -1)
        if module == "o" and kind == "weight":
            value = value.reshape(heads, -1, value.shape[-1])
        letter = "W" if kind == "weight" else "b"
        where = path or [module]
        found[".".join([*where, f"{letter}_{_MODULES[module]}"])] = value
    return found
