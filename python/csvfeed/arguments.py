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
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if isinstance(value, bool) or not 0 < number < 2**62:
        raise ValueError(f"{name} is a whole number of at least 1, not {value!r}")
    return number


def choice(value: Any, choices: tuple[str, ...], name: str) -> Any:
    """Return a value that is one of some."""
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(map(repr, choices))}, not {value!r}")
    return value


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


def columns(value: Any, name: str) -> list[int | str]:
    """Return the names or indices of some columns: of one, of several, or of none."""
    if value is None:
        return []
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return [column(one, name) for one in value]
    if name == "features":
        raise TypeError(f"features is a list of names or indices, not {value!r}")
    return [column(value, name)]


def header(value: Any) -> str | bool | list[str]:
    """Return "auto", whether there is a header, or the names that it would have."""
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        choice(value, ("auto",), "header")
        return value
    if not isinstance(value, Iterable):
        raise TypeError(f"header is 'auto', True, False or a list of names, not {value!r}")
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
    raise TypeError(f"{name} takes a list of strings, not {value!r}")


def character(value: Any, name: str) -> str:
    """Return a character that can stand between or around fields."""
    if not isinstance(value, str) or len(value) != 1 or not value.isascii():
        raise ValueError(f"{name} is one ASCII character, not {value!r}")
    if value.isalnum() or value in "+-.\r\n\0":
        raise ValueError(f"{name} cannot be {value!r}, which is part of numbers or of line ends")
    return value


def fill(value: Any) -> Fill | dict[int | str, Fill] | None:
    """Return what missing features become: the same for all, or this and that by column."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {column(name, "fill"): _fill_value(one) for name, one in value.items()}
    return _fill_value(value)


def _fill_value(value: Any) -> Fill:
    if isinstance(value, str):
        choice(value, ("mean",), "fill")
        return "mean"
    if not isinstance(value, numbers.Real) or isinstance(value, bool):
        raise TypeError(f'fill is a number, "mean", or a dict of these by column, not {value!r}')
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
        raise TypeError(f"fraction is a number between 0 and 1, not {value!r}")
    number = float(value)
    if not 0 < number < 1:
        raise ValueError(f"fraction is a number between 0 and 1, not {value!r}")
    return number


def place(value: Any, count: int, name: str) -> int:
    """Return a place among ``count``, from 0."""
    try:
        number = -1 if isinstance(value, bool) else operator.index(value)
    except TypeError:
        number = -1
    if not 0 <= number < count:
        raise ValueError(f"{name} is a whole number from 0 to {count - 1}, not {value!r}")
    return number
