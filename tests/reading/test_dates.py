"""``dates``: dates and times as numbers, beside Python's ``datetime``."""

import datetime as dt
import json
import pickle
from fractions import Fraction

import numpy as np
import oracle
import pytest
from conftest import SMALL
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed
from csvfeed import Date

PARTS = (
    "seconds",
    "days",
    "year",
    "month",
    "day",
    "hour",
    "minute",
    "second",
    "weekday",
    "dayofyear",
)
EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)
NAN = float("nan")


def nearest(value):
    """Return the float32 nearest to an exact number."""
    bits = oracle.round_to_float32(abs(value)) | (oracle.SIGN if value < 0 else 0)
    return np.uint32(bits).view(np.float32)


def utc(moment):
    return moment if moment.tzinfo else moment.replace(tzinfo=dt.timezone.utc)


def parts_of(moment, since=EPOCH):
    """Return all parts of a datetime, as exact as they can be."""
    elapsed = utc(moment) - utc(since)
    micros = (elapsed.days * 86_400 + elapsed.seconds) * 1_000_000 + elapsed.microseconds
    wall = moment.timetuple()
    parts = [moment.year, moment.month, moment.day, moment.hour, moment.minute, moment.second]
    return [
        nearest(Fraction(micros, 1_000_000)),
        nearest(Fraction(micros, 86_400 * 1_000_000)),
        *parts,
        moment.weekday(),
        wall.tm_yday,
    ]


def read_dates(texts, date, **options):
    """Return the parts of some dates, as they stand in a file."""
    rows = "".join(f'{at},"{text}"\n' for at, text in enumerate(texts))
    options = {"target": None, "features": ["t"], "dates": {"t": date}, **options}
    ds = csvfeed.CsvDataset(f"n,t\n{rows}".encode(), header=True, **options)
    return np.concatenate([X for (X,) in ds])


OFFSETS = st.none() | st.integers(-23 * 60 - 59, 23 * 60 + 59).map(
    lambda minutes: dt.timezone(dt.timedelta(minutes=minutes))
)
# An offset may not carry it beyond the years that datetime has.
MOMENTS = st.datetimes(
    dt.datetime(1, 1, 3), dt.datetime(9999, 12, 29, 23, 59, 59, 999_999), timezones=OFFSETS
)
DAYS = st.dates()


# ISO 8601


def iso_forms(moment):
    """Yield ways to write a datetime, and what each holds of it."""
    yield moment.isoformat(), moment
    yield moment.isoformat(" "), moment
    yield moment.isoformat("T", "minutes"), moment.replace(second=0, microsecond=0)
    whole = moment.replace(microsecond=0)
    yield moment.isoformat("T", "seconds"), whole
    yield (
        moment.isoformat("T", "milliseconds"),
        moment.replace(microsecond=moment.microsecond // 1000 * 1000),
    )
    yield f"{moment:%Y%m%dT%H%M%S%z}".rjust(15 + len(f"{moment:%z}"), "0"), whole
    yield f"{moment.date().isoformat()}", dt.datetime.combine(moment.date(), dt.time())
    if moment.tzinfo:
        naive = whole.replace(tzinfo=None)
        yield f"{naive.isoformat()}Z", naive
        yield f"{naive.isoformat(' ')} UTC", naive
        yield f"{naive.isoformat()}+07", naive.replace(tzinfo=dt.timezone(dt.timedelta(hours=7)))


@settings(max_examples=examples(300))
@given(moments=st.lists(MOMENTS, min_size=1, max_size=20), memory=st.sampled_from([None, SMALL]))
def test_iso_dates_are_those_of_datetime(moments, memory):
    forms = [form for moment in moments for form in iso_forms(moment)]
    found = read_dates([text for text, _ in forms], list(PARTS), memory=memory)
    expected = np.array([parts_of(moment) for _, moment in forms], np.float32)
    np.testing.assert_array_equal(found, expected)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("1970-01-01", 0),
        ("1969-12-31T23:59:59.75", -0.25),
        ("2001-09-09 01:46:40Z", 1e9),
        ("1970-01-01T00:00:00.000000001", 1e-9),
        ("1970-01-01T00:00:00,5", 0.5),
        ("1970-01-01T01", 3600),
        ("19700101T0100", 3600),
        ("1970-01-01T01:00+01", 0),
        ("1970-01-01T01:00:00 +0100", 0),
        ("1969-12-31T23:30:00-0030", 0),
        ("1970-01-01t00:00:10z", 10),
        ("1970-01-01T00:00:00.1234567891234", 0.123456789),
    ],
)
def test_seconds_of_iso_dates(text, expected):
    assert read_dates([text], "seconds").tolist() == [[np.float32(expected)]]


