"""Windows over the rows: samples of several rows that follow one another."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from csvfeed import arguments, other_names
from csvfeed.columns import Column
from csvfeed.order import Windows, WithOrder

if TYPE_CHECKING:
    # Part of typing since Python 3.11; type checkers bring it for 3.10.
    from typing_extensions import Self


class Windowed(WithOrder):
    """The part of ``CsvDataset`` that makes windows over its rows."""

    @property
    @abstractmethod
    def feature_names(self) -> list[str]:
        """Names of the feature columns."""

    @property
    @abstractmethod
    def target_names(self) -> list[str]:
        """Names of the target columns."""

    @other_names.explain(
        other_names.WINDOWS,
        "windows(64), or windows(64, stride=1, horizon=1, by='machine')",
        by_position="windows takes one number by position, the rows of a window. Write "
        "windows({0}, stride={1}) if the other one says how far apart windows begin",
    )
    def windows(
        self,
        length: int,
        *,
        stride: int = 1,
        horizon: int = 0,
        by: Column | Sequence[Column] | None = None,
    ) -> Self:
        r"""Return a dataset whose samples are windows: ``length`` rows that follow one another.

        Iteration yields X of shape (B, length, F), and of each window the target and the weight of
        one row: ``horizon`` rows after its last row. With ``horizon=0``, the default, that is the
        last row itself; with ``horizon=1`` the row after it. ``batch_size``, ``len`` and
        ``num_rows`` count windows. Nothing is copied in the file: csvfeed parses each row once, and
        copies it into the windows of a batch on its threads.

        The rows of a window, up to that of its target, are neighbours in one file. A window never
        goes from one file to the next, past a row that is left out (by ``on_error="skip"``,
        ``missing_target="skip"``, ``where`` or a split), or from one value of ``by`` to another.
        What lies between two such borders is a run. The first window of a run begins with its first
        row, each further one ``stride`` rows later, as long as a window fits. A run that is too
        short has no window. The id of a window is that of the row of its target, or of its last row
        if there is no target.

        Windows go with everything else. ``shuffle`` draws windows at random, of rows that stay in
        the order of the file. ``shard`` and ``distribute`` deal windows. ``cache`` keeps the rows,
        once each, and ``stats`` are those of the rows. A split must not part neighbours, so it goes
        by a key: ``ds.split(0.2, by="machine")``.

        Parameters
        ----------
        length : int
            Rows in a window.
        stride : int, default 1
            Rows from the beginning of a window to that of the next.
        horizon : int, default 0
            Rows from the last row of a window to that of its target.
        by : int, str, or list of these, optional
            Columns that say what a row belongs to, as a machine or a user. Rows of one key follow
            one another in the file: sort it by the key, then by time. Where the key changes, a run
            ends. If the key comes again later in the file, that is a new run, and a RuntimeWarning
            says so once. csvfeed compares values without quotes and the spaces around
            them.

        Returns
        -------
        CsvDataset
            The windows. If ``by`` is given, or rows may be left out, its first use finds the runs
            in a pass over the source.

        Raises
        ------
        CsvError
            If a column of ``by`` does not exist. From iteration: if no window fits.
        TypeError, ValueError
            If an argument is not valid, ``horizon`` is given for a dataset without a target, it is
            0 and a target is a feature too, the dataset has windows already, or it is a random part
            of the rows.

        Notes
        -----
        Of a single run these are the batches of
        ``keras.utils.timeseries_dataset_from_array(data, targets[length - 1 + horizon :],
        sequence_length=length, sequence_stride=stride)``.

        A shuffle may pass over a piece of the file in which no window begins, and so over a wrong
        row in it.

        Examples
        --------
        >>> import csvfeed
        >>> ds = csvfeed.CsvDataset(b"a,y\n1,10\n2,20\n3,30\n4,40\n")
        >>> [(X[..., 0].tolist(), y.tolist()) for X, y in ds.windows(2)]
        [([[1.0, 2.0], [2.0, 3.0], [3.0, 4.0]], [20.0, 30.0, 40.0])]
        >>> [(X[..., 0].tolist(), y.tolist()) for X, y in ds.windows(2, horizon=1)]
        [([[1.0, 2.0], [2.0, 3.0]], [30.0, 40.0])]
        """
        rows = arguments.positive(length, "length")
        windows = Windows(
            rows,
            arguments.positive(stride, "stride"),
            arguments.count(horizon, "horizon"),
            tuple(arguments.columns(by, "by")),
        )
        if self._order.windows is not None:
            raise ValueError(f"{self!r} has windows already: call windows() once")
        if windows.horizon and not self.target_names:
            raise ValueError(
                f"horizon={windows.horizon} says which row has the target of a window, and the "
                "dataset has no target: CsvDataset(..., target=...) names one"
            )
        answers = [name for name in self.target_names if name in self.feature_names]
        if answers and not windows.horizon:
            raise ValueError(
                f"the target {answers[0]!r} is a feature too, and with horizon=0 it is that of the "
                "last row of a window, which would hold the answer: horizon=1 takes it from the "
                "row after the window"
            )
        order = replace(self._order, windows=windows)
        order.check_windows()
        return self._ordered(order)
