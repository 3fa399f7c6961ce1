"""The examples of docs/training.md run as they stand, section by section."""

import re
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

import csvfeed

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "training.md"
SECTIONS = dict(re.findall(r"^## (.+?)\n(.*?)(?=^## |\Z)", PAGE.read_text(), re.M | re.S))


def blocks(text):
    return re.findall(r"^```python\n(.*?)^```$", text, re.M | re.S)


@pytest.fixture
def files(tmp_path, monkeypatch):
    """Go to a directory with small files such as the page speaks of."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(0)
    for name in ("train.csv", "validation.csv", "new.csv"):
        header = "x" if name == "new.csv" else "x,y"
        rows = "".join(f"{n},{n}\n" if "," in header else f"{n}\n" for n in range(5000))
        Path(name).write_text(f"{header}\n{rows}")
    higgs = rng.normal(size=(6000, 29)).astype(np.float32)
    higgs[:, 0] = rng.integers(0, 2, len(higgs))
    np.savetxt("HIGGS.csv", higgs, fmt="%.18e", delimiter=",")
    rows = (
        f"u{rng.integers(200)},{rng.lognormal():.2f},{rng.integers(24)},"
        f"{rng.integers(1, 4)},{int(rng.random() < 0.1)}\n"
        for _ in range(3000)
    )
    Path("payments.csv").write_text("user,amount,hour,importance,fraud\n" + "".join(rows))
    rows = (
        ",".join(f"{size:.1f}" for size in rng.normal(n % 3, size=4))
        + f",{('setosa', 'versicolor', 'virginica')[n % 3]}\n"
        for n in range(300)
    )
    Path("flowers.csv").write_text("a,b,c,d,species\n" + "".join(rows))
    rows = (f"{n % 2}.5,{rng.normal():.2f},{('ham', 'spam')[n % 2]}\n" for n in range(300))
    Path("spam.csv").write_text("capitals,links,kind\n" + "".join(rows))
    rows = (f"{rng.normal():.3f},{'' if n % 7 else 1e4 + n},{n % 2}\n" for n in range(1000))
    Path("sensors.csv").write_text("vibration,pressure,failure\n" + "".join(rows))
    rows = (
        f"{rng.choice(['north', 'south', ''])},2024-03-{rng.integers(1, 32):02} "
        f"{rng.integers(24):02}:00:00,{rng.choice(['yes', 'no'])},{rng.lognormal():.1f},{n % 9}\n"
        for n in range(1000)
    )
    Path("trips.csv").write_text("zone,pickup,shared,miles,fare\n" + "".join(rows))
    return tmp_path


@pytest.mark.parametrize("title", [title for title in SECTIONS if blocks(SECTIONS[title])])
def test_the_examples_run(title, files):
    keras = pytest.importorskip("keras")
    model = keras.Sequential([keras.Input((1,)), keras.layers.Dense(1)])
    model.compile(loss="mean_absolute_error", optimizer="adam")
    names = {"csvfeed": csvfeed, "keras": keras, "model": model}
    for code in blocks(SECTIONS[title]):
        exec(compile(code, f"{PAGE.name}: {title}", "exec"), names)
    if "predictions.csv" in SECTIONS[title]:
        predictions = np.loadtxt(files / "predictions.csv", skiprows=1)
        slope, bias = (value.numpy().item() for value in model.weights)
        np.testing.assert_allclose(predictions, slope * np.arange(5000) + bias, rtol=1e-4)


def test_the_page_begins_with_the_imports_that_its_examples_share():
    opening = PAGE.read_text().partition("\n## ")[0]
    assert blocks(opening) == ["import csvfeed\nimport keras\n"]


def test_the_example_of_higgs_times_text_and_cache(tmp_path):
    pytest.importorskip("keras")
    command = [sys.executable, ROOT / "examples" / "higgs.py", "--rows", "3000", "--epochs", "2"]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=True)
    head, *lines = done.stdout.splitlines()
    assert "3,000 rows" in head
    ways = [tuple(re.findall(r"\w+", line)[:2]) for line in lines]
    assert ways == [("read", "text"), ("read", "cache"), ("fit", "text"), ("fit", "cache")]
    assert [line.count(" s") for line in lines] == [2, 2, 2, 2]
