"""What is printed: tables, numbers, bars; plain where nobody sees colours."""

from __future__ import annotations

import contextlib
import math
import os
import sys
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
    """Return a text that stands out, where that can be seen."""
    return f"\033[1m{text}\033[0m" if _has_colours(sys.stdout) else text


def faint(text: str) -> str:
    """Return a text that stands back, where that can be seen."""
    return f"\033[2m{text}\033[0m" if _has_colours(sys.stdout) else text


def _has_colours(stream: TextIO) -> bool:
    return not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb" and stream.isatty()


def width_of(text: str) -> int:
    """Return how many places a text takes."""
    return sum(
        0 if unicodedata.combining(one) else 1 + (unicodedata.east_asian_width(one) in "WF")
        for one in text
    )


def cut(text: str, width: int) -> str:
    """Return a text on one line that takes no more than so many places."""
    text = "".join(one if one.isprintable() else repr(one)[1:-1] for one in text)
    if width_of(text) <= width:
        return text
    while width_of(text) > width - 1:
        text = text[:-1]
    return f"{text}{'…' if takes('…') else '~'}"


def table(
    rows: Sequence[Sequence[str]], right: Sequence[bool], header: Sequence[str] | None = None
) -> str:
    """Return rows below each other, some columns at their right."""
    everything = [*([header] if header else []), *rows]
    widths = [max(width_of(cell) for cell in column) for column in zip(*everything, strict=True)]
    lines = []
    for row in everything:
        cells = []
        for cell, width, is_right in zip(row, widths, right, strict=True):
            space = " " * (width - width_of(cell))
            cells.append(space + cell if is_right else cell + space)
        line = "  ".join(cells).rstrip()
        lines.append(bold(line) if row is header else line)
    return "\n".join(lines)


def number(value: float) -> str:
    """Return a number in a few digits."""
    if math.isnan(value):
        return "-"
    if value == int(value) if math.isfinite(value) else False:
        return f"{int(value):,}" if abs(value) < 1e9 else f"{value:.4g}"
    return f"{value:,.4g}" if abs(value) < 1e4 else f"{value:,.6g}"


def size(count: float) -> str:
    """Return a number of bytes with its unit."""
    for unit in ("bytes", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "bytes" else f"{count:.3g} {unit}"
        count /= 1000
    return f"{count:.3g} TB"


def share(part: float, whole: float) -> str:
    """Return a share in per cent."""
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
    # What is there is seen, however little it is.
    last = len(signs) - 1
    return "".join(" " if not n else signs[min(last, math.ceil(last * n / most))] for n in counts)


def takes(text: str) -> bool:
    """Tell whether the output can show a text."""
    try:
        text.encode(sys.stdout.encoding or "ascii")
    except UnicodeError:
        return False
    return True


@contextlib.contextmanager
def progress(what: str, total: int | None) -> Iterator[None]:
    """Show how far the reading has got, on standard error, if that is a terminal.

    Parameters
    ----------
    what : str
        What is being done.
    total : int or None
        Bytes that will be read, if that is known.
    """
    if not sys.stderr.isatty() or os.environ.get("TERM") == "dumb":
        yield
        return
    done = threading.Event()
    before, began = _bytes_read(), time.monotonic()

    def show() -> None:
        # Nothing for what is done at once.
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
    """Return what this process has read so far, where the system tells."""
    try:
        return int(_IO.read_text().split()[1])
    except (OSError, ValueError, IndexError):
        return 0
