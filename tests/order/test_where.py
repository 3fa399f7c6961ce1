"""``where``: the rows that meet conditions, decided before their other columns are read."""

import datetime
import json
import pickle

import numpy as np
import pandas as pd
import pytest
from conftest import SMALL
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from numbered import MIXED, NUMBERED, joined, numbered, numbers_of

import csvfeed
from csvfeed import ABSENT, PRESENT

ROWS = 3000
DATA = numbered(ROWS)


def dataset(source=DATA, **options):
    return csvfeed.CsvDataset(source, **{**NUMBERED, **options})


def chosen(data, conditions, **options):
    """Return the numbers of the rows that are chosen, which the column ``n`` has."""
    options = {"features": ["n"], "target": None, **options}
    ds = csvfeed.CsvDataset(data.encode(), **options).where(conditions)
    return ds.rows()[0][:, 0].astype(int).tolist()


def column(values, name="c"):
    """Return a file of numbered rows with a column of these texts."""
    return f"n,{name},z\n" + "".join(f"{n},{value},9\n" for n, value in enumerate(values))


# Against other libraries

NUMBER = st.one_of(
    st.integers(-50, 50).map(str),
    st.floats(-5, 5).map(lambda x: f"{x:.2f}"),
    st.integers(2**24 - 3, 2**24 + 5).map(str),
    st.sampled_from(["0.1", "-0.0", "1e3", "inf", "-inf", "NA", "", "0.1000000001", "16777217"]),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
)
BOUND = st.one_of(
    st.none(),
    st.integers(-60, 60),
    st.floats(-5, 5).map(lambda x: round(x, 2)),
    st.integers(2**24 - 3, 2**24 + 5),
    st.sampled_from([0.1, 0.0, np.float32(0.1), np.int64(7), 1e300, float("inf")]),
)
MEMORY = st.sampled_from([None, SMALL, MIXED])


@settings(max_examples=examples(150))
@given(
    fields=st.lists(NUMBER, min_size=1, max_size=120),
    low=BOUND,
    high=BOUND,
    listed=st.none() | st.lists(BOUND.filter(lambda bound: bound is not None), min_size=1),
    is_read=st.booleans(),
    memory=MEMORY,
)
def test_numbers_are_those_that_numpy_and_pandas_choose(fields, low, high, listed, is_read, memory):
    data = column(fields)
    if listed is None and low is high is None:
        return
    wanted = (low, high) if listed is None else listed
    # A column that is read is compared in float32, rounded once from the text; others in float64.
    kind = np.float32 if is_read else np.float64
    features = ["n", "c"] if is_read else ["n"]
    whole = csvfeed.CsvDataset(data.encode(), features=["n", "c"], target=None).rows()[0]
    values = pd.to_numeric(pd.Series(fields), errors="coerce").to_numpy(np.float64)
    values = whole[:, 1] if is_read else np.where(np.isnan(whole[:, 1]), np.nan, values)

    def as_read(bound):
        # As a field with this text.
        text = str(bound)
        found = csvfeed.CsvDataset(f"{text},0\n".encode(), header=False).rows()[0].item()
        return np.float32(found) if is_read else kind(float(text))

    if listed is None:
        if low is not None and high is not None and float(str(low)) > float(str(high)):
            return
        expected = ~np.isnan(values)
        expected &= True if low is None else values >= as_read(low)
        expected &= True if high is None else values <= as_read(high)
    else:
        expected = np.isin(values, [as_read(one) for one in listed])
    ds = csvfeed.CsvDataset(data.encode(), features=features, target=None, memory=memory)
    ds = ds.where({"c": wanted})
    np.testing.assert_array_equal(ds.rows()[0], whole[expected][:, : len(features)])
    assert ds.num_rows == expected.sum()


