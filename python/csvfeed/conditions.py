"""Conditions on the fields of a row, checked and in plain types, which the core reads."""

from __future__ import annotations

import datetime
import enum
import math
import numbers
import operator
from collections.abc import Iterable, Mapping
from typing import Any, Literal, NamedTuple, TypeAlias

import numpy as np

from csvfeed import arguments

Kind: TypeAlias = Literal["present", "absent", "numbers", "dates", "texts", "booleans"]
Bounds: TypeAlias = tuple[str | None, str | None]


class Presence(enum.Enum):
    """Whether a column of a row has a value, for ``CsvDataset.where``."""

    PRESENT = "present"
    ABSENT = "absent"

    def __repr__(self) -> str:
        return f"csvfeed.{self.name}"


PRESENT = Presence.PRESENT
ABSENT = Presence.ABSENT


class Condition(NamedTuple):
    """A condition on a column: the kind of its values, and the lowest and the highest as text.

    A single value is both.
    """

    column: int | str
    kind: Kind
    bounds: tuple[Bounds, ...]

    def __str__(self) -> str:
        """Return what makes this condition."""
        if not self.bounds:
            return repr(Presence(self.kind))
        texts = [[self._shown(text) for text in bounds] for bounds in self.bounds]
        if len(texts) == 1 and texts[0][0] != texts[0][1]:
            return f"({', '.join(texts[0])})"
        return f"[{', '.join(low for low, _ in texts)}]"

    def _shown(self, text: str | None) -> str:
        return repr(text) if self.kind in ("texts", "dates") else str(text)


class Where(NamedTuple):
    """The rows that meet conditions."""

    conditions: tuple[Condition, ...]

    @property
    def needs_pass(self) -> bool:
        """Whether only a pass over the rows tells which ones are chosen."""
        return True

    @property
    def keeps_neighbours(self) -> bool:
        """Whether rows that follow one another stay together."""
        return True

    def __str__(self) -> str:
        """Return the call that chooses these rows."""
        shown = ", ".join(f"{one.column!r}: {one}" for one in self.conditions)
        return f".where({{{shown}}})"


def where(conditions: Any) -> Where:
    """Return conditions by column: ranges, lists of values, single values, PRESENT or ABSENT.

    Raises
    ------
    TypeError, ValueError
        If a condition makes no sense.
    """
    if not isinstance(conditions, Mapping):
        raise TypeError(
            'where takes a dict by column, as in {"amount": (0, None), "country": ["NL", "BE"]}, '
            f"not {conditions!r}"
        )
    if not conditions:
        raise ValueError("where takes at least one condition, and the dict is empty")
    return Where(
        tuple(
            Condition(arguments.column(column, "where()"), *_kind_and_bounds(column, wanted))
            for column, wanted in conditions.items()
        )
    )


def _kind_and_bounds(column: Any, wanted: Any) -> tuple[Kind, tuple[Bounds, ...]]:
    if isinstance(wanted, Presence):
        return wanted.value, ()
    if isinstance(wanted, tuple):
        return _range(column, wanted)
    if isinstance(wanted, Iterable) and not isinstance(wanted, (str, bytes, Mapping)):
        values = list(wanted)
        if not values:
            raise ValueError(f"the list of values for column {column!r} is empty")
    else:
        values = [wanted]
    found = [_value(column, value) for value in values]
    kinds = {kind for kind, _ in found}
    if len(kinds) > 1:
        raise TypeError(
            f"the values for column {column!r} are {' and '.join(sorted(kinds))}: take one of them"
        )
    return found[0][0], tuple((text, text) for _, text in found)


def _range(column: Any, ends: tuple[Any, ...]) -> tuple[Kind, tuple[Bounds, ...]]:
    if len(ends) != 2:
        raise TypeError(
            f"a tuple for column {column!r} is a range (low, high), and this one has {len(ends)} "
            "values: a list has single values"
        )
    found = [None if end is None else _value(column, end) for end in ends]
    kinds = {one[0] for one in found if one is not None}
    if not kinds:
        raise ValueError(
            f"the range for column {column!r} has no bound: csvfeed.PRESENT asks for any value"
        )
    # A text in a range is a date, since no other text has an order here.
    if not (kinds == {"numbers"} or kinds <= {"dates", "texts"}):
        raise TypeError(f"a range for column {column!r} has two numbers or two dates, not {ends!r}")
    low, high = (None if one is None else one[1] for one in found)
    return ("numbers" if kinds == {"numbers"} else "dates"), ((low, high),)


def _value(column: Any, value: Any) -> tuple[Kind, str]:
    """Return the kind of a value, and its text."""
    if isinstance(value, (bool, np.bool_)):
        return "booleans", str(bool(value))
    if isinstance(value, str):
        return "texts", str(value)
    if isinstance(value, datetime.date):
        return "dates", value.isoformat()
    if isinstance(value, numbers.Real):
        return "numbers", _number(column, value)
    advice = ": csvfeed.ABSENT asks for no value" if value is None else ""
    raise TypeError(
        f"column {column!r} is compared with numbers, texts, dates, True or False, "
        f"not with {value!r}{advice}"
    )


def _number(column: Any, value: Any) -> str:
    try:
        return str(operator.index(value))
    except TypeError:
        pass
    if math.isnan(value):
        raise ValueError(
            f"no number equals NaN, which column {column!r} is compared with: csvfeed.ABSENT asks "
            "for no value"
        )
    # The shortest text that means this value in its own type.
    return str(value) if isinstance(value, np.floating) else repr(float(value))
