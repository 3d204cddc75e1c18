"""The sites of a model and their dims, from its options alone and without torch."""

from __future__ import annotations

from interpflow.model.options import ModelOptions

Dims = tuple[str, ...]

STREAM: Dims = (
    "batch",
    "pos",
    "d",
)  # of the residual stream, and of every site with a vector a position
_PER_HEAD: Dims = ("batch", "pos", "head", "d")
_SQUARE: Dims = ("batch", "head", "query", "key")


def site_names(options: ModelOptions) -> dict[str, Dims]:
    """The dims of each site, without the seed dim, in the order of the forward pass."""
    o = options
    sites = {"hook_embed": STREAM}
    if o.positions in ("learned", "sinusoidal", "alternating"):
        sites["hook_pos_embed"] = STREAM
    for layer in range(o.layers):
        sites |= {f"blocks.{layer}.{name}": dims for name, dims in _of_layer(o).items()}
    if o.norm == "pre":
        sites["ln_final.hook_normalized"] = STREAM
    return sites


def _of_layer(o: ModelOptions) -> dict[str, Dims]:
    attention = {f"attn.hook_{letter}": _PER_HEAD for letter in "qkv"}
    if o.positions == "rotary":
        attention |= {f"attn.hook_rot_{letter}": _PER_HEAD for letter in "qk"}
    attention |= dict.fromkeys(("attn.hook_attn_scores", "attn.hook_pattern"), _SQUARE)
    attention |= {"attn.hook_z": _PER_HEAD, "attn.hook_result": _PER_HEAD, "hook_attn_out": STREAM}
    mlp = dict.fromkeys(("mlp.hook_pre", "mlp.hook_post", "hook_mlp_out"), STREAM)

    def normed(name: str, block: dict[str, Dims]) -> dict[str, Dims]:
        norm = {f"{name}.hook_normalized": STREAM}
        return {"pre": norm | block, "post": block | norm, "none": block}[o.norm]

    sites = {"hook_resid_pre": STREAM} | normed("ln1", attention)
    if o.d_mlp:
        sites |= {"hook_resid_mid": STREAM} | normed("ln2", mlp)
    return sites | {"hook_resid_post": STREAM}
