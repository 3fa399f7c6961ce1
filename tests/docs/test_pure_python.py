"""The reader that csvfeed is measured against gives what csvfeed gives."""

import numpy as np
import pytest

from csvfeed import CsvDataset
from csvfeed.demo.textbook import read_batches

TEXT = "a,t,b,y\n" + "".join(
    f"{n},word,{n / 8 if n % 3 else 'NA'},{-n if n % 5 else 'NA'}\n" for n in range(100)
)


@pytest.mark.parametrize("features", [[0, 2], [2, 0], [2]])
@pytest.mark.parametrize("batch_size", [7, 100, 1000])
def test_columns_and_missing_values_of_a_table_with_text(write, features, batch_size):
    path = write(TEXT)
    found = read_batches(path, batch_size, columns=[*features, 3], missing="NA")
    options = {"features": features, "target": 3, "missing_target": "keep"}
    expected = CsvDataset(path, batch_size=batch_size, **options)
    for (X, y), (expected_X, expected_y) in zip(found, expected, strict=True):
        np.testing.assert_array_equal(X.reshape(len(X), -1), expected_X)
        np.testing.assert_array_equal(y, expected_y)
        assert X.flags.c_contiguous
        assert y.flags.c_contiguous


def test_a_row_with_another_number_of_fields_shifts_no_others(write):
    path = write("1,2,3\n1,2,3,4\n1,2,3\n")
    with pytest.raises(ValueError, match="not all rows"):
        next(read_batches(path, 3, columns=[1, 2], skip_header=False))
