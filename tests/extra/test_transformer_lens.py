"""The model is TransformerLens's HookedTransformer: its logits, its sites, its weights."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
import xarray as xr
from extra.foreign import MODELS, WIDTH, foreign_shapes, imported
from small import D_OUTPUT, labelled_weights, model, tokens
from torch import Tensor

from interpflow.model.packing import pack
from interpflow.model.sites import Sites
from interpflow.model.transformer import Transformer
from interpflow.model.transformer_lens import (
    Exported,
    to_transformer_lens,
)
from interpflow.variables import WEIGHTS

lens = pytest.importorskip("transformer_lens")
pytest.importorskip("transformer_lens.HookedTransformer")  # version 4 has none
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


def hooked(exported: Exported) -> Any:
    theirs = lens.HookedTransformer(lens.HookedTransformerConfig(**exported.config))
    state = {name: torch.tensor(value) for name, value in exported.state.items()}
    missing, unexpected = theirs.load_state_dict(state, strict=False)
    assert not unexpected
    fixed = (".mask", ".IGNORE", ".rotary_sin", ".rotary_cos")
    assert all(name.endswith(fixed) for name in missing)
    return theirs.eval()


def both(options: dict[str, Any]) -> tuple[Transformer, dict[str, Tensor], Any]:
    """Ours, its weights for one seed, and the HookedTransformer that they are exported to."""
    ours = model(**options)
    given = labelled_weights(ours, [0])
    dataset = xr.Dataset(
        {name: (WEIGHTS[name].dims[2:], weight[0].numpy()) for name, weight in given.items()}
    )
    return ours, pack(given), hooked(to_transformer_lens(dataset, ours.options, n_ctx=12))


@pytest.mark.parametrize("options", MODELS, ids=str)
@torch.no_grad()
def test_logits_equal_those_of_a_hooked_transformer(options: dict[str, Any]) -> None:
    ours, weights, theirs = both(options)
    text = tokens(4, 12)
    expected = theirs(text)
    assert expected.shape == (4, 12, D_OUTPUT)
    torch.testing.assert_close(ours(weights, text)[0], expected, atol=1e-5, rtol=1e-5)


@pytest.mark.parametrize("options", [MODELS[0], MODELS[4]], ids=str)
@torch.no_grad()
def test_every_site_of_both_has_the_same_value(options: dict[str, Any]) -> None:
    ours, weights, theirs = both(options)
    theirs.set_use_attn_result(True)
    text = tokens(4, 12)
    _, cache = theirs.run_with_cache(text)
    sites = Sites(read=[name for name in cache if name in our_sites(ours, weights, text)])
    ours(weights, text, sites)
    not_ours = {name.rpartition(".")[2] for name in set(cache) - set(sites.values)}
    assert not_ours == {"hook_scale", "hook_in", "hook_out"}
    for name, value in sites.values.items():
        torch.testing.assert_close(value[0], cache[name], atol=1e-5, rtol=1e-5, msg=name)


def our_sites(ours: Transformer, weights: dict[str, Tensor], text: Tensor) -> set[str]:
    """The names of all sites that a pass comes by."""
    seen = set()

    class Every(Sites):
        def wants(self, name: str) -> bool:
            return True

        def __call__(self, name: str, value: Tensor) -> Tensor:
            seen.add(name)
            return value

    ours(weights, text, Every())
    return seen


@torch.no_grad()
def test_an_edit_does_what_a_hook_does() -> None:
    ours, weights, theirs = both(MODELS[0])
    text = tokens(4, 12)
    for name in ("blocks.0.attn.hook_pattern", "blocks.1.attn.hook_z", "blocks.0.hook_resid_mid"):
        expected = theirs.run_with_hooks(text, fwd_hooks=[(name, lambda value, hook: value * 0.3)])
        edited = ours(weights, text, Sites(edits={name: lambda value: value * 0.3}))[0]
        torch.testing.assert_close(edited, expected, atol=1e-5, rtol=1e-5)


@torch.no_grad()
@pytest.mark.parametrize("shape", foreign_shapes(), ids=str)
def test_a_hooked_transformers_weights_are_imported(shape: dict[str, Any], tmp_path: Path) -> None:
    theirs = lens.HookedTransformer(lens.HookedTransformerConfig(**shape, seed=0)).eval()
    state = theirs.state_dict()
    options, weights, ours, given = imported(shape, state, tmp_path)
    text = tokens(4, WIDTH)
    torch.testing.assert_close(ours(given, text)[0], theirs(text), atol=1e-5, rtol=1e-5)
    again = to_transformer_lens(weights.isel(step=0, seed=0), options, n_ctx=WIDTH)
    for name, value in again.state.items():
        assert np.array_equal(value, state[name].numpy()), name
