"""The readers that ``csvfeed bench`` compares. Each computes the sums of the same columns."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import csvfeed
from csvfeed.cli import libraries

_ROWS = 8192

Sums: TypeAlias = tuple[int, NDArray[np.float64]]


@dataclass(frozen=True)
class Table:
    """A plain file and which of its columns to read.

    Attributes
    ----------
    path : str
        The file.
    names : list of str
        Its columns.
    used : list of int
        The positions of those that are numbers.
    header : bool
        Whether its first row names the columns.
    delimiter : str
        What stands between fields.
    holes : list of str
        What stands for a missing value, besides ``csvfeed.MISSING``.
    how : dict
        How it is written, as arguments of a dataset.
    bytes : int
        Its length.
    """

    path: str
    names: list[str]
    used: list[int]
    header: bool
    delimiter: str
    holes: list[str]
    how: dict[str, Any]
    bytes: int

    @property
    def missing(self) -> list[str]:
        """The tokens that stand for a missing value."""
        return ["", *csvfeed.MISSING, *self.holes]

    @property
    def plain(self) -> libraries.PlainFile:
        """The table as other libraries need it, with unique names of columns."""
        columns = [f"c{at}" for at in range(len(self.names))]
        used = [columns[at] for at in self.used]
        return libraries.PlainFile(
            self.path, columns, used, self.header, self.delimiter, self.missing
        )


@dataclass(frozen=True)
class Contender:
    """A reader.

    Attributes
    ----------
    name : str
        What it is called.
    modules : tuple of str
        What has to be installed.
    read : callable
        Returns the number of rows and the sum of each column, leaving missing values out.
    """

    name: str
    modules: tuple[str, ...]
    read: Callable[[Table], Sums]


def _sums(arrays: Iterable[NDArray[Any]], width: int) -> Sums:
    rows, total = 0, np.zeros(width)
    for X in arrays:
        rows += len(X)
        total += np.nansum(X, axis=0, dtype=np.float64)
    return rows, total


def _csvfeed(threads: int | None) -> Callable[[Table], Sums]:
    def read(table: Table) -> Sums:
        dataset = csvfeed.CsvDataset(
            table.path,
            target=None,
            features=table.used,
            batch_size=_ROWS,
            missing=[*csvfeed.MISSING, *table.holes],
            threads=threads,
            **table.how,
        )
        return _sums((X for (X,) in dataset), len(table.used))

    return read


def _python(table: Table) -> Sums:
    missing = set(table.missing)

    def chunks() -> Iterable[NDArray[np.float32]]:
        fields: list[str] = []
        with open(table.path, encoding="utf-8-sig", newline="") as lines:
            rows = csv.reader(lines, delimiter=table.delimiter)
            if table.header:
                next(rows, None)
            for row in rows:
                if row:
                    fields += ["nan" if row[at] in missing else row[at] for at in table.used]
                if len(fields) >= _ROWS * len(table.used):
                    yield np.array(fields, np.float32).reshape(-1, len(table.used))
                    fields = []
        yield np.array(fields, np.float32).reshape(-1, len(table.used))

    return _sums(chunks(), len(table.used))


def _pandas(table: Table) -> Sums:
    frames = libraries.pandas_frames(table.plain)
    return _sums((frame.to_numpy() for frame in frames), len(table.used))


def _polars(table: Table) -> Sums:
    frames = libraries.polars_frames(table.plain)
    return _sums((frame.to_numpy() for frame in frames), len(table.used))


def _pyarrow(table: Table) -> Sums:
    return _sums(map(_to_numpy, libraries.arrow_batches(table.plain)), len(table.used))


def _duckdb(table: Table) -> Sums:
    return _sums(map(_to_numpy, libraries.duckdb_batches(table.plain)), len(table.used))


def _to_numpy(batch: Any) -> NDArray[Any]:
    array: NDArray[Any] = batch.to_tensor(null_to_nan=True, row_major=True).to_numpy()
    return array


CONTENDERS = (
    Contender("csvfeed, all threads", (), _csvfeed(None)),
    Contender("csvfeed, one thread", (), _csvfeed(1)),
    Contender("polars", ("polars",), _polars),
    Contender("pyarrow", ("pyarrow",), _pyarrow),
    Contender("duckdb", ("duckdb", "pyarrow"), _duckdb),
    Contender("pandas", ("pandas",), _pandas),
    Contender("a loop in Python", (), _python),
)
