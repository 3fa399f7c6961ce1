"""Which rows a dataset has, and in which order: parts, windows, shards, shuffle and cache."""

from __future__ import annotations

import errno
import os
import random
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

from csvfeed import arguments, other_names
from csvfeed.choices import Balance, Fold, StratifiedPart
from csvfeed.columns import Column
from csvfeed.conditions import Where
from csvfeed.system import cache_home

if TYPE_CHECKING:
    # Part of typing since Python 3.11; type checkers bring it for 3.10.
    from typing_extensions import Self


class Part(NamedTuple):
    """A random part of the rows, or of the keys in a column; or the rest of them."""

    column: int | str | None
    fraction: float
    seed: int
    held_out: bool

    @property
    def needs_pass(self) -> bool:
        """Whether only a pass over the rows tells which ones are chosen."""
        return self.column is not None

    @property
    def keeps_neighbours(self) -> bool:
        """Whether rows that follow one another stay together."""
        return self.column is not None

    def __str__(self) -> str:
        """Return the call that makes this part."""
        by = "" if self.column is None else f", by={self.column!r}"
        return f".split({self.fraction}, seed={self.seed}{by})[{int(self.held_out)}]"


class Run(NamedTuple):
    """The rows from ``start`` to before ``stop``, or to the last one."""

    start: int
    stop: int | None

    @property
    def needs_pass(self) -> bool:
        """Whether only a pass over the rows tells which ones are chosen."""
        return False

    @property
    def keeps_neighbours(self) -> bool:
        """Whether rows that follow one another stay together."""
        return True

    def __str__(self) -> str:
        """Return the call that makes this run."""
        return f".skip({self.start})" if self.stop is None else f".take({self.stop})"


class Shard(NamedTuple):
    """One worker's share of the rows. All shares have the same number of batches."""

    worker: int
    workers: int
    batch_size: int
    drop_remainder: bool

    @property
    def needs_pass(self) -> bool:
        """Whether only a pass over the rows tells which ones are chosen."""
        return False

    def __str__(self) -> str:
        """Return the call that makes this share."""
        return f".shard({self.worker}, {self.workers})"


Choice: TypeAlias = Part | Where | Run | StratifiedPart | Fold | Balance
"""A step that chooses rows, whatever worker reads them."""


@dataclass(frozen=True)
class Windows:
    """Windows over the rows.

    Attributes
    ----------
    length : int
        Rows in a window.
    stride : int
        Rows from the beginning of a window to that of the next.
    horizon : int
        Rows from the last row of a window to that of its target.
    by : tuple of int or str
        Columns whose values are equal in all rows of a window.
    share : Shard or None
        One worker's share of the windows.
    """

    length: int
    stride: int
    horizon: int
    by: tuple[int | str, ...]
    share: Shard | None = None

    @property
    def advice(self) -> str:
        """What to do if no window fits: nothing is known without a key."""
        if not self.by:
            return ""
        names = ", ".join(map(repr, self.by))
        return f". Windows take neighbouring rows: sort the file by {names}, then by time"

    def __str__(self) -> str:
        """Return the call that makes these windows."""
        stride = "" if self.stride == 1 else f", stride={self.stride}"
        horizon = f", horizon={self.horizon}" if self.horizon else ""
        by = f", by={(self.by[0] if len(self.by) == 1 else list(self.by))!r}" if self.by else ""
        return f".windows({self.length}{stride}{horizon}{by})"


@dataclass(frozen=True)
class Lanes:
    """The lanes of one process: from ``first`` to before ``end``, out of ``count``.

    ``rows`` is the number of rows of one lane in a batch.
    """

    first: int
    end: int
    count: int
    rows: int

    @property
    def global_rows(self) -> int:
        """Rows of all processes in a batch."""
        return self.count * self.rows

    @property
    def batch_rows(self) -> int:
        """Rows of this process in a batch."""
        return (self.end - self.first) * self.rows

    @property
    def place(self) -> tuple[int, int]:
        """The index of the share that these lanes are, and how many shares there are."""
        own = self.end - self.first
        return self.first // own, self.count // own

    def __str__(self) -> str:
        """Return the call that makes these lanes."""
        index, count = self.place
        lanes = f", lanes={self.count}" if count < self.count else ""
        return f".distribute({index}, {count}{lanes})"


