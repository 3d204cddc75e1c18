"""A wrong spec is refused with one line: file, line, key, what was found, what is allowed."""

from __future__ import annotations

import random
import sys
from pathlib import Path

import pytest
from toys import BASE, changed

from interpflow.errors import InterpflowError
from interpflow.spec.load import load_spec

pytestmark = pytest.mark.usefixtures("toys")


def refusal(folder: Path, content: str | bytes) -> str:
    """The message with which the spec `content` is refused, without the path of the file."""
    path = folder / "toy.yaml"
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
    with pytest.raises(InterpflowError) as error:
        load_spec(path)
    message = str(error.value)
    assert all(line.startswith(f"{path}:") for line in message.splitlines())
    assert "Traceback" not in message and "pydantic" not in message
    return message.replace(f"{path}:", "")


# What is written, then what the message begins with (line: key:) and what it says.
YAML = {
    "empty file": (b"", "1: ", "empty", "study: <name>"),
    "comments alone": (b"# nothing\n", "1: ", "empty"),
    "null document": (b"---\n", "2: ", "found nothing", "mapping"),
    "a list": (b"- study\n", "1: ", "found a list ['study']", "mapping"),
    "a word": (b"study\n", "1: ", "found 'study'", "mapping"),
    "two documents": (BASE + "---\nstudy: other\n", "34: ", "second document"),
    "latin-1": (BASE.replace("A toy", "Ein Spiel für alle").encode("latin-1"), "2: ", "0xfc", "UTF-8"),
    "utf-16": (BASE.encode("utf-16"), "1: ", "not UTF-8"),
    "NUL": (changed("A toy", "A\0toy"), "2: ", "control character '\\x00'"),
    "escape sequence": (changed("A toy", "A \x1b[31mtoy"), "2: ", "control character '\\x1b'"),
    "escaped NUL": (changed("A toy", '"A \\0 toy"'), "2: title: ", "control character '\\x00'"),
    "escaped key": (changed("  plain: {}", '  "pl\\x01ain": {}'), "11: experiments: ", "control character"),
    "indented by a tab": (changed("  plain: {}", "\tplain: {}"), "11: ", "tab", "spaces"),
    "tab after spaces": (changed("    method:", "  \tmethod:"), "16: ", "tab", "spaces"),
    "unclosed bracket": (changed("[1, 2]", "[1, 2"), "13: ", "not valid YAML"),
    "unclosed quote": (changed('"figure 1"', '"figure 1'), "30: ", "not valid YAML"),
    "colon in text": (changed("A toy", "A toy: the study"), "2: ", "not valid YAML", "needs quotes"),
    "wrong indentation": (changed("    variable:", "   variable:"), "25: ", "not valid YAML"),
    "duplicate key": (changed("seeds: 3", "seeds: 3\nseeds: 4"), "5: seeds: ", "line 4", "keep one"),
    "duplicate key inside": (
        changed("  plain: {}", "  plain: {}\n  plain: {}"), "12: experiments.plain: ", "line 11",
    ),
    "duplicate key in braces": (
        changed("length: 10", "length: 1, length: 2"), "7: defaults.task.length: ", "keep one",
    ),
    "anchor": (changed("{d_model: 32}", "&wide {d_model: 32}"), "8: defaults.model: ", "anchor &wide"),
    "alias": (changed("{d_model: 32}", "*wide"), "8: defaults.model: ", "alias *wide"),
    "merge key": (
        changed("{d_model: 64}", "{<<: {d_model: 64}}"), "12: experiments.wide.model.\"<<\": ",
        "merge keys",
    ),
    "billion laughs": (
        "a: &a [lol, lol]\nb: &b [*a, *a, *a, *a]\nc: [*b, *b, *b, *b]\n", "1: a: ", "anchor &a",
    ),
    "nesting bomb": ("study: " + "[" * 100_000, "1: study", "nested deeper than 20"),
    "key bomb": ("study: " + "{" * 100_000, "1: study: ", "found a list or mapping as a key"),
    "block key bomb": ("? " * 100_000, "1: ", "as a key"),
    "mapping bomb": ("study: " + "{a: " * 50 + "}" * 50, "1: study", "nested deeper than 20"),
    "tag that runs code": (
        changed("A toy", "!!python/object/apply:os.system [touch x]"), "2: title: ",
        "the tag !!python/object/apply:os.system", "not read",
    ),
    "plain tag": (changed("seeds: 3", "seeds: !!str 3"), "4: seeds: ", "tag"),
    "number as key": (changed("  plain: {}", "  1: {}"), "11: experiments: ", "found 1 as a key", "quote"),
    "true as key": (changed("  plain: {}", "  true: {}"), "11: experiments: ", "found true as a key"),
    "nothing as key": (changed("  plain: {}", "  ~: {}"), "11: experiments: ", "found nothing as a key"),
    "list as key": (changed("  plain: {}", "  [a, b]: {}"), "11: experiments: ", "found a list or mapping"),
    "not a number": (changed("0.05", ".nan"), "28: claims.linear.tolerance: ", ".nan", "finite"),
    "infinity": (changed("1e-3", "-.inf"), "9: defaults.training.learning_rate: ", "-.inf", "finite"),
    "overflowing number": (changed("1e-3", "1e999"), "9: defaults.training.learning_rate: ", "1e999"),
    "overflowing whole number": (
        changed("seeds: 3", "seeds: 9" + "9" * 5000), "4: seeds: ", "whole numbers go up to",
    ),
}  # fmt: skip

