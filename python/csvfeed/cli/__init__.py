"""The ``csvfeed`` command, with a module for each subcommand."""

from __future__ import annotations

import argparse
import difflib
import io
import os
import sys
from collections.abc import Sequence
from typing import IO

import csvfeed
from csvfeed.cli import bench, count, demo, head, inspect, predict
from csvfeed.cli.files import told
from csvfeed.other_names import DATASET

EXIT_CODES = """\
exit codes:
  0    success
  1    an error in the data or the run
  2    an error in the arguments
  3    'inspect' found bad rows
  129  ended by SIGHUP
  130  ended by Ctrl-C
  141  the reader of the output has closed it
  143  ended by SIGTERM
"""

EXAMPLES = """\
examples:
  csvfeed inspect train.csv                 show a file's contents, and the code that reads it
  csvfeed head -n 5 https://example.org/train.csv.gz
  csvfeed count data/*.csv
  csvfeed predict model.keras new.csv --ids customer --out predictions.csv
  csvfeed demo                              watch a Keras model train from a CSV file
"""


INTERRUPTED = 130
GONE = 141


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        0 for success, 1 for an error in the data or the run, 3 if ``inspect`` found bad rows, 130
        after Ctrl-C, 141 if the reader of the output has closed it. An error in the arguments
        raises ``SystemExit(2)``, as in argparse.
    """
    try:
        code = _run(argv)
    except KeyboardInterrupt:
        code = _fail("\ncsvfeed: interrupted", INTERRUPTED)
    except BrokenPipeError:
        code = GONE
    except (ValueError, OSError, ImportError) as error:
        failed = _flush(1) if isinstance(error, OSError) else None
        return failed or _fail(f"csvfeed: error: {told(error)}", 1)
    except SystemExit:
        _flush(0)
        raise
    return _flush(code) or code


def _flush(code: int) -> int | None:
    """Flush the output. If that fails, return ``code``, or an exit code in place of 0."""
    try:
        if sys.stdout is not None:
            sys.stdout.flush()
    except OSError as error:
        # Otherwise the rest of the buffer would fail again at the end of the process.
        _discard(sys.stdout)
        if isinstance(error, BrokenPipeError):
            return code or GONE
        reason = f"the standard output cannot be written: {error.strerror}"
        return _fail(f"csvfeed: error: {reason}", code or 1)
    return None


def _run(argv: Sequence[str] | None) -> int:
    parser = _parser()
    options, unknown = parser.parse_known_args(argv)
    if unknown:
        parser.error(f"unrecognized arguments: {' '.join(unknown)}{_advice(unknown[0], options)}")
    if sys.stdout is None:
        raise ValueError("the standard output is closed")
    if isinstance(sys.stdout, io.TextIOWrapper) and not getattr(options, "csv", False):
        # Show the rest even if the terminal cannot show a character.
        sys.stdout.reconfigure(errors="replace")
    code: int = options.run(options)
    return code


def _advice(unknown: str, options: argparse.Namespace) -> str:
    """Return a question that names the argument that was probably meant, or an empty text."""
    if not unknown.startswith("--"):
        return ""
    name = unknown[2:].partition("=")[0].replace("-", "_")
    if name == "no_header" and hasattr(options, "header"):
        return ": did you mean --header no?"
    known = vars(options).keys() - {"run", "file", "files"}
    meant = DATASET.get(name)
    close = [meant] if meant in known else difflib.get_close_matches(name, known, n=1)
    return "".join(f": did you mean --{one.replace('_', '-')}?" for one in close)


def _fail(message: str, code: int) -> int:
    try:
        print(message, file=sys.stderr, flush=True)
    except OSError:
        _discard(sys.stderr)
    return code


def _discard(stream: IO[str]) -> None:
    null = os.open(os.devnull, os.O_WRONLY)
    os.dup2(null, stream.fileno())
    os.close(null)


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="csvfeed",
        description="Train models from CSV files that do not fit in memory.",
        epilog=f"{EXAMPLES}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"csvfeed {csvfeed.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="command", required=True)
    for command in (inspect, head, count, predict, bench, demo):
        command.add(commands)
    return parser
