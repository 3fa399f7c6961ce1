"""Batches for PyTorch, as tensors that share the memory of the arrays."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Any

from csvfeed.train.all_rows import warn_if_each_gets_all
from csvfeed.train.dtype import name_of
from csvfeed.train.extras import extra
from csvfeed.train.feed import Feed
from csvfeed.train.grouping import count_batches
from csvfeed.train.resumable import Resumable
from csvfeed.train.structure import map_values

with extra():
    import torch
    from torch.utils.data import DataLoader, IterableDataset, get_worker_info

Tensors = tuple[Any, ...]
# Most workers of a loader. PyTorch itself advises no more than there are CPUs.
MAX_WORKERS = 4096


def to_torch(dataset: Feed, *, dtype: Any = "float32") -> IterableDataset[Tensors]:
    """Return a PyTorch dataset of batches; see ``CsvDataset.to_torch``."""
    name = name_of(dtype)
    warn_if_each_gets_all(dataset)
    return TorchBatches(dataset, name)


class TorchBatches(IterableDataset[Tensors]):  # type: ignore[misc]  # Without torch, unknown.
    """The batches of a dataset; made by ``CsvDataset.to_torch``."""

    def __init__(self, dataset: Feed, dtype: str) -> None:
        super().__init__()
        self._dataset = dataset
        self._dtype = getattr(torch, dtype)
        self._count = count_batches(dataset)
        # A worker is a copy of this process, so its counts are lost when it ends. Each counts its
        # epochs in shared memory, where its successor finds them.
        self._epochs = torch.zeros(MAX_WORKERS, dtype=torch.int64).share_memory_()

    def __len__(self) -> int:
        return self._count

    def __iter__(self) -> Iterator[Tensors]:
        worker = get_worker_info()
        if worker is None:
            return TorchIterator(Resumable(self._dataset), self._dtype)
        if worker.num_workers > MAX_WORKERS:
            raise ValueError(f"to_torch() serves up to {MAX_WORKERS} workers")
        part = self._dataset.part_of_worker(worker.id, worker.num_workers)
        first = self._dataset.epochs.position.next[0]
        part.epochs.position.move(first + int(self._epochs[worker.id]), 0)

        def begun(epoch: int) -> None:
            self._epochs[worker.id] = epoch + 1 - first

        return TorchIterator(Resumable(part, begun), self._dtype)


class TorchIterator(Iterator[Tensors]):
    """One epoch as tensors. It has a state, as ``torchdata``'s ``StatefulDataLoader`` wants it."""

    def __init__(self, batches: Resumable, dtype: torch.dtype) -> None:
        self._batches = batches
        self._dtype = dtype
        self.state_dict = batches.state_dict
        self.load_state_dict = batches.load_state_dict

    def __next__(self) -> Tensors:
        X, *rest = (map_values(torch.from_numpy, part) for part in next(self._batches))
        return X.to(self._dtype), *rest


def loader(
    batches: Callable[[], Iterable[tuple[Any, ...]]], convert: Callable[[torch.Tensor], Any]
) -> DataLoader[tuple[Any, ...]]:
    """Return a loader that yields given batches with each tensor converted."""
    # A generator of its own, because each new loader draws from it, and the model's random numbers
    # must not depend on that.
    return DataLoader(
        _Converted(batches, convert), batch_size=None, collate_fn=tuple, generator=torch.Generator()
    )


class _Converted(IterableDataset[tuple[Any, ...]]):  # type: ignore[misc]
    def __init__(
        self,
        batches: Callable[[], Iterable[tuple[Any, ...]]],
        convert: Callable[[torch.Tensor], Any],
    ) -> None:
        super().__init__()
        self._batches = batches
        self._convert = convert

    def __iter__(self) -> Iterator[tuple[Any, ...]]:
        for arrays in self._batches():
            yield tuple(map_values(self._tensor, part) for part in arrays)

    def _tensor(self, array: Any) -> Any:
        return self._convert(_tensor_of(array))


def _tensor_of(array: Any) -> torch.Tensor:
    """Return a tensor that shares the memory of an array."""
    if array.dtype.name == "bfloat16":
        # PyTorch does not know that of ml_dtypes.
        return torch.from_numpy(array.view("int16")).view(torch.bfloat16)
    return torch.from_numpy(array)
