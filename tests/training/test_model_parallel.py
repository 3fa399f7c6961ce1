"""Keras with a mesh of devices: each process gets the rows that its devices hold."""

import json
import textwrap

import numpy as np
import pytest
from launched import free_port, group, launch, outputs

import csvfeed

pytestmark = pytest.mark.distributed
ON_JAX = pytest.mark.backend("jax")

TRAIN = """
    import json, sys
    import jax
    rank, count, port, path, folder = sys.argv[1:]
    # Each process has two devices.
    jax.distributed.initialize(f"127.0.0.1:{port}", int(count), int(rank))
    import csvfeed, keras, numpy as np
    from csvfeed.keras import BackupAndRestore
    from jax.experimental.multihost_utils import process_allgather
    from keras.distribution import DataParallel, DeviceMesh, LayoutMap, ModelParallel

    def loss(y, found):
        # Its gradients are fractions with a power of two below, which float32 adds in any order.
        return -keras.ops.mean(keras.ops.reshape(y, (-1, 1)) * found, axis=-1)

    def parallel(shape, axes, devices, **options):
        mesh = DeviceMesh(shape, axes, np.array(jax.devices())[devices].reshape(shape))
        if "model" not in axes:
            return DataParallel(mesh, **options)
        layout = LayoutMap(mesh)
        layout["kernel"] = (None, "model")
        return ModelParallel(layout_map=layout, batch_dim_name="batch", **options)

    def dataset(batch_size=16):
        return csvfeed.CsvDataset(path, target="y", batch_size=batch_size, remainder="drop")

    def fit(data, epochs=2, folder=None):
        model = keras.Sequential([keras.Input((2,)), keras.layers.Dense(
            4, kernel_initializer="zeros", use_bias=False, name="layer"
        )])
        model.compile(keras.optimizers.SGD(2.0**-4), loss)
        callbacks = [BackupAndRestore(folder, data, delete_checkpoint=False)] if folder else []
        model.fit(data, epochs=epochs, verbose=0, callbacks=callbacks)
        # All of the kernel, of which each process may hold a part.
        (kernel,) = model.trainable_variables
        return process_allgather(kernel.value, tiled=True).tolist()

    found = {}
    def trains(name, *mesh):
        distribution = parallel(*mesh)
        keras.distribution.set_distribution(distribution)
        data = dataset().to_keras()
        shards = [getattr(distribution, key, None) for key in ("data_shard_id", "num_data_shards")]
        place = data.dataset.epochs.place
        found[name] = {"place": place, "kernel": fit(data), "keras": shards}

    def refuses(name, make, *mesh, **options):
        keras.distribution.set_distribution(parallel(*mesh, **options))
        try:
            make().to_keras()
            found[name] = None
        except ValueError as error:
            found[name] = str(error)

    batch, both, turned = ["batch"], ["batch", "model"], ["model", "batch"]
    every = [0, 1, 2, 3]
    trains("data", (4,), batch, every)
    trains("inside", (2, 2), both, every)
    trains("across", (1, 4), both, every)
    trains("turned", (2, 2), turned, every)
    trains("mixed", (2, 2), both, [0, 2, 1, 3])
    refuses("uneven", dataset, (3,), batch, [0, 1, 2])
    refuses("absent", dataset, (2,), batch, [0, 1])
    refuses("batch", lambda: dataset(6), (4,), batch, every)
    refuses("by process", lambda: dataset().distribute(), (1, 4), both, every)
    refuses("whole", dataset, (1, 4), both, every, auto_shard_dataset=False)

    # A backup holds all of a kernel, and each process gets its part back.
    keras.distribution.set_distribution(parallel((1, 4), both, every))
    fit(dataset().to_keras(), 1, folder)
    found["resumed"] = fit(dataset().to_keras(), 2, folder)
    print(json.dumps(found))
"""


@pytest.fixture(scope="module")
def path(tmp_path_factory):
    path = tmp_path_factory.mktemp("model") / "data.csv"
    rows = np.random.default_rng(0).integers(-4, 5, (200, 2))
    path.write_text("a,b,y\n" + "".join(f"{a},{b},{a + 2 * b + 1}\n" for a, b in rows))
    return path


@pytest.fixture(scope="module")
def trained(path):
    given = free_port(), path, path.parent / "backup"
    devices = [{"XLA_FLAGS": "--xla_force_host_platform_device_count=2"}] * 2
    command = ["-c", textwrap.dedent(TRAIN)]
    found = outputs(launch(2, lambda rank: [*command, rank, 2, *given], devices))
    return [json.loads(output.splitlines()[-1]) for output in found]


def kernel(path, lanes):
    """Return what one process trains, by hand."""
    ds = csvfeed.CsvDataset(path, target="y", batch_size=16, remainder="drop")
    weights = np.zeros(2)
    for _ in range(2):
        for X, y in ds.distribute(0, 1, lanes=lanes):
            weights += 2.0**-4 * (X * y[:, None]).mean(0) / 4
    return np.stack([weights] * 4, axis=1).tolist()


