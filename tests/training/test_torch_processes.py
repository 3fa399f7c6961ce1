"""PyTorch's DistributedDataParallel on several processes; ``make test-torch`` runs this."""

import json
import textwrap

import numpy as np
import pytest
from launched import group, launch, outputs

pytest.importorskip("torch")
pytestmark = pytest.mark.backend("torch")

TRAIN = """
    import json, sys
    import torch, torch.distributed as dist
    dist.init_process_group("gloo")
    import csvfeed

    path, remainder = sys.argv[1:]
    ds = csvfeed.CsvDataset(path, target="y", batch_size=16, remainder=remainder, memory=8192)
    own = ds.shuffle(seed=1).distribute(lanes=4)
    found = {}
    for name in ("exact", "real"):
        torch.manual_seed(0)
        if name == "exact":
            # A loss whose gradients are sixteenths of integers, which float32 adds in any order.
            model, rate = torch.nn.Linear(2, 1, bias=False), 2.0**-4
            torch.nn.init.zeros_(model.weight)
        else:
            hidden = torch.nn.Linear(2, 8)
            model, rate = torch.nn.Sequential(hidden, torch.nn.Tanh(), torch.nn.Linear(8, 1)), 0.01
        model = torch.nn.parallel.DistributedDataParallel(model)
        optimizer = torch.optim.SGD(model.parameters(), rate)
        loader = torch.utils.data.DataLoader(own.to_torch(), batch_size=None)
        weights, steps = [], 0
        for epoch in range(1 if name == "exact" else 3):
            own.epochs.position.move(epoch, 0)
            for X, y, *w in loader:
                optimizer.zero_grad()
                predicted = model(X)[:, 0]
                each = -predicted * y if name == "exact" else (predicted - y) ** 2
                (each if not w else each * w[0]).mean().backward()
                optimizer.step()
                steps += 1
            flat = [parameter.detach().ravel() for parameter in model.parameters()]
            weights.append(torch.cat(flat).tolist())
        found[name] = weights, steps
    print(json.dumps(found))
    dist.destroy_process_group()
"""


def trained(count, path, remainder):
    code = ["-c", textwrap.dedent(TRAIN), path, remainder]
    return list(map(json.loads, outputs(launch(count, lambda _: code, group(count)))))


@pytest.mark.parametrize("remainder", ["drop", "pad"])
def test_the_model_is_that_of_one_process(remainder, tmp_path):
    path = tmp_path / "data.csv"
    rows = np.random.default_rng(0).integers(-4, 5, (410, 2))
    path.write_text("a,b,y\n" + "".join(f"{a},{b},{a + 2 * b + 1}\n" for a, b in rows))
    (alone,) = trained(1, path, remainder)
    for count in (2, 4):
        parts = trained(count, path, remainder)
        for part in parts:
            assert part == parts[0], "the replicas are equal bit for bit"
            assert part["exact"] == alone["exact"]
            np.testing.assert_allclose(part["real"][0], alone["real"][0], rtol=1e-5, atol=1e-6)
            assert part["real"][1] == alone["real"][1]
