"""What the columns of a file seem to hold, by its first rows."""

from __future__ import annotations

import datetime
import itertools
import re
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

import csvfeed
from csvfeed.cli.sample import Sample

Kind: TypeAlias = Literal["number", "integer", "boolean", "date", "text", "constant", "empty"]

MOST_CATEGORIES = 1000
"""Values of a text column, at most, to give each a code of its own."""

_NUMBER = re.compile(
    r"[ \t]*[+-]?(\d+\.?\d*([eE][+-]?\d+)?|\.\d+([eE][+-]?\d+)?|inf|infinity|nan)[ \t]*",
    re.ASCII | re.IGNORECASE,
)
_INTEGER = re.compile(r"[ \t]*[+-]?\d+[ \t]*", re.ASCII)
_DATE = re.compile(r"\d{4}-\d\d-\d\d([T ]\d\d:\d\d(:\d\d(\.\d+)?)?(Z|[+-]\d\d:?\d\d)?)?", re.ASCII)
_OTHER_DATE = re.compile(
    r"(\d{1,2}([./-])\d{1,2}\2\d{4}|\d{4}([./])\d{1,2}\3\d{1,2})(?P<time> +\d{1,2}:\d\d(:\d\d)?)?",
    re.ASCII,
)
_DAYS = ("%d.%m.%Y", "%d/%m/%Y", "%m/%d/%Y", "%d-%m-%Y", "%m-%d-%Y", "%Y/%m/%d", "%Y.%m.%d")
_TIMES = ("", " %H:%M", " %H:%M:%S")
_IDENTIFIER = re.compile(r"(?i:(^|_|\b)(id|uid|uuid|key|no|nr)$)|[a-z]I[dD]$")
_TRUTHS = frozenset({"true", "false", "yes", "no", "t", "f", "y", "n", "on", "off"})
# Not numbers, and not what a model could learn from.
_HOLES = re.compile(
    r"[-.*#_?/ ]+|unknown|missing|not available|n\.a\.|nil|void|\(null\)|#value!|\\n"
)


@dataclass
class Column:
    """What a column seems to hold.

    Attributes
    ----------
    index : int
        Its position.
    name : str
        Its name.
    kind : str
        What its fields are.
    missing : int
        Fields of the sample that are missing.
    values : Counter
        The other fields of the sample.
    holes : set of str
        Those among them that stand for a missing value.
    note : str
        Why a model should not have it; empty if it should.
    counted : bool
        Whether ``missing`` and ``values`` are of more than the sample.
    has_more : bool
        Whether it is known to have many more values than the sample.
    format : str
        How its dates are written; empty for ISO 8601.
    """

    index: int
    name: str
    kind: Kind
    missing: int
    values: Counter[str]
    holes: set[str] = field(default_factory=set)
    note: str = ""
    counted: bool = False
    has_more: bool = False
    format: str = ""

    @property
    def is_text(self) -> bool:
        """Whether its fields are read as text, though they may be the same everywhere."""
        return self.kind == "text" or (self.kind == "constant" and self.counted)

    @property
    def is_numeric(self) -> bool:
        """Whether its fields are numbers."""
        return self.kind in ("number", "integer")


def is_number(text: str, decimal: str = ".", thousands: str | None = None) -> bool:
    """Tell whether a field is a number as csvfeed reads them."""
    if thousands:
        text = text.replace(thousands, "")
    if decimal != ".":
        text = text.replace(decimal, ".")
    return _NUMBER.fullmatch(text) is not None


def columns_of(sample: Sample, missing: Iterable[str] = csvfeed.MISSING) -> list[Column]:
    """Return what the columns of a sample seem to hold."""
    tokens = {"", *missing}
    fields = zip(*sample.rows, strict=True) if sample.rows else [()] * len(sample.columns)
    spelling = sample.dialect.decimal, sample.dialect.thousands
    return [
        _column(index, name, found, tokens, lambda text: is_number(text, *spelling))
        for index, (name, found) in enumerate(zip(sample.columns, fields, strict=True))
    ]


