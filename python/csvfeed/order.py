"""Which rows a dataset has, and in which order: what shuffle, split, shard and cache add to it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, NamedTuple


class Part(NamedTuple):
    """A random part of the rows, or of the keys that a column holds, or the rest."""

    column: int | str | None
    fraction: float
    seed: int
    held_out: bool

    def __str__(self) -> str:
        """Return it as the call that makes it."""
        by = "" if self.column is None else f", by={self.column!r}"
        return f".split({self.fraction}, seed={self.seed}{by})[{int(self.held_out)}]"


class Shard(NamedTuple):
    """One worker's share of the rows, in equally many batches as any other's."""

    worker: int
    workers: int
    batch_size: int
    drop_remainder: bool

    def __str__(self) -> str:
        """Return it as the call that makes it."""
        return f".shard({self.worker}, {self.workers})"


@dataclass(frozen=True)
class Order:
    """Which rows, in which order.

    Attributes
    ----------
    parts : tuple of Part
        Each chooses among the rows that the one before it left.
    share : Shard or None
        What is taken of the rows that the parts leave, so that shares have equally many batches
        whether the split or the shard came first.
    seed : int or None
        What the order of an epoch is drawn with; None for the order of the file.
    seed_is_given : bool
        Whether the seed was the caller's choice.
    cache : str or None
        The directory that keeps parsed rows.
    """

    parts: tuple[Part, ...] = ()
    share: Shard | None = None
    seed: int | None = None
    seed_is_given: bool = False
    cache: str | None = None

    @property
    def is_plain(self) -> bool:
        """Whether it is all rows in the order of the file, read from there."""
        return self == Order()

    @property
    def steps(self) -> list[Part | Shard]:
        """The steps in choosing rows, in their order."""
        return [*self.parts, *([self.share] if self.share else [])]

    def with_part(self, part: Part) -> Order:
        """Return the order of a part of the rows."""
        return replace(self, parts=(*self.parts, part))

    def with_share(self, share: Shard) -> Order:
        """Return the order of a share of the rows; one of a share is a share of more."""
        if outer := self.share:
            worker = outer.worker + outer.workers * share.worker
            share = share._replace(worker=worker, workers=outer.workers * share.workers)
        return replace(self, share=share)

    def __str__(self) -> str:
        """Return it as the calls that make it."""
        shuffle = "" if self.seed is None else f".shuffle({self.seed})"
        cache = "" if self.cache is None else f".cache({self.cache!r})"
        return "".join(map(str, self.steps)) + shuffle + cache

    def described(self) -> dict[str, Any]:
        """Return what tells it from others, in the types of JSON."""
        steps = [list(step) for step in self.steps]
        return {"steps": steps, "shuffled": self.seed is not None}
