"""What a panel shows: an analysis, an experiment, a seed, values of coordinates; spelled alike in every plot.

An option of a figure holds for each of its panels, and an option of a panel for each of its lines, unless the
panel or the line has the option itself.
"""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import partial
from typing import TypeVar

import xarray as xr

from interpflow import style
from interpflow.errors import InterpflowError
from interpflow.nearest import way_out
from interpflow.plots.base import Select, Value, choose
from interpflow.section import Section
from interpflow.selection import Analysis, Experiment, FoundVariable, Seed

P = TypeVar("P", bound="Panel")
SEED = "{seed}"


class Shown(Section):
    """What is shown of an analysis."""

    experiment: Experiment | None = None  # may end in *; the first in the data if not given
    seed: Seed | None = None  # if not given all, or the first where one model is shown
    select: Select = {}  # {coordinate: value, or a list of values}; the last step if not given


class Panel(Shown):
    """What one panel shows; an option that is not given is the figure's."""

    data: Analysis | None = None  # an analysis of the figure; the first if not given


class Line(Panel):
    """What one line shows; an option that is not given is the panel's, or else the figure's."""

    variable: FoundVariable


class Panels(Shown):
    """What a figure of several panels shows."""

    # by title; one for each experiment if none; a title with {seed} stands for one for each seed
    panels: dict[str, Panel] = {}


def within(inner: P, outer: Shown) -> P:
    """`inner`, with the options that it leaves out taken from `outer`."""
    names = [name for name in ("data", "experiment", "seed") if getattr(inner, name) is None]
    update = {name: getattr(outer, name, None) for name in names}
    return inner.model_copy(update=update | {"select": {**outer.select, **inner.select}})


def panels(data: Mapping[str, xr.Dataset], options: Panels, by: str) -> dict[str, xr.Dataset]:
    """The dataset of each panel by title, as `find` gives it; panels that a scale lacks are left out."""
    asked = for_each_seed(data, options.panels) or for_each_experiment(data, options)
    found = {
        title: find(data, within(panel, options), by, f"panels.{title}")
        for title, panel in asked.items()
    }
    return {title: here for title, here in found.items() if here is not None}


def for_each_seed(data: Mapping[str, xr.Dataset], panels: Mapping[str, Panel]) -> dict[str, Panel]:
    """`panels` by title, where a title with `{seed}` stands for one panel for each seed of the data."""
    seeds = sorted({int(seed) for found in data.values() for seed in found.get("seed", ())})
    return {
        title.replace(SEED, str(seed)): panel
        if seed is None
        else panel.model_copy(update={"seed": seed})
        for title, panel in panels.items()
        for seed in (seeds if SEED in title else [None])
    }


def for_each_experiment(data: Mapping[str, xr.Dataset], options: Shown) -> dict[str, Panel]:
    """A panel, by title, for each experiment of the first analysis, or for the one that `options` name."""
    names = [options.experiment] if options.experiment else []
    there = experiments(next(iter(data.values())), names)
    return {style.readable(name): Panel(experiment=name) for name in there}


def find(
    data: Mapping[str, xr.Dataset],
    shown: Shown,
    by: str,
    option: str = "",
    along: Sequence[str] = (),
) -> xr.Dataset | None:
    """The dataset of one experiment that `shown` selects, at the labels where the variable `by` has a value.

    `seed` stays a dim, and so do the dims `along`, even with one value.  Of training steps the last is left,
    unless `step` is in `along`.  The attribute `analysis` names the analysis.
    None if a smaller scale lacks the experiment or the seed.  Raises InterpflowError, with `option` and the
    nearest, for a name or a value that the data lacks.
    """
    prefix = f"{option}." if option else ""
    analysis = getattr(shown, "data", None) or next(iter(data))
    found = dataset(data, analysis, f"{prefix}data")
    there = measured(variable(found, by, f"{prefix}variable"))
    names = experiments(
        found, [shown.experiment] if shown.experiment else [], f"{prefix}experiment"
    )
    names = [name for name in names if there.sel(experiment=name).any()]
    if not names:
        return None
    here = found.sel(experiment=names[0]).assign_attrs(analysis=analysis)
    if shown.seed is not None and "seed" in here.dims:
        if shown.seed not in here["seed"]:
            return None
        here = here.sel(seed=[shown.seed])
    for name, value in shown.select.items():
        kept = [value] if name in along and not isinstance(value, list) else value
        here = _at(here, by, name, kept, f"{prefix}select")
    for dim in map(str, here[by].dims):
        if dim not in shown.select:
            some = measured(here[by])
            here = here.isel({dim: some.any([other for other in some.dims if other != dim]).values})
    if not here[by].size:
        return None
    last = "step" in here[by].dims and "step" not in (*along, *shown.select)
    return here.isel(step=-1) if last else here


