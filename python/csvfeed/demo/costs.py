"""The costs of reading and training."""

from __future__ import annotations

import multiprocessing
import signal
import statistics
import time
from collections.abc import Callable, Iterable
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from csvfeed import CsvDataset
from csvfeed.demo.textbook import read_batches


@dataclass(frozen=True)
class Reading:
    """The cost of reading alone. `memory` is in bytes, or None if the system does not tell."""

    rows_per_second: float
    pure_python_rows_per_second: float
    memory: int | None


@dataclass(frozen=True)
class Stepping:
    """Seconds of a training step, and seconds of waiting for its batch, in each round."""

    file: list[float]
    memory: list[float]
    file_waits: list[float]
    memory_waits: list[float]

    @property
    def waits(self) -> list[float]:
        """Extra waiting for the file, compared with memory, as a part of a step, in each round."""
        step = statistics.median(self.file)
        return [
            (file - memory) / step
            for file, memory in zip(self.file_waits, self.memory_waits, strict=True)
        ]


def measure_reading(path: Path, batch_size: int, rounds: int = 5) -> Reading:
    """Measure csvfeed and the pure-Python reader on a file, in turns.

    Parameters
    ----------
    path : pathlib.Path
        A CSV file of numbers.
    batch_size : int
        Rows a batch.
    rounds : int
        Turns of each reader. A turn takes half a second or the whole file; the medians count.

    Returns
    -------
    Reading
        Its memory is the peak of one whole pass, above what was in use before it.
    """
    before = memory("VmRSS")
    dataset = CsvDataset(path, batch_size=batch_size)
    for _ in dataset:
        pass
    peak = memory("VmHWM")

    fed, split = [], []
    for _ in range(rounds):
        fed.append(_rows_per_second(dataset, seconds=0.5))
        split.append(_rows_per_second(read_batches(path, batch_size), seconds=0.5))
    return Reading(
        rows_per_second=statistics.median(fed),
        pure_python_rows_per_second=statistics.median(split),
        memory=None if before is None or peak is None else max(0, peak - before),
    )


def measure_reading_alone(path: Path, batch_size: int) -> Reading:
    """Call `measure_reading` in a new process without TensorFlow.

    Parameters
    ----------
    path : pathlib.Path
        A CSV file of numbers.
    batch_size : int
        Rows a batch.

    Returns
    -------
    Reading
    """
    spawn = multiprocessing.get_context("spawn")
    # Ctrl-C reaches both processes: this one reports it, and the other just ends.
    with ProcessPoolExecutor(
        1, mp_context=spawn, initializer=signal.signal, initargs=(signal.SIGINT, signal.SIG_DFL)
    ) as process:
        return process.submit(measure_reading, path, batch_size).result()


def measure_stepping(model: Any, dataset: CsvDataset, rounds: int = 7) -> Stepping:
    """Time training steps on batches from the file and on the same batches in memory, in turns.

    Parameters
    ----------
    model : keras.Model
        A compiled model. It gets trained.
    dataset : CsvDataset
        Where the batches come from.
    rounds : int
        Turns of each.

    Returns
    -------
    Stepping
    """
    from_file = dataset.to_tf().take(min(300, len(dataset)))
    from_memory = from_file.cache()
    for _ in from_memory:  # fills the cache
        pass
    meter = _WaitMeter()
    metered_file, metered_memory = meter.attach(from_file), meter.attach(from_memory)
    _seconds_per_step(model, from_memory)  # the first fit is slower than those after it
    stepping = Stepping([], [], [], [])
    for _ in range(rounds):
        # A clock in the pipeline takes time itself, so steps are timed with and without it.
        stepping.file.append(_seconds_per_step(model, from_file))
        stepping.memory.append(_seconds_per_step(model, from_memory))
        stepping.file_waits.append(meter.seconds_per_step(model, metered_file))
        stepping.memory_waits.append(meter.seconds_per_step(model, metered_memory))
    return stepping


class _WaitMeter:
    """Times, inside `fit`, how long a step waits for its batch."""

    def __init__(self) -> None:
        import tensorflow as tf

        self._seconds = tf.Variable(0.0, dtype=tf.float64)

    def attach(self, batches: Any) -> Any:
        """Return the same batches, with the clock read before and after each request."""
        import tensorflow as tf

        def add(asked: Any, batch: Any, got: Any) -> Any:
            self._seconds.assign_add(got - asked)
            return batch

        clock = tf.data.Dataset.from_tensors(0).repeat().map(lambda _: tf.timestamp())
        metered = tf.data.Dataset.zip((clock, batches, clock)).map(add)
        # By default tf.data would request a batch, and read the clock, ahead of time.
        options = tf.data.Options()
        options.experimental_optimization.inject_prefetch = False
        options.experimental_optimization.map_parallelization = False
        return metered.with_options(options)

    def seconds_per_step(self, model: Any, metered: Any) -> float:
        """Train on the batches of `attach`, and return the mean wait after the first step."""

        def forget(batch: int) -> None:
            if batch == 0:
                self._seconds.assign(0.0)

        _fit(model, metered, on_step=forget)
        return float(self._seconds.numpy()) / (len(metered) - 1)


def _rows_per_second(batches: Iterable[tuple[Any, ...]], seconds: float) -> float:
    rows, elapsed = 0, 0.0
    start = time.perf_counter()
    for _, y in batches:
        rows += len(y)
        elapsed = time.perf_counter() - start
        if elapsed >= seconds:
            break
    return rows / elapsed


def _seconds_per_step(model: Any, batches: Any) -> float:
    times = np.empty(len(batches))

    def note(batch: int) -> None:
        times[batch] = time.perf_counter()

    # From the end of the first step, so that what comes once an epoch is left out.
    _fit(model, batches, on_step=note)
    return float(times[-1] - times[0]) / (len(times) - 1)


def _fit(model: Any, batches: Any, on_step: Callable[[int], None]) -> None:
    import keras

    def call(batch: int, logs: object) -> None:  # noqa: ARG001
        on_step(batch)

    callback = keras.callbacks.LambdaCallback(on_train_batch_end=call)
    model.fit(batches, shuffle=False, verbose=0, callbacks=[callback])


def memory(name: str) -> int | None:
    """Return a memory counter of this process on Linux, in bytes; None on other systems.

    Parameters
    ----------
    name : str
        ``"VmRSS"``, the memory in use, or ``"VmHWM"``, its peak.

    Returns
    -------
    int or None
    """
    try:
        status = Path("/proc/self/status").read_text(encoding="ascii")
    except OSError:
        return None
    kibibytes = [line.split()[1] for line in status.splitlines() if line.startswith(f"{name}:")]
    return int(kibibytes[0]) * 1024 if kibibytes else None
