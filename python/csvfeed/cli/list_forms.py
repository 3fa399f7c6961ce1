"""The lists of numbers that the fields of a column hold, guessed from a sample."""

from __future__ import annotations

import re
from collections.abc import Iterable
from itertools import islice

from csvfeed.columns import List

_SEPARATORS = " ,;|"
_FEWEST = 4
"""Fewest numbers without brackets around them that are a list, and not one thing in parts."""

_FEWEST_IN_BRACKETS = 2
_LOOKED_AT = 200
"""Texts that are looked at, because lists are long."""


def list_form(texts: Iterable[str], decimal: str) -> List | None:
    """Return how the lists of some texts are written; None unless all are lists of one length."""
    looked_at = [*islice(texts, _LOOKED_AT)]
    number = re.compile(
        rf"[-+]?(\d+({re.escape(decimal)}\d*)?|{re.escape(decimal)}\d+)([eE][-+]?\d+)?|nan|NaN"
    )
    for separator in _SEPARATORS.replace(decimal, ""):
        lengths = {_length(text, separator, number) for text in looked_at[:1]}
        if lengths != {0}:
            lengths = {_length(text, separator, number) for text in looked_at}
        if len(lengths) == 1 and (length := lengths.pop()):
            return List(length, separator)
    return None


def _length(text: str, separator: str, number: re.Pattern[str]) -> int:
    """Return how many numbers a list has; 0 if a text is no list."""
    text = text.strip()
    in_brackets = text[:1] + text[-1:] in ("[]", "()")
    inside = text[1:-1] if in_brackets else text
    items = inside.split() if separator == " " else [one.strip() for one in inside.split(separator)]
    fewest = _FEWEST_IN_BRACKETS if in_brackets else _FEWEST
    is_list = len(items) >= fewest and all(map(number.fullmatch, items))
    return len(items) if is_list else 0
