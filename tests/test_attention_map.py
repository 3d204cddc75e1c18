"""Mean patterns are the means of the patterns of single examples."""

from __future__ import annotations

from collections import defaultdict

import numpy as np
import pytest
import torch
from sums import sum_runs, validation
from trees import random_runs

from interpflow.analyses import attention_map
from interpflow.errors import InterpflowError
from interpflow.model.sites import Sites


@pytest.mark.parametrize(
    ("made", "queries"), [(sum_runs, ["scored"]), (random_runs, ["root", "edge_target"])]
)
def test_a_mean_pattern_is_that_of_the_examples_that_have_the_query(made, queries):
    runs = made()
    found = attention_map.analyse(runs, attention_map.Options(queries=queries))
    data, asked = validation(runs), runs.mask_of_all(validation(runs), queries)
    keys = found.sizes["key"]
    rows = defaultdict(list)
    sites = [f"blocks.{layer}.attn.hook_pattern" for layer in range(2)]
    for at in range(data.sizes["example"]):
        length = int(data["length"][at])
        tokens = torch.from_numpy(data["tokens"].values[at, :length].astype(np.int64))
        read = Sites(read=sites)
        with torch.no_grad():
            runs.model(runs.weights("last"), tokens[None], read)
        pattern = np.stack([read.values[site][:, 0].numpy() for site in sites], 1)
        for query in np.flatnonzero(asked[at]):
            row = np.zeros((*pattern.shape[:3], keys))
            row[..., :length] = pattern[..., query, :]
            rows[query].append(row)
    assert found["query"].values.tolist() == sorted(rows)
    for query, each in rows.items():
        ours = found["attention"].sel(query=query)
        assert ours.values == pytest.approx(np.mean(each, axis=0), abs=1e-6)
        assert (found["count"].sel(query=query) == len(each)).all()


def test_a_position_that_no_example_has_is_refused():
    runs = sum_runs()
    runs.data = runs.data.assign(never=runs.data["scored"] & False)
    with pytest.raises(InterpflowError, match="no example has a position never"):
        attention_map.analyse(runs, attention_map.Options(queries=["never"]))
