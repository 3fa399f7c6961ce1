"""The examples of the page on trees run, and give the trees of a table in memory."""

import gc
import re
from pathlib import Path

import numpy as np
import pytest

import csvfeed

PAGE = Path(__file__).parents[2] / "docs" / "trees.md"
SECTIONS = re.findall(r"^(?:## |# )(.+?)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S)


def run(title, names):
    """Run the code of a section, with batches and blocks that are small beside its files."""
    (section,) = [text for name, text in SECTIONS if name == title]
    for code in re.findall(r"^```python\n(.*?)^```$", section, re.M | re.S):
        code = code.replace("batch_size=100_000", "batch_size=700")
        code = code.replace("batch_size=65_536", "batch_size=500")
        exec(compile(code, title, "exec"), names)


@pytest.fixture
def names(tmp_path, monkeypatch):
    """Go to a directory with the files of the page, and run what its examples share."""
    monkeypatch.chdir(tmp_path)
    # Threads that wait for each other only warm the machine up.
    monkeypatch.setenv("OMP_NUM_THREADS", "1")
    rng = np.random.default_rng(0)
    lines = []
    for _ in range(6000):
        station, hour = rng.choice(["harbour", "market", "museum", ""]), rng.integers(24)
        distance = rng.uniform(0.5, 8)
        late = station == "harbour" or distance * (1 + (hour > 16)) + rng.normal() > 7
        written = "" if rng.random() < 0.05 else f"{distance:.2f}"
        lines.append((f"{station},{hour},{written}", f"{late:d}"))
    Path("trips.csv").write_text(
        "station,hour,distance,late\n" + "".join(f"{row},{late}\n" for row, late in lines)
    )
    Path("new.csv").write_text("station,hour,distance\n" + "".join(f"{row}\n" for row, _ in lines))
    names = {}
    run("How to train trees", names)
    yield names
    # XGBoost removes its files, by their relative names.
    names.clear()
    gc.collect()


def with_a_bad_row():
    return csvfeed.CsvDataset(b"a,y\n" + b"1,0\n" * 3000 + b"x,1\n", batch_size=100)


def test_xgboost_grows_the_trees_of_a_table_in_memory(names):
    xgboost = pytest.importorskip("xgboost")
    run("XGBoost", names)
    train, new = names["train"], names["new"]
    X, y = train.rows()
    options = {"feature_names": train.feature_names, "feature_types": ["c", "q", "q"]}
    matrix = xgboost.QuantileDMatrix(X, y, **options)
    expected = xgboost.train(names["params"], matrix, 20)
    assert names["booster"].get_dump() == expected.get_dump()
    (X,) = new.rows()
    rows = xgboost.DMatrix(X, **options)
    np.testing.assert_array_equal(names["predictions"], expected.predict(rows))
    # Sums over several files are rounded elsewhere.
    of_files = names["booster_of_files"].predict(rows)
    np.testing.assert_allclose(of_files, names["predictions"], rtol=1e-4)
    right = (names["predictions"] > 0.5) == names["ds"].rows()[1]
    assert right.mean() > 0.9
    with pytest.raises(csvfeed.NumberError, match="line 3002, column 'a'"):
        xgboost.QuantileDMatrix(names["Batches"](with_a_bad_row()))


def test_lightgbm_grows_the_trees_of_a_table_in_memory(names):
    lightgbm = pytest.importorskip("lightgbm")
    run("LightGBM", names)
    train, params = names["train"], names["params"]
    X, y = train.rows()
    options = {"categorical_feature": [0], "feature_name": train.feature_names, "params": params}
    expected = lightgbm.train(params, lightgbm.Dataset(X, label=y, **options), 20)
    assert names["model"].model_to_string() == expected.model_to_string()
    assert names["model"].best_score["valid_0"]["auc"] > 0.9
    with pytest.raises(csvfeed.NumberError, match="line 3002, column 'a'"):
        lightgbm.Dataset(names["Rows"](with_a_bad_row()), label=np.zeros(3001)).construct()
