"""Processes that start warm: a server has imported what takes seconds, and forks for each of them.

A job of the tiny study works for a tenth of a second, and Python imports torch, xarray or Snakemake for one to
three.  `python()` gives the path of an executable that stands for Python: it hands its arguments, folder,
environment and output to the server, and ends with the process that is forked there.  The server imports
nothing of interpflow, so each process runs the code that its folder and environment lead to.  Where kills and
orphans are in question, tests start Python itself.
"""

from __future__ import annotations

import atexit
import contextlib
import gc
import importlib
import json
import os
import runpy
import selectors
import signal
import socket
import subprocess
import sys
import tempfile
import traceback
from functools import cache
from pathlib import Path

_IMPORTED = (
    "numpy", "pandas", "xarray", "netCDF4", "pydantic", "yaml", "torch", "matplotlib.figure",
    "snakemake.cli", "snakemake.report", "snakemake_interface_executor_plugins",
)  # fmt: skip
_CLIENT = """#!{python} -IS
import json, os, socket, sys
server = socket.socket(socket.AF_UNIX)
server.connect({address!r})
socket.send_fds(server, [b"."], [0, 1, 2])
server.sendall(json.dumps([sys.argv[1:], os.getcwd(), dict(os.environ)]).encode())
server.shutdown(socket.SHUT_WR)
sys.exit(int(server.recv(16) or 1))
"""


@cache
def python() -> str:
    """The path of the executable; the server ends with this process."""
    folder = Path(tempfile.mkdtemp(prefix="warm-"))
    address, client = str(folder / "socket"), folder / "python"
    client.write_text(_CLIENT.format(python=sys.executable, address=address))
    client.chmod(0o700)
    server = subprocess.Popen(
        [sys.executable, __file__, address], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert server.stdout is not None
    assert server.stdout.readline() == b"warm\n"
    _alive.append(server)
    return str(client)


_alive: list[subprocess.Popen[bytes]] = []  # a pipe that is collected is closed


def _serve(address: str) -> list[str]:
    """Fork for each client; return, in the forked process alone, the arguments of Python that it was given."""
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(address)
    listener.listen()
    print("warm", flush=True)
    waiting = selectors.DefaultSelector()
    waiting.register(sys.stdin, selectors.EVENT_READ)
    waiting.register(listener, selectors.EVENT_READ)
    while True:
        for key, _ in waiting.select():
            if key.fileobj is sys.stdin:
                os._exit(0)
            if key.fileobj is listener:
                client, _ = listener.accept()
                _, streams, *_ = socket.recv_fds(client, 1, 3)
                asked = json.load(client.makefile("rb"))
                if not (process := os.fork()):
                    return _become(client, streams, *asked)
                for stream in streams:
                    os.close(stream)
                ended = os.pidfd_open(process)
                waiting.register(ended, selectors.EVENT_READ, (process, client))
            else:
                process, client = key.data
                waiting.unregister(key.fileobj)
                os.close(key.fd)
                status = os.waitstatus_to_exitcode(os.waitpid(process, 0)[1])
                with contextlib.suppress(OSError):  # the client is gone
                    client.sendall(str(status if status >= 0 else 128 - status).encode())
                client.close()


def _become(
    client: socket.socket, streams: list[int], arguments: list[str], folder: str, variables: dict
) -> list[str]:
    """Take over the output, folder and environment of a client."""
    os.set_inheritable(client.fileno(), False)
    for place, stream in enumerate(streams):
        os.dup2(stream, place)
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(variables)
    sys.dont_write_bytecode = bool(variables.get("PYTHONDONTWRITEBYTECODE"))
    signal.signal(signal.SIGINT, signal.default_int_handler)
    return arguments


def _run(arguments: list[str], executable: str) -> None:
    """Do what Python does with `-m MODULE …`."""
    option, module, *rest = arguments
    assert option == "-m", arguments
    sys.executable = executable
    sys.argv = [module, *rest]
    own = filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))
    sys.path[0:1] = [os.getcwd(), *own]  # in place of the folder of this file
    code: object = 0
    try:
        runpy.run_module(module, run_name="__main__", alter_sys=True)
    except SystemExit as end:
        code = end.code
    except BaseException:
        traceback.print_exc()
        code = 1
    # Python would take down, module by module, all that the server has imported.
    atexit._run_exitfuncs()
    for stream in (sys.stdout, sys.stderr):
        stream.flush()
    os._exit(_status(code))


def _status(code: object) -> int:
    """The exit status that Python gives for the code of a SystemExit."""
    if code is None or isinstance(code, int):
        return code or 0
    print(code, file=sys.stderr, flush=True)
    return 1


if __name__ == "__main__":
    sys.argv, (_, _address) = [], sys.argv
    for _library in ("OMP_NUM", "OPENBLAS_NUM", "MKL_NUM"):
        os.environ[f"{_library}_THREADS"] = "1"
    for _name in _IMPORTED:
        importlib.import_module(_name)
    assert not [name for name in sys.modules if name.partition(".")[0] == "interpflow"]
    gc.freeze()  # what processes share is not to be copied to be counted
    _run(_serve(_address), str(Path(_address).with_name("python")))