LONG = "a long word of text"
WORD = st.sampled_from(
    ["NL", "BE", " NL", "NL ", '"NL"', '" NL "', '"a,b"', '"a ""b"""', "é", "NA", "", LONG, "nl"]
)
MEANS = {" NL": "NL", "NL ": "NL", '"NL"': "NL", '" NL "': "NL", '"a,b"': "a,b"}
MEANS['"a ""b"""'] = 'a "b"'


@settings(max_examples=examples(150))
@given(
    fields=st.lists(st.tuples(WORD, WORD), min_size=1, max_size=80),
    listed=st.lists(st.sampled_from(["NL", "BE", "a,b", 'a "b"', "é", "x", LONG]), min_size=1),
    presence=st.sampled_from([None, PRESENT, ABSENT]),
    is_read=st.booleans(),
    encoding=st.sampled_from(["utf-8", "latin-1"]),
    memory=MEMORY,
)
def test_texts_are_compared_without_quotes_and_spaces(
    fields, listed, presence, is_read, encoding, memory
):
    data = "n,c,d,z\n" + "".join(f"{n},{c},{d},0\n" for n, (c, d) in enumerate(fields))
    table = pd.DataFrame(
        [[MEANS.get(one, one) for one in row] for row in fields], columns=["c", "d"]
    )
    is_chosen = table.c.isin(listed)
    conditions = {"c": listed}
    if presence is not None:
        conditions["d"] = presence
        is_chosen &= table.d.isin(["", "NA"]) == (presence is ABSENT)
    features = ["n", "c"] if is_read else ["n"]
    ds = csvfeed.CsvDataset(
        data.encode(encoding),
        features=features,
        target=None,
        categories={"c": "auto"} if is_read else None,
        encoding=encoding,
        memory=memory,
    )
    whole, some = ds.rows()[0], ds.where(conditions)
    # Codes are those of all rows.
    np.testing.assert_array_equal(some.rows()[0], whole[is_chosen.to_numpy()])


DAY = st.datetimes(datetime.datetime(2024, 1, 1), datetime.datetime(2024, 1, 9))


@settings(max_examples=examples(100))
@given(
    dates=st.lists(DAY, min_size=1, max_size=60),
    low=st.none() | DAY | DAY.map(datetime.datetime.date),
    high=st.none() | DAY | DAY.map(datetime.datetime.date),
    way=st.sampled_from(["unread", "iso", "format"]),
    as_text=st.booleans(),
)
def test_dates_are_those_that_pandas_chooses(dates, low, high, way, as_text):
    if low is high is None:
        return
    form = "%d.%m.%Y %H:%M:%S" if way == "format" else None
    fields = [one.replace(microsecond=0) for one in dates]
    texts = [one.strftime(form) if form else one.isoformat() for one in fields]
    series = pd.Series(pd.to_datetime(fields))
    is_chosen = pd.Series(True, index=series.index)
    if low is not None:
        is_chosen &= series >= pd.Timestamp(low)
    if high is not None:
        end = pd.Timestamp(high)
        # A day is meant as a whole.
        whole = not isinstance(high, datetime.datetime)
        is_chosen &= series < end + pd.Timedelta(days=1) if whole else series <= end
    bounds = tuple(one and one.isoformat() for one in (low, high)) if as_text else (low, high)
    if low is not None and high is not None and pd.Timestamp(low) > pd.Timestamp(high):
        return
    options = {} if way == "unread" else {"dates": {"c": csvfeed.Date("hour", format=form)}}
    features = ["n"] if way == "unread" else ["n", "c"]
    found = chosen(column(texts), {"c": bounds}, features=features, **options)
    assert found == np.flatnonzero(is_chosen).tolist()


def test_a_date_has_its_own_format_and_its_offset():
    data = column(["01.02.2024", "02.01.2024", "03.01.2024", "NA"])
    dates = {"dates": {"c": csvfeed.Date("day", format="%d.%m.%Y")}, "features": ["n", "c"]}
    assert chosen(data, {"c": ("02.01.2024", "2024-01-03")}, **dates) == [1, 2]
    assert chosen(data, {"c": ["2024-02-01", "03.01.2024"]}, **dates) == [0, 2]
    data = column(["2024-01-01T00:30+01:00", "2024-01-01T00:30Z", "2023-12-31T23:30-01:00"])
    assert chosen(data, {"c": ("2024-01-01", None)}) == [1, 2]
    assert chosen(data, {"c": ("2024-01-01T01:30+01:00", None)}) == [1, 2]
    assert chosen(data, {"c": [datetime.date(2023, 12, 31)]}) == [0]


