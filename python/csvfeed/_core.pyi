from collections.abc import Callable, Sequence
from typing import Final, Literal, final

import numpy as np
from numpy.typing import NDArray

from csvfeed.source import Part

DEBUG: Final[bool]
MISSING: Final[list[str]]

def simd() -> Literal["avx512", "avx2", "portable"]: ...

@final
class Reader:
    def __init__(
        self,
        parts: Sequence[Part],
        *,
        name: str,
        target: list[int | str],
        features: list[int | str] | None,
        weight: int | str | None,
        header: bool | list[str] | None,
        delimiter: int,
        quote: int | None,
        encoding: str,
        missing: list[str],
        missing_target: Literal["raise", "skip", "keep"],
        threads: int | None,
        memory: int | None,
    ) -> None: ...
    @property
    def name(self) -> str: ...
    @property
    def columns(self) -> list[str]: ...
    @property
    def feature_names(self) -> list[str]: ...
    @property
    def target_names(self) -> list[str]: ...
    @property
    def columns_read(self) -> list[int]: ...
    @property
    def identity(self) -> str | None: ...
    @property
    def is_of_this_process(self) -> bool: ...
    def feature_places(self, columns: list[int | str], role: str) -> list[int]: ...
    def fingerprint(self) -> str: ...
    def batches(
        self,
        batch_size: int,
        *,
        drop_remainder: bool = False,
        repeat: bool = False,
        pad_to: int | None = None,
        fill: list[float] | None = None,
    ) -> Batches: ...
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
