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

UNDISTURBED = 0.5
"""Seconds for which a thread that computes keeps the interpreter, once it is about to end."""


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
        self._is_registered = False
        self._streams: weakref.WeakValueDictionary[int, Stream] = weakref.WeakValueDictionary()
        self._numbers = itertools.count()

    def register(self) -> None:
        """Have `begin` called when the process ends, or raise RuntimeError if it has begun to."""
        if self.begun:
            raise RuntimeError(
                "csvfeed starts no tf.data iterator once the process has begun to end"
            )
        if not self._is_registered:
            self._is_registered = True
            # It runs after threads that are not daemons, which may read to their end.
            atexit.register(self.begin)

    def watch(self, stream: Stream) -> None:
        """Wait for a stream when the process ends."""
        self.register()
        self._streams[next(self._numbers)] = stream

    def begin(self) -> None:
        """Stop the streams, and keep the iterators from being destroyed."""
        self.begun = True
        deadline = time.monotonic() + PATIENCE
        interval = sys.getswitchinterval()
        quiet = 0
        while True:
            # Otherwise a thread could enter TensorFlow between the last look and the end.
            sys.setswitchinterval(UNDISTURBED)
            is_busy = any(stream.is_busy for stream in self._streams.values())
            quiet = 0 if is_busy or _others_run_tensorflow() else quiet + 1
            if quiet == LOOKS or not _other_frames() or time.monotonic() > deadline:
                break
            sys.setswitchinterval(interval)
            time.sleep(0.001)
        _keep_for_ever(_handles())


_exit = Exit()


def expect_exit() -> None:
    """Prepare for the end of the process, before TensorFlow gets anything to read.

    Raises
    ------
    RuntimeError
        If the process is already ending.
    """
    _exit.register()


def _other_frames() -> list[FrameType]:
    """Return what each other thread runs."""
    own = threading.get_ident()
    return [frame for thread, frame in sys._current_frames().items() if thread != own]


def _others_run_tensorflow() -> bool:
    """Whether another thread is in a function of TensorFlow, and so perhaps in its C++ code.

    A function of csvfeed counts as one, since it may go on with TensorFlow.
    """
    return any(map(_is_in_tensorflow, _other_frames()))


def _is_in_tensorflow(frame: FrameType | None) -> bool:
    while frame is not None:
        if frame.f_globals.get("__name__", "").startswith(("tensorflow.", "csvfeed.")):
            return True
        frame = frame.f_back
    return False


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
