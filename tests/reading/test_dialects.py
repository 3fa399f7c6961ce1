"""How files are written elsewhere, and how it is found out."""

import csv
import io
import json
import pickle
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import oracle
import pytest
from conftest import SMALL, equal
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st

import csvfeed
import csvfeed.dialect

DATA = Path(__file__).parents[1] / "data"
NAN = float("nan")
ESCAPED = {"escape": "\\"}


# Files

FILES = {
    "excel_sep.csv": (
        {"delimiter": ";", "decimal": ",", "thousands": ".", "features": [1, 2], "target": 3},
        ["Datum", "Temperatur", "Menge", "Umsatz"],
        ([[21.5, 1], [-3.25, 2], [NAN, 12]], [1234.5, 99, 12345678.9]),
    ),
    "mysql.tsv": (
        {"delimiter": "\t", "quote": None, "header": False, "missing": ["\\N"], "features": [0, 2]}
        | ESCAPED,
        ["column_0", "column_1", "column_2", "column_3"],
        ([[1, 0.5], [2, NAN], [3, -2.25], [4, 1000], [5, 7]], [1, 0, 1, 0, 1]),
    ),
    "german.csv": (
        {
            "delimiter": ";",
            "decimal": ",",
            "thousands": ".",
            "encoding": "cp1252",
            "missing": ["k. A."],
            "features": ["Größe (m²)", "Preis (€)"],
        },
        ["Straße", "Größe (m²)", "Preis (€)", "verkauft"],
        ([[85.5, 1250000], [120, 890000.5], [64.25, NAN]], [1, 0, 1]),
    ),
    "aligned.txt": (
        {"delimiter": " ", "quote": "'", "features": ["id", "x"]},
        ["id", "name", "x", "y"],
        ([[1, 1.5], [22, 10.25], [333, NAN]], [-2, 3.5, 100]),
    ),
    "latin1.csv": (
        {"encoding": "latin-1", "missing": ["manquée"], "features": ["année", "âge"]},
        ["année", "entrées", "âge", "inscrit"],
        ([[2023, 41], [2024, 29], [2025, NAN]], [1, 0, 1]),
    ),
    "instrument.csv": (
        {"comment": "%", "skip_rows": 2},
        ["time", "volts", "ok"],
        ([[0, 1.25], [1, -0.5]], [1, 0]),
    ),
}


@pytest.mark.parametrize("name", FILES)
@pytest.mark.parametrize("memory", [None, SMALL])
def test_a_file_is_read_as_it_is_meant(name, memory):
    options, columns, expected = FILES[name]
    ds = csvfeed.CsvDataset(DATA / name, memory=memory, **options)
    assert ds.columns == columns
    assert ds.num_rows == len(expected[0])
    for part, values in zip(next(iter(ds)), expected, strict=True):
        assert oracle.same_floats(part, np.array(values, np.float32))


@pytest.mark.parametrize("name", FILES)
def test_the_delimiter_of_a_file_is_found(name):
    options, *_ = FILES[name]
    found = csvfeed.CsvDataset(DATA / name, **{**options, "delimiter": "auto"})
    assert found.dialect.delimiter == options.get("delimiter", ",")
    given = csvfeed.CsvDataset(DATA / name, **options)
    for part, other in zip(next(iter(found)), next(iter(given)), strict=True):
        assert oracle.same_floats(part, other)


# Random tables in random dialects


@dataclass(frozen=True)
class Written:
    """A table: numbers and a text in each row, and how it is written."""

    rows: list
    key_at: int
    options: dict
    data: bytes
    plain: bytes

    def numbers(self):
        return [[float(number) for number in numbers] for numbers, _ in self.rows]

    def open(self, **options):
        columns = [f"n{at}" for at in range(len(self.rows[0][0]))]
        everything = {"target": None, "features": columns, **self.options, **options}
        return csvfeed.CsvDataset(self.data, **everything)


def write_number(number, dialect):
    text = number
    if dialect["thousands"] is not None:
        whole, dot, rest = text.partition(".")
        text = f"{int(whole):,}".replace(",", "T") + dot + rest
    swapped = text.replace(".", dialect["decimal"])
    return swapped.replace("T", dialect["thousands"] or "")


