"""Codes of categories are those of Keras."""

import keras
import numpy as np
import pytest
from categorical import file_of
from conftest import equal

import csvfeed

pytestmark = pytest.mark.backend("tensorflow")


def test_codes_are_those_of_string_lookup(read):
    text, names = file_of(500)
    vocabulary = sorted(set(names))[::2]
    lookup = keras.layers.StringLookup(vocabulary=vocabulary)
    X, _ = read(text.encode(), categories={"name": vocabulary})
    equal(X[:, 1], np.array(lookup(np.array(names))))
    adapted = keras.layers.StringLookup(
        vocabulary=csvfeed.CsvDataset(text.encode(), categories={"name": "auto"}).vocabulary["name"]
    )
    X, _ = read(text.encode(), categories={"name": "auto"})
    equal(X[:, 1], np.array(adapted(np.array(names))))
