"""The claims of a spec, one row a number, and whether a row can pick one value per seed."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any

from interpflow.nearest import listed, way_out
from interpflow.spec import document
from interpflow.spec.found_names import Found, is_among, no_label, unlike
from interpflow.spec.merging import Layer, merge
from interpflow.spec.problems import KeyPath, describe
from interpflow.spec.study import STEP, Claim, Scalar, Study, coordinate_names


def rows(name: str, written: document.Claim) -> Iterator[Claim]:
    """The claim itself, or with `along` one claim `name[value]` for each of the coordinate's values."""
    if not written.along:
        yield _row(name, written, {}, None)
    for coordinate, values in written.along.items():
        for index, value in enumerate(values):
            yield _row(f"{name}[{value}]", written, {coordinate: value}, index)


def _row(name: str, written: document.Claim, chosen: dict[str, Scalar], index: int | None) -> Claim:
    def number(given: float | list[float] | None) -> float | None:
        return given[index or 0] if isinstance(given, list) else given

    select = written.select | chosen
    compared = next((name for name in document.PLACES if getattr(written, name) is not None), None)
    other = merge([Layer((), select), Layer((), getattr(written, compared))]) if compared else None
    return Claim(
        name=name,
        data=written.data,
        variable=written.variable,
        select=select,
        expected=number(written.expected),
        at_least=number(written.at_least),
        at_most=number(written.at_most),
        tolerance=written.tolerance,
        source=written.source,
        because=written.because,
        first_step=written.first_step.model_dump(exclude_none=True) if written.first_step else None,
        compared=compared,
        other=other,
    )


def mistake(
    claim: Claim, study: Study, variables: Mapping[str, Any], found: Mapping[str, Found]
) -> tuple[KeyPath, str] | None:
    """Why `claim` cannot pick one value per seed: the key of the claim that is at fault, and a message.

    `variables` is the table of the claim's analysis.  Before the run, the labels of experiments, sweeps and
    seeds are known, and the labels that the analysis will have `found` on each experiment.
    """
    dims = variables[claim.variable].dims
    if claim.first_step and STEP not in dims:
        return ("first_step",), f"'{claim.variable}' has one value, not one for each training step"
    if wrong := _mistake(claim, study, variables, found):
        return ("select", *wrong[0]), wrong[1]
    if claim.compared is None:
        return None
    other = claim.other or {}
    if other == claim.select:
        return (claim.compared,), "is the place itself; say what the other one has otherwise"
    if wrong := _mistake(replace(claim, select=other), study, variables, found):
        return (claim.compared, *wrong[0]), wrong[1]
    if claim.select.get("seed") != other.get("seed"):
        return (claim.compared, "seed"), "both places are of the same seeds; leave the seed out"
    return None


def _mistake(
    claim: Claim, study: Study, variables: Mapping[str, Any], found: Mapping[str, Found]
) -> tuple[KeyPath, str] | None:
    """Why `select` does not pick one value per seed: the coordinate at fault, if it is one, and a message."""
    options = study.analyses[claim.data].options
    places = {name: study.experiments[name].coords for name in options}
    taken = {*variables, *(dim for variable in variables.values() for dim in variable.dims)}
    called = coordinate_names({option for place in places.values() for option in place}, taken)
    experiments = {
        name: {"experiment": name, **{called[option]: value for option, value in place.items()}}
        for name, place in places.items()
    }
    telling = dict.fromkeys(key for coords in experiments.values() for key in coords)
    dims = {name: tuple(variable.dims) for name, variable in variables.items()}
    own = [dim for dim in dims[claim.variable] if dim not in (*telling, "seed")]
    labels = [name for name in dims if name != claim.variable and {*dims[name]} <= {*own, "seed"}]
    known = [*telling, "seed", *own, *labels]
    for coordinate in claim.select:
        if coordinate not in known:
            return (coordinate,), f"no such coordinate; allowed: {way_out(coordinate, known)}"

    for coordinate in telling:
        values = [coords[coordinate] for coords in experiments.values() if coordinate in coords]
        if wrong := _absent(claim, coordinate, values):
            return (coordinate,), wrong
    told = {key: value for key, value in claim.select.items() if key in telling}
    picked = [name for name, coords in experiments.items() if told.items() <= coords.items()]
    if len(picked) != 1:
        among = f"picks {len(picked)} experiments of '{claim.data}', which has: {listed(options)}"
        return (), f"{among}; let `experiment: <name>` pick one"

    lists = {name: given for name, given in options[picked[0]].items() if isinstance(given, list)}
    lists["seed"] = study.experiments[picked[0]].seeds
    for coordinate in ("seed", *own):
        if coordinate in lists and (wrong := _absent(claim, coordinate, lists[coordinate])):
            return (coordinate,), wrong
    if here := found.get(picked[0]):
        for coordinate in claim.select:
            if coordinate in (*own, *labels) and coordinate in here.labels:
                value = claim.select[coordinate]
                if has := unlike(value, [here.labels[coordinate]]):
                    return (coordinate,), no_label(coordinate, value, has)
    fixed = {dim for key in claim.select for dim in dims.get(key, (key,))}
    if claim.first_step:
        fixed.add(STEP)
    for dim in own:
        if dim not in fixed:
            runs = f"picks many values: '{claim.variable}' runs along '{dim}'"
            return (), f"{runs}; let `{dim}: <value>` pick one"
    return None


def _absent(claim: Claim, coordinate: str, values: list[Any]) -> str | None:
    """The message if `claim` selects another value of `coordinate` than one of `values`."""
    found = claim.select.get(coordinate)
    if found is None or is_among(found, values):
        return None
    has = way_out(str(found), dict.fromkeys(map(str, values)))
    return f"found {describe(found)}; analysis '{claim.data}' has: {has}"
