"""The weights of a model and their shapes, from its options alone and without torch."""

from __future__ import annotations

from collections.abc import Mapping

from interpflow.model.options import ModelOptions

Shapes = Mapping[str, tuple[int, ...]]


def weight_shapes(
    options: ModelOptions, d_vocab: int, n_ctx: int, d_output: int
) -> dict[str, tuple[int, ...]]:
    """The shape of each labelled weight without its seed dim, in the order of the forward pass."""
    o, d_head = options, options.head_width
    block: dict[str, tuple[int, ...]] = {}
    biases: dict[str, tuple[int, ...]] = {}
    for letter in "QKV":
        block[f"W_{letter}"] = (o.heads, o.d_model, d_head)
        biases[f"b_{letter}"] = (o.heads, d_head)
    block["W_O"], biases["b_O"] = (o.heads, d_head, o.d_model), (o.d_model,)
    if o.d_mlp:
        block |= {"W_in": (o.d_model, o.d_mlp), "W_out": (o.d_mlp, o.d_model)}
        biases |= {"b_in": (o.d_mlp,), "b_out": (o.d_model,)}
    block |= biases if o.biases else {}
    if o.norm != "none":
        names = ("ln1_w", "ln1_b", "ln2_w", "ln2_b") if o.d_mlp else ("ln1_w", "ln1_b")
        block |= dict.fromkeys(names, (o.d_model,))

    shapes: dict[str, tuple[int, ...]] = {"W_E": (d_vocab, o.d_model)}
    if o.positions == "learned":
        shapes["W_pos"] = (n_ctx, o.d_model)
    shapes |= {name: (o.blocks, *shape) for name, shape in block.items()}
    if o.norm == "pre":
        shapes |= {"ln_final_w": (o.d_model,), "ln_final_b": (o.d_model,)}
    shapes["W_U"] = (o.d_model, d_output)
    if o.biases:
        shapes["b_U"] = (d_output,)
    return shapes
