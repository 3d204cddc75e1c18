"""A SLURM of this machine alone, for the length of a block: everything on loopback, in a temporary folder.

    python tests/cluster/throwaway.py [--accounting] [--nodes 2] [COMMAND …]

runs a command, by default a shell, beside a cluster.  Needs Debian's packages: apt-get install slurm-wlm
munge, and with accounting slurmdbd mariadb-server.
"""

from __future__ import annotations

import argparse
import contextlib
import ctypes
import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

_SBIN = ("/usr/sbin", "/usr/local/sbin")  # not in everybody's PATH
_PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch")
_FOR_ACCOUNTING = ("slurmdbd", "mariadbd", "mariadb-install-db", "mariadb")
_SECONDS_TO_START = 60.0
_SECONDS_TO_END = 10.0
_PR_SET_PDEATHSIG = 1  # of Linux's prctl.h

_SLURM = """\
ClusterName=throwaway
SlurmctldHost=localhost(127.0.0.1)
SlurmctldPort={controller}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool-%n
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd-%n.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd-%n.log
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SchedulerParameters=sched_interval=2,bf_interval=2,batch_sched_delay=0
ReturnToService=2
SlurmdTimeout=10
KillWait=2
OverTimeLimit=0
MinJobAge=3600
GresTypes=gpu
{accounting}
{nodes}
PartitionName=all Nodes=ALL Default=YES MaxTime=INFINITE State=UP
"""
_NODE = (
    "NodeName={name} NodeHostname=localhost NodeAddr=127.0.0.1 Port={port} CPUs={cores} "
    "RealMemory={memory} Gres=gpu:{gpus} State=UNKNOWN"
)
_WITHOUT_ACCOUNTING = "AccountingStorageType=accounting_storage/none"
_WITH_ACCOUNTING = """\
AccountingStorageType=accounting_storage/slurmdbd
AccountingStorageHost=127.0.0.1
AccountingStoragePort={port}
AccountingStoragePass={folder}/munge.socket
"""
_SLURMDBD = """\
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
DbdHost=localhost
DbdAddr=127.0.0.1
DbdPort={port}
SlurmUser={user}
StorageType=accounting_storage/mysql
StorageHost=127.0.0.1
StoragePort={database}
StorageUser=slurm
StoragePass={password}
StorageLoc=accounts
PidFile={folder}/slurmdbd.pid
LogFile={folder}/slurmdbd.log
"""


@dataclass
class Cluster:
    """A cluster at work.

    folder   its files
    environment   what leads the commands of SLURM to it
    nodes    {name: process of its slurmd}
    """

    folder: Path
    environment: Mapping[str, str]
    nodes: dict[str, subprocess.Popen[bytes]]

    def ask(self, *command: str) -> str:
        """What a command of SLURM says."""
        done = subprocess.run(
            command, env=self.environment, capture_output=True, text=True, timeout=60
        )
        if done.returncode:
            raise RuntimeError(f"{' '.join(command)}: {done.stderr.strip() or done.stdout.strip()}")
        return done.stdout

    def stop_node(self, name: str) -> None:
        """Take a node down with all that it runs, as a crash does."""
        _end(self.nodes.pop(name), signal.SIGKILL)
        self.ask("scontrol", "update", f"nodename={name}", "state=down", "reason=test")
        for process in self._at_work_on(name):
            with contextlib.suppress(OSError):
                os.kill(process, signal.SIGKILL)

    def _at_work_on(self, name: str) -> Iterator[int]:
        """The processes of jobs on a node."""
        marks = {f"SLURMD_NODENAME={name}", f"SLURM_CONF={self.environment['SLURM_CONF']}"}
        for process in Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError):
                if marks <= {*(process / "environ").read_text(errors="replace").split("\0")}:
                    yield int(process.name)

    def start_node(self, name: str) -> None:
        """Bring a node up, and wait until it takes jobs."""
        log = self.folder / f"slurmd-{name}.out"
        self.nodes[name] = _start(["slurmd", "-D", "-N", name], self.environment, log)
        _wait(lambda: self._is_up(name), f"node {name} is up", log)

    def _is_up(self, name: str) -> bool:
        states = self.ask("sinfo", "-h", "-n", name, "-o", "%T").split()
        return bool(states) and {*states} <= {"idle", "mixed", "allocated", "completing"}


