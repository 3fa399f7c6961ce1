"""Where the bytes of a remote file come from: a file system of fsspec."""

from __future__ import annotations

import abc
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from csvfeed.errors import SourceChangedError
from csvfeed.remote.calls import Calls, begin_in_thread, call
from csvfeed.remote.retries import PassingError
from csvfeed.remote.secrets import Secrets

PIECE = 1 << 20
"""Bytes of a stream that are handed over at once."""

INSTALL = "pip install 'csvfeed[remote]'"
# The schemes that this is enough for; of others fsspec says what they need.
BROUGHT = ("http://", "https://", "s3://", "s3a://")
_TIMEOUT = 60.0
_TELLING = (
    *("ETag", "etag", "e_tag", "VersionId", "version_id", "generation", "content_settings"),
    *("md5Hash", "crc32c", "Content-MD5", "Digest", "checksum", "xattrs"),
    *("LastModified", "last_modified", "Last-Modified", "updated", "mtime", "modified", "created"),
)


@dataclass(frozen=True)
class Opened:
    """What is known of a file once it is open.

    Attributes
    ----------
    size : int or None
        Its length in bytes; None if it can only be read from its beginning to its end.
    identity : str
        What tells it from a later version of itself; empty if nothing does.
    head : bytes
        Its first bytes, if they came along.
    """

    size: int | None
    identity: str
    head: bytes = b""


class Store(abc.ABC):
    """A file in a file system: what one handle asks of it, once, without trying again.

    Parameters
    ----------
    system : fsspec.AbstractFileSystem
        The file system.
    path : str
        The file in it.
    secrets : Secrets
        Its name, and what not to say.
    """

    def __init__(self, system: Any, path: str, secrets: Secrets) -> None:
        self._system = system
        self._path = path
        self.secrets = secrets
        self.calls = Calls()

    @abc.abstractmethod
    def open(self) -> Opened:
        """Ask for the size and what tells the file from a later version."""

    @abc.abstractmethod
    def fetch(self, start: int, end: int, identity: str) -> bytes | bytearray:
        """Return a range of the file, of the version that has this identity."""

    @abc.abstractmethod
    def stream(self, identity: str) -> Iterator[bytes | bytearray]:
        """Yield the file from its beginning in pieces, of the version that has this identity."""

    def compare(self, identity: str, found: str) -> None:
        """Raise SourceChangedError unless both are the same."""
        if identity != found:
            raise SourceChangedError(
                f"it changed while it was read: it was {identity or 'without a mark'}, "
                f"now it is {found or 'without a mark'}",
                path=self.secrets.name,
            )


class AnyStore(Store):
    """A file in a file system of any kind."""

    def open(self) -> Opened:
        """Ask for what the file system knows of the file."""
        info = self._info()
        if info.get("type") == "directory":
            raise IsADirectoryError(
                "it is a directory, not a file: end the URL with / to read those in it"
            )
        size = info.get("size")
        return Opened(size if isinstance(size, int) else None, _identity(info))

    def fetch(self, start: int, end: int, identity: str) -> bytes:
        """Fetch a range, and ask afterwards whether the file is still the same."""
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
        """Read the file as one of Python's."""
        self.compare(identity, _identity(self._info()))
        # Files, unlike file systems, are never asynchronous.
        with self._in_thread(lambda: self._system.open(self._path, "rb")) as file:
            while piece := self._in_thread(lambda: file.read(PIECE)):
                yield piece
        self.compare(identity, _identity(self._info()))

    def _in_thread(self, function: Callable[[], Any]) -> Any:
        return self.calls.wait(begin_in_thread(function), _TIMEOUT)

    def _info(self) -> Mapping[str, Any]:
        # What a listing said a while ago may be out of date.
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
        If fsspec, or what it needs for this scheme, is not installed.
    ValueError
        If there is no such scheme.
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
