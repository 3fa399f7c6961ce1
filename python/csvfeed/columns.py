"""How columns are read that hold more than plain numbers: `Date`, `Duration`, `List` and others."""

from __future__ import annotations

import datetime
import operator
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence, Set
from dataclasses import dataclass
from typing import Any, Literal, SupportsIndex, TypeAlias, get_args

from csvfeed import arguments

Column: TypeAlias = SupportsIndex | str
DatePart: TypeAlias = Literal[
    "seconds",
    "days",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "weekday",
    "dayofyear",
]
Categories: TypeAlias = Literal["auto"] | list[str] | int
Unit: TypeAlias = Literal["seconds", "minutes", "hours", "days"]
Form: TypeAlias = Literal["percent", "plain", "currency", "fortran", "hex", "msvc"]
Numbers: TypeAlias = list[str] | dict[int | str, list[str]]
Vocabularies: TypeAlias = list[tuple[int, list[str]]]
Codes: TypeAlias = Mapping[str, tuple[int | None, str | None]]
"""By the name of a column: how many codes it has, and a digest of its vocabulary."""


@dataclass(frozen=True, init=False)
class Date:
    r"""Which parts of the dates in a column become features, and how the dates are written.

    Parameters
    ----------
    *parts : str, or one list of str
        The features, in this order:

        - ``"seconds"`` since 1970-01-01 UTC, or since ``since``, and ``"days"`` of 86,400 seconds,
          both with a fraction. A date without an offset is in UTC.
        - ``"year"``, ``"month"`` (1 to 12), ``"day"`` (1 to 31), ``"hour"`` (0 to 23),
          ``"minute"``, ``"second"`` (0 to 59, without a fraction), ``"weekday"`` (0 is Monday)
          and ``"dayofyear"`` (1 to 366), as written. They ignore the offset.
    format : str, optional
        How the dates are written, with directives of ``strftime``: ``%Y`` (four digits), ``%y``
        (two: 69 is 1969, 68 is 2068), ``%m``, ``%d``, ``%H``, ``%M``, ``%S``, ``%I`` with ``%p``
        (AM or PM), ``%f`` (a fraction of a second), ``%b`` or ``%B`` and ``%a`` or ``%A`` (English
        names, in full or their first three letters, in any case; csvfeed does not check the
        weekday), ``%j`` (day of the year), ``%z`` (``+HH``, ``+HHMM`` or ``+HH:MM``, also after
        ``GMT`` or ``UTC``; or a time zone), ``%Z`` (a time zone) and ``%%``. Time zones are ``Z``,
        ``UTC``, ``GMT``, ``UT``, ``EST``, ``EDT``, ``CDT``, ``MST``, ``MDT``, ``PST`` and ``PDT``,
        as in RFC 2822; any other is an error.
        A number may lack leading zeros unless another digit follows it. A space stands for one or
        more spaces. The default is ISO 8601: ``2013-01-31`` or ``20130131``, alone or followed by
        ``T`` or a space and a time ``23:59``, ``23:59:59``, ``23:59:59.999`` or ``235959``, with or
        without an offset.
    since : str, datetime.date or datetime.datetime, optional
        Where seconds and days count from: ISO 8601, and UTC unless it has an offset.

    Raises
    ------
    TypeError, ValueError
        If there is no part, or one that is not known or is named twice, or ``format`` or ``since``
        is of another type. From CsvDataset, a CsvError if csvfeed does not understand their text.

    Notes
    -----
    csvfeed rounds a value once, to the nearest float32. With 24 bits, seconds since 1970 come in
    steps of 128 seconds today, and days since 1970 in steps of three minutes. Seconds since a date
    are exact to the second for half a year. The other parts are exact.

    A day or time that does not exist is an error, and so is a leap second (``23:59:60``).

    Examples
    --------
    >>> import csvfeed
    >>> data = b"when,y\n31.12.2013 5:07,1\n"
    >>> date = csvfeed.Date("month", "hour", format="%d.%m.%Y %H:%M")
    >>> ds = csvfeed.CsvDataset(data, dates={"when": date})
    >>> ds.feature_names, next(iter(ds))[0].tolist()
    (['when.month', 'when.hour'], [[12.0, 5.0]])
    """

    parts: tuple[DatePart, ...]
    format: str | None
    since: str | None

    def __init__(
        self,
        *parts: DatePart | Sequence[DatePart],
        format: str | None = None,  # noqa: A002  # As datetime has it.
        since: str | datetime.date | None = None,
    ) -> None:
        known = get_args(DatePart)
        if len(parts) == 1 and isinstance(parts[0], (list, tuple)):
            parts = tuple(parts[0])
        if not parts:
            raise ValueError(f"a date needs a part: {', '.join(map(repr, known))}")
        for part in parts:
            arguments.choice(part, known, "a part of a date")
        if len(set(parts)) < len(parts):
            raise ValueError(f"a part of a date is named twice: {', '.join(map(repr, parts))}")
        if format is not None and not isinstance(format, str):
            raise TypeError(f"format is a str, not {format!r}")
        if isinstance(since, datetime.date):
            since = since.isoformat()
        if since is not None and not isinstance(since, str):
            raise TypeError(f"since is a date, a datetime or a str, not {since!r}")
        # A frozen dataclass allows no other assignment.
        for name, value in (("parts", parts), ("format", format), ("since", since)):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        shown = [*map(repr, self.parts)]
        shown += [f"{name}={value!r}" for name, value in self._options().items() if value]
        return f"Date({', '.join(shown)})"

    def _options(self) -> dict[str, str | None]:
        return {"format": self.format, "since": self.since}

    def __reduce__(self) -> tuple[Any, ...]:
        return _date, (self.parts, self._options())


