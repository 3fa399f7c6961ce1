"""The parts of a table, and what an object must offer to be one."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import Any, Protocol, TypeAlias


class Handle(Protocol):
    """An open file of an `Origin`. One iteration reads it from several threads at once.

    Attributes
    ----------
    size : int or None
        Length in bytes. None if the length is unknown or the file cannot be read at an offset.
        csvfeed then calls `stream` once and keeps what it yields in a temporary file.
    identity : str
        A text that changes when the content changes, such as an ETag, or a size and a time.
        csvfeed compares it each time it opens the file.
    """

    @property
    def size(self) -> int | None:
        """Return the length in bytes, or None."""

    @property
    def identity(self) -> str:
        """Return a text that changes when the content changes."""

    def read(self, offset: int, length: int) -> bytes:
        """Return exactly `length` bytes from `offset` on, or raise.

        Several threads call it at once, without a lock, and never past the end. The iteration
        raises what it raises.
        """

    def stream(self) -> Iterator[bytes]:
        """Yield all bytes in order. csvfeed calls it only if `size` is None."""

    def close(self) -> None:
        """Release what the handle holds.

        Any thread may call it, and more than once, when an iteration ends or is abandoned. Calls of
        `read` that are still waiting should then raise soon.
        """


class Origin(Protocol):
    """A file that is not in the file system of the operating system.

    A dataset keeps it and pickles it, so it must not hold a connection.

    Attributes
    ----------
    name : str
        Its name in errors.
    """

    @property
    def name(self) -> str:
        """Return its name in errors."""

    def open(self) -> Handle:
        """Open the file. csvfeed does so once to read the head, and once for each iteration."""


Part: TypeAlias = str | bytes | Origin | io.IOBase
"""One part of a table: a path, the content, or an object."""


def is_origin(value: Any) -> bool:
    """Whether a value looks like an `Origin`."""
    return hasattr(value, "open") and not hasattr(value, "read") and not isinstance(value, type)