def test_columns_are_compared_as_they_are_read():
    percent = column(["5%", "12.5%", "NA", "7%"])
    for options in (
        {"numbers": {"c": "percent"}, "features": ["n", "c"]},
        {"numbers": ["percent", "plain"]},
    ):
        assert chosen(percent, {"c": (0.05, 0.07)}, **options) == [0, 3]
        assert chosen(percent, {"c": [0.125]}, **options) == [1]
    german = "n;c\n0;1.234,5\n1;0,1\n2;NA\n3;-7\n"
    options = {"delimiter": ";", "decimal": ",", "thousands": "."}
    for features in (["n"], ["n", "c"]):
        found = [
            chosen(german, {"c": wanted}, features=features, **options)
            for wanted in ((0.1, 1234.5), [0.1, -7], ABSENT, PRESENT)
        ]
        assert found == [[0, 1], [1, 3], [2], [0, 1, 3]]
    took = column(["1:30:00", "0:45:00", "2 days", "?"])
    options = {"dates": {"c": csvfeed.Duration("hours")}, "features": ["n", "c"]}
    assert chosen(took, {"c": (1, 48)}, **options) == [0, 2]
    paid = column(["yes", "No", "1", "", "f"])
    for options in ({}, {"booleans": ["c"], "features": ["n", "c"]}):
        assert chosen(paid, {"c": True}, **options) == [0, 2]
        assert chosen(paid, {"c": [False]}, **options) == [1, 4]
    zones = column(["7", "07", "12"])
    options = {"categories": {"c": ["7", "07", "12"]}, "features": ["n", "c"]}
    assert chosen(zones, {"c": [7, 12]}, **options) == [0, 2]
    # A token may be a number, and a form may be NaN.
    coded = column(["-999", "-999.0", "5", "1.#QNAN"])
    options = {"missing": [*csvfeed.MISSING, "-999"], "numbers": ["msvc", "plain"]}
    assert chosen(coded, {"c": (None, 0)}, **options) == [1]
    assert chosen(coded, {"c": ABSENT}, **options) == [0, 3]
    plain = {"missing": ["-999"], "features": ["n", "c"]}
    assert chosen(column(["-999", "-999.0", "5"]), {"c": (None, 0)}, **plain) == [1]


def test_a_column_may_be_a_target_and_its_missing_rows_are_left_out():
    data = column(["1", "", "x", "3"]).encode()
    ds = csvfeed.CsvDataset(data, features=["n"], target="c").where({"c": PRESENT, "n": [0, 1, 3]})
    assert [y.tolist() for _, y in ds] == [[1, 3]]
    # A word in a row that is not chosen is not read.
    assert ds.stats()["c"].count == 2


@pytest.mark.parametrize("memory", [None, SMALL])
def test_a_wrong_value_in_a_row_that_is_not_chosen_is_no_error(memory):
    rows = ["a,1,2", "b,x,3", "a,4,", "a,5,6", "a,6,7", "b,w,8", "a,8,9"]
    data = ("kind,x,y\n" + "\n".join(rows)).encode()
    options = {"features": ["x"], "target": "y", "missing_target": "skip", "memory": memory}
    some = csvfeed.CsvDataset(data, **options).where({"kind": "a"})
    assert some.rows()[0][:, 0].tolist() == [1, 5, 6, 8]
    # A row that is left out, or not chosen, ends a run of rows.
    assert some.windows(2).rows()[0][:, :, 0].tolist() == [[5, 6]]
    wrong = csvfeed.CsvDataset(data.replace(b"a,6", b"a,z"), **options).where({"kind": "a"})
    with pytest.raises(csvfeed.NumberError) as caught:
        next(iter(wrong))
    assert (caught.value.line, caught.value.text) == (6, "z")


