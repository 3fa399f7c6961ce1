"""Into Ray Data, and on the workers of Ray Train; ``make test-distributed`` runs this."""

import gzip
import json
import os
import pickle
import random
import re
import subprocess
import sys
import textwrap
from pathlib import Path

import numpy as np
import pytest

os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
os.environ["RAY_TRAIN_V2_ENABLED"] = "1"
ray = pytest.importorskip("ray")
pytest.importorskip("pyarrow")

from random_rows import CHOICES, dataset  # noqa: E402

import csvfeed  # noqa: E402
import csvfeed.train.ray as feed  # noqa: E402
from csvfeed.ray import CsvDatasource  # noqa: E402

ROWS = 3000
TABLE = np.round(np.random.default_rng(3).normal(size=(ROWS, 3)), 3).astype(np.float32)


@pytest.fixture(scope="module", autouse=True)
def cluster():
    """Start Ray with two CPUs on the loopback interface."""
    ray.init(
        num_cpus=2,
        include_dashboard=False,
        _node_ip_address="127.0.0.1",
        object_store_memory=200 << 20,
        log_to_driver=False,
        logging_level="ERROR",
    )
    context = ray.data.DataContext.get_current()
    context.execution_options.preserve_order = True
    context.enable_progress_bars = False
    yield
    ray.shutdown()


@pytest.fixture(autouse=True)
def small_tasks(monkeypatch):
    """Make small files many tasks."""
    monkeypatch.setattr(feed, "TASK_BYTES", 9000)
    monkeypatch.setattr(feed, "SMALLEST_TASK_BYTES", 9000)
    monkeypatch.setattr(feed, "BATCH_BYTES", 500)
    monkeypatch.setattr(ray.data.DataContext.get_current(), "target_max_block_size", 1000)


def text(rows=TABLE, header="a,b,y"):
    lines = [",".join(f"{value:g}" for value in row) for row in rows]
    return "\n".join([header, *lines]) + "\n"


@pytest.fixture
def path(write):
    return write(text())


def values(ds):
    """Return what iteration yields, a column for each value."""
    batches = [np.column_stack([array.reshape(len(array), -1) for array in batch]) for batch in ds]
    return np.concatenate(batches)


def read(source, **limits):
    """Return the rows of each task, as a worker that gets the pickled task yields them."""
    tasks = source.get_read_tasks(2, **limits)
    copies = [ray.cloudpickle.loads(ray.cloudpickle.dumps(task)) for task in tasks]
    found = []
    for task in copies:
        tables = list(task())
        assert len(tables) > 1 or len(tables[0]) < 90
        assert all(str(field.type) == "float" for table in tables for field in table.schema)
        assert sum(map(len, tables)) == task.metadata.num_rows
        found.append(np.concatenate([np.column_stack(table.columns) for table in tables]))
    return found


def names(source):
    return source.get_read_tasks(2)[0].schema.names


def test_outputs_and_classes_are_columns(write):
    options = {
        "features": ["a"],
        "target": {"kind": "y", "again": ["b", "y"]},
        "weight": {"again": "a"},
        "allow_target_as_feature": True,
        "missing_target": "skip",
    }
    path = write(text())
    source = CsvDatasource(csvfeed.CsvDataset(path, **options))
    assert names(source) == ["a", "y", "b", "y.1", "a.1"]
    same = np.concatenate(read(source))
    np.testing.assert_array_equal(same, TABLE[:, [0, 2, 1, 2, 0]])
    rows = [f"{n},{('cat', 'dog')[n % 2]}" for n in range(ROWS)]
    ds = csvfeed.CsvDataset(
        write("\n".join(["a,y", *rows]) + "\n"), categories={"y": "auto"}, one_hot=True
    )
    source = CsvDatasource(ds)
    assert names(source) == ["a", "y.cat", "y.dog"]
    np.testing.assert_array_equal(np.concatenate(read(source)), values(ds))
    buckets = csvfeed.CsvDataset(ds._options.source, categories={"y": 3}, one_hot=["y"])
    assert names(CsvDatasource(buckets)) == ["a", "y.0", "y.1", "y.2"]


def two_files(write):
    half = ROWS // 2
    return [write(text(TABLE[:half]), "1.csv"), write(text(TABLE[half:]), "2.csv")]


