"""Forms of numbers: percentages, currencies, exponents with a D, hexadecimal numbers, 1.#INF."""

import itertools
import json
import pickle
from fractions import Fraction

import numpy as np
import oracle
import pytest
from conftest import SMALL, equal
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed

NAN = float("nan")


def read_one(text, **options):
    """Return the values of a column ``x``, whose fields stand one to a line."""
    ds = csvfeed.CsvDataset(b"x\n" + text, target=None, **options)
    return np.concatenate([X[:, 0] for (X,) in ds])


def bits(value):
    """Return the bits of the float32 nearest to a fraction."""
    found = oracle.round_to_float32(abs(value)) if value else 0
    return found | (oracle.SIGN if value < 0 else 0)


@pytest.mark.parametrize(
    ("form", "fields", "expected"),
    [
        ("percent", ["12.5%", "-7 %", '"50%"', " .5% ", "0%"], [0.125, -0.07, 0.5, 0.005, 0]),
        ("currency", ["$5", "(5.00)", "5 EUR", "- £.5", '"US$ 5"', "5"], [5, -5, 5, -0.5, 5, 5]),
        ("fortran", ["1.5D+03", "-2d-1", "3E1", "4"], [1500, -0.2, 30, 4]),
        ("hex", ["0x1F", "-0Xff", "12", '"0x0"'], [31, -255, 12, 0]),
        ("msvc", ["1.#INF", "-1.#INF00", "2.5"], [np.inf, -np.inf, 2.5]),
    ],
)
@pytest.mark.parametrize("how", ["all", "name", "index"])
def test_each_form_is_read_where_it_is_said(form, fields, expected, how):
    text = "".join(f"{field}\n" for field in fields).encode()
    said = {"all": form, "name": {"x": [form]}, "index": {0: form}}[how]
    found = read_one(text, numbers=said, header=True)
    np.testing.assert_array_equal(found, np.array(expected, np.float32))
    with pytest.raises(csvfeed.NumberError, match=f'it is one with numbers={{"x": "{form}"}}'):
        read_one(text, header=True)


def test_columns_without_a_form_are_read_as_ever(features):
    rows = features(b"a,b,c\n1,2%,3\n4,NA,x5\n", numbers={"b": "percent"}, features=["b", "a"])
    equal(rows, [[0.02, 1], [NAN, 4]])


def test_what_is_missing_is_missing_in_any_form(read):
    text = b"a,y\n$5,1%\nNA,2%\n,3%\n$9,\n$7,?\n"
    numbers = {"a": "currency", "y": "percent"}
    X, y = read(text, numbers=numbers, missing_target="keep", fill={"a": "mean"})
    equal(X, [[5], [7], [7], [9], [7]])
    equal(y, [0.01, 0.02, 0.03, NAN, NAN])
    X, y = read(text, numbers=numbers, missing_target="skip", fill=-1)
    equal(X, [[5], [-1], [-1]])
    with pytest.raises(csvfeed.NumberError, match="the target is missing"):
        read(text, numbers=numbers)


def test_a_token_may_be_a_number_in_a_form(features):
    options = {"missing": ["0%", "-999"], "numbers": "percent"}
    equal(features(b"a,b\n0%,5%\n1%,-999\n", **options), [[NAN, 0.05], [0.01, NAN]])


def test_words_of_microsoft_for_nan_are_missing_where_nan_is(features):
    text = b"a,b\n1.#QNAN,-1.#IND\n1,2\n"
    equal(features(text, numbers="msvc", fill=0), [[0, 0], [1, 2]])
    equal(features(text, numbers="msvc", fill=0, missing=[]), [[NAN, NAN], [1, 2]])
    stats = csvfeed.CsvDataset(text, numbers="msvc", target=None).stats()
    assert (stats["a"].count, stats["a"].missing) == (1, 1)


