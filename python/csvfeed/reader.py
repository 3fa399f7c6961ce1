"""The options of a dataset as the core takes them."""

from __future__ import annotations

from typing import Any

from csvfeed import _core, columns
from csvfeed.source import keys, name_of


def read(options: dict[str, Any]) -> _core.Reader:
    """Return what reads a source, by the options of a dataset in plain types."""
    delimiter, header = options["delimiter"], options["header"]
    return _core.Reader(
        options["source"],
        name=name_of(options["source"]),
        columns=options["columns"],
        partitions=keys(options["source"]) if options["partitions"] else None,
        target=options["target"],
        features=options["features"],
        weight=options["weight"],
        allow_target_as_feature=options["allow_target_as_feature"],
        coded=columns.coded(
            *(options[name] for name in ("categories", "booleans", "dates", "numbers"))
        ),
        header=None if header == "auto" else header,
        delimiter=None if delimiter == "auto" else ord(delimiter),
        quote=_byte(options["quote"]),
        escape=_byte(options["escape"]),
        comment=_byte(options["comment"]),
        skip_rows=options["skip_rows"],
        skip_rows_after_header=options["skip_rows_after_header"],
        skip_footer=options["skip_footer"],
        skip_initial_space=options["skip_initial_space"],
        skip_final_space=options["skip_final_space"],
        short_rows=options["short_rows"],
        decimal=ord(options["decimal"]),
        thousands=_byte(options["thousands"]),
        encoding=options["encoding"],
        missing=options["missing"],
        missing_target=options["missing_target"],
        on_error=options["on_error"],
        max_rejects=options["max_rejects"],
        threads=options["threads"],
        memory=options["memory"],
    )


def _byte(character: str | None) -> int | None:
    return None if character is None else ord(character)
