"""Rows to look at, or to take by their place: as arrays, as a table, as a DataFrame."""

from __future__ import annotations

import html
import math
from abc import ABC, abstractmethod
from typing import TYPE_CHECKING

import numpy as np

from csvfeed import _core, arguments, other_names
from csvfeed.columns import unique
from csvfeed.epochs import Epochs
from csvfeed.fill import Fill
from csvfeed.head import Head, Value
from csvfeed.options import Options
from csvfeed.order import Order
from csvfeed.outputs import Array, Arrays, Batch
from csvfeed.source import shown as shown_source
from csvfeed.urls import is_url

if TYPE_CHECKING:
    import pandas as pd


class Look(ABC):
    """The part of ``CsvDataset`` that gives its rows by their place, in the order of the source."""

    epochs: Epochs
    _fill: Fill
    _options: Options
    _order: Order
    _reader: _core.Reader

    @abstractmethod
    def _row_by_row(self, *, cached: bool) -> Epochs:
        """Return epochs of the same rows in the order of the source. Each row is a batch."""

    def rows(self, start: int = 0, stop: int | None = None) -> Batch:
        r"""Return the rows from ``start`` to before ``stop`` as arrays.

        They are counted in the order of the source, among the rows of this dataset: those of its
        split or shard. After ``windows``, they are windows. A shuffle does not change them, and a
        distributed dataset has those of all processes. The dataset does not move. The first call
        for rows after the first one counts all rows, in a pass over the source; a complete
        ``cache()`` knows them. csvfeed reads the rows that were asked for and some before and after
        them, so ask for thousands at a time.

        Parameters
        ----------
        start, stop : int, optional
            As in a slice, but not negative. Rows beyond the end are left out. The default is all
            rows, which then are in memory.

        Returns
        -------
        tuple of numpy.ndarray
            ``(X,)``, ``(X, y)`` or ``(X, y, w)`` as in a batch of ``stop - start`` rows, each
            C-contiguous float32. With ``target`` as a dict, y and w are dicts.

        Raises
        ------
        ValueError
            If ``start`` or ``stop`` is no whole number of at least 0.
        CsvError, OSError
            As iteration does.

        Examples
        --------
        >>> import csvfeed
        >>> ds = csvfeed.CsvDataset(b"a,y\n1,0\n2,0\n3,1\n4,1\n")
        >>> X, y = ds.rows(1, 3)
        >>> X.tolist(), y.tolist()
        ([[2.0], [3.0]], [0.0, 1.0])
        """
        first = arguments.count(start, "start")
        end = None if stop is None else arguments.count(stop, "stop")
        epochs = self._row_by_row(cached=True)
        arrays = _read(epochs, first, end)
        return arrays if epochs.outputs is None else epochs.outputs.give(arrays)

    @other_names.explain(
        other_names.HEAD, "head(5)", by_position="head takes a number of rows, as in head(5)"
    )
    def head(self, n: int = 5) -> Head:
        r"""Return the first rows, with names, to look at them.

        They are the first ones in the order of the source, among the rows of this dataset: those of
        its split or shard, whether or not it is shuffled or distributed. The dataset does not move.
        The values are those of batches: ``fill`` has filled them. A category is shown as its text.

        The first call on a split or shard counts the rows in a pass over the source. So do "auto"
        ``categories`` and the means of ``fill``, unless they are known.

        Parameters
        ----------
        n : int, default 5
            How many rows, at least 1. A dataset with fewer gives all of them.

        Returns
        -------
        Head
            It prints as a table. ``rows`` and ``columns`` have the values and their names, and
            ``head["column"]`` the values of a column.

        Raises
        ------
        CsvError, OSError, ValueError
            As iteration does; or if ``n`` is not a whole number of at least 1, or the dataset has
            windows in place of rows.

        Examples
        --------
        >>> import csvfeed
        >>> data = b"city,size,y\nBern,,0\nGraz,2.5,1\n"
        >>> csvfeed.CsvDataset(data, categories={"city": "auto"}).head()
        city  size  y
        Bern   NaN  0
        Graz   2.5  1
        """
        self._refuse_windows("head")
        count = arguments.positive(n, "n")
        arrays = _read(self._row_by_row(cached=bool(self._order.steps)), 0, count)
        reader = self._reader
        features, targets = len(reader.feature_names), len(reader.target_names)
        words = dict(reader.vocabularies()) if "category" in reader.kinds else {}
        columns = [column for array in arrays for column in _wide(array).T]
        shown: dict[tuple[str, int, str], list[Value]] = {}
        # Some weights are 1, and in no column of the file.
        for place, (at, name) in enumerate(
            zip(reader.columns_read, reader.names_read, strict=True)
        ):
            role = "feature" if place < features else "weight"
            role = "target" if features <= place < features + targets else role
            known = words.get(at) if reader.kinds[place] == "category" else None
            # Several outputs may share a column.
            key = (role, place if role == "feature" else at, name)
            shown.setdefault(key, _shown(columns[place], known, role == "feature"))
        roles, _, names = map(list, zip(*shown, strict=True))
        return Head(names, list(zip(*shown.values(), strict=True)), roles)

    def to_pandas(self, n: int | None = None) -> pd.DataFrame:
        """Return the first rows, or all of them, as a DataFrame of pandas.

        They are the rows of ``rows(0, n)``: in the order of the source, whether or not the dataset
        is shuffled. All of them take 4 bytes a value, and they must fit in memory.

        Parameters
        ----------
        n : int, optional
            How many rows, at least 1. The default is all rows of this dataset.

        Returns
        -------
        pandas.DataFrame
            A float32 column for each feature, each target and each weight, by name. If two have the
            same name, the second gets ``.1`` after it. Missing values are NaN, unless ``fill`` has
            filled them. Categories are codes, and targets of ``categories`` are classes: in
            ``ds.vocabulary`` is what they stand for. With ``one_hot``, each class has a column.

        Raises
        ------
        ImportError
            If pandas is not installed.
        CsvError, OSError, ValueError
            As iteration does; or if ``n`` is not a whole number of at least 1, or the dataset has
            windows in place of rows.
        """
        self._refuse_windows("to_pandas")
        try:
            import pandas as pd
        except ModuleNotFoundError as error:
            if error.name != "pandas":
                raise
            raise ModuleNotFoundError(
                "to_pandas() needs pandas: pip install pandas", name="pandas"
            ) from None
        epochs = self._row_by_row(cached=True)
        arrays = _read(epochs, 0, None if n is None else arguments.positive(n, "n"))
        frames = [pd.DataFrame(array, copy=False) for array in epochs.columns(arrays)]
        frame = pd.concat(frames, axis=1)
        frame.columns = pd.Index(unique(epochs.column_names))
        return frame

    def _repr_html_(self) -> str:
        """Return what notebooks show: facts, and the first rows if no pass must find them."""
        rows = self.epochs.known_rows
        counted = "rows" if self._order.windows is None else "windows"
        facts = {
            "source": shown_source(self._options.source) + str(self._order),
            counted: "not counted yet" if rows is None else f"{rows:,}",
            "batch size": f"{self._options.batch_size:,}",
            "features": _listed(self._reader.feature_names),
            "target": _listed(self._reader.target_names) or "none",
        }
        lines = [
            f'<tr><th style="text-align: left">{name}</th>'
            f'<td style="text-align: left">{html.escape(fact)}</td></tr>'
            for name, fact in facts.items()
        ]
        return "\n".join(
            ["<div>", "<b>CsvDataset</b>", "<table>", *lines, "</table>", self._first()]
        )

    def _refuse_windows(self, method: str) -> None:
        if self._order.windows is not None:
            raise ValueError(
                f"{method}() shows rows, and this dataset has windows over them: call it before "
                "windows(), or take rows(0, 5), which gives windows as arrays"
            )

    def _first(self) -> str:
        """Return the first rows for a notebook, or why they are not shown."""
        if self._order.windows is not None:
            return "<p><code>ds.rows(0, 5)</code> has the first windows as arrays.</p></div>"
        if not self._is_at_hand():
            return "<p><code>ds.head()</code> shows the first rows. It reads the source.</p></div>"
        try:
            return f"{self.head()._repr_html_()}</div>"
        except (OSError, ValueError) as error:
            return f"<pre>{html.escape(f'{type(error).__name__}: {error}')}</pre></div>"

    def _is_at_hand(self) -> bool:
        """Whether no pass, no network and no stream stand before the first rows."""
        parts, categories = self._options.source, self._options.values.categories or {}
        is_local = all(isinstance(part, bytes) or _is_path(part) for part in parts)
        has_words = "auto" not in categories.values() or bool(self._reader.found_vocabularies())
        steps = self._order.steps
        needs_pass = any(step.needs_pass for step in steps)
        is_chosen = not steps or (self.epochs.known_rows is not None and not needs_pass)
        return is_local and has_words and is_chosen and self._fill.is_known


