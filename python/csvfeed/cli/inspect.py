"""``csvfeed inspect``: what is in a file, and the code that reads it."""

from __future__ import annotations

import argparse
import contextlib
import dataclasses
import datetime
import json
import math
import os
from typing import Any

import csvfeed
from csvfeed.cli.arguments import Commands, Help, add_files, files_of, name_of, on_disk, reading
from csvfeed.cli.findings import Found, find
from csvfeed.cli.kinds import Column
from csvfeed.cli.suggestion import column_named, missing_of, suggest
from csvfeed.cli.terminal import bars, bold, cut, faint, number, share, size, table

WRONG = 3
_MOST_REJECTS = 10
_MOST_VALUES = 4
_DESCRIPTION = (
    "Show what is in a file: how it is written; of each column its kind, missing values, least, "
    "mean and greatest value and distribution; rows that are wrong, with their places; and code "
    "that makes a dataset of it. Numbers and wrong rows are those of the whole file, which is read "
    "in passes of csvfeed; kinds, dates and long lists of text are those of the first rows, and "
    "the output says so. Several files are one table."
)
_EPILOG = """\
examples:
  csvfeed inspect train.csv
  csvfeed inspect --target price --json houses.csv.gz | jq .columns
  csvfeed inspect 2024.csv 2025.csv
  zcat big.csv.gz | csvfeed inspect -

exit codes: 0 all rows are right, 3 some are wrong, 1 the file cannot be read
"""


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "inspect",
        help="show what is in a file, and the code that reads it",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=Help,
    )
    add_files(parser)
    parser.add_argument(
        "--target", metavar="COLUMN", help="the column to predict, by name or index, for the code"
    )
    parser.add_argument("--json", action="store_true", help="print all of it as JSON")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    with contextlib.ExitStack() as copies:
        files = [part for file in options.files for part in files_of(file)]
        paths = [copies.enter_context(on_disk(file)) for file in files]
        found = find(paths, reading(options))
    found.files = options.files
    column_named(found, options.target)
    code = suggest(found, options.target)
    if options.json:
        print(json.dumps(_as_json(found, code), indent=2, allow_nan=False))
    else:
        _show(found, code)
    return WRONG if found.rejects else 0


def _show(found: Found, code: str) -> None:
    print(bold(", ".join(map(name_of, found.files))))
    print("  " + ", ".join(_overview(found)))
    print("  " + ", ".join(_writing(found)))
    print()
    print(_columns(found))
    for line in _remarks(found):
        print(faint(line))
    if found.rejects:
        print()
        print(_rejects(found.rejects))
    print()
    print(code)


def _overview(found: Found) -> list[str]:
    rows = "1 row" if found.rows == 1 else f"{found.rows:,} rows"
    columns = "1 column" if len(found.columns) == 1 else f"{len(found.columns):,} columns"
    said = [rows, columns]
    if found.bytes is not None:
        said.append(size(found.bytes))
    said.append(f"read in {found.seconds:.2g} s")
    if found.bytes is not None and found.bytes > 1_000_000:
        said[-1] += f" ({size(found.bytes / found.seconds)}/s)"
    return said


def _writing(found: Found) -> list[str]:
    dialect = found.sample.dialect
    said = []
    for name in ("delimiter", "quote", "escape", "comment", "decimal", "thousands", "encoding"):
        value = getattr(dialect, name)
        if value is not None:
            said.append(f"{name} {value!r}" if name != "encoding" else value)
    if dialect.skip_rows:
        lines = "1 line" if dialect.skip_rows == 1 else f"{dialect.skip_rows} lines"
        said.append(f"{lines} before the table")
    said.append("a header" if dialect.header else "no header")
    said.append("lines end with " + dialect.line_end.replace("\r", "CR").replace("\n", "LF"))
    return said


def _columns(found: Found) -> str:
    rows = [_column(found, column) for column in found.columns]
    header = ["column", "kind", "missing", "min", "mean", "max", "distribution"]
    return table(rows, [False, False, True, True, True, True, False], header)


