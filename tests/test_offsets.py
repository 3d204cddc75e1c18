"""Sequences that begin at random positions: what a model reads, and where they begin."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import torch
from small import N_CTX, brackets, model, recipe, tokens, weights

from interpflow.errors import InterpflowError
from interpflow.model import positions as positions_of
from interpflow.training.loop import train
from interpflow.training.offsets import begins


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "alternating"])
@torch.no_grad()
def test_a_token_gets_the_vector_of_the_position_at_which_it_stands(positions):
    """Layers aside: logits of single tokens are those of a model that reads the sum of the two vectors."""
    ours = model(positions=positions, norm="none", layers=1)
    given, text = weights(ours), tokens(3, 4, 1)
    at = torch.tensor([[0, 5, 2, 11], [1, 1, 7, 3], [4, 0, 0, 9]])
    found = ours.rows(given, [text], begins=[at])
    table = positions_of.embeddings(ours.options, given, N_CTX)
    assert table is not None
    for seed in range(3):
        for example in range(4):
            moved = {name: value.clone() for name, value in given.items()}
            row = table[seed, at[seed, example]] - table[seed, 0]
            moved["W_E"][seed, text[seed, example, 0]] += row
            plain = ours.rows(moved, [text])
            torch.testing.assert_close(found[seed, example], plain[seed, example])


@pytest.mark.parametrize("positions", ["none", "rotary"])
@torch.no_grad()
def test_a_model_that_knows_no_place_or_distances_alone_reads_the_same_wherever_a_sequence_begins(
    positions,
):
    ours = model(positions=positions, norm="pre", heads=2, d_mlp=16)
    given, groups = weights(ours), [tokens(3, 4, 5), tokens(3, 2, 8)]
    at = begins(groups, N_CTX, [0, 1, 2], step=3)
    found, plain = ours.rows(given, groups, begins=at), ours.rows(given, groups)
    torch.testing.assert_close(found, plain, atol=1e-5, rtol=1e-5)


def test_all_positions_from_which_a_sequence_fits_are_as_likely_and_a_seed_draws_for_itself():
    groups = [tokens(3, 500, 5), tokens(3, 500, 9)]
    drawn = [begins(groups, N_CTX, [0, 1, 2], step) for step in range(8)]
    for at, places in ((0, N_CTX - 5 + 1), (1, N_CTX - 9 + 1)):
        together = torch.stack([one[at] for one in drawn])
        count = np.bincount(together.flatten().numpy())
        assert len(count) == places
        assert (abs(count - count.mean()) < 5 * count.mean() ** 0.5).all()
    alone = begins([group[1:2] for group in groups], N_CTX, [1], 4)
    assert all(torch.equal(one[0], other[1]) for one, other in zip(alone, drawn[4], strict=True))


def test_training_reaches_positions_that_no_sequence_is_long_enough_for(tmp_path: Path):
    data = brackets(60, 1, 20)
    short = data["length"].where(data["split"] == "train").max().item()
    wider = data.pad(position=(0, 30), constant_values=0).assign(scored=data["scored"].pad(
        position=(0, 30), constant_values=False))  # fmt: skip

    def moved(**training) -> np.ndarray:
        options = recipe({"positions": "learned"}, optimizer="sgd", steps=10, **training)
        found, _ = train(
            wider, options, tmp_path / f"{len(training)}.npz", lambda *at, **values: None
        )
        table = found["W_pos"].values
        return (table[-1] != table[0]).any(-1)

    assert not moved()[:, int(short) :].any()
    assert moved(position_offsets=True)[:, int(short) :].mean() > 0.5


def test_sequences_that_share_a_prefix_begin_where_it_begins():
    ours, text = model(), tokens(3, 2, 5)
    branch = torch.zeros_like(text)
    with pytest.raises(InterpflowError, match="all begin at position 0"):
        ours.rows(weights(ours), [text], branch=[branch], begins=[torch.ones(3, 2).long()])