def compressed(write):
    paths = [Path(path) for path in two_files(write)]
    for path in paths:
        path.with_suffix(".csv.gz").write_bytes(gzip.compress(path.read_bytes()))
    return [str(path.with_suffix(".csv.gz")) for path in paths]


def with_words(write):
    word = ["red", "green", "", "blue"]
    rows = [f"{n / 8},{word[n * n % 4]},{'cat' if n % 3 else 'dog'}" for n in range(ROWS)]
    return write("\n".join(["a,b,y", *rows]) + "\n")


def with_gaps(write):
    rows = [f"{'' if n % 5 == 0 else n},{n},{'' if n % 7 == 0 else n}" for n in range(ROWS)]
    return write("\n".join(["a,b,y", *rows]) + "\n")


def with_wrong_rows(write):
    rows = [f"{n},{'x' if n % 100 == 50 else n},{n}" for n in range(ROWS)]
    return write("\n".join(["a,b,y", *rows]) + "\n")


def with_lists(write):
    tags = ["red|green", "[]", "", "blue", "green | blue"]
    rows = [f"A-{n},{n} {n / 4} {n % 3},{tags[n * n % 5]},{n % 7 == 0:d}" for n in range(ROWS)]
    return write("\n".join(["id,v,tags,y", *rows]) + "\n")


LISTS = {
    "lists": {"v": csvfeed.List(3), "tags": csvfeed.MultiHot()},
    "features": ["tags", "v"],
    "ids": ["id"],
}

CASES = {
    "plain": (lambda write: write(text()), {}, lambda ds: ds),
    "two targets and a weight": (
        lambda write: write(text()),
        {"target": ["y", "a"], "weight": "b", "allow_target_as_feature": True, "features": ["a"]},
        lambda ds: ds,
    ),
    "no target": (lambda write: write(text()), {"target": None}, lambda ds: ds),
    "bytes": (lambda _: text().encode(), {}, lambda ds: ds),
    "no header": (
        lambda write: write(text().partition("\n")[2]),
        {"target": 2, "header": False},
        lambda ds: ds,
    ),
    "kept": (lambda write: write(text()), {}, lambda ds: ds.split(0.3, seed=1)[0]),
    "held out": (lambda write: write(text()), {}, lambda ds: ds.split(0.3, seed=1)[1]),
    "by key": (
        with_words,
        {"categories": {"b": 9, "y": "auto"}},
        lambda ds: ds.split(0.4, by="b")[0],
    ),
    "shard": (lambda write: write(text()), {}, lambda ds: ds.split(0.3)[0].shard(1, 3)),
    "files": (two_files, {}, lambda ds: ds),
    "compressed": (compressed, {}, lambda ds: ds),
    "compressed, by key": (compressed, {}, lambda ds: ds.split(0.5, by="a")[1]),
    "categories": (with_words, {"categories": {"b": "auto", "y": "auto"}}, lambda ds: ds),
    "means": (with_gaps, {"fill": "mean", "missing_target": "skip"}, lambda ds: ds),
    "gaps": (with_gaps, {"missing_target": "keep"}, lambda ds: ds),
    "lists": (with_lists, LISTS, lambda ds: ds),
    "listed categories": (
        with_lists,
        {"lists": {"tags": csvfeed.MultiHot(["green"])}, "features": ["tags"]},
        lambda ds: ds,
    ),
    "a list as the target": (
        with_lists,
        {"lists": {"v": csvfeed.List(3)}, "features": ["y"], "target": "v"},
        lambda ds: ds,
    ),
    "conditions": (
        with_lists,
        LISTS,
        lambda ds: ds.where({"y": 1}).where({"tags": csvfeed.PRESENT}),
    ),
    "conditions on files": (compressed, {}, lambda ds: ds.where({"a": (0, None)})),
    "conditions on gaps": (
        with_gaps,
        {"fill": "mean", "missing_target": "skip", "ids": {"b": int}, "features": ["a"]},
        lambda ds: ds.where({"b": (100, 2000)}),
    ),
    "a run of rows": (with_lists, LISTS, lambda ds: ds.skip(100).take(2000)),
    "a fold": (
        with_words,
        {"features": ["a"], "categories": {"y": "auto"}},
        lambda ds: ds.folds(3, stratify="y")[1][1],
    ),
    "stratified": (
        with_words,
        {"features": ["a"], "categories": {"y": "auto"}},
        lambda ds: ds.split(0.4, stratify="b")[0],
    ),
    "undersampled": (with_lists, LISTS, lambda ds: ds.balance("y", method="undersample")),
    "oversampled": (with_lists, LISTS, lambda ds: ds.balance("y", method="oversample")),
    "oversampled part": (
        with_lists,
        LISTS,
        lambda ds: ds.split(0.3)[0].balance("y", method="oversample").shard(0, 2),
    ),
}


