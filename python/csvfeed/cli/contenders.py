"""The readers that ``csvfeed bench`` compares, each asked for the sums of the same columns."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

import csvfeed

_ROWS = 8192
_CHUNK_ROWS = 65_536

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
    def columns(self) -> list[str]:
        """Names of all columns, each another one."""
        return [f"c{at}" for at in range(len(self.names))]

    @property
    def missing(self) -> list[str]:
        """What stands for a missing value."""
        return ["", *csvfeed.MISSING, *self.holes]


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
    import pandas as pd

    frames = pd.read_csv(
        table.path,
        header=None,
        names=table.columns,
        skiprows=int(table.header),
        sep=table.delimiter,
        usecols=table.used,
        dtype=np.float32,
        na_values=table.missing,
        chunksize=_CHUNK_ROWS,
    )
    with frames:
        return _sums((frame.to_numpy() for frame in frames), len(table.used))


def _polars(table: Table) -> Sums:
    import polars as pl

    columns, used = table.columns, [table.columns[at] for at in table.used]
    frames = (
        pl.scan_csv(
            table.path,
            has_header=False,
            skip_rows=int(table.header),
            separator=table.delimiter,
            schema={name: pl.Float32 if name in used else pl.String for name in columns},
            null_values=table.missing,
        )
        .select(used)
        .collect_batches(chunk_size=_CHUNK_ROWS)
    )
    return _sums((frame.to_numpy() for frame in frames), len(used))


def _pyarrow(table: Table) -> Sums:
    import pyarrow as pa
    from pyarrow import csv as arrow

    used = [table.columns[at] for at in table.used]
    reader = arrow.open_csv(
        table.path,
        read_options=arrow.ReadOptions(
            column_names=table.columns, skip_rows=int(table.header), block_size=1 << 20
        ),
        parse_options=arrow.ParseOptions(delimiter=table.delimiter),
        convert_options=arrow.ConvertOptions(
            column_types=dict.fromkeys(used, pa.float32()),
            include_columns=used,
            null_values=table.missing,
        ),
    )
    with reader:
        return _sums((_to_numpy(batch) for batch in reader), len(used))


def _duckdb(table: Table) -> Sums:
    import duckdb

    used = [table.columns[at] for at in table.used]
    with duckdb.connect() as connection:
        relation = connection.read_csv(
            table.path,
            header=table.header,
            columns={name: "FLOAT" if name in used else "VARCHAR" for name in table.columns},
            auto_detect=False,
            delimiter=table.delimiter,
            na_values=table.missing,
        )
        batches = relation.select(*used).to_arrow_reader(122_880)
        return _sums((_to_numpy(batch) for batch in batches), len(used))


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
