"""A naive reader to test the fast one against: slow, short and obviously right.

Rows come from Python's csv module, numbers from exact rational arithmetic. Nothing here is shared
with csvfeed, not even the list of missing tokens.
"""

import csv
import re
from dataclasses import dataclass
from fractions import Fraction

import numpy as np

MISSING = [
    "NA",
    "N/A",
    "n/a",
    "#N/A",
    "#N/A N/A",
    "#NA",
    "<NA>",
    "NaN",
    "NAN",
    "nan",
    "-NaN",
    "-nan",
    "NULL",
    "null",
    "None",
    "?",
    "\\N",
]

NUMBER = re.compile(r"([+-]?)([0-9]*)(?:\.([0-9]*))?(?:[eE]([+-]?[0-9]+))?")
WORD = re.compile(r"([+-]?)(inf|infinity|nan)", re.IGNORECASE)

SIGN = 0x8000_0000
INFINITY = 0x7F80_0000
NAN = 0x7FC0_0000

csv.field_size_limit(1 << 30)


def round_to_float32(value: Fraction) -> int:
    """Return the bits of the float32 nearest to a value that is not negative, ties to even."""
    if value == 0:
        return 0
    exponent = value.numerator.bit_length() - value.denominator.bit_length()
    if Fraction(2) ** exponent > value:
        exponent -= 1
    assert Fraction(2) ** exponent <= value < Fraction(2) ** (exponent + 1)
    # 24 significant bits, fewer below the smallest normal number.
    unit = max(exponent - 23, -149)
    significand = round(value / Fraction(2) ** unit)
    if significand == 1 << 24:
        significand, unit = 1 << 23, unit + 1
    if unit > 104:
        return INFINITY
    if significand < 1 << 23:
        assert unit == -149
        return significand
    return ((unit + 150) << 23) + (significand - (1 << 23))


def number_bits(text: str) -> int | None:
    """Return the bits of the float32 that a text stands for, or None if it is no number."""
    word = WORD.fullmatch(text)
    if word:
        return (SIGN if word[1] == "-" else 0) | (NAN if word[2].lower() == "nan" else INFINITY)
    number = NUMBER.fullmatch(text)
    if not number:
        return None
    sign, whole, decimals, exponent = number[1], number[2], number[3] or "", int(number[4] or "0")
    if not whole + decimals:
        return None
    digits = int(whole + decimals)
    exponent -= len(decimals)
    # Powers of ten that no float32 can tell from zero or infinity are not worth computing.
    magnitude = len(str(digits)) + exponent
    if digits == 0 or magnitude < -100:
        bits = 0
    elif magnitude > 100:
        bits = INFINITY
    else:
        bits = round_to_float32(digits * Fraction(10) ** exponent)
    return (SIGN if sign == "-" else 0) | bits


def same_floats(left: np.ndarray, right: np.ndarray) -> bool:
    """Tell whether two float32 arrays agree in each bit, one NaN being as good as another."""
    if left.shape != right.shape or left.dtype != np.float32 or right.dtype != np.float32:
        return False
    same = left.view(np.uint32) == right.view(np.uint32)
    return bool(np.all(same | (np.isnan(left) & np.isnan(right))))


@dataclass
class Table:
    """The fields of a file, as text."""

    columns: list[str]
    rows: list[list[str]]
    missing: list[str]

    def is_missing(self, row: list[str], column: int) -> bool:
        field = row[column].strip(" \t")
        return field == "" or field in self.missing

    def value(self, row: list[str], column: int) -> int:
        if self.is_missing(row, column):
            return NAN
        bits = number_bits(row[column].strip(" \t"))
        if bits is None:
            raise ValueError(f"not a number: {row[column]!r}")
        return bits

    def array(self, columns: list[int], required: list[int] = ()) -> np.ndarray:
        """Return columns as float32, without the rows that lack a value in a required column."""
        rows = [row for row in self.rows if not any(self.is_missing(row, at) for at in required)]
        bits = [[self.value(row, at) for at in columns] for row in rows]
        return np.array(bits, np.uint32).reshape(len(rows), len(columns)).view(np.float32)


def read(data: bytes, *, header="auto", delimiter=",", quote='"', missing=MISSING) -> Table:
    """Read the content of a file, or raise ValueError or csv.Error."""
    text = data.removeprefix(b"\xef\xbb\xbf").decode("latin-1")
    lines = re.findall(r"[^\n]*\n|[^\n]+$", text)
    quoting = csv.QUOTE_NONE if quote is None else csv.QUOTE_MINIMAL
    reader = csv.reader(lines, delimiter=delimiter, quotechar=quote, quoting=quoting, strict=True)
    rows = [row for row in reader if row]
    table = Table([], rows, list(missing))
    if header == "auto":
        header = any(
            not table.is_missing(rows[0], at) and number_bits(field.strip(" \t")) is None
            for at, field in enumerate(rows[0])
        )
    if header is True:
        names = [name.strip(" \t") for name in table.rows.pop(0)]
        table.columns = [name.encode("latin-1").decode() for name in names]
    elif header is False:
        table.columns = [f"column_{at}" for at in range(len(rows[0]))]
    else:
        table.columns = list(header)
    if any(len(row) != len(table.columns) for row in table.rows):
        raise ValueError("rows of different lengths")
    return table
