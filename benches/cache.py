"""Epochs of a cached dataset beside epochs of the text, and beside reading the cache's bytes.

``make bench-cache`` runs this. The file is shaped like HIGGS; it and its cache are in the page
cache. ``python benches/cache.py --reading SECONDS`` reads cached epochs for so long, for a profiler
to look at.
"""

from __future__ import annotations

import argparse
import shutil
import sys
import tempfile
import time
from pathlib import Path

import report
from files import DATA, MEGABYTE, CsvFile, prepare

import csvfeed

BATCH_SIZES = (250, 4096, 65_536)
FLOOR_BYTES = 256 << 10


def dataset(file: CsvFile, batch_size: int, threads: int) -> csvfeed.CsvDataset:
    return csvfeed.CsvDataset(
        file.path, target=file.target, header=list(file.columns), batch_size=batch_size,
        threads=threads,
    )  # fmt: skip


def seconds_of(data: csvfeed.CsvDataset) -> float:
    """Time one epoch, after the rows have been counted."""
    len(data)
    start = time.perf_counter()
    for _ in data:
        pass
    return time.perf_counter() - start


def floor(folder: Path) -> float:
    """Return the GB/s at which the one file of a folder is read into one small buffer."""
    (path,) = folder.iterdir()
    buffer = bytearray(FLOOR_BYTES)
    start = time.perf_counter()
    with path.open("rb", buffering=0) as file:
        while file.readinto(buffer):
            pass
    return path.stat().st_size / (time.perf_counter() - start) / 1e9


def measure(file: CsvFile, rounds: int, folder: Path) -> list[dict]:
    """Time epochs without a cache, with one that is written, and with one that is read, in turns.

    Returns
    -------
    list of dict
        One for each number of threads and each batch size, with the seconds of each round.
    """
    entries = [
        {"threads": threads, "batch_size": size, "plain": [], "written": [], "cached": []}
        | {"floor": []}
        for threads in (1, 2)
        for size in BATCH_SIZES
    ]
    for number in range(rounds):
        for entry in entries:
            shutil.rmtree(folder, ignore_errors=True)
            plain = dataset(file, entry["batch_size"], entry["threads"])
            cached = plain.cache(folder)
            entry["plain"].append(seconds_of(plain))
            entry["written"].append(seconds_of(cached))
            # The second time, so that no page is touched for the first time.
            seconds_of(cached)
            entry["cached"].append(seconds_of(cached))
            entry["floor"].append(floor(folder))
            print(f"round {number + 1}/{rounds}: {entry}", file=sys.stderr, flush=True)
    return entries


def read_for(seconds: float, file: CsvFile, batch_size: int, threads: int, folder: Path) -> None:
    """Read cached epochs for so long and say how fast that was."""
    data = dataset(file, batch_size, threads).cache(folder)
    seconds_of(data)
    epochs, start = 0, time.perf_counter()
    while time.perf_counter() - start < seconds:
        seconds_of(data)
        epochs += 1
    passed = time.perf_counter() - start
    values = data.num_rows * len(data.columns)
    print(f"{4 * values * epochs / passed / 1e9:.2f} GB/s of float32")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mb", type=int, default=1000, help="of text; %(default)s")
    parser.add_argument("--rounds", type=int, default=5, help="%(default)s")
    parser.add_argument(
        "--reading", type=float, metavar="SECONDS", help="read, and measure no more"
    )
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZES[0], help="with --reading")
    parser.add_argument("--threads", type=int, default=1, help="with --reading")
    parser.add_argument("--output", type=Path, default=report.RESULTS, help="a folder")
    options = parser.parse_args()
    report.refuse_debug_build()
    file = prepare("higgs", options.mb)
    with tempfile.TemporaryDirectory(dir=DATA) as scratch:
        folder = Path(scratch) / "cache"
        if options.reading:
            read_for(options.reading, file, options.batch_size, options.threads, folder)
            return
        results = report.opening("cache") | {"rounds": options.rounds, "megabytes": file.megabytes}
        results["float_megabytes"] = file.count_rows() * 4 * len(file.columns) / MEGABYTE
        results["entries"] = measure(file, options.rounds, folder)
    print(report.text(results))
    report.save(results, options.output)


if __name__ == "__main__":
    main()
