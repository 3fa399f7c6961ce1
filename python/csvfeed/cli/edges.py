"""Lines before and after the rows of a table: units, totals and notes."""

from __future__ import annotations

import math
import re
from typing import Any

from csvfeed.cli.sample import Sample, take
from csvfeed.typeset import cut

_LOOKED_AT = 1000
_FEWEST_ROWS = 3
"""How many neighbouring rows show what a row of the table looks like."""
_MOST_FILES = 100
_LITTLE = {"limit": 2000, "plenty": 1 << 20, "places": 1}
"""How much to read of each of several files."""
_LONGEST_FOOTER = 5
_MOST_BLANK = 3
"""Blank lines that a footer may contain, at most."""

_PREFIX = "(?:da|[YZEPTGMkhdcm\u00b5\u03bcunpfaz])?"
_BASE = (
    r"(?:m|g|s|A|K|mol|cd|Hz|N|Pa|J|W|C|F|V|\u03a9|[Oo]hms?|Wb|T|H|lm|lx|Bq|Gy|Sv|l|L|bar|eV|Wh"
    r"|B|b|t)"
)
_NAMED = (
    r"(?:min|hrs?|h|d|days?|sec|seconds?|minutes?|hours?|years?|yr|deg|degrees?|deg[CFKNEWS]|rad"
    r"|ft|in|inch|mi|miles?|yd|lbs?|oz|psi|mph|kn|kts?|knots|rpm|pp[mbt]v?|dB[mA]?|psu|PSU|pH|atm|mmHg|k?cal"
    r"|percent|counts?|unitless|USD|EUR|GBP|ha)"
)
_SIGNED = "(?:\u00b0 ?[CFKNEWS]?|%|\u2030|\u2103|\u2109)"
_FACTOR = (
    rf"(?:{_SIGNED}|{_NAMED}|{_PREFIX}{_BASE})(?:\^?\(?-?[1-4]\)?|\*\*-?[1-4]|[\u00b2\u00b3])?"
)
_UNIT = re.compile(rf"(?:1/)?{_FACTOR}(?: ?[/*\u00b7. ] ?{_FACTOR}){{0,4}}")
_BRACKETED = re.compile(r"\([^()]{1,30}\)|\[[^\[\]]{0,30}\]|\{[^{}]{1,30}\}|<[^<>]{1,30}>")
_NO_UNIT = frozenset(["", "-", "--", "n/a", "N/A", "none"])

_NOTE = re.compile(
    r"\W*(?:sources?|notes?|footnotes?|remarks?|generated|created|exported|printed|downloaded|copyright|legend"
    r"|end of (?:file|report|data|table)|eof)\b.*|\u00a9.*|\(c\) .*"
    r"|\W*(?:\d[\d,. ]* (?:rows?|records?|lines?|entries|observations)\b.*"
    r"|(?:number of |total )?(?:rows?|records?|row ?count|record ?count|count)\b ?[:=]? ?\d*\W*)",
    re.IGNORECASE | re.DOTALL,
)
_TOTAL = re.compile(r"\W*(?:(?:grand|sub|over ?all) ?)?(?:totals?|sum)\b\W*", re.IGNORECASE)


def edges(
    files: list[str], sample: Sample, given: dict[str, Any], how: dict[str, Any]
) -> dict[str, tuple[int, str]]:
    """Return the options that skip the lines before and after a table, if these are clear.

    Each has a value and a remark.

    Parameters
    ----------
    files : list of str
        The files of the table.
    sample : Sample
        A sample of all of them.
    given : dict
        Options that the user gave.
    how : dict
        How much of a table to sample: arguments of `take`.
    """
    found: dict[str, tuple[int, str]] = {}
    if len(files) > _MOST_FILES or sample.error is not None:
        return found
    samples = [sample]
    if len(files) > 1:
        how = {**how, **_LITTLE}
        samples = [take(files[0], **how, **given)]
        if not (_has_units(samples[0]) or _footer(samples[0], 0)):
            return found
        samples += [take(file, **how, **given) for file in files[1:]]
    if all(map(_has_units, samples)) and len({tuple(one.rows[0]) for one in samples}) == 1:
        found["skip_rows_after_header"] = 1, f"units: {_shown(samples[0].rows[0])}"
    counts = {_footer(one, len(found)) for one in samples}
    if len(counts) == 1 and (count := counts.pop()):
        each = zip(files, samples, strict=True)
        lines = {_lines(file, one, count, given, how) for file, one in each}
        if len(lines) == 1 and (line := lines.pop()):
            rows = " / ".join(map(_shown, _in_order(sample)[-count:]))
            found["skip_footer"] = line, f"no rows: {rows}"
    return found


def _shown(row: list[str]) -> str:
    return cut(", ".join(field.strip() for field in row if field.strip()), 60)


