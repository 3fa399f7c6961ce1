"""A file that is elsewhere, named by its URL."""

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
    """A file that is elsewhere, for a dataset to read: ``CsvDataset(RemoteFile(url, ...))``.

    A dataset takes the URL itself as well; this is for what fsspec has to know besides, if it does
    not stand in its configuration. The file is fetched in ranges of 4 MiB, up to 8 at a time, ahead
    of the threads that parse them; that takes up to 64 MiB of memory for a file that is being
    read, besides the ``memory`` of the dataset. From a server that knows no ranges it is taken as
    one stream. A request that fails for a reason that may pass (a timeout, a cut connection, status
    429 or 5xx) is tried five times, over about half a minute or as long as ``Retry-After`` says.

    A file that is not what it was (by ETag, date or size) ends in ``SourceChangedError``, whether
    it changed between two epochs or within one. What does not say any of these cannot be told
    from a later version of itself.

    Parameters
    ----------
    url : str
        Of any scheme that fsspec knows: ``https://``, ``s3://``, ``gs://``, ``memory://``, ...
    **storage_options
        What the file system takes: ``key``, ``secret``, ``endpoint_url``, ``anon`` and the like for
        S3; ``headers`` for HTTP. They are part of a pickle, secrets included, so that another
        process can open the file; they are no part of errors, ``repr`` and ``state_dict``.

    Attributes
    ----------
    url : str
        As it was given.
    name : str
        The URL without passwords and the values of its query, as it stands in errors.

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
        """Begin to open the file: to ask for its size and what tells it from a later version.

        Returns
        -------
        Handle
            To be closed by who opened it. When it is first asked for something it raises
            FileNotFoundError or PermissionError, if the server says so, or another OSError, if the
            server does not answer, or not with the file.

        Raises
        ------
        ImportError
            If fsspec, or what it needs for this scheme, is not installed.
        """
        system, path = file_system(self.url, self._options, self._secrets)
        # A file system that caches says it is what it caches, so no isinstance.
        is_http = any(kind.__name__ == "HTTPFileSystem" for kind in type(system).__mro__)
        return Handle((HttpStore if is_http else AnyStore)(system, path, self._secrets))

    def expand(self) -> list[RemoteFile]:
        """Return the files that the URL stands for, in the order of their names.

        A pattern has a ``*``, or, other than in HTTP, a ``?`` or ``[``. A URL that ends in ``/``,
        other than of HTTP, is a directory, read as one on a disk is.

        Raises
        ------
        FileNotFoundError
            If there is none.
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
        """Return the files in a directory, and in those below it that are called ``key=value``."""
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
