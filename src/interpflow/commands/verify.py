"""`verify`: are the files still what the run made, or what another machine made?"""

from __future__ import annotations

import argparse
from collections import Counter
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.spec.load import DEFAULT_SCALE
from interpflow.workflow.layout import SPECS, STAGES
from interpflow.workflow.specs_folder import spec_of, variants

# Machines differ in the last bits of a sum, and training lets the difference grow.
_TOLERANCE = 1e-4


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "verify", help="hold results and figures against a manifest, and list those of no spec"
    )
    parser.add_argument("studies", nargs="*", metavar="STUDY", help="default: all with a manifest")
    parser.add_argument("--scale", default=DEFAULT_SCALE)
    parser.add_argument(
        "--manifest",
        metavar="FILE",
        type=Path,
        help="of another run, instead of the one in results/",
    )
    parser.add_argument(
        "--tolerance",
        type=float,
        default=_TOLERANCE,
        help="root-mean-square difference of floating-point values, as a share of their root mean"
        " square, up to which they count as equal (default: %(default)g)",
    )
    parser.add_argument(
        "--reference",
        action="store_true",
        help="hold them against the manifests in reference/, those of the machine of docs/",
    )
    parser.add_argument(
        "--write-reference",
        action="store_true",
        help="copy manifests and scorecards to reference/, where every file is as its manifest says, and their "
        "numbers to the pages of docs/",
    )
    parser.add_argument(
        "--remove-foreign",
        action="store_true",
        help="remove the files in results/ and figures/ that no spec makes, and list them",
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the state of every file of each manifest; 1 if any is different, missing or damaged."""
    if arguments.remove_foreign:
        return _remove_foreign(arguments)
    paths = _references(arguments) if arguments.reference else _manifests(arguments)
    good = [_verify(path, arguments.tolerance, arguments.write_reference) for path in paths]
    if not arguments.manifest:
        _list_foreign(arguments)
    return 0 if all(good) else 1


def _verify(path: Path, tolerance: float, keep: bool) -> bool:
    from interpflow.record import manifest
    from interpflow.record.comparison import GOOD, IDENTICAL, STATUSES, compare
    from interpflow.record.machine import made_with

    content = manifest.read(path)
    print(f"{content['study']} at scale {content['scale']}, against {path}:")
    counts: Counter[str] = Counter()
    worst, by = "", 0.0
    for found in compare(content["files"], tolerance):
        counts[found.status] += 1
        if found.distance > by:
            worst, by = f"; furthest off: {found.variable} in {found.path}", found.distance
        note = f"  ({found.note})" if found.note else ""
        print(f"  {found.status:{max(map(len, STATUSES))}}  {found.path}{note}", flush=True)
    tally = ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])
    furthest = f"{worst}, by {by:.1e}" if worst else ""
    print(f"{counts.total()} files: {tally}; tolerance {tolerance:g}{furthest}")
    if content["made_with"] != [made_with()]:
        print("\n".join([f"  made with {machine}" for machine in content["made_with"]]))
        print(f"  here      {made_with()}")
    if keep:
        _keep(content, {*counts} <= {IDENTICAL})
    return GOOD.issuperset(counts)


def _keep(content: Mapping[str, Any], as_it_was: bool) -> None:
    """Make the manifest `content` and its scorecard the reference of the study, and of its page."""
    from interpflow.record import manifest, pages
    from interpflow.workflow import usual
    from interpflow.workflow.specs_folder import plan_study

    study, scale = content["study"], content["scale"]
    if scale != DEFAULT_SCALE:
        raise InterpflowError(f"a reference is of scale {DEFAULT_SCALE}, and this one of {scale}")
    if not as_it_was:
        raise InterpflowError(
            f"{study}: files changed since the run that wrote the manifest, so it is no reference; run "
            f"snakemake --cores all {study}"
        )
    path = manifest.REFERENCE.format(study=study)
    manifest.save(path, content)
    scorecard = STAGES["claims"].outputs["csv"].format(scale=scale, study=study)
    took = usual.keep(study, plan_study(study, scale))
    for written in [path, *pages.keep(study, Path(scorecard)), *took]:
        print(f"{written} written")


def _references(arguments: argparse.Namespace) -> list[Path]:
    """The references there are; those that are wanted and not there are named."""
    from interpflow.record import manifest

    if arguments.manifest or arguments.write_reference or arguments.scale != DEFAULT_SCALE:
        raise InterpflowError(f"--reference goes alone or with studies; it is of {DEFAULT_SCALE}")
    every = sorted(Path().glob(manifest.REFERENCE.format(study="*")))
    wanted = [Path(manifest.REFERENCE.format(study=name)) for name in arguments.studies] or every
    missing = [str(path) for path in wanted if path not in every]
    for path in missing or ([] if every else ["reference/"]):
        print(f"{path}: no reference yet; write it with: interpflow verify --write-reference")
    return [path for path in wanted if path in every]


def _list_foreign(arguments: argparse.Namespace) -> None:
    if not SPECS.is_dir():
        return
    try:
        found = _foreign(arguments)
    except InterpflowError as error:
        print(f"not looked for files of other specs: {error}")
        return
    if found:
        options = f" --scale {arguments.scale}" if arguments.scale != DEFAULT_SCALE else ""
        print("No spec makes these; remove them with: interpflow verify --remove-foreign" + options)
        print("\n".join(f"  {path}" for path in found))


def _remove_foreign(arguments: argparse.Namespace) -> int:
    from interpflow.record.foreign import remove

    found = _foreign(arguments)
    remove(found)
    print("\n".join([f"removed {path}" for path in found] or ["every file is of a spec"]))
    return 0


def _foreign(arguments: argparse.Namespace) -> list[Path]:
    from interpflow.record.foreign import foreign
    from interpflow.workflow.specs_folder import plan_all

    return foreign(plan_all(arguments.scale), arguments.scale, arguments.studies)


def _manifests(arguments: argparse.Namespace) -> list[Path]:
    if arguments.manifest and arguments.studies:
        raise InterpflowError(
            "verify takes studies or --manifest, since a manifest is of one study"
        )
    if arguments.manifest:
        return [arguments.manifest]
    pattern = STAGES["manifest"].outputs["manifest"]
    named: list[Path] = []
    if arguments.studies:
        for name in arguments.studies:
            path = Path(pattern.format(scale=arguments.scale, study=name))
            if not path.is_file():
                spec_of(name)  # a name that no study has is told with the nearest
            named.append(path)
        return named
    every = sorted(Path().glob(pattern.format(scale=arguments.scale, study="*")))
    every = [path for path in every if path.parent.name.partition(".")[0] not in variants()]
    if not every:
        raise InterpflowError(
            f"no study has a manifest at scale {arguments.scale}; "
            f"a run writes them: snakemake --cores all --config scale={arguments.scale}"
        )
    return every
