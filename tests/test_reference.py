"""The field reference says what the code says."""

from __future__ import annotations

from pathlib import Path

import pytest
from toys import add_toys

from interpflow.errors import InterpflowError
from interpflow.model.options import ModelOptions
from interpflow.spec.field_reference import reference, reference_of
from interpflow.training.options import TrainingOptions


@pytest.fixture(scope="module")
def whole() -> str:
    """The reference, written once."""
    return reference()


def test_the_reference_in_the_repository_is_up_to_date(whole: str) -> None:
    written = (Path(__file__).parents[1] / "specs" / "README.md").read_text()
    assert written == whole, "run: interpflow reference > specs/README.md"


def test_every_option_of_model_and_training_is_in_the_reference(whole: str) -> None:
    for model in (ModelOptions, TrainingOptions):
        for name in model.model_fields:
            assert f"\n| `{name}` |" in whole


def test_an_option_is_told_with_its_type_default_and_comment(whole: str) -> None:
    row = (
        "| `d_mlp` | whole number >= 0 | `0` | width of the MLP's hidden layer; 0: attention only |"
    )
    assert row in whole


def test_a_new_module_is_in_the_reference_by_itself(
    whole: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert "toy_probe" not in whole
    add_toys(monkeypatch)
    with_toys = reference()
    assert "### `toy_probe`\n\nThe smallest analysis a spec can name" in with_toys
    assert "| `width` | whole number > 0 or 'auto' | `8` | |" in with_toys


def test_what_an_analysis_finds_and_a_task_has_is_in_the_reference() -> None:
    found = reference_of("accuracy_by")
    assert "along `experiment`, `seed`, `step`, `group` and what" in found
    assert "| `loss` | seed, step, group | 1 | mean loss over sequences |" in found
    task = reference_of("tree_pathfinding")
    assert "| `to_goal` | example, position | edge | edges left to the goal" in task
    assert "- splits: `train`, `validation`, `test`" in task
    assert "- names of positions: `edge_source`, `edge_target`" in task


def test_a_misspelt_method_is_refused_with_the_nearest() -> None:
    with pytest.raises(
        InterpflowError, match=r"no task, analysis or plot 'accuracy_bye'.*'accuracy_by'"
    ):
        reference_of("accuracy_bye")


def test_sections_inside_options_have_tables_of_their_own(whole: str) -> None:
    assert "#### In `splits.<name>`\n\nTrees for an analysis" in whole
    assert "#### In `erasures.<name>.state`\n" in whole


def test_a_comment_above_an_option_is_told_as_one_beside_it(whole: str) -> None:
    assert "| `null` | Edges from the root to the goal, or one of several at random. each:" in whole
