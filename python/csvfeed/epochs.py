"""The epochs of a dataset: its rows in their order, in batches, from any batch on."""

from __future__ import annotations

from csvfeed import _core
from csvfeed.fill import Fill
from csvfeed.order import Order
from csvfeed.state import Position
from csvfeed.stats import RowStats


class Epochs:
    """The epochs of one dataset. Iterating the dataset and training on it both read from here.

    Parameters
    ----------
    reader : _core.Reader
        Reads the source.
    plan : _core.Plan
        Which rows to read, and in which order.
    order : Order
        What the plan was made from.
    stats : RowStats
        Statistics of these rows.
    fill : Fill
        What replaces missing features.
    batch_size : int
        Rows in a batch of all processes.
    remainder : {"keep", "drop", "pad"}
        What happens to the rows left over at the end of an epoch.

    Attributes
    ----------
    position : Position
        Where the next iteration begins.
    remainder : str
        As given.
    stats : RowStats
        As given.
    """

    def __init__(
        self,
        reader: _core.Reader,
        plan: _core.Plan,
        order: Order,
        stats: RowStats,
        fill: Fill,
        *,
        batch_size: int,
        remainder: str,
    ) -> None:
        self._reader = reader
        self._plan = plan
        self._order = order
        self._fill = fill
        self._batch_size = batch_size
        self.remainder = remainder
        self.stats = stats
        self.position = Position()

    @property
    def num_rows(self) -> int:
        """Rows in an epoch of all processes. The first call counts them in a pass."""
        return self._plan.rows()

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        whole, rest = divmod(self.num_rows, self._batch_size)
        return whole + (rest > 0 and self.remainder != "drop")

    @property
    def is_whole(self) -> bool:
        """Whether these are the rows of all workers or processes."""
        return self._order.share is None and self._order.lanes is None

    @property
    def place(self) -> tuple[int, int] | None:
        """Which share of the global batches these rows are, out of how many, if distributed."""
        lanes = self._order.lanes
        return None if lanes is None else lanes.place

    @property
    def is_first(self) -> bool:
        """Whether these are the rows of the first process, or of all."""
        return self._order.lanes is None or self._order.lanes.first == 0

    @property
    def batch_rows(self) -> int:
        """Rows in a batch of this process. Those of a distributed dataset share a batch."""
        lanes = self._order.lanes
        return self._batch_size if lanes is None else lanes.batch_rows

    @property
    def row_shapes(self) -> list[tuple[int, ...]]:
        """Shape of one row in each array of a batch."""
        features, targets = len(self._reader.feature_names), len(self._reader.target_names)
        has_weight = len(self._reader.columns_read) > features + targets
        shapes: list[tuple[int, ...]] = [(features,)]
        if targets:
            shapes.append(() if targets == 1 else (targets,))
        if has_weight or (self.remainder == "pad" and targets):
            shapes.append(())
        return shapes

    def begin(self) -> _core.Batches:
        """Open the next epoch, or the rest of it after ``load_state_dict``, and move on."""
        return self.position.begin(self.open)

    def open(
        self, epoch: int, first_batch: int = 0, batch_size: int | None = None
    ) -> _core.Batches:
        """Return an iterator over one epoch. It does not change the position.

        Parameters
        ----------
        epoch : int
            Number of the epoch, from 0. Only a shuffled order depends on it.
        first_batch : int, default 0
            Where to begin, counted in batches of the dataset.
        batch_size : int, optional
            Rows in a yielded batch, a multiple of ``batch_rows``; by default that number. The last
            batch is shorter, and no row is dropped unless the dataset is distributed. With
            ``remainder="pad"`` its length is a multiple of ``batch_rows``.

        Returns
        -------
        iterator of tuple of numpy.ndarray
            ``(X,)``, ``(X, y)`` or ``(X, y, w)``, each C-contiguous float32.
        """
        drop = self.remainder == "drop" and batch_size is None
        size = self.batch_rows if batch_size is None else batch_size
        pad_to = self._batch_size if self.remainder == "pad" else None
        if self._order.is_plain and not first_batch:
            return self._reader.batches(
                size, drop_remainder=drop, pad_to=pad_to, fill=self._fill.values()
            )
        return self._plan.batches(
            size,
            epoch=epoch,
            first_row=min(first_batch * self._batch_size, 2**63),
            drop_remainder=drop,
            pad_to=pad_to,
            fill=self._fill.values,
        )

    def endless(self) -> _core.Batches:
        """Return an iterator over whole batches that never ends.

        The rows left over at the end of an epoch begin the first batch of the next.
        """
        return self._reader.batches(self._batch_size, repeat=True, fill=self._fill.values())

    def find_means(self) -> None:
        """Read the source for the means that replace missing features, if batches need them.

        A cache holds rows that are filled already.
        """
        if self._order.cache is None:
            self._fill.values()

    def warn_of_rejects(self) -> None:
        """Warn how many rows ``on_error="skip"`` left out, unless an iteration has done so."""
        self._plan.warn_of_rejects()
