"""Weights to and from TransformerLens: its names and conventions, in a file without pickle.

The file is a NumPy .npz: one array for each entry of a `HookedTransformer`'s state dict, and the text
`config`, JSON of the arguments of `HookedTransformerConfig`.  To load one, with TransformerLens 3,

    file = dict(numpy.load("model.npz"))
    config = HookedTransformerConfig(**json.loads(str(file.pop("config"))))
    model = HookedTransformer(config)
    model.load_state_dict({name: torch.tensor(value) for name, value in file.items()}, strict=False)

(not strict, since it counts masks and tables of angles as weights); with TransformerLens 4

    file = dict(numpy.load("model.npz"))
    config = json.loads(str(file.pop("config")))
    config = TransformerBridgeConfig(**config, architecture="TransformerLensNative")
    state = {name: torch.tensor(value) for name, value in file.items()}
    if config.positional_embedding_type == "rotary":  # it turns neighbours, and not halves, into each other
        order = torch.arange(config.d_head).view(2, -1).T.flatten()
        turned = [name for name in state if name.endswith((".W_Q", ".W_K", ".b_Q", ".b_K"))]
        state |= {name: state[name][..., order] for name in turned}
    model = TransformerBridge.boot_native(config)
    model.load_state_dict(convert_tl_checkpoint(state, config))

where `convert_tl_checkpoint` is of `transformer_lens.utilities.tl_checkpoint_conversion`.  To write one that
`read` takes, of either version:

    state = {name: value.numpy() for name, value in model.state_dict().items()}
    numpy.savez("model.npz", config=json.dumps({"n_layers": 2, "d_model": 64, …}), **state)
"""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import xarray as xr
from numpy.typing import NDArray
from pydantic import ValidationError

from interpflow import store
from interpflow.errors import InterpflowError
from interpflow.model.options import ModelOptions
from interpflow.model.positions import fixed
from interpflow.model.transformer import Transformer
from interpflow.model.transformer_lens_bridge import as_hooked, is_of_bridge
from interpflow.variables import WEIGHTS

Arrays = Mapping[str, NDArray[Any]]

# Ours: theirs.  Entries of a block come once for each layer, after `blocks.<layer>.`.
_WHOLE = {
    "W_E": "embed.W_E", "W_pos": "pos_embed.W_pos", "W_U": "unembed.W_U", "b_U": "unembed.b_U",
    "ln_final_w": "ln_final.w", "ln_final_b": "ln_final.b",
}  # fmt: skip
_BLOCK = {
    **{f"{kind}_{letter}": f"attn.{kind}_{letter}" for kind in "Wb" for letter in "QKVO"},
    **{f"{kind}_{way}": f"mlp.{kind}_{way}" for kind in "Wb" for way in ("in", "out")},
    **{f"ln{n}_{kind}": f"ln{n}.{kind}" for n in (1, 2) for kind in "wb"},
}
_NORMS = {"pre": "LN", "none": None}
_FOLDED = "LNPre"  # a LayerNorm whose gain and bias were folded into the weights behind it
# Entries of a state dict that are no weights.
_CONSTANTS = (".mask", ".IGNORE", ".rotary_sin", ".rotary_cos")
_POSITIONS = {"learned": "standard", "rotary": "rotary"}
_DIRECTIONS = {"causal": "causal", "full": "bidirectional"}

# Options of a HookedTransformer that change its computation, each with the one value that interpflow has.
_ALONE = {
    **dict.fromkeys(
        ("final_rms", "gated_mlp", "parallel_attn_mlp", "post_embedding_ln", "rotary_adjacent_pairs",
         "scale_attn_by_inverse_layer_idx", "use_NTK_by_parts_rope", "use_attention_sinks",
         "use_dynamic_ntk_rope", "use_local_attn", "use_logn_attn", "use_normalization_before_and_after",
         "use_qk_norm", "use_yarn_rope"), False,
    ),
    **dict.fromkeys(("attn_scores_soft_cap", "output_logits_soft_cap"), -1.0),
    "clip_qkv": None, "eps": 1e-5, "num_experts": None, "rotary_scaling_factor": 1.0, "use_attn_scale": True,
}  # fmt: skip


