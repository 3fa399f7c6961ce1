"""Tables that hypothesis writes, and what `csvfeed inspect` must do with each of them.

``python tests/support/inspected.py 100000`` tries so many and tells what became of them.
"""

import contextlib
import io
import itertools
import os
import sys
import tempfile
import warnings
from collections import Counter

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from csvfeed.cli.findings import find
from csvfeed.cli.report import as_json, show
from csvfeed.cli.snippet import snippet
from csvfeed.cli.suggestion import suggest
from csvfeed.typeset import width_of

_WORDS = (
    "NA",
    "",
    "-",
    "T",
    "PA",
    "unknown",
    "No phone service",
    "\\N",
    "1.#INF",
    "?",
    "n/a",
    "nan",
)
_COLUMNS = {
    "integer": st.integers(-20, 10**6).map(str),
    "digit": st.integers(0, 9).map(str),
    "number": st.floats(allow_nan=True, allow_infinity=True).map(repr),
    "decimal": st.decimals(-1000, 1000, places=2).map(str),
    "german": st.decimals(0, 10**6, places=2).map(lambda n: f"{n:,}".translate({44: 46, 46: 44})),
    "money": st.decimals(0, 10**4, places=2).map(lambda n: f"{n:,} €".translate({44: 46, 46: 44})),
    "tags": st.lists(st.sampled_from(["red", "big", "new"]), max_size=3).map("|".join),
    "boolean": st.sampled_from(["yes", "no", "True", "FALSE", "0", "1", "t", "F"]),
    "date": st.dates().map(str),
    "time": st.datetimes().map(lambda when: str(when)[:19]),
    "day first": st.dates().map(lambda day: f"{day.day:02}/{day.month:02}/{day.year:04}"),
    "month first": st.dates().map(lambda day: f"{day.month}/{day.day}/{day.year:04}"),
    "category": st.sampled_from(["red", "green", "blue", "new york", "a,b", "it's"]),
    "text": st.text(max_size=12),
    "word": st.sampled_from(_WORDS),
    "list": st.lists(st.integers(0, 255), min_size=4, max_size=4).map(lambda one: str(one)[1:-1]),
    "embedding": st.lists(st.floats(-1, 1), min_size=2, max_size=2).map(str),
    "constant": st.just("7"),
    "empty": st.just(""),
}
_NAMES = st.one_of(
    st.sampled_from(["id", "x", "y", "name", "a b", "", "date", "x.year", "class", "x", "1"]),
    st.text(max_size=6),
)


@st.composite
def tables(draw):
    """The bytes of a file that is a table, more or less."""
    kinds = draw(st.lists(st.sampled_from(sorted(_COLUMNS)), min_size=1, max_size=6))
    count = draw(st.one_of(st.integers(1, 6), st.integers(7, 40)))
    spoilt = draw(st.sampled_from([0, 0, 1, 4]))
    columns = []
    for kind in kinds:
        fields = [draw(_COLUMNS[kind]) for _ in range(min(count, 12))]
        column = list(itertools.islice(itertools.cycle(fields), count))
        if draw(st.booleans()):
            # Enough rows that some of them come again.
            column = sorted(column)
        for _ in range(spoilt):
            column[draw(st.integers(0, count - 1))] = draw(st.sampled_from(_WORDS))
        columns.append(column)
    rows = [list(row) for row in zip(*columns, strict=True)]
    if draw(st.booleans()):
        rows.insert(0, [draw(_NAMES) for _ in kinds])
    for _ in range(draw(st.sampled_from([0, 0, 0, 1, 2]))):
        at = draw(st.integers(0, len(rows) - 1))
        rows[at] = rows[at][: draw(st.integers(0, len(kinds)))] + draw(st.sampled_from([[], ["9"]]))
    delimiter = draw(st.sampled_from(",,,;\t| "))
    end = draw(st.sampled_from(["\n", "\r\n"]))
    quotes = draw(st.sampled_from(["as needed", "as needed", "always", "never"]))

    def field(text):
        is_special = any(special in text for special in (delimiter, '"', "\n", "\r"))
        if quotes == "always" or (quotes == "as needed" and is_special):
            return '"' + text.replace('"', '""') + '"'
        return text

    text = end.join(delimiter.join(map(field, row)) for row in rows)
    text = draw(st.sampled_from(["", "", "", "# made today\n", "Report\n\n"])) + text
    text += draw(st.sampled_from([end, end, "", "Total"]))
    return text.encode(draw(st.sampled_from(["utf-8", "utf-8", "utf-16", "cp1252"])), "replace")


def check(path):
    """Inspect a file, read it with the code that is suggested, and say what became of it.

    These are the steps of `csvfeed inspect`, which ends with what they raise.
    """
    try:
        found = find([path], {})
    except (ValueError, OSError):
        return "refused"
    code = snippet([path], suggest(found, None))
    as_json(found, code)
    with contextlib.redirect_stdout(io.StringIO()) as shown:
        show(found, code, everything=False)
    table, _, code = shown.getvalue().partition("import csvfeed\n")
    assert all(width_of(line) <= 80 for line in table.splitlines()), table
    names = {}
    exec(f"import csvfeed\n{code}", names)
    if "ds" not in names:
        assert "# no code reads this table" in table, table
        return "no code"
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", RuntimeWarning)
        rows = sum(len(batch[0]) for batch in names["ds"])
    assert 0 < rows <= found.rows + found.rejects.count
    if "on_error" not in code and "missing_target" not in code:
        assert rows == found.rows + found.rejects.count
    if "on_error" in code:
        assert "wrong and left out" in code
    return "read"


def check_bytes(content):
    """Do the same with a file of that content."""
    with tempfile.TemporaryDirectory() as directory:
        path = os.path.join(directory, "table.csv")
        with open(path, "wb") as file:
            file.write(content)
        return check(path)


def try_many(count):
    """Try so many tables, and return what became of how many."""
    tally = Counter()

    @settings(max_examples=count, deadline=None, database=None, suppress_health_check=HealthCheck)
    @given(tables())
    def go(content):
        tally[check_bytes(content)] += 1

    go()
    return tally


if __name__ == "__main__":
    print(dict(try_many(int(sys.argv[1]))))
