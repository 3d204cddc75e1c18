"""Variants: a spec with other values at some keys, with results in a place of its own."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest
from built_study import SPEC
from edits import broken_off

from interpflow.__main__ import main
from interpflow.errors import InterpflowError
from interpflow.files import sha256
from interpflow.spec import variants
from interpflow.spec.spec_edit import edited
from interpflow.spec.yaml_text import parsed
from interpflow.workflow.plan import Plan
from interpflow.workflow.specs_folder import plan_all, plan_study
from interpflow.workflow.stale import recipe_of

RATE = "training.learning_rate=2e-3"


def vary(*arguments: str, name: str = "lr_try") -> int:
    """`interpflow run small -S … --as lr_try`, in this process."""
    settings = [word for setting in arguments for word in ("-S", setting)]
    return main(["run", "small", *settings, "--as", name, "--one-process"])


def keep(text: str, name: str = "lr_try") -> None:
    Path("variants").mkdir(exist_ok=True)
    Path(f"variants/{name}.yaml").write_text(text)


def recipes(plan: Plan) -> dict[tuple[str, ...], str]:
    """The recipe of each job but the manifest, which lists paths."""
    return {
        (stage, *names): job.sha
        for stage, jobs in plan.jobs.items()
        for names, job in jobs.items()
        if stage != "manifest"
    }


def test_a_variant_keeps_what_differs_with_the_line_that_it_overrides(built, capsys):
    assert vary(RATE, "model.d_mlp=16") == 0
    text = Path("variants/lr_try.yaml").read_text()
    assert text == (
        "# interpflow run small -S training.learning_rate=2e-3 -S model.d_mlp=16 --as lr_try\n"
        "study: small\n"
        "set:\n"
        "  training.learning_rate: 2e-3  # specs/small.yaml:9: "
        "learning_rate: 0.001\n"
        "  model.d_mlp: 16  # specs/small.yaml:8: "
        "model: {d_model: 8, d_mlp: 8, norm: none, positions: none}\n"
    )


def test_its_results_have_their_own_place_and_those_of_the_study_stay(built, capsys):
    before = {path: sha256(path) for path in Path("results/laptop/small").rglob("*.nc")}
    assert vary("experiments.wide.model.d_model=24") == 0
    assert capsys.readouterr().out.splitlines()[-1].startswith("lr_try: 9 of 15 jobs run")
    assert {path: sha256(path) for path in before} == before
    assert sorted(path.name for path in Path("results/laptop/lr_try/experiments").iterdir()) == [
        "wide"
    ]
    assert Path("figures/laptop/lr_try/bins.svg").is_file()
    assert main(["run", "--one-process", "lr_try"]) == 0
    assert capsys.readouterr().out.startswith("lr_try: 0 of 15 jobs run")


@pytest.mark.parametrize(
    ("setting", "old", "new"),
    [
        (RATE, "learning_rate: 1.0e-3", "learning_rate: 2.0e-3"),
        ("experiments.wide.model.d_model=24", "wide: {model: {d_model: 16}}", "wide: {model: {d_model: 24}}"),
        ("experiments.plain.seeds=1", "plain: {}", "plain: {seeds: 1}"),
        ("analyses.strings.variables=[length, split]", "variables: [length]", "variables: [length, split]"),
        ("claims.learns.at_least=0.5", "at_least: 0.9", "at_least: 0.5"),
        ('figures.bins.caption="a, b"', 'caption: "Accuracy <script>by</script> length_"', 'caption: "a, b"'),
    ],
)  # fmt: skip
def test_recipes_are_those_of_the_edited_spec(built, setting: str, old: str, new: str):
    name, value = setting.split("=")
    keep(f"study: small\nset:\n  {name}: {value}\n")
    variant = recipes(plan_study("lr_try", "laptop"))
    assert SPEC.count(old) == 1
    Path("specs/small.yaml").write_text(SPEC.replace(old, new))
    assert variant == recipes(plan_study("small", "laptop"))


def test_a_list_of_values_is_a_sweep_with_a_study_for_each_combination(built):
    swept = "{training.learning_rate: [1e-3, 3e-3], model.d_model: [8, 9]}"
    keep(f"study: small\nset: {{model.d_mlp: 16}}\nsweep: {swept}\n")
    plans = plan_all("laptop", ["lr_try"])
    assert list(plans) == [
        f"lr_try.learning_rate_0p00{rate}_d_model_{width}" for rate in (1, 3) for width in (8, 9)
    ]
    last = plans["lr_try.learning_rate_0p003_d_model_9"].study.experiments["plain"]
    assert (last.training["learning_rate"], last.model["d_model"], last.model["d_mlp"]) == (
        3e-3,
        9,
        16,
    )
    with pytest.raises(InterpflowError, match="lr_try is a sweep, its points are: lr_try"):
        plan_study("lr_try", "laptop")
    assert recipes(plan_study([*plans][-1], "laptop")) == recipes([*plans.values()][-1])


@pytest.mark.parametrize(
    ("setting", "said"),
    [
        ("model.d_modle=9", "defaults.model.d_modle"),
        ("model.d_modle=9", "did you mean 'd_model'?"),
        ("modle.d_model=9", "modle.d_model: a spec has no such key; it has: "),
        ("modle.d_model=9", "did you mean 'model'?"),
        ("experiments.plane.seeds=1", "experiments.plane.seeds: no 'plane' in experiments"),
        ("experiments.plane.seeds=1", "did you mean 'plain'?"),
        ("seeds.x=1", "seeds.x: seeds is no mapping; give it as a whole"),
        ("model.d_model=many", "lr_try, with model.d_model=many:\nspecs/small.yaml:8: defaults.model.d_model"),
        ("model.d_model", "-S model.d_model: expected key=value"),
        ("model.d_model=", "-S model.d_model=: no value"),
        ("model.d_model=[1", "-S model.d_model=[1: "),
        ("model.d_model=8", "changes nothing of small at scale laptop: the spec has this value already"),
    ],
)  # fmt: skip
def test_what_cannot_be_is_refused_before_anything_runs(built, capsys, setting: str, said: str):
    assert vary(setting) == 2
    assert said in capsys.readouterr().err
    assert not Path("variants/lr_try.yaml").exists()


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["-S", "claims.learns.select.group=tset"], "no group 'tset'; there are: validation"),
        (["-S", "seeds=1", "--scale", "smoky"], "no spec declares the scale 'smoky'"),
        (["-S", "model.d_mlp=4", "-S", "defaults.model.d_mlp=2"], "gives defaults.model.d_mlp too"),
        (["-S", "model={d_mlp: 4}", "-S", "model.d_mlp=2"], "gives defaults.model.d_mlp too"),
        (["-S", "training.learning_rate=10,1e1"], 'sweep."training.learning_rate": has 10.0 twice'),
    ],
)
def test_a_variant_that_is_refused_is_not_kept(built, capsys, arguments: list[str], said: str):
    assert main(["run", "small", "--one-process", "--as", "lr_try", *arguments]) == 2
    assert said in capsys.readouterr().err
    assert not Path("variants/lr_try.yaml").exists()


def test_a_value_that_something_else_overrides_is_refused_with_the_line_of_the_other(built, capsys):
    arguments = ["run", "small", "-S", RATE, "--as", "lr_try", "--scale", "smoke"]
    assert main(arguments) == 2
    said = capsys.readouterr().err
    line = SPEC.splitlines().index(next(each for each in SPEC.splitlines() if "smoke:" in each)) + 1
    assert f"specs/small.yaml:{line}: scales.smoke.training.learning_rate" in said


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("small", "is the name of a study"),
        ("train", "is the name of a rule"),
        ("Lr", "did you mean 'lr'?"),
        ("held", "is there with other values"),
    ],
)
def test_a_variant_has_a_name_of_its_own(built, capsys, name: str, said: str):
    keep("study: small\nset: {seeds: 1}\n", "held")
    assert vary(RATE, name=name) == 2
    assert said in capsys.readouterr().err


@pytest.mark.parametrize(
    "missing", [["small", "-S", RATE], ["-S", RATE, "--as", "x"], ["small", "--as", "x"]]
)
def test_a_variant_needs_a_study_values_and_a_name(built, capsys, missing: list[str]):
    assert main(["run", *missing]) == 2
    assert "interpflow run STUDY -S KEY=VALUE --as NAME" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("study: small\nsets: {seeds: 1}\n", "variants/lr_try.yaml:2: sets: "),
        (
            "study: smal\nset: {seeds: 1}\n",
            "no such spec; there are: small, lr_try; did you mean 'small'?",
        ),
        (
            "study: lr_try\nset: {seeds: 1}\n",
            "variants/lr_try.yaml:1: study: 'lr_try' is a variant",
        ),
        ("study: small\nsweep: {seeds: [1, 1]}\n", "2: sweep.seeds: has 1 twice"),
        ("study: small\nsweep: {title: [a b, a-b]}\n", "makes 2 points 'lr_try.title_a_b'"),
        ("study: small\nset: {seeds: 1}\nsweep: {seeds: [1]}\n", "sweep.seeds: is set as well"),
    ],
)
def test_mistakes_in_the_file_of_a_variant_are_named_by_line(built, capsys, text: str, said: str):
    keep(text)
    assert main(["run", "--one-process", "lr_try"]) == 2
    assert said in capsys.readouterr().err


def test_promoted_a_variant_is_the_spec_and_nothing_is_trained(built, capsys, monkeypatch):
    Path("specs/small.yaml").write_text(SPEC.replace("experiments:", "experiments:  # two", 1))
    assert vary(RATE) == 0
    variant = recipes(plan_study("lr_try", "laptop"))
    assert main(["promote", "lr_try"]) == 0
    assert "learning_rate: 0.002" in capsys.readouterr().out
    assert "experiments:  # two" in Path("specs/small.yaml").read_text()
    assert recipes(plan_study("small", "laptop")) == variant
    monkeypatch.setattr("interpflow.training.loop.train", None)
    assert main(["run", "--one-process", "small"]) == 0
    assert "7 taken from the cache" in capsys.readouterr().out


def test_of_a_sweep_one_point_is_promoted(built, capsys):
    keep("study: small\nsweep: {training.learning_rate: [1e-3, 3e-3]}\n")
    assert main(["promote", "lr_try"]) == 2
    assert (
        "one of its points: lr_try.learning_rate_0p001, lr_try.learning_rate_0p003"
        in capsys.readouterr().err
    )
    assert main(["promote", "lr_try.learning_rate_0p003"]) == 0
    assert "learning_rate: 0.003, loss: mse}" in Path("specs/small.yaml").read_text()


EDITED = """\
study: x  # name
seeds: 3   # three
defaults:
  # the task
  task: {name: a, length: 3}  # brackets
  training:
    loss: mse     # or another
    rate: 1.0e-3  # slow