def write_field(text, dialect, draw):
    delimiter, quote, escape = dialect["delimiter"], dialect["quote"], dialect["escape"]
    special = {delimiter, "\n", "\r", quote, escape, dialect["comment"], " ", "\t"} - {None}
    is_plain = text != "" and not special & set(text)
    cannot_be_quoted = quote is None and escape is None
    if cannot_be_quoted or (is_plain and (quote is None or draw(st.booleans()))):
        return text
    if quote is not None and (escape is None or text == "" or draw(st.booleans())):
        if escape is not None:
            text = text.replace(escape, escape + escape)
        doubled = quote if escape is None or draw(st.booleans()) else escape
        return quote + text.replace(quote, doubled + quote) + quote
    return "".join(escape + one if one in special else one for one in text)


@st.composite
def tables(draw):
    delimiter = draw(st.sampled_from(",;\t| "))
    quote = draw(st.sampled_from(['"', "'", None]))
    escape = draw(st.sampled_from(["\\", None]))
    comment = draw(st.sampled_from(["#", "%", None]))
    decimal = draw(st.sampled_from(".,"))
    thousands = draw(st.sampled_from([None, None, ".", ",", "_", " ", "'"]))
    can_quote = quote is not None or escape is not None
    if thousands in (quote, decimal) or (thousands == delimiter and not can_quote):
        thousands = None
    if decimal == delimiter and not can_quote:
        decimal = "." if thousands != "." else ","
        delimiter = ";"
    encoding = draw(st.sampled_from(["utf-8", "latin-1", "cp1252"]))
    dialect = {
        "delimiter": delimiter,
        "quote": quote,
        "escape": escape,
        "comment": comment,
        "decimal": decimal,
        "thousands": thousands,
    }
    letters = "abä" if not can_quote else "abä,;\t| \"'\\#%\n\r.é"
    text = st.text(letters, min_size=1, max_size=6)
    number = st.builds(
        lambda whole, rest: f"{whole}{rest}",
        st.integers(-999_999, 10**7),
        st.sampled_from(["", ".5", ".25", ".125"]),
    )
    columns = draw(st.integers(1, 3))
    row = st.tuples(st.lists(number, min_size=columns, max_size=columns), text)
    rows = draw(st.lists(row, min_size=1, max_size=25))
    key_at = draw(st.integers(0, columns))
    end = draw(st.sampled_from(["\n", "\r\n"]))

    def line(fields):
        fields = [write_field(field, dialect, draw) for field in fields]
        if delimiter == " ":
            space = draw(st.sampled_from(["", " ", "  "]))
            # A comment begins with the first byte of its line.
            before = " " if comment and fields[0].startswith(comment) else space
            return before + draw(st.sampled_from([" ", "   "])).join(fields) + space + end
        return delimiter.join(fields) + end

    def with_key(numbers, key):
        return [*numbers[:key_at], key, *numbers[key_at:]]

    skip_rows = draw(st.integers(0, 2))
    lines = ['junk, "of any kind\\\n'] * skip_rows
    lines.append(line(with_key([f"n{at}" for at in range(columns)], "schlüssel")))
    for numbers, key in rows:
        lines.append(line(with_key([write_number(one, dialect) for one in numbers], key)))
    noise = st.sampled_from(["", " of \"this', and; that\\", "\\", '"'])
    content = ""
    for at, one in enumerate(lines):
        if comment and at >= skip_rows and draw(st.integers(0, 3)) == 0:
            content += comment + draw(noise) + end
        if at > skip_rows and draw(st.integers(0, 5)) == 0:
            content += end
        content += one
    if draw(st.booleans()):
        content = content.removesuffix(end)
    plain = io.StringIO()
    writer = csv.writer(plain, lineterminator="\n", quoting=csv.QUOTE_ALL)
    writer.writerow(with_key([f"n{at}" for at in range(columns)], "schlüssel"))
    writer.writerows(with_key(numbers, key) for numbers, key in rows)
    options = {**dialect, "encoding": encoding, "skip_rows": skip_rows, "header": True}
    return Written(rows, key_at, options, content.encode(encoding), plain.getvalue().encode())


def all_rows(ds):
    return [row for (X,) in ds for row in X.tolist()]