def missing(accounting: bool = False) -> list[str]:
    """The programs that are not installed."""
    wanted = _PROGRAMS + (_FOR_ACCOUNTING if accounting else ())
    return [name for name in wanted if not shutil.which(name, path=_path())]


@contextlib.contextmanager
def cluster(
    accounting: bool = False, nodes: int = 1, cores: int = 2, memory: int = 8000, gpus: int = 2
) -> Iterator[Cluster]:
    """A cluster whose nodes, called node1, node2, …, each have so many cores, MB and GPUs (that are none)."""
    folder = Path(tempfile.mkdtemp(prefix="slurm-"))  # short: a socket's path has 107 characters
    environment = _environment(folder)
    started: list[subprocess.Popen[bytes]] = []

    def start(*command: str) -> Path:
        log = folder / f"{Path(command[0]).name}.out"
        started.append(_start(command, environment, log))
        return log

    names = [f"node{number}" for number in range(1, nodes + 1)]
    ports = _free_ports(3 + nodes)
    up = Cluster(folder, environment, {})
    try:
        _munge(folder, start)
        told = _WITHOUT_ACCOUNTING
        if accounting:
            _accounts(folder, start, environment, *ports[:2])
            told = _WITH_ACCOUNTING.format(port=ports[1], folder=folder)
        size = {"cores": cores, "memory": memory, "gpus": gpus}
        lines = [
            _NODE.format(name=name, port=port, **size)
            for name, port in zip(names, ports[3:], strict=True)
        ]
        (folder / "state").mkdir()
        for name in names:
            (folder / f"spool-{name}").mkdir()
        cards = [folder / f"card{number}" for number in range(gpus)]
        for card in cards:
            card.touch()
        (folder / "gres.conf").write_text(
            "".join(f"NodeName={name} Name=gpu File={card}\n" for name in names for card in cards)
        )
        (folder / "slurm.conf").write_text(
            _SLURM.format(
                folder=folder,
                user=getpass.getuser(),
                controller=ports[2],
                accounting=told,
                nodes="\n".join(lines),
            )
        )
        if accounting:
            up.ask("sacctmgr", "-i", "add", "cluster", "throwaway")
        log = start("slurmctld", "-D", "-i")
        _wait(lambda: _says(up, "scontrol", "ping"), "slurmctld answers", log)
        if accounting:
            up.ask("sacctmgr", "-i", "add", "account", "lab", "cluster=throwaway")
            user = getpass.getuser()
            up.ask("sacctmgr", "-i", "add", "user", user, "account=lab", "defaultaccount=lab")
        for name in names:
            up.start_node(name)
        yield up
    finally:
        with contextlib.suppress(RuntimeError, OSError, subprocess.TimeoutExpired):
            up.ask("scancel", "--user", getpass.getuser())
            _wait(lambda: not up.ask("squeue", "-h"), "no job is left", folder / "slurmctld.out")
        for process in [*up.nodes.values(), *reversed(started)]:
            _end(process, signal.SIGKILL)  # nothing of them is kept
        shutil.rmtree(folder, ignore_errors=True)


def _environment(folder: Path) -> dict[str, str]:
    """What leads commands to the cluster.

    Snakemake keeps SLURM's variables from `srun` in a job, the place of the configuration too.
    """
    conf, srun = folder / "slurm.conf", folder / "bin/srun"
    srun.parent.mkdir()
    srun.write_text(
        f'#!/bin/sh\nSLURM_CONF={conf} exec {shutil.which("srun", path=_path())} "$@"\n'
    )
    srun.chmod(0o755)
    path = os.pathsep.join([str(srun.parent), _path()])
    return {**os.environ, "PATH": path, "SLURM_CONF": str(conf)}


def _munge(folder: Path, start: Callable[..., Path]) -> None:
    key = folder / "munge.key"
    key.write_bytes(secrets.token_bytes(128))
    key.chmod(0o400)
    folder.chmod(0o755)
    at = {"key-file": key.name, "socket": "munge.socket", "pid-file": "munge.pid"}
    at |= {"log-file": "munge.log", "seed-file": "munge.seed"}
    words = [f"--{option}={folder / name}" for option, name in at.items()]
    # By force: in the folder of temporary files, and as root where the tests run so.
    log = start("munged", "--foreground", "--force", "--num-threads=2", *words)
    _wait((folder / "munge.socket").exists, "munged answers", log)


