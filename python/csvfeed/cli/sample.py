"""The first rows of a file as text, for what is shown and guessed rather than trained on."""

from __future__ import annotations

import bz2
import codecs
import csv
import gzip
import io
import itertools
import lzma
import re
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, BinaryIO, cast

import csvfeed
from csvfeed.dialect import Dialect, sniff
from csvfeed.remote import RemoteFile
from csvfeed.source import is_url, local_path

_NAMES_DELIMITER = re.compile(r"\ufeff?sep=.\r?\n", re.IGNORECASE)

_LONGEST_HEADER = 16 << 20

HEAD = 1 << 16
"""Bytes by which it is told how a file is written."""


@dataclass(frozen=True)
class Sample:
    """The first rows of a file.

    Attributes
    ----------
    columns : list of str
        Their names.
    rows : list of list of str
        The fields of each row that has as many as there are columns.
    odd : int
        How many rows among them have more or fewer.
    whole : bool
        Whether these are all the rows there are.
    dialect : Dialect
        How the file is written.
    options : dict
        The arguments of a dataset that say so.
    """

    columns: list[str]
    rows: list[list[str]]
    odd: int
    whole: bool
    dialect: Dialect
    options: dict[str, Any]


def take(file: str | bytes, limit: int, *, plenty: int | None = None, **given: Any) -> Sample:
    """Return the first rows of a file.

    Parameters
    ----------
    file : str or bytes
        A path or a URL, or the content.
    limit : int
        How many.
    plenty : int, optional
        Characters after which it is enough.
    **given
        How the file is written, as far as somebody said so: arguments of a dataset.

    Raises
    ------
    CsvError, OSError
        If it cannot be read.
    """
    options = written(file, given)
    dataset = csvfeed.CsvDataset(file, target=None, features=[0], **options)
    dialect, columns = dataset.dialect, dataset.columns
    rows: list[list[str]] = []
    whole, odd, trailing = True, 0, 0
    with open_text(file, dialect.encoding) as text:
        lines = _Lines(text, plenty, dialect.skip_rows)
        for fields in itertools.islice(split(lines, dialect), int(dialect.header), None):
            if len(rows) == limit or lines.enough:
                whole = False
                break
            if len(fields) == len(columns):
                rows.append(fields)
            else:
                odd += 1
                ends_empty = len(fields) == len(columns) + 1 and not fields[-1].strip()
                trailing += ends_empty
    if not rows and trailing and trailing == odd and dialect.header:
        names = [*columns, "nothing"]
        raise ValueError(
            f"{'<stdin>' if isinstance(file, bytes) else file}: each row ends with a delimiter, so "
            f"it has {len(columns) + 1} fields where the header has {len(columns)}. Name the "
            f"columns: CsvDataset(..., header={names}, skip_rows={dialect.skip_rows + 1})"
        )
    return Sample(columns, rows, odd, whole, dialect, options)


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
    text = _decompressed(stream if hasattr(stream, "peek") else io.BufferedReader(stream))
    content, more = b"", HEAD + 1
    while True:
        new = text.read(more)
        content += new
        is_end = len(new) < more
        try:
            sample = take(content, limit, **given)
        except csvfeed.CsvError:
            # A header may be longer than what was read.
            if is_end or len(content) > _LONGEST_HEADER:
                raise
        else:
            if is_end or not sample.whole:
                return sample
        more = 3 * len(content)


def written(file: str | bytes, given: dict[str, Any]) -> dict[str, Any]:
    """Return how a file is written, by its head, as arguments of a dataset."""
    with open_bytes(file) as stream:
        head = stream.read(HEAD)
        whole = not stream.read(1)
    is_utf16 = head.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE))
    encoding = given.get("encoding", "utf-16" if is_utf16 else "utf-8")
    if encoding != "utf-8":
        given = {"encoding": encoding, **given}
        head = head.decode(encoding, "replace").encode()
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
            error.path = "<stdin>" if isinstance(file, bytes) else file
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