KEYS = {
    "misspelt key": (
        changed("title:", "tittle:"), "2: tittle: ", "did you mean 'title'?", "allowed: study, title",
    ),
    "unknown key": (
        changed("seeds: 3", "seeds: 3\ncolour: red"), "5: colour: ", "no such key", "allowed: study",
    ),
    "key in capitals": (changed("seeds: 3", "Seeds: 3"), "4: Seeds: ", "did you mean 'seeds'?"),
    "missing key": (changed("title: A toy\n", ""), "1: title: ", "not given; it takes: text"),
    "missing seeds": (changed("seeds: 3\n", ""), "1: seeds: ", "not given"),
    "in reference": (changed("year: 2025", "yaer: 2025"), "3: reference.yaer: ", "did you mean 'year'?"),
    "in defaults": (
        changed("  model: {d_model: 32}", "  modle: {d_model: 32}"), "8: defaults.modle: ", "'model'",
    ),
    "in experiment": (
        changed("wide: {model:", "wide: {modell:"), "12: experiments.wide.modell: ",
        "did you mean 'model'?",
    ),
    "in analysis": (
        changed("method: toy_probe\n    exp", "metod: toy_probe\n    exp"), "16: analyses.probes.metod: ",
        "'method'",
    ),
    "in figure": (
        changed('caption: "A', 'captoin: "A'), "21: figures.curve.captoin: ", "did you mean 'caption'?",
    ),
    "in claim": (
        changed("    tolerance:", "    tolerence:"), "28: claims.linear.tolerence: ",
        "did you mean 'tolerance'?",
    ),
    "in scale": (
        changed("laptop: {seeds: 2}", "laptop: {seed: 2}"), "32: scales.laptop.seed: ",
        "did you mean 'seeds'?",
    ),
    "in compute": (
        changed("{threads: 1}", "{thread: 1}"), "5: compute.thread: ", "did you mean 'threads'?",
    ),
    "in model": (
        changed("{d_model: 64}", "{d_modle: 64}"), "12: experiments.wide.model.d_modle: ",
        "did you mean 'd_model'?",
    ),
    "in training": (
        changed("loss: mse}", "loss: mse, momentun: 0}"), "9: defaults.training.momentun: ", "'momentum'",
    ),
    "in checkpoints": (
        changed("loss: mse}", "loss: mse, checkpoints: {log: 2, linaer: 3}}"),
        "9: defaults.training.checkpoints.linaer: ", "did you mean 'linear'?", "allowed: linear, log",
    ),
    "in task": (changed("length: 10", "lenght: 10"), "7: defaults.task.lenght: ", "did you mean 'length'?"),
    "in method": (
        changed("    depths:", "    depth:"), "18: analyses.probes.depth: ", "did you mean 'depths'?",
    ),
    "in override": (
        changed("{width: 4}", "{widht: 4}"), "19: analyses.heads.experiments.swept.widht: ", "'width'",
    ),
    "in plot": (
        changed('caption: "A', 'mark: no, caption: "A'), "21: figures.curve.mark: ",
        "did you mean 'marks'?",
    ),
    "in model at a scale": (
        changed("laptop: {seeds: 2}", "laptop: {model: {head: 2}}"), "32: scales.laptop.model.head: ",
        "'heads'",
    ),
    "in analysis at a scale": (
        changed("laptop: {seeds: 2}", "laptop: {analyses: {probes: {depht: [1]}}}"),
        "32: scales.laptop.analyses.probes.depht: ", "did you mean 'depths'?",
    ),
    "key of a shell": (
        changed("seeds: 3", 'seeds: 3\n"$(touch x)": 3'), '5: "$(touch x)": ', "no such key",
    ),
}  # fmt: skip

