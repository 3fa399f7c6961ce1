"""Files whose rows have a class and their own number, and what is to be drawn from them."""

import math

import numpy as np


def labelled(labels):
    """Return rows of about 50 bytes that number themselves in ``x`` and ``y``, with labels."""
    lines = (f"{n},{label},{'text' * 9},{n}\n" for n, label in enumerate(labels))
    return ("x,label,text,y\n" + "".join(lines)).encode()


def drawn(rng, rows, **shares):
    """Return labels in a random order, of which each comes about as often as its share says."""
    share = np.array([*shares.values()], float)
    return rng.choice([*shares], size=rows, p=share / share.sum()).tolist()


def rounded(number):
    """Return the nearest whole number, of halves the larger one."""
    return math.floor(number + 0.5)


def counts_of(labels, numbers):
    """Return how many of some rows are of each class."""
    classes, counts = np.unique([labels[n] for n in numbers], return_counts=True)
    return dict(zip(classes.tolist(), counts.tolist(), strict=True))
