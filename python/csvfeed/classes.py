"""The classes of targets whose values are categories."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csvfeed import columns
from csvfeed.errors import CsvError

if TYPE_CHECKING:
    from csvfeed import _core


class Classes:
    """The part of ``CsvDataset`` that tells the classes of its targets."""

    _reader: _core.Reader

    @property
    def classes(self) -> list[str] | dict[str | int, list[str]]:
        r"""The names of the classes of a target of ``categories``, in the order of their numbers.

        Class 0 is the first. A list of str if the dataset has one target. If it has several, a dict
        of such lists by the name of the target, with those targets that are categories; a target
        whose name other columns share stands under its index. With "auto" the file is read for it
        once.

        Raises
        ------
        CsvError
            If no target is one of ``categories``, or if one is of hash buckets, whose classes have
            no names.

        Examples
        --------
        >>> import csvfeed
        >>> data = b"petal,species\n5.1,virginica\n1.4,setosa\n"
        >>> ds = csvfeed.CsvDataset(data, target="species", categories={"species": "auto"})
        >>> ds.classes, ds.num_classes
        (['setosa', 'virginica'], 2)
        >>> next(iter(ds))[1].tolist()
        [1.0, 0.0]
        """
        places = self._categorical_targets("classes")
        known = dict(self._reader.vocabularies())
        found = {}
        for place in places:
            at = self._reader.columns_read[place]
            if at not in known:
                raise self._no_classes(
                    at,
                    "the classes of this target are hash buckets, which have numbers and no names: "
                    "ds.num_classes tells how many there are, and ds.vocabulary has the names of "
                    "other columns",
                )
            found[self._key_of_target(place)] = known[at]
        return found if len(self._reader.target_names) > 1 else next(iter(found.values()))

    @property
    def num_classes(self) -> int | dict[str | int, int]:
        """How many classes a target of ``categories`` has: the outputs of a softmax.

        An int if the dataset has one target; a dict by target, as ``classes`` is, if it has
        several. Hash buckets count, whether or not a value falls into them. With "auto" the file is
        read for it once.

        Raises
        ------
        CsvError
            If no target is one of ``categories``.
        """
        places = self._categorical_targets("num_classes")
        counts = self._reader.num_codes()
        found = {self._key_of_target(place): counts[place] or 0 for place in places}
        return found if len(self._reader.target_names) > 1 else next(iter(found.values()))

    @property
    def has_classes(self) -> bool:
        """Whether a target is a column of ``categories``."""
        first = len(self._reader.feature_names)
        targets = slice(first, first + len(self._reader.target_names))
        return "category" in self._reader.kinds[targets]

    def _key_of_target(self, place: int) -> str | int:
        reader = self._reader
        return columns.keys(reader.columns)(reader.columns_read[place], reader.names_read[place])

    def _categorical_targets(self, asked: str) -> list[int]:
        """Return the places of such targets among the values of a row."""
        first, kinds = len(self._reader.feature_names), self._reader.kinds
        targets = range(first, first + len(self._reader.target_names))
        places = [place for place in targets if kinds[place] == "category"]
        if places:
            return places
        if not targets:
            raise self._no_classes(
                None, f"{asked} is about a target, and the dataset has none: name it with target="
            )
        at = self._reader.columns_read[targets[0]]
        name = columns.keys(self._reader.columns)(at)
        what = {"number": "numbers", "boolean": "booleans", "date": "dates"}[kinds[targets[0]]]
        raise self._no_classes(
            at,
            f"the target holds {what}, so it has no {asked}: categories={{{name!r}: [...]}} lists "
            f'the classes of a target, categories={{{name!r}: "auto"}} finds them in the file',
        )

    def _no_classes(self, at: int | None, what: str) -> CsvError:
        name = None if at is None else self._reader.columns[at]
        return CsvError(what, path=self._reader.name, column=at, column_name=name)
