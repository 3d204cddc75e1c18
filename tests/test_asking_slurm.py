"""What SLURM says about itself and its queue is understood, and where nothing answers that is said."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from interpflow.errors import InterpflowError
from interpflow.workflow import slurm

CONFIG = """\
Configuration data as of 2026-11-27T04:36:00
AccountingStorageHost   = 127.0.0.1
AccountingStorageType   = {type}
MinJobAge               = {age} sec
"""


@pytest.fixture
def says(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A function: from now on the command says this; {folder} is the current one."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}{os.pathsep}{os.environ['PATH']}")
    monkeypatch.chdir(tmp_path)

    def command(name: str, text: str, code: int = 0) -> Path:
        (folder / f"{name}.said").write_text(text)
        file = folder / name
        lines = ["#!/bin/sh", f'echo "$@" >> {file}.asked', f"cat {file}.said", f"exit {code}"]
        file.write_text("\n".join(lines))
        file.chmod(0o755)
        return Path(f"{file}.asked")

    return command


@pytest.mark.parametrize(
    ("type", "kept"),
    [("accounting_storage/none", False), ("(null)", False), ("accounting_storage/slurmdbd", True)],
)
def test_whether_accounts_are_kept_stands_in_the_configuration(says, type: str, kept: bool):
    says("scontrol", CONFIG.format(type=type, age=300))
    assert slurm.keeps_accounts() is kept


@pytest.mark.parametrize(
    ("accounts", "age", "command", "missed"),
    [
        (True, 300, "squeue", ""),
        (False, 300, "squeue", ""),
        (True, 60, "sacct", "it waits for jobs that scancel ended"),
        (False, 60, "squeue", "it may wait for a job that ended"),
    ],
)
def test_squeue_tells_states_where_it_knows_jobs_until_they_are_looked_at(
    says, accounts: bool, age: int, command: str, missed: str
):
    says("scontrol", CONFIG.format(type="any", age=age))
    told, notice = slurm.teller(accounts)
    assert told == command
    assert missed in notice
    assert (f"forgets a job {age} seconds after its end (MinJobAge)" in notice) == bool(missed)


def test_jobs_of_earlier_runs_are_those_of_this_folder_by_the_name_of_the_profile(says, tmp_path):
    rows = [f"4|interpflow_a-1|{tmp_path}", f"5|other|{tmp_path}", "6|interpflow_b|/elsewhere"]
    says("squeue", "\n".join(rows) + "\n")
    assert slurm.left(tmp_path) == ["4"]
    asked = says("scancel", "")
    slurm.cancel(["4", "9"])
    assert asked.read_text() == "4 9\n"


def test_a_cluster_that_does_not_answer_is_said_in_its_words(says, monkeypatch):
    says("scontrol", "slurm_load_ctl_conf: Unable to contact slurm controller", code=1)
    with pytest.raises(InterpflowError, match=r"scontrol show config: .*Unable to contact"):
        slurm.keeps_accounts()
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(InterpflowError, match=r"scontrol: .* on a login node"):
        slurm.keeps_accounts()


def test_the_profile_gives_jobs_the_name_by_which_they_are_found():
    profile = Path(__file__).parents[1] / "profiles/slurm/config.yaml"
    assert f"\nslurm-jobname-prefix: {slurm.JOB_NAMES}\n" in profile.read_text()
