"""Makes Keras accept a dataset: ``fit(ds)`` does what ``fit(ds.to_keras())`` does."""

from __future__ import annotations

import functools
import sys
from typing import TYPE_CHECKING, Any

from csvfeed.other_names import ATTRIBUTES
from csvfeed.train.adapter_names import ASKED

if TYPE_CHECKING:
    from csvfeed.train.adapter import CsvDatasetAdapter


class KerasInput:
    """The part of a dataset that Keras accepts as a ``DataAdapter``.

    Keras takes instances of its class ``DataAdapter``. That class cannot be a base here, because
    csvfeed must not import Keras. But an object can choose its class for ``isinstance``, as proxies
    do: once Keras is imported, ``__class__`` is a class that has both as bases.
    """

    # Hidden from mypy, which would otherwise take any attribute for granted.
    if not TYPE_CHECKING:

        @property
        def __class__(self) -> type:
            if hasattr(sys.modules.get("keras"), "Model"):
                return _both(type(self))
            return type(self)

        def __getattr__(self, name: str) -> Any:
            if name in ASKED:
                return getattr(_adapter(self), name)
            what = f"{type(self).__name__!r} object has no attribute {name!r}"
            advice = ATTRIBUTES.get(name)
            raise AttributeError(f"{what}: {advice}" if advice else what, name=name, obj=self)


@functools.cache
def _both(cls: type) -> type:
    try:
        from csvfeed.train.keras_internals import DIFFERENCE, DataAdapter
    except ImportError:
        # This Keras takes no adapters, as to_keras() explains.
        return cls
    if DIFFERENCE is not None:
        from csvfeed.train.public_way import warn_once

        warn_once()
        return cls
    return type(cls.__name__, (cls, DataAdapter), {"__module__": cls.__module__})


def _adapter(dataset: Any) -> CsvDatasetAdapter:
    """Return the adapter of a dataset: always the same object."""
    from csvfeed.train.adapter import CsvDatasetAdapter

    adapter: CsvDatasetAdapter | None = vars(dataset).get("_adapter")
    # A dataset made from another one has copied its attributes.
    if adapter is None or adapter.dataset is not dataset:
        adapter = dataset._adapter = CsvDatasetAdapter(dataset)
    return adapter
