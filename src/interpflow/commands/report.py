"""`report`: write the page of a scale."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from interpflow.spec.load import DEFAULT_SCALE, load_specs, require_scale


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "report", help="write one HTML page with all figures and scorecards of a scale"
    )
    parser.add_argument("--scale", default=DEFAULT_SCALE)
    parser.add_argument(
        "--with-explorers",
        action="store_true",
        help="put the pages to look through each study into the file, so that it can be sent by itself",
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Write results/<scale>/report.html from what the last run left."""
    from interpflow.report.page import page
    from interpflow.store import replacing
    from interpflow.workflow.specs_folder import spec_files

    specs = load_specs(spec_files())
    require_scale(specs.values(), arguments.scale)
    path = Path("results", arguments.scale, "report.html")
    with replacing(path) as temporary:
        text = page(specs.values(), arguments.scale, arguments.with_explorers)
        temporary.write_text(text, encoding="utf-8")
    print(f"{path}: {path.stat().st_size / 1e6:.1f} MB")
