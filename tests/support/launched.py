"""Processes that train together on this machine."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
import time
from importlib.metadata import version

import pytest

LIMIT = 240
"""Seconds after which a wait for them ends."""


def free_port():
    """Return a port on which the first process can wait for the others."""
    with contextlib.closing(socket.socket()) as one:
        one.bind(("127.0.0.1", 0))
        return one.getsockname()[1]


def need(engine):
    """Skip a test if what its processes talk by is not there, or cannot do so on CPUs."""
    if engine == "torch":
        pytest.importorskip("torch")
    if engine == "jax" and tuple(map(int, version("jax").split(".")[:2])) < (0, 5):
        pytest.skip("JAX before 0.5 computes on several CPU processes only with MPI or a flag")


def group(count):
    """Return what torchrun tells each of some processes by its environment."""
    address = {"MASTER_ADDR": "127.0.0.1", "MASTER_PORT": str(free_port())}
    return [{**address, "WORLD_SIZE": str(count), "RANK": str(rank)} for rank in range(count)]


def launch(count, command, environments=None, **options):
    """Start Python in some processes, with the arguments that ``command`` gives for each number.

    With ``environments``, each also gets its own of these variables.
    """
    environments = environments or [{}] * count
    pipes = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True}
    return [
        subprocess.Popen(
            [sys.executable, *map(str, command(rank))],
            env={**os.environ, **environments[rank]},
            **pipes,
            **options,
        )
        for rank in range(count)
    ]


def finish(processes, limit=LIMIT):
    """Return what each process prints and its exit code, and the errors of all.

    Processes that have not ended by then are killed.
    """
    late = threading.Timer(limit, kill, [processes])
    late.start()
    done = [process.communicate() for process in processes]
    late.cancel()
    codes = [process.returncode for process in processes]
    return [output for output, _ in done], codes, "\n".join(errors for _, errors in done)


def outputs(processes, limit=LIMIT):
    """Return what each process prints. All must end well."""
    found, codes, errors = finish(processes, limit)
    assert codes == [0] * len(processes), errors
    return found


def kill(processes):
    """Kill processes without a word."""
    for process in processes:
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGKILL)


def kill_when(processes, reached, limit=LIMIT):
    """Kill all processes at once when something has happened; return their exit codes."""
    deadline = time.monotonic() + limit
    while not reached() and time.monotonic() < deadline:
        if any(process.poll() is not None for process in processes):
            break
        time.sleep(0.01)
    kill(processes)
    _, codes, errors = finish(processes)
    assert reached(), errors
    return codes
