"""What some programs put into files besides rows: footers, units, spaces, marks and padding."""

import gzip

import numpy as np
import pytest
from conftest import SMALL

import csvfeed

PADDING = [b"\x1a", b"\0", b"\0" * 700, b"\x1a\0\0", b"\x1a\r\n", b"\n\x1a\n"]


def rows(source, **options):
    """Return the rows of a dataset, read in each order that finds rows in its own way."""
    ds = csvfeed.CsvDataset(source, **{"target": None, "threads": 2, **options})
    found = [row for (batch,) in ds for row in batch.tolist()]
    shuffled = [row for (batch,) in ds.shuffle(seed=3) for row in batch.tolist()]
    assert ds.num_rows == len(found)
    assert sorted(map(str, shuffled)) == sorted(map(str, found))
    return found


def ways(text):
    """Return a text in the ways that are read differently."""
    return [text, gzip.compress(text), text.replace(b"\n", b"\r")]


# Line ends of CR alone


@pytest.mark.parametrize("memory", [None, SMALL])
def test_lines_that_end_with_cr_alone_are_read_like_others(memory):
    text = "a,b\n\n" + "".join(f'{n},"{-n}"\n' for n in range(300)) + "5,"
    expected = rows(text.encode(), memory=memory, fill=0)
    for source in [*ways(text.encode()), gzip.compress(text.replace("\n", "\r").encode())]:
        assert rows(source, memory=memory, fill=0) == expected
    utf16 = text.replace("\n", "\r").encode("utf-16")
    assert rows(utf16, encoding="utf-16", memory=memory, fill=0) == expected


def test_a_place_in_a_file_of_cr_is_that_of_its_lines():
    with pytest.raises(csvfeed.NumberError) as caught:
        rows(b"a,b\r1,2\r\r3,x\r")
    assert (caught.value.line, caught.value.byte_offset) == (4, 11)


@pytest.mark.parametrize("pack", [bytes, gzip.compress])
def test_a_newline_in_a_file_of_cr_is_an_error_at_its_place(pack):
    text = b"a,b\r" + b"1,2\r" * 20000 + b"3,4\n5,6\r"
    with pytest.raises(csvfeed.CsvError, match="line ends are mixed: an LF") as caught:
        rows(pack(text))
    assert (caught.value.line, caught.value.byte_offset) == (20002, 80007)


def test_parts_may_have_different_line_ends():
    ds = csvfeed.CsvDataset([b"a,b\r1,2\r", b"b,a\n4,3\n", b"a,b\r\n5,6\r\n"])
    assert [batch[0].tolist() for batch in ds] == [[[1], [3], [5]]]
    assert ds.dialect.line_end == "\r"


def test_a_carriage_return_in_a_field_is_no_line_end():
    ds = csvfeed.CsvDataset(b'a,"b\rc"\r\n1,2\r\n')
    assert ds.columns == ["a", "b\rc"]
    assert csvfeed.CsvDataset(b'a,"b\rc"\r1,2\r').columns == ["a", "b\nc"]


# What follows the end


@pytest.mark.parametrize("padding", PADDING)
@pytest.mark.parametrize("end", [b"", b"\n", b"\r\n"])
def test_ctrl_z_and_nul_bytes_after_the_end_are_not_read(padding, end):
    for text in (b"a,b\n1,2\n3,4" + end + padding, b"1,2\n3,4" + end + padding):
        for source in (text, gzip.compress(text)):
            for memory in (None, SMALL):
                assert rows(source, memory=memory) == [[1, 2], [3, 4]]


def test_a_file_may_hold_one_row_and_ctrl_z():
    assert rows(b"1,2\x1a") == [[1, 2]]
    with pytest.raises(csvfeed.CsvError, match="no rows"):
        csvfeed.CsvDataset(b"a,b\r\n\x1a")


