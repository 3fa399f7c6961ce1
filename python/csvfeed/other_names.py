"""Advice for arguments that are spelled as in other libraries."""

from __future__ import annotations

import difflib
import functools
import inspect
from collections.abc import Callable, Mapping
from typing import Any, NoReturn, TypeVar, cast

Function = TypeVar("Function", bound=Callable[..., Any])

_BUFFER = (
    "csvfeed shuffles all rows, so it has no buffer size as tf.data has: ds.shuffle(seed=...) "
    "returns a shuffled dataset"
)
_SHUFFLE = "ds.shuffle(seed=...) returns a shuffled dataset"
_EPOCHS = "each iteration over a dataset is one epoch, and fit(epochs=...) says how many there are"
_SPLIT = "ds.split(0.1, seed=0) returns two datasets, the second with a tenth of the rows"
_NAMES = "header=[...] names the columns of a file without a header"
_TOKENS = 'missing=[*csvfeed.MISSING, "-"] adds a token for no value'
_TYPES = (
    "numbers are read as float32; categories=, booleans= and dates= say which columns hold no "
    "numbers"
)
_OF_MIX = "the datasets of a mix have it: call it before csvfeed.mix()"
_KNOWN_BY_CONTENT = "compressed files are known by their content"

DATASET = {
    "sep": "delimiter",
    "delim": "delimiter",
    "field_delim": "delimiter",
    "separator": "delimiter",
    "delim_whitespace": 'delimiter=" " takes a run of spaces for one delimiter',
    "usecols": "features",
    "select_columns": "features",
    "select_cols": "features",
    "include_columns": "features",
    "columns": "features",
    "names": _NAMES,
    "column_names": _NAMES,
    "has_header": "header",
    "index_col": "a dataset has no index: features= names the columns to read, and ids= those that "
    "identify a row",
    "id": "ids",
    "id_column": "ids",
    "id_columns": "ids",
    "id_cols": "ids",
    "key_columns": "ids",
    "label": "target",
    "labels": "target",
    "label_name": "target",
    "label_names": "target",
    "label_column": "target",
    "y": "target",
    "outputs": "target",
    "target_names": "target",
    "label_mode": "one_hot=True makes a column of y of each class, categories= numbers the classes",
    "onehot": "one_hot",
    "one_hot_encode": "one_hot",
    "to_categorical": "one_hot",
    "num_classes": "ds.num_classes tells how many classes categories= has found",
    "sample_weight": "weight",
    "sample_weights": "weight",
    "weights": "weight",
    "class_weight": "ds.to_keras(class_weight=...) takes weights by class",
    "skiprows": "skip_rows",
    "skip_lines": "skip_rows",
    "skipfooter": "skip_footer",
    "skipinitialspace": "skip_initial_space",
    "nrows": "a dataset has all rows of the file: ds.take(n) has the first of them",
    "na_values": _TOKENS,
    "na_value": _TOKENS,
    "null_values": _TOKENS,
    "keep_default_na": "missing=[...] lists all tokens for no value, and missing=[] leaves none",
    "fillna": "fill",
    "fill_value": "fill",
    "chunksize": "batch_size",
    "chunk_size": "batch_size",
    "batchsize": "batch_size",
    "drop_remainder": 'remainder="drop" leaves the last rows out that fill no batch',
    "drop_last": 'remainder="drop" leaves the last rows out that fill no batch',
    "shuffle": _SHUFFLE,
    "seed": _SHUFFLE,
    "random_state": _SHUFFLE,
    "shuffle_seed": _SHUFFLE,
    "shuffle_buffer_size": _BUFFER,
    "buffer_size": _BUFFER,
    "num_epochs": _EPOCHS,
    "epochs": _EPOCHS,
    "repeat": _EPOCHS,
    "validation_split": _SPLIT,
    "test_size": _SPLIT,
    "num_parallel_reads": "threads",
    "num_workers": "threads",
    "n_threads": "threads",
    "prefetch_buffer_size": "csvfeed reads ahead by itself: memory= says how far it may",
    "cache": "ds.cache() returns a dataset that keeps its parsed rows",
    "dtype": "numbers are read as float32, which to_keras(dtype=) and its siblings can halve; "
    "categories=, booleans= and dates= say which columns hold no numbers",
    "dtypes": _TYPES,
    "schema": _TYPES,
    "converters": _TYPES,
    "column_defaults": _TYPES,
    "record_defaults": _TYPES,
    "parse_dates": "dates",
    "date_format": 'dates={"when": csvfeed.Date("month", format=...)} says how dates are written',
    "true_values": "booleans",
    "false_values": "booleans",
    "vocabulary": "categories",
    "quotechar": "quote",
    "quote_char": "quote",
    "escapechar": "escape",
    "escape_char": "escape",
    "comment_prefix": "comment",
    "on_bad_lines": 'on_error="skip" leaves wrong rows out and reports them',
    "ignore_errors": 'on_error="skip" leaves wrong rows out and reports them',
    "compression": _KNOWN_BY_CONTENT,
    "compression_type": _KNOWN_BY_CONTENT,
}
"""What ``CsvDataset`` calls the arguments of pandas, polars, tf.data and Keras, or has for them."""

