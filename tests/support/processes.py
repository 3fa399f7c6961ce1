"""Child processes of the tests: they get default signals, and none outlives its test."""

import contextlib
import os
import signal
import subprocess
import sys
import textwrap
import threading
import time
from pathlib import Path

LIMIT = 600
"""Seconds that a test may take before its child processes are killed, so that its waits end.

pytest itself ends when a test takes longer than ``faulthandler_timeout`` in ``pyproject.toml``.
"""


def give_children_default_signals():
    """Undo what this process inherited from its parent, for it and for its children.

    A script that starts a job in the background without job control, and ``nohup``, let it ignore
    signals. A child would inherit that. It does not inherit a handler: ``exec`` resets those.
    """
    signals = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP, signal.SIGQUIT)
    for number in signals:
        if signal.getsignal(number) is signal.SIG_IGN:
            # The tests themselves go on where somebody wanted them to.
            handler = signal.default_int_handler if number == signal.SIGINT else lambda *_: None
            signal.signal(number, handler)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, signals)


def descendants(pid=None):
    """Return the processes that a process has started, and those that they have started."""
    found = []
    for children in Path(f"/proc/{pid or os.getpid()}/task").glob("*/children"):
        with contextlib.suppress(OSError):
            for child in map(int, children.read_text().split()):
                found += [child, *descendants(child)]
    return found


def kill(processes):
    """Kill processes; none of them can be waited for in vain afterwards."""
    for pid in processes:
        with contextlib.suppress(ProcessLookupError):
            os.kill(pid, signal.SIGKILL)


def python(code, *arguments, timeout=120):
    """Run code in a process of its own and return what it prints.

    If it does not end, the test fails with what each thread does.
    """
    command = [sys.executable, "-X", "faulthandler", "-c", textwrap.dedent(code)]
    pipe = subprocess.PIPE
    with subprocess.Popen(
        [*command, *map(str, arguments)], stdout=pipe, stderr=pipe, text=True
    ) as process:
        try:
            output, errors = process.communicate(timeout=timeout)
        except subprocess.TimeoutExpired:
            threads = threads_of(process.pid)
            process.send_signal(signal.SIGABRT)  # On which Python shows its stacks.
            with contextlib.suppress(subprocess.TimeoutExpired):
                process.communicate(timeout=10)
            process.kill()
            output, errors = process.communicate()
            raise AssertionError(
                f"the process did not end in {timeout} s\n{output}\n{errors}\n{threads}"
            ) from None
    assert (process.returncode, errors) == (0, ""), errors
    return output


def threads_of(pid):
    """Return a line for each thread of a process: its name, and what it waits for in the kernel."""
    lines = []
    for task in sorted(Path(f"/proc/{pid}/task").iterdir()):
        with contextlib.suppress(OSError):
            name, place, call = ((task / file).read_text() for file in ("comm", "wchan", "syscall"))
            lines.append(f"{task.name} {name.strip()}: {place} {call.strip()}")
    return "\n".join(lines)


class Watchdog:
    """Kills the child processes of a test that takes too long."""

    def __init__(self, limit=LIMIT):
        self.limit = limit
        self.killed = []
        self._deadline = None
        self._before = None
        self._lock = threading.Lock()
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()

    def begin(self):
        """Watch over a test."""
        with self._lock:
            if self._before is None:
                self._before = set(descendants())
            self._deadline = time.monotonic() + self.limit

    def end(self, *, is_last=True):
        """Kill what tests left behind; until the last one, a fixture of theirs may need it."""
        with self._lock:
            self._deadline = None
            if is_last:
                kill(pid for pid in self._started() if not _serves_python(pid))
                self._before = None

    def _started(self):
        return [pid for pid in descendants() if pid not in self._before]

    def _run(self):
        while True:
            time.sleep(min(1, self.limit / 10))
            with self._lock:
                if self._deadline is not None and time.monotonic() > self._deadline:
                    started = self._started()
                    self.killed += started
                    kill(started)


def _serves_python(pid):
    """Tell whether a process is one that Python keeps for all that follow."""
    try:
        return b"resource_tracker" in Path(f"/proc/{pid}/cmdline").read_bytes()
    except OSError:
        return False
