"""Where weights come from is checked before anything trains, planned as an edge, and runs."""

from __future__ import annotations

import json
from pathlib import Path

import numpy as np
import pytest
import xarray as xr
import yaml
from built_study import build

from interpflow import store
from interpflow.__main__ import main
from interpflow.errors import InterpflowError
from interpflow.spec.foresight import Foresight
from interpflow.spec.load import load_spec, resolve
from interpflow.store import sha256
from interpflow.workflow.cost import training_seconds
from interpflow.workflow.plan import Plan
from interpflow.workflow.planner import plan

SPEC = """\
study: small
title: Going on
seeds: 3
compute: {seeds_per_job: 2}
defaults:
  task: {name: bracket_language, max_length: 12, train_size: 60, validation_size: 20, overlap: true}
  model: {d_model: 8, d_mlp: 8, heads: 2}
  training: {epochs: 1, batch_size: 20, optimizer: adam, learning_rate: 1.0e-2, loss: mse}
experiments:
  tuned: {training: {start: {experiment: base}, frozen: [head 0.1]}}
  base: {}
  swept: {sweep: {model.layers: [1, 2]}}
analyses:
  strings: {method: data_statistics, experiments: [base], variables: [length]}
  lengths: {method: accuracy_by, experiments: [tuned], steps: all}
scales:
  smoke: {seeds: 1}
"""


def resolved(
    folder: Path,
    *changes: tuple[str, str],
    text: str = SPEC,
    foresight: Foresight | None = None,
):
    for old, new in changes:
        assert text.count(old) == 1, old
        text = text.replace(old, new)
    (folder / "specs").mkdir(exist_ok=True)
    path = folder / "specs/small.yaml"
    path.write_text(text)
    return load_spec(path, foresight)


def planned(folder: Path, *changes: tuple[str, str]) -> Plan:
    return plan(resolve(resolved(folder, *changes), "laptop"))


def refusal(
    folder: Path,
    *changes: tuple[str, str],
    text: str = SPEC,
    foresight: Foresight | None = None,
) -> str:
    with pytest.raises(InterpflowError) as error:
        resolved(folder, *changes, text=text, foresight=foresight)
    return str(error.value).replace(f"{folder}/specs/small.yaml:", "").replace(f"{folder}/", "")


START, FROZEN = "start: {experiment: base}", "frozen: [head 0.1]"
REFUSED = {
    "unknown experiment": (
        (START, "start: {experiment: bsae}"),
        "10: experiments.tuned.training.start.experiment: no experiment 'bsae'",
        "did you mean 'base'?",
    ),
    "several experiments": (
        (START, "start: {experiment: swept}"), "'swept' stands for swept_layers_1, swept_layers_2; name one",
    ),
    "itself": (
        (START, "start: {experiment: tuned}"), "10: ", "goes round in a circle: tuned starts from tuned",
    ),
    "a circle": (
        ("base: {}", "base: {training: {start: {experiment: tuned}}}"),
        "10: experiments.tuned.training.start.experiment: ",
        "tuned starts from base starts from tuned",
        "11: experiments.base.training.start.experiment: ",
    ),
    "another width": (
        ("base: {}", "base: {model: {d_model: 16}}"),
        "10: ", "'base' has d_model 16, the model of 'tuned' has 8; parts says",
    ),
    "other positions of the same shapes": (
        ("heads: 2}", "heads: 2, positions: rotary, rotary_base: 5.0}"),
        ("base: {}", "base: {model: {rotary_base: 10.0}}"),
        "'base' has rotary_base 10.0, the model of 'tuned' has 5.0",
    ),
    "parts of another shape": (
        (START, "start: {experiment: base, parts: [W_Q]}"), ("base: {}", "base: {model: {d_model: 16}}"),
        "'base' has W_Q of shape (1, 2, 16, 8), 'tuned' of shape (1, 2, 8, 4)",
    ),
    "a part that the other has not": (
        (START, "start: {experiment: base, parts: [embedding]}"),
        ("base: {}", "base: {model: {positions: none}}"),
        "'base' has W_pos not at all",
    ),
    "a layer that the other has not": (
        (START, "start: {experiment: base, parts: [layer 1]}, "
         "batch_size: 10}, model: {layers: 2"), (f", {FROZEN}", ""),
        "'base' has W_Q of shape (1, 2, 8, 4), 'tuned' of shape (2, 2, 8, 4)",
    ),
    "too few seeds": (
        ("base: {}", "base: {seeds: 2}"), "'base' has 2 seeds, 'tuned' has 3; each goes on from its own",
    ),
    "unknown part": (
        (START, "start: {experiment: base, parts: [hed 0.1]}"),
        "10: experiments.tuned.training.start.parts: no part 'hed 0.1'", "did you mean 'head 0.1'?",
    ),
    "unknown frozen part": (
        (FROZEN, "frozen: [head 0.2]"),
        "10: experiments.tuned.training.frozen: no part 'head 0.2'; there are: embedding, ", "W_Q",
    ),
    "unknown weight": (
        (START, "start: {values: {W_q: zeros}}"),
        "10: experiments.tuned.training.start.values.W_q: no weight 'W_q'", "did you mean 'W_Q'?",
    ),
    "unknown value": (
        (START, "start: {values: {W_Q: identitiy}}"), "found 'identitiy'", "did you mean 'identity'?",
    ),
    "no identity": (
        (START, "start: {values: {W_Q: identity}}"), "W_Q is 8 by 4; identity takes square matrices",
    ),
    "parts of nothing": ((START, "start: {parts: [W_Q]}"), "parts has no effect without experiment"),
    "shuffling nothing": ((START, "start: {shuffled: true}"), "shuffled has no effect without experiment"),
    "offsets of no positions": (
        ("d_mlp: 8, heads: 2}", "d_mlp: 8, heads: 2, positions: none}"),
        (FROZEN, "frozen: [head 0.1], position_offsets: true"),
        "10: experiments.tuned.training.position_offsets: has no effect on a model with positions: none",
    ),
    "a file without digest": ((START, "start: {file: a.nc}"), "10: ", "file is given without its sha256"),
    "two sources": (
        (START, f"start: {{experiment: base, file: a.nc, sha256: {'0' * 64}}}"),
        "file and experiment are both given", "in an experiment that starts from this one",
    ),
    "a missing file": (
        (START, f"start: {{file: weights/a.nc, sha256: {'0' * 64}}}"),
        "10: experiments.tuned.training.start.file: weights/a.nc: no such file",
    ),
    "left out at a scale": (
        ("smoke: {seeds: 1}", "smoke: {seeds: 1, only: [tuned]}"),
        "17: scales.smoke.only: 'tuned' goes on from 'base', which is left out",
    ),
}  # fmt: skip


