"""A place in the epochs of a dataset, to go on from in another process."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any

VERSION = 1
# What a state and a dataset must agree in, and what to say when they do not.
MUST_AGREE = {
    "batch_size": "batch_size={theirs}, where this dataset has {ours}",
    "source": "another file, or with this one before it changed",
    "rows": "other rows: the columns, options, split or shard differ",
}


def describe(description: Mapping[str, Any]) -> str:
    """Return a short sum of whatever JSON can express."""
    text = json.dumps(description, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def check(state: Any, own: Mapping[str, Any]) -> tuple[int, int]:
    """Return the epoch and the batch of a state, which must be of the dataset that ``own`` is of.

    Raises
    ------
    ValueError
        If it is not.
    """
    if not isinstance(state, Mapping) or not own.keys() <= state.keys():
        raise ValueError(f"not a state of a csvfeed dataset: {state!r}")
    if state["version"] != VERSION:
        raise ValueError(f"a state of version {state['version']!r}; this csvfeed has {VERSION}")
    # First of all, since the rows of a shuffle are described by more.
    if (state["seed"] is None) != (own["seed"] is None):
        was, now = ("in file order", "is") if state["seed"] is None else ("shuffled", "is not")
        raise ValueError(f"the state is that of a dataset {was}, and this one {now} shuffled")
    for key, difference in MUST_AGREE.items():
        if state[key] != own[key]:
            what = difference.format(theirs=state[key], ours=own[key])
            raise ValueError(f"the state is that of a dataset with {what}")
    for key in ("epoch", "batch", "seed"):
        number = state[key]
        is_whole = isinstance(number, int) and not isinstance(number, bool)
        if not (key == "seed" and number is None) and not (is_whole and 0 <= number < 2**63):
            raise ValueError(f"the {key} of a state is a whole number, not {number!r}")
    return state["epoch"], state["batch"]
