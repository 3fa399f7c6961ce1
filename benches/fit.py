"""A training step's time, by where the batches come from.

``make bench`` runs this. The same small model is fed from arrays in memory, from the pure-Python
reader, from csvfeed's drop-in generator and from ``CsvDataset.to_keras()``. On each backend of
Keras all routes take turns in one process; each has a model of its own, and all must arrive at the
same loss.
"""

from __future__ import annotations

import argparse
import json
import os
import subprocess
import sys
from pathlib import Path

import report

BATCH_SIZE = 250
STEPS_PER_EXECUTION = {"tensorflow": (1, 32), "jax": (1,)}


def measure(backend: str, rounds: int, steps: int) -> list[dict]:
    """Measure one backend in a process of its own.

    Returns
    -------
    list of dict
        One for each route and number of steps per execution.
    """
    counts = map(str, STEPS_PER_EXECUTION[backend])
    program = str(Path(__file__).with_name("fit_backend.py"))
    options = ["--rounds", str(rounds), "--steps", str(steps), "--steps-per-execution", *counts]
    ended = subprocess.run(
        [sys.executable, program, *options],
        env=os.environ | {"KERAS_BACKEND": backend, "TF_CPP_MIN_LOG_LEVEL": "3"},
        stdout=subprocess.PIPE,
        text=True,
        check=True,
    )
    return json.loads(ended.stdout.splitlines()[-1])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=7, help="%(default)s")
    parser.add_argument("--steps", type=int, default=2048, help="steps an epoch; %(default)s")
    parser.add_argument("--output", type=Path, default=report.RESULTS, help="a folder")
    options = parser.parse_args()
    report.refuse_debug_build()
    results = report.opening("fit") | {"batch_size": BATCH_SIZE, "rounds": options.rounds}
    results |= {"steps": options.steps, "entries": []}
    for backend in STEPS_PER_EXECUTION:
        results["entries"] += measure(backend, options.rounds, options.steps)
    print(report.text(results))
    report.save(results, options.output)


if __name__ == "__main__":
    main()
