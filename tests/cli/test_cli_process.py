"""The command as a process: signals, pipes and streams that are closed."""

import contextlib
import os
import re
import signal
import subprocess
import sys

import pytest
from conftest import wait_until
from processes import descendants

COMMAND = [sys.executable, "-m", "csvfeed"]
ROWS = "a,b\n" + "1,2\n" * 1000


@pytest.fixture
def path(write):
    return write(ROWS)


def shell(script, *arguments, **options):
    """Run a line of a shell, in which "$@" is the command with these arguments."""
    command = ["bash", "-c", script, "bash", *COMMAND, *arguments]
    return subprocess.run(
        command, capture_output=True, text=True, check=False, timeout=120, **options
    )


def start(*arguments, **options):
    options = {"stdout": subprocess.PIPE, "stderr": subprocess.PIPE, "text": True, **options}
    return subprocess.Popen([*COMMAND, *arguments], **options)


def commands(path):
    return [["inspect", path], ["count", path], ["head", path], ["bench", path], ["demo"]]


@pytest.mark.parametrize("at", range(5), ids=["inspect", "count", "head", "bench", "demo"])
def test_a_standard_output_that_is_closed_is_an_error(path, at):
    done = shell('"$@" >&-', *commands(path)[at])
    assert done.returncode == 1
    assert done.stderr == "csvfeed: error: the standard output is closed\n"


@pytest.mark.parametrize("name", ["inspect", "count", "head", "bench"])
def test_a_standard_input_that_is_closed_is_an_error(name):
    done = shell('"$@" <&-', name, "-")
    assert done.returncode == 1
    assert done.stderr == "csvfeed: error: the standard input is closed\n"


def test_streams_that_are_closed_and_not_needed_change_nothing(path):
    done = shell('"$@" <&- 2>&-', "count", path)
    assert (done.returncode, done.stdout) == (0, "1000\n")
    # The error goes nowhere, above all not to the standard output.
    done = shell('"$@" 2>&-', "count", "/nothing/there.csv")
    assert (done.returncode, done.stdout) == (1, "")
    assert shell('"$@" <&- >&- 2>&-', "count", path).returncode == 1


@pytest.mark.parametrize("arguments", [("--help",), ("count", "FILE"), ("head", "FILE")])
def test_output_that_nobody_reads_ends_without_a_word(path, arguments):
    arguments = [path if argument == "FILE" else argument for argument in arguments]
    # The reader is gone before anything is written.
    done = shell('(sleep 0.1; "$@"; echo "code $?" >&2) | true', *arguments)
    assert done.stderr in ("code 141\n", "code 0\n" if arguments == ["--help"] else "")


def test_a_full_disk_is_an_error(path):
    done = shell('"$@" >/dev/full', "count", path)
    assert done.returncode == 1
    assert done.stderr.startswith("csvfeed: error: ")
    assert done.stderr.endswith("No space left on device\n")
    assert done.stderr.count("\n") == 1


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
@pytest.mark.parametrize("command", ["inspect", "count", "bench"])
def test_a_signal_ends_the_command_and_leaves_no_file(name, command, tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = start(command, "-", stdin=subprocess.PIPE, env=environment)
    process.stdin.write(ROWS)
    process.stdin.flush()
    wait_until(lambda: has_copy(process.pid, tmp_path))
    process.send_signal(getattr(signal, name))
    _, stderr = process.communicate()
    assert process.returncode == -getattr(signal, name)
    assert stderr == ("\ncsvfeed: interrupted\n" if name == "SIGINT" else "")
    assert list(tmp_path.iterdir()) == []


def has_copy(pid, directory):
    """Tell whether a process has an open file without a name in a directory."""
    with contextlib.suppress(FileNotFoundError):  # Closed meanwhile.
        open_files = [os.readlink(entry.path) for entry in os.scandir(f"/proc/{pid}/fd")]
        return any(re.fullmatch(f"{directory}/.*deleted.", path) for path in open_files)
    return False


def test_a_copy_has_no_name_so_that_nothing_is_left_of_a_process_that_is_killed(tmp_path):
    environment = {**os.environ, "TMPDIR": str(tmp_path)}
    process = start("count", "-", stdin=subprocess.PIPE, env=environment)
    process.stdin.write(ROWS)
    process.stdin.flush()
    wait_until(lambda: has_copy(process.pid, tmp_path))
    assert list(tmp_path.iterdir()) == []
    process.kill()
    process.communicate()


def test_an_error_in_the_standard_input_names_it():
    done = shell('"$@"', "bench", "-", input=ROWS + "1,2,3\n")
    assert done.returncode == 1
    assert "<stdin>, line 1002" in done.stderr
    assert "/proc" not in done.stderr


def test_a_script_stops_when_its_command_is_interrupted(tmp_path):
    # A shell goes on after a command that exits with 130, but not after one that died of SIGINT.
    process = subprocess.Popen(
        ["bash", "-c", '"$@"; echo went on', "bash", *COMMAND, "count", "-"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
        env={**os.environ, "TMPDIR": str(tmp_path)},
    )
    wait_until(lambda: any(has_copy(child, tmp_path) for child in descendants(process.pid)))
    os.killpg(process.pid, signal.SIGINT)
    stdout, stderr = process.communicate()
    assert (process.returncode, stdout) == (-signal.SIGINT, "")
    assert stderr.strip() == "csvfeed: interrupted"


@pytest.mark.parametrize("module", ["csvfeed.command", "numpy", "csvfeed.dataset", "csvfeed.cli"])
def test_ctrl_c_while_the_command_is_imported_gives_no_traceback(path, module):
    command = [sys.executable, "-X", "importtime", "-m", "csvfeed", "count", path]
    process = subprocess.Popen(command, stderr=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    # Python says of each module that it has been imported.
    for line in process.stderr:
        if line.split()[-1] == module:
            break
    process.send_signal(signal.SIGINT)
    _, stderr = process.communicate()
    assert process.returncode in (0, -signal.SIGINT)  # It may have been quicker.
    assert "Traceback" not in stderr
    assert "KeyboardInterrupt" not in stderr