@pytest.mark.parametrize("case", CASES)
def test_the_tasks_have_the_rows_of_the_dataset(case, write):
    make, options, choose = CASES[case]
    ds = choose(csvfeed.CsvDataset(make(write), **{"target": "y", "batch_size": 64, **options}))
    source = CsvDatasource(ds)
    found = read(source)
    np.testing.assert_array_equal(np.concatenate(found), values(ds))
    assert sum(map(len, found)) == ds.num_rows
    assert len(found) >= 2
    assert source.estimate_inmemory_data_size() == 4 * ds.num_rows * found[0].shape[1]


@pytest.mark.filterwarnings("ignore:.* left out. ds.rejects tells which:RuntimeWarning")
@pytest.mark.parametrize("seed", range(40))
def test_tables_at_random_have_the_rows_of_the_dataset(seed, tmp_path):
    ds = dataset(random.Random(seed), tmp_path, CHOICES)
    if ds is None:
        return
    found = np.concatenate(read(CsvDatasource(ds)))
    if ds._options.targets.names is None:
        np.testing.assert_array_equal(found, values(ds))
    else:
        # With outputs by name, a target may be in several.
        assert found.shape == (ds.num_rows, len(names(CsvDatasource(ds))))


def test_wrong_rows_are_left_out_and_said_once(write):
    ds = csvfeed.CsvDataset(with_wrong_rows(write), target="y", on_error="skip")
    with pytest.warns(RuntimeWarning, match="30 rows"):
        source = CsvDatasource(ds)
    np.testing.assert_array_equal(np.concatenate(read(source))[:, 0], values(ds)[:, 0])


