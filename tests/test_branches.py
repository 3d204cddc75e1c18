"""Sequences that share a prefix give, computed as one, what each gives alone."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from small import D_VOCAB, N_CTX, model, weights

from interpflow.errors import InterpflowError
from interpflow.model import branches
from interpflow.model.rows import visible
from interpflow.rng import generator

PREFIX = 4
OWNER = np.array([0, 0, 0, 1, 2, 2])
LENGTH = np.array([7, 5, 9, N_CTX, 6, 6])
WIDTH = 25


def sequences() -> np.ndarray:
    """Tokens (sequence, pos), 0 from `LENGTH` on."""
    random = generator("test branches")
    text = random.integers(1, D_VOCAB, (len(OWNER), N_CTX))
    text[:, :PREFIX] = random.integers(1, D_VOCAB, (3, PREFIX))[OWNER]
    return np.where(np.arange(N_CTX) < LENGTH[:, None], text, 0)


def joined(text: np.ndarray, width: int = WIDTH) -> dict[str, np.ndarray]:
    """`text` as one sequence an owner, and where each token came from."""
    from_row = np.broadcast_to(np.arange(len(text))[:, None], text.shape)
    from_pos = np.broadcast_to(np.arange(N_CTX), text.shape)
    arrays = {"tokens": text, "row": from_row, "pos": from_pos}
    return branches.join(arrays, LENGTH, OWNER, PREFIX, width)


def test_each_owner_has_its_prefix_once_and_its_continuations_in_turn():
    text = sequences()
    one = joined(text)
    assert one["tokens"].shape == one["branch"].shape == (3, WIDTH)
    assert one["branch"][0].tolist() == [-1] * 4 + [0] * 3 + [1] + [2] * 5 + [*range(-15, -27, -1)]
    expected = [*text[0, :7], *text[1, 4:5], *text[2, 4:9], *[0] * 12]
    assert one["tokens"][0].tolist() == expected


def test_what_does_not_fit_is_left_out():
    one = joined(sequences(), width=N_CTX)
    assert one["branch"][0].tolist() == [-1] * 4 + [0] * 3 + [1] + [-10, -11, -12, -13]


def test_a_sequence_too_long_for_the_width_is_an_error():
    with pytest.raises(ValueError, match="12 tokens does not fit a width of 11"):
        joined(sequences(), width=N_CTX - 1)


def test_positions_go_on_from_the_prefix():
    one = {name: torch.from_numpy(array) for name, array in joined(sequences()).items()}
    real = one["branch"] >= -1
    # As many tokens as it sees besides itself stand before a token.
    found = visible(one["tokens"], one["branch"], model().options).sum(-1) - 1
    assert torch.equal(found[real], one["pos"][real])
    assert int(found.max()) < N_CTX  # at paddings, too


def test_full_attention_and_a_shared_prefix_are_refused():
    ours = model(attention="full")
    one = {name: torch.from_numpy(array)[None] for name, array in joined(sequences()).items()}
    with pytest.raises(InterpflowError, match=r"attention: full .* cannot share a prefix"):
        ours.rows(weights(ours, [0]), [one["tokens"]], branch=[one["branch"]])


@pytest.mark.parametrize("positions", ["learned", "sinusoidal", "rotary", "none"])
@pytest.mark.parametrize("heads", [1, 3])
def test_logits_and_gradients_are_those_of_the_sequences_alone(heads: int, positions: str) -> None:
    ours = model(layers=2, heads=heads, d_mlp=16, norm="pre", positions=positions)
    given = {name: w.double().requires_grad_() for name, w in weights(ours).items()}
    text = sequences()
    one = {name: torch.from_numpy(array) for name, array in joined(text).items()}
    seeds = len(given["W_E"])
    together = ours.rows(
        given,
        [one["tokens"].expand(seeds, -1, -1)],
        branch=[one["branch"].expand(seeds, -1, -1)],
    )
    alone = ours(given, torch.from_numpy(text))

    real = (one["branch"] >= -1).flatten()
    expected = alone[:, one["row"].flatten()[real], one["pos"].flatten()[real]]
    torch.testing.assert_close(together[:, real], expected)
    upstream = torch.from_numpy(generator("upstream").normal(size=tuple(expected.shape)))
    used = [w for name, w in given.items()]
    gradients = (
        torch.autograd.grad(out, used, upstream, allow_unused=True)
        for out in (together[:, real], expected)
    )
    for one_gradient, other in zip(*gradients, strict=True):
        torch.testing.assert_close(one_gradient, other)
