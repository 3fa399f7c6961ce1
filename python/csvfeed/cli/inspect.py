"""``csvfeed inspect``: the contents of a file, and the code that reads it."""

from __future__ import annotations

import argparse
import contextlib
import json

from csvfeed.cli.files import (
    Commands,
    Help,
    add_all,
    add_files,
    files_of,
    on_disk,
    reading,
)
from csvfeed.cli.findings import find
from csvfeed.cli.report import as_json, show
from csvfeed.cli.snippet import snippet
from csvfeed.cli.suggestion import column_named, suggest

WRONG = 3
_DESCRIPTION = (
    "Show the contents of a file: how it is written; the type, missing values, minimum, mean, "
    "maximum and distribution of each column; bad rows, with their places; and code that makes a "
    "dataset of the file. Numbers and bad rows come from the whole file. Types, dates and long "
    "lists of text come from a sample of rows between the beginning and the end; the output says "
    "so. csvfeed has run the code on the whole file. Several files are one table."
)
_EPILOG = """\
examples:
  csvfeed inspect train.csv
  csvfeed inspect --target price --json houses.csv.gz | jq .columns
  csvfeed inspect 2024.csv 2025.csv
  zcat big.csv.gz | csvfeed inspect -

exit codes: 0 all rows are good, 3 some are bad, 1 the file cannot be read
"""


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "inspect",
        help="show the contents of a file, and the code that reads it",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=Help,
    )
    add_files(parser)
    parser.add_argument(
        "--target", metavar="COLUMN", help="the column to predict, by name or index"
    )
    add_all(parser)
    parser.add_argument("--json", action="store_true", help="print the report as JSON")
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    with contextlib.ExitStack() as copies:
        files = [part for file in options.files for part in files_of(file)]
        paths = [copies.enter_context(on_disk(file)) for file in files]
        found = find(paths, reading(options))
        column_named(found, options.target)
        code = snippet(options.files, suggest(found, options.target))
    found.files = options.files
    if options.json:
        print(json.dumps(as_json(found, code), indent=2, allow_nan=False))
    else:
        show(found, code, everything=options.all)
    return WRONG if found.rejects else 0
