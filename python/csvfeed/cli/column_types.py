"""The types of the columns of a table, guessed from a sample of its rows."""

from __future__ import annotations

import itertools
import math
import re
from collections import Counter
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from csvfeed.cli.date_formats import date_format, formats_of
from csvfeed.cli.list_forms import list_form, list_of_categories
from csvfeed.cli.number_forms import (
    FORMS,
    example_of_numbers,
    number_form,
    question_of_form,
    question_of_thousands,
)
from csvfeed.cli.sample import Sample
from csvfeed.columns import Form, List, MultiHot
from csvfeed.typeset import shown

Kind: TypeAlias = Literal[
    "number", "integer", "boolean", "date", "duration", "list", "text", "constant", "empty"
]

MOST_CATEGORIES = 1000
"""Most values of a text column that each get their own code."""

FEW_WRONG = 0.05
"""Largest share of rows that may be slips, not values of another type."""

MOST_TOKENS = 3
"""Most words beside numbers that may stand for missing values."""

_FEW_NUMBERS = 20
"""Most different numbers in a column that may be names of categories."""

_IDENTIFIER = re.compile(r"(?i:(^|_|\b)(id|uid|uuid|key|no|nr|index)$)|[a-z]I[dD]$|^Unnamed: \d+$")

_EXACT = 1 << 24
"""Float32 has every whole number up to here."""

_MOST_BEYOND = 0.9
_MANY_ROUNDED = 0.25

_CLOCK = re.compile(r"-?\d{1,4}:\d\d")

# Texts that are not numbers and that a model cannot learn from.
_HOLES = re.compile(
    r"[-.*#_?/ ]+|unknown|missing|not available|n\.a\.|nil|void|\(null\)|#value!|\\n"
)


@dataclass
class Column:
    """The guessed type of a column.

    Attributes
    ----------
    index : int
        Position of the column.
    name : str
        Name of the column.
    kind : str
        Type of its fields.
    missing : int
        Number of missing fields in the sample.
    values : Counter
        The other fields in the sample.
    tokens : Counter
        Texts that stand for a missing value, and how often each occurs in the sample.
    note : str
        Why a model should not use the column; empty if it should.
    counted : bool
        Whether ``missing`` and ``values`` cover more than the sample.
    has_more : bool
        Whether the column has many more values than the sample.
    format : str
        Format of its dates; empty for ISO 8601.
    form : str
        Form of its numbers for ``numbers=``, such as "percent"; empty for plain numbers.
    lists : List, MultiHot or None
        How its lists are written, if it has any.
    is_question : bool
        Whether the note asks how to read its numbers.
    has_time : bool
        Whether all its dates have a time of day.
    """

    index: int
    name: str
    kind: Kind
    missing: int
    values: Counter[str]
    tokens: Counter[str] = field(default_factory=Counter)
    note: str = ""
    counted: bool = False
    has_more: bool = False
    format: str = ""
    form: Form | Literal[""] = ""
    lists: List | MultiHot | None = None
    is_question: bool = False
    has_time: bool = False

    @property
    def is_text(self) -> bool:
        """Whether its fields are text, even if all are the same."""
        return self.kind == "text" or (self.kind == "constant" and self.counted)

    @property
    def is_numeric(self) -> bool:
        """Whether its fields are numbers."""
        return self.kind in ("number", "integer")

    @property
    def is_asked_about(self) -> bool:
        """Whether its note is a question to the user."""
        return self.is_question or (self.kind in ("date", "duration") and bool(self.note))


def column_types(sample: Sample) -> list[Column]:
    """Return the guessed types of the columns of a sample."""
    fields = zip(*sample.rows, strict=True) if sample.rows else [()] * len(sample.columns)
    columns = [
        _column(index, name, Counter(found), sample)
        for index, (name, found) in enumerate(zip(sample.columns, fields, strict=True))
    ]
    _settle_tokens(columns)
    for column in columns:
        if column.kind == "text" and not column.note:
            _judge_text(column)
    _judge_identifiers(columns, sample)
    return columns


def _column(index: int, name: str, values: Counter[str], sample: Sample) -> Column:
    texts = list(values)
    is_missing = dict(zip(texts, sample.reader.are_missing(texts), strict=True))
    missing = sum(values.pop(text) for text in texts if is_missing[text])
    column = Column(index, name, "text", missing, values)
    if values:
        _classify(column, sample)
    else:
        # The pass over the whole file will tell.
        column.kind = "number"
    return column


