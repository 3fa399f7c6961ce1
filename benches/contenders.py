"""The readers that are compared, each asked for the same thing.

A reader turns a `CsvFile` into batches ``(X, y)`` of equally many rows, the last one shorter:
``X`` float32 of shape ``(rows, features)``, ``y`` float32 of shape ``(rows,)``, both C-contiguous,
a missing value being NaN. Each library reads in pieces of the size that serves it best, which
`rebatch` cuts to size, copying only where a batch lies across two pieces. Types are given, never
inferred.
"""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import islice

import numpy as np
from files import CsvFile

from csvfeed.cli import libraries

BATCH_SIZES = (4096, 65_536)
CHUNK_ROWS = 65_536

Batches = Iterator[tuple[np.ndarray, np.ndarray]]
LEAST_MEGABYTES = 8
NUMBERS_ONLY = "it reads files of plain numbers only: no text columns, no NA"


@dataclass(frozen=True)
class Request:
    """What a reader is asked for.

    Attributes
    ----------
    batch_size : int
        Rows in a batch.
    threads : int, optional
        None: as many as the library likes.
    """

    batch_size: int
    threads: int | None


@dataclass(frozen=True)
class Contender:
    """One reader.

    Attributes
    ----------
    name, label : str
        What the command line and the tables call it.
    modules : tuple of str
        Imported before the clock starts.
    read : callable
        Reads a file as requested.
    limit : callable, optional
        Tells the library, before it reads, to use one thread.
    share : float
        How much of a file it reads when timed, from its beginning: all of it, unless it is so slow
        that nobody would wait.
    numbers_only : bool
        It cannot read text columns or missing values.
    is_floor : bool
        It yields nothing: it shows how long the bytes alone take.
    """

    name: str
    label: str
    modules: tuple[str, ...]
    read: Callable[[CsvFile, Request], Batches]
    limit: Callable[[], None] | None = None
    share: float = 1.0
    numbers_only: bool = False
    is_floor: bool = False

    def part(self, file: CsvFile) -> CsvFile:
        """Return the part of the file that this reader is timed on."""
        if self.share == 1:
            return file
        return file.head(max(LEAST_MEGABYTES, int(self.share * file.megabytes)))

    def refusal(self, file: CsvFile) -> str | None:
        """Say why this reader cannot read the file, or None."""
        return NUMBERS_ONLY if self.numbers_only and file.missing else None


def plain(file: CsvFile) -> libraries.PlainFile:
    """Return the file as other libraries need it."""
    missing = [file.missing] if file.missing else []
    return libraries.PlainFile(file.path, file.columns, file.used, file.header, ",", missing)


def rebatch(pieces: Iterable[tuple[np.ndarray, np.ndarray]], request: Request) -> Batches:
    """Cut pieces of any number of rows into batches."""
    size = request.batch_size
    rest: list[tuple[np.ndarray, np.ndarray]] = []
    waiting = 0
    for X, y in pieces:
        start = 0
        if waiting:
            start = min(size - waiting, len(y))
            rest.append((X[:start], y[:start]))
            waiting += start
            if waiting < size:
                continue
            yield join(rest)
            rest, waiting = [], 0
        whole = start + (len(y) - start) // size * size
        for stop in range(start + size, whole + 1, size):
            yield X[stop - size : stop], y[stop - size : stop]
        if whole < len(y):
            rest, waiting = [(X[whole:], y[whole:])], len(y) - whole
    if waiting:
        yield join(rest)


def join(pieces: list[tuple[np.ndarray, np.ndarray]]) -> tuple[np.ndarray, np.ndarray]:
    return np.concatenate([X for X, _ in pieces]), np.concatenate([y for _, y in pieces])


def csvfeed(file: CsvFile, request: Request) -> Batches:
    import csvfeed

    positions = [file.columns.index(name) for name in file.features]
    return iter(
        csvfeed.CsvDataset(
            file.path,
            target=file.columns.index(file.target),
            features=None if file.is_all_used else positions,
            batch_size=request.batch_size,
            header=file.header,
            missing_target="keep" if file.missing else "raise",
            threads=request.threads,
        )
    )


def pure_python(file: CsvFile, request: Request) -> Batches:
    from csvfeed.demo.textbook import read_batches

    return read_batches(
        file.path,
        request.batch_size,
        target=file.used.index(file.target),
        columns=None if file.is_all_used else [file.columns.index(name) for name in file.used],
        missing=file.missing,
        skip_header=file.header,
    )


def loadtxt(file: CsvFile, request: Request) -> Batches:
    with open(file.path, encoding="utf-8") as lines, warnings.catch_warnings():
        # At the end of the file there is "no data", which is how this loop ends.
        warnings.simplefilter("ignore", UserWarning)
        next(islice(lines, int(file.header), int(file.header)), None)
        target = file.columns.index(file.target)

        def tables() -> Batches:
            while True:
                chunk = islice(lines, CHUNK_ROWS)
                table = np.loadtxt(chunk, dtype=np.float32, delimiter=",", ndmin=2)
                if not len(table):
                    return
                X = np.delete(table, target, axis=1)
                yield X, np.ascontiguousarray(table[:, target])

        yield from rebatch(tables(), request)


def pandas(file: CsvFile, request: Request) -> Batches:
    features = list(file.features)
    pieces = (
        (np.ascontiguousarray(frame[features].to_numpy()), frame[file.target].to_numpy())
        for frame in libraries.pandas_frames(plain(file))
    )
    return rebatch(pieces, request)