def _read(epochs: Epochs, start: int, stop: int | None) -> Arrays:
    count = (epochs.num_rows if stop is None else stop) - start
    shapes = epochs.row_shapes
    found = next(epochs.open(0, start, count), None) if count > 0 else None
    if found is None:
        return tuple(np.empty((0, *shape), np.float32) for shape in shapes)
    # A padded dataset has weights for its padding, and there is none here.
    return found[: len(shapes)]


def _wide(array: Array) -> Array:
    """Return an array with a column for each value of a row."""
    return array if array.ndim == 2 else array[:, None]


def _shown(values: Array, words: list[str] | None, is_feature: bool) -> list[Value]:
    """Return the values of a column as people read them. ``words`` are those of categories."""
    # The shortest number that means this float32.
    numbers: list[Value] = [float(str(value)) for value in values]
    if words is None:
        return numbers
    shown: list[Value] = []
    for number, value in zip(numbers, values, strict=True):
        # The codes of a feature begin at 1, with 0 for what is unknown or missing; classes at 0.
        at = value - is_feature
        if 0 <= at < len(words):
            shown.append(words[int(at)])
        else:
            # A code that fill= gives may have no name.
            shown.append(math.nan if at < 0 else number)
    return shown


def _is_path(part: object) -> bool:
    return isinstance(part, str) and not is_url(part)


def _listed(names: list[str]) -> str:
    shown = [*names[:20], *([f"... {len(names) - 20:,} more"] if len(names) > 20 else [])]
    return ", ".join(shown)
