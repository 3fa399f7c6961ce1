"""The drop-in: an endless generator of batches of one size."""

import inspect
import types
from itertools import cycle, islice

import numpy as np
import pytest
from generated import examples
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

import csvfeed
from csvfeed import generate_arrays_from_file


def test_it_is_a_real_generator(write):
    generator = generate_arrays_from_file(write(b"x,y\n1,2\n"), 1)
    assert isinstance(generator, types.GeneratorType)
    assert inspect.isgeneratorfunction(generate_arrays_from_file)
    assert iter(generator) is generator
    assert list(inspect.signature(generate_arrays_from_file).parameters) == ["path", "batchsize"]


def test_it_takes_its_arguments_by_name_and_any_path(write, tmp_path):
    write(b"x,y\n1,2\n")
    generator = generate_arrays_from_file(path=tmp_path / "table.csv", batchsize=1)
    assert [part.tolist() for part in next(generator)] == [[1], [2]]


@pytest.mark.parametrize("header", [b"", b"x,y\n", b"\xef\xbb\xbfx,y\r\n", b'\n"x","y"\n'])
def test_two_columns_give_two_vectors_and_a_header_is_skipped(write, header):
    path = write(header + b"".join(b"%d,%d\n" % (n, -n) for n in range(10)))
    for X, y in islice(generate_arrays_from_file(path, 4), 7):
        assert (type(X), X.dtype, X.shape) == (np.ndarray, np.float32, (4,))
        assert (type(y), y.dtype, y.shape) == (np.ndarray, np.float32, (4,))
        assert X.flags.c_contiguous
        assert X.flags.writeable
        np.testing.assert_array_equal(X, -y)


@pytest.mark.parametrize("columns", [3, 4, 30])
def test_wider_files_give_a_matrix_and_the_last_column(write, columns):
    matrix = np.arange(11 * columns).reshape(11, columns)
    path = write("\n".join(",".join(map(str, row)) for row in matrix))
    rows = cycle(matrix.tolist())
    for X, y in islice(generate_arrays_from_file(path, 4), 9):
        expected = np.array(list(islice(rows, 4)), np.float32)
        assert (X.shape, y.shape, X.dtype, y.dtype) == (
            (4, columns - 1),
            (4,),
            np.float32,
            np.float32,
        )
        np.testing.assert_array_equal(X, expected[:, :-1])
        np.testing.assert_array_equal(y, expected[:, -1])


@settings(max_examples=examples(80), suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    rows=st.integers(1, 300), batchsize=st.integers(1, 700), end=st.sampled_from(["", "\n", "\n\n"])
)
def test_rows_left_over_begin_the_next_batch_for_ever(write, rows, batchsize, end):
    path = write("x,y\n" + "\n".join(f"{n},{n}" for n in range(rows)) + end)
    endless = cycle(range(rows))
    for X, y in islice(generate_arrays_from_file(path, batchsize), 12):
        expected = list(islice(endless, batchsize))
        np.testing.assert_array_equal(X, expected)
        np.testing.assert_array_equal(y, expected)


def test_passes_over_a_file_of_several_blocks_join_without_a_seam(write):
    path = write("\n".join(f"{n},{n}" for n in range(150_000)))
    found = np.concatenate([y for _, y in islice(generate_arrays_from_file(path, 4096), 120)])
    np.testing.assert_array_equal(found, np.arange(len(found)) % 150_000)


@pytest.mark.parametrize("batchsize", [0, -1, 1.5, "32", None, True])
def test_a_batchsize_that_makes_no_sense_is_an_error(write, batchsize):
    with pytest.raises((TypeError, ValueError), match=r"batch_?size"):
        next(generate_arrays_from_file(write(b"x,y\n1,2\n"), batchsize))


def test_one_column_is_an_error_that_says_what_is_missing(write):
    with pytest.raises(csvfeed.CsvError, match="no feature column"):
        next(generate_arrays_from_file(write(b"x\n1\n"), 1))


def test_a_missing_feature_is_nan_and_a_missing_target_an_error(write):
    X, _ = next(generate_arrays_from_file(write(b"x,y\nNA,2\n"), 1))
    assert np.isnan(X).all()
    with pytest.raises(csvfeed.NumberError, match="target is missing"):
        next(generate_arrays_from_file(write(b"x,y\n2,NA\n"), 1))


def test_an_error_in_the_second_row_of_the_first_batch_comes_before_any_batch(write):
    generator = generate_arrays_from_file(write(b"x,y\n1,2\n3,x\n"), 2)
    with pytest.raises(csvfeed.NumberError):
        next(generator)
    assert list(generator) == []


@pytest.mark.parametrize("end", ["close", "del", "never started"])
def test_its_end_ends_its_threads(write, reading_threads, end):
    generator = generate_arrays_from_file(write(b"1,2\n" * 2_000_000), 100)
    if end != "never started":
        next(generator)
    if end == "close":
        generator.close()
    else:
        del generator
    reading_threads(0)


def test_several_generators_do_not_disturb_each_other(write):
    path = write("\n".join(f"{n},{n}" for n in range(100)))
    small, large = generate_arrays_from_file(path, 7), generate_arrays_from_file(path, 70)
    for at in range(20):
        np.testing.assert_array_equal(next(small)[1], np.arange(7 * at, 7 * at + 7) % 100)
        np.testing.assert_array_equal(next(large)[1], np.arange(70 * at, 70 * at + 70) % 100)
