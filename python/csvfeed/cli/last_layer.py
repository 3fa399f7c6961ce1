"""The last layer and the loss of a model that suits a target."""

from __future__ import annotations

from csvfeed import ColumnStats
from csvfeed.cli.column_types import Column
from csvfeed.columns import MultiHot
from csvfeed.typeset import shown

_MOST_NUMBERED = 100
"""Most different whole numbers from 0 that may be classes."""


def last_layer(target: Column, stats: ColumnStats | None, classes: list[str] | None) -> list[str]:
    """Return remarks with the last layer and the loss of a Keras model.

    Parameters
    ----------
    target : Column
        What the model is to predict.
    stats : ColumnStats or None
        The statistics of its numbers, if it has any.
    classes : list of str or None
        The names of its classes, if it has any.
    """
    numbers = _numbered(target, stats)
    if isinstance(target.lists, MultiHot):
        about = "each is 0 or 1 for each of ds.target_names"
        return _end(about, "len(ds.target_names)", "sigmoid", "binary_crossentropy")
    if target.lists:
        return _end("each is a list of numbers", str(target.lists.length), "", "mse")
    if target.kind == "boolean":
        return _end("1 is true", "1", "sigmoid", "binary_crossentropy")
    if classes is not None and len(classes) == 2:
        return _end(f"1 is {shown(classes[1])}", "1", "sigmoid", "binary_crossentropy")
    if classes is not None:
        about = f"ds.classes names its {len(classes):,} classes"
        return _end(about, "ds.num_classes", "softmax", "sparse_categorical_crossentropy")
    if numbers == 2:
        return _end("it is 0 or 1", "1", "sigmoid", "binary_crossentropy")
    end = _end("it is a number", "1", "", "mse")
    if numbers:
        loss = "sparse_categorical_crossentropy"
        end += [f"or, if its numbers from 0 to {numbers - 1} are classes:"]
        end += _layer(str(numbers), "softmax", loss)
    return end


def _numbered(target: Column, stats: ColumnStats | None) -> int:
    """Return how many classes a target of whole numbers may have; 0 if it seems to have none."""
    if target.kind != "integer" or target.form or stats is None or stats.min != 0:
        return 0
    count = int(stats.max) + 1
    return count if len(target.values) == count and 2 <= count <= _MOST_NUMBERED else 0


def _end(about: str, outputs: str, activation: str, loss: str) -> list[str]:
    return [
        f"a model of the target ends so ({about}):",
        *_layer(outputs, activation, loss),
    ]


def _layer(outputs: str, activation: str, loss: str) -> list[str]:
    activated = f', activation="{activation}"' if activation else ""
    return [
        f"  keras.layers.Dense({outputs}{activated})",
        f'  model.compile(loss="{loss}", optimizer="adam")',
    ]
