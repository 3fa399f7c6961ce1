"""A backup of a training run, with its position in the dataset."""

from __future__ import annotations

import json
import operator
import os
import zipfile
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, SupportsIndex

import keras
import numpy as np

from csvfeed.processes import running
from csvfeed.system import replace, sync_directory
from csvfeed.train.call_stack import method_around
from csvfeed.train.feed import Feed, is_feed
from csvfeed.train.fit import TRAINING
from csvfeed.train.grouping import count_batches
from csvfeed.train.keras_internals import DIFFERENCE, begin_at, build
from csvfeed.train.structure import Row, Structure, map_values

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from csvfeed.train.adapter import CsvDatasetAdapter

FILE = "csvfeed-backup.npz"
FORMAT = 1


class BackupAndRestore(keras.callbacks.Callback):  # type: ignore[misc]  # Keras has no types.
    """Save a training run to disk, and resume it at the batch it had reached.

    If the directory holds a backup when ``fit`` begins, the callback restores the model with its
    random seeds, the optimizer, the metrics of the epoch, the number of the epoch, and the position
    in the dataset; on PyTorch also the state of its random numbers. ``fit`` continues from there up
    to ``epochs``. A run that is killed at any moment and started again by the same program ends
    with the weights of an uninterrupted run. They are equal bit for bit if the operations are
    deterministic, as on CPUs after ``keras.utils.set_random_seed`` and, on TensorFlow,
    ``tf.config.experimental.enable_op_determinism``.

    If several processes train on parts of ``ds.distribute()``, one of them writes the backup, and
    all read it. Another number of processes may go on, with the same ``lanes``.

    The backup does not contain the state of other callbacks, nor the random numbers of Python and
    NumPy. The first epoch after resuming has only the steps that are left in it; callbacks see them
    counted from 0.

    Parameters
    ----------
    directory : str or os.PathLike
        Directory of the backup, which is one file. Made if necessary. Use one directory for each
        run.
    dataset : CsvDataset
        The dataset that ``fit`` trains on, as in
        ``fit(ds.to_keras(), callbacks=[BackupAndRestore("backup", ds)])``, or the result of its
        ``to_keras``.
    save_freq : "epoch" or int, default "epoch"
        "epoch" saves at the end of each epoch, after validation. A number also saves each time that
        so many batches are done.
    delete_checkpoint : bool, default True
        Whether to delete the backup when ``fit`` has finished.

    Raises
    ------
    TypeError, ValueError
        If an argument is not valid. From ``fit``: if the backup is of another dataset, another file
        or another model, or ``fit`` does not train on ``dataset``.
    OSError
        From ``fit``: if the backup cannot be written or read.
    """

    def __init__(
        self,
        directory: str | os.PathLike[str],
        dataset: Feed | CsvDatasetAdapter,
        save_freq: Literal["epoch"] | int = "epoch",
        delete_checkpoint: bool = True,
    ) -> None:
        super().__init__()
        self.directory = Path(directory)
        feed = getattr(dataset, "dataset", dataset)
        if not is_feed(feed):
            raise TypeError(f"dataset is a CsvDataset, not {type(dataset).__name__}")
        self.dataset = feed
        self._structure: Structure | None = getattr(dataset, "structure", None)
        if save_freq != "epoch":
            # True is an int of 1.
            whole = isinstance(save_freq, SupportsIndex) and not isinstance(save_freq, bool)
            if not whole or operator.index(save_freq) < 1:
                raise ValueError(
                    f"save_freq is 'epoch' or a number of batches of at least 1, not {save_freq!r}"
                )
            if DIFFERENCE is not None:
                raise ValueError(
                    f"csvfeed does not know how to begin in the middle of an epoch with Keras "
                    f"{keras.__version__}: leave out save_freq, or install an older Keras"
                )
        self.save_freq = save_freq
        self.delete_checkpoint = delete_checkpoint
        self._path = self.directory / FILE
        self._batches = count_batches(self.dataset)
        self._metrics: list[NDArray[Any]] | None = None
        self._random_states: list[NDArray[Any]] | None = None
        self._resumed = False

    # The interface of Callback.

    def on_train_begin(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        TRAINING.reset(self.dataset)
        self._metrics = self._random_states = None
        self._behind = 0
        self._unsaved = 0
        self._writes = _writes(self.dataset)
        self._resumed = self._path.exists()
        if self._resumed:
            self._restore()
        self._steps_per_execution = int(self.model.steps_per_execution)

    def on_epoch_begin(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        self._epoch = epoch
        self._position = self.dataset.epochs.position.next
        self._trained = 0
        if self._metrics is not None:
            # Keras has just reset them.
            _assign(self.model.metrics_variables, self._metrics)
            self._metrics = None
        if self._random_states is not None:
            _set_random_states(self._random_states)
            self._random_states = None

    def on_train_batch_begin(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        # The public way learns only with the first batch who reads it.
        if self._trained == 0 and DIFFERENCE is None:
            self._check_dataset()

    def on_train_batch_end(self, batch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        if self._trained == 0:
            self._check_dataset()
        # Older versions of Keras number an execution of several steps by its first step.
        executions = batch // self._steps_per_execution + 1
        trained = executions * self._steps_per_execution
        self._unsaved += trained - self._trained
        self._trained = trained
        if self.save_freq == "epoch" or self._unsaved < self.save_freq:
            return
        epoch, first_batch = self._position
        # The end of an epoch is saved after its validation.
        if first_batch + trained < self._batches and not self._is_last(trained):
            self._save(self._epoch, self._behind + trained, (epoch, first_batch + trained))

    def on_epoch_end(self, epoch: int, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        dataset_epoch, batch = self._position
        batch += self._trained
        after = (dataset_epoch + 1, 0) if batch >= self._batches else (dataset_epoch, batch)
        self._behind = 0
        self._save(epoch + 1, 0, after)

    def on_train_end(self, logs: dict[str, Any] | None = None) -> None:  # noqa: ARG002
        if self._resumed:
            # Otherwise the next fit would begin with this epoch.
            begin_at(self.model, None)
        if self.delete_checkpoint and self._writes:
            self._path.unlink(missing_ok=True)
            if self.directory.exists() and not any(self.directory.iterdir()):
                self.directory.rmdir()

    # The backup itself.

    def _check_dataset(self) -> None:
        if not TRAINING.reads(self.dataset):
            raise ValueError(
                f"fit does not train on the dataset of BackupAndRestore, {self.dataset!r}: give "
                "fit the to_keras() of that very object"
            )

    def _is_last(self, trained: int) -> bool:
        steps = self.params.get("steps")
        return steps is not None and self._behind + trained >= steps

    def _save(self, epoch: int, step: int, position: tuple[int, int]) -> None:
        """Write the state after ``step`` steps of ``epoch``, completely or not at all."""
        self._unsaved = 0
        model = self.model
        # Reading is ahead of training, and the position of training is the one to resume at.
        dataset_epoch, batch = position
        state = {**self.dataset.state_dict(), "epoch": dataset_epoch, "batch": batch}
        meta = {"format": FORMAT, "epoch": epoch, "step": step, "dataset": state}
        arrays: dict[str, Any] = {"meta": np.frombuffer(json.dumps(meta).encode(), np.uint8)}
        for group, variables in _variables(model).items():
            arrays |= {f"{group}{at}": _plain(value) for at, value in enumerate(variables)}
        arrays |= {f"random{at}": state for at, state in enumerate(_random_states())}
        if not self._writes:
            return
        self.directory.mkdir(parents=True, exist_ok=True)
        temporary = self._path.with_suffix(".tmp")
        with temporary.open("wb") as file:
            np.savez(file, **arrays)
            file.flush()
            os.fsync(file.fileno())
        replace(temporary, self._path)
        sync_directory(self.directory)

    def _restore(self) -> None:
        meta, groups = _load(self._path)
        if meta["format"] != FORMAT:
            raise ValueError(
                f"{self._path} was written by another version of csvfeed; delete it to begin anew"
            )
        if meta["step"] and DIFFERENCE is not None:
            raise ValueError(
                f"{self._path} was written in the middle of an epoch, where csvfeed does not know "
                f"how to begin with Keras {keras.__version__}: install an older Keras, or delete "
                "the backup to begin anew"
            )
        try:
            self.dataset.load_state_dict(meta["dataset"])
        except ValueError as error:
            raise ValueError(
                f"{self._path} is of another dataset: {error}; give each run a directory of its "
                "own, or delete the backup to begin anew"
            ) from error
        model = self.model
        # Otherwise TensorFlow makes metrics and optimizer state only in the first step.
        rows = self.dataset.epochs.batch_rows
        call = method_around()
        given = None if call is None else call.f_locals.get("x")
        structure = getattr(given, "structure", self._structure) or Structure(self.dataset)

        def zeros(row: Row) -> NDArray[Any]:
            return np.zeros((rows, *row.shape), row.dtype)

        build(model, tuple(map_values(zeros, part) for part in structure.rows))
        variables = _variables(model)
        for group in ("model", "optimizer"):
            then, now = groups[group], variables[group]
            ours, theirs = [tuple(v.shape) for v in now], [v.shape for v in then]
            if ours != theirs:
                raise ValueError(
                    f"{self._path} is of another model: its {group} has {len(theirs)} variables "
                    f"of shapes {_shorten(theirs)}, and this one {len(ours)} of {_shorten(ours)}; "
                    "build and compile it as it was, or delete the backup to begin anew"
                )
            _assign(now, then)
        self._metrics = groups["metrics"] if meta["step"] else None
        self._random_states = groups["random"]
        self._behind = meta["step"]
        TRAINING.resume(self.dataset, self._behind)
        begin_at(model, meta["epoch"])


def _writes(dataset: Feed) -> bool:
    """Whether this process writes the backup. Of processes that train together, only one does."""
    processes = None if dataset.epochs.is_whole else running()
    return dataset.epochs.is_first and (processes is None or processes.index == 0)


def _variables(model: keras.Model) -> dict[str, list[Any]]:
    """Return all variables that a step of training changes. The model holds seeds of dropout."""
    return {
        "model": [*model.trainable_variables, *model.non_trainable_variables],
        "optimizer": list(model.optimizer.variables) if model.optimizer is not None else [],
        "metrics": list(model.metrics_variables),
    }


def _assign(variables: Iterable[Any], values: list[NDArray[Any]]) -> None:
    """Assign values to variables, unless their shapes differ: the metrics may have changed."""
    variables = list(variables)
    if [tuple(v.shape) for v in variables] != [value.shape for value in values]:
        return
    for variable, value in zip(variables, values, strict=True):
        # A copy, because JAX may take the array as it is, and its next step then writes into the
        # memory of NumPy.
        value = keras.ops.convert_to_tensor(value.view(_numpy(variable).dtype))
        variable.assign(keras.ops.copy(value))


def _random_states() -> list[NDArray[Any]]:
    """Return PyTorch's random states, used by dropout. Other backends keep theirs in the model."""
    if keras.backend.backend() != "torch":
        return []
    import torch

    devices = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return [state.numpy() for state in (torch.get_rng_state(), *devices)]


def _set_random_states(states: list[NDArray[Any]]) -> None:
    if keras.backend.backend() != "torch" or not states:
        return
    import torch

    first, *devices = map(torch.from_numpy, states)
    torch.set_rng_state(first)
    if torch.cuda.is_available() and len(devices) == torch.cuda.device_count():
        torch.cuda.set_rng_state_all(devices)


def _numpy(variable: Any) -> NDArray[Any]:
    # A tensor, because a variable that TensorFlow mirrors is not an array.
    tensor = keras.ops.convert_to_tensor(variable)
    if not getattr(tensor, "is_fully_addressable", True) and not tensor.is_fully_replicated:
        from jax.experimental.multihost_utils import process_allgather

        return np.asarray(process_allgather(tensor, tiled=True))
    return np.asarray(keras.ops.convert_to_numpy(tensor))


def _plain(variable: Any) -> NDArray[Any]:
    """Return the value in a type that NumPy can save, which bfloat16 is not."""
    value = _numpy(variable)
    return value.view(f"u{value.itemsize}") if value.dtype.kind == "V" else value


def _load(path: Path) -> tuple[dict[str, Any], dict[str, list[NDArray[Any]]]]:
    try:
        with np.load(path) as file:
            meta = json.loads(file["meta"].tobytes())
            groups = {
                group: [
                    file[f"{group}{at}"]
                    for at in range(sum(name.startswith(group) for name in file.files))
                ]
                for group in ("model", "optimizer", "metrics", "random")
            }
    except (ValueError, KeyError, EOFError, zipfile.BadZipFile) as error:
        raise ValueError(
            f"{path} is no backup that can be read; delete it to begin anew"
        ) from error
    return meta, groups


def _shorten(value: object) -> str:
    text = repr(value)
    return text if len(text) <= 120 else f"{text[:60]}...{text[-50:]}"