def _classify(column: Column, sample: Sample) -> None:
    """Set the type of a column: the first that fits all fields except words and slips."""
    values = column.values
    numbers = _values(sample, values, "number")
    column.lists = None if numbers else list_form(values, sample.dialect.decimal)
    if column.lists:
        column.kind = "list"
        return
    integers = {text for text, value in numbers.items() if _is_integer(text, value, sample)}
    if len(numbers) < len(values) and _classify_form(column, sample):
        return
    if _fits(column, set(numbers), may_be_names=len(integers) == len(numbers)):
        column.kind = "integer" if len(integers) == len(numbers) else "number"
        return
    if _fits(column, set(_values(sample, values, "boolean")), has_tokens=False):
        column.kind = "boolean"
        return
    if _classify_duration(column, sample):
        return
    form = date_format(sample.reader, list(values))
    if form is None:
        column.note = _question_of_dates(sample, values)
        column.kind = "date" if column.note else "text"
        if not column.note and (lists := list_of_categories(values)):
            column.kind, column.lists = "list", lists
        return
    dates = set(_values(sample, values, "date", form or None))
    if _fits(column, dates):
        column.kind, column.format = "date", form
        column.has_time = all(":" in text for text in dates)


def _classify_form(column: Column, sample: Sample) -> bool:
    """Set the form of a column whose numbers need ``numbers=``. Return whether it is one."""
    texts = list(column.values)
    form, right = number_form(sample.reader, texts)
    formed = sum(column.values[t] for t in texts if form and FORMS[form].fullmatch(t.strip()))
    # A slip is not a form of its own.
    is_told = form == "msvc" or formed > max(1, FEW_WRONG * column.values.total())
    if not form or not is_told:
        return False
    question = question_of_form(sample.reader, form, texts)
    is_open = not {"decimal", "thousands"} & sample.options.keys()
    if not question and form == "currency" and is_open and sample.dialect.delimiter == ";":
        question = question_of_thousands(texts)
    if question:
        column.kind, column.note, column.is_question = "number", question, True
        return True
    if not _fits(column, right):
        return False
    column.kind, column.form = "number", form
    return True


def _classify_duration(column: Column, sample: Sample) -> bool:
    """Set the type of a column of durations or times of day. Return whether it is one."""
    values = column.values
    right = set(_values(sample, values, "duration"))
    if right and _fits(column, right):
        column.kind = "duration"
        return True
    if values and all(_CLOCK.fullmatch(text.strip()) for text in values):
        column.kind = "duration"
        column.note = (
            "hours and minutes, or minutes and seconds: dates= takes "
            'csvfeed.Duration(format="%H:%M" or "%M:%S")'
        )
        return True
    return False


def _values(
    sample: Sample,
    values: Counter[str],
    kind: Literal["number", "boolean", "date", "duration"],
    form: str | None = None,
) -> dict[str, float]:
    """Return the texts that can be read as a type, and their values."""
    texts = list(values)
    found = zip(texts, sample.reader.values(texts, kind, form), strict=True)
    return {text: value for text, value in found if value is not None}


def _is_integer(text: str, value: float, sample: Sample) -> bool:
    decimal = sample.dialect.decimal
    return value == value // 1 and decimal not in text and not set("eE") & set(text)


def _fits(
    column: Column, right: set[str], *, has_tokens: bool = True, may_be_names: bool = False
) -> bool:
    """Tell whether a column holds what ``right`` has, and note which words are missing values.

    Besides these there may be words that mean "no value", up to three words that come again and
    again, and a few slips. Slips are wrong rows. A word that comes again is a missing value if
    the column has tokens for it, unless the column names categories: then it is one of them.
    """
    values = column.values
    others = {text: count for text, count in values.items() if text not in right}
    rows = sum(values[text] for text in right)
    if not others or not rows:
        return bool(rows)
    holes = {text for text in others if _HOLES.fullmatch(text.lower())}
    words = {text for text, count in others.items() if count > 1 and text not in holes}
    slips = sum(count for text, count in others.items() if text not in holes | words)
    if sum(others.values()) > rows or len(words) > (MOST_TOKENS if has_tokens else 0):
        return False
    if slips > max(FEW_WRONG * rows, rows >= 3):
        return False
    if words and may_be_names and len(right) <= min(_FEW_NUMBERS, rows / 2):
        return False
    for text in holes | words:
        column.tokens[text] = values.pop(text)
    column.missing += column.tokens.total()
    return True