# All conditions


@settings(max_examples=examples(60))
@given(data=st.data(), memory=MEMORY, threads=st.integers(1, 3))
def test_all_conditions_hold_in_any_order_and_any_number_of_calls(data, memory, threads):
    rows = data.draw(
        st.lists(
            st.tuples(st.sampled_from("ab"), st.sampled_from(["1", "2", "x", ""])), max_size=60
        )
    )
    text = column([f"{kind},{number}" for kind, number in rows], "kind,number")
    conditions = {"kind": "a", "number": (1, 1)}
    wrong = [n for n, row in enumerate(rows) if row == ("a", "x")]
    right = [n for n, row in enumerate(rows) if row == ("a", "1")]
    options = {"features": ["n"], "target": None, "memory": memory, "threads": threads}
    made = []
    for on_error in ("raise", "skip"):
        ds = csvfeed.CsvDataset(text.encode(), on_error=on_error, **options) if rows else None
        if ds is None:
            return
        items = list(conditions.items())
        made = [
            ds.where(conditions),
            ds.where(dict(reversed(items))),
            ds.where(dict(items[:1])).where(dict(items[1:])),
            ds.where(dict(items[1:])).where(dict(items[:1])),
        ]
        for one in made:
            if wrong and on_error == "raise":
                with pytest.raises(csvfeed.NumberError, match="compares column") as caught:
                    one.num_rows  # noqa: B018
                assert (caught.value.line, caught.value.column_name) == (wrong[0] + 2, "number")
                continue
            assert one.rows()[0][:, 0].tolist() == right
            assert one.rejects.count == len(wrong)
            assert [error.line for error in one.rejects.first] == [n + 2 for n in wrong]


def test_a_field_that_cannot_be_compared_is_an_error_with_its_place():
    for wanted, field, says in (
        ((0, 1), "five", r"'five': not a number. where\(\) compares column .c. with numbers"),
        ((0, 1), "1,5", 'it is one with decimal="," '),
        (True, "maybe", "'maybe': not a boolean"),
        ((datetime.date(2024, 1, 1), None), "31.1.2024", "not a date of ISO 8601"),
        (("2024-01-01", None), "2024-02-30", "no such date"),
        ("x", ' "x"', "a space before a quote"),
    ):
        data = column(["", f'"{field}"' if "," in field else field, "0"])
        with pytest.raises(csvfeed.CsvError, match=says) as caught:
            chosen(data, {"c": wanted})
        assert (caught.value.line, caught.value.column) == (3, 1)
    data = column(["5%", "five"])
    with pytest.raises(csvfeed.NumberError, match=r"numbers= says \(percent\). where\(\) compares"):
        chosen(data, {"c": (0, 1)}, numbers={"c": "percent"}, features=["n", "c"])