def _column(
    index: int,
    name: str,
    fields: Sequence[str],
    tokens: set[str],
    is_number: Callable[[str], bool],
) -> Column:
    values = Counter(fields)
    missing = sum(values.pop(value) for value in list(values) if value.strip() in tokens)
    column = Column(index, name, "text", missing, values)
    count = values.total()
    numbers = sum(times for value, times in values.items() if is_number(value))
    holes = {value for value in values if _HOLES.fullmatch(value.strip().lower())}
    if not values:
        # If nothing else comes, the pass over the whole file finds it out.
        column.kind = "number"
    elif numbers and holes and numbers + sum(values[hole] for hole in holes) == count:
        column.holes = {hole.strip() for hole in holes}
        column.missing += sum(values.pop(hole) for hole in holes)
        column.kind = "integer" if all(map(_INTEGER.fullmatch, values)) else "number"
    elif _nearly_all(numbers, count):
        whole = all(_INTEGER.fullmatch(value) or not is_number(value) for value in values)
        column.kind = "integer" if whole else "number"
    elif _nearly_all(sum(values[v] for v in values if v.strip().lower() in _TRUTHS), count):
        column.kind = "boolean"
    elif _nearly_all(sum(values[v] for v in values if _DATE.fullmatch(v.strip())), count):
        column.kind = "date"
    elif form := _date_format(values):
        column.kind, column.format = "date", form
    else:
        _judge_text(column)
    if column.kind == "integer" and _counts_rows(fields):
        column.note = "it counts the rows"
    elif column.kind == "integer" and _identifies(column):
        column.note = "each value is another: an identifier?"
    return column


def _nearly_all(part: int, count: int) -> bool:
    """Tell whether what is left over is odd, rather than the column of another kind."""
    return part == count or part >= 0.9 * count or (part >= 3 and count - part == 1)


def _date_format(values: Counter[str]) -> str:
    """Return how most values are written as dates, if only one way is possible."""
    stripped = {value: value.strip() for value in values}
    alike = {value for value in values if _OTHER_DATE.fullmatch(stripped[value])}
    if not _nearly_all(sum(values[value] for value in alike), values.total()):
        return ""
    counts = {
        day + time: sum(values[value] for value in alike if _is_date(stripped[value], day + time))
        for day in _DAYS
        for time in _TIMES
    }
    best = max(counts, key=counts.__getitem__)
    # The day or the month may come first as long as no day is above 12.
    is_clear = list(counts.values()).count(counts[best]) == 1
    return best if is_clear and _nearly_all(counts[best], values.total()) else ""


def _is_date(text: str, form: str) -> bool:
    try:
        datetime.datetime.strptime(text, form)
    except ValueError:
        return False
    return True


def _identifies(column: Column) -> bool:
    """Tell whether whole numbers are likely to name the rows: all differ, and lie close."""
    count = len(column.values)
    if count < 10 or column.missing or count != column.values.total():
        return False
    try:
        numbers = [int(value) for value in column.values]
    except ValueError:
        return False
    is_dense = max(numbers) - min(numbers) < 4 * count
    return is_dense or _IDENTIFIER.search(column.name) is not None


def _counts_rows(fields: Sequence[str]) -> bool:
    if len(fields) < 3:
        return False
    try:
        numbers = [int(field) for field in fields[:1000]]
    except ValueError:
        return False
    return all(after == before + 1 for before, after in itertools.pairwise(numbers))


def _judge_text(column: Column) -> None:
    values, count = column.values, column.values.total()
    if len(values) == 1:
        return
    words = sum(times * len(value.split()) for value, times in values.items()) / count
    length = sum(times * len(value) for value, times in values.items()) / count
    if count >= 10 and len(values) == count:
        column.note = "free text" if words > 2 else "each row has another one"
    elif len(values) > 0.5 * count and count >= 10 and (words > 4 or length > 40):
        column.note = "free text"
