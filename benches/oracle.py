"""What a file says, exactly: every field as the float32 nearest to it.

Python's ``csv`` finds the fields and ``float`` reads each as the nearest float64. Rounding that
again to float32 is wrong only when the float64 lies exactly half-way between two float32s and the
text does not; those few are decided with exact fractions.
"""

from __future__ import annotations

import csv
from fractions import Fraction

import numpy as np
from files import CsvFile


def nearest_float32(texts: list[str]) -> np.ndarray:
    """Return each decimal number rounded once, to the nearest float32, ties to even.

    Parameters
    ----------
    texts : list of str
        Finite decimal numbers, or ``nan``.
    """
    doubles = np.array([float(text) for text in texts])
    numbers = doubles.astype(np.float32)
    beyond = np.where(doubles > numbers, np.float32(np.inf), np.float32(-np.inf))
    others = np.nextafter(numbers, beyond)
    middles = (numbers.astype(np.float64) + others) / 2
    for index in np.flatnonzero((doubles == middles) & (doubles != numbers)):
        exact, middle = Fraction(texts[index]), Fraction(float(middles[index]))
        if exact != middle:  # a true tie was rounded to even already
            choices = sorted((numbers[index], others[index]))
            numbers[index] = choices[exact > middle]
    return numbers


def exact_table(file: CsvFile) -> np.ndarray:
    """Return the used columns of a file as a float32 table, a missing field being NaN."""
    positions = [file.columns.index(name) for name in file.used]
    with open(file.path, newline="", encoding="utf-8") as lines:
        rows = csv.reader(lines)
        if file.header:
            next(rows)
        fields = [row[position] for row in rows for position in positions]
    texts = ["nan" if field == file.missing else field for field in fields]
    return nearest_float32(texts).reshape(-1, len(positions))


def verdict(table: np.ndarray, exact: np.ndarray) -> tuple[bool, str]:
    """Say whether a table is right, within one unit in the last place, and in what way.

    Parameters
    ----------
    table, exact : numpy.ndarray
        float32, what was read and what should have been.

    Returns
    -------
    right : bool
        No value is further off than to a neighbouring float32.
    text : str
        "exact", or how many values are not.
    """
    if table.shape != exact.shape:
        return False, f"shape {table.shape} instead of {exact.shape}"
    missing = np.isnan(exact)
    if not np.array_equal(np.isnan(table), missing):
        return False, "missing values differ"
    differing = (table.view(np.int32) != exact.view(np.int32)) & ~missing
    wrong = int(differing.sum())
    if not wrong:
        return True, "exact"
    steps = np.abs(ordinal(table[differing]) - ordinal(exact[differing])).max()
    of_all = f"{wrong:,} of {exact.size:,}"
    if steps <= 1:
        return True, f"{of_all} off by one ulp"
    return False, f"{of_all} wrong, by up to {steps:,} ulps"


def ordinal(numbers: np.ndarray) -> np.ndarray:
    """Return each float32's place in their order, so that neighbours differ by one."""
    bits = np.ascontiguousarray(numbers).view(np.int32).astype(np.int64)
    return np.where(bits < 0, -(bits & 0x7FFF_FFFF), bits)
