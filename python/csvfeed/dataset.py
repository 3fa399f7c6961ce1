"""A CSV file as an iterable of float32 batches."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

from csvfeed import _core, other_names
from csvfeed import columns as kinds
from csvfeed.balance import Balanced
from csvfeed.categories import Categories
from csvfeed.chosen import Chosen
from csvfeed.columns import Column, Date, DatePart, Duration, Form, List, MultiHot, Vocabularies
from csvfeed.conversions import Conversions
from csvfeed.dialect import Dialect
from csvfeed.dialect_options import DialectOptions
from csvfeed.distribution import Distributed
from csvfeed.epochs import Epochs
from csvfeed.fill import Fill
from csvfeed.folds import Folded
from csvfeed.look import Look
from csvfeed.options import Options, ValueOptions
from csvfeed.order import Order, Ordered
from csvfeed.outputs import Batch, Outputs
from csvfeed.predictions import Predictions
from csvfeed.progress import Passes
from csvfeed.rejects import Rejecting
from csvfeed.resumed import Resumed
from csvfeed.source import Source
from csvfeed.source import shown as shown_source
from csvfeed.stats import ColumnStats, Memory, RowStats
from csvfeed.targets import Targets
from csvfeed.windowed import Windowed

FillValue: TypeAlias = float | Literal["mean"]


MISSING: tuple[str, ...] = tuple(_core.MISSING)
"""The tokens read as missing unless others are given. The empty field always is."""


class CsvDataset(
    Ordered,
    Chosen,
    Folded,
    Balanced,
    Windowed,
    Resumed,
    Distributed,
    Conversions,
    Categories,
    Rejecting,
    Look,
    Predictions,
):
    r"""The rows of CSV files as batches of float32 arrays.

    Each iteration reads the files once, in blocks, on several threads, and keeps the order of the
    rows. Making a dataset reads only the head of each file. Memory use does not grow with the file.

    docs/options.md describes each parameter in full. docs/reading.md shows how csvfeed reads rows,
    numbers, dates and categories, with examples.

    Parameters
    ----------
    source : str, os.PathLike, bytes, binary file object, RemoteFile, or list of these
        A path, pattern (``"logs/*.csv"``), directory or URL, ``"-"`` for the standard input, the
        content of a file, or an open file. Several files are one table; compressed ones are read.
    columns : {"same", "union"}, default "same"
        Whether all files must have the wanted columns, or a column may be missing from some files.
    partitions : bool, optional
        Whether directories called ``key=value`` become columns. The default raises if they differ.
    target : int, str, list of these, dict of str to these, or None, default -1
        Target columns, by name or index. A dict goes by the outputs of a model, as in
        ``{"price": "sum", "sold": ["web", "shop"]}``: y is a dict, too. None reads features only.
    features : list of int or str, optional
        Feature columns, in this order. The default is every column but targets, weight and ids.
    weight : int, str, or dict of str to these, optional
        Column of sample weights. With several outputs, a dict gives some of them a column of their
        own, and the others the weight 1.
    allow_target_as_feature : bool, default False
        Whether ``features`` may also name a target or the weight, as for an autoencoder.
    ids : int, str, list of these, or dict of these to str or int, optional
        Columns that identify a row, for ``with_ids`` and ``predictions``. They are read as str, or
        as int64 where a dict says int. Iteration does not yield them.
    categories : dict of column to "auto", list or int, optional
        Columns of text to read as codes: by a vocabulary found in the file, a given list, or a
        number of hash buckets. Feature codes start at 1, and 0 is unknown; classes start at 0.
    one_hot : bool or list of int or str, default False
        Targets of ``categories`` whose classes become columns of y: 1 for the class of the row, 0
        for the others. True stands for all such targets.
    booleans : list of int or str, optional
        Columns of true/false, yes/no, t/f, y/n, on/off or 1/0 to read as 1.0 and 0.0.
    dates : dict of column to str, list of str, Date, or Duration, optional
        Columns of dates, and the parts that become features: ``{"when": ["month", "hour"]}``.
    numbers : str, list of str, or dict of column to one of these, optional
        More forms of numbers: "percent" (with "plain" beside it), "currency", "fortran", "hex" and
        "msvc".
    lists : dict of column to List or MultiHot, optional
        Columns whose fields hold lists of numbers, as ``0 255 13`` (``{"pixels":
        csvfeed.List(2304)}``), or of categories, as ``drama|comedy`` (``{"genres":
        csvfeed.MultiHot()}``). Each number or category becomes a feature, or a target.
    batch_size : int, default 32
        Rows in a batch.
    remainder : {"keep", "drop", "pad"}, default "keep"
        What happens to the last rows of an epoch if they do not fill a batch. "pad" adds rows of
        zeros with weight 0.
    header : {"auto", True, False} or list of str, default "auto"
        Whether the first row holds column names, or the names of a file without a header.
    delimiter : str, default ","
        One ASCII character, or "auto" to detect it.
    quote, escape, comment : str or None, default '"', None and None
        The quote character; a character that makes the next one literal; one that starts a comment.
    skip_rows, skip_rows_after_header, skip_footer : int, default 0
        Lines to skip before the header, after the header, and at the end of each file.
    skip_initial_space, skip_final_space : bool, default False
        Whether to skip spaces before an opening quote, and after a closing quote.
    short_rows : {"raise", "fill"}, default "raise"
        Whether a row with too few fields is an error, or its last columns are missing.
    decimal, thousands : str or None, default "." and None
        The decimal sign, "." or ",", and the character between groups of digits.
    encoding : str, default "utf-8"
        "utf-8", "latin-1", "cp1252", "utf-16", "utf-16-le" or "utf-16-be".
    missing : iterable of str, default ``csvfeed.MISSING``
        Tokens that stand for a missing value. An empty field is always missing.
    fill : float, "mean", or dict of column to one of these, optional
        What replaces a missing feature. The default is NaN, and 0 for a category.
    missing_target : {"raise", "skip", "keep"}, default "raise"
        What happens to a row without a target, a known class or a weight. "keep" reads NaN.
    on_error : {"raise", "skip"}, default "raise"
        Whether a bad row is an error, or is left out and reported by ``rejects``.
    max_rejects : int, optional
        How many rows ``on_error="skip"`` may leave out. The default has no limit.
    threads : int, optional
        Threads that read. The default is the number of CPUs this process may use.
    memory : int, optional
        Most bytes of buffers for one iteration. The default is 4.5 MiB on 2 threads and 113 MiB
        on 64.

    Raises
    ------
    CsvError
        If a file is empty or lacks a wanted column. Iteration raises a CsvError for a bad row.
    OSError, TypeError, ValueError
        If a file cannot be opened, or an argument is not valid.

    Examples
    --------
    >>> import csvfeed
    >>> ds = csvfeed.CsvDataset(b"a,b,y\n1,2,3\n4,5,6\n", target="y")
    >>> [(X.tolist(), y.tolist()) for X, y in ds]
    [([[1.0, 2.0], [4.0, 5.0]], [3.0, 6.0])]
    """

    @other_names.explain(
        other_names.DATASET,
        'CsvDataset("train.csv", target="y") reads a file',
        by_position="CsvDataset takes the source by position and all options by name, as in "
        "CsvDataset(source, target=..., batch_size=...); {1} has no name",
    )
    def __init__(
        self,
        source: Source | Sequence[Source],
        *,
        columns: Literal["same", "union"] = "same",
        partitions: bool | None = None,
        target: Column | Sequence[Column] | Mapping[str, Column | Sequence[Column]] | None = -1,
        features: Sequence[Column] | None = None,
        weight: Column | Mapping[str, Column | None] | None = None,
        allow_target_as_feature: bool = False,
        ids: Column | Sequence[Column] | Mapping[Any, type[str | int]] | None = None,
        categories: Mapping[Any, Literal["auto"] | Sequence[str | float] | int] | None = None,
        one_hot: bool | Sequence[Column] = False,
        booleans: Sequence[Column] | None = None,
        dates: Mapping[Any, DatePart | Sequence[DatePart] | Date | Duration] | None = None,
        numbers: Form | Sequence[Form] | Mapping[Any, Form | Sequence[Form]] | None = None,
        lists: Mapping[Any, List | MultiHot] | None = None,
        batch_size: int = 32,
        remainder: Literal["keep", "drop", "pad"] = "keep",
        header: Literal["auto"] | bool | Sequence[str] = "auto",
        delimiter: str = ",",
        quote: str | None = '"',
        escape: str | None = None,
        comment: str | None = None,
        skip_rows: int = 0,
        skip_rows_after_header: int = 0,
        skip_footer: int = 0,
        skip_initial_space: bool = False,
        skip_final_space: bool = False,
        short_rows: Literal["raise", "fill"] = "raise",
        decimal: Literal[".", ","] = ".",
        thousands: str | None = None,
        encoding: str = "utf-8",
        missing: Iterable[str] = MISSING,
        fill: FillValue | Mapping[Any, FillValue] | None = None,
        missing_target: Literal["raise", "skip", "keep"] = "raise",
        on_error: Literal["raise", "skip"] = "raise",
        max_rejects: int | None = None,
        threads: int | None = None,
        memory: int | None = None,
    ) -> None:
        self._read(
            Options.of(
                source,
                columns=columns,
                partitions=partitions,
                targets=Targets.of(target=target, weight=weight, one_hot=one_hot),
                features=features,
                allow_target_as_feature=allow_target_as_feature,
                ids=ids,
                values=ValueOptions.of(
                    categories=categories,
                    booleans=booleans,
                    dates=dates,
                    numbers=numbers,
                    lists=lists,
                ),
                batch_size=batch_size,
                remainder=remainder,
                header=header,
                dialect=DialectOptions.of(
                    delimiter=delimiter,
                    quote=quote,
                    escape=escape,
                    comment=comment,
                    decimal=decimal,
                    thousands=thousands,
                    skip_rows=skip_rows,
                    skip_rows_after_header=skip_rows_after_header,
                    skip_footer=skip_footer,
                    skip_initial_space=skip_initial_space,
                    skip_final_space=skip_final_space,
                    short_rows=short_rows,
                    encoding=encoding,
                ),
                missing=missing,
                fill=fill,
                missing_target=missing_target,
                on_error=on_error,
                max_rejects=max_rejects,
                threads=threads,
                memory=memory,
            )
        )

    def _read(self, options: Options, found: tuple[str | None, Vocabularies] | None = None) -> None:
        """Read the headers, and begin with all rows in the order of the file."""
        self._options = options
        self._batch_size: int = options.batch_size
        self._remainder: str = options.remainder
        self._reader = _reader_of(options, found)
        everything = self._reader.plan(
            [], windows=None, lanes=None, seed=None, padded=False, cache=None, fill=""
        )
        self._passes = Passes(self._reader.name, options.source)
        self._source_stats = RowStats(self._reader, everything, self._passes)
        self._fill = Fill(options.fill, self._reader, self._source_stats)
        self._outputs = Outputs.of(self._reader, options.targets)
        self._follow(Order())

    def _follow(self, order: Order) -> None:
        """Read the rows in an order from now on, beginning with its first epoch."""
        self._order = order
        plan = self._reader.plan(
            order.steps,
            windows=order.shared_windows,
            lanes=order.lanes,
            seed=order.seed,
            padded=self._remainder == "pad",
            cache=order.cache,
            fill=repr(self._options.fill),
        )
        # Finds the rows that its conditions cannot compare, if there are conditions.
        self._conditions_plan = plan if order.has_conditions else None
        source_stats = self._source_stats
        self.epochs = Epochs(
            self._reader,
            plan,
            order,
            RowStats(self._reader, plan, self._passes) if order.steps else source_stats,
            self._fill,
            self._outputs,
            self._passes,
            batch_size=order.lanes.global_rows if order.lanes else self._batch_size,
            remainder=self._remainder,
        )
        # The same rows in the order of the source, as far as they were asked for.
        self._in_order: dict[Order, Epochs] = {}

    def _row_by_row(self, *, cached: bool) -> Epochs:
        cache = self._order.cache if cached else None
        order = replace(self._order, seed=None, seed_is_given=False, lanes=None, cache=cache)
        known = self._in_order  # Another thread may begin a new one with `load_state_dict`.
        if order not in known:
            same = self if order == self._order else self._ordered(order)
            known[order] = same.epochs.row_by_row()
        return known[order]

    def _ordered(self, order: Order) -> CsvDataset:
        """Return a dataset of the same source with another choice and order of rows."""
        dataset = object.__new__(type(self))
        vars(dataset).update(vars(self))
        dataset._follow(order)
        return dataset

    def __iter__(self) -> Iterator[Batch]:
        """Iterate over the next epoch, or over the rest of it after ``load_state_dict``.

        Yields
        ------
        tuple
            ``(X, y)``: X of shape (B, F), y of shape (B,) for one target or (B, T) for several,
            both C-contiguous float32. ``(X,)`` without a target. ``(X, y, w)`` with a weight or
            ``remainder="pad"``, w of shape (B,). With ``target`` as a dict, y and w are dicts by
            output: an array of y has shape (B,) for a column, (B, T) for a list of T. With
            ``one_hot``, y of a target has shape (B, C) for C classes. After ``windows``, X is of
            shape (B, length, F). The caller owns the arrays.

        Raises
        ------
        CsvError
            If a row is bad; no batch with a bad row is yielded. A SourceChangedError if a file has
            changed.
        OSError
            If a file cannot be read.
        MemoryError
            If there is no memory for a batch, or for what a shuffle mixes.
        """
        return self.epochs.begin()

    def __len__(self) -> int:
        """Return the number of batches in an epoch. The first call counts the rows.

        Raises
        ------
        CsvError, OSError
            If the rows cannot be counted, as after a quote that is never closed.
        """
        return len(self.epochs)

    @property
    def num_rows(self) -> int:
        """Rows, or windows, in an epoch, before a remainder is dropped or padded.

        The first use counts them in a quick pass over the source.

        Raises
        ------
        CsvError, OSError
            As ``len`` does.
        """
        return self.epochs.num_rows

    def stats(self) -> dict[str | int, ColumnStats]:
        r"""Return statistics of each feature, each target and each weight.

        They cover the rows of this dataset: those of its split or shard, without the rows that
        ``missing_target="skip"`` leaves out. Windows do not change them: each row counts once, and
        a shard of windows has the statistics of all rows of its split. The first call reads the
        source on all threads; the dataset keeps the result. Missing values are counted before
        ``fill`` replaces them. Sums are in float64 over the float32 values that iteration yields,
        and do not depend on the number of threads.

        Returns
        -------
        dict of str or int to ColumnStats
            By name, in the order of features, targets and weights. Each part of a date and each
            value of a list has an entry, as in ``feature_names``. If other columns have the same
            name, the key is the index. For categories, the statistics are those of the codes or
            classes: a missing value and an unknown class count as missing, an unknown code counts
            as 0. A column that is a feature and a target has one entry, as the target.

        Raises
        ------
        CsvError, OSError
            As iteration does.

        Notes
        -----
        csvfeed computes the mean and the squared deviations of each block in two runs over its
        values, and merges blocks in the order of the file (Chan, Golub and LeVeque 1983,
        "Algorithms for computing the sample variance").

        Examples
        --------
        >>> import csvfeed
        >>> csvfeed.CsvDataset(b"a,y\n1,0\n,1\n3,1\n").stats()["a"]
        ColumnStats(count=2, missing=1, mean=2.0, std=1.0, min=1.0, max=3.0)
        """
        key = kinds.keys(self.columns)
        read = zip(self._reader.columns_read, self._reader.names_read, strict=True)
        return dict(zip((key(*one) for one in read), self.epochs.stats.columns, strict=True))

    @property
    def batch_size(self) -> int:
        """Rows, or windows, in a batch."""
        return self._batch_size

    @property
    def columns(self) -> list[str]:
        """Names of all columns, in file order."""
        return self._reader.columns

    @property
    def dialect(self) -> Dialect:
        """How the file is written, as given by the arguments or as detected."""
        dialect = Dialect(**self._reader.dialect)
        given = self._options.dialect
        return replace(
            dialect,
            encoding=given.encoding,
            skip_rows_after_header=given.skip_rows_after_header,
            skip_footer=given.skip_footer,
            short_rows=given.short_rows,
        )

    @property
    def feature_names(self) -> list[str]:
        """Names of the features, in the order of the columns of X.

        A column of dates has one feature for each part, called ``column.part``. A column of lists
        has one for each value, called ``column[0]`` and so on, or for each category, called
        ``column.category``.
        """
        return self._reader.feature_names

    @property
    def target_names(self) -> list[str]:
        """Names of the target columns, in the order of the columns of y.

        With ``target`` as a dict, those of the first output come first. A column of lists has a
        target for each value or category, as among the features.
        """
        return self._reader.target_names

    def __reduce__(self) -> tuple[Any, ...]:
        if self._reader.is_of_this_process:
            raise TypeError(
                f"a dataset of {self._reader.name} cannot be pickled: what it reads is open in "
                "this process alone. One of a path can be"
            )
        found = self._reader.found_vocabularies()
        known = None if found is None else (self._reader.identity, found)
        row_index = self._reader.shared_row_index()
        counted = None if row_index is None else (self._reader.identity, row_index)
        return _rebuild, (self._options, self._order, self._source_stats.memory, known, counted)

    def __repr__(self) -> str:
        shown = shown_source(self._options.source)
        return (
            f"CsvDataset({shown}, features={_shorten(self.feature_names)}, "
            f"target={_shorten(self.target_names)}, batch_size={self._batch_size}){self._order}"
        )


def _reader_of(options: Options, found: tuple[str | None, Vocabularies] | None) -> _core.Reader:
    if not options.values.has_lists_to_find:
        return _core.Reader(options, found)
    with Passes(options.name, options.source).shown("finding the categories of"):
        return _core.Reader(options, found)


def _rebuild(
    options: Options,
    order: Order,
    stats: Memory | None,
    found: tuple[str | None, Vocabularies] | None,
    counted: tuple[str | None, bytes] | None,
) -> CsvDataset:
    dataset = object.__new__(CsvDataset)
    dataset._read(options, found)
    if counted is not None and counted[0] == dataset._reader.identity:
        dataset._reader.recall_row_index(counted[1])
    if stats is not None:
        dataset._source_stats.recall(stats)
    return dataset._ordered(order)


def _shorten(names: list[str]) -> str:
    return repr(names) if len(names) <= 6 else f"[{names[0]!r}, ..., {names[-1]!r}] ({len(names)})"
