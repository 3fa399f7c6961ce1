"""Columns whose numbers need ``numbers=``: percentages, currencies and other forms."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Literal

from csvfeed import _core
from csvfeed.columns import Form
from csvfeed.typeset import SHOWN, cut, shown

FORMS: dict[Form, re.Pattern[str]] = {
    "percent": re.compile(r".*%", re.DOTALL),
    "hex": re.compile(r"[-+]?0[xX].*"),
    "msvc": re.compile(r"[-+]?1\.#.*"),
    "fortran": re.compile(r"[-+]?[\d.,]+[dD][-+]?\d+"),
    "currency": re.compile(r"\(.*\)|.*[^\d.,\s+-].*", re.DOTALL),
}
"""A pattern of the texts that need each form. The first pattern that fits counts."""

_NUMBER_LIKE = re.compile(r"\W*(?:[^\W\d]{1,4}\W*)?\d[\d.,'\u2019\s]*(?:\W*[^\W\d]{1,4})?\W*")
_NEARLY_ALL = 0.9
_GROUPED = re.compile(r"(?<![\d.,])[1-9]\d{0,2}\.\d{3}(?![\d.,])")
_MARKED = re.compile(r"\d[.,]\d")
_DRESSED = re.compile(r"\d[.,]\d|\d\W*[^\W\d]{1,4}\W*$|[^\w\s.,:;#/-]")
"""What tells a number with a unit or a sign from a name with a number in it."""


def number_form(reader: _core.Reader, texts: list[str]) -> tuple[Form | Literal[""], set[str]]:
    """Return the form that reads texts as numbers, and the texts that it reads.

    The form is "" unless a text needs one. Currencies and exponents may stand beside
    plain numbers, which mean the same there; percentages and hexadecimal numbers may not.
    """
    for form, pattern in FORMS.items():
        if not any(pattern.fullmatch(text.strip()) for text in texts):
            continue
        values = zip(texts, reader.values(texts, form), strict=True)
        read = {text for text, value in values if value is not None}
        formed = {text for text in read if pattern.fullmatch(text.strip())}
        if formed:
            return form, formed if form == "hex" else read
    return "", set()


def question_of_form(reader: _core.Reader, form: str, texts: Iterable[str]) -> str:
    """Return a question about a column whose form is ambiguous, or an empty text."""
    listed = list(texts)
    if form == "percent":
        plain = reader.values(listed, "number")
        signed = reader.values(listed, "percent")
        if any(one is not None for one in plain) and any(one is not None for one in signed):
            return 'numbers with and without "%": numbers=["percent", "plain"] reads each as it is'
    if form == "currency":
        signs = {sign for text in listed if (sign := re.sub(r"[\d.,\s()'+-]", "", text))}
        if len(signs) > 1:
            some = ", ".join(cut(sign, SHOWN) for sign in sorted(signs)[:3])
            return f"amounts in several currencies ({some}): no one number compares them"
    return ""


def question_of_thousands(texts: Iterable[str]) -> str:
    """Return a question if the dots in amounts may separate thousands, or an empty text."""
    dotted = [text for text in texts if "." in text]
    if dotted and all(_GROUPED.search(text) for text in dotted):
        example = shown(dotted[0])
        return f"a dot in {example} may separate thousands: --thousands . or --decimal . says"
    return ""


def example_of_numbers(values: Mapping[str, int], *, has_marks: bool) -> str:
    """Return one of the values if nearly all look like numbers, or an empty text.

    ``has_marks`` asks for a decimal or thousands mark, which few names have.
    """
    pattern = _MARKED if has_marks else _DRESSED
    short = [value for value in values if len(value) <= SHOWN]
    like = [v for v in short if _NUMBER_LIKE.fullmatch(v) and pattern.search(v)]
    return like[0] if like and len(like) >= _NEARLY_ALL * len(values) else ""
