"""A sample of the rows of a table as text, to show them and to guess their types."""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from typing import Any, BinaryIO

import csvfeed
from csvfeed import _core
from csvfeed.dialect import Dialect, sniff
from csvfeed.origin import Part
from csvfeed.source import parts

_LONGEST_HEADER = 16 << 20

HEAD = 1 << 16
"""Bytes from which csvfeed detects how a file is written."""

PLENTY = 1 << 40
"""More bytes of text than any sample has."""


@dataclass(frozen=True)
class Sample:
    """Some rows of a table.

    Attributes
    ----------
    columns : list of str
        Names of the columns.
    rows : list of list of str
        The fields of the rows with as many fields as there are columns.
    first : int
        How many of these rows are the first of the table. The others come from further places.
    odd : int
        How many sampled rows have more or fewer fields, or wrong quotes.
    odd_rows : list of tuple of int and list of str
        Some of those rows, each with the number of ``rows`` before it.
    whole : bool
        Whether the sample has all rows of the table.
    error : CsvError or None
        The error that ended the reading early, such as a quote that is never closed.
    dialect : Dialect
        How the table is written.
    options : dict
        The same as options of a dataset.
    reader : _core.Reader
        Reads a text as a value, for guesses.
    """

    columns: list[str]
    rows: list[list[str]]
    first: int
    odd: int
    odd_rows: list[tuple[int, list[str]]]
    whole: bool
    error: csvfeed.CsvError | None
    dialect: Dialect
    options: dict[str, Any]
    reader: _core.Reader


def take(
    source: str | bytes | list[str],
    limit: int,
    *,
    plenty: int = PLENTY,
    places: int = 0,
    is_end: bool = True,
    **given: Any,
) -> Sample:
    """Return a sample of the rows of a table.

    Parameters
    ----------
    source : str, bytes or list of str
        A path or a URL, the content, or several files that are one table.
    limit : int
        Number of rows from the beginning.
    plenty : int, optional
        Bytes of text after which to stop.
    places : int, default 0
        Number of further places to take rows from, if the source can be read at any offset.
    is_end : bool, default True
        Whether the content is complete, not only its beginning.
    **given
        How the table is written, as far as the user said: options of a dataset.

    Raises
    ------
    CsvError, OSError
        If the source cannot be read.
    """
    leading = source[0] if isinstance(source, list) else source
    options = written(leading, given, whole=is_end)
    has_header = options.pop("header")
    if "header" in given:
        options["header"] = has_header
    dataset = csvfeed.CsvDataset(source, target=None, features=[0], **options)
    if dataset.dialect.header != has_header:
        # The rows below the first one tell more than it does alone.
        options["header"] = has_header
        dataset = csvfeed.CsvDataset(source, target=None, features=[0], **options)
    reader = dataset._reader
    found = reader.sample(limit, plenty=plenty, places=places)
    return Sample(
        columns=dataset.columns,
        rows=found["rows"],
        first=found["first"],
        odd=found["wrong_count"],
        odd_rows=found["wrong"],
        whole=found["is_whole"],
        error=found["error"],
        dialect=dataset.dialect,
        options=options,
        reader=reader,
    )


def take_once(stream: BinaryIO, limit: int, **given: Any) -> Sample:
    """Return the first rows of a stream, reading no more than they need.

    Parameters
    ----------
    stream : binary file object
        What to read.
    limit : int
        Number of rows.
    **given
        How the table is written, as far as the user said.
    """
    source = stream if hasattr(stream, "read1") else io.BufferedReader(stream)  # type: ignore[type-var]
    content, more = b"", HEAD + 1
    while True:
        new = source.read(more)
        content += new
        is_end = len(new) < more
        try:
            sample = take(content, limit, is_end=is_end, **given)
        except csvfeed.CsvError as error:
            # A header, or compressed text, may be longer than what was read.
            if is_end or len(content) > _LONGEST_HEADER:
                error.path = "<stdin>"
                raise
        else:
            has_enough = len(sample.rows) == limit and not sample.whole
            if is_end or (has_enough and sample.error is None):
                return sample
        more = 3 * len(content)


def written(source: str | bytes, given: dict[str, Any], *, whole: bool = True) -> dict[str, Any]:
    """Return how a file is written, as options of a dataset.

    ``whole`` is False if ``source`` is only the beginning of the content.

    Raises
    ------
    DialectError
        If several ways of reading the file give different values.
    """
    (part, *_) = parts(source)
    start, _ = _core.beginning(part, "utf-8", 4)
    is_utf16 = start.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if is_utf16 and "encoding" not in given and start != codecs.BOM_UTF32_LE:
        given = {**given, "encoding": "utf-16"}
    if isinstance(part, str):
        found = sniff(part, **given).options
    else:
        found = _written_at_the_beginning(part, given, whole=whole)
    return {**found, **given}


def _written_at_the_beginning(part: Part, given: dict[str, Any], *, whole: bool) -> dict[str, Any]:
    encoding = given.get("encoding", "utf-8")
    head, is_all = _core.beginning(part, encoding, HEAD)
    if encoding == "utf-16":
        given = {name: value for name, value in given.items() if name != "encoding"}
    try:
        return sniff(head, whole=whole and is_all, **given).options
    except csvfeed.CsvError as error:
        if not isinstance(part, bytes):
            error.path = str(getattr(part, "name", part))
        raise