@pytest.mark.parametrize(
    ("field", "options", "message"),
    [
        ("$1,234", {}, 'numbers={"x": "currency"}, thousands="," (1234)'),
        ("€ 1.234,50", {}, 'numbers={"x": "currency"}, decimal=",", thousands="." (1234.5)'),
        ("12.5", {"numbers": "percent"}, 'numbers={"x": ["percent", "plain"]} (12.5)'),
        ("$5", {"numbers": "percent"}, 'numbers={"x": ["percent", "currency"]} (5)'),
        ("1,234%", {"numbers": {"x": "percent"}}, 'thousands="," (12.34)'),
        ("five", {"numbers": "currency"}, "not a number of the form that numbers= says (currency)"),
        ("$nan", {"numbers": "currency"}, "is text, categories="),
        ("1F", {"numbers": "hex"}, "(hex)"),
        ("5\0", {"numbers": "hex"}, "NUL"),
    ],
)
def test_a_field_of_another_form_is_an_error_that_names_it(field, options, message):
    with pytest.raises(csvfeed.NumberError) as caught:
        read_one(f"{field}\n".encode(), delimiter=";", header=True, **options)
    assert message in str(caught.value)
    assert (caught.value.text, caught.value.line, caught.value.byte_offset) == (field, 2, 2)


def test_wrong_fields_are_left_out_if_that_is_said():
    text = b"x,y\n5%,1\n5,2\n6%,x\n$7,3\n8%,4\n"
    ds = csvfeed.CsvDataset(text, numbers={"x": "percent"}, on_error="skip", batch_size=1)
    with pytest.warns(RuntimeWarning, match="3 rows"):
        found = [X.item() for X, y in ds]
    np.testing.assert_array_equal(found, np.array([0.05, 0.08], np.float32))
    assert [(error.line, error.text) for error in ds.rejects.first] == [
        (3, "5"),
        (4, "x"),
        (5, "$7"),
    ]


@pytest.mark.parametrize(
    ("options", "error", "message"),
    [
        ({"numbers": "dollars"}, ValueError, "a form in numbers= is one of 'percent'"),
        ({"numbers": {"a": ["hex", "x"]}}, ValueError, "not 'x'"),
        ({"numbers": []}, ValueError, "names no form"),
        ({"numbers": 5}, TypeError, "numbers takes a list of strings"),
        ({"numbers": {"a": {"hex": 1}, 1: 5}}, (TypeError, ValueError), "hex|strings"),
        ({"numbers": {"z": "hex"}}, ValueError, 'numbers= asks for column "z"'),
        ({"numbers": {"b": "hex"}, "features": ["a"]}, ValueError, "which is not read"),
        ({"numbers": {"a": "hex"}, "booleans": ["a"]}, ValueError, "both name column"),
    ],
)
def test_what_makes_no_sense_is_refused(options, error, message):
    with pytest.raises(error, match=message):
        csvfeed.CsvDataset(b"a,b,y\n1,2,3\n", **options)


def test_a_first_row_in_a_form_may_be_data():
    for numbers in ("currency", {0: "currency"}):
        with pytest.raises(csvfeed.CsvError, match="cannot tell whether the first row"):
            csvfeed.CsvDataset(b"$5,6\n$7,8\n", numbers=numbers)
        ds = csvfeed.CsvDataset(b"$5,6\n$7,8\n", numbers=numbers, header=False)
        assert next(iter(ds))[0].tolist() == [[5], [7]]
    assert csvfeed.CsvDataset(b"price,y\n$5,6\n", numbers="currency").columns == ["price", "y"]


def test_a_weight_a_target_and_a_feature_may_have_a_form(read):
    text = b"a,y,w\n5%,$6,0x7\n"
    X, y, w = read(text, target="y", weight="w", numbers=["percent", "currency", "hex"])
    equal(np.column_stack([X, y, w]), [[0.05, 6, 7]])
    numbers = {"a": "percent"}
    both = {"features": ["a"], "target": "a", "allow_target_as_feature": True}
    X, y = read(b"a\n5%\n6%\n", numbers=numbers, **both)
    equal(X[:, 0], y)


