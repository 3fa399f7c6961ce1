"""The files that a command reads, and the arguments that describe them."""

from __future__ import annotations

import argparse
import contextlib
import os
import shutil
import stat
import sys
import tempfile
from collections.abc import Iterator
from typing import Any, BinaryIO, TypeAlias

from csvfeed.source import parts
from csvfeed.system import path_of
from csvfeed.urls import is_url

Commands: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"
STDIN = "-"

_COPIES: dict[str, str] = {}
"""The name of the original for each path of a copy."""


class Help(argparse.HelpFormatter):
    """A help formatter that wraps text to the terminal, except text that is laid out."""

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        if "\n" not in text:
            return super()._fill_text(text, width, indent)
        return "".join(indent + line for line in text.splitlines(keepends=True))


def add_files(parser: argparse.ArgumentParser, *, one: bool = False) -> None:
    """Add the arguments for the files to read, and for how they are written."""
    what = "a path, a pattern, a directory or a URL; - is the standard input"
    if one:
        parser.add_argument("file", metavar="FILE", help=what)
    else:
        parser.add_argument("files", metavar="FILE", nargs="+", help=what)
    parser.add_argument(
        "--delimiter",
        metavar="C",
        default="auto",
        type=_delimiter,
        help="the character between fields (default: detected)",
    )
    parser.add_argument(
        "--header",
        choices=("auto", "yes", "no"),
        default="auto",
        help="whether the first row names the columns (default: detected)",
    )
    parser.add_argument(
        "--encoding", metavar="NAME", help="encoding of the text (default: detected)"
    )
    parser.add_argument(
        "--quote", metavar="C", help="the character around fields, or 'none' (default: detected)"
    )
    parser.add_argument(
        "--comment", metavar="C", help="leave out lines that begin with this character"
    )
    parser.add_argument(
        "--escape",
        metavar="C",
        help="the character that makes the next one literal, or 'none' (default: detected)",
    )
    parser.add_argument(
        "--skip-rows", metavar="N", type=_count, help="leave out this many lines at the beginning"
    )
    parser.add_argument(
        "--decimal",
        choices=(".", ","),
        help="the character before the fraction (default: detected)",
    )
    parser.add_argument(
        "--thousands",
        metavar="C",
        help="the character between groups of three digits, or 'none' (default: detected)",
    )


def add_all(parser: argparse.ArgumentParser) -> None:
    """Add the argument that shows all columns of a wide table."""
    parser.add_argument("--all", action="store_true", help="show all columns")


def reading(options: argparse.Namespace) -> dict[str, Any]:
    """Return the options of a dataset that the user gave for how the files are written."""
    given: dict[str, Any] = {}
    if options.delimiter != "auto":
        given["delimiter"] = options.delimiter
    if options.encoding is not None:
        given["encoding"] = options.encoding
    for name in ("quote", "comment", "escape", "skip_rows", "decimal", "thousands"):
        value = getattr(options, name)
        if value is not None:
            given[name] = None if value == "none" else value
    if options.header != "auto":
        given["header"] = options.header == "yes"
    return given


def whole(text: str) -> int:
    """Parse a whole number above 0."""
    try:
        number = int(text.replace(",", "").replace("_", ""))
    except ValueError:
        number = 0
    if number < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return number


def _count(text: str) -> int:
    if not (text.isascii() and text.isdecimal()):
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of lines")
    return int(text)


def _delimiter(text: str) -> str:
    return {"\\t": "\t", "tab": "\t"}.get(text, text)


@contextlib.contextmanager
def on_disk(file: str) -> Iterator[str]:
    """Yield the path of a file that can be read again. Copies a stream."""
    if not comes_once(file):
        yield file
        return
    # A file without a name disappears with the process, however that ends.
    with tempfile.TemporaryFile(prefix="csvfeed-", suffix=".csv") as copy:
        try:
            with open_once(file) as stream:
                shutil.copyfileobj(stream, copy, 1 << 20)
            copy.flush()
        except OSError as error:
            where = tempfile.gettempdir()
            said = (
                f"{error.strerror or error}: {name_of(file)} is read more than once, so it is "
                f"copied to {where}: set TMPDIR to a directory with room for it"
            )
            # What could not be written before cannot be written on close either.
            with contextlib.suppress(OSError):
                copy.close()
            raise OSError(error.errno, said) from None
        path = path_of(copy)
        _COPIES[path] = name_of(file)
        yield path


def told(error: Exception) -> str:
    """Return the message of an error, with the name of the original in place of a copy's."""
    message = str(error)
    for path, name in _COPIES.items():
        message = message.replace(path, name)
    return message


def comes_once(file: str) -> bool:
    """Whether a file can be read only once: the standard input, or a pipe."""
    if file == STDIN:
        return True
    try:
        mode = os.stat(file).st_mode
    except (OSError, ValueError):
        return False
    return stat.S_ISFIFO(mode) or stat.S_ISCHR(mode) or stat.S_ISSOCK(mode)


@contextlib.contextmanager
def open_once(file: str) -> Iterator[BinaryIO]:
    """Open a file that can be read only once."""
    if file == STDIN:
        if sys.stdin is None:
            raise ValueError("the standard input is closed")
        yield sys.stdin.buffer
        return
    with open(file, "rb") as stream:
        yield stream


def files_of(file: str) -> list[str]:
    """Return the files that a path, a pattern or a directory stands for."""
    if file == STDIN or is_url(file) or comes_once(file):
        return [file]
    return [os.fsdecode(part) for part in parts(file) if isinstance(part, (str, bytes))]


def name_of(file: str) -> str:
    """Return the name of a file for the output."""
    return "<stdin>" if file == STDIN else os.fspath(file)
