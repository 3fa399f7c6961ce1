"""Every private name of Keras that csvfeed uses, and whether this Keras has them.

No public class of Keras gives every backend batches of a known number. So csvfeed is an adapter of
Keras's own kind, and another version of Keras may have changed what that takes. `DIFFERENCE` says
so; csvfeed then goes the public way (`public_way.py`).

The tests run with Keras 3.7.0, the oldest; 3.15.1; and 3.16.0.dev2026102704 of keras-nightly.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Iterable, Iterator
from collections.abc import Set as AbstractSet
from contextlib import AbstractContextManager, contextmanager
from types import FrameType, FunctionType
from typing import Any

import keras

from csvfeed.train.adapter_names import ASKED

if tuple(map(int, keras.__version__.split(".")[:2])) < (3, 7):
    raise ImportError(
        f"Keras {keras.__version__} does not take a data adapter that is not its own; csvfeed "
        "needs Keras 3.7 or newer for it. ds.to_tf() gives fit the same batches on the TensorFlow "
        "backend"
    )

try:
    from keras.src.trainers import data_adapters
    from keras.src.trainers.data_adapters import data_adapter_utils
    from keras.src.trainers.data_adapters.data_adapter import DataAdapter as DataAdapter
    from keras.src.trainers.epoch_iterator import EpochIterator as EpochIterator
except ImportError as error:
    DataAdapter = EpochIterator = object
    _missing: str | None = f"csvfeed does not find its data adapters ({error})"
else:
    _missing = None

# Adapters, which Keras asks for batches.

ADAPTER = ASKED | {"batch_size"}
"""What csvfeed implements of the class ``DataAdapter``."""

ADAPTER_PARAMETERS = {"get_jax_iterator": {"super_batch"}}
"""The parameters of the methods of an adapter. Since 3.16, JAX may ask for several batches."""

PartialBatchList: type[list[Any]] = (
    list if _missing else getattr(data_adapter_utils, "PartialBatchList", list)
)
"""The list by which Keras tells several batches from one stack of them. Since 3.16."""

# Epoch iterators, which ask adapters. A model makes one for each call of fit and evaluate.

ITERATOR_PARAMETERS = {"x", "y", "sample_weight", "batch_size", "shuffle", "class_weight"}
"""Parameters of an iterator that hold what the user gave."""

ITERATOR_USES = {
    *("_current_iterator", "_num_batches", "steps_per_epoch", "steps_per_execution"),
    *("num_batches", "on_epoch_begin", "on_epoch_end"),
}
"""Names that an iterator must use itself, because csvfeed sets them or counts on the call."""

BUILDS = ("_symbolic_build", "_maybe_symbolic_build")
"""Methods of a model that look at a batch to build it. Not every version has the second."""


def expect_batches(iterator: EpochIterator, number: int) -> None:
    """Tell an iterator how many batches are left."""
    iterator._num_batches = number


def forget_batches(iterator: EpochIterator) -> None:
    """Let an iterator ask its adapter anew, though the current batches have not ended."""
    iterator._current_iterator = None


def step_within(
    iterator: EpochIterator, context: Callable[[], AbstractContextManager[None]]
) -> None:
    """Run each step of fit, evaluate and predict over an iterator within a context."""
    if not isinstance(iterator, _Within):
        cls: Any = type(iterator)
        iterator.__class__ = _within(cls)
    iterator._csvfeed_context = context


class _Within:
    """Marks iterators whose steps run within a context."""


@functools.cache
def _within(cls: type[Any]) -> type[Any]:
    class EpochIteratorWithin(_Within, cls):  # type: ignore[misc]
        @contextmanager
        def catch_stop_iteration(self) -> Iterator[Any]:
            with self._csvfeed_context(), super().catch_stop_iteration():
                yield

    return EpochIteratorWithin


# Models.


def build(model: keras.Model, batch: tuple[Any, ...]) -> None:
    """Make all variables of a compiled model, given arrays like a batch."""
    if hasattr(model, "_symbolic_build"):
        model._symbolic_build(data_batch=batch)
        return
    # It computes, and changes metrics and random seeds.
    model.test_on_batch(*batch)
    if model.optimizer is not None:
        model.optimizer.build(model.trainable_variables)


def begin_at(model: keras.Model, epoch: int | None) -> None:
    """Let ``fit`` begin at an epoch, whatever its ``initial_epoch`` says; None lets it be."""
    if not hasattr(model, "_initial_epoch"):
        raise RuntimeError(
            f"csvfeed does not know how to tell Keras {keras.__version__} where to go on: install "
            "the Keras that wrote the backup, or delete it to begin anew"
        )
    model._initial_epoch = epoch


# The loops of JAX, which take the weights out of the model. See interrupts.py.

JAX_TRAINER = "keras.src.backend.jax.trainer"
JAX_LOOPS = ("fit", "evaluate", "predict")
JAX_MOVES = ("state_sync", "jax_state_sync", "_get_jax_state", "_purge_model_variables")
"""Functions that move the weights between a model and a loop. The first is new in 3.16."""


CATCHES = ("keras.src.utils.python_utils", "pythonify_logs")
"""A function that catches every error, an interrupt among them, and goes on."""

CALLBACKS = "keras.src.callbacks.callback_list"
HANDS_OVER = ("_async_dispatch", "_flush_futures", "_on_end")
"""Functions that hand callbacks to another thread and wait for it, with locks of Python's."""


