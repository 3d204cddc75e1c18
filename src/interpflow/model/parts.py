"""Parts of a model by name, such as `head 0.1`, `layer 2` and `W_E`: the entries of weights in each."""

from __future__ import annotations

import itertools
from collections.abc import Iterable

from interpflow.model.shapes import Shapes
from interpflow.variables import WEIGHTS

# A labelled weight, and a place in it: the entries of one (layer,), of one (layer, head), or with () all.
Piece = tuple[str, tuple[int, ...]]


def parts(shapes: Shapes) -> dict[str, list[Piece]]:
    """The pieces of every named part of a model with weights of `shapes`, by name.

    `embedding` (of tokens and positions), `unembedding`, `layer <layer>`, `head <layer>.<head>` (without the
    norm before it and the output bias), and each weight by its own name, in all layers.
    """
    of_layers, of_heads = (
        [name for name in shapes if dim in WEIGHTS[name].dims] for dim in ("layer", "head")
    )
    layers, heads = map(range, shapes["W_Q"][:2])
    named: dict[str, list[Piece]] = {
        "embedding": [(name, ()) for name in ("W_E", "W_pos") if name in shapes],
        "unembedding": [(name, ()) for name in ("W_U", "b_U") if name in shapes],
    }
    for layer in layers:
        named[f"layer {layer}"] = [(name, (layer,)) for name in of_layers]
    for place in itertools.product(layers, heads):
        named["head {}.{}".format(*place)] = [(name, place) for name in of_heads]
    for name in shapes:
        named[name] = [(name, (layer,)) for layer in layers] if name in of_layers else [(name, ())]
    return named


def pieces(names: Iterable[str], shapes: Shapes) -> list[Piece]:
    """The pieces of the parts `names` together, none inside another."""
    known = parts(shapes)
    found = dict.fromkeys(piece for name in names for piece in known[name])
    return [
        (name, place)
        for name, place in found
        if not any((name, place[:length]) in found for length in range(len(place)))
    ]