VALUES = {
    "text for a number": (
        changed("seeds: 3", "seeds: three"), "4: seeds: ", "found 'three'; expected a whole number",
    ),
    "quoted number": (
        changed("seeds: 3", 'seeds: "3"'), "4: seeds: ", "found '3'; expected a whole number",
    ),
    "fraction for a whole number": (
        changed("seeds: 3", "seeds: 3.0"), "4: seeds: ", "found 3.0; expected a whole number",
    ),
    "true for a number": (
        changed("seeds: 3", "seeds: true"), "4: seeds: ", "found true; expected a whole number",
    ),
    "underscores in a number": (changed("seeds: 3", "seeds: 1_000"), "4: seeds: ", "found '1_000'"),
    "no seeds": (changed("seeds: 3", "seeds: 0"), "4: seeds: ", "found 0; expected a number of at least 1"),
    "more seeds of an experiment than of the study": (
        changed("wide: {model:", "wide: {seeds: 4, model:"), "12: experiments.wide.seeds: ",
        "found 4; the study has 3 seeds",
    ),
    "more seeds of an experiment at a scale": (
        changed("laptop: {seeds: 2}", "laptop: {experiments: {wide: {seeds: 4}}}"),
        "32: scales.laptop.experiments.wide.seeds: ", "found 4; the study has 3 seeds",
    ),
    "more seeds of a point of a sweep at a scale": (
        changed("laptop: {seeds: 2}", "laptop: {experiments: {swept_heads_2: {seeds: 4}}}"),
        "32: scales.laptop.experiments.swept_heads_2.seeds: ", "found 4; the study has 3 seeds",
    ),
    "too many seeds": (changed("seeds: 3", "seeds: 2000000000"), "4: seeds: ", "at most 10000"),
    "list of seeds": (
        changed("seeds: 3", "seeds: [0, 1]"), "4: seeds: ", "found a list [0, 1]; expected a whole number",
    ),
    "number for text": (
        changed('"2502.01432"', "2502.01432"), "3: reference.arxiv: ", "found 2502.01432", "quotes",
    ),
    "empty text": (changed("A toy", '""'), "2: title: ", "found ''; expected some text"),
    "nothing for text": (changed("title: A toy", "title:"), "2: title: ", "found nothing; expected text"),
    "list for a mapping": (
        changed("{d_model: 32}", "[d_model]"), "8: defaults.model: ",
        "found a list ['d_model']; expected a mapping",
    ),
    "text for a mapping": (
        changed("  plain: {}", "  plain: none"), "11: experiments.plain: ",
        "found 'none'; expected a mapping",
    ),
    "yes for true": (
        changed('caption: "A', 'marks: yes, caption: "A'), "21: figures.curve.marks: ", "found 'yes'",
        "did you mean 'true'?",
    ),
    "unknown choice": (
        changed("optimizer: adam", "optimizer: adma"), "9: defaults.training.optimizer: ", "found 'adma'",
        "'rmsprop'", "did you mean 'adam'?",
    ),
    "negative learning rate": (
        changed("1e-3", "-1e-3"), "9: defaults.training.learning_rate: ", "found -0.001", "greater than 0",
    ),
    "beta of one": (
        changed("loss: mse}", "loss: mse, betas: [0.9, 1]}"), "9: defaults.training.betas.1: ", "found 1",
        "less than 1",
    ),
    "three betas": (
        changed("loss: mse}", "loss: mse, betas: [0.9, 0.9, 0.9]}"), "9: defaults.training.betas: ",
        "found a list",
    ),
    "text in a list of numbers": (
        changed("[0, 1]\n", "[0, one]\n"), "18: analyses.probes.depths.1: ", "found 'one'",
    ),
    "number for a list": (
        changed("depths: [0, 1]\n", "depths: 1\n"), "18: analyses.probes.depths: ",
        "found 1; expected a list",
    ),
    "neither of two kinds": (
        changed("{width: 4}", "{width: wide}"), "19: analyses.heads.experiments.swept.width: ",
        "found 'wide'; expected a whole number or 'auto'",
    ),
    "out of range in one of two kinds": (
        changed("{width: 4}", "{width: 0}"), "19: analyses.heads.experiments.swept.width: ", "found 0",
    ),
    "unknown device": (
        changed("{threads: 1}", "{device: gpu}"), "5: compute.device: ", "found 'gpu'", "'cuda'",
    ),
}  # fmt: skip

FITS = {
    "heads that do not divide": (
        changed("{d_model: 64}", "{heads: 3}"), "12: experiments.wide.model.heads: ",
        "heads 3 does not divide d_model 32", "allowed: 1, 2, 4", "d_model stands in line 8",
    ),
    "heads that do not divide at one scale": (
        changed("laptop: {seeds: 2}", "laptop: {model: {d_model: 33}}"),
        '13: experiments.swept.sweep."model.heads".1: ', "heads 2 does not divide d_model 33",
        "d_model stands in line 32",
    ),
    "epochs and steps": (
        changed("epochs: 2", "epochs: 2, steps: 9"), "9: defaults.training.epochs: ",
        "epochs 2 and steps 9", "give one",
    ),
    "steps over inherited epochs": (
        changed("training: {epochs: 1}", "training: {steps: 9}"), "33: scales.smoke.training.steps: ",
        "epochs 2 and steps 9", "null", "epochs stands in line 9",
    ),
    "neither epochs nor steps": (
        changed("epochs: 2, ", ""), "9: defaults.training: ", "neither epochs nor steps",
    ),
    "no learning rate": (
        changed("learning_rate: 1e-3, ", ""), "9: defaults.training.learning_rate: ",
        "not given; it takes: number > 0",
    ),
    "momentum of adam": (
        changed("loss: mse}", "loss: mse, momentum: 0.9}"), "9: defaults.training.momentum: ", "no effect",
    ),
    "muon without momentum": (
        changed("optimizer: adam", "optimizer: muon"), "9: defaults.training", "momentum 0", "0.95",
    ),
    "end of a constant rate": (
        changed("loss: mse}", "loss: mse, final_learning_rate: 1e-5}"),
        "9: defaults.training.final_learning_rate: ", "no effect", "cosine",
    ),
    "a task's own check": (
        changed("  plain: {}", "  plain: {task: {length: 1}}"), "11: experiments.plain.task.length: ",
        "alphabet ab has more letters than length 1",
    ),
}  # fmt: skip

