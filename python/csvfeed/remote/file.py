"""A remote file, named by its URL."""

from __future__ import annotations

from typing import Any

from csvfeed.directories import data_files
from csvfeed.remote.calls import call
from csvfeed.remote.handle import Handle
from csvfeed.remote.http import HttpStore
from csvfeed.remote.retries import Retries
from csvfeed.remote.secrets import Secrets
from csvfeed.remote.store import AnyStore, file_system
from csvfeed.urls import is_url


class RemoteFile:
    """A remote file for a dataset to read: ``CsvDataset(RemoteFile(url, ...))``.

    A dataset takes the URL itself as well. Use this class to pass options to fsspec that are not in
    its configuration. csvfeed fetches the file in ranges of 4 MiB, up to 8 at a time, ahead of the
    threads that parse them. This takes up to 64 MiB of memory for each file being read, besides the
    ``memory`` of the dataset. From a server without ranges csvfeed reads one stream. If a request
    fails for a reason that may pass (a timeout, a cut connection, status 429 or 5xx), csvfeed tries
    up to five times, over about half a minute or as long as ``Retry-After`` says.

    If the file changes (by ETag, date or size) between two epochs or within one, csvfeed raises
    ``SourceChangedError``. It cannot detect the change if the server sends none of these.

    Parameters
    ----------
    url : str
        A URL of any scheme that fsspec knows: ``https://``, ``s3://``, ``gs://``, ``memory://``...
    **storage_options
        Options of the file system: ``key``, ``secret``, ``endpoint_url``, ``anon`` and the like for
        S3; ``headers`` for HTTP. A pickle contains them, secrets included, so that another process
        can open the file. Errors, ``repr`` and ``state_dict`` do not show them.

    Attributes
    ----------
    url : str
        The URL, as given.
    name : str
        The URL without passwords and without the values of its query, as errors show it.

    Raises
    ------
    ValueError
        If ``url`` is not a URL.

    Examples
    --------
    >>> from csvfeed.remote import RemoteFile
    >>> RemoteFile("https://me:secret@example.org/train.csv?token=123")
    RemoteFile('https://***@example.org/train.csv?token=***')
    """

    def __init__(self, url: str, **storage_options: Any) -> None:
        if not isinstance(url, str) or not is_url(url):
            raise ValueError(f"{url!r} is not a URL such as https://example.org/train.csv")
        self.url = url
        self._options = storage_options
        self._secrets = Secrets(url, storage_options)
        self.name = self._secrets.name

    def open(self) -> Handle:
        """Begin to open the file: ask for its size and its version.

        Returns
        -------
        Handle
            The caller closes it. Its first use raises FileNotFoundError or PermissionError if the
            server reports one, or another OSError if the server does not send the file.

        Raises
        ------
        ImportError
            If fsspec, or the package it needs for this scheme, is not installed.
        """
        system, path = file_system(self.url, self._options, self._secrets)
        # By name, because a caching file system claims to be an instance of what it caches.
        is_http = any(kind.__name__ == "HTTPFileSystem" for kind in type(system).__mro__)
        return Handle((HttpStore if is_http else AnyStore)(system, path, self._secrets))

    def expand(self) -> list[RemoteFile]:
        """Return the files that the URL stands for, sorted by URL.

        A pattern contains ``*``; except in HTTP, also ``?`` or ``[``. A URL that ends in ``/`` is a
        directory, except in HTTP, and follows the rules for local directories.

        Raises
        ------
        FileNotFoundError
            If no file matches.
        """
        if self.url.endswith("/") and not self.url.lower().startswith("http"):
            return self._below()
        magic = "*" if self.url.lower().startswith("http") else "*?["
        if not any(character in self.url for character in magic):
            return [self]
        system, pattern = file_system(self.url, self._options, self._secrets)
        retries = Retries(self._secrets)
        found = retries.run(lambda: call(system, "glob", pattern), f"listing {self.name}")
        files = [RemoteFile(system.unstrip_protocol(path), **self._options) for path in found]
        if not files:
            raise FileNotFoundError(f"no file matches {self.name}")
        return sorted(files, key=lambda file: file.url)

    def _below(self) -> list[RemoteFile]:
        """Return the data files in the directory and in its subdirectories ``key=value``."""
        system, directory = file_system(self.url, self._options, self._secrets)
        retries = Retries(self._secrets)
        found = retries.run(lambda: call(system, "find", directory), f"listing {self.name}")
        start = len(directory.rstrip("/")) + 1
        paths = {tuple(path[start:].split("/")): path for path in found}
        files = [
            RemoteFile(system.unstrip_protocol(paths[path]), **self._options)
            for path in data_files(paths)
        ]
        if not files:
            raise FileNotFoundError(f"no file in {self.name} is called *.csv, or part-00000")
        return sorted(files, key=lambda file: file.url)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, RemoteFile):
            return NotImplemented
        return (self.url, self._options) == (other.url, other._options)

    def __hash__(self) -> int:
        return hash(self.url)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (self.url, self._options)

    def __str__(self) -> str:
        return self.name

    def __repr__(self) -> str:
        more = ", ".join(f"{key}=..." for key in self._options)
        return f"RemoteFile({self.name!r}{', ' if more else ''}{more})"


def _rebuild(url: str, options: dict[str, Any]) -> RemoteFile:
    return RemoteFile(url, **options)
