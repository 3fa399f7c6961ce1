"""What the core runs on."""

from __future__ import annotations

import warnings
from typing import Literal

from csvfeed import _core


def simd() -> Literal["avx512", "avx2", "neon", "portable"]:
    """Return the instruction set that csvfeed uses.

    It is the fastest one that the processor has, or the one that the environment variable
    ``CSVFEED_SIMD`` named when csvfeed first needed it. All of them give the same results.

    Returns
    -------
    str
        ``"avx512"``, ``"avx2"``, ``"neon"`` or ``"portable"``.

    Raises
    ------
    CsvError
        If ``CSVFEED_SIMD`` names one that this processor or this build of csvfeed lacks.
    """
    return _core.simd()


def warn_of_debug_build() -> None:
    """Warn whoever imports csvfeed if the core was built without optimization."""
    if _core.DEBUG:
        warnings.warn(
            "this csvfeed is a debug build, many times slower than a release build: "
            "install it with `pip install .` or `maturin develop --release`",
            RuntimeWarning,
            stacklevel=3,
        )
