"""Steps that choose rows by their class, or deal them to folds."""

from __future__ import annotations

from typing import NamedTuple


class StratifiedPart(NamedTuple):
    """A random part of the rows of each class, or the rest of them."""

    stratify: int | str
    fraction: float
    seed: int
    held_out: bool

    @property
    def needs_pass(self) -> bool:
        """Whether only a pass over the rows tells which ones are chosen."""
        return True

    @property
    def keeps_neighbours(self) -> bool:
        """Whether rows that follow one another stay together."""
        return False

    def __str__(self) -> str:
        """Return the call that makes this part."""
        part = f".split({self.fraction}, seed={self.seed}, stratify={self.stratify!r})"
        return f"{part}[{int(self.held_out)}]"


class Fold(NamedTuple):
    """One of several folds of the rows, or the rest of them."""

    number: int
    folds: int
    seed: int
    held_out: bool
    by: int | str | None = None
    stratify: int | str | None = None

    @property
    def needs_pass(self) -> bool:
        """Whether only a pass over the rows tells which ones are chosen."""
        return self.by is not None or self.stratify is not None

    @property
    def keeps_neighbours(self) -> bool:
        """Whether rows that follow one another stay together."""
        return self.by is not None

    def __str__(self) -> str:
        """Return the call that makes this fold."""
        by = "" if self.by is None else f", by={self.by!r}"
        stratify = "" if self.stratify is None else f", stratify={self.stratify!r}"
        folds = f".folds({self.folds}, seed={self.seed}{by}{stratify})"
        return f"{folds}[{self.number}][{int(self.held_out)}]"


class Balance(NamedTuple):
    """As many rows of each class as make the classes as frequent as asked for."""

    by: int | str
    ratio: float | tuple[tuple[str, float], ...]
    oversample: bool
    seed: int

    @property
    def needs_pass(self) -> bool:
        """Whether only a pass over the rows tells which ones are chosen."""
        return True

    @property
    def keeps_neighbours(self) -> bool:
        """Whether rows that follow one another stay together."""
        return False

    @property
    def method(self) -> str:
        """How the classes become as frequent as asked for."""
        return "oversample" if self.oversample else "undersample"

    def __str__(self) -> str:
        """Return the call that makes this balance."""
        ratio = self.ratio if isinstance(self.ratio, float) else dict(self.ratio)
        given = "" if ratio == 1 else f", ratio={ratio!r}"
        return f".balance({self.by!r}, method={self.method!r}{given}, seed={self.seed})"
