"""Random tables read as the oracle reads them, whatever the style, the memory and the threads."""

import csv
import io
from dataclasses import dataclass, field
from typing import Any

import numpy as np
import oracle
import pytest
from generated import examples
from hypothesis import assume, given, settings
from hypothesis import strategies as st

import csvfeed

TOKENS = ["NA", "null", "", "NaN", "-999"]

numbers = st.one_of(
    st.integers(-(10**6), 10**6).map(str),
    st.floats(width=32, allow_nan=False).map(str),
    st.floats(allow_nan=False, allow_infinity=False).map(repr),
    st.decimals(-1000, 1000, places=3).map(str),
    st.text("0123456789", min_size=1, max_size=30),
    st.sampled_from(
        ["inf", "-Infinity", "1e-45", "5.", ".5", "+1", "00", "-0", "1e400", "2.50E-07"]
    ),
)
padding = st.sampled_from(["", "", "", "", " ", "\t", "  "])
fields = st.one_of(
    numbers,
    numbers,
    st.sampled_from(TOKENS),
    st.builds("{}{}{}".format, padding, numbers, padding),
)
words = st.lists(
    st.sampled_from(
        [
            "a",
            "bc",
            "é",
            '"',
            '""',
            "'",
            "\n",
            "\r\n",
            "\n\n",
            ",",
            ";",
            "\t",
            "|",
            " ",
            "0",
            "x" * 70,
        ]
    ),
    max_size=6,
).map("".join)

budgets = st.fixed_dictionaries(
    {
        "threads": st.integers(1, 4),
        "memory": st.sampled_from([None, 1, 1024, 1024, 2000, 4000, 1 << 14]),
    }
)


@dataclass
class Case:
    """A file, how to read it, and which of its columns."""

    data: bytes
    dialect: dict[str, Any]
    options: dict[str, Any]
    features: list[int]
    targets: list[int]
    weight: list[int] = field(default_factory=list)


@st.composite
def cases(draw):
    count = draw(st.integers(1, 5))
    numeric = sorted(draw(st.sets(st.integers(0, count - 1), min_size=1)))
    kinds = [fields if at in numeric else words for at in range(count)]
    rows = draw(st.lists(st.tuples(*kinds), min_size=1, max_size=40))

    delimiter = draw(st.sampled_from([",", ",", ";", "\t", "|"]))
    quote = draw(st.sampled_from(['"', '"', "'"]))
    header = draw(st.sampled_from([True, False, "auto", "given"]))
    if header in (True, "auto"):
        rows.insert(0, tuple(f"name {at}" for at in range(count)))
    elif header == "given":
        header = [f"given {at}" for at in range(count)]

    out = io.StringIO()
    for row in rows:
        out.write("".join(draw(st.lists(st.sampled_from(["\n", "\r\n"]), max_size=2))))
        csv.writer(
            out,
            delimiter=delimiter,
            quotechar=quote,
            quoting=draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_MINIMAL, csv.QUOTE_ALL])),
            lineterminator=draw(st.sampled_from(["\n", "\r\n"])),
        ).writerow(row)
    text = out.getvalue()
    if draw(st.booleans()):
        text = text.removesuffix("\n").removesuffix("\r")
    data = draw(st.sampled_from([b"", b"\xef\xbb\xbf"])) + text.encode()

    shuffled = draw(st.permutations(numeric))
    cut = draw(st.integers(1, len(shuffled)))
    features, others = shuffled[:cut], shuffled[cut:]
    weight = others[:1] if len(others) > 1 and draw(st.booleans()) else []
    targets = others[len(weight) :]
    return Case(
        data=data,
        dialect={"delimiter": delimiter, "quote": quote, "header": header, "missing": TOKENS},
        options={
            "features": features,
            "target": targets or None,
            "weight": weight[0] if weight else None,
            "missing_target": draw(st.sampled_from(["keep", "skip"])),
            "batch_size": draw(st.sampled_from([1, 2, 3, 7, 32, 1000])),
            "remainder": draw(st.sampled_from(["keep", "drop"])),
        },
        features=features,
        targets=targets,
        weight=weight,
    )


