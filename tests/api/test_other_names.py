"""Calls that are spelled as in other libraries, and sources that are no files: what they say."""

import copy
import inspect
import io
import re

import numpy as np
import pytest

import csvfeed
from csvfeed import other_names

DATA = b"a,y\n1,2\n3,4\n5,6\n"


def said(call):
    with pytest.raises(TypeError) as caught:
        call()
    return str(caught.value)


# names


@pytest.mark.parametrize("name", other_names.DATASET)
def test_arguments_of_other_libraries_are_answered_with_those_of_this_one(name):
    known = inspect.signature(csvfeed.CsvDataset).parameters
    if name in known:
        return
    text = said(lambda: csvfeed.CsvDataset(DATA, **{name: 1}))
    assert text.startswith(f"CsvDataset() has no argument {name!r}")
    # It is not left at a list of all names, unless what it is called here is still to come.
    advice = other_names.DATASET[name]
    if advice in known or not advice.isidentifier():
        assert "; it has " not in text
        assert advice in text


@pytest.mark.parametrize(
    ("options", "says"),
    [
        ({"sep": ";"}, "csvfeed calls it delimiter="),
        ({"batchsize": 1}, "csvfeed calls it batch_size="),
        ({"shuffle": True}, r"ds.shuffle\(seed=...\)"),
        ({"targets": "y"}, "do you mean target="),
        ({"catagories": {}}, "do you mean categories="),
        ({"zzz": 1}, "; it has source, "),
    ],
)
def test_an_unknown_argument_is_answered(options, says):
    assert re.search(says, said(lambda: csvfeed.CsvDataset(DATA, **options)))


def test_functions_of_other_libraries_are_answered():
    with pytest.raises(AttributeError, match=r"no attribute 'read_csv': csvfeed\.CsvDataset\("):
        csvfeed.read_csv  # noqa: B018
    with pytest.raises(AttributeError, match=r"no attribute 'zzz'$"):
        csvfeed.zzz  # noqa: B018


def test_calls_by_position_are_explained():
    ds = csvfeed.CsvDataset(DATA)
    text = said(lambda: ds.shuffle(10_000))
    assert "shuffles all rows" in text
    assert "buffer size" in text
    assert "shuffle(seed=10000) if it is a seed" in text
    assert "buffer size" in said(lambda: ds.shuffle(buffer_size=10_000))
    assert "split(0.5, seed=7)" in said(lambda: ds.split(0.5, 7))
    assert "csvfeed calls it fraction=" in said(lambda: ds.split(test_size=0.5))
    assert "csvfeed calls it seed=" in said(lambda: ds.split(0.5, random_state=0))
    assert "shard() lacks count: shard(0, 4)" in said(lambda: ds.shard(1))
    assert "csvfeed calls it count=" in said(lambda: ds.shard(0, num_shards=2))
    assert "'y' has no name" in said(lambda: csvfeed.CsvDataset(DATA, "y"))
    assert "CsvDataset() lacks source" in said(lambda: csvfeed.CsvDataset())


def test_attributes_and_conversions_of_other_libraries_are_explained():
    ds = csvfeed.CsvDataset(DATA)
    assert not hasattr(ds, "batch")
    assert not hasattr(copy.copy(ds), "nothing_of_the_kind")
    with pytest.raises(AttributeError, match=r"no attribute 'map': .*to_tf\(\)"):
        ds.map(len)
    with pytest.raises(AttributeError, match=r"no attribute 'nothing'$"):
        ds.nothing  # noqa: B018
    for convert in (ds.to_keras, ds.to_tf, ds.to_torch):
        assert "the dataset has it" in said(lambda convert=convert: convert(batch_size=32))
    assert "takes its options by name" in said(lambda: ds.to_keras({0: 1.0}))
    assert "to_torch() has no argument 'cuda'" in said(lambda: ds.to_torch(cuda=True))
    with pytest.raises(ValueError, match=r"fill of column 'a' is a number or .mean., not 'median'"):
        csvfeed.CsvDataset(DATA, fill={"a": "median"})


def test_signatures_are_those_of_the_functions():
    assert str(inspect.signature(csvfeed.CsvDataset.split)).startswith(
        "(self, fraction: 'float', *, seed"
    )
    assert "source" in inspect.signature(csvfeed.CsvDataset).parameters
    assert csvfeed.CsvDataset.shuffle.__doc__.startswith("Return a dataset with the same rows")


