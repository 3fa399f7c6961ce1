"""The exceptions: what is wrong with a file, and where."""

from __future__ import annotations

import os
import sys
import warnings
from types import FrameType
from typing import Any


class CsvError(ValueError):
    """csvfeed cannot read a file as requested.

    Attributes
    ----------
    path : str or None
        Name of the file, as given; ``"<bytes>"`` for bytes in memory.
    line : int or None
        Number of the physical line, counted from 1 and including the header.
    column : int or None
        Index of the column, counted from 0: ``ds.columns[column] == column_name``.
    column_name : str or None
        Name of the column.
    byte_offset : int or None
        Where the field or row begins, in bytes from the start of the file.
    text : str or None
        The text at that place, shortened if it is long.
    """

    def __init__(
        self,
        message: str,
        *,
        path: str | None = None,
        line: int | None = None,
        column: int | None = None,
        column_name: str | None = None,
        byte_offset: int | None = None,
        text: str | None = None,
    ) -> None:
        super().__init__(message)
        self.message = message
        self.path = path
        self.line = line
        self.column = column
        self.column_name = column_name
        self.byte_offset = byte_offset
        self.text = text

    def __str__(self) -> str:
        place = []
        if self.path is not None:
            place.append(self.path)
        if self.line is not None:
            place.append(f"line {self.line}")
        if self.column is not None:
            index = f"index {self.column}"
            named = self.column_name is not None
            place.append(f"column {self.column_name!r} ({index})" if named else f"column {index}")
        if self.byte_offset is not None:
            place.append(f"byte {self.byte_offset}")
        parts = [", ".join(place)] if place else []
        if self.text is not None:
            parts.append(repr(self.text))
        return ": ".join([*parts, self.message])

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self)._rebuild, (self.message, dict(vars(self)))

    @classmethod
    def _rebuild(cls, message: str, place: dict[str, Any]) -> CsvError:
        error = cls(message)
        vars(error).update(place)
        return error


class NumberError(CsvError):
    """A field does not fit its column, or a target or weight is missing."""


class RowLengthError(CsvError):
    """A row has more or fewer fields than the header, or is longer than the limit."""


class EncodingError(CsvError):
    """The file is not in the expected encoding."""


class QuoteError(CsvError):
    """A quote is never closed, text follows a closing quote, or nothing follows an escape."""


class DialectError(CsvError):
    """Several ways of reading a file give different values, or no way fits well.

    Attributes
    ----------
    choices : tuple of csvfeed.dialect.Choice
        The ways, most likely first.
    """

    choices: tuple[Any, ...] = ()


class SourceChangedError(CsvError):
    """The file changed after the dataset was made, or while csvfeed read it."""


def warn(message: str) -> None:
    """Issue a RuntimeWarning that points at the caller's line, outside of csvfeed."""
    package = os.path.join(os.path.dirname(__file__), "")
    frame: FrameType | None = sys._getframe()
    level = 1
    while frame is not None and frame.f_code.co_filename.startswith(package):
        frame = frame.f_back
        level += 1
    warnings.warn(message, RuntimeWarning, stacklevel=level)
