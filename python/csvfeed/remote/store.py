"""A file in a file system of fsspec, read by single requests."""

from __future__ import annotations

import abc
import threading
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from csvfeed.errors import SourceChangedError
from csvfeed.remote.calls import Calls, begin_in_thread, call
from csvfeed.remote.retries import PassingError
from csvfeed.remote.secrets import Secrets

PIECE = 1 << 20
"""Bytes in one piece of a stream."""

INSTALL = "pip install 'csvfeed[remote]'"
# Schemes that need nothing more. For others, fsspec's error names the package.
BROUGHT = ("http://", "https://", "s3://", "s3a://")
_TIMEOUT = 60.0
# Held while a cache of fsspec downloads a file: its threads do not wait for each other.
_downloading = threading.Lock()
_TELLING = (
    *("ETag", "etag", "e_tag", "VersionId", "version_id", "generation", "content_settings"),
    *("md5Hash", "crc32c", "Content-MD5", "Digest", "checksum", "xattrs"),
    *("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "modified", "created"),
)


@dataclass(frozen=True)
class Opened:
    """What opening a file tells about it.

    Attributes
    ----------
    size : int or None
        Length in bytes. None if the file can only be read as a stream.
    identity : str
        Identifies this version of the file; empty if the server tells none.
    head : bytes
        The first bytes, if they came with the answer.
    """

    size: int | None
    identity: str
    head: bytes = b""


class Store(abc.ABC):
    """A file in a file system. It makes single requests and does not retry.

    Parameters
    ----------
    system : fsspec.AbstractFileSystem
        The file system.
    path : str
        The file in it.
    secrets : Secrets
        The name of the file, and what errors must not show.
    """

    def __init__(self, system: Any, path: str, secrets: Secrets) -> None:
        self._system = system
        self._path = path
        self.secrets = secrets
        self.calls = Calls()

    @abc.abstractmethod
    def open(self) -> Opened:
        """Ask for the size and the version of the file."""

    @abc.abstractmethod
    def fetch(self, start: int, end: int, identity: str) -> bytes | bytearray:
        """Return a range of the file. Raise if the identity differs."""

    @abc.abstractmethod
    def stream(self, identity: str) -> Iterator[bytes | bytearray]:
        """Yield the file in pieces. Raise if the identity differs."""

    def compare(self, identity: str, found: str) -> None:
        """Raise SourceChangedError unless both identities are the same."""
        if identity != found:
            raise SourceChangedError(
                f"it changed while it was read: it was {identity or 'without a mark'}, "
                f"now it is {found or 'without a mark'}",
                path=self.secrets.name,
            )


class AnyStore(Store):
    """A file in a file system of any kind."""

    def open(self) -> Opened:
        """Ask the file system about the file."""
        info = self._info()
        if info.get("type") == "directory":
            raise IsADirectoryError(
                "it is a directory, not a file: end the URL with / to read those in it"
            )
        if any(kind.__name__ == "CachingFileSystem" for kind in type(self._system).__mro__):
            self._download()
        size = info.get("size")
        return Opened(size if isinstance(size, int) else None, _identity(info))

    def _download(self) -> None:
        """Let a cache of fsspec fetch the file, before several threads read it.

        Otherwise a thread may read what another has not yet downloaded.
        """

        def read_first() -> None:
            with _downloading:
                self._system.cat_file(self._path, start=0, end=1)

        self.calls.wait(begin_in_thread(read_first), timeout=None)

    def fetch(self, start: int, end: int, identity: str) -> bytes:
        """Fetch a range, and then check that the file has not changed."""
        found: bytes = call(
            *(self._system, "cat_file", self._path),
            calls=self.calls,
            timeout=_TIMEOUT,
            start=start,
            end=end,
        )
        self.compare(identity, _identity(self._info()))
        return found

    def stream(self, identity: str) -> Iterator[bytes]:
        """Read the file as a file object."""
        self.compare(identity, _identity(self._info()))
        # Files, unlike file systems, are never asynchronous.
        with self._in_thread(lambda: self._system.open(self._path, "rb")) as file:
            while piece := self._in_thread(lambda: file.read(PIECE)):
                yield piece
        self.compare(identity, _identity(self._info()))

    def _in_thread(self, function: Callable[[], Any]) -> Any:
        return self.calls.wait(begin_in_thread(function), _TIMEOUT)

    def _info(self) -> Mapping[str, Any]:
        # A cached listing may be outdated.
        self._system.invalidate_cache(self._path)
        found = call(self._system, "info", self._path, calls=self.calls, timeout=_TIMEOUT)
        if not isinstance(found, Mapping):
            raise PassingError(f"the file system says nothing of it but {found!r}")
        return found


def _identity(info: Mapping[str, Any]) -> str:
    known = [f"{key}={info[key]}" for key in _TELLING if info.get(key) not in (None, "")]
    size = info.get("size")
    return " ".join([*known, *([] if size is None else [f"size={size}"])])


def file_system(url: str, options: Mapping[str, Any], secrets: Secrets) -> tuple[Any, str]:
    """Return the file system of a URL and the path in it.

    Raises
    ------
    ImportError
        If fsspec, or the package it needs for this scheme, is not installed.
    ValueError
        If fsspec does not know the scheme.
    """
    try:
        import fsspec.core
    except ImportError:
        raise ImportError(f"{secrets.name}: reading a URL needs fsspec: {INSTALL}") from None
    try:
        found: tuple[Any, str] = fsspec.core.url_to_fs(url, **options)
    except ImportError as error:
        install = f": {INSTALL}" if url.startswith(BROUGHT) else ""
        raise ImportError(f"{secrets.name}: {secrets.hide(str(error))}{install}") from None
    except ValueError as error:
        raise ValueError(f"{secrets.name}: {secrets.hide(str(error))}") from None
    return found
