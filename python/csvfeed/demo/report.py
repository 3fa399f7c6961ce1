"""What the demo shows at its end: a table and a picture."""

from __future__ import annotations

import statistics
from pathlib import Path

from csvfeed.demo.costs import Reading, Stepping, memory
from csvfeed.demo.training import LossCurve
from csvfeed.system import cpus

MIB = 1 << 20


def table(reading: Reading, stepping: Stepping, curve: LossCurve) -> str:
    """Return the measurements as text.

    Parameters
    ----------
    reading : Reading
        The cost of reading.
    stepping : Stepping
        The cost of a training step.
    curve : LossCurve
        The loss during training.

    Returns
    -------
    str
    """
    threads = cpus()
    fed, split = reading.rows_per_second, reading.pure_python_rows_per_second
    file, held = statistics.median(stepping.file), statistics.median(stepping.memory)
    low, wait, high = (100 * part for part in statistics.quantiles(stepping.waits, n=4))
    noise = "within noise; " if low <= 0 else ""
    rounds = f"{noise}the middle half of {len(stepping.waits)} rounds: {low:.1f} to {high:.1f} %"
    losses = " -> ".join(f"{loss:.2g}" for loss in curve.validation_losses)
    steps = curve.steps_per_epoch * (len(curve.validation_losses) - 1)
    sections: list[tuple[str, list[tuple[str, str, str]]]] = [
        (
            "Reading the file",
            [
                (
                    "csvfeed",
                    f"{fed:,.0f} rows/s",
                    f"{threads} threads; {fed / split:.0f} times pure Python",
                ),
                ("pure Python", f"{split:,.0f} rows/s", "splits every line"),
            ],
        ),
        (
            "A training step",
            [
                ("from the file", f"{1000 * file:.2f} ms", "median"),
                ("from memory", f"{1000 * held:.2f} ms", "the same batches, already in memory"),
                ("waiting for data", f"{max(0, wait):.1f} %", rounds),
            ],
        ),
        (
            "Peak memory",
            [
                ("reading alone", _mebibytes(reading.memory), "above import of numpy and csvfeed"),
                ("the whole demo", _mebibytes(memory("VmHWM")), "TensorFlow and all"),
            ],
        ),
        (
            "The training",
            [
                ("time", f"{curve.seconds:.1f} s", f"{steps:,} steps, validation included"),
                ("validation loss", losses, "before, and after every epoch"),
            ],
        ),
    ]
    remark = (
        "Waiting for data: how much longer a step waits for its batch from the file than for one\n"
        "from memory, both timed inside fit, as a part of the step from the file."
    )
    width = max(len(value) for _, lines in sections for _, value, _ in lines)
    return (
        "\n".join(
            f"\n{title}\n"
            + "\n".join(f"  {name:<18}{value:>{width}}   {note}" for name, value, note in lines)
            for title, lines in sections
        )
        + f"\n\n{remark}"
    )


def _mebibytes(size: int | None) -> str:
    return "unknown" if size is None else f"{size / MIB:,.0f} MiB"


def draw_loss(curve: LossCurve, path: Path, title: str) -> None:
    """Draw the training loss and the validation loss over the steps, as a PNG.

    Parameters
    ----------
    curve : LossCurve
        What to draw.
    path : pathlib.Path
        Path of the picture.
    title : str
        A line about the run.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure
    from matplotlib.layout_engine import ConstrainedLayoutEngine
    from matplotlib.patheffects import withStroke

    ink, grey, blue, orange = "#1f2430", "#8a90a0", "#2f6fde", "#e8590c"
    layout = ConstrainedLayoutEngine(w_pad=0.2, h_pad=0.2)
    figure = Figure(figsize=(10, 5.6), dpi=160, layout=layout, facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_subplot()
    axes.set_yscale("log")

    epochs = len(curve.validation_losses) - 1
    ends = [epoch * curve.steps_per_epoch for epoch in range(epochs + 1)]
    for end in ends[1:-1]:
        label = "end of an epoch" if end == ends[1] else None
        axes.axvline(end, color=grey, linewidth=0.8, linestyle=(0, (2, 3)), label=label)
    # A difference of running means can be slightly negative if the loss is tiny.
    points = [
        (step, loss) for step, loss in zip(curve.steps, curve.losses, strict=True) if loss > 0
    ]
    axes.plot(
        [step for step, _ in points],
        [loss for _, loss in points],
        color=blue,
        linewidth=1.4,
        label="training" if curve.window == 1 else f"training, mean of {curve.window} steps",
    )
    axes.plot(
        ends,
        curve.validation_losses,
        color=orange,
        linestyle="none",
        marker="o",
        markersize=8,
        markeredgecolor="white",
        markeredgewidth=1.2,
        label="validation",
        zorder=3,
        clip_on=False,
    )
    for end, loss in zip(ends, curve.validation_losses, strict=True):
        # A falling curve leaves room above its start and below its end.
        first = end == 0
        axes.annotate(
            f"{loss:.2g}",
            (end, loss),
            xytext=(10, 6) if first else (-8, -15),
            textcoords="offset points",
            horizontalalignment="left" if first else "right",
            color=orange,
            fontweight="bold",
            path_effects=[withStroke(linewidth=4, foreground="white")],
        )

    axes.set_xlim(0, ends[-1])
    axes.margins(y=0.1)
    axes.set_xlabel("training step", color=ink)
    axes.set_ylabel("mean absolute error, as a part of the range", color=ink)
    axes.xaxis.set_major_formatter("{x:,.0f}")
    axes.grid(axis="y", color="#e6e8ee", linewidth=0.8)
    axes.set_axisbelow(True)
    axes.tick_params(colors=grey, which="both", length=0)
    axes.spines[["top", "right", "left"]].set_visible(False)
    axes.spines["bottom"].set_color("#c9cdd6")
    axes.legend(loc="upper right", labelcolor=ink, framealpha=1, edgecolor="none")
    axes.set_title(
        "A Keras model, fed from a CSV file",
        loc="left",
        pad=30,
        color=ink,
        fontsize=15,
        fontweight="bold",
    )
    axes.text(0, 1.035, title, transform=axes.transAxes, color=grey)
    figure.savefig(path)
