"""What the numbers of a column stand for, which must be the same in the datasets of a mix."""

from __future__ import annotations

import datetime
import math
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, NamedTuple

from csvfeed.columns import Date, Duration

if TYPE_CHECKING:
    from csvfeed.dataset import CsvDataset


class Difference(NamedTuple):
    """What differs between two datasets in the meaning of a column.

    Attributes
    ----------
    what : str
        What differs, with the name of the column.
    values : tuple of str
        What the two datasets have.
    advice : str
        What to do.
    """

    what: str
    values: tuple[str, str]
    advice: str


def differences(one: CsvDataset, other: CsvDataset) -> Iterator[Difference]:
    """Yield how two datasets with the same columns differ in what their numbers stand for.

    How the same value is written, as by another format or decimal mark, is no difference.
    """
    names = [one._reader.columns[at] for at in one._reader.columns_read]
    for name, ours, theirs in zip(names, _dates(one), _dates(other), strict=True):
        yield from _of_dates(name, ours, theirs)
    for name, own, its in zip(names, _forms(one), _forms(other), strict=True):
        yield from _of_forms(name, own, its)
    # Features come first, and they alone are filled.
    for name, value, another in zip(names, one._fill.asked, other._fill.asked, strict=False):
        yield from _of_fills(name, value, another)


def _of_dates(
    name: str, one: Date | Duration | None, other: Date | Duration | None
) -> Iterator[Difference]:
    if isinstance(one, Duration) and isinstance(other, Duration):
        if one.unit != other.unit:
            advice = f"give both the same, dates={{{name!r}: csvfeed.Duration({one.unit!r})}}"
            yield Difference(f"the unit of {name!r}", (repr(one.unit), repr(other.unit)), advice)
    elif isinstance(one, Date) and isinstance(other, Date):
        # The names of the features tell parts apart.
        counts = not {"seconds", "days"}.isdisjoint(one.parts)
        if counts and _moment(one) != _moment(other):
            since = repr(one.since or _EPOCH), repr(other.since or _EPOCH)
            advice = f"give both the same, csvfeed.Date(..., since={since[0]})"
            yield Difference(f"the date from which {name!r} counts", since, advice)


def _of_forms(name: str, one: list[str], other: list[str]) -> Iterator[Difference]:
    def needs_sign(forms: list[str]) -> bool:
        return "percent" in forms and "plain" not in forms

    # Beside 12%, which is 0.12, a plain number may be either, unless "plain" says that it is as it
    # stands.
    if (needs_sign(one) and "percent" not in other) or (needs_sign(other) and "percent" not in one):
        shown = repr(one or ["plain"]), repr(other or ["plain"])
        advice = (
            "12% is 0.12, and a plain number may be 0.12 or 12. If the plain ones are fractions, "
            f"give both numbers={{{name!r}: ['percent', 'plain']}}"
        )
        yield Difference(f"the form of the numbers of {name!r}", shown, advice)


def _of_fills(name: str, one: float | str, other: float | str) -> Iterator[Difference]:
    ours, theirs = (None if _is_nan(value) else value for value in (one, other))
    if ours != theirs:
        fill = theirs if ours is None else ours
        advice = f"give both the same, fill={{{name!r}: {fill!r}}}, or neither one"
        yield Difference(f"the fill of {name!r}", (repr(ours), repr(theirs)), advice)


_EPOCH = "1970-01-01"


def _moment(date: Date) -> object:
    """Return what tells the moments from which dates count apart."""
    try:
        # Python 3.10 does not know Z.
        moment = datetime.datetime.fromisoformat((date.since or _EPOCH).replace("Z", "+00:00"))
    except ValueError:
        return date.since
    return moment if moment.tzinfo else moment.replace(tzinfo=datetime.timezone.utc)


def _is_nan(value: float | str) -> bool:
    return not isinstance(value, str) and math.isnan(value)


def _by_value(ds: CsvDataset, given: Mapping[Any, Any], role: str) -> list[Any]:
    """Return what is given for the column of each value that is read."""
    at = {ds._reader.position(column, role): one for column, one in given.items()}
    return [at.get(column) for column in ds._reader.columns_read]


def _forms(ds: CsvDataset) -> list[list[str]]:
    given = ds._options.values.numbers
    if isinstance(given, dict):
        found = _by_value(ds, given, "numbers")
    else:
        found = [given] * len(ds._reader.columns_read)
    # Nothing but numbers has forms.
    pairs = zip(found, ds._reader.kinds, strict=True)
    return [(own or []) if kind in ("number", "list") else [] for own, kind in pairs]


def _dates(ds: CsvDataset) -> list[Date | Duration | None]:
    return _by_value(ds, ds._options.values.dates or {}, "dates")