@pytest.mark.parametrize(
    "text",
    [
        "2013",
        "2013-01",
        "2013-1-1",
        "2013-0101",
        "201301-01",
        "13-01-01",
        "01/31/2013",
        "2013-01-01T",
        "2013-01-01x05",
        "2013-01-01  05:00",
        "2013-01-01T5:00",
        "2013-01-01T05:0",
        "2013-01-01T05:00:",
        "2013-01-01T05:00:00.",
        "2013-01-01T05:0000",
        "2013-01-01T05:00:00+1",
        "2013-01-01T05:00:00+01:0",
        "2013-01-01T05:00:00Z1",
        "2013-01-01 Monday",
        "05:00",
        "+013-01-01",
        "2013-01-01T05:00:00+01:00x",
        "1357016400",
        "yesterday",
    ],
)
def test_what_is_written_in_another_way_is_an_error(text):
    with pytest.raises(csvfeed.NumberError, match=r"not a date of ISO 8601.*format=.*missing="):
        read_dates(["2013-01-01", text], "day")


@pytest.mark.parametrize(
    "text",
    [
        "2013-02-29",
        "1900-02-29",
        "2013-04-31",
        "2013-00-01",
        "2013-13-01",
        "2013-01-00",
        "0000-01-01",
        "2013-01-01T24:00:00",
        "2013-01-01T23:60",
        "2016-12-31T23:59:60Z",
        "2013-01-01T05:00+24:00",
        "2013-01-01T05:00+0160",
    ],
)
def test_a_date_that_there_is_not_is_an_error(text):
    with pytest.raises(csvfeed.NumberError, match="no such date or time") as caught:
        read_dates(["2013-01-01", text], "day")
    assert (caught.value.line, caught.value.column_name) == (3, "t")
    assert caught.value.text == f'"{text}"'


@pytest.mark.parametrize(
    ("form", "text", "advice"),
    [
        ("%m/%d/%Y", "13/11/2024", ', but format="%d/%m/%Y" reads it, where'),
        ("%d.%m.%Y %H:%M", "11.13.2024 10:00", ', but format="%m.%d.%Y %H:%M" reads it, where'),
        # These are wrong in both.
        ("%m/%d/%Y", "13/32/2024", ". If"),
        ("%Y-%m-%d", "2024-02-30", ". If"),
        ("%d %b %Y", "31 feb 2024", ". If"),
    ],
)
def test_a_day_in_the_place_of_the_month_is_told(form, text, advice):
    data = f"t,y\n{text},1\n".encode()
    with pytest.raises(csvfeed.NumberError) as caught:
        list(csvfeed.CsvDataset(data, dates={"t": csvfeed.Date("day", format=form)}))
    assert f"no such date or time exists{advice}" in str(caught.value)


@settings(max_examples=examples(500))
@given(st.text("0123456789-:T +Z.", max_size=20))
def test_no_text_is_read_as_another_date_than_by_datetime(text):
    try:
        found = read_dates([text], list(PARTS), missing=[])
    except csvfeed.NumberError:
        return
    if not text.strip():
        assert np.isnan(found).all()
        return
    try:
        expected = dt.datetime.fromisoformat(text.strip())
    except ValueError:
        return  # Python 3.10 knows fewer forms, and none of a space before an offset.
    assert found[0, 2:].tolist() == parts_of(expected)[2:]


def test_missing_dates_are_nan_or_filled(read):
    text = b't,y\n2013-01-31,1\n,2\nNA,3\n"",4\n9999-12-31,5\n2013-01-29,6\n'
    options = {"dates": {"t": ["day", "month"]}, "missing": ["NA", "9999-12-31"]}
    for fill, day, month in (
        (None, NAN, NAN),
        (0, 0, 0),
        ("mean", 30, 1),
        ({"t": -1}, -1, -1),
        ({"t.day": 9}, 9, NAN),
        ({"t.day": 9, "t.month": "mean"}, 9, 1),
    ):
        X, _ = read(text, fill=fill, **options)
        expected = [[31, 1], *[[day, month]] * 4, [29, 1]]
        np.testing.assert_array_equal(X, np.float32(expected))
    stats = csvfeed.CsvDataset(text, **options).stats()
    assert list(stats) == ["t.day", "t.month", "y"]
    assert (stats["t.day"].count, stats["t.day"].missing, stats["t.day"].mean) == (2, 4, 30)


