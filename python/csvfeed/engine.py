"""What the reading core runs on."""

from __future__ import annotations

from typing import Literal

from csvfeed import _core


def simd() -> Literal["avx512", "avx2", "portable"]:
    """Return the instruction set that reading uses.

    It is the fastest that the processor has, unless the environment variable ``CSVFEED_SIMD`` named
    another one when it was first asked for. The results are the same under each.

    Returns
    -------
    str
        ``"avx512"``, ``"avx2"`` or ``"portable"``.

    Raises
    ------
    CsvError
        If ``CSVFEED_SIMD`` names one that this processor or this version of csvfeed does not have.
    """
    return _core.simd()
