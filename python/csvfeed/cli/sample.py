"""Some rows of a table as text, for what is shown and guessed rather than trained on."""

from __future__ import annotations

import codecs
import io
from dataclasses import dataclass
from typing import Any, BinaryIO

import csvfeed
from csvfeed import _core
from csvfeed.dialect import Dialect, sniff
from csvfeed.source import name_of, parts

_LONGEST_HEADER = 16 << 20

HEAD = 1 << 16
"""Bytes by which it is told how a file is written."""

PLENTY = 1 << 40
"""Bytes of text that no sample reaches."""


@dataclass(frozen=True)
class Sample:
    """Some rows of a table.

    Attributes
    ----------
    columns : list of str
        The names of its columns.
    rows : list of list of str
        The fields of rows that have as many as there are columns.
    first : int
        How many of them are the first rows of the table. The others come from further places.
    odd : int
        How many rows among them have more or fewer fields, or wrong quotes.
    odd_rows : list of tuple of int and list of str
        Some of these, each with the number of ``rows`` before it.
    whole : bool
        Whether these are all the rows there are.
    error : CsvError or None
        What ended the reading early, such as a quote that is never closed.
    dialect : Dialect
        How the table is written.
    options : dict
        The arguments of a dataset that say so.
    reader : _core.Reader
        What tells how a text would be read.
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
    **given: Any,
) -> Sample:
    """Return rows of a table.

    Parameters
    ----------
    source : str, bytes or list of str
        A path or a URL, the content, or several files that are one table.
    limit : int
        How many rows from the beginning.
    plenty : int, optional
        Bytes of text after which it is enough.
    places : int, default 0
        Further places from which to take some rows, up to the end, of what can be read anywhere.
    **given
        How the table is written, as far as somebody said so: arguments of a dataset.

    Raises
    ------
    CsvError, OSError
        If it cannot be read.
    """
    options = written(source[0] if isinstance(source, list) else source, given)
    dataset = csvfeed.CsvDataset(source, target=None, features=[0], **options)
    reader = dataset._reader
    rows, first, odd_rows, odd, whole, error = reader.sample(limit, plenty=plenty, places=places)
    width = len(dataset.columns) + 1
    if odd and not rows and all(len(row) == width and not row[-1] for _, row in odd_rows):
        names = [*dataset.columns, "nothing"]
        raise ValueError(
            f"{reader.name}: each row ends with a delimiter, so it has {width} fields where the "
            f"header has {width - 1}. Name the columns: CsvDataset(..., header={names}, "
            f"skip_rows={dataset.dialect.skip_rows + 1})"
        )
    return Sample(
        columns=dataset.columns,
        rows=rows,
        first=first,
        odd=odd,
        odd_rows=odd_rows,
        whole=whole,
        error=error,
        dialect=dataset.dialect,
        options=options,
        reader=reader,
    )


def take_once(stream: BinaryIO, limit: int, **given: Any) -> Sample:
    """Return the first rows of what can be read but once, reading no more than they need.

    Parameters
    ----------
    stream : binary file object
        What is read.
    limit : int
        How many rows.
    **given
        How it is written, as far as somebody said so.
    """
    source = stream if hasattr(stream, "read1") else io.BufferedReader(stream)  # type: ignore[type-var]
    content, more = b"", HEAD + 1
    while True:
        new = source.read(more)
        content += new
        is_end = len(new) < more
        try:
            sample = take(content, limit, **given)
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


def written(source: str | bytes, given: dict[str, Any]) -> dict[str, Any]:
    """Return how a file is written, by its beginning, as arguments of a dataset."""
    (part, *_) = parts(source)
    head, whole = _core.beginning(part, given.get("encoding", "utf-8"), HEAD)
    is_utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    if is_utf16 and "encoding" not in given and not head.startswith(codecs.BOM_UTF32_LE):
        given = {"encoding": "utf-16", **given}
        head, whole = _core.beginning(part, "utf-16", HEAD)
    if given.get("encoding") in ("latin-1", "cp1252"):
        head = head.decode(given["encoding"], "replace").encode()
    if b"\n" not in head:
        # Line ends of an old Mac.
        head = head.replace(b"\r", b"\n")
    table = _table_of(head, given)
    try:
        found = sniff(table, whole=whole).options
        if given.get("delimiter", found.get("delimiter", ",")) != found.get("delimiter", ","):
            # What was found with another one says nothing.
            found = sniff(b"sep=%c\n" % ord(given["delimiter"]) + table, whole=whole).options
    except csvfeed.CsvError as error:
        # A few rows that are wrong are no reason not to look at the others.
        delimiter = _delimiter(table.decode("utf-8", "replace"))
        if delimiter is None and not given:
            error.path = name_of([part]).removesuffix(" and 0 more")
            raise
        found = {} if delimiter in (None, ",") else {"delimiter": delimiter}
        return {**found, **_encoding_of(head), **given}
    # A header is found by each dataset for itself.
    found.pop("header", None)
    if "decimal" in given and given["decimal"] != found.get("decimal", "."):
        found.pop("thousands", None)
    return {**found, **given}


def _table_of(head: bytes, given: dict[str, Any]) -> bytes:
    """Return the beginning of a file without the lines that somebody said to leave out."""
    lines = head.splitlines(keepends=True)[given.get("skip_rows", 0) :]
    if given.get("comment"):
        mark = given["comment"].encode()
        lines = [line for line in lines if not line.startswith(mark)]
    return b"".join(lines)


def _encoding_of(head: bytes) -> dict[str, Any]:
    """Return the encoding of a text if it is not UTF-8, as an argument of a dataset."""
    try:
        codecs.getincrementaldecoder("utf-8")().decode(head)
    except UnicodeDecodeError:
        is_windows = any(0x80 <= byte <= 0x9F for byte in head)
        return {"encoding": "cp1252" if is_windows else "latin-1"}
    return {}


def _delimiter(head: str) -> str | None:
    """Return what most lines have as often as the first one, if anything."""
    lines = [line for line in head.split("\n")[:-1] if line.strip()][:1000]

    def like_the_first(delimiter: str) -> int:
        count = lines[0].count(delimiter)
        return sum(line.count(delimiter) == count for line in lines) if count else 0

    best = max(",\t;|", key=like_the_first) if lines else ","
    return best if lines and like_the_first(best) > len(lines) / 2 else None
