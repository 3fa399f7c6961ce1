"""The processes that train together, and how they tell each other something."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

# How long processes wait for one that has not come, in seconds, and when they say so.
PATIENCE = 300.0
FIRST_WORD = 10.0
POLL = 0.02


class Processes(ABC):
    """Some processes, of which this is one.

    Attributes
    ----------
    index : int
        Number of this process, from 0.
    count : int
        How many processes there are.
    """

    index: int
    count: int

    def gather(self, message: bytes) -> list[bytes]:
        """Return the messages of all processes, in their order. Every process must call it."""
        return self._gather(message)

    @abstractmethod
    def _gather(self, message: bytes) -> list[bytes]: ...


class Alone(Processes):
    """A process that nobody answers."""

    index, count = 0, 1

    def _gather(self, message: bytes) -> list[bytes]:
        return [message]


class JaxProcesses(Processes):
    """The processes of ``jax.distributed``."""

    def __init__(self) -> None:
        import jax

        self.index, self.count = jax.process_index(), jax.process_count()

    def _gather(self, message: bytes) -> list[bytes]:
        from jax.experimental.multihost_utils import process_allgather

        lengths = np.asarray(process_allgather(np.array([len(message)], np.int32))).ravel()
        padded = np.zeros(max(1, int(lengths.max())), np.uint8)
        padded[: len(message)] = np.frombuffer(message, np.uint8)
        rows = np.asarray(process_allgather(padded)).reshape(self.count, -1)
        return [row[:length].tobytes() for row, length in zip(rows, lengths, strict=True)]


class TorchProcesses(Processes):
    """The processes of ``torch.distributed``."""

    def __init__(self) -> None:
        import torch.distributed as dist

        self.index, self.count = dist.get_rank(), dist.get_world_size()

    def _gather(self, message: bytes) -> list[bytes]:
        import torch.distributed as dist

        messages: list[Any] = [None] * self.count
        dist.all_gather_object(messages, message)
        return messages


class RayTrainProcesses(Processes):
    """The workers of Ray Train.

    They meet in an actor, which the first of them starts. Ray ends it with the workers.

    Raises
    ------
    ValueError
        If it is the Ray Train of before version 2.
    """

    def __init__(self, context: Any) -> None:
        self.index, self.count = context.get_world_rank(), context.get_world_size()
        self._meeting: Any = None
        self._round = 0

    def _gather(self, message: bytes) -> list[bytes]:
        if self.count == 1:
            return [message]
        import ray

        if self._meeting is None:
            self._meeting = self._meet()
        self._round += 1

        def missing() -> list[int]:
            asked: list[int] = ray.get(self._meeting.missing.remote(self._round), timeout=PATIENCE)
            return asked

        ray.get(self._meeting.leave.remote(self._round, self.index, message), timeout=PATIENCE)
        _wait(missing, self.count, "left no message: do all workers call distribute()?")
        asked = self._meeting.messages.remote(self._round)
        messages: list[bytes] = ray.get(asked, timeout=PATIENCE)
        return messages

    def _meet(self) -> Any:
        """Return the actor that all workers of this run know."""
        import ray

        try:
            from ray.train.collective import broadcast_from_rank_zero
        except ImportError:
            raise ValueError(
                "distribute() needs version 2 of Ray Train: set RAY_TRAIN_V2_ENABLED=1, or say "
                "which process this is, as in distribute(0, 4)"
            ) from None
        own = None
        if self.index == 0:
            # It only waits, so it takes no CPU from the training.
            own = ray.remote(num_cpus=0)(Meeting).remote(self.count)
        found: list[Any] = []

        def ask() -> None:
            # Without its own thread, a worker that never comes would block this one for ever.
            try:
                found.append(broadcast_from_rank_zero(own))
            except Exception as error:
                found.append(error)

        asking = threading.Thread(target=ask, daemon=True)
        asking.start()
        asking.join(PATIENCE)
        if not found:
            raise TimeoutError(
                f"after {PATIENCE:.0f} seconds not all {self.count} workers of Ray Train have "
                "called distribute(): all must, at the same point of the training loop"
            )
        if isinstance(found[0], Exception):
            raise found[0]
        return found[0]


class Meeting:
    """What processes leave for each other in memory, round by round."""

    def __init__(self, count: int) -> None:
        self._count = count
        self._rounds: dict[int, dict[int, bytes]] = {}

    def leave(self, number: int, index: int, message: bytes) -> None:
        """Take a message of a process."""
        self._rounds.setdefault(number, {})[index] = message
        # Whoever is in this round has read the one before the last.
        self._rounds.pop(number - 2, None)

    def missing(self, number: int) -> list[int]:
        """Return who has not left a message in a round."""
        left = self._rounds.get(number, {})
        return [index for index in range(self._count) if index not in left]

    def messages(self, number: int) -> list[bytes]:
        """Return the messages of a round."""
        return [self._rounds[number][index] for index in range(self._count)]


def _wait(missing: Callable[[], list[int]], count: int, where: str) -> None:
    """Wait for processes until none is missing.

    Raises
    ------
    TimeoutError
        If one is missing for too long.
    """
    began = time.monotonic()
    said = False
    while absent := missing():
        waited = time.monotonic() - began
        names = ", ".join(map(str, absent))
        if waited > PATIENCE:
            raise TimeoutError(
                f"after {PATIENCE:.0f} seconds the processes {names} of {count} have {where}"
            )
        if waited > FIRST_WORD and not said:
            said = True
            print(f"csvfeed waits for the processes {names} of {count}", file=sys.stderr)
        time.sleep(POLL)


class DirectoryProcesses(Processes):
    """Processes that see the same directory, and leave messages there.

    Parameters
    ----------
    directory : str
        A directory that exists or can be made. Each ``distribute`` of each run takes an empty one.
    index, count : int
        Number of this process, and how many there are.

    Raises
    ------
    ValueError
        If another process has the same number.
    """

    def __init__(self, directory: str, index: int, count: int) -> None:
        self.index, self.count = index, count
        self._directory = Path(directory)
        self._directory.mkdir(parents=True, exist_ok=True)
        self._round = 0

    def _gather(self, message: bytes) -> list[bytes]:
        self._round += 1
        self._leave(message)

        def missing() -> list[int]:
            absent = [n for n in range(self.count) if not self._path(n).exists()]
            if absent and (problem := self._problem()):
                raise ValueError(problem)
            return absent

        place = f"left no message in {str(self._directory)!r}: do they run, and see this directory?"
        _wait(missing, self.count, place)
        return [self._path(number).read_bytes() for number in range(self.count)]

    def _leave(self, message: bytes) -> None:
        path = self._path(self.index)
        draft = self._directory / f".csvfeed-draft-{os.getpid()}-{threading.get_ident()}"
        draft.write_bytes(message)
        try:
            # Unlike a rename, a link fails if the name is taken.
            os.link(draft, path)
        except FileExistsError:
            problem = (
                f"two processes have the index {self.index}, or the directory "
                f"{str(self._directory)!r} is not empty: give each process an index of its own, "
                "and each dataset of each run a directory of its own"
            )
            self._path("problem").write_text(problem, encoding="utf-8")
            raise ValueError(problem) from None
        finally:
            draft.unlink()

    @classmethod
    def stop(cls, directory: str, problem: str) -> None:
        """Let the processes end that wait for one that cannot take part."""
        place = Path(directory)
        with contextlib.suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            # They wait in the first round.
            _message_in(place, 1, "problem").write_text(problem, encoding="utf-8")

    def _problem(self) -> str | None:
        """Return why the processes cannot find together, if one of them knows."""
        with contextlib.suppress(FileNotFoundError):
            return self._path("problem").read_text(encoding="utf-8") or None
        for other in self._directory.glob(f"csvfeed-{self._round}-*-of-*"):
            count = other.name.rpartition("-")[2]
            if count.isdecimal() and int(count) != self.count:
                return (
                    f"another process says that there are {count} processes, and this one says "
                    f"{self.count}: all processes must do the same"
                )
        return None

    def _path(self, name: int | str) -> Path:
        of = f"-of-{self.count}" if isinstance(name, int) else ""
        return _message_in(self._directory, self._round, f"{name}{of}")


def _message_in(directory: Path, number: int, name: str) -> Path:
    """Return the file of a message of a round."""
    return directory / f"csvfeed-{number}-{name}"


def running() -> Processes | None:
    """Return the processes of the engine that runs, or None if none does.

    If neither JAX nor PyTorch runs in a worker of Ray Train, they are its workers.

    Raises
    ------
    ValueError
        If JAX and PyTorch both run, and disagree.
    """
    found = [processes for find in (_jax, _torch) if (processes := find()) is not None]
    if len({(one.index, one.count) for one in found}) > 1:
        jax, torch = found
        raise ValueError(
            f"this is process {jax.index} of {jax.count} for jax.distributed and {torch.index} of "
            f"{torch.count} for torch.distributed: say which, as in distribute(index, count)"
        )
    return found[0] if found else _ray_train()


def _jax() -> Processes | None:
    jax = sys.modules.get("jax")
    if jax is None:
        return None
    if hasattr(jax.distributed, "is_initialized"):
        # To ask a JAX that is not distributed for its processes would start its backend.
        return JaxProcesses() if jax.distributed.is_initialized() else None
    processes = JaxProcesses()
    return processes if processes.count > 1 else None


def _torch() -> Processes | None:
    torch = sys.modules.get("torch")
    if torch is None or not torch.distributed.is_available():
        return None
    return TorchProcesses() if torch.distributed.is_initialized() else None


def _ray_train() -> Processes | None:
    # Ray imports it in each worker before the training loop.
    train = sys.modules.get("ray.train")
    if train is None:
        return None
    try:
        context = train.get_context()
        # Outside of a worker, an older Ray Train has a context that knows nothing.
        return None if context.get_world_size() is None else RayTrainProcesses(context)
    except (RuntimeError, DeprecationWarning):
        # This is the process that starts the training, or one of Ray Tune.
        return None


def announced() -> str | None:
    """Return what a launcher has said about the processes that no engine has heard of."""
    ray = sys.modules.get("ray")
    if ray is not None and ray.is_initialized() and ray.get_runtime_context().get_actor_id():
        return "this is an actor of Ray, but not a worker that Ray Train started"
    rank, size = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    if rank is None or size is None:
        return None
    return f"RANK={rank} and WORLD_SIZE={size} are set, but no process group runs"