NAMES = {
    name: (changed("  plain: {}", f"  {text}: {{}}"), f"11: experiments.{shown}: ", "[a-z][a-z0-9_]*", *rest)
    for name, text, shown, *rest in (
        ("slash", "a/b", '"a/b"', "found 'a/b'", "did you mean 'a_b'?"),
        ("parent folder", '".."', '".."', "found '..'"),
        ("path upwards", '"../../etc/passwd"', '"../../etc/passwd"', "did you mean 'etc_passwd'?"),
        ("hidden file", ".plain", '".plain"', "did you mean 'plain'?"),
        ("space", "a b", '"a b"', "did you mean 'a_b'?"),
        ("quote", "\"it's\"", '"it\'s"', "did you mean 'it_s'?"),
        ("double quote", "'a\"b'", '"a\\"b"', "did you mean 'a_b'?"),
        ("shell", '"$(touch x)"', '"$(touch x)"', "did you mean 'touch_x'?"),
        ("backticks", '"`touch x`"', '"`touch x`"'),
        ("semicolon", '"a;rm -rf b"', '"a;rm -rf b"'),
        ("newline", '"a\\nb"', '"a\\nb"', "did you mean 'a_b'?"),
        ("brace", '"{study}"', '"{study}"', "did you mean 'study'?"),
        ("option", "-rf", '"-rf"', "did you mean 'rf'?"),
        ("capitals", "Plain", "Plain", "did you mean 'plain'?"),
        ("digit first", "1st", "1st", "found '1st'"),
        ("accent", "é", '"\\u00e9"', "found '\\xe9'"),
        ("Cyrillic look-alike", "рlain", '"\\u0440lain"', "found '\\u0440lain'"),
        ("empty", '""', '""', "found ''"),
        ("long", "a" * 65, "a" * 65, "up to 64 characters"),
        ("longer", "a" * 1000, '"' + "a" * 29 + '...' + 'a' * 29 + '"', "up to 64 characters"),
    )
}  # fmt: skip