@settings(max_examples=examples(400))
@given(cases(), budgets)
def test_a_table_reads_as_the_oracle_reads_it(case, budget):
    table = oracle.read(case.data, **case.dialect)
    required = case.targets + case.weight if case.options["missing_target"] == "skip" else []
    X, y, w = (table.array(at, required) for at in (case.features, case.targets, case.weight))

    # The oracle takes an empty last field of each row for a column; csvfeed may not.
    last = len(table.columns) - 1
    ends_empty = all(row[last].strip(" \t") == "" for row in table.rows)
    assume(not ends_empty or last not in case.features + case.targets + case.weight)
    ds = csvfeed.CsvDataset(case.data, **case.dialect, **case.options, **budget)
    if ds.dialect.trailing_delimiter:
        assert ends_empty
        table.columns.pop()
    assert ds.columns == table.columns
    assert ds.num_rows == len(X)
    if len(X) == 0:
        with pytest.raises(csvfeed.CsvError, match="every row is left out"):
            list(ds)
        return

    size = case.options["batch_size"]
    if case.options["remainder"] == "drop":
        whole = len(X) - len(X) % size
        X, y, w = X[:whole], y[:whole], w[:whole]
    expected = [X]
    if case.targets:
        expected.append(y[:, 0] if len(case.targets) == 1 else y)
    if case.weight:
        expected.append(w[:, 0])
    batches = list(ds)
    assert len(batches) == len(ds)
    for at, batch in enumerate(batches):
        assert len(batch) == len(expected)
        for part, whole in zip(batch, expected, strict=True):
            assert oracle.same_floats(
                part, np.ascontiguousarray(whole[at * size : (at + 1) * size])
            )


def outcome(data, **options):
    """Return all that a reader can see of a file: the rows and the error."""
    values = []
    try:
        ds = csvfeed.CsvDataset(data, target=None, batch_size=1, **options)
        values.extend(X.view(np.uint32).tolist() for (X,) in ds)
    except csvfeed.CsvError as error:
        return values, type(error), {**vars(error), "__notes__": None}
    return values, None, None


soups = st.lists(
    st.sampled_from(
        ["1", "2.5", "x", '"', '"', '""', ",", ",", "\n", "\n", "\r\n", "\r", " ", "\0", "NA", "é"]
    ),
    min_size=1,
    max_size=60,
).map("".join)


@settings(max_examples=examples(400))
@given(soups, st.sampled_from(['"', None]), budgets)
def test_rows_and_errors_are_the_same_whatever_the_memory_and_threads(soup, quote, budget):
    data = ("1,2\n3,4\n" + soup).encode()
    expected = outcome(data, quote=quote, threads=1, header=False)
    assert outcome(data, quote=quote, header=False, **budget) == expected
    data = soup.encode()
    assert outcome(data, quote=quote, **budget) == outcome(data, quote=quote, threads=1)


@settings(max_examples=examples(400))
@given(
    soups.map(lambda soup: soup.replace("\r\n", "\n").replace("\r", "").replace("\0", "")), budgets
)
def test_what_the_oracle_refuses_is_refused_and_the_rest_is_read(soup, budget):
    data = ("1,2\n" + soup).encode()
    values, error, _ = outcome(data, header=False, missing=oracle.MISSING, **budget)
    try:
        expected = oracle.read(data, header=False).array([0, 1])
    except (ValueError, csv.Error):
        assert error is not None
    else:
        assert error is None
        found = np.array(values, np.uint32).view(np.float32).reshape(-1, 2)
        assert oracle.same_floats(found, expected)


@pytest.mark.parametrize("threads", [1, 2, 3, 4])
@pytest.mark.parametrize("memory", [1024, 3000, 1 << 15, None])
def test_quoted_line_ends_far_longer_than_a_block_keep_their_place(threads, memory):
    rows = []
    for n in range(300):
        text = ('line, of "" text\r\n' * (n % 40)) + "\n" * (n % 7)
        rows.append(f'{n},"{text}",{n + 0.5}')
    data = "\r\n".join(["a,t,y", *rows]).encode()
    ds = csvfeed.CsvDataset(data, features=["a"], batch_size=11, threads=threads, memory=memory)
    X, y = (np.concatenate(parts) for parts in zip(*ds, strict=True))
    np.testing.assert_array_equal(X[:, 0], np.arange(300))
    np.testing.assert_array_equal(y, np.arange(300) + 0.5)
    assert ds.num_rows == 300
