"""What Keras takes: the batches of a dataset, counted in epochs of ``fit``."""

from __future__ import annotations

import sys
import weakref
from collections.abc import Iterator, Mapping
from types import FrameType
from typing import TYPE_CHECKING, Any

import keras

from csvfeed.class_weight import ClassWeights
from csvfeed.groups import count_batches, group_size, partial_batch_size, stacks
from csvfeed.named import NamedFeatures, cut_stacks

if tuple(map(int, keras.__version__.split(".")[:2])) < (3, 7):
    raise ImportError(
        f"Keras {keras.__version__} does not take a data adapter that is not its own; csvfeed "
        "needs Keras 3.7 or newer for it. ds.to_tf() gives fit the same batches on the TensorFlow "
        "backend"
    )
try:
    # Not public, but nothing public takes batches on every backend with their number known.
    from keras.src.trainers.data_adapters.data_adapter import DataAdapter
    from keras.src.trainers.epoch_iterator import EpochIterator
except ImportError as error:
    raise ImportError(
        f"Keras {keras.__version__} has no data adapters where csvfeed looks for them; install an "
        "older one, or use ds.to_tf(), which gives fit the same batches on the TensorFlow backend"
    ) from error

if TYPE_CHECKING:
    import tensorflow as tf
    from torch.utils.data import DataLoader

    from csvfeed.dataset import Batch, CsvDataset


class CsvDatasetAdapter(DataAdapter):  # type: ignore[misc]  # Keras has no types.
    """The batches of a dataset, for Keras to use; made by ``CsvDataset.to_keras``."""

    def __init__(
        self,
        dataset: CsvDataset,
        class_weight: Mapping[int, float] | Mapping[str, float] | None,
        *,
        as_dict: bool = False,
    ) -> None:
        self.dataset = dataset
        self._named = NamedFeatures(dataset) if as_dict else None
        self._count = count_batches(dataset)
        # Keras does not read on after the last batch, where the dataset would say so.
        dataset._plan.warn_of_rejects()
        self._weights = None if class_weight is None else ClassWeights(dataset, class_weight)
        shapes = dataset._row_shapes()
        self._shapes = shapes if self._weights is None else [*shapes[:2], ()]
        self._group_rows = group_size(dataset, self._shapes) * dataset.batch_size
        self._tf_dataset: tf.data.Dataset | None = None
        self._fits: weakref.WeakKeyDictionary[EpochIterator, Fit] = weakref.WeakKeyDictionary()
        # The fit whose epoch it is; None while Keras evaluates, predicts or looks at a batch, as it
        # also may in the middle of one.
        self._fit: Fit | None = None
        self._interrupted: Fit | None = None

    def __repr__(self) -> str:
        as_dict = "" if self._named is None else "as_dict=True"
        return f"{self.dataset!r}.to_keras({as_dict})"

    def _read(self) -> Iterator[Batch]:
        """Yield the rows of the pass that begins with the first of them, many at a time."""
        if self._fit is None:
            epoch, first_batch = self.dataset._position.next[0], 0
        else:
            epoch, first_batch = self._fit.position
        for arrays in self.dataset._open(epoch, first_batch, self._group_rows):
            yield arrays if self._weights is None else self._weights.add_to(arrays)

    def _views(self) -> Iterator[tuple[Any, ...]]:
        keep = self.dataset._remainder != "drop"
        return cut_stacks(stacks(self._read(), self.dataset.batch_size, keep=keep), self._named)

    # What Keras asks for.

    def get_numpy_iterator(self) -> Iterator[tuple[Any, ...]]:
        return self._views()

    def get_jax_iterator(self) -> Iterator[tuple[Any, ...]]:
        return self._views()

    def get_tf_dataset(self) -> tf.data.Dataset:
        # Made once: each from_generator leaves something behind in TensorFlow.
        if self._tf_dataset is None:
            import tensorflow as tf

            from csvfeed.tensorflow import from_groups

            self._tf_dataset = from_groups(
                self.dataset, self._shapes, self._read, self._named
            ).prefetch(tf.data.AUTOTUNE)
        return self._tf_dataset

    def get_torch_dataloader(self) -> DataLoader[tuple[Any, ...]]:
        from csvfeed.torch import loader

        return loader(self._views, keras.ops.convert_to_tensor)

    @property
    def num_batches(self) -> int:
        _refuse_what_keras_ignores(sys._getframe(1))
        return self._count

    @property
    def batch_size(self) -> int:
        return self.dataset.batch_size

    @property
    def has_partial_batch(self) -> bool:
        return partial_batch_size(self.dataset) > 0

    @property
    def partial_batch_size(self) -> int | None:
        return partial_batch_size(self.dataset) or None

    def on_epoch_begin(self) -> None:
        frame = sys._getframe(1)
        caller = frame.f_locals.get("self")
        if not isinstance(caller, EpochIterator) or not _is_training(frame):
            if self._fit is not None:
                self._fit, self._interrupted = None, self._fit
            return
        self._fit = self._fits.get(caller)
        if self._fit is None:
            self._fit = self._fits[caller] = Fit(self.dataset, self._count)
        self._fit.begin_epoch(caller)

    def on_epoch_end(self) -> None:
        # Keras calls this before the first epoch too.
        caller = sys._getframe(1).f_locals.get("self")
        if isinstance(caller, EpochIterator) and (fit := self._fits.get(caller)) is not None:
            fit.end_epoch(caller)
            self._fit = None
        elif self._fit is None:
            self._fit, self._interrupted = self._interrupted, None


