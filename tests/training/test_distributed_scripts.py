"""The scripts of the page about several processes train on two of them, as they stand."""

import re
from pathlib import Path

import pytest
from launched import free_port, launch, outputs

PAGE = (Path(__file__).parents[2] / "docs/distributed.md").read_text()
SCRIPTS = dict(
    re.findall(r"^## ([^\n]+)\n(?:(?!^## ).)*?^```python\n(.*?)^```$", PAGE, re.M | re.S)
)


pytestmark = pytest.mark.distributed


@pytest.fixture
def script(tmp_path, monkeypatch):
    """Go to a directory with a file, and write the script of a section there."""
    monkeypatch.chdir(tmp_path)
    Path("train.csv").write_text("x,y\n" + "".join(f"{n},{2 * n}\n" for n in range(3000)))

    def write(section):
        Path("train.py").write_text(SCRIPTS[section])
        return "train.py"

    return write


@pytest.mark.backend("jax")
def test_keras_on_jax(script):
    given = script("Keras on JAX"), f"127.0.0.1:{free_port()}"
    first, _ = outputs(launch(2, lambda rank: [given[0], rank, 2, given[1]]))
    assert "10/10" in first
    assert "val_loss" in first


@pytest.mark.backend("torch")
def test_torchrun(script):
    pytest.importorskip("torch")
    port = free_port()
    command = ["-m", "torch.distributed.run", "--nproc-per-node", 2, "--master-port", port]
    (found,) = outputs(launch(1, lambda _: [*command, script("PyTorch")]))
    assert found.splitlines() == ["epoch 0: 12 steps", "epoch 1: 12 steps"]


@pytest.mark.backend("jax")
def test_grain(script):
    pytest.importorskip("grain")
    given = script("Grain"), f"127.0.0.1:{free_port()}"
    first, second = outputs(launch(2, lambda rank: [given[0], rank, 2, given[1]]))
    assert len(re.findall(r"epoch \d: \[[^]]*[1-9][^]]*\]", first)) == 2
    assert "epoch" not in second


def test_other_engines(script):
    path = script("Other engines")
    environments = [{"INDEX": str(index), "COUNT": "2"} for index in range(2)]
    found = outputs(launch(2, lambda _: [path], environments))
    assert found == [f"process {index} of 2: 12 steps of 125 rows\n" for index in range(2)]
