"""The rules of reading, one by one."""

import numpy as np
import oracle
import pytest
from conftest import SMALL

import csvfeed

NAN = float("nan")


def equal(found, expected):
    np.testing.assert_array_equal(np.array(found, np.float32), np.array(expected, np.float32))


# Line ends


@pytest.mark.parametrize("end", ["\n", "\r\n"])
@pytest.mark.parametrize("last", [True, False])
@pytest.mark.parametrize("memory", [None, SMALL])
def test_rows_end_at_lf_or_crlf_and_the_last_may_lack_it(features, end, last, memory):
    text = end.join(["a,b", *(f"{n},{-n}" for n in range(50))]) + (end if last else "")
    equal(features(text.encode(), memory=memory), [[n, -n] for n in range(50)])


def test_line_ends_may_be_mixed(features):
    equal(features(b"1,2\r\n3,4\n5,6\r\n7,8"), [[1, 2], [3, 4], [5, 6], [7, 8]])


@pytest.mark.parametrize("end", ["", "\r", "\n", "\r\n"])
def test_a_last_line_may_end_in_any_way(features, end):
    equal(features(f"1,2\n3,4{end}".encode()), [[1, 2], [3, 4]])
    equal(features(f'1,2\n3,"4"{end}'.encode()), [[1, 2], [3, 4]])


@pytest.mark.parametrize("text", [b"1\r,2\n", b"1,2\r3,4\n", b"1,2\r\r\n"])
def test_a_carriage_return_alone_is_no_line_end(text):
    with pytest.raises(csvfeed.CsvError):
        list(iter(csvfeed.CsvDataset(b"0,0\n" + text, header=False, target=None)))


# Blank lines


@pytest.mark.parametrize("blank", ["\n", "\r\n", "\n\r\n\n"])
@pytest.mark.parametrize("memory", [None, SMALL])
def test_blank_lines_are_skipped_wherever_they_are(features, blank, memory):
    text = blank + "a,b\n" + blank + "1,2\n" + blank + "3,4\n" + blank
    equal(features(text.encode(), memory=memory), [[1, 2], [3, 4]])


def test_blank_lines_are_not_rows():
    assert csvfeed.CsvDataset(b"\n\na,b\n\n1,2\n\r\n\n3,4\n\n").num_rows == 2


def test_blank_lines_count_as_lines():
    with pytest.raises(csvfeed.NumberError) as caught:
        list(iter(csvfeed.CsvDataset(b"\na,b\n\r\n1,2\n\n\nx,4\n")))
    assert caught.value.line == 7


def test_in_a_single_column_a_blank_line_is_no_row_and_an_empty_quoted_field_is_one(features):
    equal(features(b'a\n1\n\n""\n  \n2\n'), [[1], [NAN], [NAN], [2]])


def test_many_blank_lines_after_the_header_are_skipped_however_small_the_memory(features):
    equal(features(b"a,b\n" + b"\n" * (5 << 20) + b"1,2\n", memory=SMALL), [[1, 2]])


def test_many_blank_lines_among_the_rows_are_skipped_however_small_the_memory(features):
    text = b"a,b\n1,2\n" + b"\r\n" * (1 << 20) + b"3,4\n"
    equal(features(text, memory=1 << 16), [[1, 2], [3, 4]])


# Byte-order marks


@pytest.mark.parametrize("row", [b"a,b\n", b'"a",b\n', b"\na,b\n", b"\r\n\na,b\r\n"])
def test_a_utf8_bom_is_skipped_before_a_header(row):
    ds = csvfeed.CsvDataset(b"\xef\xbb\xbf" + row + b"1,2\n", target="b")
    assert ds.columns == ["a", "b"]
    assert ds.num_rows == 1


@pytest.mark.parametrize("header", ["auto", False, ["a", "b"]])
@pytest.mark.parametrize("row", [b"1,2\n", b'"1",2\n', b"\n1,2\n"])
def test_a_utf8_bom_is_skipped_before_numbers(features, header, row):
    equal(features(b"\xef\xbb\xbf" + row + b"3,4\n", header=header), [[1, 2], [3, 4]])