def test_a_compressed_file_is_one_task(write):
    source = CsvDatasource(csvfeed.CsvDataset(compressed(write), target="y"))
    assert [len(rows) for rows in read(source)] == [ROWS // 2] * 2


ALONE = """
    import pickle, re, sys
    import csvfeed.train.ray as feed

    def read_so_far():
        return int(re.search(r"rchar: (\\d+)", open("/proc/self/io").read())[1])

    recipe, findings, portion = pickle.load(open(sys.argv[1], "rb"))
    before = read_so_far()
    epochs = recipe.epochs(1)
    epochs.adopt(findings)
    rows = sum(len(batch[0]) for batch in epochs.open_portion(portion, 100))
    print(rows, read_so_far() - before)
"""


def test_a_task_reads_its_own_rows_alone(write, tmp_path):
    path = write(text(np.tile(TABLE, (40, 1))))
    size = os.path.getsize(path)
    ds = csvfeed.CsvDataset(path, target="y", fill="mean").split(0.5)[0]
    portion = ds.epochs.portions(size // 20)[10]
    told = tmp_path / "told"
    told.write_bytes(pickle.dumps((feed._Recipe(ds), ds.epochs.findings(), portion)))
    done = launched(ALONE, told)
    rows, bytes_read = map(int, done.stdout.split())
    assert rows == portion.rows
    # Besides its text it reads the head of the file, in one block.
    assert portion.text_bytes < bytes_read < portion.text_bytes + 300_000 < size / 4


def test_a_task_carries_its_part_of_the_row_index(write):
    ds = csvfeed.CsvDataset(write(text(np.tile(TABLE, (40, 1)))), target="y")
    (whole,) = ds.epochs.portions(1 << 40)
    tasks = CsvDatasource(ds).get_read_tasks(2)
    assert len(tasks) > 200
    carried = max(len(ray.cloudpickle.dumps(task)) for task in tasks)
    assert carried < 4000 < len(whole.row_index)


def test_the_rows_are_counted_once(path):
    source = CsvDatasource(csvfeed.CsvDataset(path, target="y"))
    copy = pickle.loads(ray.cloudpickle.dumps(source))
    os.remove(path)
    for one in (source, copy):
        tasks = one.get_read_tasks(2)
        assert sum(task.metadata.num_rows for task in tasks) == ROWS


def test_a_limit_cuts_each_task(path):
    ds = csvfeed.CsvDataset(path, target="y")
    whole = read(CsvDatasource(ds))
    cut = read(CsvDatasource(ds), per_task_row_limit=70)
    assert [len(rows) for rows in cut] == [70] * len(whole)
    for rows, of in zip(cut, whole, strict=True):
        np.testing.assert_array_equal(rows, of[:70])
    assert ds.to_ray().limit(71).count() == 71


@pytest.mark.parametrize(
    ("header", "features", "expected"),
    [
        ("a,a,y", [0, 1], ["a", "a.1", "y"]),
        ("a,a.1,a", [0, 1], ["a", "a.1", "a.2"]),
        ("y,y,y", [0, 1], ["y", "y.1", "y.2"]),
    ],
)
def test_names_are_unique(header, features, expected, write):
    ds = csvfeed.CsvDataset(write(text(header=header)), target=2, features=features)
    source = CsvDatasource(ds)
    assert names(source) == expected
    np.testing.assert_array_equal(np.concatenate(read(source)), TABLE)


def test_columns_without_a_header_have_the_names_of_the_dataset(write):
    ds = csvfeed.CsvDataset(write(text().partition("\n")[2]), header=False)
    assert names(CsvDatasource(ds)) == [*ds.feature_names, *ds.target_names]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda ds: ds.shuffle(seed=0), r"it is shuffled.*random_shuffle\(\)"),
        (lambda ds: ds.cache("cached"), r"it is cached.*materialize\(\)"),
        (lambda ds: ds.windows(3), r"windows over several rows.*before windows\(\)"),
        (lambda ds: csvfeed.mix([ds, ds]), r"cannot read a mix.*union\(\)"),
    ],
)
def test_what_ray_does_itself_is_refused(change, message, path, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(ValueError, match=message):
        change(csvfeed.CsvDataset(path, target="y")).to_ray()


def test_a_mix_is_no_source(path):
    ds = csvfeed.CsvDataset(path, target="y")
    with pytest.raises(ValueError, match=r"cannot read a mix.*union\(\)"):
        CsvDatasource(csvfeed.mix([ds, ds]))


def test_batches_of_a_size_are_refused(path):
    ds = csvfeed.CsvDataset(path, target="y", batch_size=10, remainder="drop")
    with pytest.raises(ValueError, match=r"remainder=\"drop\".*drop_last=True"):
        ds.to_ray()
    with pytest.raises(ValueError, match=r"one process's part.*before distribute\(\)"):
        ds.distribute(0, 2).to_ray()


def test_what_this_process_alone_can_read_is_refused(path):
    with open(path, "rb") as file, pytest.raises(TypeError, match="open in this process alone"):
        csvfeed.CsvDataset(file, target="y").to_ray()


def test_no_rows_are_refused(write):
    ds = csvfeed.CsvDataset(write("a,y\n1,\n2,\n"), target="y", missing_target="skip")
    with pytest.raises(ValueError, match="has no batch"):
        ds.to_ray()


def test_a_wrong_row_is_the_error_of_iteration(write):
    lines = text().splitlines()
    lines[2000] = "1,oops,3"
    path = write("\n".join(lines) + "\n")
    with pytest.raises(csvfeed.NumberError) as caught:
        csvfeed.CsvDataset(path, target="y").to_ray().materialize()
    for part in (path, "line 2001", "'b'", "oops"):
        assert part in str(caught.value)


def test_a_file_that_changes_is_the_error_of_iteration(path):
    rows = csvfeed.CsvDataset(path, target="y").to_ray()
    Path(path).write_text(text(TABLE[::-1]))
    with pytest.raises(csvfeed.SourceChangedError, match=re.escape(path)):
        rows.materialize()


def test_a_copy_on_another_machine_is_the_same_file(path, monkeypatch):
    source = CsvDatasource(csvfeed.CsvDataset(path, target="y", fill="mean"))
    source.get_read_tasks(2)
    monkeypatch.setattr("csvfeed.epochs.platform.node", lambda: "elsewhere")
    os.utime(path, (1, 1))
    np.testing.assert_array_equal(np.concatenate(read(source)), TABLE)
    Path(path).write_text(text(TABLE[::-1]))
    with pytest.raises(csvfeed.SourceChangedError):
        read(source)


def columns(rows):
    """Return the rows of a Ray dataset."""
    batches = list(rows.iter_batches(batch_format="numpy"))
    return np.concatenate([np.column_stack(list(batch.values())) for batch in batches])


def test_ray_shuffles_splits_and_writes_the_rows(path, tmp_path):
    ds = csvfeed.CsvDataset(path, target="y")
    rows = ds.to_ray()
    assert rows.count() == ROWS
    assert rows.schema().names == ["a", "b", "y"]
    np.testing.assert_array_equal(columns(rows), TABLE)
    mixed = columns(rows.random_shuffle(seed=1))
    assert not np.array_equal(mixed, TABLE)
    np.testing.assert_array_equal(np.sort(mixed, axis=0), np.sort(TABLE, axis=0))
    parts = [columns(part) for part in rows.split_at_indices([1000])]
    np.testing.assert_array_equal(parts[0], TABLE[:1000])
    np.testing.assert_array_equal(parts[1], TABLE[1000:])
    rows.write_parquet(str(tmp_path / "parquet"))
    again = columns(ray.data.read_parquet(str(tmp_path / "parquet")))
    np.testing.assert_array_equal(np.sort(again, axis=0), np.sort(TABLE, axis=0))


def test_consumers_stream_parts_of_the_rows(path):
    parts = csvfeed.CsvDataset(path, target="y").to_ray().streaming_split(2)

    @ray.remote(num_cpus=0)
    def consume(part):
        batches = part.iter_batches(batch_format="numpy")
        return [row for batch in batches for row in batch["y"].tolist()]

    found = ray.get([consume.remote(part) for part in parts], timeout=100)
    np.testing.assert_array_equal(np.sort(np.concatenate(found)), np.sort(TABLE[:, 2].tolist()))


def launched(code, *given):
    """Run a script that trains with Ray Train, and return what it prints and its errors."""
    return subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code), *map(str, given)],
        capture_output=True,
        text=True,
        timeout=280,
        check=False,
        env={**os.environ, "JAX_PLATFORMS": "", "RAY_TRAIN_ENABLE_STATE_TRACKING": "0"},
    )