def polars(file: CsvFile, request: Request) -> Batches:
    pieces = (
        (frame.select(file.features).to_numpy(order="c"), frame[file.target].to_numpy())
        for frame in libraries.polars_frames(plain(file))
    )
    return rebatch(pieces, request)


def pyarrow(file: CsvFile, request: Request) -> Batches:
    pieces = (arrow_arrays(batch, file) for batch in libraries.arrow_batches(plain(file)))
    return rebatch(pieces, request)


def one_thread_pyarrow() -> None:
    import pyarrow as pa

    pa.set_cpu_count(1)
    pa.set_io_thread_count(1)


def duckdb(file: CsvFile, request: Request) -> Batches:
    batches = libraries.duckdb_batches(plain(file), request.threads)
    return rebatch((arrow_arrays(batch, file) for batch in batches), request)


def arrow_arrays(batch: object, file: CsvFile) -> tuple[np.ndarray, np.ndarray]:
    X = batch.select(list(file.features)).to_tensor(null_to_nan=True, row_major=True).to_numpy()
    return X, batch.column(file.target).to_numpy(zero_copy_only=False)


def tf_csv_dataset(file: CsvFile, request: Request) -> Batches:
    import tensorflow as tf

    rows = tf.data.experimental.CsvDataset(
        file.path,
        record_defaults=[float("nan")] * len(file.used),
        header=file.header,
        select_cols=[file.columns.index(name) for name in file.used],
        na_value=file.missing or "",
    )
    batches = rows.batch(request.batch_size).map(
        lambda *columns: stack(columns, file), num_parallel_calls=calls(request.threads)
    )
    return batches.prefetch(1).as_numpy_iterator()


def tf_make_csv_dataset(file: CsvFile, request: Request) -> Batches:
    import tensorflow as tf

    batches = tf.data.experimental.make_csv_dataset(
        file.path,
        request.batch_size,
        column_names=list(file.columns),
        column_defaults=[float("nan")] * len(file.used),
        select_columns=list(file.used),
        label_name=file.target,
        na_value=file.missing or "",
        header=file.header,
        num_epochs=1,
        shuffle=False,
        num_parallel_reads=1,
    )
    return batches.map(
        lambda features, y: (tf.stack([features[name] for name in file.features], axis=1), y),
        num_parallel_calls=calls(request.threads),
    ).as_numpy_iterator()


def tf_decode_csv(file: CsvFile, request: Request) -> Batches:
    import tensorflow as tf

    positions = [file.columns.index(name) for name in file.used]

    def decode(lines: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        columns = tf.io.decode_csv(
            lines,
            record_defaults=[float("nan")] * len(file.used),
            select_cols=positions,
            na_value=file.missing or "",
        )
        return stack(columns, file)

    lines = tf.data.TextLineDataset(file.path).skip(int(file.header)).batch(request.batch_size)
    return (
        lines.map(decode, num_parallel_calls=calls(request.threads)).prefetch(1).as_numpy_iterator()
    )


def stack(columns: Iterable[object], file: CsvFile) -> tuple[object, object]:
    import tensorflow as tf

    named = dict(zip(file.used, columns, strict=True))
    return tf.stack([named[name] for name in file.features], axis=1), named[file.target]


def calls(threads: int | None) -> int | None:
    """Return the ``num_parallel_calls`` for that many threads: all of them means "tune it"."""
    import tensorflow as tf

    return tf.data.AUTOTUNE if threads is None else None


def one_thread_tensorflow() -> None:
    import tensorflow as tf

    tf.config.threading.set_intra_op_parallelism_threads(1)
    tf.config.threading.set_inter_op_parallelism_threads(1)


def floor(file: CsvFile, _request: Request) -> Batches:
    """Read the bytes in pieces that stay in the cache, look at each once, and yield nothing."""
    piece = bytearray(256 << 10)
    with open(file.path, "rb", buffering=0) as source:
        while source.readinto(piece):
            # A search for what is not there.
            piece.find(0)
    return iter(())


# The first conversion to numpy loads pandas, where that is installed.
ARROW = ("pyarrow.csv", "pandas")
TF = {"modules": ("tensorflow",), "limit": one_thread_tensorflow}
CONTENDERS = {
    contender.name: contender
    for contender in (
        Contender("csvfeed", "csvfeed", ("csvfeed",), csvfeed),
        Contender("floor", "the bytes alone", (), floor, is_floor=True),
        Contender("polars", "polars collect_batches", ("polars",), polars),
        Contender("pyarrow", "pyarrow open_csv", ARROW, pyarrow, one_thread_pyarrow),
        Contender("pandas", "pandas chunks", ("pandas",), pandas),
        Contender("duckdb", "duckdb read_csv", ("duckdb", *ARROW), duckdb),
        Contender("loadtxt", "numpy loadtxt", ("numpy",), loadtxt, share=0.25, numbers_only=True),
        Contender(
            "pure-python",
            "pure Python",
            ("csvfeed.demo.textbook",),
            pure_python,
            share=0.25,
        ),
        Contender("tf-decode-csv", "tf decode_csv", read=tf_decode_csv, share=0.15, **TF),
        Contender("tf-csv-dataset", "tf CsvDataset", read=tf_csv_dataset, share=0.1, **TF),
        Contender(
            "tf-make-csv-dataset",
            "tf make_csv_dataset",
            read=tf_make_csv_dataset,
            share=0.04,
            **TF,
        ),
    )
}