TREES = """\
study: small
title: Trees
seeds: 1
defaults:
  task: {name: tree_pathfinding, nodes: 6, fresh: {goals: all}, train_size: 10, test_size: 10}
  model: {d_model: 8, d_mlp: 8, positions: learned}
  training: {steps: 4, batch_size: 4, optimizer: adam, learning_rate: 1.0e-2, loss: cross_entropy, fresh: true}
experiments:
  plain: {}
"""


def test_examples_that_share_a_prefix_go_with_no_offsets(tmp_path):
    offsets = ("fresh: true}", "fresh: true, position_offsets: true}")
    with pytest.raises(InterpflowError) as refused:
        resolved(tmp_path, offsets, text=TREES, foresight=Foresight())
    assert "7: defaults.training.position_offsets: the new examples" in str(refused.value)
    one = ("{goals: all}", "{goals: one}")
    assert resolved(tmp_path, offsets, one, text=TREES, foresight=Foresight())


def test_a_task_that_draws_no_new_example_is_refused(tmp_path, monkeypatch):
    def fails(*_: object) -> None:
        raise KeyError("depth")

    monkeypatch.setattr("interpflow.tasks.tree_pathfinding.sample", fails)
    with pytest.raises(InterpflowError, match="draws no new example: KeyError: 'depth'"):
        resolved(tmp_path, text=TREES, foresight=Foresight())


@pytest.mark.parametrize("case", REFUSED)
def test_a_start_that_cannot_be_is_refused_with_its_line(case, tmp_path):
    changes = [part for part in REFUSED[case] if isinstance(part, tuple)]
    message = refusal(tmp_path, *changes)
    for said in REFUSED[case]:
        assert isinstance(said, tuple) or said in message, message


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ([("base: {}", "base: {task: {pairs: 2}}")],
         "tuned.training.start.experiment: 'base' has W_E of shape (5, 8), 'tuned' of shape (3, 8)"),
        ([("base: {}", "base: {task: {max_length: 14}}")],
         "'base' has W_pos of shape (14, 8), 'tuned' of shape (12, 8); parts says which"),
        ([(START, "start: {values: {W_E: identity}}")],
         "experiments.tuned.training.start.values.W_E: W_E is 3 by 8; identity takes square matrices"),
    ],
)  # fmt: skip
def test_weights_whose_sizes_the_data_says_are_held_against_the_data(tmp_path, changes, says):
    assert says in refusal(tmp_path, *changes, foresight=Foresight())


def test_parts_that_do_not_rest_on_the_data_may_come_from_another_task(tmp_path):
    other = ("base: {}", "base: {task: {pairs: 2}}")
    resolved(tmp_path, (START, "start: {experiment: base, parts: [layer 0]}"), other,
             foresight=Foresight())  # fmt: skip