@given(tables(), st.integers(1, 3), st.sampled_from([None, SMALL]))
@settings(max_examples=examples(300))
def test_a_table_comes_back_however_it_is_written(table, threads, memory):
    ds = table.open(threads=threads, memory=memory, batch_size=7)
    expected = np.array(table.numbers(), np.float32).tolist()
    assert ds.columns[table.key_at] == "schlüssel"
    assert all_rows(ds) == expected
    assert ds.num_rows == len(expected)
    assert sorted(all_rows(ds.shuffle(seed=1))) == sorted(expected)
    assert all_rows(pickle.loads(pickle.dumps(ds))) == expected


@given(tables(), st.sampled_from([None, SMALL]))
@settings(max_examples=examples(150))
def test_keys_are_what_the_fields_say(table, memory):
    columns = [f"n{at}" for at in range(len(table.rows[0][0]))]
    plain = csvfeed.CsvDataset(table.plain, target=None, features=columns, header=True)
    parts = table.open(memory=memory).split(0.5, seed=3, by="schlüssel")
    for part, expected in zip(parts, plain.split(0.5, seed=3, by="schlüssel"), strict=True):
        assert part.num_rows == expected.num_rows
        if part.num_rows:
            assert all_rows(part) == all_rows(expected)


@given(st.data())
@settings(max_examples=examples(300))
def test_what_the_csv_module_writes_is_detected(data):
    delimiter = data.draw(st.sampled_from(",;\t|"))
    quoting = data.draw(st.sampled_from([csv.QUOTE_MINIMAL, csv.QUOTE_ALL, csv.QUOTE_NONNUMERIC]))
    end = data.draw(st.sampled_from(["\n", "\r\n"]))
    texts = st.text('ab ,;\t|"\n', max_size=8)
    comma = delimiter != "," and data.draw(st.booleans())
    number = st.integers(-999, 999).map(lambda n: f"{n},5" if comma else f"{n}.5")
    kinds = data.draw(st.lists(st.sampled_from([number, texts]), min_size=1, max_size=5))
    row = st.tuples(number, *kinds)
    rows = data.draw(st.lists(row, min_size=1, max_size=30))
    # Nothing but marks in each of the texts could be anything.
    rows.append(
        [data.draw(number), *(data.draw(number) if kind is number else "b" for kind in kinds)]
    )
    names = [f"column {at}" for at in range(len(kinds) + 1)]
    text = io.StringIO()
    writer = csv.writer(text, delimiter=delimiter, quoting=quoting, lineterminator=end)
    header = data.draw(st.booleans())
    if header:
        writer.writerow(names)
    writer.writerows(rows)
    options = {"delimiter": "auto", "header": header, "target": None, "features": [0]}
    try:
        ds = csvfeed.CsvDataset(text.getvalue().encode(), **options)
    except csvfeed.DialectError as error:
        # A few rows may read well in two ways. Then csvfeed asks, and names the right one.
        question = str(error)
    else:
        assert ds.dialect.delimiter == delimiter
        assert len(ds.columns) == len(kinds) + 1
        return
    assert len(set(map(tuple, rows))) <= 3
    assert f"delimiter={json.dumps(delimiter)}" in question


# Escapes


@pytest.mark.parametrize("memory", [None, SMALL])
def test_what_is_escaped_stands_for_itself(read, memory):
    texts = ["a\\,b", "a\\\nb", "\\\\", '\\"a', '"a\\"b"', '"\\\\"', '"a""b"', '"\\\n,"', "\\#", ""]
    rows = [f"{n},{text},{n + 1}" for n, text in enumerate(texts * 20)]
    options = {"features": [0], "header": False, "memory": memory, "comment": "#", **ESCAPED}
    X, y = read("\n".join(rows).encode(), **options)
    equal(X[:, 0], range(200))
    equal(y, range(1, 201))


def test_a_number_may_be_escaped(features):
    equal(
        features(b'a,b\n\\1,1\\.5\n"\\2",\\\\N\n', missing=["\\\\N"], **ESCAPED),
        [[1, 1.5], [2, NAN]],
    )


def test_a_token_is_looked_for_as_it_is_written_and_as_it_is_meant(features):
    equal(features(b"a\n\\N\n 1\n \\N \n", missing=["\\N"], **ESCAPED), [[NAN], [1], [NAN]])
    equal(features(b"a\n\\N\nN\n1\n", missing=["N"], **ESCAPED), [[NAN], [NAN], [1]])


