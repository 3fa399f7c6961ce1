"""Classes of equal size, or of sizes in a given proportion."""

from __future__ import annotations

import math
import operator
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal, SupportsFloat

from csvfeed import arguments, other_names
from csvfeed.choices import Balance
from csvfeed.columns import Column
from csvfeed.order import WithOrder

if TYPE_CHECKING:
    # Part of typing since Python 3.11; type checkers bring it for 3.10.
    from typing_extensions import Self


class Balanced(WithOrder):
    """The part of ``CsvDataset`` that makes its classes equally frequent."""

    @other_names.explain(
        other_names.BALANCE,
        'balance("label", method="undersample")',
        by_position="balance takes one column by position, the one that holds the classes. Write "
        "balance({0}, method={1}) if the other argument says how",
        choices={
            "method": "balance() lacks method=, which says how classes become equally frequent: "
            'method="undersample" leaves out rows of the frequent classes, method="oversample" '
            "repeats rows of the rare ones"
        },
    )
    def balance(
        self,
        by: Column,
        *,
        method: Literal["undersample", "oversample"],
        ratio: float | Mapping[Any, float] = 1.0,
        seed: int = 0,
    ) -> Self:
        r"""Return a dataset whose classes are equally frequent, or as frequent as ``ratio`` says.

        The class of a row is the text of the column ``by``, as the file writes it, without quotes
        and the spaces around it: ``1`` and ``1.0`` are two classes. Rows whose class is missing are
        a class of their own.

        ``method="undersample"`` leaves out rows: no class gets more rows than it has.
        ``method="oversample"`` repeats rows: no class gets fewer, and each row of a class comes
        equally often, or once more. The rows that are left out, or come once more, are drawn at
        random by the seed, once for all epochs. Every number is exact: ``num_rows`` and ``len``
        count what an epoch yields.

        Rows stay in the order of the file, and the copies of a row follow one another. So
        ``shuffle`` after it: a shuffle mixes copies like all other rows, among the rows that fit
        into ``memory`` at once.

        Parameters
        ----------
        by : int or str
            The column that holds the classes. It may be text, and need not be read otherwise.
        method : {"undersample", "oversample"}
            Whether to leave out rows of the frequent classes, or to repeat those of the rare ones.
        ratio : float or dict of str to float, default 1.0
            How many rows the rarest class has at least for each row of the most frequent one,
            above 0 and at most 1. With ``n`` rows in a class, ``low`` in the rarest and ``high`` in
            the most frequent one, a class gets ``min(n, round(low / ratio))`` rows, or by
            oversampling ``max(n, round(high * ratio))``. A dict gives each class a number, as in
            ``{"0": 3, "1": 1}`` for three rows of class 0 for each of class 1; None stands for the
            missing class. A class with the number ``w`` gets ``round(s * w)`` rows, and at least
            one, where ``s`` is the smallest ``n / w`` of all classes, or by oversampling the
            largest. ``round`` rounds halves up.
        seed : int, default 0
            Seed of the draw.

        Returns
        -------
        CsvDataset
            The rows. Their first use counts the classes, in two passes over the source.

        Raises
        ------
        CsvError
            If the column does not exist. From the first use: if the column has more than 10,000
            different values, a class has no number in ``ratio`` or a number has no class, or rows
            would come more than 1,000 times.
        TypeError, ValueError
            If an argument is not valid, ``method`` is not given, rows are repeated already, or the
            dataset has ``windows``, whose rows are neighbours. Split before you repeat rows: copies
            of one row could be in both parts.

        Notes
        -----
        Each row has a random number, of SplitMix64 (Steele, Lea and Flood 2014), which depends on
        the seed and the place of the row. The rows of a class that stay, or come once more, are
        those with the lowest numbers.

        Examples
        --------
        >>> import csvfeed
        >>> ds = csvfeed.CsvDataset(b"x,y\n1,a\n2,a\n3,a\n4,b\n", target=None, features=["x"])
        >>> [X.tolist() for (X,) in ds.balance("y", method="oversample")]
        [[[1.0], [2.0], [3.0], [4.0], [4.0], [4.0]]]
        >>> ds.balance("y", method="undersample", ratio=0.5).num_rows
        3
        """
        column = arguments.column(by, "by")
        how = arguments.choice(method, ("undersample", "oversample"), "method")
        step = Balance(column, _ratio(ratio), how == "oversample", arguments.seed(seed))
        order = self._order.with_part(step)
        order.check_windows()
        return self._ordered(order)


def _ratio(value: Any) -> float | tuple[tuple[str, float], ...]:
    """Return the bound of the ratio, or the number of each class."""
    if isinstance(value, Mapping):
        if not value:
            raise ValueError("ratio= is an empty dict: it gives each class a number")
        shares: dict[str, float] = {}
        for name, share in value.items():
            label = _class(name)
            if label in shares:
                raise ValueError(f"ratio= has two numbers for the class {label!r}")
            shares[label] = _number(share, f"the number of class {label!r} in ratio=", math.inf)
        return tuple(shares.items())
    return _number(value, "ratio", 1.0)


def _class(name: Any) -> str:
    """Return the text of a class."""
    if name is None:
        return ""
    if isinstance(name, str):
        return name
    if isinstance(name, bool) or not hasattr(name, "__index__"):
        raise TypeError(
            f"ratio= names classes by their text in the file, as in {{'0': 3, '1': 1}}, "
            f"not by {name!r}"
        )
    return str(operator.index(name))


def _number(value: Any, name: str, most: float) -> float:
    """Return a number above 0."""
    range_of = f"above 0 and at most {most:g}" if most < math.inf else "above 0"
    if isinstance(value, (bool, str)) or not isinstance(value, SupportsFloat):
        raise TypeError(f"{name} is a number {range_of}, not {value!r}")
    number = float(value)
    if not 0 < number <= most or math.isinf(number):
        raise ValueError(f"{name} is a number {range_of}, not {value!r}")
    return number
