"""Arguments that several commands take."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import sys
import tempfile
from collections.abc import Iterator
from typing import Any, TypeAlias

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
STDIN = "-"


class Help(argparse.HelpFormatter):
    """Help with its texts in lines as long as the terminal's, but for those that are laid out."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" not in text:
            return super()._fill_text(text, width, indent)
        return "".join(indent + line for line in text.splitlines(keepends=True))


def add_files(parser: argparse.ArgumentParser, *, one: bool = False) -> None:
    """Add the files to read, and how they are written."""
    what = "a path or a URL; - is the standard input"
    if one:
        parser.add_argument("file", metavar="FILE", help=what)
    else:
        parser.add_argument("files", metavar="FILE", nargs="+", help=what)
    parser.add_argument(
        "--delimiter",
        metavar="C",
        default="auto",
        type=_delimiter,
        help="what stands between fields; found by looking at the file unless it is given",
    )
    parser.add_argument(
        "--header",
        choices=("auto", "yes", "no"),
        default="auto",
        help="whether the first row names the columns; by default it does if it has text",
    )
    parser.add_argument(
        "--encoding", metavar="NAME", help="of the text; utf-8 if it can be, unless it is given"
    )


def reading(options: argparse.Namespace) -> dict[str, Any]:
    """Return the arguments of a dataset that somebody gave to say how the files are written."""
    given: dict[str, Any] = {}
    if options.delimiter != "auto":
        given["delimiter"] = options.delimiter
    if options.encoding is not None:
        given["encoding"] = options.encoding
    if options.header != "auto":
        given["header"] = options.header == "yes"
    return given


def whole(text: str) -> int:
    """Return a whole number above 0."""
    try:
        number = int(text.replace(",", "").replace("_", ""))
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return number


def _delimiter(text: str) -> str:
    return {"\\t": "\t", "tab": "\t"}.get(text, text)


@contextlib.contextmanager
def on_disk(file: str) -> Iterator[str]:
    """Give the path of a file that can be read several times: the standard input is copied."""
    if file != STDIN:
        yield file
        return
    with tempfile.NamedTemporaryFile(prefix="csvfeed-", suffix=".csv") as copy:
        shutil.copyfileobj(sys.stdin.buffer, copy, 1 << 20)
        copy.flush()
        yield copy.name


def name_of(file: str) -> str:
    """Return what a file is called in what is printed."""
    return "<stdin>" if file == STDIN else os.fspath(file)