class Fit:
    """How far one call of ``fit`` has got.

    Attributes
    ----------
    position : tuple of int
        Epoch of the dataset and batch in it at which the current epoch of ``fit`` began.
    """

    def __init__(self, dataset: CsvDataset, batches: int) -> None:
        epoch, batch = dataset._position.next
        self.position = (epoch, batch) if batch < batches else (epoch + 1, 0)
        self._dataset = dataset
        self._batches = batches
        self._first_batch = self.position[1]  # Of the pass.
        self._in_epoch = False
        self._steps_per_epoch: int | None = None

    def begin_epoch(self, iterator: Any) -> None:
        """Take note that Keras begins an epoch, and tell it how many steps are left in that."""
        behind = BEHIND.pop(self._dataset, 0)
        FED.add(self._dataset)
        self._in_epoch = True
        self._steps_per_epoch = iterator.steps_per_epoch
        # Keras reads both right after this. It counts on whole epochs, so that one that is resumed
        # would end in a warning that the data ran out.
        iterator._num_batches = self._batches - self._first_batch
        if self._steps_per_epoch:
            iterator.steps_per_epoch = max(1, self._steps_per_epoch - behind)

    def end_epoch(self, iterator: Any) -> None:
        """Take note that Keras has trained on all steps of an epoch."""
        if not self._in_epoch:
            return
        self._in_epoch = False
        epoch, batch = self.position
        # The last execution of several steps may go beyond the steps asked for.
        steps = iterator.steps_per_epoch or self._batches
        executions = -(-steps // iterator.steps_per_execution)
        batch += executions * iterator.steps_per_execution
        if batch >= self._batches:
            epoch, batch, self._first_batch = epoch + 1, 0, 0
            # Keras has made the next iterator already, which may have begun to read where this
            # epoch did. It makes another.
            iterator._current_iterator = None
        self.position = epoch, batch
        iterator.steps_per_epoch = self._steps_per_epoch
        self._dataset._position.move(epoch, batch)


FED: weakref.WeakSet[CsvDataset] = weakref.WeakSet()
"""The datasets that a ``fit`` has begun to read."""

BEHIND: weakref.WeakKeyDictionary[CsvDataset, int] = weakref.WeakKeyDictionary()
"""Of a dataset, the steps that the next epoch of ``fit`` has behind it, since it is resumed."""


def _is_training(frame: FrameType | None) -> bool:
    """Say whether Keras asks for the sake of ``fit`` itself."""
    while frame is not None:
        name = frame.f_code.co_name
        if name == "fit":
            return True
        if name in ("evaluate", "predict", "_symbolic_build", "_maybe_symbolic_build"):
            return False
        frame = frame.f_back
    return True  # A training loop under another name.


def _refuse_what_keras_ignores(frame: FrameType) -> None:
    """Raise ValueError if Keras was given something that it drops beside an adapter."""
    given = frame.f_locals
    if not isinstance(given.get("self"), EpochIterator):
        return
    if given.get("class_weight") is not None:
        raise ValueError(
            "Keras ignores class_weight= beside to_keras(): give it there, as in "
            "fit(ds.to_keras(class_weight={0: 1.0, 1: 5.0}))"
        )
    for name, option in (("y", "target"), ("sample_weight", "weight")):
        if given.get(name) is not None:
            raise ValueError(
                f"Keras ignores {name} beside to_keras(): name the column with "
                f"CsvDataset(..., {option}=)"
            )
