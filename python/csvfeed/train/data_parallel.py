"""The part of this process when Keras trains on several: ``keras.distribution`` on JAX."""

from __future__ import annotations

import keras

from csvfeed.processes import running
from csvfeed.train.feed import Feed


def own_part(dataset: Feed) -> Feed:
    """Return the dataset of this process: its part of the global batches, if Keras shares them.

    Raises
    ------
    ValueError
        If each process would train on all rows.
    """
    distribution = keras.distribution.distribution()
    if distribution is None or keras.backend.backend() != "jax" or not dataset.epochs.is_whole:
        return dataset
    processes = running()
    if processes is None or processes.count == 1:
        return dataset
    if not getattr(distribution, "auto_shard_dataset", True):
        raise ValueError(
            f"{dataset!r} is not distributed, so each of the {processes.count} processes would "
            "train on all rows: call ds.distribute() before to_keras(), or give the "
            f"{type(distribution).__name__} auto_shard_dataset=True"
        )
    mesh = distribution.device_mesh
    batch_dim = getattr(distribution, "batch_dim_name", None) or mesh.axis_names[0]
    replicas = mesh.shape[list(mesh.axis_names).index(batch_dim)]
    # Several processes may hold the parts of one replica of the model, and then share its data.
    count = min(replicas, processes.count)
    return dataset.distribute(processes.index // (processes.count // count), count)
