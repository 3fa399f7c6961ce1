"""``csvfeed predict``: the predictions of a saved model for the rows of a file."""

from __future__ import annotations

import argparse
import contextlib
import csv
import errno
import io
import itertools
import os
import shlex
import sys
from collections.abc import Iterator
from typing import Any, TextIO

import numpy as np
from numpy.typing import NDArray

import csvfeed
from csvfeed.cli.files import (
    STDIN,
    Commands,
    Help,
    add_files,
    files_of,
    name_of,
    on_disk,
    reading,
    whole,
)
from csvfeed.cli.sample import take
from csvfeed.cli.terminal import progress
from csvfeed.columns import unique
from csvfeed.source import is_among, parts
from csvfeed.train.extras import extra
from csvfeed.urls import is_url

STDOUT = "-"
_DESCRIPTION = (
    "Stream a file through a model that Keras has saved, and write its predictions as CSV: the "
    "columns of --ids as they stand in the file, then a column for each number that the model "
    "returns. Neither the file nor the predictions need to fit in memory. The features are all "
    "columns but those of --ids and --target, in the order of the file; for a model with several "
    "inputs, the columns with the names of the inputs. All of them must hold numbers. A model "
    "that was trained on codes of text or on dates needs ds.predictions() in Python."
)
_EPILOG = """\
examples:
  csvfeed predict model.keras new.csv --ids customer order --out predictions.csv
  csvfeed predict model.keras test.csv.gz --target y --out - | head

A column of predictions is called 'prediction'; with several outputs, it has the name of its
output. Several numbers are called prediction.0, prediction.1 and so on. KERAS_BACKEND chooses the
backend.
"""


def add(commands: Commands) -> None:
    """Add the command and its arguments."""
    parser = commands.add_parser(
        "predict",
        help="write the predictions of a saved model for the rows of a file",
        description=_DESCRIPTION,
        epilog=_EPILOG,
        formatter_class=Help,
    )
    parser.add_argument("model", metavar="MODEL", help="a model saved by Keras: model.keras")
    add_files(parser, one=True)
    parser.add_argument(
        "--out",
        required=True,
        metavar="PATH",
        help="the file to write, which is complete or absent; - is the standard output",
    )
    for name, what in (
        ("--ids", "columns that identify a row, to write beside its predictions"),
        ("--target", "columns that are neither feature nor id, such as a known target"),
        ("--features", "the features, in the order of the training"),
    ):
        parser.add_argument(
            name,
            nargs="+",
            action="extend",
            metavar="COLUMN",
            help=f"{what}, by name or index",
        )
    parser.add_argument(
        "--batch-size",
        type=whole,
        default=1024,
        metavar="N",
        help="rows in a batch (default: 1024)",
    )
    parser.add_argument(
        "--missing",
        nargs="+",
        action="extend",
        default=[],
        metavar="TOKEN",
        help="more tokens that stand for a missing value",
    )
    parser.add_argument(
        "--fill", type=float, metavar="X", help="what replaces a missing feature (default: NaN)"
    )
    # The output is CSV, which keeps every character.
    parser.set_defaults(run=_run, csv=True)


def _run(options: argparse.Namespace) -> int:
    _check_out(options)
    with contextlib.ExitStack() as copies:
        paths = [copies.enter_context(on_disk(file)) for file in files_of(options.file)]
        sample = take(paths, 100, **reading(options))
        columns = sample.columns
        ids = _places(options.ids or [], columns, "--ids")
        others = _places(options.target or [], columns, "--target")
        features = _places(options.features, columns, "--features") if options.features else None
        model = _load(options.model)
        if features is None:
            names = _input_names(model)
            rest = [at for at in range(len(columns)) if at not in (*ids, *others)]
            features = rest if names is None else _inputs_by_name(names, columns)
        _check_inputs(model, options, len(features))
        dataset = csvfeed.CsvDataset(
            paths,
            target=None,
            features=features,
            ids=ids,
            batch_size=options.batch_size,
            # All batches have one shape, for which the model is compiled once.
            remainder="pad",
            missing=[*csvfeed.MISSING, *options.missing],
            fill=options.fill,
            **sample.options,
        )
        with progress(f"predicting {name_of(options.file)}", _bytes_of(paths)):
            rows, wrong = _write(dataset, model, options)
    if options.features is None and len(features) > 1 == len(_inputs(model)):
        # A single input has no names of features.
        shown = ", ".join(dataset.feature_names[:20]) + ", ..." * (len(features) > 20)
        print(
            f"csvfeed: the model got the features {shown}, in this order. If the training had "
            "another order, give it with --features",
            file=sys.stderr,
        )
    if wrong:
        have = "row has" if wrong == rows == 1 else "rows has" if wrong == 1 else "rows have"
        advice = ": --fill X replaces missing features" if options.fill is None else ""
        print(
            f"csvfeed: {wrong:,} of {rows:,} {have} a prediction that is NaN{advice}",
            file=sys.stderr,
        )
    return 0


