"""Use an installed csvfeed in an empty directory, with nothing beside it but NumPy."""

import gzip
from pathlib import Path

import numpy as np

import csvfeed

ROWS = 5000


def write_files():
    """Write a table, plain and compressed, whose target is twice its second feature."""
    rows = "".join(f'"{("a, b", "c")[n % 2]}",{n / 4},{n / 2}\n' for n in range(ROWS))
    Path("train.csv").write_text(f"name,x,y\n{rows}")
    Path("train.csv.gz").write_bytes(gzip.compress(f"name,x,y\n{rows}".encode()))


def read(path):
    """Read a file in order, shuffled and split."""
    ds = csvfeed.CsvDataset(path, target="y", categories={"name": "auto"}, batch_size=64)
    X, y = (np.concatenate(arrays) for arrays in zip(*ds, strict=True))
    np.testing.assert_array_equal(X[:, 0], np.arange(ROWS) % 2 + 1)
    np.testing.assert_array_equal(X[:, 1] * 2, y)
    np.testing.assert_array_equal(y, np.arange(ROWS, dtype=np.float32) / 2)
    train, held_out = ds.split(0.1, seed=0)
    parts = [y for part in (train.shuffle(seed=0), held_out) for _, y in part]
    np.testing.assert_array_equal(np.sort(np.concatenate(parts)), y)


def report_a_bad_row():
    """Read a row that is wrong."""
    found = None
    try:
        list(csvfeed.CsvDataset(b"x,y\n1,2\noops,3\n"))
    except csvfeed.NumberError as error:
        found = error
    assert found is not None
    assert (found.line, found.column_name, found.text) == (3, "x", "oops")


if __name__ == "__main__":
    assert "site-packages" in csvfeed.__file__, csvfeed.__file__
    write_files()
    read("train.csv")
    read("train.csv.gz")
    report_a_bad_row()
    print(f"csvfeed {csvfeed.__version__} uses {csvfeed.simd()}")
