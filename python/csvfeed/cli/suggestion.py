"""The code that reads a file, ready to be pasted."""

from __future__ import annotations

import math

from csvfeed.cli.arguments import STDIN
from csvfeed.cli.findings import Found
from csvfeed.cli.kinds import MOST_CATEGORIES, Column
from csvfeed.cli.terminal import takes

_BATCH_SIZE = 256
_LONGEST = 88
_MANY = 1 << 17
"""Buckets for values that nobody has counted."""


def suggest(found: Found, target: str | None) -> str:
    """Return code that makes a dataset of what was found.

    Parameters
    ----------
    found : Found
        What is in the file.
    target : str or None
        The column that is asked for, by name or index. The last that makes sense if it is None.

    Raises
    ------
    ValueError
        If there is no such column.
    """
    wanted = column_named(found, target)
    useful = [column for column in found.columns if not column.note]
    # Code that reads what teaches nothing is better than code that reads nothing.
    useful = useful or [one for one in found.columns if one.kind != "empty"] or found.columns
    chosen = wanted or (useful[-1] if useful else None)
    features = [column for column in useful if column is not chosen]
    read = [*features, *([chosen] if chosen else [])]
    keys = _keys(found.columns)

    arguments: list[tuple[str, str]] = []
    files = ["sys.stdin.buffer" if file == STDIN else quoted(file) for file in found.files]
    arguments.append((files[0] if len(files) == 1 else _listed(files), ""))
    if chosen and features:
        note = "" if wanted else "the last column; --target names another one"
        arguments.append((f"target={keys[chosen.index]}", note))
    else:
        arguments.append(("target=None", "there is but one column to read"))
        features = read
    if len(features) < len(found.columns) - (chosen is not None and chosen not in features):
        listed = _listed([keys[column.index] for column in features])
        arguments.append((f"features={listed}", ""))
    arguments += _meanings(read, keys, chosen if chosen not in features else None)
    arguments.append((f"batch_size={_BATCH_SIZE}", ""))
    arguments += [(f"{name}={_literal(value)}", "") for name, value in _spelling(found)]
    if found.holes:
        arguments.append((f"missing=[*csvfeed.MISSING, {', '.join(map(quoted, found.holes))}]", ""))
    holed = [one for one in features if one.is_numeric and missing_of(found, one)]
    if holed:
        names = f"{len(holed)} features have" if len(holed) > 1 else f"{holed[0].name!r} has"
        means = [found.stats[column.index].mean for column in holed]
        fill = 'fill="mean"' if all(map(math.isfinite, means)) else "fill=0.0"
        arguments.append((fill, f"{names} missing values"))
    if chosen and missing_of(found, chosen):
        arguments.append(('missing_target="skip"', "some rows have no target"))
    if found.rejects:
        rows = "1 row is" if found.rejects.count == 1 else f"{found.rejects.count:,} rows are"
        arguments.append(('on_error="skip"', f"{rows} wrong"))

    lines = ["import csvfeed", "", "ds = csvfeed.CsvDataset("]
    if STDIN in found.files:
        lines.insert(0, "import sys\n")
    for code, note in arguments:
        lines.append(f"    {code},{f'  # {note}' if note else ''}")
    lines.append(")")
    if chosen and chosen not in features:
        lines += _last_layer(chosen)
    lines += [
        f"# left out: {column.name} ({column.note})"
        for column in found.columns
        if column.note and column not in read
    ]
    return "\n".join(lines)


def column_named(found: Found, target: str | None) -> Column | None:
    """Return the column of a name or an index."""
    if target is None:
        return None
    for column in found.columns:
        if column.name == target:
            return column
    try:
        return found.columns[int(target)]
    except (ValueError, IndexError):
        names = ", ".join(column.name for column in found.columns)
        raise ValueError(f"there is no column {target!r}, only {names}") from None


def missing_of(found: Found, column: Column) -> int:
    """Return how many fields of a column are missing, of the rows that were looked at."""
    stats = found.stats.get(column.index)
    return column.missing if stats is None or column.kind == "text" else stats.missing


def _meanings(read: list[Column], keys: list[str], target: Column | None) -> list[tuple[str, str]]:
    """Return what to make of columns that are no numbers."""
    made = []
    texts = [column for column in read if column.is_text]
    if texts:
        codes = [f"{keys[column.index]}: {_codes(column)}" for column in texts]
        made.append((f"categories={_listed(codes, '{}')}", ""))
    truths = [keys[column.index] for column in read if column.kind == "boolean"]
    if truths:
        made.append((f"booleans={_listed(truths)}", ""))
    dates = [
        f"{keys[c.index]}: {_parts(c, is_target=c is target)}" for c in read if c.kind == "date"
    ]
    if dates:
        made.append((f"dates={_listed(dates, '{}')}", ""))
    return made


def _last_layer(target: Column) -> list[str]:
    """Return a comment with the loss and the last layer of a model for a target of classes."""
    if target.kind == "boolean" or (target.is_text and len(target.values) == 2):
        one = "true" if target.kind == "boolean" else quoted(max(target.values))
        return [f'# a model of it: Dense(1, "sigmoid"), loss="binary_crossentropy"; 1 is {one}']
    if not target.is_text:
        return []
    return [
        '# a model of it: Dense(ds.num_classes, "softmax"), loss="sparse_categorical_crossentropy"'
    ]


def _codes(column: Column) -> str:
    """Return a code for each value if they are few, otherwise twice as many buckets."""
    if column.has_more:
        return str(_MANY)
    if len(column.values) <= MOST_CATEGORIES:
        return '"auto"'
    return str(1 << (2 * len(column.values) - 1).bit_length())


def _parts(column: Column, *, is_target: bool) -> str:
    has_time = any(":" in value for value in column.values)
    parts = ["year", "month", "day", "weekday", *(["hour"] if has_time else [])]
    if is_target:
        # A model predicts one number.
        parts = ["days"]
    if column.format:
        listed = ", ".join(map(quoted, parts))
        return f"csvfeed.Date({listed}, format={quoted(column.format)})"
    return quoted(parts[0]) if is_target else _listed([quoted(part) for part in parts])


def _spelling(found: Found) -> list[tuple[str, object]]:
    plain = {"header": "auto", "encoding": "utf-8"}
    return [(key, value) for key, value in found.reading.items() if value != plain.get(key)]


def _keys(columns: list[Column]) -> list[str]:
    """Return how to name each column: by its name, unless others have it too."""
    names = [column.name for column in columns]
    return [quoted(name) if names.count(name) == 1 else str(at) for at, name in enumerate(names)]


def quoted(text: str) -> str:
    """Return a text as Python has it."""
    is_plain = text.isprintable() and not {'"', "\\"} & set(text)
    if not takes(text):
        return ascii(text)
    return f'"{text}"' if is_plain else repr(text)


def _literal(value: object) -> str:
    return quoted(value) if isinstance(value, str) else repr(value)


def _listed(items: list[str], around: str = "[]") -> str:
    """Return a list, over several lines if it is long."""
    one = f"{around[0]}{', '.join(items)}{around[1]}"
    if len(one) <= _LONGEST - 14:
        return one
    lines = [""]
    for item in items:
        if len(lines[-1]) + len(item) > _LONGEST - 12:
            lines.append("")
        lines[-1] += f"{item}, "
    inner = "\n".join(f"        {line.rstrip()}" for line in lines)
    return f"{around[0]}\n{inner}\n    {around[1]}"