def test_rows_that_cannot_be_compared_are_rejects(tmp_path):
    lines = [
        f"{n},{'oops' if n % 10 == 3 else n},{'x' if n % 10 == 7 else 1}\n" for n in range(100)
    ]
    data = ("n,c,y\n" + "".join(lines)).encode()
    options = {"features": ["n"], "target": "y", "on_error": "skip", "batch_size": 7}
    ds = csvfeed.CsvDataset(data, memory=SMALL, **options)
    some = ds.where({"c": (50, None)})
    assert (ds.rejects.count, some.rejects.count) == (10, 20)
    assert some.rejects.by_kind == {"not a number": 20}
    assert [error.line - 2 for error in some.rejects.first] == [
        n for n in range(100) if n % 10 in (3, 7)
    ]
    assert [error.column_name for error in some.rejects.first[:2]] == ["c", "y"]
    path = tmp_path / "rejects.csv"
    assert some.write_rejects(path) == 20
    written = pd.read_csv(path)
    assert written.line.tolist() == [error.line for error in some.rejects.first]
    assert written.row.tolist() == [lines[line - 2].strip() for line in written.line]
    expected = [n for n in range(50, 100) if n % 10 not in (3, 7)]
    with pytest.warns(RuntimeWarning, match="20 rows"):
        found = [X[:, 0].tolist() for X, _ in some]
    assert joined(found) == expected
    # Each row is rejected once, and a part that was drawn before has its own.
    train, held_out = ds.split(0.3)
    counts = [part.where({"c": (50, None)}).rejects.count for part in (train, held_out)]
    assert sum(counts) == 10 + 20
    twice = ds.where({"c": (50, None)}).take(30).where({"n": (60, None)})
    assert twice.rejects.count == 20
    assert twice.rows()[0][:, 0].tolist() == [n for n in expected[:30] if n >= 60]
    for most, place in ((19, 97), (10, 53), (4, 47)):
        limited = csvfeed.CsvDataset(data, max_rejects=most, **options).where({"c": (50, None)})
        with pytest.raises(csvfeed.CsvError, match=f"wrong row number {most + 1}") as caught:
            next(iter(limited))
        assert caught.value.line - 2 == place
        assert limited.rejects.count == 20
    enough = csvfeed.CsvDataset(data, max_rejects=20, **options).where({"c": (50, None)})
    assert enough.num_rows == len(expected)


# With the rest


