"""Attention scores token by token, of queries and keys that other parts of the model made from embeddings.

A path says how the query and the key of a head are made: from the embedding of a token, through parts of the
model, one after the other:

    ov 0      what the attention of layer 0 writes where it attends to this alone (ov 0.1: its head 1 alone)
    mlp 0     the sum of it and of what the MLP of layer 0 adds to it

Parts are applied exactly, with biases, LayerNorm and activation, to one token's share of the residual stream.
The rest of the residual stream (the embedding of the position, say) is left out.  Tokens are given as words.
The first query belongs to the first key, and so on: a path carries a token's identity if its scores are largest
on the diagonal.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Annotated

import numpy as np
import xarray as xr
from pydantic import Field

from interpflow.errors import InterpflowError
from interpflow.nearest import listed
from interpflow.section import Pattern, Section
from interpflow.selection import Layer, Steps
from interpflow.variables import Variable

if TYPE_CHECKING:
    from torch import Tensor

    from interpflow.known import Foreseen, Known, Refused
    from interpflow.model.packing import Weights
    from interpflow.model.sites import Edit
    from interpflow.model.transformer import Transformer
    from interpflow.runs import Runs


Part = Annotated[str, Field(pattern=r"^(ov \d+(\.\d+)?|mlp \d+)$")]


class Side(Section):
    """What a query or a key is made of."""

    tokens: Pattern  # a regular expression for all of a word: "[0-9]+"
    through: list[Part] = []  # parts that it goes through, in their order


class Path(Section):
    """What meets in the heads of a layer."""

    layer: Layer
    query: Side
    key: Side


class Options(Section):
    """Every head of the layer of each path."""

    paths: Annotated[dict[str, Path], Field(min_length=1)]
    steps: Steps = "last"


_PLACE = ("seed", "step", "path", "head")
VARIABLES = {
    "scores": Variable((*_PLACE, "query", "key"), "1", "attention score above the query's mean"),
    "diagonal_top": Variable(
        _PLACE, "1", "share of queries whose highest score is that of their own key"
    ),
    "diagonal_contrast": Variable(
        _PLACE,
        "sd",
        "mean score on the diagonal above that beside it, in standard deviations of the latter",
    ),
    "query_word": Variable(("path", "query"), "1", "token that the query is made of"),
    "key_word": Variable(("path", "key"), "1", "token that the key is made of"),
    "checkpoint": Variable(("step",), "1", "first, last, or in between"),
}

NEEDS = "runs"
RESIDUAL = True


def refuse(known: Known, options: Options) -> Iterator[Refused]:
    """What cannot work: which of the options, and why."""
    words = [str(word) for word in known.data["token"].values]
    for name, path in options.paths.items():
        try:
            _tokens(words, name, path)
        except InterpflowError as error:
            yield ("paths", name), str(error).partition(": ")[2]
        for side in ("query", "key"):
            for at, part in enumerate(getattr(path, side).through):
                here = ("paths", name, side, "through", at)
                layer, _, head = part.split()[1].partition(".")
                if int(layer) >= known.model.layers or int(head or 0) >= known.model.heads:
                    has = f"{known.model.layers} layers of {known.model.heads} heads"
                    yield here, f"no part '{part}'; the model has {has}, counted from 0"
                elif part.startswith("mlp") and not known.model.d_mlp:
                    yield here, "the model has no MLP"


def coordinates(known: Known, options: Options) -> dict[str, Foreseen | None]:
    """The labels that are known before the run."""
    return {"path": list(options.paths)}


def analyse(runs: Runs, options: Options) -> xr.Dataset:
    """Compute the scores of every seed.  A path with fewer tokens than another is padded with NaN.

    Raises InterpflowError for a layer or head that there is not, and where queries and keys are not as many.
    """
    words = [str(word) for word in runs.data["token"].values]
    tokens = {name: _tokens(words, name, path) for name, path in options.paths.items()}
    size = max(len(queries) for queries, _ in tokens.values())
    steps, shape = runs.kept(options.steps), runs.model.options
    place = (len(runs.seeds), len(steps), len(tokens), shape.heads)
    scores = np.full((*place, size, size), np.nan)
    top, contrast = np.empty(place), np.empty(place)
    for at, step in enumerate(steps):
        weights = runs.weights_at(step)
        for index, (name, path) in enumerate(options.paths.items()):
            found = _scores(runs.model, weights, path, *tokens[name])
            number = found.shape[-1]
            scores[:, at, index, :, :number, :number] = found
            own = np.eye(number, dtype=bool)
            top[:, at, index] = (found.argmax(-1) == np.arange(number)).mean(-1)
            beside = found[..., ~own]
            above = found[..., own].mean(-1) - beside.mean(-1)
            with np.errstate(invalid="ignore", divide="ignore"):  # all alike: NaN
                contrast[:, at, index] = above / beside.std(-1)
    return xr.Dataset(
        {
            "scores": (VARIABLES["scores"].dims, scores),
            "diagonal_top": (_PLACE, top),
            "diagonal_contrast": (_PLACE, contrast),
            **{
                f"{side}_word": (
                    ("path", side),
                    [[words[token] for token in each[end]] + [""] * (size - len(each[end]))
                     for each in tokens.values()],
                )
                for end, side in enumerate(("query", "key"))
            },
            "checkpoint": ("step", runs.names(steps)),
        },
        {
            "seed": runs.seeds,
            "step": steps,
            "path": list(options.paths),
            "head": np.arange(shape.heads),
            "query": np.arange(size),
            "key": np.arange(size),
        },
    )  # fmt: skip


def _tokens(words: list[str], name: str, path: Path) -> tuple[list[int], list[int]]:
    """The tokens of queries and of keys."""
    queries, keys = (
        [token for token, word in enumerate(words) if re.fullmatch(side.tokens, word)]
        for side in (path.query, path.key)
    )
    if len(queries) < 2 or len(queries) != len(keys):
        raise InterpflowError(
            f"paths.{name}: {len(queries)} tokens fit '{path.query.tokens}' and {len(keys)} fit "
            f"'{path.key.tokens}'; it takes as many, two at least, of {listed(words)}"
        )
    return queries, keys


def _scores(
    model: Transformer, weights: Weights, path: Path, queries: list[int], keys: list[int]
) -> np.ndarray:
    """Attention scores (seed, head, query, key), with mean 0 over keys."""
    import torch

    block = f"blocks.{path.layer}"
    with torch.no_grad():
        q, k = (
            _at(model, weights, tokens, f"{block}.attn.hook_{letter}",
                {f"{block}.hook_resid_pre": _made(model, weights, tokens, side.through)})
            for letter, side, tokens in (("q", path.query, queries), ("k", path.key, keys))
        )  # fmt: skip
        scores = torch.einsum("sqhd,skhd->shqk", q, k).double() / model.options.score_divisor
    return (scores - scores.mean(-1, keepdim=True)).cpu().numpy()


def _made(model: Transformer, weights: Weights, tokens: list[int], through: list[Part]) -> Tensor:
    """What the parts `through` make of the embeddings of `tokens`, (seed, token, d_model)."""
    made = _at(model, weights, tokens, "hook_embed")
    for part in through:
        kind, place = part.split()
        layer, _, head = place.partition(".")
        block = f"blocks.{layer}"
        if kind == "mlp":
            edit = {f"{block}.hook_resid_mid": made}
            made = _at(model, weights, tokens, f"{block}.hook_resid_post", edit)
            continue
        edit = {f"{block}.hook_resid_pre": made}
        if not head:
            made = _at(model, weights, tokens, f"{block}.hook_attn_out", edit)
            continue
        if int(head) >= model.options.heads:
            raise InterpflowError(
                f"{part}: no head {head}; there are {model.options.heads}, counted from 0"
            )
        made = _at(model, weights, tokens, f"{block}.attn.hook_result", edit)[:, :, int(head)]
    return made


def _at(
    model: Transformer, weights: Weights, tokens: list[int], site: str,
    put: Mapping[str, Tensor] | None = None,
) -> Tensor:  # fmt: skip
    """The value of `site` (seed, token, …) in sequences of one token each, with values `put` in at sites.

    The only position attends to itself alone, so attention moves all of it.
    """
    import torch

    from interpflow.model.sites import Sites

    def instead(value: Tensor) -> Edit:
        return lambda _: value[:, :, None]

    edits = {name: instead(value) for name, value in (put or {}).items()}
    sites = Sites(read=[site], edits=edits)
    model(weights, torch.tensor(tokens, device=weights["W_E"].device)[:, None], sites)
    return sites.values[site][:, :, 0]