def _has_units(sample: Sample) -> bool:
    """Whether the row after the header holds the units of the columns."""
    if not sample.dialect.header or sample.first <= _FEWEST_ROWS or not _begins_right(sample):
        return False
    first, *rows = sample.rows[: min(sample.first, _LOOKED_AT)]
    units, sure = 0, False
    for at, text in enumerate(text.strip() for text in first):
        below = [row[at] for row in rows]
        if text in _NO_UNIT:
            continue
        is_bracketed = bool(_BRACKETED.fullmatch(text))
        if not (is_bracketed or _UNIT.fullmatch(text)):
            # A column of dates or text may name its format.
            if _is_numeric(sample, below) or text in below or not _is_form(text):
                return False
            continue
        if text in below:
            return False
        if _is_numeric(sample, below):
            units += 1
            sure |= is_bracketed or len(text) > 1 or text == "%"
    return units > 1 or (units == 1 and sure)


def _is_form(text: str) -> bool:
    return bool(re.fullmatch(r"(?i)[ymdhs:/\-. t]{4,}|utc|gmt|text|string|date|name", text))


def _begins_right(sample: Sample) -> bool:
    return not any(before == 0 for before, _ in sample.odd_rows)


def _is_numeric(sample: Sample, texts: list[str]) -> bool:
    """Whether a column has values and nearly all of them are numbers."""
    missing = sample.reader.are_missing(texts)
    present = [text for text, is_missing in zip(texts, missing, strict=True) if not is_missing]
    numbers = [one for one in sample.reader.values(present, "number") if one is not None]
    return len(numbers) > 1 and len(numbers) >= 0.9 * len(present)


def _footer(sample: Sample, shifted: int) -> int:
    """Return how many of the last rows are not rows of the table, if all others are."""
    reaches_end = sample.whole or len(sample.rows) > sample.first
    if not reaches_end or sample.error is not None or sample.odd != len(sample.odd_rows):
        return 0
    width = len(sample.columns)
    rows = _in_order(sample)[shifted:]
    count = 0
    while count <= _LONGEST_FOOTER and count < len(rows) and _is_note(rows[-1 - count], width):
        count += 1
    if not count:
        body = rows[:-1]
        right = [row for row in body if len(row) == width]
        return int(len(right) >= _FEWEST_ROWS and _is_total(sample, rows[-1], right))
    body = rows[:-count]
    right = [row for row in body if len(row) == width]
    is_alone = not any(_is_note(row, width) for row in body) and all(row for row in body)
    if count > _LONGEST_FOOTER or len(right) < _FEWEST_ROWS or not is_alone:
        return 0
    is_other = all(_is_foreign(sample, row, right) for row in rows[-count:])
    if not is_other:
        return 0
    # A total may come before the notes.
    above = [row for row in body[:-1] if len(row) == width]
    return count + int(len(above) >= _FEWEST_ROWS and _is_total(sample, body[-1], above))


def _in_order(sample: Sample) -> list[list[str]]:
    """Return all rows of a sample, also those with other numbers of fields."""
    rows: list[list[str]] = []
    odd = iter([*sample.odd_rows, (len(sample.rows) + 1, [])])
    before, fields = next(odd)
    for at in range(len(sample.rows) + 1):
        while before == at:
            rows.append(fields)
            before, fields = next(odd)
        if at < len(sample.rows):
            rows.append(sample.rows[at])
    return rows


def _is_note(row: list[str], width: int) -> bool:
    """Whether a row is only a text, in a table of several columns."""
    if width < 2 or not row or not row[0].strip():
        return False
    is_sentence = _NOTE.fullmatch(row[0].strip()) is not None
    return (is_sentence and len(row) != width) or not any(field.strip() for field in row[1:])


def _is_foreign(sample: Sample, row: list[str], right: list[list[str]]) -> bool:
    """Whether a text is a note, and not the beginning of a truncated row."""
    text = row[0].strip()
    if _NOTE.fullmatch(text) or (_TOTAL.fullmatch(text) and len(row) != len(right[0])):
        return not any(other[0].strip() == text for other in right)
    is_value = sample.reader.values([text], "number")[0] is not None
    return not is_value and _is_numeric(sample, [other[0] for other in right])


def _is_total(sample: Sample, row: list[str], right: list[list[str]]) -> bool:
    """Whether a row says that it is a total, and its numbers are sums of the others."""
    words = [field for field in row if _TOTAL.fullmatch(field.strip())]
    is_whole = sample.whole and len(row) == len(sample.columns)
    if len(words) != 1 or not is_whole or any(words[0] in other for other in right):
        return False
    sums = 0
    for at, field in enumerate(row):
        (total,) = sample.reader.values([field.strip()], "number")
        texts = [other[at] for other in right]
        if total is None or not _is_numeric(sample, texts):
            continue
        found = math.fsum(one for one in sample.reader.values(texts, "number") if one is not None)
        if not math.isclose(found, total, rel_tol=1e-5, abs_tol=1e-9):
            return False
        sums += 1
    return sums > 0


def _lines(
    file: str, sample: Sample, count: int, given: dict[str, Any], how: dict[str, Any]
) -> int:
    """Return how many lines the last ``count`` rows take, blank ones included; 0 if none fits."""
    rows = _in_order(sample)[:-count]
    for lines in range(count, count + _MOST_BLANK + 1):
        left = take(file, **how, **given, skip_footer=lines)
        if left.error is None and _in_order(left) == rows:
            return lines
    return 0
