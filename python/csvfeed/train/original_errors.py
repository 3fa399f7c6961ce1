"""The errors of csvfeed in ``fit``, which TensorFlow replaces by its own."""

from __future__ import annotations

import contextlib
from collections import deque
from collections.abc import Callable, Iterator

import tensorflow as tf

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

    @contextlib.contextmanager
    def raised(self) -> Iterator[None]:
        """Raise the original in place of an error of TensorFlow."""
        try:
            yield
        except tf.errors.OpError as error:
            original = self.of(error)
            if original is None:
                raise
            raise original from None