def test_a_utf8_bom_within_a_row_is_text():
    with pytest.raises(csvfeed.NumberError):
        list(iter(csvfeed.CsvDataset(b"a,b\n1,\xef\xbb\xbf2\n")))


@pytest.mark.parametrize("encoding", ["UTF-16LE", "UTF-16BE", "UTF-32LE", "UTF-32BE"])
def test_the_bom_of_another_encoding_is_an_error_that_names_it(encoding):
    with pytest.raises(csvfeed.EncodingError, match=encoding):
        csvfeed.CsvDataset("\ufeffa,b\n1,2\n".encode(encoding))


# Quotes


@pytest.mark.parametrize("memory", [None, SMALL])
def test_a_quoted_field_may_hold_delimiters_line_ends_and_doubled_quotes(read, memory):
    texts = [
        '"a,b"',
        '"a\nb"',
        '"a\r\nb"',
        '"say ""so"""',
        '""',
        '""""',
        '","',
        '"\n"',
        "plain",
        'i"n',
    ]
    rows = [f"{n},{text},{n + 1}" for n, text in enumerate(texts * 20)]
    X, y = read("\n".join(rows).encode(), features=[0], header=False, memory=memory)
    equal(X[:, 0], range(200))
    equal(y, range(1, 201))


def test_a_quote_inside_an_unquoted_field_is_an_ordinary_character(read):
    X, _ = read(b'a,t,y\n1,6" x 4",2\n3,",",4\n5,",5,6\n7,",8\n', features=["a"])
    equal(X, [[1], [3], [5]])


@pytest.mark.parametrize("field", ['"1.5"', '" 1.5"', '"1.5\t"', '"+1.5"', '"15e-1"'])
def test_a_number_may_be_quoted(features, field):
    equal(features(f"{field},{field}\r\n{field},{field}".encode()), [[1.5, 1.5], [1.5, 1.5]])


@pytest.mark.parametrize("field", ['" ""1"" "', '"1""2"', '"1\n"', '"1,5"', ' "1"'])
def test_a_quoted_text_is_no_number(field):
    with pytest.raises(csvfeed.CsvError):
        list(iter(csvfeed.CsvDataset(f"a,b\n{field},2\n".encode(), quote='"')))


def test_another_quote_character_takes_its_place(read):
    (X,) = read(b"a,t\n'1','x\n,'''\n2,'\"'\n", quote="'", features=[0], target=None)
    equal(X, [[1], [2]])


def test_without_a_quote_character_quotes_are_text(read):
    (X,) = read(b'a,t\n1,"x\n2,y"\n', quote=None, features=[0], target=None)
    equal(X, [[1], [2]])


def test_without_a_quote_character_a_quoted_number_is_none():
    with pytest.raises(csvfeed.NumberError):
        list(iter(csvfeed.CsvDataset(b'a,b\n"1",2\n', quote=None)))


@pytest.mark.parametrize("delimiter", [";", "\t", "|", " ", ":", "~", "_"])
def test_the_delimiter_may_be_another_character(features, delimiter):
    text = b"a,b\n-1.5,2e3\n3,4\n".replace(b",", delimiter.encode())
    equal(features(text, delimiter=delimiter), [[-1.5, 2000], [3, 4]])


# Header


@pytest.mark.parametrize(
    "row",
    ["a,b", "1,b", "a,", ",b", '"a","b"', "1,1x", "1 2,3", "1,2.3.4", "é,1", "NA,na", "0x10,1"],
)
def test_a_first_row_with_a_word_is_a_header(row):
    ds = csvfeed.CsvDataset(f"{row}\n1,2\n".encode())
    names = oracle.read(f"{row}\n1,2\n".encode(), header=True).columns
    assert ds.columns == [name or f"column_{at}" for at, name in enumerate(names)]
    assert ds.num_rows == 1


@pytest.mark.parametrize(
    "row", ["1,2", "1,NA", ",", '"1"," 2 "', "inf,-Infinity", "nan,NULL", "1e5,.5", "?,5."]
)
def test_a_first_row_of_numbers_and_missing_tokens_is_data(row):
    ds = csvfeed.CsvDataset(f"{row}\n1,2\n".encode(), missing_target="keep")
    assert ds.columns == ["column_0", "column_1"]
    assert ds.num_rows == 2


