"""``csvfeed demo``: write a file, train from it, and show the cost."""

from __future__ import annotations

import argparse
import importlib.util
import os
from pathlib import Path

from csvfeed.cli.files import Commands, whole

PACKAGES = ("tensorflow", "keras", "matplotlib")
FEWEST_ROWS = 1000
FEWEST_BATCHES = 20


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    demo = commands.add_parser(
        "demo",
        help="write a CSV file, train a Keras model from it, and show what it cost",
        description=(
            "Write a file of two columns, train a small Keras model from it with csvfeed, then "
            "measure the reading and the training and draw the loss. The defaults take about a "
            "minute of training on two cores."
        ),
        formatter_class=argparse.ArgumentDefaultsHelpFormatter,
    )
    demo.add_argument(
        "--rows", type=whole, default=5_000_000, metavar="N", help="rows of the training file"
    )
    demo.add_argument(
        "--epochs", type=whole, default=2, metavar="N", help="passes over the training file"
    )
    demo.add_argument("--batch-size", type=whole, default=250, metavar="N", help="rows in a batch")
    demo.add_argument(
        "--directory",
        type=Path,
        default=Path("csvfeed-demo"),
        metavar="DIR",
        help="directory of the files and the picture",
    )
    demo.add_argument(
        "--keep",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep the CSV files for the next run",
    )
    demo.set_defaults(run=lambda options: _run(options, demo))


def _run(options: argparse.Namespace, parser: argparse.ArgumentParser) -> int:
    fewest = max(FEWEST_ROWS, FEWEST_BATCHES * options.batch_size)
    if options.rows < fewest:
        parser.error(f"--rows must be at least {fewest:,}, to have something to measure")
    missing = [name for name in PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        raise ImportError(f"the demo needs {', '.join(missing)}: pip install 'csvfeed[demo]'")
    # TensorFlow and Keras read both while they are imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    os.environ["KERAS_BACKEND"] = "tensorflow"

    from csvfeed import demo

    demo.run(
        options.directory,
        rows=options.rows,
        epochs=options.epochs,
        batch_size=options.batch_size,
        keep=options.keep,
    )
    return 0
