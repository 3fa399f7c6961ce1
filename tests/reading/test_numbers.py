"""Each number is the nearest float32, ties to even, bit for bit."""

import itertools
import random
from decimal import Decimal, localcontext

import numpy as np
import oracle
import pytest
from conftest import SMALL
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed


def read_fields(fields, **options):
    """Read fields as a file of three columns, so that they are first, middle and last in a row."""
    fields = [*fields, *["0"] * (-len(fields) % 3)]
    rows = [",".join(fields[at : at + 3]) for at in range(0, len(fields), 3)]
    text = ("\n".join(rows) + "\n").encode()
    ds = csvfeed.CsvDataset(text, target=None, header=False, **options)
    return np.concatenate([X for (X,) in ds]).ravel()


def check(fields, **options):
    fields = list(fields)
    found = read_fields(fields, **options)[: len(fields)]
    exact = np.array([oracle.number_bits(field.strip(" \t")) for field in fields], np.uint32)
    wrong = (found.view(np.uint32) != exact) & ~(np.isnan(found) & np.isnan(exact.view(np.float32)))
    assert not wrong.any(), [
        f"{fields[at]} is {exact[at]:08x}, not {found.view(np.uint32)[at]:08x}, {found[at]!r}"
        for at in np.flatnonzero(wrong)[:5]
    ]


def test_the_oracle_rounds_as_numpy_does_where_one_rounding_is_enough():
    # Up to 15 digits and no power of ten: float64 is exact, and numpy rounds it once.
    generator = random.Random(1)
    for _ in range(2000):
        value = generator.getrandbits(49) / 2 ** generator.randrange(0, 12)
        bits = oracle.number_bits(f"{Decimal(value):f}")
        assert np.uint32(bits).view(np.float32) == np.float32(value)
    assert oracle.number_bits("340282346638528859811704183484516925440") == 0x7F7F_FFFF
    assert oracle.number_bits("1e-45") == 1
    assert oracle.number_bits("7.006492321624085354618e-46") == 0
    assert oracle.number_bits("7.006492321624085354619e-46") == 1


GOOD = """
0 7 -7 +7 007 -0 +0 0.0 -0.0 00000000000000000000000000000000001 1. -1. +1. .5 -.5 +.5 1.5 0.1 -0.1
1e5 1E5 1e+5 1e-5 1.e5 .5e1 5.e-1 -1.5E+03 1e0 1e00 1e-00 1e0000000000000000000001 0e5 -0e-5
0e99999999999999999999 1e38 3.4e38 1e-38 1e-45 12345678 123456789 1234567890123456 12345678901234567
123456789012345678901234567890 0.1234567890123456789 123456.789012 1.000000000000000000e+00
3.141592653589793238462643383279502884197 8.692932128906250000e-01 16777216 16777217 16777218
16777219 33554433 4294967295 18446744073709551615 18446744073709551616
inf -inf +inf INF Inf infinity -Infinity +INFINITY iNfInItY nan NaN NAN -nan +nan nAn
"""

BAD = """
. + - +. -. e e5 .e5 1e 1e+ 1e- 1e+- 1e5.0 1.2.3 1..2 --1 +-1 -+1 1- 1+ 1-2 1+2 1_000 1'000 0x10 0b1
1f 1d5 1e5e5 \u00bd \uff12 \u0663 infi in infinit nano na n +-inf i 1inf inf1 1e5x x1 1x # $1
(1) true 1j 1e1e 1E 1e1_0 12345678x 1234567812345678x x2345678 1234567x 12345678.1234567x 1;2
1% 1/2 1:2 11111111111111111e 1111111111111111111.e
"""
BAD_WITH_ODD_SPACE = [
    "1 2",
    "- 1",
    "1 e5",
    "1. 5",
    "1\f",
    "\u20091",
    "1\x001",
    "\x00",
    "1\x0b",
    "1\xa0",
]


@pytest.mark.parametrize("field", GOOD.split())
@pytest.mark.parametrize("form", ["{}", " {}", "{}\t", " \t {} \t ", '"{}"', '" {} "', '"\t{}"'])
def test_a_number_is_read(field, form):
    text = form.format(field)
    (found,) = csvfeed.CsvDataset(f"{text},1\n{text},1\n".encode(), header=False, missing=[])
    exact = np.full((2, 1), oracle.number_bits(field), np.uint32).view(np.float32)
    assert oracle.same_floats(found[0], exact)


@pytest.mark.parametrize("field", BAD.split() + BAD_WITH_ODD_SPACE)
@pytest.mark.parametrize("form", ["{}", " {}\t", '"{}"'])
def test_what_is_no_number_is_an_error(field, form):
    assert oracle.number_bits(field.strip(" \t")) is None
    text = form.format(field)
    with pytest.raises(csvfeed.NumberError) as caught:
        list(iter(csvfeed.CsvDataset(f"x,y\n1,2\n{text},3\n".encode(), missing=[])))
    assert (caught.value.line, caught.value.column, caught.value.text) == (3, 0, text)


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("340282356779733661637539395458142568447", 3.4028234663852886e38),
        (
            "340282356779733661637539395458142568448",
            float("inf"),
        ),  # The tie goes to the even neighbour.
        ("-3.5e38", -float("inf")),
        ("1e39", float("inf")),
        ("1e400", float("inf")),
        ("1" + "0" * 500, float("inf")),
        ("1e-46", 0.0),
        ("-1e-46", -0.0),
        ("1.401298464324817e-45", 1.401298464324817e-45),
        ("1.1754943508222875e-38", 1.1754943508222875e-38),
        ("1.1754942106924411e-38", 1.1754942106924411e-38),
        ("0." + "0" * 500 + "1e501", 1.0),
        ("1" + "0" * 500 + "e-500", 1.0),
    ],
)
def test_the_ends_of_the_range(field, value):
    check([field, "-" + field.lstrip("-")])
    found = read_fields([field])[0]
    assert found == np.float32(value)
    assert np.signbit(found) == np.signbit(value)