REFERENCES = {
    "fresh examples of a task that draws none": (
        changed("learning_rate: 1e-3, loss: mse}", "learning_rate: 1e-3, loss: mse, fresh: true}")
        .replace("{epochs: 2, ", "{steps: 2, ").replace("training: {epochs: 1}", "training: {steps: 1}"),
        "9: defaults.training.fresh: ", "task 'toy_task' draws no fresh examples", "`sample`",
    ),
    "fresh examples for full attention": (
        changed("learning_rate: 1e-3, loss: mse}", "learning_rate: 1e-3, loss: mse, fresh: true}")
        .replace("{epochs: 2, ", "{steps: 2, ").replace("training: {epochs: 1}", "training: {steps: 1}")
        .replace("{name: toy_task, length: 10}", "{name: list_sorting}")
        .replace("{d_model: 32}", "{d_model: 32, attention: full}"),
        "9: defaults.training.fresh: ", "do not say what is padding, which full attention must not see",
    ),
    "full attention for a method that takes causal attention": (
        changed("{d_model: 64}", "{d_model: 64, attention: full}")
        .replace("{method: toy_probe, experiments: {swept: {width: 4}}}",
                 "{method: patching, experiments: [plain, wide], pair_by: [a], positions: [b]}"),
        "19: analyses.heads.experiments.1: ",
        "'patching' takes causal attention; the model of 'wide' has full",
    ),
    "no residual stream for a method that takes one": (
        changed("{d_model: 64}", "{d_model: 64, residual: false}")
        .replace("{method: toy_probe, experiments: {swept: {width: 4}}}",
                 "{method: composition, experiments: [plain, wide]}"),
        "19: analyses.heads.experiments.1: ",
        "'composition' takes a residual stream; the model of 'wide' has none",
    ),
    "a learning rate for a part that there is not": (
        changed("{d_model: 64}", "{d_model: 64}, training: {rate_scale: {parts: {W_q: 2.0}}}"),
        "12: experiments.wide.training.rate_scale.parts.W_q: ", "no part 'W_q'", "did you mean 'W_Q'?",
    ),
    "a learning rate for a frozen part": (
        changed("loss: mse}", "loss: mse, frozen: [W_Q], rate_scale: {parts: {W_Q: 2.0}}}"),
        "9: defaults.training.rate_scale: ", "names 'W_Q', which is frozen",
    ),
    "findings of nothing": (
        changed("  probes:\n", "  cut: {method: stages, experiments: [plain], data: heads,"
                " curves: {a: {data: heads, variable: accuracy}}}\n  probes:\n"),
        "15: analyses.cut.data: ", "no analysis above 'heads'",
    ),
    "findings for a method of models": (
        changed("{method: toy_probe, experiments: {swept: {width: 4}}}",
                "{method: toy_probe, experiments: {swept: {width: 4}}, data: probes}"),
        "19: analyses.heads", "looks at runs, not at findings",
    ),
    "a method of findings without any": (
        changed("{method: toy_probe, experiments: {swept: {width: 4}}}",
                "{method: stages, experiments: [plain], curves: {a: {data: probes, variable: accuracy}}}"),
        "19: analyses.heads.data: ", "goes on from findings",
    ),
    "findings on another experiment": (
        changed("{method: toy_probe, experiments: {swept: {width: 4}}}",
                "{method: stages, experiments: [swept], data: probes, "
                "curves: {a: {data: probes, variable: accuracy}}}"),
        "19: analyses.heads.experiments.0: ", "'probes' is not of experiment 'swept_heads_1'",
    ),
    "study in another file": (
        changed("study: toy", "study: toys"), "1: study: ", "found 'toys'", "toy.yaml",
    ),
    "study called as a rule": (changed("study: toy", "study: data"), "1: study: ", "found 'data'", "rule"),
    "no experiments": (
        BASE[:BASE.index("  plain")].replace("experiments:", "experiments: {}"),
        "10: experiments: ", "found a mapping {}; expected a length of at least 1",
    ),
    "unknown task": (
        changed("name: toy_task", "name: toy_tusk"), "7: defaults.task.name: ", "no task 'toy_tusk'",
        "did you mean 'toy_task'?",
    ),
    "task that is a path": (
        changed("name: toy_task", "name: ../tasks/toy_task"), "7: defaults.task.name: ", "no task",
    ),
    "task that is the contract": (
        changed("name: toy_task", "name: base"), "7: defaults.task.name: ", "no task 'base'",
    ),
    "task that is a number": (
        changed("name: toy_task", "name: 7"), "7: defaults.task.name: ", "found 7", "toy_task",
    ),
    "no task": (changed("name: toy_task, ", ""), "7: defaults.task.name: ", "not given", "toy_task"),
    "unknown method": (
        changed("heads: {method: toy_probe", "heads: {method: toy_prob"), "19: analyses.heads.method: ",
        "no analysis 'toy_prob' in analyses/", "did you mean 'toy_probe'?",
    ),
    "unknown plot": (
        changed("plot: toy_plot", "plot: toy_plat"), "21: figures.curve.plot: ", "no plot 'toy_plat'",
        "'toy_plot'?",
    ),
    "method of another package": (
        changed("plot: toy_plot", "plot: os"), "21: figures.curve.plot: ", "no plot 'os'",
    ),
    "analysis of an unknown experiment": (
        changed("[plain, wide]", "[plain, wild]"), "17: analyses.probes.experiments.1: ",
        "no experiment 'wild'", "did you mean 'wide'?",
    ),
    "override of an unknown experiment": (
        changed("{swept: {width: 4}}", "{swapt: {width: 4}}"), "19: analyses.heads.experiments.swapt: ",
        "did you mean 'swept'?",
    ),
    "experiment named twice": (
        changed("[plain, wide]", "[plain, wide, plain]"), "17: analyses.probes.experiments.2: ", "twice",
    ),
    "pattern of no experiment": (
        changed("[plain, wide]", '["wild*"]'), "17: analyses.probes.experiments.0: ",
        "no experiment 'wild*'", "there are: plain",
    ),
    "experiment named beside its pattern": (
        changed("[plain, wide]", '["*", wide]'), "17: analyses.probes.experiments.1: ", "'wide' twice",
    ),
    "point named beside its sweep": (
        changed("{swept: {width: 4}}", "[swept, swept_heads_1]"), "19: analyses.heads.experiments.1: ",
        "twice",
    ),
    "sweep of a point": (
        changed("laptop: {seeds: 2}", "laptop: {experiments: {swept_heads_1: {sweep: {model.layers: [1]}}}}"),
        "32: scales.laptop.experiments.swept_heads_1.sweep: ", "one point of the sweep of 'swept'",
    ),
    "entry of an unknown point": (
        changed("laptop: {seeds: 2}", "laptop: {experiments: {swept_heads_3: {model: {layers: 2}}}}"),
        "32: scales.laptop.experiments.swept_heads_3: ", "no experiment", "did you mean 'swept_heads_",
    ),
    "analysis of nothing": (
        changed("{swept: {width: 4}}", "[]"), "19: analyses.heads.experiments: ", "no experiment",
    ),
    "figure of an unknown analysis": (
        changed("data: probes, caption", "data: probe, caption"), "21: figures.curve.data: ",
        "no analysis 'probe'", "did you mean 'probes'?",
    ),
    "figure of no analysis": (
        changed("data: probes, caption", "data: [], caption"), "21: figures.curve.data: ", "at least 1",
    ),
    "scale of an unknown experiment": (
        changed("[plain], tr", "[plian], tr"), "33: scales.smoke.only.0: ", "no experiment 'plian'",
        "'plain'?",
    ),
    "scale that changes an unknown experiment": (
        changed("laptop: {seeds: 2}", "laptop: {experiments: {wid: {}}}"),
        "32: scales.laptop.experiments.wid: ", "'wide'?",
    ),
    "scale that changes an unknown analysis": (
        changed("laptop: {seeds: 2}", "laptop: {analyses: {prob: {}}}"),
        "32: scales.laptop.analyses.prob: ", "'probes'?",
    ),
    "scale that changes an unknown figure": (
        changed("laptop: {seeds: 2}", "laptop: {figures: {curv: {}}}"), "32: scales.laptop.figures.curv: ",
        "'curve'?",
    ),
    "scale that leaves nothing": (
        changed("[plain], tr", "[], tr"), "33: scales.smoke.only: ", "at least 1",
    ),
    "scale with a bad name": (
        changed("  laptop:", "  lap-top:"), '32: scales."lap-top": ', "did you mean 'lap_top'?",
    ),
}  # fmt: skip