@pytest.mark.parametrize(
    "text", [b"a,b\n1,2\n\x1a\n3,4\n", b"a,b\n1,\0\n3,4\n", b"a,b\n1,\x1a\n"[:-1] + b"\n3,4"]
)
def test_in_the_middle_they_are_errors(text):
    with pytest.raises(csvfeed.CsvError):
        rows(text)


# Lines that are left out


@pytest.mark.parametrize("footer", [1, 2, 5, 400])
@pytest.mark.parametrize("padding", [b"", b"\x1a"])
@pytest.mark.parametrize("end", [b"", b"\n"])
def test_the_last_lines_are_left_out(footer, padding, end):
    body = "a,b\n" + "".join(f"{n},{-n}\n" for n in range(90))
    lines = [b"", b'Total of "2026', b"9"] * footer
    text = body.encode() + b"\n".join([*lines[: footer - 1], b"the end"]) + end + padding
    for source in ways(text):
        for memory in (None, SMALL):
            found = rows(source, skip_footer=footer, memory=memory)
            assert found == [[n, -n] for n in range(90)]


def test_a_footer_is_that_of_each_part():
    ds = csvfeed.CsvDataset([b"a,b\n1,2\nend", b"a,b\n3,4\nend\n"], skip_footer=1)
    assert ds.num_rows == 2
    assert ds.dialect.options == {"header": True, "skip_footer": 1}
    train, held_out = ds.split(0.5)
    assert train.num_rows == held_out.num_rows == 1


def test_a_footer_that_is_the_whole_file_is_an_error():
    with pytest.raises(csvfeed.CsvError, match="no rows"):
        csvfeed.CsvDataset(b"a,b\n1,2\n", skip_footer=1)
    with pytest.raises(csvfeed.CsvError):
        csvfeed.CsvDataset(b"a,b\n1,2\n", skip_footer=7)


def test_lines_after_the_header_are_left_out():
    text = b'a,b\nm,"s\n1,2\n3,4\n'
    for source in ways(text):
        assert rows(source, skip_rows_after_header=1) == [[1, 2], [3, 4]]
    assert rows([b"a,b\nm,s\n1,2\n", b"b,a\ns,m\n4,3\n"], skip_rows_after_header=1) == [
        [1, 2],
        [3, 4],
    ]
    with pytest.raises(csvfeed.CsvError, match="no more lines than skip_rows_after_header="):
        rows(text, skip_rows_after_header=9)
    with pytest.raises(csvfeed.CsvError, match="header=True"):
        rows(b"1,2\n3,4\n", skip_rows_after_header=1)
    assert rows(b"1,2\n3,4\n5,6\n", header=True, skip_rows_after_header=1) == [[5, 6]]
    for header in (False, ["a", "b"]):
        with pytest.raises(ValueError, match="skip_rows="):
            rows(text, skip_rows_after_header=1, header=header)


# Short rows


@pytest.mark.parametrize("memory", [None, SMALL])
@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_short_rows_are_filled_with_missing_values(memory, end):
    lines = ["a,b,c", "1,2,3", "4,5", '"6"', "7,", "", "8,9,10"] * 1 + ["1,2,3", "4"] * 60
    text = end.join(lines).encode()
    expected = [[1, 2, 3], [4, 5, 0], [6, 0, 0], [7, 0, 0], [8, 9, 10]] + [
        [1, 2, 3],
        [4, 0, 0],
    ] * 60
    assert rows(text, short_rows="fill", fill=0, memory=memory) == expected
    assert rows(text, short_rows="fill", fill=0, memory=memory, on_error="skip") == expected


def test_long_rows_are_errors_where_short_ones_are_filled():
    with pytest.raises(csvfeed.RowLengthError) as caught:
        rows(b"a,b\n1\n1,2,3\n", short_rows="fill")
    assert caught.value.line == 3
    ds = csvfeed.CsvDataset(
        b"a,b,c\n1\n1,2,3,4\n5,6\n", target=None, short_rows="fill", on_error="skip"
    )
    assert (ds.num_rows, ds.rejects.count) == (2, 1)
    with pytest.raises(csvfeed.NumberError, match="the target is missing"):
        list(csvfeed.CsvDataset(b"a,y\n1\n", short_rows="fill"))


