"""Errors of csvfeed that TensorFlow turns into errors of its own, turned back in ``fit``."""

from __future__ import annotations

import contextlib
import functools
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
from keras.src.trainers.epoch_iterator import EpochIterator

from csvfeed.train.feed import Batch


class OriginalErrors:
    """What was raised while TensorFlow read, to be raised again where TensorFlow's error arrives.

    TensorFlow reads ahead, and carries nothing but the text of an error.
    """

    def __init__(self) -> None:
        # Several iterators may read at once, and one that is given up has nobody to raise in.
        self._raised: deque[Exception] = deque(maxlen=8)

    def noted(self, read: Callable[[], Iterator[Batch]]) -> Iterator[Batch]:
        """Yield what ``read`` yields, and keep the error in which it ends."""
        try:
            yield from read()
        except Exception as error:
            self._raised.append(error)
            # Without the frames in which reading ended, which would keep its buffers.
            raise error.with_traceback(None) from None

    def of(self, error: tf.errors.OpError) -> Exception | None:
        """Return what TensorFlow made ``error`` from, or None if it was not raised in reading."""
        for original in reversed(self._raised):
            if f"{type(original).__name__}: {original}" in error.message:
                self._raised.remove(original)
                return original.with_traceback(None)
        return None

    def raise_in(self, iterator: EpochIterator) -> None:
        """Let an iterator of Keras raise the originals."""
        if not isinstance(iterator, _Raises):
            cls: Any = type(iterator)
            iterator.__class__ = _raising(cls)
        iterator._original_errors = self


class _Raises:
    """Marks the iterators that raise the originals."""


@functools.cache
def _raising(cls: type[Any]) -> type[Any]:
    class RaisingEpochIterator(_Raises, cls):  # type: ignore[misc]
        # Every step of fit, evaluate and predict runs in this context.
        @contextlib.contextmanager
        def catch_stop_iteration(self) -> Iterator[Any]:
            try:
                with super().catch_stop_iteration():
                    yield
            except tf.errors.OpError as error:
                original = self._original_errors.of(error)
                if original is None:
                    raise
                raise original from None

    return RaisingEpochIterator
