"""The output of ``csvfeed inspect``, as text and as JSON."""

from __future__ import annotations

import dataclasses
import datetime
import math
import os
from typing import Any

import csvfeed
from csvfeed.cli.column_types import Column
from csvfeed.cli.files import name_of
from csvfeed.cli.findings import Found
from csvfeed.cli.suggestion import missing_of
from csvfeed.cli.terminal import bars, bold, faint, number, share, size, table, wrapped
from csvfeed.typeset import cut, shown, terminal_width

_MOST_REJECTS = 10
_MOST_VALUES = 4
_MOST_COLUMNS = 40
"""How many columns to show by default."""
_COUNTED_FROM = datetime.date(1970, 1, 1)


def show(found: Found, code: str, *, everything: bool) -> None:
    """Print the findings, in lines that fit the terminal, and the code."""
    width = terminal_width()
    print(bold(cut(", ".join(map(name_of, found.files)), width)))
    print(wrapped(", ".join(_overview(found)), width, "  "))
    print(wrapped(", ".join(_writing(found)), width, "  "))
    print()
    print(_columns(found, width, everything=everything))
    for line in _remarks(found):
        print(faint(wrapped(line, width, "")))
    if found.rejects:
        print()
        print(_rejects(found.rejects, width))
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
    if dialect.skip_initial_space or dialect.skip_final_space:
        said.append("spaces beside quotes")
    if dialect.skip_rows:
        lines = "1 line" if dialect.skip_rows == 1 else f"{dialect.skip_rows} lines"
        said.append(f"{lines} before the table")
    said.append("a header" if dialect.header else "no header")
    said.append("lines end with " + dialect.line_end.replace("\r", "CR").replace("\n", "LF"))
    return said


def _columns(found: Found, width: int, *, everything: bool) -> str:
    columns = found.columns
    left_out = 0 if everything else max(0, len(columns) - _MOST_COLUMNS)
    if left_out:
        # The last is often the target.
        columns = [*columns[: _MOST_COLUMNS - 1], columns[-1]]
    rows = [_column(found, column) for column in columns]
    header = ["column", "kind", "missing", "min", "mean", "max", "distribution"]
    lines = table(rows, [False, False, True, True, True, True, False], header, width).split("\n")
    if left_out:
        lines.insert(-1, faint(f"... {left_out:,} more columns: --all shows them"))
    return "\n".join(lines)


def _column(found: Found, column: Column) -> list[str]:
    stats = found.stats.get(column.index)
    missing = missing_of(found, column)
    looked_at = _looked_at(found, column)
    row = [cut(column.name, 32), column.kind, share(missing, looked_at)]
    is_number = column.is_numeric or column.kind == "duration"
    if stats and (is_number or (column.kind == "constant" and not column.counted)):
        row += [number(stats.min), number(stats.mean), number(stats.max)]
        return [*row, bars(found.histograms[column.index])]
    if column.kind == "boolean" and stats:
        return [*row, "", number(stats.mean), "", f"{share(stats.mean, 1)} true"]
    if column.kind == "date" and stats and stats.count:
        days = (_date(stats.min), "", _date(stats.max))
        return [*row, *days, bars(found.histograms[column.index])]
    return [*row, "", "", "", _values(column)]


def _date(days: float) -> str:
    return str(_COUNTED_FROM + datetime.timedelta(math.floor(days)))


def _looked_at(found: Found, column: Column) -> int:
    """Return the number of rows in which missing values were counted."""
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
        first, count = found.sample.first, len(found.sample.rows)
        rows = "row" if first == 1 else f"{first:,} rows"
        more = f", and of {count - first:,} more up to the end" if count > first else ""
        said.append(f"{what} are those of the first {rows}{more}")
    if found.counted < found.rows:
        said.append(f"distributions and values are those of the first {found.counted:,} rows")
    return said


def _rejects(rejects: csvfeed.Rejects, width: int) -> str:
    rows = "1 row is" if rejects.count == 1 else f"{rejects.count:,} rows are"
    lines = [bold(wrapped(f"{rows} wrong, and left out of the above:", width, ""))]
    for error in rejects.first[:_MOST_REJECTS]:
        column = "" if error.column_name is None else f", column {shown(error.column_name)}"
        path = f"{error.path}, " if error.path and len(rejects.path.split(", ")) > 1 else ""
        text = "" if error.text is None else f": {cut(repr(error.text), 60)}"
        message = error.message.partition(". ")[0]
        lines.append(cut(f"  {path}line {error.line}{column}{text}: {message}", width))
    if rejects.count > _MOST_REJECTS:
        kinds = ", ".join(f"{count:,} {kind}" for kind, count in rejects.by_kind.items())
        lines.append(wrapped(f"... in all: {kinds}", width, "  "))
    return "\n".join(lines)


def as_json(found: Found, code: str) -> dict[str, Any]:
    """Return the findings in types of JSON."""
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
