"""A training of DistributedDataParallel on several processes; ``test_elastic.py`` starts this.

``python elastic_torch.py path order folder stop rank count`` trains, saves the state of the loader
and the model in the folder after every third step, and prints the weights as JSON. Each process
writes the ledger of its rows to the folder: a line for each step. If ``stop`` is a number of
steps, the last process stops after these steps, and makes the file ``stopped`` in the folder. The
others then wait for it in the middle of a step.
"""

import json
import os
import signal
import sys
from pathlib import Path

import torch
import torch.distributed as dist
from numbered import MIXED, NUMBERED

import csvfeed

path, order, folder, stop, rank, count = sys.argv[1:]
folder, rank, count, stop = Path(folder), int(rank), int(count), int(stop)
dist.init_process_group("gloo")

EPOCHS = 3
ds = csvfeed.CsvDataset(path, batch_size=16, remainder="drop", memory=MIXED, **NUMBERED)
if order == "shuffled":
    ds = ds.shuffle(seed=1)
data = ds.distribute(lanes=4).to_torch()
torch.manual_seed(0)
model = torch.nn.parallel.DistributedDataParallel(torch.nn.Linear(1, 1))
optimizer = torch.optim.Adam(model.parameters(), 0.01)
backup = folder / "backup.pt"
step, first = 0, None
if backup.exists():
    saved = torch.load(backup)
    step, first = saved["step"], saved["data"]
    model.load_state_dict(saved["model"])
    optimizer.load_state_dict(saved["optimizer"])

with (folder / f"ledger-{rank}-of-{count}").open("a") as ledger:
    while step < EPOCHS * len(data):
        batches = iter(data)
        if first is not None:
            batches.load_state_dict(first)
            first = None
        for X, y in batches:
            optimizer.zero_grad()
            torch.nn.functional.mse_loss(model(X / 1000)[:, 0], y / 1000).backward()
            optimizer.step()
            print(json.dumps([step, X[:, 0].int().tolist()]), file=ledger, flush=True)
            step += 1
            if step == stop and rank == count - 1:
                (folder / "stopped").touch()
                signal.pause()
            if step % 3 == 0 and rank == 0:
                now = {"model": model.state_dict(), "optimizer": optimizer.state_dict()}
                draft = backup.with_suffix(".draft")
                torch.save({**now, "data": batches.state_dict(), "step": step}, draft)
                os.replace(draft, backup)
print(json.dumps([parameter.ravel().tolist() for parameter in model.parameters()]))
dist.destroy_process_group()
