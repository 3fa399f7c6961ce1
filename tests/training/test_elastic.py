"""All processes are killed, and others go on: each step has the rows of an undisturbed run.

Four processes of an engine take their time, so ``make test-distributed`` alone runs this.
"""

import json
import shutil
from pathlib import Path

import numpy as np
import pytest
from launched import free_port, group, kill_when, launch, outputs
from numbered import joined, numbered

SUPPORT = Path(__file__).parents[1] / "support"
STEPS = 12
"""Steps of each of three epochs."""
STOP = STEPS + 8
KEPT = STEPS + 6
"""The steps that the last backup before STOP has seen."""


class Keras:
    """Keras on JAX, with ``DataParallel`` and ``BackupAndRestore``."""

    def start(self, count, path, order, folder, stop=0):
        given = SUPPORT / "elastic_keras.py", path, order, folder, stop, free_port()
        return launch(count, lambda rank: [*given, rank, count])

    def saved(self, folder):
        with np.load(folder / "csvfeed-backup.npz") as backup:
            state = json.loads(backup["meta"].tobytes())["dataset"]
        return state["epoch"] * STEPS + state["batch"]

    def ledger(self, folder, found):  # noqa: ARG002 - it is in the weights
        told = [json.loads(output.splitlines()[-1]) for output in found]
        assert all(one == told[0] for one in told), "the replicas are equal bit for bit"
        assert told[0]["steps"] == 3 * STEPS
        return told[0]["rows"], told[0]["weights"]


class Torch:
    """PyTorch's ``DistributedDataParallel``, with the states of model, optimizer and iterator."""

    def start(self, count, path, order, folder, stop=0):
        given = SUPPORT / "elastic_torch.py", path, order, folder, stop
        return launch(count, lambda rank: [*given, rank, count], group(count))

    def saved(self, folder):
        import torch

        return torch.load(folder / "backup.pt")["step"]

    def ledger(self, folder, found):
        killed = _global(folder, 4)
        own = _global(folder, len(found))
        # What the killed run did after its backup is undone, as for the model.
        steps = {**{step: killed[step] for step in range(KEPT) if killed}, **own}
        assert sorted(own) == list(range(KEPT if killed else 0, 3 * STEPS))
        told = [json.loads(output) for output in found]
        assert all(one == told[0] for one in told), "the replicas are equal bit for bit"
        return [steps[step] for step in range(3 * STEPS)], told[0]


def _global(folder, count):
    """Return the rows of each step, of ledgers that the processes of a run have left."""
    paths = [folder / f"ledger-{rank}-of-{count}" for rank in range(count)]
    if not paths[0].exists():
        return {}
    parts = [[json.loads(line) for line in path.open()] for path in paths]
    steps = {}
    # Of processes that were killed, some lack the last step of the others.
    for part in zip(*parts, strict=False):
        numbers, rows = zip(*part, strict=True)
        assert set(numbers) == {part[0][0]}, "all do the same steps"
        assert numbers[0] not in steps
        steps[numbers[0]] = joined(rows)
    return steps


ENGINES = [
    pytest.param(Keras(), id="jax", marks=pytest.mark.backend("jax")),
    pytest.param(Torch(), id="torch", marks=pytest.mark.backend("torch")),
]


@pytest.mark.distributed
@pytest.mark.parametrize("order", ["in order", "shuffled"])
@pytest.mark.parametrize("engine", ENGINES)
def test_another_number_of_processes_goes_on_after_kill(engine, order, tmp_path):
    """Four are killed in the middle of a step; two and one go on from copies of their backup."""
    path = tmp_path / "data.csv"
    path.write_bytes(numbered(200))
    folders = {name: tmp_path / name for name in ("alone", "killed")}
    for folder in folders.values():
        folder.mkdir()
    (process,) = engine.start(1, path, order, folders["alone"])
    four = engine.start(4, path, order, folders["killed"], STOP)
    codes = kill_when(four, (folders["killed"] / "stopped").exists)
    assert codes == [-9] * 4
    rows, weights = engine.ledger(folders["alone"], outputs([process]))
    assert len(set(joined(rows[:STEPS]))) == STEPS * 16, "each row once an epoch"
    assert (rows[:STEPS] == rows[STEPS : 2 * STEPS]) == (order == "in order")
    assert engine.saved(folders["killed"]) == KEPT
    for count in (2, 1):
        folder = tmp_path / str(count)
        shutil.copytree(folders["killed"], folder)
        resumed = engine.start(count, path, order, folder)
        found, other_weights = engine.ledger(folder, outputs(resumed))
        assert found == rows
        for one, other in zip(other_weights, weights, strict=True):
            np.testing.assert_allclose(one, other, rtol=1e-5, atol=1e-7)
