"""What memory does while a model trains for long.

``make soak`` runs this. Each course is run in a process of its own, and its resident memory noted
at equal distances: 200 epochs over a small file, with validation; 200 calls each of fit, evaluate
and predict; and as many batches as a small model trains on in an hour, read without a model.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path

import report
from files import xy_file

import csvfeed

BATCH_SIZE = 250
EPOCHS = 200
SMALL_ROWS = 5_000
LARGE_ROWS = 2_000_000
SAMPLES = 100
# A step of the textbook's model takes about a millisecond, as benches/fit.py measures.
HOUR = 3_600_000

COURSES = {
    "fit": f"fit, {EPOCHS} epochs with validation, from csvfeed",
    "arrays": f"fit, {EPOCHS} epochs with validation, from arrays in memory",
    "calls": f"{EPOCHS} calls of fit, evaluate and predict, from csvfeed",
    "hour": f"{HOUR:,} batches, from csvfeed without a model",
}
BACKENDS = ("tensorflow", "jax")


def resident() -> int:
    """Return the resident memory of this process, in bytes."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


class Memory:
    """The curve of what is resident against what was done until then."""

    def __init__(self) -> None:
        self.curve: list[tuple[int, int]] = []

    def note(self, done: int) -> None:
        """Add a point."""
        gc.collect()
        self.curve.append((done, resident()))


def run(course: str) -> list[tuple[int, int]]:
    """Go through one course in this process and return its curve."""
    import keras
    import numpy as np
    from fit_backend import textbook_model

    memory = Memory()
    small = csvfeed.CsvDataset(xy_file(SMALL_ROWS), batch_size=BATCH_SIZE)
    data, held_out = small.to_keras(), small.to_keras()
    model = textbook_model(1)
    each_epoch = keras.callbacks.LambdaCallback(
        on_epoch_end=lambda epoch, _: memory.note(epoch + 1)
    )
    if course == "fit":
        model.fit(data, validation_data=held_out, epochs=EPOCHS, callbacks=[each_epoch], verbose=0)
    elif course == "arrays":
        X, y = (np.concatenate(part) for part in zip(*small, strict=True))
        model.fit(
            X, y, batch_size=BATCH_SIZE, validation_data=(X, y), validation_batch_size=BATCH_SIZE,
            epochs=EPOCHS, callbacks=[each_epoch], verbose=0,
        )  # fmt: skip
    elif course == "calls":
        for call in range(EPOCHS):
            model.fit(data, verbose=0)
            model.evaluate(held_out, verbose=0)
            model.predict(held_out, verbose=0)
            memory.note(call + 1)
    else:
        large = csvfeed.CsvDataset(xy_file(LARGE_ROWS), batch_size=BATCH_SIZE)
        drain, done = drainer(large), 0
        memory.note(0)
        while done < HOUR:
            drain()
            done += len(large)
            if done * SAMPLES // HOUR > (done - len(large)) * SAMPLES // HOUR:
                memory.note(done)
    return memory.curve


def drainer(dataset: csvfeed.CsvDataset) -> Callable[[], object]:
    """Return what reads one pass as Keras does on its backend, without a model."""
    import keras

    data = dataset.to_keras()
    if keras.backend.backend() != "tensorflow":
        return lambda: sum(len(X) for X, _ in data.get_jax_iterator())
    import tensorflow as tf

    batches = data.get_tf_dataset()

    @tf.function
    def drain() -> tf.Tensor:
        rows = tf.constant(0)
        for X, _ in batches:
            rows += tf.shape(X)[0]
        return rows

    return drain


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--output", type=Path, default=report.RESULTS, help="a folder")
    parser.add_argument("--course", choices=COURSES, help=argparse.SUPPRESS)
    options = parser.parse_args()
    report.refuse_debug_build()
    if options.course:
        print(json.dumps(run(options.course)))
        return
    results = report.opening("soak") | {"courses": COURSES, "entries": []}
    for backend in BACKENDS:
        for course, label in COURSES.items():
            start = time.perf_counter()
            ended = subprocess.run(
                [sys.executable, __file__, "--course", course],
                env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
                stdout=subprocess.PIPE,
                text=True,
                check=True,
            )
            curve = json.loads(ended.stdout.splitlines()[-1])
            entry = {"backend": backend, "course": course, "label": label, "curve": curve}
            results["entries"].append(entry | {"seconds": time.perf_counter() - start})
            print(
                f"{backend}, {course}: {[size >> 20 for _, size in curve[:: len(curve) // 8]]} MiB"
            )
    report.save(results, options.output)


if __name__ == "__main__":
    main()