def test_a_missing_token_that_is_given_is_not_a_name(features):
    equal(features(b"1,gone\n2,3\n", missing=["gone"]), [[1, NAN], [2, 3]])


def test_header_true_takes_numbers_for_names():
    ds = csvfeed.CsvDataset(b"1,2\n3,4\n", header=True)
    assert ds.columns == ["1", "2"]
    assert ds.num_rows == 1


def test_header_false_takes_every_row_for_data():
    ds = csvfeed.CsvDataset(b"1,2\n3,4\n", header=False)
    assert ds.columns == ["column_0", "column_1"]
    assert ds.num_rows == 2
    with pytest.raises(csvfeed.NumberError) as caught:
        list(iter(csvfeed.CsvDataset(b"a,b\n1,2\n", header=False)))
    assert (caught.value.line, caught.value.column_name, caught.value.text) == (1, "column_0", "a")


@pytest.mark.parametrize("names", [["a", "b"], ("a", "b")])
def test_header_may_be_given_for_a_file_without_one(names):
    ds = csvfeed.CsvDataset(b"1,2\n3,4\n", header=names, target="a")
    assert (ds.columns, ds.feature_names, ds.target_names) == (["a", "b"], ["b"], ["a"])
    assert ds.num_rows == 2


def test_names_may_be_quoted_and_hold_anything():
    ds = csvfeed.CsvDataset('"a,b","say ""so""","two\nlines", é \n1,2,3,4\n'.encode())
    assert ds.columns == ["a,b", 'say "so"', "two\nlines", "é"]
    assert ds.num_rows == 1


def test_a_column_without_a_name_is_called_by_its_position():
    ds = csvfeed.CsvDataset(b",a,b\n0,1,2\n")  # As pandas writes an index.
    assert ds.columns == ["column_0", "a", "b"]


def test_a_header_longer_than_any_block_is_read():
    names = [f"a_rather_long_name_{n}" for n in range(20_000)]
    ds = csvfeed.CsvDataset(
        f"{','.join(names)}\n{','.join(['1'] * 20_000)}\n".encode(), memory=SMALL
    )
    assert ds.columns == names
    assert ds.num_rows == 1


# Missing values


@pytest.mark.parametrize(
    "token", ["", " ", "\t ", '""', '" "', *oracle.MISSING, " NA ", '"NA"', '" null\t"']
)
def test_a_missing_feature_is_nan(read, token):
    X, y = read(f"a,b,y\n{token},1,2\n3,{token},4\n".encode())
    equal(X, [[NAN, 1], [3, NAN]])
    equal(y, [2, 4])


def test_the_tokens_are_public_and_as_documented():
    assert sorted(csvfeed.MISSING) == sorted(oracle.MISSING)


@pytest.mark.parametrize(
    "token", ["na", "Null", "none", "N.A.", "-", "NA NA", "??", "NONE", "#n/a"]
)
def test_what_is_no_token_is_no_missing_value(token):
    with pytest.raises(csvfeed.NumberError) as caught:
        list(iter(csvfeed.CsvDataset(f"a,y\n{token},1\n".encode())))
    assert caught.value.text == token


def test_tokens_that_are_given_replace_the_others(features):
    equal(features(b"a,b\n-,n.a.\n,1\n", missing=["-", "n.a."]), [[NAN, NAN], [NAN, 1]])
    with pytest.raises(csvfeed.NumberError):
        features(b"a,b\nNA,1\n", missing=["-"])


@pytest.mark.parametrize("missing", [[], (), set()])
def test_the_empty_field_is_missing_even_without_tokens(features, missing):
    equal(features(b"a,b\n,1\nnan,2\n", missing=missing), [[NAN, 1], [NAN, 2]])


def test_tokens_may_be_numbers_and_are_compared_as_text(features):
    text = b'a,b\n-999,1\n-999.0,2\n"-999",3\n -999 ,4\n-9990,5\n999,6\n0,7\n-0,8\n00,9\n'
    expected = [NAN, -999, NAN, NAN, -9990, 999, NAN, 0, 0]
    equal(
        features(text, missing=["-999", "0"]),
        [[value, row] for row, value in enumerate(expected, 1)],
    )


