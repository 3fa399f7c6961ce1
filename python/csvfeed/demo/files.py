"""The files that the demo trains from."""

from __future__ import annotations

import math
import shutil
from collections.abc import Callable, Iterable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

# Every 50th row has a neighbour in the validation file, half-way to the next row.
VALIDATION_STRIDE = 50
MB = 1_000_000


def write_training_file(path: Path, rows: int, verbose: int) -> None:
    """Write the header ``x,y`` and a row ``n,n`` for each n below `rows`, in a mixed order.

    A file that exists with the right size is kept.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    rows : int
        Number of rows.
    verbose : int
        As in Keras: 1 for a moving progress bar, 2 for a line at the end, 0 for silence.
    """
    size = len("x,y\n") + 2 * (_count_digits(rows) + rows)
    if path.is_file() and path.stat().st_size == size:
        print(f"{path} is there already: {rows:,} rows, {size / MB:,.1f} MB")
        return
    free = shutil.disk_usage(path.parent).free
    if free < size:
        raise OSError(f"{path} needs {size / MB:,.0f} MB, but only {free / MB:,.0f} are free")
    import keras

    print(f"Writing {path}: {rows:,} rows, {size / MB:,.1f} MB", flush=True)
    progress = keras.utils.Progbar(_thousands(rows), verbose=verbose, unit_name="thousand rows")
    stride = _mixing_stride(rows)
    mixed = (n * stride % rows for n in _ranges(rows))
    _write(path, mixed, line="%d,%d\n", report=lambda done: progress.update(_thousands(done)))


def write_validation_file(path: Path, rows: int) -> None:
    """Write numbers half-way between rows of the training file, over its whole range.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    rows : int
        Number of rows in the training file.
    """
    count = rows // VALIDATION_STRIDE
    numbers = (n * VALIDATION_STRIDE + VALIDATION_STRIDE // 2 for n in _ranges(count))
    _write(path, numbers, line="%d.5,%d.5\n", report=lambda _: None)


def _write(path: Path, chunks: Iterable[Any], *, line: str, report: Callable[[int], None]) -> None:
    # Under another name until complete, so that an interrupted run leaves no half file.
    partial = path.with_name(path.name + ".partial")
    rows = 0
    try:
        with partial.open("w", encoding="ascii", newline="") as text:
            text.write("x,y\n")
            for numbers in chunks:
                text.write(line * len(numbers) % tuple(np.repeat(numbers, 2).tolist()))
                rows += len(numbers)
                report(rows)
        partial.replace(path)
    finally:
        partial.unlink(missing_ok=True)


def _thousands(rows: int) -> int:
    return math.ceil(rows / 1000)


def _ranges(stop: int, length: int = 50_000) -> Iterator[Any]:
    for start in range(0, stop, length):
        yield np.arange(start, min(start + length, stop), dtype=np.int64)


def _count_digits(rows: int) -> int:
    """Return the number of digits in all numbers below `rows`."""
    count, power = rows, 10
    while power < rows:
        count += rows - power
        power *= 10
    return count


def _mixing_stride(rows: int) -> int:
    """Return a stride that visits every number below `rows` once and spreads each batch evenly.

    A model that sees the numbers in ascending order learns one end of the range and forgets the
    other. The stride is about the golden section of the range, and coprime to it.
    """
    stride = round(rows * (math.sqrt(5) - 1) / 2)
    while math.gcd(stride, rows) != 1:
        stride += 1
    return stride