def test_an_order_is_shown_as_calls_that_run(tmp_path):
    ds = csvfeed.CsvDataset(DATA * 40, on_error="skip", batch_size=3)
    made = ds.split(0.5, seed=3, by="a")[0].split(0.4, seed=1)[1].shard(1, 2)
    made = made.shuffle(seed=2).cache(tmp_path)
    calls = repr(made).rpartition("batch_size=3)")[2]
    assert calls.startswith(".split(0.5, seed=3, by='a')[0].split(0.4, seed=1)[1].shard(1, 2).shuf")
    assert repr(eval(f"ds{calls}")) == repr(made)


@pytest.mark.parametrize(
    ("call", "says"),
    [
        (lambda ds: ds.split(2), "fraction is a number between 0 and 1"),
        (lambda ds: ds.split(0), "fraction is a number between 0 and 1"),
        (lambda ds: ds.split("half"), "fraction is a number between 0 and 1"),
        (
            lambda ds: ds.shard(4, 1),
            "index is a whole number from 0 to 0, not 4; index comes before the count",
        ),
        (lambda ds: ds.shard(0, 0), "count is a whole number of at least 1"),
        (lambda _: csvfeed.CsvDataset(DATA, batch_size=0), "batch_size is a whole number"),
        (lambda _: csvfeed.CsvDataset(DATA, batch_size=32.0), "batch_size .* not 32.0"),
        (lambda _: csvfeed.CsvDataset(DATA, batch_size=True), "batch_size .* not True"),
        (lambda _: csvfeed.CsvDataset(DATA, target=True), "target names columns by name or index"),
        (lambda _: csvfeed.CsvDataset(DATA, header=0), "header=True"),
        (lambda _: csvfeed.CsvDataset(DATA, header=2), "skip_rows=2"),
        (lambda _: csvfeed.CsvDataset(DATA, header=None), "header=False"),
    ],
)
def test_values_that_make_no_sense_are_answered(call, says):
    with pytest.raises((TypeError, ValueError), match=says):
        call(csvfeed.CsvDataset(DATA))


# sources


@pytest.mark.parametrize(
    ("library", "make"),
    [
        ("pandas", lambda pandas, columns: pandas.DataFrame(columns)),
        ("polars", lambda polars, columns: polars.DataFrame(columns)),
        ("polars", lambda polars, columns: polars.LazyFrame(columns)),
        ("pyarrow", lambda pyarrow, columns: pyarrow.table(columns)),
        ("pyarrow", lambda pyarrow, columns: pyarrow.table(columns).to_batches()[0]),
    ],
)
def test_tables_in_memory_are_refused_with_the_way_out(library, make):
    # A column may be called like a method of files.
    frame = make(pytest.importorskip(library), {"open": [1.0, 2.0], "read": [3.0, 4.0]})
    for source in (frame, [frame]):
        text = said(lambda source=source: csvfeed.CsvDataset(source))
        assert type(frame).__name__ in text
        assert "give its arrays to fit" in text


@pytest.mark.parametrize(
    ("source", "says"),
    [
        (np.ones((2, 2)), "numpy.ndarray, .*to fit"),
        ({"a": [1]}, "source is a dict"),
        ({"a.csv", "b.csv"}, "a set has no order"),
        (io.StringIO("a,y\n1,2\n"), r"getvalue\(\).encode\(\)"),
        (
            "a,y\n1,2\n",
            r"a str is the name of a file: give the text as bytes, with text.encode\(\)",
        ),
        (csvfeed.CsvDataset(DATA), "source is a CsvDataset already"),
        (None, r"not None \(NoneType\)"),
        (3, r"not 3 \(int\)"),
        (True, r"not True \(bool\)"),
    ],
)
def test_what_is_no_file_is_refused_alone_and_in_a_list(source, says):
    for one in (source, [source], [DATA, source]):
        assert re.search(says, said(lambda one=one: csvfeed.CsvDataset(one)))


def test_a_file_in_text_mode_is_refused(write):
    with open(write(DATA)) as file:
        assert 'open(..., "rb")' in said(lambda: csvfeed.CsvDataset(file))


def test_datasets_and_tensors_of_tensorflow_are_refused():
    tf = pytest.importorskip("tensorflow")
    for source in (tf.data.Dataset.range(3), tf.ones((2, 2))):
        assert "to fit as they are" in said(lambda source=source: csvfeed.CsvDataset(source))


def test_names_of_files_in_arrays_and_with_line_ends_are_read(write):
    paths = [write(DATA, "1.csv"), write(DATA, "new\nline.csv")]
    for source in (np.array(paths), tuple(paths), iter(paths)):
        assert csvfeed.CsvDataset(source).num_rows == 6
    assert csvfeed.CsvDataset(paths[1]).num_rows == 3
