"""The predictions of a model, batch by batch, beside the ids of their rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy as np

from csvfeed.epochs import Ids
from csvfeed.outputs import Array
from csvfeed.train.feed import Feed
from csvfeed.train.same_features import SAME_FEATURES
from csvfeed.train.structure import Structure
from csvfeed.turns import Shared


class Predictions:
    """The part of ``CsvDataset`` that yields the ids of rows, and predictions with them."""

    def with_ids(self: Feed) -> Iterator[tuple[Any, ...]]:
        r"""Iterate over an epoch, with the ids of the rows before each batch.

        It is the epoch that the next iteration would read, from its first row on. The dataset does
        not move. The ids come from the source, also if the rows are in a cache.

        Yields
        ------
        tuple
            ``(ids, X, y)``, and what else iteration yields. ``ids`` is a dict with an array of
            shape (B,) for each column of ``ids=``, by its name, or by its index if other columns
            have the same name. The array holds ``str`` objects, without quotes and spaces around
            them, or int64 if ``ids=`` says int. A row of padding has no ids and is left out, and so
            is the weight that marks it. A window has the ids of the row that has its target; with
            ``horizon=0``, that is its last row.

        Raises
        ------
        ValueError
            If the dataset has no ids, or is distributed.
        CsvError, OSError
            As iteration does; or if an id is not UTF-8, or no integer although ``ids=`` says int.

        Examples
        --------
        >>> import csvfeed
        >>> ds = csvfeed.CsvDataset(b"order,a,y\nX-1,1,0\nX-2,2,1\n", ids=["order"])
        >>> for ids, X, y in ds.with_ids():
        ...     print(ids["order"], X.tolist(), y)
        ['X-1' 'X-2'] [[1.0], [2.0]] [0. 1.]
        """
        if not self.epochs.id_names:
            raise ValueError(
                "with_ids() yields the ids of the rows, and this dataset has none: "
                "CsvDataset(..., ids=[...]) names their columns"
            )
        _refuse_lanes(self, "with_ids")
        return Shared(_with_ids(self))

    def predictions(self: Feed, model: Any, *, as_dict: bool = False) -> Iterator[tuple[Ids, Any]]:
        r"""Iterate over the predictions of a model, with the ids of their rows.

        The rows are those of ``with_ids``. Neither the file nor the predictions need to fit in
        memory. Targets play no part, but a row that lacks one is treated as in iteration:
        ``target=None`` reads a file without targets.

        Parameters
        ----------
        model : object with ``predict_on_batch``, or callable
            A Keras model on any backend; or a function of X, such as the ``predict`` of an
            estimator. X is a float32 array of shape (B, F), or (B, length, F) after ``windows``.
        as_dict : bool, default False
            Whether the model takes the features by name, as with ``to_keras(as_dict=True)``.

        Yields
        ------
        ids : dict of numpy.ndarray
            As ``with_ids`` has them; empty if the dataset has no ids.
        values
            What the model returns for the batch: an array with B rows, or a list or a dict of such
            arrays. With ``remainder="pad"``, the model gets whole batches, and the predictions for
            padding are cut off. With "drop", the rows left over have no prediction.

        Raises
        ------
        TypeError
            If ``model`` is neither.
        ValueError
            If the dataset is distributed, two features have the same name with ``as_dict``, or the
            model does not return a row for each row of X.
        CsvError, OSError
            As ``with_ids`` does.

        Examples
        --------
        >>> import csvfeed
        >>> ds = csvfeed.CsvDataset(b"order,a,b\nX-1,1,5\nX-2,2,5\n", target=None, ids=["order"])
        >>> for ids, values in ds.predictions(lambda X: X.sum(axis=1)):
        ...     print(ids["order"], values)
        ['X-1' 'X-2'] [6. 7.]
        """
        predict = _function(model)
        _refuse_lanes(self, "predictions")
        structure = Structure(self, as_dict=True) if as_dict else None
        SAME_FEATURES.require(model, self, as_dict=as_dict)
        return Shared(_predictions(self, predict, structure))


def _with_ids(dataset: Feed) -> Iterator[tuple[Any, ...]]:
    outputs = dataset.epochs.outputs
    for ids, arrays in dataset.epochs.open_with_ids():
        yield (ids, *(arrays if outputs is None else outputs.give(arrays)))


def _predictions(
    dataset: Feed, predict: Callable[[Any], Any], structure: Structure | None
) -> Iterator[tuple[Ids, Any]]:
    pads = dataset.epochs.remainder == "pad"
    for ids, (X, *_) in dataset.epochs.open_with_ids():
        whole = _padded(X, dataset.batch_size) if pads else X
        features = whole if structure is None else structure.cut((whole,))[0]
        yield ids, _of_rows(predict(features), len(whole), len(X))


def _refuse_lanes(dataset: Feed, method: str) -> None:
    if dataset.epochs.order.lanes is not None:
        raise ValueError(
            f"{method}() yields batches of a process of its own, and this dataset has a part of "
            "batches that processes share: give each process its rows with shard(index, count)"
        )


def _function(model: Any) -> Callable[[Any], Any]:
    """Return the function of X that a model is."""
    predict = getattr(model, "predict_on_batch", model)
    if callable(predict):
        return predict  # type: ignore[no-any-return]
    advice = ""
    if callable(getattr(model, "predict", None)):
        advice = ": its method predict is one"
    raise TypeError(
        "predictions() takes a model with predict_on_batch, as Keras has, or a function of X, not "
        f"{model!r}{advice}"
    )


def _padded(X: Array, rows: int) -> Array:
    """Return X with rows of zeros up to ``rows`` rows."""
    if len(X) == rows:
        return X
    return np.concatenate([X, np.zeros((rows - len(X), *X.shape[1:]), X.dtype)])


def _of_rows(values: Any, given: int, wanted: int) -> Any:
    """Return the predictions for the first ``wanted`` of the ``given`` rows of X."""
    if isinstance(values, Mapping):
        return {name: _of_rows(one, given, wanted) for name, one in values.items()}
    if isinstance(values, (list, tuple)) and any(hasattr(one, "shape") for one in values):
        return [_of_rows(one, given, wanted) for one in values]
    # A scalar has no length.
    found = len(values) if getattr(values, "shape", True) and hasattr(values, "__len__") else 0
    if found != given:
        raise ValueError(
            f"the model returns {found:,} rows for the {given:,} rows of X: each row needs one "
            "prediction"
        )
    return values if given == wanted else values[:wanted]
