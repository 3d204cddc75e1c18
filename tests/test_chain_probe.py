"""Probes of chains read what chains passed, at the positions that climb them."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from trees import felt_runs, found

from interpflow.analyses import attention_chains, chain_probe

STATES = {"holds": {"variable": "edge_source"}, "key": {"variable": "edge_target"}}
FIT = {"hidden": [[], [16]], "epochs": 300, "learning_rate": 1e-2}


def options(**changed) -> chain_probe.Options:
    given = {
        "split": "plain",
        "positions": ["registers.is_register", "root"],
        "site": "blocks.3.hook_resid_pre",
    }
    return chain_probe.Options(**{**STATES, **given, **FIT, **changed})


@pytest.fixture(scope="module")
def of():
    return felt_runs({"registers": found(8, 11)}, layers=4)


def test_what_a_chain_passed_is_read_off_its_links(of):
    data, examples = of.select(options())
    wanted = of.mask(data, options().positions)
    ends = chain_probe._passed(of, options())
    count = 0
    for indices, there in attention_chains.followed(of, data, examples, options()):
        for row, (at, labels) in enumerate(ends):
            for place, (example, position) in enumerate(zip(*at, strict=True)):
                if example not in indices:
                    continue
                one = (row, int(np.flatnonzero(indices == example)[0]), position)
                assert wanted[row, example, position] and there["valid"][one]
                passed = {int(link) for link in there["links"][(slice(None), *one)]} - {-1}
                assert set(np.flatnonzero(labels[:, place])) == passed
                # A chain of one step passed two nodes, and no node twice: it climbs a tree.
                assert len(passed) == there["length"][one] + 1
                count += 1
    assert count == sum(len(at[0]) for at, _ in ends) > 20


def test_a_state_that_is_written_where_it_is_read_is_read_and_that_of_other_chains_is_not(
    of, monkeypatch
):
    ends = chain_probe._passed(of, options())
    row = {at[0].tobytes() + at[1].tobytes(): number for number, (at, _) in enumerate(ends)}

    def written(weights, examples, site, at):
        number = row[at[0].tobytes() + at[1].tobytes()]
        return torch.from_numpy(ends[number][1].T.astype(np.float32)).expand(2, -1, -1)

    monkeypatch.setattr(of, "activations", written)
    result = chain_probe.analyse(of, options())
    assert (result["f1"].sel(control="none") > 0.95).all()
    assert (result["f1"].sel(control="other_chains") < 0.8).all()
    assert result["chains"].values.tolist() == [len(at[0]) for at, _ in ends]


def test_a_seed_without_positions_has_nothing_to_read(of):
    alone = felt_runs({"registers": found()}, layers=4)
    result = chain_probe.analyse(alone, options(positions=["registers.is_register"]))
    assert result["f1"].isnull().all() and not result["chains"].any()
