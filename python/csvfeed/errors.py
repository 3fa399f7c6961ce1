"""What can be wrong with a file, and where."""

from __future__ import annotations

import os
import sys
import warnings
from types import FrameType
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from csvfeed.dialect import Choice


class CsvError(ValueError):
    """A file cannot be read as asked.

    Attributes
    ----------
    path : str or None
        The file, as it was named; ``"<bytes>"`` for bytes in memory.
    line : int or None
        Number of the physical line, counted from 1, the header included.
    column : int or None
        Position of the column, counted from 0: ``ds.columns[column] == column_name``.
    column_name : str or None
        Name of the column.
    byte_offset : int or None
        Where the field or row begins, in bytes from the start of the file.
    text : str or None
        What stands there, shortened if it is long.
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
    """A field is not what its column is read as, or a target or weight is missing."""


class RowLengthError(CsvError):
    """A row has more or fewer fields than the header, or is too long to be one."""


class EncodingError(CsvError):
    """The file is not UTF-8."""


class QuoteError(CsvError):
    """A quoted field is never closed, text follows its closing quote, or nothing an escape."""


class DialectError(CsvError):
    """A file can be read in several ways that give different values, or in none that fits well.

    Attributes
    ----------
    choices : tuple of csvfeed.dialect.Choice
        The ways, the likeliest first.
    """

    choices: tuple[Choice, ...] = ()

    def _set_choices(self, choices: list[Any]) -> None:
        from csvfeed.dialect import Choice

        self.choices = tuple(Choice.of(choice) for choice in choices)


class SourceChangedError(CsvError):
    """The file changed after the dataset was made, or while it was read."""


def warn(message: str) -> None:
    """Warn at the line outside of csvfeed that led here."""
    package = os.path.join(os.path.dirname(__file__), "")
    frame: FrameType | None = sys._getframe()
    level = 1
    while frame is not None and frame.f_code.co_filename.startswith(package):
        frame = frame.f_back
        level += 1
    warnings.warn(message, RuntimeWarning, stacklevel=level)