# formats


FORMATS = {
    "%Y-%m-%d %H:%M:%S": "second",
    "%d.%m.%Y": "day",
    "%m/%d/%y %I:%M %p": "minute",
    "%d %b %Y %H:%M:%S.%f": "microsecond",
    "%B %d, %Y": "day",
    "%a, %d %b %Y %H:%M:%S %z": "second",
    "%A %Y %j": "day",
    "%Y%m%d%H%M%S": "second",
    "%H%%%M %Y/%m/%d": "minute",
    "%Y-%m-%dT%H:%M:%S.%f%z": "microsecond",
}
CUTS = ("microsecond", "second", "minute", "hour")


def cut(moment, least):
    """Return a datetime without what is smaller than the least part that is written."""
    zeros = CUTS if least == "day" else CUTS[: CUTS.index(least)]
    return moment.replace(**dict.fromkeys(zeros, 0))


@settings(max_examples=examples(300))
@given(
    moments=st.lists(
        st.datetimes(dt.datetime(1969, 1, 1), dt.datetime(2068, 12, 31), timezones=OFFSETS),
        min_size=1,
        max_size=20,
    ),
    form=st.sampled_from(list(FORMATS)),
    change=st.sampled_from([str, str.upper, str.lower]),
)
def test_dates_of_a_format_are_those_of_strptime(moments, form, change):
    if "%z" not in form:
        moments = [moment.replace(tzinfo=None) for moment in moments]
    else:
        moments = [utc(moment) for moment in moments]
    texts = [change(moment.strftime(form)) for moment in moments]
    least = FORMATS[form]
    parts = [part for part in PARTS if least not in ("day", "minute") or part != "second"]
    if least == "day":
        parts = [part for part in parts if part not in ("hour", "minute")]
    found = read_dates(texts, Date(*parts, format=form))
    for moment, text in zip(moments, texts, strict=True):
        assert dt.datetime.strptime(text, form) == cut(moment, least)
    whole = [parts_of(cut(moment, least)) for moment in moments]
    expected = [[row[PARTS.index(part)] for part in parts] for row in whole]
    np.testing.assert_array_equal(found, np.array(expected, np.float32))


@pytest.mark.parametrize(
    ("form", "text", "part", "expected"),
    [
        ("%d/%m/%Y", "1/2/2013", "month", 2),
        ("%b %d %Y", "Jan   5 2013", "day", 5),
        ("%H:%M", "5:07", "minute", 7),
        ("%H:%M", "5:07", "hour", 5),
        ("%I:%M%p", "12:07am", "hour", 0),
        ("%I:%M%p", "12:07PM", "hour", 12),
        ("%I:%M %p", "1:07 pm", "hour", 13),
        ("%m/%d", "02/29", "day", 29),
        ("%d. %B %Y", "1. may 2013", "month", 5),
        ("%y", "69", "year", 1969),
        ("%y", "68", "year", 2068),
        ("%Y %j", "2012 366", "dayofyear", 366),
        ("%Y %j", "2012 60", "day", 29),
        ("%Y-%m-%dT%H:%M:%S%z", "1970-01-01T01:00:00+01:00", "seconds", 0),
        ("%Y-%m-%dT%H:%M:%S%z", "1970-01-01T01:00:00-01", "seconds", 7200),
        ("%S.%f %M %H %d %m %Y", "1.25 0 0 1 1 1970", "seconds", 1.25),
        ("%Y年%m月", "2013年7月", "month", 7),
        (" %H%% ", "5%", "hour", 5),
    ],
)
def test_formats(form, text, part, expected):
    assert read_dates([text], Date(part, format=form)).tolist() == [[expected]]


