from collections.abc import Callable, Sequence
from typing import Any, Final, Literal, TypeAlias, final

import numpy as np
from numpy.typing import NDArray

from csvfeed.errors import CsvError
from csvfeed.origin import Part

DEBUG: Final[bool]
MISSING: Final[list[str]]
SAMPLE: Final[int]

_Dialect: TypeAlias = dict[str, Any]

def simd() -> Literal["avx512", "avx2", "portable"]: ...
def sniff(
    part: Part, known: dict[str, Any]
) -> tuple[_Dialect, list[tuple[_Dialect, float, list[str] | None, list[list[str]]]]]: ...
def beginning(part: Part, encoding: str, length: int) -> tuple[bytes, bool]: ...

@final
class Reader:
    def __init__(
        self,
        parts: Sequence[Part],
        *,
        name: str,
        columns: Literal["same", "union"],
        partitions: list[list[tuple[str, str]]] | None,
        target: list[int | str],
        features: list[int | str] | None,
        weight: int | str | None,
        allow_target_as_feature: bool,
        coded: tuple[
            list[tuple[int | str, Literal["auto"] | list[str] | int]],
            list[int | str],
            list[tuple[int | str, tuple[list[str], str | None, str | None]]],
            list[tuple[int | str, tuple[str, str | None]]],
            list[str] | list[tuple[int | str, list[str]]],
        ],
        header: bool | list[str] | None,
        delimiter: int | None,
        quote: int | None,
        escape: int | None,
        comment: int | None,
        skip_rows: int,
        skip_rows_after_header: int,
        skip_footer: int,
        skip_initial_space: bool,
        skip_final_space: bool,
        short_rows: Literal["raise", "fill"],
        decimal: int,
        thousands: int | None,
        encoding: str,
        missing: list[str],
        missing_target: Literal["raise", "skip", "keep"],
        on_error: Literal["raise", "skip"],
        max_rejects: int | None,
        threads: int | None,
        memory: int | None,
    ) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def dialect(self) -> _Dialect: ...
    @property
    def feature_names(self) -> list[str]: ...
    @property
    def target_names(self) -> list[str]: ...
    @property
    def columns_read(self) -> list[int]: ...
    @property
    def names_read(self) -> list[str]: ...
    @property
    def kinds(self) -> list[Literal["number", "category", "boolean", "date", "duration"]]: ...
    def num_codes(self) -> list[int | None]: ...
    def vocabularies(self) -> list[tuple[int, list[str]]]: ...
    def vocabulary_digests(self) -> list[tuple[int, str]]: ...
    def found_vocabularies(self) -> list[tuple[int, list[str]]] | None: ...
    def recall_vocabularies(self, found: list[tuple[int, list[str]]]) -> None: ...
    @property
    def identity(self) -> str | None: ...
    @property
    def is_of_this_process(self) -> bool: ...
    def feature_places(self, columns: list[int | str], role: str) -> list[list[int]]: ...
    def fingerprint(self) -> tuple[str, str | None]: ...
    def batches(
        self,
        batch_size: int,
        *,
        drop_remainder: bool = False,
        repeat: bool = False,
        pad_to: int | None = None,
        fill: list[float] | None = None,
    ) -> Batches: ...
    def rejects(self) -> tuple[list[tuple[str, int]], list[tuple[str, CsvError]]]: ...
    def write_rejects(self, path: str) -> int: ...
    def sample(
        self, rows: int, *, plenty: int, places: int
    ) -> tuple[list[list[str]], int, list[tuple[int, list[str]]], int, bool, CsvError | None]: ...
    @property
    def is_plain(self) -> bool: ...
    def copy_text(self, path: str, most: int) -> bool: ...
    def values(
        self,
        texts: list[str],
        kind: str,
        date_format: str | None = None,
    ) -> list[float | None]: ...
    def are_missing(self, texts: list[str]) -> list[bool]: ...
    def plan(
        self,
        steps: Sequence[tuple[int | str | None, float, int, bool] | tuple[int, int, int, bool]],
        *,
        seed: int | None,
        padded: bool,
        cache: str | None,
        fill: str,
    ) -> Plan: ...

@final
class Plan:
    def rows(self) -> int: ...
    def warn_of_rejects(self) -> None: ...
    def stats(self) -> list[tuple[int, int, float, float, float, float]]: ...
    def batches(
        self,
        batch_size: int,
        *,
        epoch: int,
        first_row: int,
        drop_remainder: bool,
        pad_to: int | None,
        fill: Callable[[], list[float] | None],
    ) -> Batches: ...

@final
class Batches:
    @property
    def progress(self) -> Progress: ...
    def __iter__(self) -> Batches: ...
    def __next__(self) -> tuple[NDArray[np.float32], ...]: ...

@final
class Progress:
    @property
    def yielded(self) -> int: ...
    @property
    def ended(self) -> bool: ...

@final
class Requests:
    def take(self) -> tuple[int, int] | None: ...
    def answer(self, chunks: Sequence[bytes], /) -> None: ...
    def fail(self, error: BaseException, /) -> None: ...
