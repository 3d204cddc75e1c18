"""A plan holds the jobs of a study, and in each recipe what its bytes depend on and nothing more."""

from __future__ import annotations

import json
import re
import time

import pytest

from benchmarks import generated
from interpflow.errors import InterpflowError
from interpflow.workflow.layout import STAGES
from interpflow.workflow.plan import find
from interpflow.workflow.planner import plan
from interpflow.workflow.specs_folder import plan_all, plan_study

SPEC = """\
study: small
title: A small study
reference: {arxiv: "2502.01432", year: 2025}
seeds: 3
compute: {seeds_per_job: 2}
defaults:
  task: {name: bracket_language, max_length: 12, train_size: 60, validation_size: 20, overlap: true}
  training: {epochs: 1, batch_size: 20, optimizer: adam, learning_rate: 1.0e-3, loss: mse}
experiments:
  plain: {}
  swept: {sweep: {model.heads: [1, 2]}}
  counted: {task: {pairs: 2}}
analyses:
  lengths: {method: accuracy_by, experiments: [plain, swept], steps: best}
  strings: {method: data_statistics, experiments: [plain, counted], variables: [length]}
figures:
  bins: {plot: length_bins, data: lengths, caption: Accuracy by length}
claims:
  learns:
    data: lengths
    variable: accuracy
    select: {experiment: plain, checkpoint: best, group: validation}
    at_least: 0.9
    source: nowhere
    because: of nothing
scales:
  smoke: {seeds: 1}
"""


@pytest.fixture
def planned(tmp_path):
    """Plans the spec above, with replacements."""

    def plan_spec(*changes: tuple[str, str], scale: str = "laptop"):
        text = SPEC
        for old, new in changes:
            assert text.count(old) == 1, old
            text = text.replace(old, new)
        (tmp_path / "small.yaml").write_text(text)
        return plan_study("small", scale, tmp_path)

    return plan_spec


def shas(plan) -> dict[tuple[str, ...], str]:
    return {(job.stage, *job.names): job.sha for job in plan}


def test_seeds_are_trained_in_chunks_called_by_their_first(planned):
    jobs = planned().jobs["train"]
    assert {names[1]: job.slice["seeds"] for names, job in jobs.items() if names[0] == "plain"} == {
        "0": [0, 1],
        "2": [2],
    }


def test_an_experiment_of_which_only_the_data_is_asked_is_not_trained(planned):
    plan = planned()
    assert ("counted",) in plan.jobs["data"]
    assert not [names for names in plan.jobs["train"] if names[0] == "counted"]
    assert list(plan.find("analyse", "strings", "counted").inputs) == ["data"]


def test_experiments_with_the_same_task_share_the_data_of_the_first_of_them(planned):
    plan = planned(("plain: {}", "plain: {}\n  seeded: {task: {seed: 1}}"))
    assert [*plan.jobs["data"]] == [("plain",), ("seeded",), ("counted",)]
    shared = plan.find("data", "plain").outputs["data"]
    assert shared == "results/laptop/small/data/plain.nc"
    for name in ("plain", "swept_heads_1", "swept_heads_2"):
        assert plan.find("train", name, "0").inputs["data"] == shared
        assert plan.data[name].outputs["data"] == shared
    with pytest.raises(InterpflowError, match=f"is that of 'plain', and so are its data, {shared}"):
        plan.find("data", "swept_heads_2")


def test_what_fresh_says_makes_no_data_of_its_own(planned):
    trees = (
        "{name: bracket_language, max_length: 12, train_size: 60, validation_size: 20, overlap: true}",
        "{name: tree_pathfinding, nodes: 8}",
    )
    plan = planned(trees, ("{task: {pairs: 2}}", "{task: {fresh: {goals: all}}}"))
    assert [*plan.jobs["data"]] == [("plain",)]


def test_another_first_experiment_moves_the_data_and_makes_nothing_again(planned):
    before, after = planned(), planned(("  plain: {}\n", "  before: {}\n  plain: {}\n"))
    assert after.data["plain"].outputs["data"] == "results/laptop/small/data/before.nc"
    assert after.data["plain"].sha == before.data["plain"].sha
    old, new = shas(before), shas(after)
    kept = [names for names in old if names[0] in ("train", "analyse", "collect", "figure")]
    assert kept and all(old[names] == new[names] for names in kept)


def test_an_experiment_that_nobody_asks_about_is_trained(planned):
    found = planned(("counted: {task: {pairs: 2}}", "counted: {task: {pairs: 2}}\n  alone: {}"))
    assert ("alone", "0") in found.jobs["train"]


def test_an_analysis_gets_the_data_and_every_chunk_of_weights_and_history(planned):
    assert list(planned().find("analyse", "lengths", "plain").inputs) == [
        "data", "weights_0", "history_0", "weights_2", "history_2",
    ]  # fmt: skip


def test_an_analysis_of_findings_gets_those_on_its_experiment(planned):
    stages = """  strings: {method: data_statistics, experiments: [plain, counted], variables: [length]}
  curves: {method: training_curves, experiments: [plain, swept]}
  cut: {method: stages, experiments: [swept], data: curves,
        curves: {loss: {data: curves, variable: validation_loss}}}
"""
    plan = planned((stages.splitlines(keepends=True)[0], stages))
    job = plan.find("analyse", "cut", "swept_heads_1")
    assert list(job.inputs) == ["curves"]
    assert (
        job.inputs["curves"] == plan.find("analyse", "curves", "swept_heads_1").outputs["findings"]
    )


