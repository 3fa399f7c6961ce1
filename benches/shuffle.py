"""How random csvfeed's shuffle is, beside others of the same memory, and what it costs.

``make bench-shuffle`` runs this: the orders of `orders.py` on a file sorted by its label and twenty
times as large as the memory, the same model trained in each of them, and the time of a shuffled
epoch beside one in the file's order. Only the times need a quiet machine; ``--part`` measures the
orders, csvfeed's with other memory, or the speeds by themselves.
"""

from __future__ import annotations

import argparse
import json
import os
import sys
import time
from pathlib import Path

os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
os.environ["KERAS_BACKEND"] = "tensorflow"

import keras
import report
from files import MEGABYTE, prepare
from orders import (
    BATCH_SIZE,
    FEATURES,
    LABELS,
    ROW_BYTES,
    SortedFile,
    orders,
    randomness,
    sorted_file,
)

import csvfeed

# How many times the float32 values of the file fill the memory.
TIMES_MEMORY = 20
OTHER_TIMES_MEMORY = (2, 5, 20, 50, 100, 200)
WINDOWED_MEMORY = 16 << 20
PARTS = ("orders", "memories", "speeds")


def model(seed: int) -> keras.Model:
    """Return a model to train, its weights drawn with a seed."""
    keras.utils.set_random_seed(seed)
    layers = [keras.layers.Dense(units, activation="relu") for units in (32, 16)]
    network = keras.Sequential(
        [keras.Input((FEATURES,)), *layers, keras.layers.Dense(1, activation="sigmoid")]
    )
    network.compile(loss="binary_crossentropy", optimizer="adam", steps_per_execution=32)
    return network


def measure_orders(file: SortedFile, epochs: int, seeds: int) -> list[dict]:
    """Say how random each order is and what loss, over all rows, training in it ends with.

    Returns
    -------
    list of dict
        One for each of `LABELS`; the losses are one for each seed of the model's weights.
    """
    entries = []
    for name, order in orders(file, file.rows * ROW_BYTES // TIMES_MEMORY, seed=1).items():
        drawn = [order(epoch) for epoch in range(epochs)]
        entry = {"order": name, "label": LABELS[name], **randomness(drawn[0], file.y), "losses": []}
        for seed in range(seeds):
            network = model(seed)
            for rows in drawn:
                X, y = file.X[rows], file.y[rows]
                network.fit(X, y, batch_size=BATCH_SIZE, shuffle=False, verbose=0)
            # Not that of fit, which is low on a run of rows of one label.
            loss = network.evaluate(file.X, file.y, batch_size=1 << 14, verbose=0)
            entry["losses"].append(loss)
        print(entry, file=sys.stderr, flush=True)
        entries.append(entry)
    return entries


def measure_memories(file: SortedFile) -> list[dict]:
    """Say how random csvfeed's order is with more memory and with less."""
    entries = []
    for times in OTHER_TIMES_MEMORY:
        memory = file.rows * ROW_BYTES // times
        order = orders(file, memory, seed=1)["csvfeed"](0)
        entries.append({"times_memory": times, "memory": memory, **randomness(order, file.y)})
    return entries


def measure_speeds(path: str, rounds: int) -> list[dict]:
    """Time epochs of batches of 250 rows of a HIGGS-shaped file, the ways taking turns."""
    entries = []
    for threads in (1, 2):
        plain = csvfeed.CsvDataset(
            path, target=0, header=False, batch_size=BATCH_SIZE, threads=threads
        )
        windowed = csvfeed.CsvDataset(
            path,
            target=0,
            header=False,
            batch_size=BATCH_SIZE,
            threads=threads,
            memory=WINDOWED_MEMORY,
        )
        ways = {
            "in the file's order": plain,
            "shuffled, all rows in memory": plain.shuffle(seed=0),
            f"shuffled, memory={WINDOWED_MEMORY >> 20} MiB": windowed.shuffle(seed=0),
        }
        found = [{"way": way, "threads": threads, "first": None, "seconds": []} for way in ways]
        for entry, dataset in zip(found, ways.values(), strict=True):
            len(dataset)
            entry["first"] = seconds_of(dataset)
        for _ in range(rounds):
            for entry, dataset in zip(found, ways.values(), strict=True):
                entry["seconds"].append(seconds_of(dataset))
        print(found, file=sys.stderr, flush=True)
        entries += found
    return entries


def seconds_of(dataset: csvfeed.CsvDataset) -> float:
    """Time one epoch."""
    start = time.perf_counter()
    for _ in dataset:
        pass
    return time.perf_counter() - start


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--part", choices=PARTS, help="only one of them")
    parser.add_argument("--rows", type=int, default=1_000_000, help="to train on; %(default)s")
    parser.add_argument("--epochs", type=int, default=3, help="to train for; %(default)s")
    parser.add_argument("--seeds", type=int, default=5, help="of the weights; %(default)s")
    parser.add_argument("--mb", type=int, default=1000, help="to time; %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="of timing; %(default)s")
    parser.add_argument("--output", type=Path, default=report.RESULTS, help="a folder")
    options = parser.parse_args()
    report.refuse_debug_build()
    numbers = options.output / "shuffle.json"
    results = json.loads(numbers.read_text()) if options.part and numbers.exists() else {}
    results |= report.opening("shuffle") | {"batch_size": BATCH_SIZE}
    parts = (options.part,) if options.part else PARTS
    if "orders" in parts:
        file = sorted_file(options.rows)
        results |= {
            "rows": file.rows,
            "columns": FEATURES + 2,
            "memory": file.rows * ROW_BYTES // TIMES_MEMORY,
            "times_memory": TIMES_MEMORY,
            "epochs": options.epochs,
            "seeds": options.seeds,
            "orders": measure_orders(file, options.epochs, options.seeds),
        }
    if "memories" in parts:
        results["memories"] = measure_memories(sorted_file(options.rows))
    if "speeds" in parts:
        higgs = prepare("higgs", options.mb)
        rows = higgs.count_rows()
        results |= {
            "rounds": options.rounds,
            "megabytes": higgs.megabytes,
            "float_megabytes": rows * 4 * len(higgs.columns) / MEGABYTE,
            "speeds": measure_speeds(higgs.path, options.rounds),
        }
    print(report.text(results))
    report.save(results, options.output)


if __name__ == "__main__":
    main()
