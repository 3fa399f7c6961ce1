"""What a dataset becomes for Keras, TensorFlow, PyTorch, Grain and Ray."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csvfeed import other_names
from csvfeed.outputs import Batch
from csvfeed.train.dtype import Dtype
from csvfeed.train.feed import ClassWeight, Feed
from csvfeed.train.keras_input import KerasInput

if TYPE_CHECKING:
    import grain
    import keras
    import ray.data
    import tensorflow as tf
    import torch
    from torch.utils.data import IterableDataset

    from csvfeed.train.keras_internals import DataAdapter


class Conversions(KerasInput):
    """The part of ``CsvDataset`` that converts it for trainers.

    The methods import a trainer only when they are called.
    """

    @other_names.explain(
        other_names.TRAINERS,
        "ds.to_keras()",
        by_position="to_keras() takes its options by name, not {0}",
    )
    def to_keras(
        self: Feed,
        *,
        class_weight: ClassWeight | None = None,
        as_dict: bool = False,
        dtype: Dtype = "float32",
    ) -> DataAdapter:
        """Return what ``fit``, ``evaluate`` and ``predict`` take, on every backend of Keras.

        They also take the dataset itself: ``fit(ds)`` does what ``fit(ds.to_keras())`` does.

        Keras gets the batches of iteration and knows their number, so you need no
        ``steps_per_epoch``. The adapter works as ``x`` and as ``validation_data``. An epoch of
        ``fit`` is an epoch of the dataset, and each ``fit`` continues where the last one stopped.
        Validation, ``evaluate``, ``predict``, and the look that builds a model begin at the first
        row and do not move the dataset. Keras's ``shuffle=`` has no effect: use ``ds.shuffle()``.
        Because ``shuffle=True`` is its default, csvfeed cannot warn about it.

        The adapter can be pickled and copied if the dataset can. A copy begins at the first epoch.

        Parameters
        ----------
        class_weight : mapping of int or str to float, or of str to such mappings, optional
            Weight of the rows of each class, for an imbalanced training set. Other classes have
            weight 1.0. The class is the target rounded to a whole number; with several targets, it
            is the position of the largest. For a target of ``categories``, names of classes work,
            too. If the dataset has a weight column, its weights are multiplied by these. With
            ``target`` as a dict, the mapping goes by output, as in ``{"sold": {0: 1.0, 1: 5.0}}``;
            other outputs have weight 1.0.
        as_dict : bool, default False
            Whether to yield the features by name instead of X: a dict of arrays of shape (B, 1),
            int32 for codes of categories and float32 for all others. This suits a model with an
            ``Input`` for each of ``feature_names``, and an ``Embedding`` or ``CategoryEncoding``
            after those of categories. A column of ``lists`` is one array of shape (B, length),
            by the name of the column.
        dtype : {"float32", "float16", "bfloat16"}, default "float32"
            The dtype of X, for mixed precision. Each value is rounded from float32 to the nearest,
            ties to even, and is infinite if it is too large: above 65,504 for float16. Codes by
            name stay int32, and y and the weights float32.

        Returns
        -------
        keras DataAdapter
            An object for Keras. You cannot iterate over it. If Keras is newer than csvfeed knows, a
            ``tf.data.Dataset`` on TensorFlow and a ``keras.utils.PyDataset`` elsewhere, with a
            RuntimeWarning; docs/training.md says what is missing then.

        Raises
        ------
        ImportError
            If Keras is not installed, or is older than 3.7. ``to_tf()`` works with older versions,
            on the TensorFlow backend. Or if ``dtype`` is "bfloat16" and ml_dtypes is not installed.
        ValueError
            If the dataset has no batch, ``class_weight`` or ``dtype`` is not valid, or two features
            have the same name with ``as_dict``. From ``fit``, ``evaluate`` and ``predict``: if you
            give them an argument that Keras would ignore: ``class_weight``, ``y``,
            ``sample_weight``, ``validation_split``, or a ``batch_size`` or
            ``validation_batch_size`` that is not the dataset's. The error says what to give csvfeed
            instead. From ``fit`` and ``evaluate``: if ``target`` names outputs that the model does
            not have.
        CsvError, OSError
            From ``fit``, ``evaluate`` and ``predict``, on every backend: the error that iteration
            raises, with the place in the file as attributes.

        Notes
        -----
        If ``steps_per_epoch`` is smaller than an epoch, each epoch of ``fit`` continues where the
        last one stopped. As with arrays, Keras shortens the epoch in which the data ends, warns
        that the data ran out, and begins the next one with the next epoch of the dataset. If a
        ``fit`` stops in the middle of an epoch, the next ``fit`` begins that epoch again.
        """
        from csvfeed.keras import to_keras

        return to_keras(self, class_weight=class_weight, as_dict=as_dict, dtype=dtype)

    @other_names.explain(
        other_names.TRAINERS,
        "ds.to_tf()",
        by_position="to_tf() takes its options by name, not {0}",
    )
    def to_tf(self: Feed, *, as_dict: bool = False, dtype: Dtype = "float32") -> tf.data.Dataset:
        """Return a ``tf.data.Dataset`` of the batches, of known cardinality.

        Parameters
        ----------
        as_dict : bool, default False
            Whether to yield the features by name instead of X: a dict of tensors of shape (B, 1),
            int32 for codes of categories and float32 for all others. A column of ``lists`` is one
            tensor of shape (B, length), by the name of the column.
        dtype : {"float32", "float16", "bfloat16"}, default "float32"
            The dtype of X, as in ``to_keras``.

        Returns
        -------
        tf.data.Dataset
            It yields what iteration yields, as tensors: X in ``dtype``, y and the weights float32,
            dicts if ``target`` is one. Each iteration reads
            one epoch. The first is the epoch that the next iteration of this dataset would read,
            and each further one is the next epoch. They do not move this dataset.

        Raises
        ------
        ImportError
            If TensorFlow is not installed.
        ValueError
            If the dataset has no batch, ``dtype`` is another one, or two features have the same
            name with ``as_dict``.

        Notes
        -----
        TensorFlow does not pass on Python exceptions. For an error in the file the iteration raises
        a ``tf.errors.InvalidArgumentError``, and for an error of the operating system a
        ``tf.errors.UnknownError``; the text names the file, line and column. With ``to_keras()``,
        ``fit`` raises the ``CsvError`` itself.
        """
        from csvfeed.train.tensorflow import to_tf

        return to_tf(self, as_dict=as_dict, dtype=dtype)

    @other_names.explain(
        other_names.TRAINERS,
        "ds.to_torch()",
        by_position="to_torch() takes its options by name, not {0}",
    )
    def to_torch(
        self: Feed, *, dtype: Dtype = "float32"
    ) -> IterableDataset[tuple[torch.Tensor, ...]]:
        """Return a PyTorch dataset of the batches, as tensors.

        Pass it to ``torch.utils.data.DataLoader(..., batch_size=None)``, because it yields whole
        batches. Each worker of a loader reads its share of the rows, ``ds.shard(worker, workers)``,
        in batches of ``batch_size``. ``num_workers=0`` is as fast: it reads with all threads. After
        ``distribute``, workers take lanes of this process, and all processes make equally many
        steps. Its iterators have ``state_dict`` and ``load_state_dict``, with which ``torchdata``'s
        ``StatefulDataLoader`` resumes at once.

        Parameters
        ----------
        dtype : {"float32", "float16", "bfloat16"}, default "float32"
            The dtype of X, as in ``to_keras``.

        Returns
        -------
        torch.utils.data.IterableDataset
            It yields tuples ``(X, y)``: X in ``dtype``, of shape (B, F), or (B, length, F) after
            ``windows``; y float32, of shape (B,) or (B, T). ``(X,)`` without a target and
            ``(X, y, w)`` with a weight. y and w are dicts of tensors if ``target`` is a dict. Its
            ``len`` is the number of batches in an epoch without workers. Each iteration reads the
            next epoch of this dataset. Workers count epochs from the dataset's position and read
            whole epochs, unless a state was loaded.

        Raises
        ------
        ImportError
            If PyTorch is not installed.
        ValueError
            If the dataset has no batch, or ``dtype`` is another one.
        """
        from csvfeed.train.torch import to_torch

        return to_torch(self, dtype=dtype)

    @other_names.explain(
        other_names.TRAINERS,
        "ds.to_grain()",
        by_position="to_grain() takes its options by name, not {0}",
    )
    def to_grain(self: Feed, *, dtype: Dtype = "float32") -> grain.IterDataset[Batch]:
        """Return a Grain dataset of the batches, for JAX without Keras.

        Its iterators have ``get_state`` and ``set_state``. In processes of Grain's ``mp_prefetch``,
        each worker reads its share of the rows, as with ``to_torch``.

        Parameters
        ----------
        dtype : {"float32", "float16", "bfloat16"}, default "float32"
            The dtype of X, as in ``to_keras``.

        Returns
        -------
        grain.IterDataset
            It yields tuples ``(X, y)`` of arrays, as iteration does: ``(X,)`` without a target and
            ``(X, y, w)`` with a weight, y and w dicts if ``target`` is one. X has the ``dtype``,
            the others are float32. Each iteration reads the next epoch of this dataset.

        Raises
        ------
        ImportError
            If Grain is not installed, or ``dtype`` is "bfloat16" and ml_dtypes is not installed.
        ValueError
            If the dataset has no batch, or ``dtype`` is another one.
        """
        from csvfeed.train.grain import to_grain

        return to_grain(self, dtype=dtype)

    @other_names.explain(
        other_names.TRAINERS,
        "ds.to_ray()",
        by_position="to_ray() takes no arguments, not {0}: ray.data.read_datasource takes its "
        "options with csvfeed.ray.CsvDatasource(ds)",
    )
    def to_ray(self: Feed) -> ray.data.Dataset:
        """Return a Ray dataset of the rows, which Ray's workers read side by side.

        csvfeed counts the rows first, unless it has done so, and cuts them into tasks of about 128
        MiB of text. A task reads its rows and no other part of the file; a compressed file is one
        task. All that Ray does with a dataset works: ``random_shuffle``, ``split``,
        ``write_parquet``, or the ``datasets`` of a trainer. docs/distributed.md shows more.

        Returns
        -------
        ray.data.Dataset
            One float32 column for each feature, each target and each weight, by the name of the
            column, also if ``target`` is a dict. ``one_hot`` makes a column ``target.class`` for
            each class. If two have the same name, the second gets ``.1`` after it. A missing value
            is NaN, or what ``fill`` says. Ray keeps the order of the rows if its ``preserve_order``
            is set.

        Raises
        ------
        ImportError
            If Ray or its Ray Data is not installed.
        TypeError
            If other processes cannot open the source, as an open file or the standard input.
        ValueError
            If the dataset has no row, is a mix or has ``windows``; or if it is shuffled, cached or
            distributed, or its ``remainder`` is not "keep": Ray does these.

        Notes
        -----
        A CsvError stays one: Ray raises an error that is both a ``RayTaskError`` and a CsvError.
        """
        from csvfeed.ray import to_ray

        return to_ray(self)

    def normalization(self: Feed) -> keras.layers.Normalization:
        """Return a ready layer that normalizes the features, from one pass over the source.

        It uses the mean and variance of each feature in `stats`. They do not count missing values,
        which stay NaN. Codes of categories stay as they are. Make it the first layer of the model.

        Returns
        -------
        keras.layers.Normalization
            Maps (B, F) to (B, F), as ``(X - mean) / max(std, epsilon)``: a constant feature becomes
            0. It always computes in float32, because under ``mixed_float16`` a feature above 65,504
            would be infinite before it is scaled. The layers after it follow the dtype policy.

        Raises
        ------
        ImportError
            If Keras is not installed, or is older than 3.7.
        CsvError
            If a row is bad, as in iteration.
        ValueError
            If a feature has no value, or its variance does not fit into float32.

        Notes
        -----
        Under ``mixed_float16``, a subclass of ``keras.Model`` casts its inputs to float16 before
        any layer sees them, unless its ``__init__`` begins with
        ``super().__init__(autocast=False)``. ``Sequential`` and functional models do not.
        """
        from csvfeed.keras import normalization

        return normalization(self)