@pytest.mark.parametrize(
    ("form", "text"),
    [
        ("%d.%m.%Y", "2013-01-31"),
        ("%d.%m.%Y", "31.01.13"),
        ("%d.%m.%Y", "31.01.2013 05:00"),
        ("%d.%m.%Y", "31.01."),
        ("%d.%m.%Y", "x1.01.2013"),
        ("%d.%m.%Y", "31.02.2013"),
        ("%d%m%Y", "1012013"),
        ("%d %b %Y", "31 Juni 2013"),
        ("%d %b %Y", "31Jan 2013"),
        ("%Y %j %d", None),
        ("%Y %j", "2013 366"),
        ("%Y %j", "2013 0"),
        ("%d %I:00 %p", "1 13:00 PM"),
        ("%d %I:00 %p", "1 0:00 PM"),
        ("%d %H", "1 24"),
        ("%d %a", "1 Xyz"),
    ],
)
def test_what_is_not_of_the_format_is_an_error(form, text):
    if text is None:
        with pytest.raises(csvfeed.CsvError, match="says the day twice"):
            read_dates(["x"], Date("day", format=form))
        return
    with pytest.raises(csvfeed.NumberError, match=r"not a date of format=|no such date"):
        read_dates([text], Date("day", format=form))


@pytest.mark.parametrize(
    ("date", "says"),
    [
        (Date("day", format="%Q"), "understood are %Y"),
        (Date("day", format="%d %"), "understood are %Y"),
        (Date("day", format="%d %d"), "the same twice"),
        (Date("day", format="%d %b %m"), "the same twice"),
        (Date("hour", format="%H %I %p"), "the hour twice"),
        (Date("hour", format="%I:%M"), "both %I and %p"),
        (Date("day", format="%H:%M"), "does not say the day"),
        (Date("minute", format="%d.%m.%Y %H"), "does not say the minute"),
        (Date("seconds", format="%d.%m."), "does not say the whole date"),
        (Date("weekday", format="%A"), "does not say the whole date"),
        (Date("days", since="yesterday"), "since=.*is no date"),
        (Date("days", since="31.12.2013"), "since=.*is no date"),
    ],
)
def test_dates_that_cannot_be(date, says):
    with pytest.raises(csvfeed.CsvError, match=f'dates= of column "t": .*{says}'):
        csvfeed.CsvDataset(b"t,y\n1,2\n", dates={"t": date})


# since


@settings(max_examples=examples(200))
@given(moment=MOMENTS, since=MOMENTS)
def test_seconds_and_days_are_counted_from_an_instant(moment, since):
    found = read_dates([moment.isoformat()], Date("seconds", "days", since=since))
    expected = parts_of(moment, since)[:2]
    np.testing.assert_array_equal(found, np.array([expected], np.float32))


def test_since_may_be_a_text_or_a_date():
    found = [
        read_dates(["2013-01-02T12:00"], Date("days", since=since)).item()
        for since in ("2013-01-01", dt.date(2013, 1, 1), dt.datetime(2013, 1, 1))
    ]
    assert found == [1.5] * 3


# columns


TIMES = b"a,t,b,y\n1,2013-01-31 05:00,2,3\n4,2013-12-31 23:59,5,6\n"


def test_a_column_of_dates_becomes_its_parts(read):
    options = {"dates": {"t": ["month", "hour"]}}
    ds = csvfeed.CsvDataset(TIMES, **options)
    assert ds.feature_names == ["a", "t.month", "t.hour", "b"]
    X, y = read(TIMES, **options)
    assert X.tolist() == [[1, 1, 5, 2], [4, 12, 23, 5]]
    assert y.tolist() == [3, 6]
    X, y = read(TIMES, features=["b", "t", "a"], **options)
    assert X.tolist() == [[2, 1, 5, 1], [5, 12, 23, 4]]
    ds = csvfeed.CsvDataset(TIMES, dates={"t": "hour"}, features=["t"])
    assert ds.feature_names == ["t.hour"]
    assert repr(ds).startswith("CsvDataset(<54 bytes>, features=['t.hour']")


def test_a_target_may_be_a_date(read):
    _, y = read(TIMES, features=["a"], target="t", dates={"t": "hour"})
    assert y.tolist() == [5, 23]
    options = {"features": ["a", "t"], "target": ["t", "y"], "dates": {"t": "day"}}
    with pytest.raises(
        csvfeed.CsvError, match=r"names column \"t\" \(index 1\), which is the target"
    ):
        csvfeed.CsvDataset(TIMES, **options)
    ds = csvfeed.CsvDataset(TIMES, **options, allow_target_as_feature=True)
    assert (ds.feature_names, ds.target_names) == (["a", "t.day"], ["t.day", "y"])
    with pytest.raises(csvfeed.CsvError, match="a target has one"):
        csvfeed.CsvDataset(TIMES, target="t", dates={"t": ["day", "hour"]})
    with pytest.raises(csvfeed.CsvError, match="which is the weight"):
        csvfeed.CsvDataset(TIMES, weight="t", dates={"t": "day"})


