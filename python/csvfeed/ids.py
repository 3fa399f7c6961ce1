"""The columns that identify a row, as the argument names them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Literal, TypeAlias

from csvfeed import arguments

IdKind: TypeAlias = Literal["str", "int"]
"""What the fields of an id are read as."""

_KINDS: dict[Any, IdKind] = {str: "str", int: "int"}


def id_columns(value: Any) -> dict[int | str, IdKind]:
    """Return the columns that identify a row, and what their fields are read as.

    Raises
    ------
    TypeError, ValueError
        If the value makes no sense.
    """
    if isinstance(value, Mapping):
        return {
            arguments.column(column, "ids"): _kind(column, one) for column, one in value.items()
        }
    columns = arguments.columns(value, "ids")
    for at, column in enumerate(columns):
        if column in columns[:at]:
            raise ValueError(f"ids names column {column!r} twice")
    return dict.fromkeys(columns, "str")


def _kind(column: Any, kind: Any) -> IdKind:
    try:
        return _KINDS[kind]
    except (KeyError, TypeError):
        raise ValueError(
            f"ids of column {column!r} is str for any text, or int for integers of 64 bits, not "
            f"{kind!r}"
        ) from None
