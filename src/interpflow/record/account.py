"""The JSON file beside an image or a table, which cannot say itself where it comes from."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from interpflow.files import replacing
from interpflow.workflow.job import Job


def write(job: Job, path: Path | str, **says: Any) -> None:
    """Write to `path` the recipe of `job`, the jobs that it rests on, and what else the file `says`, as JSON.

    Written last: who is killed before it leaves the account of the files before.
    """
    account = {
        "study": job.study,
        "scale": job.scale,
        "recipe": job.recipe,
        "recipe_sha256": job.sha,
        "chain": job.chain(),
        **says,
    }
    with replacing(Path(path)) as temporary:
        temporary.write_text(json.dumps(account, indent=2, sort_keys=True) + "\n", encoding="utf-8")