def _column(found: Found, column: Column) -> list[str]:
    stats = found.stats.get(column.index)
    missing = missing_of(found, column)
    looked_at = _looked_at(found, column)
    row = [cut(column.name, 32), column.kind, share(missing, looked_at)]
    if stats and (column.is_numeric or (column.kind == "constant" and not column.counted)):
        row += [number(stats.min), number(stats.mean), number(stats.max)]
        return [*row, bars(found.histograms[column.index])]
    if column.kind == "boolean" and stats:
        return [*row, "", number(stats.mean), "", f"{share(stats.mean, 1)} true"]
    if column.kind == "date" and stats and stats.count:
        days = (_date(stats.min), "", _date(stats.max))
        return [*row, *days, bars(found.histograms[column.index])]
    return [*row, "", "", "", _values(column)]


def _date(days: float) -> str:
    return str(datetime.date(1970, 1, 1) + datetime.timedelta(days))


def _looked_at(found: Found, column: Column) -> int:
    """Return how many rows the count of missing values is of."""
    if column.counted:
        return found.counted
    return found.rows if column.index in found.stats else len(found.sample.rows)


def _values(column: Column) -> str:
    count = column.values.total()
    if not count:
        return ""
    most = [
        f"{cut(value, 24)} {share(times, count)}"
        for value, times in column.values.most_common(_MOST_VALUES)
    ]
    values = "1 value" if len(column.values) == 1 else f"{len(column.values):,} values"
    more = ", ..." if len(column.values) > _MOST_VALUES else ""
    if len(column.values) == count > 1:
        return f"{values}, each once: {', '.join(cut(one, 24) for one in list(column.values)[:3])}"
    return f"{values}: {', '.join(most)}{more}"


def _remarks(found: Found) -> list[str]:
    said = []
    if not found.sample.whole:
        is_text = any(one.kind == "text" and not one.counted for one in found.columns)
        what = "kinds, and values that are too many," if is_text else "kinds"
        count = len(found.sample.rows)
        rows = "row" if count == 1 else f"{count:,} rows"
        said.append(f"{what} are those of the first {rows}")
    if found.counted < found.rows:
        said.append(f"distributions and values are those of the first {found.counted:,} rows")
    return said


def _rejects(rejects: csvfeed.Rejects) -> str:
    rows = "1 row is" if rejects.count == 1 else f"{rejects.count:,} rows are"
    lines = [bold(f"{rows} wrong, and left out of the above:")]
    for error in rejects.first[:_MOST_REJECTS]:
        column = "" if error.column_name is None else f", column {error.column_name!r}"
        path = f"{error.path}, " if error.path and len(rejects.path.split(", ")) > 1 else ""
        text = "" if error.text is None else f": {cut(repr(error.text), 60)}"
        message = error.message.partition(". ")[0]
        lines.append(f"  {path}line {error.line}{column}{text}: {cut(message, 100)}")
    if rejects.count > _MOST_REJECTS:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in rejects.by_kind.items())
        lines.append(f"  ... in all: {kinds}")
    return "\n".join(lines)


def _as_json(found: Found, code: str) -> dict[str, Any]:
    return {
        "files": [os.fspath(file) for file in found.files],
        "bytes": found.bytes,
        "rows": found.rows,
        "seconds": round(found.seconds, 3),
        "dialect": dataclasses.asdict(found.sample.dialect),
        "columns": [_column_as_json(found, column) for column in found.columns],
        "wrong_rows": {
            "count": found.rejects.count,
            "by_kind": found.rejects.by_kind,
            "first": [
                {
                    "path": error.path,
                    "line": error.line,
                    "column": error.column,
                    "byte_offset": error.byte_offset,
                    "text": error.text,
                    "message": error.message,
                }
                for error in found.rejects.first
            ],
        },
        "code": code,
    }


def _column_as_json(found: Found, column: Column) -> dict[str, Any]:
    said: dict[str, Any] = {
        "name": column.name,
        "index": column.index,
        "kind": column.kind,
        "missing": missing_of(found, column),
        "of_rows": _looked_at(found, column),
        "left_out": column.note or None,
    }
    stats = found.stats.get(column.index)
    if stats is not None and column.index in found.histograms:
        for name in ("min", "mean", "max", "std"):
            value = getattr(stats, name)
            said[name] = value if math.isfinite(value) else None
        if column.kind == "date" and stats.count:
            said.update(
                min=_date(stats.min), max=_date(stats.max), mean=_date(stats.mean), std=None
            )
        said["histogram"] = found.histograms[column.index]
        said["histogram_of_rows"] = found.counted
    else:
        said["distinct"] = len(column.values)
        said["values"] = [list(pair) for pair in column.values.most_common(20)]
    return said