def _question_of_dates(sample: Sample, values: Counter[str]) -> str:
    """Return a question about a column of dates whose format is ambiguous, or an empty text."""
    texts = list(values)
    formats = formats_of(sample.reader, texts)
    if not formats:
        return ""
    either = " or ".join(f'format="{form}"' if form else "ISO 8601" for form in formats)
    reads_all = [
        form for form in formats if len(_values(sample, values, "date", form)) == len(texts)
    ]
    if len(reads_all) > 1:
        return f"dates that can be read in several ways: csvfeed.Date(..., {either})"
    return f"dates of several forms, of which csvfeed.Date reads one: {either}"


def _settle_tokens(columns: list[Column]) -> None:
    """Do not take a word as missing if it means something in another column."""
    for column in columns:
        others = [other.values for other in columns if other is not column]
        words = {text for text in column.tokens if not _HOLES.fullmatch(text.lower())}
        for word in words:
            if any(word in values for values in others):
                column.values[word] = column.tokens.pop(word)
                column.missing -= column.values[word]
                column.kind = "text"


def _judge_identifiers(columns: list[Column], sample: Sample) -> None:
    """Mark the columns that identify the rows and do not describe them.

    A name that says so is evidence, as is a first column that alone has another number in each
    row. Many columns of that kind are data. So is a column of large numbers that float32 holds.
    """
    for column in columns:
        if column.kind == "integer" and not column.note and _is_rounded_away(column, sample):
            column.note = (
                f"each value is another, and float32 rounds those beyond {_EXACT:,}: an identifier?"
            )
    unnamed = {
        column.index
        for column in columns
        if sample.dialect.header and column.name == f"column_{column.index}"
    }
    suspects = {
        column.index: why
        for column in columns
        if not column.note and (why := _suspicion(column, sample))
    }
    usable = [column for column in columns if column.index not in suspects and not column.note]
    for index, why in suspects.items():
        column = columns[index]
        is_first = index == 0 and len(suspects) == 1 and len(usable) > 1
        if index in unnamed:
            column.note = f"a column without a name: {why}"
        elif is_first or _IDENTIFIER.search(column.name):
            column.note = why
    for index in unnamed:
        column = columns[index]
        if column.kind == "text" and column.note:
            column.note = "a column without a name: the names of the rows"


def _is_rounded_away(column: Column, sample: Sample) -> bool:
    """Tell whether whole numbers differ from row to row, and most do so beyond float32.

    The sample of a long file has few of its rows. So it tells neither how many numbers there are
    nor how close they are.
    """
    read = _values(sample, column.values, "number")
    count = len(read)
    if count < 10 or count < (1 - FEW_WRONG) * sum(column.values[text] for text in read):
        return False
    beyond = {text: value for text, value in read.items() if abs(value) > _EXACT}
    # Without the separators of thousands.
    rounded = sum(
        math.isfinite(value) and int(re.sub(r"[^-0-9]", "", text)) != int(value)
        for text, value in beyond.items()
    )
    return len(beyond) >= _MOST_BEYOND * count and rounded >= _MANY_ROUNDED * count


def _suspicion(column: Column, sample: Sample) -> str:
    """Return why a column of whole numbers may identify the rows, or an empty text."""
    if column.kind != "integer" or column.missing or not sample.rows:
        return ""
    fields = [row[column.index] for row in sample.rows[: min(sample.first, 1000)]]
    numbers = sample.reader.values(fields, "number")
    steps = [
        one is not None and other is not None and other == one + 1
        for one, other in itertools.pairwise(numbers)
    ]
    if len(steps) > 1 and all(steps):
        return "it counts the rows"
    count = len(column.values)
    if count < 10 or count != column.values.total():
        return ""
    found = sample.reader.values(list(column.values), "number")
    whole = [value for value in found if value is not None]
    is_dense = max(whole) - min(whole) < 4 * count
    if is_dense or _IDENTIFIER.search(column.name):
        return "each value is another: an identifier?"
    return ""


def _judge_text(column: Column) -> None:
    values, count = column.values, column.values.total()
    if len(values) <= 1:
        return
    words = sum(times * len(value.split()) for value, times in values.items()) / count
    length = sum(times * len(value) for value, times in values.items()) / count
    if count >= 10 and len(values) == count:
        column.note = "free text" if words > 2 else "each row has another one"
        if example := example_of_numbers(values, has_marks=False):
            column.note += f", and they look like numbers, such as {shown(example)}"
    elif len(values) > 0.5 * count and count >= 10 and (words > 4 or length > 40):
        column.note = "free text"
