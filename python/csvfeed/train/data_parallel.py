"""The part of this process when Keras trains on several: ``keras.distribution``."""

from __future__ import annotations

from typing import Any

import keras
import numpy as np

from csvfeed.processes import running
from csvfeed.train.all_rows import warn_if_each_gets_all
from csvfeed.train.feed import Feed

ALSO = (
    ", and so does to_keras() after "
    "keras.distribution.set_distribution(keras.distribution.DataParallel())"
)


def own_part(dataset: Feed) -> Feed:
    """Return the dataset of this process: its part of the global batches, if Keras shares them.

    Raises
    ------
    ValueError
        If a process would train on rows of another one, or the devices cannot share a batch.
    """
    distribution = keras.distribution.distribution()
    if distribution is None or not _is_known(distribution):
        warn_if_each_gets_all(dataset, ALSO)
        return dataset
    processes = running()
    if processes is None or processes.count == 1:
        return dataset
    place = dataset.epochs.place
    if place is None and not dataset.epochs.is_whole:
        return dataset
    places = _places(distribution)
    shares = _shares(distribution, places, processes.count)
    index, count = shares[processes.index], max(shares) + 1
    if place is None:
        if not getattr(distribution, "auto_shard_dataset", True):
            raise ValueError(
                f"{dataset!r} is not distributed, so each of the {processes.count} processes would "
                f"train on all rows: call {_call(index, count, processes.count)} before "
                f"to_keras(), or give the {type(distribution).__name__} auto_shard_dataset=True"
            )
        dataset = dataset.distribute(index, count)
    elif place[1] != count or (count < processes.count and place[0] != index):
        # With a share for each process, any of them may take any share.
        raise ValueError(
            f"{dataset!r} is share {place[0]} of {place[1]}, but {distribution!r} gives process "
            f"{processes.index} the rows of share {index} of {count}: call "
            f"{_call(index, count, processes.count)}"
        )
    own = len(places[processes.index])
    if dataset.epochs.batch_rows % own:
        raise ValueError(
            f"batch_size={dataset.batch_size} cannot be dealt to {own * count} devices along "
            f"{_batch_axes(distribution)}: take a multiple of {own * count}"
        )
    return dataset


def _is_known(distribution: Any) -> bool:
    """Whether Keras trains on several processes with this backend."""
    backend = keras.backend.backend()
    # Since 3.16 with PyTorch, too.
    return backend == "jax" or (backend == "torch" and hasattr(distribution, "num_data_shards"))


def _batch_axes(distribution: Any) -> list[str]:
    """Return the axes of the mesh along which the rows of a batch are divided."""
    (axes,) = distribution.get_data_layout((1,)).axes
    if axes is None:
        return []
    return [axes] if isinstance(axes, str) else list(axes)


def _places(distribution: Any) -> dict[int, frozenset[int]]:
    """Return the places of each process's devices along the axes that divide a batch."""
    mesh = distribution.device_mesh
    axes = [list(mesh.axis_names).index(name) for name in _batch_axes(distribution)]
    places: dict[int, set[int]] = {}
    for position in np.ndindex(*mesh.shape):
        place = 0
        for axis in axes:
            place = place * mesh.shape[axis] + position[axis]
        places.setdefault(_process_of(mesh.devices[position]), set()).add(place)
    return {process: frozenset(found) for process, found in places.items()}


def _process_of(device: Any) -> int:
    """Return the process of a device, which Keras calls by its kind and its number."""
    kind, _, number = str(device).rpartition(":")
    if keras.backend.backend() == "torch":
        # A process has one device.
        return int(number)
    import jax

    if not isinstance(device, jax.Device):
        (device,) = (one for one in jax.devices(kind) if one.id == int(number))
    return int(device.process_index)


def _shares(distribution: Any, places: dict[int, frozenset[int]], count: int) -> list[int]:
    """Return which share of a batch each process holds.

    Keras tells the same (``data_shard_id``, ``num_data_shards``) if the processes are in order
    along the mesh. But it lays out what they feed by the places of their devices in the mesh.

    Raises
    ------
    ValueError
        On all processes, if one of them could not take part.
    """
    absent = [process for process in range(count) if process not in places]
    if absent:
        raise ValueError(
            f"{distribution!r} has no device of process {absent[0]}, which would train nothing: "
            "make the mesh of the devices of all processes"
        )
    shares = sorted(set(places.values()), key=sorted)
    sizes = {len(share) for share in shares}
    if len(sizes) > 1 or sum(map(len, shares)) != len(frozenset[int]().union(*shares)):
        held = ", ".join(f"{process}: {sorted(places[process])}" for process in sorted(places))
        raise ValueError(
            f"the processes hold these places along {_batch_axes(distribution)} of "
            f"{distribution!r}: {held}. Two processes must hold the same places or none in "
            "common, and all equally many: order the devices of the mesh by their processes"
        )
    return [shares.index(places[process]) for process in range(count)]


def _call(index: int, count: int, processes: int) -> str:
    return "ds.distribute()" if count == processes else f"ds.distribute({index}, {count})"
