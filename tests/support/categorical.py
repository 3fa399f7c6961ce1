"""Files with a column of text."""

import numpy as np


def file_of(count, seed=0):
    """Return a file whose categories appear late, early, rarely and often."""
    random = np.random.default_rng(seed)
    names = [f"c{number}" if number % 3 else f"a longer name {number}" for number in range(40)]
    chosen = np.minimum(random.geometric(0.08, count) - 1, 39)
    rows = [f"{at},{names[c]},{at % 7}" for at, c in enumerate(chosen)]
    return "\n".join(["row,name,y", *rows]) + "\n", [names[c] for c in chosen]
