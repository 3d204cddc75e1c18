"""What a spec means: defaults, merging, sweeps, scales, claims."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from dataclasses import asdict
from pathlib import Path

import pytest
from toys import BASE, changed

import interpflow
from interpflow.errors import InterpflowError
from interpflow.model.options import ModelOptions
from interpflow.spec.document import RULES
from interpflow.spec.load import load_spec, load_specs, require_scale
from interpflow.training.options import TrainingOptions
from interpflow.workflow.layout import STAGES

pytestmark = pytest.mark.usefixtures("toys")


def test_every_default_is_filled_in(study) -> None:
    plain = study().experiments["plain"]
    given = {
        "epochs": 2,
        "batch_size": 8,
        "optimizer": "adam",
        "learning_rate": 1e-3,
        "loss": "mse",
    }
    assert plain.model == ModelOptions(d_model=32).model_dump(mode="json")
    assert plain.training == TrainingOptions(**given).model_dump(mode="json")
    assert plain.task == {"name": "toy_task", "length": 10, "alphabet": "ab", "ratio": 0.5}
    assert study().analyses["probes"].options["plain"] == {"depths": [0, 1], "width": 8}
    assert study().figures["curve"].options == {"marks": True, "scale": "linear"}


def test_a_study_is_plain_json(study) -> None:
    resolved = study()
    for part in (*resolved.experiments.values(), *resolved.analyses.values(), *resolved.claims):
        assert json.loads(json.dumps(asdict(part))) == asdict(part)


def test_later_layers_win(study) -> None:
    content = changed(
        "{model: {d_model: 64}}", "{model: {d_model: 64, layers: 2, d_mlp: 5, heads: 2}}"
    ).replace(
        "{seeds: 2}", "{model: {d_mlp: 6, heads: 4}, experiments: {wide: {model: {heads: 8}}}}"
    )
    model = study(content).experiments["wide"].model
    assert (model["d_model"], model["layers"], model["d_mlp"], model["heads"]) == (64, 2, 6, 8)
    assert study(content).experiments["plain"].model["heads"] == 4
    assert study(content, "smoke").experiments["plain"].model["heads"] == 1


def test_mappings_merge_and_lists_are_replaced(study) -> None:
    content = changed("mse}", "mse, checkpoints: {linear: 3, log: 4}, betas: [0.5, 0.6]}").replace(
        "  plain: {}", "  plain: {training: {checkpoints: {log: 5}, betas: [0.7, 0.8]}}"
    )
    training = study(content).experiments["plain"].training
    assert training["checkpoints"] == {"linear": 3, "log": 5}
    assert training["betas"] == [0.7, 0.8]


def test_null_takes_an_inherited_option_back(study) -> None:
    content = changed("training: {epochs: 1}", "training: {epochs: null, steps: 9}")
    training = study(content, "smoke").experiments["plain"].training
    assert (training["epochs"], training["steps"]) == (None, 9)


def test_another_task_starts_from_its_own_defaults(study) -> None:
    content = changed("{name: toy_task, length: 10}", "{name: bracket_language, pairs: 2}").replace(
        "  plain: {}", "  plain: {task: {name: toy_task}}"
    )
    experiments = study(content).experiments
    assert experiments["plain"].task == {
        "name": "toy_task",
        "length": 10,
        "alphabet": "ab",
        "ratio": 0.5,
    }
    assert experiments["wide"].task["pairs"] == 2


@pytest.mark.parametrize("number", ["1e-3", "1E-3", "1.0e-3", ".001", "0.001", "+1e-3", "10e-4"])
def test_a_number_is_a_number_however_it_is_written(study, number: str) -> None:
    assert study(changed("1e-3", number)).experiments["plain"].training["learning_rate"] == 0.001


@pytest.mark.parametrize("word", ["no", "on", "yes", "off", "y", "n", "null_model"])
def test_words_that_old_yaml_takes_for_true_and_false_are_names(study, word: str) -> None:
    assert next(iter(study(BASE.replace("plain", word)).experiments)) == word


@pytest.mark.parametrize(
    "text", ["1:30", "2025-01-01", "0x10", "1_000", "012", "nan", "inf", "=", "1.2.3"]
)
def test_what_only_looks_like_a_number_is_text(study, text: str) -> None:
    assert study(changed("A toy", text)).title == text


def test_line_ends_byte_order_mark_and_comments_do_not_matter(study) -> None:
    noisy = b"\xef\xbb\xbf# a comment\r\n" + BASE.replace("\n", "  # why\r\n").encode()
    assert study(noisy) == study(BASE)


def test_nothing_after_a_name_is_an_experiment_like_the_defaults(study) -> None:
    assert study(changed("  plain: {}", "  plain:")) == study(BASE)


def test_a_sweep_makes_labelled_experiments(study) -> None:
    content = changed(
        "{model.heads: [1, 2]}", "{model.heads: [1, 2], training.learning_rate: [0.005, 1]}"
    )
    points = {name: e for name, e in study(content).experiments.items() if e.coords}
    assert list(points) == [
        "swept_heads_1_learning_rate_0p005",
        "swept_heads_1_learning_rate_1",
        "swept_heads_2_learning_rate_0p005",
        "swept_heads_2_learning_rate_1",
    ]
    last = points["swept_heads_2_learning_rate_1"]
    assert repr(last.coords) == "{'model.heads': 2, 'training.learning_rate': 1.0}"
    assert last.model["heads"] == 2 and last.training["learning_rate"] == 1.0


def test_a_sweep_reaches_nested_options(study) -> None:
    content = changed("model.heads: [1, 2]", "training.checkpoints.log: [3, 4]")
    swept = study(content).experiments["swept_log_4"]
    assert swept.training["checkpoints"] == {"linear": 0, "log": 4}


def test_a_point_of_a_sweep_has_the_value_in_its_name_at_every_scale(study) -> None:
    swept = study(changed("laptop: {seeds: 2}", "laptop: {model: {heads: 4}}")).experiments
    assert swept["swept_heads_2"].model["heads"] == 2
    assert swept["plain"].model["heads"] == 4


@pytest.mark.parametrize(
    ("laptop", "expected"),
    [
        ("{seeds: 2}", {"plain": 2, "swept_heads_1": 2, "swept_heads_2": 2}),
        ("{seeds: 1, experiments: {plain: {seeds: 3}}}", {"plain": 3, "swept_heads_1": 1}),
        ("{experiments: {plain: {seeds: 1}}}", {"plain": 1, "swept_heads_1": 3}),
        (
            "{seeds: 2, experiments: {swept: {seeds: 1}, swept_heads_2: {seeds: 3}}}",
            {"plain": 2, "swept_heads_1": 1, "swept_heads_2": 3},
        ),
    ],
)
def test_seeds_of_one_experiment_at_a_scale_come_before_those_of_all(study, laptop, expected):
    found = study(changed("laptop: {seeds: 2}", f"laptop: {laptop}"))
    counts = {name: len(one.seeds) for name, one in found.experiments.items()}
    assert expected.items() <= counts.items()
    assert len(found.seeds) == max(counts.values())


def test_a_scale_can_change_one_point_of_a_sweep(study) -> None:
    entries = (
        "{swept: {model: {layers: 2, d_mlp: 5}}, swept_heads_2: {seeds: 1, model: {d_mlp: 6}}}"
    )
    swept = study(changed("laptop: {seeds: 2}", f"laptop: {{experiments: {entries}}}")).experiments
    both = [
        (swept[name].model[key])
        for name in ("swept_heads_1", "swept_heads_2")
        for key in ("layers", "d_mlp")
    ]
    assert both == [2, 5, 2, 6] and swept["plain"].model["layers"] == 1
    assert swept["swept_heads_2"].coords == {"model.heads": 2}
    assert (len(swept["swept_heads_1"].seeds), len(swept["swept_heads_2"].seeds)) == (3, 1)


def test_a_scale_can_shorten_a_sweep(study) -> None:
    content = changed(
        "laptop: {seeds: 2}", "laptop: {experiments: {swept: {sweep: {model.heads: [2]}}}}"
    )
    assert list(study(content).experiments) == ["plain", "wide", "swept_heads_2"]
    assert list(study(content).analyses["heads"].options) == ["swept_heads_2"]
    assert "swept_heads_1" in study(content, "paper").experiments


def test_an_analysis_takes_all_points_of_a_sweep(study) -> None:
    assert study().analyses["heads"].options == {
        "swept_heads_1": {"depths": [0], "width": 4},
        "swept_heads_2": {"depths": [0], "width": 4},
    }


def test_a_scale_has_the_last_word_on_an_analysis(study) -> None:
    heads = study(
        changed("laptop: {seeds: 2}", "laptop: {analyses: {heads: {width: 2}}}")
    ).analyses["heads"]
    assert {options["width"] for options in heads.options.values()} == {2}


def test_a_scale_changes_a_figure(study) -> None:
    content = changed("laptop: {seeds: 2}", "laptop: {figures: {curve: {marks: false}}}")
    curve = study(content).figures["curve"]
    assert curve.options["marks"] is False and curve.data == ("probes",)


def test_only_leaves_what_can_be_made_from_the_experiments_that_stay(study) -> None:
    smoke = study(scale="smoke")
    assert list(smoke.experiments) == ["plain"] and smoke.seeds == (0,)
    assert {name: list(a.options) for name, a in smoke.analyses.items()} == {"probes": ["plain"]}
    assert [claim.name for claim in smoke.claims] == ["linear"]
    neither = study(changed("only: [plain]", "only: [swept]"), "smoke")
    assert list(neither.analyses) == ["heads"] and not neither.figures and not neither.claims


def test_only_takes_a_point_of_a_sweep(study) -> None:
    smoke = study(changed("only: [plain]", "only: [swept_heads_2]"), "smoke")
    assert list(smoke.experiments) == ["swept_heads_2"]


@pytest.mark.parametrize(
    ("pattern", "named"),
    [
        ("*", ["plain", "wide", "swept_heads_1", "swept_heads_2"]),
        ("swept*", ["swept_heads_1", "swept_heads_2"]),
        ("*_?", ["swept_heads_1", "swept_heads_2"]),
        ("*e*", ["wide", "swept_heads_1", "swept_heads_2"]),
    ],
)
def test_a_pattern_stands_for_all_experiments_of_such_names(
    study, pattern: str, named: list[str]
) -> None:
    written = changed("[plain, wide]", f'["{pattern}"]').replace(
        "{swept: {width: 4}}", f'{{"{pattern}": {{width: 4}}}}'
    )
    content = written.replace(
        "select: {experiment: plain,", f"select: {{experiment: {named[0]},"
    ).replace("select: {experiment: wide}", f"select: {{experiment: {named[0]}}}")
    found = study(content)
    assert list(found.analyses["probes"].options) == named
    assert {one["width"] for one in found.analyses["heads"].options.values()} == {4}
    assert list(found.analyses["heads"].options) == named
    smoke = study(content.replace("only: [plain]", f'only: ["{pattern}"]'), "smoke")
    assert list(smoke.experiments) == named


def test_a_pattern_of_which_a_scale_leaves_out_all_is_no_mistake(study) -> None:
    content = changed("{swept: {width: 4}}", '["swept*"]').replace(
        "smoke: {", "smoke: {experiments: {swept: {sweep: null}}, "
    )
    assert list(study(content, "smoke").analyses) == ["probes"]


def test_a_claim_along_a_coordinate_is_one_row_a_value(study) -> None:
    first, second = [claim for claim in study().claims if claim.name.startswith("deep")]
    assert (first.name, first.at_least) == ("deep[0]", 0.1)
    assert (second.name, second.at_least) == ("deep[1]", 0.2)
    assert second.select == {"experiment": "wide", "depths": 1}


def test_one_number_can_hold_along_a_coordinate(study) -> None:
    claims = study(changed("at_least: [0.1, 0.2]", "at_most: 1")).claims
    assert [claim.at_most for claim in claims] == [None, 1.0, 1.0]


def test_a_claim_on_a_sweep_is_found_by_the_swept_value(study) -> None:
    content = changed(
        "select: {experiment: plain, depths: 0}", "select: {heads: 2, depths: 0}"
    ).replace("    data: probes", "    data: heads")
    assert study(content).claims[0].select == {"heads": 2, "depths": 0}


def test_a_claim_on_what_a_scale_leaves_out_is_left_out_there(study) -> None:
    content = changed("laptop: {seeds: 2}", "laptop: {analyses: {probes: {depths: [0]}}}")
    assert [claim.name for claim in study(content).claims] == ["linear", "deep[0]"]
    assert [claim.name for claim in study(content, "paper").claims] == [
        "linear",
        "deep[0]",
        "deep[1]",
    ]


def test_a_scale_that_a_spec_does_not_declare_is_its_base(study) -> None:
    paper = study(scale="paper")
    assert paper.scale == "paper" and paper.seeds == (0, 1, 2)


def test_a_scale_that_no_spec_declares_is_refused(tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(BASE)
    specs = load_specs([tmp_path / "toy.yaml"])
    for scale in ("laptop", "smoke"):
        require_scale(specs.values(), scale)
    require_scale([], "laptop")
    with pytest.raises(InterpflowError, match=r"'smoek'.*laptop, smoke; did you mean 'smoke'\?"):
        require_scale(specs.values(), "smoek")


def test_the_mistakes_of_all_specs_are_told_together(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / f"{name}.yaml").write_text(changed("seeds: 3", "seeds: three"))
    with pytest.raises(InterpflowError) as error:
        load_specs(sorted(tmp_path.glob("*.yaml")))
    files = [Path(line.split(":")[0]).name for line in str(error.value).splitlines()]
    assert files == ["one.yaml", "two.yaml"]


def test_no_study_can_be_called_as_a_rule() -> None:
    assert set(RULES) == {"all", *STAGES}


def test_a_thousand_experiments_are_read_in_a_second(tmp_path: Path) -> None:
    many = "".join(f"  e{i}: {{model: {{d_model: {i + 1}}}}}\n" for i in range(1000))
    path = tmp_path / "toy.yaml"
    path.write_text(changed("  plain: {}\n", "  plain: {}\n" + many))
    start = time.process_time()
    assert len(load_spec(path).base.experiments) == 1004
    assert time.process_time() - start < 2  # half a second, with room for a slow machine


def test_reading_specs_loads_nothing_heavy(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from interpflow.spec.plugins import ANALYSIS, PLOT, TASK, available, load
from interpflow.spec.load import load_spec
for path in Path(sys.argv[1]).glob("*.yaml"):
    load_spec(path)
for kind in (TASK, ANALYSIS, PLOT):
    for name in available(kind):
        load(kind, name)
print({"torch", "snakemake", "matplotlib", "scipy", "sklearn"} & set(sys.modules))
"""
    specs = Path(__file__).parents[1] / "specs"
    environment = {**os.environ, "PYTHONPATH": str(Path(interpflow.__file__).parents[1])}
    command = [sys.executable, "-c", program, specs]
    done = subprocess.run(command, env=environment, capture_output=True, text=True, check=False)
    assert (done.stdout, done.stderr) == ("set()\n", "")
