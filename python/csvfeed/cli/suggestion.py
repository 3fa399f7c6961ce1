"""The dataset that a table suggests. csvfeed reads all rows with it before suggesting it."""

from __future__ import annotations

import dataclasses
import math
import warnings
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

import csvfeed
from csvfeed.cli.column_types import MOST_CATEGORIES, Column
from csvfeed.cli.findings import Found
from csvfeed.cli.last_layer import last_layer
from csvfeed.cli.number_forms import example_of_numbers
from csvfeed.cli.terminal import progress, share
from csvfeed.dialect import Dialect
from csvfeed.typeset import SHOWN, cut, shown

_BATCH_SIZE = 256
_MANY = 1 << 17
"""Hash buckets for values that were not counted."""

_MOST_SELDOM = 3
_OFTEN = 10
"""Up to so many values that occur once stand out if all others occur so often."""
_MOST_REASONS = 3


@dataclass
class Suggestion:
    """Options of a dataset, and remarks about them.

    Attributes
    ----------
    options : dict
        The options, without the source.
    notes : dict of str to list of str
        Remarks on some of the options, by name.
    remarks : list of str
        Other remarks: columns that are left out, and why.
    problem : str
        Why csvfeed cannot make a dataset; empty if it can.
    """

    options: dict[str, Any]
    notes: dict[str, list[str]] = field(default_factory=dict)
    remarks: list[str] = field(default_factory=list)
    problem: str = ""


def suggest(found: Found, target: str | None) -> Suggestion:
    """Return the options of a dataset that reads the table. csvfeed has read all rows with them.

    Parameters
    ----------
    found : Found
        The contents of the table.
    target : str or None
        The column to predict, by name or index. None chooses the last suitable one.

    Raises
    ------
    ValueError
        If the column does not exist.
    """
    wanted = column_named(found, target)
    unfit: dict[int, str] = {}
    while True:
        features, chosen = _columns(found, wanted, unfit)
        if not features:
            why = next(iter(unfit.values()), "no column holds what csvfeed reads")
            return Suggestion({}, problem=why)
        suggestion = _suggestion(found, features, chosen, unfit, is_asked_for=wanted is not None)
        try:
            with progress("trying the code", found.bytes):
                _try(found, suggestion, features, chosen)
        except _UnfitError as error:
            if wanted is not None and error.index == wanted.index:
                return Suggestion({}, problem=f"{shown(wanted.name)} is no target: {error.why}")
            if error.index in unfit:
                return Suggestion({}, problem=error.why)
            unfit[error.index] = error.why
        except ValueError as error:
            return Suggestion({}, problem=str(error))
        else:
            return suggestion


class _UnfitError(Exception):
    """A column cannot be read as suggested."""

    def __init__(self, index: int, why: str) -> None:
        super().__init__(index, why)
        self.index = index
        self.why = why


def _columns(
    found: Found, wanted: Column | None, unfit: dict[int, str]
) -> tuple[list[Column], Column | None]:
    """Return the features, and the target or None."""
    fit = [column for column in found.columns if column.index not in unfit and _is_clear(column)]
    useful = [column for column in fit if not column.note]
    # Code that reads useless columns is better than code that reads none.
    useful = useful or [column for column in fit if column.kind != "empty"] or fit
    likely = [column for column in useful if _may_be_target(column)] or useful
    chosen = wanted or (likely[-1] if likely else None)
    if wanted is not None and not _is_clear(wanted):
        unfit[wanted.index] = wanted.note
        return [], None
    features = [column for column in useful if column is not chosen]
    if chosen is not None and not features:
        return [chosen], None
    return features, chosen


def _is_clear(column: Column) -> bool:
    """Whether csvfeed knows how to read a column."""
    return not column.is_asked_about


def _may_be_target(column: Column) -> bool:
    has_classes = len(column.values) <= MOST_CATEGORIES and not column.has_more
    return column.kind not in ("date", "list") and (not column.is_text or has_classes)