def test_names_that_are_given_tell_how_short_the_first_row_is():
    assert rows(b"1\n2,3\n", header=["a", "b"], short_rows="fill", fill=0) == [[1, 0], [2, 3]]


# Files put together


def test_a_mark_at_the_beginning_of_a_row_is_no_part_of_it():
    mark = b"\xef\xbb\xbf"
    assert rows(mark + b"1,2\n" + mark + b"3,4\n" + mark + b'"5",6\n') == [[1, 2], [3, 4], [5, 6]]
    assert rows([mark + b"a,b\n1,2\n", mark + b"a,b\n3,4\n"]) == [[1, 2], [3, 4]]
    with pytest.raises(csvfeed.NumberError):
        rows(b"1,2\n3," + mark + b"4\n")
    text = mark + b"c,y\nu,1\n" + mark + b"v,2\n" + mark + b"u,3\n"
    ds = csvfeed.CsvDataset(text, categories={"c": "auto"})
    assert ds.vocabulary == {"c": ["u", "v"]}
    assert next(iter(ds))[0].ravel().tolist() == [1, 2, 1]
    codes = next(iter(csvfeed.CsvDataset(text, categories={"c": 1000})))[0].ravel().tolist()
    assert codes[0] == codes[2]


@pytest.mark.parametrize("mark", [b"", b"\xef\xbb\xbf"])
def test_a_header_in_the_middle_is_named(mark):
    text = mark + b"a,b\n1,2\n" + mark + b"a,b\n3,4\n"
    with pytest.raises(csvfeed.NumberError, match="the header again") as caught:
        rows(text)
    assert caught.value.line == 3
    assert csvfeed.CsvDataset(text, on_error="skip").num_rows == 2


# Spaces beside quotes


SPACED = b'"a" ,  "b,c" , "d" \n 1 , "Paris, TX"\t,"3" \n4,  " 5 ""x""\n" ,6\n'


@pytest.mark.parametrize("memory", [None, SMALL])
def test_spaces_beside_quotes_are_left_out_where_options_say_so(memory):
    options = {"skip_initial_space": True, "skip_final_space": True, "memory": memory}
    ds = csvfeed.CsvDataset(SPACED, features=["a", "d"], target=None, **options)
    assert ds.columns == ["a", "b,c", "d"]
    for source in ways(SPACED):
        assert rows(source, features=["a", "d"], **options) == [[1, 3], [4, 6]]
    words = csvfeed.CsvDataset(SPACED, categories={"b,c": "auto"}, **options)
    assert words.vocabulary == {"b,c": ['5 "x"\n', "Paris, TX"]}
    assert words.dialect.options["skip_initial_space"]


def test_a_space_before_a_quote_is_an_error_that_names_the_option():
    for text, column in [
        (b'a, "b"\n1,2\n', 1),
        (b'a,b\n1, "2"\n', 1),
        (b'a,b\n1,2\n "3",4\n', 0),
    ]:
        with pytest.raises(csvfeed.QuoteError, match="skip_initial_space=True") as caught:
            rows(text)
        assert caught.value.column == column
    for text in (b'a,b,c\n1, "Paris, TX", 0\n', b'a,b,c\n1, "two\nlines",3\n'):
        with pytest.raises(csvfeed.RowLengthError, match="skip_initial_space=True"):
            rows(text, features=["a"])
    for how in ("auto", 7, ["u"]):
        ds = csvfeed.CsvDataset(b'c,y\nu,1\n "u",2\n', categories={"c": how})
        with pytest.raises(csvfeed.QuoteError, match="skip_initial_space=True"):
            list(ds)


