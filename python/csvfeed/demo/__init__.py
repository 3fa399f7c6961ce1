"""The demo: train a Keras model from a CSV file, and measure the cost.

``csvfeed demo`` runs it. It imports TensorFlow, Keras and matplotlib only while it runs, so that
the process that measures reading does not load them.
"""

from __future__ import annotations

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

from csvfeed import CsvDataset
from csvfeed.demo.costs import measure_reading_alone, measure_stepping
from csvfeed.demo.files import write_training_file, write_validation_file
from csvfeed.demo.report import draw_loss, table
from csvfeed.demo.training import build_model, train_model


def run(
    directory: Path,
    *,
    rows: int = 5_000_000,
    epochs: int = 2,
    batch_size: int = 250,
    keep: bool = True,
) -> None:
    """Write the files, train, measure, and show the results.

    Parameters
    ----------
    directory : pathlib.Path
        Directory of the CSV files and the picture. Made if necessary.
    rows : int
        Rows in the training file.
    epochs : int
        Epochs of training.
    batch_size : int
        Rows in a batch.
    keep : bool
        Whether to keep the CSV files for the next run. The picture always stays.
    """
    print("Loading TensorFlow and Keras ...", flush=True)
    with _hushed():
        import keras

        keras.utils.set_random_seed(3)
        keras.ops.zeros(1).numpy()

    # A moving bar for a terminal; a line for each epoch in a file or a pipe.
    verbose = 1 if sys.stdout.isatty() else 2
    directory.mkdir(parents=True, exist_ok=True)
    train_path, validation_path = directory / "xy.csv", directory / "xy-validation.csv"
    try:
        write_training_file(train_path, rows, verbose)
        write_validation_file(validation_path, rows)
        train = CsvDataset(train_path, batch_size=batch_size)
        validation = CsvDataset(validation_path, batch_size=batch_size)

        model = build_model(rows, steps=epochs * len(train))
        curve = train_model(model, train, validation, epochs, verbose)

        print("\nMeasuring ...", flush=True)
        reading = measure_reading_alone(train_path, batch_size)
        stepping = measure_stepping(model, train)
    finally:
        if not keep:
            train_path.unlink(missing_ok=True)
            validation_path.unlink(missing_ok=True)

    picture = directory / "loss.png"
    draw_loss(curve, picture, title=f"{rows:,} rows, {epochs} epochs, batches of {batch_size}")
    print(table(reading, stepping, curve))
    print(f"\nThe loss curve is in {picture}")


@contextlib.contextmanager
def _hushed() -> Iterator[None]:
    """Hold back the log of libraries that start, unless they fail.

    TensorFlow writes its first lines to the file descriptor before it reads TF_CPP_MIN_LOG_LEVEL,
    so that only redirecting the descriptor helps.
    """
    sys.stderr.flush()
    stderr = os.dup(2)
    with tempfile.TemporaryFile() as held:
        os.dup2(held.fileno(), 2)
        try:
            yield
        except BaseException:
            held.seek(0)
            os.write(stderr, held.read())
            raise
        finally:
            sys.stderr.flush()
            os.dup2(stderr, 2)
            os.close(stderr)
