"""The epochs of a dataset: its rows in their order, in batches, from any batch on."""

from __future__ import annotations

import platform
from collections.abc import Iterator
from typing import Any, TypeAlias

from numpy.typing import NDArray

from csvfeed import _core
from csvfeed import columns as kinds
from csvfeed.errors import SourceChangedError
from csvfeed.fill import Fill
from csvfeed.order import Order
from csvfeed.outputs import Array, Arrays, Batch, Outputs
from csvfeed.portions import Findings, Portion
from csvfeed.progress import Passes
from csvfeed.state import Position, Tracked
from csvfeed.stats import RowStats

Ids: TypeAlias = dict[str | int, NDArray[Any]]
"""The ids of the rows of a batch, by column: arrays of shape (B,), of str objects or of int64."""


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
    outputs : Outputs or None
        The form of y in a batch, if it is not the one that the core reads.
    passes : Passes
        Shows how far a pass over the source has got.
    batch_size : int
        Rows in a batch of all processes.
    remainder : {"keep", "drop", "pad"}
        What happens to the rows left over at the end of an epoch.

    Attributes
    ----------
    known_rows : int or None
        Rows in an epoch of all processes, once they are counted.
    not_for_ray : str or None
        Why Ray cannot read any such rows.
    order : Order
        As given.
    outputs : Outputs or None
        As given.
    position : Position
        Where the next iteration begins.
    remainder : str
        As given.
    stats : RowStats
        As given.
    """

    not_for_ray: str | None = None

    def __init__(
        self,
        reader: _core.Reader,
        plan: _core.Plan,
        order: Order,
        stats: RowStats,
        fill: Fill,
        outputs: Outputs | None,
        passes: Passes,
        *,
        batch_size: int,
        remainder: str,
    ) -> None:
        self._reader = reader
        self._plan = plan
        self.order = order
        self._fill = fill
        self.outputs = outputs
        self._passes = passes
        self._batch_size = batch_size
        self.remainder = remainder
        self.stats = stats
        self.position = Position()
        self.known_rows: int | None = None
        # Whether an epoch has begun, which may take a pass.
        self._has_begun = False
        # What another process found to replace missing features.
        self._found_fill: list[float] | None = None

    @property
    def num_rows(self) -> int:
        """Rows in an epoch of all processes. The first call counts them in a pass."""
        if self.known_rows is not None:
            # The source may have changed, which the plan notices.
            return self._plan.rows()
        with self._passes.shown("counting the rows of"):
            self.known_rows = self._plan.rows()
        return self.known_rows

    def __len__(self) -> int:
        """Return the number of batches in an epoch."""
        whole, rest = divmod(self.num_rows, self._batch_size)
        return whole + (rest > 0 and self.remainder != "drop")

    @property
    def column_names(self) -> list[str]:
        """Names of the values of a row: features, targets, then the weights.

        May read the source for classes.
        """
        names, targets = self._reader.names_read, self._reader.target_names
        if self.outputs is None:
            return names
        first = len(self._reader.feature_names)
        return [*names[:first], *self.outputs.flat_names(), *names[first + len(targets) :]]

    @property
    def inputs(self) -> dict[str, slice]:
        """Where X has each feature by name. The values of a list are one input.

        Raises
        ------
        ValueError
            If two inputs have the same name.
        """
        reader = self._reader
        lists, names, columns = reader.list_lengths, reader.feature_names, reader.columns
        read = reader.columns_read
        found: dict[str, slice] = {}
        at = 0
        while at < len(names):
            length = lists.get(read[at])
            name = names[at] if length is None else columns[read[at]]
            if name in found:
                raise ValueError(
                    f"as_dict=True needs a name of its own for each feature, and several are "
                    f"called {name!r}: name the columns with header=[...], or leave some out with "
                    "features="
                )
            found[name] = slice(at, at + (length or 1))
            at += length or 1
        return found

    def columns(self, arrays: Arrays) -> list[Array]:
        """Return what `open` yields as arrays of shape (B, columns), as `column_names` has them."""
        X, *rest = (one if one.ndim == 2 else one[:, None] for one in arrays)
        if self.outputs is not None and rest:
            rest[0] = self.outputs.flat(rest[0])
        # Without the weight that is 1.
        weights = self._reader.columns_read[X.shape[1] + len(self._reader.target_names) :]
        return [X, *rest[:1], *(w[:, : len(weights)] for w in rest[1:])]

    @property
    def is_whole(self) -> bool:
        """Whether these are the rows of all workers or processes."""
        return self.order.share is None and self.order.lanes is None

    @property
    def keeps_order(self) -> bool:
        """Whether the rows are in the order of the source."""
        return self.order.seed is None

    @property
    def place(self) -> tuple[int, int] | None:
        """Which share of the global batches these rows are, out of how many, if distributed."""
        lanes = self.order.lanes
        return None if lanes is None else lanes.place

    @property
    def is_first(self) -> bool:
        """Whether these are the rows of the first process, or of all."""
        return self.order.lanes is None or self.order.lanes.first == 0

    @property
    def batch_rows(self) -> int:
        """Rows in a batch of this process. Those of a distributed dataset share a batch."""
        lanes = self.order.lanes
        return self._batch_size if lanes is None else lanes.batch_rows

    @property
    def row_shapes(self) -> list[tuple[int, ...]]:
        """Shape of one row, or window, in each array that `open` yields."""
        features, targets, weights = self._reader.widths
        windows = self.order.windows
        shapes: list[tuple[int, ...]] = [(windows.length, features) if windows else (features,)]
        if targets:
            shapes.append(() if targets == 1 else (targets,))
        weights = weights or int(self.remainder == "pad" and targets > 0)
        if weights:
            shapes.append(() if weights == 1 else (weights,))
        return shapes

    def begin(self) -> Iterator[Batch]:
        """Open the next epoch, or the rest of it after ``load_state_dict``, and move on."""
        batches = self.position.begin(self.open)
        return batches if self.outputs is None else map(self.outputs.give, batches)

    @property
    def id_names(self) -> list[str | int]:
        """The names of the columns of ids, or their indices where names are not unique."""
        return list(map(kinds.keys(self._reader.columns), self._reader.ids))

    def open_with_ids(self) -> Iterator[tuple[Ids, Arrays]]:
        """Yield the batches of the next epoch with the ids of their rows, and do not move on.

        Rows of padding have no ids: the last batch is shorter, and has no weight that marks them.
        """
        names = self.id_names
        _, targets, weights = self._reader.widths
        kept = 1 + (targets > 0) + (weights > 0)
        found: Any
        for found in self._shown(self.position.next[0], pads=False, ids=bool(names)):
            ids, arrays = found if names else ((), found)
            yield dict(zip(names, ids, strict=True)), arrays[:kept]

    def open(self, epoch: int, first_batch: int = 0, batch_size: int | None = None) -> Tracked:
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
            ``(X,)``, ``(X, y)`` or ``(X, y, w)``, each C-contiguous float32: y with all targets and
            w with all weights side by side. `outputs` gives them their form.
        """
        return self._shown(epoch, first_batch, batch_size)

    def _shown(
        self,
        epoch: int,
        first_batch: int = 0,
        batch_size: int | None = None,
        *,
        pads: bool = True,
        ids: bool = False,
    ) -> _core.Batches:
        """Open an epoch, with a bar while the rows are being found.

        With ``ids``, each batch is ``(ids, arrays)``, with a tuple of arrays of ids. With ``pads``
        False, ``remainder="pad"`` adds no rows.
        """
        if self._has_begun:
            return self._open(epoch, first_batch, batch_size, pads, ids)
        with self._passes.shown("finding the rows of"):
            batches = self._open(epoch, first_batch, batch_size, pads, ids)
        self._has_begun = True
        return batches

    def _open(
        self, epoch: int, first_batch: int, batch_size: int | None, pads: bool, ids: bool
    ) -> _core.Batches:
        drop = self.remainder == "drop" and batch_size is None
        size = self.batch_rows if batch_size is None else batch_size
        pad_to = self._batch_size if self.remainder == "pad" and pads else None
        if self.order.is_plain and not first_batch:
            return self._reader.batches(
                size, drop_remainder=drop, pad_to=pad_to, fill=self._fill.values(), ids=ids
            )
        return self._plan.batches(
            size,
            epoch=epoch,
            first_row=min(first_batch * self._batch_size, 2**63),
            drop_remainder=drop,
            pad_to=pad_to,
            fill=self._fill.values,
            ids=ids,
        )

    def row_by_row(self) -> Epochs:
        """Return epochs of the same rows with one row in a batch, none dropped and none padded."""
        return Epochs(
            self._reader,
            self._plan,
            self.order,
            self.stats,
            self._fill,
            self.outputs,
            self._passes,
            batch_size=1,
            remainder="keep",
        )

    def portions(self, size: int) -> list[Portion]:
        """Cut the rows, in the order of the source, into portions for other processes.

        The first call counts the rows in a pass.

        Parameters
        ----------
        size : int
            Most bytes of text in a portion, about. A compressed file is never cut.
        """
        return [Portion(*found) for found in self._plan.portions(size)]

    def open_portion(self, portion: Portion, batch_size: int) -> _core.Batches:
        """Return an iterator over the rows of a portion, as ``open`` does."""
        return self._plan.portion(portion.row_index).batches(
            batch_size,
            epoch=0,
            first_row=0,
            drop_remainder=False,
            pad_to=None,
            fill=self._fill.values if self._found_fill is None else lambda: self._found_fill,
        )

    def findings(self) -> Findings:
        """Return what a process must know of the whole source to read a portion of it.

        Reads the source for means and categories, if batches need them.
        """
        self._reader.num_codes()
        return Findings(
            self._reader.identity,
            self._reader.fingerprint(),
            platform.node(),
            self._fill.values(),
            self._reader.found_vocabularies(),
        )

    def adopt(self, findings: Findings) -> None:
        """Take over what another process found in the same source.

        Raises
        ------
        SourceChangedError
            If it is another source.
        """
        # A copy on another machine has another identity, and the same content.
        is_copy = findings.machine != platform.node()
        if self._reader.identity != findings.identity and not (
            is_copy and self._reader.fingerprint() == findings.fingerprint
        ):
            raise SourceChangedError(
                "the file changed after the dataset was made (it is not the one that was counted): "
                "make a new dataset once it is complete",
                path=self._reader.name,
            )
        self._found_fill = findings.fill
        if findings.vocabularies is not None:
            self._reader.recall_vocabularies(findings.vocabularies)

    def endless(self) -> _core.Batches:
        """Return an iterator over whole batches that never ends.

        The rows left over at the end of an epoch begin the first batch of the next.
        """
        return self._reader.batches(self._batch_size, repeat=True, fill=self._fill.values())

    def find_means(self) -> None:
        """Read the source for the means that replace missing features, if batches need them.

        A cache holds rows that are filled already.
        """
        if self.order.cache is None:
            self._fill.values()

    def warn_of_rejects(self) -> None:
        """Warn how many rows ``on_error="skip"`` left out, unless an iteration has done so."""
        self._plan.warn_of_rejects()

    def warn_of_values(self) -> None:
        """Warn of values that were read as they are hardly meant.

        No value of a column is among its ``categories``, or a number has the value of a token of
        ``missing``. An iteration does so at its end.
        """
        self._reader.warn_of_values()