def test_a_space_after_a_quote_is_an_error_that_names_the_option():
    for text in (b'"a" ,b\n1,2\n', b'a,b\n"1" ,2\n', b'a,b\n1,"2"\t\r\n', b'a,b\n1,"x""y, z" \n'):
        with pytest.raises(csvfeed.QuoteError, match="skip_final_space=True"):
            rows(text)
    with pytest.raises(csvfeed.QuoteError, match="text after a closing quote"):
        rows(b'a,b\n"1" x,2\n')
    with pytest.raises(csvfeed.QuoteError, match="text after a closing quote"):
        rows(b'a,b\n"1" x,2\n', skip_final_space=True)


def test_spaces_beside_quotes_are_found_with_the_delimiter(tmp_path):
    for text in (SPACED, SPACED.replace(b" \n", b" \r\n")):
        for source in ways(text):
            ds = csvfeed.CsvDataset(source, delimiter="auto", features=["a", "d"], target=None)
            assert ds.columns == ["a", "b,c", "d"]
            assert np.concatenate([X for (X,) in ds]).tolist() == [[1, 3], [4, 6]]
            found = {"header": True, "skip_initial_space": True, "skip_final_space": True}
            assert ds.dialect.options == found
    assert csvfeed.dialect.sniff(b'a,b\n1, "x"\n2, "y"\n').options == {
        "header": True,
        "skip_initial_space": True,
    }
    # The other parts are read like the first.
    for name in ("1.csv", "2.csv"):
        (tmp_path / name).write_bytes(b'a;b\n1; "2"\n3; "4"\n')
    ds = csvfeed.CsvDataset(str(tmp_path / "*.csv"), delimiter="auto", target=None)
    assert np.concatenate([X for (X,) in ds]).tolist() == [[1, 2], [3, 4]] * 2
    # A state of the one is a state of the other.
    given = csvfeed.CsvDataset(
        str(tmp_path / "*.csv"), delimiter=";", skip_initial_space=True, target=None
    )
    given.load_state_dict(ds.state_dict())


def test_a_known_answer_about_spaces_is_kept():
    text = b'a,b\n1, "x"\n2, "y"\n'
    known = {"skip_final_space": True, "skip_footer": 1, "short_rows": "fill"}
    assert csvfeed.dialect.sniff(text, **known).options == {
        "header": True,
        "skip_initial_space": True,
        **known,
    }
    assert not csvfeed.dialect.sniff(text, skip_initial_space=False).skip_initial_space
    assert not csvfeed.dialect.sniff(text, quote=None).skip_initial_space


@pytest.mark.parametrize("name", ["skip_initial_space", "skip_final_space"])
def test_spaces_beside_quotes_need_quotes(name):
    with pytest.raises(ValueError, match=f"{name}="):
        csvfeed.CsvDataset(b"a,b\n1,2\n", quote=None, **{name: True})
    with pytest.raises(TypeError, match=name):
        csvfeed.CsvDataset(b"a,b\n1,2\n", **{name: 1})


# Text


def test_free_text_is_told_to_be_left_out():
    with pytest.raises(csvfeed.NumberError, match=r"free text.*features=.*only numbers"):
        rows(b"review,y\nnot a bad film at all,1\n")


def test_a_nul_in_the_last_row_is_an_error_if_the_row_ends(write):
    path = write(b"a,y\n1,2\n\x00,3\n3,\x00\n")
    with pytest.raises(csvfeed.NumberError, match="NUL"):
        list(csvfeed.CsvDataset(path, features=["y"], target=None, skip_rows_after_header=2))


def test_a_line_of_nul_bytes_is_skipped_only_after_the_end():
    with pytest.raises(csvfeed.EncodingError, match="UTF-16"):
        rows(b"\x00\n1\n2\n")
    assert csvfeed.CsvDataset(b"1\n2\n\x00\n\x00", target=None).num_rows == 2