def test_a_number_next_to_a_numeric_token_is_not_taken_for_it(features):
    # 16777217 has no float32 of its own.
    equal(features(b"16777217\n16777216\n", missing=["16777217"]), [[NAN], [16777216]])


def test_an_infinite_token_is_compared_as_text(features):
    inf = float("inf")
    equal(features(b"inf\n1e39\nINF\n-inf\n", missing=["inf"]), [[NAN], [inf], [inf], [-inf]])


@pytest.mark.parametrize("options", [{}, {"weight": "w"}, {"target": ["y", "w"]}])
def test_missing_target_raise_is_an_error_at_its_place(options):
    options = {"target": "y", **options}
    with pytest.raises(csvfeed.NumberError, match="missing_target") as caught:
        list(iter(csvfeed.CsvDataset(b"x,y,w\n1,2,3\n4,NA,5\n", **options)))
    error = caught.value
    assert (error.line, error.column, error.column_name, error.text) == (3, 1, "y", "NA")


def test_a_missing_weight_is_an_error_at_its_place():
    with pytest.raises(csvfeed.NumberError, match="weight is missing") as caught:
        list(iter(csvfeed.CsvDataset(b"x,y,w\n1,2,\n", target="y", weight="w")))
    error = caught.value
    assert (error.line, error.column, error.column_name, error.byte_offset, error.text) == (
        2,
        2,
        "w",
        10,
        "",
    )


@pytest.mark.parametrize("memory", [None, SMALL])
def test_missing_target_skip_leaves_the_row_out(memory):
    rows = [(n, "" if n % 3 == 0 else n, "NA" if n % 5 == 0 else n) for n in range(1000)]
    text = "x,y,w\n" + "".join(f"{x},{y},{w}\n" for x, y, w in rows)
    ds = csvfeed.CsvDataset(
        text.encode(), target="y", weight="w", missing_target="skip", batch_size=7, memory=memory
    )
    kept = [n for n in range(1000) if n % 3 and n % 5]
    batches = list(ds)
    assert ds.num_rows == len(kept)
    assert len(ds) == len(batches) == -(-len(kept) // 7)
    for part in range(3):
        equal(np.concatenate([batch[part].ravel() for batch in batches]), kept)


def test_missing_target_skip_looks_at_each_of_several_targets(read):
    X, y = read(b"x,y,z\n1,2,3\n4,,5\n6,7,\n8,9,10\n", target=["y", "z"], missing_target="skip")
    equal(X, [[1], [8]])
    equal(y, [[2, 3], [9, 10]])


def test_missing_target_keep_gives_nan(read):
    X, y, w = read(b"x,y,w\n1,,3\n4,5,NA\n", target="y", weight="w", missing_target="keep")
    equal(X, [[1], [4]])
    equal(y, [NAN, 5])
    equal(w, [3, NAN])


def test_a_file_of_which_every_row_is_left_out_is_an_error():
    ds = csvfeed.CsvDataset(b"x,y\n1,\n2,\n", missing_target="skip")
    assert ds.num_rows == 0
    with pytest.raises(csvfeed.CsvError, match="every row is left out"):
        list(ds)


# Columns that are not asked for


def test_columns_that_are_not_asked_for_may_hold_anything(read):
    text = b'x,t,y\n1,\xff\x00 text,2\n3,"quoted, with\r\nline end",4\n5,,6\n'
    X, y = read(text, features=["x"], target="y")
    equal(X, [[1], [3], [5]])
    equal(y, [2, 4, 6])


# Order


@pytest.mark.parametrize("threads", [1, 2, 3, 4, 7])
@pytest.mark.parametrize("memory", [None, SMALL, 1 << 15])
def test_rows_come_in_the_order_of_the_file(read, threads, memory):
    text = b"".join(b"%d,%d\n" % (n, -n) for n in range(5000))
    X, y = read(text, threads=threads, memory=memory, batch_size=37)
    equal(X[:, 0], range(5000))
    equal(y, [-n for n in range(5000)])
