"""Which rows a dataset has, and in which order: what shuffle, split, shard and cache add to it."""

from __future__ import annotations

import errno
import os
import random
from abc import ABC, abstractmethod
from dataclasses import dataclass, replace
from typing import Any, NamedTuple, TypeVar

from csvfeed import arguments, other_names
from csvfeed.columns import Column

Dataset = TypeVar("Dataset", bound="Ordered")


class Part(NamedTuple):
    """A random part of the rows, or of the keys that a column holds, or the rest."""

    column: int | str | None
    fraction: float
    seed: int
    held_out: bool

    def __str__(self) -> str:
        """Return it as the call that makes it."""
        by = "" if self.column is None else f", by={self.column!r}"
        return f".split({self.fraction}, seed={self.seed}{by})[{int(self.held_out)}]"


class Shard(NamedTuple):
    """One worker's share of the rows, in equally many batches as any other's."""

    worker: int
    workers: int
    batch_size: int
    drop_remainder: bool

    def __str__(self) -> str:
        """Return it as the call that makes it."""
        return f".shard({self.worker}, {self.workers})"


@dataclass(frozen=True)
class Order:
    """Which rows, in which order.

    Attributes
    ----------
    parts : tuple of Part
        Each chooses among the rows that the one before it left.
    share : Shard or None
        What is taken of the rows that the parts leave, so that shares have equally many batches
        whether the split or the shard came first.
    seed : int or None
        What the order of an epoch is drawn with; None for the order of the file.
    seed_is_given : bool
        Whether the seed was the caller's choice.
    cache : str or None
        The directory that keeps parsed rows.
    """

    parts: tuple[Part, ...] = ()
    share: Shard | None = None
    seed: int | None = None
    seed_is_given: bool = False
    cache: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is all rows in the order of the file, read from there."""
        return self == Order()

    @property
    def steps(self) -> list[Part | Shard]:
        """The steps in choosing rows, in their order."""
        return [*self.parts, *([self.share] if self.share else [])]

    def with_part(self, part: Part) -> Order:
        """Return the order of a part of the rows."""
        return replace(self, parts=(*self.parts, part))

    def with_share(self, share: Shard) -> Order:
        """Return the order of a share of the rows; one of a share is a share of more."""
        if outer := self.share:
            worker = outer.worker + outer.workers * share.worker
            share = share._replace(worker=worker, workers=outer.workers * share.workers)
        return replace(self, share=share)

    def __str__(self) -> str:
        """Return it as the calls that make it."""
        shuffle = "" if self.seed is None else f".shuffle(seed={self.seed})"
        cache = "" if self.cache is None else f".cache({self.cache!r})"
        return "".join(map(str, self.steps)) + shuffle + cache

    def described(self) -> dict[str, Any]:
        """Return what tells it from others, in the types of JSON."""
        steps = [list(step) for step in self.steps]
        return {"steps": steps, "shuffled": self.seed is not None}


class Ordered(ABC):
    """The part of ``CsvDataset`` that chooses rows and their order."""

    _order: Order
    _batch_size: int
    _remainder: str

    @abstractmethod
    def _ordered(self: Dataset, order: Order) -> Dataset:
        """Return a dataset of the same file with its rows chosen and ordered in another way."""

    @other_names.explain(
        other_names.SHUFFLE,
        "shuffle(), or shuffle(seed=0)",
        by_position="shuffle({0}): csvfeed shuffles all rows, so it takes no buffer size as "
        "tf.data does. Write shuffle(), or shuffle(seed={0}) if it is a seed",
    )
    def shuffle(self: Dataset, *, seed: int | None = None) -> Dataset:
        """Return a dataset with the same rows in a new order each epoch.

        If the rows fit into ``memory`` (256 MiB by default), their order is a uniform permutation:
        they are read in the first epoch and stay in memory until the dataset is dropped. Otherwise
        blocks of some kilobytes are drawn from all over the file until their rows fill half of
        ``memory``; these are permuted and yielded while the other half is filled. The next epoch is
        prepared while this one ends.

        The order depends on the seed, the number of the epoch, the rows and ``memory``, and not on
        threads, machine or time.

        Parameters
        ----------
        seed : int, optional
            0 or more. By default it is drawn, once, from Python's ``random``, which
            ``keras.utils.set_random_seed`` sets.

        Returns
        -------
        CsvDataset
            It has the rows that this one has; a shuffle before is replaced.

        Raises
        ------
        TypeError, ValueError
            If the seed is not a whole number from 0 to 2**63 - 1, or is given by position.
        """
        given = seed is not None
        drawn = arguments.seed(seed) if given else random.getrandbits(63)
        return self._ordered(replace(self._order, seed=drawn, seed_is_given=given))

    @other_names.explain(
        other_names.SPLIT,
        "split(0.1, seed=0) holds out a tenth of the rows",
        by_position="split({0}, {1}): split takes one number by position, the fraction that is "
        "held out. Write split({0}, seed={1}) if the other one is a seed",
    )
    def split(
        self: Dataset, fraction: float, *, seed: int = 0, by: Column | None = None
    ) -> tuple[Dataset, Dataset]:
        """Return two datasets of the rows: most of them, and those that are held out.

        The parts are disjoint and complete, and the same in every run, whatever the batch size, the
        threads, the memory or the shuffle. Nothing is written; each part reads the file and passes
        over the rows of the other. The parts of a shard are its shares of the parts of the whole,
        so that no worker trains on what another one has held out.

        Parameters
        ----------
        fraction : float
            How many of the rows are held out: the nearest whole number of rows, and at least one on
            either side. They are drawn evenly over the file, out of 1,024 rows at a time. With
            ``by`` it is the chance of each key, and the numbers of rows are what they come to.
        seed : int, default 0
            What they are drawn with. A part that is split again may have the same seed again: its
            rows, or keys, are drawn anew.
        by : int or str, optional
            A column, of any kind of text, whose value decides: rows with the same value are never
            parted. It is compared without quotes and spaces around it.

        Returns
        -------
        tuple of CsvDataset
            ``(train, held_out)``, each with its own ``num_rows`` and ``len``.

        Raises
        ------
        CsvError
            If there is no column ``by``.
        TypeError, ValueError
            If the fraction is not between 0 and 1, or an argument makes no sense.
        """
        share = arguments.fraction(fraction)
        number = arguments.seed(seed)
        column = None if by is None else arguments.column(by, "by")
        kept, held_out = (
            self._ordered(self._order.with_part(Part(column, share, number, held)))
            for held in (False, True)
        )
        return kept, held_out

    @other_names.explain(
        other_names.SHARD,
        "shard(0, 4) is the first of four shares",
        by_position="shard takes an index and a count: shard(0, 4) is the first of four shares",
    )
    def shard(self: Dataset, index: int, count: int) -> Dataset:
        """Return a dataset with one worker's share of the rows.

        The shares are disjoint, complete, and have equally many batches, so that workers that wait
        for each other end together: where one row more would make a batch of its own, up to
        ``count - 1`` rows are left out. They are dealt in stripes of up to 4 MiB, so that a worker
        reads little more than its own rows, and has some from all over the file. A share has the
        same rows in each epoch; ``shuffle`` mixes within it, before or after.

        Parameters
        ----------
        index : int
            Which share, from 0.
        count : int
            How many there are.

        Returns
        -------
        CsvDataset
            The share; one of a share is a share of as many more.

        Raises
        ------
        ValueError
            Unless ``0 <= index < count``.
        """
        shares = arguments.positive(count, "count")
        which = arguments.place(index, shares, "index")
        share = Shard(which, shares, self._batch_size, self._remainder == "drop")
        return self._ordered(self._order.with_share(share))

    def cache(self: Dataset, directory: str | os.PathLike[str] | None = None) -> Dataset:
        """Return a dataset that keeps its parsed rows in a file and reads them from there.

        The first whole epoch writes the file, 4 bytes a value; later epochs and later runs read it.
        It serves as long as the source and every option that the rows depend on stay the same,
        whatever the batch size, the threads and the shuffle; a split or a shard has a file of its
        own, and so may another ``memory``. A file that is damaged is put away and written again;
        what a process that was killed left unfinished is removed when the next file is begun. If
        it cannot be written, a RuntimeWarning says so at the end of the epoch, and the source is
        read instead. With "auto" ``categories`` each process still reads the source once, for the
        vocabulary, unless that is given or came with a pickle.

        Parameters
        ----------
        directory : str or os.PathLike, optional
            Where the files are, one for each dataset; nothing removes those that are out of date.
            By default ``$XDG_CACHE_HOME/csvfeed``, which is ``~/.cache/csvfeed`` as a rule.

        Returns
        -------
        CsvDataset
            The same rows in the same order.

        Raises
        ------
        NotADirectoryError
            If there is a file of that name.
        ValueError
            If the name is empty.
        """
        if directory is None:
            home = os.environ.get("XDG_CACHE_HOME") or os.path.join(
                os.path.expanduser("~"), ".cache"
            )
            directory = os.path.join(home, "csvfeed")
        path = os.fsdecode(directory)
        if not path:
            raise ValueError("cache takes the name of a directory, not an empty one")
        if os.path.exists(path) and not os.path.isdir(path):
            raise NotADirectoryError(errno.ENOTDIR, "a cache is a directory, not a file", path)
        return self._ordered(replace(self._order, cache=path))
