"""Arguments of ``fit`` that Keras silently ignores if it gets an adapter."""

from __future__ import annotations

from csvfeed.train.call_stack import Caller
from csvfeed.train.feed import Feed, is_feed


def refuse_ignored(caller: Caller, dataset: Feed) -> None:
    """Raise ValueError if the user gave Keras an argument that it would ignore."""
    given, method = caller.given, caller.method
    if given.get("class_weight") is not None:
        raise ValueError(
            "Keras ignores class_weight= beside to_keras(): give it there, as in "
            "fit(ds.to_keras(class_weight={0: 1.0, 1: 5.0}))"
        )
    for name, option in (("y", "target"), ("sample_weight", "weight")):
        if given.get(name) is not None:
            raise ValueError(
                f"Keras ignores {name} beside to_keras(): name the column with "
                f"CsvDataset(..., {option}=)"
            )
    # As validation data it gets the batch_size and shuffle that are meant for training arrays.
    if method == "fit" and given.get("x") is not caller.arguments.get("x"):
        return
    _refuse_batch_size("batch_size", given.get("batch_size"), dataset, method)
    if given.get("shuffle", False) not in (True, False):
        raise ValueError(
            f"Keras ignores shuffle={given['shuffle']!r} beside to_keras(): shuffle the dataset, "
            "as in fit(ds.shuffle().to_keras())"
        )
    validation = caller.arguments.get("validation_data")
    validation = getattr(validation, "dataset", validation)
    if method == "fit" and is_feed(validation):
        size = caller.arguments.get("validation_batch_size")
        _refuse_batch_size("validation_batch_size", size, validation, method)


def _refuse_batch_size(name: str, size: object, dataset: Feed, method: str | None) -> None:
    if size is not None and size != dataset.batch_size:
        raise ValueError(
            f"Keras ignores {name}={size!r} beside to_keras(), whose batches have "
            f"{dataset.batch_size} rows: leave it out of {method or 'the call'}, and give "
            f"CsvDataset(..., batch_size={size!r})"
        )
