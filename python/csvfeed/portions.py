"""Portions of the rows, which other processes read."""

from __future__ import annotations

from typing import NamedTuple

from csvfeed.columns import Vocabularies


class Portion(NamedTuple):
    """A run of rows.

    Attributes
    ----------
    rows : int
        How many they are.
    text_bytes : int
        Bytes of text that hold them, after decompression.
    row_index : bytes
        Where they are: their part of the row index.
    """

    rows: int
    text_bytes: int
    row_index: bytes


class Findings(NamedTuple):
    """What a process must know of the whole source to read a portion of it.

    Attributes
    ----------
    identity : str or None
        A string that changes when a file changes. None for bytes.
    fingerprint : tuple of str and (str or None)
        What tells the content from other content.
    machine : str
        Name of the machine that the identity is valid on.
    fill : list of float or None
        What replaces the missing values of each feature.
    vocabularies : dict or None
        The categories that were found.
    """

    identity: str | None
    fingerprint: tuple[str, str | None]
    machine: str
    fill: list[float] | None
    vocabularies: Vocabularies | None
