"""How far a pass over files has got, for people who wait for it."""

from __future__ import annotations

import contextlib
import functools
import importlib.util
import os
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeAlias

Ticks: TypeAlias = Iterator[tuple[float, int]]
"""Seconds since a block began, and the bytes that this process has read since, again and again."""

PATIENCE = 3.0
"""Seconds that a pass takes before it shows a bar."""

_IO = Path("/proc/self/io")
_thread = threading.local()


@contextlib.contextmanager
def watched(draw: Callable[[Ticks], None], patience: float) -> Iterator[None]:
    """Run ``draw`` in a thread beside a block that takes longer than ``patience``, in seconds.

    The ticks end with the block. Nothing is drawn within a block that is watched already.
    """
    if getattr(_thread, "is_watched", False):
        yield
        return
    done = threading.Event()
    before, began = _bytes_read(), time.monotonic()

    def ticks() -> Ticks:
        while not done.wait(0.1):
            yield time.monotonic() - began, _bytes_read() - before

    def run() -> None:
        # The work counts, not its picture.
        with contextlib.suppress(Exception):
            if not done.wait(patience):
                draw(ticks())

    thread = threading.Thread(target=run, name="progress", daemon=True)
    thread.start()
    _thread.is_watched = True
    try:
        yield
    finally:
        _thread.is_watched = False
        done.set()
        thread.join()


def _bytes_read() -> int:
    """Return the bytes that this process has read so far, if the system tells."""
    try:
        return int(_IO.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0


class Passes:
    """The passes over the files of a dataset. A long one shows a bar of tqdm, if somebody sees it.

    That is: if tqdm is installed, the standard error is a terminal or this is a notebook, this is
    the main process, and ``CSVFEED_PROGRESS`` is not ``0``.

    Parameters
    ----------
    name : str
        Name of the source.
    parts : sequence
        What each part is read from.
    """

    def __init__(self, name: str, parts: Sequence[Any]) -> None:
        self._name = name
        self._parts = parts

    def shown(self, what: str) -> contextlib.AbstractContextManager[None]:
        """Return a context in which a long pass shows a bar. ``what`` says what it does."""
        if not _is_seen():
            return contextlib.nullcontext()
        return watched(
            functools.partial(self._draw, f"{what} {os.path.basename(self._name)}"), PATIENCE
        )

    def _draw(self, title: str, ticks: Ticks) -> None:
        from tqdm.auto import tqdm

        class Bar(tqdm):  # type: ignore[misc]
            # No thread of tqdm's: this one draws often enough.
            monitor_interval = 0

        total = self._bytes()
        bar = None
        try:
            for seconds, read in ticks:
                if bar is None:
                    bar = Bar(desc=title, total=total, unit="B", unit_scale=True, leave=False)
                    bar.start_t -= seconds
                bar.n = read if total is None else min(read, total)
                bar.refresh()
        finally:
            if bar is not None:
                bar.close()

    def _bytes(self) -> int | None:
        """Return the bytes of all parts, if they are local files."""
        if not all(isinstance(part, str) for part in self._parts):
            return None
        try:
            return sum(map(os.path.getsize, self._parts))
        except OSError:
            return None


def _is_seen() -> bool:
    """Whether somebody sees a bar."""
    is_terminal = sys.stderr and sys.stderr.isatty() and os.environ.get("TERM") != "dumb"
    if os.environ.get("CSVFEED_PROGRESS") == "0" or not (is_terminal or _is_notebook()):
        return False
    # Imported here, because it takes a while and few need it.
    from multiprocessing import parent_process

    return parent_process() is None and importlib.util.find_spec("tqdm") is not None


def _is_notebook() -> bool:
    """Whether the output of this process goes to a notebook."""
    ipython = sys.modules.get("IPython")
    shell = None if ipython is None else ipython.get_ipython()
    return shell is not None and "IPKernelApp" in shell.config
