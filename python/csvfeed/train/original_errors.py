"""The errors of csvfeed in ``fit``, which TensorFlow replaces by its own."""

from __future__ import annotations

import contextlib
import functools
from collections import deque
from collections.abc import Callable, Iterator
from typing import Any

import tensorflow as tf
from keras.src.trainers.epoch_iterator import EpochIterator

from csvfeed.outputs import Arrays


class OriginalErrors:
    """Keeps the errors raised while TensorFlow reads, and raises them in place of TensorFlow's.

    TensorFlow reads ahead, and passes on only the text of an error.
    """

    def __init__(self) -> None:
        # Several iterators may read at once, and the error of an abandoned one is never raised.
        self._raised: deque[Exception] = deque(maxlen=8)

    def noted(self, read: Callable[[], Iterator[Arrays]]) -> Iterator[Arrays]:
        """Yield what ``read`` yields, and keep the error that ends it."""
        try:
            yield from read()
        except Exception as error:
            self._raised.append(error)
            # Without its frames, which would keep the buffers alive.
            raise error.with_traceback(None) from None

    def of(self, error: tf.errors.OpError) -> Exception | None:
        """Return the original of ``error``, or None if reading did not raise it."""
        for original in reversed(self._raised):
            if f"{type(original).__name__}: {original}" in error.message:
                self._raised.remove(original)
                return original.with_traceback(None)
        return None

    def raise_in(self, iterator: EpochIterator) -> None:
        """Make an iterator of Keras raise the originals."""
        if not isinstance(iterator, _Raises):
            cls: Any = type(iterator)
            iterator.__class__ = _raising(cls)
        iterator._original_errors = self


class _Raises:
    """Marks iterators that raise the originals."""


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
