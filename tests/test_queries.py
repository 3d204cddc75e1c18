"""A query run again alone is the query of a whole pass in which nothing else was changed."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small import model, tokens, weights

from interpflow.errors import InterpflowError
from interpflow.methods.queries import Queries
from interpflow.model.sites import Sites

SHAPES = [
    {"layers": 3, "heads": 2, "d_mlp": 16, "norm": "pre", "positions": "learned"},
    {"layers": 2, "heads": 1, "d_mlp": 0, "norm": "post", "positions": "none", "biases": False},
    {"layers": 2, "heads": 3, "d_mlp": 16, "norm": "pre", "positions": "rotary"},
]
# Two queries stand in one sequence, and one at the first position.
AT = np.array([0, 0, 1, 3]), np.array([4, 7, 0, 5])


@pytest.fixture(params=SHAPES, ids=["pre", "post", "rotary"])
def made(request):
    torch.set_num_threads(1)  # more would wait for each other at these sizes
    of = model(**request.param)
    return of, weights(of), tokens(4, 9)


def whole_pass(made, query, edits):
    """Logits of one query (seed, d_output) in a pass over all positions."""
    of, values, given = made
    with torch.no_grad():
        return of(values, given, Sites(edits=edits))[:, AT[0][query], AT[1][query]]


def test_a_query_that_reads_the_same_predicts_the_same(made):
    queries = Queries(*made, AT)
    again = queries.again(3, {})
    for query in range(len(AT[0])):
        expected = whole_pass(made, query, {})
        torch.testing.assert_close(queries.logits[:, query], expected)
        for variant in range(3):
            torch.testing.assert_close(again[:, query, variant], expected)


def test_a_cut_is_felt_through_all_later_layers_and_by_the_query_alone(made):
    cuts = [(0, 2), (1, 1)]  # layer and key of each variant

    def cut(layer):
        def edit(scores):
            scores = scores.clone()
            for variant, (at, key) in enumerate(cuts):
                if at == layer:
                    scores[:, :, :, variant, key] = -torch.inf
            return scores

        return edit

    names = {f"blocks.{layer}.attn.hook_attn_scores": cut(layer) for layer in (0, 1)}
    again = Queries(*made, AT).again(2, names)
    for query in (0, 1, 3):
        example, position = AT[0][query], AT[1][query]
        for variant, (layer, key) in enumerate(cuts):

            def edit(scores, key=key, example=example, position=position):
                scores = scores.clone()
                scores[:, example, :, position, key] = -torch.inf
                return scores

            expected = whole_pass(made, query, {f"blocks.{layer}.attn.hook_attn_scores": edit})
            torch.testing.assert_close(again[:, query, variant], expected)
            assert not torch.allclose(expected, whole_pass(made, query, {}), atol=1e-4)


def test_an_attention_output_put_in_is_the_one_of_a_whole_pass_with_it(made):
    new = torch.linspace(-1, 1, made[0].d_head)

    def edit(z):
        z = z.clone()
        z[:, :, 1] = new
        return z

    again = Queries(*made, AT).again(2, {"blocks.1.attn.hook_z": edit})
    for query in range(len(AT[0])):

        def put(z, query=query):
            z = z.clone()
            z[:, AT[0][query], AT[1][query]] = new
            return z

        torch.testing.assert_close(again[:, query, 0], whole_pass(made, query, {}))
        expected = whole_pass(made, query, {"blocks.1.attn.hook_z": put})
        torch.testing.assert_close(again[:, query, 1], expected)


def test_what_is_read_from_some_keys_and_from_the_others_is_all_that_is_read(made):
    of, values, given = made
    queries, read = Queries(*made, AT), Sites(read=["blocks.1.attn.hook_z"])
    with torch.no_grad():
        of(values, given, read)
    expected = read.values["blocks.1.attn.hook_z"][:, AT[0], AT[1]]
    keys = tokens(len(AT[0]), 9)[None] % 2 == 0
    both = queries.reading(1, keys) + queries.reading(1, ~keys)
    torch.testing.assert_close(both, expected)


def test_an_edit_of_any_site_is_felt_by_its_variant_alone(made):
    def edit(values):
        values = values.clone()
        values[:, :, 1] *= 0.5
        return values

    again = Queries(*made, AT).again(3, {"blocks.1.attn.hook_k": edit})
    torch.testing.assert_close(again[:, :, 2], again[:, :, 0])
    read_more_than_itself = AT[1] > 0
    assert ((again[:, :, 1] - again[:, :, 0]).abs().amax((0, 2)) > 1e-3).tolist() == list(
        read_more_than_itself
    )


def test_a_site_that_there_is_not_is_an_error(made):
    with pytest.raises(InterpflowError, match=r"no site \['blocks.0.attn.hook_key'\]"):
        Queries(*made, AT).again(1, {"blocks.0.attn.hook_key": lambda value: value})


def test_full_attention_is_refused():
    of = model(attention="full")
    with pytest.raises(InterpflowError, match="attention must be causal"):
        Queries(of, weights(of), tokens(4, 9), AT)
