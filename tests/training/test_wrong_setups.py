"""What is set up in the wrong way ends on all processes, and in a moment."""

import json
import textwrap

import pytest
from launched import free_port, group, launch, need, outputs

WRONG = """
    import json, os, signal, sys, time
    from pathlib import Path

    engine, folder, port, rank, count = sys.argv[1:]
    folder, rank, count = Path(folder), int(rank), int(count)
    if engine == "jax":
        import jax
        from jax.experimental.multihost_utils import sync_global_devices
        jax.distributed.initialize(f"127.0.0.1:{port}", count, rank)
        sync_global_devices("begin")
    if engine == "torch":
        import torch.distributed
        torch.distributed.init_process_group("gloo")
        torch.distributed.barrier()
    import csvfeed

    rows = "x,y\\n" + "".join(f"{n},{n}\\n" for n in range(100))
    (folder / f"data-{rank}.csv").write_text(rows)
    (folder / f"other-{rank}.csv").write_text(rows.replace("5", "6"))

    def together(name):
        # The other process may have ended.
        signal.alarm(60)
        (folder / f"{name}-{rank}").touch()
        while not all((folder / f"{name}-{other}").exists() for other in range(count)):
            time.sleep(0.01)

    def distribute(name, place=None, batch_size=8, file="data", **options):
        path = folder / f"{file}-{rank}.csv"
        ds = csvfeed.CsvDataset(path, target="y", batch_size=batch_size, remainder="drop")
        if engine == "directory":
            place, options["directory"] = place or (rank, count), folder / name
        ds.distribute(*(place or ()), **options)

    first = rank == 0
    cases = {
        "batch": lambda name: distribute(name, batch_size=8 if first else 10),
        "lanes": lambda name: distribute(name, lanes=2 if first else 4),
        "file": lambda name: distribute(name, file="data" if first else "other"),
        "count": lambda name: distribute(name, (rank, 2) if first else (0, 1)),
        "more": lambda name: distribute(name, (rank, 2 if first else 3)),
        "index": lambda name: distribute(name, (rank if first else 2, 2)),
        "half": lambda name: distribute(name, (rank, 2) if first else (1, None)),
        "odd": lambda name: distribute(name, batch_size=8 if first else 9),
        "twice": lambda name: distribute(name, (0, 2)),
    }
    if engine == "directory":
        # A process that says it is alone has nobody to ask.
        del cases["count"]
    for name, wrong in cases.items():
        together(name)
        # Ends a process that hangs.
        signal.alarm(60)
        try:
            wrong(name)
            message = None
        except Exception as error:
            message = f"{type(error).__name__}: {error}"
        signal.alarm(0)
        print(json.dumps([name, message]), flush=True)
        together(f"{name}-told")
"""
ENGINES = [
    "directory",
    pytest.param("jax", marks=pytest.mark.backend("jax")),
    pytest.param("torch", marks=pytest.mark.backend("torch")),
]


def told(engine, folder):
    """Return what each of two processes says to each case."""
    given = "-c", textwrap.dedent(WRONG), engine, folder, free_port()
    found = outputs(launch(2, lambda rank: [*given, rank, 2], group(2)))
    told = [
        dict(json.loads(line) for line in output.splitlines() if line.startswith('["'))
        for output in found
    ]
    return {case: [one[case] for one in told] for case in told[0]}


@pytest.mark.parametrize("engine", ENGINES)
def test_each_process_says_what_is_wrong(engine, tmp_path):
    need(engine)
    found = told(engine, tmp_path)
    words = {
        "batch": "has batch_size=",
        "lanes": "has lanes=",
        "file": "reads another file (",
        "count": "that there are",
        "more": "3",
        "index": "index",
        "half": "an index and a count",
        "odd": "the nearest that can be are 8 and 10",
        "twice": "the indices [0, 0]",
    }
    if engine == "directory":
        words["twice"] = "two processes have the index 0"
        del words["count"]
    assert found.keys() == words.keys()
    for case, messages in found.items():
        for message in messages:
            assert message is not None, case
            assert words[case] in message, case


FORGOTTEN = """
    import json, sys, warnings
    engine, port, rank = sys.argv[1], sys.argv[2], int(sys.argv[3])
    if engine == "jax":
        import jax
        jax.distributed.initialize(f"127.0.0.1:{port}", 2, rank)
    if engine == "torch":
        import torch.distributed
        torch.distributed.init_process_group("gloo")
    import csvfeed

    ds = csvfeed.CsvDataset(b"x,y\\n" + b"1,2\\n" * 8, batch_size=2, remainder="drop")
    convert = csvfeed.CsvDataset.to_torch if engine == "torch" else csvfeed.CsvDataset.to_keras

    def warned(ds):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            convert(ds)
        return [str(one.message) for one in caught]

    print(json.dumps([warned(ds), warned(ds.distribute(0, 1)), warned(ds.shard(rank, 2))]))
"""


@pytest.mark.parametrize("engine", ENGINES[1:])
def test_a_forgotten_distribute_is_a_warning(engine):
    need(engine)
    given = "-c", textwrap.dedent(FORGOTTEN), engine, free_port()
    for output in outputs(launch(2, lambda rank: [*given, rank], group(2))):
        (message,), meant, sharded = json.loads(output.splitlines()[-1])
        assert "each of the 2 processes reads all rows" in message
        assert "ds.distribute() gives each its part" in message
        assert meant == sharded == []


NOBODY = """
    import signal, sys
    if sys.argv[1] == "torch":
        import torch.distributed
    if sys.argv[1] == "jax":
        import jax
    import csvfeed
    signal.alarm(60)
    try:
        csvfeed.CsvDataset(b"x,y\\n1,2\\n", batch_size=2, remainder="drop").distribute()
    except ValueError as error:
        print(error)
"""


@pytest.mark.parametrize("engine", ENGINES)
def test_without_a_process_group_each_process_is_told(engine, tmp_path):
    need(engine)
    command = ["-c", textwrap.dedent(NOBODY), engine]
    for message in outputs(launch(2, lambda _: command, group(2), cwd=tmp_path)):
        assert "no engine runs that knows the processes: RANK=" in message