class _Lines:
    """The lines of a text from one of them on, until it is enough of them."""

    def __init__(self, text: Iterable[str], plenty: int | None, skipped: int) -> None:
        self._text = text
        self._left = plenty
        self._skipped = skipped
        self.enough = False

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(self._text):
            if number < self._skipped or (not number and _NAMES_DELIMITER.fullmatch(line)):
                continue
            yield line
            if self._left is not None:
                self._left -= len(line)
                self.enough = self._left <= 0


def open_text(file: str | bytes, encoding: str) -> io.TextIOWrapper:
    """Open a path or a URL as the text that it is."""
    stream = open_bytes(file)
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    if encoding == "utf-8-sig" and isinstance(stream, io.BufferedReader):
        start = stream.peek(2)[:2]
        if start in (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE):
            encoding = "utf-16"
    return io.TextIOWrapper(stream, encoding=encoding, errors="replace", newline="")


def split(lines: Iterable[str], dialect: Dialect) -> Iterator[list[str]]:
    """Yield the fields of each row of some lines."""
    csv.field_size_limit(sys.maxsize)
    if dialect.comment is not None:
        mark = dialect.comment
        lines = (line for line in lines if not line.startswith(mark))
    if dialect.delimiter == " ":
        lines = (line.strip(" \r\n") for line in lines)
    rows = csv.reader(
        lines,
        delimiter=dialect.delimiter,
        quotechar=dialect.quote,
        quoting=csv.QUOTE_NONE if dialect.quote is None else csv.QUOTE_MINIMAL,
        escapechar=dialect.escape,
        skipinitialspace=dialect.delimiter == " ",
    )
    return (fields for fields in rows if fields)


def open_bytes(file: str | bytes) -> IO[bytes]:
    """Open a path, a URL or content and undo what compresses it."""
    return _decompressed(_open(file))


def _decompressed(stream: Any) -> IO[bytes]:
    start = stream.peek(6)[:6]
    if start.startswith(b"\x1f\x8b"):
        return cast(IO[bytes], gzip.open(stream))
    if start.startswith(b"BZh"):
        return bz2.open(stream)
    if start.startswith(b"\xfd7zXZ"):
        return lzma.open(stream)
    if start.startswith(b"\x28\xb5\x2f\xfd"):
        return _open_zstd(stream)
    if start.startswith(b"PK\x03\x04"):
        whole = stream if stream.seekable() else io.BytesIO(stream.read())
        archive = zipfile.ZipFile(whole)
        return archive.open(next(one for one in archive.namelist() if not one.endswith("/")))
    return cast(IO[bytes], stream)


def _open(file: str | bytes) -> io.BufferedReader:
    if isinstance(file, bytes):
        return io.BufferedReader(io.BytesIO(file))
    path = local_path(file) if is_url(file) else file
    if path is not None:
        return open(path, "rb")
    return io.BufferedReader(_Pieces(RemoteFile(file)), 1 << 16)


def _open_zstd(stream: Any) -> IO[bytes]:
    try:
        if sys.version_info >= (3, 14):
            from compression import zstd

            return cast(IO[bytes], zstd.open(stream))
        import zstandard

        return cast(IO[bytes], zstandard.open(stream, "rb"))
    except ImportError:
        raise ImportError("to show text from zstd: pip install zstandard") from None


class _Pieces(io.RawIOBase):
    """A remote file, read as far as somebody wants it."""

    def __init__(self, remote: RemoteFile) -> None:
        self._handle = remote.open()
        self._pieces = self._handle.stream()
        self._rest = memoryview(b"")

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        if not self._rest:
            self._rest = memoryview(next(self._pieces, b""))
        count = min(len(buffer), len(self._rest))
        buffer[:count] = self._rest[:count]
        self._rest = self._rest[count:]
        return count

    def close(self) -> None:
        self._handle.close()
        super().close()
