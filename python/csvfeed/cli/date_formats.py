"""The format of the dates in a column."""

from __future__ import annotations

from csvfeed import _core

_DAYS = (
    "%d.%m.%Y",
    "%d/%m/%Y",
    "%m/%d/%Y",
    "%d-%m-%Y",
    "%m-%d-%Y",
    "%Y/%m/%d",
    "%Y.%m.%d",
    "%d.%m.%y",
    "%d/%m/%y",
    "%m/%d/%y",
    "%d-%b-%Y",
    "%d-%b-%y",
    "%d %b %Y",
    "%b %d, %Y",
    "%b %d %Y",
)
_TIMES = ("", " %H:%M", " %H:%M:%S", " %I:%M %p", " %I:%M:%S %p", "T%H:%M:%S")
_FORMATS = tuple(day + time for day in _DAYS for time in _TIMES)
_LOOKED_AT = 50
"""How many texts to try first, to rule out formats."""

_NEARLY_ALL = 0.95


def date_format(reader: _core.Reader, texts: list[str]) -> str | None:
    """Return the one format that reads nearly all texts as dates: "" for ISO 8601.

    None if there is no such format, or if there are several that read other dates.
    """
    if _reads(reader, texts, None):
        return ""
    formats = [form for form in formats_of(reader, texts) if _reads(reader, texts, form)]
    return formats[0] if len(formats) == 1 else None


def formats_of(reader: _core.Reader, texts: list[str]) -> list[str]:
    """Return the formats that read at least half of the texts; only the best if one is better."""
    few = texts[:_LOOKED_AT]
    likely = [form for form in (None, *_FORMATS) if 2 * _count(reader, few, form) >= len(few)]
    counts = {form or "": _count(reader, texts, form) for form in likely}
    most = max(counts.values(), default=0)
    return [form for form, count in counts.items() if count == most] if most else []


def _reads(reader: _core.Reader, texts: list[str], form: str | None) -> bool:
    few = texts[:_LOOKED_AT]
    is_likely = _count(reader, few, form) >= 0.5 * len(few)
    return is_likely and _count(reader, texts, form) >= _NEARLY_ALL * len(texts)


def _count(reader: _core.Reader, texts: list[str], form: str | None) -> int:
    return sum(value is not None for value in reader.values(texts, "date", form))
