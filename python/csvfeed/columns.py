"""Columns that hold no numbers: what the caller says of them, in plain types of our own."""

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


@dataclass(frozen=True, init=False)
class Date:
    r"""What is read of a column of dates.

    Parameters
    ----------
    *parts : str, or one list of str
        What becomes of each date, in this order:

        - ``"seconds"`` since 1970-01-01 UTC, or since ``since``, and ``"days"`` of 86,400 seconds,
          with their fraction: those of the instant, for which a date without an offset is UTC;
        - ``"year"``, ``"month"`` (1 to 12), ``"day"`` (1 to 31), ``"hour"`` (0 to 23),
          ``"minute"``, ``"second"`` (0 to 59, without its fraction), ``"weekday"`` (0 is Monday)
          and ``"dayofyear"`` (1 to 366): as they are written, whatever the offset.
    format : str, optional
        How the dates are written, with directives of ``strftime``: ``%Y`` (four digits), ``%y``
        (two: 69 is 1969, 68 is 2068), ``%m``, ``%d``, ``%H``, ``%M``, ``%S``, ``%I`` with ``%p``
        (AM or PM), ``%f`` (a fraction of a second), ``%b`` or ``%B`` and ``%a`` or ``%A`` (English
        names, in full or their first three letters, in any case; the weekday is not checked),
        ``%j`` (the day of the year), ``%z`` (``+HH``, ``+HHMM`` or ``+HH:MM``, also after ``GMT``
        or ``UTC``; or a time zone), ``%Z`` (a time zone) and ``%%``. Time zones are ``Z``, ``UTC``,
        ``GMT``, ``UT``, ``EST``, ``EDT``, ``CDT``, ``MST``, ``MDT``, ``PST`` and ``PDT``, as in RFC
        2822; another one is an error.
        A number may lack its leading zeros unless another digit follows it; a space stands for one
        or several. By default ISO 8601: ``2013-01-31`` or ``20130131``, alone or followed by ``T``
        or a space and a time ``23:59``, ``23:59:59``, ``23:59:59.999`` or ``235959``, which an
        offset may follow.
    since : str, datetime.date or datetime.datetime, optional
        What seconds and days are counted from: ISO 8601, and UTC unless it has an offset.

    Notes
    -----
    A value is rounded once, to the nearest float32, which has 24 bits: seconds since 1970 come in
    steps of 128 seconds nowadays, and days since 1970 in steps of three minutes. Seconds since an
    instant are exact to the second for half a year; parts are exact.

    A day or time that there is not is an error, a leap second (``23:59:60``) too.

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
        # The only way into a frozen one.
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
    r"""How a column of durations is read, in ``dates=``: as one number.

    Understood are ``125:03:07``, with any number of hours and a fraction of the seconds;
    ``03:07.25``, minutes and seconds with a fraction; ``1 days 02:03:04`` and ``-1 days
    +23:59:55``, as pandas prints them; ``1 day, 2:03:04``, as Python does; ``2 days``. A sign may
    stand before each.

    Parameters
    ----------
    unit : {"seconds", "minutes", "hours", "days"}, default "seconds"
        What the number counts. It is rounded once, to the nearest float32.
    format : {"%H:%M", "%M:%S"}, optional
        What two numbers without a fraction are, as in ``12:30``; without it that is an error.

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


def _date(parts: tuple[DatePart, ...], options: dict[str, str | None]) -> Date:
    return Date(*parts, **options)


def categories(value: Any) -> dict[int | str, Categories] | None:
    """Return the categories of columns: "auto", a list of str, or a number of hash buckets."""
    return _by_column(value, "categories", _categories)


def booleans(value: Any) -> list[int | str] | None:
    """Return the columns of booleans."""
    return None if value is None else arguments.listed(value, "booleans")


def dates(value: Any) -> dict[int | str, Date | Duration] | None:
    """Return what is read of columns of dates and durations."""
    return _by_column(value, "dates", _parts)


def numbers(value: Any) -> Numbers | None:
    """Return the forms of numbers: of all columns that are read as numbers, or of some."""
    if value is None:
        return None
    if isinstance(value, Mapping):
        return _by_column(value, "numbers", _forms)
    return _forms(value)


def keys(names: list[str]) -> Callable[..., str | int]:
    """Return what gives each column a key of its own: its name or, if it shares that, its index.

    Given the name of a part of a date as well, it is the key of that.
    """
    uses = Counter(names)

    def key(at: int, name: str | None = None) -> str | int:
        if uses[names[at]] == 1:
            return names[at] if name is None else name
        part = "" if name is None else name[len(names[at]) :]
        return f"{at}{part}" if part else at

    return key


def _by_column(value: Any, name: str, convert: Any) -> dict[int | str, Any] | None:
    if value is None:
        return None
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} is a dict by column, as in {{'column': ...}}, not {value!r}")
    return {arguments.column(column, name): convert(one) for column, one in value.items()}


def _categories(value: Any) -> Categories:
    if isinstance(value, str):
        arguments.choice(value, ("auto",), "categories of a column")
        return "auto"
    try:
        buckets = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        buckets = None
    if buckets is not None:
        return arguments.positive(buckets, "a number of hash buckets")
    # The order of the values is that of the codes, and a set has none.
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


def _parts(value: Any) -> Date | Duration:
    if isinstance(value, (Date, Duration)):
        return value
    return Date(*([value] if isinstance(value, str) else arguments.strings(value, "dates")))  # type: ignore[arg-type]
