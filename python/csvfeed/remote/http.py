"""A file on a web server. The headers of each answer tell its version."""

from __future__ import annotations

import re
from collections.abc import Coroutine, Iterator, Mapping
from typing import Any, TypeVar

from csvfeed.remote.calls import begin
from csvfeed.remote.retries import PassingError, StatusError
from csvfeed.remote.store import PIECE, Opened, Store

T = TypeVar("T")

HEAD = 1 << 16
"""Bytes to fetch when a file is opened: enough for the head of most files."""

CONNECT, SILENCE, WHOLE = 20.0, 30.0, 600.0
"""Seconds to wait: for a connection, for the next bytes, for a range."""

_RANGE = re.compile(r"bytes (\d+)-(\d+)/(\d+)")


class HttpStore(Store):
    """A file on a web server."""

    def open(self) -> Opened:
        """Fetch the first bytes. Their headers tell the size and the version."""
        return self._wait(self._open())

    def fetch(self, start: int, end: int, identity: str) -> bytearray:
        """Fetch a range."""
        return self._wait(self._fetch(start, end, identity))

    def stream(self, identity: str) -> Iterator[bytes | bytearray]:
        """Fetch the whole file, one piece ahead of the reader."""
        answer = self._wait(self._get({}))
        piece = None
        try:
            _check(answer)
            length = _length(answer)
            self.compare(identity, _identity(answer, length))
            read = 0
            piece = begin(self._system, _body(answer, PIECE))
            while taken := self.calls.wait(piece, None):
                piece = begin(self._system, _body(answer, PIECE))
                read += len(taken)
                yield taken
            if length is not None and read < length:
                raise PassingError(f"it ended after {read:,} of {length:,} bytes")
        finally:
            if piece is not None:
                piece.cancel()
            self._system.loop.call_soon_threadsafe(answer.close)

    def _wait(self, coroutine: Coroutine[Any, Any, T]) -> T:
        return self.calls.wait(begin(self._system, coroutine), WHOLE)

    async def _get(self, headers: Mapping[str, str]) -> Any:
        import aiohttp

        session = await self._system.set_session()
        options = dict(self._system.kwargs)
        # A compressed answer would have another length.
        headers = {"Accept-Encoding": "identity", **options.pop("headers", {}), **headers}
        if "timeout" not in {*options, *self._system.client_kwargs}:
            options["timeout"] = aiohttp.ClientTimeout(
                total=None, sock_connect=CONNECT, sock_read=SILENCE
            )
        return await session.get(self._system.encode_url(self._path), headers=headers, **options)

    async def _open(self) -> Opened:
        answer = await self._get({"Range": f"bytes=0-{HEAD - 1}"})
        try:
            if answer.status == 416 and answer.headers.get("Content-Range") == "bytes */0":
                return Opened(0, _identity(answer, 0))
            _check(answer)
            place = _place(answer)
            if place is None:
                return Opened(None, _identity(answer, _length(answer)))
            start, end, size = place
            if start != 0 or end > size:
                raise PassingError(f"asked for the first bytes, got {start} to {end} of {size}")
            return Opened(size, _identity(answer, size), bytes(await _body(answer, end)))
        finally:
            answer.close()

    async def _fetch(self, start: int, end: int, identity: str) -> bytearray:
        answer = await self._get({"Range": f"bytes={start}-{end - 1}"})
        try:
            if answer.status == 416:
                size = answer.headers.get("Content-Range", "").rpartition("/")[2]
                self.compare(identity, _identity(answer, int(size) if size.isdecimal() else None))
            _check(answer)
            place = _place(answer)
            self.compare(identity, _identity(answer, place[2] if place else _length(answer)))
            if place is None or place[:2] != (start, end):
                raise PassingError("the server sent another range, or the whole file")
            return await _body(answer, end - start)
        finally:
            answer.close()


def _check(answer: Any) -> None:
    if answer.status not in (200, 206):
        raise StatusError(answer.status, answer.reason or "", answer.headers)


def _length(answer: Any) -> int | None:
    """Return the length of the whole file, if the answer tells it."""
    length: int | None = None if "Content-Encoding" in answer.headers else answer.content_length
    return length


def _place(answer: Any) -> tuple[int, int, int] | None:
    """Return the begin and end of a range, and the file's size; None for the whole file."""
    if answer.status != 206 or "Content-Encoding" in answer.headers:
        return None
    found = _RANGE.fullmatch(answer.headers.get("Content-Range", ""))
    return None if found is None else (int(found[1]), int(found[2]) + 1, int(found[3]))


def _identity(answer: Any, size: int | None) -> str:
    """Return a text that identifies the version of the file in an answer."""
    tag = answer.headers.get("ETag", "")
    date = answer.headers.get("Last-Modified", "")
    # Servers behind one address may date the same bytes differently.
    known = [tag] if tag and not tag.startswith("W/") else [tag, date]
    return " ".join([*filter(None, known), *([] if size is None else [f"size={size}"])])


async def _body(answer: Any, length: int) -> bytearray:
    """Return the next ``length`` bytes, or fewer at the end."""
    body = bytearray()
    while len(body) < length:
        part = await answer.content.read(length - len(body))
        if not part:
            break
        body += part
    return body
