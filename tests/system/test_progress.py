"""The bar of a pass over a file that takes long, and who does not see it."""

import io
import sys
import threading

import pytest
from conftest import wait_until

import csvfeed
from csvfeed import progress


class Screen(io.StringIO):
    """A standard error that people see."""

    def isatty(self):
        return True


class Slow(io.BytesIO):
    """A file that yields nothing until somebody has seen something."""

    name = "slow.csv"
    is_seen = staticmethod(lambda: True)

    def read(self, *arguments):
        wait_until(self.is_seen)
        return super().read(*arguments)

    def readinto(self, buffer):
        wait_until(self.is_seen)
        return super().readinto(buffer)


@pytest.fixture
def screen(monkeypatch):
    pytest.importorskip("tqdm")
    monkeypatch.setattr(progress, "PATIENCE", 0)
    monkeypatch.setenv("TERM", "xterm")
    screen = Screen()

    def watched(work):
        # pytest sets the standard error before each test.
        with monkeypatch.context() as patch:
            patch.setattr(sys, "stderr", screen)
            return work()

    screen.watched = watched
    return screen


def slow_dataset(rows="1,no\n2,yes\n", **options):
    file = Slow(f"x,y\n{rows}".encode())
    return csvfeed.CsvDataset(file, **options), file


PASSES = {
    "counting the rows of": lambda ds: ds.num_rows,
    "statistics of": lambda ds: ds.stats(),
    "finding the categories of": lambda ds: ds.classes,
    "finding the rows of": lambda ds: next(iter(ds.shuffle(seed=0))),
    "finding bad rows of": lambda ds: ds.rejects,
}


@pytest.mark.parametrize("what", PASSES)
def test_a_long_pass_shows_a_bar_that_goes_away(what, screen):
    ds, file = slow_dataset(categories={"y": "auto"}, on_error="skip")
    file.is_seen = lambda: f"{what} slow.csv" in screen.getvalue()
    screen.watched(lambda: PASSES[what](ds))
    # tqdm writes over what it wrote.
    assert screen.getvalue().endswith("\r")
    assert not screen.getvalue().rsplit("\r", 2)[1].strip()
    assert "progress" not in {thread.name for thread in threading.enumerate()}


def test_the_bar_of_files_says_how_much_of_them_is_read(write, screen):
    path = write(b"x,y\n" + b"1,2\n" * 1000)

    def read():
        with progress.Passes("two files", [path, path]).shown("reading"):
            wait_until(lambda: "reading two files" in screen.getvalue())

    screen.watched(read)
    assert "/8.01k" in screen.getvalue()


def test_the_bar_ends_with_an_error(screen):
    ds, file = slow_dataset("1,2\none,2\n", target=None)
    file.is_seen = lambda: "statistics of" in screen.getvalue()
    with pytest.raises(csvfeed.NumberError):
        screen.watched(ds.stats)
    assert "progress" not in {thread.name for thread in threading.enumerate()}


def test_a_screen_that_fails_does_not_stop_a_pass(screen, monkeypatch):
    written = []

    def write(text):
        written.append(text)
        raise OSError("the terminal is gone")

    monkeypatch.setattr(screen, "write", write)
    ds, file = slow_dataset(target=None, categories={"y": 3})
    file.is_seen = lambda: bool(written)
    assert screen.watched(lambda: ds.num_rows) == 2


def silent(monkeypatch):
    monkeypatch.setenv("CSVFEED_PROGRESS", "0")


def piped(monkeypatch):
    monkeypatch.setattr(Screen, "isatty", lambda _: False)


def dumb(monkeypatch):
    monkeypatch.setenv("TERM", "dumb")


def without_tqdm(monkeypatch):
    monkeypatch.setitem(sys.modules, "tqdm", None)


@pytest.mark.parametrize("how", [silent, piped, dumb, without_tqdm])
def test_nobody_sees_a_bar_who_does_not_want_or_cannot(how, screen, monkeypatch):
    how(monkeypatch)
    running = []
    ds, file = slow_dataset(target=None, categories={"y": 3})
    file.is_seen = lambda: running.extend(thread.name for thread in threading.enumerate()) or True
    assert screen.watched(lambda: ds.num_rows) == 2
    assert running
    assert "progress" not in running
    assert screen.getvalue() == ""
