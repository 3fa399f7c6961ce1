"""What each process reads and holds when several train on one file.

``make bench-shares`` runs this and prints the tables of ``docs/distributed.md``. It starts no
engine. For each number of processes it counts the rows as the processes would, one share after the
other, and passes the shares on as they would. Then the first and the last process read an epoch,
each in a process of its own, which notes the bytes that it reads and the memory that it takes. They
read the same file once more as an object in a store, and note their requests. The tables have the
larger of the two figures.
"""

from __future__ import annotations

import argparse
import gc
import itertools
import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any, ClassVar

import fsspec
from files import DATA, NAMES, up_to, wide6_rows, write
from fsspec.implementations.local import LocalFileSystem
from measure import peak_memory, reset_peak

import csvfeed

COUNTS = (1, 2, 4, 16, 64, 256, 1024)
BATCH_SIZE = 65_536
MEBIBYTE = 1 << 20


class Counted(LocalFileSystem):
    """An object store whose objects are files of this machine; it notes each request."""

    protocol = "counted"
    requests: ClassVar[list[int]] = []

    def cat_file(
        self, path: str, start: int | None = None, end: int | None = None, **options: Any
    ) -> bytes:
        """Return some bytes of a file, and note how many."""
        found = super().cat_file(path, start=start, end=end, **options)
        self.requests.append(len(found))
        return found


def file(mebibytes: int) -> Path:
    """Return a file with 29 columns, written unless it is there. Its rows repeat."""
    path = DATA / f"shares-{mebibytes}.csv"
    if not path.exists():
        rows = itertools.chain.from_iterable(itertools.repeat([next(wide6_rows())]))
        header = (",".join(NAMES) + "\n").encode()
        write(path, itertools.chain([header], up_to(mebibytes * MEBIBYTE - len(header), rows)))
    return path


def dataset(source: str, memory: int | None) -> csvfeed.CsvDataset:
    return csvfeed.CsvDataset(
        source, target=NAMES[0], batch_size=BATCH_SIZE, remainder="drop", memory=memory, threads=2
    )


def bytes_read() -> int:
    """Return how many bytes this process has read from files so far."""
    lines = Path("/proc/self/io").read_text().splitlines()
    return int(dict(line.split(": ") for line in lines)["rchar"])


def count_together(path: Path, count: int, memory: int | None) -> tuple[bytes, dict]:
    """Count the rows as so many processes do, and return the row index and what it took."""
    readers, shares, read, told = [], [], 0, 0
    for index in range(count):
        before = bytes_read()
        ds = dataset(str(path), memory)
        told += len(ds._described(index, count, None))
        shares.append(ds._reader.count_share(index, count))
        read = max(read, bytes_read() - before)
        readers.append(ds._reader)
    complete = [reader.complete_share(at, shares) for at, reader in enumerate(readers)]
    readers[0].join_shares(complete)
    told += sum(map(len, shares)) + sum(map(len, complete))
    return readers[0].shared_row_index(), {"counted": read, "told": told}


def epoch(source: str, place: tuple[int, int], shuffled: bool, memory: int | None) -> dict:
    """Read an epoch of one process, whose row index comes from standard input."""
    row_index = sys.stdin.buffer.read()
    ds = dataset(source, memory)
    own = (ds.shuffle(seed=0) if shuffled else ds).distribute(*place)
    own._reader.recall_row_index(row_index)
    steps = len(own)
    gc.collect()
    Counted.requests.clear()
    read, held = bytes_read(), reset_peak()
    rows = {len(y) for _, y in own}
    return {
        "read": bytes_read() - read,
        "held": peak_memory() - held,
        "steps": steps,
        "rows": rows.pop(),
        "requests": len(Counted.requests),
        "fetched": sum(Counted.requests),
    }


def in_a_process(row_index: bytes, *given: object) -> dict:
    """Return what an epoch takes in a process that has done nothing else."""
    command = [sys.executable, __file__, "--epoch", json.dumps(given)]
    done = subprocess.run(command, input=row_index, capture_output=True, check=True)
    return json.loads(done.stdout)


def measure(path: Path, counts: list[int], memory: int | None) -> Iterator[dict]:
    """Yield what each process takes, for each number of processes."""
    for count in counts:
        row_index, found = count_together(path, count, memory)
        for shuffled, stored in itertools.product((False, True), repeat=2):
            source = f"counted://{path}" if stored else str(path)
            both = [
                in_a_process(row_index, source, (index, count), shuffled, memory)
                for index in sorted({0, count - 1})
            ]
            most = {key: max(one[key] for one in both) for key in both[0]}
            found[f"{'shuffled' if shuffled else 'in order'}{', stored' * stored}"] = most
        yield {"count": count, **found}


def size(number: float) -> str:
    """Return a number of bytes in the unit that suits it."""
    power = max(0, min(3, (int(number).bit_length() - 1) // 10))
    scaled = number / 1024**power
    return f"{scaled:,.{int(scaled < 10 and power > 0)}f} {('bytes', 'KiB', 'MiB', 'GiB')[power]}"


def rows_of(heads: tuple[str, ...], rows: list[tuple[str, ...]]) -> str:
    lines = [heads, ("---:",) * len(heads), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def tables(results: list[dict], memory: int) -> str:
    """Return what a process does with a file of this machine, and with an object in a store."""
    local = [
        (
            *(f"{one['count']:,}", f"{one['in order']['rows']:,}", size(one["counted"])),
            *(size(one["told"]), size(one["in order"]["read"]), size(one["in order"]["held"])),
            *(size(one["shuffled"]["held"]), size(memory / one["count"])),
        )
        for one in results
    ]
    stored = [
        (
            f"{one['count']:,}",
            *(
                text
                for order in ("in order, stored", "shuffled, stored")
                for text in (f"{one[order]['requests']:,}", size(one[order]["fetched"]))
            ),
        )
        for one in results
    ]
    heads = (
        *("processes", "rows a step", "read to count", "told by all", "read an epoch", "memory"),
        *("shuffled", "mixed in a lane"),
    )
    requests = ("processes", "requests", "fetched", "shuffled: requests", "fetched")
    return rows_of(heads, local) + "\n" + rows_of(requests, stored)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--mib", type=int, default=1024, help="size of the file")
    parser.add_argument("--counts", type=int, nargs="*", default=COUNTS)
    parser.add_argument("--memory", type=int, help="bytes, as CsvDataset takes them")
    parser.add_argument("--epoch", type=json.loads, help=argparse.SUPPRESS)
    arguments = parser.parse_args()
    if arguments.epoch:
        fsspec.register_implementation("counted", Counted)
        print(json.dumps(epoch(*arguments.epoch)))
        return
    path = file(arguments.mib)
    # As csvfeed shares it out: an eighth of what is asked for is for reading ahead.
    asked = arguments.memory
    mixed = asked - asked // 8 if asked else 256 * MEBIBYTE
    print(f"A file of {size(path.stat().st_size)}, a global batch of {BATCH_SIZE:,} rows.\n")
    print(tables(list(measure(path, arguments.counts, arguments.memory)), mixed), end="")


if __name__ == "__main__":
    main()
