"""The states of a dataset: how far it has got, and what identifies its rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from csvfeed import _core
from csvfeed.dialect import Dialect
from csvfeed.epochs import Epochs
from csvfeed.options import Options
from csvfeed.order import Order
from csvfeed.state import VERSION, check, describe


class Resumed(ABC):
    """The part of ``CsvDataset`` that says how far it has got, and goes on from there."""

    epochs: Epochs
    _batch_size: int
    _options: Options
    _order: Order
    _reader: _core.Reader

    @property
    @abstractmethod
    def columns(self) -> list[str]:
        """Names of all columns, in file order."""

    @property
    @abstractmethod
    def dialect(self) -> Dialect:
        """How the file is written."""

    @abstractmethod
    def _follow(self, order: Order) -> None:
        """Read the rows in an order from now on, beginning with its first epoch."""

    def state_dict(self) -> dict[str, Any]:
        """Return the position of the iteration that began last.

        Returns
        -------
        dict
            A small dict that JSON can store: the epoch, how many of its batches were yielded, and
            what identifies this dataset.
        """
        return self._state(*self.epochs.position.reached())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume at a position that ``state_dict`` returned.

        The next iteration yields the rest of that epoch, and the one after it is the next epoch. A
        shuffle without a given seed adopts the seed of the state.

        Parameters
        ----------
        state : dict
            What ``state_dict`` returned, of this dataset or of an equal one in another process.

        Raises
        ------
        ValueError
            If the state is not of such a dataset: the same file, options, split, shard,
            ``batch_size``, and seed if one was given.
        """
        epoch, batch = check(state, self._state(0, 0))
        seed = state["seed"]
        if seed != self._order.seed:
            if self._order.seed_is_given:
                raise ValueError(f"the state has seed={seed}, this dataset {self._order.seed}")
            self._follow(replace(self._order, seed=seed))
        self.epochs.position.move(epoch, batch)

    def _state(self, epoch: int, batch: int, *, given: bool = False) -> dict[str, Any]:
        """Return the state that points at a batch of an epoch.

        With ``given``, it says of "auto" ``categories`` what was given and not what is found.
        """
        # They change no rows, or have a place of their own below.
        left_out = {"source", "threads", "batch_size", "max_rejects", "categories"}
        # It says what is allowed, not what is read.
        left_out.add("allow_target_as_feature")
        if self._options.on_error == "raise" or not self._options.ids:
            # They change no rows, unless a row is left out for a wrong one.
            left_out.add("ids")
        if self._order.seed is None:
            # Only an order that is drawn depends on it.
            left_out.add("memory")
        # What was found is as good as what was given.
        found = ("delimiter", "skip_initial_space", "skip_final_space")
        known = {**self._options.given, **{name: getattr(self.dialect, name) for name in found}}
        options = {key: repr(value) for key, value in known.items() if key not in left_out}
        rows = {"columns": self.columns, "options": options, **self._order.described()}
        if categories := self._options.values.categories:
            reader = self._reader
            rows["categories"] = {
                "listed": reader.given_vocabulary_digests()
                if given
                else reader.vocabulary_digests(),
                "buckets": {
                    str(key): value for key, value in categories.items() if isinstance(value, int)
                },
            }
        source, samples = self._reader.fingerprint()
        return {
            "version": VERSION,
            "epoch": epoch,
            "batch": batch,
            "batch_size": self._batch_size,
            "seed": self._order.seed,
            "source": source,
            "samples": samples,
            "rows": describe(rows),
        }
