"""Retries of requests that fail for reasons that may pass, and the error in the end."""

from __future__ import annotations

import asyncio
import concurrent.futures
import errno
import random
import socket
import threading
import time
from collections.abc import Callable, Iterator
from typing import Any, TypeVar

from csvfeed.errors import CsvError
from csvfeed.remote.secrets import Secrets

T = TypeVar("T")

TRIES = 5
FIRST_WAIT = 1.0
GROWTH = 3.0
LONGEST_WAIT = 60.0
LONGEST = 120.0

_TIMEOUTS = (TimeoutError, asyncio.TimeoutError, concurrent.futures.TimeoutError)
_PASSING_STATUS = frozenset({408, 425, 429, 500, 502, 503, 504})
# By name, because they belong to packages that may not be installed.
_PASSING_NAMES = frozenset(
    {
        "ClientConnectionError",  # aiohttp
        "ClientPayloadError",
        "ConnectionError",  # botocore, requests
        "HTTPClientError",  # botocore
        "IncompleteRead",
        "ServiceRequestError",  # azure
        "ServiceResponseError",
        "TransportError",  # google-auth, httpx
        "ProtocolError",  # urllib3
    }
)
_LASTING = (FileNotFoundError, PermissionError, IsADirectoryError, NotADirectoryError)
_LASTING_NUMBERS = frozenset({errno.EINVAL, errno.ENOSYS, errno.EPERM, errno.EROFS})


class PassingError(Exception):
    """A failure that may pass."""


class StatusError(Exception):
    """A status that a web server sent in place of the file."""

    def __init__(self, status: int, message: str, headers: Any) -> None:
        super().__init__(status, message)
        self.status = status
        self.message = message[:80]
        self.headers = headers


class Retries:
    """Runs a request up to five times, and raises a clear error if it keeps failing.

    Parameters
    ----------
    secrets : Secrets
        What errors must not show.
    closed : threading.Event, optional
        Set to end waiting.
    """

    def __init__(self, secrets: Secrets, closed: threading.Event | None = None) -> None:
        self._secrets = secrets
        self._closed = closed or threading.Event()

    def run(self, attempt: Callable[[], T], what: str) -> T:
        """Return the result of the first attempt that succeeds.

        Parameters
        ----------
        attempt : callable
            Makes the request, and raises if it fails.
        what : str
            What the request does, for errors.

        Raises
        ------
        CsvError, ImportError
            If an attempt raises one; csvfeed does not retry these.
        FileNotFoundError, PermissionError, TimeoutError, ConnectionError, OSError
            If all attempts fail. The text says why, and how many there were.
        """
        began = time.monotonic()
        tries = 0
        while True:
            tries += 1
            try:
                return attempt()
            except (CsvError, ImportError):
                raise
            except (concurrent.futures.CancelledError, asyncio.CancelledError):
                raise self._interrupted(what) from None
            except Exception as error:
                failure = error
            wait = self._wait_after(failure, tries)
            if wait is None or time.monotonic() - began + wait > LONGEST:
                # Without the cause, because its text may contain secrets.
                raise self._error(failure, what, tries, time.monotonic() - began) from None
            if self._closed.wait(wait):
                raise self._interrupted(what) from None

    def _wait_after(self, error: Exception, tries: int) -> float | None:
        """Return the seconds to wait before the next attempt, or None to give up."""
        if tries >= TRIES or not may_pass(error):
            return None
        asked = retry_after(error)
        if asked is not None:
            return asked
        return min(LONGEST_WAIT, FIRST_WAIT * GROWTH ** (tries - 1)) * random.uniform(0.5, 1)

    def _interrupted(self, what: str) -> OSError:
        return OSError(f"{what}: the file was closed meanwhile")

    def _error(self, error: Exception, what: str, tries: int, seconds: float) -> OSError:
        said = f"{what}: {self._secrets.hide(_describe(error))}"
        if tries > 1:
            said += f" (tried {tries} times in {seconds:.0f} s)"
        for kind in (FileNotFoundError, PermissionError):
            if isinstance(error, kind):
                return kind(said)
        code = status(error)
        if code in (404, 410):
            return FileNotFoundError(said)
        if code in (401, 403, 407):
            return PermissionError(said)
        if isinstance(error, _TIMEOUTS):
            return TimeoutError(said)
        return ConnectionError(said) if may_pass(error) else OSError(said)


def may_pass(error: BaseException) -> bool:
    """Whether a failure may pass."""
    if isinstance(error, PassingError) or _breaks_off(error):
        return not any(_is_unknown_host(cause) for cause in _causes(error))
    code = status(error)
    if code is not None:
        return code in _PASSING_STATUS
    if any(_is_unknown_host(cause) for cause in _causes(error)):
        return False
    if isinstance(error, OSError):
        return not isinstance(error, _LASTING) and error.errno not in _LASTING_NUMBERS
    return isinstance(error, (*_TIMEOUTS, EOFError))


def _breaks_off(error: BaseException) -> bool:
    return any(kind.__name__ in _PASSING_NAMES for kind in type(error).__mro__)


def status(error: BaseException) -> int | None:
    """Return the HTTP status in an error, if it has one."""
    if _breaks_off(error):
        return None  # A number in it would not come from the server.
    for cause in _causes(error):
        response = getattr(cause, "response", None)
        if isinstance(response, dict):
            response = response.get("ResponseMetadata", {}).get("HTTPStatusCode")
        for code in (
            *(getattr(cause, name, None) for name in ("status", "status_code", "code")),
            response,
            getattr(response, "status_code", None),
        ):
            number = int(code) if isinstance(code, str) and code.isdecimal() else code
            if isinstance(number, int) and 100 <= number < 600:
                return number
    return None


def retry_after(error: BaseException) -> float | None:
    """Return the seconds that the server asks the client to wait."""
    for cause in _causes(error):
        headers = getattr(cause, "headers", None)
        response = getattr(cause, "response", None)
        if headers is None and isinstance(response, dict):
            headers = response.get("ResponseMetadata", {}).get("HTTPHeaders")
        try:
            value: Any = None if headers is None else headers.get("Retry-After")
            if value is None and headers is not None:
                value = headers.get("retry-after")
            if value is not None:
                return min(LONGEST_WAIT, max(0.0, float(value)))
        except (AttributeError, TypeError, ValueError):
            pass  # A date, or not a mapping.
    return None


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    seen = 0
    while error is not None and seen < 8:
        yield error
        seen += 1
        error = error.__cause__


def _is_unknown_host(error: BaseException) -> bool:
    error = getattr(error, "os_error", error)
    return isinstance(error, socket.gaierror) and error.errno != socket.EAI_AGAIN


def _describe(error: Exception) -> str:
    """Describe an error, with its type if the text alone would say little."""
    code = status(error)
    reason = getattr(error, "message", None)
    if code is not None and isinstance(reason, str) and reason:
        return f"the server says {code} {reason}"
    if isinstance(error, _TIMEOUTS):
        return "no answer in time"
    if isinstance(error, FileNotFoundError):
        return "there is no such file"
    text = str(error).strip()
    if isinstance(error, PassingError):
        return text
    if code is not None and str(code) not in text:
        text = f"{code} {text}".strip()
    name = type(error).__name__
    return f"{name}: {text}" if text else name
