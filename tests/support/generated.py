"""How many examples of generated input the tests take."""

from hypothesis import settings


def examples(count):
    """Return ``count`` if the input is new in each run, and half of it if it is the same again."""
    return count // 2 if settings.default.derandomize else count