def _suggestion(
    found: Found,
    features: list[Column],
    chosen: Column | None,
    unfit: dict[int, str],
    *,
    is_asked_for: bool,
) -> Suggestion:
    names = keys(found.columns)
    read = [*features, *([chosen] if chosen else [])]
    options: dict[str, Any] = {"target": None if chosen is None else names[chosen.index]}
    notes: dict[str, list[str]] = {}
    if chosen is None:
        notes["target"] = ["there is but one column to read"]
    elif not is_asked_for:
        is_last = chosen.index == len(found.columns) - 1
        guess = "the last column" if is_last else "a guess"
        notes["target"] = [f"{guess}; --target names another one"]
    if len(read) < found.width:
        options["features"] = [names[column.index] for column in features]
    options.update(_meanings(read, names, chosen))
    texts = [column for column in read if column.is_text]
    if said := [said for column in texts for said in (*_numbers(column), *_seldom(column))]:
        notes["categories"] = said
    options["batch_size"] = _BATCH_SIZE
    notes.update(found.notes)
    options.update(_written(found.reading))
    if found.holes:
        if any(column.name in found.holes for column in found.columns):
            # Else the first row would seem to hold values.
            options.setdefault("header", True)
        options["missing"] = [*csvfeed.MISSING, *found.holes]
        notes["missing"] = _tokens(found)
    if chosen and missing_of(found, chosen):
        _skip_rows_without_target(found, options, notes, chosen)
    if found.rejects:
        options["on_error"] = "skip"
    left_out = [column for column in found.columns if column not in read]
    remarks = [
        f"left out: {cut(column.name, SHOWN)} ({unfit.get(column.index) or column.note})"
        for column in left_out
        if column.note or column.index in unfit
    ]
    if found.rejects and "short_rows" not in options:
        remarks += _short_rows(found)
    return Suggestion(options, notes, remarks)


def _written(reading: dict[str, Any]) -> dict[str, Any]:
    """Return the options for how the files are written, without those that equal the default."""
    plain = {one.name: one.default for one in dataclasses.fields(Dialect)}
    plain["header"] = "auto"
    return {name: value for name, value in reading.items() if value != plain[name]}


def _short_rows(found: Found) -> list[str]:
    """Return a remark if rows lack fields at their end: whether these are missing is a choice."""
    width = len(found.columns)
    short = sum(0 < len(row) < width for _, row in found.sample.odd_rows)
    if not short:
        return []
    rows = "a row has" if short == 1 else f"{short:,} rows have"
    return [
        f'{rows} too few fields: short_rows="fill" reads those that lack at the end as missing; '
        "only do so if no field is lost in the middle"
    ]


def _meanings(read: list[Column], names: list[str | int], target: Column | None) -> dict[str, Any]:
    """Return the options for columns that are not numbers."""
    made: dict[str, Any] = {}
    texts = [column for column in read if column.is_text]
    if texts:
        made["categories"] = {
            names[column.index]: "auto" if column is target else _codes(column) for column in texts
        }
    truths = [names[column.index] for column in read if column.kind == "boolean"]
    if truths:
        made["booleans"] = truths
    dates = [column for column in read if column.kind == "date"]
    if dates:
        made["dates"] = {names[c.index]: _parts(c, is_target=c is target) for c in dates}
    durations = {names[one.index]: csvfeed.Duration() for one in read if one.kind == "duration"}
    if durations:
        made["dates"] = {**made.get("dates", {}), **durations}
    forms = {names[column.index]: column.form for column in read if column.form}
    if forms:
        made["numbers"] = forms
    lists = {names[column.index]: column.lists for column in read if column.lists}
    if lists:
        made["lists"] = lists
    return made


def _numbers(column: Column) -> list[str]:
    """Return a remark on text that looks like numbers, which categories do not compare."""
    example = example_of_numbers(column.values, has_marks=_codes(column) == "auto")
    if not example:
        return []
    return [
        f"{shown(column.name)} looks like numbers, such as {shown(example)}, and is read as names: "
        "decimal=, thousands= and numbers= may read it"
    ]


def _seldom(column: Column) -> list[str]:
    """Return a remark on values that occur once where all others occur often."""
    once = sorted(value for value, count in column.values.items() if count == 1)
    often = [count for count in column.values.values() if count > 1]
    if not column.counted or not 0 < len(once) <= _MOST_SELDOM or min(often, default=0) < _OFTEN:
        return []
    names, verb = " and ".join(map(shown, once)), "occurs" if len(once) == 1 else "occur"
    mistake = "is it a spelling mistake" if len(once) == 1 else "are they spelling mistakes"
    return [f"{names} {verb} once in {shown(column.name)}: {mistake}?"]


def _codes(column: Column) -> str | int:
    """Return "auto" for few values, otherwise twice as many hash buckets as values."""
    if column.has_more:
        return _MANY
    if len(column.values) <= MOST_CATEGORIES:
        return "auto"
    return int(1 << (2 * len(column.values) - 1).bit_length())


def _parts(column: Column, *, is_target: bool) -> str | list[str] | csvfeed.Date:
    parts = ["year", "month", "day", "weekday", *(["hour"] if column.has_time else [])]
    if is_target:
        # A model predicts one number.
        parts = ["days"]
    if column.format:
        return csvfeed.Date(*parts, format=column.format)  # type: ignore[arg-type]
    return parts[0] if is_target else parts


def _tokens(found: Found) -> list[str]:
    """Return remarks on the words read as missing values, and how often they occur."""
    rows = len(found.sample.rows)
    said = []
    for column in found.columns:
        for word, count in column.tokens.items():
            often = f"in {share(count, rows)} of the rows" if count and rows else "in some rows"
            said.append(
                f"{shown(word)} is read as missing: it stands {often} of {shown(column.name)}"
            )
    return said


