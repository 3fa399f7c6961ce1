"""``csvfeed head``: the first rows of a file."""

from __future__ import annotations

import argparse
import csv
import dataclasses
import sys
from typing import Any

from csvfeed.cli.files import (
    Commands,
    Help,
    add_all,
    add_files,
    comes_once,
    files_of,
    open_once,
    reading,
    whole,
)
from csvfeed.cli.sample import Sample, take, take_once
from csvfeed.cli.terminal import folded
from csvfeed.typeset import cut, terminal_width

WIDEST = 32
"""Width of a field in the table, at most."""


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "head",
        help="show the first rows of a file",
        description=(
            "Show the first rows of a file as a table. It shows the columns that fit the "
            "terminal, cuts long fields, and leaves out rows with more or fewer fields than the "
            "header."
        ),
        epilog="examples:\n  csvfeed head -n 3 train.csv.gz\n"
        "  csvfeed head --csv -n 1000 https://example.org/train.csv > small.csv",
        formatter_class=Help,
    )
    add_files(parser, one=True)
    parser.add_argument(
        "-n", dest="rows", type=whole, default=10, metavar="N", help="rows to show (default: 10)"
    )
    add_all(parser)
    parser.add_argument(
        "--csv",
        action="store_true",
        help="write the rows as CSV: UTF-8, commas, no spaces around fields",
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
    else:
        print(_table(sample, everything=options.all))
    if sample.error is not None:
        raise sample.error
    return 0


def _table(sample: Sample, *, everything: bool) -> str:
    width = terminal_width()
    widest = min(WIDEST, width // 2 - 4)
    cells = [[cut(field, widest) for field in row] for row in sample.rows]
    right = [_are_numbers(sample, list(column)) for column in zip(*sample.rows, strict=True)]
    right = right or [False] * len(sample.columns)
    header = [cut(name, widest) for name in sample.columns]
    return folded(cells, right, header, width, everything=everything)


def _are_numbers(sample: Sample, fields: list[str]) -> bool:
    """Whether all fields are numbers or missing."""
    found = sample.reader.values(fields, "number")
    missing = sample.reader.are_missing(fields)
    return all(value is not None or none for value, none in zip(found, missing, strict=True))


def _sample(file: str, limit: int, how: dict[str, Any]) -> Sample:
    """Return the first rows of a file, a pattern or a directory."""
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