def _check_out(options: argparse.Namespace) -> None:
    """Refuse an output that would overwrite what is read, and a model that is not there."""
    if not is_url(options.model) and not os.path.exists(options.model):
        raise FileNotFoundError(errno.ENOENT, os.strerror(errno.ENOENT), options.model)
    if options.out == STDOUT:
        return
    read = [options.model, *([] if options.file == STDIN else parts(options.file))]
    if is_among(read, options.out):
        raise ValueError(f"{options.out!r} is a file that is read: --out names another one")


def _places(names: list[str], columns: list[str], argument: str) -> list[int]:
    """Return the indices of columns that are given by name or index."""
    found = []
    for name in names:
        if columns.count(name) == 1:
            found.append(columns.index(name))
            continue
        try:
            found.append(range(len(columns))[int(name)])
        except (ValueError, IndexError):
            known = ", ".join(columns[:20]) + (", ..." if len(columns) > 20 else "")
            what = "several columns" if name in columns else "no column"
            raise ValueError(
                f"{argument} asks for column {name!r}, and there is {what} of that name: "
                f"{_separated(name, columns, argument)}the columns are {known}"
            ) from None
    return found


def _separated(name: str, columns: list[str], argument: str) -> str:
    """Return the advice for a name that is several names with commas between them."""
    names = [one.strip() for one in name.split(",")]
    if len(names) < 2 or not set(names) <= set(columns):
        return ""
    return f"separate the names by spaces, as in {argument} {shlex.join(names)}; "


def _inputs_by_name(names: list[str], columns: list[str]) -> list[int]:
    """Return the indices of the columns with the names of the inputs of a model."""
    try:
        return _places(names, columns, "the model")
    except ValueError as error:
        raise ValueError(
            f"{error}. If its inputs are parts of dates, or codes of text, predict in Python: "
            "ds.predictions(model, as_dict=True), with the dates= or categories= of the training"
        ) from None


def _load(path: str) -> Any:
    """Return the model that Keras has saved."""
    # TensorFlow reads it while it is imported.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    with extra():
        import keras
    try:
        return keras.saving.load_model(path, compile=False)
    except Exception as error:
        # Keras and the layers of a model may raise anything.
        raise ValueError(f"{path}: Keras cannot load it: {_first_line(error)}") from error


def _inputs(model: Any) -> list[Any]:
    """Return the inputs of a model, as far as it knows them."""
    return list(getattr(model, "inputs", None) or [])


def _input_names(model: Any) -> list[str] | None:
    """Return the names of the inputs of a model, if it has several."""
    inputs = _inputs(model)
    return [tensor.name for tensor in inputs] if len(inputs) > 1 else None


def _check_inputs(model: Any, options: argparse.Namespace, features: int) -> None:
    """Refuse a file that does not have what a model takes."""
    inputs = _inputs(model)
    if len(inputs) != 1:
        return
    shape = tuple(inputs[0].shape)
    if len(shape) > 2:
        raise ValueError(
            f"{options.model} takes inputs of the shape {shape}, and a row of a file has the "
            "shape (features,): in Python, ds.windows(...) makes windows of rows"
        )
    if shape[-1] not in (None, features):
        raise ValueError(
            f"{options.model} takes {shape[-1]:,} features, and {features:,} columns of "
            f"{name_of(options.file)} would be features: --features names those of the training, "
            "in their order, --ids and --target name columns that are none"
        )


