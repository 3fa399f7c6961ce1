"""The contents of a table: numbers from passes over all rows, text from a sample."""

from __future__ import annotations

import math
import os
import time
import warnings
from collections import Counter
from dataclasses import dataclass, field
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

import csvfeed
from csvfeed.cli.column_types import FEW_WRONG, MOST_CATEGORIES, MOST_TOKENS, Column, column_types
from csvfeed.cli.edges import edges
from csvfeed.cli.sample import Sample, take
from csvfeed.cli.terminal import progress
from csvfeed.typeset import shown

SAMPLE_ROWS = 20_000
SAMPLE_BYTES = 16 << 20
SAMPLE_PLACES = 16
MOST_FIELDS = 20_000_000
"""Most fields to read for the distributions."""
BINS = 16
_ROWS_AT_A_TIME = 8192
_COMES_AGAIN = 3
"""How often a text must be wrong in one column to be more than a slip."""
_KINDS_READ = ("number", "integer", "boolean", "date", "duration")


@dataclass
class Found:
    """The contents of a file, or of several as one table.

    Attributes
    ----------
    files : list of str
        Names of the files, as given.
    paths : list of str
        Paths at which to read them.
    bytes : int or None
        Size on disk, if known.
    rows : int
        Number of good rows.
    sample : Sample
        A sample of the rows.
    columns : list of Column
        The columns, in order.
    stats : dict of int to ColumnStats
        Statistics of the columns of numbers, over all rows.
    histograms : dict of int to list of int
        Number of values in each of some equal bins from the minimum to the maximum.
    counted : int
        Number of rows in the histograms.
    rejects : csvfeed.Rejects
        The bad rows.
    reading : dict
        How the files are written, as options of a dataset.
    width : int
        Number of columns of a dataset with these options. If it leaves out bad rows, this may
        include an empty last column.
    notes : dict of str to list of str
        Remarks on some of these options.
    seconds : float
        Time taken.
    """

    files: list[str]
    paths: list[str]
    bytes: int | None
    rows: int
    sample: Sample
    columns: list[Column]
    rejects: csvfeed.Rejects
    reading: dict[str, Any]
    width: int
    stats: dict[int, csvfeed.ColumnStats] = field(default_factory=dict)
    histograms: dict[int, list[int]] = field(default_factory=dict)
    counted: int = 0
    notes: dict[str, list[str]] = field(default_factory=dict)
    seconds: float = 0.0

    @property
    def holes(self) -> list[str]:
        """Tokens for a missing value besides ``csvfeed.MISSING``."""
        return sorted(set().union(*(column.tokens for column in self.columns)))


def find(files: list[str], reading: dict[str, Any]) -> Found:
    """Read files as one table and return their contents."""
    began = time.monotonic()
    how: dict[str, Any] = {"limit": SAMPLE_ROWS, "plenty": SAMPLE_BYTES, "places": SAMPLE_PLACES}
    sample = take(files, **how, **reading)
    if sample.error is not None:
        raise sample.error
    reading = {**sample.options, **reading}
    at_edges = edges(files, sample, reading, how)
    reading.update({name: value for name, (value, _) in at_edges.items()})
    if reading != sample.options:
        sample = take(files, **how, **reading)
    columns = column_types(sample)
    length = _length(files)
    dataset, read, rejects = _readable(files, sample, reading, columns, length)
    width = len(dataset.columns if rejects else columns)
    found = Found(files, files, length, dataset.num_rows, sample, columns, rejects, reading, width)
    found.notes = {name: [note] for name, (_, note) in at_edges.items()}
    if not found.rows:
        raise ValueError(_all_wrong(rejects))
    if read:
        with progress("reading", length):
            stats = list(dataset.stats().values())
        found.stats = {column.index: one for column, one in zip(read, stats, strict=True)}
        _count_values(dataset, read, found)
    found.seconds = time.monotonic() - began
    return found


