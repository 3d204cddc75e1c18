"""What rests on a residual stream is refused a model without one."""

from __future__ import annotations

from typing import Any

import pytest

from interpflow.analyses import circuits, rollout
from interpflow.known import Known
from interpflow.model.options import ModelOptions
from interpflow.spec.plugins import ANALYSIS, load
from interpflow.tasks import even_pairs


def known(**model: Any) -> Known:
    data = even_pairs.generate(even_pairs.Options())
    options = ModelOptions(norm="none", positions="none", **model)
    return Known(data, lambda number: data, options, "binary_cross_entropy", [0])


@pytest.mark.parametrize(
    "method",
    ["lens", "attribution", "composition", "token_scores", "position_scores", "head_modes"],
)
def test_an_analysis_that_takes_blocks_to_add_says_so(method):
    assert load(ANALYSIS, method).RESIDUAL is True


@pytest.mark.parametrize("model", [{"layers": 2}, {"d_mlp": 8}])
def test_circuits_are_those_of_a_pass_in_one_attention_layer_alone(model):
    options = circuits.Options()
    assert not list(circuits.refuse(known(residual=False), options))
    assert not list(circuits.refuse(known(**model), options))
    ((at, why),) = circuits.refuse(known(residual=False, **model), options)
    assert at == ("layer",) and "no direct path" in why


def test_a_shortened_example_has_no_targets():
    options = rollout.Options(words={"1": "a{}", "0": "b{}"}, rounds="rounds")
    ((at, why),) = rollout.refuse(known(), options)
    assert at == ("rounds",) and "answer" in why
