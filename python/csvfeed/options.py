"""The options of a dataset, checked and in plain types. The core reads them by attribute."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Literal

from csvfeed import arguments
from csvfeed import columns as kinds
from csvfeed.arguments import Fill
from csvfeed.columns import Categories, Date, Duration, List, MultiHot, Numbers
from csvfeed.dialect_options import DialectOptions
from csvfeed.directories import Keys
from csvfeed.ids import IdKind, id_columns
from csvfeed.origin import Part
from csvfeed.source import keys, name_of, parts
from csvfeed.targets import Targets


@dataclass(frozen=True)
class ValueOptions:
    """How values are read that are not plain numbers, by column.

    The attributes are the arguments of ``CsvDataset`` with these names.
    """

    categories: dict[int | str, Categories] | None
    booleans: list[int | str] | None
    dates: dict[int | str, Date | Duration] | None
    numbers: Numbers | None
    lists: dict[int | str, List | MultiHot] | None

    @classmethod
    def of(
        cls, *, categories: Any, booleans: Any, dates: Any, numbers: Any, lists: Any
    ) -> ValueOptions:
        """Check the arguments.

        Raises
        ------
        TypeError, ValueError
            If a value makes no sense.
        """
        return cls(
            categories=kinds.categories(categories),
            booleans=kinds.booleans(booleans),
            dates=kinds.dates(dates),
            numbers=kinds.numbers(numbers),
            lists=kinds.lists(lists),
        )

    @property
    def has_lists_to_find(self) -> bool:
        """Whether the source tells the categories of some lists."""
        lists = (self.lists or {}).values()
        return any(isinstance(one, MultiHot) and one.categories == "auto" for one in lists)

    def check_separators(self, dialect: DialectOptions) -> None:
        """Refuse a list whose separator the file uses in numbers or around fields.

        Raises
        ------
        ValueError
            If there is one.
        """
        marks = ("decimal", "thousands", "quote", "escape")
        taken = {mark: name for name in marks if (mark := getattr(dialect, name))}
        for column, one in (self.lists or {}).items():
            if one.separator in taken:
                raise ValueError(
                    f"the separator of the lists of column {column!r} is {one.separator!r}, and so "
                    f"is {taken[one.separator]}=: they must differ"
                )


@dataclass(frozen=True)
class Options:
    """The arguments of ``CsvDataset``, checked and in plain types.

    The attributes are the arguments with these names; ``targets``, ``dialect`` and ``values`` group
    some of them. ``source`` lists the parts that a pattern or a directory stands for. Options can
    be pickled if their source can.
    """

    source: list[Part] = field(repr=False)
    columns: Literal["same", "union"]
    partitions: bool | None
    targets: Targets
    features: list[int | str] | None
    allow_target_as_feature: bool
    ids: dict[int | str, IdKind]
    values: ValueOptions
    batch_size: int
    remainder: Literal["keep", "drop", "pad"]
    header: Literal["auto"] | bool | list[str]
    dialect: DialectOptions
    missing: list[str]
    fill: Fill | dict[int | str, Fill] | None
    missing_target: Literal["raise", "skip", "keep"]
    on_error: Literal["raise", "skip"]
    max_rejects: int | None
    threads: int | None
    memory: int | None

    @classmethod
    def of(
        cls,
        source: Any,
        *,
        columns: Any,
        partitions: Any,
        targets: Targets,
        features: Any,
        allow_target_as_feature: Any,
        ids: Any,
        values: ValueOptions,
        batch_size: Any,
        remainder: Any,
        header: Any,
        dialect: DialectOptions,
        missing: Any,
        fill: Any,
        missing_target: Any,
        on_error: Any,
        max_rejects: Any,
        threads: Any,
        memory: Any,
    ) -> Options:
        """Check the arguments and find the parts of the source.

        Raises
        ------
        OSError
            If a pattern or a directory holds no file.
        TypeError, ValueError
            If an argument makes no sense.
        """
        if dialect.skip_rows_after_header and header not in ("auto", True):
            raise ValueError(
                "skip_rows_after_header= leaves out lines after a header, and header= says that "
                "there is none: skip_rows= leaves out lines before the first row"
            )
        values.check_separators(dialect)
        return cls(
            source=parts(source, arguments.optional_bool(partitions, "partitions")),
            columns=arguments.choice(columns, ("same", "union"), "columns"),
            partitions=partitions,
            targets=targets,
            features=None if features is None else arguments.listed(features, "features"),
            allow_target_as_feature=arguments.flag(
                allow_target_as_feature, "allow_target_as_feature"
            ),
            ids=id_columns(ids),
            values=values,
            batch_size=arguments.positive(batch_size, "batch_size"),
            remainder=arguments.choice(remainder, ("keep", "drop", "pad"), "remainder"),
            header=arguments.header(header),
            dialect=dialect,
            missing=arguments.strings(missing, "missing"),
            fill=arguments.fill(fill),
            missing_target=arguments.choice(
                missing_target, ("raise", "skip", "keep"), "missing_target"
            ),
            on_error=arguments.choice(on_error, ("raise", "skip"), "on_error"),
            max_rejects=arguments.max_rejects(max_rejects, on_error),
            threads=None if threads is None else arguments.positive(threads, "threads"),
            memory=None if memory is None else arguments.positive(memory, "memory"),
        )

    @property
    def name(self) -> str:
        """The name of all parts together, as errors have it."""
        return name_of(self.source)

    @property
    def partition_keys(self) -> list[Keys] | None:
        """The keys of the directories of each part; None unless they become columns.

        Raises
        ------
        ValueError
            If no part has any key, or one has a key twice.
        """
        return keys(self.source) if self.partitions else None

    @property
    def given(self) -> dict[str, Any]:
        """The arguments of ``CsvDataset`` by name, but for the form of y."""
        groups = ("targets", "values", "dialect")
        own = {key: value for key, value in vars(self).items() if key not in groups}
        return {**own, **self.targets.given, **vars(self.values), **vars(self.dialect)}