def _bytes_of(paths: list[str]) -> int | None:
    """Return the bytes of all files, if they are local."""
    try:
        return sum(map(os.path.getsize, paths))
    except OSError:
        return None


def _write(dataset: csvfeed.CsvDataset, model: Any, options: argparse.Namespace) -> tuple[int, int]:
    """Write the predictions. Return how many rows have some, and how many have NaN in them."""

    def predict(features: Any) -> Any:
        try:
            return model.predict_on_batch(features)
        except Exception as error:
            # The layers of a model may raise anything.
            raise ValueError(f"{options.model} cannot predict: {_first_line(error)}") from error

    by_name = len(_inputs(model)) > 1
    given = dataset.predictions(predict, as_dict=by_name)
    # Before the file is made, which then has a header.
    first = next(given, None)
    rows = wrong = 0
    with _opened(options.out) as file:
        writer = csv.writer(file, lineterminator="\n")
        for number, (ids, values) in enumerate(itertools.chain([first] if first else [], given)):
            outputs = _outputs(values, list(getattr(model, "output_names", [])))
            if number == 0:
                header = [*(dataset.columns[at] for at in dataset._reader.ids)]
                header += [name for output, array in outputs for name in _names(output, array)]
                writer.writerow(unique(header))
            numbers = [column for _, array in outputs for column in _texts(array)]
            writer.writerows(zip(*(one.tolist() for one in ids.values()), *numbers, strict=True))
            rows += len(outputs[0][1])
            wrong += _count_nan([array for _, array in outputs])
    return rows, wrong


def _count_nan(arrays: list[NDArray[Any]]) -> int:
    """Return in how many rows one of the arrays has NaN."""
    # It is the only value that differs from itself, also in types that NumPy does not know.
    found = [(array != array).reshape(len(array), -1).any(axis=1) for array in arrays]
    return int(np.logical_or.reduce(found).sum())


def _outputs(values: Any, names: list[str]) -> list[tuple[str, NDArray[Any]]]:
    """Return the outputs of a model by name."""
    if isinstance(values, dict):
        return [(name, np.asarray(one)) for name, one in values.items()]
    if isinstance(values, (list, tuple)):
        given = names if len(names) == len(values) else [f"output_{n}" for n in range(len(values))]
        return [(name, np.asarray(one)) for name, one in zip(given, values, strict=True)]
    return [("prediction", np.asarray(values))]


def _names(output: str, array: NDArray[Any]) -> list[str]:
    """Return a name for each number of a row of an output."""
    shape = array.shape[1:]
    if array[:1].size <= 1:
        return [output]
    return [".".join([output, *map(str, place)]) for place in np.ndindex(*shape)]


def _texts(array: NDArray[Any]) -> list[list[str]]:
    """Return the columns of an output, each number as the shortest text that means it."""
    flat = array.reshape(len(array), -1)
    if flat.dtype.kind not in "fiub":
        # As bfloat16, which NumPy does not know.
        flat = flat.astype(np.float32)
    texts: list[list[str]] = flat.T.astype(str).tolist()
    return texts


def _first_line(error: Exception) -> str:
    return next(iter(str(error).strip().splitlines()), type(error).__name__)


@contextlib.contextmanager
def _opened(path: str) -> Iterator[TextIO]:
    """Open a file for writing. Unless the block ends without an error, there is no such file."""
    if path == STDOUT:
        if isinstance(sys.stdout, io.TextIOWrapper):
            sys.stdout.reconfigure(encoding="utf-8")
        yield sys.stdout
        return
    path = os.path.realpath(path)
    if os.path.exists(path) and not os.path.isfile(path):
        # A pipe or a device.
        with open(path, "w", newline="", encoding="utf-8") as file:
            yield file
        return
    draft = f"{path}.{os.getpid()}.part"
    try:
        with open(draft, "x", newline="", encoding="utf-8") as file:
            yield file
        os.replace(draft, path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            os.remove(draft)