LAUNCH = """
    import json, os, sys
    import ray, ray.train
    from ray.train.v2.api.data_parallel_trainer import DataParallelTrainer

    path, folder, way = sys.argv[1:]

    def loop():
        import csvfeed, csvfeed.processes
        rank = ray.train.get_context().get_world_rank()
        size = 32 if way == "differs" and rank else 16
        ds = csvfeed.CsvDataset(path, target="y", batch_size=size, remainder="drop", memory=8192)
        if way == "absent":
            csvfeed.processes.PATIENCE = 5
            if rank == 1:
                import time
                time.sleep(60)
                return
        if way == "jax distributed":
            import socket
            import jax
            from ray.train.collective import broadcast_from_rank_zero
            with socket.socket() as one:
                one.bind(("127.0.0.1", 0))
                address = "127.0.0.1:%d" % one.getsockname()[1]
            jax.distributed.initialize(broadcast_from_rank_zero(address), 2, rank)
        own = ds.shuffle(seed=1).distribute()
        engine = type(csvfeed.processes.running()).__name__
        batches = [y.tolist() for _, y in own]
        with open(f"{folder}/{rank}.json", "w") as file:
            json.dump({"engine": engine, "batches": batches, "steps": len(own)}, file)

    options = dict(
        scaling_config=ray.train.ScalingConfig(num_workers=2),
        run_config=ray.train.RunConfig(storage_path=folder, name="run"),
    )
    ray.init(
        num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1",
        object_store_memory=100 << 20, log_to_driver=False,
    )
    if way == "torch":
        from ray.train.torch import TorchTrainer
        trainer = TorchTrainer(loop, **options)
    elif way.startswith("jax"):
        from ray.train.v2.jax import JaxTrainer
        trainer = JaxTrainer(loop, **options)
    else:
        trainer = DataParallelTrainer(loop, **options)
    trainer.fit()
"""


