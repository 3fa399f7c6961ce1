"""What the caller says about how the files are written."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal

from csvfeed import arguments


@dataclass(frozen=True)
class DialectOptions:
    """How the files are written, by the arguments of ``CsvDataset``.

    The attributes are the arguments with these names. Each character has one meaning at most.
    """

    delimiter: str
    quote: str | None
    escape: str | None
    comment: str | None
    decimal: Literal[".", ","]
    thousands: str | None
    skip_rows: int
    skip_rows_after_header: int
    skip_footer: int
    skip_initial_space: bool
    skip_final_space: bool
    short_rows: Literal["raise", "fill"]
    encoding: str

    @classmethod
    def of(
        cls,
        *,
        delimiter: Any,
        quote: Any,
        escape: Any,
        comment: Any,
        decimal: Any,
        thousands: Any,
        skip_rows: Any,
        skip_rows_after_header: Any,
        skip_footer: Any,
        skip_initial_space: Any,
        skip_final_space: Any,
        short_rows: Any,
        encoding: Any,
    ) -> DialectOptions:
        """Check the arguments.

        Raises
        ------
        TypeError, ValueError
            If a value makes no sense, or a character has two meanings.
        """
        characters = {
            "delimiter": "auto"
            if delimiter == "auto"
            else arguments.character(delimiter, "delimiter"),
            "quote": None if quote is None else arguments.character(quote, "quote"),
            "escape": None if escape is None else arguments.mark(escape, "escape"),
            "comment": None if comment is None else arguments.mark(comment, "comment"),
            "decimal": arguments.choice(decimal, (".", ","), "decimal"),
            "thousands": None
            if thousands is None
            else arguments.character(thousands, "thousands", "+-\r\n\0"),
        }
        _refuse_two_meanings(characters)
        if quote is None and (skip_initial_space or skip_final_space):
            name = "skip_initial_space" if skip_initial_space else "skip_final_space"
            raise ValueError(f"{name}= skips spaces beside quotes, and quote=None reads no quotes")
        return cls(
            **characters,
            skip_rows=arguments.count(skip_rows, "skip_rows"),
            skip_rows_after_header=arguments.count(
                skip_rows_after_header, "skip_rows_after_header"
            ),
            skip_footer=arguments.count(skip_footer, "skip_footer"),
            skip_initial_space=arguments.flag(skip_initial_space, "skip_initial_space"),
            skip_final_space=arguments.flag(skip_final_space, "skip_final_space"),
            short_rows=arguments.choice(short_rows, ("raise", "fill"), "short_rows"),
            encoding=arguments.encoding(encoding),
        )


def _refuse_two_meanings(characters: dict[str, str | None]) -> None:
    """Refuse a character that is given for two purposes."""
    names = list(characters)
    for at, name in enumerate(names):
        for other in names[at + 1 :]:
            # A quoted number may contain the delimiter.
            is_quoted = name == "delimiter" and other in ("decimal", "thousands")
            character = characters[name]
            if character is not None and character == characters[other] and not is_quoted:
                raise ValueError(f"{name} and {other} are both {character!r}")