@ON_JAX
@pytest.mark.parametrize(
    ("mesh", "places"),
    [
        ("data", [[0, 2], [1, 2]]),
        ("inside", [[0, 2], [1, 2]]),
        ("across", [[0, 1], [0, 1]]),
        ("turned", [[0, 1], [0, 1]]),
        ("mixed", [[0, 1], [0, 1]]),
    ],
)
def test_a_process_reads_what_its_devices_hold(path, trained, mesh, places):
    """Its place along the axis of the batch decides, and not its number."""
    found = [part[mesh] for part in trained]
    assert [one["place"] for one in found] == places
    for one in found:
        assert one["kernel"] == kernel(path, lanes=places[0][1])
    if mesh in ("data", "inside", "across"):
        # Keras looks at the order of the processes alone, and does not tell before 3.16.
        for one, place in zip(found, places, strict=True):
            assert one["keras"][0] in (None, place[0])
            assert one["keras"][1] in (None, place[1])


@ON_JAX
def test_a_backup_holds_what_several_processes_hold(path, trained):
    assert [part["resumed"] for part in trained] == [kernel(path, lanes=1)] * 2


@ON_JAX
@pytest.mark.parametrize(
    ("case", "words"),
    [
        ("uneven", "0: [0, 1], 1: [2]. Two processes must hold the same places"),
        ("absent", "has no device of process 1"),
        ("batch", "cannot be dealt to 4 devices along ['batch']: take a multiple of 4"),
        ("by process", "rows of share 0 of 1: call ds.distribute(0, 1)"),
        ("whole", "call ds.distribute(0, 1) before to_keras()"),
    ],
)
def test_what_cannot_be_shared_is_refused(trained, case, words):
    for part in trained:
        assert words in part[case]


ON_TORCH = """
    import json, sys
    import keras
    keras.distribution.initialize()
    import csvfeed, numpy as np
    from csvfeed.keras import BackupAndRestore
    from keras.distribution import DataParallel, DeviceMesh, LayoutMap, ModelParallel

    path, folder = sys.argv[1:]

    def loss(y, found):
        return -keras.ops.mean(keras.ops.reshape(y, (-1, 1)) * found, axis=-1)

    def parallel(shape, axes, devices):
        names = np.array([f"cpu:{number}" for number in devices])
        mesh = DeviceMesh(shape, axes, names.reshape(shape))
        if "model" not in axes:
            return DataParallel(mesh)
        layout = LayoutMap(mesh)
        layout["kernel"] = (None, "model")
        return ModelParallel(layout_map=layout, batch_dim_name="batch")

    found = {}
    both = ["batch", "model"]
    for name, mesh in {
        "data": ((2,), ["batch"], [0, 1]),
        "batch": ((2, 1), both, [0, 1]),
        "turned": ((2, 1), both, [1, 0]),
        "model": ((1, 2), both, [0, 1]),
    }.items():
        keras.distribution.set_distribution(parallel(*mesh))
        # The second training goes on from the backup of the first.
        for epochs in (1, 2):
            ds = csvfeed.CsvDataset(path, target="y", batch_size=16, remainder="drop")
            data = ds.to_keras()
            layer = keras.layers.Dense(4, kernel_initializer="zeros", use_bias=False)
            model = keras.Sequential([keras.Input((2,)), layer])
            model.compile(keras.optimizers.SGD(2.0**-4), loss)
            kept = BackupAndRestore(f"{folder}/{name}", data, delete_checkpoint=False)
            model.fit(data, epochs=epochs, verbose=0, callbacks=[kept])
        kernel = model.trainable_variables[0].value
        if hasattr(kernel, "full_tensor"):
            kernel = kernel.full_tensor()
        found[name] = data.dataset.epochs.place, kernel.tolist()
    print(json.dumps(found))
"""


@pytest.mark.backend("torch")
def test_a_process_of_torch_reads_what_its_device_holds(path, tmp_path):
    keras = pytest.importorskip("keras")
    if not hasattr(keras.distribution.DataParallel, "num_data_shards"):
        pytest.skip("Keras trains with PyTorch on several processes since 3.16")
    command = ["-c", textwrap.dedent(ON_TORCH), path, tmp_path]
    found = outputs(launch(2, lambda _: command, group(2)))
    parts = [json.loads(output.splitlines()[-1]) for output in found]
    for mesh, places in {
        "data": [[0, 2], [1, 2]],
        "batch": [[0, 2], [1, 2]],
        "turned": [[1, 2], [0, 2]],
        "model": [[0, 1], [0, 1]],
    }.items():
        assert [part[mesh][0] for part in parts] == places
        assert [part[mesh][1] for part in parts] == [kernel(path, lanes=places[0][1])] * 2
