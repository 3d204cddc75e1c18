"""What a page holds of one experiment: a few examples, history, activations, mean attention, circuits."""

from __future__ import annotations

import importlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict
from typing import Any

import numpy as np
import xarray as xr

from interpflow import selection
from interpflow.analyses import activations, attention_map, circuits
from interpflow.explorer import sources
from interpflow.explorer.held import Dataset, Source
from interpflow.methods.shown import words
from interpflow.record import divergence
from interpflow.runs import Runs

_MOST = 1 << 26  # values of one variable while it is computed; what the page holds is less


def modest(runs: Runs, options: activations.Options) -> activations.Options:
    """`options` with fewer checkpoints and examples, where the attention of all would take much memory."""
    for steps, count in ((5, 4), (3, 2), (2, 1)):
        if _attended(runs) * steps * count <= _MOST:
            break
    return options.model_copy(update={"steps": steps, "count": count})


def _attended(runs: Runs) -> int:
    """How many values the attention of one example at one checkpoint has."""
    shape, longest = runs.model.options, int(runs.data["length"].max())
    return len(runs.seeds) * shape.layers * shape.heads * longest**2


def datasets(
    name: str,
    runs: Runs,
    options: activations.Options,
    asked: str = "",
    findings: Sequence[Dataset] = (),
) -> Iterator[Dataset]:
    """Those of the experiment `name`; of its seeds the sound ones, and nothing of a model without any.

    `asked` is the analysis of the spec that has the `options`, if one has.
    Circuits are of models with a direct path from a head to the logits, and of vocabularies that are not large.
    """
    here = [each for each in findings if name in each.content["experiment"]]
    shown = _examples(runs.data, options, _examples_of_lenses(here, name))
    yield Dataset(f"examples of {name}", "examples", name, "", shown)
    lost = {seed for steps in divergence.read(runs.labelled.attrs).values() for seed in steps}
    sound = [seed for seed in runs.seeds if seed not in lost]
    if not sound:
        return
    runs = runs.only(sound) if lost else runs
    history = runs.history.drop_attrs(deep=False).transpose("seed", "step", ...)
    curves = [each.name for each in here if each.method == "training_curves"]
    said = sources.history(name, curves[0] if curves else "")
    yield Dataset(f"history of {name}", "history", name, "", history, said)
    # What a spec has to say to have the same.
    given = options.model_dump(mode="json", exclude_defaults=True)
    states = [str(each) for each, values in shown.items() if each in runs.data and values.ndim > 1]
    said = sources.activations(name, given, asked, states)
    yield _of(name, activations, activations.analyse(runs, options), said)
    shape = runs.model.options
    if _attended(runs) * len(sources.CHECKPOINTS) <= _MOST:
        said = sources.mean_attention(name, given)
        yield _of(name, attention_map, _mean_attention(runs, options), said)
    direct = shape.residual or (shape.layers == 1 and not shape.d_mlp)
    steps, tokens = len(runs.kept(options.steps)), runs.data.sizes["token"]
    if direct and len(runs.seeds) * steps * shape.layers * shape.heads * tokens**2 <= _MOST:
        said = sources.circuits(name, shape.layers, options.steps)
        yield _of(name, circuits, _circuits(runs, options), said)


def _of(name: str, method: Any, findings: xr.Dataset, said: Mapping[str, Source]) -> Dataset:
    """`findings` with units and long names; they may have more dims than the method says."""
    kind = method.__name__.rpartition(".")[2]
    described = findings.copy()
    for variable, known in {**activations.VARIABLES, **method.VARIABLES}.items():
        if variable in described:
            described[variable].attrs = {"units": known.units, "long_name": known.long_name}
    return Dataset(f"{kind} of {name}", kind, name, kind, described, said)


