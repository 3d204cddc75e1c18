"""What a scale changes of the base is said: all of it, and of a figure only what it rests on."""

from __future__ import annotations

import pytest

from interpflow.report.differences import Difference, conditions, differences
from interpflow.spec.load import load_spec, resolve

SPEC = """\
study: small
title: Small
seeds: 5
defaults:
  task: {name: bracket_language, train_size: 100}
  training: {epochs: 25, batch_size: 20, optimizer: adam, learning_rate: 1.0e-3, loss: mse}
experiments:
  plain: {}
  wide: {model: {d_model: 64}}
  deep: {sweep: {model.layers: [1, 2, 3]}}
analyses:
  lengths: {method: accuracy_by, experiments: [plain, wide], splits: [validation, bin1], steps: best}
  strings: {method: data_statistics, experiments: [plain, deep], variables: [length]}
figures:
  bins: {plot: length_bins, data: lengths, caption: Lengths}
  all_bins: {plot: length_bins, data: [lengths, strings], caption: Lengths}
scales:
  same: {}
  cut:
"""


@pytest.fixture
def unlike(tmp_path):
    """The differences of the scale `cut` of the spec above, in all or for a figure, as text."""

    def compare(cut: str, figure: str | None = None) -> list[str]:
        path = tmp_path / "small.yaml"
        path.write_text(f"{SPEC.rstrip()} {cut}\n")
        spec = load_spec(path)
        study = resolve(spec, "cut")
        chosen = study.figures[figure] if figure else None
        return [str(difference) for difference in differences(spec.base, study, chosen)]

    return compare


@pytest.mark.parametrize(
    ("cut", "said"),
    [
        ("{}", []),
        ("{seeds: 5, training: {epochs: 25}}", []),
        ("{seeds: 1}", ["seeds 1 instead of 5"]),
        ("{compute: {threads: 2}}", ["compute.threads 2 instead of 1"]),
        ("{training: {epochs: 1}}", ["training.epochs 1 instead of 25"]),
        ("{training: {epochs: null, steps: 9}}",
         ["training.epochs null instead of 25", "training.steps 9 instead of null"]),
        ("{task: {train_size: 10}, model: {heads: 2}}",
         ["task.train_size 10 instead of 100", "model.heads 2 instead of 1"]),
        ("{experiments: {wide: {model: {d_model: 48}}}}", ["model.d_model 48 instead of 64 (wide)"]),
        ("{analyses: {lengths: {splits: [train]}}}",
         ["analyses.lengths.splits [train] instead of [validation, bin1]"]),
        ("{figures: {bins: {trained_on: bin1}}}", ["figures.bins.trained_on bin1 instead of validation"]),
        ("{only: [plain, wide]}", ["experiments without deep_layers_1, deep_layers_2, deep_layers_3"]),
        ("{experiments: {deep: {sweep: {model.layers: [2, 4]}}}}",
         ["experiments without deep_layers_1, deep_layers_3", "experiments also deep_layers_4"]),
    ],
)  # fmt: skip
def test_a_scale_is_told_by_what_it_changes(unlike, cut, said):
    assert unlike(cut) == said


def test_a_figure_tells_only_what_it_rests_on(unlike):
    cut = (
        "{experiments: {deep: {training: {epochs: 1}}}, analyses: {strings: {variables: [tokens]}}, "
        "figures: {all_bins: {trained_on: bin1}}}"
    )
    assert unlike(cut, "bins") == []
    assert len(unlike(cut, "all_bins")) == 3


def test_the_sentence_names_the_scale_and_says_so_where_nothing_differs():
    assert conditions("paper", []) == "At scale paper: the base of the spec as it stands."
    unlike = [
        Difference("seeds", "1 instead of 5"),
        Difference("training.epochs", "1 instead of 25", ("wide", "deep")),
    ]
    assert conditions("cut", unlike) == (
        "At scale cut, unlike the base of the spec: "
        "seeds 1 instead of 5; training.epochs 1 instead of 25 (wide, deep)."
    )
