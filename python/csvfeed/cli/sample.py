"""The first rows of a file as text, for what is shown and guessed rather than trained on."""

from __future__ import annotations

import bz2
import csv
import gzip
import io
import itertools
import lzma
import sys
import zipfile
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import IO, Any, cast

import csvfeed
from csvfeed.remote import RemoteFile, is_url
from csvfeed.remote.file import local_path


@dataclass(frozen=True)
class Sample:
    """The first rows of a file.

    Attributes
    ----------
    columns : list of str
        Their names.
    header : bool
        Whether the file has them.
    rows : list of list of str
        The fields of each row that has as many as there are columns.
    whole : bool
        Whether these are all the rows there are.
    line_end : str
        The first one.
    dialect : dict
        How the text is written, as arguments of a dataset.
    odd : int
        How many rows among them have more or fewer fields.
    """

    columns: list[str]
    header: bool
    rows: list[list[str]]
    whole: bool
    line_end: str
    dialect: dict[str, Any]
    odd: int


def take(file: str, limit: int, *, plenty: int | None = None, **reading: Any) -> Sample:
    """Return the first rows of a file.

    Parameters
    ----------
    file : str
        A path or a URL.
    limit : int
        How many.
    plenty : int, optional
        Characters after which it is enough.
    **reading
        How the file is written, as a dataset takes it.

    Raises
    ------
    CsvError, OSError
        If it cannot be read.
    """
    dataset = csvfeed.CsvDataset(file, target=None, features=[0], **reading)
    dialect = dialect_of(dataset, reading)
    columns = dataset.columns
    header = columns != [f"column_{at}" for at in range(len(columns))]
    rows: list[list[str]] = []
    whole, odd = True, 0
    with _open_text(file, dialect["encoding"]) as text:
        lines = _Lines(text, plenty)
        for fields in itertools.islice(split(lines, dialect), int(header), None):
            if len(rows) == limit or lines.enough:
                whole = False
                break
            if len(fields) == len(columns):
                rows.append(fields)
            else:
                odd += 1
    return Sample(columns, header, rows, whole, lines.end, dialect, odd)


class _Lines:
    """The lines of a text, until it is enough of them."""

    def __init__(self, text: IO[str], plenty: int | None) -> None:
        self._text = text
        self._left = plenty
        self.enough = False
        self.end = "\n"

    def __iter__(self) -> Iterator[str]:
        for number, line in enumerate(self._text):
            if not number and line.endswith("\r\n"):
                self.end = "\r\n"
            yield line
            if self._left is not None:
                self._left -= len(line)
                self.enough = self._left <= 0


def _open_text(file: str, encoding: str) -> io.TextIOWrapper:
    encoding = "utf-8-sig" if encoding == "utf-8" else encoding
    return io.TextIOWrapper(open_bytes(file), encoding=encoding, errors="replace", newline="")


def dialect_of(dataset: csvfeed.CsvDataset, reading: dict[str, Any]) -> dict[str, Any]:
    """Return how the text of a dataset is written, as arguments for another one."""
    plain = {"delimiter": ",", "quote": '"', "encoding": "utf-8"}
    return {**plain, **{key: value for key, value in reading.items() if key in plain}}


def split(lines: Iterable[str], dialect: dict[str, Any]) -> Iterator[list[str]]:
    """Yield the fields of each row of some lines."""
    csv.field_size_limit(sys.maxsize)
    quote = dialect["quote"]
    rows = csv.reader(
        lines,
        delimiter=dialect["delimiter"],
        quotechar=quote,
        quoting=csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL,
    )
    return (fields for fields in rows if fields)


def open_bytes(file: str) -> IO[bytes]:
    """Open a path or a URL and undo what compresses it."""
    stream: Any = _open(file)
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
        archive = zipfile.ZipFile(stream if stream.seekable() else io.BytesIO(stream.read()))
        return archive.open(next(one for one in archive.namelist() if not one.endswith("/")))
    return cast(IO[bytes], stream)


def _open(file: str) -> io.BufferedReader:
    path = local_path(file) if is_url(file) else file
    if path is not None:
        return open(path, "rb")
    return io.BufferedReader(_Pieces(RemoteFile(file)), 1 << 16)


def _open_zstd(stream: IO[bytes]) -> IO[bytes]:
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
