"""The field reference of specs, written from the code that reads them.

What an option means is the comment beside it or above it; what a section means begins its docstring.
"""

from __future__ import annotations

import ast
import inspect
import io
import json
import textwrap
import tokenize
from collections.abc import Iterator
from typing import Any, get_args, get_origin

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from interpflow.errors import InterpflowError
from interpflow.model.options import ModelOptions
from interpflow.nearest import way_out
from interpflow.spec import document
from interpflow.spec.names_reference import of_analysis, of_task
from interpflow.spec.plugins import ANALYSIS, PLOT, TASK, Kind, available, load
from interpflow.spec.wording import field_in_words
from interpflow.training.options import Checkpoints, ComputeOptions, Start, TrainingOptions

_OPENING = """\
# What a spec may say

<!-- Written by `interpflow reference > specs/README.md`. -->

A spec is one YAML file, `specs/<study>.yaml`, and describes one study. `interpflow check` says
whether it is in order. With `# yaml-language-server: $schema=schema.json` in the first line an editor completes
keys and underlines what is not one (`interpflow schema > specs/schema.json`, anew for a new plugin).

- Names (of studies, experiments, analyses, figures, claims and scales) are `[a-z][a-z0-9_]*`.
- The options of an experiment are merged in this order, later ones winning: `defaults`, the experiment, the
  scale, the scale's entry for the experiment, the value that names a point of a sweep, the scale's entry for
  that point. Mappings merge key by key, lists are replaced, `null` takes an inherited option back. Options of
  one task mean nothing to another: an experiment that names its own task starts from that task's defaults.
- `sweep: {model.heads: [1, 2]}` in the experiment `wide` makes the experiments `wide_heads_1` and
  `wide_heads_2`, and `heads` becomes a coordinate of what is measured on them; where an analysis itself has a
  variable or dim `heads`, the coordinate is called `model.heads`. Several keys make every combination.
  Elsewhere `wide` stands for all its points.
- A name with `*`, `?` or `[…]` among the experiments of an analysis, of `only` or of a figure is a pattern:
  `"wide_*"` stands for all experiments whose names begin so.
- An experiment whose weights come from a file (`training: {start: {file: …}}`) is not trained: of its
  `training`, `start` and `loss` are read.
- The options of an analysis are merged in the order: the analysis, its entry for one experiment, the scale.
- `like: climb` in an analysis, a figure or an experiment: the same as `climb`, but for what stands here; the
  two are merged as a scale is. What a scale says of `climb` is of `climb` alone.
- `"layer {layer}": {site: "blocks.{layer}.hook_resid_post", positions: [real], layers: all}` among the options
  of an analysis stands for an entry for each layer of the experiment's model, or for each of `layers: [0, 2]`,
  with the layer's number for `{layer}`.
- The base of a spec holds the paper's values; a scale says what it changes. With `only`, analyses keep the
  experiments that stay, and an analysis without one is left out, as are its figures and claims. A claim on a
  value that the scale does not measure is left out too.
- A claim selects one value for each seed: one experiment, and one value of every other dimension of its
  variable. With `first_step: {above: 0.9}` it selects one curve for each seed, and takes the first training
  step at which the curve is above 0.9; a seed without such a step counts as missing.
- `below: {experiment: wide}` in a claim: what is selected is below the value at another place, which has what
  `select` has but for what stands here; likewise `above`. The number or bound of a claim with `ratio_to` or
  `difference_from` is of the ratio or difference of two places, taken seed by seed.
- A claim holds by the mean over seeds; the scorecard says beside that in how many seeds it holds.
- `of` and `rows` are claims that share most of what they say: each row is a claim `<claim>.<row>`, merged over
  `of` as a scale is.
- YAML here is the plain part of YAML 1.2: no anchors, tags or merge keys, each key once; `1e-3` is a number,
  and `no` is a word.
"""

_SECTIONS: tuple[tuple[str, type[BaseModel]], ...] = (
    ("The file", document.Document),
    ("`reference`", document.Reference),
    ("`defaults`", document.Defaults),
    ("`experiments.<name>`", document.Experiment),
    ("`analyses.<name>`", document.Analysis),
    ("`figures.<name>`", document.Figure),
    ("`style`", document.Style),
    ("`claims.<name>`", document.Claim),
    ("`claims.<name>.first_step`", document.FirstStep),
    ("`claims.<name>`, of several claims", document.ClaimRows),
    ("`scales.<name>`", document.Scale),
    ("`model`", ModelOptions),
    ("`training`", TrainingOptions),
    ("`training.checkpoints`", Checkpoints),
    ("`training.start`", Start),
    ("`compute`", ComputeOptions),
)


