"""The files of the corpus: `sniff` and `delimiter="auto"` get each right, or ask."""

import contextlib

import pytest
from corpus import FILES, NUMBERS, attempt, comparable, is_among_choices

import csvfeed
from csvfeed.dialect import sniff

each_file = pytest.mark.parametrize("file", FILES, ids=lambda file: file.name)


def features(file):
    """Return the columns that csvfeed reads as numbers, and how to read a file without any."""
    numbers = [at for at, kind in enumerate(file.kinds) if kind in NUMBERS]
    return {"features": numbers} if numbers else {"features": [0], "categories": {0: 8}}


def count_rows(content, **options):
    ds = csvfeed.CsvDataset(content, target=None, fill=0.0, on_error="skip", **options)
    with pytest.warns(RuntimeWarning) if ds.rejects else contextlib.nullcontext():
        rows = sum(len(X) for (X,) in ds)
    return ds, rows


def test_the_corpus_is_large():
    assert len(FILES) >= 120
    assert len({file.name for file in FILES}) == len(FILES)


@each_file
def test_the_true_arguments_read_a_file(file):
    if not file.rows:
        with pytest.raises(csvfeed.CsvError, match="no rows after it"):
            csvfeed.CsvDataset(file.content, **file.options)
        return
    ds, rows = count_rows(file.content, **features(file), **file.options)
    assert (len(ds.columns), rows, ds.rejects.count) == (len(file.kinds), file.rows, file.bad)
    assert ds.dialect.options == file.options
    for at, kind in enumerate(file.kinds):
        plain = csvfeed.CsvDataset(
            file.content, target=None, features=[at], fill=0.0, **file.options
        )
        if file.bad:
            with pytest.raises(csvfeed.RowLengthError):
                list(plain)
        elif kind in NUMBERS:
            values = [value for (X,) in plain for value in X[:, 0].tolist()]
            assert (len(set(values)) == 1) == (kind != "n")
        else:
            with pytest.raises(csvfeed.NumberError):
                list(plain)


@each_file
def test_sniff_gets_a_file_right_or_asks(file):
    found = attempt(sniff, file.content)
    if isinstance(found, csvfeed.DialectError):
        assert is_among_choices(found, file)
        return
    assert comparable(found.options, file) == comparable(file.written, file)
    if file.rows:
        ds, rows = count_rows(file.content, **features(file), **{**found.options, **file.beyond})
        assert (len(ds.columns), rows) == (len(file.kinds), file.rows)


def read_all(content, **options):
    """Return how a file is read, and its rows."""
    ds = csvfeed.CsvDataset(content, target=None, fill=0.0, **options)
    return ds, sum(len(X) for (X,) in ds)


@each_file
@pytest.mark.parametrize("known", ["all else", "nothing"])
def test_auto_gets_a_file_right_or_asks(file, known):
    detected = {"delimiter", "header", "skip_initial_space", "skip_final_space"}
    names = file.written.keys() - detected if known == "all else" else set()
    told = {**{name: file.written[name] for name in names}, **file.beyond}
    found = attempt(read_all, file.content, delimiter="auto", **features(file), **told)
    if isinstance(found, csvfeed.CsvError):
        # What is not known may be what the error is about.
        assert (
            known == "nothing"
            or (isinstance(found, csvfeed.DialectError) and is_among_choices(found, file))
            or "say header=True or header=False" in str(found)
            or (isinstance(found, csvfeed.RowLengthError) and file.bad)
            or ("no rows after it" in str(found) and not file.rows)
        ), found
        return
    ds, rows = found
    assert (len(ds.columns), rows, file.bad) == (len(file.kinds), file.rows, 0)
    options, truth = (comparable(one, file) for one in (ds.dialect.options, file.written))
    for name in detected:
        assert options.get(name) == truth.get(name), name


def test_few_files_are_asked_about():
    found = {file.name: attempt(sniff, file.content) for file in FILES}
    asked = [name for name, one in found.items() if isinstance(one, csvfeed.DialectError)]
    assert len(asked) <= len(FILES) // 7, asked
