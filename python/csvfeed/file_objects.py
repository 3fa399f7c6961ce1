"""Threads that read file objects of Python, so that a reader can stop waiting for them."""

from __future__ import annotations

import _thread
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from csvfeed import _core


def serve(file: Any, requests: _core.Requests) -> None:
    """Start a thread that answers requests for the bytes of a file until they end."""
    # Not a `threading.Thread`: the interpreter does not wait for this one at exit.
    _thread.start_new_thread(_answer, (file, requests))


def _answer(file: Any, requests: _core.Requests) -> None:
    while (request := requests.take()) is not None:
        _answer_one(file, requests, *request)


def _answer_one(file: Any, requests: _core.Requests, offset: int, length: int) -> None:
    try:
        requests.answer(_read(file, offset, length))
    except BaseException as error:
        requests.fail(error)


def _read(file: Any, offset: int, length: int) -> list[bytes]:
    """Return the bytes in pieces; fewer than asked for if the file ends before."""
    file.seek(offset)
    chunks = []
    while length > 0:
        chunk = file.read(length)
        if not isinstance(chunk, (bytes, bytearray)):
            raise TypeError(f"read() gave {type(chunk).__name__} instead of bytes")
        if not 0 < len(chunk) <= length:
            break
        chunks.append(bytes(chunk))
        length -= len(chunk)
    return chunks