def test_an_experiment_rests_on_the_chunk_that_it_goes_on_from(tmp_path):
    found = planned(tmp_path)
    for chunk in ("0", "2"):
        job, other = (found.find("train", name, chunk) for name in ("tuned", "base"))
        assert job.inputs["start"] == other.outputs["weights"]
        assert job.recipe["inputs"]["start"] == other.sha
    assert "start" not in found.find("train", "base", "0").inputs
    assert set(found.find("analyse", "lengths", "tuned").inputs) == {
        "data", "weights_0", "history_0", "weights_2", "history_2",
    }  # fmt: skip


def test_an_experiment_of_which_only_the_data_is_asked_is_trained_if_another_goes_on_from_it(
    tmp_path,
):
    assert ("base", "0") in planned(tmp_path).jobs["train"]
    assert ("base", "0") not in planned(tmp_path, (START, "start: {}")).jobs["train"]


def test_a_change_of_the_other_experiment_trains_both_again(tmp_path):
    before = planned(tmp_path)
    after = planned(tmp_path, ("base: {}", "base: {training: {batch_size: 30}}"))
    trained, again = (each.jobs["train"] for each in (before, after))
    changed = {name for name, chunk in again if again[name, chunk].sha != trained[name, chunk].sha}
    assert changed == {"base", "tuned"}


def test_what_goes_on_and_what_is_frozen_costs_as_much_as_any_training(tmp_path):
    given = resolve(resolved(tmp_path), "laptop")
    plain = resolve(resolved(tmp_path, (f"{START}, {FROZEN}", "")), "laptop")
    assert training_seconds(given) == training_seconds(plain)


def test_an_experiment_goes_on_from_what_the_other_really_trained(tmp_path):
    build(tmp_path, spec=SPEC)
    folder = tmp_path / "results/laptop/small/experiments"
    for chunk in (0, 2):
        base, tuned = (
            store.read(folder / name / f"weights_{chunk}.nc") for name in ("base", "tuned")
        )
        start, end = (tuned.isel(step=step, drop=True).drop_attrs() for step in (0, -1))
        xr.testing.assert_identical(start, base.isel(step=-1, drop=True).drop_attrs())
        np.testing.assert_array_equal(end["W_Q"][:, 0, 1], start["W_Q"][:, 0, 1])
        assert (end["W_Q"][:, 0, 0] != start["W_Q"][:, 0, 0]).any()


IMPORTED = """\
study: small
title: Somebody else's weights
seeds: 1
defaults:
  task: {name: bracket_language, max_length: 12, train_size: 60, validation_size: 20, overlap: true}
experiments:
  theirs:
    model: MODEL
    training: {START, loss: mse}
  tuned:
    model: MODEL
    training:
      {start: {experiment: theirs}, steps: 5, batch_size: 8, optimizer: adam, learning_rate: 0.001, loss: mse}
analyses:
  lengths: {method: accuracy_by, experiments: [theirs, tuned], steps: all}
  heads: {method: ablation, experiments: [theirs], split: validation}
  weights: {method: circuits, experiments: [theirs], steps: all}
  composed: {method: composition, experiments: [theirs]}
  positions: {method: position_scores, experiments: [theirs]}
  count:
    method: probe
    experiments: [theirs]
    split: train
    reads: {layer 0: {site: blocks.0.hook_resid_post, positions: [real]}}
    targets: {length: {variable: length}}
    positions_per_read: 100
    epochs: 1
  complexity:
    method: llc
    experiments: [theirs]
    step_size: 1.0e-5
    localization: 100.0
    chains: 2
    draws: 3
    batch_size: 32
    groups: [heads]
figures:
  bins: {plot: length_bins, data: lengths, select: {checkpoint: last}, caption: Lengths}
claims:
  knows:
    data: lengths
    variable: overall_accuracy
    select: {experiment: theirs, checkpoint: last}
    at_least: 0.0
    source: nobody
"""


@pytest.fixture(scope="module")
def _imported(tmp_path_factory) -> tuple[Path, str]:
    """A project folder with an imported model, and a spec that takes it."""
    folder = tmp_path_factory.mktemp("theirs")
    build(folder, spec=SPEC)
    trained = folder / "results/laptop/small/experiments/base/weights_0.nc"
    (folder / "weights").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        assert main(["export", "weights", str(trained), "--output", "model.npz"]) == 0
        assert main(["import", "model.npz", "--output", "weights/theirs.nc"]) == 0
    model = json.loads(store.read(folder / "weights/theirs.nc").attrs["recipe"])["model"]
    digest = sha256(folder / "weights/theirs.nc")
    start = f"start: {{file: weights/theirs.nc, sha256: {digest}}}"
    return folder, IMPORTED.replace("MODEL", json.dumps(model)).replace("START", start)


