"""Several datasets as one, whose rows are mixed in given proportions."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Literal, SupportsFloat

from csvfeed import arguments, other_names
from csvfeed.columns import Codes
from csvfeed.conversions import Conversions
from csvfeed.dataset import CsvDataset
from csvfeed.meanings import differences
from csvfeed.mixed_epochs import MixedEpochs
from csvfeed.outputs import Batch
from csvfeed.state import VERSION, check, describe

MOST = 256
"""How many datasets a mix has at most."""


@other_names.explain(
    other_names.MIX,
    "mix([a, b], weights=[0.9, 0.1], seed=0)",
    by_position="mix takes a list of datasets by position. Write mix([a, b], weights=[0.9, 0.1])",
)
def mix(
    datasets: Iterable[CsvDataset],
    *,
    weights: Sequence[float] | None = None,
    seed: int = 0,
    stop: Literal["first", "repeat"] = "first",
    batch_size: int | None = None,
) -> Mix:
    r"""Return the rows of several datasets in a random order, in given proportions.

    Any number of first rows of an epoch has the rows of each dataset in the proportions of
    ``weights``, to within some hundred rows: csvfeed puts 4,096 rows at a time in a random order,
    which has the exact number of each dataset. The rows of one dataset stay in its own order, so
    ``shuffle`` the datasets first. The order depends on the seed and the number of the epoch alone,
    and on the orders of the datasets.

    Each dataset reads with its own ``threads``, ``memory``, ``fill`` and cache. The mix copies its
    rows into the batches.

    Parameters
    ----------
    datasets : list of CsvDataset
        At most 256, with the same features and targets, in the same order, and the same
        ``categories``, units and parts of dates and durations, and ``fill``. With "mean", each
        fills its own. Their files may write the same values in other ways. They may be parts,
        shards, cached, shuffled, balanced, or have windows of the same length. The mix does not
        move them.
    weights : list of float, optional
        A number above 0 for each dataset, of which only the proportions matter. By default all are
        equal.
    seed : int, default 0
        Seed of the order.
    stop : {"first", "repeat"}, default "first"
        When an epoch ends. With "first", it ends once a dataset has no row left that is due, and
        the others keep rows that this epoch does not read: they begin anew with their next epoch.
        With "repeat", it ends once all rows of each dataset were there. A dataset that ends earlier
        begins again with its next epoch, in a new order if it is shuffled.
    batch_size : int, optional
        Rows in a batch. By default that of the datasets, which must then be equal.

    Returns
    -------
    Mix
        What trainers take, as they take a ``CsvDataset``.

    Raises
    ------
    CsvError
        From the first use: if a dataset has no row. From iteration: as the datasets raise it.
    TypeError, ValueError
        If an argument is not valid, the datasets differ in what must be the same, or one of them is
        distributed.

    Notes
    -----
    Each group of 4,096 rows is shuffled with the numbers of SplitMix64 for the seed, the epoch and
    the place of the group (Fisher and Yates 1938, as Durstenfeld 1964 does it).

    Examples
    --------
    >>> import csvfeed
    >>> real = csvfeed.CsvDataset(b"x,y\n" + b"1,0\n" * 80)
    >>> made = csvfeed.CsvDataset(b"x,y\n" + b"2,0\n" * 80)
    >>> both = csvfeed.mix([real, made], weights=[3, 1], batch_size=100)
    >>> [(len(y), int((X == 1).sum())) for X, y in both]
    [(100, 75), (7, 5)]
    """
    members = _members(datasets)
    shares = _weights(weights, len(members))
    number = arguments.seed(seed)
    arguments.choice(stop, ("first", "repeat"), "stop")
    sizes = {member.batch_size for member in members}
    if batch_size is None and len(sizes) > 1:
        raise ValueError(
            f"the datasets have batches of {', '.join(map(str, sorted(sizes)))} rows: "
            "mix(..., batch_size=...) says which size the mix has"
        )
    rows = min(sizes) if batch_size is None else arguments.positive(batch_size, "batch_size")
    return Mix(members, shares, number, stop, rows)


class Mix(Conversions):
    """Rows of several datasets in a random order; made by ``csvfeed.mix``.

    Iteration yields batches as a ``CsvDataset`` does, and each iteration is the next epoch.
    """

    def __init__(
        self,
        members: list[CsvDataset],
        weights: list[float],
        seed: int,
        stop: Literal["first", "repeat"],
        batch_size: int,
    ) -> None:
        # With positions of their own, so that the mix moves no dataset of the user.
        self._members = [member._ordered(member._order) for member in members]
        self._weights = weights
        self._seed = seed
        self._stop: Literal["first", "repeat"] = stop
        self._batch_size = batch_size
        self._follow()

    def _follow(self) -> None:
        self.epochs = MixedEpochs(
            [member.epochs for member in self._members],
            self._weights,
            self._seed,
            self._stop,
            batch_size=self._batch_size,
        )

    def __iter__(self) -> Iterator[Batch]:
        """Iterate over the next epoch, or over the rest of it after ``load_state_dict``.

        Yields
        ------
        tuple
            What a ``CsvDataset`` yields: ``(X, y)``, ``(X,)`` or ``(X, y, w)``, float32. The caller
            owns the arrays.

        Raises
        ------
        CsvError, OSError
            As the datasets do.
        """
        return self.epochs.begin()

    def __len__(self) -> int:
        """Return the number of batches in an epoch. The first call counts all rows."""
        return len(self.epochs)

    @property
    def num_rows(self) -> int:
        """Rows in an epoch, before a remainder is dropped or padded."""
        return self.epochs.num_rows

    @property
    def batch_size(self) -> int:
        """Rows in a batch."""
        return self._batch_size

    @property
    def feature_names(self) -> list[str]:
        """Names of the features, in the order of the columns of X."""
        return self._members[0].feature_names

    @property
    def feature_types(self) -> list[str]:
        """How each feature is read; see ``CsvDataset.feature_types``."""
        return self._members[0].feature_types

    @property
    def target_names(self) -> list[str]:
        """Names of the target columns, in the order of the columns of y."""
        return self._members[0].target_names

    def classes_of(self, target: int) -> list[str]:
        """Return the names of the classes of a target, given by its place among the targets."""
        return self._members[0].classes_of(target)

    def count_classes(self, target: int) -> int | None:
        """Return how many classes a target has; None if it is not one of ``categories``."""
        return self._members[0].count_classes(target)

    def codes_by_name(self) -> Codes:
        """Return what says which codes the features have that are categories."""
        return self._members[0].codes_by_name()

    def target_codes_by_name(self) -> Codes:
        """Return which classes each target of ``categories`` has."""
        return self._members[0].target_codes_by_name()

    def part_of_worker(self, worker: int, workers: int) -> Mix:
        """Return a mix of the shards of one worker of a loader."""
        shards = [member.shard(worker, workers) for member in self._members]
        return Mix(shards, self._weights, self._seed, self._stop, self._batch_size)

    def distribute(
        self,
        index: int | None = None,  # noqa: ARG002
        count: int | None = None,  # noqa: ARG002
    ) -> Mix:
        """Refuse to share batches among processes.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(
            f"{self!r} cannot share its batches among processes. Mix shards instead, with batches "
            "of each process: csvfeed.mix([a.shard(index, count), b.shard(index, count)], ...)"
        )

    def to_ray(self) -> Any:
        """Refuse to become a Ray dataset.

        Raises
        ------
        ValueError
            Always.
        """
        raise ValueError(self.epochs.not_for_ray)

    def state_dict(self) -> dict[str, Any]:
        """Return the position of the iteration that began last.

        Returns
        -------
        dict
            A small dict that JSON can store, as that of ``CsvDataset.state_dict``.
        """
        return self._state(*self.epochs.position.reached())

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Resume at a position that ``state_dict`` returned.

        Datasets that were shuffled without a given seed adopt the seeds of the state.

        Parameters
        ----------
        state : dict
            What ``state_dict`` returned, of this mix or of an equal one in another process.

        Raises
        ------
        ValueError
            If the state is not of such a mix: equal datasets, weights, seed, ``stop`` and
            ``batch_size``.
        """
        epoch, batch = check(state, self._state(0, 0))
        if state["seed"] != self._seed:
            raise ValueError(f"the state has seed={state['seed']}, this mix {self._seed}")
        members = state.get("members")
        if not isinstance(members, list) or len(members) != len(self._members):
            raise ValueError(f"not a state of a mix of {len(self._members)} datasets: {state!r}")
        for member, own in zip(self._members, members, strict=True):
            member.load_state_dict(own)
        self._follow()
        self.epochs.position.move(epoch, batch)

    def _state(self, epoch: int, batch: int) -> dict[str, Any]:
        """Return the state that points at a batch of an epoch."""
        members = [member._state(0, 0) for member in self._members]
        rows = {
            "members": [member["rows"] for member in members],
            "weights": self._weights,
            "stop": self._stop,
        }
        samples = [member["samples"] for member in members]
        return {
            "version": VERSION,
            "epoch": epoch,
            "batch": batch,
            "batch_size": self._batch_size,
            "seed": self._seed,
            "source": describe({"members": [member["source"] for member in members]}),
            "samples": None if None in samples else describe({"members": samples}),
            "rows": describe(rows),
            "members": members,
        }

    def __reduce__(self) -> tuple[Any, ...]:
        given = (self._members, self._weights, self._seed, self._stop, self._batch_size)
        return Mix, given

    def __repr__(self) -> str:
        members = ", ".join(map(repr, self._members))
        return (
            f"mix([{members}], weights={self._weights}, seed={self._seed}, stop={self._stop!r}, "
            f"batch_size={self._batch_size})"
        )


def _members(datasets: Any) -> list[CsvDataset]:
    """Return the datasets of a mix, which have the same columns."""
    if isinstance(datasets, CsvDataset) or not isinstance(datasets, Iterable):
        raise TypeError(f"mix takes a list of datasets, mix([a, b]), not {datasets!r}")
    members = list(datasets)
    for member in members:
        if not isinstance(member, CsvDataset):
            raise TypeError(f"mix takes a list of CsvDatasets, not {member!r} in it")
        if member.epochs.place is not None:
            raise ValueError(
                f"{member!r} is distributed, and a mix cannot be: mix its shards instead, "
                "ds.shard(index, count)"
            )
    if not 0 < len(members) <= MOST:
        raise ValueError(f"mix takes from 1 to {MOST} datasets, not {len(members)}")
    first = members[0]
    for number, other in enumerate(members[1:], 1):
        for what, ours, theirs in _compared(first, other):
            if ours != theirs:
                raise ValueError(
                    f"the datasets of a mix must be alike, and dataset {number} has {what} "
                    f"{theirs!r}, where dataset 0 has {ours!r}"
                )
        for ours, theirs in zip(first._codes(), other._codes(), strict=True):
            if ours != theirs:
                name = ours[0]
                raise ValueError(
                    f"the codes of {name!r} differ between dataset 0 and dataset {number}: give "
                    f"both the same list, categories={{{name!r}: [...]}}, for example the one in "
                    "ds.vocabulary of a dataset of all files"
                )
        for what, (ours, theirs), advice in differences(first, other):
            raise ValueError(
                f"{what} differs between dataset 0 and dataset {number}, {ours} and {theirs}: "
                f"{advice}"
            )
    return members


def _compared(one: CsvDataset, other: CsvDataset) -> Iterator[tuple[str, Any, Any]]:
    """Yield what must be the same of two datasets, with its name."""

    def outputs(ds: CsvDataset) -> Any:
        targets = ds._options.targets
        return targets.names, targets.one_hot

    yield "features=", one.feature_names, other.feature_names
    yield "target=", one.target_names, other.target_names
    yield "remainder=", one.epochs.remainder, other.epochs.remainder
    yield "outputs", outputs(one), outputs(other)
    yield "arrays with rows of the shapes", one.epochs.row_shapes, other.epochs.row_shapes
    yield "values of the kinds", one._reader.kinds, other._reader.kinds


def _weights(weights: Any, count: int) -> list[float]:
    """Return a weight for each dataset."""
    if weights is None:
        return [1.0] * count
    if isinstance(weights, (str, bytes, Mapping)) or not isinstance(weights, Iterable):
        raise TypeError(f"weights is a list of numbers, one for each dataset, not {weights!r}")
    found = list(weights)
    if len(found) != count:
        raise ValueError(f"weights has {len(found)} numbers for {count} datasets")
    return [_weight(weight) for weight in found]


def _weight(value: Any) -> float:
    if isinstance(value, (bool, str)) or not isinstance(value, SupportsFloat):
        raise TypeError(f"a weight of a dataset is a number above 0, not {value!r}")
    number = float(value)
    if not 0 < number < math.inf:
        raise ValueError(f"a weight of a dataset is a number above 0, not {value!r}")
    return number