def test_columns_of_one_name_are_told_apart():
    text = b"t,t,y\n2013-01-31,2014-02-01,1\n"
    options = {"dates": {0: "day", 1: ["day", "year"]}}
    ds = csvfeed.CsvDataset(text, **options)
    assert list(ds.stats()) == ["0.day", "1.day", "1.year", "y"]
    with pytest.raises(csvfeed.CsvError, match="which is the name of a column"):
        csvfeed.CsvDataset(b"t,t.day,y\n1,2,3\n", dates={"t": "day"})
    with pytest.raises(csvfeed.CsvError, match=r'fill= names column "t.day" \(index 0\) twice'):
        csvfeed.CsvDataset(b"t,y\n2013-01-31,1\n", dates={"t": "day"}, fill={"t": 0, "t.day": 1})


def test_orders_and_states_hold_dates(write, tmp_path):
    start = dt.datetime(2013, 1, 1)
    moments = [start + dt.timedelta(hours=7 * at) for at in range(1000)]
    path = write("t,n\n" + "".join(f"{moment},{at}\n" for at, moment in enumerate(moments)))
    options = {"dates": {"t": Date("hour", "weekday", "seconds", since=start)}, "batch_size": 8}
    ds = csvfeed.CsvDataset(path, memory=SMALL, **options)
    expected = np.float32([[m.hour, m.weekday(), (m - start).total_seconds()] for m in moments])
    orders = [
        ds,
        ds.shuffle(seed=1),
        ds.cache(tmp_path),
        pickle.loads(pickle.dumps(ds.shuffle(seed=2))),
    ]
    for order in [*orders, *ds.split(0.3), *(ds.shard(at, 3) for at in range(3))]:
        for X, y in order:
            np.testing.assert_array_equal(X, expected[y.astype(int)])
    batches = iter(ds)
    for _ in range(10):
        next(batches)
    state = json.loads(json.dumps(ds.state_dict()))
    same = csvfeed.CsvDataset(path, memory=SMALL, **options)
    same.load_state_dict(state)
    assert next(iter(same))[1][0] == 80
    other = {**options, "dates": {"t": Date("hour", "weekday", "seconds", since="2013-01-02")}}
    with pytest.raises(ValueError, match="other rows"):
        csvfeed.CsvDataset(path, memory=SMALL, **other).load_state_dict(state)


def test_a_date_is_a_value():
    date = Date("hour", "day", format="%d %H", since=dt.date(2013, 1, 1))
    assert date == Date("hour", "day", format="%d %H", since="2013-01-01")
    assert date == pickle.loads(pickle.dumps(date))
    assert hash(date) == hash(pickle.loads(pickle.dumps(date)))
    assert repr(date) == "Date('hour', 'day', format='%d %H', since='2013-01-01')"
    assert eval(repr(date)) == date
    with pytest.raises(AttributeError):
        date.parts = ()


@pytest.mark.parametrize("parts", [(), ("hours",), ("hour", "hour"), (5,)])
def test_parts_that_cannot_be(parts):
    with pytest.raises(ValueError, match="part"):
        Date(*parts)
    with pytest.raises((TypeError, ValueError), match=r"part|dates"):
        csvfeed.CsvDataset(TIMES, dates={"t": list(parts)})


@pytest.mark.parametrize("dates", ["t", ["t"], {"t": 5}, {"t": None}])
def test_dates_of_a_wrong_type(dates):
    with pytest.raises(TypeError, match="dates"):
        csvfeed.CsvDataset(TIMES, dates=dates)
    with pytest.raises(TypeError, match="format"):
        Date("hour", format=5)
    with pytest.raises(TypeError, match="since"):
        Date("hour", since=5)


def test_parts_may_be_one_list():
    parts = ["month", "weekday"]
    assert csvfeed.Date(parts, format="%d.%m.%Y") == csvfeed.Date(*parts, format="%d.%m.%Y")
