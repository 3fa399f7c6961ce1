"""Advice on what to install if a trainer is missing."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

_EXTRAS = {
    "keras": "pip install 'csvfeed[tensorflow]', or 'csvfeed[jax]', or 'csvfeed[torch]' and keras",
    "tensorflow": "pip install 'csvfeed[tensorflow]'",
    "grain": "pip install 'csvfeed[grain]'",
    "ray": "pip install 'csvfeed[ray]'",
    "pyarrow": "pip install 'csvfeed[ray]'",
    "jax": "pip install 'csvfeed[jax]'",
    "torch": "pip install 'csvfeed[torch]'",
}


@contextmanager
def extra() -> Iterator[None]:
    """Add the install command to the error if an import does not find a trainer."""
    try:
        yield
    except ModuleNotFoundError as error:
        install = _EXTRAS.get(error.name or "")
        if install is None:
            raise
        raise ModuleNotFoundError(f"{error.msg}: {install}", name=error.name) from None
