"""`interpflow COMMAND …`, or `python -m interpflow COMMAND …`: the modules in commands/ are the commands."""

from __future__ import annotations

import argparse
import contextlib
import errno
import gc
import getpass
import importlib
import os
import pkgutil
import shlex
import sys
from collections.abc import Sequence
from pathlib import Path

import interpflow
from interpflow import commands
from interpflow.errors import InterpflowError
from interpflow.workflow.layout import STAGES

# Parallelism is torch's, from the recipe.  BLAS below NumPy stays at one thread, whatever the machine has:
# its sums depend on the number.  It reads these variables when NumPy is first imported.
for _library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM", "VECLIB_MAXIMUM"):
    os.environ[f"{_library}_THREADS"] = "1"


def _same_sums() -> str:
    """What MKL is told, so that its sums do not depend on where a matrix lies in memory or how many lie there.

    Else a seed's weights would depend on which others ride along.  On processors that are not Intel's sums are
    alike with STRICT alone; on Intel's they are alike without it, not with it, and twice as fast.
    """
    with contextlib.suppress(OSError):
        if "GenuineIntel" in Path("/proc/cpuinfo").read_text():
            return "AUTO"
    return "AUTO,STRICT"


os.environ["MKL_CBWR"] = _same_sums()


def _run_code_of_this_folder() -> None:
    """Start again with the code of the project that this is started in, where that is another copy of it.

    An environment that was copied with the project still leads to the original.
    """
    source = Path("src").absolute()
    here, ours = source / "interpflow/__main__.py", Path(__file__)
    path = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    if here.is_file() and not here.samefile(ours) and path[0] != str(source):
        os.environ["PYTHONPATH"] = os.pathsep.join([str(source), *filter(None, path)])
        os.execv(sys.executable, [sys.executable, "-m", "interpflow", *sys.argv[1:]])


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command and return its exit code: 2 for an error that the user can mend."""
    parser = argparse.ArgumentParser(prog="interpflow", description=interpflow.__doc__)
    subparsers = parser.add_subparsers(metavar="COMMAND", required=True)
    for module in _modules(sys.argv[1:] if arguments is None else arguments):
        importlib.import_module(f"interpflow.commands.{module}").register(subparsers)
    parsed = parser.parse_args(arguments)
    try:
        status = parsed.command(parsed) or 0
        if sys.stdout:
            sys.stdout.flush()  # what cannot be written is told here, not at the end of the process
        return status
    except InterpflowError as error:
        print(f"interpflow: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("interpflow: stopped", file=sys.stderr)
        return 130
    except BrokenPipeError:  # `interpflow check | head`
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    except OSError as error:
        if not (said := _refused(error)):
            raise
        print(f"interpflow: {said}", file=sys.stderr)
        return 2


def _refused(error: OSError) -> str | None:
    """What no reader or writer foresaw, in words: a folder that may not be looked into, an output that is full.

    None of an error that says nothing about rights and room.  It stands here and not in `files`, on which
    every recipe rests.
    """
    path = Path(os.fsdecode(error.filename)) if error.filename is not None else None
    if error.errno in (errno.EACCES, errno.EPERM) and path:
        return (
            f"{path}: {getpass.getuser()} may not look at it ({error.strerror}); a right to read it mends "
            f"it, and +x for the folders above it: chmod +r {shlex.quote(str(path))}"
        )
    if error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EROFS):
        return f"{path or 'the output'}: cannot be written ({error.strerror}); make room (df -h .)"
    return None


def _modules(arguments: Sequence[str]) -> Sequence[str]:
    """The modules that know the command asked for: its own alone, so that none waits for what others import."""
    known = sorted(module.name for module in pkgutil.iter_modules(commands.__path__))
    asked = arguments[0] if arguments else ""
    if asked in STAGES:
        return ["stage"]
    return [asked] if asked in known and asked != "stage" else known


def start() -> None:
    """Be the command `interpflow`."""
    try:
        os.getcwd()
    except FileNotFoundError:
        print("interpflow: the current folder is gone; go to one that is there", file=sys.stderr)
        sys.exit(2)
    _run_code_of_this_folder()
    # What modules bring stays until the end.  To look through it for garbage at every step of their import,
    # and once more at the end, takes a third of the start of a job.
    gc.set_threshold(100_000, 20, 100)
    status = main()
    gc.freeze()
    sys.exit(status)


if __name__ == "__main__":
    start()
