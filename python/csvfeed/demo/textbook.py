"""The textbook reader: split every line at commas, in Python.

The benchmarks and the demo compare csvfeed with it, so it is as fast as such a loop can be written
by hand. It does not know quotes: every field it reads must be a number, or the one token for a
missing value.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence

import numpy as np
from numpy.typing import NDArray

Batch = tuple[NDArray[np.float32], NDArray[np.float32]]


def read_batches(
    path: str | os.PathLike[str],
    batch_size: int,
    *,
    target: int = -1,
    columns: Sequence[int] | None = None,
    missing: str | None = None,
    skip_header: bool = True,
    endless: bool = False,
) -> Iterator[Batch]:
    """Yield batches of features and targets from a file of plain numbers.

    Parameters
    ----------
    path : str or os.PathLike
        A comma-separated text file.
    batch_size : int
        Rows in a batch.
    target : int, default -1
        The column that becomes ``y``; the others become ``X``. With ``columns``, its index there.
    columns : sequence of int, optional
        The columns to read. The default is all.
    missing : str, optional
        The field to read as NaN.
    skip_header : bool, default True
        Whether to skip the first line.
    endless : bool, default False
        Whether to begin again at the end of the file, with the rows left over in the next batch. By
        default those rows are a last, shorter batch.

    Yields
    ------
    X : numpy.ndarray
        float32 of shape ``(rows, columns - 1)``, or ``(rows,)`` for a file of two columns.
    y : numpy.ndarray
        float32 of shape ``(rows,)``.

    Raises
    ------
    ValueError
        If a field is not a number, or the file has no rows.
    """
    fields: list[str] = []
    rows = 0
    empty = True
    while True:
        with open(path, encoding="utf-8") as lines:
            if skip_header:
                next(lines, None)
            for line in lines:
                fields += line.split(",")
                rows += 1
                if rows == batch_size:
                    yield _to_arrays(fields, rows, target, columns, missing)
                    fields, rows, empty = [], 0, False
        if empty and rows == 0:
            raise ValueError(f"{os.fspath(path)} has no rows")
        if not endless:
            break
    if rows:
        yield _to_arrays(fields, rows, target, columns, missing)


def _to_arrays(
    fields: list[str],
    rows: int,
    target: int,
    columns: Sequence[int] | None,
    missing: str | None,
) -> Batch:
    if columns is not None:
        width, rest = divmod(len(fields), rows)
        if rest:
            raise ValueError("not all rows have as many fields")
        fields = [field for column in columns for field in fields[column::width]]
    if missing is not None:
        # The last field of a line has its end.
        tokens = (missing, f"{missing}\n")
        fields = ["nan" if field in tokens else field for field in fields]
    table = np.array(fields, dtype=np.float32)
    table = table.reshape(rows, -1) if columns is None else table.reshape(-1, rows).T
    X = np.ascontiguousarray(np.delete(table, target, axis=1))
    y = np.ascontiguousarray(table[:, target])
    return (X[:, 0] if X.shape[1] == 1 else X), y
