"""The parts of a table that a path, a pattern, a directory, a URL or an object stands for."""

from __future__ import annotations

import errno
import glob
import io
import os
import stat
import sys
from collections.abc import Iterable, Mapping, Set
from typing import Any, BinaryIO, TypeAlias

import numpy as np

from csvfeed.directories import Keys, ask, data_files, files_below, keys_of
from csvfeed.origin import Origin, Part, is_origin
from csvfeed.urls import is_url, local_path

Source: TypeAlias = str | os.PathLike[str] | bytes | bytearray | memoryview | BinaryIO | Origin
"""What a user may give as a source, alone or in a list."""

# How many parts `shown` names at most.
SHOWN = 3


def parts(source: Any, partitions: bool | None = False) -> list[Part]:
    """Return the parts of a table, in order.

    Parameters
    ----------
    source : Any
        As in ``CsvDataset``.
    partitions : bool, optional
        Whether directories called ``key=value`` become columns. None if the user did not say: then
        it is an error if they differ between files.

    Raises
    ------
    OSError
        If no file matches a pattern, or a directory has no data files.
    TypeError, ValueError
        If csvfeed cannot read such a source.
    """
    _refuse(source)
    is_one = isinstance(source, (str, os.PathLike, bytes, bytearray, memoryview))
    if is_one or hasattr(source, "read") or is_origin(source) or not isinstance(source, Iterable):
        sources = [source]
    else:
        sources = list(source)
    found = []
    for one in sources:
        its = _parts(one)
        found.extend(its)
        if partitions is None and _is_directory(one):
            _refuse_keys(its, len(keys_of(f"{_path(one)}/")))
    if not found:
        raise ValueError("source is an empty list of files")
    if partitions is None:
        first = _keys(found[0])
        other = next((keys for keys in map(_keys, found) if keys != first), None)
        if other is not None:
            raise ask(first or other)
    return found


def keys(found: list[Part]) -> list[Keys]:
    """Return, for each part, the keys in its directories and their values.

    Raises
    ------
    ValueError
        If no part has a key, or one has the same key twice.
    """
    every = [_keys(part) for part in found]
    if not any(every):
        raise ValueError(
            "partitions=True makes columns of directories that are called like country=FR, and "
            "the source has none"
        )
    return every


def _keys(part: Part) -> Keys:
    path = _path(part)
    return [] if path is None else keys_of(path)


def _path(part: Any) -> str | None:
    """Return the path or URL of a part or a source, or None."""
    if isinstance(part, os.PathLike):
        return os.fsdecode(part)
    if isinstance(part, str):
        return part
    path = getattr(part, "url", getattr(part, "name", None))
    return path if isinstance(path, str) else None


def _is_directory(source: Any) -> bool:
    """Whether a source is a directory."""
    path = _path(source)
    if path is None or hasattr(source, "read"):
        return False
    local = local_path(path) if is_url(path) else path
    return path.endswith("/") if local is None else os.path.isdir(local)


def _refuse_keys(found: list[Part], expected: int) -> None:
    for part in found:
        keys = _keys(part)
        if len(keys) > expected:
            raise ask(keys)


def name_of(found: list[Part]) -> str:
    """Return one name for all parts."""
    first = found[0]
    name = "<bytes>" if isinstance(first, bytes) else str(getattr(first, "name", first))
    # A name may contain bytes that are not text.
    return f"{name.encode(errors='replace').decode()} and {len(found) - 1} more"


def shown(found: list[Part]) -> str:
    """Return the parts as ``repr`` shows them, without their content."""
    names = [f"<{len(part)} bytes>" if isinstance(part, bytes) else repr(part) for part in found]
    if len(names) == 1:
        return names[0]
    if len(names) > SHOWN:
        names = [*names[: SHOWN - 1], f"... {len(names) - SHOWN} more ...", names[-1]]
    return f"[{', '.join(names)}]"


def is_among(found: list[Part], path: str) -> bool:
    """Whether a path names a file among the parts, under any of its names."""
    paths = (part for part in found if isinstance(part, str) and os.path.exists(part))
    return os.path.exists(path) and any(os.path.samefile(part, path) for part in paths)


# Classes that hold rows in memory, by library.
IN_MEMORY = {
    "pandas": ("DataFrame",),
    "polars": ("DataFrame", "LazyFrame"),
    "pyarrow": ("Table", "RecordBatch", "RecordBatchReader"),
    "datasets": ("Dataset", "IterableDataset", "DatasetDict"),
    "dask": ("DataFrame",),
    "duckdb": ("DuckDBPyRelation",),
    "_duckdb": ("DuckDBPyRelation",),
    "xarray": ("Dataset", "DataArray"),
}
TENSORS = ("tensorflow", "torch", "jax", "jaxlib", "keras")