@dataclass(frozen=True)
class Duration:
    r"""How ``dates=`` reads a column of durations: as one number.

    csvfeed reads ``125:03:07``, with any number of hours and a fraction of the seconds;
    ``03:07.25``, minutes and seconds with a fraction; ``1 days 02:03:04`` and ``-1 days
    +23:59:55``, as pandas prints them; ``1 day, 2:03:04``, as Python prints it; and ``2 days``. A
    sign may precede each. After negative days, the time needs a plus.

    Parameters
    ----------
    unit : {"seconds", "minutes", "hours", "days"}, default "seconds"
        Unit of the number. csvfeed rounds it once, to the nearest float32.
    format : {"%H:%M", "%M:%S"}, optional
        How to read two numbers without a fraction, as in ``12:30``. By default they are an error.

    Raises
    ------
    ValueError
        If ``unit`` or ``format`` is another one.

    Examples
    --------
    >>> import csvfeed
    >>> data = b"took,y\n125:03:07,1\n-1 days +23:59:55,2\n"
    >>> ds = csvfeed.CsvDataset(data, dates={"took": csvfeed.Duration()})
    >>> ds.feature_names, next(iter(ds))[0].tolist()
    (['took'], [[450187.0], [-5.0]])
    """

    unit: Unit = "seconds"
    format: Literal["%H:%M", "%M:%S"] | None = None

    def __post_init__(self) -> None:
        arguments.choice(self.unit, get_args(Unit), "unit")
        if self.format is not None:
            arguments.choice(self.format, ("%H:%M", "%M:%S"), "format")


@dataclass(frozen=True)
class List:
    r"""How ``lists=`` reads a column whose fields hold lists of numbers.

    csvfeed reads ``0 255 13``, and also ``[0.1, 0.2]`` or ``(0.1, 0.2)`` with the separator ",".
    Spaces, tabs and line ends around a value do not count. Each value is read like a field: by the
    same notation of numbers, with the same tokens for missing values.

    Parameters
    ----------
    length : int
        How many values each list has, at most 2**24. A list of another length is an error.
    separator : str, default " "
        The ASCII character between two values. Of spaces, a run is one separator.

    Raises
    ------
    ValueError
        If ``length`` is not a whole number from 1 to 2**24, or ``separator`` is not a character
        that can stand between values.

    Examples
    --------
    >>> import csvfeed
    >>> data = b"pixels,y\n0 255 13,1\n[7 7 7],2\n"
    >>> ds = csvfeed.CsvDataset(data, lists={"pixels": csvfeed.List(3)})
    >>> ds.feature_names, next(iter(ds))[0].tolist()
    (['pixels[0]', 'pixels[1]', 'pixels[2]'], [[0.0, 255.0, 13.0], [7.0, 7.0, 7.0]])
    """

    length: int
    separator: str = " "

    def __post_init__(self) -> None:
        length = arguments.positive(self.length, "the length of a list")
        if length > _LONGEST:
            raise ValueError(f"the length of a list is at most {_LONGEST:,}, not {length:,}")
        object.__setattr__(self, "length", length)
        _separator(self.separator)


@dataclass(frozen=True, init=False)
class MultiHot:
    r"""How ``lists=`` reads a column whose fields hold lists of categories, as ``drama|comedy``.

    Each category becomes a feature, or a target: 1 if the list has it, 0 if not. An empty list is
    all zeros, and so is a missing field that is a feature. A target decides by ``missing_target``.

    csvfeed also reads ``['drama', 'comedy']`` and ``["drama", "comedy"]`` with the separator ",":
    in brackets, quotes around a category do not count. Spaces around it never do.

    Parameters
    ----------
    categories : "auto" or list of str, default "auto"
        The categories, in the order of the features. "auto" takes all that the file has, in the
        order of their code points: making the dataset then reads the file once. A category that is
        not in the list is left out; in a target it is treated like an unknown class.
    separator : str, default "|"
        The ASCII character between two categories. Of spaces, a run is one separator.

    Raises
    ------
    TypeError, ValueError
        If ``categories`` is neither, or ``separator`` is not a character that can stand between
        categories. From CsvDataset, a CsvError if "auto" finds more than 10,000 categories.

    Examples
    --------
    >>> import csvfeed
    >>> data = b"genres,y\ndrama|comedy,1\ncomedy,2\n,3\n"
    >>> ds = csvfeed.CsvDataset(data, lists={"genres": csvfeed.MultiHot()})
    >>> ds.feature_names, next(iter(ds))[0].tolist()
    (['genres.comedy', 'genres.drama'], [[1.0, 1.0], [1.0, 0.0], [0.0, 0.0]])
    """

    categories: Literal["auto"] | list[str]
    separator: str

    def __init__(
        self, categories: Literal["auto"] | Sequence[str | float] = "auto", separator: str = "|"
    ) -> None:
        known = _categories(categories)
        if isinstance(known, int):
            raise TypeError(
                f'the categories of lists are "auto" or a list of values, not {categories!r}'
            )
        _separator(separator)
        object.__setattr__(self, "categories", known)
        object.__setattr__(self, "separator", separator)


