"""Files whose rows hold their own number, so that an order of rows can be read off a dataset."""

import itertools

import numpy as np

MIXED = 8192
"""As ``memory=`` this gives windows of about 300 rows of `numbered`."""


def numbered(rows, *, start=0):
    """Return rows of about 70 bytes that number themselves in ``x`` and ``y``; ``key`` has 97."""
    lines = (f"{n},k{n * n % 97},{'text' * 14},{n}\n" for n in range(start, start + rows))
    return ("x,key,text,y\n" + "".join(lines)).encode()


NUMBERED = {"features": ["x"], "target": "y"}


def numbers_of(batches):
    """Return the number of each row, of batches that may have weights."""
    found = []
    for X, y, *rest in batches:
        real = np.ones(len(y), bool) if not rest else rest[0] > 0
        np.testing.assert_array_equal(X[real, 0], y[real])
        found += y[real].astype(int).tolist()
    return found


def joined(lists):
    """Return the items of some lists as one."""
    return list(itertools.chain.from_iterable(lists))
