"""The ``csvfeed`` command as a process: signals, standard streams and exit codes."""

from __future__ import annotations

import contextlib
import os
import signal
import sys
from types import FrameType
from typing import NoReturn

from csvfeed.system import ENDING, die_of


class Stopped(SystemExit):
    """A signal asks the process to end."""

    def __init__(self, number: int) -> None:
        super().__init__(128 + number)
        self.number = number


def _is_command() -> bool:
    program = sys.argv[0] if sys.argv else ""
    if program == "-m":  # Python is still looking for the module.
        return any(
            argument == "-mcsvfeed" or (argument == "-m" and following == "csvfeed")
            for argument, following in zip(sys.orig_argv, [*sys.orig_argv[1:], ""], strict=True)
        )
    return os.path.basename(program) in ("csvfeed", "csvfeed.exe")


def run() -> NoReturn:
    """Run the command and end the process with its exit code.

    On SIGINT, SIGTERM or SIGHUP the process removes its temporary files and then dies of that
    signal, so that a calling shell script stops too. A second signal ends it at once.
    """
    _open_what_is_closed()

    from csvfeed.cli import INTERRUPTED, main

    try:
        for number in ENDING:
            if signal.getsignal(number) in (signal.SIG_DFL, signal.default_int_handler):
                signal.signal(number, _stop)
        code = main()
        if code == INTERRUPTED:
            die_of(signal.SIGINT)
        for number in ENDING:
            if signal.getsignal(number) is _stop:
                signal.signal(number, signal.SIG_DFL)
    except Stopped as stopped:
        die_of(stopped.number)
    except KeyboardInterrupt:
        # Before or after the command itself.
        die_of(signal.SIGINT)
    sys.exit(code)


def _stop(number: int, frame: FrameType | None) -> NoReturn:
    signal.signal(number, signal.SIG_DFL)
    if number == signal.SIGINT:
        signal.default_int_handler(number, frame)
    raise Stopped(number)


def _open_what_is_closed() -> None:
    """Open the null device in place of each closed standard stream.

    Otherwise the next file that is opened would take its descriptor, and get the output.
    """
    for descriptor in range(3):
        if not _is_open(descriptor):
            os.open(os.devnull, os.O_RDWR)  # Gets the lowest number that is free.
    if sys.stderr is None:
        sys.stderr = open(os.devnull, "w", encoding="utf-8")  # noqa: SIM115 - for good


def _is_open(descriptor: int) -> bool:
    try:
        os.fstat(descriptor)
    except OSError:
        return False
    return True


def _die_quietly_while_importing() -> None:
    """Let Ctrl-C end the process without a traceback until `run` takes over."""
    if _is_command() and signal.getsignal(signal.SIGINT) is signal.default_int_handler:
        with contextlib.suppress(ValueError):  # Not the main thread.
            signal.signal(signal.SIGINT, signal.SIG_DFL)


# The package imports this module before it imports anything large.
_die_quietly_while_importing()
