"""A model whose outputs are others than those of ``target``."""

from __future__ import annotations

from typing import Any

import keras

from csvfeed.train.structure import Structure


def refuse_other_outputs(model: Any, structure: Structure) -> None:
    """Raise ValueError if Keras cannot match the outputs of a model with those of ``target``.

    Keras says so itself, but not in these words. What a subclassed model returns is not known yet.

    Parameters
    ----------
    model : keras.Model or None
        The model; None if it is not known.
    structure : Structure
        The structure of a batch.
    """
    y, w = (*structure.rows[1:], None, None)[:2]
    if not isinstance(y, dict):
        return
    names: list[str] = getattr(model, "output_names", None) or []
    outputs = model.output if names else None
    if isinstance(outputs, dict):
        names = list(outputs)
    others = [name for name in y if names and name not in names]
    if others:
        raise ValueError(
            f"target= names the output {others[0]!r}, but those of the model are "
            f"{', '.join(map(repr, names))}: call them alike, by name= of the last layers or as in "
            f"keras.Model(inputs, {{{others[0]!r}: ...}})"
        )
    is_single = isinstance(model, keras.Sequential)
    if is_single or (names and not isinstance(outputs, (dict, list, tuple))):
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
