"""``csvfeed head``: the first rows of a file."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import sys
from typing import Any

import csvfeed
from csvfeed.cli.arguments import (
    Commands,
    Help,
    add_files,
    comes_once,
    files_of,
    open_once,
    reading,
    whole,
)
from csvfeed.cli.kinds import is_number
from csvfeed.cli.sample import Sample, take, take_once
from csvfeed.cli.terminal import cut, table

WIDEST = 32
"""Places that a field takes in the table."""


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "head",
        help="show the first rows of a file",
        description=(
            "Show the first rows of a file as a table, numbers at the right; a field that is long "
            "is cut. Rows with more or fewer fields than the header are left out."
        ),
        epilog="examples:\n  csvfeed head -n 3 train.csv.gz\n"
        "  csvfeed head --csv -n 1000 https://example.org/train.csv > small.csv",
        formatter_class=Help,
    )
    add_files(parser, one=True)
    parser.add_argument(
        "-n", dest="rows", type=whole, default=10, metavar="N", help="rows to show (default: 10)"
    )
    parser.add_argument(
        "--csv",
        action="store_true",
        help="write them as they are, but with commas and without compression, as a CSV file",
    )
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    sample = _sample(options.file, options.rows, reading(options))
    if sample.odd:
        rows = "1 row has" if sample.odd == 1 else f"{sample.odd:,} rows have"
        print(f"csvfeed: {rows} more or fewer fields: left out", file=sys.stderr)
    if options.csv:
        writer = csv.writer(sys.stdout, lineterminator="\n")
        if sample.dialect.header:
            writer.writerow(sample.columns)
        writer.writerows(sample.rows)
        return 0
    decimal, thousands = sample.dialect.decimal, sample.dialect.thousands
    cells = [[cut(field, WIDEST) for field in row] for row in sample.rows]
    right = [
        all(
            is_number(field, decimal, thousands) or field.strip() in {"", *csvfeed.MISSING}
            for field in column
        )
        for column in zip(*sample.rows, strict=True)
    ] or [False] * len(sample.columns)
    print(table(cells, right, [cut(name, WIDEST) for name in sample.columns]))
    return 0


def _sample(file: str, limit: int, how: dict[str, Any]) -> Sample:
    """Return the first rows of a file, or of those that a pattern or a directory stands for."""
    first: Sample | None = None
    for path in files_of(file):
        left = limit - len(first.rows) if first else limit
        if comes_once(path):
            with open_once(path) as stream:
                sample = take_once(stream, left, **how)
        else:
            sample = take(path, left, **how)
        if first is None:
            first = sample
        elif sample.columns == first.columns or not first.dialect.header:
            first.rows.extend(sample.rows)
            first = dataclasses.replace(first, odd=first.odd + sample.odd)
        else:
            break
        if len(first.rows) == limit:
            break
    assert first is not None
    return first
