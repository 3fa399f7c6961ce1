"""Rows for Ray Data: one file as many read tasks."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from csvfeed.columns import unique
from csvfeed.epochs import Epochs
from csvfeed.outputs import Array
from csvfeed.portions import Findings, Portion
from csvfeed.train.extras import extra
from csvfeed.train.feed import Feed
from csvfeed.train.grouping import count_batches

with extra():
    import pyarrow as pa
    import ray
    import ray.data
    from ray.data.block import BlockMetadata
    from ray.data.datasource import Datasource, ReadTask

# Bytes of text in a task. A small file is cut further, so that each CPU of the cluster has a task.
TASK_BYTES = 128 << 20
SMALLEST_TASK_BYTES = 16 << 20

# Bytes of values in a batch, from which a task fills its blocks.
BATCH_BYTES = 1 << 20


class CsvDatasource(Datasource):  # type: ignore[misc]  # Without Ray, unknown.
    """The rows of a dataset for ``ray.data.read_datasource``; ``ds.to_ray()`` does both.

    Parameters
    ----------
    dataset : CsvDataset
        A dataset that is neither shuffled, cached nor distributed, with ``remainder="keep"``. Its
        rows are counted in a pass, unless they have been.

    Raises
    ------
    TypeError
        If other processes cannot open the source.
    ValueError
        If the dataset has no row, or Ray does what it does.
    """

    def __init__(self, dataset: Feed) -> None:
        super().__init__()
        _check(dataset.epochs)
        # Pickling says so if the source is open in this process alone.
        self._recipe = _Recipe(dataset)
        count_batches(dataset)
        dataset.epochs.warn_of_rejects()
        self._epochs: Epochs | None = dataset.epochs
        self._portions: list[Portion] = []
        self._findings: Findings | None = None
        self._names = unique(dataset.epochs.column_names)
        self._rows = dataset.num_rows

    def __getstate__(self) -> dict[str, Any]:
        # The process that plans the tasks need not count the rows again.
        self._find()
        return {**vars(self), "_epochs": None}

    def get_name(self) -> str:
        """Return the name of the tasks."""
        return "Csv"

    def estimate_inmemory_data_size(self) -> int:
        """Return the bytes of all values."""
        return 4 * len(self._names) * self._rows

    def get_read_tasks(
        self,
        parallelism: int,  # noqa: ARG002  # Ray splits what tasks return if it wants more blocks.
        per_task_row_limit: int | None = None,
        data_context: Any = None,
    ) -> list[ReadTask]:
        """Return the tasks, in the order of the rows."""
        findings = self._find()
        context = data_context or ray.data.DataContext.get_current()
        most = _rows_of_a_block(context.target_max_block_size, 4 * len(self._names))
        # All tasks share it, however many files or categories there are.
        shared = ray.put((self._recipe, findings))
        schema = pa.schema([(name, pa.float32()) for name in self._names])
        tasks = []
        for portion in self._portions:
            limit = portion.rows if per_task_row_limit is None else per_task_row_limit
            rows = min(portion.rows, limit)
            metadata = BlockMetadata(
                num_rows=rows,
                size_bytes=4 * len(self._names) * rows,
                exec_stats=None,
                input_files=None,
            )
            read = _reading(shared, portion, schema, rows, most)
            tasks.append(ReadTask(read, metadata, schema, per_task_row_limit))
        return tasks

    def _find(self) -> Findings:
        """Find the portions, and what their tasks must know."""
        if self._findings is None:
            assert self._epochs is not None
            self._findings = self._epochs.findings()
            self._portions = self._epochs.portions(TASK_BYTES)
            cpus = ray.cluster_resources().get("CPU", 1) if ray.is_initialized() else 1
            if len(self._portions) < cpus:
                text = sum(portion.text_bytes for portion in self._portions)
                size = max(SMALLEST_TASK_BYTES, math.ceil(text / cpus))
                self._portions = self._epochs.portions(min(TASK_BYTES, size))
        return self._findings


class _Recipe:
    """How another process makes the dataset."""

    def __init__(self, dataset: Feed) -> None:
        # Without most of what a pickle remembers: the findings have what a portion needs.
        pickled: Any = dataset.__reduce__()
        self._make, (self._options, self._order, *rest) = pickled
        has_lists = self._options.values.has_lists_to_find
        # The categories of lists say how many columns there are.
        self._kept = [one if has_lists and at == 1 else None for at, one in enumerate(rest)]

    def epochs(self, threads: int) -> Epochs:
        options = self._options
        if options.threads is None:
            options = replace(options, threads=threads)
        epochs: Epochs = self._make(options, self._order, *self._kept).epochs
        return epochs


def to_ray(dataset: Feed) -> ray.data.Dataset:
    """Return a Ray dataset of the rows; see ``CsvDataset.to_ray``."""
    return ray.data.read_datasource(CsvDatasource(dataset))


def _rows_of_a_block(target: int | None, row_bytes: int) -> int | None:
    """Return how many rows are just larger than the blocks that Ray wants.

    Ray collects smaller tables and copies them, which takes twice the memory.
    """
    return None if target is None else target // row_bytes + 1


def _reading(
    shared: Any, portion: Portion, schema: Any, rows: int, most: int | None
) -> Callable[[], Iterator[pa.Table]]:
    def read_csv_rows() -> Iterator[pa.Table]:
        recipe, findings = ray.get(shared)
        epochs = recipe.epochs(_cpus())
        epochs.adopt(findings)
        yield from _tables(epochs, portion, schema, rows, most or rows)

    return read_csv_rows


def _tables(
    epochs: Epochs, portion: Portion, schema: Any, rows: int, most: int
) -> Iterator[pa.Table]:
    """Yield the first rows of a portion, up to so many in a table."""
    size = max(1, min(rows, BATCH_BYTES // (4 * len(schema))))
    columns = np.empty((len(schema), min(rows, most)), np.float32)
    filled = 0
    for arrays in epochs.open_portion(portion, size):
        batch = epochs.columns(arrays)
        taken = 0
        while rows and taken < len(batch[0]):
            end = min(filled + len(batch[0]) - taken, columns.shape[1])
            _fill(columns[:, filled:end], batch, taken)
            taken += end - filled
            filled = end
            if filled == columns.shape[1]:
                rows -= filled
                yield pa.Table.from_arrays([pa.array(column) for column in columns], schema=schema)
                # Ray has the values now, and these go before the next ones come.
                del columns
                columns = np.empty((len(schema), min(rows, most)), np.float32)
                filled = 0
        if not rows:
            return


def _fill(columns: NDArray[np.float32], batch: list[Array], first: int) -> None:
    """Copy rows of a batch, from the first one on, into columns."""
    at = 0
    for array in batch:
        values = array[first : first + columns.shape[1]].T
        columns[at : at + len(values)] = values
        at += len(values)


def _cpus() -> int:
    """Return how many CPUs Ray gives this task."""
    context = ray.get_runtime_context()
    if context.worker.mode != ray.WORKER_MODE:
        return 1
    return max(1, int(context.get_assigned_resources().get("CPU", 1)))


def _check(epochs: Epochs) -> None:
    if epochs.not_for_ray is not None:
        raise ValueError(epochs.not_for_ray)
    order = epochs.order
    why = None
    if order.windows is not None:
        why = (
            "its samples are windows over several rows, and Ray deals the rows: call to_ray() "
            "before windows(), or read the windows in each worker, with ds.shard(rank, workers)"
        )
    elif order.lanes is not None:
        why = (
            "it is one process's part of global batches, and Ray deals the rows by itself: call "
            "to_ray() before distribute(), and the dataset's streaming_split() or Ray Train's "
            "datasets="
        )
    elif order.seed is not None:
        why = (
            "it is shuffled, and Ray shuffles by itself: call to_ray() before shuffle(), then "
            "random_shuffle(), or iter_batches(local_shuffle_buffer_size=)"
        )
    elif order.cache is not None:
        why = (
            "it is cached, and the tasks would not read that file: call to_ray() before cache(), "
            "then materialize() or write_parquet()"
        )
    elif epochs.remainder != "keep":
        why = (
            f'remainder="{epochs.remainder}" is about batches, and Ray makes its own of all rows: '
            'take CsvDataset(..., remainder="keep"), and iter_batches(drop_last=True) for equal '
            "batches"
        )
    if why is not None:
        raise ValueError(f"Ray cannot read this dataset as it is: {why}")
