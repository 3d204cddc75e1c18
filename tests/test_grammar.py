"""What entries of a spec share can be written once: it means the same as written out."""

from __future__ import annotations

from pathlib import Path
from typing import get_args

import pytest
from toys import BASE

from interpflow.errors import InterpflowError
from interpflow.model.options import ModelOptions
from interpflow.spec.load import Study, load_spec
from interpflow.spec.plugins import ANALYSIS, PLOT, TASK, available, load
from interpflow.training.options import ComputeOptions, TrainingOptions

pytestmark = pytest.mark.usefixtures("toys")


def base(**sections: str) -> str:
    """The base spec with other lines in some of its sections."""
    written = BASE
    for name, lines in sections.items():
        start = written.index(f"{name}:\n") + len(name) + 2
        after = written[start:].splitlines(keepends=True)
        length = next((index for index, line in enumerate(after) if line[0] != " "), len(after))
        written = written[:start] + lines + "".join(after[length:])
    return written


ANALYSES = """\
  probes: {method: toy_probe, experiments: [plain, wide], depths: [0, 1]}
  heads: {method: toy_probe, experiments: {swept: {width: 4}}}
"""
BOTH_WAYS = {
    "an experiment like another": (
        base(experiments="""\
  plain: {}
  wide: {model: {d_model: 64, d_mlp: 8}, training: {epochs: 3}}
  swept: {sweep: {model.heads: [1, 2]}}
  wider: {like: wide, seeds: 1, model: {d_model: 128}}
  again: {like: swept, model: {d_mlp: 4}}
"""),
        base(experiments="""\
  plain: {}
  wide: {model: {d_model: 64, d_mlp: 8}, training: {epochs: 3}}
  swept: {sweep: {model.heads: [1, 2]}}
  wider: {seeds: 1, model: {d_model: 128, d_mlp: 8}, training: {epochs: 3}}
  again: {sweep: {model.heads: [1, 2]}, model: {d_mlp: 4}}
"""),
    ),
    "an option taken back from another experiment and from the defaults": (
        base(
            experiments="""\
  plain: {}
  wide: {model: {d_model: 64, d_mlp: 3}, task: {ratio: 0.25}}
  small: {like: wide, model: {d_model: null, d_mlp: null}, task: {ratio: null, length: null}}
  swept: {like: small, sweep: {model.heads: [1, 2]}}
""",
        ),
        base(
            experiments="""\
  plain: {}
  wide: {model: {d_model: 64, d_mlp: 3}, task: {ratio: 0.25}}
  small: {model: {d_model: null}, task: {length: null}}
  swept: {model: {d_model: null}, task: {length: null}, sweep: {model.heads: [1, 2]}}
""",
        ),
    ),
    "an analysis like another": (
        base(analyses=ANALYSES + """\
  wide_probes: {like: probes, experiments: [wide], width: 2}
"""),
        base(analyses=ANALYSES + """\
  wide_probes: {method: toy_probe, experiments: [wide], depths: [0, 1], width: 2}
"""),
    ),
    "options of one experiment merge": (
        base(analyses=ANALYSES + """\
  more: {like: heads, experiments: {swept: {depths: [3]}, plain: {}}}
"""),
        base(analyses=ANALYSES + """\
  more: {method: toy_probe, experiments: {swept: {width: 4, depths: [3]}, plain: {}}}
"""),
    ),
    "null takes back": (
        base(analyses=ANALYSES + """\
  more: {like: heads, experiments: {swept: null, plain: {}}}
  less: {like: probes, depths: null}
"""),
        base(analyses=ANALYSES + """\
  more: {method: toy_probe, experiments: [plain]}
  less: {method: toy_probe, experiments: [plain, wide]}
"""),
    ),
    "like what is like another, wherever it stands": (
        base(analyses="""\
  third: {like: second, width: 3}
  second: {like: probes, width: 2, experiments: [wide]}
""" + ANALYSES),
        base(analyses="""\
  third: {method: toy_probe, experiments: [wide], depths: [0, 1], width: 3}
  second: {method: toy_probe, experiments: [wide], depths: [0, 1], width: 2}
""" + ANALYSES),
    ),
    "a figure like another": (
        base(figures="""\
  curve: {plot: toy_plot, data: probes, panel: figure 1, caption: A curve, marks: false}
  log_curve: {like: curve, panel: null, caption: The same, scale: logarithmic}
"""),
        base(figures="""\
  curve: {plot: toy_plot, data: probes, panel: figure 1, caption: A curve, marks: false}
  log_curve: {plot: toy_plot, data: probes, caption: The same, marks: false, scale: logarithmic}
"""),
    ),
    "rows of claims": (
        base(claims="""\
  linear:
    of: {data: probes, variable: accuracy, select: {depths: 0}, source: figure 1}
    rows:
      plain: {select: {experiment: plain}, expected: 0.8, tolerance: 0.05}
      wide: {select: {experiment: wide}, at_least: 0.9, source: figure 2}
"""),
        base(claims="""\
  linear.plain: {data: probes, variable: accuracy, select: {depths: 0, experiment: plain}, expected: 0.8,
                 tolerance: 0.05, source: figure 1}
  linear.wide: {data: probes, variable: accuracy, select: {depths: 0, experiment: wide}, at_least: 0.9,
                source: figure 2}
"""),
    ),
    "rows along a coordinate": (
        base(claims="""\
  linear:
    of: {data: probes, variable: accuracy, along: {depths: [0, 1]}, at_least: 0.5, source: figure 1}
    rows:
      plain: {select: {experiment: plain}}
      wide: {select: {experiment: wide, depths: 1}, along: null}
"""),
        base(claims="""\
  "linear.plain": {data: probes, variable: accuracy, select: {experiment: plain}, along: {depths: [0, 1]},
                   at_least: 0.5, source: figure 1}
  linear.wide: {data: probes, variable: accuracy, select: {experiment: wide, depths: 1}, at_least: 0.5,
                source: figure 1}
"""),
    ),
}  # fmt: skip


