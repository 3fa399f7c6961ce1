"""Ctrl-C in a loop of Keras on JAX: raised at a moment when the model keeps its weights.

JAX takes the weights of a model over into each step, and Keras gives the model the results when the
step is over. An interrupt in between would leave the model without weights. So it waits for the end
of the step.
"""

from __future__ import annotations

import _thread
import signal
import sys
import threading
from types import FrameType
from typing import Any

MODULE = "keras.src.backend.jax.trainer"
LOOPS = ("fit", "evaluate", "predict")
# Functions that move the weights between the model and the loop.
MOVES = ("jax_state_sync", "_get_jax_state", "_purge_model_variables")
# Seconds after which an interrupt strikes all the same: a step may take long, or wait for data.
PATIENCE = 3.0


class Interrupts:
    """Handles Ctrl-C while Keras on JAX reads batches."""

    def __init__(self) -> None:
        self._timer: threading.Timer | None = None

    def begin(self) -> None:
        """Handle Ctrl-C from now on, unless somebody else does."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)

    def end(self) -> None:
        """Leave Ctrl-C to Python again."""
        is_main = threading.current_thread() is threading.main_thread()
        if is_main and signal.getsignal(signal.SIGINT) == self._handle:
            signal.signal(signal.SIGINT, signal.default_int_handler)

    def _handle(self, _number: int, frame: FrameType | None) -> None:
        loop, moves = _loop_around(frame)
        # A second interrupt strikes at once, and so does one that a debugger watches.
        if loop is None or self._timer is not None or sys.gettrace() is not None:
            self._raise(None)
        elif not moves and _is_whole(loop):
            self._raise(loop)
        else:
            self._wait(loop)

    def _wait(self, loop: FrameType) -> None:
        self._timer = threading.Timer(PATIENCE, _thread.interrupt_main)
        self._timer.daemon = True
        self._timer.start()
        # From the next line of the loop on, look whether the model is whole.
        loop.f_trace = self._look
        sys.settrace(_no_trace)

    def _look(self, frame: FrameType, event: str, argument: Any) -> Any:  # noqa: ARG002
        if event in ("line", "return") and _is_whole(frame):
            frame.f_trace = None
            self._raise(frame)
        return self._look

    def _raise(self, loop: FrameType | None) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
            sys.settrace(None)
        if loop is None:
            self.end()
        else:
            # Only fit does so by itself.
            loop.f_locals["self"].jax_state_sync()
        raise KeyboardInterrupt


INTERRUPTS = Interrupts()


def _no_trace(frame: FrameType, event: str, argument: Any) -> None:
    """Trace no function that begins now."""


def _loop_around(frame: FrameType | None) -> tuple[FrameType | None, bool]:
    """Return the innermost loop of Keras around a frame, and whether it moves the weights."""
    moves = False
    while frame is not None:
        if frame.f_globals.get("__name__") == MODULE:
            if frame.f_code.co_name in LOOPS:
                return frame, moves
            moves = moves or frame.f_code.co_name in MOVES
        frame = frame.f_back
    return None, False


def _is_whole(loop: FrameType) -> bool:
    """Whether the model, or the state that Keras will give back to it, has all weights."""
    trainer = loop.f_locals.get("self")
    if getattr(trainer, "_jax_state_synced", True):
        variables = getattr(trainer, "variables", [])
        return all(getattr(variable, "_value", True) is not None for variable in variables)
    state = getattr(trainer, "_jax_state", None)
    if not state:
        return False
    values = [value for group in state.values() for value in group or ()]
    return not any(value.is_deleted() for value in values if hasattr(value, "is_deleted"))
