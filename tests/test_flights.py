import importlib.util
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.fixture(scope="module")
def errors():
    spec = importlib.util.spec_from_file_location("flights", ROOT / "examples" / "flights.py")
    flights = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(flights)
    # In the folder a reader of the example would have, so that the download serves both.
    return flights.main(["--epochs", "2", "--directory", str(ROOT / "data")])


def test_the_model_beats_the_baselines(errors):
    assert errors["the model"] < 0.6 * errors["always the mean"]
    assert errors["the model"] < errors["as late as it departed"]


def test_every_flight_with_an_arrival_delay_is_read(errors):
    # Computed once with pandas from the same file.
    assert errors["always the mean"] == pytest.approx(24.6917, abs=1e-3)
    assert errors["always the median"] == pytest.approx(23.3469, abs=1e-3)
    assert errors["as late as it departed"] == pytest.approx(13.0543, abs=1e-3)