@pytest.mark.parametrize("scale", ["laptop", "smoke"])
@pytest.mark.parametrize(("short", "long"), BOTH_WAYS.values(), ids=list(BOTH_WAYS))
def test_what_is_shared_means_the_same_as_written_out(study, short, long, scale) -> None:
    assert study(short, scale) == study(long, scale)


def test_a_change_of_a_scale_is_of_the_analysis_that_it_names_alone(study) -> None:
    content = base(
        analyses=ANALYSES + "  more: {like: probes}\n",
        scales="  laptop: {analyses: {probes: {width: 2}}}\n",
    )
    analyses = study(content, "laptop").analyses
    assert analyses["probes"].options["plain"]["width"] == 2
    assert analyses["more"].options["plain"]["width"] == 8


LENSES = """\
  lenses:
    method: probe
    experiments: [plain, deep]
    targets: {depth: {variable: stack_depth}}
    reads: {"layer {layer}": {site: "blocks.{layer}.hook_resid_post", positions: [real], layers: LAYERS}}
"""
EXPERIMENTS = "  plain: {}\n  deep: {model: {layers: 3}}\n"


def of_two_models(analyses: str, scales: str = "  laptop: {}\n") -> str:
    """A spec with `analyses` of two models, of one layer and of three, without figures and claims."""
    empty = "  {}\n"
    return base(
        experiments=EXPERIMENTS, analyses=analyses, figures=empty, claims=empty, scales=scales
    )


def reads(study, layers: str, more: str = "") -> dict[str, dict[str, str]]:
    """The sites that an analysis reads, by experiment."""
    found = study(of_two_models(LENSES.replace("LAYERS", layers) + more))
    return {
        name: {read: given["site"] for read, given in options["reads"].items()}
        for name, options in found.analyses["lenses"].options.items()
    }


def test_layers_all_is_an_entry_for_each_layer_of_the_experiments_model(study) -> None:
    found = reads(study, "all")
    assert found["plain"] == {"layer 0": "blocks.0.hook_resid_post"}
    assert found["deep"] == {f"layer {n}": f"blocks.{n}.hook_resid_post" for n in range(3)}
    assert list(found["deep"]) == ["layer 0", "layer 1", "layer 2"]


