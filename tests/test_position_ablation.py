"""What is ablated at a position is felt where one example and one edit at a time feel it."""

from __future__ import annotations

import numpy as np
import pytest
from sums import logits, sum_runs, validation
from torch import Tensor
from trees import random_runs

from interpflow.analyses import position_ablation
from interpflow.errors import InterpflowError
from interpflow.model.sites import Sites


def values(runs, data, site) -> Tensor:
    """The site in every example, (seed, example, pos, d)."""
    read = Sites(read=[site])
    everything = runs.examples("validation").take(np.arange(data.sizes["example"]))
    runs.model(runs.weights("last"), everything.tokens, read)
    return read.values[site].detach()


@pytest.mark.parametrize(
    ("made", "names"),
    [(sum_runs, {"positions": ["real"], "queries": ["scored"]}),
     (random_runs, {"positions": ["edge_target", "goal"], "queries": ["root", "path"]})],
)  # fmt: skip
@pytest.mark.parametrize("ablation", ["mean", "zero"])
def test_effects_are_those_of_editing_one_example_at_one_position(made, names, ablation):
    runs, site = made(), "blocks.0.hook_resid_post"
    options = position_ablation.Options(site=site, ablation=ablation, **names)
    found = position_ablation.analyse(runs, options)
    data = validation(runs)
    ablated, asked = (runs.mask_of_all(data, names[key]) for key in ("positions", "queries"))
    everything, last = values(runs, data, site), int(runs.labelled["step"][-1])
    for seed in (0, 1):
        for place in found["position"].values[::3].tolist():
            there = np.flatnonzero(ablated[:, place])
            mean = everything[seed, there, place].mean(0) if ablation == "mean" else 0.0
            kl, changed = {}, {}
            for at in there.tolist():
                example = data.isel(example=at)

                def put(value, place=place, mean=mean):
                    value = value.clone()
                    value[0, 0, place] = mean
                    return value

                intact = logits(runs, last, seed, example).log_softmax(-1)
                other = logits(runs, last, seed, example, {site: put}).log_softmax(-1)
                for query in np.flatnonzero(asked[at]).tolist():
                    away = (intact[query].exp() * (intact[query] - other[query])).sum().item()
                    kl.setdefault(query, []).append(away)
                    moved = bool(intact[query].argmax() != other[query].argmax())
                    changed.setdefault(query, []).append(moved)
            for query in found["query"].values.tolist():
                here = found.sel(seed=seed, position=place, query=query)
                expected = np.mean(kl[query]) if query in kl else np.nan
                assert here["kl"].item() == pytest.approx(expected, abs=1e-5, nan_ok=True)
                expected = np.mean(changed[query]) if query in changed else np.nan
                assert here["changed"].item() == pytest.approx(expected, nan_ok=True)


def test_the_last_layer_is_felt_nowhere_else_and_an_earlier_one_is():
    runs = sum_runs()
    last, first = (
        position_ablation.analyse(runs, position_ablation.Options(site=site, ablation="zero"))
        for site in ("blocks.1.hook_resid_post", "blocks.0.hook_resid_pre")
    )
    for found in (last, first):
        own = found["position"] == found["query"]
        shares = found["changed"].where(own).stack(at=("position", "query"))
        assert found["own"].values == pytest.approx(shares.mean("at").values)
        others = found["changed"].where(~own).max(("position", "query"))
        assert (found["elsewhere"] == others).all()
    assert (last["elsewhere"] == 0).all() and (last["own"] > 0).all()
    assert (first["elsewhere"] > 0).all()


@pytest.mark.parametrize("option", ["positions", "queries"])
def test_a_position_that_no_example_has_is_refused(option):
    runs = sum_runs()
    runs.data = runs.data.assign(never=runs.data["scored"] & False)
    options = {"site": "blocks.0.hook_resid_post", option: ["never"]}
    with pytest.raises(InterpflowError, match=f"{option}: no example has one of"):
        position_ablation.analyse(runs, position_ablation.Options(**options))
