"""A CSV file as an iterable of float32 batches."""

from __future__ import annotations

import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Any, Literal, TypeAlias

import numpy as np
from numpy.typing import NDArray

from csvfeed import _core, other_names
from csvfeed import columns as kinds
from csvfeed.classes import Classes
from csvfeed.columns import Column, Date, DatePart, Duration, Form, Vocabularies
from csvfeed.conversions import Conversions
from csvfeed.dialect import Dialect
from csvfeed.dialect_options import DialectOptions
from csvfeed.fill import Fill
from csvfeed.options import Options, ValueOptions
from csvfeed.order import Order, Ordered
from csvfeed.rejects import Rejects
from csvfeed.source import Source, is_among
from csvfeed.source import shown as shown_source
from csvfeed.state import VERSION, Position, check, describe
from csvfeed.stats import ColumnStats, Memory, RowStats

Batch: TypeAlias = tuple[NDArray[np.float32], ...]
FillValue: TypeAlias = float | Literal["mean"]


MISSING: tuple[str, ...] = tuple(_core.MISSING)
"""The tokens read as missing unless others are given. The empty field always is."""


class CsvDataset(Ordered, Conversions, Classes):
    r"""The rows of CSV files as batches of float32.

    The files are read in blocks by several threads, each time the dataset is iterated; the order of
    the rows is theirs. Only the head of each file is read when the dataset is made, but for what
    can be read but once, a pipe or a server that knows no ranges, which is kept whole.

    Parameters
    ----------
    source : str, os.PathLike, bytes, binary file object, or list of these
        What is read: a file; all files that a pattern stands for (``"logs/*.csv"``, ``**`` for any
        depth), or that a directory holds, sorted by name; the content of a file; a file object
        opened in binary mode, from where it stands; ``"-"``, the standard input; a URL. Several
        files are one table, in their order; a file without rows is skipped. The Notes tell of
        directories, compressed files and remote files.
    columns : {"same", "union"}, default "same"
        Which columns several files have. "same": the columns that are asked for must be in every
        file, by name, in any order; without ``features`` that is every column of every file.
        "union": the table has the columns of all files, in the order in which they first appear,
        and a column is missing in the rows of a file that lacks it. Files without a header have the
        same number of fields either way.
    partitions : bool, optional
        Whether directories that are called ``key=value`` give columns: True adds a column for each
        key after those of the files, False ignores them. By default it is an error if they tell
        files apart. See the Notes.
    target : int, str, list of these, or None, default -1
        The target column or columns, by name or by index; negative indices count from the last
        column. None for features only.
    features : list of int or str, optional
        The feature columns, in the order they are to have. By default every column that is neither
        target nor weight, in file order. Columns that are not asked for may hold anything.
    weight : int or str, optional
        The column of sample weights.
    allow_target_as_feature : bool, default False
        Whether ``features`` may name a column that is a target or the weight as well, as for an
        autoencoder. Otherwise that is an error, since the model would be given what it is to
        predict.
    categories : dict of column to "auto", list or int, optional
        Columns, by name or index, whose text stands for a category, and how it is read. Quotes and
        the spaces around a value do not count.

        - "auto": by its place among all values of the file, sorted by code point; up to a million.
          The file is read once more for them, before the first batch.
        - A list: by its place in the list. Numbers in it stand for their ``str``.
        - A number of hash buckets, up to 2**24: by ``xxh3_64(value) % buckets``, the same
          everywhere.

        A feature is a code: its place counts from 1, and 0 is an unknown or missing value, as
        ``keras.layers.StringLookup`` has it. A target is a class: its place counts from 0, as the
        losses of Keras have it, and ``classes`` has the names. ``missing_target`` says what becomes
        of a row whose class is missing or unknown.
    booleans : list of int or str, optional
        Columns that hold true/false, yes/no, t/f, y/n, on/off or 1/0, in any case, as 1.0 and 0.0.
    dates : dict of column to str, list of str, Date, or Duration, optional
        Columns that hold dates, and which parts of these are features: ``{"when": "hour"}``,
        ``{"when": ["month", "weekday"]}``, or, if they are not written as in ISO 8601,
        ``{"when": csvfeed.Date("month", format="%d.%m.%Y")}``; see ``csvfeed.Date``. The column is
        then as many features, in its place, called ``when.month`` and so on. A target has one part.
        A column of durations, such as ``125:03:07``, is one number: ``{"took":
        csvfeed.Duration("seconds")}``; see ``csvfeed.Duration``.
    numbers : str, list of str, or dict of column to one of these, optional
        Forms of numbers that are read besides plain ones. A dict says so by column; otherwise they
        are the forms of all columns that are read as numbers. Each number is rounded once.

        - "percent": ``12.5%`` is 0.125. A number without the sign is an error, since it may mean
          either; "plain" beside it reads such a number as it stands.
        - "currency": ``$1234``, ``5 EUR``, ``-US$ 5``; ``(5)`` is -5. The currency is a sign, with
          up to three letters before it, or a code of ISO 4217. It is dropped, so a column should
          hold one currency.
        - "fortran": exponents with a D, as in ``1.5D+03``.
        - "hex": ``0x1F`` is 31. Digits without ``0x`` are decimal.
        - "msvc": ``1.#INF``, ``1.#QNAN`` and ``-1.#IND``, as old C libraries of Microsoft print
          infinity and NaN. A NaN is missing if ``missing`` holds "nan".

        ``decimal`` and ``thousands`` hold for all of them but "hex".
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
        is neither a number nor a missing token; where those fields are all of columns that
        ``categories``, ``booleans`` or ``dates`` name by index, it is an error that asks. A list
        names the columns of a file that has no header. Columns without a name are called
        ``column_0``, ``column_1``, ...
    delimiter : str, default ","
        The character between fields, or "auto" to find it in the first rows: comma, tab, semicolon,
        pipe or space. Of spaces a run is one, and those at the beginning and the end of a line are
        none. A first line that names it, as in ``sep=;``, is skipped, and is what "auto" goes by.
        "auto" also finds ``skip_initial_space`` and ``skip_final_space``.
    quote : str or None, default '"'
        The character around fields that hold delimiters or line ends. None if there is none.
    escape : str, optional
        A character, most often ``"\\"``, after which the next one stands for itself, whatever it
        is, inside quotes and outside; quotes may be doubled nevertheless. Tokens of ``missing``
        are looked for in the field as it is written, too: ``missing=["\\N"]`` reads the ``\N`` of a
        database.
    comment : str, optional
        A character, such as "#": lines that begin with it are left out, before the header too,
        unless the line is one within quotes.
    skip_rows : int, default 0
        Lines before the header that are left out, whatever they hold.
    skip_rows_after_header : int, default 0
        Lines after the header that are left out, whatever they hold, such as a line of units.
    skip_footer : int, default 0
        Lines at the end of each file that are left out, whatever they hold. A Ctrl-Z or NUL bytes
        after the last line are never read, and are no line.
    skip_initial_space : bool, default False
        Whether spaces and tabs before an opening quote are left out, as in ``1, "Paris, TX"``.
        Without it such a field is an error. Spaces around unquoted fields never matter.
    skip_final_space : bool, default False
        The same for those after a closing quote, as in ``"Paris, TX" ,1``.
    short_rows : {"raise", "fill"}, default "raise"
        What becomes of a row with too few fields: an error, or those that it lacks at its end are
        missing values. A row with too many fields is an error in any case.
    decimal : {".", ","}, default "."
        The decimal sign. It may be the delimiter, too, in fields that are quoted.
    thousands : str, optional
        A character between groups of three digits, as in ``1,234,567.5``; groups of two before the
        last are read, too (``12,34,567``). A number that has it anywhere else is a NumberError. It
        is an ASCII character: no-break spaces are none.
    encoding : {"utf-8", "latin-1", "cp1252", "utf-16", "utf-16-le", "utf-16-be"}, default "utf-8"
        How names, and texts in general, are written; other common names of these do as well.
        "utf-16" goes by the byte-order mark; errors count its bytes in the text as UTF-8.
    missing : iterable of str, default ``csvfeed.MISSING``
        Tokens read as missing, besides the empty field; ``[*csvfeed.MISSING, "-"]`` adds one.
    fill : float, "mean", or dict of column to one of these, optional
        What a missing feature becomes: a number, or the mean of its column; a dict, by name or
        index, says so column by column. Without it, and in columns that the dict does not name, it
        is NaN, which a model has to deal with: one NaN makes a loss NaN. Only what is missing is
        filled: where ``missing`` does not hold "nan", a field that says so is a number like any
        other. A missing category is 0, and only a dict can name another code for those of a column.
        A mean is that of all rows of the file but those left out for want of a target; for it the
        file is read once more, before the first batch, and ``stats()`` has it then.
    missing_target : {"raise", "skip", "keep"}, default "raise"
        What becomes of a row without a target or weight, or whose target is not one of the classes
        that ``categories`` lists: an error, nothing, or NaN in its place.
    on_error : {"raise", "skip"}, default "raise"
        What becomes of a row that is wrong: an error, or it is left out as if the file did not have
        it, and ``rejects`` tells of it. Wrong is a row with more or fewer fields than the others,
        with text after a closing quote, with a field that is not what its column is read as, or
        without a target or weight unless ``missing_target`` says otherwise. The rows of a split, a
        shard and a shuffle are chosen among those that are left, which are counted by reading their
        fields, which takes as long as an epoch. A RuntimeWarning says once how many were left out,
        at the end of the first epoch or by ``to_keras``. What hides where a row ends is still an
        error: a quote that is never closed, or a row beyond the limit; so is a first row that does
        not tell the columns.
    max_rejects : int, optional
        How many rows may be left out so. One more raises a CsvError that names it: in place of the
        batch that would hold a row after it, or of the first batch where the rows are counted
        beforehand, as for a shuffle, a split, a shard, a cache or a mean. By default any number;
        0 is like ``on_error="raise"``, but ``rejects`` has all of them.
    threads : int, optional
        Threads that read. By default as many as this process may use processors. Of several the one
        that iterates is one, whenever it would wait; the others read ahead. It is none of them
        where rows are shuffled, or the source is decoded, fetched or asked for as it is read.
    memory : int, optional
        Bytes that the buffers of one iteration may take, besides the batches themselves; also the
        length of the longest row, which may be 1 MiB in any case. By default 4.5 MiB on 2 threads,
        113 MiB on 64, and rows of up to 16 MiB.

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

    Notes
    -----
    **Directories** are read as Spark and Hive write them. Data are files called ``*.csv``,
    ``*.csv.gz`` and the like; if there are none, files without a suffix that have a number in
    their name, such as ``part-00000`` or ``000000_0.gz``. Other files, hidden ones and
    ``_SUCCESS`` are passed over. Subdirectories are read if they are called ``key=value``. With
    ``partitions=True`` each key in the path of a file is a column, and its value is decoded as in a
    URL; ``__HIVE_DEFAULT_PARTITION__`` is missing. Numbers have a decimal point there. Text needs
    ``categories``, dates need ``dates``, as in any column.

    **Compressed files**, with gzip, zstd, bzip2, xz, or zip with one file in it, are known by their
    content and decompressed as they are read. What is damaged or cut off is an error where that
    shows, at the latest where its checksum stands; bytes are counted in the decompressed text.
    Shuffle, split, shard, cache and going on in the middle of an epoch need that text in a
    temporary file, which has no name and is made once, in ``tempfile.gettempdir()``. What can be
    read but once, a pipe or the standard input, is kept there when the dataset is made.

    **Remote files** (``https://``, ``s3://``, ``gs://``, whatever fsspec knows; also as a pattern)
    are read in ranges ahead of the parsing, with up to 64 MiB for each file that is being read,
    besides ``memory``; ``pip install 'csvfeed[remote]'`` brings what HTTP and S3 need, and for
    other schemes an error names the package that fsspec wants. Keys and other options stand in
    fsspec's configuration, or in ``csvfeed.remote.RemoteFile(url, key=...)`` in place of the URL.
    Shuffle them through a cache, ``ds.cache().shuffle()``, or each few rows are a request of their
    own.

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
        target: Column | Sequence[Column] | None = -1,
        features: Sequence[Column] | None = None,
        weight: Column | None = None,
        allow_target_as_feature: bool = False,
        categories: Mapping[Any, Literal["auto"] | Sequence[str | float] | int] | None = None,
        booleans: Sequence[Column] | None = None,
        dates: Mapping[Any, DatePart | Sequence[DatePart] | Date | Duration] | None = None,
        numbers: Form | Sequence[Form] | Mapping[Any, Form | Sequence[Form]] | None = None,
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
                target=target,
                features=features,
                weight=weight,
                allow_target_as_feature=allow_target_as_feature,
                values=ValueOptions.of(
                    categories=categories, booleans=booleans, dates=dates, numbers=numbers
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

    def _read(self, options: Options) -> None:
        """Read the headers, and begin with all rows in the order of the file."""
        self._options = options
        self._batch_size: int = options.batch_size
        self._remainder: str = options.remainder
        self._reader = _core.Reader(options)
        everything = self._reader.plan([], seed=None, padded=False, cache=None, fill="")
        self._source_stats = RowStats(self._reader, everything)
        self._fill = Fill(options.fill, self._reader, self._source_stats)
        self._follow(Order())

    def _follow(self, order: Order) -> None:
        """Begin with the first epoch of an order."""
        self._order = order
        self._plan = self._reader.plan(
            order.steps,
            seed=order.seed,
            padded=self._remainder == "pad",
            cache=order.cache,
            fill=repr(self._options.fill),
        )
        own = RowStats(self._reader, self._plan)
        self._stats = own if order.steps else self._source_stats
        self._position = Position()

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
        return self._position.begin(self._open)

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

    def _endless(self) -> Iterator[Batch]:
        """Iterate over whole batches without end; what an epoch leaves over begins the next."""
        return self._reader.batches(self._batch_size, repeat=True, fill=self._fill.values())

    def _row_shapes(self) -> list[tuple[int, ...]]:
        """Shape of one row in each array of a batch."""
        targets = len(self.target_names)
        shapes: list[tuple[int, ...]] = [(len(self.feature_names),)]
        if targets:
            shapes.append(() if targets == 1 else (targets,))
        if self._options.weight is not None or (self._remainder == "pad" and targets):
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
            By name, in the order of features, targets and weight; each part of a date by its own,
            as in ``feature_names``. A column whose name others have too stands under its index
            instead. Of categories they are those of the codes, or of the classes of a target: a
            missing one counts as missing; an unknown code as a 0, an unknown class as missing. A
            column that is a feature and a target stands there once, as the target.

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
        key = kinds.keys(self.columns)
        read = zip(self._reader.columns_read, self._reader.names_read, strict=True)
        return dict(zip((key(*one) for one in read), self._stats.columns, strict=True))

    @property
    def rejects(self) -> Rejects:
        """The rows of the whole file that ``on_error="skip"`` leaves out; found once, by a pass.

        It is the pass that counts the rows. ``max_rejects`` does not matter here: after an error
        for want of more, this tells of all.
        """
        return Rejects.of(self._reader)

    def write_rejects(self, path: str | os.PathLike[str]) -> int:
        """Write the rows that ``on_error="skip"`` leaves out of the file, by a pass over it.

        Parameters
        ----------
        path : str or os.PathLike
            A CSV file to write, or to write over, as UTF-8. It has the columns ``path``, ``line``,
            ``byte_offset`` and ``column`` of the error, ``reason`` in few words, and ``row``: the
            text of the whole row as a quoted field, without its line end, decoded from the
            ``encoding`` of the dataset; what claims to be UTF-8 is there byte for byte.

        Returns
        -------
        int
            How many rows were written.

        Raises
        ------
        ValueError
            If that is a file that is read.
        CsvError, OSError
            What iteration raises, but for too many rejects; or if the file cannot be written.
        """
        target = os.fsdecode(path)
        if is_among(self._options.source, target):
            raise ValueError(f"{target!r} is a file that is read: name another one")
        return self._reader.write_rejects(target)

    @property
    def batch_size(self) -> int:
        """Rows in a batch."""
        return self._batch_size

    @property
    def columns(self) -> list[str]:
        """Names of all columns, in file order."""
        return self._reader.columns

    @property
    def dialect(self) -> Dialect:
        """How the file is written, as the arguments say it or as it was found."""
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

        They are those of their columns, and of a column of dates ``column.part`` for each part.
        """
        return self._reader.feature_names

    @property
    def target_names(self) -> list[str]:
        """Names of the target columns, in the order of the columns of y."""
        return self._reader.target_names

    @property
    def vocabulary(self) -> dict[str | int, list[str]]:
        r"""The categories of each column that has a vocabulary, in the order of their codes.

        The code of a feature is the place of its category in the list plus 1; 0 is none of them.
        The class of a target is the place itself, from 0. A dict of str to lists of str, which JSON
        can save; given as ``categories`` it gives another file the same codes and classes. Columns
        of hash buckets are not in it; ``num_codes`` has the features of both. With "auto" the file
        is read for it once.

        Examples
        --------
        >>> import csvfeed
        >>> data = b"carrier,delay\nUA,1\nAA,2\n,3\n"
        >>> ds = csvfeed.CsvDataset(data, categories={"carrier": "auto"})
        >>> ds.vocabulary
        {'carrier': ['AA', 'UA']}
        >>> next(iter(ds))[0].tolist()
        [[2.0], [1.0], [0.0]]
        """
        key = kinds.keys(self.columns)
        return {key(at): words for at, words in self._reader.vocabularies()}

    @property
    def num_codes(self) -> dict[str, int]:
        r"""How many codes each feature of categories has: the ``input_dim`` of an ``Embedding``.

        A dict by the name of the feature, in the order of the features, with one more than the
        highest code, since 0 is unknown or missing. A feature that is not in it is no code. With
        "auto" the file is read for it once.

        Examples
        --------
        >>> import csvfeed
        >>> data = b"carrier,tail,miles,y\nUA,N1,7,1\nAA,N2,8,2\n"
        >>> ds = csvfeed.CsvDataset(data, categories={"carrier": "auto", "tail": 100})
        >>> ds.num_codes
        {'carrier': 3, 'tail': 101}
        """
        # After the features come targets and a weight.
        codes = zip(self.feature_names, self._reader.num_codes(), strict=False)
        return {name: count for name, count in codes if count is not None}

    def state_dict(self) -> dict[str, Any]:
        """Return where the iteration that began last has got to.

        Returns
        -------
        dict
            Small, and of the types of JSON: the epoch, how many of its batches have been yielded,
            and what tells this dataset from others.
        """
        return self._state(*self._position.reached())

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
        self._position.move(epoch, batch)

    def _state(self, epoch: int, batch: int) -> dict[str, Any]:
        """Return the state at a batch of an epoch."""
        said = {"source", "threads", "batch_size", "max_rejects", "categories"}
        # It says what is allowed, not what is read.
        said.add("allow_target_as_feature")
        if self._order.seed is None:
            # Only an order that is drawn depends on it.
            said.add("memory")
        # What was found is as good as what was given.
        found = ("delimiter", "skip_initial_space", "skip_final_space")
        given = {**self._options.given, **{name: getattr(self.dialect, name) for name in found}}
        options = {key: repr(value) for key, value in given.items() if key not in said}
        rows = {"columns": self.columns, "options": options, **self._order.described()}
        if categories := self._options.values.categories:
            rows["categories"] = {
                "listed": self._reader.vocabulary_digests(),
                "buckets": {
                    str(key): value for key, value in categories.items() if isinstance(value, int)
                },
            }
        source, samples = self._reader.fingerprint()
        return {
            "version": VERSION,
            "epoch": epoch,
            "batch": batch,
            "batch_size": self._batch_size,
            "seed": self._order.seed,
            "source": source,
            "samples": samples,
            "rows": describe(rows),
        }

    def __reduce__(self) -> tuple[Any, ...]:
        if self._reader.is_of_this_process:
            raise TypeError(
                f"a dataset of {self._reader.name} cannot be pickled: what it reads is open in "
                "this process alone. One of a path can be"
            )
        found = self._reader.found_vocabularies()
        known = None if found is None else (self._reader.identity, found)
        return _rebuild, (self._options, self._order, self._source_stats.memory, known)

    def __repr__(self) -> str:
        shown = shown_source(self._options.source)
        return (
            f"CsvDataset({shown}, features={_shorten(self.feature_names)}, "
            f"target={_shorten(self.target_names)}, batch_size={self._batch_size}){self._order}"
        )


def _rebuild(
    options: Options,
    order: Order,
    stats: Memory | None,
    found: tuple[str | None, Vocabularies] | None,
) -> CsvDataset:
    dataset = object.__new__(CsvDataset)
    dataset._read(options)
    if found is not None and found[0] == dataset._reader.identity:
        dataset._reader.recall_vocabularies(found[1])
    if stats is not None:
        dataset._source_stats.recall(stats)
    return dataset._ordered(order)


def _shorten(names: list[str]) -> str:
    return repr(names) if len(names) <= 6 else f"[{names[0]!r}, ..., {names[-1]!r}] ({len(names)})"