_LONGEST = 2**24
"""Values of a list, at most. A row cannot have more by far."""


def _separator(value: Any) -> None:
    arguments.character(value, "the separator of a list", '+-.()[]"\r\n\0')


def _date(parts: tuple[DatePart, ...], options: dict[str, str | None]) -> Date:
    return Date(*parts, **options)


def categories(value: Any) -> dict[int | str, Categories] | None:
    """Return the categories of columns: "auto", a list of str, or a number of hash buckets."""
    return _by_column(value, "categories", _categories)


def booleans(value: Any) -> list[int | str] | None:
    """Return the columns of booleans."""
    return None if value is None else arguments.listed(value, "booleans")


def dates(value: Any) -> dict[int | str, Date | Duration] | None:
    """Return how to read columns of dates and durations."""
    return _by_column(value, "dates", _parts)


def numbers(value: Any) -> Numbers | None:
    """Return the forms of numbers: for all columns of numbers, or by column."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return _by_column(value, "numbers", _forms)
    return _forms(value)


def lists(value: Any) -> dict[int | str, List | MultiHot] | None:
    """Return how to read columns of lists."""
    return _by_column(value, "lists", _list)


def keys(names: list[str]) -> Callable[..., str | int]:
    """Return a function from the index of a column to its key.

    The key is the name of the column, or its index if other columns have the same name. Given the
    name of a part of a date or of a value of a list as well, the function returns its key.
    """
    uses = Counter(names)

    def key(at: int, name: str | None = None) -> str | int:
        if uses[names[at]] == 1:
            return names[at] if name is None else name
        part = "" if name is None else name[len(names[at]) :]
        return f"{at}{part}" if part else at

    return key


def unique(names: list[str]) -> list[str]:
    """Return a name of its own for each column: a, a.1 and a.2 for three of the name a."""
    given, found = set(names), dict.fromkeys(names[:0])
    for name in names:
        own, number = name, 0
        while own in found or (number and own in given):
            number += 1
            own = f"{name}.{number}"
        found[own] = None
    return list(found)


_EXAMPLES = {
    "categories": '"auto"',
    "dates": '["month", "day"]',
    "lists": "csvfeed.List(784)",
}


def _by_column(value: Any, name: str, convert: Any) -> dict[int | str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        example = _EXAMPLES.get(name, "...")
        raise TypeError(f'{name} is a dict by column, as in {{"column": {example}}}, not {value!r}')
    return {arguments.column(column, name): convert(one) for column, one in value.items()}


def _categories(value: Any) -> Categories:
    if value == "auto":
        return "auto"
    if isinstance(value, str):
        raise ValueError(  # noqa: TRY004 - a list may hold it
            f'categories of a column are "auto", a list of values, or a number of hash buckets, '
            f"not {value!r}. They become codes, which an Embedding of the model takes"
        )
    try:
        buckets = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        buckets = None
    if buckets is not None:
        return arguments.positive(buckets, "a number of hash buckets")
    # The order of the values is the order of the codes, so a set will not do.
    if not isinstance(value, Iterable) or isinstance(value, (bytes, Set, Mapping)):
        raise TypeError(
            f'categories of a column are "auto", a list of values, or a number of hash buckets, '
            f"not {value!r}"
        )
    values = list(value)
    for one in values:
        if not isinstance(one, (str, int, float)) and not hasattr(one, "__index__"):
            raise TypeError(f"a category is a str or a number, not {one!r}")
    return [str(one) for one in values]


def _forms(value: Any) -> list[str]:
    names = [value] if isinstance(value, str) else arguments.strings(value, "numbers")
    for name in names:
        arguments.choice(name, get_args(Form), "a form in numbers=")
    if not names:
        raise ValueError("numbers names no form: leave it out for plain numbers")
    return sorted(set(names))


def _list(value: Any) -> List | MultiHot:
    if not isinstance(value, (List, MultiHot)):
        raise TypeError(
            f"lists of a column are csvfeed.List(length), or csvfeed.MultiHot() if they hold "
            f"categories, not {value!r}"
        )
    return value


def _parts(value: Any) -> Date | Duration:
    if isinstance(value, (Date, Duration)):
        return value
    return Date(*([value] if isinstance(value, str) else arguments.strings(value, "dates")))  # type: ignore[arg-type]
