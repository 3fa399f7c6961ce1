"""Printed text: tables, numbers and bars, with colours if a terminal shows them."""

from __future__ import annotations

import contextlib
import math
import os
import sys
import textwrap
from collections.abc import Sequence
from typing import TextIO

from csvfeed.progress import Ticks, watched
from csvfeed.system import is_console
from csvfeed.typeset import blocks_of, line, shortened, takes, widths_of

_BARS = "▁▂▃▄▅▆▇█"
_PLAIN_BARS = "_.-:=+*#"


def bold(text: str) -> str:
    """Return a text in bold, if the output shows it."""
    return f"\033[1m{text}\033[0m" if _has_colours(sys.stdout) else text


def faint(text: str) -> str:
    """Return a dimmed text, if the output shows it."""
    return f"\033[2m{text}\033[0m" if _has_colours(sys.stdout) else text


def _has_colours(stream: TextIO) -> bool:
    return not os.environ.get("NO_COLOR") and is_console(stream)


def wrapped(text: str, width: int, indent: str) -> str:
    """Return a text wrapped to a width."""
    return textwrap.fill(text, width, initial_indent=indent, subsequent_indent=indent)


def table(
    rows: Sequence[Sequence[str]],
    right: Sequence[bool],
    header: Sequence[str] | None = None,
    width: int | None = None,
) -> str:
    """Return rows as a table. ``right`` says which columns are aligned to the right.

    Cells that do not fit into ``width`` are cut: first those of the last column, then of the first.
    """
    everything = [*([header] if header else []), *rows]
    widths = widths_of(everything)
    if width is not None:
        for at, least in ((-1, 12), (0, 8), (-1, 1), (0, 1)):
            over = sum(widths) + 2 * (len(widths) - 1) - width
            widths[at] = max(min(widths[at], least), widths[at] - max(0, over))
        while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > 1:
            widths[widths.index(max(widths))] -= 1
    return "\n".join(
        bold(text) if header and number == 0 else text
        for number, text in enumerate(line(row, widths, right) for row in everything)
    )


def folded(
    rows: Sequence[Sequence[str]],
    right: Sequence[bool],
    header: Sequence[str],
    width: int,
    *,
    everything: bool,
) -> str:
    """Return a table with as many columns as fit into the width.

    It shows the first columns and the last one. With ``everything`` the other columns follow in
    further tables.
    """
    if everything:

        def part(columns: Sequence[int]) -> str:
            chosen = [[row[at] for at in columns] for row in rows]
            return table(chosen, [right[at] for at in columns], [header[at] for at in columns])

        return "\n\n".join(map(part, blocks_of(widths_of([header, *rows]), width)))
    (head, *shown), sides, left_out = shortened([header, *rows], right, width)
    shown_table = table(shown, sides, head)
    if not left_out:
        return shown_table
    return f"{shown_table}\n{faint(f'... {left_out:,} more columns: --all shows them')}"


def number(value: float) -> str:
    """Return a number in about ten characters at most."""
    if math.isnan(value):
        return "-"
    if math.isfinite(value) and value == int(value) and abs(value) < 1e7:
        return f"{int(value):,}"
    return f"{value:,.4g}" if abs(value) < 1e4 or abs(value) >= 1e7 else f"{value:,.6g}"


def size(count: float) -> str:
    """Return a number of bytes with its unit."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def share(part: float, whole: float) -> str:
    """Return a share as a percentage."""
    if not part or not whole:
        return "0"
    percent = 100 * part / whole
    return f"{percent:.0f} %" if percent >= 10 else f"{percent:.2g} %"


def bars(counts: Sequence[float]) -> str:
    """Return a small histogram."""
    most = max(counts, default=0)
    signs = _BARS if takes(_BARS) else _PLAIN_BARS
    if not most:
        return ""
    # A small count still shows.
    last = len(signs) - 1
    return "".join(" " if not n else signs[min(last, math.ceil(last * n / most))] for n in counts)


def progress(what: str, total: int | None) -> contextlib.AbstractContextManager[None]:
    """Return a context that shows the progress of reading, if the standard error is a terminal.

    Parameters
    ----------
    what : str
        A name for the work.
    total : int or None
        Bytes to read, if known.
    """
    if not is_console(sys.stderr):
        return contextlib.nullcontext()

    def draw(ticks: Ticks) -> None:
        for seconds, read in ticks:
            if total and read:
                part = min(1.0, read / total)
                bar = ("#" * round(30 * part)).ljust(30)
                said = f"[{bar}] {100 * part:3.0f} %, {size(read / seconds)}/s"
            else:
                said = f"{seconds:.0f} s"
            print(f"\r\033[K{what} {said}", end="", file=sys.stderr, flush=True)
        print("\r\033[K", end="", file=sys.stderr, flush=True)

    # Short work shows nothing.
    return watched(draw, 0.5)
