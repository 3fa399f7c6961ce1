"""One pass of one reader over one file, alone in a fresh process.

`readers.py` starts it; it prints one line of JSON. Importing the library is not part of what is
measured, neither in time nor in memory.
"""

from __future__ import annotations

import argparse
import importlib
import json
import os
import resource
import time
from pathlib import Path

import numpy as np
from contenders import BATCH_SIZES, CONTENDERS, Contender, Request
from files import CsvFile

WARM_UP_MEGABYTES = 0.1


def timed_pass(contender: Contender, file: CsvFile, request: Request) -> dict:
    """Read the file once and throw the batches away, after a warm-up that the clock leaves out."""
    before = reset_peak()
    for _ in contender.read(file.head(WARM_UP_MEGABYTES), request):
        pass
    # The threads that numpy's OpenBLAS starts when it is imported spin for a tenth of a second.
    time.sleep(0.3)
    start = time.perf_counter()
    rows = sum(len(y) for _, y in contender.read(file, request))
    seconds = time.perf_counter() - start
    return {"seconds": seconds, "rows": rows, "peak": max(0, peak_memory() - before)}


def kept_pass(contender: Contender, file: CsvFile, request: Request, output: str) -> dict:
    """Read the file once and save what was read, as one table in the order of the columns."""
    start = time.perf_counter()
    batches = list(contender.read(file, request))
    seconds = time.perf_counter() - start
    for X, y in batches:
        for array in (X, y):
            if array.dtype != np.float32 or not array.flags.c_contiguous:
                raise TypeError(f"a batch is {array.dtype}, strides {array.strides}")
    size = request.batch_size
    sizes = {len(y) for _, y in batches[:-1]} | {size}
    if sizes != {size} or not 0 < len(batches[-1][1]) <= size:
        raise ValueError(f"batches have {sorted(sizes)} rows")
    X = np.concatenate([X.reshape(len(y), -1) for X, y in batches])
    y = np.concatenate([y for _, y in batches])
    order = dict(zip(file.features, X.T, strict=True)) | {file.target: y}
    np.save(output, np.stack([order[name] for name in file.used], axis=1))
    return {"seconds": seconds, "rows": len(y)}


def reset_peak() -> int:
    """Forget the peak of resident memory so far and return what is resident now, in bytes."""
    try:
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return peak_memory()
    return status_bytes("VmRSS")


def peak_memory() -> int:
    """Return the peak of resident memory in bytes."""
    try:
        return status_bytes("VmHWM")
    except OSError:
        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024


def status_bytes(key: str) -> int:
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith(f"{key}:"))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("reader", choices=CONTENDERS)
    parser.add_argument("file", help="a CsvFile as JSON")
    parser.add_argument("--core", type=int, help="stay on this core, with one thread")
    parser.add_argument("--batch-size", type=int, default=BATCH_SIZES[0], help="%(default)s")
    parser.add_argument("--keep", metavar="PATH", help="save what was read as a .npy file")
    arguments = parser.parse_args()
    fields = json.loads(arguments.file)
    file = CsvFile(**{k: tuple(v) if isinstance(v, list) else v for k, v in fields.items()})
    contender = CONTENDERS[arguments.reader]
    threads = None
    if arguments.core is not None:
        os.sched_setaffinity(0, {arguments.core})
        threads = 1
    for module in contender.modules:
        importlib.import_module(module)
    if threads and contender.limit:
        contender.limit()
    request = Request(arguments.batch_size, threads)
    if arguments.keep:
        result = kept_pass(contender, file, request, arguments.keep)
    else:
        result = timed_pass(contender, file, request)
    print(json.dumps(result))


if __name__ == "__main__":
    main()
