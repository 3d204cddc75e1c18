"""One GPU for each job, on a machine with several.

Snakemake counts the jobs that use one and does not say which.  Each job holds the lock of its card, which the
kernel frees when the job ends, however it ends.
"""

from __future__ import annotations

import fcntl
import os
import time
from pathlib import Path

from interpflow.errors import InterpflowError
from interpflow.workflow import locks

NUMBER = "INTERPFLOW_CARDS"  # how many there are; a run with one says nothing
_FOLDER = Path(".snakemake")  # of the project folder
_VISIBLE = "CUDA_VISIBLE_DEVICES"
# Somebody that the run does not know of may have it.
_SECONDS_TO_WAIT = 60.0


def take() -> int | None:
    """Hold a card that no other job holds, until this process ends, and let torch see it alone.

    To be called before torch looks for cards.  Returns the descriptor of the lock; None where a run counts no
    cards.  Raises InterpflowError where all are held, or where the file system knows no locks.
    """
    if not (number := os.environ.get(NUMBER)):
        return None
    cards = [name for name in os.environ.get(_VISIBLE, "").split(",") if name]
    cards = cards or [str(card) for card in range(int(number))]
    end = time.monotonic() + _SECONDS_TO_WAIT
    while time.monotonic() < end:
        for card in cards[: int(number)]:
            if (descriptor := _hold(_FOLDER / f"interpflow-card-{card}.lock")) is not None:
                os.environ[_VISIBLE] = card
                return descriptor
        time.sleep(0.2)
    raise InterpflowError(
        f"none of the {len(cards)} GPUs that this process sees is free; the run counts {number} "
        "(--resources gpu=…)"
    )


def _hold(path: Path) -> int | None:
    path.parent.mkdir(exist_ok=True)
    descriptor = os.open(path, os.O_RDWR | os.O_CREAT, 0o644)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        os.close(descriptor)
        return None
    except OSError as error:
        os.close(descriptor)
        raise InterpflowError(
            f"{locks.none_known(path, error)}, by which jobs share several GPUs; use one: --resources gpu=1"
        ) from error
    return descriptor
