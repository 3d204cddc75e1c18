"""`promote`: write the values of a variant into the spec of its study."""

from __future__ import annotations

import argparse
import difflib
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.nearest import did_you_mean, way_out


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "promote", help="write the values of a variant into the spec, with its comments kept"
    )
    parser.add_argument("variant", metavar="VARIANT", help="or a point of one, if it is a sweep")
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Edit specs/<study>.yaml and print the lines that changed."""
    from interpflow.files import replacing
    from interpflow.spec.load import load_spec
    from interpflow.spec.spec_edit import edited
    from interpflow.spec.variants import read
    from interpflow.workflow.layout import VARIANTS
    from interpflow.workflow.specs_folder import spec_of, variants

    name: str = arguments.variant
    head = name.partition(".")[0]
    if head not in variants():
        raise InterpflowError(f"no variant '{name}'{did_you_mean(name, variants())}")
    points = {point.name: point for point in read(VARIANTS / f"{head}.yaml").points()}
    if name not in points:
        raise InterpflowError(
            f"{head} is a sweep; promote one of its points: {way_out(name, points)}"
        )
    point = points[name]
    path = spec_of(point.study)
    load_spec(path, None, point)
    before = path.read_bytes().decode("utf-8")
    after = edited(before, path, point.changes)
    with replacing(path) as temporary:
        temporary.write_bytes(after.encode("utf-8"))
    print(path)
    for line in list(difflib.unified_diff(before.splitlines(), after.splitlines(), n=0))[2:]:
        if not line.startswith("@@"):
            print(f"  {line}")
