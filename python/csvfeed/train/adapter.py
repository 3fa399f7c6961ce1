"""The data adapter for Keras: the batches of a dataset, counted in epochs of ``fit``."""

from __future__ import annotations

import weakref
from collections.abc import Iterator
from functools import partial
from typing import TYPE_CHECKING, Any, NoReturn

import keras

from csvfeed.outputs import Arrays
from csvfeed.train.call_stack import Caller, caller
from csvfeed.train.data_parallel import own_part
from csvfeed.train.feed import ClassWeight, Feed
from csvfeed.train.fit import Fit
from csvfeed.train.for_keras import ForKeras
from csvfeed.train.grouping import partial_batch_size
from csvfeed.train.ignored_arguments import refuse_ignored
from csvfeed.train.interrupts import INTERRUPTS
from csvfeed.train.keras_internals import (
    DataAdapter,
    EpochIterator,
    PartialBatchList,
    step_within,
)
from csvfeed.train.other_outputs import refuse_other_outputs, refuse_too_few_classes
from csvfeed.train.same_features import SAME_FEATURES
from csvfeed.train.structure import cut_stacks, super_batches

if TYPE_CHECKING:
    import tensorflow as tf
    from torch.utils.data import DataLoader

    from csvfeed.train.original_errors import OriginalErrors


class CsvDatasetAdapter(ForKeras, DataAdapter):  # type: ignore[misc]  # Keras has no types.
    """The batches of a dataset for Keras; made by ``CsvDataset.to_keras``."""

    def __init__(
        self,
        dataset: Feed,
        class_weight: ClassWeight | None = None,
        *,
        as_dict: bool = False,
        dtype: str = "float32",
    ) -> None:
        super().__init__(own_part(dataset), class_weight, as_dict=as_dict, dtype=dtype)
        self._tf_dataset: tf.data.Dataset | None = None
        self._errors: OriginalErrors | None = None
        self._fits: weakref.WeakKeyDictionary[EpochIterator, Fit] = weakref.WeakKeyDictionary()
        # The fit whose epoch runs. None while Keras evaluates, predicts or builds a model, which it
        # may also do in the middle of an epoch of fit.
        self._fit: Fit | None = None
        self._interrupted: Fit | None = None

    @property
    def __array__(self) -> NoReturn:
        # Keras looks for it before it cuts arrays by validation_split.
        raise ValueError(
            "to_keras() is no array that Keras could cut by validation_split=: split the dataset, "
            "train, held_out = ds.split(0.2, seed=0), and call "
            "fit(train.to_keras(), validation_data=held_out.to_keras())"
        )

    def _read(self, group_rows: int | None = None) -> Iterator[Arrays]:
        """Yield the rows of an epoch in large groups, from where Keras should begin."""
        if self._fit is None:
            epoch, first_batch = self.dataset.epochs.position.next[0], 0
        else:
            epoch, first_batch = self._fit.position
        yield from self.dataset.epochs.open(epoch, first_batch, group_rows or self._group_rows)

    def _views(self) -> Iterator[tuple[Any, ...]]:
        return cut_stacks(self._stacks(self._read()), self.structure)

    # The interface of DataAdapter.

    def get_numpy_iterator(self) -> Iterator[tuple[Any, ...]]:
        return self._views()

    def get_jax_iterator(self, super_batch: int | None = None) -> Iterator[Any]:
        """Yield batches, or stacks of ``super_batch`` batches, as Keras asks since 3.16.

        The last execution of an epoch gets a smaller stack, or a list of batches if the last batch
        is shorter.
        """
        if super_batch is None:
            return self._views()
        # Each group except the last is a whole number of stacks.
        stack_rows = super_batch * self.dataset.epochs.batch_rows
        group_rows = max(1, self._group_rows // stack_rows) * stack_rows
        groups = self._stacks(self._read(group_rows))
        return super_batches(groups, super_batch, self.structure, PartialBatchList)

    def get_tf_dataset(self) -> tf.data.Dataset:
        # Made once, because TensorFlow never frees all of a from_generator.
        if self._tf_dataset is None:
            import tensorflow as tf

            from csvfeed.train.original_errors import OriginalErrors
            from csvfeed.train.tensorflow import from_groups

            self._errors = OriginalErrors()
            self._tf_dataset = from_groups(
                self.dataset, self.structure, partial(self._errors.noted, self._read)
            ).prefetch(tf.data.AUTOTUNE)
        iterator = caller().iterator
        if iterator is not None and self._errors is not None:
            step_within(iterator, self._errors.raised)
        return self._tf_dataset

    def get_torch_dataloader(self) -> DataLoader[tuple[Any, ...]]:
        from csvfeed.train.torch import loader

        return loader(self._views, keras.ops.convert_to_tensor)

    @property
    def num_batches(self) -> int:
        call = caller()
        refuse_ignored(call, self.dataset)
        model = call.arguments.get("self")
        if call.method in ("fit", "evaluate"):
            refuse_other_outputs(model, self.structure)
            refuse_too_few_classes(model, self.dataset)
        if call.method == "predict":
            self._warn_of_order()
        if call.given and model is not None:
            self._compare_features(call, model)
        return self._count

    def _compare_features(self, call: Caller, model: keras.Model) -> None:
        if call.method == "fit" and call.given.get("x") is call.arguments.get("x"):
            SAME_FEATURES.train(model, self.dataset)
        else:
            as_dict, takes_targets = self.structure.names_features, call.method != "predict"
            SAME_FEATURES.require(model, self.dataset, as_dict=as_dict, takes_targets=takes_targets)

    @property
    def batch_size(self) -> int:
        return self.dataset.epochs.batch_rows

    @property
    def has_partial_batch(self) -> bool:
        return partial_batch_size(self.dataset) > 0

    @property
    def partial_batch_size(self) -> int | None:
        return partial_batch_size(self.dataset) or None

    def on_epoch_begin(self) -> None:
        call = caller()
        if keras.backend.backend() == "jax" and call.iterator is not None:
            INTERRUPTS.begin(call.iterator)
        if not call.trains:
            if self._fit is not None:
                self._fit, self._interrupted = None, self._fit
            return
        self._fit = self._fits.get(call.iterator)
        if self._fit is None:
            self._fit = self._fits[call.iterator] = Fit(self.dataset, self._count)
        self._fit.begin_epoch(call.iterator)

    def on_epoch_end(self) -> None:
        # Keras calls this before the first epoch too.
        iterator = caller().iterator
        if iterator is not None and (fit := self._fits.get(iterator)) is not None:
            fit.end_epoch(iterator)
            self._fit = None
        elif self._fit is None:
            self._fit, self._interrupted = self._interrupted, None