LONG_AXES = ("model.heads", "task.length", "training.epochs")
SWEEPS = {
    "unknown option": (
        changed("model.heads", "model.haeds"), '13: experiments.swept.sweep."model.haeds": ',
        "did you mean 'model.heads'?",
    ),
    "no section": (
        changed("model.heads", "heads"), "13: experiments.swept.sweep.heads: ",
        "did you mean 'model.heads'?",
    ),
    "unknown section": (
        changed("model.heads", "compute.threads"), '13: experiments.swept.sweep."compute.threads": ',
        "no such option",
    ),
    "whole section": (
        changed("model.heads: [1, 2]", "training.checkpoints: [1]"),
        '13: experiments.swept.sweep."training.checkpoints": ', "no such option",
    ),
    "trailing dot": (
        changed("model.heads", "model."), '13: experiments.swept.sweep."model.": ', "no such option",
    ),
    "task itself": (
        changed("model.heads: [1, 2]", "task.name: [toy_task]"),
        '13: experiments.swept.sweep."task.name": ', "no such option",
    ),
    "no list": (
        changed("[1, 2]", "2"), '13: experiments.swept.sweep."model.heads": ', "found 2; expected a list",
    ),
    "empty": (changed("[1, 2]", "[]"), '13: experiments.swept.sweep."model.heads": ', "at least 1"),
    "list of lists": (
        changed("[1, 2]", "[[1], 2]"), '13: experiments.swept.sweep."model.heads".0: ', "found a list",
    ),
    "bad value": (
        changed("[1, 2]", "[1, 0]"), '13: experiments.swept.sweep."model.heads".1: ', "found 0",
        "greater than 0",
    ),
    "value that does not fit": (
        changed("[1, 2]", "[1, 3]"), '13: experiments.swept.sweep."model.heads".1: ',
        "heads 3 does not divide", "line 8",
    ),
    "value twice": (
        changed("[1, 2]", "[2, 2]"), "13: experiments.swept.sweep.\"model.heads\": ", "has 2 twice",
    ),
    "value twice, written otherwise": (
        changed("model.heads: [1, 2]", "training.learning_rate: [10, 1.0e+1]"),
        "13: experiments.swept.sweep.\"training.learning_rate\": ", "has 10.0 twice",
    ),
    "values of one name": (
        changed("model.heads: [1, 2]", 'task.alphabet: ["a-", "a+"]'), "13: experiments.swept.sweep: ",
        "swept_alphabet_a",
    ),
    "name of another experiment": (
        changed("  plain: {}", "  plain: {}\n  swept_heads_2: {}"), "14: experiments.swept.sweep: ",
        "swept_heads_2",
    ),
    "too many points": (
        changed("model.heads: [1, 2]", ", ".join(f"{key}: {list(range(1, 200))}" for key in LONG_AXES)),
        "13: experiments.swept.sweep: ", "more than 10000",
    ),
    "name too long": (
        changed("model.heads: [1, 2]", f"task.alphabet: [{'a' * 120}]").replace("length: 10", "length: 200"),
        "13: experiments.swept.sweep: ", "longer than 128",
    ),
}  # fmt: skip