experiments:
  plain:
  # none
  wide: {}
  far:
    model: {heads: 1}
    # the end
figures:
  one:
    caption: >-
      In two
      lines
"""


@pytest.mark.parametrize(
    ("key", "value", "old", "new"),
    [
        ("seeds", 5, "seeds: 3   #", "seeds: 5   #"),
        ("training.rate", 3e-05, "1.0e-3  #", "3e-05  #"),
        ("training.loss", "cross_entropy", "loss: mse ", "loss: cross_entropy "),
        ("training.loss", "no more: words", "loss: mse ", 'loss: "no more: words" '),
        ("task.length", [1, 2], "length: 3}", "length: [1, 2]}"),
        ("task.extra", True, "length: 3}", "length: 3, extra: true}"),
        ("model.heads", 2, "slow\n", "slow\n"),
        ("experiments.wide.seeds", 1, "wide: {}", "wide: {seeds: 1}"),
        ("experiments.plain.model.heads", 2, "plain:\n", "plain: {model: {heads: 2}}\n"),
        ("experiments.far.seeds", 1, "heads: 1}\n", "heads: 1}\n    seeds: 1\n"),
        ("training.steps", 9, "# slow\n", "# slow\n    steps: 9\n"),
    ],
)  # fmt: skip
def test_an_edit_of_a_spec_leaves_every_other_line_and_comment(key, value, old, new):
    assert EDITED.count(old) == 1
    after = edited(EDITED, Path("x.yaml"), {key: value})
    content = parsed(EDITED, Path("x.yaml")).content
    assert parsed(after, Path("x.yaml")).content == variants.changed(content, {key: value})
    assert re.findall("#.*", after) == re.findall("#.*", EDITED)
    if old != new:
        assert after == EDITED.replace(old, new)


def test_an_edit_that_is_not_exact_is_refused_with_the_line():
    with pytest.raises(
        InterpflowError, match=r"x.yaml:18: figures.one.caption: its value stands in several lines"
    ):
        edited(EDITED, Path("x.yaml"), {"figures.one.caption": "short"})


def test_the_table_has_a_row_a_point_with_the_claims_that_differ_and_chosen_variables(
    built, capsys
):
    assert vary("task.max_length=12,14") == 0
    capsys.readouterr()
    asked = "strings.maximum:split=train"
    assert main(["table", "lr_try", asked, "--csv", "table.csv"]) == 0
    heading, *lines = capsys.readouterr().out.splitlines()
    assert heading.split() == ["study", "task.max_length", "claims", "long", asked]
    assert [line.split() for line in lines[:3]] == [
        ["small", "12", "1", "of", "2", "hold", "12", "holds", "12"],
        ["lr_try.max_length_12", "12", "1", "of", "2", "hold", "12", "holds", "12"],
        ["lr_try.max_length_14", "14", "0", "of", "2", "hold", "14", "differs", "14"],
    ]
    assert lines[3:] == ["1 of 2 claims are alike in all rows"]
    rows = list(csv.DictReader(Path("table.csv").read_text().splitlines()))
    assert [row["claim learns"] for row in rows] == ["0 differs"] * 3


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["lr_tri"], "no variant 'lr_tri'; did you mean 'lr_try'?"),
        (["lr_try", "length.accuracy"], "did you mean 'lengths'?"),
        (["lr_try", "lengths.accurcy"], "did you mean 'accuracy'?"),
        (["lr_try", "lengths.accuracy:gruop=validation"], "did you mean 'group'?"),
        (["lr_try", "lengths.accuracy:group=validaton"], "did you mean 'validation'?"),
    ],
)
def test_the_table_refuses_names_that_are_not_there_with_the_nearest(
    built, capsys, arguments, said
):
    keep("study: small\nset: {training.learning_rate: 2e-3}\n")
    assert main(["table", *arguments]) == 2
    assert said in capsys.readouterr().err


def test_a_variant_is_a_side_of_a_diff(built, capsys):
    keep("study: small\nsweep: {training.learning_rate: [1e-3, 3e-3]}\n")
    assert main(["diff", "small", "lr_try.learning_rate_0p003"]) in (0, 1)
    said = capsys.readouterr().out
    assert "training.learning_rate" in said and "0.003" in said and "d_model" not in said
    assert main(["diff", "small", "lr_tri"]) == 2
    assert "did you mean 'lr_try'?" in capsys.readouterr().err


def test_results_of_a_variant_are_of_a_spec_until_its_file_is_gone(built, capsys):
    assert vary("figures.bins.caption=Other") == 0
    capsys.readouterr()
    assert main(["verify"]) == 0
    assert "lr_try" not in capsys.readouterr().out
    Path("variants/lr_try.yaml").unlink()
    assert main(["verify"]) == 0
    assert "figures/laptop/lr_try/bins.svg" in capsys.readouterr().out


SMALLEST = SPEC.replace("seeds: 2\n", "seeds: 1\n").replace("  wide: {model: {d_model: 16}}\n", "").replace(
    "experiments: [plain, wide]", "experiments: [plain]"
)  # fmt: skip
AXES = (
    "training.learning_rate=1e-3,2e-3,3e-3", "model.d_model=8,12,16", "training.batch_size=10,20,30",
)  # fmt: skip


@pytest.mark.nightly
def test_a_sweep_of_27_points_broken_off_twice_is_completed_and_shown(built, capsys, monkeypatch):
    Path("specs/small.yaml").write_text(SMALLEST)
    for after in (70, 90):
        with broken_off(after, monkeypatch):
            assert vary(*AXES) == 130
    assert vary(*AXES) == 0
    capsys.readouterr()
    assert main(["table", "lr_try", "lengths.loss:group=validation", "--csv", "table.csv"]) == 0
    heading, *rows = capsys.readouterr().out.splitlines()
    assert heading.split()[:4] == ["study", *(axis.partition("=")[0] for axis in AXES)]
    points = [row.split()[0] for row in rows if "lr_try." in row]
    assert len(points) == 27 and not any("not made" in row for row in rows)
    for point in (points[0], points[13], points[26]):
        planned = plan_study(point, "laptop")
        assert {recipe_of(path) for path in planned.find("claims").outputs.values()} == {
            planned.find("claims").sha
        }
    rows_of_file = list(csv.DictReader(Path("table.csv").read_text().splitlines()))
    assert len({row["lengths.loss:group=validation"] for row in rows_of_file[1:]}) == 27
