"""Train on a file shaped like HIGGS.csv and show how much time `cache` saves.

HIGGS.csv has 11 million collisions and takes 7.5 GB: no header, the label first, then 28 features
written as `%.18e`. Without `--file`, the script writes a smaller file of that shape. It trains the
same model twice, from the text and with a cache, and prints the seconds of each epoch. The first
epoch takes longer than the others: it counts the rows, writes the cache, and compiles the model.
The script also times the reading alone, without a model.

    pip install 'csvfeed[tensorflow]'
    python examples/higgs.py
    python examples/higgs.py --file HIGGS.csv --batch-size 1024
"""

import argparse
import os
import shutil
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "2")

import keras
import numpy as np

from csvfeed import CsvDataset

FEATURES = 28


def write_like_higgs(path: Path, rows: int) -> Path:
    """Write labels that depend on the features, then the features, if the file is not there yet."""
    if not path.exists():
        rng = np.random.default_rng(0)
        draft = path.with_suffix(".draft")
        row = ",".join(["%.18e"] * (1 + FEATURES)) + "\n"
        with draft.open("w") as file:
            for start in range(0, rows, 10_000):
                X = rng.normal(size=(min(10_000, rows - start), FEATURES)).astype(np.float32)
                score = X[:, 0] * X[:, 1] + np.sin(X[:, 2]) + X[:, 3:8].sum(axis=1) / 2
                y = score + rng.logistic(size=len(X)) > 0
                file.write(row * len(X) % tuple(np.column_stack([y, X]).ravel().tolist()))
        draft.rename(path)
    return path


def make_model() -> keras.Model:
    """Return a small classifier. Its weights start the same each time."""
    keras.utils.set_random_seed(0)
    hidden = [keras.layers.Dense(64, activation="relu") for _ in range(2)]
    output = keras.layers.Dense(1, activation="sigmoid")
    model = keras.Sequential([keras.Input((FEATURES,)), *hidden, output])
    # Keras takes one step at a time on PyTorch.
    steps = 1 if keras.backend.backend() == "torch" else 32
    model.compile(loss="binary_crossentropy", optimizer="adam", steps_per_execution=steps)
    return model


def seconds_of(epoch: Callable[[], object], epochs: int) -> str:
    """Run `epoch` so many times and return the seconds of each run as text."""
    seconds = []
    for _ in range(epochs):
        start = time.perf_counter()
        epoch()
        seconds.append(f"{time.perf_counter() - start:.2f} s")
    return "  ".join(seconds)


def read_through(dataset: CsvDataset) -> None:
    """Read an epoch without a model."""
    for _ in dataset:
        pass


def main() -> None:
    """Print the seconds of each epoch, from the text and with a cache."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--file", type=Path, help="HIGGS.csv, or one like it")
    parser.add_argument(
        "--rows", type=int, default=1_000_000, help="rows to write (default: %(default)s)"
    )
    parser.add_argument("--epochs", type=int, default=3, help="default: %(default)s")
    parser.add_argument("--batch-size", type=int, default=1024, help="default: %(default)s")
    parser.add_argument(
        "--directory",
        type=Path,
        default=Path("data"),
        help="where the files go (default: %(default)s)",
    )
    options = parser.parse_args()
    options.directory.mkdir(exist_ok=True)
    path = options.file or write_like_higgs(
        options.directory / f"like-higgs-{options.rows}.csv", options.rows
    )
    text = CsvDataset(path, target=0, header=False, batch_size=options.batch_size)
    directory = options.directory / "cache"
    gigabytes = path.stat().st_size / 1e9
    print(f"{path}: {text.num_rows:,} rows, {gigabytes:.2f} GB of text")
    for name, dataset in {"text": text, "cache": text.cache(directory)}.items():
        # An old cache would hide the time that writing one takes.
        shutil.rmtree(directory, ignore_errors=True)
        read = partial(read_through, dataset)
        print(f"read, {name:5}: {seconds_of(read, options.epochs)}")
    for name, dataset in {"text": text, "cache": text.cache(directory)}.items():
        shutil.rmtree(directory, ignore_errors=True)
        model, data = make_model(), dataset.to_keras()
        fit = partial(model.fit, data, verbose=0)
        print(f"fit,  {name:5}: {seconds_of(fit, options.epochs)}")


if __name__ == "__main__":
    main()
