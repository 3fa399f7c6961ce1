"""The targets and weights of a dataset, as the arguments name them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np

from csvfeed import arguments


@dataclass(frozen=True)
class Targets:
    """The targets of each output of a model, and their weights.

    The core reads `outputs` and `weights`.

    Attributes
    ----------
    outputs : list of list of (int or str)
        The columns of each output; one list if ``target`` is no dict.
    weights : list of (int, str or None)
        Nothing, the column that weighs all outputs, or one for each output.
    names : list of str or None
        The names of the outputs; None if ``target`` is no dict.
    are_vectors : list of bool
        Whether y of each output has shape (B,).
    one_hot : bool or list of (int or str)
        The targets whose classes become columns of y; True stands for all.
    """

    outputs: list[list[int | str]]
    weights: list[int | str | None]
    names: list[str] | None
    are_vectors: list[bool]
    one_hot: bool | list[int | str]

    @classmethod
    def of(cls, *, target: Any, weight: Any, one_hot: Any) -> Targets:
        """Check the arguments.

        Raises
        ------
        TypeError, ValueError
            If a value makes no sense.
        """
        if not isinstance(one_hot, (bool, np.bool_)):
            one_hot = arguments.listed(one_hot, "one_hot")
        if isinstance(target, Mapping):
            names = _names(target)
            outputs = [_columns(name, columns) for name, columns in target.items()]
            are_vectors = [not _is_listed(columns) for columns in target.values()]
        else:
            names, outputs = None, [arguments.columns(target, "target")]
            are_vectors = [len(outputs[0]) == 1]
        return cls(outputs, _weights(weight, names), names, are_vectors, one_hot or False)

    @property
    def given(self) -> dict[str, Any]:
        """What is read, by the names of the arguments, for the state of a dataset."""
        weights = self.weights[0] if len(self.weights) == 1 else self.weights or None
        return {"target": [column for output in self.outputs for column in output]} | {
            "weight": weights
        }


def _names(target: Mapping[Any, Any]) -> list[str]:
    if not target:
        raise ValueError("target={} names no output: target=None reads features only")
    for name in target:
        if not isinstance(name, str):
            raise TypeError(
                f"target= as a dict goes by the names of outputs of the model, as in "
                f'{{"output": "column"}}, not by {name!r}'
            )
    return list(target)


def _is_listed(columns: Any) -> bool:
    return not isinstance(columns, str) and hasattr(columns, "__iter__")


def _columns(name: str, columns: Any) -> list[int | str]:
    argument = f"target= of the output {name!r}"
    if isinstance(columns, Mapping):
        raise TypeError(f"{argument} is a column or a list of columns, not {columns!r}")
    if _is_listed(columns):
        found = arguments.listed(columns, argument)
        if not found:
            raise ValueError(f"{argument} names no column")
        return found
    return [arguments.column(columns, argument)]


def _weights(weight: Any, names: list[str] | None) -> list[int | str | None]:
    if weight is None:
        return []
    if not isinstance(weight, Mapping):
        return [arguments.column(weight, "weight")]
    if names is None:
        raise ValueError(
            "weight= as a dict goes by the outputs of target=, as in "
            'target={"price": "sum", "sold": "yes"}, weight={"price": "w"}'
        )
    if not weight:
        raise ValueError("weight={} names no output: leave it out, or name a column for one")
    for name in weight:
        if name not in names:
            raise ValueError(
                f"weight= names the output {name!r}, but those of target= are "
                f"{', '.join(map(repr, names))}"
            )
    found = [weight.get(name) for name in names]
    columns = [
        None if one is None else arguments.column(one, f"weight= of the output {name!r}")
        for name, one in zip(names, found, strict=True)
    ]
    return [] if columns.count(None) == len(columns) else columns
