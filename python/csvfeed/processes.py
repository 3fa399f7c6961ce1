"""The processes that train together, and how they tell each other something."""

from __future__ import annotations

import contextlib
import os
import sys
import threading
import time
from abc import ABC, abstractmethod
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
        began = time.monotonic()
        said = False
        while missing := [n for n in range(self.count) if not self._path(n).exists()]:
            if problem := self._problem():
                raise ValueError(problem)
            waited = time.monotonic() - began
            names = ", ".join(map(str, missing))
            if waited > PATIENCE:
                raise TimeoutError(
                    f"after {PATIENCE:.0f} seconds the processes {names} of {self.count} have left "
                    f"no message in {str(self._directory)!r}: do they run, and see this directory?"
                )
            if waited > FIRST_WORD and not said:
                said = True
                print(f"csvfeed waits for the processes {names} of {self.count}", file=sys.stderr)
            time.sleep(POLL)
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
            self._path("problem").write_text(problem)
            raise ValueError(problem) from None
        finally:
            draft.unlink()

    @classmethod
    def stop(cls, directory: str, problem: str) -> None:
        """Let the processes end that wait for one that cannot take part."""
        place = Path(directory)
        with contextlib.suppress(OSError):
            place.mkdir(parents=True, exist_ok=True)
            (place / "csvfeed-1-problem").write_text(problem)

    def _problem(self) -> str | None:
        """Return why the processes cannot find together, if one of them knows."""
        with contextlib.suppress(FileNotFoundError):
            return self._path("problem").read_text() or None
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
        return self._directory / f"csvfeed-{self._round}-{name}{of}"


def running() -> Processes | None:
    """Return the processes of the engine that runs, or None if none does.

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
    return found[0] if found else None


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


def announced() -> str | None:
    """Return what a launcher has said about the processes that no engine has heard of."""
    rank, size = os.environ.get("RANK"), os.environ.get("WORLD_SIZE")
    if rank is None or size is None:
        return None
    return f"RANK={rank} and WORLD_SIZE={size} are set, but no process group runs"