CLAIMS = {
    "unknown analysis": (
        changed("    data: probes", "    data: probs"), "24: claims.linear.data: ", "no analysis 'probs'",
        "'probes'?",
    ),
    "unknown variable": (
        changed("    variable: accuracy", "    variable: accuracies"), "25: claims.linear.variable: ",
        "did you mean 'accuracy'?",
    ),
    "unknown coordinate": (
        changed("depths: 0}", "depth: 0}"), "26: claims.linear.select.depth: ", "did you mean 'depths'?",
    ),
    "unknown experiment": (
        changed("experiment: plain,", "experiment: plan,"), "26: claims.linear.select.experiment: ",
        "found 'plan'", "'plain'?",
    ),
    "experiment of another analysis": (
        changed("experiment: plain,", "experiment: swept_heads_1,"),
        "26: claims.linear.select.experiment: ", "found 'swept_heads_1'",
    ),
    "seed that is not run": (
        changed("depths: 0}", "depths: 0, seed: 3}"), "26: claims.linear.select.seed: ", "found 3",
        "0, 1, 2",
    ),
    "value that is not measured": (
        changed("depths: 0}", "depths: 7}"), "26: claims.linear.select.depths: ", "found 7", "0, 1",
    ),
    "coordinate of another sweep": (
        changed("depths: 0}", "depths: 0, heads: 1}"), "26: claims.linear.select.heads: ",
        "no such coordinate",
    ),
    "several experiments": (
        changed("experiment: plain, ", ""), "26: claims.linear.select: ",
        "picks 2 experiments", "plain, wide", "`experiment: <name>`",
    ),
    "several values": (changed(", depths: 0}", "}"), "26: claims.linear.select: ", "runs along 'depths'"),
    "value of another experiment": (
        changed("[plain, wide]", "{plain: {}, wide: {depths: [0]}}"), "30: claims.deep.along.depths: ",
        "found 1; analysis 'probes' has: 0",
    ),
    "experiment outside the sweep": (
        changed("    data: probes", "    data: heads")
        .replace("{swept: {width: 4}}", "[swept, plain]")
        .replace("plain, depths: 0}", "plain, heads: 1, depths: 0}"),
        "26: claims.linear.select: ", "picks 0 experiments",
    ),
    "list in select": (
        changed("depths: 0}", "depths: [0, 1]}"), "26: claims.linear.select.depths: ", "found a list",
    ),
    "no number": (
        changed("    expected: 0.8\n", ""), "23: claims.linear: ",
        "exactly one of expected, at_least, at_most",
    ),
    "two numbers": (
        changed("    expected: 0.8\n", "    expected: 0.8\n    at_most: 1\n"),
        "27: claims.linear.expected: ", "expected and at_most",
    ),
    "no tolerance": (changed("    tolerance: 0.05\n", ""), "27: claims.linear.expected: ", "tolerance"),
    "tolerance of a bound": (
        changed("    expected: 0.8", "    at_most: 0.8"), "28: claims.linear.tolerance: ",
        "belongs to expected",
    ),
    "negative tolerance": (changed("0.05", "-0.05"), "28: claims.linear.tolerance: ", "found -0.05"),
    "text for the number": (
        changed("expected: 0.8", "expected: 80%"), "27: claims.linear.expected: ",
        "found '80%'; expected a number or a list",
    ),
    "list without along": (
        changed("expected: 0.8", "expected: [0.8]"), "27: claims.linear.expected: ", "runs along",
    ),
    "too few numbers": (
        changed("[0.1, 0.2]", "[0.1]"), "30: claims.deep.at_least: ", "1 numbers for 2 values",
    ),
    "value along that is not measured": (
        changed("along: {depths: [0, 1]}", "along: {depths: [0, 5]}"), "30: claims.deep.along.depths: ",
        "found 5",
    ),
    "unknown coordinate along": (
        changed("along: {depths: [0, 1]}", "along: {layer: [0, 1]}"), "30: claims.deep.along.layer: ",
        "no such coordinate",
    ),
    "value along twice": (
        changed("along: {depths: [0, 1]}", "along: {depths: [1, 1]}"), "30: claims.deep.along.depths: ",
        "twice",
    ),
    "two coordinates along": (
        changed("along: {depths: [0, 1]}", "along: {depths: [0, 1], seed: [0, 1]}"),
        "30: claims.deep.along: ", "at most 1",
    ),
    "coordinate along and selected": (
        changed("{experiment: wide}", "{experiment: wide, depths: 0}"), "30: claims.deep.along: ",
        "keep one",
    ),
    "name of a coordinate along": (
        changed("along: {depths: [0, 1]}", "along: depths"), "30: claims.deep.along: ",
        "found 'depths'; expected a mapping",
    ),
    "no source": (changed('    source: "figure 1"\n', ""), "23: claims.linear.source: ", "not given"),
}  # fmt: skip

WRONG = {
    f"{group}: {name}": case
    for group, cases in (
        ("yaml", YAML), ("key", KEYS), ("value", VALUES), ("fit", FITS), ("name", NAMES),
        ("reference", REFERENCES), ("sweep", SWEEPS), ("claim", CLAIMS),
    )
    for name, case in cases.items()
}  # fmt: skip