@dataclass(frozen=True)
class Exported:
    """One model: the arguments of `HookedTransformerConfig`, and its state dict without masks."""

    config: Mapping[str, Any]
    state: Arrays

    def write(self, path: Path) -> None:
        """Write to `path`, whole or not at all.  Raises InterpflowError where that fails."""
        config = np.array(json.dumps(self.config, sort_keys=True))
        with store.replacing(path) as temporary, temporary.open("wb") as handle:
            np.savez(handle, allow_pickle=False, config=config, **self.state)


def read(path: Path) -> Exported:
    """The model that `write` wrote to `path`.  Raises InterpflowError if the file is missing or another."""
    try:
        with np.load(path, allow_pickle=False) as file:
            arrays = dict(file)
        return Exported(json.loads(str(arrays.pop("config"))), arrays)
    except FileNotFoundError as error:
        raise InterpflowError(f"{path}: no such file") from error
    except Exception as error:  # a damaged zip file raises almost anything
        raise InterpflowError(
            f"{path}: not a .npz file of a TransformerLens state dict with its config "
            f"({type(error).__name__}: {error})"
        ) from error


def to_transformer_lens(labelled: xr.Dataset, options: ModelOptions, n_ctx: int) -> Exported:
    """The model with weights `labelled` (of one step and one seed) as a HookedTransformer's.

    Options that TransformerLens lacks go into the weights: the scale of embeddings into `W_E`, fixed or no
    positions into `W_pos`, no biases into zeros.  `n_ctx` is the longest sequence of a model without learned
    positions.  Raises InterpflowError for models that are post-norm or have no residual stream.
    """
    o = options
    if o.norm == "post":
        raise InterpflowError(
            "norm: post cannot be exported; a HookedTransformer has its LayerNorm before each block"
        )
    if not o.residual:
        raise InterpflowError(
            "residual: false cannot be exported; the blocks of a HookedTransformer add to what they read"
        )
    given = {str(name): array.values for name, array in labelled.data_vars.items()}
    positions = o.positions
    if positions in ("sinusoidal", "alternating", "none"):
        table = fixed(o, n_ctx)
        given["W_pos"] = (
            np.zeros((n_ctx, o.d_model), np.float32) if table is None else table.numpy()
        )
        positions = "learned"
    elif positions == "learned":
        n_ctx = len(given["W_pos"])
    if o.scale_embedding:
        given["W_E"] = given["W_E"] * np.float32(math.sqrt(o.d_model))
    (d_vocab, _), (_, d_output) = (given[n].shape for n in ("W_E", "W_U"))
    with_biases = Transformer(o.model_copy(update={"biases": True}), d_vocab, n_ctx, d_output)
    for name, shape in with_biases.shapes.items():
        given.setdefault(name, np.zeros(shape, np.float32))

    state = {theirs: given[ours] for ours, theirs in _WHOLE.items() if ours in given}
    for layer in range(o.layers):
        for ours, theirs in _BLOCK.items():
            if ours in given:
                state[f"blocks.{layer}.{theirs}"] = given[ours][layer % with_biases.blocks]
    config = {
        "n_layers": o.layers,
        "d_model": o.d_model,
        "n_heads": o.heads,
        "d_head": with_biases.d_head,
        **({"attn_scale": o.attention_scale} if o.attention_scale else {}),
        "d_mlp": o.d_mlp or None,
        "attn_only": not o.d_mlp,
        "act_fn": o.activation if o.d_mlp else None,
        "normalization_type": _NORMS[o.norm],
        "attention_dir": _DIRECTIONS[o.attention],
        "positional_embedding_type": _POSITIONS[positions],
        **({"rotary_base": o.rotary_base} if positions == "rotary" else {}),
        "n_ctx": n_ctx,
        "d_vocab": d_vocab,
        "d_vocab_out": d_output,
    }
    return Exported(config, state)


