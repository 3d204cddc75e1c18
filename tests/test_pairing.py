"""Who stands in for whom."""

from __future__ import annotations

import numpy as np

from interpflow.methods import pairing


def test_partners_are_others_with_the_same_state_and_give_once():
    state = np.array([3, 1, 3, 2, 1, 3, 1, -1, -1])
    found = pairing.partners(state, "test")
    alone = state == 2
    assert (found[alone] == -1).all()
    assert (state[found[~alone]] == state[~alone]).all()
    assert (found != np.arange(len(state))).all()
    assert sorted(found[~alone]) == np.flatnonzero(~alone).tolist()
    assert (pairing.partners(state, "test") == found).all()
    many = np.zeros(50, dtype=int)
    assert (pairing.partners(many, "test") != pairing.partners(many, "other")).any()


def test_donors_have_the_same_state_and_each_of_them_comes_as_often():
    wanted = np.array([3] * 4000 + [1, 2, -1])
    offered = np.array([3, 1, -1, 3, 3, 0, 3])
    found = pairing.donors(wanted, offered, "test")
    assert (offered[found[:4001]] == wanted[:4001]).all()
    assert found[4001:].tolist() == [-1, -1]
    count = np.bincount(found[:4000], minlength=len(offered))[offered == 3]
    assert abs(count - 1000).max() < 5 * np.sqrt(1000)
    assert (pairing.donors(wanted, offered, "test") == found).all()
    assert (pairing.donors(wanted, offered, "other") != found).any()
