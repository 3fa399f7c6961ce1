"""Ctrl-C in a loop of Keras on JAX: raised at a moment when the model keeps its weights.

JAX takes the weights of a model over into each step, and Keras gives the model the results when the
step is over. An interrupt in between would leave the model without weights. So it waits for the end
of the step.

Keras also catches every error, an interrupt among them, where it reads the values of metrics, and
hands callbacks to a thread through locks that an interrupt would leave held. There too it waits.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
import weakref
from types import FrameType
from typing import Any

from csvfeed.train.keras_internals import give_weights_back, is_whole, loop_around

# Seconds after which an interrupt strikes all the same: a step may take long, or wait for data.
PATIENCE = 3.0


class Interrupts:
    """Handles Ctrl-C while Keras on JAX reads batches."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None
        self._iterator: weakref.ref[object] | None = None

    def begin(self, iterator: object) -> None:
        """Handle Ctrl-C until an iterator of Keras ends, unless somebody else does.

        It ends with its loop, or later if an error still holds on to the loop.
        """
        if threading.current_thread() is not threading.main_thread():
            return
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)
        if self._iterator is None or self._iterator() is not iterator:
            self._iterator = weakref.ref(iterator, self._end_with)

    def _end_with(self, iterator: weakref.ref[object]) -> None:
        if iterator is self._iterator:
            self._end()

    def _end(self) -> None:
        """Leave Ctrl-C to Python again."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _handle(self, _number: int, frame: FrameType | None) -> None:
        loop, must_wait = loop_around(frame)
        # A second interrupt strikes at once, and so does one that a debugger watches.
        if loop is None or self._timer is not None or sys.gettrace() is not None:
            self._raise(None)
        elif must_wait or not is_whole(loop.f_locals.get("self")):
            self._wait(loop)
        else:
            self._raise(loop)

    def _wait(self, loop: FrameType) -> None:
        self._timer = threading.Timer(PATIENCE, _thread.interrupt_main)
        self._timer.daemon = True
        self._timer.start()
        # From the next line of the loop on, look whether the model is whole.
        loop.f_trace = self._look
        sys.settrace(_no_trace)

    def _look(self, frame: FrameType, event: str, argument: Any) -> Any:  # noqa: ARG002
        if event in ("line", "return") and is_whole(frame.f_locals.get("self")):
            frame.f_trace = None
            self._raise(frame)
        return self._look

    def _raise(self, loop: FrameType | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            sys.settrace(None)
        self._end()
        if loop is not None:
            give_weights_back(loop.f_locals["self"])
        raise KeyboardInterrupt


INTERRUPTS = Interrupts()


def _no_trace(frame: FrameType, event: str, argument: Any) -> None:
    """Trace no function that begins now."""