@dataclass(frozen=True)
class Order:
    """Which rows, in which order.

    Attributes
    ----------
    parts : tuple of Choice
        Each chooses among the rows that the one before it left.
    share : Shard or None
        One worker's share of the rows that the parts leave. It always comes last, so that shares
        have the same number of batches whether the user split or sharded first.
    seed : int or None
        Seed of the shuffle. None for the order of the source.
    seed_is_given : bool
        Whether the user gave the seed.
    cache : str or None
        Directory that keeps the parsed rows.
    windows : Windows or None
        The windows that are yielded instead of rows. A share and lanes are then shares of windows.
    lanes : Lanes or None
        The lanes of this process, if the rows are distributed.
    """

    parts: tuple[Choice, ...] = ()
    share: Shard | None = None
    seed: int | None = None
    seed_is_given: bool = False
    cache: str | None = None
    windows: Windows | None = None
    lanes: Lanes | None = None

    @property
    def is_plain(self) -> bool:
        """Whether these are all rows in the order of the source, without a cache."""
        return self == Order()

    @property
    def steps(self) -> list[Choice | Shard]:
        """The steps that choose rows, in their order. A share of windows does not choose rows."""
        is_of_rows = self.share is not None and self.windows is None
        return [*self.parts, *([self.share] if self.share and is_of_rows else [])]

    @property
    def has_conditions(self) -> bool:
        """Whether rows are compared with conditions, so that some may be wrong for them alone."""
        return any(isinstance(part, Where) for part in self.parts)

    @property
    def shared_windows(self) -> Windows | None:
        """The windows of these rows, or of one worker."""
        return self.windows and replace(self.windows, share=self.share)

    def with_part(self, part: Choice) -> Order:
        """Return the order of a part of these rows.

        Raises
        ------
        ValueError
            If rows are repeated.
        """
        repeats = [one for one in self.parts if isinstance(one, Balance) and one.oversample]
        if repeats:
            raise ValueError(
                f"{repeats[0]} repeats rows, and the copies of a row could be in several parts: "
                "call split(), folds(), where(), take(), skip() and other balance() before it"
            )
        return replace(self, parts=(*self.parts, part))

    def with_share(self, share: Shard) -> Order:
        """Return the order of a share of these rows. A share of a share is one of more shares."""
        if outer := self.share:
            worker = outer.worker + outer.workers * share.worker
            share = share._replace(worker=worker, workers=outer.workers * share.workers)
        return replace(self, share=share)

    def check_windows(self) -> None:
        """Check that the rows of windows are neighbours.

        Raises
        ------
        ValueError
            If rows are drawn one by one.
        """
        parted = [part for part in self.parts if not part.keeps_neighbours]
        if self.windows is not None and parted:
            raise ValueError(
                f"{parted[0]} draws each row for itself, so its rows are no neighbours, and "
                "windows would have gaps: split(..., by=...) keeps the rows of one machine or user "
                "together"
            )

    def __str__(self) -> str:
        """Return the calls that make this order."""
        shuffle = "" if self.seed is None else f".shuffle(seed={self.seed})"
        cache = "" if self.cache is None else f".cache({self.cache!r})"
        lanes = "" if self.lanes is None else str(self.lanes)
        # In an order in which they can be called.
        calls = [*self.parts, self.windows, self.share]
        chosen = "".join(str(call) for call in calls if call is not None)
        return chosen + shuffle + cache + lanes

    def described(self) -> dict[str, Any]:
        """Return what distinguishes this order, in types that JSON can store."""
        # With their names, as far as other steps have the same values.
        steps = [
            [*step] if isinstance(step, (Part, Shard)) else [type(step).__name__, *step]
            for step in self.steps
        ]
        described: dict[str, Any] = {"steps": steps, "shuffled": self.seed is not None}
        if self.lanes is not None:
            # Not which of them, since another number of processes may go on.
            described["lanes"] = [self.lanes.count, self.lanes.rows]
        if (windows := self.shared_windows) is not None:
            described["windows"] = [
                *(windows.length, windows.stride, windows.horizon, windows.by),
                windows.share and list(windows.share),
            ]
        return described


