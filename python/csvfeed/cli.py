"""The ``csvfeed`` command."""

from __future__ import annotations

import argparse
import importlib.util
import os
import sys
from collections.abc import Sequence
from pathlib import Path

import csvfeed

DEMO_PACKAGES = ("tensorflow", "keras", "matplotlib")
FEWEST_ROWS = 1000
FEWEST_BATCHES = 20


def main(argv: Sequence[str] | None = None) -> int:
    """Run the command and return its exit code.

    Parameters
    ----------
    argv : sequence of str, optional
        The arguments; those of the process by default.

    Returns
    -------
    int
        0 when all went well, 1 for an error of the data or the run, 130 after Ctrl-C. A mistake in
        the arguments raises ``SystemExit(2)``, as argparse does.
    """
    parser, demo = _parsers()
    options = parser.parse_args(argv)
    fewest = max(FEWEST_ROWS, FEWEST_BATCHES * options.batch_size)
    if options.rows < fewest:
        demo.error(f"--rows must be at least {fewest:,}, to have something to measure")
    missing = [name for name in DEMO_PACKAGES if importlib.util.find_spec(name) is None]
    if missing:
        return _fail(f"the demo needs {', '.join(missing)}: pip install 'csvfeed[demo]'")
    try:
        _run_demo(options)
    except KeyboardInterrupt:
        print("\ncsvfeed: interrupted", file=sys.stderr)
        return 130
    except (csvfeed.CsvError, OSError) as error:
        return _fail(str(error))
    return 0


def _run_demo(options: argparse.Namespace) -> None:
    # Both are read while TensorFlow and Keras are imported, so they are set before.
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


def _fail(message: str) -> int:
    print(f"csvfeed: error: {message}", file=sys.stderr)
    return 1


def _parsers() -> tuple[argparse.ArgumentParser, argparse.ArgumentParser]:
    parser = argparse.ArgumentParser(
        prog="csvfeed",
        description="Train models from CSV files that do not fit in memory.",
        epilog="Run 'csvfeed demo' to watch a Keras model train from a CSV file.",
    )
    parser.add_argument("--version", action="version", version=f"csvfeed {csvfeed.__version__}")
    commands = parser.add_subparsers(title="commands", metavar="command", required=True)
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
        "--rows", type=_count, default=5_000_000, metavar="N", help="rows of the training file"
    )
    demo.add_argument(
        "--epochs", type=_count, default=2, metavar="N", help="passes over the training file"
    )
    demo.add_argument(
        "--batch-size", type=_count, default=250, metavar="N", help="rows a training step"
    )
    demo.add_argument(
        "--directory",
        type=Path,
        default=Path("csvfeed-demo"),
        metavar="DIR",
        help="where the files and the picture go",
    )
    demo.add_argument(
        "--keep",
        action=argparse.BooleanOptionalAction,
        default=True,
        help="keep the CSV files, for the next run to use again",
    )
    return parser, demo


def _count(text: str) -> int:
    try:
        count = int(text.replace(",", ""))
    except ValueError:
        count = 0
    if count < 1:
        raise argparse.ArgumentTypeError(f"{text!r} is not a whole number above 0")
    return count