def _count_values(dataset: csvfeed.CsvDataset, read: list[Column], found: Found) -> None:
    """Count values within the limit, and add notes that need all rows."""
    length = found.bytes
    rows = max(_ROWS_AT_A_TIME, MOST_FIELDS // len(read))
    with progress("counting", length if found.rows <= rows else None):
        _count(dataset, read, found, rows)
    for column in read:
        _settle(column, found)


def _readable(
    files: list[str],
    sample: Sample,
    reading: dict[str, Any],
    columns: list[Column],
    length: int | None,
) -> tuple[csvfeed.CsvDataset, list[Column], csvfeed.Rejects]:
    """Return a dataset of the readable columns, those columns, and the bad rows.

    Reading all rows may show that a column is not what the sample made of it.
    """
    reading = {"header": sample.dialect.header, **reading}
    while True:
        dataset, read = _dataset(files, reading, columns)
        try:
            with progress("reading", length):
                rejects = dataset.rejects
                _ = dataset.vocabulary
        except csvfeed.CsvError as error:
            # Text with too many values for codes gets hash buckets.
            text = [one for one in read if one.kind == "text" and one.index == error.column]
            if not text or text[0].has_more:
                raise
            text[0].has_more = True
            continue
        if not _learn(read, rejects, dataset.num_rows):
            return dataset, read, rejects


def _learn(read: list[Column], rejects: csvfeed.Rejects, rows: int) -> bool:
    """Correct the types of columns that bad rows show to be wrong."""
    by_column: dict[int, Counter[str]] = {}
    for error in rejects.first:
        if error.column is not None and error.text is not None:
            by_column.setdefault(error.column, Counter())[error.text.strip(" \t\"'")] += 1
    total = rows + rejects.count
    for column in read:
        wrong = by_column.get(column.index, Counter())
        if column.kind not in _KINDS_READ or not wrong:
            continue
        # Only the first of many bad rows are known.
        share = wrong.total() / len(rejects.first) * rejects.count / total
        again = {text for text, count in wrong.items() if count >= _COMES_AGAIN and text}
        if share * total <= 1:
            continue
        if share > 0.5 or (share > FEW_WRONG and len(again) > MOST_TOKENS):
            _make_text(column)
            return True
        new = again - column.tokens.keys()
        if new and column.kind != "boolean" and len(column.tokens) + len(new) <= MOST_TOKENS:
            # Nobody has counted them.
            column.tokens.update(dict.fromkeys(new, 0))
            column.values = Counter({t: n for t, n in column.values.items() if t not in new})
            return True
        if share > FEW_WRONG or (again and column.kind == "boolean"):
            _make_text(column)
            return True
    return False


def _make_text(column: Column) -> None:
    column.kind, column.format, column.form, column.note = "text", "", "", ""
    column.tokens.clear()


def _all_wrong(rejects: csvfeed.Rejects) -> str:
    """Return the message that every row is bad, with the reason of the first."""
    first = f" The first: {rejects.first[0]}" if rejects.first else ""
    rows = "the only row is" if rejects.count == 1 else f"all {rejects.count:,} rows are"
    return f"{rejects.path}: {rows} wrong.{first}"


def _settle(column: Column, found: Found) -> None:
    """Add the notes on a column that need the whole file."""
    stats = found.stats[column.index]
    if column.kind == "text":
        is_whole = column.counted and found.counted == found.rows
        if is_whole and len(column.values) == 1 and not column.missing:
            (value,) = column.values
            column.kind, column.note = "constant", f"it is always {shown(value)}"
    elif not stats.count:
        column.kind, column.note = "empty", "it has no values"
    elif column.is_numeric and stats.min == stats.max and not stats.missing:
        # Large numbers may differ only in digits that a float32 does not have.
        is_one = len(column.values) <= 1
        same = f"it is always {stats.min:g}"
        column.kind = "constant"
        column.note = same if is_one else f"all its numbers are the same float32, {stats.min:g}"


def _dataset(
    files: list[str], reading: dict[str, Any], columns: list[Column]
) -> tuple[csvfeed.CsvDataset, list[Column]]:
    """Return a dataset of the readable columns, and those columns."""
    read = [column for column in columns if column.kind in _KINDS_READ and _has_one_way(column)]
    categories: dict[int, Literal["auto"] | int] = {}
    for column in columns:
        few = len(column.values) <= MOST_CATEGORIES and not column.has_more
        if column.kind == "text" and not column.note and few:
            read.append(column)
            categories[column.index] = "auto"
    features = [column.index for column in read]
    if not read:
        # Any text is valid, so that only the length of rows is checked.
        features, categories[0] = [0], 1
    holes = set().union(*(column.tokens for column in columns))
    dataset = csvfeed.CsvDataset(
        files[0] if len(files) == 1 else files,
        target=None,
        features=features,
        categories=categories,
        booleans=[column.index for column in read if column.kind == "boolean"],
        dates={
            column.index: csvfeed.Duration()
            if column.kind == "duration"
            else csvfeed.Date("days", format=column.format or None)
            for column in read
            if column.kind in ("date", "duration")
        },
        numbers={column.index: column.form for column in read if column.form} or None,
        missing=[*csvfeed.MISSING, *sorted(holes)],
        on_error="skip",
        batch_size=_ROWS_AT_A_TIME,
        **reading,
    )
    return dataset, read


def _has_one_way(column: Column) -> bool:
    """Whether csvfeed knows how to read a column. Dates, for example, may be ambiguous."""
    return not column.is_asked_about


def _count(dataset: csvfeed.CsvDataset, read: list[Column], found: Found, most: int) -> None:
    """Count the values of the first rows: numbers in bins, text by value."""
    edges = [_bins(column, found.stats[column.index]) for column in read]
    counts = [
        np.zeros(1 if column.kind == "text" else len(bins) - 1, np.int64)
        for column, bins in zip(read, edges, strict=True)
    ]
    with warnings.catch_warnings():
        # The output reports what was left out.
        warnings.simplefilter("ignore", RuntimeWarning)
        for (X,) in dataset:
            for at, column in enumerate(read):
                values = X[:, at]
                if column.kind == "text":
                    more = np.bincount(values.astype(np.int64))
                    longer = max(len(more), len(counts[at]))
                    counts[at] = np.pad(counts[at], (0, longer - len(counts[at])))
                    counts[at][: len(more)] += more
                else:
                    counts[at] += np.histogram(values[np.isfinite(values)], edges[at])[0]
            found.counted += len(X)
            if found.counted >= most:
                break
    for column, count in zip(read, counts, strict=True):
        if column.kind != "text":
            found.histograms[column.index] = count.tolist()
            continue
        is_unique = dataset.columns.count(column.name) == 1
        vocabulary = dataset.vocabulary[column.name if is_unique else column.index]
        column.missing = int(count[0])
        column.values = Counter(dict(zip(vocabulary, count[1:].tolist(), strict=False)))
        column.counted = True


def _bins(column: Column, stats: csvfeed.ColumnStats) -> NDArray[np.float64]:
    """Return the edges of the bins, or no edges if there is nothing to count."""
    span = stats.max - stats.min
    if not math.isfinite(span):
        return np.zeros(1)
    if column.kind in ("integer", "boolean") and span < BINS:
        return np.arange(stats.min - 0.5, stats.max + 1)
    return np.linspace(stats.min, stats.max, BINS + 1)


def _length(files: list[str]) -> int | None:
    try:
        return sum(os.path.getsize(file) for file in files)
    except OSError:
        return None
