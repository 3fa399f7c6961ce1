"""``distribute``: the part of one process in every global batch."""

from __future__ import annotations

import json
import os
from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from typing import TYPE_CHECKING, Any

from csvfeed import arguments, other_names
from csvfeed.errors import CsvError
from csvfeed.order import Lanes, WithOrder
from csvfeed.processes import Alone, DirectoryProcesses, Processes, announced, running

if TYPE_CHECKING:
    # Part of typing since Python 3.11; type checkers bring it for 3.10.
    from typing_extensions import Self

    from csvfeed import _core
    from csvfeed.options import Options


class Distributed(WithOrder):
    """The part of ``CsvDataset`` that shares global batches among processes."""

    _batch_size: int
    _remainder: str
    _reader: _core.Reader
    _options: Options

    @abstractmethod
    def shard(self, index: int, count: int) -> Self:
        """Return a dataset with one worker's share of the rows."""

    @abstractmethod
    def _state(self, epoch: int, batch: int, *, given: bool = False) -> dict[str, Any]:
        """Return the state that points at a batch of an epoch."""

    @other_names.explain(
        other_names.DISTRIBUTE,
        "distribute(), or distribute(0, 4) in the first of four processes",
        by_position="distribute takes an index and a count: distribute(0, 4) is the first of four",
    )
    def distribute(
        self,
        index: int | None = None,
        count: int | None = None,
        *,
        lanes: int | None = None,
        directory: str | os.PathLike[str] | None = None,
    ) -> Self:
        """Return this process's part of every global batch.

        The rows are dealt into ``lanes`` equal runs. A global batch of ``batch_size`` rows takes
        equally many rows from each lane, in the order of the lanes. Each process serves some of the
        lanes and reads no other part of the source. All processes have the same number of batches,
        of equal shapes. The global batches do not depend on the number of processes, so the same
        ``lanes`` give the same training on 1, 2 or 4 of them, and a state that 4 processes saved
        can be loaded by 2.

        Every process must call it, at the same point of the program. They compare what they read,
        and count the rows together: each counts its own share. docs/distributed.md shows a script
        for each engine.

        Parameters
        ----------
        index, count : int, optional
            Number of this process, from 0, and how many there are. The default is what
            ``jax.distributed`` or ``torch.distributed`` says, whichever runs, or else Ray Train.
        lanes : int, optional
            How many lanes there are: a multiple of ``count``, which is the default. A shuffle mixes
            each lane for itself, in shuffle windows of ``memory / lanes``.
        directory : str or os.PathLike, optional
            An empty directory that all processes see, through which they count together if no
            engine runs. Each dataset takes one of its own. Without it, each process counts all
            rows.

        Returns
        -------
        CsvDataset
            The part of this process. Its ``len`` and ``num_rows`` are those of all processes;
            its arrays have ``batch_size / count`` rows.

        Raises
        ------
        CsvError
            If the source is not the same in all processes, or one of them cannot read it.
        TimeoutError
            If a process leaves no message in ``directory`` for five minutes.
        ValueError
            If no engine runs and no index is given, the processes disagree, two have the same
            index, ``lanes`` does not divide ``batch_size``, or ``remainder`` is "keep".
        """
        path = None if directory is None else os.fsdecode(directory)
        try:
            place = _place(index, count)
            processes = _processes(place, path)
        except Exception as error:
            _tell_others(error, path)
            raise
        own, shares = place or (processes.index, processes.count)
        if isinstance(processes, Alone):
            return self._ordered(replace(self._order, lanes=self._lanes(own, shares, lanes)))
        together = _Together(processes, own)
        # A process that fails says so to the others, which would otherwise wait for it.
        told = together.do(lambda: self._described(own, shares, lanes))
        seed = _agreed([json.loads(one) for one in told], processes.index)
        order = replace(self._order, seed=seed, lanes=self._lanes(own, shares, lanes))
        dataset = self._ordered(order)
        dataset._count_together(together, own, shares)
        return dataset

    def part_of_worker(self, worker: int, workers: int) -> Self:
        """Return the rows of one worker of a loader that has several in this process.

        Without ``distribute`` they are a shard. With it, each worker takes some of this process's
        lanes, in batches of as many rows: the workers of all processes make the same steps.

        Raises
        ------
        ValueError
            If the lanes of this process cannot be dealt to the workers.
        """
        lanes = self._order.lanes
        if lanes is None:
            return self.shard(worker, workers)
        own, rest = divmod(lanes.end - lanes.first, workers)
        if rest:
            count = lanes.count // (lanes.end - lanes.first)
            raise ValueError(
                f"{workers} workers cannot share the {lanes.end - lanes.first} lanes of this "
                f"process: distribute(..., lanes={count * workers}), or num_workers=0, which reads "
                "with all threads"
            )
        first = lanes.first + worker * own
        part = Lanes(first, first + own, lanes.count, lanes.rows * workers)
        return self._ordered(replace(self._order, lanes=part))

    def _lanes(self, index: int, count: int, lanes: int | None) -> Lanes:
        """Return the lanes of this process.

        Raises
        ------
        ValueError
            If the rows cannot be dealt to lanes.
        """
        if self._order.lanes is not None:
            raise ValueError(f"{self!r} is distributed already")
        if self._order.share is not None:
            raise ValueError(
                f"{self!r} is a shard, whose batches are its own: distribute the dataset itself"
            )
        if self._remainder == "keep":
            raise ValueError(
                'with remainder="keep" the last batches of the processes differ in size, and the '
                'processes would wait for each other: CsvDataset(..., remainder="drop") drops the '
                'rows that do not fill a batch, and remainder="pad" fills it with rows of weight 0'
            )
        number = count if lanes is None else arguments.positive(lanes, "lanes")
        if number % count:
            raise ValueError(
                f"lanes={number} cannot be dealt to {count} processes: take a multiple of {count}"
            )
        rows, rest = divmod(self._batch_size, number)
        if rest:
            near = [size for size in (rows * number, (rows + 1) * number) if size]
            raise ValueError(
                f"batch_size={self._batch_size} is that of the global batch, which takes equally "
                f"many rows from each of {number} lanes: the nearest that can be are "
                f"{' and '.join(map(str, near))}"
            )
        own = number // count
        return Lanes(index * own, (index + 1) * own, number, rows)

    def _described(self, index: int, count: int, lanes: int | None) -> bytes:
        """Return what this process is about to read."""
        state = self._state(0, 0, given=True)
        order = self._order
        about = {
            "index": index,
            "count": count,
            "lanes": self._lanes(index, count, lanes).count,
            "batch_size": self._batch_size,
            "remainder": self._remainder,
            # Where the row index and the windows of a shuffle are cut depends on it.
            "memory": self._options.memory,
            "shuffled": order.seed is not None,
            "seed": order.seed if order.seed_is_given else None,
            "drawn": order.seed,
            "rows": state["rows"],
            "source": [state["source"], state["samples"]],
            "path": self._reader.name,
        }
        return json.dumps(about).encode()

    def _count_together(self, together: _Together, index: int, count: int) -> None:
        """Find the row index and "auto" ``categories``, each process those of its share."""

        def shared(find: Callable[[], bytes]) -> list[bytes]:
            found = dict(zip(together.indices, together.do(find), strict=True))
            return [found[place] for place in range(count)]

        shares = shared(lambda: self._reader.count_share(index, count))
        shares = shared(lambda: self._reader.complete_share(index, shares))
        self._reader.join_shares(shares)
        if any(digest is None for _, digest in self._reader.given_vocabulary_digests()):
            # Where the shares lack categories, a pass over the file says why; then all fail.
            together.do(lambda: json.dumps(self._reader.num_codes()).encode())