def loop_around(frame: FrameType | None) -> tuple[FrameType | None, bool]:
    """Return the innermost loop of Keras on JAX around a frame, and whether an interrupt must wait.

    It must wait while Keras moves weights, where Keras would catch it, and where it could leave
    a lock behind that a thread of Keras waits for until the process ends, and so never ends.
    """
    must_wait = False
    while frame is not None:
        module, function = frame.f_globals.get("__name__"), frame.f_code.co_name
        if module == JAX_TRAINER and function in JAX_LOOPS:
            return frame, must_wait
        must_wait |= module == JAX_TRAINER and function in JAX_MOVES
        must_wait |= (module, function) == CATCHES
        must_wait |= module == CALLBACKS and function in HANDS_OVER
        frame = frame.f_back
    return None, False


def is_whole(trainer: Any) -> bool:
    """Whether a model, or the state that a loop on JAX will give back to it, has all weights."""
    if getattr(trainer, "_jax_state_synced", True):
        variables = getattr(trainer, "variables", [])
        return all(getattr(variable, "_value", True) is not None for variable in variables)
    state = getattr(trainer, "_jax_state", None)
    if not state:
        return False
    values = [value for group in state.values() for value in group or ()]
    return not any(value.is_deleted() for value in values if hasattr(value, "is_deleted"))


def give_weights_back(trainer: Any) -> None:
    """Give a model the weights that a loop on JAX has taken. Only ``fit`` does so by itself."""
    # Of the two names, 3.16 has both and older versions the second.
    sync = getattr(trainer, "state_sync", None) or getattr(trainer, "jax_state_sync", None)
    if sync is not None:
        sync()


# What differs.


def _difference() -> str | None:
    """Return what this Keras has changed so that an adapter of csvfeed might not work."""
    if _missing is not None:
        return _missing
    if absent := _absent(ADAPTER, dir(DataAdapter)):
        return f"its data adapters have no {absent}"
    for name in dir(DataAdapter):
        member = inspect.getattr_static(DataAdapter, name)
        function = member.fget if isinstance(member, property) else member
        if not isinstance(function, FunctionType) or name.startswith("__"):
            continue
        if name not in ADAPTER:
            if "NotImplementedError" in function.__code__.co_names:
                return f"its data adapters must have {name}"
            continue
        more = [*inspect.signature(function).parameters][1:]
        unknown = [one for one in more if one not in ADAPTER_PARAMETERS.get(name, ())]
        if unknown:
            return f"{name} of its data adapters has the parameter {unknown[0]}"
        if more and PartialBatchList is list:
            return "csvfeed does not find its PartialBatchList"
    if absent := _absent(ITERATOR_PARAMETERS, inspect.signature(EpochIterator).parameters):
        return f"its epoch iterators have no parameter {absent}"
    functions = [one for one in vars(EpochIterator).values() if isinstance(one, FunctionType)]
    used = {name for one in map(inspect.unwrap, functions) for name in one.__code__.co_names}
    if absent := _absent(ITERATOR_USES, used):
        return f"its epoch iterators do not use {absent}"
    if not hasattr(EpochIterator, "catch_stop_iteration"):
        return "its epoch iterators have no catch_stop_iteration"
    if not hasattr(keras.Model, "_symbolic_build"):
        return "its models have no _symbolic_build"
    adapter = DataAdapter()
    if data_adapters.get_data_adapter(adapter) is not adapter:
        return "it takes no data adapter that is not its own"
    return None


def _absent(names: AbstractSet[str], found: Iterable[str]) -> str | None:
    return min(names - set(found), default=None)


try:
    DIFFERENCE = _difference()
except Exception as error:  # Whatever it is, this Keras is another.
    DIFFERENCE = f"{type(error).__name__}: {error}"
"""What this Keras has that csvfeed does not know, or lacks; None if nothing."""
