"""From findings to the scorecard of the paper's claims."""

from __future__ import annotations

from pathlib import Path

from interpflow import store
from interpflow.progress import Log
from interpflow.record import account, scorecard
from interpflow.spec.study import Claim
from interpflow.workflow.job import Job


def run(job: Job, log: Log) -> None:
    """Hold each claim of the study against our findings."""
    datasets = {name: store.read(path) for name, path in job.inputs.items()}
    stated = [Claim(**claim) for claim in job.slice["claims"]]
    table = scorecard.score(stated, datasets)
    with store.replacing(Path(job.outputs["csv"])) as temporary:
        table.to_csv(temporary, index=False)
    account.write(job, job.outputs["json"])
    log.line(f"{len(stated)} claims")