@pytest.fixture
def theirs(_imported, monkeypatch) -> tuple[Path, str]:
    """The folder, now the current one, and the text of the spec."""
    monkeypatch.chdir(_imported[0])
    return _imported


def test_import_prints_what_a_spec_says_of_the_file(theirs, capsys):
    _, text = theirs
    assert main(["import", "model.npz", "--output", "weights/theirs.nc"]) == 0
    said = yaml.safe_load(capsys.readouterr().out)
    written = yaml.safe_load(text)["experiments"]["theirs"]
    assert said["training"]["start"] == written["training"]["start"]
    assert said["model"].items() <= written["model"].items()
    assert said["seeds"] == 1


def test_a_study_of_somebody_elses_weights_runs_to_its_scorecard(theirs):
    folder, text = theirs
    build(folder, spec=text)
    results = folder / "results/laptop/small"
    given = store.read(results / "experiments/theirs/weights_0.nc")
    np.testing.assert_array_equal(
        given["W_Q"].values, store.read(folder / "weights/theirs.nc")["W_Q"].values
    )
    for analysis, asked in yaml.safe_load(text)["analyses"].items():
        found = store.read(results / f"analyses/{analysis}.nc")
        assert found.sizes["experiment"] == len(asked["experiments"])
    assert np.isfinite(store.read(results / "analyses/complexity.nc")["llc"]).all()
    assert "holds" in (results / "claims.csv").read_text()
    tuned = store.read(results / "experiments/tuned/weights_0.nc")
    np.testing.assert_array_equal(tuned["W_Q"][0], given["W_Q"][-1])


def test_weights_of_a_file_need_no_options_of_training_and_cost_none(theirs):
    folder, text = theirs
    study = resolve(resolved(folder, text=text), "laptop")
    assert set(study.experiments["theirs"].training) == {"start", "loss"}
    alone = {name: one for name, one in study.experiments.items() if name == "theirs"}
    study.experiments.clear()
    study.experiments.update(alone)
    assert training_seconds(study) == 0


FROM_FILE = "the weights of 'theirs' come from weights/theirs.nc"


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("positions: {method: position_scores,", "positions: {method: training_curves,",
         f"positions.experiments.0: 'training_curves' shows training; {FROM_FILE}, which has no history"),
        ("[theirs], split: validation}", "[theirs], checkpoint: best}",
         f"analyses.heads.checkpoint: 'best' is told by a history; {FROM_FILE}, which has none"),
        ("[theirs], split: validation}", "{theirs: {checkpoint: first}}}",
         "analyses.heads.experiments.theirs.checkpoint: 'first' asks for further checkpoints; "
         f"{FROM_FILE}, which has the last alone"),
        ("circuits, experiments: [theirs], steps: all}", "circuits, experiments: [theirs], steps: 4}",
         "analyses.weights.steps: 4 asks for further checkpoints"),
        ("[theirs, tuned], steps: all}", "[theirs, tuned], steps: best}",
         "analyses.lengths.steps: 'best' is told by a history"),
        ("seeds: 1\n", "seeds: 2\n", "weights/theirs.nc: has no seed [1]; it has [0]"),
    ],
)  # fmt: skip
def test_what_somebody_elses_weights_lack_is_refused_by_name(theirs, old, new, says):
    folder, text = theirs
    assert says in refusal(folder, (old, new), text=text)


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("overlap: true}", "overlap: true, pairs: 2}",
         "9: experiments.theirs.training.start.file: weights/theirs.nc: W_E has shape (3, 8); with the "
         "task's data it is (5, 8)"),
        ("max_length: 12", "max_length: 14",
         "weights/theirs.nc: W_pos has shape (12, 8); with the task's data it is (14, 8)"),
        ("select: {checkpoint: last}", "select: {step: 8}",
         "figures.bins.select.step: no step 8; there are: "),
    ],
)  # fmt: skip
def test_what_the_data_says_is_held_against_the_file(theirs, old, new, says):
    folder, text = theirs
    assert says in refusal(folder, (old, new), text=text, foresight=Foresight())


def test_a_task_of_shorter_sequences_takes_the_file(theirs):
    folder, text = theirs
    resolved(folder, ("max_length: 12", "max_length: 10"), text=text, foresight=Foresight())


def test_another_model_than_the_file_has_is_refused_with_line_and_option(theirs):
    folder, text = theirs
    other = text.replace('"heads": 2', '"heads": 1', 1)
    message = refusal(folder, text=other)
    assert message.startswith("9: experiments.theirs.training.start.file: weights/theirs.nc: was")
    assert "heads 2; the spec's model has 1" in message