class _Together:
    """Passes what each process finds to all of them.

    Attributes
    ----------
    indices : list of int
        The index of each process, once it has told something.
    """

    def __init__(self, processes: Processes, index: int) -> None:
        self._processes = processes
        self._index = index
        self.indices: list[int] = []

    def do(self, find: Callable[[], bytes]) -> list[bytes]:
        """Return what each process finds. If one fails, all fail."""
        failure: Exception | None = None
        found = b""
        try:
            found = find()
        except Exception as error:
            failure = error
        messages = self.tell(failure, found)
        if failure is not None:
            raise failure
        heads = [json.loads(message.partition(b"\n")[0]) for message in messages]
        for process, head in enumerate(heads):
            if head["failure"] is not None:
                raise CsvError(f"process {process} of {len(heads)} stops: {head['failure']}")
        self.indices = [head["index"] for head in heads]
        return [message.partition(b"\n")[2] for message in messages]

    def tell(self, failure: Exception | None, found: bytes = b"") -> list[bytes]:
        """Tell all processes what this one has found, or why it fails; return what each tells."""
        said = {"index": self._index, "failure": None if failure is None else str(failure)}
        return self._processes.gather(json.dumps(said).encode() + b"\n" + found)


def _agreed(told: list[dict[str, Any]], process: int) -> int | None:
    """Return the seed of all processes, given what each of them is about to read.

    Raises
    ------
    CsvError, ValueError
        If they differ in what must be the same.
    """
    ours = told[process]
    for other, theirs in enumerate(told):
        for key, what in _MUST_AGREE.items():
            if theirs[key] != ours[key]:
                message = what.format(
                    theirs=theirs[key], ours=ours[key], their_path=theirs["path"], path=ours["path"]
                )
                kind = CsvError if key == "source" else ValueError
                raise kind(f"process {other} {message}: all processes must do the same")
    held = sorted(one["index"] for one in told)
    times, rest = divmod(len(told), ours["count"])
    if rest or held != sorted([*range(ours["count"])] * times):
        raise ValueError(
            f"the processes have the indices {held}: each from 0 to {ours['count'] - 1} must be "
            "there, all equally often"
        )
    seed: int | None = told[0]["drawn"]
    return seed


