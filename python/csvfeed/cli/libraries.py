"""How other libraries read a CSV file of numbers piece by piece, each in pieces that suit it."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

PANDAS_ROWS = POLARS_ROWS = 65_536
ARROW_BYTES = 1 << 20
# A row group of DuckDB.
DUCKDB_ROWS = 122_880


@dataclass(frozen=True)
class PlainFile:
    """A file, with all that a library would otherwise have to infer.

    Attributes
    ----------
    path : str
        The file.
    columns : sequence of str
        Names of all columns, each different. They replace the header.
    used : sequence of str
        Columns to read, in file order. Their values are float32.
    header : bool
        Whether the first row holds names.
    delimiter : str
        The character between fields.
    missing : sequence of str
        Tokens that stand for a missing value.
    """

    path: str
    columns: Sequence[str]
    used: Sequence[str]
    header: bool
    delimiter: str
    missing: Sequence[str]


def pandas_frames(file: PlainFile) -> Iterator[Any]:
    """Yield data frames of `PANDAS_ROWS` rows."""
    import numpy as np
    import pandas as pd

    frames = pd.read_csv(
        file.path,
        header=None,
        names=list(file.columns),
        skiprows=int(file.header),
        sep=file.delimiter,
        usecols=list(file.used),
        dtype=np.float32,
        na_values=list(file.missing),
        chunksize=PANDAS_ROWS,
    )
    with frames:
        yield from frames


def polars_frames(file: PlainFile) -> Iterator[Any]:
    """Yield data frames of about `POLARS_ROWS` rows."""
    import polars as pl

    used = set(file.used)
    lazy = pl.scan_csv(
        file.path,
        has_header=False,
        skip_rows=int(file.header),
        separator=file.delimiter,
        schema={name: pl.Float32 if name in used else pl.String for name in file.columns},
        null_values=list(file.missing),
    )
    yield from lazy.select(file.used).collect_batches(chunk_size=POLARS_ROWS)


def arrow_batches(file: PlainFile) -> Iterator[Any]:
    """Yield the record batches of pyarrow, each from `ARROW_BYTES` of the file."""
    import pyarrow as pa
    from pyarrow import csv

    reader = csv.open_csv(
        file.path,
        read_options=csv.ReadOptions(
            column_names=list(file.columns), skip_rows=int(file.header), block_size=ARROW_BYTES
        ),
        parse_options=csv.ParseOptions(delimiter=file.delimiter),
        convert_options=csv.ConvertOptions(
            column_types=dict.fromkeys(file.used, pa.float32()),
            include_columns=list(file.used),
            null_values=list(file.missing),
        ),
    )
    with reader:
        yield from reader


def duckdb_batches(file: PlainFile, threads: int | None = None) -> Iterator[Any]:
    """Yield record batches of `DUCKDB_ROWS` rows, read by all threads unless a number is given."""
    import duckdb

    used = set(file.used)
    with duckdb.connect(config={"threads": threads} if threads else {}) as connection:
        relation = connection.read_csv(
            file.path,
            header=file.header,
            columns={name: "FLOAT" if name in used else "VARCHAR" for name in file.columns},
            auto_detect=False,
            delimiter=file.delimiter,
            na_values=list(file.missing) or None,
        )
        yield from relation.select(*file.used).to_arrow_reader(DUCKDB_ROWS)