def test_names_are_without_their_escapes():
    data = b'a\\,b,"c\\"d","e""f"\\\n,g\n1,2,3\n'
    with pytest.raises(csvfeed.QuoteError):
        csvfeed.CsvDataset(data, **ESCAPED)
    ds = csvfeed.CsvDataset(b'a\\,b,"c\\"d",e\\\nf\n1,2,3\n', **ESCAPED)
    assert ds.columns == ["a,b", 'c"d', "e\nf"]


@pytest.mark.parametrize("end", [b"\\", b"\\\n"])
def test_the_last_newline_may_be_escaped_and_nothing_may_not(end):
    ds = csvfeed.CsvDataset(b"a,t\n1,x\n2,y" + end, features=["a"], target=None, **ESCAPED)
    if end == b"\\\n":
        equal(all_rows(ds), [[1], [2]])
        equal(sorted(row for part in ds.split(0.5) for row in all_rows(part)), [[1], [2]])
    else:
        with pytest.raises(csvfeed.QuoteError, match="after an escape") as caught:
            all_rows(ds)
        assert (caught.value.line, caught.value.text) == (3, "y\\")


def test_a_quote_that_another_character_escapes_is_an_error_that_names_the_argument():
    with pytest.raises(csvfeed.QuoteError, match="escape="):
        list(iter(csvfeed.CsvDataset(b'a,t\n1,"x\\"y"\n', features=["a"], target=None)))


# Comments


@pytest.mark.parametrize("memory", [None, SMALL])
def test_comments_are_left_out_wherever_they_are(features, memory):
    comment = '# any "thing, at all\n'
    text = comment + "\n" + comment + "a,b\n" + comment + '1,"2"\n' + (comment * 9 + "3,4\r\n") * 40
    equal(features((text + comment).encode(), comment="#", memory=memory), [[1, 2], *[[3, 4]] * 40])


def test_comments_count_as_lines_and_not_as_rows():
    data = b"# one\na,b\n#\n1,2\n# 3\nx,4\n"
    ds = csvfeed.CsvDataset(data, comment="#")
    assert ds.num_rows == 2
    with pytest.raises(csvfeed.NumberError) as caught:
        list(ds)
    assert (caught.value.line, caught.value.byte_offset) == (6, data.index(b"x"))


def test_a_comment_begins_its_line(read):
    X, y = read(b'a,t,y\n1,# no,2\n3,"\n# no",4\n5, #,6\n', features=["a"], comment="#")
    equal(X, [[1], [3], [5]])
    equal(y, [2, 4, 6])


def test_a_file_of_comments_has_no_rows():
    with pytest.raises(csvfeed.CsvError, match="comments"):
        csvfeed.CsvDataset(b"# a\n\n# b", comment="#")
    with pytest.raises(csvfeed.CsvError, match="no rows"):
        csvfeed.CsvDataset(b"a,b\n# b", comment="#")


# Runs of spaces


@pytest.mark.parametrize("memory", [None, SMALL])
def test_a_run_of_spaces_is_one_delimiter(features, memory):
    text = b"  a b   c  \r\n" + b"1  2 3\r\n   \r\n  4 5   6 \r\n\r\n" * 30 + b" 7   '8  '  9"
    rows = [[1, 2, 3], [4, 5, 6]] * 30 + [[7, 8, 9]]
    equal(features(text, delimiter=" ", quote="'", memory=memory), rows)
    assert csvfeed.CsvDataset(text, delimiter=" ", quote="'").num_rows == 61


def test_in_runs_of_spaces_no_field_is_missing_without_a_word():
    with pytest.raises(csvfeed.RowLengthError) as caught:
        list(iter(csvfeed.CsvDataset(b"a b c\n1 2 3\n4   6\n", delimiter=" ")))
    assert (caught.value.line, caught.value.text) == (3, "4   6")


# Lines before the table


def test_lines_before_the_header_are_left_out():
    data = b'report "of\n\n# 1\na,b\n1,2\n'
    assert csvfeed.CsvDataset(data, skip_rows=3).columns == ["a", "b"]
    assert csvfeed.CsvDataset(data, skip_rows=2, comment="#").columns == ["a", "b"]
    ds = csvfeed.CsvDataset(data + b"x,3\n", skip_rows=3)
    with pytest.raises(csvfeed.NumberError) as caught:
        list(ds)
    assert caught.value.line == 6
    equal(all_rows(csvfeed.CsvDataset(b"x\n1,2\n", skip_rows=1, target=None)), [[1, 2]])


