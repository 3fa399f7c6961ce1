"""Decimal signs and thousands separators."""

import numpy as np
import pytest
from conftest import equal

import csvfeed

NAN = float("nan")


def test_a_decimal_comma_is_one_where_it_is_said(features):
    text = b'a;b;c\n1,5;-2,25e1;1\n,5;5,;nan\n "1,5"; 1,5 ;inf\n'
    with pytest.raises(csvfeed.QuoteError, match="skip_initial_space=True") as caught:
        features(text, delimiter=";", decimal=",")
    assert caught.value.line == 4
    equal(
        features(text.replace(b' "1,5"', b'"1,5"'), delimiter=";", decimal=","),
        [[1.5, -22.5, 1], [0.5, 5, NAN], [1.5, 1.5, np.inf]],
    )


def test_quoted_numbers_may_hold_the_delimiter(features):
    text = b'a,b\n"1,5","2"\n"1.234,5",3\n'
    equal(features(text, decimal=",", thousands="."), [[1.5, 2], [1234.5, 3]])
    equal(features(b'a,b\n"1,234","2"\n', thousands=","), [[1234, 2]])


@pytest.mark.parametrize("text", ["1,5", "1.234,5"])
def test_a_number_in_another_notation_is_an_error_that_names_it(text):
    advice = {"1,5": 'decimal="," (1.5)', "1.234,5": 'decimal=",", thousands="." (1234.5)'}
    with pytest.raises(csvfeed.NumberError) as caught:
        list(iter(csvfeed.CsvDataset(f"a;b\n1;{text}\n".encode(), delimiter=";")))
    assert advice[text] in str(caught.value)
    assert caught.value.text == text


def test_both_readings_of_a_comma_are_shown():
    with pytest.raises(csvfeed.NumberError) as caught:
        list(iter(csvfeed.CsvDataset(b"a;b\n1;1,234\n", delimiter=";")))
    assert 'decimal="," (1.234), or with thousands="," (1234)' in str(caught.value)


@pytest.mark.parametrize("text", ["1.5", "1.234,5", "1,2,3"])
def test_with_a_decimal_comma_a_dot_is_no_part_of_a_number(text):
    with pytest.raises(csvfeed.NumberError) as caught:
        list(iter(csvfeed.CsvDataset(f"a;b\n1;{text}\n".encode(), delimiter=";", decimal=",")))
    assert caught.value.text == text


GROUPED = [
    "1,234",
    "-1,234,567.5",
    "12,34,567",
    "123",
    "1234",
    "+123,456.",
    "1,234e2",
    " 1,234 ",
    '"1,234"',
]
UNGROUPED = [
    "1,23",
    "1234,567",
    ",123",
    "1,,234",
    "1,234,",
    "1,234.5,6",
    "1,2345",
    "1,2,345",
    "12,345,67",
]


@pytest.mark.parametrize("text", GROUPED)
@pytest.mark.parametrize("sign", [",", "'", "_", " "])
def test_a_separator_stands_between_groups(features, text, sign):
    number = float(text.strip('" ').replace(",", ""))
    field = text.strip().replace(",", sign)
    rows = features(f"a;b\n{field};1\n{field};{field}\n".encode(), delimiter=";", thousands=sign)
    equal(rows, [[number, 1], [number, number]])


# Spaces around a number mean nothing.
MISPLACED = [
    text.replace(",", sign)
    for text in UNGROUPED
    for sign in [",", "'", "_", " "]
    if sign != " " or text.strip(",") == text
]


@pytest.mark.parametrize("field", MISPLACED)
def test_a_separator_anywhere_else_is_an_error(features, field):
    sign = next(byte for byte in field if byte in ",'_ ")
    with pytest.raises(csvfeed.NumberError):
        features(f"a;b\n1;{field}\n".encode(), delimiter=";", thousands=sign)


def test_a_column_may_be_read_twice_with_its_separators(read):
    X, y = read(
        b"a;b\n1.234;2.345\n",
        delimiter=";",
        thousands=".",
        decimal=",",
        features=[0, 1],
        target=[0, 1],
        allow_target_as_feature=True,
    )
    equal(X, [[1234, 2345]])
    equal(y, [[1234, 2345]])


def test_a_missing_token_that_is_a_number_is_written_as_the_others(features):
    options = {"delimiter": ";", "decimal": ",", "thousands": ".", "missing": ["-9.999,5"]}
    equal(features(b"a;b\n-9.999,5;-9999,5\n1;2\n", **options), [[NAN, -9999.5], [1, 2]])
