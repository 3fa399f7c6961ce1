"""Features and classes that are not those a model was trained on.

A model knows how many features it gets, and not which. So it would take the features of another
file in another order, or with other codes, without a word. So it would other classes of the target.
"""

from __future__ import annotations

import re
import weakref
from dataclasses import dataclass
from typing import Any

from csvfeed.columns import Codes
from csvfeed.train.feed import Feed


@dataclass(frozen=True)
class Features:
    """What a model was trained on.

    Attributes
    ----------
    names : list of str
        The features in their order.
    codes : dict
        See ``Feed.codes_by_name``.
    classes : list
        For each target, its classes as in ``Feed.target_codes_by_name``; None if it has none.
    """

    names: list[str]
    codes: Codes
    classes: list[tuple[int | None, str | None] | None]


class SameFeatures:
    """Compares what a model gets with what ``fit`` trained it on last, in this process."""

    def __init__(self) -> None:
        self._trained: weakref.WeakKeyDictionary[Any, Features] = weakref.WeakKeyDictionary()

    def train(self, model: Any, dataset: Feed) -> None:
        """Note that ``fit`` trains a model on a dataset."""
        classes = _classes(dataset)
        self._trained[model] = Features(dataset.feature_names, dataset.codes_by_name(), classes)

    def require(
        self, model: Any, dataset: Feed, *, as_dict: bool, takes_targets: bool = False
    ) -> None:
        """Raise ValueError if a dataset has other features or classes than a model was trained on.

        Parameters
        ----------
        model : object
            The model, or whatever else predicts.
        dataset : Feed
            What it gets now.
        as_dict : bool
            Whether it gets the features by name, in any order.
        takes_targets : bool, default False
            Whether it gets the targets, too.
        """
        try:
            trained = self._trained.get(model)
        except TypeError:  # It is no model, and has no weak references.
            return
        if trained is None:
            return
        names = dataset.feature_names
        if not as_dict and not _may_be_alike(trained.names, names):
            raise ValueError(
                f"the model was trained on the features {_listed(trained.names)}, and this dataset "
                f"has {_listed(names)}: give CsvDataset(..., features=[...]) with the columns in "
                "the order of training. If the columns only have other names here, header=[...] "
                "names them"
            )
        codes = dataset.codes_by_name()
        for name, trained_codes in trained.codes.items():
            if name in codes and codes[name] != trained_codes:
                raise ValueError(
                    f"the codes of {name!r} differ from those that the model was trained on: give "
                    "this dataset the categories of the other one, CsvDataset(..., "
                    f"categories={{{name!r}: train.vocabulary[{name!r}]}})"
                )
        if takes_targets:
            _compare_classes(trained.classes, dataset)


SAME_FEATURES = SameFeatures()


def _classes(dataset: Feed) -> list[tuple[int | None, str | None] | None]:
    """Return the classes of each target."""
    found = dataset.target_codes_by_name()
    return [found.get(name) for name in dataset.target_names]


def _compare_classes(trained: list[tuple[int | None, str | None] | None], dataset: Feed) -> None:
    own = _classes(dataset)
    if len(own) != len(trained):
        return
    for name, before, now in zip(dataset.target_names, trained, own, strict=True):
        if before is not None and now is not None and before != now:
            raise ValueError(
                f"the classes of {name!r} differ from those that the model was trained on, or have "
                "another order: give this dataset the classes of the other one, CsvDataset(..., "
                f"categories={{{name!r}: train.vocabulary[{name!r}]}})"
            )


def _may_be_alike(one: list[str], other: list[str]) -> bool:
    """Whether the names may be those of the same features. Without a header they are invented."""
    are_named = not any(re.fullmatch(r"column_\d+", name) for name in (*one, *other))
    return one == other or not (are_named or sorted(one) == sorted(other))


def _listed(names: list[str]) -> str:
    shown = ", ".join(map(repr, names[:8]))
    return shown if len(names) <= 8 else f"{shown} and {len(names) - 8:,} more"
