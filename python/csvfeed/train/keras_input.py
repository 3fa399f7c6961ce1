"""Lets Keras take a dataset as it is: ``fit(ds)`` does what ``fit(ds.to_keras())`` does."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from csvfeed.train.adapter import CsvDatasetAdapter

# What Keras calls of an adapter; batch_size a dataset has itself.
ASKED = frozenset(
    {
        "get_jax_iterator",
        "get_numpy_iterator",
        "get_tf_dataset",
        "get_torch_dataloader",
        "has_partial_batch",
        "num_batches",
        "on_epoch_begin",
        "on_epoch_end",
        "partial_batch_size",
    }
)


class KerasInput:
    """The part of a dataset that Keras takes for a ``DataAdapter``.

    Keras takes instances of its class ``DataAdapter``. That cannot be a base class here, since
    csvfeed must not import Keras. But an object may say of what class it is for ``isinstance``, as
    proxies do: once Keras is there, ``__class__`` is a class that has both as bases.
    """

    # Behind the back of mypy, for which every attribute would exist.
    if not TYPE_CHECKING:

        @property
        def __class__(self) -> type:
            if "keras.src.trainers.epoch_iterator" in sys.modules:
                return _both(type(self))
            return type(self)

        def __getattr__(self, name: str) -> Any:
            if name in ASKED:
                return getattr(_adapter(self), name)
            raise AttributeError(f"{type(self).__name__!r} object has no attribute {name!r}")


@functools.cache
def _both(cls: type) -> type:
    try:
        from csvfeed.train.adapter import CsvDatasetAdapter
    except ImportError:
        # A Keras that takes no adapters; to_keras() says so.
        return cls
    (DataAdapter,) = CsvDatasetAdapter.__bases__
    return type(cls.__name__, (cls, DataAdapter), {"__module__": cls.__module__})


def _adapter(dataset: Any) -> CsvDatasetAdapter:
    """Return the adapter of a dataset, always the same one."""
    from csvfeed.train.adapter import CsvDatasetAdapter

    adapter: CsvDatasetAdapter | None = vars(dataset).get("_adapter")
    # A dataset that was made from another one has the attributes of that.
    if adapter is None or adapter.dataset is not dataset:
        adapter = dataset._adapter = CsvDatasetAdapter(dataset)
    return adapter
