"""What the core runs on."""

from __future__ import annotations

from typing import Literal

from csvfeed import _core


def simd() -> Literal["avx512", "avx2", "portable"]:
    """Return the instruction set that csvfeed uses.

    It is the fastest one that the processor has, or the one that the environment variable
    ``CSVFEED_SIMD`` named when csvfeed first needed it. All of them give the same results.

    Returns
    -------
    str
        ``"avx512"``, ``"avx2"`` or ``"portable"``.

    Raises
    ------
    CsvError
        If ``CSVFEED_SIMD`` names one that this processor or this build of csvfeed lacks.
    """
    return _core.simd()