def first(here: xr.Dataset, *dims: str) -> xr.Dataset:
    """`here` at the first label of each of `dims` that it has."""
    return here.isel({dim: 0 for dim in dims if dim in here.dims})


def _at(
    here: xr.Dataset, by: str, name: str, value: Value | list[Value], option: str
) -> xr.Dataset:
    """`here` at labels of the dim `name`, or with `by` alone where the coordinate `name` has the value."""
    variable(here, name, option)
    if name in here.dims:
        return choose(here, f"{option}.", **{name: value})
    known = here[name].values.ravel().tolist()
    if value not in known:
        there = way_out(str(value), map(str, dict.fromkeys(each for each in known if each != "")))
        raise InterpflowError(f"{option}.{name}: no {value!r} in the data; there are: {there}")
    labelled = here.assign({by: here[by].where(here[name] == value)})
    if "step" not in here[by].dims or "seed" not in here[name].dims:
        return labelled
    # A label such as `checkpoint` is at another step for each seed.
    highest = labelled[by].max("step", keep_attrs=True)
    return labelled.drop_vars(name).assign({by: highest}).assign_coords({name: value})


def experiments(found: xr.Dataset, names: Sequence[str], option: str = "experiment") -> list[str]:
    """The experiments of `found` among `names`, in that order; all if there are no names.

    A name may end in `*`.  A scale may leave experiments out, so a name that the data lacks is passed over.
    Raises InterpflowError, with the nearest, for a name that looks like a misspelt one: an experiment that no
    name matches is spelled much like it.
    """
    there = [str(name) for name in found["experiment"].values]
    kept = {name: [each for each in there if fnmatchcase(each, name)] for name in names}
    known = {each for matches in kept.values() for each in matches}
    for name, matches in kept.items():
        if not matches and _misspelt(name, [each for each in there if each not in known]):
            raise InterpflowError(
                f"{option}: no {name!r} in the data; there are: {way_out(name, there)}"
            )
    return list(dict.fromkeys(e for matches in kept.values() for e in matches)) if names else there


def _misspelt(name: str, others: Iterable[str]) -> bool:
    """Whether one of `others` has the same words as `name` but for a slip in some.

    A word more, another word or another number makes another experiment, such as a scale leaves out.
    """
    words = [re.sub(r"\d+", "0", other).split("_") for other in (name, *others)]
    return any(map(partial(_slipped, words[0]), words[1:]))


def _slipped(words: list[str], others: list[str]) -> bool:
    differing = [pair for pair in zip(words, others, strict=False) if len(set(pair)) > 1]
    near = (difflib.SequenceMatcher(None, *pair).ratio() >= 0.75 for pair in differing)
    return len(words) == len(others) and bool(differing) and all(near)


def dataset(data: Mapping[str, xr.Dataset], name: str, option: str) -> xr.Dataset:
    """The dataset of the analysis `name`.  Raises InterpflowError, with the nearest, if the figure lacks it."""
    if name not in data:
        raise InterpflowError(
            f"{option}: no analysis {name!r} among the data; there are: {way_out(name, data)}"
        )
    return data[name]


def variable(found: xr.Dataset, name: str, option: str) -> xr.DataArray:
    """The variable or coordinate `name`.  Raises InterpflowError, with the nearest, if there is none."""
    if name not in found.variables:
        known = way_out(name, map(str, found.variables))
        raise InterpflowError(f"{option}: no {name!r} in the data; there are: {known}")
    return found[name]


def measured(array: xr.DataArray) -> xr.DataArray:
    """Whether `array` has a value at each place: a number that is not NaN, or a text that is not empty."""
    return array.notnull() if array.dtype.kind in "fiub" else array.astype(str) != ""
