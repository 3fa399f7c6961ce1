"""``csvfeed count``: the number of rows in files."""

from __future__ import annotations

import argparse

import csvfeed
from csvfeed.cli.files import Commands, Help, add_files, name_of, on_disk, reading
from csvfeed.cli.terminal import progress, table


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "count",
        help="count the rows of files",
        description=(
            "Count the rows of data in each file, and in all of them. The header and blank lines "
            "do not count. A row with line ends in quotes counts once."
        ),
        epilog="example:\n  csvfeed count data/*.csv",
        formatter_class=Help,
    )
    add_files(parser)
    parser.set_defaults(run=_run)


def _run(options: argparse.Namespace) -> int:
    counted = []
    for file in options.files:
        with on_disk(file) as path, progress(f"counting {name_of(file)}", None):
            dataset = csvfeed.CsvDataset(path, target=None, features=[0], **reading(options))
            counted.append((dataset.num_rows, name_of(file)))
    if len(counted) == 1:
        print(counted[0][0])
        return 0
    counted.append((sum(rows for rows, _ in counted), "in all"))
    print(table([[f"{rows:,}", name] for rows, name in counted], [True, False]))
    return 0
