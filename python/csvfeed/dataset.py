"""A CSV file as an iterable of float32 batches."""

from __future__ import annotations

import os
import random
import threading
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import NDArray

from csvfeed import _core, arguments
from csvfeed.conversions import Conversions
from csvfeed.fill import Fill
from csvfeed.order import Order, Part, Shard
from csvfeed.source import Source, name_of, parts
from csvfeed.source import shown as shown_source
from csvfeed.state import VERSION, check, describe
from csvfeed.stats import ColumnStats, Memory, RowStats

Batch: TypeAlias = tuple[NDArray[np.float32], ...]
Column: TypeAlias = SupportsIndex | str
FillValue: TypeAlias = float | Literal["mean"]

ENCODINGS = ("utf-8", "utf-16", "utf-16-le", "utf-16-be")

MISSING: tuple[str, ...] = tuple(_core.MISSING)
"""The tokens read as missing unless others are given. The empty field always is."""


class CsvDataset(Conversions):
    r"""The rows of a CSV file as batches of float32.

    The file, or several, is read in blocks by several threads, each time it is iterated; the order
    of the rows is the file's. Only the head of each file is read when the dataset is made.

    Parameters
    ----------
    source : str, os.PathLike, bytes, binary file object, or list of these
        What is read: a file; all files that a pattern stands for (``"logs/*.csv"``, ``**`` for any
        depth), or that a directory holds under a name that ends in ``.csv``, ``.csv.gz`` and the
        like, sorted by name; the content of a file; a file object opened in binary mode, which is
        read from where it stands; ``"-"`` for the standard input. Several files are one table, in
        their order. Each must have the columns that the first has, by name, in any order; without
        a header, as many. Files compressed with gzip, zstd, bzip2, xz, or zip with one file in it,
        are known by their content and decompressed as they are read; what is damaged or cut off is
        an error where that shows, at the latest where its checksum stands. Shuffle, split, shard,
        cache and going on in the middle of an epoch need the decompressed text in a temporary file,
        which has no name and is made once, in ``tempfile.gettempdir()``. What can be read but once,
        a pipe or the standard input, is kept there when the dataset is made. In errors, bytes are
        counted in the decompressed text.
        A URL (``https://``, ``s3://``, ``gs://``, whatever fsspec knows; also as a pattern) is read
        in ranges ahead of the parsing, with up to 64 MiB for each file that is being read, besides
        ``memory``; ``pip install 'csvfeed[remote]'`` brings what HTTP and S3 need. Keys and other
        options stand in fsspec's configuration, or in ``csvfeed.remote.RemoteFile(url, key=...)``
        in place of the URL. Shuffle it through a cache, ``ds.cache().shuffle()``, or each few rows
        are a request of their own.
    target : int, str, list of these, or None, default -1
        The target column or columns, by name or by index; negative indices count from the last
        column. None for features only.
    features : list of int or str, optional
        The feature columns, in the order they are to have. By default every column that is neither
        target nor weight, in file order. Columns that are not asked for may hold anything.
    weight : int or str, optional
        The column of sample weights.
    batch_size : int, default 32
        Rows in a batch.
    remainder : {"keep", "drop", "pad"}, default "keep"
        What becomes of the rows left over at the end of a pass: a shorter batch, nothing, or a
        whole batch, filled up with rows of zeros whose weight is 0. With "pad" all batches have the
        same shape and hold weights, 1 for the rows of the file unless ``weight`` names a column.
        Without a target there are none: cut what is predicted to ``num_rows``. Keras divides the
        loss of a batch by all its rows unless the loss has ``reduction="mean_with_sample_weight"``,
        and only ``weighted_metrics`` leave the padding aside.
    header : {"auto", True, False} or list of str, default "auto"
        Whether the first row names the columns; "auto" takes it for a header when one of its fields
        is neither a number nor a missing token. A list names the columns of a file that has no
        header. Columns without a name are called ``column_0``, ``column_1``, ...
    delimiter : str, default ","
        The character between fields.
    quote : str or None, default '"'
        The character around fields that hold delimiters or line ends. None if there is none.
    encoding : {"utf-8", "utf-16", "utf-16-le", "utf-16-be"}, default "utf-8"
        What the bytes stand for. "utf-16" goes by the byte-order mark. In errors, bytes are counted
        in the text as UTF-8.
    missing : iterable of str, default ``csvfeed.MISSING``
        Tokens read as missing, besides the empty field; ``[*csvfeed.MISSING, "-"]`` adds one.
    fill : float, "mean", or dict of column to one of these, optional
        What a missing feature becomes: a number, or the mean of its column; a dict, by name or
        index, says so column by column. Without it, and in columns that the dict does not name, it
        is NaN, which a model has to deal with: one NaN makes a loss NaN. Only what is missing is
        filled: where ``missing`` does not hold "nan", a field that says so is a number like any
        other. A mean is that of all rows of the file but those left out for want of a target; for
        it the file is read once more, before the first batch, and ``stats()`` has it then.
    missing_target : {"raise", "skip", "keep"}, default "raise"
        What becomes of a row without a target or weight: an error, nothing, or NaN in its place.
    threads : int, optional
        Threads that read. By default as many as this process may use processors.
    memory : int, optional
        Bytes that the buffers of one iteration may take, besides the batches themselves; also the
        length of the longest row. By default 4.5 MiB on 2 threads, 113 MiB on 64, and rows of up to
        16 MiB.

    Raises
    ------
    CsvError
        If the file is empty, has no rows, or lacks a column that is asked for. What is wrong with a
        row is raised by the iteration, in place of the batch that would hold it: NumberError,
        RowLengthError, QuoteError, EncodingError, or SourceChangedError if the file is not the one
        it was. So is a mean that there is not, in place of the first batch.
    OSError
        If the file cannot be opened.
    TypeError, ValueError
        If an argument makes no sense.

    Examples
    --------
    >>> import csvfeed
    >>> ds = csvfeed.CsvDataset(b"a,b,y\n1,2,3\n4,5,6\n7,8,9\n", target="y", batch_size=2)
    >>> len(ds), ds.num_rows, ds.feature_names
    (2, 3, ['a', 'b'])
    >>> for X, y in ds:
    ...     print(X.tolist(), y.tolist())
    [[1.0, 2.0], [4.0, 5.0]] [3.0, 6.0]
    [[7.0, 8.0]] [9.0]
    """

    def __init__(
        self,
        source: Source | Sequence[Source],
        *,
        target: Column | Sequence[Column] | None = -1,
        features: Sequence[Column] | None = None,
        weight: Column | None = None,
        batch_size: int = 32,
        remainder: Literal["keep", "drop", "pad"] = "keep",
        header: Literal["auto"] | bool | Sequence[str] = "auto",
        delimiter: str = ",",
        quote: str | None = '"',
        encoding: Literal["utf-8", "utf-16", "utf-16-le", "utf-16-be"] = "utf-8",
        missing: Iterable[str] = MISSING,
        fill: FillValue | Mapping[Column, FillValue] | None = None,
        missing_target: Literal["raise", "skip", "keep"] = "raise",
        threads: int | None = None,
        memory: int | None = None,
    ) -> None:
        if quote == delimiter:
            raise ValueError(f"delimiter and quote are both {quote!r}")
        # What was given, in plain types of our own: for pickling, and so that nobody changes it.
        options = self._options = {
            "source": parts(source),
            "target": arguments.columns(target, "target"),
            "features": None if features is None else arguments.columns(features, "features"),
            "weight": None if weight is None else arguments.column(weight, "weight"),
            "batch_size": arguments.positive(batch_size, "batch_size"),
            "remainder": arguments.choice(remainder, ("keep", "drop", "pad"), "remainder"),
            "header": arguments.header(header),
            "delimiter": arguments.character(delimiter, "delimiter"),
            "quote": None if quote is None else arguments.character(quote, "quote"),
            "encoding": arguments.choice(encoding, ENCODINGS, "encoding"),
            "missing": arguments.strings(missing, "missing"),
            "fill": arguments.fill(fill),
            "missing_target": arguments.choice(
                missing_target, ("raise", "skip", "keep"), "missing_target"
            ),
            "threads": None if threads is None else arguments.positive(threads, "threads"),
            "memory": None if memory is None else arguments.positive(memory, "memory"),
        }
        self._batch_size: int = options["batch_size"]
        self._remainder: str = options["remainder"]
        self._reader = _core.Reader(
            options["source"],
            name=name_of(options["source"]),
            target=options["target"],
            features=options["features"],
            weight=options["weight"],
            header=None if options["header"] == "auto" else options["header"],
            delimiter=ord(delimiter),
            quote=None if quote is None else ord(quote),
            encoding=options["encoding"],
            missing=options["missing"],
            missing_target=missing_target,
            threads=options["threads"],
            memory=options["memory"],
        )
        everything = self._reader.plan([], seed=None, padded=False, cache=None, fill="")
        self._source_stats = RowStats(self._reader, everything)
        self._fill = Fill(options["fill"], self._reader, self._source_stats)
        self._follow(Order())

    def _follow(self, order: Order) -> None:
        """Begin with the first epoch of an order."""
        self._order = order
        self._plan = self._reader.plan(
            order.steps,
            seed=order.seed,
            padded=self._remainder == "pad",
            cache=order.cache,
            fill=repr(self._options["fill"]),
        )
        own = RowStats(self._reader, self._plan)
        self._stats = own if order.steps else self._source_stats
        self._next = 0, 0
        self._last: tuple[int, int, _core.Progress] | None = None
        self._turn = threading.Lock()

    def _ordered(self, order: Order) -> CsvDataset:
        """Return a dataset of the same file with its rows chosen and ordered in another way."""
        dataset = object.__new__(type(self))
        vars(dataset).update(vars(self))
        dataset._follow(order)
        return dataset

    def __iter__(self) -> Iterator[Batch]:
        """Iterate over the next epoch, or what is left of it after ``load_state_dict``.

        Yields
        ------
        tuple
            ``(X, y)``: X of shape (B, F), y of shape (B,) for one target and (B, T) for several,
            both C-contiguous float32. ``(X,)`` without a target, ``(X, y, w)`` with a weight or
            with ``remainder="pad"``, w of shape (B,). The arrays belong to the caller.
        """
        with self._turn:
            epoch, first_batch = self._next
            self._next = epoch + 1, 0
        try:
            batches = self._open(epoch, first_batch)
        except BaseException:
            with self._turn:
                # The epoch has not begun: it is still the next, unless another one is by now.
                if self._next == (epoch + 1, 0):
                    self._next = epoch, first_batch
            raise
        self._last = epoch, first_batch, batches.progress
        return batches

    def _open(
        self, epoch: int, first_batch: int = 0, batch_size: int | None = None
    ) -> _core.Batches:
        """Iterate over an epoch from one of its batches on.

        ``batch_size`` may be several times that of the dataset: the last batch then has what is
        left, unless it is padded to whole ones of the dataset's size.
        """
        drop = self._remainder == "drop" and batch_size is None
        size = self._batch_size if batch_size is None else batch_size
        pad_to = self._batch_size if self._remainder == "pad" else None
        if self._order.is_plain and not first_batch:
            return self._reader.batches(
                size, drop_remainder=drop, pad_to=pad_to, fill=self._fill.values()
            )
        return self._plan.batches(
            size,
            epoch=epoch,
            first_row=min(first_batch * self._batch_size, 2**63),
            drop_remainder=drop,
            pad_to=pad_to,
            fill=self._fill.values,
        )

    def _position(self) -> tuple[int, int]:
        """Return the epoch and the batch at which the next iteration begins."""
        return self._next

    def _advance(self, epoch: int, batch: int) -> None:
        """Let the next iteration begin at a batch of an epoch."""
        self._next = epoch, batch
        self._last = None

    def _endless(self) -> Iterator[Batch]:
        """Iterate over whole batches without end; what an epoch leaves over begins the next."""
        return self._reader.batches(self._batch_size, repeat=True, fill=self._fill.values())

    def _row_shapes(self) -> list[tuple[int, ...]]:
        """Shape of one row in each array of a batch."""
        targets = len(self.target_names)
        shapes: list[tuple[int, ...]] = [(len(self.feature_names),)]
        if targets:
            shapes.append(() if targets == 1 else (targets,))
        if self._options["weight"] is not None or (self._remainder == "pad" and targets):
            shapes.append(())
        return shapes

    def __len__(self) -> int:
        """Return the number of batches in an epoch, for which the rows are counted."""
        whole, rest = divmod(self.num_rows, self._batch_size)
        return whole + (rest > 0 and self._remainder != "drop")

    @property
    def num_rows(self) -> int:
        """Rows in an epoch, before a remainder is dropped or padded; counted once, by a pass."""
        return self._plan.rows()

    def stats(self) -> dict[str | int, ColumnStats]:
        r"""Return what each column holds that the dataset reads: features, targets and the weight.

        All rows of this dataset count: of a split or a shard its own, and none that
        ``missing_target="skip"`` leaves out. They are read once, by all threads, and what was found
        is remembered. Missing values are counted before ``fill`` takes their place. Sums are in
        float64, over the float32 values that iteration yields, and the same in each bit whatever
        the number of threads.

        Returns
        -------
        dict of str to ColumnStats
            By name, in the order of features, targets and weight. A column whose name others have
            too stands under its index instead.

        Raises
        ------
        CsvError, OSError
            What iteration raises.

        Examples
        --------
        >>> import csvfeed
        >>> csvfeed.CsvDataset(b"a,y\n1,0\n,1\n3,1\n").stats()["a"]
        ColumnStats(count=2, missing=1, mean=2.0, std=1.0, min=1.0, max=3.0)
        """
        names = self.columns
        uses = Counter(names)
        keys = [names[at] if uses[names[at]] == 1 else at for at in self._reader.columns_read]
        return dict(zip(keys, self._stats.columns, strict=True))

    @property
    def batch_size(self) -> int:
        """Rows in a batch."""
        return self._batch_size

    @property
    def columns(self) -> list[str]:
        """Names of all columns, in file order."""
        return self._reader.columns

    @property
    def feature_names(self) -> list[str]:
        """Names of the feature columns, in the order of the columns of X."""
        return self._reader.feature_names

    @property
    def target_names(self) -> list[str]:
        """Names of the target columns, in the order of the columns of y."""
        return self._reader.target_names

    def shuffle(self, seed: int | None = None) -> CsvDataset:
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
            If the seed is not a whole number from 0 to 2**63 - 1.
        """
        given = seed is not None
        drawn = arguments.seed(seed) if given else random.getrandbits(63)
        return self._ordered(replace(self._order, seed=drawn, seed_is_given=given))

    def split(
        self, fraction: float, seed: int = 0, *, by: Column | None = None
    ) -> tuple[CsvDataset, CsvDataset]:
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

    def shard(self, index: int, count: int) -> CsvDataset:
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

    def cache(self, directory: str | os.PathLike[str] | None = None) -> CsvDataset:
        """Return a dataset that keeps its parsed rows in a file and reads them from there.

        The first whole epoch writes the file, 4 bytes a value; later epochs and later runs read it.
        It serves as long as the source and every option that the rows depend on stay the same,
        whatever the batch size, the threads and the shuffle; a split or a shard has a file of its
        own, and so may another ``memory``. A file that is damaged is put away and written again;
        what a process that was killed left unfinished is removed when the next file is begun. If
        it cannot be written, a RuntimeWarning says so at the end of the epoch, and the source is
        read instead.

        Parameters
        ----------
        directory : str or os.PathLike, optional
            Where the files are, one for each dataset; nothing removes those that are out of date.
            By default ``$XDG_CACHE_HOME/csvfeed``, which is ``~/.cache/csvfeed`` as a rule.

        Returns
        -------
        CsvDataset
            The same rows in the same order.
        """
        if directory is None:
            home = os.environ.get("XDG_CACHE_HOME") or os.path.join(
                os.path.expanduser("~"), ".cache"
            )
            directory = os.path.join(home, "csvfeed")
        return self._ordered(replace(self._order, cache=os.fsdecode(directory)))

    def state_dict(self) -> dict[str, Any]:
        """Return where the iteration that began last has got to.

        Returns
        -------
        dict
            Small, and of the types of JSON: the epoch, how many of its batches have been yielded,
            and what tells this dataset from others.
        """
        epoch, batch = self._next
        if self._last is not None:
            last_epoch, first_batch, progress = self._last
            if not progress.ended:
                epoch, batch = last_epoch, first_batch + progress.yielded
        return self._state(epoch, batch)

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Let the next iteration yield the rest of the epoch that ``state_dict`` speaks of.

        The one after it is the next epoch. A shuffle whose seed was drawn takes over that of the
        state.

        Raises
        ------
        ValueError
            If it is not a state of such a dataset: of the same file, options, split, shard,
            ``batch_size``, and seed, if that was given.
        """
        epoch, batch = check(state, self._state(0, 0))
        seed = state["seed"]
        if seed != self._order.seed:
            if self._order.seed_is_given:
                raise ValueError(f"the state has seed={seed}, this dataset {self._order.seed}")
            self._follow(replace(self._order, seed=seed))
        self._advance(epoch, batch)

    def _state(self, epoch: int, batch: int) -> dict[str, Any]:
        """Return the state at a batch of an epoch."""
        said = {"source", "threads", "batch_size"}
        if self._order.seed is None:
            # Only an order that is drawn depends on it.
            said.add("memory")
        options = {key: repr(value) for key, value in self._options.items() if key not in said}
        rows = {"columns": self.columns, "options": options, **self._order.described()}
        return {
            "version": VERSION,
            "epoch": epoch,
            "batch": batch,
            "batch_size": self._batch_size,
            "seed": self._order.seed,
            "source": self._reader.fingerprint(),
            "rows": describe(rows),
        }

    def __reduce__(self) -> tuple[Any, ...]:
        if self._reader.is_of_this_process:
            raise TypeError(
                f"a dataset of {self._reader.name} cannot be pickled: what it reads is open in "
                "this process alone. One of a path can be"
            )
        return _rebuild, (self._options, self._order, self._source_stats.memory)

    def __repr__(self) -> str:
        shown = shown_source(self._options["source"])
        return (
            f"CsvDataset({shown}, features={_shorten(self.feature_names)}, "
            f"target={_shorten(self.target_names)}, batch_size={self._batch_size}){self._order}"
        )


def _rebuild(options: dict[str, Any], order: Order, stats: Memory | None) -> CsvDataset:
    dataset = CsvDataset(**options)
    if stats is not None:
        dataset._source_stats.recall(stats)
    return dataset._ordered(order)


def _shorten(names: list[str]) -> str:
    return repr(names) if len(names) <= 6 else f"[{names[0]!r}, ..., {names[-1]!r}] ({len(names)})"
