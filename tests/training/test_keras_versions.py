"""What a Keras that cannot take csvfeed's adapter is answered with."""

import importlib
import sys

import keras
import pytest


@pytest.fixture
def import_anew(monkeypatch):
    def import_anew():
        for name in ("csvfeed.train.adapter", "csvfeed.train.backup", "csvfeed.keras"):
            monkeypatch.delitem(sys.modules, name, raising=False)
        importlib.import_module("csvfeed.keras")

    return import_anew


@pytest.mark.parametrize("version", ["3.0.5", "3.5.0", "3.6.0", "2.15.0"])
def test_an_older_one_is_told_which_is_needed(monkeypatch, import_anew, version):
    monkeypatch.setattr(keras, "__version__", version)
    with pytest.raises(ImportError, match=rf"Keras {version} .* 3\.7 or newer.*to_tf"):
        import_anew()


def test_one_that_has_moved_its_adapters_is_named(monkeypatch, import_anew):
    monkeypatch.setitem(sys.modules, "keras.src.trainers.data_adapters.data_adapter", None)
    with pytest.raises(ImportError, match=rf"Keras {keras.__version__} .*to_tf"):
        import_anew()


def test_it_does_without_tensorflow_and_pytorch(monkeypatch, import_anew):
    monkeypatch.setitem(sys.modules, "csvfeed.train.tensorflow", None)
    monkeypatch.setitem(sys.modules, "csvfeed.train.torch", None)
    import_anew()