def test_layers_can_be_named(study) -> None:
    assert list(reads(study, "[0]")["deep"]) == ["layer 0"]


def test_layers_of_one_experiment_can_be_others(study) -> None:
    own = '{plain: {}, deep: {reads: {"layer {layer}": {layers: [2, 0]}}}}'
    lines = LENSES.replace("[plain, deep]", own).replace("LAYERS", "all")
    options = study(of_two_models(lines)).analyses["lenses"].options
    assert list(options["plain"]["reads"]) == ["layer 0"]
    assert list(options["deep"]["reads"]) == ["layer 2", "layer 0"]


def test_what_is_read_of_each_layer_means_the_same_as_written_out(study) -> None:
    def of(reads: str) -> Study:
        lines = (
            LENSES.split("    reads:")[0].replace("plain, deep", "deep") + f"    reads: {reads}\n"
        )
        return study(of_two_models(lines, "  smoke: {only: [deep]}\n"), "smoke")

    short = (
        '{"{layer} post": {site: "blocks.{layer}.hook_resid_post", positions: [real], layers: all}}'
    )
    long = ", ".join(
        f"{n} post: {{site: blocks.{n}.hook_resid_post, positions: [real]}}" for n in range(3)
    )
    assert of(short) == of(f"{{{long}}}")


def test_two_places_of_one_claim(study) -> None:
    content = base(claims="""\
  wide_is_better:
    of: {data: probes, variable: accuracy, select: {experiment: wide, depths: 0}, source: ours}
    rows:
      above: {above: {experiment: plain}}
      twice: {ratio_to: {experiment: plain}, at_least: 2}
      along: {select: {depths: null}, along: {depths: [0, 1]}, below: {experiment: plain}}
      deeper: {select: {depths: 1}, difference_from: {depths: 0}, expected: 0, tolerance: 0.1}
""")  # fmt: skip
    claims = {claim.name.partition(".")[2]: claim for claim in study(content, "laptop").claims}
    assert {name: (claim.compared, claim.select, claim.other) for name, claim in claims.items()} == {
        "above": ("above", {"experiment": "wide", "depths": 0}, {"experiment": "plain", "depths": 0}),
        "twice": ("ratio_to", {"experiment": "wide", "depths": 0}, {"experiment": "plain", "depths": 0}),
        "along[0]": ("below", {"experiment": "wide", "depths": 0}, {"experiment": "plain", "depths": 0}),
        "along[1]": ("below", {"experiment": "wide", "depths": 1}, {"experiment": "plain", "depths": 1}),
        "deeper": ("difference_from", {"experiment": "wide", "depths": 1}, {"experiment": "wide", "depths": 0}),
    }  # fmt: skip
    assert claims["twice"].at_least == 2 and not claims["twice"].of_a_value


def test_the_other_place_may_lack_a_coordinate_of_the_first(study) -> None:
    content = base(claims="""\
  heads_matter:
    data: heads
    variable: loss
    select: {experiment: swept_heads_2}
    below: {experiment: null, heads: 1}
    source: ours
""")  # fmt: skip
    (claim,) = study(content, "laptop").claims
    assert claim.other == {"heads": 1}


def test_a_claim_is_left_out_where_a_scale_lacks_one_of_its_places(study) -> None:
    content = base(claims="""\
  better: {data: probes, variable: loss, select: {experiment: plain}, below: {experiment: wide}, source: ours}
""")  # fmt: skip
    assert len(study(content, "laptop").claims) == 1
    assert study(content, "smoke").claims == ()


def test_what_may_be_null_is_null_where_it_is_not_given() -> None:
    """So null takes an option back, and says nothing else."""
    plugins = [load(kind, name) for kind in (TASK, ANALYSIS, PLOT) for name in available(kind)]
    models = [
        ModelOptions,
        TrainingOptions,
        ComputeOptions,
        *(plugin.Options for plugin in plugins),
    ]
    fields = [field for model in models for field in model.model_fields.items()]
    assert fields
    for name, field in fields:
        if type(None) in get_args(field.annotation):
            assert field.default is None, name


