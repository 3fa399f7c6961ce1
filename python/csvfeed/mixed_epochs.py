"""The epochs of a mix: rows of several datasets, in a random order and in given proportions."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from fractions import Fraction
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from csvfeed import _core
from csvfeed.epochs import Epochs
from csvfeed.errors import CsvError
from csvfeed.order import Order
from csvfeed.outputs import Array, Arrays
from csvfeed.state import Position
from csvfeed.stats import ColumnStats, RowStats
from csvfeed.turns import Turns

GROUP = 4096
"""Rows that are put in a random order together."""

MOST_ROWS = 1 << 52
"""Most rows of an epoch."""

CHUNK_BYTES = 1 << 20
"""Bytes of rows that are put together at once. Small batches are views into them."""


class Proportions:
    """How many of the first rows of a mix are of each source.

    Parameters
    ----------
    weights : sequence of float
        The proportions, above 0.
    """

    def __init__(self, weights: Sequence[float]) -> None:
        parts = [Fraction(weight) for weight in weights]
        # Each source takes its part of what the sources before it leave, so that no count is ever
        # above what is left, and none goes down as the rows go on.
        self._parts = [(part / sum(parts[at:])).as_integer_ratio() for at, part in enumerate(parts)]

    def of(self, rows: int) -> list[int]:
        """Return how many of the first ``rows`` rows are of each source."""
        found = []
        for over, under in self._parts:
            count = rows * over // under
            found.append(count)
            rows -= count
        return found

    def end(self, counts: Sequence[int], stop: str) -> int:
        """Return how many rows a mix of sources with so many rows has.

        It ends with the first source that ends, or with the last one.
        """

        def goes_on(rows: int) -> bool:
            pairs = list(zip(self.of(rows), counts, strict=True))
            if stop == "first":
                return all(taken <= count for taken, count in pairs)
            return any(taken < count for taken, count in pairs)

        low, high = 0, 1
        while goes_on(high):
            if high > MOST_ROWS:
                raise ValueError(
                    "the mix would never end: a dataset with a large weight repeats for as long as "
                    "one with a small weight has rows; weights nearer to each other end it"
                )
            low, high = high, 2 * high
        while high - low > 1:
            middle = (low + high) // 2
            low, high = (middle, high) if goes_on(middle) else (low, middle)
        return low if stop == "first" else high


class Progress:
    """How far an iterator has got.

    Attributes
    ----------
    yielded : int
        How many batches it has yielded.
    ended : bool
        Whether it has raised StopIteration.
    """

    def __init__(self) -> None:
        self.yielded = 0
        self.ended = False


class MixedBatches(Iterator[Arrays]):
    """An iterator over the batches of an epoch of a mix.

    Attributes
    ----------
    progress : Progress
        How far it has got.
    """

    def __init__(self, batches: Iterator[Arrays]) -> None:
        self._batches = batches
        self._turns = Turns()
        self.progress = Progress()

    def __next__(self) -> Arrays:
        with self._turns.mine():
            try:
                batch = next(self._batches)
            except StopIteration:
                self.progress.ended = True
                raise
            self.progress.yielded += 1
            return batch


class MixedEpochs(Epochs):
    """The epochs of a mix. Iterating it and training on it both read from here.

    Parameters
    ----------
    members : list of Epochs
        The epochs of the datasets.
    weights : list of float
        The proportions.
    seed : int
        Seed of the order.
    stop : {"first", "repeat"}
        Whether the mix ends with the first dataset that ends, or with the last.
    batch_size : int
        Rows in a batch.
    """

    not_for_ray = (
        "Ray makes its own batches in its own order, and cannot read a mix: call to_ray() of each "
        "dataset, and mix them with union() or in the training loop"
    )

    def __init__(
        self,
        members: list[Epochs],
        weights: list[float],
        seed: int,
        stop: Literal["first", "repeat"],
        *,
        batch_size: int,
    ) -> None:
        self._members = members
        self._proportions = Proportions(weights)
        self._seed = seed
        self._stop = stop
        self._batch_size = batch_size
        self.remainder = members[0].remainder
        self.outputs = members[0].outputs
        # What trainers ask of an order: whether these are windows.
        self.order = Order(windows=members[0].order.windows)
        self.stats = MixedStats(self)
        self.position = Position()
        self.known_rows = None

    @property
    def num_rows(self) -> int:
        """Rows in an epoch. The first call counts those of each dataset."""
        if self.known_rows is None:
            self.known_rows = self._proportions.end(self._counts(), self._stop)
        return self.known_rows

    def _counts(self) -> list[int]:
        counts = [member.num_rows for member in self._members]
        if 0 in counts:
            # Its own error says why, unless the file is just a header.
            next(self._members[counts.index(0)].open(0), None)
            raise CsvError("the file has no row to mix")
        return counts

    def taken(self) -> list[int]:
        """Return how many rows of each dataset an epoch has."""
        return self._proportions.of(self.num_rows)

    @property
    def members(self) -> list[Epochs]:
        """The epochs of the datasets."""
        return self._members

    @property
    def column_names(self) -> list[str]:
        """Names of the values of a row: features, targets, then the weights."""
        return self._members[0].column_names

    @property
    def inputs(self) -> dict[str, slice]:
        """Where X has each feature by name; see `Epochs.inputs`."""
        return self._members[0].inputs

    def columns(self, arrays: Arrays) -> list[Array]:
        """Return what `open` yields as arrays of shape (B, columns), as `column_names` has them."""
        return self._members[0].columns(arrays)

    @property
    def is_whole(self) -> bool:
        """Whether these are the rows of all workers."""
        return all(member.is_whole for member in self._members)

    @property
    def row_shapes(self) -> list[tuple[int, ...]]:
        """Shape of one row, or window, in each array that `open` yields."""
        return self._members[0].row_shapes

    def open(self, epoch: int, first_batch: int = 0, batch_size: int | None = None) -> MixedBatches:
        """Return an iterator over one epoch. It does not change the position.

        See `Epochs.open`. With ``remainder="pad"`` all batches are full.
        """
        size = self._batch_size if batch_size is None else batch_size
        total, first = self.num_rows, first_batch * self._batch_size
        if self.remainder == "drop" and batch_size is None:
            total -= total % size
        return MixedBatches(self._batches(epoch, first, max(first, total), size))

    def _batches(self, epoch: int, first: int, end: int, size: int) -> Iterator[Arrays]:
        """Yield the rows from ``first`` to before ``end``, ``size`` in a batch."""
        shapes = self.row_shapes
        row_bytes = 4 * sum(math.prod(shape) for shape in shapes)
        whole = size * max(1, CHUNK_BYTES // (size * row_bytes))
        sources = self._open_sources(epoch, first, max(1, min(GROUP, CHUNK_BYTES // row_bytes)))
        order = _Order(self._proportions, self._seed, epoch, self.num_rows)
        for start in range(first, end, whole):
            rows = min(whole, end - start)
            padded = rows
            if self.remainder == "pad":
                padded += -rows % self._batch_size
            chunk = tuple(np.zeros((padded, *shape), np.float32) for shape in shapes)
            filled, failure = _fill(chunk, order.between(start, start + rows), sources)
            until = padded if failure is None else filled - filled % size
            for at in range(0, until, size):
                yield tuple(array[at : at + size] for array in chunk)
            if failure is not None:
                raise failure

    def _open_sources(self, epoch: int, first: int, size: int) -> list[_Source]:
        counts, taken = self._counts(), self.taken()
        order = _Order(self._proportions, self._seed, epoch, self.num_rows)
        before = order.before(first)
        each = zip(self._members, counts, taken, before, strict=True)
        return [
            # An epoch of the mix may need several of a dataset.
            _Source(member.row_by_row(), epoch * max(1, -(-rows // count)), count, row, size)
            for member, count, rows, row in each
        ]

    def find_means(self) -> None:
        """Read the sources for the means that replace missing features, if batches need them."""
        for member in self._members:
            member.find_means()

    @property
    def keeps_order(self) -> bool:
        """Whether the rows are in the order of one source."""
        return False

    def warn_of_rejects(self) -> None:
        """Warn how many rows ``on_error="skip"`` left out, unless an iteration has done so."""
        for member in self._members:
            member.warn_of_rejects()

    def warn_of_values(self) -> None:
        """Warn of values that were read as they are hardly meant."""
        for member in self._members:
            member.warn_of_values()


class _Order:
    """Which source each row of an epoch is of."""

    def __init__(self, proportions: Proportions, seed: int, epoch: int, total: int) -> None:
        self._proportions = proportions
        self._seed = seed
        self._epoch = epoch
        self._total = total
        self._group: tuple[int, NDArray[np.uint8]] | None = None

    def _of_group(self, number: int) -> NDArray[np.uint8]:
        if self._group is None or self._group[0] != number:
            ends = (min(row, self._total) for row in (number * GROUP, (number + 1) * GROUP))
            before, after = map(self._proportions.of, ends)
            counts = [end - start for start, end in zip(before, after, strict=True)]
            found = _core.interleave(counts, self._seed, self._epoch, number)
            self._group = number, np.frombuffer(found, np.uint8)
        return self._group[1]

    def between(self, start: int, end: int) -> NDArray[np.uint8]:
        """Return the source of each row from ``start`` to before ``end``."""
        groups = range(start // GROUP, -(-end // GROUP))
        parts = [
            self._of_group(number)[max(0, start - number * GROUP) : end - number * GROUP]
            for number in groups
        ]
        return np.concatenate(parts) if parts else np.empty(0, np.uint8)

    def before(self, row: int) -> list[int]:
        """Return how many rows of each source come before a row."""
        row = min(row, self._total)
        counts = self._proportions.of(row - row % GROUP)
        within = self.between(row - row % GROUP, row)
        more = np.bincount(within, minlength=len(counts)).tolist()
        return [count + later for count, later in zip(counts, more, strict=True)]


class _Source:
    """The rows of one dataset in an epoch of a mix, which may need several epochs of them.

    Parameters
    ----------
    epochs : Epochs
        Its epochs, row by row.
    epoch : int
        The epoch of the dataset with which the epoch of the mix begins.
    count : int
        Rows in an epoch of the dataset.
    row : int
        Where to begin, counted from the beginning of the epoch of the mix.
    size : int
        Rows to read at once.
    """

    def __init__(self, epochs: Epochs, epoch: int, count: int, row: int, size: int) -> None:
        self._epochs = epochs
        self._epoch = epoch
        self._count = count
        self._row = row
        self._size = size
        self._batches: Iterator[Arrays] | None = None
        # What was read and not taken yet.
        self._rest: Arrays | None = None

    def take(self, rows: int) -> Iterator[Arrays]:
        """Yield the next rows."""
        while rows:
            if self._rest is None:
                self._rest = self._read()
            taken = min(rows, len(self._rest[0]))
            yield tuple(array[:taken] for array in self._rest)
            self._row += taken
            rows -= taken
            left = tuple(array[taken:] for array in self._rest)
            self._rest = left if len(left[0]) else None
            if self._row % self._count == 0 and self._batches is not None:
                # Its end prepares the next epoch, and warns of what was wrong.
                next(self._batches, None)
                self._batches = None

    def _read(self) -> Arrays:
        try:
            if self._batches is None:
                epoch, row = divmod(self._row, self._count)
                self._batches = self._epochs.open(self._epoch + epoch, row, self._size)
            return next(self._batches)
        except Exception:
            if self._size == 1:
                raise
            # Take the rows before the wrong one, too.
            self._size, self._batches = 1, None
            return self._read()


def _fill(
    chunk: Arrays, order: NDArray[np.uint8], sources: list[_Source]
) -> tuple[int, Exception | None]:
    """Put the next rows of each source where the order says.

    Returns how many rows are complete, and the error of the first that could not be read.
    """
    filled, failure = len(order), None
    for number, source in enumerate(sources):
        places = np.flatnonzero(order == number)
        at = 0
        try:
            for arrays in source.take(len(places)):
                own = places[at : at + len(arrays[0])]
                for to, values in zip(chunk, arrays, strict=False):
                    to[own] = values
                if len(arrays) < len(chunk):
                    # The weight of a row that is no padding.
                    chunk[-1][own] = 1
                at += len(own)
        except Exception as error:
            if failure is None or places[at] < filled:
                filled, failure = int(places[at]), error
    return filled, failure


class MixedStats(RowStats):
    """Statistics of the columns of a mix.

    Parameters
    ----------
    epochs : MixedEpochs
        The epochs of the mix.
    """

    def __init__(self, epochs: MixedEpochs) -> None:
        self._epochs = epochs

    @property
    def columns(self) -> list[ColumnStats]:
        """Statistics of each column: those of each dataset, as often as its rows are taken."""
        shares = [
            taken / member.num_rows
            for taken, member in zip(self._epochs.taken(), self._epochs.members, strict=True)
        ]
        columns = zip(*(member.stats.columns for member in self._epochs.members), strict=True)
        return [_together(column, shares) for column in columns]


def _together(columns: Sequence[ColumnStats], shares: Sequence[float]) -> ColumnStats:
    """Return the statistics of a column of several datasets, each repeated so many times."""
    counts = [column.count * share for column, share in zip(columns, shares, strict=True)]
    known = [(column, count) for column, count in zip(columns, counts, strict=True) if count]
    total = sum(counts)
    mean = sum(column.mean * count for column, count in known) / total if known else math.nan
    squares = sum((column.std**2 + (column.mean - mean) ** 2) * count for column, count in known)
    missing = sum(column.missing * share for column, share in zip(columns, shares, strict=True))
    return ColumnStats(
        count=round(total),
        missing=round(missing),
        mean=mean,
        std=math.sqrt(squares / total) if known else math.nan,
        min=min((column.min for column, _ in known), default=math.nan),
        max=max((column.max for column, _ in known), default=math.nan),
    )
