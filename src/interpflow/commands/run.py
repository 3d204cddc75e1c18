"""`run`: everything of a study that is not up to date."""

from __future__ import annotations

import argparse
import os
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from interpflow.errors import InterpflowError
from interpflow.spec.load import DEFAULT_SCALE
from interpflow.workflow.layout import SPECS, VARIANTS


def register(subparsers: Any) -> None:
    """Add the command."""
    parser = subparsers.add_parser("run", help="make what is not up to date")
    parser.add_argument("studies", nargs="*", metavar="STUDY", help="default: all of specs/")
    parser.add_argument("--scale", default=DEFAULT_SCALE)
    way = parser.add_mutually_exclusive_group()
    way.add_argument(
        "--cores", default="all", type=_cores, metavar="N", help="at the same time (default: all)"
    )
    way.add_argument(
        "--one-process",
        action="store_true",
        help="one job after the other in this process, where a debugger sees them, without Snakemake",
    )
    parser.add_argument(
        "-S",
        dest="settings",
        action="append",
        default=[],
        metavar="KEY=VALUE",
        help="another value of a spec's key, such as model.heads=2; several, separated by commas, are a sweep",
    )
    parser.add_argument(
        "--as", dest="variant", metavar="NAME", help="keep the values of -S as variants/NAME.yaml"
    )
    parser.set_defaults(command=run)


def run(arguments: argparse.Namespace) -> None:
    """Make the files of every job whose recipe is not the one that its files name."""
    studies = arguments.studies
    if arguments.settings or arguments.variant:
        studies = [_kept(studies, arguments.settings, arguments.variant, arguments.scale)]
    if arguments.one_process:
        _in_one_process(studies, arguments.scale)
    else:
        _by_snakemake(studies, arguments.scale, arguments.cores)


def _kept(studies: Sequence[str], settings: Sequence[str], name: str | None, scale: str) -> str:
    """Keep the variant that the command line describes, once all of its points are in order; its name."""
    from interpflow.files import replacing
    from interpflow.spec.foresight import Foresight
    from interpflow.spec.load import load_spec, require_scale
    from interpflow.spec.variant_text import written
    from interpflow.spec.variants import read, said
    from interpflow.spec.yaml_text import parsed, read_spec_text
    from interpflow.workflow.effect import require_effect
    from interpflow.workflow.specs_folder import spec_of

    if len(studies) != 1 or not settings or not name:
        raise InterpflowError(
            "a variant is of one study and has a name: interpflow run STUDY -S KEY=VALUE --as NAME"
        )
    spec, path = spec_of(studies[0]), VARIANTS / f"{name}.yaml"
    text = written(name, settings, read_spec_text(spec))
    variant = said(parsed(text, path))
    if path.exists():
        if read(path) != variant:
            raise InterpflowError(f"{path}: is there with other values; give another name")
        return name
    foresight = Foresight()
    for point in variant.points():
        require_scale([load_spec(spec, foresight, point)], scale)
    require_effect(variant, spec, scale)
    with replacing(path) as temporary:
        temporary.write_text(text, encoding="utf-8")
    points = variant.points()
    print(f"{path}: " + ("kept" if len(points) == 1 else f"{len(points)} points"), flush=True)
    return name


def _by_snakemake(studies: Sequence[str], scale: str, cores: str) -> None:
    """Become Snakemake, which is then what a signal stops."""
    from interpflow.workflow.specs_folder import no_spec, spec_files, variants

    known = [*(path.stem for path in spec_files()), *variants()]
    for study in studies:
        if study not in known:
            raise no_spec(SPECS / f"{study}.yaml", known)
    if not Path("Snakefile").is_file():
        raise InterpflowError(
            f"no Snakefile in {Path.cwd()}: `interpflow new NAME` makes a folder that has one"
        )
    words = ["--cores", cores, *studies, "--config", f"scale={scale}"]
    os.execv(sys.executable, [sys.executable, "-m", "snakemake", *words])


def _in_one_process(studies: Sequence[str], scale: str) -> None:
    from interpflow.workflow import run_lock
    from interpflow.workflow.cache import take
    from interpflow.workflow.make import is_made, make
    from interpflow.workflow.specs_folder import plan_all, plan_checked, spec_of

    plans = plan_all(scale, studies)
    with run_lock.held(run_lock.PATH):
        for name, plan in plans.items():
            run = taken = 0
            for job in plan:
                if is_made(job):
                    continue
                if take(job):
                    taken += 1
                    continue
                if not run:
                    plan_checked(scale, [spec_of(name)])
                make(job)
                run += 1
            jobs = len(list(plan))
            told = f", {taken} taken from the cache" if taken else ""
            print(f"{name}: {run} of {jobs} jobs run{told}, the others were up to date")


def _cores(text: str) -> str:
    if text != "all" and not (text.isdecimal() and int(text)):
        raise argparse.ArgumentTypeError(f"found {text}; expected a number from 1 on, or all")
    return text
