import csv
import importlib.util
import io
import zipfile
from pathlib import Path

import numpy as np
import pytest

import csvfeed

ROOT = Path(__file__).parents[2]


@pytest.fixture(scope="module")
def flights():
    spec = importlib.util.spec_from_file_location("flights", ROOT / "examples" / "flights.py")
    flights = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(flights)
    return flights


# In the folder a reader of the example would have, so that the download serves all.
DIRECTORY = ROOT / "data"


def test_the_model_beats_the_baselines(flights):
    errors = flights.main(["--epochs", "1", "--directory", str(DIRECTORY)])
    assert errors["the model"] < 0.6 * errors["always the mean"]
    assert errors["the model"] < errors["as late as it departed"]


def test_every_flight_with_an_arrival_delay_is_read(flights):
    # Computed once with pandas from the same file.
    ds = csvfeed.CsvDataset(
        flights.download(DIRECTORY), target="arr_delay", features=["hour"], missing_target="skip"
    )
    assert ds.num_rows == 327_346
    assert ds.stats()["arr_delay"].mean == pytest.approx(6.895377, abs=1e-6)
    ds = csvfeed.CsvDataset(
        flights.download(DIRECTORY),
        target=None,
        features=["carrier", "dest", "time_hour"],
        categories={"carrier": "auto", "dest": "auto"},
        dates={"time_hour": "month"},
    )
    assert len(ds.vocabulary["carrier"]) == 16
    assert len(ds.vocabulary["dest"]) == 105
    X = np.concatenate([X for (X,) in ds])
    assert len(X) == 336_776
    with (
        zipfile.ZipFile(flights.download(DIRECTORY)) as archive,
        archive.open("flights.csv") as file,
    ):
        times = [row["time_hour"] for row in csv.DictReader(io.TextIOWrapper(file, "utf-8"))]
    np.testing.assert_array_equal(X[:, 2], [int(time[5:7]) for time in times])
