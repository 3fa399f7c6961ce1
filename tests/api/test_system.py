"""What differs between operating systems, as far as any of them can show it."""

import os
import signal

import pytest
from processes import python

from csvfeed import system
from csvfeed.cli.snippet import literal
from csvfeed.directories import keys_of
from csvfeed.urls import is_url, local_path


@pytest.fixture
def windows(monkeypatch):
    monkeypatch.setattr(system, "IS_WINDOWS", True)


@pytest.mark.parametrize(
    "path",
    [r"C:\data\x.csv", "C:/data/x.csv", "c:x.csv", "C://x.csv", r"\\server\share\x.csv", "C:"],
)
def test_a_path_with_a_drive_is_no_url(path):
    assert not is_url(path)
    assert local_path(path) is None


@pytest.mark.usefixtures("windows")
def test_a_file_url_on_windows_names_a_drive_or_a_share():
    for url, path in {
        "file:///C:/data/my%20x.csv": "C:/data/my x.csv",
        "file://localhost/C:/x.csv": "C:/x.csv",
        "file://C:/data/x.csv": "C:/data/x.csv",
        r"file://C:\data\x.csv": r"C:\data\x.csv",
        r"FILE:///d:\x.csv": r"d:\x.csv",
        "file://server/share/x.csv": "//server/share/x.csv",
        "file:///share/x.csv": "/share/x.csv",
        "local://C:/x.csv": "C:/x.csv",
    }.items():
        assert local_path(url) == path


def test_elsewhere_a_file_url_with_a_drive_keeps_its_slash_and_has_no_host(monkeypatch):
    monkeypatch.setattr(system, "IS_WINDOWS", False)
    assert local_path("file:///C:/x.csv") == "/C:/x.csv"
    with pytest.raises(ValueError, match="names the host 'server'"):
        local_path("file://server/share/x.csv")


def test_directories_with_backslashes_are_columns_on_windows(monkeypatch):
    path = r"C:\data\country=FR\year=2026\part-0.csv"
    monkeypatch.setattr(os, "sep", "\\")
    assert keys_of(path) == [("country", "FR"), ("year", "2026")]
    assert keys_of(path.replace("\\", "/")) == [("country", "FR"), ("year", "2026")]


def test_a_suggestion_quotes_backslashes():
    path = r"C:\new\table.csv"
    assert eval(literal(path)) == path


def test_the_caches_of_a_user_have_a_directory(monkeypatch):
    home = os.path.join(os.path.expanduser("~"), ".cache")
    monkeypatch.delenv("XDG_CACHE_HOME", raising=False)
    monkeypatch.setenv("LOCALAPPDATA", r"C:\Users\me\AppData\Local")
    monkeypatch.setattr(system, "IS_WINDOWS", False)
    assert system.cache_home() == home
    monkeypatch.setattr(system, "IS_WINDOWS", True)
    assert system.cache_home() == r"C:\Users\me\AppData\Local"
    monkeypatch.setenv("XDG_CACHE_HOME", "chosen")
    assert system.cache_home() == "chosen"
    monkeypatch.delenv("XDG_CACHE_HOME")
    monkeypatch.delenv("LOCALAPPDATA")
    assert system.cache_home() == home


def test_a_replaced_file_is_tried_again_on_windows_alone(tmp_path, monkeypatch):
    source, target = tmp_path / "new", tmp_path / "old"
    real, tries = os.replace, []

    def busy(*paths):
        tries.append(paths)
        if len(tries) < 3:
            raise PermissionError("somebody has it open")
        real(*paths)

    monkeypatch.setattr(os, "replace", busy)
    source.write_text("new")
    target.write_text("old")
    monkeypatch.setattr(system, "IS_WINDOWS", False)
    with pytest.raises(PermissionError):
        system.replace(source, target)
    monkeypatch.setattr(system, "IS_WINDOWS", True)
    system.replace(source, target)
    assert target.read_text() == "new"
    assert len(tries) == 3
    with pytest.raises(FileNotFoundError):
        system.replace(source, target)


@pytest.mark.usefixtures("windows")
def test_a_file_that_stays_open_is_an_error_in_the_end(tmp_path, monkeypatch):
    def busy(*_paths):
        raise PermissionError("somebody has it open")

    monkeypatch.setattr(os, "replace", busy)
    monkeypatch.setattr(system, "_PATIENCE", 0.05)
    with pytest.raises(PermissionError, match="somebody has it open"):
        system.replace(tmp_path / "new", tmp_path / "old")


class Terminal:
    def isatty(self):
        return True


@pytest.mark.usefixtures("windows")
def test_the_old_console_of_windows_gets_no_escape_sequences(monkeypatch):
    for name in ("WT_SESSION", "TERM", "TERM_PROGRAM", "ANSICON"):
        monkeypatch.delenv(name, raising=False)
    assert not system.is_console(Terminal())
    monkeypatch.setenv("WT_SESSION", "1")
    assert system.is_console(Terminal())
    monkeypatch.setenv("TERM", "dumb")
    assert not system.is_console(Terminal())
    monkeypatch.delenv("WT_SESSION")
    monkeypatch.delenv("TERM")
    monkeypatch.setattr(system, "IS_WINDOWS", False)
    assert system.is_console(Terminal())


def test_the_number_of_cpus_needs_no_affinity(monkeypatch):
    assert 1 <= system.cpus() <= os.cpu_count()
    monkeypatch.delattr(os, "sched_getaffinity", raising=False)
    assert system.cpus() == os.cpu_count()


# What the standard library of Windows lacks is taken away before csvfeed is imported.
WITHOUT_UNIX = """
    import os, signal, sys
    for module, names in {
        os: ["fork", "register_at_fork", "sched_getaffinity", "getuid", "mkfifo", "pread"],
        signal: ["SIGHUP", "SIGKILL", "SIGALRM", "SIGPIPE", "pthread_sigmask"],
    }.items():
        for name in names:
            if hasattr(module, name):
                delattr(module, name)
    for name in ("fcntl", "resource", "pwd", "grp", "termios"):
        sys.modules[name] = None
"""


def test_nothing_that_windows_lacks_is_needed_to_read(tmp_path):
    path = tmp_path / "x.csv"
    path.write_text("x,y\n1,2\n3,4\n")
    code = f"""{WITHOUT_UNIX}
    import csvfeed
    ds = csvfeed.CsvDataset({str(path)!r}, batch_size=1)
    assert [(X.tolist(), y.tolist()) for X, y in ds] == [([[1]], [2]), ([[3]], [4])]
    rows = list(ds.shuffle(seed=0).cache({str(tmp_path / "cache")!r}))
    assert len(rows) == 2
    from csvfeed.cli import main
    assert main(["inspect", {str(path)!r}]) == 0
    assert csvfeed.system.ENDING == (signal.SIGINT, signal.SIGTERM)
    """
    python(code)


@pytest.mark.usefixtures("windows")
def test_on_windows_a_signal_is_an_exit_code(monkeypatch):
    def exit_with(code):
        raise SystemExit(code)

    monkeypatch.setattr(os, "_exit", exit_with)
    with pytest.raises(SystemExit) as raised:
        system.die_of(signal.SIGINT)
    assert raised.value.code & 0xFFFFFFFF == 0xC000013A, "that of Ctrl-C"
    with pytest.raises(SystemExit) as raised:
        system.die_of(signal.SIGTERM)
    assert raised.value.code == 128 + signal.SIGTERM