def _mean_attention(runs: Runs, options: activations.Options) -> xr.Dataset:
    """The mean over the split as one more example, (seed, step, shown_example, layer, head, query, key).

    Its words are what positions are called in most of the examples that have them.
    """
    asked = attention_map.Options(split=options.split, where=options.where, queries=["real"])
    at = {int(runs.steps(checkpoint)[0]): checkpoint for checkpoint in sources.CHECKPOINTS}
    each = [
        attention_map.analyse(runs, asked.model_copy(update={"checkpoint": checkpoint}))[
            "attention"
        ]
        for checkpoint in at.values()
    ]
    attention = xr.concat(each, "step").assign_coords(step=[*at])
    attention = attention.expand_dims(shown_example=[f"mean of {options.split}"])
    called = _called_mostly(selection.select(runs.data, asked))[attention["query"].values]
    return xr.Dataset(
        {
            "attention": attention.transpose("seed", "step", "shown_example", ...),
            "word": (("shown_example", "position"), np.where(called == "", "·", called)[None]),
        },
        {"position": attention["query"].values},
    )


def _circuits(runs: Runs, options: activations.Options) -> xr.Dataset:
    """The OV and QK circuits of every layer, (seed, step, layer, head, …)."""
    layers = range(runs.model.options.layers)
    each = [
        circuits.analyse(runs, circuits.Options(layer=layer, steps=options.steps))
        for layer in layers
    ]
    joined = xr.concat(each, "layer").assign_coords(layer=np.arange(len(layers)))
    return joined.transpose("seed", "step", "layer", "head", ...)


def _called_mostly(data: xr.Dataset) -> np.ndarray:
    """What positions are called in most of the examples that have them (position,), "" without names."""
    there = xr.DataArray(range(data.sizes["position"]), dims="position") < data["length"]
    role = data["role"].where(there, -1) if "role" in data else -there.astype(int)
    return selection.names(data.assign(role=role))


def _examples(data: xr.Dataset, options: activations.Options, also: Sequence[str]) -> xr.Dataset:
    """What the task says of the examples shown: words, roles, and every state without a further dim."""
    chosen, names = options.of(data)
    others = [name for name in also if name not in names]
    every = [chosen, *(_called(data, name) for name in others)]
    chosen = xr.concat(every, "example", data_vars="minimal", coords="minimal", compat="override")
    chosen = chosen.isel(position=slice(int(chosen["length"].max())))
    found: dict[str, Any] = {
        str(name): (("shown_example", *map(str, values.dims[1:])), values.values, values.attrs)
        for name, values in chosen.data_vars.items()
        if values.dims in (("example",), ("example", "position"))
    }
    at = ("shown_example", "position")
    found["word"] = at, words(chosen), {"long_name": "token"}
    if "role_name" in chosen.coords:
        roles = chosen["role_name"].values[chosen["role"].values]
        found["role_word"] = at, roles, {"long_name": "what stands at the position"}
    return xr.Dataset(found, {"shown_example": [*names, *others]})


def _examples_of_lenses(findings: Iterable[Dataset], experiment: str) -> list[str]:
    """The names of examples that analyses `lens` of the spec keep whole of an experiment."""
    found: dict[str, None] = {}
    for each in findings:
        if each.method == "lens" and "probability" in each.content:
            whole = each.content["probability"].sel(experiment=experiment)
            some = whole.notnull().any([dim for dim in whole.dims if dim != "shown_example"])
            found |= dict.fromkeys(map(str, whole["shown_example"].values[some.values]))
    return [*found]


def _called(data: xr.Dataset, name: str) -> xr.Dataset:
    """The one example of a name such as "test 3"."""
    split, _, number = name.rpartition(" ")
    return selection.select(data, selection.Examples(split=split)).isel(example=[int(number)])


def drawings(module: str, data: xr.Dataset, options: activations.Options) -> dict[str, Any]:
    """The drawing of each example shown by its name, as JSON takes it, by the `drawing` of the module."""
    chosen, names = options.of(data)
    draw = importlib.import_module(module).drawing
    return {name: asdict(draw(chosen.isel(example=at))) for at, name in enumerate(names)}
