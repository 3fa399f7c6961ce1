"""Folds of the rows, for cross-validation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from csvfeed import arguments, other_names
from csvfeed.choices import Fold
from csvfeed.columns import Column
from csvfeed.order import Order, WithOrder

if TYPE_CHECKING:
    # Part of typing since Python 3.11; type checkers bring it for 3.10.
    from typing_extensions import Self


class Folded(WithOrder):
    """The part of ``CsvDataset`` that deals its rows to folds."""

    @other_names.explain(
        other_names.FOLDS,
        "folds(5, seed=0) deals the rows to five folds",
        by_position="folds takes one number by position, how many folds there are. Write "
        "folds({0}, seed={1}) if the other one is a seed",
    )
    def folds(
        self,
        count: int,
        *,
        seed: int = 0,
        by: Column | None = None,
        stratify: Column | None = None,
    ) -> list[tuple[Self, Self]]:
        r"""Return a pair of datasets for each fold: the other rows, and the rows of the fold.

        Each row is in exactly one fold, so each is held out once. The folds differ by at most one
        row. csvfeed deals them evenly, 256 rows at a time, so that each fold has rows from all over
        the file. They are the same in every run; they do not depend on the batch size, the threads,
        the memory or a shuffle. csvfeed writes nothing: each dataset reads the source and skips the
        other rows.

        Parameters
        ----------
        count : int
            How many folds there are, at least 2.
        seed : int, default 0
            Seed of the draw.
        by : int or str, optional
            A column of text: rows with the same value are in the same fold. Each value falls into
            any fold with the same probability, so the folds differ in size. csvfeed compares values
            without quotes and the spaces around them.
        stratify : int or str, optional
            A column whose text is the class of a row, as in ``split``. The folds then differ by at
            most one row in each class, and by at most one row in all.

        Returns
        -------
        list of tuple of CsvDataset
            ``count`` pairs ``(train, held_out)``. With ``by`` or ``stratify``, the first use of
            each dataset finds its rows in a pass over the source.

        Raises
        ------
        CsvError
            If the column does not exist. From the first use: if the column of ``stratify`` has more
            than 10,000 different values.
        TypeError, ValueError
            If an argument is not valid, both ``by`` and ``stratify`` are given, the rows are
            repeated by ``balance``, or a dataset of ``windows`` is split without ``by``.

        Notes
        -----
        Without ``by`` and ``stratify``, each 256 rows are shuffled as in ``shuffle`` and dealt to
        the folds like cards; the next 256 go on with the fold after the last one. With ``by``, the
        xxh3 hash of the value and the seed decides.

        Examples
        --------
        >>> import csvfeed
        >>> ds = csvfeed.CsvDataset(b"x,y\n" + b"1,2\n" * 10)
        >>> [(train.num_rows, held_out.num_rows) for train, held_out in ds.folds(4)]
        [(7, 3), (7, 3), (8, 2), (8, 2)]
        """
        folds = arguments.positive(count, "count")
        if folds < 2:
            raise ValueError("folds are at least 2: a single one would leave no row to train on")
        number = arguments.seed(seed)
        key, label = arguments.key_or_class(by, stratify)

        def order(fold: int, *, held_out: bool) -> Order:
            chosen = self._order.with_part(Fold(fold, folds, number, held_out, key, label))
            chosen.check_windows()
            return chosen

        return [
            (
                self._ordered(order(fold, held_out=False)),
                self._ordered(order(fold, held_out=True)),
            )
            for fold in range(folds)
        ]
