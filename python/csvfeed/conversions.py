"""What trainers take of a dataset."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING

from csvfeed.train.feed import Feed
from csvfeed.train.keras_input import KerasInput

if TYPE_CHECKING:
    import keras
    import tensorflow as tf
    import torch
    from keras.src.trainers.data_adapters.data_adapter import DataAdapter
    from torch.utils.data import IterableDataset


class Conversions(KerasInput):
    """The part of ``CsvDataset`` that speaks of Keras, TensorFlow and PyTorch."""

    def to_keras(
        self: Feed,
        *,
        class_weight: Mapping[int, float] | Mapping[str, float] | None = None,
        as_dict: bool = False,
    ) -> DataAdapter:
        """Return what ``fit``, ``evaluate`` and ``predict`` take, on every backend of Keras.

        They take the dataset itself, too: ``fit(ds)`` does what ``fit(ds.to_keras())`` does.

        The batches are those of iteration, with their number known, so that ``steps_per_epoch`` is
        not needed. It serves as ``x`` and as ``validation_data``. An epoch of ``fit`` is an epoch
        of the dataset, and each ``fit`` goes on where the one before stopped; what Keras looks at
        to build a model, validation, ``evaluate`` and ``predict`` begin at the first row, and do
        not count. Keras's ``shuffle=`` has no effect: shuffle with ``ds.shuffle()``. Since True is
        its default, csvfeed cannot tell whether you gave it, and does not warn.

        The adapter pickles, and copies, as the dataset does: a copy begins at the first epoch.

        Parameters
        ----------
        class_weight : mapping of int or str to float, optional
            Weight of the rows of each class, for an imbalanced training set; 1.0 for classes that
            are not in it. The class is the target rounded to a whole number, or, where there are
            several targets, the position of the largest. A class of a target of ``categories`` may
            be given by its name instead. The weight column, if there is one, is multiplied by it.
        as_dict : bool, default False
            Give the features by name instead of X: a dict of arrays of shape (B, 1), int32 for the
            codes of categories and float32 for all else, as a model with an ``Input`` for each of
            ``feature_names`` takes them, with an ``Embedding`` or ``CategoryEncoding`` after those
            of categories.

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
            If there is not a single batch, ``class_weight`` makes no sense, or two features have
            the same name with ``as_dict``. From ``fit``, ``evaluate`` and ``predict``: if they are
            given ``class_weight``, ``y``, ``sample_weight``, ``validation_split``, or a
            ``batch_size`` or ``validation_batch_size`` that is not the dataset's, which Keras would
            ignore. The error says what to give csvfeed instead.
        CsvError, OSError
            From ``fit``, ``evaluate`` and ``predict``, on every backend: what iteration raises,
            with the place in the file as attributes.

        Notes
        -----
        With ``steps_per_epoch`` smaller than an epoch, each epoch of ``fit`` goes on where the last
        one stopped. Keras cuts the one short in which the data ends, with a warning that it ran out
        of data, and begins the next with the next epoch of the dataset, as it does for arrays.
        A ``fit`` that is left in the middle of an epoch begins that epoch again next time.
        """
        from csvfeed.keras import to_keras

        return to_keras(self, class_weight=class_weight, as_dict=as_dict)

    def to_tf(self: Feed, *, as_dict: bool = False) -> tf.data.Dataset:
        """Return a ``tf.data.Dataset`` of the batches, of known cardinality.

        Parameters
        ----------
        as_dict : bool, default False
            Give the features by name instead of X: a dict of tensors of shape (B, 1), int32 for the
            codes of categories and float32 for all else.

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
            If there is not a single batch, or two features have the same name with ``as_dict``.

        Notes
        -----
        An error in the file ends the iteration in a ``tf.errors.InvalidArgumentError`` (an error of
        the operating system in a ``tf.errors.UnknownError``) whose text names the file, line and
        column: TensorFlow carries no Python exceptions. ``to_keras()`` raises the ``CsvError``.
        """
        from csvfeed.train.tensorflow import to_tf

        return to_tf(self, as_dict=as_dict)

    def to_torch(self: Feed) -> IterableDataset[tuple[torch.Tensor, ...]]:
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
        from csvfeed.train.torch import to_torch

        return to_torch(self)

    def normalization(self: Feed) -> keras.layers.Normalization:
        """Return a ready layer that normalizes the features, from one pass over the file.

        Its mean and variance are those of `stats`, of each feature; missing values are left out of
        them, and stay NaN. The codes of categories stay as they are. Put it first in the model.

        Returns
        -------
        keras.layers.Normalization
            Takes and gives (B, F), with ``(X - mean) / max(std, epsilon)``: a feature that is
            always the same becomes 0. It computes in float32 whatever the dtype policy is: under
            ``mixed_float16`` a feature above 65,504 would be infinite before it is scaled. The
            layers after it follow the policy.

        Raises
        ------
        ImportError
            If there is no Keras, or one before 3.7.
        CsvError
            If a row is wrong, as in iteration.
        ValueError
            If a feature has no value at all, or its variance does not fit into float32.

        Notes
        -----
        Under ``mixed_float16`` a model that is a subclass of ``keras.Model`` casts its inputs to
        float16 before any layer sees them, unless its ``__init__`` begins with
        ``super().__init__(autocast=False)``. ``Sequential`` and functional models leave the inputs
        to their layers.
        """
        from csvfeed.keras import normalization

        return normalization(self)
