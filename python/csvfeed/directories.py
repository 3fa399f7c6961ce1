"""Directories of data files, and the ``key=value`` in the names of directories."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Sequence
from urllib.parse import unquote, urlsplit

from csvfeed.urls import is_url

PACKED = r"(\.(gz|gzip|bgz|zst|zstd|bz2|xz|zip))?"
CSV_NAME = re.compile(rf"[^.].*\.csv{PACKED}", re.IGNORECASE)
"""The name of a CSV file in a directory."""
BARE_NAME = re.compile(rf"(?=[^.]*\d)[^._][^.]*{PACKED}", re.IGNORECASE)
"""The name that Hadoop, Spark and Hive give a file: ``part-00000``, ``000000_0.gz``."""
WRITER_NAME = re.compile(rf"(part-.*\d|\d+_\d+)[^.]*{PACKED}", re.IGNORECASE)
"""A name of that kind that only such a writer gives."""

KEY = re.compile(r"([^=]+)=(.*)", re.DOTALL)
MISSING = "__HIVE_DEFAULT_PARTITION__"

Keys = list[tuple[str, str]]
"""The keys and values in the directories of a file. An empty value is missing."""


def is_hidden(name: str) -> bool:
    """Whether Spark and Hive reserve a name, such as ``_SUCCESS``."""
    return name.startswith(".") or (name.startswith("_") and "=" not in name)


def data_files(paths: Iterable[Sequence[str]]) -> list[tuple[str, ...]]:
    """Return those files that hold rows.

    They are called ``*.csv``, ``*.csv.gz`` and the like. If no file has such a name, they are the
    files without a suffix and with a number in their name. A file counts if it is in the directory
    itself, or if all directories between are called ``key=value``.

    Parameters
    ----------
    paths : iterable of sequences of str
        The path of each file, relative to the directory, as its parts.

    Raises
    ------
    ValueError
        If the directory has files of both kinds, and a writer of tables may have made both.
    """
    below = [
        tuple(path)
        for path in paths
        if all(KEY.fullmatch(name) and not is_hidden(name) for name in path[:-1])
    ]
    named = [path for path in below if CSV_NAME.fullmatch(path[-1])]
    bare = [path for path in below if BARE_NAME.fullmatch(path[-1])]
    if not named:
        return bare
    written = next((path[-1] for path in bare if WRITER_NAME.fullmatch(path[-1])), None)
    if written is not None:
        raise ValueError(
            f"the directory holds files called *.csv, such as {named[0][-1]!r}, and others such as "
            f"{written!r}: name those that you mean with a pattern, or in a list"
        )
    return named


def files_below(directory: str) -> Iterator[tuple[str, ...]]:
    """Yield the files in a directory and in its subdirectories called ``key=value``."""
    with os.scandir(directory) as entries:
        for entry in entries:
            if entry.is_file():
                yield (entry.name,)
            elif KEY.fullmatch(entry.name) and not is_hidden(entry.name) and entry.is_dir():
                for below in files_below(entry.path):
                    yield entry.name, *below


def keys_of(path: str) -> Keys:
    """Return the keys and values in the directories of a path or URL.

    Raises
    ------
    ValueError
        If a key occurs twice.
    """
    if is_url(path):
        parts = urlsplit(path)
        path = unquote(parts.path) if parts.scheme.lower().startswith("http") else path
    separators = "/" if os.sep == "/" else r"[/\\]"
    found: dict[str, str] = {}
    for name in re.split(separators, path)[:-1]:
        match = KEY.fullmatch(name)
        if match is None or is_hidden(name):
            continue
        key, value = unquote(match[1]), unquote(match[2])
        if key in found:
            raise ValueError(f"{path!r} has two directories that are called {key}=")
        found[key] = "" if match[2] == MISSING else value
    return list(found.items())


def ask(keys: Keys) -> ValueError:
    """Return the error that asks whether keys are columns."""
    key, value = keys[-1]
    shown = f"{key}={value or MISSING}"
    return ValueError(
        f"the files are in directories that are called {shown!r} and the like: partitions=True "
        "makes columns of these, partitions=False reads the files without them"
    )
