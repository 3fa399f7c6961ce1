"""``csvfeed bench``: how fast csvfeed and other libraries read a file on this machine."""

from __future__ import annotations

import argparse
import contextlib
import importlib.util
import os
import statistics
import tempfile
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

import csvfeed
from csvfeed.cli.column_types import column_types
from csvfeed.cli.contenders import CONTENDERS, Contender, Table
from csvfeed.cli.files import (
    Commands,
    Help,
    add_files,
    files_of,
    name_of,
    on_disk,
    reading,
    whole,
)
from csvfeed.cli.sample import take, written
from csvfeed.cli.terminal import progress, size, table

_SAMPLE_ROWS = 20_000
_TOLERANCE = 1e-5


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "bench",
        help="measure how fast csvfeed and other libraries read a file",
        description=(
            "Read all columns of numbers in a file to float32: with csvfeed on one thread and on "
            "all threads, with a loop in Python, and with pandas, polars, pyarrow and duckdb if "
            "they are installed. The readers take turns, and the table shows the median of their "
            "times. The sum of each column is compared with that of csvfeed. No reader reads "
            "columns of text. A compressed or remote file is fetched and decompressed first."
        ),
        epilog="example:\n  csvfeed bench --mb 1000 train.csv",
        formatter_class=Help,
    )
    add_files(parser, one=True)
    parser.add_argument(
        "--mb",
        type=whole,
        default=100,
        metavar="N",
        help="how much of the file, from its beginning, in millions of bytes (default: 100)",
    )
    parser.add_argument(
        "--rounds", type=whole, default=3, metavar="N", help="turns for each (default: 3)"
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    most = options.mb * 1_000_000
    files = files_of(options.file)
    how = reading(options)
    with on_disk(files[0]) as path, _beginning(path, most, how) as (part, is_all):
        if how.get("encoding") == "utf-16":
            # The copy is in UTF-8.
            del how["encoding"]
        file = _table(part, how)
        length = size(file.bytes)
        said = [f"{name_of(files[0])}: {length if is_all else f'the first {length}'}"]
        said.append(f"{len(file.used)} of {len(file.names)} columns, those of numbers")
        if len(files) > 1:
            said.insert(1, f"the first of {len(files):,} files")
        print(", ".join(said), flush=True)
        _show(_measure(file, options.rounds), file.bytes)
    return 0


@contextlib.contextmanager
def _beginning(path: str, most: int, how: dict[str, Any]) -> Iterator[tuple[str, bool]]:
    """Yield a plain file with the first rows of a file: that file itself if short and plain.

    Yields
    ------
    str
        The path of the plain file.
    bool
        Whether it has all rows.
    """
    how = written(path, how)
    dataset = csvfeed.CsvDataset(path, target=None, features=[0], **how)
    if dataset._reader.is_plain and os.path.exists(path) and os.path.getsize(path) <= most:
        yield path, True
        return
    with tempfile.TemporaryDirectory(prefix="csvfeed-") as directory:
        part = os.path.join(directory, "part.csv")
        is_all = dataset._reader.copy_text(part, most)
        yield part, is_all


def _table(path: str, how: dict[str, Any]) -> Table:
    sample = take(path, _SAMPLE_ROWS, plenty=16 << 20, **how)
    columns = column_types(sample)
    used = [column.index for column in columns if column.is_numeric]
    if not used:
        raise ValueError(f"{path}: no column has numbers, so there is nothing to measure")
    holes = sorted(set().union(*(column.tokens for column in columns)))
    dialect = sample.dialect
    return Table(
        path=path,
        names=sample.columns,
        used=used,
        header=dialect.header,
        delimiter=dialect.delimiter,
        holes=holes,
        how={**sample.options, **how},
        bytes=os.path.getsize(path),
    )


def _measure(file: Table, rounds: int) -> dict[str, _Result]:
    results = {one.name: _Result(one) for one in CONTENDERS}
    for one in results.values():
        missing = [name for name in one.contender.modules if importlib.util.find_spec(name) is None]
        if missing:
            one.refusal = f"{missing[0]} is not installed"
    for number in range(rounds):
        for one in results.values():
            if one.refusal is None:
                with progress(f"round {number + 1} of {rounds}: {one.contender.name}", None):
                    one.measure(file)
    return results


class _Result:
    """The result of one reader."""

    def __init__(self, contender: Contender) -> None:
        self.contender = contender
        self.seconds: list[float] = []
        self.sums = np.zeros(0)
        self.rows = 0
        self.refusal: str | None = None

    def measure(self, file: Table) -> None:
        for name in self.contender.modules:
            __import__(name)
        began = time.perf_counter()
        try:
            self.rows, self.sums = self.contender.read(file)
        except KeyboardInterrupt:
            raise
        except Exception as error:
            # Other readers may raise anything.
            self.refusal = f"{type(error).__name__}: {error}".splitlines()[0][:70]
            return
        self.seconds.append(time.perf_counter() - began)

    def verdict(self, right: _Result) -> str:
        """Return a word on whether the sums equal those of csvfeed."""
        if self.rows != right.rows:
            return f"{self.rows:,} rows"
        same = np.isclose(self.sums, right.sums, rtol=_TOLERANCE, atol=1e-6, equal_nan=True)
        wrong = int((~same).sum())
        return "the same" if not wrong else f"other in {wrong} of {len(same)} columns"


def _show(results: dict[str, _Result], part_bytes: int) -> None:
    right = next(iter(results.values()))
    if right.refusal is not None:
        raise ValueError(right.refusal)
    rows = []
    fastest = statistics.median(right.seconds)
    for name, one in results.items():
        if one.refusal is not None:
            rows.append([name, "", "", "", one.refusal])
            continue
        seconds = statistics.median(one.seconds)
        speed = f"{part_bytes / seconds / 1e6:,.0f}"
        rows.append([name, f"{seconds:.3f}", speed, f"{seconds / fastest:.1f}", one.verdict(right)])
    header = ["reader", "seconds", "MB/s", "times", "sums"]
    print(table(rows, [False, True, True, True, False], header))