@pytest.mark.parametrize(
    ("content", "place", "says"),
    [(content, place, says) for content, place, *says in WRONG.values()],
    ids=list(WRONG),
)
def test_a_wrong_spec_is_refused_in_one_line(
    tmp_path: Path, content: str | bytes, place: str, says: list[str]
) -> None:
    message = refusal(tmp_path, content)
    assert len(message.splitlines()) == 1, message
    assert message.startswith(place)
    for fragment in says:
        assert fragment in message


def test_the_base_of_the_table_is_right(tmp_path: Path) -> None:
    (tmp_path / "toy.yaml").write_text(BASE)
    load_spec(tmp_path / "toy.yaml")


def test_all_mistakes_are_told_at_once_in_line_order(tmp_path: Path) -> None:
    content = changed("optimizer: adam", "optimizer: adma")
    content = content.replace("depths: 0}", "depths: 7}").replace("{threads: 1}", "{thread: 1}")
    assert [line.split(": ")[0] for line in refusal(tmp_path, content).splitlines()] == [
        "5",
        "9",
        "26",
    ]


def test_a_mistake_that_many_experiments_inherit_is_told_once(tmp_path: Path) -> None:
    many = "".join(f"  e{index}: {{}}\n" for index in range(100))
    content = changed("  plain: {}\n", "  plain: {}\n" + many).replace("batch_size: 8, ", "")
    message = refusal(tmp_path, content)
    assert message == "9: defaults.training.batch_size: not given; it takes: whole number > 0"


def test_a_hundred_mistakes_are_cut_to_twenty(tmp_path: Path) -> None:
    many = "".join(f"  e{index}: {{modle: 1}}\n" for index in range(100))
    lines = refusal(tmp_path, changed("  plain: {}\n", "  plain: {}\n" + many)).splitlines()
    assert len(lines) == 21 and "80 more problems" in lines[-1]


DEBRIS = (b"", *(b'\n| |:|[|}|{}|-|\t|null|1e3|"|\xff|&a|*'.split(b"|")))


@pytest.mark.parametrize("seed", range(4))
def test_no_damage_to_a_spec_gives_a_traceback(tmp_path: Path, seed: int) -> None:
    chance = random.Random(seed)
    path = tmp_path / "toy.yaml"
    for _ in range(150):
        damaged = bytearray(BASE.encode())
        for _ in range(chance.randint(1, 4)):
            start = chance.randrange(len(damaged))
            stop = start + chance.choice((0, 0, 1, 1, 5, 40))
            damaged[start:stop] = chance.choice(DEBRIS)
        path.write_bytes(damaged)
        try:
            load_spec(path)
        except InterpflowError as error:
            assert str(error).startswith(f"{path}:")


def test_a_file_that_is_not_there_is_named(tmp_path: Path) -> None:
    with pytest.raises(InterpflowError, match=r"absent\.yaml: cannot be read: No such file"):
        load_spec(tmp_path / "absent.yaml")


def test_a_folder_is_not_a_spec(tmp_path: Path) -> None:
    with pytest.raises(InterpflowError, match="cannot be read: Is a directory"):
        load_spec(tmp_path)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    path = tmp_path / "toy.yaml"
    with path.open("wb") as file:
        file.truncate(2**40)  # sparse: a terabyte of nothing
    with pytest.raises(InterpflowError, match="larger than"):
        load_spec(path)


BROKEN_MODULES = {
    "syntax error": ("def generate(:", "cannot be imported: SyntaxError"),
    "missing import": (
        "import no_such_module",
        "cannot be imported: ModuleNotFoundError: No module named 'no_such_module'",
    ),
    "exit": ("raise SystemExit(0)", "cannot be imported: SystemExit"),
    "no contract": ("VARIABLES = {}", "does not define Options and generate"),
    "other options": ("VARIABLES = {}; Options = dict; generate = print", "Options is not a Section"),
    "taken name": (
        "from interpflow.section import Section\nclass Options(Section):\n    name: str = ''\n"
        "VARIABLES = {}\ngenerate = print", "an option may not be called name",
    ),
    "check that fails by itself": (
        "from interpflow.section import Section\nfrom pydantic import model_validator\n"
        "class Options(Section):\n    length: int = 1\n    @model_validator(mode='after')\n"
        "    def check(self): return 1 / 0\nVARIABLES = {}\ngenerate = print",
        "cannot be checked: ZeroDivisionError",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("code", "says"), BROKEN_MODULES.values(), ids=list(BROKEN_MODULES))
def test_a_broken_module_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, code: str, says: str
) -> None:
    import interpflow.tasks

    (tmp_path / "broken.py").write_text(code)
    monkeypatch.setattr(interpflow.tasks, "__path__", [*interpflow.tasks.__path__, str(tmp_path)])
    monkeypatch.delitem(sys.modules, "interpflow.tasks.broken", raising=False)
    message = refusal(tmp_path, changed("name: toy_task, length: 10", "name: broken"))
    assert says in message and "defaults.task" in message
    assert len(message.splitlines()) == 1