@pytest.mark.parametrize("encoding", ["utf-8", "latin-1", "cp1252", "utf-16"])
def test_currencies_in_every_encoding_that_has_them(encoding):
    sign = "£" if encoding == "latin-1" else "€"
    text = f"x\n{sign}5\n5\N{NO-BREAK SPACE}{sign}\n{sign}".encode(encoding) + "6".encode(
        encoding.replace("-16", "-16-le")
    )
    ds = csvfeed.CsvDataset(text, target=None, numbers="currency", encoding=encoding)
    assert next(iter(ds))[0].ravel().tolist() == [5, 5, 6]


def test_escapes_and_forms_meet():
    text = b"\\$5\n$5\n"
    assert read_one(text, numbers="currency", escape="\\").tolist() == [5, 5]


def test_a_form_is_part_of_what_a_state_and_a_pickle_are_of(tmp_path):
    text = tmp_path / "data.csv"
    text.write_bytes(b"a,y\n5,1\n6,2\n")
    ds = csvfeed.CsvDataset(text, numbers={"a": ["hex", "currency"]}, batch_size=1)
    next(iter(ds))
    state = json.loads(json.dumps(ds.state_dict()))
    same = pickle.loads(pickle.dumps(ds))
    same.load_state_dict(state)
    with pytest.raises(ValueError, match="other rows"):
        csvfeed.CsvDataset(text, batch_size=1).load_state_dict(state)
    cached = ds.cache(tmp_path / "cache")
    for _ in range(2):
        assert [X.item() for X, y in cached] == [5, 6]
    assert [X.item() for X, y in csvfeed.CsvDataset(text, batch_size=1)] == [5, 6]


digits = st.text("0123456789", min_size=1, max_size=22)
exponents = st.one_of(st.none(), st.integers(-50, 40))
decimals = st.tuples(
    st.sampled_from(["", "-", "+"]), digits, st.one_of(st.none(), digits), exponents
)


def decimal_of(sign, whole, fraction):
    """Return a decimal as text without its sign and its exponent, and what it is without them."""
    text = whole if fraction is None else f"{whole}.{fraction}"
    value = Fraction(int(whole + (fraction or "")), 10 ** len(fraction or ""))
    return text, -value if sign == "-" else value


@settings(max_examples=examples(300))
@given(
    st.lists(st.tuples(st.sampled_from(["percent", "currency", "fortran"]), decimals), min_size=1),
    st.lists(st.integers(0, 16**34), min_size=1, max_size=5),
    st.sampled_from([".", ","]),
    st.sampled_from([None, 1000, SMALL]),
)
def test_a_number_is_rounded_once_whatever_its_form(numbers, wholes, decimal, memory):
    fields, expected = [], []
    dress = itertools.cycle(["${}", "{} EUR", "€ {}", "US${}", "{}"])
    for form, (sign, whole, fraction, exponent) in numbers:
        text, value = decimal_of(sign, whole, fraction)
        text = sign + text.replace(".", decimal)
        if form == "percent":
            text += f"e{exponent}%" if exponent is not None else "%"
            exponent = (exponent or 0) - 2
        elif form == "fortran":
            text += "" if exponent is None else f"D{exponent:+03d}"
        else:
            exponent = None
            text = next(dress).format(text)
            if sign != "-" and len(text) % 2:
                text, value = f"({text.replace('+', '')})", -value
        value *= Fraction(10) ** (exponent or 0)
        fields.append(text)
        is_negative = value < 0 or (not value and text.lstrip("($€US ").startswith("-"))
        is_negative = is_negative or text.startswith("(")
        expected.append(bits(abs(value)) | (oracle.SIGN if is_negative else 0))
    for whole in wholes:
        fields.append(f"-0x{whole:X}")
        expected.append(bits(Fraction(whole)) | oracle.SIGN)
    text = "".join(f"{field}\n" for field in fields).encode()
    options = {"numbers": ["percent", "plain", "currency", "fortran", "hex"], "header": True}
    found = read_one(text, delimiter=";", decimal=decimal, memory=memory, **options)
    np.testing.assert_array_equal(found.view(np.uint32), np.array(expected, np.uint32))
