"""An open remote file: ranges of bytes, fetched ahead of the threads that read them."""

from __future__ import annotations

import threading
from collections import OrderedDict, deque
from collections.abc import Iterator
from concurrent.futures import Future, InvalidStateError
from dataclasses import dataclass, field

from csvfeed.remote.calls import begin_in_thread
from csvfeed.remote.retries import PassingError, Retries
from csvfeed.remote.store import Opened, Store

RANGE = 4 << 20
"""Bytes of a range, if the file is read from beginning to end."""

AHEAD = 8
"""Ranges to fetch ahead of reading."""

IN_FLIGHT = 8
"""Ranges to fetch at once."""

KEPT = 2
"""Ranges to keep after they have been read, for threads that lag behind."""

TURMOIL = 4
"""How many ranges a thread may be ahead of the others, or behind, before its read is a jump."""


@dataclass(eq=False)
class _Range:
    start: int
    end: int
    unread: int
    content: Future[bytes | bytearray] = field(default_factory=Future)


class Handle:
    """An open remote file that several threads may read at once.

    Sequential reading fetches whole ranges ahead. A jump fetches only the bytes it needs.

    Parameters
    ----------
    store : Store
        Fetches the bytes.

    Notes
    -----
    Making a handle begins to open the file. The first use raises an error of opening.
    """

    def __init__(self, store: Store) -> None:
        self._store = store
        self._name = store.secrets.name
        self._retries = Retries(store.secrets, store.calls.closed)
        self._turn = threading.Lock()
        # Ranges of sequential reading, by their number, and ranges of jumps.
        self._ranges: OrderedDict[int, _Range] = OrderedDict()
        self._jumps: dict[tuple[int, int], _Range] = {}
        self._queue: deque[_Range] = deque()
        self._threads = 0
        self._finished = 0
        self._unread = 0
        self._ends: deque[int] = deque(maxlen=64)
        self._head = b""
        self._front = 0
        # In a thread of its own, so that closing the handle ends this, too.
        self._opening = begin_in_thread(self._open)

    def _open(self) -> Opened:
        opened = self._retries.run(self._store.open, f"opening {self._name}")
        self._head = opened.head
        # The head has arrived and does not count.
        self._unread = (opened.size or 0) - len(self._head)
        return opened

    @property
    def size(self) -> int | None:
        """Length in bytes; None if the file can only be read as a stream."""
        return self._opening.result().size

    @property
    def identity(self) -> str:
        """A text that identifies this version of the file; empty if the server tells none."""
        return self._opening.result().identity

    def read(self, offset: int, length: int) -> bytes:
        """Return bytes of the file.

        Parameters
        ----------
        offset, length : int
            Which bytes. They must lie within the file.

        Raises
        ------
        SourceChangedError
            If the file has changed since it was opened.
        OSError
            If the bytes cannot be fetched, or the file was closed.
        """
        size, end = self.size, offset + length
        if size is None:
            raise OSError(f"{self._name}: the server knows no ranges: read it as a stream")
        if offset < 0 or length < 0 or end > size:
            raise ValueError(f"bytes {offset} to {end} of a file of {size}")
        if not length:
            return b""
        if end <= len(self._head):
            return self._head[offset:end]
        with self._turn:
            wanted = self._want(offset, end, size)
        parts = []
        for range_, start, stop in wanted:
            # A view, so that the bytes are copied only once.
            whole = memoryview(range_.content.result())
            parts.append(whole[start - range_.start : stop - range_.start])
        with self._turn:
            for range_, start, stop in wanted:
                count = stop - min(stop, max(start, len(self._head)))
                range_.unread -= count
                self._unread -= count
            self._drop_read()
        return b"".join(parts)

    def stream(self) -> Iterator[bytes]:
        """Yield the whole file, in pieces of about 1 MiB.

        Raises
        ------
        SourceChangedError
            If the file has changed since it was opened.
        OSError
            If the file cannot be fetched, or was closed.
        """
        if self.size is None:
            yield from self._stream()
            return
        for offset in range(0, self.size, RANGE // 4):
            yield self.read(offset, min(RANGE // 4, self.size - offset))

    def close(self) -> None:
        """End all reading and fetching, also that of other threads."""
        self._store.calls.close()
        with self._turn:
            for range_ in [*self._ranges.values(), *self._jumps.values()]:
                _settle(range_, self._closed())
            self._ranges.clear()
            self._jumps.clear()
            self._queue.clear()

    def __enter__(self) -> Handle:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _want(self, offset: int, end: int, size: int) -> list[tuple[_Range, int, int]]:
        """Return the ranges that hold the wanted bytes, and the part that each contributes."""
        if self._store.calls.closed.is_set():
            raise self._closed()
        # Threads that take pieces in turn may arrive in another order.
        is_near = abs(offset - self._front) <= TURMOIL * RANGE
        is_held = offset // RANGE in self._ranges
        goes_on = is_near or is_held or offset in self._ends
        if goes_on and (end > self._front or not (is_near or is_held)):
            self._front = end
        self._ends.append(end)
        wanted = []
        while offset < end:
            number = offset // RANGE
            stop = min((number + 1) * RANGE, end)
            if goes_on or number in self._ranges:
                range_ = self._numbered(number, size, urgent=True)
            else:
                range_ = self._jump(offset, stop)
            wanted.append((range_, offset, stop))
            offset = stop
        if goes_on and end == self._front:
            last = (end - 1) // RANGE
            # Slowly more, so that reading only the head does not fetch a hundred MiB.
            ahead = min(AHEAD, 1 + 2 * self._finished)
            for number in range(last + 1, last + 1 + ahead):
                if number * RANGE < size:
                    self._numbered(number, size, urgent=False)
        return wanted

    def _numbered(self, number: int, size: int, *, urgent: bool) -> _Range:
        found = self._ranges.get(number)
        if found is None:
            start = number * RANGE
            found = self._begin(start, min(start + RANGE, size), urgent=urgent)
            self._ranges[number] = found
            self._make_room()
        return found

    def _jump(self, start: int, end: int) -> _Range:
        found = self._jumps.get((start, end))
        if found is None:
            found = self._jumps[start, end] = self._begin(start, end, urgent=True)
        return found

    def _make_room(self) -> None:
        """Drop ranges that were fetched ahead and never read, if reading continued elsewhere."""
        for number in list(self._ranges):
            if len(self._ranges) <= AHEAD + IN_FLIGHT // 2:
                break
            if self._ranges[number].content.done():
                del self._ranges[number]

    def _drop_read(self) -> None:
        """Drop the ranges that have been read, except the last few."""
        for place in [place for place, jump in self._jumps.items() if jump.unread <= 0]:
            del self._jumps[place]
        read = [number for number, range_ in self._ranges.items() if range_.unread <= 0]
        for number in read[: None if self._unread <= 0 else -KEPT]:
            del self._ranges[number]
            self._finished += 1

    def _begin(self, start: int, end: int, *, urgent: bool) -> _Range:
        range_ = _Range(start, end, end - max(start, len(self._head)))
        if urgent:
            self._queue.appendleft(range_)
        else:
            self._queue.append(range_)
        if self._threads < IN_FLIGHT:
            self._threads += 1
            # A daemon, so that a hanging server does not keep the process alive.
            threading.Thread(target=self._work, name="remote-range", daemon=True).start()
        return range_

    def _work(self) -> None:
        """Fetch ranges until the queue is empty."""
        while True:
            with self._turn:
                if not self._queue:
                    self._threads -= 1
                    return
                range_ = self._queue.popleft()
            try:
                _settle(range_, self._fetch(range_.start, range_.end))
            except BaseException as error:
                with self._turn:
                    # A later read may try again.
                    self._jumps.pop((range_.start, range_.end), None)
                    if self._ranges.get(range_.start // RANGE) is range_:
                        del self._ranges[range_.start // RANGE]
                _settle(range_, error)

    def _fetch(self, start: int, end: int) -> bytes | bytearray:
        def attempt() -> bytes | bytearray:
            found = self._store.fetch(start, end, self.identity)
            if len(found) != end - start:
                raise PassingError(f"got {len(found):,} bytes instead of {end - start:,}")
            return found

        return self._retries.run(attempt, f"reading {self._name}, bytes {start} to {end}")

    def _stream(self) -> Iterator[bytes]:
        """Yield the file as it arrives. If it breaks off, begin again and skip what is done."""
        yielded = 0
        pieces: Iterator[bytes | bytearray] | None = None

        def attempt() -> bytes:
            nonlocal pieces
            if pieces is None:
                if yielded and not self.identity:
                    raise OSError("it broke off, and nothing says that a new try gives the same")
                pieces = _past(self._store.stream(self.identity), yielded)
            try:
                return bytes(next(pieces, b""))
            except BaseException:
                pieces = None
                raise

        while True:
            piece = self._retries.run(attempt, f"reading {self._name}, byte {yielded} and on")
            if not piece:
                return
            yielded += len(piece)
            yield piece

    def _closed(self) -> OSError:
        return OSError(f"{self._name}: the file was closed while it was read")


def _past(pieces: Iterator[bytes | bytearray], count: int) -> Iterator[bytes | bytearray]:
    """Yield the pieces without their first ``count`` bytes."""
    for piece in pieces:
        rest = piece[count:]
        count = max(0, count - len(piece))
        if rest:
            yield rest


def _settle(range_: _Range, result: bytes | bytearray | BaseException) -> None:
    try:
        if isinstance(result, BaseException):
            range_.content.set_exception(result)
        else:
            range_.content.set_result(result)
    except InvalidStateError:
        pass  # The file was closed meanwhile.