@pytest.mark.parametrize(
    ("way", "engine"),
    [
        ("plain", "RayTrainProcesses"),
        ("torch", "TorchProcesses"),
        ("jax", "RayTrainProcesses"),
        ("jax distributed", "JaxProcesses"),
    ],
)
def test_the_workers_of_ray_train_share_each_batch(way, engine, path, tmp_path):
    if way != "plain":
        pytest.importorskip(way.split()[0])
    done = launched(LAUNCH, path, tmp_path, way)
    assert done.returncode == 0, done.stderr
    parts = [json.loads((tmp_path / f"{rank}.json").read_text()) for rank in range(2)]
    assert [part["engine"] for part in parts] == [engine] * 2
    ds = csvfeed.CsvDataset(path, target="y", batch_size=16, remainder="drop", memory=8192)
    alone = ds.shuffle(seed=1).distribute(0, 1, lanes=2)
    joined = [a + b for a, b in zip(*(part["batches"] for part in parts), strict=True)]
    assert joined == [y.tolist() for _, y in alone]
    assert [part["steps"] for part in parts] == [len(alone)] * 2


@pytest.mark.parametrize(
    ("way", "message"),
    [
        ("differs", "has batch_size=.*all processes must do the same"),
        ("absent", "not all 2 workers of Ray Train have called distribute"),
    ],
)
def test_a_wrong_set_up_is_an_error(way, message, path, tmp_path):
    done = launched(LAUNCH, path, tmp_path, way)
    assert done.returncode != 0
    assert re.search(message, done.stderr), done.stderr


def test_an_actor_of_ray_alone_has_no_place(path):
    @ray.remote(num_cpus=0)
    class Actor:
        def distribute(self):
            ds = csvfeed.CsvDataset(path, target="y", remainder="drop")
            with pytest.raises(ValueError, match="not a worker that Ray Train started") as caught:
                ds.distribute()
            return str(caught.value)

    assert "training loop of Ray Train" in ray.get(Actor.remote().distribute.remote(), timeout=60)


def script(title):
    page = (Path(__file__).parents[2] / "docs/distributed.md").read_text()
    section = re.search(rf"^## {title}\n(.*?)(?=^## |\Z)", page, re.M | re.S)[1]
    return re.search(r"^```python\n(.*?)^```$", section, re.M | re.S)[1]


SMALL_CLUSTER = """
import ray
ray.init(
    num_cpus=2, include_dashboard=False, _node_ip_address="127.0.0.1", log_to_driver=False,
    object_store_memory=100 << 20,
)
"""

FAILING = """
import csvfeed
_save = save

def save(model, optimizer, own, loss):
    _save(model, optimizer, own, loss)
    marker = Path({marker!r})
    if own.state_dict()["epoch"] == 1 and ray.train.get_context().get_world_rank() == 1:
        if not marker.exists():
            marker.touch()
            raise RuntimeError("a worker dies in the middle of an epoch")
"""


def test_the_example_resumes_with_the_same_weights(tmp_path, write):
    torch = pytest.importorskip("torch")
    path = write("x,y\n" + "".join(f"{n % 97 / 97},{n % 97 / 50}\n" for n in range(5000)))
    code = script("Ray Train")
    assert "def train(config)" in code
    before, after = code.split("trainer = ")
    weights = []
    for name in ("whole", "killed"):
        failing = FAILING.format(marker=str(tmp_path / "died")) if name == "killed" else ""
        whole = SMALL_CLUSTER + before + failing + "trainer = " + after
        done = launched(whole, path, tmp_path / name)
        assert done.returncode == 0, done.stderr
        last = max((tmp_path / name / "train").glob("checkpoint_*/state.pt"))
        saved = torch.load(last)
        assert saved["position"]["epoch"] == 3
        weights.append({key: value.tolist() for key, value in saved["model"].items()})
    assert (tmp_path / "died").exists()
    assert weights[0] == weights[1]


def test_the_example_writes_parquet(tmp_path, write):
    path = write("x,y\n" + "".join(f"{n},{2 * n}\n" for n in range(5000)))
    done = launched(SMALL_CLUSTER + script("Ray Data"), path, tmp_path / "parquet")
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("5000 ")
    import pyarrow.parquet

    table = pyarrow.parquet.read_table(tmp_path / "parquet")
    assert sorted(table["y"].to_pylist()) == [2 * n for n in range(5000)]
