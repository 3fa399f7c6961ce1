"""What happens to live iterators of ``tf.data`` when the process ends.

``tf.data`` calls a generator from its own threads. When the interpreter finalizes, it stops every
such thread that is inside Python, so that the call never returns. If the iterator is then
destroyed, its destructor waits for that call, and the process never ends. Therefore, before the
interpreter finalizes, generators stop, and the remaining iterators are kept from being destroyed.
The operating system frees them with the process.

A daemon thread that is inside TensorFlow when the interpreter finalizes is stopped on its way back
to Python, and the C++ code of TensorFlow takes that for a crash. So csvfeed waits for such threads,
too.
"""

from __future__ import annotations

import atexit
import ctypes
import gc
import itertools
import sys
import threading
import time
import weakref
from collections.abc import Iterator
from types import FrameType
from typing import Any

import tensorflow as tf

PATIENCE = 10.0
"""Seconds to wait at the end of the process for other threads to finish their current step."""

LOOKS = 20
"""How often in a row, a millisecond apart, other threads must be outside TensorFlow."""


class Stream(Iterator[Any]):
    """An iterator for threads of TensorFlow that stops when the process ends.

    Parameters
    ----------
    elements : iterator
        The elements. One thread at a time reads them.

    Raises
    ------
    RuntimeError
        If the process is already ending.
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
        # Set first, because the exit looks at it after setting its own flag.
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
            # It runs after threads that are not daemons, which may read to their end.
            atexit.register(self.begin)

    def begin(self) -> None:
        """Stop the streams, and keep the iterators from being destroyed."""
        self.begun = True
        deadline = time.monotonic() + PATIENCE
        quiet = 0
        # A loop over batches leaves TensorFlow and enters it again, so one look is not enough.
        while quiet < LOOKS and _other_frames() and time.monotonic() < deadline:
            is_busy = any(stream.is_busy for stream in self._streams.values())
            quiet = 0 if is_busy or _others_run_tensorflow() else quiet + 1
            time.sleep(0.001)
        _keep_for_ever(_handles())


_exit = Exit()


def _other_frames() -> list[FrameType]:
    """Return what each other thread runs."""
    own = threading.get_ident()
    return [frame for thread, frame in sys._current_frames().items() if thread != own]


def _others_run_tensorflow() -> bool:
    """Whether another thread is in a function of TensorFlow, and so perhaps in its C++ code."""
    names = [frame.f_globals.get("__name__", "") for frame in _other_frames()]
    return any(name.startswith("tensorflow.") for name in names)


def _handles() -> list[tf.Tensor]:
    """Return the tensors that own resources of TensorFlow, such as iterators."""
    with tf.init_scope():
        eager = type(tf.constant(0))
    gc.unfreeze()
    tensors = [one for one in gc.get_objects() if type(one) is eager]
    return [tensor for tensor in tensors if tensor.dtype in (tf.resource, tf.variant)]


def _keep_for_ever(objects: list[Any]) -> None:
    for one in objects:
        ctypes.pythonapi.Py_IncRef(ctypes.py_object(one))
