"""The categories of a dataset: codes of features, classes of targets."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csvfeed import columns
from csvfeed.errors import CsvError
from csvfeed.progress import Passes

if TYPE_CHECKING:
    from csvfeed import _core
    from csvfeed.columns import Codes
    from csvfeed.options import Options


class Categories:
    """The part of ``CsvDataset`` that knows the codes of its features and the classes of targets.

    With "auto" ``categories``, the first member that needs the categories reads the source once,
    unless the rows were counted before: that pass finds them as well.
    """

    _reader: _core.Reader
    _options: Options
    _passes: Passes

    @property
    def feature_types(self) -> list[str]:
        """How each feature is read.

        A list in the order of ``feature_names``: "number", "category", "boolean", "date" or
        "duration"; "list" for a value of a list, and "multi_hot" for a category of one.
        """
        return [*self._reader.kinds[: len(self._reader.feature_names)]]

    @property
    def vocabulary(self) -> dict[str | int, list[str]]:
        r"""The categories of each column that has a vocabulary, in the order of their codes.

        The code of a feature is the position of its category in the list plus 1; 0 is any other
        value. The class of a target is the position itself. JSON can store the dict. Given as
        ``categories``, it gives another file the same codes and classes. Columns of hash buckets
        have no vocabulary; ``num_codes`` includes them.

        Examples
        --------
        >>> import csvfeed
        >>> data = b"carrier,delay\nUA,1\nAA,2\n,3\n"
        >>> ds = csvfeed.CsvDataset(data, categories={"carrier": "auto"})
        >>> ds.vocabulary
        {'carrier': ['AA', 'UA']}
        >>> next(iter(ds))[0].tolist()
        [[2.0], [1.0], [0.0]]
        """
        key = columns.keys(self._reader.columns)
        return {key(at): words for at, words in self._vocabularies()}

    @property
    def num_codes(self) -> dict[str, int]:
        r"""How many codes each feature of categories has: the ``input_dim`` of an ``Embedding``.

        A dict by name of the feature, in the order of the features. The number includes code 0,
        unknown or missing. Other features are not in the dict.

        Examples
        --------
        >>> import csvfeed
        >>> data = b"carrier,tail,miles,y\nUA,N1,7,1\nAA,N2,8,2\n"
        >>> ds = csvfeed.CsvDataset(data, categories={"carrier": "auto", "tail": 100})
        >>> ds.num_codes
        {'carrier': 3, 'tail': 101}
        """
        # Targets and a weight follow the features.
        codes = zip(self._reader.feature_names, self._num_codes(), strict=False)
        return {name: count for name, count in codes if count is not None}

    @property
    def classes(self) -> list[str] | dict[str | int, list[str]]:
        r"""The names of the classes of a target of ``categories``, in the order of their numbers.

        The first is class 0. With several targets, or ``target`` as a dict, a dict of such lists by
        name of the target column, for the targets that are categories. With ``one_hot``, it is the
        order of the columns of y. If other columns have the same name, the key is the index
        of the target.

        Raises
        ------
        CsvError
            If no target is a column of ``categories``, or if one is of hash buckets, whose classes
            have no names.

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
        known = dict(self._vocabularies())
        found = {self._key_of_target(place): self._names_of(place, known) for place in places}
        return found if self._has_several_targets() else next(iter(found.values()))

    @property
    def num_classes(self) -> int | dict[str | int, int]:
        """How many classes a target of ``categories`` has: the outputs of a softmax.

        With several targets, or ``target`` as a dict, a dict with the keys of ``classes``. All hash
        buckets count, also those without a value.

        Raises
        ------
        CsvError
            If no target is a column of ``categories``.
        """
        places = self._categorical_targets("num_classes")
        counts = self._num_codes()
        found = {self._key_of_target(place): counts[place] or 0 for place in places}
        return found if self._has_several_targets() else next(iter(found.values()))

    def classes_of(self, target: int) -> list[str]:
        """Return the names of the classes of a target, given by its place among the targets.

        Raises
        ------
        CsvError
            If it is not a column of ``categories``, or is one of hash buckets.
        """
        place = self._targets()[target]
        if self._reader.kinds[place] != "category":
            raise self._not_categorical(place, "classes")
        return self._names_of(place, dict(self._vocabularies()))

    def count_classes(self, target: int) -> int | None:
        """Return how many classes a target has; None if it is not one of ``categories``."""
        place = self._targets()[target]
        if self._reader.kinds[place] != "category":
            return None
        return self._num_codes()[place]

    def codes_by_name(self) -> Codes:
        """Return which codes each feature of ``categories`` has."""
        return {name: codes for name, is_target, codes in self._codes() if not is_target}

    def target_codes_by_name(self) -> Codes:
        """Return which classes each target of ``categories`` has."""
        return {name: codes for name, is_target, codes in self._codes() if is_target}

    def _codes(self) -> list[tuple[str, bool, tuple[int | None, str | None]]]:
        """Return of each column of ``categories`` its name, whether it is a target, and its codes.

        These are how many codes it has, and the digest of its vocabulary; hash buckets have none.
        """
        reader = self._reader
        if "category" not in reader.kinds:
            return []
        counts, digests = self._num_codes(), dict(reader.vocabulary_digests())
        features = len(reader.feature_names)
        return [
            (name, place >= features, (counts[place], digests.get(reader.columns_read[place])))
            for place, name in enumerate(reader.names_read)
            if reader.kinds[place] == "category"
        ]

    def _has_several_targets(self) -> bool:
        """Whether what is known of targets goes by their names."""
        return len(self._reader.target_names) > 1 or self._options.targets.names is not None

    def _names_of(self, place: int, known: dict[int, list[str]]) -> list[str]:
        """Return the names of the classes of a target that is a category."""
        at = self._reader.columns_read[place]
        if at not in known:
            raise self._no_classes(
                at,
                "the classes of this target are hash buckets, which have numbers and no names: "
                "ds.num_classes tells how many there are, and ds.vocabulary has the names of "
                "other columns",
            )
        return known[at]

    def _vocabularies(self) -> list[tuple[int, list[str]]]:
        with self._passes.shown("finding the categories of"):
            return self._reader.vocabularies()

    def _num_codes(self) -> list[int | None]:
        with self._passes.shown("finding the categories of"):
            return self._reader.num_codes()

    def _targets(self) -> range:
        """Return the positions of the targets among the values of a row."""
        first = len(self._reader.feature_names)
        return range(first, first + len(self._reader.target_names))

    def _key_of_target(self, place: int) -> str | int:
        reader = self._reader
        return columns.keys(reader.columns)(reader.columns_read[place], reader.names_read[place])

    def _categorical_targets(self, asked: str) -> list[int]:
        """Return the positions of the targets that are categories."""
        targets, kinds = self._targets(), self._reader.kinds
        places = [place for place in targets if kinds[place] == "category"]
        if places:
            return places
        if not targets:
            raise self._no_classes(
                None, f"{asked} is about a target, and the dataset has none: name it with target="
            )
        raise self._not_categorical(targets[0], asked)

    def _not_categorical(self, place: int, asked: str) -> CsvError:
        at = self._reader.columns_read[place]
        name = columns.keys(self._reader.columns)(at)
        what = f"{self._reader.kinds[place]}s"
        return self._no_classes(
            at,
            f"the target holds {what}, so it has no {asked}: categories={{{name!r}: [...]}} lists "
            f'the classes of a target, categories={{{name!r}: "auto"}} finds them in the file',
        )

    def _no_classes(self, at: int | None, what: str) -> CsvError:
        name = None if at is None else self._reader.columns[at]
        return CsvError(what, path=self._reader.name, column=at, column_name=name)