@pytest.mark.parametrize("skip_rows", [2, 3, 10**12])
def test_more_lines_than_there_are_is_an_error(skip_rows):
    with pytest.raises(csvfeed.CsvError, match="skip_rows="):
        csvfeed.CsvDataset(b"a,b\n1,2\n", skip_rows=skip_rows)


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
@pytest.mark.parametrize("line", [b"sep=;\n", b"SEP=;\r\n"])
def test_a_line_that_names_the_delimiter_is_skipped(mark, line):
    data = mark + line + b"a;b\n1;2\n"
    for delimiter in (";", "auto"):
        ds = csvfeed.CsvDataset(data, delimiter=delimiter)
        assert (ds.columns, ds.dialect.delimiter) == (["a", "b"], ";")
    with pytest.raises(csvfeed.CsvError, match='write delimiter=";"') as caught:
        csvfeed.CsvDataset(data)
    assert (caught.value.line, caught.value.text) == (1, line.decode().strip())
    assert csvfeed.CsvDataset(data, delimiter=";", skip_rows=1).columns == ["a", "b"]


# Finding the delimiter


def test_what_cannot_be_told_is_an_error_that_shows_both_readings():
    with pytest.raises(csvfeed.DialectError, match="Say which it is") as caught:
        csvfeed.CsvDataset(b"a b;c d,e f\ng h;i j,k l\n", delimiter="auto")
    assert 'delimiter="," reads 2 columns ["a b;c d", "e f"]' in str(caught.value)
    assert 'delimiter=";" reads 2 columns ["a b", "c d,e f"]' in str(caught.value)
    assert {choice.dialect.delimiter for choice in caught.value.choices} == {",", ";"}
    assert all(0 < choice.score <= 1 for choice in caught.value.choices)
    again = pickle.loads(pickle.dumps(caught.value))
    assert (str(again), again.choices) == (str(caught.value), caught.value.choices)


def test_a_long_file_is_judged_by_its_beginning():
    rows = b"".join(b'%d;"a,\nb";%d,5\n' % (n, n) for n in range(20_000))
    ds = csvfeed.CsvDataset(b"x;t;y\n" + rows, delimiter="auto", decimal=",", features=["x"])
    assert (ds.dialect.delimiter, ds.num_rows) == (";", 20_000)


def test_a_delimiter_that_was_found_is_that_of_the_state():
    data = b"a;b\n1;2\n3;4\n"
    found = csvfeed.CsvDataset(data, delimiter="auto", batch_size=1)
    given_ = csvfeed.CsvDataset(data, delimiter=";", batch_size=1)
    next(iter(found))
    given_.load_state_dict(found.state_dict())
    assert next(iter(given_))[1].tolist() == [4]
    other = csvfeed.CsvDataset(data, delimiter=";", batch_size=1, comment="#")
    with pytest.raises(ValueError, match="options"):
        other.load_state_dict(found.state_dict())


def test_a_cache_belongs_to_a_dialect(tmp_path):
    data = b"a;b\n1;2\n# 3;4\n1,250;2\n"
    for options, expected in [
        ({"decimal": ","}, [[1, 2], [1.25, 2]]),
        ({"thousands": ","}, [[1, 2], [1250, 2]]),
    ]:
        ds = csvfeed.CsvDataset(data, delimiter=";", comment="#", target=None, **options)
        for _ in range(2):
            equal(all_rows(ds.cache(tmp_path)), expected)
    assert len(list(tmp_path.iterdir())) == 2


# Encodings


def test_names_and_errors_are_decoded():
    data = "größe,y\nübel,1\n".encode("latin-1")
    for encoding in ("latin-1", "ISO-8859-1", "windows-1252", "cp1252"):
        ds = csvfeed.CsvDataset(data, encoding=encoding)
        assert ds.columns == ["größe", "y"]
        with pytest.raises(csvfeed.NumberError) as caught:
            list(ds)
        assert (caught.value.text, caught.value.column_name) == ("übel", "größe")
    with pytest.raises(csvfeed.EncodingError, match='"latin-1"'):
        csvfeed.CsvDataset(data)