def _accounts(
    folder: Path,
    start: Callable[..., Path],
    environment: Mapping[str, str],
    database: int,
    port: int,
) -> None:
    """Start the database and the daemon that keeps the accounts in it."""
    data, user, password = folder / "database", getpass.getuser(), secrets.token_hex(8)
    with (folder / "mariadb-install-db.out").open("wb") as out:
        subprocess.run(
            ["mariadb-install-db", "--no-defaults", f"--datadir={data}", f"--user={user}",
             "--auth-root-authentication-method=normal", "--skip-test-db"],
            env=environment, check=True, stdout=out, stderr=out, timeout=120,
        )  # fmt: skip
    door = folder / "database.socket"
    log = start(
        "mariadbd", "--no-defaults", f"--datadir={data}", f"--user={user}", f"--socket={door}",
        f"--port={database}", "--bind-address=127.0.0.1", f"--pid-file={folder}/mariadbd.pid",
    )  # fmt: skip
    _wait(door.exists, "mariadbd answers", log)
    subprocess.run(
        ["mariadb", "--no-defaults", f"--socket={door}", "--user=root"],
        env=environment, check=True, timeout=60, text=True,
        input=f"create user slurm@'127.0.0.1' identified by '{password}';"
        "create user slurm@localhost identified by '" + password + "';"
        "grant all on accounts.* to slurm@'127.0.0.1'; grant all on accounts.* to slurm@localhost;",
    )  # fmt: skip
    conf = folder / "slurmdbd.conf"
    conf.write_text(
        _SLURMDBD.format(folder=folder, user=user, port=port, database=database, password=password)
    )
    conf.chmod(0o600)
    log = start("slurmdbd", "-D")
    _wait(lambda: _listens(port), "slurmdbd answers", log)


def _start(
    command: Sequence[str], environment: Mapping[str, str], log: Path
) -> subprocess.Popen[bytes]:
    with log.open("ab") as out:
        return subprocess.Popen(
            command, env=environment, stdin=subprocess.DEVNULL, stdout=out, stderr=out,
            start_new_session=True, preexec_fn=_end_with_parent,
        )  # fmt: skip


def _end_with_parent() -> None:
    """Let this process be killed when the one that started it is gone, were it killed itself."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


def _end(process: subprocess.Popen[bytes], by: int = signal.SIGTERM) -> None:
    process.send_signal(by)
    try:
        process.wait(_SECONDS_TO_END)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _says(up: Cluster, *command: str) -> bool:
    try:
        return "is UP" in up.ask(*command)
    except RuntimeError:
        return False


def _listens(port: int) -> bool:
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=1):
        return True
    return False


def _wait(condition: Callable[[], bool], what: str, log: Path) -> None:
    end = time.monotonic() + _SECONDS_TO_START
    while not condition():
        if time.monotonic() > end:
            last = log.read_text(errors="replace")[-2000:]
            raise RuntimeError(
                f"waited {_SECONDS_TO_START:.0f} s until {what}; {log} says:\n{last}"
            )
        time.sleep(0.1)


def _free_ports(number: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        doors = [stack.enter_context(socket.socket()) for _ in range(number)]
        for door in doors:
            door.bind(("127.0.0.1", 0))
        return [door.getsockname()[1] for door in doors]


def _path() -> str:
    return os.pathsep.join([os.environ.get("PATH", os.defpath), *_SBIN])


def main() -> int:
    """Run a command beside a cluster; its exit code."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0] if __doc__ else "")
    parser.add_argument("--accounting", action="store_true", help="with slurmdbd and MariaDB")
    parser.add_argument("--nodes", type=int, default=1, metavar="N")
    parser.add_argument("--cores", type=int, default=os.cpu_count(), metavar="N", help="of a node")
    parser.add_argument("command", nargs=argparse.REMAINDER, metavar="COMMAND")
    told = parser.parse_args()
    if lacking := missing(told.accounting):
        sys.exit(
            f"not installed: {', '.join(lacking)}; the packages stand at the top of {__file__}"
        )
    began = time.monotonic()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # and nothing stays behind
    with cluster(told.accounting, told.nodes, told.cores) as up:
        print(f"a cluster in {up.folder}, after {time.monotonic() - began:.0f} s", file=sys.stderr)
        command = told.command or [os.environ.get("SHELL", "/bin/sh")]
        return subprocess.run(command, env=up.environment, check=False).returncode


if __name__ == "__main__":
    sys.exit(main())