@pytest.mark.parametrize("memory", [None, MIXED])
def test_conditions_go_with_all_else(memory, tmp_path):
    ds = dataset(memory=memory, batch_size=10, remainder="drop")
    keys = [f"k{key}" for key in range(0, 97, 3)]
    expected = [n for n in range(ROWS) if f"k{n * n % 97}" in keys and 100 <= n <= 2500]
    some = ds.where({"key": keys, "x": (100, 2500)})
    whole = expected[: len(expected) // 10 * 10]
    assert (some.num_rows, len(some)) == (len(expected), len(expected) // 10)
    assert numbers_of(some) == whole
    assert some.rows(3, 6)[1].tolist() == expected[3:6]
    assert [row[0] for row in some.head(2)] == expected[:2]
    assert some.to_pandas()["x"].tolist() == expected
    stats = some.stats()["x"]
    assert (stats.count, stats.min, stats.max) == (len(expected), expected[0], expected[-1])
    shuffled = dataset(memory=memory).where({"key": keys, "x": (100, 2500)}).shuffle(seed=3)
    assert sorted(numbers_of(shuffled)) == expected
    for _ in range(2):
        assert numbers_of(some.cache(tmp_path)) == whole
    for by in (None, "key"):
        parts = [numbers_of(part) for part in shuffled.split(0.3, seed=1, by=by)]
        assert sorted(joined(parts)) == expected
        kept = dataset(memory=memory).split(0.3, seed=1, by=by)[1]
        found = kept.where({"key": keys, "x": (100, 2500)})
        assert numbers_of(found) == sorted({*numbers_of(kept)} & {*expected})
        if by:
            # The same keys are held out of fewer rows.
            assert {n * n % 97 for n in parts[1]} <= {n * n % 97 for n in numbers_of(kept)}
    shares = [numbers_of(shuffled.shard(index, 3)) for index in range(3)]
    assert len({*joined(shares)}) == len(joined(shares)) >= len(expected) - 2
    halves = [some.distribute(index, 2) for index in range(2)]
    assert {*joined(map(numbers_of, halves))} <= {*expected}
    assert numbers_of(ds.distribute(1, 2).where({"key": keys, "x": (100, 2500)})) == numbers_of(
        halves[1]
    )
    assert numbers_of(some.skip(5).take(20)) == expected[5:25]
    assert numbers_of(ds.take(1000).where({"x": (500, None)})) == list(range(500, 1000))


def test_windows_are_over_the_rows_that_are_left():
    kinds = "aabaaaabbaaaaaca"
    data = column(kinds, "kind")
    ds = csvfeed.CsvDataset(data.encode(), features=["n"], target=None)
    for memory in (None, SMALL):
        made = csvfeed.CsvDataset(data.encode(), features=["n"], target=None, memory=memory)
        made = made.where({"kind": "a"}).windows(3)
        found = [X[:, :, 0].tolist() for (X,) in made]
        expected = [[n, n + 1, n + 2] for n in range(len(kinds) - 2) if kinds[n : n + 3] == "aaa"]
        assert joined(found) == expected
    assert ds.windows(3).where({"kind": "a"}).num_rows == len(expected)


def test_parts_of_the_file_without_a_row_are_not_read_again(write):
    path = write(DATA.replace(b"\n2900,", b"\noops,", 1))
    ds = dataset(path, memory=MIXED).where({"y": (None, 100)})
    assert numbers_of(ds) == list(range(101))
    assert numbers_of(ds.shuffle(seed=0)) != list(range(101))
    every = dataset(memory=MIXED).where({"y": (0, None)})
    assert numbers_of(every) == list(range(ROWS))


def test_several_files_may_lack_a_column_or_have_it_in_their_path(tmp_path):
    for year, rows in ((2023, "n,c\n0,5\n1,6\n"), (2024, "c,n\n5,2\n7,3\n")):
        (tmp_path / f"year={year}").mkdir()
        (tmp_path / f"year={year}" / "a.csv").write_text(rows)
    ds = csvfeed.CsvDataset(tmp_path, partitions=True, features=["n"], target=None)

    def found(conditions, ds=ds):
        return ds.where(conditions).rows()[0][:, 0].tolist()

    assert found({"year": 2024}) == [2, 3]
    assert found({"year": (None, 2023), "c": 6}) == [1]
    assert found({"c": [5]}) == [0, 2]
    assert found({"year": ["2023"]}) == [0, 1]
    assert found({"year": ABSENT}) == []
    with pytest.raises(csvfeed.NumberError, match="'2023': not a boolean"):
        found({"year": True})
    several = [b"n,c\n0,5\n1,6\n", b"n\n2\n3\n"]
    union = csvfeed.CsvDataset(several, columns="union", features=["n"], target=None)
    assert found({"c": ABSENT}, union) == [2, 3]
    assert found({"c": (0, 9)}, union) == [0, 1]
    with pytest.raises(csvfeed.CsvError, match="where\\(\\) names column"):
        csvfeed.CsvDataset(several, features=["n"], target=None).where({"c": 5})


def test_conditions_resume_pickle_and_say_what_they_are():
    ds = dataset(batch_size=10)
    conditions = {"x": (None, 2000.5), "key": ["k1", "k4"], 2: PRESENT, "y": [1, 2.5, 3]}
    some = ds.where(conditions)
    text = (
        ".where({'x': (None, 2000.5), 'key': ['k1', 'k4'], 2: csvfeed.PRESENT, 'y': [1, 2.5, 3]})"
    )
    assert repr(some).endswith(text)
    assert repr(pickle.loads(pickle.dumps(some))) == repr(some)
    some = ds.where({"key": ["k1", "k4", "k9"]}).shuffle(seed=0)
    batches = iter(some)
    next(batches)
    state = json.loads(json.dumps(some.state_dict()))
    rest = numbers_of(batches)
    copy = pickle.loads(pickle.dumps(some))
    copy.load_state_dict(state)
    assert numbers_of(copy) == rest
    with pytest.raises(ValueError, match="other rows"):
        ds.where({"key": ["k1", "k4"]}).shuffle(seed=0).load_state_dict(state)


def test_a_file_that_changed_is_an_error(write):
    path = write(DATA)
    some = dataset(path).where({"x": (None, 10)})
    numbers_of(some)
    write(DATA + b"1,k,t,1\n")
    with pytest.raises(csvfeed.SourceChangedError):
        iter(some)


# What makes no sense


@pytest.mark.parametrize(
    ("conditions", "error", "says"),
    [
        ("x > 5", TypeError, "where takes a dict by column"),
        ({}, ValueError, "at least one condition"),
        ({"x": None}, TypeError, "csvfeed.ABSENT asks for no value"),
        ({"x": [1, None]}, TypeError, "csvfeed.ABSENT asks for no value"),
        ({"x": []}, ValueError, "the list of values for column 'x' is empty"),
        ({"x": [1, "a"]}, TypeError, "are numbers and texts: take one of them"),
        ({"x": (1, 2, 3)}, TypeError, r"is a range \(low, high\), and this one has 3"),
        ({"x": (None, None)}, ValueError, "csvfeed.PRESENT asks for any value"),
        ({"x": (1, "a")}, TypeError, "two numbers or two dates"),
        ({"x": (False, True)}, TypeError, "two numbers or two dates"),
        ({"x": float("nan")}, ValueError, "csvfeed.ABSENT asks for no value"),
        ({"x": {"a": 1}}, TypeError, "not with {'a': 1}"),
        ({"x": lambda x: x > 5}, TypeError, "is compared with numbers, texts, dates"),
        ({1.5: 1}, TypeError, r"where\(\) names columns by name or index"),
        ({"x": (5, 1)}, csvfeed.CsvError, "no value is from 5 to 1"),
        ({"x": "a"}, csvfeed.CsvError, 'compares column "x" .* with text, and it is read as num'),
        ({"x": ("2024-01-01", None)}, csvfeed.CsvError, "with dates, and it is read as numbers"),
        ({"x": True}, csvfeed.CsvError, "with truth values, and it is read as numbers"),
        ({"key": (5, "b")}, TypeError, "two numbers or two dates"),
        ({"key": ("a", "b")}, csvfeed.CsvError, '"a" is no date of ISO 8601'),
        ({"key": ["a", "NA"]}, csvfeed.CsvError, '"NA" is read as no value, which csvfeed.ABSENT'),
        ({"key": " "}, csvfeed.CsvError, "is read as no value"),
        ({"user": 1}, csvfeed.CsvError, r'where\(\) asks for column "user"'),
        ({9: 1}, csvfeed.CsvError, r"where\(\) asks for column 9"),
    ],
)
def test_a_condition_that_makes_no_sense_is_refused_at_once(conditions, error, says):
    with pytest.raises(error, match=says):
        dataset().where(conditions)


def test_columns_that_are_read_in_other_ways_refuse_other_values():
    data = b"a,b,c,d,e,y\nx,2024-01-01,yes,1:00:00,1 2,1\n"
    ds = csvfeed.CsvDataset(
        data,
        categories={"a": "auto"},
        lists={"e": csvfeed.List(2)},
        dates={"b": "year", "d": csvfeed.Duration()},
        booleans=["c"],
    )
    for conditions, says in (
        ({"a": (0, 5)}, "with numbers, and it is read as text"),
        ({"a": [1.5]}, "with numbers, and it is read as text"),
        ({"a": True}, "with truth values, and it is read as text"),
        ({"b": 2024}, "with numbers, and it is read as dates"),
        ({"b": "tomorrow"}, '"tomorrow" is no date of ISO 8601'),
        ({"c": "yes"}, "with text, and it is read as booleans: give True or False"),
        ({"d": "1:00:00"}, "with text, and it is read as durations: give numbers"),
        ({"e": (0, 5)}, "with numbers, and it is read as lists: only csvfeed.PRESENT"),
    ):
        with pytest.raises(csvfeed.CsvError, match=says):
            ds.where(conditions)


def test_no_row_may_be_left():
    some = dataset().where({"x": -1})
    assert (some.num_rows, len(some)) == (0, 0)
    assert some.rows()[0].shape == (0, 1)
    for empty in (some, some.shuffle(seed=0)):
        with pytest.raises(csvfeed.CsvError, match="no row is left"):
            iter(empty)
