"""`table`: the points of a variant, by claims and by variables."""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from interpflow.errors import InterpflowError
from interpflow.nearest import did_you_mean, way_out
from interpflow.spec.study import DEFAULT_SCALE

if TYPE_CHECKING:
    from interpflow.workflow.job import Job
    from interpflow.workflow.plan import Plan


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "table", help="show the points of a variant by claims and chosen variables"
    )
    parser.add_argument("variant", metavar="VARIANT")
    parser.add_argument(
        "variables",
        nargs="*",
        metavar="ANALYSIS.VARIABLE[:COORDINATE=LABEL,…]",
        help="their mean over what the labels leave; such as lengths.accuracy:group=validation",
    )
    parser.add_argument("--scale", default=DEFAULT_SCALE)
    parser.add_argument(
        "--csv", type=Path, metavar="FILE", help="write every claim to FILE as well"
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Print a row for the study as its spec stands and for each point; of the claims those that differ."""
    import pandas as pd

    from interpflow.files import replacing
    from interpflow.spec.variants import read, value_at
    from interpflow.spec.yaml_text import read_spec_text
    from interpflow.workflow.layout import VARIANTS
    from interpflow.workflow.specs_folder import plan_all, spec_of, variants

    if arguments.variant not in variants():
        raise InterpflowError(
            f"no variant '{arguments.variant}'{did_you_mean(arguments.variant, variants())}"
        )
    variant = read(VARIANTS / f"{arguments.variant}.yaml")
    base = plan_all(arguments.scale, [variant.study])
    plans = plan_all(arguments.scale, [variant.name])
    changes = {point.name: point.changes for point in variant.points()}
    spec = read_spec_text(spec_of(variant.study)).content
    as_it_stands = {key: value_at(key, spec) for key in (*variant.set, *variant.sweep)}
    rows = [_row(variant.study, base[variant.study], as_it_stands, arguments.variables)]
    rows += [_row(name, plans[name], changes[name], arguments.variables) for name in plans]
    table = pd.DataFrame(rows, dtype=object)
    if arguments.csv:
        with replacing(arguments.csv) as temporary:
            table.to_csv(temporary, index=False)
    claims = [column for column in table if str(column).startswith("claim ")]
    alike = [name for name in claims if table[name].nunique(dropna=False) == 1]
    shown = table.drop(columns=alike).rename(columns=lambda name: str(name).removeprefix("claim "))
    print(shown.to_string(index=False, na_rep="", float_format="{:.4g}".format))
    if alike:
        print(f"{len(alike)} of {len(claims)} claims are alike in all rows")


def _row(
    name: str, plan: Plan, changes: Mapping[str, Any], variables: Sequence[str]
) -> dict[str, Any]:
    """The columns of one study: its name, its swept values, its claims and its variables."""
    row: dict[str, Any] = {"study": name, **changes}
    row |= _claims(plan)
    return row | {asked: _mean(plan, asked) for asked in variables}


def _claims(plan: Plan) -> dict[str, str]:
    from interpflow.record import scorecard

    jobs = list(plan.jobs["claims"].values())
    if not jobs or not _is_made(jobs[0]):
        return {"claims": "not made" if jobs else "none"}
    found = scorecard.read(jobs[0].outputs["csv"])
    holding = (found["verdict"] == scorecard.HOLDS).sum()
    return {"claims": f"{holding} of {len(found)} hold"} | {
        f"claim {row.claim}": _cell(row) for row in found.itertuples()
    }


def _cell(row: Any) -> str:
    import pandas as pd

    return f"{'' if pd.isna(row.ours) else f'{row.ours:.4g} '}{row.verdict}"


def _mean(plan: Plan, asked: str) -> float | str:
    """The mean of a variable of an analysis over what its labels leave."""
    from interpflow import store

    name, _, labels = asked.partition(":")
    analysis, _, variable = name.partition(".")
    if (analysis,) not in plan.jobs["collect"]:
        known = (names[0] for names in plan.jobs["collect"])
        raise InterpflowError(
            f"{asked}: no analysis '{analysis}'; there are: {way_out(analysis, known)}"
        )
    job = plan.find("collect", analysis)
    if not _is_made(job):
        return "not made"
    found = store.read(job.outputs["findings"])
    if variable not in found:
        has = way_out(variable, map(str, found.data_vars))
        raise InterpflowError(f"{asked}: no variable '{variable}' in {analysis}; there are: {has}")
    array = found[variable]
    for coordinate, _, label in (each.partition("=") for each in filter(None, labels.split(","))):
        if coordinate not in array.dims or coordinate not in array.coords:
            has = way_out(coordinate, map(str, array.dims))
            raise InterpflowError(f"{asked}: no coordinate '{coordinate}'; there are: {has}")
        there = array[coordinate].values.tolist()
        at = [place for place, each in enumerate(there) if str(each) == label]
        if not at:
            has = way_out(label, map(str, there))
            raise InterpflowError(f"{asked}: no {coordinate} '{label}'; there are: {has}")
        array = array.isel({coordinate: at})
    return float(array.mean())


def _is_made(job: Job) -> bool:
    from interpflow.workflow.states import state

    return state(job) == "made"
