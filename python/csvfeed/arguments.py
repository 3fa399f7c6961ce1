"""The arguments of a dataset, checked and turned into plain types of our own."""

from __future__ import annotations

import math
import numbers
import operator
from collections.abc import Iterable, Mapping
from typing import Any, Literal, SupportsFloat, TypeAlias

import numpy as np

Fill: TypeAlias = float | Literal["mean"]


def positive(value: Any, name: str) -> int:
    """Return a whole number of at least 1."""
    number = _whole(value)
    if not 0 < number < 2**62:
        raise ValueError(f"{name} is a whole number of at least 1, not {value!r}")
    return number


def count(value: Any, name: str, or_else: str = "") -> int:
    """Return a whole number of at least 0. ``or_else`` says what else the value could have been."""
    number = _whole(value)
    if not 0 <= number < 2**62:
        raise ValueError(f"{name} is a whole number of at least 0{or_else}, not {value!r}")
    return number


def max_rejects(value: Any, on_error: str) -> int | None:
    """Return how many rows may be left out as wrong, or None for any number."""
    if value is None:
        return None
    if on_error != "skip":
        raise ValueError('max_rejects= goes with on_error="skip"')
    return count(value, "max_rejects", ", or None")


def choice(value: Any, choices: tuple[str, ...], name: str) -> Any:
    """Return a value that is one of some."""
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(map(repr, choices))}, not {value!r}")
    return value


def optional_bool(value: Any, name: str) -> bool | None:
    """Return True, False or None."""
    if value is not None and not isinstance(value, bool):
        raise TypeError(f"{name} is True, False or None, not {value!r}")
    return value


def flag(value: Any, name: str) -> bool:
    """Return True or False."""
    if not isinstance(value, (bool, np.bool_)):
        raise TypeError(f"{name} is True or False, not {value!r}")
    return bool(value)


def column(value: Any, name: str) -> int | str:
    """Return the name or the index of a column."""
    if isinstance(value, str):
        return value
    try:
        index = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        index = None
    if index is None or abs(index) >= 2**62:
        raise TypeError(f"{name} names columns by name or index, not by {value!r}")
    return index


def key_or_class(by: Any, stratify: Any) -> tuple[int | str | None, int | str | None]:
    """Return the column that keeps rows together, or the one whose text is their class."""
    if by is not None and stratify is not None:
        raise ValueError(
            "by= keeps rows with the same value together, and stratify= deals the rows of each "
            "class out: give one of them"
        )
    key = None if by is None else column(by, "by")
    return key, None if stratify is None else column(stratify, "stratify")


def columns(value: Any, name: str) -> list[int | str]:
    """Return the names or indices of some columns: of one, of several, or of none."""
    if value is None:
        return []
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return listed(value, name)
    return [column(value, name)]


def listed(value: Any, name: str) -> list[int | str]:
    """Return the names or indices of a list of columns, which has an order."""
    if not isinstance(value, Iterable) or isinstance(value, (str, bytes, set, frozenset)):
        raise TypeError(f"{name} is a list of names or indices, not {value!r}")
    return [column(one, name) for one in value]


