"""What differs between operating systems: signals, paths, terminals, and how files are renamed."""

from __future__ import annotations

import os
import re
import signal
import time
from typing import IO, Any, NoReturn

IS_WINDOWS = os.name == "nt"

_NAMES = ("SIGINT", "SIGTERM", "SIGHUP", "SIGBREAK")
ENDING: tuple[signal.Signals, ...] = tuple(
    getattr(signal, name) for name in _NAMES if hasattr(signal, name)
)
"""Signals that ask a process to end. Windows has no SIGHUP, but SIGBREAK for a closed console."""

# How a process of Windows ends after Ctrl-C. Scripts that called it look for this number.
_CONTROL_C_EXIT = 0xC000013A - (1 << 32)
# Seconds in which others may close a file that is to be replaced.
_PATIENCE = 1.0


def die_of(number: int) -> NoReturn:
    """End the process as a signal does that nobody handles."""
    if IS_WINDOWS:
        os._exit(_CONTROL_C_EXIT if number == signal.SIGINT else 128 + number)
    signal.signal(number, signal.SIG_DFL)
    os.kill(os.getpid(), number)
    os._exit(128 + number)  # The signal is blocked.


def cpus() -> int:
    """Return the number of CPUs that this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def cache_home() -> str:
    """Return the directory in which programs of this user keep their caches."""
    home = os.environ.get("XDG_CACHE_HOME") or (IS_WINDOWS and os.environ.get("LOCALAPPDATA"))
    return home or os.path.join(os.path.expanduser("~"), ".cache")


def path_of_url(host: str, path: str) -> str | None:
    """Return the path that a ``file://`` URL names by its host and path. None if it is elsewhere.

    On Windows, ``file:///C:/x.csv`` is ``C:/x.csv``, and ``file://server/share/x.csv`` is
    ``//server/share/x.csv``.
    """
    host = "" if host == "localhost" else host
    if not IS_WINDOWS:
        return None if host else path
    # Many write file://C:/x.csv, where the drive has the place of the host.
    if re.match(r"[A-Za-z]:", host):
        return f"{host}{path}"
    if host:
        return f"//{host}{path}"
    return path[1:] if re.match(r"/[A-Za-z]:", path) else path


def path_of(file: IO[bytes]) -> str:
    """Return a path under which this process can read an open ``tempfile.TemporaryFile``."""
    # On Windows it has a name, and only those may open it who allow that it is removed.
    return str(file.name) if IS_WINDOWS else f"/proc/self/fd/{file.fileno()}"


def is_console(stream: Any) -> bool:
    """Whether a stream is a terminal that can move its cursor and show colours."""
    if os.environ.get("TERM") == "dumb" or not stream.isatty():
        return False
    # The old console of Windows would show the escape sequences.
    names = ("WT_SESSION", "TERM", "TERM_PROGRAM", "ANSICON")
    return not IS_WINDOWS or any(os.environ.get(name) for name in names)


def replace(source: str | os.PathLike[str], target: str | os.PathLike[str]) -> None:
    """Rename a file over another.

    On Windows that fails as long as another program, often a virus scanner, has one of them open.
    So it is tried for a second.
    """
    deadline = time.monotonic() + _PATIENCE
    while True:
        try:
            return os.replace(source, target)
        except PermissionError:
            if not IS_WINDOWS or time.monotonic() > deadline:
                raise
        time.sleep(0.02)


def sync_directory(directory: str | os.PathLike[str]) -> None:
    """Make sure that a renamed file keeps its new name after a power loss.

    Windows cannot open a directory to do so. NTFS keeps a journal of names.
    """
    if IS_WINDOWS:
        return
    opened = os.open(directory, os.O_RDONLY)
    try:
        os.fsync(opened)
    finally:
        os.close(opened)
