"""`verify`: are the files still what the run made, or what another machine made?"""

from __future__ import annotations

import argparse
from collections import Counter
from pathlib import Path
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.spec.load import DEFAULT_SCALE
from interpflow.workflow.layout import STAGES

# Machines differ in the last bits of a sum, and training lets the difference grow.
_TOLERANCE = 1e-4


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("verify", help="hold results and figures against a manifest")
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
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> int:
    """Print the state of every file of each manifest; 1 if any is different, missing or damaged."""
    paths = _manifests(arguments)
    good = [_verify(path, arguments.tolerance) for path in paths]
    return 0 if all(good) else 1


def _verify(path: Path, tolerance: float) -> bool:
    from interpflow.record.comparison import GOOD, STATUSES, compare
    from interpflow.record.manifest import read

    manifest = read(path)
    print(f"{manifest['study']} at scale {manifest['scale']}, against {path}:")
    counts: Counter[str] = Counter()
    for found in compare(manifest["files"], tolerance):
        counts[found.status] += 1
        note = f"  ({found.note})" if found.note else ""
        print(f"  {found.status:{max(map(len, STATUSES))}}  {found.path}{note}", flush=True)
    tally = ", ".join(f"{counts[status]} {status}" for status in STATUSES if counts[status])
    print(f"{counts.total()} files: {tally}; tolerance {tolerance:g}")
    return GOOD.issuperset(counts)


def _manifests(arguments: argparse.Namespace) -> list[Path]:
    if arguments.manifest and arguments.studies:
        raise InterpflowError(
            "verify takes studies or --manifest, since a manifest is of one study"
        )
    if arguments.manifest:
        return [arguments.manifest]
    pattern = STAGES["manifest"].outputs["manifest"]
    if arguments.studies:
        named = [pattern.format(scale=arguments.scale, study=name) for name in arguments.studies]
        return [Path(name) for name in named]
    every = sorted(Path().glob(pattern.format(scale=arguments.scale, study="*")))
    if not every:
        raise InterpflowError(
            f"no study has a manifest at scale {arguments.scale}; "
            f"a run writes them: snakemake --cores all --config scale={arguments.scale}"
        )
    return every