TRAINERS = {
    "batch_size": "the dataset has it: CsvDataset(..., batch_size=)",
    "shuffle": "ds.shuffle() gives each epoch a new order; call it first",
    "validation_split": "ds.split() gives two datasets, one for validation_data=",
    "sample_weight": "CsvDataset(..., weight=) names a column of weights",
    "epochs": "fit() has it",
    "num_workers": "CsvDataset(..., threads=) says how many threads read",
}
SHUFFLE = {
    "buffer_size": _BUFFER,
    "reshuffle_each_iteration": "each epoch has a new order; one dataset a seed keeps it the same",
    "random_state": "seed",
}
HEAD = {"rows": "n", "num_rows": "n", "size": "n"}
SPLIT = {
    "test_size": "fraction",
    "validation_split": "fraction",
    "random_state": "seed",
    "key": "by",
    "groups": "by",
    "shuffle": "the rows of either part are drawn at random, and stay in the order of the file",
}
FOLDS = {
    "k": "count",
    "n_splits": "count",
    "n_folds": "count",
    "nfold": "count",
    "random_state": "seed",
    "key": "by",
    "groups": "by",
    "shuffle": "the rows of a fold are drawn at random, and stay in the order of the file",
}
BALANCE = {
    "strategy": "method",
    "sampling_strategy": "ratio",
    "weights": "ratio",
    "class_weight": "ds.to_keras(class_weight=...) takes weights by class; ratio= gives each class "
    "its part of the rows",
    "random_state": "seed",
    "column": "by",
    "target": "by",
    "stratify": "by",
}
MIX = {
    "probabilities": "weights",
    "ratio": "weights",
    "ratios": "weights",
    "proportions": "weights",
    "random_state": "seed",
    "stop_on_empty_dataset": "stop",
    "stopping_strategy": "stop",
    "shuffle": "shuffle() the datasets first: mix([a.shuffle(seed=0), b.shuffle(seed=0)])",
    "remainder": "the datasets have it: CsvDataset(..., remainder=)",
}
SHARD = {
    "num_shards": "count",
    "num_replicas": "count",
    "world_size": "count",
    "shard_index": "index",
    "rank": "index",
}
WHERE = {"condition": "conditions", "predicate": "conditions", "filters": "conditions"}
TAKE = {"count": "n", "num_rows": "n", "size": "n", "limit": "n"}
SKIP = {"count": "n", "num_rows": "n", "size": "n", "offset": "n"}
WINDOWS = {
    "sequence_length": "length",
    "window_size": "length",
    "window_length": "length",
    "lookback": "length",
    "size": "length",
    "sequence_stride": "stride",
    "step": "stride",
    "shift": "stride",
    "offset": "horizon",
    "delay": "horizon",
    "ahead": "horizon",
    "sampling_rate": "the rows of a window are neighbours: X[:, ::k] takes every k-th of them",
    "key": "by",
    "groups": "by",
    "group_by": "by",
    "shuffle": _SHUFFLE,
    "batch_size": "the dataset has it, in windows: CsvDataset(..., batch_size=)",
}
DISTRIBUTE = {
    **SHARD,
    "num_replicas": "count",
    "num_lanes": "lanes",
    "path": "directory",
}


ATTRIBUTES = {
    "batch": "CsvDataset(..., batch_size=) says how many rows a batch has",
    "map": "for X, y in ds yields the batches, and ds.to_tf() a tf.data.Dataset that has map()",
    "filter": 'ds.where({"amount": (0, None)}) has the rows that meet conditions',
    "query": 'ds.where({"amount": (0, None)}) has the rows that meet conditions',
    "dropna": 'ds.where({"amount": csvfeed.PRESENT}) has the rows with a value',
    "prefetch": "csvfeed reads ahead by itself",
    "repeat": "each iter(ds) is a new epoch, and fit() repeats by itself",
    "window": "ds.windows(64) yields samples of 64 rows that follow one another",
    "to_numpy": "ds.rows() has all rows as arrays",
    "predict": "model.predict(ds) returns all predictions, and ds.predictions(model) yields them "
    "batch by batch, with ids",
    "tail": "ds.rows(ds.num_rows - 5) has the last five rows as arrays",
    "sample": "ds.shuffle() gives a random order, and ds.split() a random part",
    "shape": "(ds.num_rows, len(ds.feature_names)) is the shape of all features",
    "describe": "ds.stats() has count, mean, std, min and max of each column",
    "info": "`csvfeed inspect FILE` shows what the columns hold",
    "values": "a dataset is not in memory: for X, y in ds yields the batches",
    "iloc": "ds.rows(start, stop) has rows by their place, as arrays",
    "loc": "ds.rows(start, stop) has rows by their place, as arrays",
    "train_test_split": "ds.split() gives two datasets",
    "kfold": "ds.folds(5) gives five pairs of datasets",
    "k_fold": "ds.folds(5) gives five pairs of datasets",
    "oversample": 'ds.balance("label", method="oversample") repeats rows of rare classes',
    "undersample": 'ds.balance("label", method="undersample") leaves out rows of frequent ones',
    "concatenate": "CsvDataset([...]) reads several files as one; csvfeed.mix([a, b]) mixes rows",
    "mix": "csvfeed.mix([a, b]) mixes the rows of datasets",
    **dict.fromkeys(
        [
            *("balance", "cache", "classes", "folds", "head", "num_classes", "num_codes"),
            *("predictions", "rejects", "rows", "shard", "shuffle", "skip", "split", "stats"),
            *("take", "to_pandas", "vocabulary", "where", "windows", "with_ids"),
        ],
        _OF_MIX,
    ),
    "num_features": "len(ds.feature_names) is their number",
}
"""What a ``CsvDataset`` has in place of the attributes of tf.data and pandas."""

