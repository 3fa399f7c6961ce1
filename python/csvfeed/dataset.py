"""A CSV file as an iterable of float32 batches."""

from __future__ import annotations

import operator
import os
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex, TypeAlias

import numpy as np
from numpy.typing import NDArray

from csvfeed import _core

if TYPE_CHECKING:
    import keras
    import tensorflow as tf
    import torch
    from keras.src.trainers.data_adapters.data_adapter import DataAdapter
    from torch.utils.data import IterableDataset

Batch: TypeAlias = tuple[NDArray[np.float32], ...]
Column: TypeAlias = SupportsIndex | str

MISSING: tuple[str, ...] = tuple(_core.MISSING)
"""The tokens read as missing unless others are given. The empty field always is."""


class CsvDataset:
    r"""The rows of a CSV file as batches of float32.

    The file is read in blocks by several threads, each time it is iterated; the order of the rows
    is the file's. Only the head of the file is read when the dataset is made.

    Parameters
    ----------
    source : str, os.PathLike or bytes
        Path of the file, or its content.
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
    remainder : {"keep", "drop"}, default "keep"
        What becomes of the rows left over at the end of a pass: a shorter batch, or nothing.
    header : {"auto", True, False} or list of str, default "auto"
        Whether the first row names the columns; "auto" takes it for a header when one of its fields
        is neither a number nor a missing token. A list names the columns of a file that has no
        header. Columns without a name are called ``column_0``, ``column_1``, ...
    delimiter : str, default ","
        The character between fields.
    quote : str or None, default '"'
        The character around fields that hold delimiters or line ends. None if there is none.
    missing : iterable of str, default ``csvfeed.MISSING``
        Tokens read as missing, besides the empty field; ``[*csvfeed.MISSING, "-"]`` adds one. A
        missing feature is NaN, which a model has to deal with: one NaN makes a loss NaN.
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
        it was.
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
        source: str | os.PathLike[str] | bytes,
        *,
        target: Column | Sequence[Column] | None = -1,
        features: Sequence[Column] | None = None,
        weight: Column | None = None,
        batch_size: int = 32,
        remainder: Literal["keep", "drop"] = "keep",
        header: Literal["auto"] | bool | Sequence[str] = "auto",
        delimiter: str = ",",
        quote: str | None = '"',
        missing: Iterable[str] = MISSING,
        missing_target: Literal["raise", "skip", "keep"] = "raise",
        threads: int | None = None,
        memory: int | None = None,
    ) -> None:
        if quote == delimiter:
            raise ValueError(f"delimiter and quote are both {quote!r}")
        # What was given, in plain types of our own: for pickling, and so that nobody changes it.
        options = self._options = {
            "source": _source(source),
            "target": _columns(target, "target"),
            "features": None if features is None else _columns(features, "features"),
            "weight": None if weight is None else _column(weight, "weight"),
            "batch_size": _positive(batch_size, "batch_size"),
            "remainder": _choice(remainder, ("keep", "drop"), "remainder"),
            "header": _header(header),
            "delimiter": _character(delimiter, "delimiter"),
            "quote": None if quote is None else _character(quote, "quote"),
            "missing": _strings(missing, "missing"),
            "missing_target": _choice(missing_target, ("raise", "skip", "keep"), "missing_target"),
            "threads": None if threads is None else _positive(threads, "threads"),
            "memory": None if memory is None else _positive(memory, "memory"),
        }
        self._batch_size: int = options["batch_size"]
        self._drop_remainder = remainder == "drop"
        self._num_rows: int | None = None
        self._upcoming = (0, 0)
        self._reader = _core.Reader(
            options["source"],
            target=options["target"],
            features=options["features"],
            weight=options["weight"],
            header=None if options["header"] == "auto" else options["header"],
            delimiter=ord(delimiter),
            quote=None if quote is None else ord(quote),
            missing=options["missing"],
            missing_target=missing_target,
            threads=options["threads"],
            memory=options["memory"],
        )

    def __iter__(self) -> Iterator[Batch]:
        """Iterate over one epoch.

        Yields
        ------
        tuple
            ``(X, y)``: X of shape (B, F), y of shape (B,) for one target and (B, T) for several,
            both C-contiguous float32. ``(X,)`` without a target, ``(X, y, w)`` with a weight, of
            shape (B,). The arrays belong to the caller.
        """
        return self._batches(self._batch_size, drop_remainder=self._drop_remainder)

    def _row_shapes(self) -> list[tuple[int, ...]]:
        """Shape of one row in each array of a batch."""
        targets = len(self.target_names)
        shapes: list[tuple[int, ...]] = [(len(self.feature_names),)]
        if targets:
            shapes.append(() if targets == 1 else (targets,))
        if self._options["weight"] is not None:
            shapes.append(())
        return shapes

    def _batches(
        self, batch_size: int, *, drop_remainder: bool = False, repeat: bool = False
    ) -> Iterator[Batch]:
        return self._reader.batches(batch_size, drop_remainder=drop_remainder, repeat=repeat)

    def __len__(self) -> int:
        """Return the number of batches in an epoch, for which the rows are counted."""
        whole, rest = divmod(self.num_rows, self._batch_size)
        return whole + (rest > 0 and not self._drop_remainder)

    @property
    def num_rows(self) -> int:
        """Rows in an epoch before a remainder is dropped. Counted once, by a pass over the file."""
        if self._num_rows is None:
            self._num_rows = self._reader.count_rows()
        return self._num_rows

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

    # CONTRACT-STAND-IN: replaced at the merge by the real positions, from here ...

    @property
    def _remainder(self) -> str:
        return str(self._options["remainder"])

    def _open(
        self, epoch: int, first_batch: int = 0, batch_size: int | None = None
    ) -> Iterator[Batch]:
        size = self._batch_size if batch_size is None else batch_size
        del epoch
        skipped = first_batch * self._batch_size
        if not skipped:
            drop = self._drop_remainder and size == self._batch_size
            yield from self._batches(size, drop_remainder=drop)
            return
        parts = [np.concatenate(part) for part in zip(*self._batches(size), strict=True)]
        rows = len(parts[0]) if parts else 0
        end = rows // size * size if self._drop_remainder and size == self._batch_size else rows
        for at in range(skipped, end, size):
            yield tuple(part[at : min(at + size, end)] for part in parts)

    def _position(self) -> tuple[int, int]:
        return self._upcoming

    def _advance(self, epoch: int, batch: int) -> None:
        self._upcoming = (epoch, batch)

    def state_dict(self) -> dict[str, Any]:
        epoch, batch = self._upcoming
        return {"epoch": epoch, "batch": batch}

    def load_state_dict(self, state: dict[str, Any]) -> None:
        self._upcoming = (state["epoch"], state["batch"])

    def stats(self) -> dict[str, Any]:
        from types import SimpleNamespace

        X = np.concatenate([batch[0] for batch in self._open(0)]).astype(np.float64)
        return {
            name: SimpleNamespace(mean=np.nanmean(column), std=np.nanstd(column))
            for name, column in zip(self.feature_names, X.T, strict=True)
        }

    def shard(self, index: int, count: int) -> CsvDataset:
        class Shard(CsvDataset):
            def _open(
                self, epoch: int, first_batch: int = 0, batch_size: int | None = None
            ) -> Iterator[Batch]:
                parts = [np.concatenate(part) for part in zip(*super()._open(epoch), strict=True)]
                parts = [part[index::count] for part in parts]
                size = batch_size or self._batch_size
                for at in range(first_batch * self._batch_size, len(parts[0]), size):
                    yield tuple(part[at : at + size] for part in parts)

        return Shard(**self._options)

    # ... to here. What follows stays.

    def to_keras(self, *, class_weight: Mapping[int, float] | None = None) -> DataAdapter:
        """Return what ``fit``, ``evaluate`` and ``predict`` take, on every backend of Keras.

        The batches are those of iteration, with their number known, so that ``steps_per_epoch`` is
        not needed. It serves as ``x`` and as ``validation_data``. An epoch of ``fit`` is an epoch
        of the dataset, and each ``fit`` goes on where the one before stopped; what Keras looks at
        to build a model, validation, ``evaluate`` and ``predict`` begin at the first row, and do
        not count. Keras's ``shuffle`` has no bearing on it, and gives no warning.

        Parameters
        ----------
        class_weight : mapping of int to float, optional
            Weight of the rows of each class, for an imbalanced training set; 1.0 for classes that
            are not in it. The class is the target rounded to a whole number, or, where there are
            several targets, the position of the largest. The weight column, if there is one, is
            multiplied by it. ``fit(class_weight=...)`` is refused with an error that says so, and
            so are ``y`` and ``sample_weight``, all of which Keras would ignore.

        Returns
        -------
        keras DataAdapter
            An object for Keras to use; it is not iterable itself.

        Raises
        ------
        ImportError
            If there is no Keras, or one before 3.7, which does not take such objects; ``to_tf()``
            serves there, on the TensorFlow backend.
        ValueError
            If there is not a single batch, or ``class_weight`` makes no sense.

        Notes
        -----
        With ``steps_per_epoch`` smaller than an epoch, each epoch of ``fit`` goes on where the last
        one stopped. Keras cuts the one short in which the data ends, with a warning that it ran out
        of data, and begins the next with the next epoch of the dataset, as it does for arrays.
        A ``fit`` that is left in the middle of an epoch begins that epoch again next time.
        """
        from csvfeed.keras import to_keras

        return to_keras(self, class_weight=class_weight)

    def to_tf(self) -> tf.data.Dataset:
        """Return a ``tf.data.Dataset`` of the batches, of known cardinality.

        Returns
        -------
        tf.data.Dataset
            Each iteration is one pass over the file, the first of them the epoch at which the next
            iteration of this dataset would begin, and each one epoch on. They are counted apart
            from those of this dataset.

        Raises
        ------
        ImportError
            If TensorFlow is not installed.
        ValueError
            If there is not a single batch.
        """
        from csvfeed.tensorflow import to_tf

        return to_tf(self)

    def to_torch(self) -> IterableDataset[tuple[torch.Tensor, ...]]:
        """Return a PyTorch dataset of the batches, as float32 tensors.

        Give it to ``torch.utils.data.DataLoader(..., batch_size=None)``, since the rows come in
        batches already. Each worker of a loader reads a share of the rows, ``ds.shard`` of its
        number, in batches of ``batch_size``; ``num_workers=0`` reads as fast, with all threads.

        Returns
        -------
        torch.utils.data.IterableDataset
            Of tuples ``(X, y)``: X of shape (B, F), y of shape (B,) or (B, T); ``(X,)`` without a
            target and ``(X, y, w)`` with a weight. Its ``len`` is the number of batches in an
            epoch without workers. Each iteration is the next epoch of this dataset. Workers count
            their epochs from the one at which the dataset is, and always read whole ones.

        Raises
        ------
        ImportError
            If PyTorch is not installed.
        ValueError
            If there is not a single batch.
        """
        from csvfeed.torch import to_torch

        return to_torch(self)

    def normalization(self) -> keras.layers.Normalization:
        """Return a ready layer that normalizes the features, from one pass over the file.

        Its mean and variance are those of `stats`, of each feature; missing values are left out of
        them, and stay NaN. Put it first in the model.

        Returns
        -------
        keras.layers.Normalization
            Takes and gives (B, F), with ``(X - mean) / max(std, epsilon)``: a feature that is
            always the same becomes 0.

        Raises
        ------
        ImportError
            If there is no Keras, or one before 3.7.
        CsvError
            If a row is wrong, as in iteration.
        ValueError
            If a feature has no value at all.
        """
        from csvfeed.keras import normalization

        return normalization(self)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self._options,)

    def __repr__(self) -> str:
        source = self._options["source"]
        shown = f"<{len(source)} bytes>" if isinstance(source, bytes) else repr(source)
        return (
            f"CsvDataset({shown}, features={_shorten(self.feature_names)}, "
            f"target={_shorten(self.target_names)}, batch_size={self._batch_size})"
        )


def _rebuild(options: dict[str, Any]) -> CsvDataset:
    return CsvDataset(**options)


def _shorten(names: list[str]) -> str:
    return repr(names) if len(names) <= 6 else f"[{names[0]!r}, ..., {names[-1]!r}] ({len(names)})"


def _source(source: Any) -> str | bytes:
    if isinstance(source, (bytes, bytearray, memoryview)):
        return bytes(source)
    if isinstance(source, (str, os.PathLike)):
        return os.fsdecode(source)
    raise TypeError(f"source is a path or bytes, not {type(source).__name__}")


def _positive(value: Any, name: str) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        number = 0
    if isinstance(value, bool) or not 0 < number < 2**62:
        raise ValueError(f"{name} is a whole number of at least 1, not {value!r}")
    return number


def _choice(value: Any, choices: tuple[str, ...], name: str) -> Any:
    if value not in choices:
        raise ValueError(f"{name} is one of {', '.join(map(repr, choices))}, not {value!r}")
    return value


def _column(value: Any, name: str) -> int | str:
    if isinstance(value, str):
        return value
    try:
        index = None if isinstance(value, bool) else operator.index(value)
    except TypeError:
        index = None
    if index is None or abs(index) >= 2**62:
        raise TypeError(f"{name} names columns by name or index, not by {value!r}")
    return index


def _columns(value: Any, name: str) -> list[int | str]:
    if value is None:
        return []
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        return [_column(column, name) for column in value]
    if name == "features":
        raise TypeError(f"features is a list of names or indices, not {value!r}")
    return [_column(value, name)]


def _header(value: Any) -> str | bool | list[str]:
    if isinstance(value, bool):
        return value
    if isinstance(value, str):
        _choice(value, ("auto",), "header")
        return value
    if not isinstance(value, Iterable):
        raise TypeError(f"header is 'auto', True, False or a list of names, not {value!r}")
    names = _strings(value, "header")
    if not names:
        raise ValueError("header is an empty list of names")
    return names


def _strings(value: Any, name: str) -> list[str]:
    if isinstance(value, Iterable) and not isinstance(value, (str, bytes)):
        strings = list(value)
        if all(isinstance(string, str) for string in strings):
            return strings
        value = strings
    raise TypeError(f"{name} takes a list of strings, not {value!r}")


def _character(value: Any, name: str) -> str:
    if not isinstance(value, str) or len(value) != 1 or not value.isascii():
        raise ValueError(f"{name} is one ASCII character, not {value!r}")
    if value.isalnum() or value in "+-.\r\n\0":
        raise ValueError(f"{name} cannot be {value!r}, which is part of numbers or of line ends")
    return value
