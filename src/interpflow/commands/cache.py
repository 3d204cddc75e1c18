"""`cache`: how much is kept by recipe, how much may be, and the exchange with another place."""

from __future__ import annotations

import argparse
import re
from typing import TYPE_CHECKING, Any

from interpflow.spec.study import DEFAULT_SCALE

if TYPE_CHECKING:
    from interpflow.workflow.job import Job

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "TB": 10**12}


def register(subparsers: Any) -> None:
    """Add the command with its four actions."""
    parser = subparsers.add_parser(
        "cache", help="datasets kept by recipe: size, limit, exchange with another place"
    )
    actions = parser.add_subparsers(metavar="ACTION", required=True)
    action = actions.add_parser("size", help="how much there is, and how much there may be")
    action.set_defaults(command=size)
    action = actions.add_parser("gc", help="remove what was not used for longest")
    action.add_argument(
        "limit",
        nargs="?",
        type=_bytes,
        metavar="LIMIT",
        help="such as 500MB; from now on the cache holds no more (default: the limit that holds now)",
    )
    action.set_defaults(command=gc)
    for name, what in (
        ("push", "copy to REMOTE what it lacks of the present specs"),
        ("pull", "copy from REMOTE what the present specs ask for and is not made here"),
    ):
        action = actions.add_parser(name, help=what)
        action.add_argument(
            "remote", metavar="REMOTE", help="a folder, or a URL for fsspec, such as s3://bucket/x"
        )
        action.add_argument("studies", nargs="*", metavar="STUDY", help="default: all of specs/")
        action.add_argument("--scale", default=DEFAULT_SCALE)
        action.set_defaults(command=exchange, action=name)


def size(arguments: argparse.Namespace) -> None:
    """Print the size of the cache, its limit, and what would be free without it."""
    from interpflow.workflow import cache

    sizes, only_here = cache.sizes(), cache.sizes(only_here=True)
    print(
        f"{cache.CACHE}/: {len(sizes)} entries, {_in_words(sum(sizes.values()))} of at most "
        f"{_in_words(cache.limit())}; {_in_words(sum(only_here.values()))} of it stand nowhere else"
    )


def gc(arguments: argparse.Namespace) -> None:
    """Keep to the limit, and to the one given from now on."""
    from interpflow.workflow import cache

    if arguments.limit is not None:
        cache.tell_limit(arguments.limit)
    with cache.locked():
        before = len(cache.sizes())
        cache.make_room()
        print(f"removed {before - len(cache.sizes())} of {before} entries")
    size(arguments)


def exchange(arguments: argparse.Namespace) -> None:
    """Push to the remote or pull from it, and say how many entries went over."""
    from interpflow.workflow import cache_remote

    jobs = _jobs(arguments.studies, arguments.scale)
    with cache_remote.remote(arguments.remote) as remote:
        if arguments.action == "push":
            print(f"{cache_remote.push(jobs, remote)} entries written to {arguments.remote}")
        else:
            print(f"{cache_remote.pull(jobs, remote)} entries copied from {arguments.remote}")


def _jobs(studies: list[str], scale: str) -> list[Job]:
    from interpflow.workflow.specs_folder import plan_all

    return [job for plan in plan_all(scale, studies).values() for job in plan]


def _bytes(text: str) -> int:
    found = re.fullmatch(r"([0-9.]+) *([KMGT]?B?)", text.strip().upper())
    try:
        number, unit = found.groups() if found else ("", "")
        return round(float(number) * _UNITS[unit if unit in _UNITS else f"{unit}B"])
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"found {text}; expected bytes, such as 500MB or 20GB"
        ) from None


def _in_words(number: int) -> str:
    unit = next((name for name in ("TB", "GB", "MB", "KB") if number >= _UNITS[name]), "B")
    return f"{number / _UNITS[unit]:.3g} {unit}"