def test_numbers_that_pandas_and_numpy_round_twice_are_rounded_once():
    # Each lies beside a tie by less than float64 can tell.
    fields = [
        "1.00000005960464477540",
        "1.00000005960464477538",
        "16777217.000000000000001",
        "0.500000029802322387696",
    ]
    check(fields)
    assert read_fields(fields)[0] != np.float32(float(fields[0]))


@pytest.mark.parametrize("count", [1000, 70_000, 700_000])
def test_an_exponent_may_make_up_for_any_number_of_zeros(count):
    small, large = read_fields([f"0.{'0' * count}1e{count + 1}", f"1{'0' * count}e-{count}"])[:2]
    assert (small, large) == (1, 1)


def test_short_decimals_one_by_one():
    fields = []
    for number in range(10_000):
        digits = str(number)
        fields.extend(f"{digits[:at]}.{digits[at:]}" for at in range(len(digits) + 1))
        fields.append(digits)
    check(fields)


def test_short_decimals_at_each_exponent():
    mantissas = ["1", "9", "1.5", "16777217", "0.3", ".7", "33554435", "8.589973e9"]
    check(f"{m}e{e}" for m, e in itertools.product(mantissas[:-1], range(-70, 50)))


@pytest.mark.parametrize("memory", [None, SMALL])
def test_each_length_with_a_dot_at_each_place(memory):
    generator = random.Random(2)
    fields = []
    for length in range(1, 40):
        for place in range(length + 1):
            digits = "".join(generator.choices("0123456789", k=length))
            sign = generator.choice(["", "-", "+"])
            exponent = generator.choice(["", "", "", "e5", "e-7", "E+12", "e-30", "e030", "e-0038"])
            fields.append(f"{sign}{digits[:place]}.{digits[place:]}{exponent}")
            fields.append(f"{sign}{digits}{exponent}")
    check(fields, memory=memory)


def test_decimals_as_programs_write_them():
    generator = random.Random(3)
    fields = []
    for _ in range(2000):
        value = generator.choice(
            [generator.gauss(0, 1), generator.uniform(-1e6, 1e6), generator.expovariate(1e-9)]
        )
        fields += [
            repr(value),
            f"{value:.6f}",
            f"{value:.18e}",
            f"{value:g}",
            f"{value:.0f}",
            str(np.float32(value)),
        ]
    check(fields)


def ties(bits):
    """Return the decimal halfway between a float32 and the next, and one on either side of it."""
    with localcontext() as context:
        context.prec = 400
        low, high = (
            Decimal(2**128)
            if b == oracle.INFINITY
            else Decimal(float(np.uint32(b).view(np.float32)))
            for b in (bits, bits + 1)
        )
        tie = (low + high) / 2
        little = Decimal(1).scaleb(tie.adjusted() - 20 - bits % 30)
        return tie, tie - little, tie + little


finite_bits = st.integers(0, 0x7F7F_FFFF)


@settings(max_examples=examples(60))
@given(st.lists(st.tuples(finite_bits, st.sampled_from(["", "-"])), min_size=1, max_size=20))
def test_ties_go_to_the_even_neighbour_and_what_lies_beside_them_does_not(drawn):
    fields = [
        sign + form.format(value)
        for bits, sign in drawn
        for value in ties(bits)
        for form in ("{:f}", "{:e}", "{:.17e}", "{}")
    ]
    check(fields)


@settings(max_examples=examples(60))
@given(st.lists(finite_bits, min_size=1, max_size=60))
def test_each_float32_survives_being_written_in_full(bits):
    values = np.array(bits, np.uint32).view(np.float32)
    fields = [str(value) for value in values] + [f"{float(value):.18e}" for value in values]
    found = read_fields(fields)[: len(fields)]
    assert oracle.same_floats(found, np.concatenate([values, values]))


digits = st.text("0123456789", min_size=1, max_size=25)
signs = st.sampled_from(["", "", "+", "-"])
exponents = st.one_of(
    st.just(""),
    st.builds("{}{}".format, st.sampled_from(["e", "E", "e+", "e-"]), st.integers(0, 60)),
)
decimals = st.one_of(
    st.builds("{}{}{}".format, signs, digits, exponents),
    st.builds("{}{}.{}{}".format, signs, digits, digits | st.just(""), exponents),
    st.builds("{}.{}{}".format, signs, digits, exponents),
)


@settings(max_examples=examples(150))
@given(st.lists(decimals, min_size=1, max_size=60), st.sampled_from([None, SMALL]))
def test_random_decimals(fields, memory):
    check(fields, memory=memory)


@settings(max_examples=examples(300))
@given(st.text('0123456789.eE+-"/: x_', max_size=26))
def test_random_characters_are_a_number_or_an_error(field):
    bits = oracle.number_bits(field.strip(" \t"))
    ds = csvfeed.CsvDataset(f"{field},1\n".encode(), header=False, target=None, quote=None)
    if bits is not None:
        assert oracle.same_floats(
            next(iter(ds))[0][0, :1], np.array([bits], np.uint32).view(np.float32)
        )
    elif field.strip(" \t"):
        with pytest.raises(csvfeed.NumberError):
            list(ds)