def reference() -> str:
    """The reference as Markdown: every key of a spec, then the options of each task, analysis and plot."""
    parts = [_OPENING]
    for heading, model in _SECTIONS:
        parts.append(f"## {heading}\n\n{_table(model)}")
    for kind in (TASK, ANALYSIS, PLOT):
        parts.append(f"## In {kind.folder}\n\nEach is a file in `{kind.folder}/`.\n")
        for name in available(kind):
            parts += _of_plugin(kind, name)
    return "\n".join(parts).rstrip() + "\n"


def reference_of(name: str) -> str:
    """The reference of the task, analysis or plot `name`.  Raises InterpflowError where there is none."""
    kinds = [kind for kind in (TASK, ANALYSIS, PLOT) if name in available(kind)]
    if not kinds:
        every = [each for kind in (TASK, ANALYSIS, PLOT) for each in available(kind)]
        raise InterpflowError(
            f"no task, analysis or plot '{name}'; there are: {way_out(name, every)}"
        )
    return "\n".join(part for kind in kinds for part in _of_plugin(kind, name)).rstrip() + "\n"


def _of_plugin(kind: Kind, name: str) -> Iterator[str]:
    module = load(kind, name)
    yield f"### `{name}`\n\n{_summary(module.__doc__)}\n\n{_table(module.Options)}"
    nested: dict[type[BaseModel], list[str]] = {}
    for key, inner in inner_sections(module.Options):
        nested.setdefault(inner, []).append(f"`{key}`")
    for one, keys in nested.items():
        yield f"#### In {', '.join(keys)}\n\n{_table(one)}"
    if kind is TASK:
        yield of_task(module)
    if kind is ANALYSIS:
        yield of_analysis(module)


def _table(model: type[BaseModel]) -> str:
    """What the section is, and a row for each field."""
    meanings = comments(model)
    rows = [
        f"| `{name}` | {field_in_words(field)} | {_default(field)} | {_cell(meanings.get(name, ''))} |".replace(
            "  ", " "
        )
        for name, field in model.model_fields.items()
    ]
    head = ["| key | takes | default | meaning |", "| --- | --- | --- | --- |"]
    return "\n".join([f"{_summary(model.__doc__)}\n", *(head + rows if rows else []), ""])


def inner_sections(
    model: type[BaseModel], above: str = ""
) -> Iterator[tuple[str, type[BaseModel]]]:
    """The sections in fields of `model`, and those in theirs, each with its key."""
    for name, field in model.model_fields.items():
        for path, inner in _sections(field.annotation, above + name):
            yield path, inner
            yield from inner_sections(inner, f"{path}.")


def _sections(kind: Any, key: str) -> Iterator[tuple[str, type[BaseModel]]]:
    """The sections that a value of type `kind` holds; of a mapping under `<name>`."""
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield key, kind
    further = f"{key}.<name>" if get_origin(kind) is dict else key
    for argument in get_args(kind):
        yield from _sections(argument, further)


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "required"
    value = field.get_default(call_default_factory=True, validated_data={})
    return (
        f"`{json.dumps(value.model_dump(mode='json') if isinstance(value, BaseModel) else value)}`"
    )


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _summary(docstring: str | None) -> str:
    return " ".join(inspect.cleandoc(docstring or "").split("\n\n")[0].split())


def comments(model: type[BaseModel]) -> dict[str, str]:
    """The comment beside each field of `model`, inherited fields included."""
    found: dict[str, str] = {}
    for owner in reversed(model.__mro__):
        if issubclass(owner, BaseModel) and owner is not BaseModel:
            found.update(_comments_in(textwrap.dedent(inspect.getsource(owner))))
    return found


def _comments_in(source: str) -> Iterator[tuple[str, str]]:
    """The name and the comment of each annotated field in the source of a class."""
    comments = {
        token.start[0]: token.string.lstrip("# ")
        for token in tokenize.generate_tokens(io.StringIO(source).readline)
        if token.type == tokenize.COMMENT
    }
    alone = [line.lstrip().startswith("#") for line in ["", *source.splitlines()]]
    definition = ast.parse(source).body[0]
    assert isinstance(definition, ast.ClassDef)
    for node in definition.body:
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name):
            lines = [*range(node.lineno, (node.end_lineno or node.lineno) + 1)]
            if not any(line in comments for line in lines):  # then it stands above
                while alone[lines[0] - 1]:
                    lines.insert(0, lines[0] - 1)
            yield node.target.id, " ".join(comments[line] for line in lines if line in comments)
