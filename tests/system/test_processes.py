"""Tests end, and their child processes with them, however the tests were started."""

import signal
import subprocess
import sys
import textwrap

import pytest
from processes import Watchdog, descendants, python

SLEEPS = "import time; print(1, flush=True); time.sleep(600)"


@pytest.fixture
def nested():
    """Start a child that has a child of its own, which holds the pipe too."""
    code = f"import subprocess, sys; subprocess.run([sys.executable, '-c', {SLEEPS!r}])"
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE)
    process.stdout.readline()
    return process


def test_a_wait_that_takes_too_long_is_ended_for_a_whole_family(nested):
    assert len(descendants(nested.pid)) == 1
    family = {nested.pid, *descendants(nested.pid)}
    watchdog = Watchdog(limit=0.1)
    watchdog.begin()
    watchdog._before -= family
    assert nested.communicate()[0] == b""
    assert nested.returncode == -signal.SIGKILL
    assert family <= set(watchdog.killed)
    watchdog.end()


def test_what_a_test_leaves_behind_is_killed(nested):
    watchdog = Watchdog()
    watchdog.begin()
    watchdog._before.discard(nested.pid)
    watchdog.end()
    assert nested.wait() == -signal.SIGKILL


INNER = """
    import os, signal, subprocess, sys, time
    sys.path.insert(0, {folder!r})
    from processes import give_children_default_signals

    give_children_default_signals()
    child = subprocess.Popen([sys.executable, "-c", {sleeps!r}], stdout=subprocess.PIPE)
    child.stdout.readline()
    os.kill(child.pid, getattr(signal, sys.argv[1]))
    child.stdout.read()
    assert child.wait() == -getattr(signal, sys.argv[1])
"""


@pytest.mark.parametrize("name", ["SIGINT", "SIGTERM", "SIGHUP"])
def test_children_of_tests_that_were_started_with_a_signal_ignored_get_it(name, request):
    folder = str(request.path.parents[1] / "support")
    code = textwrap.dedent(INNER).format(folder=folder, sleeps=SLEEPS)
    script = f'trap "" {name[3:]}; exec "$@"'
    command = ["sh", "-c", script, "sh", sys.executable, "-c", code, name]
    done = subprocess.run(command, check=False, stderr=subprocess.PIPE, text=True, timeout=60)
    assert done.returncode == 0, done.stderr


def test_a_process_that_does_not_end_says_what_it_does():
    code = "import time\nprint('so far', flush=True)\ntime.sleep(600)"
    with pytest.raises(AssertionError, match=r"(?s)so far.*line 3 in <module>"):
        python(code, timeout=5)
