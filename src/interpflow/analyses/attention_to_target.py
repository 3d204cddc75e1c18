"""Does a head look at the answer?  Attention from every scored position to the tokens that it should predict.

Of a position whose target is the word `7`, that is the attention on the tokens `7` at or before it.  Positions
where the answer does not stand in the sequence are left out.
"""

from __future__ import annotations

import numpy as np
import xarray as xr

from interpflow.errors import InterpflowError
from interpflow.section import Section
from interpflow.selection import Checkpoint
from interpflow.variables import Variable


class Options(Section):
    """Every head of every layer."""

    checkpoint: Checkpoint = "last"
    split: str = "validation"


_BY_HEAD = ("seed", "layer", "head")
VARIABLES = {
    "attention": Variable(_BY_HEAD, "1", "mean attention on the answer"),
    "top": Variable(_BY_HEAD, "1", "share of positions that attend most to the answer"),
    "best_top": Variable(
        ("seed",), "1", "share of positions where some head attends most to the answer"
    ),
}

NEEDS = "runs"


def analyse(runs, options: Options) -> xr.Dataset:  # type: ignore[no-untyped-def]
    """Attention of every seed.  Raises InterpflowError for a task with several labels a position."""
    import torch

    from interpflow.model.sites import Sites

    if runs.loss != "cross_entropy":
        raise InterpflowError("attention_to_target: the task has no single answer at a position")
    shape = runs.model.options
    words = list(runs.data["token"].values)
    # The token that says the same as each output; -1 where none does.
    token_of = torch.tensor(
        [words.index(word) if word in words else -1 for word in runs.data["output"].values]
    )
    patterns = [f"blocks.{layer}.attn.hook_pattern" for layer in range(shape.layers)]
    examples, weights = runs.examples(options.split), runs.weights(options.checkpoint)
    mass = np.zeros((len(runs.seeds), shape.layers, shape.heads))
    top, best, count = np.zeros_like(mass), np.zeros(len(runs.seeds)), 0
    with torch.no_grad():
        for _, batch in examples.in_order_of_length():
            sites = Sites(read=patterns)
            runs.model(weights, batch.tokens, sites)
            answer = token_of.to(batch.tokens.device)[batch.targets.long()]
            there = batch.tokens[:, None, :] == answer[:, :, None]  # (batch, query, key)
            there &= torch.ones_like(there[0]).tril()
            asked = batch.scored & there.any(-1)
            found = torch.stack([sites.values[name] for name in patterns], 1)
            on_answer = (found * there[None, None, :, None]).sum(-1)
            # (seed, layer, batch, head, query) -> (seed, layer, head, position asked)
            on_answer = on_answer.transpose(2, 3)[..., asked]
            most = found.argmax(-1, keepdim=True)
            hit = there[None, None, :, None].expand_as(found).gather(-1, most)[..., 0]
            hit = hit.transpose(2, 3)[..., asked]
            mass += on_answer.sum(-1).double().cpu().numpy()
            top += hit.sum(-1).cpu().numpy()
            best += hit.flatten(1, 2).any(1).sum(-1).cpu().numpy()
            count += int(asked.sum())
    if not count:
        raise InterpflowError("attention_to_target: no answer stands in the sequences")
    return xr.Dataset(
        {
            "attention": (_BY_HEAD, mass / count),
            "top": (_BY_HEAD, top / count),
            "best_top": ("seed", best / count),
        },
        {
            "seed": runs.seeds,
            "layer": np.arange(shape.layers),
            "head": np.arange(shape.heads),
        },
    )