def test_a_key_is_the_same_in_each_encoding():
    text = "k,y\n" + "".join(f"{'äöüß€'[n % 5]}{n % 7},{n}\n" for n in range(200))
    parts = [
        csvfeed.CsvDataset(text.encode(encoding), features=["y"], target=None, encoding=encoding)
        .split(0.3, by="k")[1]
        .num_rows
        for encoding in ("utf-8", "cp1252")
    ]
    assert parts[0] == parts[1] > 0


# What it was


def test_the_dialect_says_how_the_file_is_written():
    ds = csvfeed.CsvDataset(
        "x\na;ö\r\n1,5;2\r\n".encode("latin-1"),
        delimiter="auto",
        decimal=",",
        thousands="'",
        escape="\\",
        comment="#",
        encoding="latin1",
        skip_rows=1,
    )
    expected = csvfeed.Dialect(
        delimiter=";",
        quote='"',
        escape="\\",
        comment="#",
        decimal=",",
        thousands="'",
        encoding="latin-1",
        header=True,
        skip_rows=1,
        line_end="\r\n",
    )
    assert ds.dialect == expected
    assert eval(repr(expected), {"Dialect": csvfeed.Dialect}) == expected
    assert eval(f"dict({expected})") == expected.options
    again = csvfeed.CsvDataset("x\na;ö\r\n1,5;2\r\n".encode("latin-1"), **expected.options)
    assert again.dialect == expected
    plain = csvfeed.CsvDataset(b"1,2\n3,4").dialect
    assert plain == csvfeed.Dialect(header=False)


@pytest.mark.parametrize("name", ["excel_sep.csv", "german.csv", "aligned.txt", "latin1.csv"])
def test_a_file_is_sniffed(name):
    options, columns, _ = FILES[name]
    kept = ("delimiter", "quote", "decimal", "thousands", "encoding")
    expected = csvfeed.Dialect(**{key: options[key] for key in kept if key in options})
    sniffed = csvfeed.dialect.sniff(DATA / name)
    assert replace(sniffed, line_end="\n") == expected
    assert csvfeed.CsvDataset(DATA / name, target=None, **sniffed.options).columns == columns


def test_escapes_and_lines_before_the_table_are_sniffed(write):
    sniffed = csvfeed.dialect.sniff(DATA / "mysql.tsv")
    assert (sniffed.delimiter, sniffed.escape) == ("\t", "\\")
    path = write("Report\nof May\na;b\n1,5;2\n2,5;3\n")
    sniffed = csvfeed.dialect.sniff(path)
    assert str(sniffed) == "delimiter=';', decimal=',', header=True, skip_rows=2"
    with pytest.raises(csvfeed.CsvError, match="empty"):
        csvfeed.dialect.sniff(b"")
    long = b"a,b\n" + b"1,2\n" * 50_000
    assert csvfeed.dialect.sniff(long) == csvfeed.Dialect()
    assert csvfeed.dialect.sniff(b"a,b\n1,2\n3", whole=False) == csvfeed.Dialect()


# Arguments


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"delimiter": ";", "quote": ";"}, "delimiter and quote are both ';'"),
        ({"delimiter": "#", "comment": "#"}, "delimiter and comment are both '#'"),
        ({"escape": '"'}, "quote and escape are both"),
        ({"escape": "#", "comment": "#"}, "escape and comment are both '#'"),
        ({"decimal": ",", "thousands": ","}, "decimal and thousands are both ','"),
        ({"quote": "'", "thousands": "'"}, "quote and thousands are both"),
        ({"decimal": ";"}, "decimal is one of"),
        ({"thousands": "\u00a0"}, "thousands is one ASCII character"),
        ({"thousands": "1"}, "thousands cannot be '1'"),
        ({"escape": "\\\\"}, "escape is one ASCII character"),
        ({"escape": "n"}, "escape cannot be 'n'"),
        ({"comment": "-"}, "comment cannot be '-'"),
        ({"comment": "//"}, "comment is one ASCII character"),
        ({"skip_rows": -1}, "skip_rows is a whole number"),
        ({"skip_rows": True}, "skip_rows is a whole number"),
        ({"encoding": "shift_jis"}, "'utf-8', 'latin-1', 'cp1252'.*iconv -f shift_jis"),
        ({"encoding": None}, "encoding is one of"),
    ],
)
def test_arguments_that_make_no_sense_are_refused(options, says):
    with pytest.raises(ValueError, match=says):
        csvfeed.CsvDataset(b"a,b\n1,2\n", **options)