_READ = 'csvfeed.CsvDataset("train.csv", target="y") reads a file in batches'
FUNCTIONS = {
    "read_csv": _READ,
    "scan_csv": _READ,
    "open": _READ,
    "load": _READ,
    "read": _READ,
    "make_csv_dataset": _READ,
    "Dataset": _READ,
    "CSVDataset": _READ,
    "CsvFeed": _READ,
    "inspect": "`csvfeed inspect FILE` shows what a file holds",
    "sniff": '`csvfeed inspect FILE` and CsvDataset(..., delimiter="auto") detect the dialect',
    "BackupAndRestore": "it is in csvfeed.keras",
    "sample_from_datasets": "csvfeed.mix([a, b], weights=[0.9, 0.1]) mixes the rows of datasets",
    "interleave_datasets": "csvfeed.mix([a, b], weights=[0.9, 0.1]) mixes the rows of datasets",
    "KFold": "ds.folds(5) gives five pairs of datasets",
    "StratifiedKFold": 'ds.folds(5, stratify="label") gives five pairs of datasets',
    "train_test_split": "ds.split(0.1) gives two datasets",
}
"""What csvfeed has in place of functions and classes of other libraries."""


def no_attribute(name: str) -> NoReturn:
    """Raise the AttributeError for a name that csvfeed lacks, with advice if there is some."""
    advice = f": {FUNCTIONS[name]}" if name in FUNCTIONS else ""
    raise AttributeError(f"module 'csvfeed' has no attribute {name!r}{advice}")


def explain(
    names: Mapping[str, str],
    usage: str,
    *,
    by_position: str,
    choices: Mapping[str, str] | None = None,
) -> Callable[[Function], Function]:
    """Return a decorator that explains wrong calls of a function better than Python does.

    Parameters
    ----------
    names : mapping of str to str
        Names of arguments in other libraries, and the name in csvfeed or a sentence of advice.
    usage : str
        How to call the function.
    by_position : str
        Advice for too many arguments by position, with ``{0}``, ``{1}`` for the given ones.
    choices : mapping of str to str, optional
        What a call that lacks one of these arguments is told. They have no default, because no
        choice suits most callers.
    """

    def decorate(function: Function) -> Function:
        parameters = inspect.signature(function).parameters
        places = [p.name for p in parameters.values() if p.kind is p.POSITIONAL_OR_KEYWORD]
        needed = [name for name in places if parameters[name].default is inspect.Parameter.empty]
        title = function.__qualname__.removesuffix(".__init__").rpartition(".")[2]

        @functools.wraps(function)
        def checked(*given: Any, **options: Any) -> Any:
            if len(given) > len(places):
                shown = [repr(one) for one in given[places[:1] == ["self"] :]]
                raise TypeError(by_position.format(*shown))
            for name in options:
                if name not in parameters:
                    raise TypeError(f"{title}() {_unknown(name, names, [*parameters])}")
            absent = [name for name in needed[len(given) :] if name not in options]
            if absent:
                raise TypeError(f"{title}() lacks {' and '.join(absent)}: {usage}")
            for name, advice in (choices or {}).items():
                if name not in options:
                    raise ValueError(advice)
            return function(*given, **options)

        return cast("Function", checked)

    return decorate


def _unknown(name: str, names: Mapping[str, str], known: list[str]) -> str:
    """Return the advice for an unknown argument."""
    known = [one for one in known if one != "self"]
    what = f"has no argument {name!r}"
    advice = names.get(name, "")
    if advice in known:
        return f"{what}: csvfeed calls it {advice}="
    if advice and not advice.isidentifier():
        return f"{what}: {advice}"
    if near := difflib.get_close_matches(name, known, 1, 0.7):
        return f"{what}: do you mean {near[0]}=?"
    return f"{what}; it has {', '.join(known)}"
