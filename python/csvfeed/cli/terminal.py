"""Printed text: tables, numbers and bars, with colours if a terminal shows them."""

from __future__ import annotations

import contextlib
import math
import os
import shutil
import sys
import textwrap
import threading
import time
import unicodedata
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TextIO

_BARS = "▁▂▃▄▅▆▇█"
_PLAIN_BARS = "_.-:=+*#"
_IO = Path("/proc/self/io")


def bold(text: str) -> str:
    """Return a text in bold, if the output shows it."""
    return f"\033[1m{text}\033[0m" if _has_colours(sys.stdout) else text


def faint(text: str) -> str:
    """Return a dimmed text, if the output shows it."""
    return f"\033[2m{text}\033[0m" if _has_colours(sys.stdout) else text


def _has_colours(stream: TextIO) -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def width_of(text: str) -> int:
    """Return how many columns of the terminal a text takes."""
    return sum(
        0 if unicodedata.combining(one) else 1 + (unicodedata.east_asian_width(one) in "WF")
        for one in text
    )


def terminal_width() -> int:
    """Return the width of a line: COLUMNS, or that of the terminal, or 80."""
    return max(20, shutil.get_terminal_size((80, 24)).columns)


def cut(text: str, width: int) -> str:
    """Return a text on one line, cut to a width."""
    text = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text[: width + 1])
    if width_of(text) <= width:
        return text
    while width_of(text) > width - 1:
        text = text[:-1]
    return f"{text}{'…' if takes('…') else '~'}"


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
    widths = _widths(everything)
    if width is not None:
        for at, least in ((-1, 12), (0, 8), (-1, 1), (0, 1)):
            over = sum(widths) + 2 * (len(widths) - 1) - width
            widths[at] = max(min(widths[at], least), widths[at] - max(0, over))
        while sum(widths) + 2 * (len(widths) - 1) > width and max(widths) > 1:
            widths[widths.index(max(widths))] -= 1
    return "\n".join(
        bold(line) if header and number == 0 else line
        for number, line in enumerate(_line(row, widths, right) for row in everything)
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
    widths = _widths([header, *rows])
    blocks = _blocks(widths, width)
    if len(blocks) == 1:
        return table(rows, right, header)

    def part(columns: Sequence[int]) -> str:
        chosen = [[row[at] for at in columns] for row in rows]
        return table(chosen, [right[at] for at in columns], [header[at] for at in columns])

    if everything:
        return "\n\n".join(map(part, blocks))
    dots, last = "...", len(header) - 1
    first = _blocks(widths[:last], width - widths[last] - len(dots) - 4)[0]
    shown = [*first, last]
    place = len(first)

    def with_dots(row: Sequence[str]) -> list[str]:
        cells = [row[at] for at in shown]
        return [*cells[:place], dots, *cells[place:]]

    sides = [right[at] for at in shown]
    sides.insert(place, False)
    shown_table = table([with_dots(row) for row in rows], sides, with_dots(header))
    left_out = len(header) - len(shown)
    return f"{shown_table}\n{faint(f'... {left_out:,} more columns: --all shows them')}"


def _blocks(widths: Sequence[int], width: int) -> list[list[int]]:
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


def _widths(rows: Sequence[Sequence[str]]) -> list[int]:
    return [max(width_of(cell) for cell in column) for column in zip(*rows, strict=True)]


def _line(row: Sequence[str], widths: Sequence[int], right: Sequence[bool]) -> str:
    cells = []
    for cell, width, is_right in zip(row, widths, right, strict=True):
        text = cut(cell, width)
        space = " " * (width - width_of(text))
        cells.append(space + text if is_right else text + space)
    return "  ".join(cells).rstrip()


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


def takes(text: str) -> bool:
    """Whether the output can show a text."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeError:
        return False
    return True


@contextlib.contextmanager
def progress(what: str, total: int | None) -> Iterator[None]:
    """Show the progress of reading on the standard error, if that is a terminal.

    Parameters
    ----------
    what : str
        A name for the work.
    total : int or None
        Bytes to read, if known.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    done = threading.Event()
    before, began = _bytes_read(), time.monotonic()

    def show() -> None:
        # Short work shows nothing.
        wait = 0.5
        while not done.wait(wait):
            wait = 0.1
            seconds = time.monotonic() - began
            read = _bytes_read() - before
            if total and read:
                part = min(1.0, read / total)
                bar = ("#" * round(30 * part)).ljust(30)
                said = f"[{bar}] {100 * part:3.0f} %, {size(read / seconds)}/s"
            else:
                said = f"{seconds:.0f} s"
            print(f"\r\033[K{what} {said}", end="", file=sys.stderr, flush=True)

    thread = threading.Thread(target=show, daemon=True)
    thread.start()
    try:
        yield
    finally:
        done.set()
        thread.join()
        print("\r\033[K", end="", file=sys.stderr, flush=True)


def _bytes_read() -> int:
    """Return the bytes that this process has read so far, if the system tells."""
    try:
        return int(_IO.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
