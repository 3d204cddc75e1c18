"""Weights leave for TransformerLens and come back as they were."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from small import brackets, labelled_weights, model, recipe, tokens

from interpflow import store
from interpflow.__main__ import main
from interpflow.errors import InterpflowError
from interpflow.model.packing import pack
from interpflow.model.transformer import Transformer
from interpflow.model.transformer_lens import (
    Exported,
    from_transformer_lens,
    read,
    to_transformer_lens,
)
from interpflow.training.loop import train
from interpflow.variables import WEIGHTS, describe
from interpflow.workflow.recipe import canonical

MODELS: list[dict[str, Any]] = [
    {"norm": "pre", "layers": 2, "heads": 2, "d_mlp": 40, "activation": "gelu"},
    {"norm": "none", "positions": "sinusoidal", "heads": 2, "d_head": 7, "biases": False},
    {"norm": "none", "positions": "alternating", "d_mlp": 16},
    {"norm": "pre", "positions": "none", "d_mlp": 16, "scale_embedding": True, "biases": False},
    {"norm": "pre", "positions": "rotary", "rotary_base": 500.0, "heads": 2, "d_mlp": 16},
    {"norm": "pre", "positions": "rotary", "attention": "full", "heads": 2, "biases": False},
    {"norm": "none", "positions": "none", "attention_scale": 2.0},
]


def labelled(ours: Transformer) -> xr.Dataset:
    """Weights of one step and seed, as they stand in a file."""
    given = labelled_weights(ours, [3])
    return xr.Dataset({name: (WEIGHTS[name].dims[2:], w[0].numpy()) for name, w in given.items()})


def logits(of: Transformer, weights: xr.Dataset) -> torch.Tensor:
    given = {name: torch.tensor(weights[name].values)[None] for name in of.shapes}
    with torch.no_grad():
        return of(pack(given), tokens(4, 12))


@pytest.mark.parametrize("options", MODELS, ids=str)
def test_a_model_that_left_and_came_back_computes_the_same(options: dict[str, Any]) -> None:
    ours = model(**options)
    weights = labelled(ours)
    found, returned = from_transformer_lens(to_transformer_lens(weights, ours.options, n_ctx=12))
    assert (returned["step"].values.tolist(), returned["seed"].values.tolist()) == ([0], [0])
    again = Transformer(found, ours.d_vocab, ours.n_ctx, ours.d_output)
    torch.testing.assert_close(
        logits(again, returned.isel(step=0, seed=0)), logits(ours, weights), atol=1e-6, rtol=1e-6
    )


def test_weights_that_transformerlens_has_come_back_bit_by_bit() -> None:
    ours = model(**MODELS[0])
    weights = labelled(ours)
    found, returned = from_transformer_lens(to_transformer_lens(weights, ours.options, n_ctx=12))
    assert found == ours.options.model_copy(update={"d_head": ours.d_head})
    assert set(returned.data_vars) == set(weights.data_vars)
    for name, weight in weights.data_vars.items():
        assert np.array_equal(returned[name].values[0, 0], weight.values), name


def test_a_post_norm_model_is_refused() -> None:
    ours = model(norm="post")
    with pytest.raises(InterpflowError, match="norm: post cannot be exported"):
        to_transformer_lens(labelled(ours), ours.options, n_ctx=12)


def test_a_model_without_a_residual_stream_is_refused() -> None:
    ours = model(norm="none", residual=False)
    with pytest.raises(InterpflowError, match="residual: false cannot be exported"):
        to_transformer_lens(labelled(ours), ours.options, n_ctx=12)


@pytest.mark.parametrize(
    ("config", "says"),
    [
        ({"normalization_type": "RMS"}, "normalization_type is 'RMS'; interpflow has 'LN', None, 'LNPre'"),
        ({"positional_embedding_type": "alibi"}, "is 'alibi'; interpflow has 'standard', 'rotary'"),
        ({"rotary_adjacent_pairs": True}, "rotary_adjacent_pairs is True; interpflow has False"),
        ({"rotary_dim": 6}, "rotary_dim is 6; interpflow has None, 12"),
        ({"n_key_value_heads": 1}, "n_key_value_heads is 1; interpflow has None, 2"),
        ({"use_local_attn": True}, "use_local_attn is True; interpflow has False"),
        ({"act_fn": "silu"}, "act_fn is 'silu'; interpflow has 'relu', 'gelu'"),
        ({"n_heads": "two"}, "config: heads: Input should be a valid integer"),
        ({"d_head": 5}, r"W_Q has shape \(2, 2, 24, 12\); by the config it is \(2, 2, 24, 5\)"),
        ({"n_layers": 3}, "the state dict has no 'blocks.2.attn.W_Q'"),
        ({"n_ctx": ...}, "config has no 'n_ctx'"),
        ({"attn_scale": -2.0}, "config: attention_scale: Input should be greater than 0"),
        ({"n_layers": 1}, "has 'blocks.1.attn.W_Q', which has no place in a model of this config"),
        ({"attn_only": True}, "has 'blocks.0.mlp.W_in', which has no place"),
        ({"normalization_type": None}, "has 'ln_final.w', which has no place"),
    ],
)  # fmt: skip
def test_a_model_that_interpflow_does_not_have_is_refused(
    config: dict[str, Any], says: str
) -> None:
    ours = model(**MODELS[0])
    exported = to_transformer_lens(labelled(ours), ours.options, n_ctx=12)
    changed = {k: v for k, v in {**exported.config, **config}.items() if v is not ...}
    with pytest.raises(InterpflowError, match=says):
        from_transformer_lens(Exported(changed, exported.state))


def test_folded_norms_have_gains_of_one_and_constants_are_no_weights() -> None:
    ours = model(**MODELS[0])
    weights = labelled(ours)
    for name in weights:
        if str(name).startswith("ln"):
            weights[name][...] = float(str(name).endswith("_w"))
    exported = to_transformer_lens(weights, ours.options, n_ctx=12)
    state = {name: value for name, value in exported.state.items() if "ln" not in name}
    state["blocks.0.attn.mask"] = np.ones((12, 12))
    config = {**exported.config, "normalization_type": "LNPre", "d_vocab_out": ours.d_output}
    _, returned = from_transformer_lens(Exported(config, state))
    xr.testing.assert_identical(returned.isel(step=0, seed=0, drop=True), weights)


@pytest.fixture
def trained(tmp_path: Path) -> Path:
    """A file as the train stage writes it."""
    of = recipe(
        {"norm": "pre", "positions": "learned"}, seeds=(0, 4), checkpoints={"linear": 2}, steps=6
    )
    weights, _ = train(brackets(), of, tmp_path / "state.npz", lambda *at, **values: None)
    path = tmp_path / "weights_0.nc"
    store.write(describe(weights, WEIGHTS, "test"), path, {"recipe": canonical(of)})
    return path


def test_the_command_exports_the_seed_and_checkpoint_asked_for(trained: Path) -> None:
    file, weights = trained.with_name("model.npz"), store.read(trained)
    arguments = ["export", "weights", str(trained), "--output", str(file)]
    for asked, step, seed in (
        ([], 6, 0),
        (["--seed", "4", "--checkpoint", "first"], 0, 4),
        (["--checkpoint", "3", "--seed", "4"], 3, 4),
    ):
        assert main([*arguments, *asked]) == 0
        exported = read(file)
        expected = weights["W_U"].sel(step=step, seed=seed).values
        assert np.array_equal(exported.state["unembed.W_U"], expected)
        assert exported.config["d_vocab"] == 5  # two pairs of brackets and padding
        assert exported.config["n_ctx"] == 20


def test_what_was_imported_can_be_exported_to_the_same_bytes(trained: Path) -> None:
    first, imported, second = (
        trained.with_name(name) for name in ("first.npz", "imported.nc", "second.npz")
    )
    assert main(["export", "weights", str(trained), "--output", str(first)]) == 0
    assert main(["import", str(first), "--output", str(imported)]) == 0
    assert main(["export", "weights", str(imported), "--output", str(second)]) == 0
    assert first.read_bytes() == second.read_bytes()
    found = store.read(imported)
    assert found["W_Q"].dims == ("step", "seed", "layer", "head", "d_model", "d_head")
    assert json.loads(found.attrs["recipe"])["model"]["d_model"] == 16


def test_the_file_needs_neither_pickle_nor_interpflow(trained: Path) -> None:
    file = trained.with_name("model.npz")
    main(["export", "weights", str(trained), "--output", str(file)])
    code = (
        "import json, sys, numpy; file = dict(numpy.load(sys.argv[1], allow_pickle=False));"
        "config = json.loads(str(file.pop('config'))); print(config['n_layers'], sorted(file)[0])"
    )
    said = subprocess.run(
        [sys.executable, "-c", code, str(file)], capture_output=True, text=True, check=True
    )
    assert said.stdout.strip() == "1 blocks.0.attn.W_K"


def test_what_cannot_be_exported_is_said(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = ["--output", str(trained.with_name("model.npz"))]
    for arguments, says in (
        ([str(trained), "--seed", "1"], "no seed 1; it has 0, 4"),
        ([str(trained), "--checkpoint", "5"], "no checkpoint 5; it has 0, 3, 6"),
        ([str(trained), "--checkpoint", "best"], "no checkpoint best; it has 0, 3, 6"),
        ([str(trained.with_name("none.nc"))], "no such file"),
    ):
        assert main(["export", "weights", *arguments, *output]) == 2
        assert says in capsys.readouterr().err


def test_what_cannot_be_imported_is_said(trained: Path, capsys: pytest.CaptureFixture[str]) -> None:
    output = ["--output", str(trained.with_name("imported.nc"))]
    foreign = trained.with_name("foreign.npz")
    np.savez(foreign, weights=np.zeros(3))
    for file, says in (
        (trained.with_name("none.npz"), "no such file"),
        (trained, "not a .npz file of a TransformerLens state dict"),
        (foreign, "not a .npz file of a TransformerLens state dict"),
    ):
        assert main(["import", str(file), *output]) == 2
        assert says in capsys.readouterr().err
