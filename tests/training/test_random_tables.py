"""Tables at random into every trainer: the batches are those of iteration."""

import importlib.util
import pickle

import keras
import ml_dtypes
import numpy as np
import pytest
from generated import examples
from hypothesis import given, settings
from hypothesis import strategies as st
from random_rows import WAYS, dataset

import csvfeed

pytestmark = pytest.mark.filterwarnings("ignore:.* left out. ds.rejects tells which:RuntimeWarning")
DTYPES = {"float32": np.float32, "float16": np.float16, "bfloat16": ml_dtypes.bfloat16}


def mixed(rnd, ds):
    return rnd.choice([ds, ds, csvfeed.mix([ds, ds], stop="repeat")])


def by_name(X, ds):
    """Return the features by the name of their column or part."""
    parts = {}
    for at, (name, kind) in enumerate(zip(ds.feature_names, ds.feature_types, strict=True)):
        end = {"list": "[", "multi_hot": "."}.get(kind)
        parts.setdefault(name if end is None else name.split(end)[0], []).append(X[..., [at]])
    return {name: np.concatenate(part, axis=-1) for name, part in parts.items()}


def same(found, expected, dtypes):
    """Compare a part of a batch: an array, or arrays by name."""
    if isinstance(expected, dict):
        assert list(found) == list(expected)
        for name, one in expected.items():
            same(found[name], one, dtypes)
        return
    assert found.dtype in dtypes
    # NumPy does not know the NaN of bfloat16.
    found, expected = found.astype(np.float64), expected.astype(found.dtype).astype(np.float64)
    np.testing.assert_array_equal(found, expected)


def check(batches, expected, ds, name, *, as_dict=False):
    dtype = np.dtype(DTYPES[name])
    codes = [np.dtype(np.int32)] if as_dict else []
    for batch, plain in zip(batches, expected, strict=True):
        assert len(batch) == len(plain)
        X = by_name(plain[0], ds) if as_dict else plain[0]
        same(batch[0], X, [dtype, *codes])
        for one, other in zip(batch[1:], plain[1:], strict=True):
            same(one, other, [np.dtype(np.float32)])


def arrays(batch):
    """Return tensors of PyTorch as arrays."""
    if isinstance(batch, dict):
        return {name: arrays(one) for name, one in batch.items()}
    if isinstance(batch, tuple):
        return tuple(map(arrays, batch))
    if str(batch.dtype) == "torch.bfloat16":
        return batch.float().numpy().astype(ml_dtypes.bfloat16)
    return batch.numpy()


@pytest.mark.filterwarnings("ignore:overflow encountered in cast:RuntimeWarning")
@settings(max_examples=examples(50))
@given(st.randoms(use_true_random=True))
def test_each_trainer_gets_the_batches_of_iteration(tmp_path_factory, rnd):
    ds = dataset(rnd, tmp_path_factory.mktemp("tables"), WAYS, rnd.choice(["keep", "pad"]))
    if ds is None:
        return
    ds = rnd.choice([ds, ds.shuffle(seed=rnd.randint(0, 9))])
    ds, dtype = mixed(rnd, ds), rnd.choice([*DTYPES])
    as_dict = rnd.random() < 0.5
    first = list(ds)

    def begun():
        """Return a copy of the dataset, which begins with its first epoch."""
        return pickle.loads(pickle.dumps(ds))

    adapter = begun().to_keras(as_dict=as_dict, dtype=dtype)
    check(adapter.get_numpy_iterator(), first, ds, dtype, as_dict=as_dict)
    if keras.backend.backend() == "torch":
        check(map(arrays, begun().to_torch(dtype=dtype)), first, ds, dtype)
    if importlib.util.find_spec("grain"):
        check(begun().to_grain(dtype=dtype), first, ds, dtype)