def _refuse(source: Any) -> None:
    """Refuse values that look like a path or a list of paths but are something else.

    Raises
    ------
    TypeError
        If ``source`` is such a value. The text says what to do instead.
    """
    kind = type(source)
    library = kind.__module__.partition(".")[0]
    what = f"source is a {library}.{kind.__name__}"
    files = "a source is the name of a file, a list of names, bytes or a binary file object"
    if isinstance(source, str):
        if ("\n" in source or "\r" in source) and not os.path.exists(source):
            raise TypeError(
                f"source is a str of several lines, {source[:40]!r}..., but a str is the name of a "
                "file: give the text as bytes, with text.encode()"
            )
    elif any(parent.__name__ in IN_MEMORY.get(library, ()) for parent in kind.__mro__):
        raise TypeError(
            f"{what}, and {files}. Its rows are in memory already: give its arrays to fit, or "
            "write it to a CSV file and name that"
        )
    elif library in TENSORS or (isinstance(source, np.ndarray) and source.dtype.kind not in "UO"):
        raise TypeError(f"{what}, and {files}. Give numbers that are in memory to fit as they are")
    elif hasattr(source, "feature_names") and hasattr(source, "to_keras"):
        raise TypeError(f"source is a {kind.__name__} already: use it as it is, or name its file")
    elif isinstance(source, (Mapping, Set)):
        why = (
            "a dict has columns or options" if isinstance(source, Mapping) else "a set has no order"
        )
        raise TypeError(f"source is a {kind.__name__}, and {files}: {why}, a list has files")


def _parts(source: Any) -> list[Part]:
    _refuse(source)
    if isinstance(source, (bytes, bytearray, memoryview)):
        return [bytes(source)]
    if isinstance(source, (str, os.PathLike)):
        path = os.fsdecode(source)
        if is_url(path):
            return _remote(path)
        return [_binary(sys.stdin.buffer)] if path == "-" else _files(path)
    if is_origin(source):
        return list(source.expand()) if hasattr(source, "expand") else [source]
    if hasattr(source, "read"):
        return [_binary(source)]
    raise TypeError(
        "source is a path, a URL, a list of these, bytes or a binary file object, not "
        f"{source!r:.60} ({type(source).__name__})"
    )


def _remote(url: str) -> list[Part]:
    """Return the files that a URL stands for."""
    path = local_path(url)
    if path is not None:
        return _files(path)
    # Imported here, because most sources are local.
    from csvfeed.remote import RemoteFile

    return list(RemoteFile(url).expand())


def _binary(file: Any) -> io.IOBase:
    """Return a file object that yields bytes."""
    if isinstance(file, io.StringIO):
        raise TypeError(f"{file!r} holds text: give it as bytes, with file.getvalue().encode()")
    if isinstance(file, io.TextIOBase) or isinstance(file.read(0), str):
        raise TypeError(f'{file!r} yields text: open it in binary mode, with open(..., "rb")')
    return file  # type: ignore[no-any-return]


def _files(path: str) -> list[Part]:
    """Return the files that a path or a pattern stands for."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        # A path with brackets is a pattern only if no file has that name.
        return _matching(path) if glob.has_magic(path) else [path]
    if stat.S_ISDIR(mode):
        return _within(path)
    if stat.S_ISFIFO(mode) or stat.S_ISSOCK(mode) or (stat.S_ISCHR(mode) and _is_terminal(path)):
        # It can be read only once.
        return [open(path, "rb", buffering=0)]
    return [path]


def _is_terminal(path: str) -> bool:
    try:
        with open(path, "rb", buffering=0) as file:
            return file.isatty()
    except OSError:
        return False


def _matching(pattern: str) -> list[Part]:
    found = sorted(path for path in glob.glob(pattern, recursive=True) if not os.path.isdir(path))
    if not found:
        raise FileNotFoundError(errno.ENOENT, "No file matches the pattern", pattern)
    return list(found)


def _within(directory: str) -> list[Part]:
    found = sorted(os.path.join(directory, *path) for path in data_files(files_below(directory)))
    if not found:
        what = "No file in the directory is called *.csv, *.csv.gz and the like, or part-00000"
        raise FileNotFoundError(errno.ENOENT, what, directory)
    return list(found)
