"""The lists that the fields of a column hold, guessed from a sample."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import islice

from csvfeed.columns import List, MultiHot

_SEPARATORS = " ,;|"
_FEWEST = 4
"""Fewest numbers without brackets around them that are a list, and not one thing in parts."""

_FEWEST_IN_BRACKETS = 2
_BETWEEN_CATEGORIES = "|;,"
_FEWEST_LISTS = 20
"""Fewest rows with several categories that tell lists from names with a mark in them."""

_MOST_CATEGORIES_OF_LISTS = 200
_COME_AGAIN = 5
"""How often a category of lists occurs on average."""

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


def list_of_categories(values: Mapping[str, int]) -> MultiHot | None:
    """Return how lists of categories are written, given how often each text occurs, or None.

    The categories are few, come again and again, and stand in more combinations than there are
    categories. Some of them stand at several places, unlike the city and the state of an address.
    """
    for separator in _BETWEEN_CATEGORIES:
        if sum(count for text, count in values.items() if separator in text) < _FEWEST_LISTS:
            continue
        counts: Counter[str] = Counter()
        places: set[tuple[str, int]] = set()
        for text, count in values.items():
            for place, item in enumerate(text.split(separator)):
                counts[item.strip()] += count
                places.add((item.strip(), place))
            if len(counts) > _MOST_CATEGORIES_OF_LISTS:
                break
        movable = len(places) - len(counts)
        recurring = counts.total() >= _COME_AGAIN * len(counts)
        if (
            len(counts) <= min(_MOST_CATEGORIES_OF_LISTS, len(values) - 1)
            and recurring
            and "" not in counts
            and 4 * movable >= len(counts)
        ):
            return MultiHot("auto", separator)
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
