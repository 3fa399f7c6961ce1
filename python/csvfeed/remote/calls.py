"""Calls into fsspec that end on a timeout, on Ctrl-C, or when the handle is closed."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
from collections.abc import Callable, Coroutine
from typing import Any, TypeVar

T = TypeVar("T")


class Calls:
    """The calls of one handle. Closing it ends them."""

    def __init__(self) -> None:
        self._running: set[concurrent.futures.Future[Any]] = set()
        self._turn = threading.Lock()
        self.closed = threading.Event()

    def close(self) -> None:
        """End the running calls and all later ones."""
        self.closed.set()
        with self._turn:
            running = list(self._running)
        for future in running:
            future.cancel()

    def wait(self, future: concurrent.futures.Future[T], timeout: float | None) -> T:
        """Return the result of a call. Give up after ``timeout`` seconds, on Ctrl-C or `close`."""
        with self._turn:
            self._running.add(future)
        try:
            if self.closed.is_set():
                raise concurrent.futures.CancelledError
            return future.result(timeout)
        finally:
            future.cancel()
            with self._turn:
                self._running.discard(future)


def is_asynchronous(system: Any) -> bool:
    """Whether a file system runs on fsspec's event loop, where calls can be cancelled."""
    return bool(getattr(type(system), "async_impl", False)) and not system.asynchronous


def begin(system: Any, coroutine: Coroutine[Any, Any, T]) -> concurrent.futures.Future[T]:
    """Begin a coroutine on the event loop of a file system."""
    return asyncio.run_coroutine_threadsafe(coroutine, system.loop)


def begin_in_thread(function: Callable[[], T]) -> concurrent.futures.Future[T]:
    """Begin a function in a daemon thread, which does not delay the end of the process."""
    future: concurrent.futures.Future[T] = concurrent.futures.Future()

    def run() -> None:
        try:
            result = function()
        except BaseException as error:
            _settle(future.set_exception, error)
        else:
            _settle(future.set_result, result)

    threading.Thread(target=run, name="remote-call", daemon=True).start()
    return future


def _settle(settle: Callable[[Any], None], value: Any) -> None:
    # The caller may have given up.
    with contextlib.suppress(concurrent.futures.InvalidStateError):
        settle(value)


def call(
    system: Any,
    method: str,
    *arguments: Any,
    calls: Calls | None = None,
    timeout: float | None = None,
    **more: Any,
) -> Any:
    """Call a method of a file system by its synchronous name, and wait for the result."""
    if is_asynchronous(system):
        future = begin(system, getattr(system, f"_{method}")(*arguments, **more))
    else:
        future = begin_in_thread(lambda: getattr(system, method)(*arguments, **more))
    return (calls or Calls()).wait(future, timeout)
