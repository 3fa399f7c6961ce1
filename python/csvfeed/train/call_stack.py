"""Which part of Keras calls an adapter, and with which arguments of the user.

Keras passes neither on, so `caller` reads them from the stack.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

import keras

from csvfeed.train.keras_internals import BUILDS, EpochIterator

PUBLIC = ("fit", "evaluate", "predict")
METHODS = (*PUBLIC, *BUILDS)


@dataclass(frozen=True)
class Caller:
    """The callers of an adapter, from the nearest to the outermost.

    Attributes
    ----------
    iterator : EpochIterator or None
        The iterator that calls; None if the caller is not one.
    given : mapping
        The arguments of the iterator while it is being made; empty afterwards.
    method : str or None
        The innermost running method among `METHODS`; None in a training loop of another name.
    arguments : mapping
        The arguments of that method while the iterator is being made; empty afterwards. ``self`` is
        the model.
    """

    iterator: EpochIterator | None
    given: Mapping[str, Any] = field(default_factory=dict)
    method: str | None = None
    arguments: Mapping[str, Any] = field(default_factory=dict)

    @property
    def trains(self) -> bool:
        """Whether the batches are for training, not for evaluation, prediction or building."""
        return self.iterator is not None and self.method in ("fit", None)


def caller() -> Caller:
    """Return the caller of the adapter."""
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and frame.f_globals.get("__name__", "").startswith("csvfeed."):
        frame = frame.f_back
    iterator = None if frame is None else frame.f_locals.get("self")
    if frame is None or not isinstance(iterator, EpochIterator):
        return Caller(None)
    given = dict(frame.f_locals) if frame.f_code.co_name == "__init__" else {}
    while frame is not None and frame.f_code.co_name not in METHODS:
        frame = frame.f_back
    if frame is None:
        return Caller(iterator, given)
    arguments = dict(frame.f_locals) if given else {}
    return Caller(iterator, given, frame.f_code.co_name, arguments)


def method_around(frame: FrameType | None = None) -> FrameType | None:
    """Return the innermost running ``fit``, ``evaluate`` or ``predict`` of a model.

    Parameters
    ----------
    frame : frame, optional
        Where to begin; by default the caller.
    """
    frame = frame or sys._getframe(1)
    while frame is not None:
        is_method = frame.f_code.co_name in PUBLIC
        if is_method and isinstance(frame.f_locals.get("self"), keras.Model):
            return frame
        frame = frame.f_back
    return None


def method_of_any_thread(data: Any) -> FrameType | None:
    """Return the running method of a model that has been given ``data`` as ``x``.

    TensorFlow reads in threads of its own. If no method has been given it, and only one runs, it is
    that one.
    """
    found = [call for frame in sys._current_frames().values() if (call := method_around(frame))]
    own = [call for call in found if call.f_locals.get("x") is data]
    return own[0] if own else found[0] if len(found) == 1 else None
