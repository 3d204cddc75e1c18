"""`diff`: what differs between two runs, scales, revisions or specs of a study?"""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

_ASKED = (
    "a study (list_sorting), at a scale (@smoke), in a revision of git (@HEAD~1); the file of a spec; a "
    "manifest; or the name of a kept run"
)


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser(
        "diff", help="say which keys, claims, findings and figures differ between two runs or specs"
    )
    parser.add_argument("before", metavar="A", help=_ASKED)
    parser.add_argument("after", metavar="B", help="another of these")
    parser.add_argument(
        "--html",
        type=Path,
        metavar="FILE",
        help="also write a page with the figures, side by side and laid on each other",
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Print what differs from A to B."""
    from interpflow.diff.asked import sides
    from interpflow.diff.compare import compare, lines, pairs

    compared = [compare(*pair) for pair in pairs(sides(arguments.before), sides(arguments.after))]
    for each in compared:
        if len(compared) > 1:
            print(f"{each.after.study}:")
        print("\n".join(lines(each)))
    if arguments.html:
        from interpflow.diff.page import page
        from interpflow.files import replacing

        with replacing(arguments.html) as temporary:
            text = page(compared, arguments.before, arguments.after)
            temporary.write_text(text, encoding="utf-8")
        print(arguments.html)
