"""Columns whose numbers need ``numbers=``: percentages, currencies and other forms."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Literal

from csvfeed import _core
from csvfeed.columns import Form

FORMS: dict[Form, re.Pattern[str]] = {
    "percent": re.compile(r".*%", re.DOTALL),
    "hex": re.compile(r"[-+]?0[xX].*"),
    "msvc": re.compile(r"[-+]?1\.#.*"),
    "fortran": re.compile(r"[-+]?[\d.,]+[dD][-+]?\d+"),
    "currency": re.compile(r"\(.*\)|.*[^\d.,\s+-].*", re.DOTALL),
}
"""A pattern of the texts that need each form. The first pattern that fits counts."""

_CURRENCY = (
    "(?:[A-Z]{0,3} ?[$\u00a3\u00a5\u20ac\u20b9\u20a9\u20bd]|USD|EUR|GBP|JPY|CHF|CAD|AUD|INR|CNY)"
)
_NUMBER = r"\d[\d,]*(?:\.\d*)?"
_AMOUNT = re.compile(rf"\(?[-+]? ?(?:{_CURRENCY} ?[-+]?{_NUMBER}|{_NUMBER} ?{_CURRENCY})\)?")
_GROUPED = re.compile(r"\d{1,3}(?:,\d{3})+(?:\.\d+)?")


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
            some = ", ".join(sorted(signs)[:3])
            return f"amounts in several currencies ({some}): no one number compares them"
    return ""


def is_amount(text: str) -> bool:
    """Whether a text is an amount with the sign or the code of a currency."""
    return _AMOUNT.fullmatch(text.strip()) is not None


def has_thousands(texts: Iterable[str], delimiter: str) -> bool:
    """Whether commas in amounts can only be thousands separators."""
    amounts = [text for text in texts if "," in text]
    bare = [re.sub(r"^[^\d]*|[^\d]*$", "", text) for text in amounts]
    is_sure = delimiter == "," or any("." in text or text.count(",") > 1 for text in bare)
    return bool(bare) and is_sure and all(_GROUPED.fullmatch(text) for text in bare)
