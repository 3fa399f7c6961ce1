"""Text in columns: what fits a width, and what is left out."""

from __future__ import annotations

import shutil
import sys
import unicodedata
from collections.abc import Sequence

SHOWN = 40
"""Most characters of a value that a sentence shows."""


def takes(text: str) -> bool:
    """Whether the output can show a text."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeError:
        return False
    return True


def terminal_width() -> int:
    """Return the width of a line: COLUMNS, or that of the terminal, or 80."""
    return max(20, shutil.get_terminal_size((80, 24)).columns)


def width_of(text: str) -> int:
    """Return how many columns of the terminal a text takes."""
    return sum(
        0 if unicodedata.combining(one) else 1 + (unicodedata.east_asian_width(one) in "WF")
        for one in text
    )


def cut(text: str, width: int) -> str:
    """Return a text on one line, cut to a width."""
    text = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text[: width + 1])
    if width_of(text) <= width:
        return text
    while width_of(text) > width - 1:
        text = text[:-1]
    return f"{text}{'…' if takes('…') else '~'}"


def shown(value: str) -> str:
    """Return a value as it stands in a sentence: in quotes, and cut if it is long."""
    return repr(value) if len(value) <= SHOWN else f"{value[:SHOWN]!r}..."


def blocks_of(widths: Sequence[int], width: int) -> list[list[int]]:
    """Return the columns of each table that fits into the width, at least one for each."""
    blocks: list[list[int]] = [[]]
    used = 0
    for at, needed in enumerate(widths):
        if blocks[-1] and used + 2 + needed > width:
            blocks.append([])
            used = 0
        used += needed + (2 if blocks[-1] else 0)
        blocks[-1].append(at)
    return blocks


def widths_of(rows: Sequence[Sequence[str]]) -> list[int]:
    """Return the width of each column."""
    return [max(width_of(cell) for cell in column) for column in zip(*rows, strict=True)]


def line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    """Return a row with cells of these widths. ``right`` says which are aligned to the right."""
    cells = []
    for cell, width, is_right in zip(row, widths, right, strict=True):
        text = cut(cell, width)
        space = " " * (width - width_of(text))
        cells.append(space + text if is_right else text + space)
    return "  ".join(cells).rstrip()


def shortened(
    rows: Sequence[Sequence[str]], right: Sequence[bool], width: int
) -> tuple[list[list[str]], list[bool], int]:
    """Return rows of the first columns that fit into a width, dots and the last column.

    With them come which columns are aligned to the right, and how many are left out.
    """
    widths = widths_of(rows)
    dots, last = "...", len(widths) - 1
    place = last
    if len(blocks_of(widths, width)) > 1:
        place = len(blocks_of(widths[:last], width - widths[last] - len(dots) - 4)[0])
    if place == last:
        return [[*row] for row in rows], [*right], 0

    def chosen(row: Sequence[str]) -> list[str]:
        return [*row[:place], dots, row[last]]

    return [chosen(row) for row in rows], [*right[:place], False, right[last]], last - place
