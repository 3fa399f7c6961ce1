"""The interpreter that imports csvfeed. A process may have several."""

from __future__ import annotations

import contextlib
import importlib
from typing import Any


def _require_main() -> None:
    """Raise ImportError in a sub-interpreter.

    NumPy and the core have one state for the whole process, and a thread of the core that calls
    Python gets the main interpreter.
    """
    interpreters = _interpreters()
    if interpreters is not None and interpreters.get_current() != interpreters.get_main():
        raise ImportError(
            "csvfeed runs in the main interpreter of a process alone, and this is a "
            "sub-interpreter: use threads or processes instead, as in ThreadPoolExecutor or "
            "ProcessPoolExecutor in place of InterpreterPoolExecutor. Threads read in parallel, "
            "with and without the GIL",
            name="csvfeed",
        )


def _interpreters() -> Any:
    """Return the module that knows the interpreters; None if this Python has none."""
    for name in ("_interpreters", "_xxsubinterpreters"):  # Since Python 3.13, and before.
        with contextlib.suppress(ImportError):
            return importlib.import_module(name)
    return None


# The package imports this module before it imports anything that has one state for the process.
_require_main()