def _skip_rows_without_target(
    found: Found, options: dict[str, Any], notes: dict[str, list[str]], target: Column
) -> None:
    options["missing_target"] = "skip"
    count = missing_of(found, target)
    of = found.counted if target.counted else found.rows
    part = f"{share(count, of)} of the rows have" if count else "some rows have"
    notes["missing_target"] = [f"{part} no target and are left out"]


def _try(
    found: Found, suggestion: Suggestion, features: list[Column], chosen: Column | None
) -> None:
    """Read all rows as suggested, and add remarks that only this can give.

    Raises
    ------
    _UnfitError
        If a column cannot be read so.
    ValueError
        If no row can.
    """
    options, notes = suggestion.options, suggestion.notes
    while True:
        source = found.paths[0] if len(found.paths) == 1 else found.paths
        try:
            with warnings.catch_warnings():
                # A remark reports the rows that are left out.
                warnings.simplefilter("ignore", RuntimeWarning)
                dataset = csvfeed.CsvDataset(source, **options)
                stats = list(dataset.stats().values())
                break
        except csvfeed.CsvError as error:
            at = error.column
            is_target = chosen is not None and at == chosen.index
            if chosen is not None and is_target and "missing_target" not in options:
                _skip_rows_without_target(found, options, notes, chosen)
                continue
            if at is not None and (is_target or any(at == column.index for column in features)):
                raise _UnfitError(at, error.message) from None
            raise
    if not dataset.num_rows:
        if chosen is not None:
            raise _UnfitError(chosen.index, "no row has a value of it")
        raise ValueError("no row is left")
    read = list(zip(dataset._reader.columns_read, dataset._reader.kinds, stats, strict=True))
    for index, kind, one in read:
        if not one.count and kind != "category":
            raise _UnfitError(index, "it has no values in the rows that are read")
    if "on_error" in options:
        _tell_of_rejects(dataset, options, notes)
    if chosen is not None and chosen not in features:
        classes = dataset.classes_of(0) if chosen.is_text else None
        suggestion.remarks[:0] = last_layer(chosen, found.stats.get(chosen.index), classes)
    _fill(found, read[: len(dataset.feature_names)], options, notes)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        next(iter(csvfeed.CsvDataset(source, **options)))


def _fill(
    found: Found,
    features: Sequence[tuple[int, str, csvfeed.ColumnStats]],
    options: dict[str, Any],
    notes: dict[str, list[str]],
) -> None:
    """Add the option for missing features, and a remark. Categories have a code for them."""
    coded = ("category", "multi_hot")
    holed = [(at, one) for at, kind, one in features if one.missing and kind not in coded]
    if not holed:
        return
    options["fill"] = "mean" if all(math.isfinite(one.mean) for _, one in holed) else 0.0
    names = dict.fromkeys(found.columns[at].name for at, _ in holed)
    who = f"{len(names)} features have" if len(names) > 1 else f"{shown(next(iter(names)))} has"
    notes["fill"] = [f"{who} missing values"]


def _tell_of_rejects(
    dataset: csvfeed.CsvDataset, options: dict[str, Any], notes: dict[str, list[str]]
) -> None:
    """Add a remark on how many rows are left out, and why."""
    rejects = dataset.rejects
    if not rejects:
        # The bad fields are in columns that the dataset does not read.
        del options["on_error"]
        return
    total = dataset.num_rows + rejects.count
    rows = "1 row is" if rejects.count == 1 else f"{rejects.count:,} rows are"
    notes["on_error"] = [f"{rows} wrong and left out, {share(rejects.count, total)} of all:"]
    for kind, count in list(rejects.by_kind.items())[:_MOST_REASONS]:
        place = ""
        if example := rejects.example(kind):
            column = "" if example.column_name is None else f", column {shown(example.column_name)}"
            place = f", as in line {example.line}{column}"
        notes["on_error"].append(f"  {count:,} {kind}{place}")


def column_named(found: Found, target: str | None) -> Column | None:
    """Return the column of a name or an index."""
    if target is None:
        return None
    for column in found.columns:
        if column.name == target:
            return column
    try:
        return found.columns[int(target)]
    except (ValueError, IndexError):
        names = ", ".join(column.name for column in found.columns)
        raise ValueError(f"there is no column {target!r}, only {names}") from None


def missing_of(found: Found, column: Column) -> int:
    """Return how many fields of a column are missing in the sampled rows."""
    stats = found.stats.get(column.index)
    return column.missing if stats is None or column.kind == "text" else stats.missing


def keys(columns: list[Column]) -> list[str | int]:
    """Return a key for each column: its name, or its index if other columns have that name."""
    names = [column.name for column in columns]
    return [name if names.count(name) == 1 else at for at, name in enumerate(names)]
