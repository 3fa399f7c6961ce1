"""The model of the demo, and its training."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import Any

from csvfeed import CsvDataset


@dataclass
class LossCurve:
    """The loss during training: of each window of steps, and of the validation rows."""

    steps_per_epoch: int
    window: int
    steps: list[int] = field(default_factory=list)
    losses: list[float] = field(default_factory=list)
    validation_losses: list[float] = field(default_factory=list)
    seconds: float = 0.0

    # Keras passes `logs` by name, to every callback.
    def begin_epoch(self, epoch: int, logs: object = None) -> None:  # noqa: ARG002
        """Start a new running mean, as Keras does."""
        self._before, self._mean, self._steps = epoch * self.steps_per_epoch, 0.0, 0

    def add(self, batch: int, logs: dict[str, float]) -> None:
        """Compute the loss of a window from the running mean that Keras reports."""
        done = batch + 1
        if done - self._steps < self.window:
            return
        total = logs["loss"] * done - self._mean * self._steps
        self.steps.append(self._before + done)
        self.losses.append(total / (done - self._steps))
        self._mean, self._steps = logs["loss"], done


def build_model(rows: int, steps: int) -> Any:
    """Return a small compiled model.

    It takes raw numbers and scales them itself. It predicts n as a part of `rows`, and its loss
    scales the target in the same way, so that a loss of 0.01 is an error of 1 % of the range.

    Parameters
    ----------
    rows : int
        The range of the numbers.
    steps : int
        Steps of the whole training, during which the learning rate falls to zero.

    Returns
    -------
    keras.Model
    """
    import keras
    from keras import layers, losses

    def mean_absolute_error(y: Any, predicted: Any) -> Any:
        return losses.mean_absolute_error(y / rows, predicted)

    def mean_squared_error(y: Any, predicted: Any) -> Any:
        return losses.mean_squared_error(y / rows, predicted)

    model = keras.Sequential(
        [
            keras.Input((1,)),
            layers.Rescaling(1 / rows),
            layers.Dense(16, activation="relu"),
            layers.Dense(8, activation="relu"),
            layers.Dense(1),
        ]
    )
    # With a constant rate the loss would soon jitter about one level, the size of Adam's steps.
    rate = keras.optimizers.schedules.CosineDecay(0.001, steps)
    model.compile(
        optimizer=keras.optimizers.Adam(rate),
        loss=mean_absolute_error,
        metrics=[mean_squared_error],
    )
    return model


def train_model(
    model: Any, train: CsvDataset, validation: CsvDataset, epochs: int, verbose: int
) -> LossCurve:
    """Fit the model with the progress bar of Keras.

    Parameters
    ----------
    model : keras.Model
        A compiled model.
    train, validation : CsvDataset
        The rows to learn from, and the rows to evaluate on before training and after each epoch.
    epochs : int
        Epochs of training.
    verbose : int
        As in Keras: 1 for a moving progress bar, 2 for a line per epoch, 0 for silence.

    Returns
    -------
    LossCurve
    """
    import keras

    curve = LossCurve(len(train), window=max(1, epochs * len(train) // 400))
    held_out = validation.to_keras()
    before = model.evaluate(held_out, verbose=0, return_dict=True)["loss"]
    print(f"\nTraining (validation loss before: {before:.4f})", flush=True)
    start = time.perf_counter()
    history = model.fit(
        train.to_keras(),
        validation_data=held_out,
        epochs=epochs,
        shuffle=False,
        verbose=verbose,
        callbacks=[
            keras.callbacks.LambdaCallback(
                on_epoch_begin=curve.begin_epoch, on_train_batch_end=curve.add
            )
        ],
    )
    curve.seconds = time.perf_counter() - start
    curve.validation_losses = [before, *history.history["val_loss"]]
    return curve