def header(value: Any) -> Literal["auto"] | bool | list[str]:
    """Return "auto", whether there is a header, or the names that it would have."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        choice(value, ("auto",), "header")
        return "auto"
    if not isinstance(value, Iterable):
        # As pandas has them.
        advice = ""
        if value is None:
            advice = ". header=False says that the file has no header"
        elif _whole(value) == 0:
            advice = ". header=True says that the first row names the columns"
        elif _whole(value) > 0:
            advice = f". skip_rows={value} leaves out so many lines before the header"
        raise TypeError(f"header is 'auto', True, False or a list of names, not {value!r}{advice}")
    names = strings(value, "header")
    if not names:
        raise ValueError("header is an empty list of names")
    return names


def strings(value: Any, name: str) -> list[str]:
    """Return a list of strings."""
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        found = list(value)
        if all(isinstance(string, str) for string in found):
            return found
        value = found
    advice = ""
    if name == "missing":
        advice = ': each as the file writes it, as in missing=[*csvfeed.MISSING, "-999", "-999.0"]'
    raise TypeError(f"{name} takes a list of strings, not {value!r}{advice}")


def character(value: Any, name: str, unfit: str = "+-.\r\n\0") -> str:
    """Return a character that can stand between or around fields, or before one."""
    if not isinstance(value, str) or len(value) != 1 or not value.isascii():
        raise ValueError(f"{name} is one ASCII character, not {value!r}")
    if value.isalnum() or value in unfit:
        raise ValueError(f"{name} cannot be {value!r}, which is part of numbers or of line ends")
    return value


def mark(value: Any, name: str) -> str:
    """Return a character that can begin a comment or an escape."""
    return character(value, name, "+-. \t\r\n\0")


ENCODINGS = {
    "utf-8": "utf-8",
    "utf8": "utf-8",
    "latin-1": "latin-1",
    "latin1": "latin-1",
    "iso-8859-1": "latin-1",
    "iso8859-1": "latin-1",
    "cp1252": "cp1252",
    "windows-1252": "cp1252",
    "utf-16": "utf-16",
    "utf16": "utf-16",
    "utf-16-le": "utf-16-le",
    "utf-16le": "utf-16-le",
    "utf-16-be": "utf-16-be",
    "utf-16be": "utf-16-be",
}


def encoding(value: Any) -> str:
    """Return the name of an encoding that is read."""
    known = ENCODINGS.get(value.lower().replace("_", "-")) if isinstance(value, str) else None
    if known is None:
        read = ", ".join(map(repr, dict.fromkeys(ENCODINGS.values())))
        advice = f": convert the file, for example with `iconv -f {value} -t UTF-8`"
        raise ValueError(
            f"encoding is one of {read}, not {value!r}{advice if isinstance(value, str) else ''}"
        )
    return known


def fill(value: Any) -> Fill | dict[int | str, Fill] | None:
    """Return what missing features become: the same for all, or this and that by column."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {
            column(name, "fill"): _fill_value(one, f'fill of column {name!r} is a number or "mean"')
            for name, one in value.items()
        }
    return _fill_value(value, 'fill is a number, "mean", or a dict of these by column')


def _fill_value(value: Any, allowed: str) -> Fill:
    if isinstance(value, str):
        if value != "mean":
            raise ValueError(f"{allowed}, not {value!r}")
        return "mean"
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f"{allowed}, not {value!r}")
    try:
        number = float(value)
    except OverflowError:
        number = math.inf
    with np.errstate(over="ignore"):
        if not np.isfinite(np.float32(number)):
            raise ValueError(f"fill is a finite number that float32 can hold, not {value!r}")
    return number


def seed(value: Any) -> int:
    """Return a seed."""
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        raise TypeError(f"seed is a whole number, not {value!r}") from None
    if not 0 <= number < 2**63:
        raise ValueError(f"seed is a whole number from 0 to 2**63 - 1, not {value!r}")
    return number


def fraction(value: Any) -> float:
    """Return a number between 0 and 1."""
    if isinstance(value, bool) or not isinstance(value, SupportsFloat):
        raise TypeError(
            f"fraction is a number between 0 and 1, the part of the rows to hold out, not {value!r}"
        )
    number = float(value)
    if not 0 < number < 1:
        raise ValueError(
            f"fraction is a number between 0 and 1, the part of the rows to hold out, not {value!r}"
        )
    return number


def place(value: Any, count: int, name: str) -> int:
    """Return a place among ``count``, from 0."""
    number = _whole(value)
    if not 0 <= number < count:
        # In tf.data the count comes first.
        swapped = f"; {name} comes before the count, which is {count}" if number >= count else ""
        raise ValueError(f"{name} is a whole number from 0 to {count - 1}, not {value!r}{swapped}")
    return number


def _whole(value: Any) -> int:
    """Return a whole number; -1 for what is none."""
    try:
        return -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        return -1