def test_fresh_examples_put_the_task_s_options_and_code_into_the_training_s_recipe(planned):
    lists = (
        "{name: bracket_language, max_length: 12, train_size: 60, validation_size: 20, overlap: true}",
        "{name: list_sorting, length: 4, vocabulary: 12}",
    )
    swept = ("  counted: {task: {pairs: 2}}\n", "  counted: {task: {length: 5}}\n")
    stored = planned(lists, swept)
    fresh = planned(lists, swept, ("{epochs: 1,", "{steps: 5, fresh: true,"))
    assert "task" not in stored.find("train", "plain", "0").recipe
    assert fresh.find("train", "plain", "0").recipe["task"]["length"] == 4
    assert fresh.find("train", "plain", "0").code != stored.find("train", "plain", "0").code


def test_each_input_is_the_output_of_another_job_and_recipes_are_chained(planned):
    plan = planned()
    made = {path: job for job in plan for path in job.outputs.values()}
    for job in plan:
        for name, path in job.inputs.items():
            assert job.recipe["inputs"][name] == made[path].sha
    assert sorted(made) == sorted(
        [*plan.find("manifest").inputs, *plan.find("manifest").outputs.values()]
    )


def test_no_two_jobs_share_a_file_or_a_log(planned):
    jobs = list(planned())
    paths = [path for job in jobs for path in job.outputs.values()]
    assert len(set(paths)) == len(paths)
    assert len({job.log for job in jobs}) == len(jobs)


def test_attributes_say_what_made_a_file_and_from_what(planned):
    job = planned().find("collect", "lengths")
    attrs = job.attrs()
    assert json.loads(attrs["recipe"]) == job.recipe
    assert attrs["recipe_sha256"] == job.sha
    assert [each["path"] for each in json.loads(attrs["inputs"])] == list(job.inputs.values())
    assert "/work" not in json.dumps(attrs)
    assert all(isinstance(value, str) for value in attrs.values())


def test_the_chain_of_a_figure_goes_back_to_the_data_and_no_further(planned):
    stages = [link["stage"] for link in planned().find("figure", "bins").chain()]
    assert stages[0] == "data"
    assert stages[-2:] == ["collect", "figure"]
    assert sorted(stages) == ["analyse"] * 3 + ["collect"] + ["data"] + ["figure"] + ["train"] * 6


@pytest.mark.parametrize(
    ("change", "stages"),
    [
        (("title: A small", "title: The small"), {"explorer", "manifest"}),
        (("caption: Accuracy", "caption: Share"), {"figure", "manifest"}),
        (("because: of nothing", "because: of something"), {"claims", "manifest"}),
        (("at_least: 0.9", "at_least: 0.8"), {"figure", "claims", "manifest"}),
        (("seeds_per_job: 2", "seeds_per_job: 3"), set(STAGES) - {"data"}),
        (("  smoke: {seeds: 1}", "  smoke: {seeds: 2}"), set()),
        (("year: 2025", "year: 2024"), set(STAGES)),
    ],
)  # fmt: skip
def test_a_change_reaches_the_stages_that_read_it_and_what_follows(planned, change, stages):
    before, after = shas(planned()), shas(planned(change))
    assert {names[0] for names, sha in after.items() if before.get(names) != sha} == stages


def test_a_further_seed_leaves_full_chunks_as_they_are(planned):
    before, after = shas(planned()), shas(planned(("seeds: 3", "seeds: 5")))
    trained = {names for names in before if names[0] == "train" and names[2] == "0"}
    assert all(before[names] == after[names] for names in trained)


def test_equal_experiments_at_two_scales_have_equal_recipes_in_different_places(planned):
    one, other = planned(), planned(scale="smoke")
    data, same = (plan.find("data", "plain") for plan in (one, other))
    assert data.sha == same.sha
    assert data.outputs != same.outputs


def test_a_file_that_no_job_makes_is_refused_with_the_nearest(planned, tmp_path):
    planned()
    plans = plan_all("laptop", folder=tmp_path)
    for asked, said in [
        (("laptop", "smal", "data", "plain"), "no study 'smal'; did you mean 'small'"),
        (("smoke", "small", "data", "plain"), "add: --config scale=smoke"),
        (("laptop", "small", "data", "plan"), "no data 'plan' in small at scale laptop; did you"),
        (("laptop", "small", "train", "plain", "1"), "no train 'plain/1'"),
    ]:  # fmt: skip
        with pytest.raises(InterpflowError, match=said):
            find(plans, *asked)


def test_a_folder_without_specs_is_an_error_that_says_where_to_start(tmp_path):
    with pytest.raises(
        InterpflowError, match=r"no specs in .*: write a study as specs/<study>.yaml"
    ):
        plan_all("laptop", folder=tmp_path)
    with pytest.raises(InterpflowError, match="start in the folder that holds specs/"):
        plan_all("laptop", folder=tmp_path / "specs")


def test_a_thousand_experiments_are_planned_in_a_second_or_two(planned):
    sizes = ", ".join(map(str, range(60, 1060)))
    study = planned(("model.heads: [1, 2]", f"task.train_size: [{sizes}]")).study
    started = time.process_time()
    for job in plan(study):
        assert job.sha
    assert time.process_time() - started < 5


def test_reasons_belong_to_the_default_scale_alone(planned):
    for scale, because in (("laptop", "of nothing"), ("smoke", None)):
        (claim,) = planned(scale=scale).find("claims").recipe["claims"]
        assert claim["because"] == because


def test_the_bare_snakefile_beside_the_generated_study_has_a_rule_for_each_of_its_stages(tmp_path):
    ours, bare = generated.beside_bare(tmp_path, 2)
    rules = re.findall(r"^rule (\w+):", (bare / "Snakefile").read_text(), re.MULTILINE)
    stages = {job.stage for job in plan_study("generated", "laptop", ours / "specs")}
    assert {*rules} == {"all", *stages}
