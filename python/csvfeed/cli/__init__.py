"""The ``csvfeed`` command, a module for each of its commands."""

from __future__ import annotations

import argparse
import io
import os
import sys
from collections.abc import Sequence

import csvfeed
from csvfeed.cli import bench, count, demo, head, inspect

EXIT_CODES = """\
exit codes:
  0    all went well
  1    an error of the data or of the run
  2    a mistake in the arguments
  3    'inspect' found rows that are wrong
  130  interrupted with Ctrl-C
  141  whoever read the output has gone
"""

EXAMPLES = """\
examples:
  csvfeed inspect train.csv                 what is in a file, and the code that reads it
  csvfeed head -n 5 https://example.org/train.csv.gz
  csvfeed count data/*.csv
  csvfeed demo                              watch a Keras model train from a CSV file
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        0 when all went well, 1 for an error of the data or the run, 3 if ``inspect`` found wrong
        rows, 130 after Ctrl-C, 141 if whoever read the output has gone. A mistake in the arguments
        raises ``SystemExit(2)``, as argparse does.
    """
    options = _parser().parse_args(argv)
    if isinstance(sys.stdout, io.TextIOWrapper) and not getattr(options, "csv", False):
        # A name that the terminal cannot show is no reason to show nothing.
        sys.stdout.reconfigure(errors="replace")
    try:
        code: int = options.run(options)
        sys.stdout.flush()
    except KeyboardInterrupt:
        print("\ncsvfeed: interrupted", file=sys.stderr)
        return 130
    except BrokenPipeError:
        # What is still in the buffer would fail once more at the end of the process.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 141
    except (ValueError, OSError, ImportError) as error:
        print(f"csvfeed: error: {error}", file=sys.stderr)
        return 1
    return code


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="csvfeed",
        description="Train models from CSV files that do not fit in memory.",
        epilog=f"{EXAMPLES}\n{EXIT_CODES}",
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("--version", action="version", version=f"csvfeed {csvfeed.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="command", required=True)
    for command in (inspect, head, count, bench, demo):
        command.add(commands)
    return parser