class WithOrder(ABC):
    """A dataset with an order, of which others with another order can be made."""

    _order: Order

    @abstractmethod
    def _ordered(self, order: Order) -> Self:
        """Return a dataset of the same source with another choice and order of rows."""


class Ordered(WithOrder):
    """The part of ``CsvDataset`` that chooses rows and their order."""

    _batch_size: int
    _remainder: str

    @other_names.explain(
        other_names.SHUFFLE,
        "shuffle(), or shuffle(seed=0)",
        by_position="shuffle({0}): csvfeed shuffles all rows, so it takes no buffer size as "
        "tf.data does. Write shuffle(), or shuffle(seed={0}) if it is a seed",
    )
    def shuffle(self, *, seed: int | None = None) -> Self:
        """Return a dataset with the same rows in a new order each epoch.

        If the rows fit into ``memory`` (256 MiB by default), their order is a uniform permutation:
        csvfeed reads them in the first epoch and keeps them in memory as long as the dataset lives.
        Otherwise it draws blocks of some kilobytes from all over the source until their rows fill
        half of ``memory``, and yields these in random order while it fills the other half. It
        prepares the next epoch while this one ends.

        The order depends on the seed, the number of the epoch, the rows and ``memory``. It does not
        depend on threads, machine or time.

        Parameters
        ----------
        seed : int, optional
            0 or more. By default csvfeed draws it once from Python's ``random``, which
            ``keras.utils.set_random_seed`` seeds.

        Returns
        -------
        CsvDataset
            The same rows. It replaces an earlier shuffle.

        Raises
        ------
        TypeError, ValueError
            If the seed is not a whole number from 0 to 2**63 - 1, or is given by position. Without
            a seed, if the dataset is distributed.

        Notes
        -----
        csvfeed shuffles as Durstenfeld does (1964, after Fisher and Yates 1938), with numbers of
        SplitMix64 (Steele, Lea and Flood 2014) that are uniform below a limit (Lemire 2019).
        docs/shuffle.md measures how random the order is.
        """
        given = seed is not None
        if not given and self._order.lanes is not None:
            raise ValueError(
                "the processes would draw different seeds: give them one, shuffle(seed=0), or call "
                "shuffle() before distribute(), which passes on the seed of the first process"
            )
        drawn = arguments.seed(seed) if given else random.getrandbits(63)
        return self._ordered(replace(self._order, seed=drawn, seed_is_given=given))

    @other_names.explain(
        other_names.SPLIT,
        "split(0.1, seed=0) holds out a tenth of the rows",
        by_position="split({0}, {1}): split takes one number by position, the fraction that is "
        "held out. Write split({0}, seed={1}) if the other one is a seed",
    )
    def split(
        self,
        fraction: float,
        *,
        seed: int = 0,
        by: Column | None = None,
        stratify: Column | None = None,
    ) -> tuple[Self, Self]:
        """Return two datasets: one of most rows, and one of the rows that are held out.

        Each row is in exactly one part. The parts are the same in every run; they do not depend on
        the batch size, the threads, the memory or a shuffle. csvfeed writes nothing: each part
        reads the source and skips the rows of the other. The parts of a shard are its shares of the
        parts of the whole, so that no worker trains on rows that another one has held out.

        Parameters
        ----------
        fraction : float
            The part of the rows to hold out: the nearest whole number of rows, and at least one on
            either side. csvfeed draws them evenly, out of 1,024 rows at a time. With ``by`` it is
            the probability that a key is held out, whatever number of rows that gives.
        seed : int, default 0
            Seed of the draw. To split a part again, the same seed will do: csvfeed draws anew.
        by : int or str, optional
            A column of text that decides: rows with the same value stay together. csvfeed compares
            values without quotes and the spaces around them.
        stratify : int or str, optional
            A column whose text is the class of a row, without quotes and the spaces around it. Of
            each class with ``n`` rows, exactly ``round(fraction * n)`` are held out, where halves
            are rounded up. So a class with few rows may have none in one of the parts. The rows are
            drawn from the whole file, not out of 1,024 rows at a time. Rows whose class is missing
            are a class of their own. The first use of each part finds its rows in passes over the
            source.

        Returns
        -------
        tuple of CsvDataset
            ``(train, held_out)``, each with its own ``num_rows`` and ``len``.

        Raises
        ------
        CsvError
            If the column ``by`` or ``stratify`` does not exist. From the first use: if the column
            of ``stratify`` has more than 10,000 different values.
        TypeError, ValueError
            If the fraction is not between 0 and 1, an argument is not valid, both ``by`` and
            ``stratify`` are given, rows are repeated by ``balance``, or a dataset of ``windows`` is
            split without ``by``.

        Notes
        -----
        Of each 1,024 rows csvfeed draws a set by Robert Floyd's algorithm (Bentley and Floyd 1987),
        with numbers of SplitMix64 (Steele, Lea and Flood 2014). With ``by``, the xxh3 hash of the
        value and the seed decides. With ``stratify``, each row has a random number, and the rows
        with the lowest ones of each class are held out.
        """
        share = arguments.fraction(fraction)
        number = arguments.seed(seed)
        key, label = arguments.key_or_class(by, stratify)

        def part(*, held_out: bool) -> Choice:
            if label is not None:
                return StratifiedPart(label, share, number, held_out)
            return Part(key, share, number, held_out)

        orders = [self._order.with_part(part(held_out=held)) for held in (False, True)]
        orders[0].check_windows()
        kept, held_out = map(self._ordered, orders)
        return kept, held_out

    @other_names.explain(
        other_names.SHARD,
        "shard(0, 4) is the first of four shares",
        by_position="shard takes an index and a count: shard(0, 4) is the first of four shares",
    )
    def shard(self, index: int, count: int) -> Self:
        """Return a dataset with one worker's share of the rows.

        Each row is in one share, and all shares have the same number of batches, so that workers
        that wait for each other end together. If one more row would begin another batch, up to
        ``count - 1`` rows are left out. The rows are dealt in stripes of up to 4 MiB: a worker
        reads little more than its own rows, and they come from all over the source. A share has the
        same rows in each epoch. ``shuffle`` mixes within a share, whether it comes first or not.

        Parameters
        ----------
        index : int
            Which share, from 0.
        count : int
            How many shares there are.

        Returns
        -------
        CsvDataset
            The share. ``shard(i, m)`` of ``shard(j, n)`` is one of ``m * n`` shares.

        Raises
        ------
        ValueError
            Unless ``0 <= index < count``, or if the dataset is distributed.
        """
        if self._order.lanes is not None:
            raise ValueError(
                f"{self!r} is one process's part of global batches, and shard() makes batches for "
                "workers that do not wait for each other: use one of them"
            )
        shares = arguments.positive(count, "count")
        which = arguments.place(index, shares, "index")
        share = Shard(which, shares, self._batch_size, self._remainder == "drop")
        return self._ordered(self._order.with_share(share))

    def cache(self, directory: str | os.PathLike[str] | None = None) -> Self:
        r"""Return a dataset that keeps its parsed rows in a file and reads them from there.

        The first whole epoch writes the file, with 4 bytes for each value. Later epochs and later
        runs read it. The file is valid while the source, and every option that affects the rows,
        stay the same; batch size, threads and shuffle do not matter. A split or a shard has its own
        file, and another ``memory`` may need one too. csvfeed replaces a damaged file, and removes
        what a killed process left unfinished when it begins the next file. If it cannot write the
        file, a RuntimeWarning says so at the end of the epoch, and csvfeed reads the source. With
        "auto" ``categories``, each process reads the source once for the vocabulary, unless the
        dataset was unpickled with it.

        Parameters
        ----------
        directory : str or os.PathLike, optional
            Directory of the files, one for each dataset. csvfeed does not remove outdated files.
            The default is ``$XDG_CACHE_HOME/csvfeed``, usually ``~/.cache/csvfeed``. On
            Windows it is ``%LOCALAPPDATA%\csvfeed``.

        Returns
        -------
        CsvDataset
            The same rows in the same order.

        Raises
        ------
        NotADirectoryError
            If the path is that of a file.
        ValueError
            If the path is empty.
        """
        if directory is None:
            directory = os.path.join(cache_home(), "csvfeed")
        path = os.fsdecode(directory)
        if not path:
            raise ValueError("cache takes the name of a directory, not an empty one")
        if os.path.exists(path) and not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, "a cache is a directory, not a file", path)
        return self._ordered(replace(self._order, cache=path))
