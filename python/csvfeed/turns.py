"""Turns of threads that share an object of Python. A forked process begins with none taken."""

from __future__ import annotations

import os
import threading
from collections.abc import Iterator
from contextlib import AbstractContextManager
from typing import TypeVar

Item = TypeVar("Item")


class Turns:
    """A lock for the threads of a process. A thread that holds it may take it again."""

    def __init__(self) -> None:
        self._locks: dict[int, AbstractContextManager[bool]] = {}

    def mine(self) -> AbstractContextManager[bool]:
        """Return the lock of this process. After a fork, no thread could release the old one."""
        # One step of a dict, so that all threads get the same.
        return self._locks.setdefault(os.getpid(), threading.RLock())


class Shared(Iterator[Item]):
    """An iterator that threads may share: each item goes to one of them.

    A generator alone refuses a second thread, and Python without the GIL may even crash.

    Parameters
    ----------
    items : iterator
        The items, for one thread at a time.
    """

    def __init__(self, items: Iterator[Item]) -> None:
        self._items = items
        self._turns = Turns()

    def __next__(self) -> Item:
        with self._turns.mine():
            return next(self._items)