def lenses(reads: str, more: str = "") -> str:
    """A spec with an analysis that reads the layers of two models."""
    return of_two_models(LENSES.split("    reads:")[0] + f"    reads: {{{reads}}}\n{more}")


EACH = '"layer {layer}": {site: "blocks.{layer}.hook_resid_post", positions: [real], layers: all}'
OF = "  a:\n    of: {data: probes, variable: accuracy, select: {depths: 0}, source: x}\n    rows:\n"
ROW = "      b: {select: {experiment: plain}, at_least: 1}\n"
BELOW = "  a: {data: probes, variable: loss, select: {experiment: plain}, source: x, "
# What is written, then the line and the key that the message begins with, and what it says.
WRONG = {
    "like nothing": (
        base(analyses=ANALYSES + "  more: {like: prob}\n"),
        "17: analyses.more.like: no analysis 'prob'; there are: probes, heads; did you mean 'probes'?",
    ),
    "like an experiment that is not there": (
        base(experiments="  plain: {}\n  wide: {like: plane}\n  swept: {sweep: {model.heads: [1]}}\n"),
        "12: experiments.wide.like: no experiment 'plane'; there are: plain, swept; did you mean 'plain'?",
    ),
    "like in a circle": (
        base(analyses=ANALYSES + "  one: {like: two}\n  two: {like: one}\n"),
        "18: analyses.two.like: goes in a circle: one, two, one",
    ),
    "like itself": (
        base(analyses=ANALYSES + "  one: {like: one}\n"),
        "17: analyses.one.like: goes in a circle: one, one",
    ),
    "what is wrong in the other is told there, once": (
        base(analyses="  a: {method: toy_probe, experiments: [plain], width: wide}\n  b: {like: a}\n"
                      + ANALYSES),
        "15: analyses.a.width: found 'wide'; expected a whole number or 'auto'",
    ),
    "what is wrong in the other for this one alone": (
        of_two_models(LENSES.replace("[plain, deep]", "[deep]").replace("LAYERS", "[2]")
                      + "  more: {like: lenses, experiments: [plain]}\n"),
        '18: analyses.lenses.reads."layer {layer}".layers: found 2; the model has layer 0 alone '
        "(in analyses.more)",
    ),
    "what an entry says itself": (
        base(analyses=ANALYSES + "  more: {like: probes,\n    width: wide}\n"),
        "18: analyses.more.width: found 'wide'; expected a whole number or 'auto'",
    ),
    "a figure like another": (
        base(figures="  curve: {plot: toy_plot, data: probes, caption: A}\n"
                     "  more: {like: curve, mark: true}\n"),
        "22: figures.more.mark: no such key; allowed: marks, scale; did you mean 'marks'?",
    ),
    "an experiment like another": (
        base(experiments="  plain: {}\n  wide: {}\n  swept: {sweep: {model.heads: [1, 2]}}\n"
                         "  more: {like: wide, model: {d_modl: 3}}\n"),
        "14: experiments.more.model.d_modl: no such key; ", "did you mean 'd_model'?",
    ),
    "a key in of": (
        base(claims=OF.replace("variable", "varable") + ROW),
        "24: claims.a.of.varable: no such key; ", "did you mean 'variable'? (in claims.a.b)",
    ),
    "a coordinate in of": (
        base(claims=OF.replace("depths", "depth") + ROW),
        "24: claims.a.of.select.depth: no such coordinate; ", "did you mean 'depths'?",
    ),
    "a value in a row": (
        base(claims=OF + "      b: {select: {experiment: plan}, at_least: 1}\n"),
        "26: claims.a.rows.b.select.experiment: found 'plan'; ", "did you mean 'plain'?",
    ),
    "a row without a bound": (
        base(claims=OF + "      b: {select: {experiment: plain}}\n"),
        "26: claims.a.rows.b: found no number; ",
    ),
    "a row with a bound beside that of all": (
        base(claims=OF.replace("source", "at_most: 1, source")
                    + ROW),
        "26: claims.a.rows.b.at_least: found at_least and at_most; ",
    ),
    "of without rows": (
        base(claims="  a:\n    of: {data: probes}\n"), "23: claims.a.rows: not given; ",
    ),
    "a key beside rows": (
        base(claims=OF + ROW + "    because: so\n"),
        "27: claims.a.because: no such key; allowed: of, rows",
    ),
    "rows in a list": (
        base(claims="  a:\n    of: {data: probes}\n    rows: [b]\n"), "25: claims.a.rows: found a list ['b']",
    ),
    "no name for a row": (
        base(claims=OF + "      B: {}\n"), "26: claims.a.rows.B: found 'B'; a name is ", "did you mean 'b'?",
    ),
    "two claims of one name": (
        base(claims="  a.b: {data: probes, variable: loss, select: {experiment: wide}, at_most: 1, source: x}\n"
                    + OF + ROW),
        "27: claims.a.rows.b: makes a second claim of the name 'a.b'",
    ),
    "all misspelt": (
        lenses(EACH.replace("all}", "al}")),
        '18: analyses.lenses.reads."layer {layer}".layers: found \'al\'; expected \'all\' or a list of layers; '
        "did you mean 'all'?",
    ),
    "a layer that a model lacks": (
        lenses(EACH.replace("all}", "[0, 2]}")),
        '18: analyses.lenses.reads."layer {layer}".layers: found 2; the model has layer 0 alone',
    ),
    "a name with the mark, and no layers": (
        lenses(EACH.replace(", layers: all", "")),
        '18: analyses.lenses.reads."layer {layer}": a name with {layer} says for which layers: ',
    ),
    "a key within an entry of each layer": (
        lenses(EACH.replace("site:", "sit:")),
        '18: analyses.lenses.reads."layer {layer}".sit: no such key; ', "did you mean 'site'?",
    ),
    "a value within an entry of each layer": (
        lenses(EACH.replace("[real]", "real")),
        '18: analyses.lenses.reads."layer {layer}".positions: found \'real\'; expected a list',
    ),
    "two entries of one name": (
        lenses("layer 0: {site: blocks.0.hook_resid_pre, positions: [real]}, " + EACH),
        '18: analyses.lenses.reads."layer {layer}": makes a second entry of the name \'layer 0\'',
    ),
    "no such other place": (
        base(claims=BELOW + "below: {experiment: wid}}\n"),
        "23: claims.a.below.experiment: found 'wid'; ", "did you mean 'wide'?",
    ),
    "the other place is the place": (
        base(claims=BELOW + "below: {experiment: plain}}\n"), "23: claims.a.below: is the place itself",
    ),
    "the other place is of another seed": (
        base(claims=BELOW + "below: {experiment: wide, seed: 1}}\n"),
        "23: claims.a.below.seed: both places are of the same seeds",
    ),
    "a ratio without a number": (
        base(claims=BELOW + "ratio_to: {experiment: wide}}\n"), "23: claims.a: found no number; ",
    ),
    "two other places": (
        base(claims=BELOW + "below: {experiment: wide}, ratio_to: {experiment: wide}}\n"),
        "23: claims.a.below: found below and ratio_to; a claim is about one other place",
    ),
    "the first step of a number": (
        base(claims=BELOW + "first_step: {above: 1}, at_most: 3}\n"),
        "23: claims.a.first_step: 'loss' has one value, not one for each training step",
    ),
    "a first step above and below": (
        base(claims=BELOW + "first_step: {above: 1, below: 2}, at_most: 3}\n"),
        "23: claims.a.first_step.above: a first step has exactly one of above, below",
    ),
}  # fmt: skip


@pytest.mark.parametrize("wrong", WRONG.values(), ids=list(WRONG))
def test_every_problem_names_the_line_where_it_is_written(tmp_path: Path, wrong) -> None:
    content, begins, *says = wrong
    path = tmp_path / "toy.yaml"
    path.write_text(content)
    with pytest.raises(InterpflowError) as refused:
        load_spec(path)
    (message,) = str(refused.value).replace(f"{path}:", "").splitlines()
    assert message.startswith(begins)
    assert all(words in message for words in says)
