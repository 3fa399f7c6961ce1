"""Batches for a Keras that csvfeed does not know, by what Keras makes public.

Keras takes a ``tf.data.Dataset`` on TensorFlow, and a ``keras.utils.PyDataset`` on JAX and PyTorch.
Neither tells which call reads it and when an epoch of ``fit`` is over. So both look at the stack
for the running method of a model: training moves the dataset on, everything else leaves it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator
from types import FrameType
from typing import TYPE_CHECKING, Any

import keras

from csvfeed.errors import warn
from csvfeed.outputs import Arrays, Batch
from csvfeed.train.call_stack import method_around, method_of_any_thread
from csvfeed.train.data_parallel import own_part
from csvfeed.train.feed import ClassWeight, Feed
from csvfeed.train.fit import TRAINING
from csvfeed.train.for_keras import ForKeras
from csvfeed.train.grouping import count_batches, group_size
from csvfeed.train.keras_internals import DIFFERENCE
from csvfeed.train.same_features import SAME_FEATURES
from csvfeed.train.structure import Structure, cut_stacks

if TYPE_CHECKING:
    import tensorflow as tf


@functools.cache
def warn_once() -> None:
    """Warn that csvfeed does not know this Keras."""
    warn(
        f"csvfeed does not know Keras {keras.__version__}: {DIFFERENCE}. to_keras() therefore "
        "returns what every Keras takes. The batches and their order are the same; "
        "docs/training.md says what is missing. fit(ds) needs to be fit(ds.to_keras())"
    )


def public_data(
    dataset: Feed, class_weight: ClassWeight | None, *, as_dict: bool, dtype: str
) -> Any:
    """Return what any Keras takes for the batches of ``dataset``; see ``CsvDataset.to_keras``."""
    warn_once()
    dataset = own_part(dataset)
    distribution = keras.distribution.distribution()
    if not dataset.epochs.is_whole and getattr(distribution, "auto_shard_dataset", False):
        raise ValueError(
            f"Keras would share out {dataset!r} once more among the processes: give the "
            f"{type(distribution).__name__} auto_shard_dataset=False, and call ds.distribute()"
        )
    if keras.backend.backend() == "tensorflow":
        structure = Structure(dataset, as_dict=as_dict, class_weight=class_weight, dtype=dtype)
        return tf_data(dataset, structure)
    return Batches(dataset, class_weight, as_dict=as_dict, dtype=dtype)


def _begin(
    dataset: Feed, structure: Structure, call: FrameType | None, size: int
) -> tuple[int, Iterator[Arrays]]:
    """Open the epoch that is next, and return its number and its rows in groups."""
    if call is not None and _trains(call):
        SAME_FEATURES.train(call.f_locals["self"], dataset)
    elif call is not None:
        takes_targets = call.f_code.co_name != "predict"
        as_dict = structure.names_features
        SAME_FEATURES.require(
            call.f_locals["self"], dataset, as_dict=as_dict, takes_targets=takes_targets
        )
    epoch, batch = dataset.epochs.position.next
    if batch >= len(dataset):
        epoch, batch = epoch + 1, 0
    if _trains(call):
        TRAINING.begin_epoch(dataset)
        if batch:
            raise ValueError(
                f"{dataset!r} stands at batch {batch} of an epoch, and csvfeed does not know how "
                f"to begin there with Keras {keras.__version__}: begin with a whole epoch, "
                "ds.load_state_dict({**state, 'batch': 0}), or install an older Keras"
            )
        dataset.epochs.position.move(epoch, 0)
    return epoch, dataset.epochs.open(epoch, 0, size)


def _trains(call: FrameType | None) -> bool:
    return call is not None and call.f_code.co_name == "fit"


def tf_data(dataset: Feed, structure: Structure) -> tf.data.Dataset:
    """Return the batches for TensorFlow. An epoch that ``fit`` has read moves the dataset on."""
    import tensorflow as tf

    from csvfeed.train.tensorflow import from_groups

    count = count_batches(dataset)
    dataset.epochs.warn_of_rejects()
    rows = group_size(dataset, structure.bytes) * dataset.epochs.batch_rows

    def read() -> Iterator[Arrays]:
        _, groups = _begin(dataset, structure, method_of_any_thread(data), rows)
        yield from groups

    def note_end() -> bool:
        if _trains(method_of_any_thread(data)):
            dataset.epochs.position.move(dataset.epochs.position.next[0] + 1, 0)
        return True

    def noted(number: tf.Tensor, batch: tuple[Any, ...]) -> Any:
        # The last batch tells that it was asked for, not that it was read ahead.
        is_last = tf.equal(number, count - 1)
        end = tf.cond(
            is_last, lambda: tf.numpy_function(note_end, [], tf.bool), lambda: tf.constant(False)
        )
        with tf.control_dependencies([end]):
            return tf.nest.map_structure(tf.identity, batch)

    options = tf.data.Options()
    options.experimental_optimization.inject_prefetch = False
    data = (
        from_groups(dataset, structure, read)
        .prefetch(tf.data.AUTOTUNE)
        .enumerate()
        .map(noted)
        .apply(tf.data.experimental.assert_cardinality(count))
        .with_options(options)
    )
    # What BackupAndRestore looks for.
    data.dataset, data.structure = dataset, structure
    return data


class _Pass:
    """The batches of one epoch, as one call of a method of a model asks for them."""

    def __init__(self, epoch: int, batches: Iterator[Batch]) -> None:
        self.epoch = epoch
        self._batches = batches
        self.given = 0

    def next(self) -> Batch:
        """Return the next batch."""
        batch = next(self._batches)
        self.given += 1
        return batch


class Batches(ForKeras, keras.utils.PyDataset):  # type: ignore[misc]  # Keras has no types.
    """The batches of a dataset as Keras asks for them, one after the other.

    Keras shuffles the numbers of batches, because ``shuffle=True`` is the default of ``fit``. So a
    number does not tell which batch comes next, and the order is that of the dataset.
    """

    def __init__(
        self,
        dataset: Feed,
        class_weight: ClassWeight | None = None,
        *,
        as_dict: bool = False,
        dtype: str = "float32",
    ) -> None:
        super().__init__(dataset, class_weight, as_dict=as_dict, dtype=dtype)
        self._passes: dict[FrameType | None, _Pass] = {}

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        return self._count

    def __getitem__(self, number: int) -> Batch:
        """Return the next batch, whatever its number."""
        call = method_around()
        current = self._passes.get(call)
        if current is None or current.given == self._count:
            current = self._begin(call)
        return current.next()

    def on_epoch_begin(self) -> None:
        """Begin an epoch, or the only look of a model at the dataset."""
        self._begin(method_around())

    def on_epoch_end(self) -> None:
        """Move the dataset on if training has got all batches of an epoch."""
        call = method_around()
        # Keras calls this before the first epoch too.
        ended = self._passes.pop(call, None)
        if ended is not None and ended.given == self._count and _trains(call):
            self.dataset.epochs.position.move(ended.epoch + 1, 0)

    def _begin(self, call: FrameType | None) -> _Pass:
        if call is not None and _trains(call):
            _refuse(call, self)
        if call is not None and call.f_code.co_name == "predict":
            self._warn_of_order()
        epoch, groups = _begin(self.dataset, self.structure, call, self._group_rows)
        cut = cut_stacks(self._stacks(groups), self.structure)
        # Those of methods that have failed would keep what these hold.
        self._passes = {one: old for one, old in self._passes.items() if _runs(one, call)}
        self._passes[call] = _Pass(epoch, cut)
        return self._passes[call]


def _runs(method: FrameType | None, within: FrameType | None) -> bool:
    """Whether a method of a model still runs, of those around a frame."""
    while within is not None and within is not method:
        within = within.f_back
    return within is method


def _refuse(call: FrameType, data: Batches) -> None:
    """Raise ValueError for an argument of ``fit`` that would be ignored, or lose rows."""
    given = call.f_locals
    if given.get("x") is not data:
        return
    size = given.get("batch_size")
    if size is not None and size != data.dataset.batch_size:
        raise ValueError(
            f"Keras ignores batch_size={size!r} beside to_keras(): give "
            f"CsvDataset(..., batch_size={size!r})"
        )
    if given.get("steps_per_epoch") is not None:
        raise ValueError(
            f"csvfeed does not know how to end an epoch early with Keras {keras.__version__}: "
            "leave out steps_per_epoch, because Keras knows the number of batches, or install an "
            "older Keras"
        )
