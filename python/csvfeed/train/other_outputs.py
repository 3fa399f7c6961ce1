"""A model whose outputs are others than those of ``target``, or too few for its classes."""

from __future__ import annotations

from typing import Any

import keras

from csvfeed.train.feed import Feed
from csvfeed.train.structure import Structure


def refuse_other_outputs(model: Any, structure: Structure) -> None:
    """Raise ValueError if Keras cannot match the outputs of a model with those of ``target``.

    Keras says so itself, but not in these words.

    Parameters
    ----------
    model : keras.Model or None
        The model; None if it is not known.
    structure : Structure
        The structure of a batch.
    """
    if type(model).__module__.partition(".")[0] != "keras":
        # What a subclass makes of a batch is its own affair.
        return
    y, w = (*structure.rows[1:], None, None)[:2]
    if y is None and _losses(model, 1):
        raise ValueError(
            "the model is compiled with a loss, and the dataset has no target to compare with: "
            'name it with CsvDataset(..., target="column"). predict() needs none'
        )
    names: list[str] = getattr(model, "output_names", None) or []
    outputs = model.output if names else None
    if isinstance(outputs, dict):
        names = list(outputs)
    are_several = isinstance(outputs, (dict, list, tuple))
    if not isinstance(y, dict):
        if y is not None and are_several and _losses(model, len(names)) > 1:
            raise ValueError(
                f"the model has the outputs {_listed(names)}, and target= names none: "
                f'target={{{names[0]!r}: "column", ...}} names the columns of each'
            )
        return
    others = [name for name in y if names and name not in names]
    if others:
        raise ValueError(
            f"target= names the output {others[0]!r}, but those of the model are {_listed(names)}: "
            "call them alike, by name= of the last layers or as in "
            f"keras.Model(inputs, {{{others[0]!r}: ...}})"
        )
    if isinstance(model, keras.Sequential) or (names and not are_several):
        raise ValueError(
            "target= is a dict by output, and Keras takes none for a model with a single output: "
            'give target="column"'
        )
    if names and isinstance(w, dict) and not isinstance(outputs, dict):
        shown = ", ".join(f"{name!r}: ..." for name in names)
        raise ValueError(
            "the outputs of the model are a list, for which Keras takes no weights by output: make "
            f"it of a dict, keras.Model(inputs, {{{shown}}})"
        )


def refuse_too_few_classes(model: Any, dataset: Feed) -> None:
    """Raise ValueError if a model cannot tell the classes of a target of ``categories`` apart.

    Some backends train all the same.

    Parameters
    ----------
    model : keras.Model or None
        The model; None if it is not known.
    dataset : Feed
        What it is trained on or evaluated with.
    """
    if type(model).__module__.partition(".")[0] != "keras" or len(dataset.target_names) != 1:
        return
    loss, shape = getattr(model, "loss", None), getattr(model, "output_shape", None)
    name = loss if isinstance(loss, str) else getattr(loss, "name", getattr(loss, "__name__", None))
    units = shape[-1] if isinstance(shape, tuple) and isinstance(shape[-1], int) else None
    classes = dataset.count_classes(0) if dataset.epochs.outputs is None else None
    if classes is None or units is None:
        return
    target, last = dataset.target_names[0], f'Dense({classes}, activation="softmax")'
    if name == "binary_crossentropy" and classes > 2:
        raise ValueError(
            f"the target {target!r} has {classes:,} classes, and binary_crossentropy takes two: "
            f"end the model with {last}, and compile it with sparse_categorical_crossentropy"
        )
    if name == "sparse_categorical_crossentropy" and units < classes:
        raise ValueError(
            f"the target {target!r} has {classes:,} classes, and the model only {units:,} "
            f"outputs: end it with {last}"
        )


def _losses(model: Any, outputs: int) -> int:
    """Return how many outputs of a compiled model have a loss."""
    loss = getattr(model, "loss", None)
    if isinstance(loss, dict):
        loss = list(loss.values())
    if isinstance(loss, (list, tuple)):
        return len(loss) - loss.count(None)
    return 0 if loss is None else outputs


def _listed(names: list[str]) -> str:
    return ", ".join(map(repr, names))
