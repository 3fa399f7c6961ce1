"""A training step's time on one backend of Keras, by where the batches come from.

``fit.py`` starts it, with ``KERAS_BACKEND`` set; it prints one line of JSON.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

import keras
import numpy as np
from files import xy_file

import csvfeed
from csvfeed.demo.textbook import read_batches

BATCH_SIZE = 250
LABELS = {
    "arrays": "arrays in memory",
    "to_keras": "csvfeed to_keras()",
    "shuffled": "csvfeed shuffled, to_keras()",
    "drop-in": "csvfeed drop-in generator",
    "pure-python": "pure-Python generator",
}


def routes(path: Path, steps: int) -> dict[str, Callable[[keras.Model], keras.callbacks.History]]:
    """Return the ways of training a model for one epoch of ``steps`` batches.

    Parameters
    ----------
    path : pathlib.Path
        A file with a header, two columns and exactly as many rows as an epoch needs.
    steps : int
        Batches an epoch.

    Returns
    -------
    dict of callables
        One for each of `LABELS`, taking the model.
    """
    table = np.loadtxt(path, dtype=np.float32, delimiter=",", skiprows=1)
    X, y = np.ascontiguousarray(table[:, :1]), np.ascontiguousarray(table[:, 1])
    dataset = csvfeed.CsvDataset(path, batch_size=BATCH_SIZE)
    data, shuffled_data = dataset.to_keras(), dataset.shuffle(seed=0).to_keras()

    def arrays(model: keras.Model) -> keras.callbacks.History:
        return model.fit(X, y, batch_size=BATCH_SIZE, shuffle=False, verbose=0)

    def to_keras(model: keras.Model) -> keras.callbacks.History:
        return model.fit(data, shuffle=False, verbose=0)

    def shuffled(model: keras.Model) -> keras.callbacks.History:
        return model.fit(shuffled_data, shuffle=False, verbose=0)

    def drop_in(model: keras.Model) -> keras.callbacks.History:
        batches = csvfeed.generate_arrays_from_file(path, BATCH_SIZE)
        return model.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)

    def pure_python(model: keras.Model) -> keras.callbacks.History:
        batches = read_batches(path, BATCH_SIZE, endless=True)
        return model.fit(batches, steps_per_epoch=steps, shuffle=False, verbose=0)

    return dict(zip(LABELS, (arrays, to_keras, shuffled, drop_in, pure_python), strict=True))


def textbook_model(steps_per_execution: int) -> keras.Model:
    """Return the model to train, its weights always the same."""
    keras.utils.set_random_seed(0)
    model = keras.Sequential(
        [
            keras.Input((1,)),
            keras.layers.Dense(16, activation="relu"),
            keras.layers.Dense(8, activation="relu"),
            keras.layers.Dense(1),
        ]
    )
    model.compile(
        loss="mean_absolute_error",
        optimizer="adam",
        metrics=["mean_squared_error"],
        steps_per_execution=steps_per_execution,
    )
    return model


def measure(path: Path, steps: int, rounds: int, counts: list[int]) -> list[dict]:
    """Time every route at every number of steps per execution, in turns.

    Returns
    -------
    list of dict
        One for each, with the microseconds a step of each round.
    """
    feeds = routes(path, steps)
    entries = [
        {
            "backend": keras.backend.backend(),
            "route": route,
            "label": label,
            "steps_per_execution": count,
            "microseconds": [],
        }
        for count in counts
        for route, label in LABELS.items()
    ]
    models = [textbook_model(entry["steps_per_execution"]) for entry in entries]
    losses = [
        feeds[entry["route"]](model).history["loss"][-1]
        for entry, model in zip(entries, models, strict=True)
    ]
    # The same rows in the same order from the same weights: another loss means other rows. A new
    # order has a loss of its own.
    alike = [
        loss for entry, loss in zip(entries, losses, strict=True) if entry["route"] != "shuffled"
    ]
    if not np.allclose(alike, alike[0], rtol=1e-3):
        raise SystemExit(f"the routes do not train alike: losses {losses}")
    for number in range(rounds):
        for entry, model in zip(entries, models, strict=True):
            start = time.perf_counter()
            feeds[entry["route"]](model)
            microseconds = (time.perf_counter() - start) / steps * 1e6
            entry["microseconds"].append(microseconds)
            name, count = entry["route"], entry["steps_per_execution"]
            print(
                f"{entry['backend']}, round {number + 1}/{rounds}: {name}, {count}: "
                f"{microseconds:,.0f} µs a step",
                file=sys.stderr,
                flush=True,
            )
    return entries


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, required=True)
    parser.add_argument("--steps", type=int, required=True)
    parser.add_argument("--steps-per-execution", type=int, nargs="+", required=True)
    options = parser.parse_args()
    path = xy_file(options.steps * BATCH_SIZE)
    print(json.dumps(measure(path, options.steps, options.rounds, options.steps_per_execution)))


if __name__ == "__main__":
    main()
