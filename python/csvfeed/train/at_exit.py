"""The end of the process, for iterators of ``tf.data`` that are still alive.

``tf.data`` calls a generator from threads of its own. When the interpreter finalizes, it stops
every such thread that is inside Python, so the call never returns. If the iterator is then
destroyed, its destructor waits for that call, and the process never ends. So before the interpreter
finalizes, no generator begins another step, and the iterators that are left are never destroyed:
the operating system frees them with the process.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import itertools
import time
import weakref
from collections.abc import Iterator
from typing import Any

import tensorflow as tf

PATIENCE = 1.0
"""Seconds that the process waits at its end for generators to finish the step they are in."""


class Stream(Iterator[Any]):
    """The elements of an iterator, for threads of TensorFlow; they stop when the process ends.

    Parameters
    ----------
    elements : iterator
        Gives the elements. One thread at a time asks for them.

    Raises
    ------
    RuntimeError
        If the process is ending already.
    """

    def __init__(self, elements: Iterator[Any]) -> None:
        if _exit.begun:
            raise RuntimeError(
                "csvfeed starts no tf.data iterator once the process has begun to end"
            )
        self._elements = elements
        self.is_busy = False
        """Whether a thread is waiting for an element."""
        _exit.watch(self)

    def __next__(self) -> Any:
        # Set first: the exit looks at it after it has set its own flag.
        self.is_busy = True
        try:
            if _exit.begun:
                raise StopIteration
            return next(self._elements)
        finally:
            self.is_busy = False


class Exit:
    """What happens when the process ends."""

    def __init__(self) -> None:
        self.begun = False
        self._streams: weakref.WeakValueDictionary[int, Stream] = weakref.WeakValueDictionary()
        self._numbers = itertools.count()

    def watch(self, stream: Stream) -> None:
        """Wait for a stream when the process ends."""
        number = next(self._numbers)
        self._streams[number] = stream
        if number == 0:
            # After the threads that are no daemons, which may read to their end.
            atexit.register(self.begin)

    def begin(self) -> None:
        """Stop the streams, and keep iterators from being destroyed."""
        self.begun = True
        deadline = time.monotonic() + PATIENCE
        while any(stream.is_busy for stream in self._streams.values()):
            if time.monotonic() > deadline:
                break
            time.sleep(0.001)
        _keep_for_ever(_handles())


_exit = Exit()


def _handles() -> list[tf.Tensor]:
    """Return the tensors that own something of TensorFlow's, iterators among them."""
    with tf.init_scope():
        eager = type(tf.constant(0))
    gc.unfreeze()
    tensors = [one for one in gc.get_objects() if type(one) is eager]
    return [tensor for tensor in tensors if tensor.dtype in (tf.resource, tf.variant)]


def _keep_for_ever(objects: list[Any]) -> None:
    for one in objects:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))
