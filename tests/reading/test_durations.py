"""Durations, and dates with time zones."""

import datetime
import json
import pickle
from fractions import Fraction

import numpy as np
import oracle
import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed
from csvfeed import Date, Duration


def read_one(fields, date, **options):
    """Return the values of a column ``x`` that holds these fields."""
    content = "x\n" + "".join(f"{field}\n" for field in fields)
    ds = csvfeed.CsvDataset(
        content.encode(), delimiter=";", target=None, dates={"x": date}, **options
    )
    return np.concatenate([X[:, 0] for (X,) in ds])


def nearest(value):
    """Return the float32 nearest to a fraction."""
    bits = (oracle.round_to_float32(abs(value)) if value else 0) | (oracle.SIGN if value < 0 else 0)
    return np.array(bits, np.uint32).view(np.float32)


units = {"seconds": 1, "minutes": 60, "hours": 3600, "days": 86400}


@settings(max_examples=examples(200))
@given(
    st.lists(st.timedeltas(datetime.timedelta(-(10**5)), datetime.timedelta(10**5)), min_size=1),
    st.sampled_from([*units]),
    st.sampled_from([None, 1000]),
)
def test_durations_are_read_as_python_and_pandas_print_them(deltas, unit, memory):
    fields, expected = [], []
    for delta in deltas:
        micros = delta // datetime.timedelta(microseconds=1)
        hours, rest = divmod(abs(micros), 3600 * 10**6)
        minutes, rest = divmod(rest, 60 * 10**6)
        clock = f"{'-' * (micros < 0)}{hours:02}:{minutes:02}:{rest // 10**6:02}.{rest % 10**6:06}"
        plus, time = "+" * (delta.days < 0), delta - datetime.timedelta(delta.days)
        pandas = f"{delta.days} days {plus}{time!s:0>8}"
        fields += [str(delta), clock, pandas, f'"{clock}"', f" {clock} "]
        expected += [nearest(Fraction(micros, 10**6 * units[unit]))] * 5
    found = read_one(fields, Duration(unit), memory=memory)
    np.testing.assert_array_equal(found, expected)


def test_pandas_reads_the_same():
    pandas = pytest.importorskip("pandas")
    fields = ["1 days 02:03:04", "-1 days +23:59:55", "-1 days 00:00:00", "00:05:00.25", "2 days"]
    fields += [*map(str, pandas.to_timedelta(fields))]
    expected = pandas.to_timedelta(fields).total_seconds()
    np.testing.assert_array_equal(read_one(fields, Duration()), np.float32(expected))


@pytest.mark.parametrize(
    ("field", "options", "message"),
    [
        ("12:30", {}, r'not a duration: .* Whether 12:30 is .*format="%H:%M"'),
        # 22 hours to pandas 3, 26 hours to earlier ones.
        ("-1 days 02:00:00", {}, r"not a duration: .* -1 days \+02:03:04"),
        ("90", {}, "not a duration: understood are 125:03:07"),
        ("00:61:00", {}, "no such date or time exists"),
        ("12:3", {"format": "%H:%M"}, "125:03 as hours and minutes"),
        ("12:3", {"format": "%M:%S"}, "125:03 as minutes and seconds"),
    ],
)
def test_what_is_no_duration_is_an_error_that_says_what_is(field, options, message):
    with pytest.raises(csvfeed.NumberError, match=message) as caught:
        read_one(["00:00:01", field], Duration(**options))
    assert (caught.value.text, caught.value.line) == (field, 3)


def test_durations_are_refused_by_default():
    with pytest.raises(csvfeed.NumberError, match=r'dates={"x": csvfeed.Duration\(\)} reads them'):
        list(csvfeed.CsvDataset(b"x,y\n125:03:07,1\n"))


def test_a_duration_is_a_feature_a_target_and_missing():
    data = b"a,y\n00:00:05,12:30\n,1:00\nNA,\n"
    dates = {"a": Duration("seconds"), "y": Duration("minutes", format="%H:%M")}
    options = {"dates": dates, "fill": {"a": "mean"}, "missing_target": "skip"}
    ds = csvfeed.CsvDataset(data, **options)
    X, y = next(iter(ds))
    assert (ds.feature_names, ds.target_names) == (["a"], ["y"])
    assert (X.tolist(), y.tolist()) == ([[5], [5]], [750, 60])
    assert ds.stats()["a"].missing == 1
    again = pickle.loads(pickle.dumps(ds))
    assert next(iter(again))[0].tolist() == [[5], [5]]
    state = json.loads(json.dumps(ds.state_dict()))
    other = csvfeed.CsvDataset(data, **{**options, "dates": {**dates, "a": Duration("hours")}})
    with pytest.raises(ValueError, match="other rows"):
        other.load_state_dict(state)


@pytest.mark.parametrize("options", [{"unit": "weeks"}, {"format": "%S"}])
def test_what_makes_no_sense_of_a_duration_is_refused(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))} is one of"):
        Duration(**options)


ZONES = {"EST": -5, "EDT": -4, "CDT": -5, "MST": -7, "MDT": -6, "PST": -8, "PDT": -7}
ZONES |= dict.fromkeys(["Z", "UTC", "GMT", "UT"], 0)


def test_time_zones_of_rfc_2822_are_read():
    fields = [f"1970-01-02 00:00:00 {zone}" for zone in ZONES]
    expected = [86400 - 3600 * hours for hours in ZONES.values()]
    assert read_one(fields, "seconds").tolist() == expected
    date = Date("seconds", format="%d.%m.%Y %H:%M %Z")
    fields = [f"02.01.1970 00:00 {zone.lower()}" for zone in ZONES]
    assert read_one(fields, date).tolist() == expected


def test_offsets_may_stand_after_the_name_of_utc():
    fields = ["GMT+0100", "UTC+01:00", "+01:00", " UTC+01", "GMT-0030"]
    found = read_one([f"1970-01-01T12:00:00{field}" for field in fields], "seconds")
    assert found.tolist() == [39600.0] * 4 + [45000.0]
    date = Date("hour", "seconds", format="%a %b %d %Y %H:%M:%S %z")
    assert read_one(["Thu Jan 01 1970 01:00:07 GMT+0100"], date).tolist() == [1.0]


@pytest.mark.parametrize("zone", ["CET", "CST", "Europe/Berlin", "IST", "A"])
@pytest.mark.parametrize(
    ("text", "date"),
    [
        ("2013-01-31 10:00 {}", "seconds"),
        ("31.01.2013 10:00 {}", Date("seconds", format="%d.%m.%Y %H:%M %Z")),
        ("31.01.2013 10:00 {}", Date("seconds", format="%d.%m.%Y %H:%M %z")),
    ],
)
def test_a_zone_that_is_not_known_is_an_error_that_says_so(zone, text, date):
    with pytest.raises(
        csvfeed.NumberError, match=r"the time zone is not known: .* to UTC"
    ) as caught:
        read_one([text.format(zone)], date)
    assert caught.value.text == text.format(zone)


def test_a_format_says_an_offset_once():
    with pytest.raises(csvfeed.CsvError, match="says the offset twice"):
        read_one(["x"], Date("seconds", format="%Y-%m-%d %Z%z"))