_MUST_AGREE = {
    "count": "says that there are {theirs} processes, and this one says {ours}",
    "lanes": "has lanes={theirs}, and this one lanes={ours}",
    "batch_size": "has batch_size={theirs}, and this one batch_size={ours}",
    "remainder": "has remainder={theirs!r}, and this one remainder={ours!r}",
    "memory": "has memory={theirs}, and this one memory={ours}",
    "shuffled": "and this one differ in shuffle()",
    "seed": "shuffles with seed={theirs}, and this one with seed={ours}",
    "rows": "reads other rows than this one: the columns, the options or a split differ",
    "source": "reads another file ({their_path}) than this one ({path}), or it has changed since",
}


def _place(index: int | None, count: int | None) -> tuple[int, int] | None:
    if index is None and count is None:
        return None
    if index is None or count is None:
        raise ValueError("distribute takes an index and a count, or neither of them")
    shares = arguments.positive(count, "count")
    return arguments.place(index, shares, "index"), shares


def _tell_others(failure: Exception, directory: str | None) -> None:
    """Tell the processes that wait for this one why it does not come."""
    try:
        found = running()
    except ValueError:
        # The engines do not know each other's processes.
        return
    if found is not None and found.count > 1:
        _Together(found, found.index).tell(failure)
    elif directory is not None:
        DirectoryProcesses.stop(directory, f"another process stops: {failure}")


def _processes(place: tuple[int, int] | None, directory: str | None) -> Processes:
    found = running()
    if directory is not None:
        if place is None:
            raise ValueError("directory= goes with an index and a count: distribute(0, 4, ...)")
        # An engine brings them together, too, even if one of them has no directory.
        if found is None or found.count == 1 or found.count % place[1]:
            return DirectoryProcesses(directory, *place)
    if place is None:
        if found is None:
            why = announced()
            raise ValueError(
                f"no engine runs that knows the processes{f': {why}' if why else ''}. Call "
                "jax.distributed.initialize() or torch.distributed.init_process_group() before "
                "distribute(), call it in a training loop of Ray Train, or say which process this "
                "is, as in distribute(0, 4); distribute(0, 1, lanes=4) in a single process has the "
                "batches of four"
            )
        return found
    if found is None or found.count == 1:
        return Alone()
    if found.count % place[1]:
        raise ValueError(
            f"the engine runs {found.count} processes, and distribute(..., {place[1]}) deals the "
            f"rows to {place[1]}: leave both out, or take a count that divides {found.count}"
        )
    return found
