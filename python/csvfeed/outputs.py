"""The form of y and its weights: by output of a model, and one-hot."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np
from numpy.typing import NDArray

from csvfeed import _core
from csvfeed import columns as kinds
from csvfeed.errors import CsvError
from csvfeed.targets import Targets

Array: TypeAlias = NDArray[np.float32]
Arrays: TypeAlias = tuple[Array, ...]
"""What the core reads: ``(X,)``, ``(X, y)`` or ``(X, y, w)``, in groups of rows or of batches."""

Batch: TypeAlias = tuple[Any, ...]
"""``(X,)``, ``(X, y)`` or ``(X, y, w)``: X of shape (B, F), y (B,) or (B, T), w (B,).

A list of L values counts as L features or targets.

With ``target`` as a dict, y and w are dicts of such arrays. The X of windows is of shape
(B, length, F).
"""

Shape: TypeAlias = tuple[int, ...]


class Outputs:
    """Gives y and the weights that the core has read the form that the arguments ask for.

    Arrays may have any number of leading axes.

    Parameters
    ----------
    reader : _core.Reader
        Reads the source, and knows its classes.
    targets : Targets
        What the arguments ask for.

    Attributes
    ----------
    names : list of str or None
        The names of the outputs; None if y is a single array.

    Raises
    ------
    CsvError
        If a target has no classes that could be one-hot, or shares its output with others.
    """

    def __init__(self, reader: _core.Reader, targets: Targets) -> None:
        self._reader = reader
        self.names = targets.names
        self._first = len(reader.feature_names)
        lists = reader.list_lengths
        lengths = [
            [lists.get(reader.position(column, "target")) for column in output]
            for output in targets.outputs
        ]
        # A list has an axis for its values, even if there is one.
        self._are_vectors = [
            is_vector and output[0] is None
            for is_vector, output in zip(targets.are_vectors, lengths, strict=True)
        ]
        ends = np.cumsum([sum(one or 1 for one in output) for output in lengths]).tolist()
        self._spans = [range(a, b) for a, b in zip([0, *ends[:-1]], ends, strict=True)]
        self._total: int = ends[-1]
        self._one_hot = self._find_one_hot(targets.one_hot)
        self._counts: list[int | None] | None = None
        # Where the weights of each output are; None if all have the same.
        self._weights: list[int] | None = None
        known = [weight for weight in targets.weights if weight is not None]
        if len(targets.weights) > 1:
            at = iter(range(len(known)))
            # The core adds a last weight, which is 1, for outputs without one.
            self._weights = [len(known) if one is None else next(at) for one in targets.weights]

    @staticmethod
    def of(reader: _core.Reader, targets: Targets) -> Outputs | None:
        """Return the form of y; None if it is the one that the core reads."""
        plain = targets.names is None and targets.one_hot is False
        # The core gives a single target no axis, and a list of one value has one.
        _, count, _ = reader.widths
        is_list = count == 1 and reader.kinds[len(reader.feature_names)] in ("list", "multi_hot")
        return None if plain and not is_list else Outputs(reader, targets)

    def columns_of(self, output: int) -> range:
        """Return the places of an output's columns among all targets."""
        return self._spans[output]

    def part(self, y: Array, output: int) -> Array:
        """Return the columns of one output, of shape (...,) or (..., T), as the core read them."""
        columns = self._spans[output]
        if self._total == 1:
            return y if self._are_vectors[output] else y[..., None]
        # Trainers take arrays without gaps, or copy them.
        if self._are_vectors[output]:
            return np.ascontiguousarray(y[..., columns.start])
        return np.ascontiguousarray(y[..., columns.start : columns.stop])

    def targets(self, y: Array) -> Any:
        """Return y as a batch has it, of what the core has read."""
        found = [self._values(y, output) for output in range(len(self._spans))]
        return found[0] if self.names is None else dict(zip(self.names, found, strict=True))

    def weights(self, w: Array) -> Any:
        """Return the weights as a batch has them, of what the core has read."""
        if self.names is None:
            return w
        if self._weights is None:
            return dict.fromkeys(self.names, w)
        found = [np.ascontiguousarray(w[..., place]) for place in self._weights]
        return dict(zip(self.names, found, strict=True))

    def give(self, arrays: Arrays) -> Batch:
        """Return a batch of what the core has read."""
        X, *rest = arrays
        if not rest:
            return (X,)
        y = self.targets(rest[0])
        return (X, y, self.weights(rest[1])) if rest[1:] else (X, y)

    @property
    def target_shapes(self) -> Any:
        """The shape of a row in y, or in each array of it. May read the source for classes."""
        found: list[Shape] = []
        for columns, is_vector in zip(self._spans, self._are_vectors, strict=True):
            if columns.start in self._one_hot:
                found.append((self._count(columns.start),))
            else:
                found.append(() if is_vector else (len(columns),))
        return found[0] if self.names is None else dict(zip(self.names, found, strict=True))

    @property
    def weight_shapes(self) -> Any:
        """The shape of a row in the weights, or in each array of them."""
        return () if self.names is None else dict.fromkeys(self.names, ())

    def flat_names(self) -> list[str]:
        """Return a name for each column of what `flat` returns.

        A class of a one-hot target is called ``target.class``.
        """
        found = []
        known = dict(self._reader.vocabularies()) if self._one_hot else {}
        for place, name in enumerate(self._reader.target_names):
            if place not in self._one_hot:
                found.append(name)
                continue
            classes = known.get(self._reader.columns_read[self._first + place])
            found += [f"{name}.{one}" for one in classes or range(self._count(place))]
        return found

    def flat(self, y: Array) -> Array:
        """Return y of shape (..., T) with classes one-hot, of shape (..., columns)."""
        parts = [
            one_hot(y[..., place], self._count(place))
            if place in self._one_hot
            else y[..., place : place + 1]
            for place in range(self._total)
        ]
        return np.concatenate(parts, axis=-1)

    def _values(self, y: Array, output: int) -> Array:
        found = self.part(y, output)
        place = self._spans[output].start
        if place not in self._one_hot:
            return found
        codes = found if self._are_vectors[output] else found[..., 0]
        return one_hot(codes, self._count(place))

    def _count(self, place: int) -> int:
        """Return how many classes a target has. May read the source once."""
        if self._counts is None:
            self._counts = self._reader.num_codes()[self._first :]
        return self._counts[place] or 0

    def _find_one_hot(self, wanted: bool | list[int | str]) -> frozenset[int]:
        """Return the places among the targets of those that are one-hot."""
        if wanted is False:
            return frozenset()
        kinds_read = self._reader.kinds[self._first : self._first + self._total]
        if wanted is True:
            places = [place for place, kind in enumerate(kinds_read) if kind == "category"]
            if not places:
                raise CsvError(
                    "one_hot=True is about the classes of a target, and no target is a column of "
                    'categories=: categories={"target": [...]} lists its classes, "auto" finds '
                    "them in the file",
                    path=self._reader.name,
                )
        else:
            places = [place for column in wanted for place in self._places(column)]
        for columns in self._spans:
            for place in columns:
                if place in places and len(columns) > 1:
                    name = self._name(place)
                    raise self._wrong(
                        place,
                        f"one_hot= makes a row of y of each class, so the target needs an output "
                        f"of its own: target={{{str(name)!r}: {name!r}, ...}}",
                    )
        return frozenset(places)

    def _places(self, column: int | str) -> list[int]:
        at = self._reader.position(column, "one_hot")
        read = self._reader.columns_read[self._first : self._first + self._total]
        places = [place for place, found in enumerate(read) if found == at]
        name = kinds.keys(self._reader.columns)(at)
        if not places:
            raise CsvError(
                "one_hot= names a column that is no target. Features of categories= are codes: "
                'an Embedding of the model takes them, or CategoryEncoding(output_mode="one_hot")',
                path=self._reader.name,
                column=at,
                column_name=self._reader.columns[at],
            )
        if self._reader.kinds[self._first + places[0]] != "category":
            raise self._wrong(
                places[0],
                f"one_hot= is about classes, and this target holds "
                f"{self._reader.kinds[self._first + places[0]]}s: categories={{{name!r}: [...]}} "
                f'lists its classes, categories={{{name!r}: "auto"}} finds them in the file',
            )
        return places

    def _name(self, place: int) -> str | int:
        return kinds.keys(self._reader.columns)(self._reader.columns_read[self._first + place])

    def _wrong(self, place: int, what: str) -> CsvError:
        at = self._reader.columns_read[self._first + place]
        return CsvError(
            what, path=self._reader.name, column=at, column_name=self._reader.columns[at]
        )


def one_hot(classes: Array, count: int) -> Array:
    """Return a row for each class: 1 at its number, 0 elsewhere; NaN for no class.

    Parameters
    ----------
    classes : numpy.ndarray
        Numbers of classes, of shape (...,).
    count : int
        How many classes there are.

    Returns
    -------
    numpy.ndarray
        float32 of shape (..., count).
    """
    found = np.zeros((*classes.shape, count), np.float32)
    rows, numbers = found.reshape(-1, count), classes.reshape(-1)
    missing = np.isnan(numbers)
    at = np.arange(len(rows))
    if missing.any():
        rows[missing] = np.nan
        at, numbers = at[~missing], numbers[~missing]
    rows[at, numbers.astype(np.intp)] = 1
    return found