def from_transformer_lens(exported: Exported) -> tuple[ModelOptions, xr.Dataset]:
    """The options and labelled weights, at step 0 and seed 0, of a HookedTransformer.

    A folded LayerNorm gets a gain of 1 and a bias of 0.  Raises InterpflowError for a kind of model that
    interpflow lacks, and for weights that are missing, of another shape or unknown.
    """
    config = {
        "normalization_type": "LN",
        "positional_embedding_type": "standard",
        "attention_dir": "causal",
        "rotary_base": 10000.0,
        **_ALONE,
        **exported.config,
    }
    norms, positions, directions = (
        {theirs: ours for ours, theirs in known.items()}
        for known in (_NORMS, _POSITIONS, _DIRECTIONS)
    )
    norms[_FOLDED] = "pre"
    d_head, scale = config.get("d_head"), config.get("attn_scale")
    if scale in (-1.0, math.sqrt(d_head) if isinstance(d_head, int) else None):
        scale = None
    d_mlp = 0 if config.get("attn_only") else config.get("d_mlp")
    allowed: dict[str, tuple[Any, ...]] = {
        "normalization_type": tuple(norms),
        "positional_embedding_type": tuple(positions),
        "attention_dir": tuple(directions),
        **({"act_fn": ("relu", "gelu")} if d_mlp else {}),
        "rotary_dim": (None, d_head),
        "n_key_value_heads": (None, config.get("n_heads")),
        **{key: (value,) for key, value in _ALONE.items()},
    }
    for key, known in allowed.items():
        if config.get(key) not in known:
            raise InterpflowError(
                f"config.{key} is {config.get(key)!r}; interpflow has {', '.join(map(repr, known))}"
            )
    try:
        wanted = {
            "layers": config["n_layers"],
            "heads": config["n_heads"],
            "d_model": config["d_model"],
            "d_head": config["d_head"],
            "attention_scale": scale,
            "d_mlp": d_mlp,
            "activation": config["act_fn"] if d_mlp else "relu",
            "norm": norms[config["normalization_type"]],
            "positions": positions[config["positional_embedding_type"]],
            "rotary_base": config["rotary_base"],
            "attention": directions[config["attention_dir"]],
        }
        d_output = config.get("d_vocab_out", -1)
        d_output = config["d_vocab"] if d_output == -1 else d_output
        options = ModelOptions.model_validate(wanted)
        model = Transformer(options, config["d_vocab"], config["n_ctx"], d_output)
    except KeyError as error:
        raise InterpflowError(f"config has no {error}; it is needed") from error
    except ValidationError as error:
        raise InterpflowError(
            f"config: {error.errors()[0]['loc'][0]}: {error.errors()[0]['msg']}"
        ) from error

    state, used = exported.state, set[str]()
    if is_of_bridge(state):
        state = as_hooked(state, options.heads, options.positions == "rotary")
    folded = config["normalization_type"] == _FOLDED

    def entry(theirs: str, name: str) -> NDArray[Any]:
        used.add(theirs)
        if folded and name.startswith("ln"):
            return np.full(options.d_model, name.endswith("_w"), np.float32)
        if theirs not in state:
            raise InterpflowError(f"the state dict has no '{theirs}'")
        return state[theirs]

    weights = {}
    for name, shape in model.shapes.items():
        if name in _WHOLE:
            value = entry(_WHOLE[name], name)
        else:
            layers = (f"blocks.{layer}.{_BLOCK[name]}" for layer in range(options.layers))
            value = np.stack([entry(theirs, name) for theirs in layers])
        if value.shape != shape:
            raise InterpflowError(f"{name} has shape {value.shape}; by the config it is {shape}")
        weights[name] = (WEIGHTS[name].dims, value[None, None].astype(np.float32))
    left = [name for name in state if name not in used and not name.endswith(_CONSTANTS)]
    if left:
        raise InterpflowError(
            f"the state dict has '{left[0]}', which has no place in a model of this config"
        )
    return options, xr.Dataset(weights, {"step": [0], "seed": [0]})
